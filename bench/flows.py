"""btimd beside nfacctd and nfcapd on the same load, in one run, as ratios; every figure only with every sum right.

python -m bench.flows [--only steady,process,live,memory] [--quick] [--json] [--records N ...]

The job: label each record by 2,000 prefixes (IPv4 and IPv6) and 500 services, add up octets, packets, flows and
distinct users per business, place and minute. The load: eight exporters, four layouts, a fifth of the records IPv6,
190,000 addresses. steady: file to windows on one core, second half of the records. process: whole processes with their
start, `btimd replay` and nfacctd on the same capture, CPU seconds. live: highest rate over loopback without loss.
memory: 100 exporters with 1,000 templates each and a million users; warm start. docs/performance.md says what flatters
whom.

python -m bench.flows MILLIONS is `python -m bench.stages MILLIONS`.
"""

import argparse
import json
import pickle
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import stages
from bench.daemon import replay_command, replayed_cells, without_filler, write_config
from bench.datagrams import Exporters, draw_all, write_capture
from bench.live import Setting, exact_loss, highest_rate
from bench.machine import adopt_orphans, load, machine, run_measured, version_of
from bench.memory import peak_memory, start_seconds
from bench.peers import CACHE_ENTRIES, CACHE_ENTRIES_OF_PREFIXES, LabelTruth, nfacctd_sums, write_nfacctd
from bench.traffic import (
    ADDRESSES,
    PREFIXES,
    RULES,
    Cells,
    Drawn,
    Network,
    Truth,
    cells_of,
    make_plan,
    make_rules,
    must_equal,
)
from btimd.flows.plan import PlanEntry
from btimd.flows.windows import INTERVALS_MILLISECONDS
from btimd.model.service import ServiceRule

PARTS = ("steady", "process", "live", "memory")
PEERS = ("nfacctd", "nfcapd")
BUFFERS = (4 << 20, 32 << 20)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all parts share."""

    folder: Path
    entries: list[PlanEntry]
    rules: list[ServiceRule]
    network: Network
    quick: bool
    as_json: bool
    peers: dict[str, str]

    def say(self, text: str) -> None:
        """Print a line for people."""
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture and what is true of it."""

    path: Path
    records: int
    cells: list[Cells]
    labels: dict[str, LabelTruth]


def write_load(bench: Bench, records: int) -> Capture:
    """Write a capture of about so many records, with filler at its end, and add up what is in it."""
    truths = [Truth(bench.entries, bench.rules, bench.network, each) for each in INTERVALS_MILLISECONDS]
    labels = {name: LabelTruth(plan, bench.rules, bench.network) for name, plan in label_plans(bench).items()}
    written = 0

    def note(drawn: Drawn) -> None:
        nonlocal written
        written += len(drawn.flows)
        for truth in truths:
            truth.add(drawn)
        for label in labels.values():
            label.add(drawn)

    path = bench.folder / "load.pcap"
    write_capture(path, bench.network, records, filler=True, note=note)
    return Capture(path, written, [truth.cells() for truth in truths], labels)


def label_plans(bench: Bench) -> dict[str, list[PlanEntry]]:
    """Return what nfacctd labels with: the places that btimd adds up by, or each prefix by itself."""
    each = [replace(entry, region=f"prefix {number}", segment="") for number, entry in enumerate(bench.entries)]
    return {"places": bench.entries, "prefixes": each}


