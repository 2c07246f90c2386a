"""[calendar.NAME]: classes of service hours, holidays and make-up workdays, and what is said of mistakes."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import Field

from btimd.model.calendar import ALWAYS, ServiceCalendar
from btimd.settings.calendars import (
    CalendarTables,
    announced_until,
    build_calendars,
    calendar_notes,
    pick_calendar,
    special_days,
)
from btimd.settings.fields import Section
from btimd.settings.load import read_toml, validate
from btimd.settings.report import SettingsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
NO_ZONE = 'is no time zone; write "Asia/Shanghai", "UTC", "Europe/Berlin"'
WRITE_A_COUNTRY = 'write an ISO 3166 code such as "CN", "US" or "DE-BY"'
WRITE_HOURS = "write other times, or `days` and `hours` instead of the class"


class Root(Section):
    calendar: CalendarTables = Field(default_factory=dict)


def load(tmp_path: Path, text: str) -> Mapping[str, ServiceCalendar]:
    file = tmp_path / "btimd.toml"
    file.write_text(text, "utf-8")
    return build_calendars(validate(read_toml(file), Root).calendar)


def one(tmp_path: Path, text: str) -> ServiceCalendar:
    return load(tmp_path, f"[calendar.c]\ntimezone = 'Asia/Shanghai'\n{text}\n")["c"]


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def hours_on(calendar: ServiceCalendar, first: str, last: str) -> list[float]:
    """Return the open hours of each date from the first to the last."""
    day, hours = date.fromisoformat(first), []
    while day <= date.fromisoformat(last):
        start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
        hours.append(calendar.between(start.timestamp(), (start + timedelta(days=1)).timestamp()) / 3600)
        day += timedelta(days=1)
    return hours


@pytest.mark.parametrize(
    ("name", "week"),
    [
        ("5x9", [9, 9, 9, 9, 9, 0, 0]),
        ("5x24", [24, 24, 24, 24, 24, 0, 0]),
        ("6x9", [9, 9, 9, 9, 9, 9, 0]),
        ("6x24", [24, 24, 24, 24, 24, 24, 0]),
        ("7x9", [9] * 7),
        ("7x24", [24] * 7),
    ],
)
def test_a_class_has_its_days_a_week_and_hours_a_day(tmp_path: Path, name: str, week: list[float]) -> None:
    assert hours_on(one(tmp_path, f'class = "{name}"'), "2026-11-16", "2026-11-22") == week


def test_the_nine_hours_may_begin_at_another_time(tmp_path: Path) -> None:
    calendar = one(tmp_path, 'class = "5x9"\nfrom = "08:30"\nto = "17:30"')
    opening = datetime(2026, 11, 23, 8, 30, tzinfo=SHANGHAI).timestamp()

    assert (calendar.is_open(opening - 1), calendar.is_open(opening)) == (False, True)


def test_days_and_hours_of_ones_own_stand_instead_of_a_class(tmp_path: Path) -> None:
    calendar = one(tmp_path, 'days = ["mon", "sat"]\nhours = ["08:00-12:00", "13:30-18:00", "22:00-02:00"]')

    assert hours_on(calendar, "2026-11-16", "2026-11-22") == [10.5, 2, 0, 0, 0, 10.5, 2]


def test_spring_festival_of_2025_is_closed_and_its_make_up_sunday_and_saturday_are_open(tmp_path: Path) -> None:
    calendar = one(tmp_path, 'class = "5x9"\nholidays = "CN"')

    # Sunday 26 January to Sunday 9 February
    assert hours_on(calendar, "2025-01-26", "2025-02-09") == [9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 0]


def test_spring_festival_of_2026_is_closed_and_both_its_make_up_saturdays_are_open(tmp_path: Path) -> None:
    calendar = one(tmp_path, 'class = "5x9"\nholidays = "CN"')

    # Saturday 14 February to Sunday 1 March
    assert hours_on(calendar, "2026-02-14", "2026-03-01") == [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 0]


def test_national_day_of_2026_moves_two_weekend_days(tmp_path: Path) -> None:
    calendar = one(tmp_path, 'class = "5x9"\nholidays = "CN"')

    assert hours_on(calendar, "2026-09-19", "2026-09-21") == [0, 9, 9]
    assert hours_on(calendar, "2026-10-01", "2026-10-11") == [0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 0]


def test_working_days_of_two_years_are_as_many_as_the_notices_of_the_state_council_leave(tmp_path: Path) -> None:
    """2025: 261 weekdays, 18 of them off, 5 weekend days worked; 2026: 261, 19 and 6."""
    calendar = one(tmp_path, 'class = "5x9"\nholidays = "CN"')

    assert sum(hours_on(calendar, "2025-01-01", "2025-12-31")) == 248 * 9
    assert sum(hours_on(calendar, "2026-01-01", "2026-12-31")) == 248 * 9


def test_own_dates_go_before_the_country(tmp_path: Path) -> None:
    calendar = one(
        tmp_path,
        'class = "5x9"\nholidays = "CN"\nclosed = [2026-02-14]\nopen = ["2026-02-17"]\n'
        '[calendar.c.special]\n2026-02-18 = ["10:00-12:00"]',
    )

    assert hours_on(calendar, "2026-02-14", "2026-02-18") == [0, 0, 0, 9, 2]


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    corpus_christi = date(2026, 6, 4)

    assert [corpus_christi in special_days(code)(2026).off for code in ("DE", "DE-BY", "")] == [False, True, False]


def test_it_is_told_up_to_which_year_make_up_workdays_are_known() -> None:
    assert announced_until("CN", 2026) == 2026
    assert announced_until("US", 2026) is None
    assert announced_until("", 2026) is None


def test_a_calendar_is_picked_by_its_name(tmp_path: Path) -> None:
    calendars = load(tmp_path, '[calendar.office]\nclass = "5x9"\ntimezone = "UTC"\n')

    assert list(calendars) == ["office", "always"]
    assert pick_calendar("office", calendars) is calendars["office"]
    assert pick_calendar("", calendars) is pick_calendar("always", calendars) is ALWAYS
    with pytest.raises(ValueError, match=r"no calendar 'ofice'; did you mean 'office'\?"):
        pick_calendar("ofice", calendars)


def test_every_mistake_is_told_with_its_line_and_what_to_write(tmp_path: Path) -> None:
    text = """[calendar.a]
