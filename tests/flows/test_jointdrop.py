import copy

import numpy as np
import pytest

from btimd.flows import jointdrop
from btimd.flows.baseline import Baselines, Judged, Observation
from btimd.flows.jointdrop import ALONE, TOGETHER
from btimd.flows.season import DayKind, Season
from btimd.model.deviation import Indicator
from tests.flows.traffic_days import MINUTES, MONDAY

PARTS = (Indicator.TRAFFIC, Indicator.USERS, Indicator.FLOWS)
NONE = np.zeros(3, np.bool_)
SEASON = Season(kind_of=lambda _: DayKind.WORKDAY)


def place(rng: np.random.Generator, users: float) -> list[float]:
    """Return bit/s, users and flows of an interval: each user makes four flows of lognormal size."""
    online = rng.poisson(users)
    flows = rng.poisson(4 * rng.gamma(max(online, 1)))
    return [float(rng.lognormal(8, 1.5, flows).sum()), float(online), float(flows)]


class World:
    """A place of 60 users, known for five days."""

    def __init__(self) -> None:
        self.baselines = Baselines()
        for indicator in PARTS:
            self.baselines.add(indicator)
        self.baselines.pair(0, 1)
        self.baselines.pair(2, 1)
        self.baselines.join(0, 2)
        self.rng = np.random.default_rng(4)
        self.minute = 0
        for _ in range(5 * MINUTES // 3):
            self.show(60)

    def show(self, users: float, *, error: float = 0.0, values: list[float] | None = None) -> Judged:
        start = MONDAY + self.minute * 60_000
        value = np.array(place(self.rng, users) if values is None else values)
        told = Observation(start, value, np.zeros(3), np.full(3, error), NONE, NONE)
        judged = self.baselines.judge(told, SEASON.place(start + 30_000))
        self.baselines.learn(judged, NONE if users == 60 else ~NONE)
        self.minute += 3 if self.minute < 5 * MINUTES else 1
        return judged


@pytest.fixture(scope="module")
def known() -> World:
    return World()


@pytest.fixture
def world(known: World) -> World:
    return copy.deepcopy(known)


def limits(world: World, judged: Judged, chance: float) -> np.ndarray:
    return jointdrop.limits(world.baselines.get, judged.place.block, np.full((2, 3), chance))


def test_half_is_missed_together_more_surely_than_of_any_indicator(world: World) -> None:
    world.show(30)
    judged = world.show(30)
    told = judged.falls

    assert told.score[TOGETHER, 0] > limits(world, judged, 1e-4)[TOGETHER, 0]
    assert told.score[TOGETHER, 0] > told.score[ALONE, 0]
    assert -1.0 < told.shift[TOGETHER, 0] < -0.4
    assert np.isnan(told.score[TOGETHER, 1:]).all()


def test_few_intervals_without_fault_exceed_what_one_in_ten_thousand_may(world: World) -> None:
    beyond = 0
    for _ in range(1500):
        judged = world.show(60)
        beyond += bool(judged.falls.score[TOGETHER, 0] > limits(world, judged, 1e-4)[TOGETHER, 0])
    assert beyond <= 1


def test_what_sampling_may_have_lost_is_not_missing(world: World) -> None:
    sure = world.show(60, values=[3e5, 30.0, 120.0]).falls.share
    world.show(60)
    world.show(60)
    unsure = world.show(60, values=[3e5, 30.0, 120.0], error=0.5).falls.share
    assert (unsure[1:] < 0.5 * sure[1:]).all()


def test_more_than_usual_is_no_shortfall(world: World) -> None:
    assert world.show(60, values=[3e6, 120.0, 480.0]).falls.single[TOGETHER, 0] < -3


def test_rarer_limits_are_higher_and_widening_raises_them(world: World) -> None:
    judged = world.show(60)
    often, seldom = limits(world, judged, 1e-4), limits(world, judged, 1e-7)
    assert (seldom > often).all()
    world.baselines.widen(0, judged.place.block, rise=False)
    assert limits(world, judged, 1e-4)[TOGETHER, 0] > 1.2 * often[TOGETHER, 0]


def test_one_wild_interval_is_limited(world: World) -> None:
    for _ in range(5):
        world.show(60)
    assert world.show(60, values=[0.0, 0.0, 0.0]).falls.share.max() <= 7.0
