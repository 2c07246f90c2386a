"""Calendar periods of a time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from btimd.model.agreement import PeriodKind
from btimd.sla.periods import period_bounds, periods_between

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        (PeriodKind.WEEK, "2026-12-28", "2027-01-04"),
        (PeriodKind.MONTH, "2026-12-01", "2027-01-01"),
        (PeriodKind.QUARTER, "2026-10-01", "2027-01-01"),
        (PeriodKind.YEAR, "2026-01-01", "2027-01-01"),
    ],
)
def test_a_period_begins_and_ends_at_midnight_of_its_zone(kind: PeriodKind, start: str, end: str) -> None:
    for inside in (at("2026-12-28"), at("2026-12-31 23:59:59")):
        assert period_bounds(kind, SHANGHAI, inside) == (at(start), at(end))


def test_the_month_of_shanghai_begins_before_that_of_utc() -> None:
    assert period_bounds(PeriodKind.MONTH, SHANGHAI, at("2026-11-30 16:30", ZoneInfo("UTC")))[0] == at("2026-12-01")


def test_a_week_in_which_clocks_change_is_an_hour_shorter() -> None:
    start, end = period_bounds(PeriodKind.WEEK, BERLIN, at("2026-03-25", BERLIN))

    assert (end - start) / 3600 == 7 * 24 - 1


def test_the_periods_of_a_stretch_of_time_follow_each_other() -> None:
    assert list(periods_between(PeriodKind.QUARTER, SHANGHAI, at("2026-06-30"), at("2026-10-01 00:00:01"))) == [
        (at("2026-04-01"), at("2026-07-01")),
        (at("2026-07-01"), at("2026-10-01")),
        (at("2026-10-01"), at("2027-01-01")),
    ]
