"""ServiceNow's incident table (Table API). Key: correlation_id; marker: correlation_display "btimd 12".

Its peculiarities: an instance that hibernates answers 200 with a page, so only 201 is a creation; a query by a field it
does not know finds everything; numbers of states are text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask_json, json_request, members, query, text
from btimd.itsm.emit.facts import description, subject
from btimd.itsm.emit.polling import PAGES_LIMIT, Changes, OutsideChange, is_ours
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver
from btimd.model.delivery import UpdateKind

_TABLE: Final = "api/now/table/incident"
_FIELDS: Final = "sys_id,number,state,correlation_id,correlation_display"
_MARKER: Final = "btimd "
_SUBJECT_CHARACTERS: Final = 160
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """The primitives of an instance. closed_states: those that must come with close code and notes."""

    states: States
    user: str
    assignment_group: str = ""
    close_code: str = "Solved (Permanently)"
    closed_states: frozenset[str] = frozenset({"6", "7"})

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Bring an incident record up to an event."""
        return deliver(self, work)

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        """Look up the records of an incident."""
        wanted = f"correlation_id={key}^ORDERBYsys_created_on"
        given = {"sysparm_query": wanted, "sysparm_fields": _FIELDS, "sysparm_limit": "20"}
        answer = yield from ask_json(query(_TABLE, given))
        return [_ticket(one) for one in members(answer, "result")]

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        """Return a record."""
        answer = yield from ask_json(query(f"{_TABLE}/{ticket_id}", {"sysparm_fields": _FIELDS}), gone=True)
        return _ticket(answer.get("result") if isinstance(answer, dict) else None)

    def create(self, change: Change) -> Dialogue[str]:
        """Make a record; only 201 says that there is one."""
        record = {
            "short_description": subject(change.facts)[:_SUBJECT_CHARACTERS],
            "description": description(change.facts),
            "correlation_id": change.facts.incident_id,
            **self._changed(change),
        }
        if self.assignment_group:
            record["assignment_group"] = self.assignment_group
        answer = yield from ask_json(json_request("POST", _TABLE, record), good=(201,))
        return text(answer, "result", "sys_id")

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        """Change a record, in one request."""
        record = self._changed(change)
        if change.note:
            record["work_notes"] = change.note
        yield from ask_json(json_request("PATCH", f"{_TABLE}/{ticket_id}", record), gone=True)

    def _changed(self, change: Change) -> dict[str, str]:
        record: dict[str, str] = {}
        facts = change.facts
        if change.seq is not None:
            record["correlation_display"] = f"{_MARKER}{change.seq}"
            record |= {"impact": str(facts.impact), "urgency": str(facts.urgency)}
        if change.status:
            record["state"] = change.status
            if change.status in self.closed_states:
                record |= {"close_code": self.close_code, "close_notes": facts.closing_report or facts.reason or "-"}
        return record

    def changes(self, cursor: str) -> Dialogue[Changes]:
        """Return what people changed in records of ours since the cursor: states, and comments and work notes."""
        since = f"{cursor[:10]} {cursor[11:19]}"
        found: list[OutsideChange] = []
        latest = cursor
        wanted = f"sys_updated_on>={since}^correlation_idISNOTEMPTY^ORDERBYsys_updated_on"
        fields = f"{_FIELDS},sys_updated_on,sys_updated_by,sys_mod_count,assigned_to"
        for page in range(PAGES_LIMIT):
            given = {
                "sysparm_query": wanted,
                "sysparm_fields": fields,
                "sysparm_limit": str(_PAGE),
                "sysparm_offset": str(page * _PAGE),
                "sysparm_exclude_reference_link": "true",
            }
            records = members((yield from ask_json(query(_TABLE, given))), "result")
            for record in records:
                latest = max(latest, _moment(text(record, "sys_updated_on")))
                if text(record, "correlation_display").startswith(_MARKER):
                    found += _states_of(record, self.user)
                    found += yield from self._notes(record, since)
            if len(records) < _PAGE:
                break
        return Changes(tuple(found), latest)

    def _notes(self, record: Any, since: str) -> Dialogue[list[OutsideChange]]:
        wanted = f"name=incident^element_id={text(record, 'sys_id')}^sys_created_on>={since}^ORDERBYsys_created_on"
        given = {"sysparm_query": wanted, "sysparm_limit": "100"}
        answer = yield from ask_json(query("api/now/table/sys_journal_field", given))
        return [
            OutsideChange(
                external_id=text(record, "sys_id"),
                key=text(record, "correlation_id"),
                event_id=f"journal-{text(one, 'sys_id')}",
                actor=text(one, "sys_created_by"),
                kind=UpdateKind.COMMENT,
                value=text(one, "value"),
                at=_moment(text(one, "sys_created_on")),
            )
            for one in members(answer, "result")
            if text(one, "sys_created_by") != self.user and not is_ours(text(one, "value"))
        ]


def _states_of(record: Any, user: str) -> list[OutsideChange]:
    """Return state and assignee as they are after somebody's change; the table tells no more of it than that."""
    actor = text(record, "sys_updated_by")
    if actor == user:
        return []
    said = [(UpdateKind.STATUS, text(record, "state")), (UpdateKind.ASSIGNEE, text(record, "assigned_to"))]
    return [
        OutsideChange(
            external_id=text(record, "sys_id"),
            key=text(record, "correlation_id"),
            event_id=f"{text(record, 'sys_id')}-{text(record, 'sys_mod_count')}-{kind.value}",
            actor=actor,
            kind=kind,
            value=value,
            at=_moment(text(record, "sys_updated_on")),
        )
        for kind, value in said
        if value
    ]


def _ticket(record: Any) -> Ticket:
    marker = text(record, "correlation_display").removeprefix(_MARKER)
    return Ticket(
        text(record, "sys_id"),
        text(record, "correlation_id"),
        int(marker) if marker.isascii() and marker.isdigit() else 0,
        text(record, "state"),
    )


def _moment(stamp: str) -> str:
    """Return "2026-11-22 10:00:00", which is UTC, as RFC 3339."""
    return f"{stamp[:10]}T{stamp[11:19]}Z"
