"""btimd's packet capture beside softflowd, nfpcapd and pmacctd on the same packets; no figure without every sum right.

python -m bench.span [--only file,process,live,memory] [--quick] [--full] [--json] [--packets N]

The load: 5 M packets of 100,000 connections (bench/packets.py), 2,000 prefixes, 500 services. file: a capture on one
core, in steady state after warm-up, CPU ns/packet: walk, parse and table; with cells of businesses; with the quality of
connections; beside the peers' CPU time on the same file. process: `btimd` from its start, kernels in the cache. live: a
virtual wire, the sender on core 1 as fast as it can, the receiver with all its threads on core 0: CPU ns/packet, and
what is lost. memory: a million connections at a time. docs/performance.md says what flatters whom.
"""

import argparse
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.frames import frame_octets
from bench.machine import RECEIVER_CORE, adopt_orphans, load, machine, run_measured, version_of
from bench.packetpeers import PEERS, Load, label_truth, run_peer
from bench.packets import PACKETS_PER_FLOW, SNAP, Truth, draw, enterprise, write_capture
from bench.spanlive import Wire, trial
from bench.traffic import ADDRESSES, Network
from btimd.flows.plan import PlanEntry
from btimd.model.service import ServiceRule

PARTS = ("file", "process", "live", "memory")
STAGES = ("table", "cells", "quality")
BUDGETS = {"file_ratio": 8.0, "live_lost_packets": 0.0, "memory_megabytes": 900.0}
"""What a run on a quiet machine must reach: the best peer's CPU time by ours; packets lost live; resident memory with a
million connections."""
WHOLE = 65_535


