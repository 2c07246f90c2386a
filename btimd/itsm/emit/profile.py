"""Ticket systems that a file describes: a profile says which requests find, read, create and change a ticket.

    [find]                                   # and read, create, note, login
    method = "GET"
    path = "api/v1/tickets/search?query=btim_incident:$key"
    items = "assets.Ticket"                  # where the answer has them; "" = it is the list itself
    [ticket]
    id = "id"
    key = "btim_incident"
    seq = "btim_seq"
    status = "state"
    [note]
    method = "PUT"
    path = "api/v1/tickets/$id"
    body = '{"btim_seq": "$seq", "article": {"body": "$note"}}'
    [states]
    accepted = "open"

A value stands as $name in a template, and is escaped as its place demands: within a path, a JSON string, a header or a
form. Profiles are checked as a whole when they are read: names, methods, and that every body is what it says it is.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from btimd.itsm.emit.exchange import Dialogue, Done, HttpRequest, Work, ask, document_of, member, refused, text
from btimd.itsm.emit.facts import Facts, description, subject
from btimd.itsm.emit.tickets import Change, States, Ticket, deliver

_NAME: Final = re.compile(r"\$([a-z_]+)")
NAMES: Final = frozenset({
    "key", "id", "seq", "status", "priority", "impact", "urgency", "subject", "description", "note", "cause",
    "closing_report", "businesses", "state", "token", "user", "session",
})  # fmt: skip
"""What a template may name. token, user: of the settings; session: what the log-in answered."""
_STEPS: Final = ("login", "find", "read", "create", "note", "status")
_NEEDED: Final = ("find", "read", "create", "note")
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH"})
_KEYS: Final = frozenset({"method", "path", "body", "form", "headers", "items", "id", "good", "session"})


class ProfileError(ValueError):
    """A profile that cannot be used; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request as a template. form: body values by name, "" = JSON body. items: where an answer has its tickets."""

    method: str
    path: str
    body: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    items: str = ""
    id: str = "id"
    good: tuple[int, ...] = (200, 201)
    session: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole description. ticket: where a ticket has id, key, seq and status."""

    steps: Mapping[str, Step]
    ticket: Mapping[str, str]
    states: Mapping[str, str]
    priorities: Mapping[str, str]


def profile_of(text: str, where: str) -> Profile:
    """Return the profile of a TOML text; raises ProfileError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where}: {error}") from None
    unknown = sorted(set(document) - {*_STEPS, "ticket", "states", "priorities"})
    missing = [name for name in (*_NEEDED, "ticket") if not isinstance(document.get(name), dict)]
    if unknown or missing:
        problem = f"unknown table [{unknown[0]}]" if unknown else f"the table [{missing[0]}] is missing"
        raise ProfileError(f"{where}: {problem}; known: {', '.join((*_STEPS, 'ticket', 'states', 'priorities'))}")
    ticket = {str(name): str(value) for name, value in document["ticket"].items()}
    if set(ticket) != {"id", "key", "seq", "status"}:
        raise ProfileError(f"{where}: [ticket] must say where id, key, seq and status are, and nothing else")
    steps: dict[str, Step] = {name: _step(document[name], f"{where}: [{name}]") for name in _STEPS if name in document}
    words = [_texts(document, name, where) for name in ("states", "priorities")]
    return Profile(steps, ticket, words[0], words[1])


def _step(given: Mapping[str, Any], where: str) -> Step:
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise ProfileError(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(_KEYS))}")
    if given.get("method") not in _METHODS or not isinstance(given.get("path"), str):
        raise ProfileError(f"{where}: give method (one of {', '.join(sorted(_METHODS))}) and path")
    good = given.get("good", [200, 201])
    if not isinstance(good, list) or not all(type(code) is int for code in good):
        raise ProfileError(f"{where}: good is a list of status codes, as [200, 206]")
    for name in ("body", "items", "id", "session"):
        if not isinstance(given.get(name, ""), str):
            raise ProfileError(f"{where}: {name} is text; put it between quotes")
    step = Step(
        method=given["method"],
        path=given["path"],
        body=given.get("body", ""),
        form=_texts(given, "form", where),
        headers=_texts(given, "headers", where),
        items=given.get("items", ""),
        id=given.get("id", "id"),
        good=tuple(good),
        session=given.get("session", ""),
    )
    templates = [step.path, step.body, *step.form.values(), *step.headers.values()]
    named = {name for template in templates for name in _NAME.findall(template)}
    if named - NAMES:
        raise ProfileError(f"{where}: unknown value ${min(named - NAMES)}; known: {', '.join(sorted(NAMES))}")
    for template in (step.body, *step.form.values()):
        _check_json(template, where)
    return step


def _texts(given: Mapping[str, Any], name: str, where: str) -> dict[str, str]:
    found = given.get(name, {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ProfileError(f"{where}: {name} is a table of texts")
    return found


def _check_json(template: str, where: str) -> None:
    """Refuse a template that would be no JSON with its values; a form's value may be plain text."""
    if not template.lstrip().startswith(("{", "[")):
        return
    try:
        json.loads(_NAME.sub("1", template))
    except ValueError as error:
        raise ProfileError(f"{where}: the body is no JSON: {error}; put $names between quotes") from None


