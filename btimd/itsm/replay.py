"""Replay: an incident's row is what its timeline adds up to. Each event carries the fields it changed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from btimd.model.incident import (
    Impact,
    ImpactAssessment,
    Incident,
    IncidentEvent,
    IncidentState,
    Priority,
    Signal,
    Urgency,
)

SYMPTOMS: Final = "symptoms"
"""Note: ids of symptoms that began, one per line."""
SYMPTOMS_GONE: Final = "symptoms_gone"
"""Note: ids of symptoms that ended."""
CHILD_ID: Final = "child_id"
CHILD_FINGERPRINT: Final = "child_fingerprint"
PARENT_ID: Final = "parent_id"
SUMMARY: Final = "summary"
PATH: Final = "path"
EVIDENCE: Final = "evidence"

_NEVER_IN_DETAILS: Final = frozenset({"id", "version", "state"})  # the event itself says these
_NOTHING: Final = ""  # of an optional time that is not set


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
            aliases=self.aliases | {details[name] for name in (CHILD_FINGERPRINT,) if name in details},
            children=self.children | {details[name] for name in (CHILD_ID,) if name in details},
            diagnosis=MappingProxyType(diagnosis) if diagnosis else self.diagnosis,
        )

    @classmethod
    def of(cls, events: Iterable[IncidentEvent]) -> "Dossier":
        """Return the dossier of a whole timeline."""
        dossier = cls()
        for event in events:
            dossier = dossier.after(event)
        return dossier


def _write(value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)  # the shortest text that reads back to the same number
    if isinstance(value, ImpactAssessment):
        parts = {"businesses": value.businesses, "regions": value.regions}
        return json.dumps({**parts, "users": value.users, "users_exact": value.users_exact}, ensure_ascii=False)
    return str(int(value)) if isinstance(value, int) else str(value)


def _read_assessment(text: str) -> ImpactAssessment:
    parts = json.loads(text)
    return ImpactAssessment(
        businesses=tuple(parts["businesses"]),
        regions=tuple(parts["regions"]),
        users=parts["users"],
        users_exact=parts["users_exact"],
    )


def _read_flag(text: str) -> bool:
    return text == "true"


def _read_time(text: str) -> float | None:
    return None if text == _NOTHING else float(text)


_READERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "fingerprint": str,
        "signal": Signal,
        "title": str,
        "description": str,
        "cause": str,
        "verdict_id": str,
        "confidence": float,
        "impact": lambda text: Impact(int(text)),
        "urgency": lambda text: Urgency(int(text)),
        "priority": lambda text: Priority(int(text)),
        "priority_is_manual": _read_flag,
        "assessment": _read_assessment,
        "report_count": int,
        "reopen_count": int,
        "touched_by_human": _read_flag,
        "assignee": str,
        "closing_report": str,
        "opened_at": float,
        "last_seen_at": float,
        "began_at": float,
        "accepted_at": _read_time,
        "resolved_at": _read_time,
        "closed_at": _read_time,
    }
)
