"""Timelines of many incidents at once, for figures. The journal's thread only reads; others take the text apart."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from btimd.model.incident import IncidentEvent
from btimd.model.units import UnixSeconds
from btimd.store.journalcodec import event_from_json

T = TypeVar("T")
R = TypeVar("R")

CHUNK: Final = 200
"""Incidents that are read in one transaction, so that no write waits long."""


class _Run(Protocol):
    """SqliteJournal.run."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Run work on the connection, in a transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """Which incidents there are. versions: by id, the latest opened first. total: also those beyond the limit.

    known_since: when the first of all was opened; None: there is none.
    """

    versions: Sequence[tuple[str, int]]
    total: int
    known_since: UnixSeconds | None


class Timelines:
    """Reads the journal's file through SqliteJournal.run."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    async def listed(self, opened_from: UnixSeconds, opened_before: UnixSeconds, limit: int) -> Listed:
        """Return the incidents that were opened in a stretch of time, and those that are open whenever that began."""

        def work(connection: sqlite3.Connection) -> Listed:
            where = "opened_at < ? AND (opened_at >= ? OR is_open)"
            values = (opened_before, opened_from)
            rows = connection.execute(
                f"SELECT id, version FROM incident WHERE {where} ORDER BY opened_at DESC, id DESC LIMIT ?",  # noqa: S608  a constant
                (*values, limit),
            ).fetchall()
            (total,) = connection.execute(f"SELECT count(*) FROM incident WHERE {where}", values).fetchone()  # noqa: S608  a constant
            (since,) = connection.execute("SELECT min(opened_at) FROM incident").fetchone()
            return Listed(rows, total, since)

        return await self._run(work)

    async def read(self, ids: Sequence[str], make: Callable[[Sequence[IncidentEvent]], R]) -> dict[str, R | None]:
        """Return what `make` makes of each timeline, called in a thread; None for one that cannot be read."""
        made: dict[str, R | None] = {}
        for at in range(0, len(ids), CHUNK):
            bodies = await self._run(_reading(ids[at : at + CHUNK]))
            made.update(await asyncio.to_thread(_made, bodies, make))
        return made


def _reading(ids: Sequence[str]) -> Callable[[sqlite3.Connection], dict[str, list[str]]]:
    def work(connection: sqlite3.Connection) -> dict[str, list[str]]:
        return {
            name: [
                body
                for (body,) in connection.execute("SELECT body FROM event WHERE incident_id = ? ORDER BY seq", (name,))
            ]
            for name in ids
        }

    return work


def _made(bodies: dict[str, list[str]], make: Callable[[Sequence[IncidentEvent]], R]) -> dict[str, R | None]:
    made: dict[str, R | None] = {}
    for name, texts in bodies.items():
        try:
            made[name] = make([event_from_json(text) for text in texts])
        except (ValueError, KeyError, TypeError):  # one damaged timeline costs itself only, and is counted
            made[name] = None
    return made
