"""Reading the page of an exporter: one GET that keeps the whole page, up to a bound, packed or not.

The page is taken out of the HTTP reader piece by piece, unpacked as it comes (gzip, RFC 1952) and never more than
MAX_TEXT of it held, however much a small answer unpacks to.
"""

import base64
import zlib
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Dialogue, Secure, Send, Stage, printable
from btimd.probes.wire.httpmessage import ResponseReader, encode_get

MAX_TEXT: Final = 8 * 1024 * 1024
_ACCEPT: Final = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
_GZIP: Final = 16 + zlib.MAX_WBITS
_STATUS_OK: Final = 200
_STATUS_DENIED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Page:
    """Where metrics are. secure: speak TLS; verify: check its certificate. token: bearer, or user with password."""

    host: str
    port: int
    path: str = "/metrics"
    secure: bool = False
    verify: bool = True
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


def encode_scrape(page: Page) -> bytes:
    """Return the request; raises ValueError for what would break out of its line."""
    host = f"[{page.host}]" if ":" in page.host else page.host
    request_line, host_line, _ = encode_get(path=page.path, host=f"{host}:{page.port}").split(b"\r\n", 2)
    lines = [request_line, host_line, b"User-Agent: btimd", f"Accept: {_ACCEPT}".encode(), b"Accept-Encoding: gzip"]
    if page.token:
        if not all("!" <= character <= "~" for character in page.token):
            raise ValueError("the token holds other than visible ASCII characters")
        lines.append(f"Authorization: Bearer {page.token}".encode())
    elif page.user:
        pair = f"{page.user}:{page.password}".encode()
        lines.append(b"Authorization: Basic " + base64.b64encode(pair))
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


class ScrapeDialogue(Dialogue):
    """One GET of a page of metrics; good when it came whole. text: what stood there."""

    def __init__(self, page: Page) -> None:
        super().__init__(page.host, page.port)
        self._page = page
        self._get = encode_scrape(page)
        self._reader = ResponseReader()
        self._unpack: zlib._Decompress | None = None
        self._raw = bytearray()
        self._sent_at: MonotonicSeconds = 0.0

    @property
    def text(self) -> str:
        """The page."""
        return self._raw.decode("utf-8", "replace")

    @override
    def _on_connected(self, now: MonotonicSeconds) -> list[Action]:
        if not self._page.secure:
            return super()._on_connected(now)
        self._values["connect_seconds"] = now - self._stage_began
        self._enter(Stage.SECURING, now)
        return [Secure(self._page.host, self._page.verify)]

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._sent_at = now
        return [Send(self._get)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        if not self._reader.received:
            self._values["answer_seconds"] = now - self._sent_at
        try:
            self._reader.feed(data)
            self._take_body()
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target}: {error}")
        return self._judge() if self._reader.done else []

    @override
    def _closed(self, now: MonotonicSeconds) -> list[Action]:
        if not self._reader.received:
            return super()._closed(now)
        try:
            self._reader.close()
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target}: {error}")
        return self._judge()

    def _take_body(self) -> None:
        """Take what the reader has of the page, and let it forget that; raises AnswerError."""
        head = self._reader.head
        data = bytes(self._reader.body)
        self._reader.body.clear()
        self._reader.body_octets = 0
        if head is None or not data:
            return
        coding = head.headers.get("content-encoding", "identity").strip().lower()
        if coding in {"gzip", "x-gzip"}:
            self._unpack = self._unpack or zlib.decompressobj(_GZIP)
            try:
                data = self._unpack.decompress(data, MAX_TEXT - len(self._raw) + 1)
            except zlib.error as error:
                raise AnswerError(f"a page that is not gzip as it says: {error}") from error
        elif coding not in {"identity", ""}:
            raise AnswerError(f"a page packed by {printable(coding, 40)}, which was not asked for")
        self._raw += data
        if len(self._raw) > MAX_TEXT:
            raise AnswerError(f"a page over {MAX_TEXT // 2**20} MiB")

    def _judge(self) -> list[Action]:
        head = self._reader.head
        if head is None:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sent no head")
        self._values["body_octets"] = float(len(self._raw))
        said = f"{self._target}{self._page.path} answers HTTP {head.status}"
        if head.status in _STATUS_DENIED:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said}; correct token_file, or user and password_file")
        if head.status != _STATUS_OK:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, expected 200; correct path")
        if self._unpack is not None and not self._unpack.eof:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{said}, but its packed page is cut")
        return self._good(f"{said}, {len(self._raw)} octets")
