"""Who is on duty when: the rules of a rota worked out for a moment or a span of time, exact to the second.

Rules are kept in local time, since people live in it; everything that leaves this module is in UTC seconds. A shift
that ends as the next begins leaves no gap and no overlap on the days when clocks change: both are the same local time,
and so the same instant. A local time that a clock skips is the moment it is put forward; of one that comes twice the
first counts. So a later local time is never an earlier moment.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from btimd.model.duty import (
    MINUTES_PER_DAY,
    DayRule,
    DutyOverride,
    DutyRole,
    DutySlot,
    GroupRota,
    People,
    Person,
    Presence,
    RotaRules,
    Shift,
    WorkingHours,
)
from btimd.model.units import Seconds, UnixSeconds

SOON_SECONDS: Final = 3600.0
"""Whose shift starts within this time can be asked if nobody else is there."""
CHUNK_SECONDS: Final = 7 * 86_400
"""Duty is worked out and kept by the week."""
_MOST_CHUNKS: Final = 1024
_CHUNKS_AHEAD: Final = 6
"""How many weeks are searched for a change of duty."""

OnDuty = Mapping[str, DutyRole]
"""Person id -> role, of those on duty at a moment."""


def instant(day: date, minute: int, zone: ZoneInfo) -> UnixSeconds:
    """Return the moment of a local time. minute: after midnight, may lie on a later day (1500 = 01:00 the next day)."""
    at = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001  the zone follows
    aware = at.replace(tzinfo=zone)
    before, after = aware.utcoffset(), aware.replace(fold=1).utcoffset()
    if before is None or after is None or before >= after:
        return aware.timestamp()
    low, high = int(aware.replace(fold=1).timestamp()), int(aware.timestamp())
    while high - low > 1:  # the clock is put forward after low, and at high or before
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return float(high)


def local_day(at: UnixSeconds, zone: ZoneInfo) -> date:
    """Return the local date of a moment."""
    return datetime.fromtimestamp(at, zone).date()


def hours_between(
    hours: WorkingHours, zone: ZoneInfo, start: UnixSeconds, end: UnixSeconds
) -> Iterator[tuple[UnixSeconds, UnixSeconds]]:
    """Yield the parts of a span that lie within weekly hours."""
    until = hours.to_minute if hours.to_minute > hours.from_minute else hours.to_minute + MINUTES_PER_DAY
    for day in _days(start, end, zone, until):
        if day.weekday() in hours.weekdays:
            low, high = max(instant(day, hours.from_minute, zone), start), min(instant(day, until, zone), end)
            if low < high:
                yield low, high


def _days(start: UnixSeconds, end: UnixSeconds, zone: ZoneInfo, to_minute: int) -> Iterator[date]:
    """Yield the local days on which something that lasts up to to_minute can begin to touch a span."""
    day = local_day(start, zone) - timedelta(days=to_minute // MINUTES_PER_DAY + 1)
    last = local_day(end, zone) + timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The duty of a group for a week: `on[i]` holds from `starts[i]` until before the next start."""

    starts: tuple[UnixSeconds, ...]
    on: tuple[OnDuty, ...]


