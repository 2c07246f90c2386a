"""The little of DNS (RFC 1035) that the enterprise needs, as pure functions: questions and answers of class IN.

id 2 | flags 2 | questions 2 | answers 2 | authority 2 | additional 2 | name | type 2 | class 2 | records
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final

TYPE_A: Final = 1
TYPE_SOA: Final = 6
TYPE_ANY: Final = 255
CLASS_IN: Final = 1
_HEADER: Final = struct.Struct("!HHHHHH")
_FLAG_ANSWER: Final = 0x8000
_FLAG_AUTHORITATIVE: Final = 0x0400
_FLAG_RECURSION_DESIRED: Final = 0x0100
_OPCODE: Final = 0x7800
_MAX_LABEL: Final = 63
_POINTER: Final = 0xC0
_TTL_SECONDS: Final = 5


class Rcode(IntEnum):
    """How a name server ends an answer."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5


class DnsError(ValueError):
    """A datagram that is no DNS message."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: id and flags of the message, the name in lower case without the last dot. raw: as it was sent."""

    id: int
    flags: int
    name: str
    type: int
    raw: bytes

    @property
    def is_standard_query(self) -> bool:
        """Tell whether this is opcode QUERY."""
        return not self.flags & _OPCODE


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of an answer and the addresses it carries."""

    id: int
    rcode: int
    addresses: tuple[str, ...]


def _name(message: bytes, offset: int) -> tuple[str, int]:
    """Return a name and the offset behind it; a pointer ends it and is not followed (only names we compare matter)."""
    labels: list[str] = []
    while True:
        if offset >= len(message):
            raise DnsError("a name runs over the end")
        length = message[offset]
        if length & _POINTER == _POINTER:
            return ".".join(labels), offset + 2
        if length > _MAX_LABEL:
            raise DnsError(f"a label of {length} octets")
        offset += 1
        if not length:
            return ".".join(labels), offset
        labels.append(message[offset : offset + length].decode("latin-1").lower())
        offset += length


def _encode_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def encode_question(message_id: int, name: str, record_type: int = TYPE_A) -> bytes:
    """Return a query that asks for recursion."""
    header = _HEADER.pack(message_id, _FLAG_RECURSION_DESIRED, 1, 0, 0, 0)
    return header + _encode_name(name) + struct.pack("!HH", record_type, CLASS_IN)


def decode_question(message: bytes) -> Question:
    """Return the question of a query; raises DnsError for what is none."""
    if len(message) < _HEADER.size:
        raise DnsError(f"{len(message)} octets are no DNS message")
    message_id, flags, questions, *_ = _HEADER.unpack_from(message)
    if flags & _FLAG_ANSWER or questions != 1:
        raise DnsError(f"no query of one question: flags {flags:#06x}, {questions} questions")
    name, end = _name(message, _HEADER.size)
    if end + 4 > len(message):
        raise DnsError("the question runs over the end")
    (record_type,) = struct.unpack_from("!H", message, end)
    return Question(message_id, flags, name, record_type, message[_HEADER.size : end + 4])


def encode_answer(question: Question, rcode: Rcode, *, zone: str, addresses: tuple[str, ...] = ()) -> bytes:
    """Return an authoritative answer; without addresses it carries the zone's SOA, as RFC 2308 asks."""
    flags = _FLAG_ANSWER | _FLAG_AUTHORITATIVE | (question.flags & (_OPCODE | _FLAG_RECURSION_DESIRED)) | rcode
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, CLASS_IN, _TTL_SECONDS, 4) + IPv4Address(address).packed
        for address in addresses
    )
    authority = b""
    if not addresses and rcode in {Rcode.NOERROR, Rcode.NXDOMAIN}:
        data = _encode_name(f"ns.{zone}") + _encode_name(f"admin.{zone}")
        data += struct.pack("!IIIII", 1, 3600, 600, 86400, _TTL_SECONDS)
        authority = _encode_name(zone) + struct.pack("!HHIH", TYPE_SOA, CLASS_IN, _TTL_SECONDS, len(data)) + data
    header = _HEADER.pack(question.id, flags, 1, len(addresses), bool(authority), 0)
    return header + question.raw + records + authority


def decode_answer(message: bytes) -> Answer:
    """Return what an answer says; raises DnsError for what is none."""
    if len(message) < _HEADER.size:
        raise DnsError(f"{len(message)} octets are no DNS message")
    message_id, flags, questions, answers, *_ = _HEADER.unpack_from(message)
    if not flags & _FLAG_ANSWER:
        raise DnsError("a query where an answer was due")
    offset, found = _HEADER.size, []
    for _ in range(questions):
        _name_asked, offset = _name(message, offset)
        offset += 4
    for _ in range(answers):
        _owner, offset = _name(message, offset)
        if offset + 10 > len(message):
            raise DnsError("a record runs over the end")
        record_type, _class, _ttl, length = struct.unpack_from("!HHIH", message, offset)
        data = message[offset + 10 : offset + 10 + length]
        offset += 10 + length
        if record_type == TYPE_A:
            if len(data) != 4:  # noqa: PLR2004  an IPv4 address
                raise DnsError(f"an A record of {len(data)} octets")
            found.append(str(IPv4Address(data)))
    return Answer(message_id, flags & 0xF, tuple(found))
