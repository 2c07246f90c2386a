"""BER as LDAP uses it (X.690; RFC 4511 section 5.1): definite lengths only, tags of one octet, bounded depth.

+-----+--------+-----------+     length: 0..127, or 0x80 + n and n octets (n <= 4)
| tag | length | content   |
+-----+--------+-----------+
"""

from collections.abc import Iterator
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
_MANY_TAG_OCTETS: Final = 0x1F


def encode(tag: int, *contents: bytes) -> bytes:
    """Return an element."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    """Return an integer or enumerated, in as few octets as it needs."""
    return encode(tag, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def header_of(data: bytes, offset: int = 0) -> tuple[int, int, int] | None:
    """Return (tag, where the content begins, where it ends), None where the header is cut. Raises AnswerError."""
    if len(data) - offset < 2:
        return None
    tag, first = data[offset], data[offset + 1]
    if tag & _MANY_TAG_OCTETS == _MANY_TAG_OCTETS:
        raise AnswerError(f"tag {tag:#04x}")
    start = offset + 2
    if first < 0x80:
        return tag, start, start + first
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise AnswerError(f"a length of {count} octets")
    if len(data) - start < count:
        return None
    return tag, start + count, start + count + int.from_bytes(data[start : start + count])


def elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of all elements in a content; raises AnswerError where the last one is cut."""
    offset = 0
    while offset < len(content):
        header = header_of(content, offset)
        if header is None or header[2] > len(content):
            raise AnswerError(f"an element that ends after its parent, at octet {offset}")
        tag, start, offset = header
        yield tag, content[start:offset]


def integer_of(content: bytes) -> int:
    """Return the value of an integer or enumerated; raises AnswerError."""
    if not 1 <= len(content) <= 4:
        raise AnswerError(f"an integer of {len(content)} octets")
    return int.from_bytes(content, signed=True)
