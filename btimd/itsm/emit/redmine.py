"""Redmine over its REST API (https://www.redmine.org/projects/redmine/wiki/Rest_api).

Its peculiarities: an unknown status or a transition that the workflow forbids gets 204 and changes nothing; a search by
a custom field that is no filter finds everything; a status at creation counts only where the workflow says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask, ask_json, json_request, members, number, query, text
from btimd.itsm.emit.facts import description, subject
from btimd.itsm.emit.polling import PAGES_LIMIT, Changes, OutsideChange, is_ours
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver
from btimd.model.delivery import UpdateKind


@dataclass(frozen=True, slots=True)
class Redmine:
    """The primitives of a project.

    incident_field, seq_field: ids of the custom fields for key and marker. user: btimd's own, as Redmine shows it.
    """

    project: str
    tracker_id: int
    incident_field: int
    seq_field: int
    user: str
    states: States

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Bring an issue up to an event."""
        return deliver(self, work)

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        """Look up the issues of an incident."""
        found = yield from ask_json(
            query(
                "issues.json",
                {
                    "project_id": self.project,
                    "status_id": "*",
                    f"cf_{self.incident_field}": key,
                    "sort": "id",
                    "limit": "20",
                },
            )
        )
        return [self._ticket(one) for one in members(found, "issues")]

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        """Return an issue."""
        found = yield from ask_json(query(f"issues/{ticket_id}.json"), gone=True)
        return self._ticket(found.get("issue") if isinstance(found, dict) else None)

    def create(self, change: Change) -> Dialogue[str]:
        """Make an issue."""
        issue = {
            "project_id": self.project,
            "tracker_id": self.tracker_id,
            "subject": subject(change.facts),
            "description": description(change.facts),
            **self._changed(change),
        }
        issue["custom_fields"] = [*issue["custom_fields"], self._field(self.incident_field, change.facts.incident_id)]
        created = yield from ask_json(json_request("POST", "issues.json", {"issue": issue}), good=(201,))
        return text(created, "issue", "id")

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        """Change an issue, in one request, which Redmine carries out as a whole."""
        issue = self._changed(change)
        if change.note:
            issue["notes"] = change.note
        if change.seq is not None:
            issue["subject"] = subject(change.facts)
        yield from ask(json_request("PUT", f"issues/{ticket_id}.json", {"issue": issue}), good=(200, 204), gone=True)

    def changes(self, cursor: str) -> Dialogue[Changes]:
        """Return what people changed in issues of ours since the cursor, a time stamp."""
        found: list[OutsideChange] = []
        latest, offset = cursor, 0
        for _ in range(PAGES_LIMIT):
            given = {
                "project_id": self.project,
                "status_id": "*",
                "updated_on": f">={cursor[:19]}Z",
                "sort": "updated_on",
                "limit": "100",
                "offset": str(offset),
            }
            answer = yield from ask_json(query("issues.json", given))
            issues = members(answer, "issues")
            for issue in issues:
                latest = max(latest, text(issue, "updated_on"))
                if self._ticket(issue).key:
                    found += yield from self._journals(self._ticket(issue), cursor)
            offset += len(issues)
            if not issues or offset >= number(answer, "total_count"):
                break
        return Changes(tuple(found), latest)

    def _journals(self, ticket: Ticket, cursor: str) -> Dialogue[list[OutsideChange]]:
        answer = yield from ask_json(query(f"issues/{ticket.id}.json", {"include": "journals"}))
        return [
            OutsideChange(
                external_id=ticket.id,
                key=ticket.key,
                event_id=f"journal-{text(journal, 'id')}-{kind.value}",
                actor=text(journal, "user", "name"),
                kind=kind,
                value=value,
                at=text(journal, "created_on"),
                text=text(journal, "notes") if kind is UpdateKind.STATUS else "",
            )
            for journal in members(answer, "issue", "journals")
            if text(journal, "created_on") >= cursor[:19] and text(journal, "user", "name") != self.user
            for kind, value in _said(journal)
        ]

    def _changed(self, change: Change) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        if change.status:
            changed["status_id"] = int(change.status)
        if change.priority:
            changed["priority_id"] = int(change.priority)
        if change.seq is not None:
            changed["custom_fields"] = [self._field(self.seq_field, str(change.seq))]
        return changed

    @staticmethod
    def _field(field_id: int, value: str) -> dict[str, Any]:
        return {"id": field_id, "value": value}

    def _ticket(self, issue: Any) -> Ticket:
        fields = {text(one, "id"): text(one, "value") for one in members(issue, "custom_fields")}
        seq = fields.get(str(self.seq_field), "")
        return Ticket(
            text(issue, "id"),
            fields.get(str(self.incident_field), ""),
            int(seq) if seq.isascii() and seq.isdigit() else 0,
            text(issue, "status", "id"),
        )


def _said(journal: Any) -> Iterator[tuple[UpdateKind, str]]:
    """Yield what one entry of an issue's history says, the note first."""
    notes = text(journal, "notes").strip()
    if notes and not is_ours(notes):
        yield UpdateKind.COMMENT, notes
    for detail in members(journal, "details"):
        if text(detail, "name") == "status_id":
            yield UpdateKind.STATUS, text(detail, "new_value")
        if text(detail, "name") == "assigned_to_id":
            yield UpdateKind.ASSIGNEE, text(detail, "new_value")
