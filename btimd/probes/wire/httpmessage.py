"""HTTP/1.1 messages (RFC 9112): a GET out, a response in. Just enough to know status and body.

Bounded: a head of 16 KiB, 8 interim responses, chunk lines of 256 octets, a body of which 256 KiB are kept and after
1 MiB no more is wanted.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

MAX_HEAD: Final = 16 * 1024
MAX_KEPT: Final = 256 * 1024
MAX_BODY: Final = 1024 * 1024
MAX_INTERIM: Final = 8
MAX_LINE: Final = 256
_VERSION: Final = b"HTTP/"
_MAX_CHUNK_DIGITS: Final = 15


def encode_get(*, path: str, host: str) -> bytes:
    """Return a GET request; raises ValueError for a path or host that would break out of its line."""
    if not path.startswith("/") or not _is_visible(path):
        raise ValueError(f"path {path!r} must begin with / and hold neither spaces nor control characters")
    if not host or not _is_visible(host):
        raise ValueError(f"host header {host!r} must hold neither spaces nor control characters")
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: btimd\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _is_visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers; header names in lower case, of a repeated header the values joined by commas."""

    status: int
    reason: str
    headers: dict[str, str]


def decode_head(raw: bytes) -> Head:
    """Return the head in `raw`, which is without its final empty line; raises AnswerError."""
    lines = raw.decode("latin-1").replace("\r\n", "\n").split("\n")
    version, _, rest = lines[0].partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not (code.isascii() and code.isdigit()) or code < "100":
        raise AnswerError(f"status line {lines[0][:60]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise AnswerError(f"header line {line[:60]!r}")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(int(code), reason, headers)


def _content_length(head: Head) -> int | None:
    text = head.headers.get("content-length")
    if text is None:
        return None
    lengths = {part.strip() for part in text.split(",")}
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()) or len(length) > _MAX_CHUNK_DIGITS:
        raise AnswerError(f"content-length {text[:60]!r}")
    return int(length)


class _Part(Enum):
    HEAD = auto()
    BODY = auto()
    CHUNK_LINE = auto()
    CHUNK_DATA = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    DONE = auto()


class ResponseReader:
    """Takes the octets of one response in pieces of any size.

    head: set when it is whole. body: the first MAX_KEPT octets of the content. done: no more is wanted.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self.body = bytearray()
        self.body_octets = 0
        self.received = 0
        self._buffer = bytearray()
        self._part = _Part.HEAD
        self._left: int | None = 0  # octets left of the body or chunk; None: until the server closes
        self._interim = 0

    @property
    def done(self) -> bool:
        """Tell whether the response is whole, or as much of it is here as anybody wants."""
        return self._part is _Part.DONE

    def feed(self, data: bytes) -> None:
        """Take octets; raises AnswerError where they are no HTTP."""
        self.received += len(data)
        self._buffer += data
        while self._step():
            pass

    def close(self) -> None:
        """Say that the server closed; raises AnswerError where the response is not whole."""
        if self._part is _Part.BODY and self._left is None:
            self._part = _Part.DONE
        if not self.done:
            raise AnswerError(f"the connection was closed in the middle of the response, after {self.received} octets")

    def _step(self) -> bool:
        """Consume one piece; tell whether there may be another."""
        match self._part:
            case _Part.HEAD:
                return self._read_head()
            case _Part.BODY | _Part.CHUNK_DATA:
                return self._read_data()
            case _Part.CHUNK_LINE:
                return self._read_chunk_line()
            case _Part.CHUNK_END:
                return self._read_chunk_end()
            case _Part.TRAILER:
                return self._read_trailer()
            case _Part.DONE:
                self._buffer.clear()
                return False

    def _read_head(self) -> bool:
        start = bytes(self._buffer[: len(_VERSION)])
        if start != _VERSION[: len(start)]:
            raise AnswerError(f"the answer begins with {bytes(self._buffer[:24])!r}")
        end, width = self._buffer.find(b"\r\n\r\n"), 4
        bare = self._buffer.find(b"\n\n", 0, end if end >= 0 else len(self._buffer))
        if bare >= 0:
            end, width = bare, 2
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise AnswerError(f"a head over {MAX_HEAD} octets")
        if end < 0:
            return False
        head = decode_head(bytes(self._buffer[:end]))
        del self._buffer[: end + width]
        if head.status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM or head.status == 101:
                raise AnswerError(f"{self._interim} interim responses, the last one {head.status}")
            return True
        self.head = head
        self._choose_framing(head)
        return True

    def _choose_framing(self, head: Head) -> None:
        """Decide where the body ends (RFC 9112 section 6.3)."""
        coding = head.headers.get("transfer-encoding", "").lower()
        length = _content_length(head)
        if head.status in {204, 304}:
            self._part = _Part.DONE
        elif coding:
            chunked = coding.rpartition(",")[2].strip() == "chunked"
            self._part, self._left = (_Part.CHUNK_LINE, 0) if chunked else (_Part.BODY, None)
        else:
            self._part, self._left = (_Part.DONE if length == 0 else _Part.BODY), length

    def _read_data(self) -> bool:
        take = len(self._buffer) if self._left is None else min(self._left, len(self._buffer))
        if not take:
            return False
        self.body += self._buffer[: min(take, MAX_KEPT - len(self.body))]
        self.body_octets += take
        del self._buffer[:take]
        if self._left is not None:
            self._left -= take
        if self.body_octets > MAX_BODY:
            self._part = _Part.DONE
        elif self._left == 0:
            self._part = _Part.DONE if self._part is _Part.BODY else _Part.CHUNK_END
        return True

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\n", 0, MAX_LINE)
        if end < 0:
            if len(self._buffer) >= MAX_LINE:
                raise AnswerError(f"a chunk line over {MAX_LINE} octets")
            return None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _read_chunk_line(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > _MAX_CHUNK_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
            raise AnswerError(f"chunk size {digits[:20]!r}")
        self._left = int(digits, 16)
        self._part = _Part.CHUNK_DATA if self._left else _Part.TRAILER
        return True

    def _read_chunk_end(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        if line:
            raise AnswerError(f"a chunk followed by {line[:20]!r}")
        self._part = _Part.CHUNK_LINE
        return True

    def _read_trailer(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        if not line:
            self._part = _Part.DONE
        return True
