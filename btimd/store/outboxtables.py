"""What the journal owes to other systems, what they call our incidents, and what they told us: schema and statements.

Each function runs inside a transaction its caller owns.
"""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, Final

from btimd.model.delivery import ExternalReference, ExternalUpdate, OutboxLine, UpdateKind
from btimd.model.ports import OutboxMessage
from btimd.model.units import Seconds, UnixSeconds

SCHEMA: Final = """
    CREATE TABLE outbox_v2 (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, incident_id TEXT NOT NULL,
        seq INTEGER NOT NULL, content_type TEXT NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL,
        next_at REAL NOT NULL, uncertain INTEGER NOT NULL, last_error TEXT NOT NULL,
        collapses INTEGER NOT NULL DEFAULT 0, refused_since REAL,
        state TEXT NOT NULL DEFAULT 'pending'
            CHECK (state IN ('pending', 'inflight', 'done', 'dead', 'superseded', 'dropped')),
        created_at REAL NOT NULL, started_at REAL, ended_at REAL
    );
    INSERT INTO outbox_v2 (position, id, target, incident_id, seq, content_type, body, attempts, next_at, uncertain,
        last_error, state, created_at, ended_at)
    SELECT position, id, target, incident_id, seq, content_type, body, attempts, next_at, uncertain, last_error, state,
        next_at, ended_at FROM outbox;
    DROP TABLE outbox;
    ALTER TABLE outbox_v2 RENAME TO outbox;
    CREATE INDEX outbox_line ON outbox (target, incident_id, seq, position) WHERE state IN ('pending', 'inflight');
    CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'pending';
    CREATE INDEX outbox_due_at ON outbox (target, next_at, id) WHERE state = 'pending';
    CREATE INDEX outbox_state ON outbox (state, ended_at);
    CREATE TABLE ext_ref (
        target TEXT NOT NULL, incident_id TEXT NOT NULL, external_id TEXT NOT NULL, seq INTEGER NOT NULL,
        is_open INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (target, incident_id)
    ) WITHOUT ROWID;
    CREATE INDEX ext_ref_external ON ext_ref (target, external_id);
    CREATE TABLE inbox (
        position INTEGER PRIMARY KEY, target TEXT NOT NULL, event_id TEXT NOT NULL, external_id TEXT NOT NULL,
        incident_id TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL,
        meaning TEXT NOT NULL, text TEXT NOT NULL, taken_at REAL NOT NULL, result TEXT, ended_at REAL,
        UNIQUE (target, event_id)
    );
    CREATE INDEX inbox_waiting ON inbox (position) WHERE result IS NULL
"""

COLUMNS: Final = (
    "id, target, incident_id, seq, content_type, body, attempts, next_at, uncertain, last_error, collapses,"
    " refused_since"
)

# The heads of lines: no undelivered message of the same target and incident stands before one. The index is named, as
# SQLite would rather take the one by state and sort.
_HEAD: Final = """
    state = 'pending' AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier
        WHERE earlier.state IN ('pending', 'inflight') AND earlier.target = outbox.target
          AND earlier.incident_id = outbox.incident_id
          AND (earlier.seq, earlier.position) < (outbox.seq, outbox.position)
    )
"""
HEADS: Final = f"outbox INDEXED BY outbox_due WHERE {_HEAD}"
HEADS_OF_TARGET: Final = f"outbox INDEXED BY outbox_due_at WHERE target = ? AND {_HEAD}"


def message_of(row: Sequence[Any]) -> OutboxMessage:
    """Return the message of a row of COLUMNS."""
    message_id, target, incident_id, seq, content_type, body, attempts, next_at, uncertain, error, collapses, since = (
        row
    )
    return OutboxMessage(
        id=message_id,
        target=target,
        incident_id=incident_id,
        seq=seq,
        content_type=content_type,
        body=body,
        attempts=attempts,
        next_at=next_at,
        uncertain=bool(uncertain),
        last_error=error,
        collapses=bool(collapses),
        refused_since=since,
    )


def add_message(connection: sqlite3.Connection, message: OutboxMessage) -> None:
    """Store a message; one that collapses replaces what collapses too, was never sent, and waits before it."""
    if message.collapses:
        connection.execute(
            "UPDATE outbox SET state = 'superseded', ended_at = ? WHERE target = ? AND incident_id = ? AND collapses"
            " AND state = 'pending' AND attempts = 0",
            (message.next_at, message.target, message.incident_id),
        )
    connection.execute(
        f"INSERT INTO outbox ({COLUMNS}, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  constants
        (message.id, message.target, message.incident_id, message.seq, message.content_type, message.body,
         message.attempts, message.next_at, message.uncertain, message.last_error, message.collapses,
         message.refused_since, message.next_at),
    )  # fmt: skip


