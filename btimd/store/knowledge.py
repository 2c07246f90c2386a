"""The knowledge base (KnowledgeBase of model/knowledge.py): one SQLite file with articles, problems, changes, surveys.

A file of its own beside the journal: it may be large, is asked by people, and nothing that happens to it may stop
incidents. One thread owns the only connection. What a write returned from is on disk (WAL, FULL). What the disk or
SQLite refuses raises KnowledgeUnavailableError for that call alone; the next call tries again.
"""

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from typing_extensions import override

from btimd.model.knowledge import (
    ArticleHit,
    ArticleQuery,
    IncidentLook,
    KnowledgeBase,
    KnowledgeUnavailableError,
    Record,
    RecordEvent,
    RecordKind,
    UseOutcome,
)
from btimd.model.units import Seconds, UnixSeconds
from btimd.store import knowledgetables as tables
from btimd.store.schema import SchemaError

T = TypeVar("T")

QUEUE_LIMIT: Final = 256
"""Calls that may wait; more are refused at once, as whoever asks would not wait for them either."""
HIT_LIMIT: Final = 200
"""Articles that one search may return."""
FIND_LIMIT: Final = 1_000
"""Records that one call may return."""
ALL_LIMIT: Final = 50_000
"""Records that figures are made of."""
_STEPS_BETWEEN_COUNTS: Final = 5_000
"""Writes after which it is counted anew which words are common."""
_STEPS_BETWEEN_LOOKS: Final = 20_000  # of SQLite's virtual machine, some 0.1 ms


