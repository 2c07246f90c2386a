"""Burn rates, alarms of two windows, and when the budget will be gone."""

from collections.abc import Iterable

import pytest

from btimd.model.agreement import Agreement, BurnAlert, BurnWindow
from btimd.model.sla import Availability
from btimd.sla.availability import Stretch, agreed_time, figures
from btimd.sla.burn import BURN_RULES, Burn, BurnWatch, budget_gone_at, burn_rate
from tests.sla.agreeing import HOUR, MINUTE, OFFICE, agreement, moment

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN
START, END = moment("1 00:00"), moment("30 00:00") + 24 * HOUR
FAST, SLOW = BurnWindow.FAST, BurnWindow.SLOW


def stretches(*parts: tuple[float, Availability], start: float) -> list[Stretch]:
    found, at = [], start
    for end, condition in parts:
        found.append((round(at * 1000), round(end * 1000), condition))
        at = end
    return found


def rate(one: Agreement, seen: list[Stretch], window: float, now: float) -> float | None:
    def cut(low: int, high: int) -> Iterable[Stretch]:
        return [(max(a, low), min(b, high), condition) for a, b, condition in seen if a < high and b > low]

    return burn_rate(one, cut, window, now)


def test_an_hour_with_six_minutes_down_burns_a_hundred_times_what_a_thousandth_allows() -> None:
    now = moment("16 10:00")
    seen = stretches((now - 6 * MINUTE, UP), (now, DOWN), start=now - 2 * HOUR)

    assert rate(agreement(), seen, HOUR, now) == pytest.approx(100.0)
    assert rate(agreement(), seen, 5 * MINUTE, now) == pytest.approx(1000.0)


def test_the_hour_before_monday_morning_reaches_back_into_friday() -> None:
    now, friday = moment("16 09:05"), moment("13 18:00")
    seen = stretches((friday - 3 * MINUTE, UP), (friday, DOWN), (now, UP), start=friday - HOUR)

    assert rate(agreement(calendar=OFFICE), seen, HOUR, now) == pytest.approx(3 / 60 * 1000)


def test_unknown_time_uses_nothing_of_the_budget_and_alone_gives_no_rate() -> None:
    now = moment("16 10:00")
    seen = stretches((now - 45 * MINUTE, UNKNOWN), (now - 3 * MINUTE, UP), (now, DOWN), start=now - HOUR)

    assert rate(agreement(), seen, HOUR, now) == pytest.approx(3 / 60 * 1000)
    assert rate(agreement(), seen[:1], HOUR, now) is None
    assert rate(agreement(), seen[1:2], HOUR, now) == 0.0


def test_a_target_of_all_the_time_burns_without_limit() -> None:
    now = moment("16 10:00")
    seen = stretches((now, DOWN), start=now - 1.0)

    assert rate(agreement(availability_percent=100.0), seen, HOUR, now) == float("inf")


def look(watch: BurnWatch, fast: tuple[float | None, float | None], now: float = 0.0) -> list[tuple[BurnWindow, bool]]:
    rates = {FAST: Burn(*fast), SLOW: Burn(0.0, 0.0)}
    return [(alert.window, alert.raised) for alert in watch.look(rates, now, None)]


def test_an_alarm_needs_both_windows_and_ends_with_the_short_one() -> None:
    watch = BurnWatch("bank", "erp")

    assert look(watch, (20.0, 5.0)) == []
    assert look(watch, (5.0, 20.0)) == []
    assert look(watch, (14.4, 14.4)) == [(FAST, True)]
    assert look(watch, (20.0, 20.0)) == []
    assert watch.burning == {FAST}
    assert look(watch, (20.0, 14.3)) == [(FAST, False)]
    assert watch.burning == set()


def test_what_is_not_measured_neither_raises_an_alarm_nor_ends_it() -> None:
    watch = BurnWatch("bank", "erp")

    assert look(watch, (None, None)) == []
    assert look(watch, (20.0, None)) == []
    look(watch, (20.0, 20.0))
    assert look(watch, (20.0, None)) == []
    assert look(watch, (None, 1.0)) == [(FAST, False)]


def test_an_alarm_tells_all_there_is_to_know() -> None:
    watch = BurnWatch("bank", "erp")

    assert watch.look({FAST: Burn(30.0, 40.0), SLOW: Burn(7.0, 8.0)}, 5.0, 99.0) == [
        BurnAlert("bank", "erp", FAST, 30.0, 14.4, 5.0, raised=True, budget_gone_at=99.0),
        BurnAlert("bank", "erp", SLOW, 7.0, 6.0, 5.0, raised=True, budget_gone_at=99.0),
    ]


def test_the_usual_windows_use_two_and_five_hundredths_of_a_month() -> None:
    month = 30 * 24 * HOUR

    assert [rule.limit * rule.long_seconds / month for rule in BURN_RULES.values()] == [
        pytest.approx(0.02),
        pytest.approx(0.05),
    ]


def gone(one: Agreement, seen: list[Stretch], now: float, *, is_down: bool, burn: float | None) -> float | None:
    agreed = agreed_time(one, (START, END), [], now)
    state = figures(one, "erp", agreed=agreed, stretches=seen, facts=[], now=now)
    return budget_gone_at(one, state, agreed, is_down=is_down, burn=burn)


def test_an_outage_that_goes_on_uses_the_rest_of_the_budget_in_service_time() -> None:
    """21 working days of 9 h at 99 % leave 113.4 minutes; 60 are used by Monday 17:30."""
    now = moment("16 17:30")
    seen = stretches((now - HOUR, UP), (now, DOWN), start=START)
    found = gone(agreement(calendar=OFFICE, availability_percent=99.0), seen, now, is_down=True, burn=50.0)

    assert found == pytest.approx(moment("17 09:23") + 0.4 * MINUTE, abs=0.01)


def test_at_the_present_burn_the_budget_is_gone_at_a_moment_or_not_in_this_period() -> None:
    """99.9 % of 30 days are 43.2 minutes; at a burn of 10 one of them goes in 100 minutes."""
    now = moment("16 12:00")
    seen = stretches((now - 20 * MINUTE, UP), (now - 10 * MINUTE, DOWN), (now, UP), start=START)

    assert gone(agreement(), seen, now, is_down=False, burn=10.0) == pytest.approx(now + 33.2 * 100 * MINUTE, abs=0.01)
    assert gone(agreement(), seen, now, is_down=False, burn=1.0) is None
    assert gone(agreement(), seen, now, is_down=False, burn=0.0) is None
    assert gone(agreement(), seen, now, is_down=False, burn=None) is None


def test_a_budget_that_is_gone_is_gone_now_and_one_of_nothing_goes_with_the_first_second() -> None:
    now = moment("16 12:00")
    seen = stretches((now - HOUR, UP), (now, DOWN), start=START)

    assert gone(agreement(), seen, now, is_down=True, burn=None) == now
    assert gone(agreement(availability_percent=100.0), seen[:1], now, is_down=False, burn=0.0) is None
