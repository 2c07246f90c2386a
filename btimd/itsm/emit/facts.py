"""What a message says, for targets that do not take btimd's own document: facts, and texts for people made of them."""

import json
from dataclasses import dataclass
from typing import Any, Final

from btimd.itsm.emit.exchange import member, number, refused, text
from btimd.itsm.emit.polling import OURS

_SUBJECT_CHARACTERS: Final = 180
_KIND_TEXTS: Final = {
    "opened": "opened",
    "reported": "reported again",
    "reopened": "reopened",
    "cleared": "the technical trouble is over",
    "accepted": "accepted",
    "resolved": "resolved",
    "closed": "closed",
    "cancelled": "cancelled",
    "merged": "merged into another incident",
    "absorbed": "took in another incident",
    "priority-set": "priority changed",
    "commented": "comment",
    "observed": "observed in the traffic",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """An event and the whole incident after it. Times: RFC 3339. moved: the event changed the incident's state."""

    incident_id: str
    seq: int
    kind: str
    at: str
    actor: str
    reason: str
    moved: bool
    parent_id: str
    title: str
    description: str
    cause: str
    state: str
    is_open: bool
    signal: str
    priority: str
    impact: int
    urgency: int
    assignee: str
    closing_report: str
    businesses: tuple[str, ...]
    regions: tuple[str, ...]
    users: int | None
    opened_at: str
    began_at: str
    summary: str
    path: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def is_first(self) -> bool:
        """Tell whether this is how the incident began."""
        return self.kind == "opened"


def facts_of(body: bytes) -> Facts:
    """Return what a message says; refuses a body that is none of ours, as a dead letter may be after its editing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refused(f"the message is no JSON: {error}") from None
    event, incident = member(document, "data", "event"), member(document, "data", "incident")
    verdict = member(document, "data", "verdict")
    if not text(incident, "id") or not number(event, "seq"):
        raise refused("the message has no data.incident.id or no data.event.seq")
    users = member(incident, "users")
    return Facts(
        incident_id=text(incident, "id"),
        seq=number(event, "seq"),
        kind=text(event, "kind"),
        at=text(event, "at"),
        actor=text(event, "actor"),
        reason=text(event, "reason"),
        moved=text(event, "from_state") != text(event, "to_state"),
        parent_id=text(event, "parent_id"),
        title=text(incident, "title"),
        description=text(incident, "description"),
        cause=text(incident, "cause"),
        state=text(incident, "state"),
        is_open=member(incident, "is_open") is True,
        signal=text(incident, "signal"),
        priority=text(incident, "priority"),
        impact=number(incident, "impact"),
        urgency=number(incident, "urgency"),
        assignee=text(incident, "assignee"),
        closing_report=text(incident, "closing_report"),
        businesses=_texts(member(incident, "businesses")),
        regions=_texts(member(incident, "regions")),
        users=users if isinstance(users, int) else None,
        opened_at=text(incident, "opened_at"),
        began_at=text(incident, "began_at"),
        summary=text(verdict, "summary"),
        path=_texts(member(verdict, "path")),
        evidence=_texts(member(verdict, "evidence")),
    )


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def subject(facts: Facts) -> str:
    """Return one line that names the incident."""
    line = " ".join(f"[{facts.priority}] {facts.title or facts.cause or facts.incident_id}".split())
    return line[:_SUBJECT_CHARACTERS]


def description(facts: Facts) -> str:
    """Return the incident as paragraphs for people."""
    hit = [f"{len(facts.businesses)} business(es): {', '.join(facts.businesses)}" if facts.businesses else ""]
    hit += [f"regions: {', '.join(facts.regions)}" if facts.regions else ""]
    hit += [f"users: {facts.users}" if facts.users is not None else ""]
    parts = [
        facts.description or facts.title,
        "\n".join(line for line in hit if line),
        f"Cause: {facts.cause}" if facts.cause else "",
        facts.summary,
        f"Path: {' > '.join(facts.path)}" if facts.path else "",
        "Evidence:\n" + "\n".join(f"- {line}" for line in facts.evidence) if facts.evidence else "",
        f"Began {facts.began_at}, opened {facts.opened_at}. Incident {facts.incident_id} of btimd.",
    ]
    return "\n\n".join(part for part in parts if part)


def note(facts: Facts) -> str:
    """Return what happened, as a note under a ticket. Its first line names the event for people who search."""
    what = _KIND_TEXTS.get(facts.kind, facts.kind)
    lines = [f"{OURS}{facts.incident_id}.{facts.seq}] {what} by {facts.actor} at {facts.at}"]
    if facts.kind == "priority-set":
        lines.append(f"Priority: {facts.priority}")
    if facts.parent_id:
        lines.append(f"Now part of {facts.parent_id}")
    if facts.reason:
        lines.append(facts.reason)
    if facts.kind == "resolved" and facts.closing_report:
        lines.append(facts.closing_report)
    if facts.kind in {"opened", "reopened", "reported"}:
        lines.append(description(facts))
    return "\n\n".join(lines)