@dataclass(slots=True)
class _Call(Generic[T]):
    """A piece of work for the thread and who waits for it."""

    work: Callable[[sqlite3.Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]


class SqliteKnowledge(KnowledgeBase):
    """Opens path (made with mode 0600) by `open`; every method may be awaited from any loop until `close`.

    call_seconds: what one call may take before it is given up. `failures` counts calls that the disk or SQLite refused,
    `refused` those that found the queue full.
    """

    def __init__(self, path: Path, *, call_seconds: Seconds = 5.0) -> None:
        self._path = path
        self._call_seconds = call_seconds
        self._calls: queue.Queue[_Call[Any] | None] = queue.Queue(QUEUE_LIMIT)
        self._thread: threading.Thread | None = None
        self._accepting = threading.Lock()
        self._open = False
        self._deadline = 0.0
        self._failure = ""
        self._common: frozenset[str] = frozenset()
        self._steps_since = 0
        self.failures = 0
        self.refused = 0

    def open(self) -> None:
        """Open or make the file and bring its schema up to date; raises KnowledgeUnavailableError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._path.chmod(0o600)
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1.0)
            try:
                tables.prepare(connection)
                self._common = tables.common_terms(connection)
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            hint = "is another btimd running?" if "locked" in str(error) else "check disk, owner and mode"
            raise KnowledgeUnavailableError(f"cannot open the knowledge base {self._path}: {error}; {hint}") from error
        except SchemaError as error:
            raise KnowledgeUnavailableError(f"cannot use the knowledge base {self._path}: {error}") from error
        connection.set_progress_handler(self._too_long, _STEPS_BETWEEN_LOOKS)
        self._open = True
        self._thread = threading.Thread(target=self._serve, args=(connection,), name="knowledge", daemon=True)
        self._thread.start()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Finish what was asked, then close the file; may be called twice."""
        with self._accepting:
            was_open, self._open = self._open, False
        if self._thread is not None:
            if was_open:
                self._calls.put(None)
            self._thread.join(timeout_seconds)
            if not self._thread.is_alive():
                self._thread = None

    @property
    def failure(self) -> str:
        """Why the last call failed; empty after one that did not."""
        return self._failure

    # The thread.

    def _serve(self, connection: sqlite3.Connection) -> None:
        try:
            while (call := self._calls.get()) is not None:
                self._run(connection, call)
        finally:
            self._deadline = 0.0
            connection.close()

    def _run(self, connection: sqlite3.Connection, call: _Call[Any]) -> None:
        outcome: Any = None
        error: Exception | None = None
        self._deadline = time.monotonic() + self._call_seconds
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcome = call.work(connection)
            self._deadline = 0.0
            connection.execute("COMMIT")
            self._failure = ""
        except tables.REFUSALS as refusal:
            error = refusal
        except Exception as failure:  # noqa: BLE001  whatever it is costs this call and is told to who asked
            self.failures += 1
            self._failure = str(failure)
            why = f"it took over {self._call_seconds:g} s" if "interrupted" in str(failure) else str(failure)
            error = KnowledgeUnavailableError(f"the knowledge base {self._path} failed: {why}; ask again")
            error.__cause__ = failure
        if error is not None:
            self._deadline = 0.0
            _rollback(connection)
        _answer(call, outcome, error)

    def _too_long(self) -> bool:
        return 0.0 < self._deadline < time.monotonic()

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        call = _Call(work, loop, future)
        with self._accepting:
            if not self._open:
                raise KnowledgeUnavailableError(f"the knowledge base {self._path} is closed")
            try:
                self._calls.put_nowait(call)
            except queue.Full:
                self.refused += 1
                raise KnowledgeUnavailableError("the knowledge base has too much to do; ask again") from None
        return await future

    # The port.

    @override
    async def write(self, steps: Sequence[tuple[Record, RecordEvent]]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            tables.write(connection, steps)
            self._steps_since += len(steps)
            if self._steps_since >= _STEPS_BETWEEN_COUNTS:
                self._steps_since = 0
                self._common = tables.common_terms(connection)

        await self._ask(work)

    @override
    async def load(self, kind: RecordKind, record_id: str) -> Record | None:
        return await self._ask(lambda connection: tables.load(connection, kind, record_id))

    @override
    async def load_events(self, kind: RecordKind, record_id: str) -> Sequence[RecordEvent]:
        return await self._ask(lambda connection: tables.load_events(connection, kind, record_id))

    @override
    async def find(
        self,
        kind: RecordKind,
        *,
        states: Sequence[str] = (),
        about: str = "",
        limit: int = 100,
        oldest_first: bool = False,
    ) -> Sequence[Record]:
        most = min(limit, FIND_LIMIT)
        return await self._ask(
            lambda connection: tables.find(
                connection, kind, states=states, about=about, limit=most, oldest_first=oldest_first
            )
        )

    @override
    async def find_command(self, command_id: str) -> tuple[RecordKind, str] | None:
        return await self._ask(lambda connection: tables.find_command(connection, command_id))

    @override
    async def next_id(self, kind: RecordKind, prefix: str) -> str:
        return await self._ask(lambda connection: tables.next_id(connection, kind, prefix))

    @override
    async def use_of(self, article_id: str, incident_id: str) -> UseOutcome | None:
        return await self._ask(lambda connection: tables.use_of(connection, article_id, incident_id))

    @override
    async def search(self, query: ArticleQuery) -> Sequence[ArticleHit]:
        return await self._ask(lambda connection: tables.search(connection, query, HIT_LIMIT))

    @override
    async def candidates(self, look: IncidentLook, limit: int) -> Sequence[ArticleHit]:
        return await self._ask(
            lambda connection: tables.candidates(connection, look, min(limit, HIT_LIMIT), self._common)
        )

    async def matching_ids(self, text: str) -> set[str]:
        """Return the ids of all articles that have all the words of a text, whatever their state."""
        return await self._ask(lambda connection: tables.matching_ids(connection, text))

    async def everything(self, kind: RecordKind, since: UnixSeconds = 0.0) -> Sequence[Record]:
        """Return all records of a kind that were changed since a moment, up to ALL_LIMIT, the latest changed first."""
        return await self._ask(lambda connection: tables.everything(connection, kind, since, ALL_LIMIT))

    async def counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many records there are, by kind and state."""
        return await self._ask(tables.counts)

    async def index_anew(self) -> int:
        """Make the index of words anew from the articles; return how many there are."""
        return await self._ask(tables.index_anew)


def _rollback(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        return  # SQLite rolls back by itself when it cannot go on


def _answer(call: _Call[Any], outcome: Any, error: Exception | None) -> None:
    """Wake who waits, on its own loop; who went away in the meantime (loop closed, cancelled) needs no answer."""

    def wake() -> None:
        if call.future.done():
            return
        if error is not None:
            call.future.set_exception(error)
        else:
            call.future.set_result(outcome)

    try:
        call.loop.call_soon_threadsafe(wake)
    except RuntimeError:  # the loop is closed
        return
