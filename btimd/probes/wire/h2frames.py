"""Frames of HTTP/2 (RFC 9113 section 4.1).

    | length (24) | type (8) | flags (8) | R | stream (31) | payload ... |

Bounded: frames of 16 KiB, which is what nobody may exceed unasked.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM: Final = 0x01
ACK: Final = 0x01
END_HEADERS: Final = 0x04
PADDED: Final = 0x08
HAS_PRIORITY: Final = 0x20
ENABLE_PUSH: Final = 2
INITIAL_WINDOW_SIZE: Final = 4
MAX_HEADER_LIST_SIZE: Final = 6
MAX_PAYLOAD: Final = 16 * 1024
_HEAD: Final = 9
_ERRORS: Final = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame with its payload."""

    type: int
    flags: int
    stream: int
    payload: bytes

    @property
    def wire(self) -> bytes:
        """The frame as sent."""
        head = len(self.payload).to_bytes(3) + bytes((self.type, self.flags)) + self.stream.to_bytes(4)
        return head + self.payload

    @property
    def content(self) -> bytes:
        """The payload of DATA or HEADERS without padding and priority; raises AnswerError."""
        payload = self.payload
        if self.flags & PADDED:
            if not payload or payload[0] >= len(payload):
                raise AnswerError("a frame of padding only")
            payload = payload[1 : len(payload) - payload[0]]
        if self.type == HEADERS and self.flags & HAS_PRIORITY:
            if len(payload) < 5:
                raise AnswerError("a frame that is too short for its priority")
            payload = payload[5:]
        return payload


def encode_settings(settings: dict[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    return Frame(SETTINGS, 0, 0, b"".join(struct.pack("!HI", *setting) for setting in settings.items())).wire


def error_name(code: int) -> str:
    """Return the name of an error code (RFC 9113 section 7)."""
    return _ERRORS[code] if code < len(_ERRORS) else f"error {code}"


class FrameReader:
    """Cuts octets into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield every frame that is whole; raises AnswerError for one that is too long."""
        self._buffer += data
        while len(self._buffer) >= _HEAD:
            size = int.from_bytes(self._buffer[:3])
            if size > MAX_PAYLOAD:
                raise AnswerError(f"a frame of {size} octets")
            if len(self._buffer) < _HEAD + size:
                return
            head, payload = bytes(self._buffer[:_HEAD]), bytes(self._buffer[_HEAD : _HEAD + size])
            del self._buffer[: _HEAD + size]
            yield Frame(head[3], head[4], int.from_bytes(head[5:9]) & 0x7FFF_FFFF, payload)
