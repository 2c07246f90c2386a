"""The line from captured packets to cells of businesses, in a process of its own.

python -m bench.spanline FILE OUT STAGE

STAGE: `table` walks the file, parses and keeps flows; `cells` attributes the flow records and adds them up in windows
as well; `quality` measures TCP and DNS on top, and adds that up too; `whole` is the same without a rehearsal; `held`
counts the connections of a capture that has none that end. The clock is that of the packets; flows are
harvested once a second of it. Times are CPU time of the process; steady is the second half of the packets.
`emit` is per interval of 10 s and not per packet: rows of quality, ready for the API and the store.
"""

import argparse
import pickle
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from bench.packets import Place, Truth
from bench.pipeline import USERS, build, resident_megabytes
from btimd.capture.packetfile import PacketFile
from btimd.flows.attribution import Attribution
from btimd.flows.component import warm
from btimd.flows.quality import QualityWindows
from btimd.flows.table import FlowTable, TableLimits
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import WindowLimits, Windows
from btimd.kernels.packetlayout import F_TIME
from btimd.model.packets import SpanTraffic
from btimd.model.quality import COUNTERS

STAGES = ("table", "cells", "quality")
PARTS = ("read", "table", "harvest", "attribute", "windows", "quality", "emit")
SECOND = 1_000_000_000
TABLE_FLOWS = 262_144
SERVER_FIELDS = ("octets_to_server", "octets_to_client", "packets")


class Line:
    """The classes of the product in a row, and what they cost."""

    def __init__(self, attribution: Attribution, stage: str, flows: int = TABLE_FLOWS) -> None:
        self.table = FlowTable(TableLimits(flows=flows, quality=stage == "quality"), observation_point=1, seed=1)
        self._stage = stage
        self._attribution = attribution
        self.users = Users(attribution, UserLimits(capacity=USERS))
        self.windows = Windows(attribution, self.users, WindowLimits())
        self.quality = QualityWindows(attribution)
        self.cells: Counter[tuple[Place, str]] = Counter()
        self.packets = self.records = self.octets = 0
        self.counters = np.zeros(len(COUNTERS), np.int64)
        self.samples = 0

    def take(self, traffic: SpanTraffic, now: int) -> tuple[float, ...]:
        """Put a harvest through the line; return CPU time after each part. now: ms."""
        flows = traffic.flows
        self.packets += int(flows["packet_delta_count"].sum())
        self.octets += int(flows["octet_delta_count"].sum())
        self.records += len(flows)
        times = [process_time()]
        if self._stage != "table":
            attributed = self._attribution.attribute(flows)
            times.append(process_time())
            self.windows.add(attributed, now)
            self._note(self.windows.close(now))
        times += [process_time()] * (3 - len(times))
        if self._stage == "quality":
            self.counters += traffic.quality.counters.sum(axis=1)
            self.samples += len(traffic.quality.sample_nanoseconds)
            self.quality.add(traffic, now)
            times.append(process_time())
            self.quality.close(now)
        times += [process_time()] * (4 - len(times))
        return (*times, process_time())

    def finish(self) -> None:
        """Take what the table still holds and close all windows."""
        traffic = self.table.flush()
        self.take(traffic, int(traffic.flows["flow_end_milliseconds"].max(initial=0)))
        self._note(self.windows.flush())
        self.quality.flush()

    def _note(self, batches: Any) -> None:
        """Add up what the last state of each cell of 60 s says."""
        for batch in batches:
            if batch.interval_milliseconds == 60_000:
                for row in batch.rows():
                    place = (row.business, row.region, row.segment)
                    for field in SERVER_FIELDS:
                        self.cells[place, f"{row.interval_start_milliseconds} {field}"] = getattr(row, field)

    def sums(self) -> dict[Place, tuple[int, ...]]:
        """Return octets to the server, to the client, and packets of each business and place."""
        found: dict[Place, list[int]] = {}
        for (place, what), value in self.cells.items():
            sums = found.setdefault(place, [0] * len(SERVER_FIELDS))
            sums[SERVER_FIELDS.index(what.partition(" ")[2])] += value
        return {place: tuple(sums) for place, sums in found.items()}


