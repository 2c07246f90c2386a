"""A service calendar as people look at it: day by day, with the days that are not as their weekday is."""

from datetime import UTC, datetime, timedelta, tzinfo

from btimd.model.calendar import DayHours, ServiceCalendar
from btimd.model.levels import CalendarDay, CalendarInfo, OpenStretch
from btimd.model.units import UnixSeconds


def calendar_info(calendar: ServiceCalendar, at: UnixSeconds, first: UnixSeconds, days: int) -> CalendarInfo:
    """Return a calendar from the day of `first` on. at: the moment that it is open or not."""
    rule = calendar.rule
    zone: tzinfo = UTC if rule is None else rule.zone
    begins = datetime.fromtimestamp(first, zone).date()
    shown = []
    for number in range(days):
        day = begins + timedelta(days=number)
        low, high = (
            datetime(one.year, one.month, one.day, tzinfo=zone).timestamp() for one in (day, day + timedelta(days=1))
        )
        stretches = tuple(OpenStretch(start, end) for start, end in calendar.stretches(low, high))
        usual = True
        if rule is not None:
            hours: DayHours = rule.hours if day.weekday() in rule.weekdays else ()
            usual = rule.hours_of(day) == hours
        shown.append(CalendarDay(day.isoformat(), stretches, usual))
    return CalendarInfo(
        name=calendar.name,
        timezone=getattr(zone, "key", "UTC"),
        is_open=calendar.is_open(at),
        next_change_at=calendar.next_change(at),
        days=tuple(shown),
        open_seconds=sum(one.end_at - one.start_at for day in shown for one in day.stretches),
    )
