"""False alarms and found drops of baselines on simulated enterprises, and the time that an interval takes.

python bench/baselines.py [seeds]: three weeks are learned, then two weeks without fault are judged; the same weeks are
judged with half of one region's traffic taken away, at several times of the day.
"""

import copy
import sys
import time
from collections import Counter, defaultdict

import numpy as np

from btimd.flows.baseline import INDICATORS, Baselines, Observation
from btimd.flows.deviation import DeviationOpened, Deviations
from btimd.flows.season import Season
from btimd.model.deviation import ALL, DeviationKind, Indicator
from tests.flows.traffic_days import ENTERPRISE, MINUTES, MONDAY, Days

SEASON = Season()
SIZES = (3, 10, 30, 100, 300)


class Watched:
    """A model with its machine."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self.numbers = {key: number for number, key in enumerate(days.keys)}
        self.baselines = Baselines()
        for _, _, indicator in days.keys:
            self.baselines.add(indicator)
        for (business, region, indicator), number in self.numbers.items():
            if indicator is Indicator.TRAFFIC:
                self.baselines.pair(number, self.numbers[business, region, Indicator.USERS])
        self.machine = Deviations(self.baselines, list(days.keys))

    def show(self, minute: int, value: np.ndarray, *, judge: bool) -> list[DeviationOpened]:
        """Show a minute; return what opened."""
        size = len(self.numbers)
        none = np.zeros(size, np.bool_)
        start = MONDAY + minute * 60_000
        told = Observation(start, value, self.days.values[1][minute], np.zeros(size), none, none)
        judged = self.baselines.judge(told, SEASON.place(start + 30_000))
        events = self.machine.handle(judged) if judge else []
        quarter = self.baselines.learn(judged, self.machine.frozen() if judge else none)
        if judge and quarter is not None:
            events += self.machine.quarter(judged, quarter)
        return [event for event in events if isinstance(event, DeviationOpened)]


def sweep(seed: int) -> tuple[Counter[tuple[str, str]], dict[int, list[bool]]]:
    """Return what was told without fault, and by users whether half of a region was found missing."""
    days = Days(35, seed)
    watched = Watched(days)
    values = days.values[0]
    told: Counter[tuple[str, str]] = Counter()
    found: dict[int, list[bool]] = defaultdict(list)
    for minute in range(35 * MINUTES):
        known = minute >= 21 * MINUTES
        if known and minute % MINUTES in {240, 615, 870, 1210} and minute // MINUTES % 2:
            drops(watched, minute, found)
        for event in watched.show(minute, values[minute], judge=known):
            told[event.deviation.indicator.value, event.deviation.kind.value] += 1
    return told, found


def drops(watched: Watched, minute: int, found: dict[int, list[bool]]) -> None:
    """Take half of each region's traffic away for two intervals, one region after the other."""
    for (business, region, indicator), number in watched.numbers.items():
        if indicator is not Indicator.TRAFFIC or region == ALL:
            continue
        again = copy.copy(watched)
        again.baselines, again.machine = copy.deepcopy((watched.baselines, watched.machine))
        again.machine.baselines = again.baselines
        if again.machine.is_off(number):
            continue
        seen = False
        for later in range(2):
            value = watched.days.values[0][minute + later].copy()
            value[watched.numbers[business, ALL, Indicator.TRAFFIC]] -= value[number] / 2
            value[number] /= 2
            events = again.show(minute + later, value, judge=True)
            seen |= any(one.deviation.business == business for one in events)
        users = watched.days.values[0][minute, watched.numbers[business, region, Indicator.USERS]]
        if np.isfinite(users):
            found[int(np.searchsorted(SIZES, users, "right"))].append(seen)


def speed(businesses: int, regions: int) -> None:
    """Print the time of an interval of many series."""
    baselines = Baselines(most=10**6)
    keys = []
    for business in range(businesses):
        for region in range(regions):
            for indicator in INDICATORS:
                baselines.add(indicator)
                keys.append((str(business), str(region), indicator))
    baselines.get("level")[:] = 0.5
    baselines.get("days")[:] = 9
    machine = Deviations(baselines, keys)
    rng = np.random.default_rng(1)
    none = np.zeros(len(keys), np.bool_)
    taken = []
    for minute in range(40):
        value, weight = rng.random(len(keys)) + 1, np.full(len(keys), 50.0)
        told = Observation(minute * 60_000, value, weight, np.zeros(len(keys)), none, none)
        begin = time.process_time()
        judged = baselines.judge(told, SEASON.place(told.start + 30_000))
        machine.handle(judged)
        baselines.learn(judged, machine.frozen())
        taken.append(time.process_time() - begin)
    octets = baselines.octets / len(baselines.indicator)
    print(
        f"{len(keys)} series: {1e3 * np.median(taken):.0f} ms, at most {1e3 * max(taken):.0f} ms; {octets:.0f} B each"
    )


def main() -> None:
    speed(500, 32)
    told: Counter[tuple[str, str]] = Counter()
    found: dict[int, list[bool]] = defaultdict(list)
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    for seed in seeds:
        one, more = sweep(100 + seed)
        told += one
        for size, seen in more.items():
            found[size] += seen
        weeks = 2 * len(ENTERPRISE) * (seed + 1)
        rate = sum(told.values()) / weeks
        print(f"seed {100 + seed}: {sum(one.values())} told; so far {rate:.2f} per business and week", flush=True)
    print(dict(told), "of kinds", [one.value for one in DeviationKind])
    for size, seen in sorted(found.items()):
        low, high = (0, *SIZES)[size], (*SIZES, "more")[size]
        print(f"{low} to {high} users: {sum(seen)} of {len(seen)} halved regions found within two intervals")


if __name__ == "__main__":
    main()
