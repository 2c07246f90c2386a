"""How fast decoded records become windows: attribution, users and windows, generated in memory, on one core.

python -m bench.stages [records in millions] [--check-millions M]

The first part of the records is put through windows of their own and every cell of it is compared with the truth.
"""

import argparse
from time import perf_counter, process_time

import numpy as np

from bench.traffic import ADDRESSES, BUSINESSES, PREFIXES, RULES, START, Drawn, Network, compare, make_plan, make_rules
from bench.traffic import truth as truth_of
from btimd.flows.attribution import Attribution
from btimd.flows.component import warm
from btimd.flows.plan import compile_plan
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows

BATCH = 8_192
USERS = 1 << 21


def measure(millions: float, check_millions: float) -> None:
    entries, rules = make_plan(PREFIXES), make_rules(RULES)
    plan, problems = compile_plan(entries, 1)
    assert not problems, problems[:3]
    before = perf_counter()
    attribution = Attribution(plan, rules, [f"business-{number}" for number in range(BUSINESSES)], 1)
    print(f"{len(entries)} prefixes, {len(rules)} rules, compiled in {perf_counter() - before:.3f} s")
    warm()
    network, chance = Network.of(entries, rules, ADDRESSES), np.random.default_rng(1)
    count = max(1, round(millions * 1e6 / BATCH))
    checked = min(count, max(1, round(check_millions * 1e6 / BATCH)))
    users = Users(attribution, UserLimits(capacity=USERS))
    windows = Windows(attribution, users, WindowLimits())
    spent = {"attribute": 0.0, "windows": 0.0, "close": 0.0}
    kept: list[Drawn] = []
    batches = 0
    for number in range(count):
        now = START + number * 120_000 // count
        drawn = network.draw(BATCH, now, chance)
        times = [process_time()]
        attributed = attribution.attribute(drawn.flows)
        times.append(process_time())
        windows.add(attributed, now)
        times.append(process_time())
        batches += len(windows.close(now))
        times.append(process_time())
        for name, began, ended in zip(spent, times, times[1:], strict=False):
            spent[name] += ended - began
        if number < checked:
            kept.append(drawn)
    records = count * BATCH
    for name, seconds in spent.items():
        print(f"{name:10} {seconds / records * 1e9:7.1f} ns/record")
    total = sum(spent.values())
    print(f"all        {total / records * 1e9:7.1f} ns/record, {records / total / 1e6:.2f} M records/s on one core; "
          f"{users.pairs} pairs, {batches} batches emitted")  # fmt: skip
    assert not users.refused
    assert not windows.overflowed
    windows = Windows(attribution, Users(attribution, UserLimits(capacity=USERS)), WindowLimits())
    emitted = []
    for drawn in kept:
        now = int(drawn.flows["flow_end_milliseconds"].max())
        windows.add(attribution.attribute(drawn.flows), now)
    emitted = windows.flush()
    compare(emitted, [truth_of(entries, rules, network, kept, each) for each in INTERVALS_MILLISECONDS])
    print(f"every cell of the first {len(kept) * BATCH:,} records equals the truth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", nargs="?", type=float, default=2.0)
    parser.add_argument("--check-millions", type=float, default=0.5, help="how much of it the truth is computed for")
    arguments = parser.parse_args()
    measure(arguments.millions, arguments.check_millions)


if __name__ == "__main__":
    main()
