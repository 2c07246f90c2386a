"""What a million users of 500 businesses cost: closing a window, telling of it, listing and counting users.

python -m bench.business [--quick] [--json] [--users N] [--businesses N] [--max-cells N ...]

Clients are spread over 32 regions of 8 segments and use one business each; every client sends one record in each of six
intervals of 10 s. Measured for each bound of cells, in the order of the daemon: `close`, the sums of an interval (flow
thread); `points`, what is handed to the loop (flow thread); `loop`, what the loop is blocked for with nobody watching;
`watched`, for how long at a time with one who follows all windows; `snapshot`, when that one comes. Then questions as
they are asked through the API, and the longest that the flow thread had to wait for one of them.
All times are wall-clock times of one process on one core.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from bench.machine import load, machine
from bench.pipeline import resident_megabytes
from btimd.flows.attribution import Attribution
from btimd.flows.component import warm
from btimd.flows.history import Closed, History
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.userlist import Pairs, counted, listed
from btimd.flows.users import Reading, UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.address import Prefix
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceRule
from btimd.model.users import UserQuery
from btimd.model.window import WindowBatch

START = 1_700_000_040_000
REGIONS, SEGMENTS = 32, 8
FIRST_CLIENT, FIRST_SERVER = 0xFFFF_0A00_0000, 0xFFFF_AC10_0000
BATCH = 65_536
MOST_SECONDS = 1.0
"""What a window may take to close, and a question to be answered."""


def make_attribution(users: int, businesses: int) -> Attribution:
    """Return a plan of 256 places for the clients from 10.0.0.0 on, and one server for each business."""
    per_place = -(-users // (REGIONS * SEGMENTS) // 256) * 256
    entries = []
    for place in range(REGIONS * SEGMENTS):
        for network in range(per_place // 256):
            number = place * per_place // 256 + network
            prefix = f"10.{number >> 8}.{number & 255}.0/24"
            region, segment = f"region {place // SEGMENTS}", f"segment {place % SEGMENTS}"
            entries.append(PlanEntry(prefix, region, segment, f"person {number % 2000}", number + 1))
    plan, problems = compile_plan(entries, 1)
    assert not problems, problems[:3]
    names = [f"business-{number}" for number in range(businesses)]
    rules = [
        ServiceRule(name, (name,), Prefix.parse(f"172.16.{number >> 8}.{number & 255}/32"), 6, 443, 443)
        for number, name in enumerate(names)
    ]
    return Attribution(plan, rules, names, 1)


def feed(windows: Windows, users: int, businesses: int, start: int, now: int) -> None:
    """Let every client send one record to its business at `start`."""
    for first in range(0, users, BATCH):
        client = np.arange(first, min(first + BATCH, users))
        business = client * 2_654_435_761 % 4_294_967_291 % businesses  # so that each is used from everywhere
        flows = FlowBatch.of(
            flow_start_milliseconds=np.full(len(client), start),
            flow_end_milliseconds=np.full(len(client), start),
            source_address_lo=FIRST_CLIENT + client,
            destination_address_lo=FIRST_SERVER + business,
            source_transport_port=np.full(len(client), 50_000),
            destination_transport_port=np.full(len(client), 443),
            protocol_identifier=np.full(len(client), 6),
            octet_delta_count=1_000 + client % 1_000,
            packet_delta_count=np.full(len(client), 2),
            sampling_rate=np.ones(len(client)),
        )
        windows.add(windows.attribution.attribute(flows), now)


def timed(action: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    """Return the median time of an action in seconds, and what it returned last."""
    times, result = [], None
    for _ in range(repeat):
        began = perf_counter()
        result = action()
        times.append(perf_counter() - began)
    return sorted(times)[repeat // 2], result


def windows_of(attribution: Attribution, users: int, businesses: int, max_cells: int) -> tuple[dict[str, Any], Users]:
    """Measure closing a minute of windows; return the figures, and the table of users."""
    table = Users(attribution, UserLimits(capacity=1 << max(users - 1, 1023).bit_length()))
    windows = Windows(attribution, table, WindowLimits(max_cells=max_cells))
    history = History(INTERVALS_MILLISECONDS, 20_000)
    found: dict[str, Any] = {"max_cells": max_cells, "levels": {}}
    emitted: list[WindowBatch] = []
    table.note_rates(START)
    for interval in range(6):
        feed(windows, users, businesses, START + interval * 10_000, START + interval * 10_000 + 9_999)
        began = perf_counter()
        batches = windows.close(START + interval * 10_000 + 20_000)
        spent = perf_counter() - began  # of the last one of the minute: for both lengths together
        for batch in batches:
            note(found, batch, history, spent)
        emitted += batches
    assert sum(int(batch.users.sum()) for batch in emitted if batch.interval_milliseconds == 60_000) == users
    found["rates_milliseconds"] = round(timed(lambda: table.note_rates(START + 70_000), 1)[0] * 1000, 1)
    found["overflowed"] = windows.overflowed
    found["cells"] = max(len(batch) for batch in emitted)
    return found, table


def note(found: dict[str, Any], batch: WindowBatch, history: History, close_seconds: float) -> None:
    """Note what a closed interval costs, and what the loop does with it."""
    points, closed = timed(lambda: Closed.of(batch))
    loop, _ = timed(lambda: history.publish(closed), 1)
    began = perf_counter()
    subscription = history.watch(batch.interval_milliseconds)
    snapshot = perf_counter() - began
    rows, watched = timed(lambda: Closed.of(batch, watched=True), 1)
    slices = [(watched.rows or ())[at : at + 1000] for at in range(0, len(batch), 1000)]
    told = max(timed(partial(history.tell, batch.interval_milliseconds, rows), 1)[0] for rows in slices)
    subscription.close()
    level = found["levels"].setdefault(f"{batch.interval_milliseconds // 1000} s", {"cells": 0})
    figures = {
        "close": close_seconds, "points": points, "loop": loop, "watched_rows": rows, "watched_loop": told,
        "snapshot": snapshot,
    }  # fmt: skip
    level["cells"] = max(level["cells"], len(batch))
    for name, seconds in figures.items():  # the slowest
        level[f"{name}_milliseconds"] = max(level.get(f"{name}_milliseconds", 0.0), round(seconds * 1000, 1))


def copied(reading: Reading, locks: list[float]) -> Pairs:
    """Copy what is asked for as the daemon does; note how long the lock is held each time."""
    more = True
    while more:
        began = perf_counter()
        more = reading.step()
        locks.append(perf_counter() - began)
    return reading.pairs()


def questions(table: Users, businesses: int) -> dict[str, Any]:
    """Measure lists and counts."""
    locks: list[float] = []
    now, business = START + 70_000, f"business-{businesses // 2}"

    def ask(query: UserQuery) -> int:
        pairs = copied(table.read(query.business), locks)
        return len(listed(pairs, query, limit=1000, times=table.times, lookup=None, now=now))

    def count(*by: str, of: str | None = None) -> int:
        return len(counted(copied(table.read(of), locks), by, times=table.times, lookup=None, now=now, limit=1000))

    asked: dict[str, Callable[[], int]] = {
        "users of a business": lambda: ask(UserQuery(business)),
        "users with most traffic": lambda: ask(UserQuery(order="traffic")),
        "users of a person": lambda: ask(UserQuery(person="person 7")),
        "users of a network": lambda: ask(UserQuery(address="10.1.0.0/16", state="active")),
        "counts of a business by region": lambda: count("region", of=business),
        "counts by region and segment": lambda: count("region", "segment"),
        "counts by business and region": lambda: count("business", "region"),
        "counts by everything": lambda: count("business", "region", "segment", "person"),
        "columns": lambda: len(copied(table.read_all(), locks)),
    }
    found: dict[str, Any] = {}
    for name, question in asked.items():
        seconds, rows = timed(question)
        found[name] = {"milliseconds": round(seconds * 1000, 1), "rows": rows}
    return {"questions": found, "lock_milliseconds": round(max(locks) * 1000, 1)}


def run(users: int, businesses: int, max_cells: Sequence[int]) -> dict[str, Any]:
    """Measure and return everything."""
    warm()
    attribution = make_attribution(users, businesses)
    found: dict[str, Any] = {
        "machine": machine(), "load": load(), "users": users, "businesses": businesses, "windows": [],
        "idle_megabytes": round(resident_megabytes("VmRSS")),
    }  # fmt: skip
    table = Users(attribution, UserLimits(capacity=8))
    for bound in max_cells:
        windows, table = windows_of(attribution, users, businesses, bound)
        found["windows"].append(windows)
        found["busy_megabytes"] = round(resident_megabytes("VmRSS"))
    found |= questions(table, businesses)
    return found | {"peak_megabytes": round(resident_megabytes("VmHWM"))}


def report(found: dict[str, Any]) -> bool:
    """Print tables; return whether everything was within its time."""
    print(f"{found['machine']}; load {found['load']:.2f}; {found['users']:,} users, {found['businesses']} businesses, "
          f"{REGIONS} regions x {SEGMENTS} segments; {found['idle_megabytes']} MB before, {found['busy_megabytes']} MB "
          f"with all users and windows, {found['peak_megabytes']} MB at most")  # fmt: skip
    slowest = 0.0
    print(f"{'max_cells':>9} {'interval':>8} {'cells':>8} {'close':>8} {'points':>8} {'loop':>8} "
          f"{'watched':>8} {'snapshot':>8}  ms (slowest of the minute)")  # fmt: skip
    for windows in found["windows"]:
        for name, level in windows["levels"].items():
            times = [level[f"{what}_milliseconds"] for what in ("close", "points", "loop", "watched_loop", "snapshot")]
            slowest = max(slowest, sum(times[:3]) / 1000)
            print(
                f"{windows['max_cells']:9} {name:>8} {level['cells']:8} " + " ".join(f"{each:8.1f}" for each in times)
            )
        print(f"{'':9} rates of all users: {windows['rates_milliseconds']} ms; "
              f"{windows['overflowed']:,} records at the unknown place")  # fmt: skip
    for name, question in found["questions"].items():
        slowest = max(slowest, question["milliseconds"] / 1000)
        print(f"{name:32} {question['milliseconds']:8.1f} ms, {question['rows']:,} rows")
    print(f"the flow thread waits {found['lock_milliseconds']} ms at most")
    return slowest < MOST_SECONDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--businesses", type=int, default=500)
    parser.add_argument("--max-cells", type=int, nargs="+", default=[16_384, 131_072])
    parser.add_argument("--quick", action="store_true", help="few users and cells; figures mean nothing")
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.users, arguments.businesses, arguments.max_cells = 5_000, 20, [512]
    found = run(arguments.users, arguments.businesses, arguments.max_cells)
    if arguments.json:
        print(json.dumps(found))
    elif not report(found) and not arguments.quick:
        raise SystemExit(f"something took longer than {MOST_SECONDS} s")


if __name__ == "__main__":
    main()
