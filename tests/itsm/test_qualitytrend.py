"""Trends and what is to be expected after them."""

import random
from typing import Any

import pytest

from btimd.itsm.qualitytrend import by_category, by_priority, by_service, edges, forecast, trend
from btimd.model.incident import IncidentState, Priority
from btimd.model.knowledge import SECONDS_PER_DAY as DAY
from btimd.model.workfigures import IncidentFacts, TrendSeries

T0 = 1_699_920_000.0


def facts(day: float, **changes: Any) -> IncidentFacts:
    fields: dict[str, Any] = {
        "id": "I",
        "state": IncidentState.NEW,
        "priority": Priority.P3,
        "opened_at": T0 + day * DAY,
    }
    return IncidentFacts(**(fields | changes))


def test_incidents_are_counted_in_the_bucket_that_they_were_opened_in() -> None:
    incidents = [facts(0.0), facts(0.9, priority=Priority.P1), facts(2.0), facts(3.0), facts(-0.1)]
    found = trend(incidents, edges(T0, T0 + 3 * DAY, DAY), by_priority)
    assert found.edges == (T0, T0 + DAY, T0 + 2 * DAY, T0 + 3 * DAY)
    assert found.total == TrendSeries("", (2, 0, 1))
    assert found.series == (TrendSeries("P3", (1, 0, 1)), TrendSeries("P1", (1, 0, 0)))


def test_an_incident_counts_in_every_service_that_it_hits_and_once_in_the_total() -> None:
    found = trend([facts(0.5, services=("erp", "hr", "erp")), facts(0.6)], edges(T0, T0 + DAY, DAY), by_service)
    assert found.total.counts == (2,)
    assert found.series == (TrendSeries("erp", (1,)), TrendSeries("hr", (1,)))
    assert by_category(facts(0.0)) == ()
    assert by_category(facts(0.0, category="database")) == ("database",)


def test_more_groups_than_fit_are_summed_up() -> None:
    incidents = [facts(0.5, services=(f"s{number:02d}",)) for number in range(23)]
    found = trend(incidents, edges(T0, T0 + DAY, DAY), by_service)
    assert len(found.series) == 21
    assert found.series[-1] == TrendSeries("", (3,))


@pytest.mark.parametrize(("end", "seconds"), [(T0, DAY), (T0 + DAY, 0.0), (T0 + DAY, 1.0)])
def test_buckets_are_bounded(end: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="ask for 1 to 2000"):
        edges(T0, end, seconds)


def test_little_is_no_ground_for_a_forecast() -> None:
    assert forecast([3] * 7, 5) == ()
    assert len(forecast([3] * 8, 5)) == 5


def test_what_never_changed_is_expected_to_go_on_within_chance() -> None:
    first, *_, last = forecast([9] * 20, 3)
    assert (round(first.expected, 6), round(first.low, 2), round(first.high, 2)) == (9.0, 4.06, 13.94)
    assert last.high > first.high


def test_a_row_of_zeros_does_not_promise_that_nothing_comes() -> None:
    (only,) = forecast([0] * 20, 1)
    assert (only.expected, only.low) == (0.0, 0.0)
    assert 0.3 < only.high < 1.0


def test_quiet_weekends_are_expected_to_be_quiet_once_four_weeks_are_known() -> None:
    week = [20, 20, 20, 20, 20, 2, 2]
    found = [point.expected for point in forecast(week * 6, 7)]
    assert found == pytest.approx(week, abs=1)


def test_nine_of_ten_days_lie_within_the_range() -> None:
    rng = random.Random(5)
    inside = drawn = 0
    for _ in range(120):
        mean = rng.choice([2.0, 6.0, 20.0])
        days = [sum(rng.random() < mean / 200 for _ in range(200)) for _ in range(41)]
        (expected,) = forecast(days[:40], 1)
        inside += expected.low <= days[40] <= expected.high
        drawn += 1
    assert 0.84 <= inside / drawn <= 0.98
