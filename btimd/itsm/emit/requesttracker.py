"""Request Tracker 5 over REST 2.0 (https://docs.bestpractical.com/rt/latest/RT/REST2.html).

Its peculiarities: an invalid status gets 200 and changes nothing; a comment is not idempotent, so the marker is changed
in the same request; the search takes TicketSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from btimd.itsm.emit.exchange import (
    Dialogue,
    Done,
    Work,
    ask,
    ask_json,
    json_request,
    member,
    members,
    number,
    query,
    text,
)
from btimd.itsm.emit.facts import description, subject
from btimd.itsm.emit.polling import PAGES_LIMIT, Changes, OutsideChange, is_ours
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver
from btimd.model.delivery import UpdateKind

_REST: Final = "REST/2.0"
_MAY_CHANGE_PRIORITY: Final = frozenset({"priority-set", "reported", "reopened", "absorbed"})
_KINDS: Final = {
    ("Status", "Status"): UpdateKind.STATUS,
    ("SetWatcher", "Owner"): UpdateKind.ASSIGNEE,
    ("Set", "Owner"): UpdateKind.ASSIGNEE,
    ("Comment", ""): UpdateKind.COMMENT,
    ("Correspond", ""): UpdateKind.COMMENT,
}


@dataclass(frozen=True, slots=True)
class RequestTracker:
    """The primitives of a queue. incident_field, seq_field: its custom fields for key and marker. user: btimd's own."""

    queue: str
    incident_field: str
    seq_field: str
    user: str
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
        """Change a ticket: first what can be repeated, then the note with its marker.

        A reply opens a resolved ticket again, so the status of a closing note goes with it: RT sets it afterwards.
        """
        fields: dict[str, Any] = {}
        document: dict[str, Any] = {"Content": change.note, "ContentType": "text/plain"}
        if change.status:
            (document if change.closing else fields)["Status"] = change.status
        if change.priority and change.facts.kind in _MAY_CHANGE_PRIORITY:
            fields |= {"Priority": _priority(change.priority), "Subject": subject(change.facts)}
        if fields:
            yield from ask(json_request("PUT", f"{_REST}/ticket/{ticket_id}", fields), gone=True)
        if change.note:
            if change.seq is not None:
                document |= {"CustomFields": self._fields(change)}
            kind = "correspond" if change.closing else "comment"
            yield from ask(json_request("POST", f"{_REST}/ticket/{ticket_id}/{kind}", document), good=(201,), gone=True)

    def changes(self, cursor: str) -> Dialogue[Changes]:
        """Return what people changed in tickets of ours since the cursor, a time stamp.

        What RT_System does is no person's doing: it is RT's answer to something of ours.
        """
        sql = (
            f"Queue = {_quoted(self.queue)} AND 'CF.{{{self.incident_field}}}' IS NOT NULL"
            f" AND LastUpdated >= '{cursor[:10]} {cursor[11:19]} UTC'"
        )
        found: list[OutsideChange] = []
        latest = cursor
        for page in range(1, PAGES_LIMIT + 1):
            given = {"query": sql, "fields": "CustomFields,LastUpdated", "orderby": "LastUpdated", "order": "ASC"}
            answer = yield from ask_json(query(f"{_REST}/tickets", given | {"per_page": "50", "page": str(page)}))
            for item in members(answer, "items"):
                found += yield from self._history(self._ticket(item), cursor)
                latest = max(latest, text(item, "LastUpdated"))
            if page >= number(answer, "pages"):
                break
        return Changes(tuple(found), latest)

    def _history(self, ticket: Ticket, cursor: str) -> Dialogue[list[OutsideChange]]:
        fields = "Type,Field,OldValue,NewValue,Created,Creator"
        found: list[OutsideChange] = []
        for page in range(1, PAGES_LIMIT + 1):
            given = {"fields": fields, "per_page": "100", "page": str(page)}
            answer = yield from ask_json(query(f"{_REST}/ticket/{ticket.id}/history", given))
            for item in members(answer, "items"):
                if text(item, "Created") >= cursor and text(item, "Creator", "id") not in {self.user, "RT_System"}:
                    found += yield from self._change(ticket, item)
            if len(members(answer, "items")) < 100:  # noqa: PLR2004  a page that is not full is the last
                break
        return found

    def _change(self, ticket: Ticket, item: Any) -> Dialogue[list[OutsideChange]]:
        kind, value, note = _KINDS.get((text(item, "Type"), text(item, "Field"))), text(item, "NewValue"), ""
        if kind is None:
            return []
        if kind is UpdateKind.COMMENT:
            value = yield from self._content(text(item, "id"))
            if not value or is_ours(value):
                return []
        return [
            OutsideChange(
                external_id=ticket.id,
                key=ticket.key,
                event_id=f"transaction-{text(item, 'id')}",
                actor=text(item, "Creator", "id"),
                kind=kind,
                value=value,
                at=text(item, "Created"),
                text=note,
            )
        ]

    def _content(self, transaction: str) -> Dialogue[str]:
        answer = yield from ask_json(
            query(f"{_REST}/transaction/{transaction}/attachments", {"fields": "Content,ContentType"})
        )
        texts = (text(one, "Content") for one in members(answer, "items") if text(one, "ContentType") == "text/plain")
        return next(texts, "").strip()

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
