"""What is wrong with a rota over the coming weeks: gaps, too many, people in two places, short rests, idle overrides.

Intervals are exact: they begin and end where duty, absences or the hours to be covered do.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from btimd.itsm.rota import Rota, hours_between, utc_text
from btimd.model.duty import DutyRole, DutySlot, GroupRota
from btimd.model.units import UnixSeconds

_Span = tuple[UnixSeconds, UnixSeconds]


class FaultKind(StrEnum):
    """What can be wrong."""

    GAP = "gap"
    TOO_MANY = "too-many"
    TWICE = "twice"
    SHORT_REST = "short-rest"
    IDLE_OVERRIDE = "idle-override"


@dataclass(frozen=True, slots=True)
class RotaFault:
    """Something wrong from start_at until before end_at. persons: who is there, or whom it concerns."""

    kind: FaultKind
    group: str
    start_at: UnixSeconds
    end_at: UnixSeconds
    persons: tuple[str, ...] = ()
    wanted: float = 0.0

    def text(self) -> str:
        """Return it in words, times in UTC."""
        when = f"{utc_text(self.start_at)} to {utc_text(self.end_at)} UTC"
        hours = (self.end_at - self.start_at) / 3600
        who = ", ".join(self.persons)
        match self.kind:
            case FaultKind.GAP:
                there = f"only {who}" if who else "nobody"
                return f"rota {self.group}: {when} ({hours:g} h): {there} on duty, {self.wanted:g} wanted"
            case FaultKind.TOO_MANY:
                return f"rota {self.group}: {when} ({hours:g} h): {who} on duty, at most {self.wanted:g} wanted"
            case FaultKind.TWICE:
                return f"{who}: {when} ({hours:g} h): on duty twice, in {self.group}"
            case FaultKind.SHORT_REST:
                return f"{who}: {when}: only {hours:g} h between two shifts, {self.wanted:g} wanted ({self.group})"
            case FaultKind.IDLE_OVERRIDE:
                return f"rota {self.group}: {when}: {who} is not on duty then, so nobody is stood in for"


def rota_faults(rota: Rota, start: UnixSeconds, end: UnixSeconds) -> list[RotaFault]:
    """Return what is wrong within a span, by time.

    Coverage is looked at where rota.toml has the group; people in two places in all groups that have shifts.
    """
    slots = {group: rota.slots(group, start, end) for group in rota.groups if rota.is_ruled(group)}
    found: list[RotaFault] = []
    for group, rules in rota.rules.groups.items():
        found += _coverage(rules, slots.get(group, []), start, end)
    every = [slot for group_slots in slots.values() for slot in group_slots]
    by_person: dict[str, list[DutySlot]] = {}
    for slot in every:
        by_person.setdefault(slot.person, []).append(slot)
    for person in sorted(by_person):
        found += _twice(person, by_person[person])
        found += _short_rests(rota, person, by_person[person])
    found += _idle_overrides(rota, start, end)
    return sorted(found, key=lambda fault: (fault.start_at, fault.kind, fault.group, fault.persons))


def _coverage(rules: GroupRota, slots: Sequence[DutySlot], start: UnixSeconds, end: UnixSeconds) -> Iterator[RotaFault]:
    """Yield where there are too few primaries in the hours to be covered, or too many at all."""
    primaries = [slot for slot in slots if slot.role is DutyRole.PRIMARY]
    covered = _joined(
        span for hours in rules.covered for span in hours_between(hours, ZoneInfo(rules.timezone), start, end)
    )
    if not rules.covered:
        covered = [(start, end)]
    edges = {start, end, *(at for span in covered for at in span)}
    edges |= {at for slot in primaries for at in (slot.start_at, slot.end_at)}
    low_faults: list[RotaFault] = []
    high_faults: list[RotaFault] = []
    steps = sorted(edges)
    by_start = sorted(primaries, key=lambda slot: slot.start_at)
    there: list[DutySlot] = []
    upcoming, wanted = 0, 0
    for low, high in itertools.pairwise(steps):
        there = [slot for slot in there if slot.end_at > low]
        while upcoming < len(by_start) and by_start[upcoming].start_at <= low:
            there.append(by_start[upcoming])
            upcoming += 1
        while wanted < len(covered) and covered[wanted][1] <= low:
            wanted += 1
        must = wanted < len(covered) and covered[wanted][0] <= low
        persons = tuple(sorted({slot.person for slot in there}))
        if must and len(persons) < rules.least:
            _extend(low_faults, RotaFault(FaultKind.GAP, rules.group, low, high, persons, rules.least))
        if rules.most and len(persons) > rules.most:
            _extend(high_faults, RotaFault(FaultKind.TOO_MANY, rules.group, low, high, persons, rules.most))
    yield from low_faults
    yield from high_faults


def _extend(faults: list[RotaFault], fault: RotaFault) -> None:
    """Add a fault, to the last one where it goes on."""
    if faults and faults[-1].end_at == fault.start_at and faults[-1].persons == fault.persons:
        faults[-1] = replace(faults[-1], end_at=fault.end_at)
    else:
        faults.append(fault)


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    """Return spans by start, those that touch made one."""
    found: list[_Span] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _twice(person: str, slots: Iterable[DutySlot]) -> Iterator[RotaFault]:
    """Yield where two slots of a person overlap."""
    last: DutySlot | None = None
    for slot in sorted(slots, key=lambda one: (one.start_at, one.end_at, one.group)):
        if last is not None and slot.start_at < last.end_at:
            groups = " and ".join(dict.fromkeys((last.group, slot.group)))
            yield RotaFault(FaultKind.TWICE, groups, slot.start_at, min(slot.end_at, last.end_at), (person,))
        if last is None or slot.end_at > last.end_at:
            last = slot


def _short_rests(rota: Rota, person: str, slots: Sequence[DutySlot]) -> Iterator[RotaFault]:
    """Yield where a person has less rest between two stretches of duty as primary than one of the groups asks for."""
    own = [slot for slot in slots if slot.role is DutyRole.PRIMARY]
    groups = dict.fromkeys(slot.group for slot in own if slot.group in rota.rules.groups)
    wanted = max((rota.rules.groups[group].rest_seconds for group in groups), default=0.0)
    stretches = _joined((slot.start_at, slot.end_at) for slot in own)
    for (_, low), (high, _) in itertools.pairwise(stretches):
        if high - low < wanted:
            yield RotaFault(FaultKind.SHORT_REST, ", ".join(groups), low, high, (person,), wanted / 3600)


def _idle_overrides(rota: Rota, start: UnixSeconds, end: UnixSeconds) -> Iterator[RotaFault]:
    """Yield overrides for people who would not have been on duty at all."""
    for override in rota.rules.overrides:
        low, high = max(override.start_at, start), min(override.end_at, end)
        if low >= high or not override.absent:
            continue
        if not any(slot.source == "override" for slot in rota.slots(override.group, low, high)):
            yield RotaFault(FaultKind.IDLE_OVERRIDE, override.group, low, high, (override.absent,))