def filled(template: str, values: Mapping[str, str], escape: str) -> str:
    """Return a template with its values. escape: "path", "json" or "plain" (header fields: one line)."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        if escape == "path":
            return quote(found, safe="")
        if escape == "json":
            return json.dumps(found, ensure_ascii=False)[1:-1]
        return " ".join(found.split())

    return _NAME.sub(value, template)


@dataclass(frozen=True, slots=True)
class ProfileSystem:
    """The primitives of a described system. user, token: for its templates."""

    profile: Profile
    states: States
    user: str = ""
    token: str = field(default="", repr=False)

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Bring a ticket up to an event."""
        return deliver(self, work)

    def find(self, key: str) -> Dialogue[Sequence[Ticket]]:
        """Look up the tickets of an incident."""
        answer = yield from self._do("find", {"key": key})
        items = _at(answer, self.profile.steps["find"].items)
        if isinstance(items, dict):  # tickets by id
            items = list(items.values())
        found = [self._ticket(one) for one in items or ()] if isinstance(items, list) else []
        return sorted(found, key=lambda one: (len(one.id), one.id))

    def read(self, ticket_id: str) -> Dialogue[Ticket]:
        """Return a ticket."""
        answer = yield from self._do("read", {"id": ticket_id}, gone=True)
        items = _at(answer, self.profile.steps["read"].items)
        if isinstance(items, list):
            items = items[0] if items else None
        elif isinstance(items, dict) and self.profile.steps["read"].items:
            items = next(iter(items.values()), None)
        return self._ticket(items)

    def create(self, change: Change) -> Dialogue[str]:
        """Make a ticket."""
        answer = yield from self._do("create", _values(change))
        items = _at(answer, self.profile.steps["create"].items)
        if isinstance(items, dict) and self.profile.steps["create"].items:
            items = next(iter(items.values()), None)
        created = text(items, *self.profile.steps["create"].id.split("."))
        if not created:
            raise refused(f"the answer to create has no {self.profile.steps['create'].id!r}; check [create] id")
        return created

    def write(self, ticket_id: str, change: Change) -> Dialogue[None]:
        """Change a ticket: the status first where that is a request of its own, then the note with its marker."""
        values = _values(change) | {"id": ticket_id}
        if change.status and "status" in self.profile.steps:
            yield from self._do("status", values, gone=True)
        if change.note and change.seq is not None:
            yield from self._do("note", values, gone=True)

    def _do(self, name: str, values: Mapping[str, str], *, gone: bool = False) -> Dialogue[Any]:
        step = self.profile.steps[name]
        known = {**values, "user": self.user, "token": self.token}
        if "login" in self.profile.steps:
            login = self.profile.steps["login"]
            opened = yield from ask(_request(login, known, writes=False), login.good)
            known["session"] = text(document_of(opened), *login.session.split("."))
        writes = name in {"create", "note", "status"}
        answer = yield from ask(_request(step, known, writes=writes), step.good, gone=gone)
        return document_of(answer) if answer.body else None

    def _ticket(self, document: Any) -> Ticket:
        where = self.profile.ticket
        found = {name: text(document, *where[name].split(".")) for name in ("id", "key", "seq", "status")}
        seq = found["seq"].strip()
        return Ticket(found["id"], found["key"], int(seq) if seq.isascii() and seq.isdigit() else 0, found["status"])


def _request(step: Step, values: Mapping[str, str], *, writes: bool) -> HttpRequest:
    headers = {"Accept": "application/json"}
    headers |= {name: filled(value, values, "plain") for name, value in step.headers.items()}
    body = b""
    if step.form:
        fields = {
            name: filled(value, values, "json" if value.lstrip().startswith(("{", "[")) else "plain")
            for name, value in step.form.items()
        }
        body = urlencode(fields).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif step.body:
        body = filled(step.body, values, "json").encode("utf-8", "replace")
        headers["Content-Type"] = "application/json"
    return HttpRequest(step.method, filled(step.path, values, "path"), body, headers, writes)


def _values(change: Change) -> dict[str, str]:
    facts: Facts = change.facts
    return {
        "key": facts.incident_id,
        "seq": "" if change.seq is None else str(change.seq),
        "status": change.status,
        "priority": change.priority,
        "impact": str(facts.impact),
        "urgency": str(facts.urgency),
        "subject": subject(facts),
        "description": description(facts),
        "note": change.note,
        "cause": facts.cause,
        "closing_report": facts.closing_report,
        "businesses": ", ".join(facts.businesses),
        "state": facts.state,
    }


def _at(document: Any, path: str) -> Any:
    return member(document, *path.split(".")) if path else document
