"""Notices to people in the journal's file: a row per attempt to tell one person by one means (NoticeBook).

The functions run inside a transaction their caller owns; `NotificationTable` gives them to everybody else.
"""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from typing_extensions import override

from btimd.model.notification import Notice, NoticeBook, NoticeState
from btimd.model.plain import from_plain, to_plain
from btimd.model.units import UnixSeconds

T = TypeVar("T")

SCHEMA: Final = """
    CREATE TABLE notification (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dispatch_id TEXT NOT NULL, address TEXT NOT NULL,
        channel TEXT NOT NULL, provider_id TEXT NOT NULL, priority INTEGER NOT NULL, due_at REAL NOT NULL,
        at REAL NOT NULL, state TEXT NOT NULL, incident_id TEXT NOT NULL, person TEXT NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX notification_due ON notification (priority, due_at, position) WHERE state = 'pending';
    CREATE INDEX notification_order ON notification (dispatch_id, position) WHERE dispatch_id <> '';
    CREATE INDEX notification_address ON notification (address, at);
    CREATE INDEX notification_receipt ON notification (channel, provider_id) WHERE provider_id <> '';
    CREATE INDEX notification_at ON notification (at);
    CREATE INDEX notification_incident ON notification (incident_id, position);
    CREATE INDEX notification_person ON notification (person, position)
"""
"""One step of the journal's migrations; never changed once released."""

_DAY_SECONDS: Final = 86_400.0
_PROGRESS: Final = (
    NoticeState.PENDING, NoticeState.SENDING, NoticeState.ACCEPTED_BY_GATEWAY, NoticeState.DELIVERED, NoticeState.READ,
)  # fmt: skip
"""A state never goes back; FAILED is no step of it, and a gateway may find out late that it failed."""


