"""Incidents as CloudEvents 1.0 in structured JSON: one event per line of a timeline, with the whole incident.

Every event carries the full state, so that a receiver that missed some is right again with the next one.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from btimd.itsm.replay import EVIDENCE, PARENT_ID, PATH, SUMMARY
from btimd.itsm.timestamp import rfc3339
from btimd.model.incident import ClosingReport, Dispatch, Incident, IncidentEvent, IncidentState, ServiceClock
from btimd.model.ports import OutboxMessage
from btimd.model.sla import SlaState
from btimd.model.units import UnixSeconds

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
BODY_LIMIT: Final = 65_536
"""Octets of a body; what is too much is shortened and named in data.shortened."""
COLLAPSING: Final = frozenset({"reported", "cleared"})
"""Kinds of events that only repeat the technical state: one that was never sent gives way to the next."""
_EVIDENCE_KEPT: Final = 5
_TEXT_KEPT: Final = 200
_NAMES_KEPT: Final = 20
_NAME_KEPT: Final = 60  # with these no body exceeds the limit, whatever the characters


def event_id(incident_id: str, seq: int) -> str:
    """Return the id of an event; the same on every attempt, so that a receiver can tell a repeat."""
    return f"{incident_id}.{seq}"


def incident_event(
    incident: Incident,
    event: IncidentEvent,
    *,
    source: str,
    diagnosis: Mapping[str, str],
    sla: Sequence[SlaState],
) -> bytes:
    """Return the body that tells of an event. diagnosis: the notes of itsm.replay; sla: of the businesses hit."""
    data: dict[str, Any] = {
        "event": _event(event),
        "incident": _incident(incident),
        "verdict": {
            "id": incident.verdict_id,
            "summary": diagnosis.get(SUMMARY, ""),
            "confidence": incident.confidence,
            "path": diagnosis.get(PATH, "").splitlines(),
            "evidence": diagnosis.get(EVIDENCE, "").splitlines(),
        },
        "sla": [_sla(state) for state in sla],
        "shortened": [],
    }
    envelope = {
        "specversion": "1.0",
        "id": event_id(incident.id, event.seq),
        "source": source,
        "type": f"io.btimd.incident.{event.kind.replace('-', '_')}.v1",
        "subject": incident.id,
        "time": rfc3339(event.at),
        "sequence": f"{event.seq:010d}",
        "datacontenttype": "application/json",
        "data": data,
    }
    for name, shorten in _SHORTENINGS:
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        if len(body) <= BODY_LIMIT:
            return body
        shorten(data)
        data["shortened"].append(name)
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def messages_of(
    incident: Incident,
    event: IncidentEvent,
    *,
    diagnosis: Mapping[str, str],
    targets: Sequence[str],
    source: str,
    sla: Sequence[SlaState],
    now: UnixSeconds,
) -> list[OutboxMessage]:
    """Return what the targets are owed for an event, due at once."""
    if not targets:
        return []
    body = incident_event(incident, event, source=source, diagnosis=diagnosis, sla=sla)
    return [
        OutboxMessage(
            id=f"{event_id(incident.id, event.seq)}@{target}",
            target=target,
            incident_id=incident.id,
            seq=event.seq,
            content_type=CONTENT_TYPE,
            body=body,
            attempts=0,
            next_at=now,
            uncertain=False,
            collapses=event.kind in COLLAPSING,
        )
        for target in targets
    ]


def _event(event: IncidentEvent) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "kind": event.kind,
        "at": rfc3339(event.at),
        "actor": event.actor,
        "from_state": None if event.from_state is None else event.from_state.value,
        "to_state": event.to_state.value,
        "reason": event.reason,
        "parent_id": event.details.get(PARENT_ID, ""),
        "command_id": event.command_id,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    hit = incident.assessment
    return {
        "id": incident.id,
        "version": incident.version,
        "fingerprint": incident.fingerprint,
        "state": incident.state.value,
        "is_open": incident.state.is_open,
        "signal": incident.signal.value,
        "title": incident.title,
        "description": incident.description,
        "cause": incident.cause,
        "impact": int(incident.impact),
        "urgency": int(incident.urgency),
        "priority": incident.priority.name,
        "priority_is_manual": incident.priority_is_manual,
        "businesses": list(hit.businesses),
        "regions": list(hit.regions),
        "users": hit.users,
        "users_exact": hit.users_exact,
        "report_count": incident.report_count,
        "reopen_count": incident.reopen_count,
        "assignee": incident.assignee,
        "closing_report": incident.closing_report,
        "began_at": rfc3339(incident.began_at),
        "opened_at": rfc3339(incident.opened_at),
        "last_seen_at": rfc3339(incident.last_seen_at),
        "accepted_at": _time(incident.accepted_at),
        "resolved_at": _time(incident.resolved_at),
        "closed_at": _time(incident.closed_at),
        "category": incident.category,
        "reporter": incident.reporter,
        "difficulty": int(incident.difficulty),
        "group": incident.group,
        "level": incident.level,
        "order": None if incident.dispatch is None else _order(incident.dispatch),
        "order_count": incident.dispatch_count,
        "hold_reason": incident.hold_reason,
        "pending": None if incident.state is not IncidentState.PENDING else _pending(incident),
        "paused_seconds": incident.paused_seconds,
        "response": _clock(incident.response),
        "resolution": _clock(incident.resolution),
        "progress": {"reported_at": _time(incident.stage_reported_at), "next_news_at": _time(incident.stage_eta)},
        "return_count": incident.return_count,
        "transfer_count": incident.transfer_count,
        "escalation_count": incident.escalation_count,
        "first_time_fix": incident.first_time_fix,
        "first_dispatch_right": incident.first_dispatch_right,
        "closing": None if incident.closing is None else _closing(incident.closing),
        "survey_score": incident.survey_score,
        "parent_id": incident.parent_id,
        "references": [{"target": one.target, "reference": one.reference} for one in incident.references],
    }


def _order(order: Dispatch) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "level": order.level,
        "person": order.person,
        "group": order.group,
        "by_hand": order.by_hand,
        "sent_at": rfc3339(order.sent_at),
        "accept_by": rfc3339(order.accept_by),
        "reminders": order.reminders,
    }


def _pending(incident: Incident) -> dict[str, Any]:
    return {
        "reason": incident.pending_reason,
        "until": _time(incident.pending_until),
        "clock_stands_since": _time(incident.pending_since),
    }


def _clock(clock: ServiceClock) -> dict[str, Any]:
    return {
        "status": clock.status.value,
        "allowed_seconds": clock.allowed_seconds,
        "due_at": _time(clock.due_at),
        "told_percent": clock.told_percent,
        "remaining_seconds": clock.remaining_seconds,
        "ended_at": _time(clock.ended_at),
    }


def _closing(closing: ClosingReport) -> dict[str, Any]:
    return {
        "cause": closing.cause,
        "action": closing.action,
        "node": closing.node,
        "category": closing.category,
        "effort_minutes": closing.effort_minutes,
        "article": closing.article,
    }


def _sla(state: SlaState) -> dict[str, Any]:
    return {
        "business": state.target.business,
        "target_percent": state.target.availability_percent,
        "availability": state.availability,
        "down_seconds": state.down_seconds,
        "error_budget_seconds": state.error_budget_seconds,
        "burn_ratio": state.burn_ratio,
        "status": state.status.value,
    }


def _time(at: UnixSeconds | None) -> str | None:
    return None if at is None else rfc3339(at)


def _cut_evidence(data: dict[str, Any]) -> None:
    data["verdict"]["evidence"] = [line[:_TEXT_KEPT] for line in data["verdict"]["evidence"][:_EVIDENCE_KEPT]]


def _cut_names(data: dict[str, Any]) -> None:
    for name in ("businesses", "regions"):
        data["incident"][name] = [text[:_NAME_KEPT] for text in data["incident"][name][:_NAMES_KEPT]]
    data["incident"]["references"] = [
        {name: text[:_NAME_KEPT] for name, text in one.items()} for one in data["incident"]["references"][:_NAMES_KEPT]
    ]
    data["verdict"]["path"] = [text[:_NAME_KEPT] for text in data["verdict"]["path"][:_NAMES_KEPT]]
    data["sla"] = [{**state, "business": state["business"][:_NAME_KEPT]} for state in data["sla"][:_NAMES_KEPT]]


def _cut_texts(data: dict[str, Any]) -> None:
    for part in ("event", "incident", "verdict"):
        _cut_texts_of(data[part])


def _cut_texts_of(part: dict[str, Any]) -> None:
    for name, value in part.items():
        if isinstance(value, str):
            part[name] = value[:_TEXT_KEPT]
        elif isinstance(value, dict):
            _cut_texts_of(value)


_SHORTENINGS: Final[tuple[tuple[str, Callable[[dict[str, Any]], None]], ...]] = (
    ("evidence", _cut_evidence),
    ("names", _cut_names),
    ("texts", _cut_texts),
)
