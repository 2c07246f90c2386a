"""The journal's tables and the statements on them; each function runs inside a transaction its caller owns."""

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from btimd.model.incident import Incident, IncidentEvent
from btimd.model.ports import (
    CommandDone,
    IncidentWrite,
    OutboxMessage,
    Telling,
    TellKind,
    Timer,
    TimerGoneError,
    VersionConflictError,
)
from btimd.model.units import UnixSeconds
from btimd.store import deliverylog, notifications, outboxtables, suppressions
from btimd.store.journalcodec import event_from_json, event_to_json, incident_from_json, incident_to_json
from btimd.store.reports import SCHEMA as REPORTS
from btimd.store.schema import migrate

REFUSALS: Final = (VersionConflictError, TimerGoneError, ValueError, KeyError)
"""What a write may be refused with; anything else is a failure of the journal itself."""

_APPLICATION_ID: Final = 0x6274696D  # "btim"

_MIGRATIONS: Final = (
    """
    CREATE TABLE incident (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, is_open INTEGER NOT NULL, opened_at REAL NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX incident_newest ON incident (opened_at, id);
    CREATE INDEX incident_open ON incident (opened_at, id) WHERE is_open;
    CREATE TABLE event (
        incident_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (incident_id, seq)
    ) WITHOUT ROWID;
    CREATE TABLE command (id TEXT PRIMARY KEY, incident_id TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE timer (
        incident_id TEXT NOT NULL, name TEXT NOT NULL, due_at REAL NOT NULL, PRIMARY KEY (incident_id, name)
    ) WITHOUT ROWID;
    CREATE INDEX timer_due ON timer (due_at, incident_id, name);
    CREATE TABLE outbox (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, incident_id TEXT NOT NULL,
        seq INTEGER NOT NULL, content_type TEXT NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL,
        next_at REAL NOT NULL, uncertain INTEGER NOT NULL, last_error TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'inflight', 'done', 'dead')),
        ended_at REAL
    );
    CREATE INDEX outbox_line ON outbox (target, incident_id, seq, position) WHERE state IN ('pending', 'inflight');
    CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'pending';
    CREATE INDEX outbox_state ON outbox (state, ended_at);
    CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE verdict (id TEXT PRIMARY KEY, at REAL NOT NULL, body BLOB NOT NULL);
    CREATE INDEX verdict_newest ON verdict (at, id);
    """,
    """
    ALTER TABLE timer ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE command ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE command ADD COLUMN at REAL NOT NULL DEFAULT 0;
    UPDATE command SET at = CAST(strftime('%s', 'now') AS REAL);
    CREATE INDEX command_age ON command (at);
    CREATE TABLE notice (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, incident_id TEXT NOT NULL, seq INTEGER NOT NULL,
        kind TEXT NOT NULL, recipient TEXT NOT NULL, what TEXT NOT NULL, dispatch_id TEXT NOT NULL, at REAL NOT NULL,
        attempts INTEGER NOT NULL, next_at REAL NOT NULL, last_error TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'done', 'void')),
        ended_at REAL
    );
    CREATE INDEX notice_due ON notice (next_at, position) WHERE state = 'pending';
    CREATE INDEX notice_order ON notice (dispatch_id) WHERE state = 'pending' AND dispatch_id <> '';
    CREATE INDEX notice_ended ON notice (ended_at) WHERE ended_at IS NOT NULL;
    """,
    REPORTS,
    outboxtables.SCHEMA,
    notifications.SCHEMA,
    deliverylog.SCHEMA,
    suppressions.SCHEMA,
)
"""One script per schema version, applied in order; a released script is never changed."""

_NOTICE: Final = "id, incident_id, seq, kind, recipient, what, dispatch_id, at, attempts, next_at, last_error"


