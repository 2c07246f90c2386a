"""DNS messages (RFC 1035 section 4): a query out, the answer section in.

     0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
    +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
    |                      ID                       |
    |QR|   Opcode  |AA|TC|RD|RA|   Z    |   RCODE   |
    |                    QDCOUNT                    |
    |                    ANCOUNT                    |
    |                    NSCOUNT                    |
    |                    ARCOUNT                    |
    +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+

A hostile answer can neither send the decoder round in circles (a pointer must point before the name it stands in)
nor make it work long (at most 256 answers are read, a name has at most 255 octets).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

RECORD_TYPES: Final[Mapping[str, int]] = MappingProxyType({
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
})  # fmt: skip
RCODES: Final[Mapping[int, str]] = MappingProxyType({
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
})  # fmt: skip
NOERROR: Final = 0
NXDOMAIN: Final = 3
MAX_ANSWERS: Final = 256
_HEADER: Final = struct.Struct("!HHHHHH")
_RECORD: Final = struct.Struct("!HHIH")
_CLASS_IN: Final = 1
_RESPONSE: Final = 0x8000
_TRUNCATED: Final = 0x0200
_RECURSION_DESIRED: Final = 0x0100
_MAX_LABEL: Final = 63
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record of the answer section; text is its data as zone files write it."""

    name: str
    type: int
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: names in lower case without the last dot."""

    id: int
    rcode: int
    truncated: bool
    name: str
    type: int
    records: tuple[Record, ...]

    @property
    def rcode_text(self) -> str:
        """The response code by its name in RFC 1035."""
        return RCODES.get(self.rcode, f"RCODE {self.rcode}")


def encode_name(name: str) -> bytes:
    """Return a name as labels; raises ValueError for a name that DNS cannot carry."""
    plain = name.removesuffix(".")
    try:
        ascii_name = plain.encode("ascii") if plain.isascii() else plain.encode("idna")
    except UnicodeError as error:
        raise ValueError(f"{name!r} is no host name: {error}") from error
    labels = ascii_name.split(b".") if ascii_name else []
    if any(not 0 < len(label) <= _MAX_LABEL for label in labels):
        raise ValueError(f"{name!r} has an empty label or one over {_MAX_LABEL} octets")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(encoded) > _MAX_NAME:
        raise ValueError(f"{name!r} has over {_MAX_NAME} octets")
    return encoded


def encode_query(query_id: int, name: str, record_type: int) -> bytes:
    """Return a standard query with recursion desired."""
    header = _HEADER.pack(query_id, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + encode_name(name) + struct.pack("!HH", record_type, _CLASS_IN)


def decode_answer(data: bytes) -> Answer:
    """Return the response in `data`; raises AnswerError for anything that is none.

    A response cut off by the server (TC) is decoded as far as the record that is whole.
    """
    if len(data) < _HEADER.size:
        raise AnswerError(f"{len(data)} octets are no DNS message")
    message_id, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if not flags & _RESPONSE:
        raise AnswerError("a DNS query came back instead of a response")
    if questions != 1:
        raise AnswerError(f"a DNS response to {questions} questions")
    if answers > MAX_ANSWERS:
        raise AnswerError(f"a DNS response of {answers} records")
    name, offset = _decode_name(data, _HEADER.size)
    record_type, _ = _unpack("!HH", data, offset)
    offset += 4
    records: list[Record] = []
    truncated = bool(flags & _TRUNCATED)
    for _ in range(answers):
        try:
            record, offset = _decode_record(data, offset)
        except AnswerError:
            if truncated:
                break
            raise
        records.append(record)
    return Answer(message_id, flags & 0x0F, truncated, name, record_type, tuple(records))


def _unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as error:
        raise AnswerError(f"a DNS message that ends at octet {len(data)}, inside a field at {offset}") from error


def _decode_name(data: bytes, offset: int) -> tuple[str, int]:
    """Return the name at `offset` and where the message goes on behind it."""
    labels: list[str] = []
    octets = 1
    after = -1
    limit = offset  # a pointer must lead before the part of the name that it stands in: every jump goes back
    while True:
        (length,) = _unpack("!B", data, offset)
        if length & 0xC0 == 0xC0:
            (pointer,) = _unpack("!H", data, offset)
            after = offset + 2 if after < 0 else after
            offset = pointer & 0x3FFF
            if offset >= limit:
                raise AnswerError("a DNS name whose pointer does not lead back")
            limit = offset
            continue
        if length & 0xC0:
            raise AnswerError(f"a DNS label of unknown kind 0x{length:02x}")
        offset += 1
        if not length:
            return ".".join(labels), after if after >= 0 else offset
        octets += length + 1
        if octets > _MAX_NAME:
            raise AnswerError(f"a DNS name over {_MAX_NAME} octets")
        if offset + length > len(data):
            raise AnswerError(f"a DNS label that ends behind the message of {len(data)} octets")
        labels.append(data[offset : offset + length].decode("ascii", "backslashreplace").lower())
        offset += length


def _decode_record(data: bytes, offset: int) -> tuple[Record, int]:
    name, offset = _decode_name(data, offset)
    try:
        record_type, _, _, length = _RECORD.unpack_from(data, offset)
    except struct.error as error:
        raise AnswerError("a DNS record without its fixed part") from error
    offset += _RECORD.size
    if offset + length > len(data):
        raise AnswerError(f"DNS record data of {length} octets that ends behind the message")
    return Record(name, record_type, _record_text(data, offset, length, record_type)), offset + length


def _record_text(data: bytes, offset: int, length: int, record_type: int) -> str:  # noqa: PLR0911  one case per type
    raw = data[offset : offset + length]
    match record_type:
        case 1 if length == 4:
            return str(IPv4Address(raw))
        case 28 if length == 16:
            return str(IPv6Address(raw))
        case 2 | 5 | 12:
            return _decode_name(data, offset)[0]
        case 15 if length > 2:
            (preference,) = _unpack("!H", data, offset)
            return f"{preference} {_decode_name(data, offset + 2)[0]}"
        case 33 if length > 6:
            priority, weight, port = _unpack("!HHH", data, offset)
            return f"{priority} {weight} {port} {_decode_name(data, offset + 6)[0]}"
        case 6:
            primary, _ = _decode_name(data, offset)
            return primary
        case 16:
            return _character_strings(raw)
        case 1 | 28:
            raise AnswerError(f"an address of {length} octets in a DNS record of type {record_type}")
        case _:
            return raw.hex()


def _character_strings(raw: bytes) -> str:
    """Return the strings of a TXT record joined, as its readers do (RFC 7208 section 3.3)."""
    parts: list[bytes] = []
    offset = 0
    while offset < len(raw):
        end = offset + 1 + raw[offset]
        if end > len(raw):
            raise AnswerError("a TXT record whose string ends behind it")
        parts.append(raw[offset + 1 : end])
        offset = end
    return b"".join(parts).decode("utf-8", "backslashreplace")
