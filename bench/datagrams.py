"""The load of `bench.traffic` on the wire: NetFlow v9 and IPFIX, in a capture file or in a file for the sender.

Every load can end with filler: records of no business and no place, which push out what a tool holds in buffers and
show it the sequence numbers of what it lost. `FILLER_CELL` is where they are counted; what is compared leaves it out.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.traffic import DRAWN, EXPORTERS, SECONDS, START, Drawn, Network
from btimd.model.flowbatch import FlowBatch

UPTIME = 5_000_000
OCTETS_OF_RECORDS = 1_300
FILLER_RECORDS = 4_000
FILLER_CELL = ("", "", "")
FILLER_SOURCE, FILLER_DESTINATION = 0xFFFF_C633_6401, 0xFFFF_C633_6402  # 198.51.100.1 and .2
V9, IPFIX = 9, 10
HEADER_OCTETS = {V9: 20, IPFIX: 16}
TEMPLATES_EVERY = 1000
"""Datagrams of an exporter between two that carry the templates."""
Fields = tuple[tuple[int, int], ...]

# Element and length of each field, by layout; 12 of 4 octets is IPv4, 27 and 28 are IPv6, 34 is the sampling interval.
COMMON: Fields = ((10, 4), (14, 4), (7, 2), (11, 2), (16, 4), (17, 4), (9, 1), (13, 1), (4, 1), (5, 1), (6, 1), (61, 1))
LAYOUTS: dict[int, Fields] = {
    256: ((8, 4), (12, 4), (15, 4), *COMMON, (2, 4), (1, 4), (22, 4), (21, 4)),
    257: ((22, 4), (21, 4), (1, 8), (2, 8), *COMMON, (8, 4), (12, 4)),
    258: ((8, 4), (12, 4), (34, 4), (152, 8), (153, 8), *COMMON, (2, 4), (1, 4)),
    260: ((27, 16), (28, 16), (34, 4), *COMMON, (2, 4), (1, 4), (22, 4), (21, 4)),
}
_ABSOLUTE = {(22, 4): (152, 8), (21, 4): (153, 8)}  # IPFIX has no uptime in its header


def fields_of(layout: int, version: int = V9) -> Fields:
    """Return element and length of each field."""
    fields = LAYOUTS[layout]
    return fields if version == V9 else tuple(_ABSOLUTE.get(field, field) for field in fields)


def record_type(layout: int, version: int = V9) -> np.dtype[np.void]:
    return np.dtype(
        [(f"e{element}", f"S{size}" if size > 8 else f">u{size}") for element, size in fields_of(layout, version)]
    )


def on_the_wire(flows: FlowBatch, layout: int, export_seconds: int, version: int = V9) -> npt.NDArray[np.void]:
    """Return records as an exporter writes them."""
    records = np.zeros(len(flows), record_type(layout, version))
    names = records.dtype.names or ()
    for sides, four, six in (("source", "e8", "e27"), ("destination", "e12", "e28")):
        hi, lo = flows[f"{sides}_address_hi"], flows[f"{sides}_address_lo"]
        if four in names:
            records[four] = lo & np.uint64(0xFFFF_FFFF)
        else:
            records[six] = np.stack([hi, lo], axis=1).astype(">u8").view("S16")[:, 0]
    for column, element in (
        ("source_transport_port", "e7"), ("destination_transport_port", "e11"), ("protocol_identifier", "e4"),
        ("octet_delta_count", "e1"), ("packet_delta_count", "e2"), ("sampling_rate", "e34"),
        ("flow_start_milliseconds", "e152"), ("flow_end_milliseconds", "e153"),
    ):  # fmt: skip
        if element in names:
            records[element] = flows[column]
    if "e22" in names:
        records["e22"] = UPTIME - (export_seconds * 1000 - flows["flow_start_milliseconds"])
        records["e21"] = UPTIME - (export_seconds * 1000 - flows["flow_end_milliseconds"])
    return records


class Exporters:
    """Puts records into datagrams, the exporters taking turns: number n comes from exporter n % exporters."""

    def __init__(self, version: int = V9, exporters: int = EXPORTERS) -> None:
        self._version = version
        templates = b""
        for layout in LAYOUTS:
            fields = fields_of(layout, version)
            templates += struct.pack(">HH", layout, len(fields)) + b"".join(
                struct.pack(">HH", *field) for field in fields
            )
        self._templates = struct.pack(">HH", 0 if version == V9 else 2, 4 + len(templates)) + templates
        self._sent = [0] * exporters
        self.sequence = [0] * exporters
        """What the next datagram of each exporter says: datagrams before it (v9), data records before it (IPFIX)."""
        self.datagrams = 0

    def put(self, layout: int, records: npt.NDArray[np.void], milliseconds: int) -> Iterator[bytes]:
        """Return the datagrams of records that leave now."""
        per_datagram = OCTETS_OF_RECORDS // records.itemsize
        for start in range(0, len(records), per_datagram):
            part = records[start : start + per_datagram]
            octets = part.tobytes()
            octets += bytes(-len(octets) % 4)
            yield self._datagram(struct.pack(">HH", layout, 4 + len(octets)) + octets, len(part), milliseconds)

    def _datagram(self, sets: bytes, records: int, milliseconds: int) -> bytes:
        exporter, count = self.datagrams % len(self.sequence), records
        if self._sent[exporter] % TEMPLATES_EVERY == 0:
            sets, count = self._templates + sets, count + len(LAYOUTS)
        seconds, sequence = -(-milliseconds // 1000), self.sequence[exporter]
        if self._version == V9:
            head = struct.pack(">HHIIII", V9, count, UPTIME, seconds, sequence, exporter)
        else:
            head = struct.pack(">HHIII", IPFIX, 16 + len(sets), seconds, sequence, exporter)
        self.sequence[exporter] += 1 if self._version == V9 else records
        self._sent[exporter] += 1
        self.datagrams += 1
        return head + sets

    def put_drawn(self, drawn: Drawn, milliseconds: int) -> Iterator[bytes]:
        """Return the datagrams of a batch, each layout with the records that it can carry."""
        four = drawn.flows["source_address_hi"] == 0
        sampled = drawn.flows["sampling_rate"] > 1
        half = np.arange(len(drawn.flows)) % 2 == 0
        layout = np.where(four, np.where(sampled, 258, np.where(half, 256, 257)), 260)
        for each in LAYOUTS:
            rows = np.flatnonzero(layout == each)
            part = FlowBatch({name: array[rows] for name, array in drawn.flows.columns.items()})
            yield from self.put(each, on_the_wire(part, each, -(-milliseconds // 1000), self._version), milliseconds)

    def put_templates(self, templates: int, milliseconds: int) -> Iterator[bytes]:
        """Return datagrams with so many templates of every exporter, of ids that no record uses."""
        layouts = list(LAYOUTS)
        for first in range(0, templates, 15):
            made = b""
            for number in range(first, min(first + 15, templates)):
                fields = fields_of(layouts[number % len(layouts)], self._version)
                made += struct.pack(">HH", 1000 + number, len(fields))
                made += b"".join(struct.pack(">HH", *field) for field in fields)
            for _ in self.sequence:
                head = struct.pack(">HH", 0 if self._version == V9 else 2, 4 + len(made))
                yield self._datagram(head + made, 0, milliseconds)

    def put_filler(self, milliseconds: int) -> Iterator[bytes]:
        """Return datagrams of records between two addresses that no plan knows."""
        flows = FlowBatch.of(
            flow_start_milliseconds=np.full(FILLER_RECORDS, milliseconds),
            flow_end_milliseconds=np.full(FILLER_RECORDS, milliseconds),
            source_address_lo=np.full(FILLER_RECORDS, FILLER_SOURCE),
            destination_address_lo=np.full(FILLER_RECORDS, FILLER_DESTINATION),
            protocol_identifier=np.full(FILLER_RECORDS, 6),
            octet_delta_count=np.full(FILLER_RECORDS, 100),
            packet_delta_count=np.ones(FILLER_RECORDS),
            sampling_rate=np.ones(FILLER_RECORDS),
        )
        yield from self.put(256, on_the_wire(flows, 256, -(-milliseconds // 1000), self._version), milliseconds)


class CaptureWriter:
    """Writes a pcap of raw IPv4 with one datagram of one layout after the other, exporters taking turns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
        self._exporters = Exporters()
        self.datagrams = 0

    def write(self, layout: int, records: npt.NDArray[np.void], milliseconds: int) -> None:
        """Put records into datagrams that leave now."""
        self._write(self._exporters.put(layout, records, milliseconds), milliseconds)

    def write_drawn(self, drawn: Drawn, milliseconds: int) -> None:
        """Write a batch."""
        self._write(self._exporters.put_drawn(drawn, milliseconds), milliseconds)

    def write_filler(self, milliseconds: int) -> None:
        """Write filler."""
        self._write(self._exporters.put_filler(milliseconds), milliseconds)

    def _write(self, payloads: Iterator[bytes], milliseconds: int) -> None:
        for payload in payloads:
            size = len(payload)
            udp = struct.pack(">HHHH", 40_000, 2055, 8 + size, 0)
            ends = bytes([192, 0, 2, 1 + self.datagrams % EXPORTERS, 192, 0, 2, 254])
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 28 + size, 0, 0, 64, 17, 0) + ends
            time = (milliseconds // 1000, milliseconds % 1000 * 1000)
            self._file.write(struct.pack("<IIII", *time, 28 + size, 28 + size) + ip + udp + payload)
            self.datagrams += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def draw_all(
    network: Network, records: int, *, start: int = START, seconds: int = SECONDS
) -> Iterator[tuple[Drawn, int]]:
    """Yield batches of a load, each with the time at which it leaves."""
    chance = np.random.default_rng(1)
    rounds = max(1, records // DRAWN)
    for number in range(rounds):
        now = start + number * seconds * 1000 // rounds
        yield network.draw(min(DRAWN, records), now, chance), now


def write_capture(
    path: Path, network: Network, records: int, *, filler: bool = False, note: Callable[[Drawn], None] | None = None
) -> list[Drawn]:
    """Write the capture and return what is in it; with `note` it is handed over batch by batch instead."""
    writer = CaptureWriter(path)
    kept: list[Drawn] = []
    last = START
    for drawn, last in draw_all(network, records):
        writer.write_drawn(drawn, last)
        (note or kept.append)(drawn)
    if filler:
        writer.write_filler(last)
    writer.close()
    return kept


@dataclass(frozen=True, slots=True)
class Lap:
    """A file for the sender. records: of a lap, those that fill up the exporters' last turn included."""

    path: Path
    drawn: list[Drawn]
    datagrams: int
    filler_datagrams: int
    records: int


def write_lap(path: Path, network: Network, records: int, *, start: int, seconds: int, version: int = V9) -> Lap:
    """Write a file for `bench.sender`: datagrams that can be sent many times, then filler."""
    exporters = Exporters(version)
    payloads: list[bytes] = []
    kept: list[Drawn] = []
    last = start
    for drawn, last in draw_all(network, records, start=start, seconds=seconds):
        payloads.extend(exporters.put_drawn(drawn, last))
        kept.append(drawn)
    # A lap must give every exporter its turn, or the next one would begin with another exporter.
    left_over = -len(payloads) % EXPORTERS
    empty = np.zeros(1, record_type(256, version))
    for name, value in (("e8", FILLER_SOURCE & 0xFFFF_FFFF), ("e12", FILLER_DESTINATION & 0xFFFF_FFFF)):
        empty[name] = value
    empty["e1"], empty["e2"], empty["e4"] = 100, 1, 6
    if version == V9:
        empty["e22"] = empty["e21"] = UPTIME - (-(-last // 1000) * 1000 - last)
    else:
        empty["e152"] = empty["e153"] = last
    for _ in range(left_over):
        payloads.extend(exporters.put(256, empty, last))
    lap = len(payloads)
    per_lap = list(exporters.sequence)
    payloads.extend(exporters.put_filler(last))
    save_load(path, payloads, lap, per_lap, version)
    return Lap(path, kept, lap, len(payloads) - lap, sum(len(batch.flows) for batch in kept) + left_over)


def save_load(path: Path, payloads: list[bytes], lap: int, per_lap: list[int], version: int = V9) -> None:
    """Write what the sender reads: datagrams, how many of them are a lap, how far sequence numbers go in a lap."""
    offsets = np.cumsum([0, *(len(payload) for payload in payloads)])
    octets = np.frombuffer(b"".join(payloads), np.uint8)
    np.savez(path, octets=octets, offsets=offsets, lap=lap, version=version, per_lap=np.array(per_lap, np.int64))
