"""Seasons: where in the day, and in what kind of day, a moment lies by local time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Final

from btimd.model.units import UnixMillis

BIN_MINUTES: Final = 15
BINS_PER_DAY: Final = 24 * 60 // BIN_MINUTES
_BLOCK_HOURS: Final = 3
_BLOCKS_PER_DAY: Final = 24 // _BLOCK_HOURS


class DayKind(IntEnum):
    """Days that are alike. A make-up workday on a weekend is a WORKDAY, a holiday on a Monday is a HOLIDAY."""

    WORKDAY = 0
    SATURDAY = 1
    SUNDAY = 2
    HOLIDAY = 3


CELLS: Final = BINS_PER_DAY * len(DayKind)
BLOCKS: Final = _BLOCKS_PER_DAY * 2


@dataclass(frozen=True, slots=True)
class Place:
    """A moment in its season.

    bin: quarter of an hour of the day, 0..95; minute: of the bin. cell: kind of day and bin. before, after, weight: the
    cells whose middles the moment lies between, and how near to the second, 0..1. block: three hours of a workday, or
    of another day, whose spread is taken together. day: date as ordinal. bin_start: UTC, ms.
    """

    time: UnixMillis
    bin_start: UnixMillis
    day: int
    kind: DayKind
    bin: int
    minute: int
    cell: int
    before: int
    after: int
    weight: float
    block: int


def weekday_kind(day: date) -> DayKind:
    """Return the kind of a day by the calendar's week alone."""
    weekday = day.weekday()
    if weekday == 5:  # noqa: PLR2004  Saturday
        return DayKind.SATURDAY
    return DayKind.SUNDAY if weekday == 6 else DayKind.WORKDAY  # noqa: PLR2004  Sunday


class Season:
    """Finds places. Local time decides: when clocks are put back an hour comes twice, when put forward one is left out.

    kind_of: what a date is, for example by the holidays of a country.
    """

    def __init__(self, zone: tzinfo = UTC, kind_of: Callable[[date], DayKind] = weekday_kind) -> None:
        self._zone = zone
        self._kind_of = kind_of
        self._kinds: dict[date, DayKind] = {}

    def place(self, time: UnixMillis) -> Place:
        """Return where a moment (the middle of an interval) lies."""
        moment = datetime.fromtimestamp(time / 1000, UTC).astimezone(self._zone)
        number, minute = divmod(moment.hour * 60 + moment.minute, BIN_MINUTES)
        within = (minute * 60 + moment.second) / (BIN_MINUTES * 60) - 0.5
        kind = self._kind(moment.date())
        cell = kind * BINS_PER_DAY + number
        other = self._neighbour(moment.date(), number + (1 if within >= 0 else -1))
        before, after, weight = (cell, other, within) if within >= 0 else (other, cell, 1.0 + within)
        passed = (minute * 60 + moment.second) * 1000 + time % 1000
        return Place(
            time=time,
            bin_start=time - passed,
            day=moment.toordinal(),
            kind=kind,
            bin=number,
            minute=minute,
            cell=cell,
            before=before,
            after=after,
            weight=weight,
            block=(_BLOCKS_PER_DAY if kind else 0) + moment.hour // _BLOCK_HOURS,
        )

    def _neighbour(self, day: date, number: int) -> int:
        if not 0 <= number < BINS_PER_DAY:
            day += timedelta(days=1 if number > 0 else -1)
            number %= BINS_PER_DAY
        return self._kind(day) * BINS_PER_DAY + number

    def _kind(self, day: date) -> DayKind:
        found = self._kinds.get(day)
        if found is None:
            if len(self._kinds) > 4000:  # noqa: PLR2004  eleven years of days: a long life, or a clock that jumps
                self._kinds.clear()
            found = self._kinds[day] = self._kind_of(day)
        return found