def claim_messages(
    connection: sqlite3.Connection, now: UnixSeconds, limit: int, target: str | None
) -> Sequence[OutboxMessage]:
    """Mark due heads of lines as in flight and return them; `attempts` counts the attempt that now begins."""
    heads, given = (HEADS, ()) if target is None else (HEADS_OF_TARGET, (target,))
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM {heads} AND next_at <= ? ORDER BY next_at, id LIMIT ?",  # noqa: S608  constants
        (*given, now, limit),
    ).fetchall()
    claimed = [message_of((*row[:6], row[6] + 1, *row[7:])) for row in rows]
    connection.executemany(
        "UPDATE outbox SET state = 'inflight', attempts = ?, started_at = ? WHERE id = ?",
        [(message.attempts, now, message.id) for message in claimed],
    )
    return claimed


def message_delivered(connection: sqlite3.Connection, message_id: str, now: UnixSeconds) -> None:
    """Record a delivery."""
    _require(connection, message_id, "inflight", "its outcome cannot be recorded")
    connection.execute("UPDATE outbox SET state = 'done', ended_at = ? WHERE id = ?", (now, message_id))


def message_failed(
    connection: sqlite3.Connection,
    message_id: str,
    *,
    next_at: UnixSeconds,
    error: str,
    uncertain: bool,
    refused_since: UnixSeconds | None,
) -> None:
    """Record a failed attempt; what was uncertain once stays so until it is delivered."""
    _require(connection, message_id, "inflight", "its outcome cannot be recorded")
    connection.execute(
        "UPDATE outbox SET state = 'pending', next_at = ?, last_error = ?, uncertain = uncertain OR ?,"
        " refused_since = ? WHERE id = ?",
        (next_at, error, uncertain, refused_since, message_id),
    )


def message_dead(connection: sqlite3.Connection, message_id: str, *, error: str, now: UnixSeconds) -> None:
    """Record a refusal for good."""
    _require(connection, message_id, "inflight", "its outcome cannot be recorded")
    connection.execute(
        "UPDATE outbox SET state = 'dead', last_error = ?, ended_at = ? WHERE id = ?", (error, now, message_id)
    )