class _Run(Protocol):
    """SqliteJournal.run."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Awaitable[T]:
        """Run work on the connection, in a transaction."""
        ...


def recover(connection: sqlite3.Connection) -> None:
    """Put back what was being sent when the process died; it may have arrived."""
    for notice in _select(connection, "WHERE state = 'sending'"):
        _store(connection, replace(notice, state=NoticeState.PENDING, uncertain=True))


def add_notices(connection: sqlite3.Connection, notices: Sequence[Notice]) -> None:
    """Keep new notices; one whose id is known is left alone."""
    for notice in notices:
        connection.execute(
            "INSERT OR IGNORE INTO notification (id, dispatch_id, address, channel, provider_id, priority, due_at, at, "
            "state, incident_id, person, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (notice.id, *_columns(notice)),
        )


def claim(connection: sqlite3.Connection, now: UnixSeconds, limit: int) -> Sequence[Notice]:
    """Mark due notices as sending and return them, most urgent first."""
    due = _select(
        connection, "WHERE state = 'pending' AND due_at <= ? ORDER BY priority, due_at, position LIMIT ?", now, limit
    )
    claimed = [replace(one, state=NoticeState.SENDING, attempts=one.attempts + 1, at=now) for one in due]
    for notice in claimed:
        _store(connection, notice)
    return claimed


def change(connection: sqlite3.Connection, notice_id: str, how: Callable[[Notice], Notice]) -> None:
    """Change one notice; raises KeyError where there is none."""
    found = _select(connection, "WHERE id = ?", notice_id)
    if not found:
        raise KeyError(notice_id)
    _store(connection, how(found[0]))


def receipt(
    connection: sqlite3.Connection, channel: str, provider_id: str, state: NoticeState, now: UnixSeconds
) -> bool:
    """Record a later word of a gateway."""
    found = _select(connection, "WHERE channel = ? AND provider_id = ? AND provider_id <> ''", channel, provider_id)
    for notice in found:
        if _goes_on(notice.state, state):
            _store(connection, replace(notice, state=state, at=now))
    return bool(found)


def told_lately(
    connection: sqlite3.Connection, dispatch_id: str, addresses: Sequence[str], since: UnixSeconds
) -> Sequence[Notice]:
    """Return the notices of an order, and those to some addresses since a moment, oldest first."""
    marks = ", ".join("?" * len(addresses)) or "NULL"
    return _select(
        connection,
        f"WHERE (dispatch_id = ? AND dispatch_id <> '') OR (address IN ({marks}) AND at >= ?) ORDER BY position",
        dispatch_id, *addresses, since,
    )  # fmt: skip


def find(connection: sqlite3.Connection, incident_id: str, person: str, limit: int) -> Sequence[Notice]:
    """Return the latest notices of an incident, of a person, or of both; "" = of any."""
    asked = {"incident_id": incident_id, "person": person}
    given = {name: value for name, value in asked.items() if value}
    where = " AND ".join(f"{name} = ?" for name in given) or "1"
    return _select(connection, f"WHERE {where} ORDER BY position DESC LIMIT ?", *given.values(), limit)


def forget(connection: sqlite3.Connection, before: UnixSeconds) -> int:
    """Remove what ended before a moment; return how many."""
    gone = connection.execute(
        "DELETE FROM notification WHERE at < ? AND state NOT IN ('pending', 'sending')", (before,)
    )
    return gone.rowcount


class NotificationTable(NoticeBook):
    """The notices of a journal. run: its SqliteJournal.run."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    async def add_notices(self, notices: Sequence[Notice]) -> None:
        """Keep new notices; one whose id is known is left alone."""
        await self._run(lambda connection: add_notices(connection, notices))

    async def told_lately(self, dispatch_id: str, addresses: Sequence[str], since: UnixSeconds) -> Sequence[Notice]:
        """Return the notices of an order, and those to some addresses since a moment, oldest first."""
        return await self._run(lambda connection: told_lately(connection, dispatch_id, addresses, since))

    async def find(self, *, incident_id: str = "", person: str = "", limit: int = 1000) -> Sequence[Notice]:
        """Return the latest notices of an incident, of a person, or of both, newest first."""
        return await self._run(lambda connection: find(connection, incident_id, person, limit))

    async def of_telling(self, incident_id: str, telling_id: str) -> Sequence[Notice]:
        """Return the notices of a telling, oldest first."""
        found = await self._run(lambda connection: _select(connection, "WHERE incident_id = ?", incident_id))
        return [one for one in found if one.telling_id == telling_id]

    async def failed_since(self, since: UnixSeconds) -> Sequence[Notice]:
        """Return what failed since a moment, oldest first."""
        return await self._run(
            lambda connection: _select(connection, "WHERE at >= ? AND state = 'failed' ORDER BY position", since)
        )

    async def on_screens(self, since: UnixSeconds, limit: int) -> Sequence[Notice]:
        """Return the latest notices for screens since a moment, oldest first."""
        where = "WHERE channel = 'screen' AND at >= ? AND state <> 'withdrawn' ORDER BY position DESC LIMIT ?"
        return list(reversed(await self._run(lambda connection: _select(connection, where, since, limit))))

    async def shown_to(self, person: str, now: UnixSeconds) -> int:
        """Record that what waited for a person's screen is shown now; return how many."""

        def show(connection: sqlite3.Connection) -> int:
            where = "WHERE person = ? AND channel = 'screen' AND state = 'accepted_by_gateway'"
            waiting = _select(connection, where, person)
            for one in waiting:
                _store(connection, replace(one, state=NoticeState.DELIVERED, at=now))
            return len(waiting)

        return await self._run(show)

    async def of_receipt(self, channel: str, provider_id: str) -> Sequence[Notice]:
        """Return what a gateway calls so."""
        where = "WHERE channel = ? AND provider_id = ? AND provider_id <> ''"
        return await self._run(lambda connection: _select(connection, where, channel, provider_id))

    async def spent_since(self, since: UnixSeconds) -> float:
        """Return what was spent on notices that were sent since a moment."""
        return await self._run(
            lambda connection: sum(one.cost for one in _select(connection, "WHERE at >= ?", since) if one.attempts)
        )

    async def forget(self, before: UnixSeconds) -> int:
        """Remove what ended before a moment; return how many."""
        return await self._run(lambda connection: forget(connection, before))

    @override
    async def claim_notices(self, now: UnixSeconds, limit: int) -> Sequence[Notice]:
        return await self._run(lambda connection: claim(connection, now, limit))

    @override
    async def notice_told(
        self, notice_id: str, state: NoticeState, *, provider_id: str, now: UnixSeconds, folded_into: str = ""
    ) -> None:
        def told(one: Notice) -> Notice:
            return replace(one, state=state, provider_id=provider_id, at=now, folded_into=folded_into, error="")

        await self._run(lambda connection: change(connection, notice_id, told))

    @override
    async def notice_again(self, notice_id: str, *, next_at: UnixSeconds, error: str, uncertain: bool) -> None:
        def again(one: Notice) -> Notice:
            return replace(one, state=NoticeState.PENDING, due_at=next_at, error=error, uncertain=uncertain)

        await self._run(lambda connection: change(connection, notice_id, again))

    @override
    async def notice_failed(self, notice_id: str, *, error: str, now: UnixSeconds, uncertain: bool) -> None:
        def failed(one: Notice) -> Notice:
            return replace(one, state=NoticeState.FAILED, error=error, at=now, uncertain=uncertain)

        await self._run(lambda connection: change(connection, notice_id, failed))

    @override
    async def notice_withdrawn(self, notice_id: str, now: UnixSeconds) -> None:
        def withdrawn(one: Notice) -> Notice:
            return replace(one, state=NoticeState.WITHDRAWN, at=now)

        await self._run(lambda connection: change(connection, notice_id, withdrawn))

    @override
    async def notice_receipt(self, channel: str, provider_id: str, state: NoticeState, now: UnixSeconds) -> bool:
        return await self._run(lambda connection: receipt(connection, channel, provider_id, state, now))

    @override
    async def next_notice_at(self) -> UnixSeconds | None:
        def look(connection: sqlite3.Connection) -> UnixSeconds | None:
            (at,) = connection.execute("SELECT min(due_at) FROM notification WHERE state = 'pending'").fetchone()
            return None if at is None else float(at)

        return await self._run(look)

    @override
    async def notice_depth(self) -> Mapping[str, int]:
        def count(connection: sqlite3.Connection) -> Mapping[str, int]:
            (newest,) = connection.execute("SELECT max(at) FROM notification").fetchone()
            rows = connection.execute(
                "SELECT state, count(*) FROM notification WHERE at > ? GROUP BY state",
                ((newest or 0.0) - _DAY_SECONDS,),
            )
            return dict(rows.fetchall())

        return await self._run(count)


