"""Redmine over its REST API (https://www.redmine.org/projects/redmine/wiki/Rest_api).

Its peculiarities: an unknown status or a transition that the workflow forbids gets 204 and changes nothing; a search by
a custom field that is no filter finds everything; a status at creation counts only where the workflow says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask, ask_json, json_request, members, query, text
from btimd.itsm.emit.facts import description, subject
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver


@dataclass(frozen=True, slots=True)
class Redmine:
    """The primitives of a project. incident_field, seq_field: ids of the custom fields for key and marker."""

    project: str
    tracker_id: int
    incident_field: int
    seq_field: int
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
    def _field(number: int, value: str) -> dict[str, Any]:
        return {"id": number, "value": value}

    def _ticket(self, issue: Any) -> Ticket:
        fields = {text(one, "id"): text(one, "value") for one in members(issue, "custom_fields")}
        seq = fields.get(str(self.seq_field), "")
        return Ticket(
            text(issue, "id"),
            fields.get(str(self.incident_field), ""),
            int(seq) if seq.isascii() and seq.isdigit() else 0,
            text(issue, "status", "id"),
        )
