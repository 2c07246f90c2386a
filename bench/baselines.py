"""False alarms and found drops of baselines on simulated enterprises, and the time that an interval takes.

python bench/baselines.py FIRST_SEED SEEDS [-v]    or: python bench/baselines.py speed

Three weeks are learned, then two weeks without fault are judged; from states of these weeks half of one region of each
business is taken away for two intervals, in three ways, at several times of the day. Settings were chosen with seeds
below 1000; what is reported is of seeds from 5000 on.
"""

import copy
import sys
import time
from collections import Counter, defaultdict

import numpy as np

from btimd.flows.baseline import INDICATORS, Baselines, Observation
from btimd.flows.deviation import DeviationOpened, Deviations
from btimd.flows.season import Season
from btimd.model.deviation import ALL, Indicator, symptom_of
from tests.flows.traffic_days import MINUTES, MONDAY, Days, cut

SEASON = Season()
SIZES = (3, 10, 30, 60, 100, 300)
WAYS = ("users", "flows", "octets")
LEARNED, JUDGED = 21, 14
PARTS = (Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS)


class Watched:
    """The enterprises of some seeds in one model with one machine; businesses are named "seed/name"."""

    def __init__(self, seeds: range) -> None:
        days = [Days(LEARNED + JUDGED, seed) for seed in seeds]
        self.keys = [(f"{one.seed}/{name}", region, kind) for one in days for name, region, kind in one.keys]
        made = [one.values for one in days]
        self.values, self.weights = (np.concatenate([one[at] for one in made], 1) for at in (0, 1))
        self.numbers = {key: number for number, key in enumerate(self.keys)}
        self.baselines = Baselines()
        for _, _, indicator in self.keys:
            self.baselines.add(indicator)
        for (business, region, indicator), number in self.numbers.items():
            if indicator is Indicator.TRAFFIC:
                _, users, flows = (self.numbers[business, region, one] for one in PARTS)
                self.baselines.pair(number, users)
                self.baselines.pair(flows, users)
                self.baselines.join(number, flows)
        self.machine = Deviations(self.baselines, self.keys)
        self.day = 0

    def show(self, minute: int, value: np.ndarray, *, judge: bool) -> list[DeviationOpened]:
        """Show a minute; return what opened."""
        size = len(self.numbers)
        none = np.zeros(size, np.bool_)
        start = MONDAY + minute * 60_000
        told = Observation(start, value, self.weights[minute].astype(np.float64), np.zeros(size), none, none)
        judged = self.baselines.judge(told, SEASON.place(start + 30_000))
        events = self.machine.handle(judged) if judge else []
        quarter = self.baselines.learn(judged, self.machine.frozen() if judge else none)
        if judge and quarter is not None:
            events += self.machine.quarter(judged, quarter)
        if judge and judged.place.day != self.day:
            events += self.machine.day(judged)
        self.day = judged.place.day
        return [event for event in events if isinstance(event, DeviationOpened)]


