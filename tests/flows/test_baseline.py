import numpy as np
import pytest

from btimd.flows.baseline import INDICATORS, Baselines, from_even, observation_of, to_even
from btimd.flows.season import Season
from btimd.model.deviation import Indicator
from tests.flows.traffic_days import MINUTES, MONDAY

SEASON = Season()
NONE = np.zeros(1, np.bool_)


def of(indicator: Indicator, least_days: int = 3) -> Baselines:
    baselines = Baselines(least_days=least_days)
    baselines.add(indicator)
    return baselines


def teach(baselines: Baselines, days: range, value: object, step: int = 1) -> None:
    """Show days of one series: value is a function of the minute of the day."""
    for minute in range(days.start * MINUTES, days.stop * MINUTES, step):
        start = MONDAY + minute * 60_000
        told = observation_of(start, [value(minute % MINUTES)], [100.0])  # type: ignore[operator]
        baselines.learn(baselines.judge(told, SEASON.place(start + 30_000)), NONE)


def test_every_indicator_comes_back_from_its_even_scale() -> None:
    kind = np.arange(6, dtype=np.int8)
    value = np.array([1e6, 20.0, 0.25, 0.03, 0.2, 0.5])
    floor, weight = np.array([27.0, 0.5, 0, 0, 0, 0], np.float32), np.full(6, 1e9)
    np.testing.assert_allclose(from_even(kind, floor, to_even(kind, floor, value, weight)), value, rtol=1e-6)


def test_the_usual_of_a_time_of_day_is_known_after_three_such_days() -> None:
    baselines = of(Indicator.USERS)
    rng = np.random.default_rng(1)
    teach(baselines, range(4), lambda minute: float(rng.poisson(100 if 480 <= minute < 1020 else 10)))
    start = MONDAY + (4 * MINUTES + 600) * 60_000
    judged = baselines.judge(observation_of(start, [100.0]), SEASON.place(start + 30_000))

    assert judged.known.tolist() == [True]
    assert baselines.from_one(0, float(judged.season[0])) == pytest.approx(100, rel=0.04)
    assert 0.2 < judged.below[0] < 0.6
    night = SEASON.place(MONDAY + (4 * MINUTES + 180) * 60_000)
    assert baselines.band_of(0, night, 1.0)[0] == pytest.approx(10, rel=0.1)


def test_two_days_and_another_kind_of_day_are_not_known() -> None:
    baselines = of(Indicator.USERS)
    teach(baselines, range(2), lambda _: 50.0)
    start = MONDAY + 2 * MINUTES * 60_000
    weekend = MONDAY + 5 * MINUTES * 60_000 + 36_000_000
    for moment in (start, weekend):
        judged = baselines.judge(observation_of(moment, [50.0]), SEASON.place(moment + 30_000))
        assert judged.known.tolist() == [False]
    assert baselines.band_of(0, SEASON.place(weekend), 1.0) == (None, None, None)


def test_one_wild_day_does_not_move_what_is_usual() -> None:
    baselines = of(Indicator.TRAFFIC)
    rng = np.random.default_rng(1)
    teach(baselines, range(5), lambda _: 1e6 * float(np.exp(rng.normal(0, 0.05))))
    before = baselines.band_of(0, SEASON.place(MONDAY + 36_000_000), 1.0)[0]
    teach(baselines, range(7, 8), lambda _: 1e8)
    after = baselines.band_of(0, SEASON.place(MONDAY + 36_000_000), 1.0)[0]

    assert before is not None
    assert after == pytest.approx(before, rel=0.12)


def test_a_calm_day_shifts_what_is_expected() -> None:
    baselines = of(Indicator.TRAFFIC)
    rng = np.random.default_rng(1)
    teach(baselines, range(4), lambda _: 1e6 * float(np.exp(rng.normal(0, 0.05))))
    for minute in range(4 * MINUTES, 4 * MINUTES + 240):
        start = MONDAY + minute * 60_000
        told = observation_of(start, [0.8e6 * float(np.exp(rng.normal(0, 0.05)))])
        baselines.learn(baselines.judge(told, SEASON.place(start + 30_000)), NONE)
    start = MONDAY + (4 * MINUTES + 240) * 60_000
    judged = baselines.judge(observation_of(start, [0.8e6]), SEASON.place(start + 30_000))

    assert baselines.from_one(0, float(judged.expected[0])) == pytest.approx(0.8e6, rel=0.06)
    assert baselines.from_one(0, float(judged.season[0])) == pytest.approx(1e6, rel=0.06)


def test_few_users_make_a_wide_band_and_sampling_a_wider_one() -> None:
    baselines = of(Indicator.USERS, least_days=2)
    teach(baselines, range(3), lambda minute: 3.0 if minute % 2 else 4.0)
    place = SEASON.place(MONDAY + 3 * MINUTES * 60_000)
    sure = observation_of(place.time, [3.0])
    sampled = observation_of(place.time, [3.0])
    sampled.error[:] = 0.5
    assert baselines.judge(sure, place).below[0] > 0.2
    assert baselines.judge(sampled, place).below[0] > 1.3


def test_room_is_bounded_and_what_finds_none_is_counted() -> None:
    baselines = Baselines(most=2)
    assert [baselines.add(Indicator.TRAFFIC) for _ in range(4)] == [0, 1, None, None]
    assert (len(baselines), baselines.overflowed) == (2, 2)
    baselines = Baselines()
    for number in range(1000):
        baselines.add(INDICATORS[number % 6])
    assert baselines.octets / len(baselines.indicator) < 3500


def test_what_was_learned_survives_and_what_is_none_is_refused() -> None:
    baselines = of(Indicator.USERS)
    teach(baselines, range(3), lambda minute: 40.0 + minute % 7)
    saved = baselines.saved()
    again = Baselines.restored(saved, most=10)
    place = SEASON.place(MONDAY + 3 * MINUTES * 60_000)
    told = observation_of(place.time, [40.0])

    np.testing.assert_array_equal(again.judge(told, place).off, baselines.judge(told, place).off)
    with pytest.raises(ValueError, match="version 7 is not 2"):
        Baselines.restored({**saved, "version": np.array(7)}, most=10)
    with pytest.raises(ValueError, match="at most 0 are wanted"):
        Baselines.restored(saved, most=0)
    with pytest.raises(ValueError, match="level is float32"):
        Baselines.restored({**saved, "level": saved["level"][:5]}, most=10)


def test_weeks_of_slow_growth_are_a_drift_and_busy_days_are_none() -> None:
    baselines = Baselines()
    for _ in range(2):
        baselines.add(Indicator.RESPONSE)
    rng = np.random.default_rng(1)
    daily = baselines.get("daily")
    daily[:] = rng.normal(-2, 0.05, daily.shape)
    daily[-2:, 1] += 0.5
    daily[:, 0] += 0.03 * np.arange(len(daily))
    moved, sure = baselines.drifts()

    assert sure.tolist() == [True, False]
    assert moved[0] == pytest.approx(0.03 * 12.5, abs=0.05)
