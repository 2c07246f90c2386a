"""ServiceCalendar: when a service is agreed to run, and arithmetic in the time that is inside it.

Open time is a row of half-open stretches [start, end) of UTC seconds that do not touch, with the open time up to the
end of each summed beforehand: every question is one or two searches in sorted lists, whatever the span it is about.
The stretches are made year by year from a CalendarRule, at need and up to LAST_YEAR at most; years that are known
are never made again.

What a wall clock time means where clocks are changed: the first moment at which the clock shows it or something
later. So 02:30 in a night that jumps from 02:00 to 03:00 is the moment of the jump, 02:30 in a night with two of them
is the first, and a day from 00:00 to 24:00 has 23 or 25 hours.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final, TypeAlias

from btimd.model.units import MILLIS_PER_SECOND, Seconds, UnixMillis, UnixSeconds

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
MINUTES_PER_DAY: Final = 1440
_SECONDS_PER_MINUTE: Final = 60
_LOWEST: Final = 0.0
_HIGHEST: Final = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()

Stretch: TypeAlias = tuple[int, int]
"""[start, end): open time in whole seconds since 1970 UTC."""

DayHours: TypeAlias = tuple[tuple[int, int], ...]
"""The hours of a day: [from, to) in minutes since its midnight by the wall clock; `to` beyond 1440 is the next day."""


class CalendarHorizonError(ValueError):
    """A moment is outside the years a calendar can know, or so much open time does not come before their end."""


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Days of a year that are not what their weekday says: days off, and weekend days on which people work."""

    off: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()


def _no_special_days(_: int) -> SpecialDays:
    return SpecialDays()


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRule:
    """What open time follows from. weekdays: 0 is Monday. special_days: a country's, of a year.

    A date's hours: its own, if `own_hours` has it; none, if it is in `closed`; `hours`, if it is in `opened`; none on
    a country's days off; `hours` on its working weekend days and on `weekdays`; none on all others.
    """

    zone: tzinfo
    weekdays: frozenset[int]
    hours: DayHours
    special_days: Callable[[int], SpecialDays] = _no_special_days
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()
    own_hours: Mapping[date, DayHours] = field(default_factory=lambda: MappingProxyType({}))

    def stretches(self, year: int) -> list[Stretch]:
        """Return the open time of the days of a year, sorted; the last one may end in the next year."""
        special = self.special_days(year)
        first = date(year, 1, 1)
        merged: list[list[int]] = []
        for number in range((date(year + 1, 1, 1) - first).days):
            for begins, ends in sorted(self._hours_of(first + timedelta(days=number), special)):
                low, high = number * MINUTES_PER_DAY + begins, number * MINUTES_PER_DAY + ends
                if merged and low <= merged[-1][1]:
                    merged[-1][1] = max(merged[-1][1], high)
                elif low < high:
                    merged.append([low, high])
        midnight = datetime(year, 1, 1)  # noqa: DTZ001  a wall clock's time, placed in the zone below
        whole = [(self._moment(midnight, low), self._moment(midnight, high)) for low, high in merged]
        return [(start, end) for start, end in whole if start < end]

    def hours_of(self, day: date) -> DayHours:
        """Return the hours of a date."""
        return self._hours_of(day, self.special_days(day.year))

    def _hours_of(self, day: date, special: SpecialDays) -> DayHours:
        if (own := self.own_hours.get(day)) is not None:
            return own
        if day in self.closed:
            return ()
        if day in self.opened:
            return self.hours
        if day in special.off:
            return ()
        return self.hours if day.weekday() in self.weekdays or day in special.working else ()

    def _moment(self, midnight: datetime, minutes: int) -> int:
        """Return the first moment at which the clocks of the zone show so many minutes after a midnight, or more."""
        wall = midnight + timedelta(minutes=minutes)
        moment = round(wall.replace(tzinfo=self.zone).timestamp())
        if datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None) == wall:
            return moment
        # the clocks jump over it: of the two readings one is before the jump and one is not
        low, high = round(wall.replace(tzinfo=self.zone, fold=1).timestamp()), moment
        while high - low > 1:
            middle = (low + high) // 2
            shown = datetime.fromtimestamp(middle, self.zone).replace(tzinfo=None)
            low, high = (low, middle) if shown >= wall else (middle, high)
        return high