def sweep(seeds: range) -> None:
    """Print what was told without fault, and by users whether half of a region was found missing."""
    begin = time.process_time()
    watched = Watched(seeds)
    rng = np.random.default_rng(seeds.start)
    regions = defaultdict(list)
    for business, region, indicator in watched.keys:
        if indicator is Indicator.TRAFFIC and region != ALL:
            regions[business].append(region)
    weeks: Counter[tuple[str, int]] = Counter()
    symptoms: Counter[tuple[str, int]] = Counter()
    kinds: Counter[tuple[str, str, bool]] = Counter()
    found: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for minute in range((LEARNED + JUDGED) * MINUTES):
        known = minute >= LEARNED * MINUTES
        if known and minute % MINUTES in {240, 555, 615, 735, 870, 1000, 1210}:
            turn = minute // MINUTES + minute % MINUTES
            for way in WAYS:
                drops(
                    watched, minute, way, {name: some[turn % len(some)] for name, some in regions.items()}, found, rng
                )
        for event in watched.show(minute, watched.values[minute].astype(np.float64), judge=known):
            one = event.deviation
            week = (minute // MINUTES - LEARNED) // 7
            felt = symptom_of(one) is not None
            weeks[one.business, week] += 1
            symptoms[one.business, week] += felt
            kinds[one.indicator.value, one.kind.value, felt] += 1
            if "-v" in sys.argv:
                print(minute // MINUTES, minute % MINUTES // 60, one.text, flush=True)
    count = 2 * len(regions)
    for what, told in (("symptoms", symptoms), ("told in all", weeks)):
        spread = Counter(told.values())
        spread[0] = count - sum(1 for one in told.values() if one)
        print(
            f"{what}: {sum(told.values()) / count:.3f} per business and week; weeks by number: {sorted(spread.items())}"
        )
    print({" ".join(map(str, kind)): number for kind, number in kinds.items()})
    print("halved", *WAYS, sep="\t")
    for size in range(len(SIZES) + 1):
        low, high = (0, *SIZES)[size], (*SIZES, "more")[size]
        print(f"{low}-{high}", *(f"{sum(found[way, size])}/{len(found[way, size])}" for way in WAYS), sep="\t")
    print(f"seeds {seeds.start} to {seeds.stop - 1}, {time.process_time() - begin:.0f} s", flush=True)


def drops(
    watched: Watched,
    minute: int,
    way: str,
    chosen: dict[str, str],
    found: dict[tuple[str, int], list[bool]],
    rng: np.random.Generator,
) -> None:
    """Take half of a region of each business away for two intervals, a third of the businesses at a time."""
    for part in range(3):
        again = copy.copy(watched)
        again.baselines, again.machine = copy.deepcopy((watched.baselines, Deviations(watched.baselines, [])))
        again.machine = copy.copy(watched.machine)
        for name in ("_off", "open", "_near", "_nearly_for", "_absent", "_frozen"):
            setattr(again.machine, name, copy.deepcopy(getattr(watched.machine, name)))
        again.machine.baselines = again.baselines
        some = {name: region for at, (name, region) in enumerate(chosen.items()) if at % 3 == part}
        seen: set[str] = set()
        users: dict[str, float] = {}
        for later in range(2):
            value = watched.values[minute + later].astype(np.float64)
            for name, region in some.items():
                numbers = [watched.numbers[name, region, one] for one in PARTS]
                if watched.machine.is_off(numbers[0]) or not np.isfinite(value[numbers]).all():
                    continue
                users.setdefault(name, value[numbers[1]])
                less = cut(rng, way, *value[numbers])
                value[[watched.numbers[name, ALL, one] for one in PARTS]] -= value[numbers] - less
                value[numbers] = less
            seen |= {one.deviation.business for one in again.show(minute + later, value, judge=True)}
        for name, online in users.items():
            found[way, int(np.searchsorted(SIZES, online, "right"))].append(name in seen)


def speed(businesses: int, regions: int) -> None:
    """Print the time of an interval of many series."""
    baselines = Baselines(most=10**6)
    keys = []
    for business in range(businesses):
        for region in range(regions):
            for indicator in INDICATORS:
                baselines.add(indicator)
                keys.append((str(business), str(region), indicator))
            first = len(keys) - len(INDICATORS)
            baselines.pair(first, first + 1)
            baselines.pair(first + 6, first + 1)
            baselines.join(first, first + 6)
    baselines.get("level")[:] = 0.5
    baselines.get("days")[:] = 9
    machine = Deviations(baselines, keys)
    rng = np.random.default_rng(1)
    none = np.zeros(len(keys), np.bool_)
    taken = []
    for minute in range(100):
        value, weight = rng.random(len(keys)) + 1, np.full(len(keys), 50.0)
        told = Observation(minute * 60_000, value, weight, np.zeros(len(keys)), none, none)
        begin = time.process_time()
        judged = baselines.judge(told, SEASON.place(told.start + 30_000))
        machine.handle(judged)
        baselines.learn(judged, machine.frozen())
        taken.append(time.process_time() - begin)
    octets = baselines.octets / len(baselines.indicator)
    print(
        f"{len(keys)} series: {1e3 * np.median(taken[-30:]):.0f} ms, at most {1e3 * max(taken):.0f} ms;"
        f" {octets:.0f} B each"
    )


def main() -> None:
    if "speed" in sys.argv:
        speed(500, 32)
        return
    first, count = (int(one) for one in sys.argv[1:3]) if len(sys.argv) > 2 else (100, 2)
    sweep(range(first, first + count))


if __name__ == "__main__":
    main()
