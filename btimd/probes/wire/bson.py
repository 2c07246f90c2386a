r"""BSON (bsonspec.org, version 1.1), as much as a conversation with MongoDB needs.

document: size (4, with itself), elements, 0      element: type, name\0, value      numbers: little endian
"""

import struct
from collections.abc import Mapping
from typing import Final, TypeAlias

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of

Value: TypeAlias = "str | bytes | bool | int | float | Document | None"
Document: TypeAlias = dict[str, Value]
_DEEPEST: Final = 8
_MOST_ELEMENTS: Final = 10_000
_INT32: Final = 1 << 31


def encode(document: Mapping[str, object]) -> bytes:
    """Return a document of texts, octets, truths, numbers and documents; raises TypeError for anything else."""
    content = b"".join(_element(name, value) for name, value in document.items()) + b"\0"
    return struct.pack("<i", len(content) + 4) + content


def _element(name: str, value: object) -> bytes:  # noqa: PLR0911  one case per type
    key = name.encode() + b"\0"
    match value:
        case bool():
            return b"\x08" + key + bytes([value])
        case int() if -_INT32 <= value < _INT32:
            return b"\x10" + key + struct.pack("<i", value)
        case int():
            return b"\x12" + key + struct.pack("<q", value)
        case float():
            return b"\x01" + key + struct.pack("<d", value)
        case str():
            data = value.encode() + b"\0"
            return b"\x02" + key + struct.pack("<i", len(data)) + data
        case bytes():
            return b"\x05" + key + struct.pack("<iB", len(value), 0) + value
        case Mapping():
            return b"\x03" + key + encode(value)
        case _:
            raise TypeError(f"{name}: {type(value).__name__} has no place in BSON here")


def decode(data: bytes) -> Document:
    """Return a document; arrays come as documents of their places, what has no simple type as None."""
    return _document(Octets(data, "little"), 0)


def _document(octets: Octets, depth: int) -> Document:
    size = octets.number(4)
    if size < 5 or depth > _DEEPEST:
        raise AnswerError(f"a BSON document of {size} octets at depth {depth}")
    inside = Octets(octets.take(size - 4), "little")
    found: Document = {}
    for _ in range(_MOST_ELEMENTS):
        kind = inside.number(1)
        if kind == 0:
            return found
        name = text_of(inside.until_zero())
        found[name] = _value(kind, inside, depth)
    raise AnswerError(f"a BSON document of more than {_MOST_ELEMENTS} elements")


_SKIPPED: Final = {0x06: 0, 0x07: 12, 0x09: 8, 0x0A: 0, 0x11: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}


def _value(kind: int, octets: Octets, depth: int) -> Value:  # noqa: PLR0911  one case per type
    match kind:
        case 0x01:
            return float(struct.unpack("<d", octets.take(8))[0])
        case 0x02 | 0x0D | 0x0E:
            return text_of(octets.take(octets.number(4))).removesuffix("\0")
        case 0x03 | 0x04:
            return _document(octets, depth + 1)
        case 0x05:
            size = octets.number(4)
            octets.take(1)
            return octets.take(size)
        case 0x08:
            return octets.number(1) != 0
        case 0x0B:
            octets.until_zero()
            return text_of(octets.until_zero())
        case 0x10:
            return octets.number(4, signed=True)
        case 0x12:
            return octets.number(8, signed=True)
        case _ if kind in _SKIPPED:
            octets.take(_SKIPPED[kind])
            return None
        case _:
            raise AnswerError(f"a BSON element of type {kind:#x}")