class = "5x8"
timezone = "Asia/Peking"
holidays = "XX"
closed = [20260101]
[calendar.b]
class = "5x9"
timezone = "UTC"
from = "08:00"
to = "18:00"
closed = [2026-01-01]
open = [2026-01-02, 2026-01-01]
[calendar.c]
timezone = "UTC"
days = ["mon"]
hours = ["9-18", "09:00-09:00", "25:00-26:00"]
[calendar.d]
class = "7x24"
[calendar."no good"]
class = "7x24"
timezone = "UTC"
"""

    assert mistakes(tmp_path, text) == [
        "btimd.toml:2: calendar.a.class: '5x8' is not possible; write '5x9', '5x24', '6x9', '6x24', '7x9' or '7x24'",
        f"btimd.toml:3: calendar.a.timezone: 'Asia/Peking' {NO_ZONE}",
        f"btimd.toml:4: calendar.a.holidays: no holidays of 'XX' are known; {WRITE_A_COUNTRY}",
        "btimd.toml:5: calendar.a.closed[0]: 20260101 is no date; write 2026-02-17",
        f"btimd.toml:10: calendar.b.to: class 5x9 has 9 hours a day, these are 10; {WRITE_HOURS}",
        "btimd.toml:12: calendar.b.open: 2026-01-01 is in 'closed' too; say one thing of it",
        'btimd.toml:16: calendar.c.hours[0]: \'9\' is no time of day; write "09:00", from "00:00" to "24:00"',
        'btimd.toml:16: calendar.c.hours[1]: has no hours; a whole day is "00:00" to "24:00"',
        'btimd.toml:16: calendar.c.hours[2]: \'25:00\' is no time of day; write "09:00", from "00:00" to "24:00"',
        "btimd.toml:17: calendar.d.timezone: is missing; write it",
        "btimd.toml:19: calendar.no good: 'no good': a name has letters, digits, '-', '_' and '.', at most 63 of them",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", 'says no hours; write class = "5x9", or days = ["mon"] and hours = ["09:00-18:00"]'),
        ('days = ["mon"]', 'says no hours; write class = "5x9", or days = ["mon"] and hours = ["09:00-18:00"]'),
        (
            'days = ["mon"]\nhours = ["09:00-18:00"]\nfrom = "09:00"',
            "'from' and 'to' belong to a class; write the times in 'hours'",
        ),
        ('class = "5x9"\ndays = ["mon"]', "'days' and 'hours' stand instead of 'class'; take one away"),
        ('class = "5x24"\nto = "18:00"', "class 5x24 is open all day; take 'from' and 'to' away"),
        ('class = "5x9"\nfrom = "08:00"', "'from' and 'to' belong together; write both"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert mistakes(tmp_path, f'[calendar.c]\ntimezone = "UTC"\n{text}\n') == [f"btimd.toml:1: calendar.c: {told}"]


def test_the_calendar_without_end_keeps_its_name(tmp_path: Path) -> None:
    assert mistakes(tmp_path, '[calendar.always]\nclass = "7x24"\ntimezone = "UTC"\n') == [
        "btimd.toml:1: calendar.always: 'always' is the calendar without end; give this one another name"
    ]


def test_a_key_that_is_almost_right_is_told_as_it_is_written(tmp_path: Path) -> None:
    assert mistakes(tmp_path, '[calendar.c]\nclas = "7x24"\ntimezone = "UTC"\n') == [
        "btimd.toml:2: calendar.c.clas: unknown key; did you mean 'class'?"
    ]


def test_a_year_without_announced_make_up_workdays_is_told_from_december_on(tmp_path: Path) -> None:
    (tmp_path / "btimd.toml").write_text(
        '[calendar.a]\nclass = "5x9"\ntimezone = "Asia/Shanghai"\nholidays = "CN"\n'
        '[calendar.b]\nclass = "5x9"\ntimezone = "UTC"\nholidays = "US"\n'
    )
    tables = validate(read_toml(tmp_path / "btimd.toml"), Root).calendar

    assert calendar_notes(tables, datetime(2026, 11, 30, 12, tzinfo=SHANGHAI).timestamp()) == []
    assert calendar_notes(tables, datetime(2026, 12, 2, tzinfo=SHANGHAI).timestamp()) == [
        (
            "calendar a: the make-up workdays of 2027 in CN are not known to the package 'holidays'; update it, or write"
            " the days into 'open' and 'closed'"
        )
    ]
