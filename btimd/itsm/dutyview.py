"""Duty and dispatch as they are shown: from the rota, from orders and history, and what incidents keep of both."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from typing_extensions import override

from btimd.itsm.dispatch import Decision, LevelTable, decision_from
from btimd.itsm.dispatchdesk import DispatchDesk
from btimd.itsm.dispatchscore import LEAST_SCORE, Row
from btimd.itsm.dispatchtext import row_text, sentence
from btimd.itsm.replay import EXPLANATION
from btimd.itsm.rota import week_start
from btimd.itsm.rotacheck import FaultKind, rota_faults
from btimd.itsm.rotaload import load_by_week
from btimd.model.duty import DutySlot, People, Presence
from btimd.model.dutyview import (
    CandidateRow,
    Candidates,
    CandidateTable,
    DispatchExplained,
    DutyView,
    FactorWeights,
    GroupDuty,
    PersonLoad,
    PersonOnDuty,
    RotaFaultKind,
    RotaProblem,
    RotaSpan,
)
from btimd.model.incident import Incident, IncidentEvent
from btimd.model.incidentquery import IncidentDimension, IncidentQuery, IncidentSearch
from btimd.model.ports import IncidentDesk
from btimd.model.units import UnixSeconds

_DAY: Final = 86_400.0
_WEEK_DAYS: Final = 7
_MOST_PERSONS: Final = 10_000
_ORDER: Final = {Presence.ON_SHIFT: 0, Presence.BACKUP: 1, Presence.SOON: 2, Presence.OFF: 3}


class WallClock(Protocol):
    """What tells the time."""

    def wall(self) -> UnixSeconds:
        """Return the wall-clock time."""
        ...


class DutyViews(DutyView):
    """Shows what a dispatch desk knows; search finds the incidents that people had."""

    def __init__(self, desk: DispatchDesk, incidents: IncidentDesk, search: IncidentSearch, clock: WallClock) -> None:
        self._desk = desk
        self._incidents = incidents
        self._search = search
        self._clock = clock

    @override
    def on_duty(self, group: str, at: UnixSeconds | None) -> Sequence[GroupDuty]:
        moment = self._clock.wall() if at is None else at
        return [self._group(one, moment) for one in self._groups(group)]

    @override
    def rota(self, group: str, at: UnixSeconds | None, days: int) -> RotaSpan:
        moment = self._clock.wall() if at is None else at
        groups, rota = self._groups(group), self._desk.rota
        zones = [rota.rules.groups[one].timezone for one in groups if one in rota.rules.groups]
        zone = zones[0] if zones else "UTC"
        start = week_start(moment, ZoneInfo(zone)) if days >= _WEEK_DAYS else moment
        end = start + days * _DAY
        slots: list[DutySlot] = []
        for one in groups:
            slots += rota.slots(one, start, end)
        faults = [fault for fault in rota_faults(rota, start, end) if not group or group in _words(fault.group)]
        problems = (
            RotaProblem(
                RotaFaultKind(fault.kind.value), fault.group, fault.start_at, fault.end_at, fault.persons, fault.text()
            )
            for fault in faults
        )
        return RotaSpan(start, end, zone, tuple(slots), tuple(problems))

    @override
    async def explained(self, incident_id: str) -> Sequence[DispatchExplained]:
        await self._incident(incident_id)
        events = await self._incidents.timeline(incident_id)
        found = [(event, _decision_of(event)) for event in events]
        return [self._explained(event, decision) for event, decision in found if decision is not None]

    @override
    async def candidates(self, incident_id: str) -> Candidates:
        incident = await self._incident(incident_id)
        now, level = self._clock.wall(), max(incident.level, 1)
        people, work = self._desk.people, self._desk.people.class_of(incident.category)
        work_class = work.id if work else incident.category
        if incident.state.is_open and incident.assignee:
            rows = self._desk.transfer_candidates(incident, level, incident.assignee, now)
            shown = tuple(_row(row, people, work_class) for row in rows)
            texts = ("", "") if shown else ("nobody of this level is fit and free", "本级没有合适且空闲的人")
            return Candidates(incident_id, True, incident.assignee, level, shown, *texts)  # noqa: FBT003  a dataclass
        decision = self._desk.decide(incident, level, frozenset(incident.excluded), now)
        rows = tuple(row for row in decision.tables[-1].rows if row.score >= LEAST_SCORE) if decision.tables else ()
        return Candidates(
            incident_id=incident_id,
            for_transfer=False,
            handler="",
            level=decision.tables[-1].level if decision.tables else 0,
            rows=tuple(_row(row, people, work_class) for row in rows),
            text=sentence(decision, people, "en"),
            text_zh=sentence(decision, people, "zh"),
        )

    @override
    async def load(self, at: UnixSeconds | None, weeks: int) -> Sequence[PersonLoad]:
        moment = self._clock.wall()
        first, desk = moment if at is None else at, self._desk
        zones = [rules.timezone for rules in desk.rota.rules.groups.values()]
        found = load_by_week(desk.rota, first, weeks, zones[0] if zones else "UTC")
        starts = sorted({week.week_at for week in found})
        had: dict[tuple[str, UnixSeconds], int] = {}
        for start, end in zip(starts, [*starts[1:], starts[-1] + _WEEK_DAYS * _DAY] if starts else [], strict=True):
            query = IncidentQuery(only_open=False, opened_from=start, opened_before=end)
            counted = await self._search.count(query, [IncidentDimension.ASSIGNEE], _MOST_PERSONS)
            had |= {(one.values[0], start): one.incidents for one in counted.counts}
        return [
            PersonLoad(
                person=week.person,
                name=desk.people.persons[week.person].name,
                name_zh=desk.people.persons[week.person].name_zh,
                week_at=week.week_at,
                primary_hours=week.primary,
                backup_hours=week.backup,
                night_hours=week.night,
                weekend_hours=week.weekend,
                longest_hours=week.longest,
                incidents=had.get((week.person, week.week_at), 0),
                open_orders=len(desk.workload.orders.get(week.person, ())),
                open_load=desk.workload.load_of(week.person, moment),
                capacity=desk.people.persons[week.person].capacity,
            )
            for week in found
        ]

    def _groups(self, group: str) -> list[str]:
        known = {*self._desk.people.groups, *self._desk.rota.groups}
        if group and group not in known:
            raise KeyError(group)
        return [group] if group else sorted(known)

    def _group(self, group: str, at: UnixSeconds) -> GroupDuty:
        rota, people = self._desk.rota, self._desk.people
        presences = rota.presences(group, at)
        slots = rota.slots(group, at, at + _WEEK_DAYS * _DAY)
        ends = _ends(slots, at)
        there = sorted(presences.items(), key=lambda one: (_ORDER[one[1]], one[0]))
        known = people.groups.get(group)
        faults = rota_faults(rota, at, at + 1.0)
        covers = (
            fault for fault in faults if fault.group == group and fault.kind in {FaultKind.GAP, FaultKind.TOO_MANY}
        )
        wrong = next(covers, None)
        return GroupDuty(
            group=group,
            name=known.name if known else group,
            name_zh=known.name_zh if known else "",
            lead=known.lead if known else "",
            at=at,
            ruled=rota.is_ruled(group),
            people=tuple(
                PersonOnDuty(person, *_names(people, person), stands, _within_a_week(ends.get(person), at))
                for person, stands in there
            ),
            next_change_at=rota.next_change(group, at),
            fault="" if wrong is None else _fault_text(wrong.kind, wrong.persons, wrong.wanted),
        )

    async def _incident(self, incident_id: str) -> Incident:
        incident = await self._incidents.incident(incident_id)
        if incident is None:
            raise KeyError(incident_id)
        return incident

    def _explained(self, event: IncidentEvent, decision: Decision) -> DispatchExplained:
        people = self._desk.people
        return DispatchExplained(
            incident_id=event.incident_id,
            seq=event.seq,
            kind=event.kind,
            at=decision.at,
            chosen=decision.chosen,
            level=decision.level,
            group=decision.group,
            path=decision.path,
            work_class=decision.work_class,
            priority=decision.priority,
            weights=FactorWeights(**asdict(decision.weights)),
            tables=tuple(_table(table, people, decision.work_class) for table in decision.tables),
            text=sentence(decision, people, "en"),
            text_zh=sentence(decision, people, "zh"),
        )


def _decision_of(event: IncidentEvent) -> Decision | None:
    """Return the decision that an event keeps; None for none, or one that was too long to be kept."""
    try:
        return decision_from(json.loads(event.details.get(EXPLANATION, "")))
    except (ValueError, KeyError, TypeError):
        return None


def _table(table: LevelTable, people: People, work_class: str) -> CandidateTable:
    rows = tuple(_row(row, people, work_class) for row in table.rows)
    return CandidateTable(table.level, table.group, table.rota, rows, table.off, table.excluded)


def _row(row: Row, people: People, work_class: str) -> CandidateRow:
    facts = row.facts
    name, name_zh = _names(people, row.person)
    reasons = {language: row_text(row, people, work_class, language).partition(": ")[2] for language in ("en", "zh")}
    return CandidateRow(
        person=row.person,
        name=name,
        name_zh=name_zh,
        presence=facts.presence,
        declared=facts.declared,
        good=facts.good,
        bad=facts.bad,
        open_load=facts.load,
        capacity=facts.capacity,
        idle_seconds=facts.idle_seconds,
        knows=facts.knows,
        duty=row.duty,
        skill=row.skill,
        load=row.load,
        fair=row.fair,
        affinity=row.affinity,
        score=row.score,
        reasons=reasons["en"],
        reasons_zh=reasons["zh"],
    )


def _names(people: People, person: str) -> tuple[str, str]:
    found = people.persons.get(person)
    return (found.name, found.name_zh) if found else (person, "")


def _ends(slots: Iterable[DutySlot], at: UnixSeconds) -> dict[str, UnixSeconds]:
    """Return until when those who are there stay without a break; slots: by start, from `at` on."""
    ends: dict[str, UnixSeconds] = {}
    for slot in slots:
        if slot.start_at <= ends.get(slot.person, at):
            ends[slot.person] = max(slot.end_at, ends.get(slot.person, at))
    return ends


def _within_a_week(end: UnixSeconds | None, at: UnixSeconds) -> UnixSeconds | None:
    return None if end is None or end >= at + _WEEK_DAYS * _DAY else end


def _words(groups: str) -> set[str]:
    return set(groups.replace(" and ", ",").replace(", ", ",").split(","))


def _fault_text(kind: FaultKind, persons: Iterable[str], wanted: float) -> str:
    who = ", ".join(persons)
    if kind is FaultKind.TOO_MANY:
        return f"{who} on duty, at most {wanted:g} wanted"
    return f"{f'only {who}' if who else 'nobody'} on duty, {wanted:g} wanted"
