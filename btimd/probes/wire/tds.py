r"""Tabular Data Stream: what SQL Server (TDS 7: MS-TDS) and Sybase ASE (TDS 5) share.

packet: type (1), status (1: last), length (2, with these 8), channel (2), number (1), window (1), content
reply:  type 4, tokens: 0xaa error, 0xab info, 0xad login acknowledged, 0xe3 change, 0xe5 extended error, 0xfd done, ...
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of
from btimd.probes.wire.script import Talk, Want

REPLY: Final = 4
MAX_REPLY: Final = 64 * 1024
_LAST: Final = 1

ERROR: Final = 0xAA
INFO: Final = 0xAB
LOGIN_ACK: Final = 0xAD
EXTENDED_ERROR: Final = 0xE5
DONE: Final = frozenset({0xFD, 0xFE, 0xFF})
_SIZED: Final = frozenset({ERROR, INFO, LOGIN_ACK, EXTENDED_ERROR, 0xA4, 0xA5, 0xA9, 0xE2, 0xE3, 0xED, 0xEE})
_FOUR_OCTET_SIZE: Final = frozenset({0x61, 0x20, 0x21, 0x22})


def encode_packets(kind: int, content: bytes, largest: int = 4096) -> bytes:
    """Return the packets of a message."""
    room = largest - 8
    pieces = [content[at : at + room] for at in range(0, len(content), room)] or [b""]
    return b"".join(
        struct.pack("!BBHHBB", kind, _LAST if number == len(pieces) else 0, 8 + len(piece), 0, number & 0xFF, 0) + piece
        for number, piece in enumerate(pieces, 1)
    )


def read_message(wanted: int = REPLY) -> Talk[bytes]:
    """Return the content of the next message; raises AnswerError where it is of another kind or too large."""
    content = b""
    while True:
        head = yield Want(8)
        size = int.from_bytes(head[2:4])
        if head[0] != wanted or size < 8:
            raise AnswerError(f"a packet that begins with {head!r}")
        content += yield Want(size - 8)
        if len(content) > MAX_REPLY:
            raise AnswerError(f"an answer of more than {MAX_REPLY} octets")
        if head[1] & _LAST:
            return content


def read_tokens(content: bytes, done_octets: int = 8) -> Iterator[tuple[int, bytes]]:
    """Yield (token, content) as far as they are known; a token that is not known comes with all that is left."""
    octets = Octets(content, "little")
    while octets.left:
        token = octets.number(1)
        if token in DONE:
            yield token, octets.take(min(done_octets, octets.left))
        elif token == 0x79:
            yield token, octets.take(4)
        elif token in _SIZED:
            yield token, octets.sized(2)
        elif token in _FOUR_OCTET_SIZE:
            yield token, octets.sized(4)
        else:
            yield token, octets.rest()


@dataclass(frozen=True, slots=True)
class TdsMessage:
    """An error or a word of the server. level: above 10 it is an error, from 17 on it is the server's trouble."""

    number: int
    level: int
    text: str


def decode_error(content: bytes) -> TdsMessage:
    """Return a message of TDS 7 (ERROR, INFO): texts of two octets a letter."""
    octets = Octets(content, "little")
    number = octets.number(4, signed=True)
    octets.take(1)
    level = octets.number(1)
    return TdsMessage(number, level, text_of(octets.take(2 * octets.number(2)), "utf-16-le"))


def decode_extended_error(content: bytes) -> TdsMessage:
    """Return a message of TDS 5 (EED)."""
    octets = Octets(content, "little")
    number = octets.number(4, signed=True)
    octets.take(1)
    level = octets.number(1)
    octets.sized(1)
    octets.take(3)
    return TdsMessage(number, level, text_of(octets.sized(2)).strip())
