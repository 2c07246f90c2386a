import calendar

import pytest

from btimd.itsm.notify.quiet import local_hour, quiet_until
from btimd.model.incident import Priority
from btimd.model.notification import QuietHours

NIGHT = QuietHours(22 * 60, 7 * 60)


def utc(*when: int) -> float:
    return float(calendar.timegm((*when, 0)))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (utc(2026, 11, 20, 13, 59), None),  # 21:59 in Shanghai
        (utc(2026, 11, 20, 14, 0), utc(2026, 11, 20, 23, 0)),
        (utc(2026, 11, 20, 22, 59), utc(2026, 11, 20, 23, 0)),
        (utc(2026, 11, 20, 23, 0), None),
    ],
)
def test_the_night_is_quiet_by_the_persons_own_clock(now: float, until: float | None) -> None:
    assert quiet_until(NIGHT, Priority.P4, "Asia/Shanghai", now) == until
    assert quiet_until(NIGHT, Priority.P3, "Asia/Shanghai", now) is None


def test_quiet_hours_of_a_weekday_last_into_the_next_day() -> None:
    friday = QuietHours(22 * 60, 7 * 60, frozenset({4}), Priority.P1)

    assert quiet_until(friday, Priority.P1, "UTC", utc(2026, 11, 21, 6, 0)) == utc(2026, 11, 21, 7, 0)
    assert quiet_until(friday, Priority.P1, "UTC", utc(2026, 11, 21, 23, 0)) is None


def test_where_clocks_change_in_the_night_it_ends_by_the_new_time() -> None:
    assert quiet_until(NIGHT, Priority.P5, "Europe/Berlin", utc(2026, 3, 28, 23, 0)) == utc(2026, 3, 29, 5, 0)
    assert quiet_until(NIGHT, Priority.P5, "Europe/Berlin", utc(2026, 10, 24, 23, 0)) == utc(2026, 10, 25, 6, 0)


def test_equal_ends_are_no_quiet_hours() -> None:
    assert quiet_until(QuietHours(60, 60), Priority.P5, "UTC", utc(2026, 11, 20, 1, 0)) is None
    assert quiet_until(None, Priority.P5, "UTC", 0.0) is None
    assert local_hour("Asia/Shanghai", 0.0) == 8