def prepare(connection: sqlite3.Connection) -> None:
    """Set the file up for durable work by one process, migrate it, put what was in flight back as uncertain."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrate(connection, _APPLICATION_ID, _MIGRATIONS)
        notifications.recover(connection)
        connection.execute("UPDATE outbox SET state = 'pending', uncertain = 1 WHERE state = 'inflight'")
        connection.execute("UPDATE notice SET state = 'pending' WHERE state = 'claimed'")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def write_incident(connection: sqlite3.Connection, write: IncidentWrite) -> None:
    """Store one step of an incident; raises VersionConflictError, or ValueError for what was written before."""
    incident = write.incident
    row = connection.execute("SELECT version FROM incident WHERE id = ?", (incident.id,)).fetchone()
    stored = row[0] if row else 0
    if stored != incident.version - 1:
        raise VersionConflictError(
            f"incident {incident.id} is stored with version {stored}; version {incident.version} cannot follow"
        )
    connection.execute(
        "INSERT INTO incident (id, version, is_open, opened_at, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET version = excluded.version, is_open = excluded.is_open, opened_at = excluded.opened_at,"
        " body = excluded.body",
        (incident.id, incident.version, incident.state.is_open, incident.opened_at, incident_to_json(incident)),
    )
    if write.fired is not None:
        _take_timer(connection, write.fired)
    for event in write.events:
        _write_event(connection, incident.id, event)
    for name, due_at in write.timers.items():
        if due_at is None:
            connection.execute("DELETE FROM timer WHERE incident_id = ? AND name = ?", (incident.id, name))
        else:
            connection.execute(
                "INSERT OR REPLACE INTO timer (incident_id, name, due_at, generation) VALUES (?, ?, ?, ?)",
                (incident.id, name, due_at, incident.version),
            )
    for message in write.messages:
        _write_message(connection, incident.id, message)
    for telling in write.tellings:
        _write_telling(connection, incident.id, telling)


def _take_timer(connection: sqlite3.Connection, timer: Timer) -> None:
    gone = connection.execute(
        "DELETE FROM timer WHERE incident_id = ? AND name = ? AND generation = ?",
        (timer.incident_id, timer.name, timer.generation),
    )
    if gone.rowcount != 1:
        raise TimerGoneError(f"timer {timer.name} of {timer.incident_id} in generation {timer.generation} runs no more")


def _write_telling(connection: sqlite3.Connection, incident_id: str, telling: Telling) -> None:
    if telling.kind is TellKind.RECALL and telling.dispatch_id:  # what was not told yet need not be told any more
        connection.execute(
            "UPDATE notice SET state = 'void', ended_at = ? WHERE state = 'pending' AND dispatch_id = ?",
            (telling.at, telling.dispatch_id),
        )
    try:
        connection.execute(
            f"INSERT INTO notice ({_NOTICE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  a constant list of columns
            (telling.id, telling.incident_id, telling.seq, telling.kind.value, telling.recipient, telling.what,
             telling.dispatch_id, telling.at, telling.attempts, telling.next_at, telling.last_error),
        )  # fmt: skip
    except sqlite3.IntegrityError as error:
        raise ValueError(f"incident {incident_id}: a telling of this write was written before") from error


def _write_event(connection: sqlite3.Connection, incident_id: str, event: IncidentEvent) -> None:
    if event.incident_id != incident_id:
        raise ValueError(f"an event of incident {event.incident_id} in a write of {incident_id}")
    try:
        connection.execute("INSERT INTO event VALUES (?, ?, ?)", (incident_id, event.seq, event_to_json(event)))
    except sqlite3.IntegrityError as error:
        raise ValueError(f"incident {incident_id}: event {event.seq} was written before") from error
    if event.command_id:
        connection.execute(
            "INSERT OR IGNORE INTO command (id, incident_id, seq, at) VALUES (?, ?, ?, ?)",
            (event.command_id, incident_id, event.seq, event.at),
        )


def _write_message(connection: sqlite3.Connection, incident_id: str, message: OutboxMessage) -> None:
    try:
        outboxtables.add_message(connection, message)
    except sqlite3.IntegrityError as error:
        raise ValueError(f"incident {incident_id}: a message of this write was written before") from error


def load_incidents(connection: sqlite3.Connection, *, only_open: bool, limit: int) -> Sequence[Incident]:
    """Return incidents, newest first."""
    where = "WHERE is_open" if only_open else ""
    rows = connection.execute(
        f"SELECT body FROM incident {where} ORDER BY opened_at DESC, id DESC LIMIT ?",  # noqa: S608  one of two constants
        (limit,),
    )
    return [incident_from_json(body) for (body,) in rows]


def load_incident(connection: sqlite3.Connection, incident_id: str) -> Incident | None:
    """Return one incident."""
    row = connection.execute("SELECT body FROM incident WHERE id = ?", (incident_id,)).fetchone()
    return incident_from_json(row[0]) if row else None


def load_events(connection: sqlite3.Connection, incident_id: str) -> Sequence[IncidentEvent]:
    """Return a timeline, oldest first."""
    rows = connection.execute("SELECT body FROM event WHERE incident_id = ? ORDER BY seq", (incident_id,))
    return [event_from_json(body) for (body,) in rows]


def find_command(connection: sqlite3.Connection, command_id: str) -> CommandDone | None:
    """Return what the command was carried out as first."""
    row = connection.execute("SELECT incident_id, seq, at FROM command WHERE id = ?", (command_id,)).fetchone()
    return CommandDone(*row) if row else None


def timers_due(connection: sqlite3.Connection, now: UnixSeconds, limit: int) -> Sequence[Timer]:
    """Return due timers, earliest first."""
    rows = connection.execute(
        "SELECT incident_id, name, due_at, generation FROM timer WHERE due_at <= ?"
        " ORDER BY due_at, incident_id, name LIMIT ?",
        (now, limit),
    )
    return [Timer(*row) for row in rows]


def next_timer_at(connection: sqlite3.Connection) -> UnixSeconds | None:
    """Return when the next timer is due."""
    (due_at,) = connection.execute("SELECT min(due_at) FROM timer").fetchone()
    return None if due_at is None else float(due_at)


def drop_timer(connection: sqlite3.Connection, timer: Timer) -> None:
    """Remove a timer, unless it was set anew."""
    with contextlib.suppress(TimerGoneError):
        _take_timer(connection, timer)


def claim_tellings(connection: sqlite3.Connection, now: UnixSeconds, limit: int) -> Sequence[Telling]:
    """Mark due notices as claimed and return them; `attempts` counts the attempt that now begins."""
    rows = connection.execute(
        f"SELECT {_NOTICE} FROM notice WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, position LIMIT ?",  # noqa: S608  constants
        (now, limit),
    ).fetchall()
    claimed = [
        Telling(
            id=row[0],
            incident_id=row[1],
            seq=row[2],
            kind=TellKind(row[3]),
            recipient=row[4],
            what=row[5],
            dispatch_id=row[6],
            at=row[7],
            attempts=row[8] + 1,
            next_at=row[9],
            last_error=row[10],
        )
        for row in rows
    ]
    connection.executemany(
        "UPDATE notice SET state = 'claimed', attempts = ? WHERE id = ?", [(one.attempts, one.id) for one in claimed]
    )
    return claimed


def telling_done(connection: sqlite3.Connection, telling_id: str, now: UnixSeconds) -> None:
    """Record that a telling is in other hands."""
    _require_claimed(connection, telling_id)
    connection.execute("UPDATE notice SET state = 'done', ended_at = ? WHERE id = ?", (now, telling_id))


def telling_failed(connection: sqlite3.Connection, telling_id: str, *, next_at: UnixSeconds, error: str) -> None:
    """Record a failed attempt."""
    _require_claimed(connection, telling_id)
    connection.execute(
        "UPDATE notice SET state = 'pending', next_at = ?, last_error = ? WHERE id = ?", (next_at, error, telling_id)
    )


def _require_claimed(connection: sqlite3.Connection, telling_id: str) -> None:
    row = connection.execute("SELECT state FROM notice WHERE id = ?", (telling_id,)).fetchone()
    if row is None:
        raise KeyError(telling_id)
    if row[0] != "claimed":
        raise ValueError(f"telling {telling_id} is {row[0]}, not claimed; its outcome cannot be recorded")


def next_telling_at(connection: sqlite3.Connection) -> UnixSeconds | None:
    """Return when the next telling is due."""
    (next_at,) = connection.execute("SELECT min(next_at) FROM notice WHERE state = 'pending'").fetchone()
    return None if next_at is None else float(next_at)


def outbox_depth(connection: sqlite3.Connection) -> Mapping[str, int]:
    """Return the number of messages by state."""
    found = dict(connection.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
    return {state: int(found.get(state, 0)) for state in ("pending", "inflight", "done", "dead")}


def save_state(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Keep a named state."""
    connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))


