r"""Frames and methods of AMQP 0-9-1 (its specification, sections 2.3 and 4.2).

client:  "AMQP" 0 0 9 1
frame:   type (1), channel (2), size (4), payload, 0xce
method:  class (2), method (2), arguments
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of

PROTOCOL_HEADER: Final = b"AMQP\0\0\x09\x01"
MAX_FRAME: Final = 128 * 1024
FRAME_END: Final = b"\xce"
METHOD: Final = 1
HEARTBEAT: Final = 8

START, START_OK = (10, 10), (10, 11)
TUNE, TUNE_OK = (10, 30), (10, 31)
OPEN, OPEN_OK = (10, 40), (10, 41)
CLOSE, CLOSE_OK = (10, 50), (10, 51)
BLOCKED, UNBLOCKED = (10, 60), (10, 61)
CHANNEL_OPEN, CHANNEL_OPEN_OK = (20, 10), (20, 11)
CHANNEL_CLOSE, CHANNEL_CLOSE_OK = (20, 40), (20, 41)
DECLARE, DECLARE_OK = (50, 10), (50, 11)

Method = tuple[int, int]
_FIXED: Final = {
    b"t": 1, b"b": 1, b"B": 1, b"s": 2, b"u": 2, b"I": 4, b"i": 4, b"l": 8, b"L": 8, b"f": 4, b"d": 8, b"D": 5,
    b"T": 8, b"V": 0,
}  # fmt: skip
_MOST_FIELDS: Final = 200
_DEEPEST: Final = 4


def frame(channel: int, method: Method, arguments: bytes = b"") -> bytes:
    """Return one method frame."""
    payload = struct.pack("!HH", *method) + arguments
    return struct.pack("!BHI", METHOD, channel, len(payload)) + payload + FRAME_END


def short(text: str) -> bytes:
    """Return a short string; raises ValueError for one of more than 255 octets."""
    data = text.encode()
    if len(data) > 255:
        raise ValueError(f"{text[:40]!r}... is longer than 255 octets")
    return bytes([len(data)]) + data


def long(data: bytes) -> bytes:
    """Return a long string."""
    return struct.pack("!I", len(data)) + data


def table(fields: Mapping[str, str | bool]) -> bytes:
    """Return a field table of texts and truths."""
    content = b""
    for name, value in fields.items():
        encoded = b"t" + bytes([value]) if isinstance(value, bool) else b"S" + long(value.encode())
        content += short(name) + encoded
    return long(content)


def read_table(octets: Octets, depth: int = 0) -> dict[str, str]:
    """Return the texts of a field table; what is no text is left out. Raises AnswerError for a broken one."""
    inside = Octets(octets.sized(4))
    found: dict[str, str] = {}
    for _ in range(_MOST_FIELDS):
        if not inside.left:
            return found
        name = text_of(inside.sized(1))
        kind = inside.take(1)
        if kind == b"S":
            found[name] = text_of(inside.sized(4))
        elif kind in {b"A", b"x"}:
            inside.sized(4)
        elif kind == b"F" and depth < _DEEPEST:
            read_table(inside, depth + 1)
        elif kind in _FIXED:
            inside.take(_FIXED[kind])
        else:
            raise AnswerError(f"a field of type {kind!r}")
    raise AnswerError(f"a table of more than {_MOST_FIELDS} fields")


@dataclass(frozen=True, slots=True)
class Start:
    """What the server says of itself."""

    product: str
    version: str
    mechanisms: tuple[str, ...]


def decode_start(octets: Octets) -> Start:
    """Return the arguments of Connection.Start."""
    octets.take(2)
    properties = read_table(octets)
    mechanisms = text_of(octets.sized(4)).split()
    return Start(properties.get("product", ""), properties.get("version", ""), tuple(mechanisms))


def decode_close(octets: Octets) -> tuple[int, str]:
    """Return (code, text) of Connection.Close and Channel.Close."""
    return octets.number(2), text_of(octets.sized(1))