def _goes_on(now: NoticeState, then: NoticeState) -> bool:
    if NoticeState.WITHDRAWN in {now, then}:
        return False
    if NoticeState.FAILED in {now, then}:
        return then is NoticeState.FAILED and now is not NoticeState.READ
    return _PROGRESS.index(then) > _PROGRESS.index(now)


def _columns(notice: Notice) -> tuple[Any, ...]:
    return (
        notice.dispatch_id, notice.address, notice.channel, notice.provider_id, int(notice.priority), notice.due_at,
        notice.at, notice.state.value, notice.incident_id, notice.person,
        json.dumps(to_plain(notice), ensure_ascii=False, separators=(",", ":")),
    )  # fmt: skip


def _store(connection: sqlite3.Connection, notice: Notice) -> None:
    connection.execute(
        "UPDATE notification SET dispatch_id = ?, address = ?, channel = ?, provider_id = ?, priority = ?, due_at = ?, "
        "at = ?, state = ?, incident_id = ?, person = ?, body = ? WHERE id = ?",
        (*_columns(notice), notice.id),
    )


def _select(connection: sqlite3.Connection, where: str, *values: object) -> list[Notice]:
    rows = connection.execute(f"SELECT body FROM notification {where}", values).fetchall()  # noqa: S608  of this module
    return [from_plain(Notice, json.loads(body)) for (body,) in rows]
