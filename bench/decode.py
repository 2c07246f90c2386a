"""Decoding speed by layout: datagrams in memory -> FlowBatch, in CPU ns per record, checked against their truth.

python -m bench.decode [records of each layout] [datagrams per block]

Layouts of NetFlow v9: IPv4 with 4-octet and with 8-octet counters, IPv4 with absolute times and a sampling rate, IPv6;
of IPFIX: one with a name of variable length, one with addresses after NAT. Eight exporters take turns, about 1,300
octets of records in each datagram. `mixed` has them all, datagram by datagram. The least of five runs counts: the rest
is other work of the machine. `again` decodes one block that is in the processor's cache, so the difference is memory.
"""

import struct
import sys
from collections.abc import Sequence
from time import process_time

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.datagrams import DatagramBlock

EXPORTED_AT = 1_700_000_000
UPTIME = 5_000_000
EXPORTERS, OCTETS_OF_RECORDS, RUNS = 8, 1_300, 5
VARIABLE = 65_535

ENDS, ENDS6 = ((8, 4), (12, 4)), ((27, 16), (28, 16))
COMMON = ((10, 4), (14, 4), (7, 2), (11, 2), (16, 4), (17, 4), (9, 1), (13, 1), (4, 1), (5, 1), (6, 1), (61, 1))
Fields = tuple[tuple[int, int], ...]
LAYOUTS: dict[str, tuple[int, int, Fields]] = {
    "IPv4": (9, 256, (*ENDS, (15, 4), *COMMON, (2, 4), (1, 4), (22, 4), (21, 4))),
    "IPv4, 8-octet counters": (9, 257, ((22, 4), (21, 4), (1, 8), (2, 8), *COMMON, *ENDS)),
    "IPv4, rate, milliseconds": (9, 258, (*ENDS, (34, 4), (152, 8), (153, 8), *COMMON, (2, 4), (1, 4))),
    "IPv6, rate": (9, 260, (*ENDS6, (34, 4), *COMMON, (2, 4), (1, 4), (22, 4), (21, 4))),
    "IPFIX, variable length": (10, 261, (*ENDS, (82, VARIABLE), *COMMON, (2, 8), (1, 8), (152, 8), (153, 8))),
    "IPFIX, NAT": (10, 262, (*ENDS, (225, 4), (226, 4), (227, 2), (228, 2), *COMMON, (2, 8), (1, 8), (152, 8),
                             (153, 8))),
}  # fmt: skip


def export_records(fields: Fields, count: int) -> npt.NDArray[np.void]:
    """Return `count` records as they stand on the wire; a variable field has 7 octets and its length before them."""
    chance = np.random.default_rng(7)
    types = [
        (f"e{element}", f">u{size}" if size <= 8 else f"V{8 if size == VARIABLE else size}") for element, size in fields
    ]
    records = np.zeros(count, types)
    for element, _ in fields:
        name = f"e{element}"
        if element in {8, 12}:
            records[name] = 0x0A000000 + chance.integers(0, 100_000, count)
        elif element in {27, 28}:
            records[name] = chance.bytes(16)
        elif element == 82:
            records[name] = b"\7eth0/12"
        elif element in {1, 2}:
            records[name] = chance.integers(1, 2**31, count)
        elif element in {21, 22}:
            records[name] = UPTIME - 1000 * element
        elif element in {152, 153}:
            records[name] = EXPORTED_AT * 1000 - 1000 * (160 - element)
        elif element in {7, 11, 34, 227, 228}:
            records[name] = chance.integers(1, 1000, count)
    return records


def datagrams_of(name: str, count: int) -> tuple[list[bytes], list[bytes]]:
    """Return the templates of eight exporters and the datagrams of one layout."""
    version, number, fields = LAYOUTS[name]
    specs = struct.pack(">HH", number, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)
    records = export_records(fields, count)
    per_datagram = OCTETS_OF_RECORDS // records.itemsize

    def datagram(set_id: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        sets = struct.pack(">HH", set_id, 4 + len(body)) + body
        if version == 9:
            return struct.pack(">HHIIII", 9, 1, UPTIME, EXPORTED_AT, 0, number) + sets
        return struct.pack(">HHIII", 10, 16 + len(sets), EXPORTED_AT, 0, number) + sets

    data = [datagram(number, records[at : at + per_datagram].tobytes()) for at in range(0, count, per_datagram)]
    return [datagram(0 if version == 9 else 2, specs)] * EXPORTERS, data


def blocks_of(datagrams: Sequence[bytes], size: int) -> list[DatagramBlock]:
    """Return datagrams in blocks, the exporters taking turns."""
    made = []
    for start in range(0, len(datagrams), size):
        part = datagrams[start : start + size]
        made.append(
            DatagramBlock(
                slab=np.frombuffer(bytearray(b"".join(part)), np.uint8),
                offsets=np.cumsum([0, *map(len, part)], dtype=np.int64),
                source_hi=np.zeros(len(part), np.uint64),
                source_lo=0xFFFF_C000_0200 + (np.arange(start, start + len(part)) % EXPORTERS).astype(np.uint64),
                source_port=np.full(len(part), 2055, np.uint16),
                arrival_milliseconds=np.full(len(part), EXPORTED_AT * 1000, np.int64),
            )
        )
    return made


def measure(templates: Sequence[bytes], data: Sequence[bytes], size: int) -> tuple[float, float, int, int]:
    """Return ns per record of all blocks and of one block again and again, and what was decoded."""
    first, blocks = blocks_of(templates, len(templates)), blocks_of(data, size)
    least, again, found, octets = float("inf"), float("inf"), 0, 0
    for _ in range(RUNS):
        decoder = FlowDecoder()
        for block in first:
            decoder.decode(block)
        found = octets = 0
        spent = 0.0
        for block in blocks:
            began = process_time()
            batch = decoder.decode(block)
            spent += process_time() - began
            found += len(batch)
            octets += int(batch["octet_delta_count"].sum())
        least = min(least, spent / found * 1e9)
        for _ in range(20):
            began = process_time()
            count = len(decoder.decode(blocks[0]))
            again = min(again, (process_time() - began) / count * 1e9)
    return least, again, found, octets


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    FlowDecoder().warm()
    all_templates: list[bytes] = []
    all_data: list[list[bytes]] = []
    for name, (_, _, fields) in LAYOUTS.items():
        templates, data = datagrams_of(name, count)
        all_templates += templates
        all_data.append(data)
        least, again, found, octets = measure(templates, data, size)
        assert (found, octets) == (count, int(export_records(fields, count)["e1"].sum(dtype=np.int64))), name
        print(f"{name:26} {least:6.1f} ns/record, again {again:6.1f}")
    mixed = [datagram for turn in zip(*all_data, strict=False) for datagram in turn for _ in range(1)]
    least, again, found, _ = measure(all_templates, mixed, size)
    print(f"{'mixed':26} {least:6.1f} ns/record, again {again:6.1f}; {found} records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