@dataclass(frozen=True, slots=True)
class _Known:
    """The open time of years low..high. open_until[i]: all open time up to ends[i]. The years between are complete."""

    low: int
    high: int
    starts: Sequence[int]
    ends: Sequence[int]
    open_until: Sequence[int]

    def index(self, second: float) -> int:
        """Return how many stretches begin at a moment or before."""
        return bisect_right(self.starts, second)


class ServiceCalendar:
    """Agreed service time. Moments outside FIRST_YEAR..LAST_YEAR raise CalendarHorizonError.

    rule None: always open, without bounds. What was made of the rule is kept; asking changes nothing else.
    """

    __slots__ = ("_known", "_name", "_rule", "_years")

    def __init__(self, name: str, rule: CalendarRule | None) -> None:
        self._name = name
        self._rule = rule
        self._years: dict[int, list[Stretch]] = {}
        self._known: _Known | None = None

    @property
    def name(self) -> str:
        """The calendar's name."""
        return self._name

    @property
    def rule(self) -> CalendarRule | None:
        """What open time follows from; None: always open."""
        return self._rule

    def is_open(self, at: UnixSeconds) -> bool:
        """Tell whether a moment is inside the service time; the moment of closing is not."""
        if self._rule is None:
            return True
        known = self._covering(at, at)
        index = known.index(at)
        return index > 0 and at < known.ends[index - 1]

    def between(self, start: UnixSeconds, end: UnixSeconds) -> Seconds:
        """Return the open time from `start` to `end`; 0 where `end` is not after `start`."""
        if end <= start:
            return 0.0
        if self._rule is None:
            return end - start
        known = self._covering(start, end)
        return _open_before(known, end) - _open_before(known, start)

    def milliseconds_between(self, start: UnixMillis, end: UnixMillis) -> int:
        """Return the open time between two moments in whole milliseconds, exactly; 0 where `end` is not after."""
        if end <= start:
            return 0
        if self._rule is None:
            return end - start
        known = self._covering(start / MILLIS_PER_SECOND, end / MILLIS_PER_SECOND)
        return _open_milliseconds_before(known, end) - _open_milliseconds_before(known, start)

    def add(self, start: UnixSeconds, seconds: Seconds) -> UnixSeconds:
        """Return the first moment by which so much open time has passed since `start`.

        0 seconds: `start` itself, open or not. Time that is used up at closing time ends there, not at the next
        opening. Raises ValueError for a negative time, CalendarHorizonError where so much does not come.
        """
        if seconds < 0:
            raise ValueError(f"calendar {self._name}: {seconds} seconds cannot be added")
        if self._rule is None or seconds == 0:
            return start + seconds
        known = self._covering(start, start)
        wanted = _open_before(known, start) + seconds
        while not known.open_until or known.open_until[-1] < wanted:
            more = self._beyond(known)
            if more is None:
                raise CalendarHorizonError(
                    f"calendar {self._name}: {seconds:g} s of open time do not come between {_shown(start)} and the"
                    f" end of {LAST_YEAR}; take a calendar with more hours or a shorter time"
                )
            # years are only appended here, so what is open before `start` stays what it is
            known = more
        index = bisect_left(known.open_until, wanted)
        return max(start, known.ends[index] - (known.open_until[index] - wanted))

    def subtract(self, end: UnixSeconds, seconds: Seconds) -> UnixSeconds:
        """Return the last moment since which so much open time has passed until `end`; 0 seconds: `end` itself.

        Where so much has not passed since FIRST_YEAR, that is the start of the calendar: never an error.
        """
        if seconds < 0:
            raise ValueError(f"calendar {self._name}: {seconds} seconds cannot be taken away")
        if self._rule is None or seconds == 0:
            return end - seconds
        known = self._covering(end, end)
        while (wanted := _open_before(known, end) - seconds) < 0:
            if known.low < FIRST_YEAR:
                return _LOWEST
            known = self._make(max(known.low - max(known.high - known.low, 1), FIRST_YEAR - 1), known.high)
        index = bisect_right(known.open_until, wanted)
        return min(end, known.ends[index] - (known.open_until[index] - wanted))

    def next_change(self, at: UnixSeconds) -> UnixSeconds | None:
        """Return the first moment after `at` at which the calendar opens or closes; None: not before LAST_YEAR ends."""
        if self._rule is None:
            return None
        known: _Known | None = self._covering(at, at)
        while known is not None:
            index = known.index(at)
            # the last stretch may go on in the next year
            if 0 < index < len(known.starts) and at < known.ends[index - 1]:
                return known.ends[index - 1]
            if index < len(known.starts) and (index == 0 or at >= known.ends[index - 1]):
                return known.starts[index]
            known = self._beyond(known)
        return None

    def stretches(self, start: UnixSeconds, end: UnixSeconds) -> Iterator[tuple[UnixSeconds, UnixSeconds]]:
        """Yield the open time from `start` to `end`, in order."""
        if end <= start:
            return
        if self._rule is None:
            yield start, end
            return
        known = self._covering(start, end)
        for index in range(max(known.index(start) - 1, 0), len(known.starts)):
            if known.starts[index] >= end:
                return
            low, high = max(start, known.starts[index]), min(end, known.ends[index])
            if low < high:
                yield low, high

    # -- years

    def _covering(self, start: UnixSeconds, end: UnixSeconds) -> _Known:
        """Return what is known, with every year from `start` to `end` and one on either side.

        The years beside are needed because local years begin and end at other moments than those of UTC.
        """
        low, high = self._year(start) - 1, self._year(end) + 1
        known = self._known
        if known is None or low < known.low or high > known.high:
            known = self._make(low, high) if known is None else self._make(min(low, known.low), max(high, known.high))
        return known

    def _beyond(self, known: _Known) -> _Known | None:
        """Return what is known with as many years more as there are, None at the horizon."""
        if known.high > LAST_YEAR:
            return None
        return self._make(known.low, min(known.high + max(known.high - known.low, 1), LAST_YEAR + 1))

    def _make(self, low: int, high: int) -> _Known:
        rule = self._rule
        starts: list[int] = []
        ends: list[int] = []
        for year in range(low, high + 1):
            if year not in self._years:
                self._years[year] = [] if rule is None else rule.stretches(year)
            for start, end in self._years[year]:
                if ends and start <= ends[-1]:
                    ends[-1] = max(ends[-1], end)
                else:
                    starts.append(start)
                    ends.append(end)
        total = 0
        open_until: list[int] = []
        for start, end in zip(starts, ends, strict=True):
            total += end - start
            open_until.append(total)
        self._known = _Known(low, high, tuple(starts), tuple(ends), tuple(open_until))
        return self._known

    def _year(self, at: UnixSeconds) -> int:
        if not _LOWEST <= at < _HIGHEST:
            raise CalendarHorizonError(
                f"calendar {self._name}: the moment {at!r} is outside the years {FIRST_YEAR} to {LAST_YEAR}"
            )
        return datetime.fromtimestamp(at, UTC).year


def _open_before(known: _Known, at: UnixSeconds) -> Seconds:
    index = known.index(at)
    return known.open_until[index - 1] - max(known.ends[index - 1] - at, 0) if index else 0.0


def _open_milliseconds_before(known: _Known, at: UnixMillis) -> int:
    index = known.index(at // MILLIS_PER_SECOND)
    if not index:
        return 0
    return known.open_until[index - 1] * MILLIS_PER_SECOND - max(known.ends[index - 1] * MILLIS_PER_SECOND - at, 0)


def _shown(at: UnixSeconds) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


ALWAYS: Final = ServiceCalendar("always", None)
"""Every hour of every day, without bounds."""
