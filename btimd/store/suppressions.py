"""Windows, silences and what they held back, in the journal's file. Nothing is ever taken out but after a long time."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from typing_extensions import override

from btimd.model.incident import Priority
from btimd.model.maintenance import (
    HeldState,
    MaintenanceStore,
    Matcher,
    MinuteSpan,
    Recurrence,
    SuppressedReport,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
)
from btimd.model.plain import to_plain
from btimd.model.units import UnixSeconds

T = TypeVar("T")

SCHEMA: Final = """
    CREATE TABLE suppression (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL
    );
    CREATE TABLE suppressed (
        position INTEGER PRIMARY KEY, suppression_id TEXT NOT NULL, fingerprint TEXT NOT NULL, title TEXT NOT NULL,
        cause TEXT NOT NULL, businesses TEXT NOT NULL, regions TEXT NOT NULL, verdict_id TEXT NOT NULL,
        first_at REAL NOT NULL, last_at REAL NOT NULL, count INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('held', 'cleared', 'opened', 'lost')),
        incident_id TEXT NOT NULL, report TEXT NOT NULL
    );
    CREATE UNIQUE INDEX suppressed_held ON suppressed (fingerprint) WHERE state = 'held';
    CREATE INDEX suppressed_of ON suppressed (suppression_id, position)
"""
"""One step of the journal's migrations; never changed once released."""

_PREFIX: Final = {SuppressionKind.WINDOW: "M", SuppressionKind.SILENCE: "S"}
_ROW: Final = (
    "position, suppression_id, fingerprint, title, cause, businesses, regions, verdict_id, first_at, last_at, count,"
    " state, incident_id"
)
_KEPT_SECONDS: Final = 400 * 86_400.0


class _Run(Protocol):
    """SqliteJournal.run."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Run work on the connection, in a transaction."""
        ...