@dataclass(frozen=True, slots=True)
class Bench:
    """What all parts share."""

    folder: Path
    entries: list[PlanEntry]
    rules: list[ServiceRule]
    network: Network
    quick: bool
    full: bool
    as_json: bool
    peers: dict[str, str]

    def say(self, text: str) -> None:
        """Print a line for people."""
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    @property
    def tools(self) -> list[str]:
        """The peers that are installed."""
        return [tool for tool in PEERS if tool.split()[0] in self.peers]


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture file and what is true of it."""

    load: Load
    truth: Truth
    octets: int


def make_capture(bench: Bench, packets: int) -> Capture:
    """Write the load."""
    drawn = draw(bench.network, packets)
    truth = Truth.of(drawn, bench.network, bench.entries, bench.rules)
    path = bench.folder / "load.pcap"
    size = write_capture(path, drawn, WHOLE if bench.full else SNAP)
    np.save(path.with_suffix(".npy"), np.minimum(frame_octets(drawn), WHOLE if bench.full else SNAP))
    labels = label_truth(drawn, bench.network, bench.entries, bench.rules)
    bench.say(f"{truth.packets:,} packets of {truth.flows:,} connections, {truth.packets_of_six / truth.packets:.0%} v6"
              f", {len(truth.cells):,} cells, {'whole frames' if bench.full else f'{SNAP} octets of each'}, "
              f"{size / 1e6:,.0f} MB")  # fmt: skip
    return Capture(Load(path, truth.packets, truth.octets, labels, bench.entries, bench.rules), truth, size)


def child(bench: Bench, capture: Path, stage: str, *more: str) -> tuple[dict[str, Any], float]:
    """Run a stage in a process of its own, on one core; return what it found, and the CPU seconds of all of it."""
    out = bench.folder / "result"
    program = [sys.executable, "-m", "bench.spanline", str(capture), str(out), stage, *more]
    spent = run_measured(["taskset", "-c", str(RECEIVER_CORE), *program])
    return pickle.loads(out.read_bytes()), spent.cpu_seconds  # noqa: S301  written by our own child


def file(bench: Bench, capture: Capture, repeat: int) -> dict[str, Any]:
    """Compare steady states on a file, and the peers' whole runs: their start is short."""
    # Here, as the rest is to run where btimd's packet capture is not built yet.
    from bench.spanline import differences

    found: dict[str, Any] = {"packets": capture.truth.packets, "stages": {}, "peers": {}, "ratios": {}}
    for stage in STAGES:
        runs = []
        for _ in range(repeat):
            result, _ = child(bench, capture.load.path, stage)
            if wrong := list(differences(result, capture.truth, stage)):
                sys.exit(f"{stage}: " + "; ".join(wrong))
            runs.append(result)
        runs.sort(key=lambda run: float(run["steady_seconds"]))
        chosen = runs[len(runs) // 2]
        per_packet = 1e9 / chosen["steady_packets"]
        found["stages"][stage] = {
            "nanoseconds_per_packet": round(chosen["steady_seconds"] * per_packet, 1),
            "of_each_run": [round(run["steady_seconds"] / run["steady_packets"] * 1e9, 1) for run in runs],
            "parts": {name: round(spent * per_packet, 1) for name, spent in chosen["steady_parts"].items()},
            "records": chosen["records"],
            "peak_megabytes": round(chosen["peak_megabytes"]),
        }
        bench.say(f"file, btimd {stage}: {found['stages'][stage]}")
    ours = found["stages"]["quality"]["nanoseconds_per_packet"]
    for tool in bench.tools:
        spent = []
        for _ in range(1 if tool.startswith("pmacctd") else repeat):
            folder = bench.folder / "peer"
            shutil.rmtree(folder, ignore_errors=True)
            spent.append(run_peer(tool, capture.load, folder).cpu_seconds / capture.truth.packets * 1e9)
        found["peers"][tool] = round(median(spent), 1)
        found["ratios"][tool] = round(found["peers"][tool] / ours, 2)
        bench.say(f"file, {tool}: {found['peers'][tool]} CPU ns/packet, {found['ratios'][tool]} times btimd's with all")
    return found


def process(bench: Bench, capture: Capture, repeat: int) -> dict[str, Any]:
    """Compare whole processes: btimd's with its imports and the loading of its kernels, and what it plays twice."""
    seconds = [child(bench, capture.load.path, "whole")[1] for _ in range(repeat)]
    found = {"packets": capture.truth.packets, "cpu_seconds": round(median(seconds), 2),
             "cpu_seconds_of_each_run": [round(each, 2) for each in seconds]}  # fmt: skip
    bench.say(f"process, {capture.truth.packets:,} packets: {found['cpu_seconds']} CPU s")
    return found


def live(bench: Bench, capture: Capture) -> dict[str, Any]:
    """Send the load over a virtual wire as fast as it goes."""
    if os.geteuid() != 0:
        raise SystemExit("live needs root, for network namespaces; leave it out with --only")
    found: dict[str, Any] = {"trials": [], "ratios": {}}
    with Wire().up() as wire:
        for tool in ("btimd", *bench.tools):
            folder = bench.folder / f"live-{tool.replace(' ', '-')}"
            shutil.rmtree(folder, ignore_errors=True)
            done = trial(tool, folder, capture.load.path, wire, bench.entries, bench.rules)
            found["trials"].append(asdict(done))
            reported = "says nothing of loss" if done.reported < 0 else f"reports {done.reported:,}"
            bench.say(f"live, {tool}: {done.rate:,.0f} packets/s, {done.cpu_nanoseconds_per_packet:.0f} CPU ns/packet, "
                      f"lost {done.lost:,} of {done.sent:,}, {reported}, {done.peak_megabytes:.0f} MB")  # fmt: skip
            if tool == "btimd" and done.lost != done.reported:
                sys.exit(f"btimd reports {done.reported} packets lost, but {done.lost} were")
    ours = found["trials"][0]["cpu_nanoseconds_per_packet"]
    found["ratios"] = {
        each["tool"]: round(each["cpu_nanoseconds_per_packet"] / ours, 2) for each in found["trials"][1:]
    }
    return found


def memory(bench: Bench) -> dict[str, Any]:
    """Measure memory with many connections at a time."""
    flows = 100_000 if bench.quick else 1_000_000
    path = bench.folder / "many.pcap"
    alike = Network.of(bench.entries, bench.rules, ADDRESSES, skew=0.0)  # no address has more flows than ports
    write_capture(path, draw(alike, 3 * flows, flows, only_open=True, seconds=5))
    found, _ = child(bench, path, "held", "--flows", str(1 << (flows - 1).bit_length()))
    path.unlink()
    if found["flows"] != flows or found["evicted"]:
        sys.exit(f"{flows} connections expected, {found['flows']} held, {found['evicted']} evicted")
    bench.say(f"memory: {found['peak_megabytes']:.0f} MB with {flows:,} connections, "
              f"{found['ready_megabytes']:.0f} MB before")  # fmt: skip
    return found


def beyond(found: dict[str, Any]) -> list[str]:
    """Return which budgets are not kept."""
    wrong = []
    ratios = [ratio for tool, ratio in found.get("file", {}).get("ratios", {}).items() if "trivial" not in tool]
    if ratios and min(ratios) < BUDGETS["file_ratio"]:
        wrong.append(f"file: {min(ratios)} times as fast as the best peer, budget {BUDGETS['file_ratio']}")
    trials = found.get("live", {}).get("trials", [])
    if trials and trials[0]["lost"] > BUDGETS["live_lost_packets"]:
        wrong.append(f"live: {trials[0]['lost']} packets lost, budget {BUDGETS['live_lost_packets']:.0f}")
    peak = found.get("memory", {}).get("peak_megabytes", 0.0)
    if peak > BUDGETS["memory_megabytes"]:
        wrong.append(f"memory: {peak:.0f} MB, budget {BUDGETS['memory_megabytes']:.0f}")
    return wrong


def parts_of(text: str) -> list[str]:
    """Return the parts that were asked for."""
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose among {', '.join(PARTS)}")
    return parts


def run(parts: Sequence[str], packets: int, *, quick: bool, full: bool, as_json: bool) -> dict[str, Any]:
    """Measure and return everything."""
    adopt_orphans()
    peers = {name: version for name in ("softflowd", "nfpcapd", "pmacctd") if (version := _version_of(name))}
    found: dict[str, Any] = {"machine": machine(), "load_before": load(), "versions": peers}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), *enterprise(), quick, full, as_json, peers)
        said = ", ".join(f"{name} {version}" for name, version in peers.items()) or "no peers installed"
        bench.say(f"{found['machine']}; {said}; load {found['load_before']:.2f}")
        if {"file", "process", "live"} & set(parts):
            capture = make_capture(bench, packets)
            if "file" in parts:
                found["file"] = file(bench, capture, 1 if quick else 3)
            if "process" in parts:
                found["process"] = process(bench, capture, 1 if quick else 3)
            if "live" in parts:
                found["live"] = live(bench, capture)
        if "memory" in parts:
            found["memory"] = memory(bench)
    found["load_after"] = load()
    found["beyond_budget"] = beyond(found)
    for text in found["beyond_budget"]:
        bench.say(f"not reached: {text}")
    return found


def _version_of(name: str) -> str:
    """Return a version; nfpcapd and nfdump are of one package, and softflowd says its own with its usage."""
    if name == "nfpcapd" and shutil.which(name):
        done = subprocess.run(["nfdump", "-V"], capture_output=True, text=True, check=False)
        version = re.search(r"\d+(\.\d+)+", done.stdout)
        return version[0] if version else "?"
    return version_of(name).rstrip(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=parts_of, default=list(PARTS), help=f"parts to run, of {','.join(PARTS)}")
    parser.add_argument("--packets", type=int, help="5 M; with --quick 500,000")
    parser.add_argument("--quick", action="store_true", help="few packets, one run of each; figures are rough")
    parser.add_argument("--full", action="store_true", help="whole frames in the file, not 96 octets of each")
    parser.add_argument("--json", action="store_true", help="print one object; progress goes to standard error")
    arguments = parser.parse_args()
    packets = max(arguments.packets or (500_000 if arguments.quick else 5_000_000), PACKETS_PER_FLOW)
    found = run(arguments.only, packets, quick=arguments.quick, full=arguments.full, as_json=arguments.json)
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
