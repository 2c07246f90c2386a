"""How fast the whole line is: capture file -> decode -> attribution -> users and windows, emitted cells included.

python -m bench.pipeline [--records N] [--repeat N] [--json]

A NetFlow v9 capture is written: eight exporters, four layouts (two of IPv4; IPv4 with sampling rate; IPv6 with
sampling rate), a fifth of the records IPv6, 190,000 client addresses, 2,000 prefixes, 500 service rules, 120 s of
traffic. A process of its own plays it as fast as it can, on one core, with the clock of the capture. Every cell of
10 s and 60 s it emits is compared with sums computed from what the generator knows, users included; a difference is
an error. Times are CPU time of the process; `steady` is the second half of the records, when most users are known.
"""

import argparse
import json
import os
import pickle
import platform
import struct
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.flows import BUSINESSES, START, Drawn, Network, compare, make_plan, make_rules, truth
from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.flows.attribution import Attribution
from btimd.flows.component import warm
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceRule
from btimd.model.window import WindowBatch

PREFIXES, RULES, ADDRESSES = 2_000, 500, 190_000
EXPORTERS, SECONDS, DRAWN = 8, 120, 8_192
USERS = 1 << 21
UPTIME = 5_000_000
OCTETS_OF_RECORDS = 1_300

# Element and length of each field, by layout; 12 of 4 octets is IPv4, 27 and 28 are IPv6, 34 is the sampling interval.
COMMON = ((10, 4), (14, 4), (7, 2), (11, 2), (16, 4), (17, 4), (9, 1), (13, 1), (4, 1), (5, 1), (6, 1), (61, 1))
LAYOUTS: dict[int, tuple[tuple[int, int], ...]] = {
    256: ((8, 4), (12, 4), (15, 4), *COMMON, (2, 4), (1, 4), (22, 4), (21, 4)),
    257: ((22, 4), (21, 4), (1, 8), (2, 8), *COMMON, (8, 4), (12, 4)),
    258: ((8, 4), (12, 4), (34, 4), (152, 8), (153, 8), *COMMON, (2, 4), (1, 4)),
    260: ((27, 16), (28, 16), (34, 4), *COMMON, (2, 4), (1, 4), (22, 4), (21, 4)),
}


def record_type(layout: int) -> np.dtype[np.void]:
    return np.dtype([(f"e{element}", f"S{size}" if size > 8 else f">u{size}") for element, size in LAYOUTS[layout]])


def on_the_wire(flows: FlowBatch, layout: int, export_seconds: int) -> npt.NDArray[np.void]:
    """Return records as an exporter writes them."""
    records = np.zeros(len(flows), record_type(layout))
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


class CaptureWriter:
    """Writes a pcap of raw IPv4 with one datagram of one layout after the other, exporters taking turns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
        self._templates = b""
        for layout, fields in LAYOUTS.items():
            self._templates += struct.pack(">HH", layout, len(fields)) + b"".join(
                struct.pack(">HH", *field) for field in fields
            )
        self._templates = struct.pack(">HH", 0, 4 + len(self._templates)) + self._templates
        self._sequence = [0] * EXPORTERS
        self.datagrams = 0

    def write(self, layout: int, records: npt.NDArray[np.void], milliseconds: int) -> None:
        """Put records into datagrams that leave now."""
        per_datagram = OCTETS_OF_RECORDS // records.itemsize
        for start in range(0, len(records), per_datagram):
            octets = records[start : start + per_datagram].tobytes()
            octets += bytes(-len(octets) % 4)
            self._datagram(struct.pack(">HH", layout, 4 + len(octets)) + octets, milliseconds)

    def _datagram(self, sets: bytes, milliseconds: int) -> None:
        exporter = self.datagrams % EXPORTERS
        if self._sequence[exporter] % 1000 == 0:
            sets = self._templates + sets
        head = struct.pack(">HHIIII", 9, 1, UPTIME, -(-milliseconds // 1000), self._sequence[exporter], exporter)
        self._sequence[exporter] += 1
        self.datagrams += 1
        size = len(head) + len(sets)
        udp = struct.pack(">HHHH", 40_000, 2055, 8 + size, 0)
        ends = bytes([192, 0, 2, 1 + exporter, 192, 0, 2, 254])
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 28 + size, 0, 0, 64, 17, 0) + ends
        self._file.write(struct.pack("<IIII", milliseconds // 1000, milliseconds % 1000 * 1000, 28 + size, 28 + size))
        self._file.write(ip + udp + head + sets)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def write_capture(path: Path, network: Network, records: int) -> list[Drawn]:
    """Write the capture and return what is in it."""
    chance = np.random.default_rng(1)
    writer = CaptureWriter(path)
    rounds = max(1, records // DRAWN)
    kept = []
    for number in range(rounds):
        now = START + number * SECONDS * 1000 // rounds
        drawn = network.draw(DRAWN, now, chance)
        four = drawn.flows["source_address_hi"] == 0
        sampled = drawn.flows["sampling_rate"] > 1
        half = np.arange(DRAWN) % 2 == 0
        layout = np.where(four, np.where(sampled, 258, np.where(half, 256, 257)), 260)
        for each in LAYOUTS:
            rows = np.flatnonzero(layout == each)
            part = FlowBatch({name: array[rows] for name, array in drawn.flows.columns.items()})
            writer.write(each, on_the_wire(part, each, -(-now // 1000)), now)
        kept.append(drawn)
    writer.close()
    return kept


def build() -> tuple[list[PlanEntry], list[ServiceRule], Attribution]:
    """Return plan, rules and both compiled."""
    entries, rules = make_plan(PREFIXES), make_rules(RULES)
    plan, problems = compile_plan(entries, 1)
    assert not problems, problems[:3]
    return entries, rules, Attribution(plan, rules, [f"business-{number}" for number in range(BUSINESSES)], 1)


def play(path: Path, out: Path) -> None:
    """Play the capture through the line; write times and everything emitted."""
    _, _, attribution = build()
    decoder = FlowDecoder()
    warm()
    decoder.warm()
    next(CaptureFile(path).blocks())  # compiles the reader, where nothing is cached yet
    idle_rss = resident_megabytes("VmRSS")
    users = Users(attribution, UserLimits(capacity=USERS))
    windows = Windows(attribution, users, WindowLimits())
    emitted: list[WindowBatch] = []
    marks: list[tuple[int, tuple[float, ...]]] = []
    records = 0
    began = process_time()
    blocks = CaptureFile(path).blocks()
    while True:
        times = [process_time()]
        block = next(blocks, None)
        if block is None:
            break
        times.append(process_time())
        batch = decoder.decode(block)
        times.append(process_time())
        attributed = attribution.attribute(batch)
        times.append(process_time())
        now = int(block.arrival_milliseconds[-1])
        windows.add(attributed, now)
        times.append(process_time())
        emitted.extend(windows.close(now))
        times.append(process_time())
        records += len(batch)
        marks.append((records, tuple(after - before for before, after in pairwise(times))))
    emitted.extend(windows.flush())
    seconds = process_time() - began
    stages = dict(zip(("read", "decode", "attribute", "windows", "close"), zip(*(m for _, m in marks), strict=True),
                      strict=True))  # fmt: skip
    late = [sum(mark) for number, mark in marks if number > records // 2]
    assert not users.refused
    assert not windows.overflowed
    assert not decoder.counters.lost_units
    result = {
        "records": records,
        "seconds": seconds,
        "steady_seconds": sum(late),
        "steady_records": records - max((number for number, _ in marks if number <= records // 2), default=0),
        "stages": {name: sum(spent) for name, spent in stages.items()},
        "pairs": users.pairs,
        "batches": len(emitted),
        "idle_rss_megabytes": idle_rss,
        "peak_rss_megabytes": resident_megabytes("VmHWM"),
    }
    out.write_bytes(pickle.dumps((result, emitted)))


def resident_megabytes(what: str) -> float:
    """Return resident memory of this process: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024 / 1e6


