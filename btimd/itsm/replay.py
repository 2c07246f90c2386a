"""Replay: an incident's row is what its timeline adds up to. Each event carries the fields it changed."""

import json
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any, Final, Union, cast, get_args, get_origin

from btimd.model.incident import (
    Dispatch,
    DispatchOutcome,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentEvent,
    IncidentState,
    Priority,
    Signal,
    Urgency,
)
from btimd.model.plain import from_plain, hints_of, to_plain
from btimd.model.units import UnixSeconds

SYMPTOMS: Final = "symptoms"
"""Note: ids of symptoms that began, one per line."""
SYMPTOMS_GONE: Final = "symptoms_gone"
"""Note: ids of symptoms that ended."""
CHILD_ID: Final = "child_id"
CHILD_FINGERPRINT: Final = "child_fingerprint"
PARENT_ID: Final = "parent_id"
GONE_CHILD_ID: Final = "gone_child_id"
GONE_CHILD_FINGERPRINT: Final = "gone_child_fingerprint"
"""Notes: a child that was given back."""
ENDED_DISPATCH: Final = "ended_dispatch"
"""Note: id of the order that ended with this event."""
OUTCOME: Final = "outcome"
"""Note: how that order ended (DispatchOutcome)."""
EXPLANATION: Final = "explanation"
"""Note: why the dispatcher chose whom it chose; its own text."""
SUMMARY: Final = "summary"
PATH: Final = "path"
EVIDENCE: Final = "evidence"

_NEVER_IN_DETAILS: Final = frozenset({"id", "version", "state"})  # the event itself says these
NOTHING: Final = ""  # of an optional time that is not set


def blank(incident_id: str) -> Incident:
    """Return what an incident is before its first event: the base that the first event's details are read against."""
    return Incident(
        id=incident_id,
        version=0,
        fingerprint="",
        state=IncidentState.NEW,
        signal=Signal.ACTIVE,
        title="",
        description="",
        cause="",
        verdict_id="",
        confidence=0.0,
        impact=Impact.LOW,
        urgency=Urgency.LOW,
        priority=Priority.P5,
        priority_is_manual=False,
        assessment=ImpactAssessment(),
        report_count=0,
        reopen_count=0,
        touched_by_human=False,
        assignee="",
        closing_report="",
        opened_at=0.0,
        last_seen_at=0.0,
        began_at=0.0,
    )


def changed_fields(before: Incident, after: Incident) -> dict[str, str]:
    """Return the fields that differ, as text that `apply` reads back to the same value."""
    names = (one.name for one in fields(Incident) if one.name not in _NEVER_IN_DETAILS)
    return {name: _write(getattr(after, name)) for name in names if getattr(after, name) != getattr(before, name)}


def apply(incident: Incident | None, event: IncidentEvent) -> Incident:
    """Return the row after an event."""
    row = blank(event.incident_id) if incident is None else incident
    changes = {name: read(event.details[name]) for name, read in _READERS.items() if name in event.details}
    return replace(row, version=event.seq, state=event.to_state, **changes)


def rebuild(events: Iterable[IncidentEvent]) -> Incident | None:
    """Return the row that a whole timeline adds up to, None for an empty one."""
    incident: Incident | None = None
    for event in events:
        incident = apply(incident, event)
    return incident


@dataclass(frozen=True, slots=True)
class Dossier:
    """What the timeline says of an incident beyond its row: live symptoms, aliases, and the latest diagnosis."""

    symptoms: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    diagnosis: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, event: IncidentEvent) -> "Dossier":
        """Return the dossier after an event."""
        details = event.details
        symptoms = self.symptoms
        if event.from_state is IncidentState.RESOLVED and event.to_state is IncidentState.NEW:
            symptoms = frozenset()  # reopened: what was seen before was dealt with
        symptoms |= set(details.get(SYMPTOMS, "").splitlines())
        symptoms -= set(details.get(SYMPTOMS_GONE, "").splitlines())
        diagnosis = {name: details[name] for name in (SUMMARY, PATH, EVIDENCE) if name in details}
        return Dossier(
            symptoms=symptoms,
            aliases=_changed(self.aliases, details, CHILD_FINGERPRINT, GONE_CHILD_FINGERPRINT),
            children=_changed(self.children, details, CHILD_ID, GONE_CHILD_ID),
            diagnosis=MappingProxyType(diagnosis) if diagnosis else self.diagnosis,
        )

    @classmethod
    def of(cls, events: Iterable[IncidentEvent]) -> "Dossier":
        """Return the dossier of a whole timeline."""
        dossier = cls()
        for event in events:
            dossier = dossier.after(event)
        return dossier


def _changed(names: frozenset[str], details: Mapping[str, str], came: str, went: str) -> frozenset[str]:
    return (names | {details[came] for _ in (came,) if came in details}) - {details.get(went, "")}


@dataclass(frozen=True, slots=True)
class DispatchRecord:
    """One order of an incident's history. outcome and ended_at None: it still waits for an answer."""

    dispatch: Dispatch
    explanation: str = ""
    outcome: DispatchOutcome | None = None
    ended_at: UnixSeconds | None = None


def dispatches(events: Iterable[IncidentEvent]) -> Sequence[DispatchRecord]:
    """Return the orders of a whole timeline, oldest first, with why each went to whom and how it ended."""
    records: dict[str, DispatchRecord] = {}
    for event in events:
        ended = records.get(event.details.get(ENDED_DISPATCH, ""))
        if ended is not None:
            outcome = DispatchOutcome(event.details[OUTCOME])
            records[ended.dispatch.id] = replace(ended, outcome=outcome, ended_at=event.at)
        text = event.details.get("dispatch", NOTHING)
        if text == NOTHING:
            continue
        order: Dispatch = from_plain(Dispatch, json.loads(text))
        known = records.get(order.id, DispatchRecord(order, event.details.get(EXPLANATION, "")))
        records[order.id] = replace(known, dispatch=order)
    return list(records.values())


def _write(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)  # the shortest text that reads back to the same number
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str):
        return str(value)
    return json.dumps(to_plain(value), ensure_ascii=False)


def _reader(hint: Any) -> Callable[[str], Any]:
    """Return what reads a field of Incident back from the text that `_write` made of it."""
    if get_origin(hint) in {Union, types.UnionType}:
        inner = _reader(next(part for part in get_args(hint) if part is not type(None)))
        return lambda text: None if text == NOTHING else inner(text)
    if hint is bool:
        return lambda text: text == "true"
    if hint in {str, int, float}:
        return cast("Callable[[str], Any]", hint)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return lambda text: hint(int(text))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return cast("Callable[[str], Any]", hint)
    return lambda text: from_plain(hint, json.loads(text))


_READERS: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {name: _reader(hint) for name, hint in hints_of(Incident).items() if name not in _NEVER_IN_DETAILS}
)
