"""Steps of knowledge records: a table of transitions, `step`, which refuses what it does not list, and replay.

The pattern of itsm.lifecycle for records that nothing waits for: articles, problems, changes, surveys. A record is what
its events add up to; each event carries the fields it changed.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, cast

from btimd.model.incident import CommandRefusedError, RefusalCode
from btimd.model.knowledge import R, RecordEvent, RecordKind
from btimd.model.plain import from_plain, hints_of, to_plain
from btimd.model.units import UnixSeconds

TEXT_LIMIT: Final = 20_000
"""Characters of any text of a person."""
NAME_LIMIT: Final = 200
"""Characters of a title, a name, a key."""
LIST_LIMIT: Final = 100
"""Entries of any list that a person gives."""

_NEVER_IN_CHANGES: Final = frozenset({"id", "version", "state"})  # the event itself says these


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Somebody does something to a record. command_id: set where a person did, so that a repeat is recognised."""

    actor: str
    command_id: str = ""
    reason: str = ""
    about: str = ""


A = TypeVar("A", bound=Action)


@dataclass(frozen=True, slots=True)
class Row(Generic[A]):
    """One row of a table. to=None: the state stays. start: makes a new record. needs: return what is missing, or ""."""

    on: type[A]
    sources: frozenset[Any]
    to: StrEnum | None
    records: str
    change: Callable[[Any, A, UnixSeconds], Any]
    needs: tuple[Callable[[Any, A], str], ...] = ()
    start: bool = False
    note: Callable[[A], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Machine(Generic[R]):
    """The life of one kind of record: its table, and what a record is before its first event."""

    kind: RecordKind
    blank: Callable[[str], R]
    table: tuple[Row[Any], ...] = field(default=())

    def allowed(self, state: StrEnum) -> tuple[str, ...]:
        """Return what may be done to a record in a state, in the table's order."""
        return tuple(dict.fromkeys(action_name(row.on) for row in self.table if state in row.sources))

    def step(self, record: R | None, record_id: str, action: Action, now: UnixSeconds) -> tuple[R, RecordEvent]:
        """Return the record after an action, and the event that says so; None: there is no record yet.

        Raises CommandRefusedError where the table lists no such transition and where the action does not bring what
        the transition needs.
        """
        before = self.blank(record_id) if record is None else record
        row: Row[Any] = self._row(record, before, action)
        if not 0 < len(before.id) <= NAME_LIMIT:
            raise CommandRefusedError(RefusalCode.INVALID, f"an id has 1 to {NAME_LIMIT} characters")
        for need in (_texts_fit, *row.needs):
            missing = need(before, action)
            if missing:
                allowed = () if record is None else self.allowed(record.state)
                raise CommandRefusedError(RefusalCode.INVALID, f"{before.id}: {missing}", allowed)
        after = row.change(before, action, now)
        event = RecordEvent(
            kind=self.kind,
            record_id=before.id,
            seq=before.version + 1,
            at=now,
            actor=action.actor,
            action=row.records,
            from_state="" if record is None else before.state.value,
            to_state=(row.to or before.state).value,
            reason=action.reason.strip(),
            changes=changed_fields(before, after),
            about=action.about,
            note=row.note(action),
            command_id=action.command_id,
        )
        return self.apply(record, event), event

    def apply(self, record: R | None, event: RecordEvent) -> R:
        """Return the record after an event."""
        row = self.blank(event.record_id) if record is None else record
        hints = hints_of(cast("Any", type(row)))
        changes = {
            name: from_plain(hints[name], value) for name, value in json.loads(event.changes).items() if name in hints
        }
        return replace(row, version=event.seq, state=hints["state"](event.to_state), **changes)

    def rebuild(self, events: Iterable[RecordEvent]) -> R | None:
        """Return the record that a whole history adds up to, None for an empty one."""
        record: R | None = None
        for event in events:
            record = self.apply(record, event)
        return record

    def _row(self, record: R | None, before: R, action: Action) -> Row[Any]:
        for row in self.table:
            if row.on is type(action) and (row.start if record is None else record.state in row.sources):
                return row
        kind = self.kind.value
        if record is None:
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no such {kind}; look up its id")
        if any(row.on is type(action) and row.start for row in self.table) and not any(
            row.on is type(action) and row.sources for row in self.table
        ):
            raise CommandRefusedError(RefusalCode.INVALID, f"there is {before.id} already; look it up")
        allowed = self.allowed(before.state)
        raise CommandRefusedError(
            RefusalCode.NOT_ALLOWED_NOW,
            f"{before.id} is {before.state.value}: {action_name(type(action))} is not possible now; "
            f"possible: {', '.join(allowed) or 'nothing, it is finished'}",
            allowed,
        )


def changed_fields(before: Any, after: Any) -> str:
    """Return the fields that differ, as JSON that `Machine.apply` reads back to the same values."""
    names = (one.name for one in fields(before) if one.name not in _NEVER_IN_CHANGES)
    changed = {name: to_plain(getattr(after, name)) for name in names if getattr(after, name) != getattr(before, name)}
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def action_name(kind: type[Action]) -> str:
    """Return what people call an action: "send-back"."""
    letters = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
    return letters.removeprefix("-")


def said(what: str, read: Callable[[Any], str] = lambda action: action.reason) -> Callable[[Any, Any], str]:
    """Return a need: a text that is not empty."""

    def missing(_record: object, action: Action) -> str:
        return "" if read(action).strip() else f"no {what} was given; write it"

    return missing


def added(known: Sequence[str], more: Iterable[str], limit: int = LIST_LIMIT) -> tuple[str, ...]:
    """Return both without repeats; of more than `limit` the first half and the latest."""
    whole = tuple(dict.fromkeys((*known, *more)))
    half = limit // 2
    return whole if len(whole) <= limit else (*whole[:half], *whole[half - limit :])


def _texts_fit(_record: object, action: Action) -> str:
    for one in fields(action):
        value = getattr(action, one.name)
        limit = NAME_LIMIT if one.name in _NAMES else TEXT_LIMIT
        if isinstance(value, str) and len(value) > limit:
            return f"the {one.name} has {len(value)} characters; shorten it to {limit}"
        if isinstance(value, tuple):
            if len(value) > LIST_LIMIT:
                return f"the {one.name} are {len(value)}; name at most {LIST_LIMIT}"
            if any(isinstance(item, str) and len(item) > NAME_LIMIT for item in value):
                return f"one of the {one.name} has more than {NAME_LIMIT} characters; shorten it"
    return "" if action.actor.strip() else "nobody is named who does it; name them"


_NAMES: Final = frozenset(
    {"title", "category", "actor", "command_id", "about", "source_incident", "replaces", "owner", "key", "node",
     "change_id", "article_id", "person"}
)  # fmt: skip