def machine() -> str:
    """Return what this runs on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--play", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        play(*arguments.play)
        return
    entries, rules, _ = build()
    network = Network.of(entries, rules, ADDRESSES)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        capture, out = Path(folder) / "bench.pcap", Path(folder) / "result"
        drawn = write_capture(capture, network, arguments.records)
        wanted = [truth(entries, rules, network, drawn, interval) for interval in INTERVALS_MILLISECONDS]
        del drawn
        for _ in range(arguments.repeat):
            subprocess.run([sys.executable, "-m", "bench.pipeline", "--play", capture, out], check=True)
            result, emitted = pickle.loads(out.read_bytes())  # noqa: S301  written by our own child
            compare(emitted, wanted)
            results.append(result)
        size = capture.stat().st_size
    report(results, [len(cells) for cells in wanted], size, as_json=arguments.json)


def report(results: list[dict[str, Any]], cells: list[int], size: int, *, as_json: bool) -> None:
    """Print the median run."""
    results.sort(key=lambda result: result["seconds"])
    chosen = results[len(results) // 2]
    records = chosen["records"]
    stages: dict[str, float] = chosen["stages"]
    figures: dict[str, Any] = {
        "records": records,
        "capture_megabytes": round(size / 1e6, 1),
        "cells": cells,
        "records_per_second": round(records / chosen["seconds"]),
        "records_per_second_of_each_run": [round(records / result["seconds"]) for result in results],
        "steady_records_per_second": round(chosen["steady_records"] / chosen["steady_seconds"]),
        "nanoseconds_per_record": {name: round(spent / records * 1e9, 1) for name, spent in stages.items()},
        "users": chosen["pairs"],
        "batches": chosen["batches"],
        "rss_before_megabytes": round(chosen["idle_rss_megabytes"]),
        "peak_rss_megabytes": round(median(result["peak_rss_megabytes"] for result in results)),
        "machine": machine(),
    }
    if as_json:
        print(json.dumps(figures))
        return
    print(f"{figures['machine']}; {records:,} records in {figures['capture_megabytes']} MB of NetFlow v9, "
          f"{PREFIXES} prefixes, {RULES} rules, {ADDRESSES:,} addresses")  # fmt: skip
    print(f"every cell equals the truth: {cells[0]:,} of 10 s, {cells[1]:,} of 60 s, users included")
    for name, spent in stages.items():
        print(f"  {name:10} {spent / records * 1e9:7.1f} ns/record")
    runs = ", ".join(f"{number / 1e6:.2f}" for number in figures["records_per_second_of_each_run"])
    print(f"whole line   {chosen['seconds'] / records * 1e9:7.1f} ns/record = "
          f"{figures['records_per_second'] / 1e6:.2f} M records/s on one core (runs: {runs})")  # fmt: skip
    print(f"steady state {chosen['steady_seconds'] / chosen['steady_records'] * 1e9:7.1f} ns/record = "
          f"{figures['steady_records_per_second'] / 1e6:.2f} M records/s")  # fmt: skip
    print(f"memory       {figures['rss_before_megabytes']} MB before, {figures['peak_rss_megabytes']} MB at the end, "
          f"with {chosen['pairs']:,} users and everything emitted")  # fmt: skip


if __name__ == "__main__":
    main()