def suppression_to_json(one: Suppression) -> str:
    """Return a window or silence as one line of JSON."""
    return json.dumps(to_plain(one), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def suppression_from_json(text: str) -> Suppression:
    """Return the one that was written."""
    found: dict[str, Any] = json.loads(text)
    matcher, recurrence = found["matcher"], found["recurrence"]
    least = matcher.pop("least_priority")
    return Suppression(**found | {
        "kind": SuppressionKind(found["kind"]),
        "effect": SuppressionEffect(found["effect"]),
        "matcher": Matcher(
            **{name: tuple(values) for name, values in matcher.items()},
            least_priority=None if least is None else Priority(least),
        ),
        "recurrence": None if recurrence is None else Recurrence(**recurrence | {
            "weekdays": tuple(recurrence["weekdays"]),
            "hours": tuple(MinuteSpan(**one) for one in recurrence["hours"]),
        }),
    })  # fmt: skip


def _add(connection: sqlite3.Connection, new: Suppression, command_id: str) -> Suppression:
    known = connection.execute("SELECT body FROM suppression WHERE command_id = ?", (command_id,)).fetchone()
    if known is not None:
        return suppression_from_json(known[0])
    (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM suppression").fetchone()
    kept = replace(new, id=f"{_PREFIX[new.kind]}-{last + 1}")
    connection.execute(
        "INSERT INTO suppression VALUES (?, ?, ?, ?)", (last + 1, kept.id, command_id, suppression_to_json(kept))
    )
    return kept


def _replace(connection: sqlite3.Connection, one: Suppression) -> None:
    done = connection.execute("UPDATE suppression SET body = ? WHERE id = ?", (suppression_to_json(one), one.id))
    if done.rowcount != 1:
        raise KeyError(one.id)


def _load(connection: sqlite3.Connection) -> Sequence[Suppression]:
    rows = connection.execute("SELECT body FROM suppression ORDER BY number").fetchall()
    return [suppression_from_json(body) for (body,) in rows]


def _hold(connection: sqlite3.Connection, held: SuppressedReport, report: str) -> SuppressedReport:
    row = connection.execute(
        f"SELECT {_ROW} FROM suppressed WHERE fingerprint = ? AND state = 'held'",  # noqa: S608  a constant list of columns
        (held.fingerprint,),
    ).fetchone()
    known = None if row is None else _held(row)
    if known is not None and known.suppression_id == held.suppression_id:
        one = replace(known, last_at=held.last_at, count=known.count + held.count, verdict_id=held.verdict_id)
        connection.execute(
            "UPDATE suppressed SET last_at = ?, count = ?, verdict_id = ?, report = ? WHERE position = ?",
            (one.last_at, one.count, one.verdict_id, report, one.position),
        )
        return one
    if known is not None:  # it lasts longer than one window, and goes on under another
        connection.execute("UPDATE suppressed SET state = 'opened' WHERE position = ?", (known.position,))
    connection.execute("DELETE FROM suppressed WHERE state <> 'held' AND last_at < ?", (held.last_at - _KEPT_SECONDS,))
    added = connection.execute(
        "INSERT INTO suppressed (suppression_id, fingerprint, title, cause, businesses, regions, verdict_id, first_at,"
        " last_at, count, state, incident_id, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'held', '', ?)",
        (held.suppression_id, held.fingerprint, held.title, held.cause, "\n".join(held.businesses),
         "\n".join(held.regions), held.verdict_id, held.first_at, held.last_at, held.count, report),
    )  # fmt: skip
    return replace(held, position=int(added.lastrowid or 0), state=HeldState.HELD)


def _settle(
    connection: sqlite3.Connection, fingerprint: str, state: HeldState, incident_id: str, now: UnixSeconds
) -> bool:
    done = connection.execute(
        "UPDATE suppressed SET state = ?, incident_id = ?, last_at = max(last_at, ?)"
        " WHERE fingerprint = ? AND state = 'held'",
        (state.value, incident_id, now, fingerprint),
    )
    return done.rowcount > 0


def _all_held(connection: sqlite3.Connection) -> Sequence[tuple[SuppressedReport, str]]:
    rows = connection.execute(
        f"SELECT {_ROW}, report FROM suppressed WHERE state = 'held' ORDER BY position"  # noqa: S608  constants
    ).fetchall()
    return [(_held(row), row[-1]) for row in rows]


def _of(connection: sqlite3.Connection, suppression_id: str, limit: int) -> Sequence[SuppressedReport]:
    where, given = ("WHERE suppression_id = ?", (suppression_id, limit)) if suppression_id else ("", (limit,))
    rows = connection.execute(
        f"SELECT {_ROW} FROM suppressed {where} ORDER BY position DESC LIMIT ?",  # noqa: S608  constants
        given,
    )
    return [_held(row) for row in rows.fetchall()]


def _counts(connection: sqlite3.Connection) -> Mapping[str, int]:
    return dict(connection.execute("SELECT suppression_id, count(*) FROM suppressed GROUP BY suppression_id"))


def _held(row: Sequence[Any]) -> SuppressedReport:
    return SuppressedReport(
        position=row[0],
        suppression_id=row[1],
        fingerprint=row[2],
        title=row[3],
        cause=row[4],
        businesses=tuple(row[5].splitlines()),
        regions=tuple(row[6].splitlines()),
        verdict_id=row[7],
        first_at=row[8],
        last_at=row[9],
        count=row[10],
        state=HeldState(row[11]),
        incident_id=row[12],
    )


class SuppressionTable(MaintenanceStore):
    """Windows and silences of a journal; run: its SqliteJournal.run."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    @override
    async def add(self, new: Suppression, command_id: str) -> Suppression:
        return await self._run(lambda connection: _add(connection, new, command_id))

    @override
    async def replace(self, suppression: Suppression) -> None:
        await self._run(lambda connection: _replace(connection, suppression))

    @override
    async def load(self) -> Sequence[Suppression]:
        return await self._run(_load)

    @override
    async def hold(self, held: SuppressedReport, report: str) -> SuppressedReport:
        return await self._run(lambda connection: _hold(connection, held, report))

    @override
    async def settle(self, fingerprint: str, state: HeldState, incident_id: str, now: UnixSeconds) -> bool:
        return await self._run(lambda connection: _settle(connection, fingerprint, state, incident_id, now))

    @override
    async def held(self) -> Sequence[tuple[SuppressedReport, str]]:
        return await self._run(_all_held)

    @override
    async def of(self, suppression_id: str, limit: int) -> Sequence[SuppressedReport]:
        return await self._run(lambda connection: _of(connection, suppression_id, limit))

    @override
    async def counts(self) -> Mapping[str, int]:
        return await self._run(_counts)
