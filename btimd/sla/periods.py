"""The calendar weeks, months, quarters and years of a time zone."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from btimd.model.agreement import PeriodKind
from btimd.model.units import UnixSeconds

_MONTHS: Final = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}
_MONTHS_PER_YEAR: Final = 12
_WEEK: Final = timedelta(days=7)


def first_day(kind: PeriodKind, day: date) -> date:
    """Return the first day of the period a day is in. Weeks begin on Monday (ISO 8601)."""
    if kind is PeriodKind.WEEK:
        return day - timedelta(days=day.weekday())
    months = _MONTHS[kind]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def following(kind: PeriodKind, first: date) -> date:
    """Return the first day of the next period."""
    if kind is PeriodKind.WEEK:
        return first + _WEEK
    number = first.year * _MONTHS_PER_YEAR + first.month - 1 + _MONTHS[kind]
    return date(number // _MONTHS_PER_YEAR, number % _MONTHS_PER_YEAR + 1, 1)


def period_bounds(kind: PeriodKind, zone: tzinfo, at: UnixSeconds) -> tuple[UnixSeconds, UnixSeconds]:
    """Return the first moment of the period a moment is in, and that of the next one, at midnight of the zone."""
    first = first_day(kind, datetime.fromtimestamp(at, zone).date())
    return _midnight(first, zone), _midnight(following(kind, first), zone)


def periods_between(
    kind: PeriodKind, zone: tzinfo, start: UnixSeconds, end: UnixSeconds
) -> Iterator[tuple[UnixSeconds, UnixSeconds]]:
    """Yield the periods that reach into a stretch of time, oldest first."""
    first = first_day(kind, datetime.fromtimestamp(start, zone).date())
    while (begins := _midnight(first, zone)) < end:
        later = following(kind, first)
        yield begins, _midnight(later, zone)
        first = later


def _midnight(day: date, zone: tzinfo) -> UnixSeconds:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
