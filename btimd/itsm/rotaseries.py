"""A rota as recurring events: for each person and turn a rule, the days on which it does not hold, and what else is.

A recurring event says "the same local times, so many hours long". Where that is not what the rota says (an override, an
absence, a holiday, a day when clocks change) the day is taken out, and what is true stands beside it as a single event.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from btimd.itsm.rota import Rota, instant, local_day
from btimd.model.duty import DayRule, DutyRole, DutySlot, Shift
from btimd.model.units import UnixSeconds

_AROUND_SECONDS = 3 * 86_400.0
_DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring event: on each of `weekdays` from `first` to `last`, every `interval` days or weeks.

    by_week: weeks are counted, from Monday; else days. Times are minutes after midnight, local. without: days of the
    rule on which it does not hold. turn: tells several of a shift and person apart.
    """

    shift: str
    group: str
    person: str
    role: DutyRole
    timezone: str
    from_minute: int
    to_minute: int
    first: date
    last: date
    interval: int
    by_week: bool
    weekdays: frozenset[int]
    turn: int
    without: tuple[date, ...] = ()

    def days(self) -> Iterator[date]:
        """Yield the days of the rule, those of `without` too."""
        day = self.first
        monday = day - timedelta(days=day.weekday())
        while day <= self.last:
            turn = not self.by_week or (day - monday).days // _DAYS_PER_WEEK % self.interval == 0
            if turn and day.weekday() in self.weekdays:
                yield day
            day += timedelta(days=1 if self.by_week else self.interval)


def series_of(rota: Rota, group: str, start: UnixSeconds, end: UnixSeconds) -> tuple[list[Series], list[DutySlot]]:
    """Return the duty of a group that begins within a span: what recurs, and what is not told by that."""
    slots = rota.slots(group, start - _AROUND_SECONDS, end + _AROUND_SECONDS)
    open_slots = {
        (slot.start_at, slot.end_at, slot.person, slot.role, slot.source): slot
        for slot in slots
        if start <= slot.start_at < end
    }
    found: list[Series] = []
    for shift in rota.shifts(group):
        for rule in _rules(shift, start, end):
            zone = ZoneInfo(shift.timezone)
            without: list[date] = []
            for day in rule.days():
                low, high = instant(day, shift.from_minute, zone), instant(day, shift.to_minute, zone)
                key = (low, high, rule.person, rule.role, rule.shift)
                if high - low == (shift.to_minute - shift.from_minute) * 60 and key in open_slots:
                    del open_slots[key]
                else:
                    without.append(day)
            gone = frozenset(without)
            last = max((day for day in rule.days() if day not in gone), default=None)
            if last is not None:
                found.append(replace(rule, last=last, without=tuple(day for day in without if day <= last)))
    return found, sorted(open_slots.values(), key=lambda slot: (slot.start_at, slot.person, slot.role, slot.end_at))


def _rules(shift: Shift, start: UnixSeconds, end: UnixSeconds) -> Iterator[Series]:
    """Yield the rules of a shift over a span, as if there were no holidays and overrides."""
    zone = ZoneInfo(shift.timezone)
    low = max(local_day(start, zone), shift.since or date.min)
    high = min(local_day(end, zone), shift.until or date.max)
    weekdays = {
        DayRule.WEEKDAYS: shift.weekdays,
        DayRule.WORKDAYS: frozenset(range(5)),
        DayRule.FREE_DAYS: frozenset({5, 6}),
    }[shift.days]
    period = len(shift.crews) * shift.rotate_days or _DAYS_PER_WEEK
    by_week = period % _DAYS_PER_WEEK == 0
    if by_week:
        monday = low - timedelta(days=low.weekday())
        turns = [[monday + timedelta(days=week + day) for day in range(7)] for week in range(0, period, _DAYS_PER_WEEK)]
    else:
        turns = [[low + timedelta(days=day)] for day in range(period)]
    for turn, days in enumerate(turns):
        on: dict[str, set[int]] = {}
        for day in days:
            for person in dict.fromkeys(shift.crew(day)):
                on.setdefault(person, set()).add(day.weekday())
        for person, its_days in on.items():
            rule = Series(
                shift=shift.id,
                group=shift.group,
                person=person,
                role=shift.role,
                timezone=shift.timezone,
                from_minute=shift.from_minute,
                to_minute=shift.to_minute,
                first=days[0],
                last=high,
                interval=period // _DAYS_PER_WEEK if by_week else period,
                by_week=by_week,
                weekdays=frozenset(its_days & weekdays) if by_week else weekdays,
                turn=turn,
            )
            begins = next((day for day in rule.days() if day >= low), None)
            if begins is not None:
                yield replace(rule, first=begins)
