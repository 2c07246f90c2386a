"""Reports in the journal's file: one row each, UNIQUE by key, written with the journal's group commit.

The functions run inside a transaction their caller owns, so that `attach` can stand in the same one as the step of the
incident; `ReportTable` gives them to everybody else.
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Protocol, TypeVar

from typing_extensions import override

from btimd.model.incident import Impact, Urgency
from btimd.model.report import (
    Report,
    ReportChannel,
    ReportCount,
    ReportFilter,
    ReportSeverity,
    ReportSignal,
    ReportState,
    ReportStore,
    StoredReport,
    Unsummed,
)
from btimd.model.units import UnixSeconds

T = TypeVar("T")

SCHEMA: Final = """
    CREATE TABLE report (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, key TEXT NOT NULL,
        received_at REAL NOT NULL, state TEXT NOT NULL
        CHECK (state IN ('waiting', 'handed', 'folded', 'summed', 'stuck')),
        folded_into TEXT NOT NULL, incident_id TEXT NOT NULL DEFAULT '', body TEXT NOT NULL,
        UNIQUE (channel, key)
    );
    CREATE INDEX report_waiting ON report (position) WHERE state = 'waiting';
    CREATE INDEX report_stuck ON report (position) WHERE state = 'stuck';
    CREATE INDEX report_folded ON report (folded_into, position) WHERE state = 'folded';
    CREATE INDEX report_incident ON report (incident_id, position) WHERE incident_id <> '';
    CREATE INDEX report_received ON report (received_at)
"""
"""One step of the journal's migrations; never changed once released."""

_BATCH: Final = 512
_STORED: Final = "body, state, incident_id, folded_into"
_KNOWN: Final = frozenset(field.name for field in fields(Report))


class _Run(Protocol):
    """SqliteJournal.run."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Run work on the connection, in a transaction."""
        ...


def report_to_json(report: Report) -> str:
    """Return a report as one line of JSON."""
    return json.dumps(asdict(report), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def report_from_json(text: str) -> Report:
    """Return the report that was written; what a newer release added is passed over."""
    found: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in _KNOWN}
    found |= {
        "channel": ReportChannel(found["channel"]),
        "signal": ReportSignal(found["signal"]),
        "severity": ReportSeverity(found["severity"]),
        "urgency": None if found["urgency"] is None else Urgency(found["urgency"]),
        "impact": None if found["impact"] is None else Impact(found["impact"]),
    }
    return Report(**found)


def add_report(
    connection: sqlite3.Connection, report: Report, folded_into: str = "", body: str | None = None
) -> StoredReport:
    """Keep a report; one whose key is known is returned as it was kept, and nothing changes.

    body: its JSON, where it is made already.
    """
    state = ReportState.FOLDED if folded_into else ReportState.WAITING
    made = connection.execute(
        "INSERT INTO report (id, channel, key, received_at, state, folded_into, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (report.id, report.channel, report.key, report.received_at, state, folded_into, body or report_to_json(report)),
    )
    if made.rowcount == 1:
        if report.is_summary:
            connection.execute(
                "UPDATE report SET state = 'summed' WHERE state = 'folded' AND folded_into = ?", (report.id,)
            )
        return StoredReport(report, state, "", folded_into, is_new=True)
    found = connection.execute(
        f"SELECT {_STORED} FROM report WHERE channel = ? AND key = ?",  # noqa: S608  constant
        (report.channel, report.key),
    ).fetchone() or connection.execute(
        f"SELECT {_STORED} FROM report WHERE id = ?",  # noqa: S608  constant
        (report.id,),
    ).fetchone()  # fmt: skip
    return _stored(found)


def attach(connection: sqlite3.Connection, report_id: str, incident_id: str) -> None:
    """Note that a report was dealt with, and which incident it belongs to; raises KeyError."""
    done = connection.execute(
        "UPDATE report SET state = 'handed', incident_id = ? WHERE id = ?", (incident_id, report_id)
    )
    if done.rowcount != 1:
        raise KeyError(report_id)


def _stored(row: Sequence[Any]) -> StoredReport:
    return StoredReport(report_from_json(row[0]), ReportState(row[1]), row[2], row[3])


def _waiting(connection: sqlite3.Connection, limit: int) -> Sequence[Report]:
    rows = connection.execute("SELECT body FROM report WHERE state = 'waiting' ORDER BY position LIMIT ?", (limit,))
    return [report_from_json(body) for (body,) in rows]


def _unsummed(connection: sqlite3.Connection) -> Sequence[Unsummed]:
    groups = connection.execute(
        "SELECT folded_into, count(*), min(position), max(position) FROM report WHERE state = 'folded'"
        " GROUP BY folded_into"
    ).fetchall()
    return [
        Unsummed(group, count, _at(connection, first), _at(connection, last)) for group, count, first, last in groups
    ]


def _at(connection: sqlite3.Connection, position: int) -> Report:
    (body,) = connection.execute("SELECT body FROM report WHERE position = ?", (position,)).fetchone()
    return report_from_json(body)


def _list(connection: sqlite3.Connection, where: str, given: Sequence[Any]) -> Sequence[StoredReport]:
    rows = connection.execute(
        f"SELECT {_STORED} FROM report {where} ORDER BY position DESC LIMIT ?",  # noqa: S608  constants
        given,
    )
    return [_stored(row) for row in rows]


