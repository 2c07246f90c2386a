import copy
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from btimd.flows.baseline import Baselines, Observation
from btimd.flows.deviation import DeviationCleared, DeviationOpened, Deviations, Event
from btimd.flows.season import Season
from btimd.model.deviation import ALL, DeviationKind, Indicator, symptom_of
from tests.flows.traffic_days import MINUTES, MONDAY, Business, Days

SEASON = Season()
LEARNED = 7
OFFICE = (Business("erp", (400, 150)), Business("mail", (900, 2), bits_per_user=15_000.0))
PARTS = (Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS)
Change = Callable[[np.ndarray, int], None]


class Watched:
    """A model, its machine, and days to show them."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self.at = 0
        self.day = 0
        self.numbers = {key: number for number, key in enumerate(days.keys)}
        self.baselines = Baselines()
        for _, _, indicator in days.keys:
            self.baselines.add(indicator)
        for (business, region, indicator), number in self.numbers.items():
            if indicator is Indicator.TRAFFIC:
                _, users, flows = (self.numbers[business, region, one] for one in PARTS)
                self.baselines.pair(number, users)
                self.baselines.pair(flows, users)
                self.baselines.join(number, flows)
        self.machine = Deviations(self.baselines, list(days.keys))

    def show(
        self, upto: int, *, judge: bool = True, change: Change | None = None, absent: bool = False, step: int = 1
    ) -> list[Event]:
        values, weights = self.days.values
        none = np.zeros(len(self.numbers), np.bool_)
        events: list[Event] = []
        for minute in range(self.at, upto, step):
            value = values[minute].astype(np.float64)
            if change is not None:
                change(value, minute)
            start = MONDAY + minute * 60_000
            told = Observation(
                start, value, weights[minute].astype(np.float64), np.zeros(len(value)), none, none | absent
            )
            judged = self.baselines.judge(told, SEASON.place(start + 30_000))
            events += self.machine.handle(judged) if judge else []
            quarter = self.baselines.learn(judged, self.machine.frozen() if judge else none)
            if judge and quarter is not None:
                events += self.machine.quarter(judged, quarter)
            if judge and judged.place.day != self.day:
                events += self.machine.day(judged)
            self.day = judged.place.day
        self.at = upto
        return events

    def less(self, share: float, *places: tuple[str, str]) -> Change:
        """Let traffic, users and flows (and of all of a business the sums) be a share of what they are."""

        def change(value: np.ndarray, _: int) -> None:
            for business, region in places:
                for part in PARTS:
                    number, whole = (self.numbers[business, one, part] for one in (region, ALL))
                    value[whole] -= (1 - share) * value[number]
                    value[number] *= share

        return change

    def copy(self) -> "Watched":
        again = copy.copy(self)
        again.baselines, again.machine = copy.deepcopy((self.baselines, self.machine))
        again.machine.baselines = again.baselines
        return again


@pytest.fixture(scope="module")
def monday_ten() -> Watched:
    """Two businesses, known for three weeks, on a Monday at ten."""
    watched = Watched(Days(LEARNED + 2, seed=3, businesses=OFFICE, quality=False, missing=0.0))
    watched.show(LEARNED * MINUTES, judge=False, step=3)
    assert watched.show(LEARNED * MINUTES + 600) == []
    return watched


def test_half_of_a_regions_traffic_gone_is_found_within_two_windows(monday_ten: Watched) -> None:
    watched = monday_ten.copy()
    (event,) = watched.show(watched.at + 2, change=watched.less(0.5, ("erp", "south")))

    assert isinstance(event, DeviationOpened)
    found = event.deviation
    assert (found.business, found.region, found.indicator, found.kind) == (
        "erp", "south", Indicator.TRAFFIC, DeviationKind.DROP,
    )  # fmt: skip
    assert found.value < 0.7 * found.expected < found.high
    assert found.seen_at - found.since == 120.0
    assert re.fullmatch(
        r"erp, region south: traffic \S+ Mbit/s, usual at this time (\S+ to|about) \S+ Mbit/s"
        r"; \d+ users, about \d+ users; \d+ flows, about \d+ flows",
        found.text,
    )


def test_it_is_over_after_three_windows_inside_and_learned_nothing(monday_ten: Watched) -> None:
    watched = monday_ten.copy()
    level = watched.baselines.get("level").copy()[40:]
    watched.show(watched.at + 40, change=watched.less(0.5, ("erp", "south")))
    number = watched.numbers["erp", "south", Indicator.TRAFFIC]
    np.testing.assert_array_equal(watched.baselines.get("level")[40:, number], level[:, number])
    events = watched.show(watched.at + 3)

    assert [type(event) for event in events] == [DeviationCleared]
    assert events[0].deviation.reason == "over after 43 minutes"
    assert watched.machine.open == {}


def test_most_regions_of_a_business_are_told_as_the_business(monday_ten: Watched) -> None:
    watched = monday_ten.copy()
    both = watched.less(0.3, ("erp", "north"), ("erp", "south"))
    (event,) = watched.show(watched.at + 2, change=both)

    assert (event.deviation.region, event.deviation.regions) == (ALL, ("north", "south"))
    assert event.deviation.text.startswith("erp, 2 regions: traffic")


def test_a_region_that_is_silent_is_said_to_be_silent(monday_ten: Watched) -> None:
    watched = monday_ten.copy()
    (event,) = watched.show(watched.at + 2, change=watched.less(0.0, ("erp", "south")))

    assert event.deviation.kind is DeviationKind.SILENCE
    assert event.deviation.text.startswith("erp, region south: no traffic at all, usual at this time")


def test_a_region_of_two_users_is_too_small_to_tell(monday_ten: Watched) -> None:
    watched = monday_ten.copy()
    assert watched.show(watched.at + 2, change=watched.less(0.0, ("mail", "south"))) == []


def test_time_without_reporters_is_no_drop_and_is_told_as_no_data(monday_ten: Watched) -> None:
    watched = monday_ten.copy()

    def nothing(value: np.ndarray, _: int) -> None:
        value[:] = 0.0

    events = watched.show(watched.at + 30, change=nothing, absent=True)
    assert {event.deviation.kind for event in events} == {DeviationKind.NO_DATA}
    assert [type(event) for event in watched.show(watched.at + 1)] == [DeviationCleared] * len(events)


def test_a_new_business_is_not_told_before_it_is_known() -> None:
    watched = Watched(Days(3, seed=1, businesses=OFFICE[:1], quality=False))
    watched.show(2 * MINUTES + 600)
    assert watched.show(watched.at + 5, change=watched.less(0.0, ("erp", "north"), ("erp", "south"))) == []


def test_what_lasts_is_taken_as_usual(monday_ten: Watched) -> None:
    watched = monday_ten.copy()
    watched.machine.limits = replace(watched.machine.limits, adopt_after=120)
    half = watched.less(0.5, ("erp", "south"))
    events = watched.show(watched.at + 240, change=half)

    assert [type(event) for event in events] == [DeviationOpened, DeviationCleared]


def test_all_businesses_at_once_are_told_once() -> None:
    three = (*OFFICE, Business("crm", (300, 200)))
    watched = Watched(Days(LEARNED + 1, seed=4, businesses=three, quality=False, missing=0.0))
    watched.show(LEARNED * MINUTES, judge=False, step=3)
    watched.show(LEARNED * MINUTES + 600)
    everything = [(name, region) for name in ("erp", "mail", "crm") for region in ("north", "south")]
    watched.show(watched.at + 4, change=watched.less(0.2, *everything))

    (found,) = watched.machine.open.values()
    assert (found.business, found.region, found.regions) == (ALL, ALL, ("crm", "erp", "mail"))
    assert "businesses at once: traffic" in found.text


def test_failures_and_slow_answers_are_rises() -> None:
    watched = Watched(Days(6, seed=2, businesses=OFFICE[:1], missing=0.0))
    watched.show(4 * MINUTES, judge=False, step=3)
    watched.show(4 * MINUTES + 600)

    def worse(value: np.ndarray, _: int) -> None:
        value[watched.numbers["erp", "north", Indicator.FAILURES]] = 0.3
        value[watched.numbers["erp", "north", Indicator.RESPONSE]] *= 3

    events = watched.show(watched.at + 2, change=worse)
    assert {(event.deviation.indicator, event.deviation.kind, event.deviation.region) for event in events} == {
        (Indicator.FAILURES, DeviationKind.RISE, "north"),
        (Indicator.RESPONSE, DeviationKind.RISE, "north"),
    }


TIMES = (9 * 60 + 40, 11 * 60, 14 * 60 + 30, 16 * 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [901])  # many seeds: bench/baselines.py
def test_two_weeks_without_fault_give_at_most_one_symptom_per_business_and_week_and_half_of_a_region_is_found(
    seed: int,
) -> None:
    businesses = (
        Business("erp", (400, 60)),
        Business("shop", (250, 110), "shop"),
        Business("files", (120, 8), "batch"),
    )
    watched = Watched(Days(21 + 14, seed=seed, businesses=businesses))
    watched.show(21 * MINUTES, judge=False, step=3)
    told: Counter[tuple[str, int]] = Counter()
    found: dict[tuple[str, str], list[bool]] = {}
    for minute in [(21 + day) * MINUTES + at for day in range(14) for at in (*TIMES, MINUTES)]:
        for event in watched.show(minute):
            if isinstance(event, DeviationOpened) and symptom_of(event.deviation) is not None:
                told[event.deviation.business, (watched.at // MINUTES - 21) // 7] += 1
        if minute % MINUTES and minute // MINUTES in {23, 29}:
            for place in (("erp", "north"), ("shop", "north"), ("erp", "south")):
                again = watched.copy()
                events = again.show(again.at + 2, change=again.less(0.5, place))
                found.setdefault(place, []).append(any(one.deviation.business == place[0] for one in events))

    assert [key for key, count in told.items() if count > 1] == []
    assert found["erp", "north"] == found["shop", "north"] == [True] * 8
    assert sum(found["erp", "south"]) >= 5  # of 60 users not every one
