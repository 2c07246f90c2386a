"""Jira and Jira Service Management issues over REST, Cloud and Data Center.

Key: the label btim-<incident> and the issue property "btimd". Comments and properties are written one after the other,
so the number of an event is also in the first line of its comment, and the higher of the two is the marker.
Its peculiarities: a status is reached by a transition only; the search of Cloud is another one, and lags behind.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
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
)
from btimd.itsm.emit.exchange import text as text_at
from btimd.itsm.emit.facts import description, subject
from btimd.itsm.emit.polling import Changes, OutsideChange, is_ours
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver
from btimd.itsm.timestamp import rfc3339
from btimd.model.delivery import UpdateKind

_API: Final = "rest/api/2"
_PROPERTY: Final = "btimd"
_LABEL: Final = "btim-"
_COMMENT: Final = re.compile(r"^\[btimd (?P<key>[^\]]{1,100})\.(?P<seq>\d{1,9})\]")
_COMMENTS: Final = "50"
_ISSUES_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Jira:
    """The primitives of a project. cloud: it is Atlassian's own; user: the account id there, or the name."""

    project: str
    issue_type: str
    cloud: bool
    user: str
    states: States

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Bring an issue up to an event."""
        return deliver(self, work)

    def _search(self, jql: str, fields: Sequence[str], expand: str = "") -> Dialogue[list[dict[str, Any]]]:
        document: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": _ISSUES_AT_ONCE}
        if expand:
            document["expand"] = expand if self.cloud else [expand]
        path = "rest/api/3/search/jql" if self.cloud else f"{_API}/search"
        answer = yield from ask_json(json_request("POST", path, document, writes=False))
        return members(answer, "issues")

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        """Look up the issues of an incident."""
        jql = f'project = "{self.project}" AND labels = "{_LABEL}{key}" ORDER BY created ASC'
        found = yield from self._search(jql, ("status", "labels"))
        return [self._ticket(issue, ()) for issue in found]

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        """Return an issue with what its latest comments say of us."""
        path = f"{_API}/issue/{ticket_id}"
        issue = yield from ask_json(query(path, {"fields": "status,labels", "properties": _PROPERTY}), gone=True)
        given = {"orderBy": "-created", "maxResults": _COMMENTS}
        comments = yield from ask_json(query(f"{path}/comment", given), gone=True)
        return self._ticket(issue, [text_at(one, "body") for one in members(comments, "comments")])

    def create(self, change: Change) -> Dialogue[str]:
        """Make an issue."""
        fields: dict[str, Any] = {
            "project": {"key": self.project},
            "issuetype": {"name": self.issue_type},
            "summary": subject(change.facts),
            "description": description(change.facts),
            "labels": ["btimd", f"{_LABEL}{change.facts.incident_id}"],
        }
        if change.priority:
            fields["priority"] = {"name": change.priority}
        document = {"fields": fields, "properties": [{"key": _PROPERTY, "value": self._marker(change)}]}
        answer = yield from ask_json(json_request("POST", f"{_API}/issue", document), good=(201,))
        return text_at(answer, "id")

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        """Change an issue: what can be repeated, then the comment, then the property.

        The issue is read first: after a lost answer its comment may be there while its property is not.
        """
        path = f"{_API}/issue/{ticket_id}"
        there = yield from self.read(ticket_id)
        if change.priority and change.seq is not None and change.facts.kind in {"priority-set", "reported"}:
            fields = {"priority": {"name": change.priority}, "summary": subject(change.facts)}
            yield from ask(json_request("PUT", path, {"fields": fields}), good=(204,), gone=True)
        if change.status and there.status != change.status:
            yield from self._go_to(path, change.status)
        if change.note and (change.seq is None or there.seq < change.seq):
            yield from ask(json_request("POST", f"{path}/comment", {"body": change.note}), good=(201,), gone=True)
        if change.seq is not None:
            marker = json_request("PUT", f"{path}/properties/{_PROPERTY}", self._marker(change))
            yield from ask(marker, good=(200, 201), gone=True)

    def _go_to(self, path: str, status: str) -> Dialogue[None]:
        """Take the transition that leads to a status; where there is none, reading it back will tell."""
        answer = yield from ask_json(query(f"{path}/transitions"), gone=True)
        for one in members(answer, "transitions"):
            if text_at(one, "to", "name").casefold() == status.casefold():
                document = {"transition": {"id": text_at(one, "id")}}
                yield from ask(json_request("POST", f"{path}/transitions", document), good=(204,), gone=True)
                return

    @staticmethod
    def _marker(change: Change) -> dict[str, Any]:
        return {"incident": change.facts.incident_id, "seq": change.seq}

    def _ticket(self, issue: Any, comments: Sequence[str]) -> Ticket:
        labels = member(issue, "fields", "labels")
        named = [str(one) for one in labels if str(one).startswith(_LABEL)] if isinstance(labels, list) else []
        key = named[0].removeprefix(_LABEL) if named else ""
        matches = (_COMMENT.match(comment) for comment in comments)
        seqs = [int(match["seq"]) for match in matches if match is not None and match["key"] == key]
        seqs.append(number(issue, "properties", _PROPERTY, "seq"))
        return Ticket(text_at(issue, "id"), key, max(seqs), text_at(issue, "fields", "status", "name"))

    def changes(self, cursor: str) -> Dialogue[Changes]:
        """Return what people changed in issues of ours since the cursor.

        JQL knows minutes only, in the user's own time zone, so a day more is asked for and what is older left out.
        """
        jql = f'project = "{self.project}" AND labels = "btimd" AND updated >= "-1d" ORDER BY updated DESC'
        fields = ("status", "labels", "updated", "comment")
        found: list[OutsideChange] = []
        latest = cursor
        for issue in (yield from self._search(jql, fields, "changelog")):
            updated = _stamp(text_at(issue, "fields", "updated"))
            latest = max(latest, updated)
            if updated >= cursor:
                ticket = self._ticket(issue, ())
                found += [one for one in self._said(issue, ticket) if one.at >= cursor and one.actor != self.user]
        return Changes(tuple(sorted(found, key=lambda one: (one.at, one.event_id))), latest)

    def _said(self, issue: Any, ticket: Ticket) -> Iterator[OutsideChange]:
        """Yield every change of status and assignee, and every comment that is not ours."""
        kinds = {"status": UpdateKind.STATUS, "assignee": UpdateKind.ASSIGNEE}
        for history in members(issue, "changelog", "histories"):
            for index, item in enumerate(members(history, "items")):
                kind = kinds.get(text_at(item, "field"))
                if kind is not None:
                    event_id = f"history-{text_at(history, 'id')}-{index}"
                    yield self._change(ticket, history, event_id, kind, text_at(item, "toString"))
        for comment in members(issue, "fields", "comment", "comments"):
            body = text_at(comment, "body") or _plain(member(comment, "body"))
            if body and not is_ours(body):
                yield self._change(ticket, comment, f"comment-{text_at(comment, 'id')}", UpdateKind.COMMENT, body)

    @staticmethod
    def _change(ticket: Ticket, said: Any, event_id: str, kind: UpdateKind, value: str) -> OutsideChange:
        author = text_at(said, "author", "accountId") or text_at(said, "author", "name")
        return OutsideChange(
            external_id=ticket.id,
            key=ticket.key,
            event_id=event_id,
            actor=author,
            kind=kind,
            value=value,
            at=_stamp(text_at(said, "created")),
        )


def _plain(document: Any, depth: int = 0) -> str:
    """Return the text of an Atlassian document, which is what API 3 gives."""
    if depth > 20:  # noqa: PLR2004  deeper than any editor makes it
        return ""
    parts = [text_at(document, "text")]
    parts += [_plain(one, depth + 1) for one in members(document, "content")]
    joined = "".join(part for part in parts if part)
    return f"{joined}\n" if text_at(document, "type") == "paragraph" else joined


def _stamp(value: str) -> str:
    """Return "2026-11-22T10:00:00.000+0100" as RFC 3339 in UTC, so that stamps can be compared as text."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return rfc3339(moment.timestamp()) if moment.tzinfo is not None else value