def _again(connection: sqlite3.Connection) -> int:
    return connection.execute("UPDATE report SET state = 'waiting' WHERE state = 'stuck'").rowcount


def _forget(connection: sqlite3.Connection, before: UnixSeconds, limit: int) -> int:
    return connection.execute(
        "DELETE FROM report WHERE position IN (SELECT position FROM report INDEXED BY report_received"
        " WHERE received_at < ? AND state IN ('handed', 'summed') ORDER BY received_at LIMIT ?)",
        (before, limit),
    ).rowcount


def _forget_unused(connection: sqlite3.Connection, before: UnixSeconds, limit: int) -> int:
    return connection.execute(
        "DELETE FROM report WHERE position IN (SELECT position FROM report INDEXED BY report_received"
        " WHERE received_at < ? AND state IN ('handed', 'summed') AND incident_id = ''"
        " AND NOT json_extract(body, '$.opens') ORDER BY received_at LIMIT ?)",
        (before, limit),
    ).rowcount


def _where(wanted: ReportFilter) -> tuple[str, tuple[str, ...]]:
    """Return the condition of a list. A source is found in the body; no index of it is worth its upkeep."""
    columns = {
        "channel": wanted.channel,
        "state": wanted.state,
        "incident_id": wanted.incident_id,
        "folded_into": wanted.folded_into,
        "json_extract(body, '$.source')": wanted.source,
    }
    conditions = [f"{column} = ?" for column, value in columns.items() if value is not None]
    if wanted.incident_id is not None:
        conditions.append("incident_id <> ''")  # as the index says
    given = tuple(str(value) for value in columns.values() if value is not None)
    return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), given


def _counts(connection: sqlite3.Connection) -> Sequence[ReportCount]:
    rows = connection.execute(
        "SELECT channel, state, count(*), max(received_at) FROM report GROUP BY channel, state ORDER BY channel, state"
    )
    return [ReportCount(ReportChannel(row[0]), ReportState(row[1]), row[2], row[3]) for row in rows]


@dataclass(frozen=True, slots=True)
class _Adding:
    """A report on its way to the disk."""

    report: Report
    folded_into: str
    body: str
    future: "asyncio.Future[StoredReport]"


class ReportTable(ReportStore):
    """The reports of a journal; run: its SqliteJournal.run. For one event loop.

    Reports that come while others are made durable are written together, as one call to the journal.
    """

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._adding: list[_Adding] = []
        self._writer: asyncio.Task[None] | None = None

    async def _write(self) -> None:
        while self._adding:
            batch = self._adding[:_BATCH]
            del self._adding[:_BATCH]

            def work(connection: sqlite3.Connection, batch: Sequence[_Adding] = batch) -> list[StoredReport]:
                return [add_report(connection, one.report, one.folded_into, one.body) for one in batch]

            try:
                stored = await self._run(work)
            except Exception as error:  # noqa: BLE001  it is raised to everyone who waits
                for one in batch:
                    if not one.future.done():
                        one.future.set_exception(error)
                continue
            for one, kept in zip(batch, stored, strict=True):
                if not one.future.done():  # who went away comes again, and is answered then
                    one.future.set_result(kept)

    @override
    async def add(self, report: Report, folded_into: str = "") -> StoredReport:
        future: asyncio.Future[StoredReport] = asyncio.get_running_loop().create_future()
        # What cannot be written as JSON in UTF-8 is refused here (ValueError), before it spoils what goes with it.
        body = report_to_json(report)
        body.encode()
        self._adding.append(_Adding(report, folded_into, body, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    @override
    async def waiting(self, limit: int) -> Sequence[Report]:
        return await self._run(lambda connection: _waiting(connection, limit))

    @override
    async def handed(self, report_id: str, incident_id: str) -> None:
        await self._run(lambda connection: attach(connection, report_id, incident_id))

    @override
    async def stuck(self, report_id: str) -> None:
        await self._run(
            lambda connection: connection.execute("UPDATE report SET state = 'stuck' WHERE id = ?", (report_id,))
        )

    @override
    async def again(self) -> int:
        return await self._run(_again)

    @override
    async def unsummed(self) -> Sequence[Unsummed]:
        return await self._run(_unsummed)

    @override
    async def find(self, report_id: str) -> StoredReport | None:
        found = await self._run(lambda connection: _list(connection, "WHERE id = ?", (report_id, 1)))
        return found[0] if found else None

    @override
    async def of_incident(self, incident_id: str, limit: int) -> Sequence[StoredReport]:
        where = "WHERE incident_id = ? AND incident_id <> ''"
        return await self._run(lambda connection: _list(connection, where, (incident_id, limit)))

    @override
    async def newest(self, limit: int) -> Sequence[StoredReport]:
        return await self._run(lambda connection: _list(connection, "", (limit,)))

    @override
    async def listed(self, wanted: ReportFilter, limit: int) -> Sequence[StoredReport]:
        where, given = _where(wanted)
        return await self._run(lambda connection: _list(connection, where, (*given, limit)))

    @override
    async def counts(self) -> Sequence[ReportCount]:
        return await self._run(_counts)

    @override
    async def forget_unused(self, before: UnixSeconds, limit: int) -> int:
        return await self._run(lambda connection: _forget_unused(connection, before, limit))

    @override
    async def forget(self, before: UnixSeconds, limit: int) -> int:
        return await self._run(lambda connection: _forget(connection, before, limit))
