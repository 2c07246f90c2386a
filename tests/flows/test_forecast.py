from datetime import date, timedelta

import numpy as np
import pytest

from btimd.flows.forecast import daily, forecast
from btimd.flows.season import weekday_kind
from btimd.model.deviation import Forecast, ForecastAsk, ForecastOutcome, ForecastSubject

FIRST = date(2026, 3, 2).toordinal()
USERS = ForecastAsk(ForecastSubject.USERS, "erp", 5000.0, 90)


def kind(day: date) -> int:
    return int(weekday_kind(day))


def days(count: int, *, level: float, slope: float, noise: float, seed: int = 1, memory: float = 0.0) -> np.ndarray:
    """Return daily figures of an office: a trend, a week, noise."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, noise * np.sqrt(1 - memory**2), count)
    rest = np.zeros(count)
    for day in range(count):
        rest[day] = (memory * rest[day - 1] if day else 0.0) + steps[day]
    week = np.array([1.0 if kind(date.fromordinal(FIRST + day)) == 0 else 0.3 for day in range(count)])
    return np.asarray((level + slope * np.arange(count)) * 1.0 + (week - 1) * level + rest)


def moment(day: int) -> float:
    return float((FIRST + day - date(1970, 1, 1).toordinal()) * 86_400)


def test_a_steady_growth_crosses_where_it_must() -> None:
    found = forecast(USERS, FIRST, days(60, level=4000, slope=10, noise=20), kind_of=kind)

    assert found.outcome is ForecastOutcome.CROSSES
    assert found.likely_at is not None
    assert found.earliest_at is not None
    assert found.latest_at is not None
    assert abs(found.likely_at - moment(100)) <= 3 * 86_400
    assert found.earliest_at <= found.likely_at <= found.latest_at
    assert found.slope_per_day == pytest.approx(10, abs=0.6)
    assert found.text.startswith("erp: now 45")
    assert "crosses 5000 users about 2026-06-" in found.text


def test_a_tenth_of_wild_days_moves_nothing() -> None:
    figures = days(60, level=4000, slope=10, noise=20)
    figures[3::10] *= 4
    found = forecast(USERS, FIRST, figures, kind_of=kind)

    assert found.slope_per_day == pytest.approx(10, abs=2)


def test_what_does_not_grow_does_not_cross() -> None:
    found = forecast(USERS, FIRST, days(60, level=4000, slope=0, noise=40), kind_of=kind)

    assert (found.outcome, found.likely_at) == (ForecastOutcome.NOT_WITHIN_HORIZON, None)
    assert "does not cross 5000 users within 90 days" in found.text


def test_what_is_beyond_already_is_said_so() -> None:
    link = ForecastAsk(ForecastSubject.LINK, "CORE:Gi0/1", 0.9)
    found = forecast(link, FIRST, np.full(40, 0.95), kind_of=kind)

    assert (found.outcome, found.likely_at) == (ForecastOutcome.ALREADY, None)
    assert found.text == "CORE:Gi0/1: now 95 %, +0 % in 30 days; 90 % is crossed already (from 40 days)"


def test_too_few_days_are_no_history() -> None:
    found = forecast(USERS, FIRST, days(13, level=4000, slope=10, noise=20), kind_of=kind)

    assert found == Forecast(
        USERS, ForecastOutcome.NOT_ENOUGH_HISTORY, 13, None, None, None, None, None, 0.8,
        "not enough history: 13 days, 14 are needed",
    )  # fmt: skip


def test_a_hole_in_the_history_is_no_value() -> None:
    figures = days(60, level=4000, slope=10, noise=20)
    figures[20:30] = np.nan
    found = forecast(USERS, FIRST, figures, kind_of=kind)

    assert (found.days, found.points[25].value) == (50, None)
    assert found.slope_per_day == pytest.approx(10, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "memory"), [(28, 0.0), (60, 0.0), (60, 0.6)])
def test_the_band_holds_about_as_many_days_as_it_says(count: int, memory: float) -> None:
    inside = []
    for seed in range(10):
        truth = days(count + 30, level=4000, slope=8, noise=120, seed=seed, memory=memory)
        found = forecast(ForecastAsk(ForecastSubject.USERS, "erp", 9000, 30), FIRST, truth[:count], kind_of=kind)
        inside += [
            point.low <= value <= point.high
            for point, value in zip(found.points[count:], truth[count:], strict=True)
            if point.low is not None and point.high is not None
        ]

    assert 0.72 <= np.mean(inside) <= 0.93


def test_days_are_quantiles_of_what_they_hold_and_half_days_are_nothing() -> None:
    step = 3_600_000
    start = int((date(2026, 3, 2) - date(1970, 1, 1)) / timedelta(days=1)) * 24
    times = np.arange(start, start + 60, dtype=np.int64) * step
    first, found = daily(times, np.arange(60.0), 1.0, 20)

    assert first == FIRST
    np.testing.assert_array_equal(found, [23.0, 47.0, np.nan])
    assert daily(np.zeros(0, np.int64), np.zeros(0), 1.0, 1)[1].size == 0
