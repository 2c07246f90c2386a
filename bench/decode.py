"""Decoding speed: a synthetic NetFlow v9 capture read and decoded, in ns per record, checked against its truth.

Run: python bench/decode.py [records]
"""

import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder

EXPORTED_AT = 1_700_000_000
UPTIME = 5_000_000
RECORDS_PER_DATAGRAM = 20
FIELDS = (
    (8, 4), (12, 4), (15, 4), (10, 4), (14, 4), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (16, 4), (17, 4),
    (18, 4), (9, 1), (13, 1), (4, 1), (5, 1), (6, 1), (61, 1),
)  # fmt: skip
RECORD = np.dtype([(f"e{element}", f">u{length}") for element, length in FIELDS])


def export_records(count: int) -> np.ndarray:
    """Return `count` records as they stand on the wire."""
    chance = np.random.default_rng(7)
    records = np.zeros(count, RECORD)
    records["e8"] = 0x0A000000 + chance.integers(0, 100_000, count)
    records["e12"] = 0x0A640000 + chance.integers(0, 2_000, count)
    records["e7"] = chance.integers(1024, 65536, count)
    records["e11"] = chance.choice([80, 443, 1521, 5432], count)
    records["e1"] = chance.integers(64, 2**31, count)
    records["e2"] = chance.integers(1, 2**20, count)
    records["e22"] = UPTIME - chance.integers(1000, 60_000, count)
    records["e21"] = records["e22"] + 500
    records["e4"] = 6
    return records


def write_capture(path: Path, records: np.ndarray) -> None:
    """Write a pcap of raw IPv4 with eight exporters that send the records by turns."""
    template = struct.pack(">HHHH", 0, 8 + 4 * len(FIELDS), 256, len(FIELDS))
    template += b"".join(struct.pack(">HH", *field) for field in FIELDS)
    size = RECORD.itemsize
    octets = records.tobytes()
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, start in enumerate(range(0, len(records), RECORDS_PER_DATAGRAM)):
            exporter = number % 8
            part = octets[start * size : (start + RECORDS_PER_DATAGRAM) * size]
            padding = b"\0" * (-len(part) % 4)
            sets = struct.pack(">HH", 256, 4 + len(part) + len(padding)) + part + padding
            if number % 4096 < 8:
                sets = template + sets
            header = struct.pack(">HHIIII", 9, 1, UPTIME, EXPORTED_AT, number // 8, exporter)
            payload = header + sets
            udp = struct.pack(">HHHH", 40_000, 2055, 8 + len(payload), 0)
            source = bytes([192, 0, 2, 1 + exporter])
            ip = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, source, bytes([192, 0, 2, 254])
            )
            packet = ip + udp + payload
            file.write(struct.pack("<IIII", EXPORTED_AT, 0, len(packet), len(packet)) + packet)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    decoder = FlowDecoder()
    decoder.warm()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.pcap"
        records = export_records(count)
        write_capture(path, records)
        for block in CaptureFile(path).blocks():
            FlowDecoder().decode(block)
            break
        for turn in range(3):
            decoder = FlowDecoder()
            found = octets = packets = 0
            reading = 0.0
            began = time.process_time()
            for block in CaptureFile(path).blocks():
                before = time.process_time()
                batch = decoder.decode(block)
                reading += time.process_time() - before
                found += len(batch)
                octets += int(batch["octet_delta_count"].sum())
                packets += int(batch["packet_delta_count"].sum())
            total = time.process_time() - began
            assert (found, octets, packets) == (count, int(records["e1"].sum(dtype=np.int64)),
                                                int(records["e2"].sum(dtype=np.int64)))  # fmt: skip
            assert decoder.counters.lost_units == 0
            print(f"run {turn}: {found} records, decode {reading / found * 1e9:.1f} ns/record, "
                  f"file to batch {total / found * 1e9:.1f} ns/record")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
