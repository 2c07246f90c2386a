"""A calendar day by day."""

from datetime import date

from btimd.model.calendar import ALWAYS, CalendarRule, ServiceCalendar
from btimd.model.levels import CalendarDay, OpenStretch
from btimd.sla.calendardays import calendar_info
from tests.sla.agreeing import HOUR, SHANGHAI, moment


def test_days_that_are_not_as_their_weekday_is_are_marked() -> None:
    rule = CalendarRule(
        zone=SHANGHAI, weekdays=frozenset(range(5)), hours=((540, 1080),),
        closed=frozenset({date(2026, 11, 17)}), opened=frozenset({date(2026, 11, 21)}),
    )  # fmt: skip
    found = calendar_info(ServiceCalendar("office", rule), moment("16 10:00"), moment("16 10:00"), 7)

    assert (found.name, found.timezone, found.is_open) == ("office", "Asia/Shanghai", True)
    assert found.next_change_at == moment("16 18:00")
    assert [(one.day[-2:], len(one.stretches), one.usual) for one in found.days] == [
        ("16", 1, True), ("17", 0, False), ("18", 1, True), ("19", 1, True), ("20", 1, True), ("21", 1, False), ("22", 0, True),
    ]  # fmt: skip
    assert found.days[0].stretches == (OpenStretch(moment("16 09:00"), moment("16 18:00")),)
    assert found.open_seconds == 5 * 9 * HOUR


def test_the_calendar_without_end_is_open_all_day_in_utc() -> None:
    found = calendar_info(ALWAYS, 86_400.0, 86_400.0, 1)

    assert found.days == (CalendarDay("1970-01-02", (OpenStretch(86_400.0, 172_800.0),), usual=True),)
    assert (found.timezone, found.next_change_at) == ("UTC", None)