class Rota:
    """The rules of a rota with the people they name. Equal questions get equal answers; what was worked out is kept.

    imported: slots read from calendars, for as long as those were read. Groups without rules, shifts and imported
    slots follow their members' working hours, and without those are always there.
    """

    def __init__(self, rules: RotaRules, people: People, imported: Sequence[DutySlot] = ()) -> None:
        self.rules = rules
        self.people = people
        self.imported = tuple(imported)
        self._shifts: dict[str, list[Shift]] = {}
        for shift in rules.shifts:
            self._shifts.setdefault(shift.group, []).append(shift)
        self._imported: dict[str, list[DutySlot]] = {}
        for slot in imported:
            self._imported.setdefault(slot.group, []).append(slot)
        for group in people.groups:
            if group not in rules.groups and group not in self._shifts and group not in self._imported:
                self._shifts[group] = [shift for one in people.members(group) for shift in _shifts_of_hours(one, group)]
        self._overrides: dict[str, list[DutyOverride]] = {}
        for override in rules.overrides:
            self._overrides.setdefault(override.group, []).append(override)
        self._chunks: dict[tuple[str, int], _Chunk] = {}

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group of which something is known, sorted."""
        return tuple(sorted({*self.rules.groups, *self._shifts, *self._imported, *self._overrides}))

    def is_ruled(self, group: str) -> bool:
        """Tell whether the duty of a group is ruled, and is not just its people's working hours."""
        return (
            group in self.rules.groups
            or group in self._imported
            or any(shift.group == group for shift in self.rules.shifts)
        )

    def shifts(self, group: str) -> tuple[Shift, ...]:
        """Return the shifts of a group, with those that stand for working hours."""
        return tuple(self._shifts.get(group, ()))

    def with_imported(self, imported: Sequence[DutySlot]) -> "Rota":
        """Return the same rota with other slots from calendars."""
        return Rota(self.rules, self.people, imported)

    def on_duty(self, group: str, at: UnixSeconds) -> OnDuty:
        """Return who is on duty. A person who is both is PRIMARY."""
        chunk = self._chunk(group, int(at // CHUNK_SECONDS))
        return chunk.on[bisect_right(chunk.starts, at) - 1]

    def next_change(self, group: str, at: UnixSeconds) -> UnixSeconds | None:
        """Return when others will be on duty than now; None = not within five weeks."""
        now = self.on_duty(group, at)
        number = int(at // CHUNK_SECONDS)
        for ahead in range(_CHUNKS_AHEAD):
            chunk = self._chunk(group, number + ahead)
            for start, on in zip(chunk.starts, chunk.on, strict=True):
                if start > at and on != now:
                    return start
        return None

    def next_change_of_any(self, at: UnixSeconds) -> UnixSeconds | None:
        """Return when the duty of any group changes next, for what waits until somebody comes."""
        changes = (self.next_change(group, at) for group in self.groups)
        return min((change for change in changes if change is not None), default=None)

    def presences(self, group: str, at: UnixSeconds, soon: Seconds = SOON_SECONDS) -> dict[str, Presence]:
        """Return how people stand to a group's duty; who is not in it is OFF."""
        found: dict[str, Presence] = {}
        number = int(at // CHUNK_SECONDS)
        for chunk in (self._chunk(group, one) for one in range(number, int((at + soon) // CHUNK_SECONDS) + 1)):
            low, high = max(bisect_right(chunk.starts, at) - 1, 0), bisect_right(chunk.starts, at + soon)
            for on in chunk.on[low:high]:
                for person in on:
                    found[person] = Presence.SOON
        for person, role in self.on_duty(group, at).items():
            found[person] = Presence.ON_SHIFT if role is DutyRole.PRIMARY else Presence.BACKUP
        return found

    def slots(self, group: str, start: UnixSeconds, end: UnixSeconds) -> list[DutySlot]:
        """Return the duty of a group within a span, by start, cut at its ends."""
        found = [
            slot
            for shift in self._shifts.get(group, ())
            for slot in shift_slots(shift, self.rules.groups.get(group), start, end)
        ]
        found += self._imported.get(group, ())
        for override in self._overrides.get(group, ()):
            found = _overridden(found, override)
        for absence in self.rules.absences:
            if absence.start_at < end and absence.end_at > start:
                found = [
                    part
                    for slot in found
                    for part in (
                        _outside(slot, absence.start_at, absence.end_at) if slot.person == absence.person else (slot,)
                    )
                ]
        cut = (replace(slot, start_at=max(slot.start_at, start), end_at=min(slot.end_at, end)) for slot in found)
        return sorted(
            (slot for slot in cut if slot.start_at < slot.end_at),
            key=lambda slot: (slot.start_at, slot.role is DutyRole.BACKUP, slot.person, slot.end_at, slot.source),
        )

    def _chunk(self, group: str, number: int) -> _Chunk:
        chunk = self._chunks.get((group, number))
        if chunk is None:
            start = float(number * CHUNK_SECONDS)
            chunk = _chunk_of(self.slots(group, start, start + CHUNK_SECONDS), start, start + CHUNK_SECONDS)
            if len(self._chunks) >= _MOST_CHUNKS:
                del self._chunks[next(iter(self._chunks))]
            self._chunks[group, number] = chunk
        return chunk


def presence(rota: Rota, person: str, group: str, at: UnixSeconds) -> Presence:
    """Return how a person stands to the duty of a group."""
    return rota.presences(group, at).get(person, Presence.OFF)


def shift_slots(shift: Shift, rota: GroupRota | None, start: UnixSeconds, end: UnixSeconds) -> Iterator[DutySlot]:
    """Yield what a shift alone makes of days, whole slots that touch the span; rota tells holidays."""
    zone = ZoneInfo(shift.timezone)
    for day in _days(start, end, zone, shift.to_minute):
        if not begins_on(shift, rota, day):
            continue
        low, high = instant(day, shift.from_minute, zone), instant(day, shift.to_minute, zone)
        if low < end and high > start and low < high:
            for person in shift.crew(day):
                yield DutySlot(low, high, shift.group, person, shift.role, shift.id)


def begins_on(shift: Shift, rota: GroupRota | None, day: date) -> bool:
    """Tell whether a shift begins on a local day."""
    if (shift.since is not None and day < shift.since) or (shift.until is not None and day > shift.until):
        return False
    if shift.days is DayRule.WEEKDAYS:
        return day.weekday() in shift.weekdays
    workday = rota.is_workday(day) if rota is not None else day.weekday() < 5  # noqa: PLR2004  Saturday
    return workday is (shift.days is DayRule.WORKDAYS)


def _shifts_of_hours(person: Person, group: str) -> Iterator[Shift]:
    """Yield a person's working hours as shifts; none = always."""
    always = WorkingHours(frozenset(range(7)), 0, MINUTES_PER_DAY)
    for hours in person.hours or (always,):
        ends = hours.to_minute if hours.to_minute > hours.from_minute else hours.to_minute + MINUTES_PER_DAY
        yield Shift(
            id="working hours",
            group=group,
            timezone=person.timezone,
            from_minute=hours.from_minute,
            to_minute=ends,
            crews=((person.id,),),
            weekdays=hours.weekdays,
        )


def _outside(slot: DutySlot, start: UnixSeconds, end: UnixSeconds) -> Iterator[DutySlot]:
    """Yield what is left of a slot outside a span."""
    if slot.start_at < start:
        yield replace(slot, end_at=min(slot.end_at, start))
    if slot.end_at > end:
        yield replace(slot, start_at=max(slot.start_at, end))


def _overridden(slots: Iterable[DutySlot], override: DutyOverride) -> list[DutySlot]:
    """Return slots with one override put on them."""
    found: list[DutySlot] = []
    source = "override"
    for slot in slots:
        low, high = max(slot.start_at, override.start_at), min(slot.end_at, override.end_at)
        if slot.person != override.absent or low >= high:
            found.append(slot)
            continue
        found += _outside(slot, low, high)
        why = override.why
        found.append(replace(slot, start_at=low, end_at=high, person=override.by, source=source, why=why))
    if not override.absent:
        found.append(
            DutySlot(
                override.start_at, override.end_at, override.group, override.by, override.role, source, override.why
            )
        )
    return found


def _chunk_of(slots: Sequence[DutySlot], start: UnixSeconds, end: UnixSeconds) -> _Chunk:
    """Sweep over slots: what changes at each start and end."""
    changes: dict[UnixSeconds, list[tuple[int, str, DutyRole]]] = {start: []}
    for slot in slots:
        changes.setdefault(slot.start_at, []).append((1, slot.person, slot.role))
        if slot.end_at < end:
            changes.setdefault(slot.end_at, []).append((-1, slot.person, slot.role))
    counts: dict[tuple[str, DutyRole], int] = {}
    starts: list[UnixSeconds] = []
    on: list[OnDuty] = []
    for at in sorted(changes):
        for step, person, role in changes[at]:
            counts[person, role] = counts.get((person, role), 0) + step
            if not counts[person, role]:
                del counts[person, role]
        present: dict[str, DutyRole] = {}
        for person, role in counts:
            if role is DutyRole.PRIMARY or person not in present:
                present[person] = role
        if not on or present != on[-1]:
            starts.append(at)
            on.append(MappingProxyType(present))
    return _Chunk(tuple(starts), tuple(on))


def week_start(at: UnixSeconds, zone: ZoneInfo) -> UnixSeconds:
    """Return the last Monday 00:00 local before or at a moment."""
    day = local_day(at, zone)
    return instant(day - timedelta(days=day.weekday()), 0, zone)


def utc_text(at: UnixSeconds) -> str:
    """Return "2026-11-22 08:00" in UTC, for notes."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