def load_state(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return a named state."""
    row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def save_verdict(connection: sqlite3.Connection, verdict_id: str, at: UnixSeconds, body: bytes) -> None:
    """Keep a diagnosis."""
    connection.execute("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?)", (verdict_id, at, body))


def load_verdicts(connection: sqlite3.Connection, limit: int) -> Sequence[tuple[str, UnixSeconds, bytes]]:
    """Return diagnoses, newest first."""
    return connection.execute("SELECT id, at, body FROM verdict ORDER BY at DESC, id DESC LIMIT ?", (limit,)).fetchall()


def forget(
    connection: sqlite3.Connection,
    *,
    messages_before: UnixSeconds,
    verdicts_before: UnixSeconds,
    commands_before: UnixSeconds,
) -> int:
    """Remove old delivered messages, told tellings, diagnoses and command ids; return how many.

    Dead messages stay: people must look.
    """
    messages = connection.execute(
        "DELETE FROM outbox WHERE state IN ('done', 'superseded', 'dropped') AND ended_at < ?", (messages_before,)
    )
    verdicts = connection.execute("DELETE FROM verdict WHERE at < ?", (verdicts_before,))
    tellings = connection.execute("DELETE FROM notice WHERE ended_at < ?", (messages_before,))
    commands = connection.execute("DELETE FROM command WHERE at < ?", (commands_before,))
    return messages.rowcount + verdicts.rowcount + tellings.rowcount + commands.rowcount
