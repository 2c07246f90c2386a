"""HTTP/2: one GET out, one response in (RFC 9113). Takes the place of HTTP/1.1's ResponseReader.

Bounded: 4096 frames, 64 of them to be acknowledged, a head of 16 KiB, a body of which 256 KiB are kept; the windows
opened at the start are all that the server ever gets, so that it cannot send more than 1 MiB and a frame.
"""

from typing import Final

from btimd.probes.wire import h2frames
from btimd.probes.wire.dialogue import AnswerError, printable
from btimd.probes.wire.h2frames import (
    ACK,
    CONTINUATION,
    DATA,
    ENABLE_PUSH,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_HEADER_LIST_SIZE,
    MAX_PAYLOAD,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Frame,
    FrameReader,
    encode_settings,
    error_name,
)
from btimd.probes.wire.hpack import MAX_LIST, Decoder, encode
from btimd.probes.wire.httpmessage import MAX_BODY, MAX_HEAD, MAX_INTERIM, MAX_KEPT, Head

ALPN: Final = "h2"
MAX_FRAMES: Final = 4096
MAX_ACKS: Final = 64
WINDOW: Final = MAX_BODY + MAX_PAYLOAD
_FIRST_WINDOW: Final = 65_535
_STREAM: Final = 1
_OF_A_STREAM: Final = frozenset({DATA, HEADERS, RST_STREAM, CONTINUATION})


def encode_get(*, path: str, authority: str, scheme: str) -> bytes:
    """Return all that a client says of its own will: preface, settings, window, GET. Path and authority are checked."""
    headers = [
        (":method", "GET"), (":scheme", scheme), (":path", path), (":authority", authority), ("user-agent", "btimd"),
        ("accept", "*/*"),
    ]  # fmt: skip
    settings = {ENABLE_PUSH: 0, INITIAL_WINDOW_SIZE: WINDOW, MAX_HEADER_LIST_SIZE: MAX_LIST}
    return (
        PREFACE
        + encode_settings(settings)
        + Frame(WINDOW_UPDATE, 0, 0, (WINDOW - _FIRST_WINDOW).to_bytes(4)).wire
        + Frame(HEADERS, END_STREAM | END_HEADERS, _STREAM, encode(headers)).wire
    )


class H2Reader:
    """Takes the octets of the connection in pieces of any size.

    head, body, body_octets, received, done: as of a ResponseReader. `take_reply` gives what must be sent in between.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self.body = bytearray()
        self.body_octets = 0
        self.received = 0
        self.done = False
        self._frames = FrameReader()
        self._decoder = Decoder()
        self._count = 0
        self._acks = 0
        self._interim = 0
        self._window = WINDOW
        self._block: bytearray | None = None  # of HEADERS that CONTINUATION goes on with
        self._ends = False
        self._reply = bytearray()
        self._start = b""

    def take_reply(self) -> bytes:
        """Return what must be sent now, and forget it."""
        reply = bytes(self._reply)
        self._reply.clear()
        return reply

    def feed(self, data: bytes) -> None:
        """Take octets; raises AnswerError where they are no HTTP/2, or the server refuses."""
        self.received += len(data)
        if len(self._start) < 5:
            self._start = (self._start + data)[:5]
            if self._start == b"HTTP/":
                raise AnswerError("it answers in HTTP/1")
        for frame in self._frames.feed(data):
            self._count += 1
            if self._count > MAX_FRAMES:
                raise AnswerError(f"over {MAX_FRAMES} frames")
            if self._count == 1 and (frame.type != SETTINGS or frame.flags & ACK):
                raise AnswerError(f"the answer begins with {self._start!r}, which are no settings")
            self._frame(frame)
            if self.done:
                return

    def close(self) -> None:
        """Say that the server closed; raises AnswerError where the response is not whole."""
        if not self.done:
            raise AnswerError(f"the connection was closed in the middle of the response, after {self.received} octets")

    def _frame(self, frame: Frame) -> None:
        if (self._block is not None) is not (frame.type == CONTINUATION):
            raise AnswerError(f"a frame of type {frame.type} within or without headers")
        if frame.type in _OF_A_STREAM and frame.stream != _STREAM:
            raise AnswerError(f"a frame of type {frame.type} on stream {frame.stream}")
        match frame.type:
            case h2frames.SETTINGS | h2frames.PING if not frame.flags & ACK:
                self._acknowledge(frame)
            case h2frames.GOAWAY:
                self._goaway(frame)
            case h2frames.PUSH_PROMISE:
                raise AnswerError("a push that was forbidden")
            case h2frames.DATA:
                self._data(frame)
            case h2frames.HEADERS | h2frames.CONTINUATION:
                self._headers(frame)
            case h2frames.RST_STREAM:
                code = int.from_bytes(frame.payload[:4])
                raise AnswerError(f"the server breaks the request off: {error_name(code)}")
            case _:
                pass  # priorities, windows for more than is sent here, and what nobody knows (RFC 9113 section 4.1)

    def _acknowledge(self, frame: Frame) -> None:
        self._acks += 1
        if self._acks > MAX_ACKS:
            raise AnswerError(f"over {MAX_ACKS} settings and pings")
        size = len(frame.payload)
        if frame.stream or (size % 6 if frame.type == SETTINGS else size != 8):
            raise AnswerError(f"settings or a ping of {size} octets")
        self._reply += Frame(frame.type, ACK, 0, frame.payload if frame.type == PING else b"").wire

    @staticmethod
    def _goaway(frame: Frame) -> None:
        last, code = int.from_bytes(frame.payload[:4]) & 0x7FFF_FFFF, int.from_bytes(frame.payload[4:8])
        if last < _STREAM or code:
            words = printable(frame.payload[8:].decode("utf-8", "replace"), 60)
            raise AnswerError(f"the server goes away: {error_name(code)} {words}".rstrip())

    def _data(self, frame: Frame) -> None:
        if self.head is None:
            raise AnswerError("a body before its head")
        self._window -= len(frame.payload)
        if self._window < 0:
            raise AnswerError("more octets than the window allows")
        content = frame.content
        self.body += content[: MAX_KEPT - len(self.body)]
        self.body_octets += len(content)
        self.done = bool(frame.flags & END_STREAM) or self.body_octets > MAX_BODY

    def _headers(self, frame: Frame) -> None:
        if frame.type == HEADERS:
            self._block = bytearray(frame.content)
            self._ends = bool(frame.flags & END_STREAM)
        elif self._block is not None:
            self._block += frame.payload
        block = self._block or b""
        if len(block) > MAX_HEAD:
            raise AnswerError(f"a head over {MAX_HEAD} octets")
        if not frame.flags & END_HEADERS:
            return
        headers = self._decoder.decode(bytes(block))
        self._block = None
        if self.head is None:
            self._take_head(headers)
        elif not self._ends:
            raise AnswerError("a second head")
        self.done = self._ends

    def _take_head(self, headers: list[tuple[str, str]]) -> None:
        status = [value for name, value in headers if name == ":status"]
        if len(status) != 1 or not (len(status[0]) == 3 and status[0].isascii() and status[0].isdigit()):
            raise AnswerError(f"a head with the statuses {status[:3]}")
        code = int(status[0])
        if code >= 200:
            joined: dict[str, str] = {}
            for name, value in headers:
                joined[name] = f"{joined[name]}, {value}" if name in joined else value
            self.head = Head(code, "", joined)
            return
        self._interim += 1
        if self._interim > MAX_INTERIM or self._ends or code < 100:
            raise AnswerError(f"{self._interim} interim responses, the last one {code}")
