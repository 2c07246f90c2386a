"""The outbox for people, and the log of what they did to it: changes and their log lines are one transaction."""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from typing_extensions import override

from btimd.model.delivery import (
    DeliveryAction,
    DeliveryActionKind,
    DeliveryStore,
    ExternalReference,
    OutboxEntry,
    OutboxState,
)
from btimd.model.units import UnixSeconds
from btimd.store import outboxtables

T = TypeVar("T")

SCHEMA: Final = """
    CREATE TABLE delivery_log (
        position INTEGER PRIMARY KEY, at REAL NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
        message_id TEXT NOT NULL, incident_id TEXT NOT NULL, reason TEXT NOT NULL, command_id TEXT NOT NULL UNIQUE
    );
    CREATE INDEX delivery_log_target ON delivery_log (target, position);
    CREATE INDEX delivery_log_incident ON delivery_log (incident_id, position) WHERE incident_id <> '';
    CREATE TABLE delivery_hold (target TEXT PRIMARY KEY, log_position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX outbox_incident ON outbox (incident_id, position);
    CREATE INDEX ext_ref_incident ON ext_ref (incident_id)
"""
"""One step of the journal's migrations; never changed once released."""

_ENTRY: Final = (
    "id, target, incident_id, seq, state, attempts, created_at, next_at, ended_at, last_error, uncertain, content_type"
)
_ACTION: Final = "at, actor, kind, target, message_id, incident_id, reason, command_id"


class _Run(Protocol):
    """SqliteJournal.run."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Run work on the connection, in a transaction."""
        ...


def _entry(row: Sequence[Any], body: bytes = b"") -> OutboxEntry:
    return OutboxEntry(
        id=row[0],
        target=row[1],
        incident_id=row[2],
        seq=row[3],
        state=OutboxState(row[4]),
        attempts=row[5],
        created_at=row[6],
        next_at=row[7],
        ended_at=row[8],
        last_error=row[9],
        is_uncertain=bool(row[10]),
        content_type=row[11],
        body=body.decode("utf-8", "replace"),
    )


def _entries(connection: sqlite3.Connection, where: str, given: Sequence[Any]) -> Sequence[OutboxEntry]:
    rows = connection.execute(f"SELECT {_ENTRY} FROM outbox WHERE {where}", given)  # noqa: S608  constants
    return [_entry(row) for row in rows]


def _letter(connection: sqlite3.Connection, message_id: str) -> OutboxEntry:
    row = connection.execute(f"SELECT {_ENTRY}, body FROM outbox WHERE id = ?", (message_id,)).fetchone()  # noqa: S608  constant
    if row is None:
        raise KeyError(message_id)
    return _entry(row[:12], bytes(row[12]))


def _actions(connection: sqlite3.Connection, where: str, given: Sequence[Any]) -> list[DeliveryAction]:
    rows = connection.execute(f"SELECT {_ACTION} FROM delivery_log {where}", given)  # noqa: S608  constants
    return [DeliveryAction(row[0], row[1], DeliveryActionKind(row[2]), *row[3:]) for row in rows]


def _log(
    connection: sqlite3.Connection, target: str | None, incident_id: str | None, limit: int
) -> Sequence[DeliveryAction]:
    conditions, given = [], []
    for column, value in (("target", target), ("incident_id", incident_id)):
        if value is not None:
            conditions.append(f"{column} = ?")
            given.append(value)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return _actions(connection, f"{where} ORDER BY position DESC LIMIT ?", (*given, limit))


def _holds(connection: sqlite3.Connection) -> Mapping[str, DeliveryAction]:
    where = "WHERE position IN (SELECT log_position FROM delivery_hold)"
    return {action.target: action for action in _actions(connection, where, ())}


def _last_successes(connection: sqlite3.Connection) -> Mapping[str, UnixSeconds]:
    rows = connection.execute("SELECT target, max(ended_at) FROM outbox WHERE state = 'done' GROUP BY target")
    return {target: float(at) for target, at in rows}


def _act(connection: sqlite3.Connection, action: DeliveryAction, body: bytes) -> DeliveryAction:
    done = _actions(connection, "WHERE command_id = ?", (action.command_id,))
    if done:
        (was,) = done
        if (was.kind, was.target, was.message_id) != (action.kind, action.target, action.message_id):
            raise ValueError(f"command {action.command_id} was {was.kind.value} of {was.message_id or was.target}")
        return was
    message_id, now = action.message_id, action.at
    match action.kind:
        case DeliveryActionKind.EDIT:
            outboxtables.edit_dead(connection, message_id, body)
        case DeliveryActionKind.RESEND:
            outboxtables.resend_dead(connection, message_id, now)
        case DeliveryActionKind.DROP:
            outboxtables.drop_dead(connection, message_id, reason=action.reason, now=now)
    logged = connection.execute(
        f"INSERT INTO delivery_log ({_ACTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  constant
        (action.at, action.actor, action.kind.value, action.target, message_id, action.incident_id, action.reason,
         action.command_id),
    )  # fmt: skip
    if action.kind is DeliveryActionKind.PAUSE:
        connection.execute("INSERT OR REPLACE INTO delivery_hold VALUES (?, ?)", (action.target, logged.lastrowid))
    elif action.kind is DeliveryActionKind.RESUME:
        connection.execute("DELETE FROM delivery_hold WHERE target = ?", (action.target,))
        # What may have arrived keeps its time: a request of ours may still be worked on there.
        connection.execute(
            "UPDATE outbox SET next_at = ? WHERE target = ? AND state = 'pending' AND NOT uncertain AND next_at > ?",
            (now, action.target, now),
        )
    return action


class DeliveryTable(DeliveryStore):
    """The outbox of a journal, for people; run: its SqliteJournal.run."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    @override
    async def dead_letters(self, target: str | None, limit: int) -> Sequence[OutboxEntry]:
        of = "" if target is None else "AND target = ? "
        given = (limit,) if target is None else (target, limit)
        where = f"state = 'dead' {of}ORDER BY ended_at DESC, position DESC LIMIT ?"
        return await self._run(lambda connection: _entries(connection, where, given))

    @override
    async def letter(self, message_id: str) -> OutboxEntry:
        return await self._run(lambda connection: _letter(connection, message_id))

    @override
    async def of_incident(self, incident_id: str, limit: int) -> Sequence[OutboxEntry]:
        where = "incident_id = ? ORDER BY position DESC LIMIT ?"
        return await self._run(lambda connection: _entries(connection, where, (incident_id, limit)))

    @override
    async def references(self, incident_id: str) -> Sequence[ExternalReference]:
        return await self._run(lambda connection: outboxtables.references_of(connection, incident_id))

    @override
    async def holds(self) -> Mapping[str, DeliveryAction]:
        return await self._run(_holds)

    @override
    async def last_successes(self) -> Mapping[str, UnixSeconds]:
        return await self._run(_last_successes)

    @override
    async def log(self, target: str | None, incident_id: str | None, limit: int) -> Sequence[DeliveryAction]:
        return await self._run(lambda connection: _log(connection, target, incident_id, limit))

    @override
    async def act(self, action: DeliveryAction, body: bytes = b"") -> DeliveryAction:
        return await self._run(lambda connection: _act(connection, action, body))
