"""A small IPFIX decoder written from RFC 7011, to check the lab's encoder with."""

import struct
from typing import NamedTuple


class Message(NamedTuple):
    export_seconds: int
    sequence: int
    domain: int
    templates: dict[int, list[tuple[int, int]]]
    records: list[dict[int, bytes]]


def parse(data: bytes, known: dict[int, list[tuple[int, int]]]) -> Message:
    """Decode one message; templates are learned into `known`."""
    version, length, export_seconds, sequence, domain = struct.unpack_from("!HHIII", data)
    assert (version, length) == (10, len(data))
    offset, templates, records = 16, {}, []
    while offset < length:
        set_id, set_length = struct.unpack_from("!HH", data, offset)
        body, offset = data[offset + 4 : offset + set_length], offset + set_length
        if set_id == 2:
            template_id, count = struct.unpack_from("!HH", body)
            fields = [struct.unpack_from("!HH", body, 4 + 4 * index) for index in range(count)]
            assert len(body) == 4 + 4 * count
            templates[template_id] = [(element, size) for element, size in fields]
            known[template_id] = templates[template_id]
            continue
        size = sum(width for _, width in known[set_id])
        assert len(body) % size == 0
        for start in range(0, len(body), size):
            at, record = start, {}
            for element, width in known[set_id]:
                record[element], at = body[at : at + width], at + width
            records.append(record)
    assert offset == length
    return Message(export_seconds, sequence, domain, templates, records)


def number(record: dict[int, bytes], element: int) -> int:
    return int.from_bytes(record[element])


def address(record: dict[int, bytes], element: int) -> str:
    return ".".join(str(octet) for octet in record[element])