def steady(bench: Bench, capture: Capture, repeat: int) -> dict[str, Any]:
    """Play the capture through the classes of the product, in a process of its own each time."""
    runs = []
    for _ in range(repeat):
        out = bench.folder / "result"
        whole = run_measured([sys.executable, "-m", "bench.pipeline", "--play", capture.path, out])
        result, emitted = pickle.loads(out.read_bytes())  # noqa: S301  written by our own child
        for interval, wanted in zip(INTERVALS_MILLISECONDS, capture.cells, strict=True):
            must_equal(without_filler(cells_of(emitted, interval)), wanted, f"cells of {interval // 1000} s")
        runs.append(result | {"process_cpu_seconds": whole.cpu_seconds})
    runs.sort(key=lambda run: float(run["steady_seconds"]))
    chosen = runs[len(runs) // 2]
    records = chosen["steady_records"]
    rates = [round(records / run["steady_seconds"]) for run in runs]
    found = {
        "records": capture.records,
        "nanoseconds_per_record": round(chosen["steady_seconds"] / records * 1e9, 1),
        "records_per_second": rates[len(rates) // 2],
        "records_per_second_of_each_run": rates,
        "stages": {name: round(spent / records * 1e9, 1) for name, spent in chosen["steady_stages"].items()},
        "process_cpu_seconds": round(chosen["process_cpu_seconds"], 2),
        "cells": [len(cells) for cells in capture.cells],
    }
    bench.say(f"steady, {capture.records:,} records: {found['nanoseconds_per_record']} CPU ns/record = "
              f"{found['records_per_second'] / 1e6:.2f} M records/s on one core "
              f"(runs: {', '.join(f'{rate / 1e6:.2f}' for rate in rates)}); {found['stages']}; "
              f"the process with its start {found['process_cpu_seconds']} CPU s")  # fmt: skip
    return found


def process(bench: Bench, capture: Capture, repeat: int) -> dict[str, Any]:
    """Compare whole processes, each from its start to its end."""
    config = write_config(bench.folder / "replay", bench.entries, bench.rules)
    output = bench.folder / "replayed"
    runs = []
    for _ in range(repeat):
        runs.append(run_measured(replay_command(capture.path, config), stdout=output))
        must_equal(replayed_cells(output), capture.cells[1], "cells of btimd replay")
    ours = median(run.cpu_seconds for run in runs)
    found: dict[str, Any] = {
        "records": capture.records,
        "btimd_cpu_seconds": round(ours, 2),
        "btimd_cpu_seconds_of_each_run": [round(run.cpu_seconds, 2) for run in runs],
        "btimd_peak_megabytes": round(runs[-1].peak_megabytes),
    }
    text = f"process, {capture.records:,} records: btimd replay {ours:.2f} CPU s"
    if "nfacctd" in bench.peers:
        for name, plan in label_plans(bench).items():
            folder = bench.folder / f"nfacctd-{name}-{capture.records}"
            entries = CACHE_ENTRIES if name == "places" else CACHE_ENTRIES_OF_PREFIXES
            config_file = write_nfacctd(folder, plan, bench.rules, capture=capture.path, cache_entries=entries)
            peer = run_measured(["nfacctd", "-f", config_file], zone="UTC")
            sums, wanted = nfacctd_sums(folder), capture.labels[name].sums()
            if sums != wanted:  # its own trouble must not cost the other figures
                missing = sum(row[2] for row in wanted.values()) - sum(row[2] for row in sums.values())
                found[f"nfacctd_{name}_missing_records"] = missing
                text += f", nfacctd by {name}: no figure, its sums are wrong ({missing:,} records missing)"
                continue
            ratio = round(peer.cpu_seconds / ours, 2)
            found |= {f"nfacctd_{name}_cpu_seconds": round(peer.cpu_seconds, 2), f"ratio_{name}": ratio}
            text += f", nfacctd by {name} {peer.cpu_seconds:.2f} CPU s ({ratio} times as much)"
    bench.say(text)
    return found


def live(bench: Bench) -> dict[str, Any]:
    """Search the highest rates."""
    setting = Setting(
        bench.folder, bench.entries, bench.rules, bench.network, *((200_000, 0.5) if bench.quick else (500_000, 4.0))
    )
    buffers = BUFFERS[:1] if bench.quick else BUFFERS
    found: dict[str, Any] = {"rates": [], "ratios": {}}
    for buffer in buffers:
        best: dict[str, float] = {}
        for tool in ("btimd", *(name for name in ("nfcapd", "nfacctd") if name in bench.peers)):
            row = highest_rate(setting, tool, buffer, 2 if bench.quick else 8, bench.say)
            found["rates"].append(row)
            best[tool] = row["best"]["reached"] if row["best"] else 0.0
        size = f"{buffer >> 20} MiB"
        found["ratios"][size] = {
            tool: round(best["btimd"] / rate, 2) for tool, rate in best.items() if tool != "btimd" and rate
        }
        bench.say(f"live, {size}: " + ", ".join(f"{tool} {rate:,.0f}" for tool, rate in best.items())
                  + f" datagrams/s without loss; btimd is {found['ratios'][size]} times as fast")  # fmt: skip
    if not bench.quick:
        found["exact_loss"] = exact_loss(setting, BUFFERS[0], bench.say)
    return found


def memory(bench: Bench) -> dict[str, Any]:
    """Measure memory and start."""
    exporters, templates, users = (20, 200, 100_000) if bench.quick else (100, 1_000, 1_000_000)
    found = peak_memory(
        bench.folder, bench.entries, bench.rules, exporters=exporters, templates=templates, users=users,
        rest_seconds=1.0 if bench.quick else 12.0,
    )  # fmt: skip
    drawn, now = next(draw_all(bench.network, 100))
    datagram = next(Exporters().put_drawn(drawn, now))
    found |= start_seconds(bench.folder, bench.entries, bench.rules, datagram, 1 if bench.quick else 3)
    bench.say(f"memory: {found['peak_megabytes']} MB at most with {found['templates']:,} templates of {exporters} "
              f"exporters and {found['users']:,} users, {found['ready_megabytes']} MB when ready; first datagram "
              f"processed {found['warm_start_seconds']} s after a warm start")  # fmt: skip
    return found


def parts_of(text: str) -> list[str]:
    """Return the parts that were asked for."""
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose among {', '.join(PARTS)}")
    return parts


def run(parts: Sequence[str], records: Sequence[int], *, quick: bool, as_json: bool) -> dict[str, Any]:
    """Measure and return everything."""
    adopt_orphans()
    peers = {name: version for name in PEERS if (version := version_of(name))}
    found: dict[str, Any] = {"machine": machine(), "load_before": load(), "versions": peers}
    with tempfile.TemporaryDirectory() as folder:
        entries, rules = make_plan(PREFIXES), make_rules(RULES)
        network = Network.of(entries, rules, ADDRESSES)
        bench = Bench(Path(folder), entries, rules, network, quick, as_json, peers)
        said = ", ".join(f"{name} {version}" for name, version in peers.items()) or "no peers installed"
        bench.say(f"{found['machine']}; {said}; load {found['load_before']:.2f}; {len(entries):,} prefixes, "
                  f"{len(rules)} services, {ADDRESSES:,} addresses")  # fmt: skip
        for number in records if {"steady", "process"} & set(parts) else ():
            capture = write_load(bench, number)
            for name, part in (("steady", steady), ("process", process)):
                if name in parts:
                    found.setdefault(name, []).append(part(bench, capture, 1 if quick else 3))
        if "live" in parts:
            found["live"] = live(bench)
        if "memory" in parts:
            found["memory"] = memory(bench)
    found["load_after"] = load()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="?", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--check-millions", type=float, default=0.5, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=parts_of, default=list(PARTS), help=f"parts to run, of {','.join(PARTS)}")
    parser.add_argument("--records", type=int, nargs="+", help="sizes of steady and process (default: 6 M and 20 M)")
    parser.add_argument(
        "--quick", action="store_true", help="about a minute: few records, few rates; figures are rough"
    )
    parser.add_argument("--json", action="store_true", help="print one object; progress goes to standard error")
    arguments = parser.parse_args()
    if arguments.millions is not None:
        stages.measure(arguments.millions, arguments.check_millions)
        return
    records = arguments.records or ([500_000] if arguments.quick else [6_000_000, 20_000_000])
    found = run(arguments.only, records, quick=arguments.quick, as_json=arguments.json)
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
