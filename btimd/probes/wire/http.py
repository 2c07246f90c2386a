"""HTTP: does the application answer a GET as it should (RFC 9110)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire import h2
from btimd.probes.wire.certificates import NO_RULE, ExpiryRule
from btimd.probes.wire.dialogue import (
    Action,
    AnswerError,
    Close,
    Connect,
    Connected,
    Deadline,
    Event,
    Line,
    Received,
    Refused,
    Send,
    Stage,
    Unreachable,
    is_address,
    join_host_port,
    printable,
)  # fmt: skip
from btimd.probes.wire.dns import Lookup
from btimd.probes.wire.httpmessage import MAX_KEPT, Head, ResponseReader, encode_get
from btimd.probes.wire.tls import SecuredDialogue, TlsMode, TlsOptions

HTTP_PORT: Final = 80
HTTPS_PORT: Final = 443
VERSIONS: Final = ("1.1", "2")
_STATUS_PATTERN: Final = re.compile(r"[1-5](?:xx|\d\d)")


def status_rule(text: str) -> Callable[[int], bool]:
    """Return the rule of "200", "200,302" or "2xx,404"; raises ValueError for anything else."""
    patterns = [part.strip().lower() for part in text.split(",")]
    for pattern in patterns:
        if not _STATUS_PATTERN.fullmatch(pattern):
            raise ValueError(f'expect_status {text!r} is none; write "200", "2xx" or several with commas')

    def holds(status: int) -> bool:
        return any(pattern in {f"{status // 100}xx", str(status)} for pattern in patterns)

    return holds


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to ask for and what to expect.

    expect_text: must stand in the first 256 KiB of the body; empty: any body. secure: speak TLS; verify: check the
    server's certificate against the system's authorities, or those in `ca` (PEM text); expiry: when its end is near.
    version: "1.1" or "2" (over TLS by ALPN, else as known beforehand).
    resolver: (address, port) of the name server to ask for `host`, None: the system's resolver.
    """

    host: str
    port: int
    path: str = "/"
    host_header: str = ""
    expect_status: str = "2xx,3xx"
    expect_text: str = ""
    secure: bool = False
    verify: bool = True
    ca: str = ""
    expiry: ExpiryRule = NO_RULE
    version: str = "1.1"
    resolver: tuple[str, int] | None = None


class HttpDialogue(SecuredDialogue):
    """One GET; good when the whole response came, its status is an expected one and the text is in it."""

    def __init__(self, request: HttpRequest, query_id: int) -> None:
        default_port = HTTPS_PORT if request.secure else HTTP_PORT
        named = request.host_header.partition(":")[0]
        tls = TlsOptions(
            TlsMode.FIRST if request.secure else TlsMode.OFF,
            verify=request.verify,
            server_name=named if not named.startswith("[") else "",
            ca=request.ca,
            expiry=request.expiry,
        )
        if request.version not in VERSIONS:
            raise ValueError(f"version {request.version!r} is unknown; write one of {', '.join(VERSIONS)}")
        is_h2 = request.version == VERSIONS[1]
        super().__init__(request.host, request.port or default_port, tls, (h2.ALPN,) if is_h2 else ())
        self._request = request
        self._is_expected_status = status_rule(request.expect_status)
        bare_host = f"[{request.host}]" if ":" in request.host else request.host
        authority = bare_host if self._port == default_port else f"{bare_host}:{self._port}"
        host = request.host_header or authority
        self._get = encode_get(path=request.path, host=host)  # refuses what would break out of its line
        self._reader: ResponseReader | h2.H2Reader = ResponseReader()
        if is_h2:
            self._get = h2.encode_get(path=request.path, authority=host, scheme="https" if request.secure else "http")
            self._reader = h2.H2Reader()
        self._sent_at: MonotonicSeconds = 0.0
        self._lookup: Lookup | None = None
        if request.resolver is not None and not is_address(request.host):
            if not is_address(request.resolver[0]):
                raise ValueError(f'resolver {request.resolver[0]!r} is no address; write "10.1.0.53" or "10.1.0.53:53"')
            self._lookup = Lookup(request.resolver, request.host, query_id)

    @override
    def start(self, now: MonotonicSeconds) -> list[Action]:
        if self._lookup is None:
            return super().start(now)
        self._started = now
        self._enter(Stage.RESOLVING, now)
        return [Connect(Line.UDP, *self._lookup.server)]

    @override
    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:
        if self._lookup is not None and self._stage is Stage.RESOLVING:
            return self._resolve(self._lookup, event, now)
        return super().handle(event, now)

    def _resolve(self, lookup: Lookup, event: Event, now: MonotonicSeconds) -> list[Action]:
        """Take what the name server said."""
        server = f"name server {join_host_port(*lookup.server)}"
        match event:
            case Connected():
                return [Send(lookup.query)]
            case Received(data):
                query = lookup.settle(data)
                if lookup.addresses:
                    self._values["resolve_seconds"] = now - self._stage_began
                    return [Close(), *self._connect(Line.TCP, lookup.addresses[0], self._port, now)]
                if not lookup.failure:
                    return [] if query is None else [Send(query)]
                why = lookup.failure
            case Deadline():
                why = f"no answer within {now - self._started:.1f} s"
            case Refused():
                why = "the host answers, no name server listens there"
            case Unreachable(reason):
                why = f"it cannot be reached: {reason}"
            case _:
                return self._failed(event)
        return self._bad(ErrorClass.NAME_ERROR, f"{lookup.name} is not resolved by {server}: {why}")

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._sent_at = now
        if self._alpn and self._secured is not None and self._secured.alpn not in self._alpn:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} speaks TLS and offers no HTTP/2 in it (ALPN)")
        return [Send(self._get)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        if not self._reader.received:
            self._values["answer_seconds"] = now - self._sent_at
        try:
            self._reader.feed(data)
        except AnswerError as error:
            name = "HTTP" if self._request.version == VERSIONS[0] else "HTTP/2"
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak {name}: {error}")
        if self._reader.done:
            return self._judge()
        reply = self._reader.take_reply() if isinstance(self._reader, h2.H2Reader) else b""
        return [Send(reply)] if reply else []

    @override
    def _closed(self, now: MonotonicSeconds) -> list[Action]:
        if not self._reader.received:
            return super()._closed(now)
        try:
            self._reader.close()
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target}: {error}")
        return self._judge()

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if not self._reader.received:
            return super()._silence(now)
        waited = f"{now - self._started:.1f} s"
        status = f"HTTP {self._reader.head.status}" if self._reader.head else "its answer"
        got = f"{self._reader.received} octets"
        return self._bad(ErrorClass.NO_ANSWER, f"{self._target} begins {status} and is not done in {waited} ({got})")

    def _judge(self) -> list[Action]:
        head = self._reader.head
        if head is None:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sent no head")
        self._values["status"] = head.status
        self._values["body_octets"] = self._reader.body_octets
        said = f"{self._target}{self._request.path} answers {_status_text(head)}"
        if not self._is_expected_status(head.status):
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, expected {self._request.expect_status}")
        text = self._request.expect_text
        if text and text.encode() not in self._reader.body:
            where = f"the first {MAX_KEPT // 1024} KiB" if self._reader.body_octets > MAX_KEPT else "the body"
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, but {text!r} is not in {where}")
        return self._good(said)


def _status_text(head: Head) -> str:
    return f"HTTP {head.status} {printable(head.reason, 40)}".rstrip()
