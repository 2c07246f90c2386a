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
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from bench.datagrams import write_capture
from bench.traffic import ADDRESSES, BUSINESSES, PREFIXES, RULES, Network, compare, make_plan, make_rules, truth
from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.flows.attribution import Attribution
from btimd.flows.component import warm
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.service import ServiceRule
from btimd.model.window import WindowBatch

USERS = 1 << 21


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
    late = [mark for number, mark in marks if number > records // 2]
    assert not users.refused
    assert not windows.overflowed
    assert not decoder.counters.lost_units
    result = {
        "records": records,
        "seconds": seconds,
        "steady_seconds": sum(map(sum, late)),
        "steady_stages": dict(zip(stages, map(sum, zip(*late, strict=True)), strict=True)),
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
