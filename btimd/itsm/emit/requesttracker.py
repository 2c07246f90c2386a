"""Request Tracker 5 over REST 2.0 (https://docs.bestpractical.com/rt/latest/RT/REST2.html).

Its peculiarities: an invalid status gets 200 and changes nothing; a comment is not idempotent, so the marker is changed
in the same request; the search takes TicketSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask, ask_json, json_request, member, members, query, text
from btimd.itsm.emit.facts import description, subject
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver

_REST = "REST/2.0"


@dataclass(frozen=True, slots=True)
class RequestTracker:
    """The primitives of a queue. incident_field, seq_field: its custom fields for key and marker."""

    queue: str
    incident_field: str
    seq_field: str
    states: States

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Bring a ticket up to an event."""
        return deliver(self, work)

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        """Look up the tickets of an incident."""
        sql = f"Queue = {_quoted(self.queue)} AND 'CF.{{{self.incident_field}}}' = {_quoted(key)}"
        found = yield from ask_json(
            query(
                f"{_REST}/tickets",
                {"query": sql, "fields": "Status,CustomFields", "orderby": "id", "order": "ASC", "per_page": "20"},
            )
        )
        return [self._ticket(item) for item in members(found, "items")]

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        """Return a ticket."""
        return self._ticket((yield from ask_json(query(f"{_REST}/ticket/{ticket_id}"), gone=True)))

    def create(self, change: Change) -> Dialogue[str]:
        """Make a ticket."""
        document: dict[str, Any] = {
            "Queue": self.queue,
            "Subject": subject(change.facts),
            "Content": description(change.facts),
            "ContentType": "text/plain",
            "CustomFields": self._fields(change) | {self.incident_field: change.facts.incident_id},
            **({"Status": change.status} if change.status else {}),
            **({"Priority": _priority(change.priority)} if change.priority else {}),
        }
        created = yield from ask_json(json_request("POST", f"{_REST}/ticket", document), good=(201,))
        return text(created, "id")

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        """Change a ticket: first what can be repeated, then the note with its marker."""
        fields: dict[str, Any] = {}
        if change.status:
            fields["Status"] = change.status
        if change.priority:
            fields["Priority"] = _priority(change.priority)
        if change.seq is not None and fields:
            fields["Subject"] = subject(change.facts)
        if fields and (change.facts.moved or change.facts.kind in {"priority-set", "reported"} or not change.note):
            yield from ask(json_request("PUT", f"{_REST}/ticket/{ticket_id}", fields), gone=True)
        if change.note:
            document: dict[str, Any] = {"Content": change.note, "ContentType": "text/plain"}
            if change.seq is not None:
                document |= {"CustomFields": self._fields(change)}
            kind = "correspond" if change.closing else "comment"
            yield from ask(json_request("POST", f"{_REST}/ticket/{ticket_id}/{kind}", document), good=(201,), gone=True)

    def _fields(self, change: Change) -> dict[str, str]:
        return {self.seq_field: str(change.seq)}

    def _ticket(self, document: Any) -> Ticket:
        fields = {text(one, "name"): text(member(one, "values"), 0) for one in members(document, "CustomFields")}
        seq = fields.get(self.seq_field, "")
        return Ticket(
            text(document, "id"),
            fields.get(self.incident_field, ""),
            int(seq) if seq.isascii() and seq.isdigit() else 0,
            text(document, "Status"),
        )


def _priority(value: str) -> int | str:
    return int(value) if value.isascii() and value.isdigit() else value


def _quoted(value: str) -> str:
    """Return a value of TicketSQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