def _require(connection: sqlite3.Connection, message_id: str, state: str, consequence: str) -> None:
    row = connection.execute("SELECT state FROM outbox WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise KeyError(message_id)
    if row[0] != state:
        wanted = "in flight" if state == "inflight" else state
        raise ValueError(f"message {message_id} is {row[0]}, not {wanted}; {consequence}")


def next_message_at(connection: sqlite3.Connection, target: str | None) -> UnixSeconds | None:
    """Return when the next head of a line is due."""
    heads, given = (HEADS, ()) if target is None else (HEADS_OF_TARGET, (target,))
    row = connection.execute(f"SELECT next_at FROM {heads} ORDER BY next_at LIMIT 1", given).fetchone()  # noqa: S608  constant
    return None if row is None else float(row[0])


def outbox_lines(connection: sqlite3.Connection) -> Sequence[OutboxLine]:
    """Return what waits per target."""
    rows = connection.execute(
        "SELECT target, sum(state = 'pending'), sum(state = 'inflight'), sum(state = 'dead'),"
        " min(CASE WHEN state IN ('pending', 'inflight') THEN created_at END) FROM outbox"
        " WHERE state IN ('pending', 'inflight', 'dead') GROUP BY target ORDER BY target"
    )
    return [OutboxLine(*row) for row in rows]


def settle_messages(connection: sqlite3.Connection, target: str, seconds: Seconds, now: UnixSeconds) -> None:
    """Let the requests of a dead process end before they are repeated."""
    connection.execute(
        "UPDATE outbox SET next_at = max(next_at, coalesce(started_at, ?) + ?)"
        " WHERE target = ? AND state = 'pending' AND uncertain",
        (now, seconds, target),
    )


def bury_messages(
    connection: sqlite3.Connection, keep: Collection[str], *, error: str, now: UnixSeconds
) -> Sequence[str]:
    """Declare dead what waits for other targets."""
    waiting = connection.execute("SELECT id, target FROM outbox WHERE state = 'pending' ORDER BY position")
    buried = [message_id for message_id, target in waiting.fetchall() if target not in keep]
    connection.executemany(
        "UPDATE outbox SET state = 'dead', last_error = ?, ended_at = ? WHERE id = ?",
        [(error, now, message_id) for message_id in buried],
    )
    return buried


def dead_messages(connection: sqlite3.Connection, limit: int) -> Sequence[OutboxMessage]:
    """Return dead letters, latest first."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE state = 'dead' ORDER BY ended_at DESC, position DESC LIMIT ?",  # noqa: S608  constant
        (limit,),
    )
    return [message_of(row) for row in rows]


def edit_dead(connection: sqlite3.Connection, message_id: str, body: bytes) -> None:
    """Replace the body of a dead letter."""
    _require(connection, message_id, "dead", "only dead letters can be edited")
    connection.execute("UPDATE outbox SET body = ? WHERE id = ?", (body, message_id))


def resend_dead(connection: sqlite3.Connection, message_id: str, now: UnixSeconds) -> None:
    """Make a dead letter a pending message again."""
    _require(connection, message_id, "dead", "only dead letters can be sent again")
    connection.execute(
        "UPDATE outbox SET state = 'pending', next_at = ?, created_at = ?, ended_at = NULL, refused_since = NULL"
        " WHERE id = ?",
        (now, now, message_id),
    )


def drop_dead(connection: sqlite3.Connection, message_id: str, *, reason: str, now: UnixSeconds) -> None:
    """Give a dead letter up."""
    _require(connection, message_id, "dead", "only dead letters can be dropped")
    connection.execute(
        "UPDATE outbox SET state = 'dropped', last_error = ?, ended_at = ? WHERE id = ?", (reason, now, message_id)
    )


_REFERENCE: Final = "target, incident_id, external_id, seq, is_open, note"


def save_reference(connection: sqlite3.Connection, reference: ExternalReference) -> None:
    """Keep what a target calls an incident."""
    connection.execute(
        "INSERT OR REPLACE INTO ext_ref VALUES (?, ?, ?, ?, ?, ?)",
        (reference.target, reference.incident_id, reference.external_id, reference.seq, reference.is_open,
         reference.note),
    )  # fmt: skip


def load_reference(connection: sqlite3.Connection, target: str, incident_id: str) -> ExternalReference | None:
    """Return what a target calls an incident."""
    found = _references(connection, "target = ? AND incident_id = ? LIMIT 1", (target, incident_id))
    return found[0] if found else None


def find_reference(connection: sqlite3.Connection, target: str, external_id: str) -> ExternalReference | None:
    """Return the incident that a target calls so."""
    found = _references(connection, "target = ? AND external_id = ? LIMIT 1", (target, external_id))
    return found[0] if found else None


def open_references(connection: sqlite3.Connection, target: str, limit: int) -> Sequence[ExternalReference]:
    """Return what a target has of ours that is still open."""
    return _references(connection, "target = ? AND is_open ORDER BY incident_id LIMIT ?", (target, limit))


def references_of(connection: sqlite3.Connection, incident_id: str) -> Sequence[ExternalReference]:
    """Return what targets call an incident."""
    return _references(connection, "incident_id = ? ORDER BY target", (incident_id,))


def _references(connection: sqlite3.Connection, where: str, given: Sequence[Any]) -> Sequence[ExternalReference]:
    rows = connection.execute(f"SELECT {_REFERENCE} FROM ext_ref WHERE {where}", given)  # noqa: S608  constants
    return [ExternalReference(row[0], row[1], row[2], row[3], bool(row[4]), row[5]) for row in rows]


_UPDATE: Final = "target, external_id, event_id, incident_id, actor, kind, value, at, meaning, text"


def take_update(connection: sqlite3.Connection, update: ExternalUpdate, now: UnixSeconds) -> bool:
    """Put a change from outside into the inbox, once."""
    done = connection.execute(
        f"INSERT OR IGNORE INTO inbox ({_UPDATE}, taken_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  constant
        (update.target, update.external_id, update.event_id, update.incident_id, update.actor, update.kind.value,
         update.value, update.at, update.meaning, update.text, now),
    )  # fmt: skip
    return done.rowcount == 1


def waiting_updates(connection: sqlite3.Connection, limit: int) -> Sequence[ExternalUpdate]:
    """Return updates that nobody has dealt with, oldest first."""
    rows = connection.execute(
        f"SELECT {_UPDATE} FROM inbox WHERE result IS NULL ORDER BY position LIMIT ?",  # noqa: S608  constant
        (limit,),
    )
    return [
        ExternalUpdate(
            target=row[0],
            external_id=row[1],
            event_id=row[2],
            incident_id=row[3],
            actor=row[4],
            kind=UpdateKind(row[5]),
            value=row[6],
            at=row[7],
            meaning=row[8],
            text=row[9],
        )
        for row in rows
    ]


def update_done(connection: sqlite3.Connection, target: str, event_id: str, *, result: str, now: UnixSeconds) -> None:
    """Record what became of an update."""
    done = connection.execute(
        "UPDATE inbox SET result = ?, ended_at = ? WHERE target = ? AND event_id = ?", (result, now, target, event_id)
    )
    if not done.rowcount:
        raise KeyError(event_id)