def play(path: Path, out: Path, stage: str, *, rehearse: bool = True) -> None:
    """Play a capture through the line; write times and what was found."""
    _, _, attribution = build()
    warm()
    line = Line(attribution, stage)
    line.table.warm()
    if rehearse:
        _rehearse(path, attribution, stage)
    idle = resident_megabytes("VmRSS")
    marks: list[tuple[int, tuple[float, ...]]] = []
    blocks, packets, due, began = PacketFile(path).blocks(), 0, 0, process_time()
    while True:
        times = [process_time()]
        block = next(blocks, None)
        if block is None:
            break
        now = int(block.frames[F_TIME][-1])
        times.append(process_time())
        line.table.add(block)
        times.append(process_time())
        after: tuple[float, ...] = (times[-1],) * 5
        if now >= due:
            due = now + SECOND
            traffic = line.table.harvest(now)
            times.append(process_time())
            after = line.take(traffic, now // 1_000_000)
            after = (times.pop(), *after[1:])
        packets += len(block)
        marks.append((packets, tuple(later - sooner for sooner, later in pairwise((*times, *after)))))
    line.finish()
    spent = process_time() - began
    late = [mark for number, mark in marks if number > packets // 2]
    first = max((number for number, _ in marks if number <= packets // 2), default=0)
    result = {
        "packets": packets,
        "counted": (line.packets, line.octets),
        "records": line.records,
        "cpu_seconds": spent,
        "steady_packets": packets - first,
        "steady_seconds": sum(map(sum, late)),
        "steady_parts": dict(zip(PARTS, map(sum, zip(*late, strict=True)), strict=True)),
        "cells": line.sums(),
        "quality": dict(zip(COUNTERS, line.counters.tolist(), strict=True)),
        "samples": line.samples,
        "idle_megabytes": idle,
        "peak_megabytes": resident_megabytes("VmHWM"),
    }
    out.write_bytes(pickle.dumps(result))


def _rehearse(path: Path, attribution: Attribution, stage: str) -> None:
    """Play the first blocks through a line that is thrown away: nothing is compiled or loaded later."""
    line = Line(attribution, stage, 1024)
    for _, block in zip(range(3), PacketFile(path).blocks(), strict=False):
        now = int(block.frames[F_TIME][-1])
        line.table.add(block)
        line.take(line.table.harvest(now), now // 1_000_000)
    line.finish()


def held(path: Path, out: Path, flows: int) -> None:
    """Put a capture into a table of so many flows; write how many it holds and the memory."""
    table = FlowTable(TableLimits(flows=flows, inactive_nanoseconds=600 * SECOND), observation_point=1, seed=1)
    table.warm()
    before, spent = resident_megabytes("VmRSS"), process_time()
    due = 0
    for block in PacketFile(path).blocks():
        table.add(block)
        now = int(block.frames[F_TIME][-1])
        if now >= due:
            due = now + SECOND
            table.harvest(now)
    counters = table.counters
    result = {
        "flows": counters.flows,
        "evicted": counters.evicted,
        "cpu_nanoseconds_per_packet": (process_time() - spent) / max(1, counters.packets) * 1e9,
        "ready_megabytes": before,
        "peak_megabytes": resident_megabytes("VmHWM"),
    }
    out.write_bytes(pickle.dumps(result))


def differences(result: dict[str, Any], truth: Truth, stage: str) -> Iterator[str]:
    """Yield what a run found otherwise than it is."""
    if result["packets"] != truth.packets or result["counted"] != (truth.packets, truth.octets):
        yield f"{result['packets']} read, {result['counted']} counted of {truth.packets} packets, {truth.octets} octets"
    if stage != "table" and result["cells"] != truth.cells:
        wrong = [
            key
            for key in truth.cells.keys() | result["cells"].keys()
            if truth.cells.get(key) != result["cells"].get(key)
        ]
        key = min(wrong)
        yield (f"{len(wrong)} of {len(truth.cells)} cells, first {key}: {truth.cells.get(key)} expected, "
               f"{result['cells'].get(key)} found")  # fmt: skip
    if stage == "quality":
        for name, value in truth.quality.items():
            if result["quality"][name] != value:
                yield f"{name}: {value} expected, {result['quality'][name]} found"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("stage", choices=(*STAGES, "whole", "held"))
    parser.add_argument("--flows", type=int, default=TABLE_FLOWS)
    arguments = parser.parse_args()
    if arguments.stage == "held":
        held(arguments.path, arguments.out, arguments.flows)
    elif arguments.stage == "whole":
        play(arguments.path, arguments.out, "quality", rehearse=False)
    else:
        play(arguments.path, arguments.out, arguments.stage)


if __name__ == "__main__":
    main()
