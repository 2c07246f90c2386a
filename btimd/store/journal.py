"""The journal: one SQLite file that remembers every decision (Journal of model/ports.py).

WAL with synchronous=FULL: what a method returned from survives kill -9 and power loss. One thread owns the only
connection; calls that queue up while a transaction is being made durable share the next one (group commit), each
within its own savepoint, so that one refused write does not undo its neighbours. Nobody is answered before the commit.

A write the rules refuse raises to its caller. Anything the disk or SQLite refuses ends the journal for good:
JournalFailedError for this and every later call, as a daemon that cannot remember must not go on deciding.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from typing_extensions import override

from btimd.model.delivery import ExternalReference, ExternalUpdate, OutboxLine
from btimd.model.incident import Incident, IncidentEvent
from btimd.model.ports import CommandDone, IncidentWrite, Journal, OutboxMessage, Telling, Timer
from btimd.model.units import Seconds, UnixSeconds
from btimd.store import journaltables as tables
from btimd.store import outboxtables as outbox
from btimd.store.schema import SchemaError

T = TypeVar("T")

_GROUP_LIMIT: Final = 256


class JournalFailedError(Exception):
    """The journal cannot be written or read; nothing may be decided any more."""


@dataclass(slots=True)
class _Call(Generic[T]):
    """A piece of work for the journal's thread and who waits for it."""

    work: Callable[[sqlite3.Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    outcome: T | None = None
    refusal: Exception | None = None


class SqliteJournal(Journal):
    """Opens path (made with mode 0600) by `open`; every method may be awaited from any loop until `close`.

    on_commit is told how many calls each transaction carried, on_failure that the journal is over; both are called
    from the journal's thread.
    """

    def __init__(
        self,
        path: Path,
        on_commit: Callable[[int], None] = lambda _: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._calls: queue.SimpleQueue[_Call[Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._accepting = threading.Lock()
        self._failure: Exception | None = None
        self._open = False

    def open(self) -> None:
        """Open or make the file, bring its schema up to date, and put what was in flight back as uncertain."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._path.chmod(0o600)
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1.0)
            try:
                tables.prepare(connection)
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            hint = "is another btimd running?" if "locked" in str(error) else "check disk, owner and mode"
            raise JournalFailedError(f"cannot open the journal {self._path}: {error}; {hint}") from error
        except SchemaError as error:
            raise JournalFailedError(f"cannot use the journal {self._path}: {error}") from error
        self._open = True
        self._failure = None
        self._thread = threading.Thread(target=self._serve, args=(connection,), name="journal", daemon=True)
        self._thread.start()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Finish what was asked, then close the file; may be called twice."""
        with self._accepting:
            self._open = False
            if self._thread is not None:
                self._calls.put(None)
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            if not self._thread.is_alive():
                self._thread = None

    @property
    def failure(self) -> Exception | None:
        """Why the journal failed; None while it works."""
        return self._failure

    # The thread.

    def _serve(self, connection: sqlite3.Connection) -> None:
        try:
            while (call := self._calls.get()) is not None:
                group = [call]
                ended = False
                while len(group) < _GROUP_LIMIT and not self._calls.empty():
                    another = self._calls.get()
                    if another is None:
                        ended = True
                        break
                    group.append(another)
                self._run_group(connection, group)
                if ended:
                    break
        finally:
            connection.close()
            self._refuse_rest()

    def _run_group(self, connection: sqlite3.Connection, group: Sequence[_Call[Any]]) -> None:
        if self._failure is None:
            try:
                connection.execute("BEGIN IMMEDIATE")
                for call in group:
                    self._run_call(connection, call)
                connection.execute("COMMIT")
            except Exception as error:  # noqa: BLE001  whatever it is, nothing after it could be trusted
                self._failure = error
                self._on_failure()
            else:
                self._on_commit(len(group))
        for call in group:
            _answer(call, self._failed() if self._failure is not None else call.refusal)

    @staticmethod
    def _run_call(connection: sqlite3.Connection, call: _Call[Any]) -> None:
        connection.execute("SAVEPOINT call")
        try:
            call.outcome = call.work(connection)
        except tables.REFUSALS as error:
            connection.execute("ROLLBACK TO call")
            call.refusal = error
        connection.execute("RELEASE call")

    def _refuse_rest(self) -> None:
        while not self._calls.empty():
            call = self._calls.get()
            if call is not None:
                _answer(call, self._failed())

    def _failed(self) -> JournalFailedError:
        reason = self._failure or "it is closed"
        failed = JournalFailedError(f"the journal {self._path} failed: {reason}; btimd must be restarted")
        failed.__cause__ = self._failure
        return failed

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        call = _Call(work, loop, future)
        with self._accepting:
            if not self._open or self._failure is not None:
                raise self._failed()
            self._calls.put(call)
        return await future

    async def run(self, work: Callable[[sqlite3.Connection], T], /) -> T:
        """Run statements on tables of other parts within a group's transaction; refusals as with the port's writes."""
        return await self._ask(work)

    # The port.

    @override
    async def write_incident(self, write: IncidentWrite) -> None:
        await self._ask(lambda connection: tables.write_incident(connection, write))

    @override
    async def load_incidents(self, *, only_open: bool, limit: int) -> Sequence[Incident]:
        return await self._ask(lambda connection: tables.load_incidents(connection, only_open=only_open, limit=limit))

    @override
    async def load_incident(self, incident_id: str) -> Incident | None:
        return await self._ask(lambda connection: tables.load_incident(connection, incident_id))

    @override
    async def load_events(self, incident_id: str) -> Sequence[IncidentEvent]:
        return await self._ask(lambda connection: tables.load_events(connection, incident_id))

    @override
    async def find_command(self, command_id: str) -> CommandDone | None:
        return await self._ask(lambda connection: tables.find_command(connection, command_id))

    @override
    async def timers_due(self, now: UnixSeconds, limit: int) -> Sequence[Timer]:
        return await self._ask(lambda connection: tables.timers_due(connection, now, limit))

    @override
    async def next_timer_at(self) -> UnixSeconds | None:
        return await self._ask(tables.next_timer_at)

    @override
    async def drop_timer(self, timer: Timer) -> None:
        await self._ask(lambda connection: tables.drop_timer(connection, timer))

    @override
    async def claim_tellings(self, now: UnixSeconds, limit: int) -> Sequence[Telling]:
        return await self._ask(lambda connection: tables.claim_tellings(connection, now, limit))

    @override
    async def telling_done(self, telling_id: str, now: UnixSeconds) -> None:
        await self._ask(lambda connection: tables.telling_done(connection, telling_id, now))

    @override
    async def telling_failed(self, telling_id: str, *, next_at: UnixSeconds, error: str) -> None:
        await self._ask(lambda connection: tables.telling_failed(connection, telling_id, next_at=next_at, error=error))

    @override
    async def next_telling_at(self) -> UnixSeconds | None:
        return await self._ask(tables.next_telling_at)

    @override
    async def claim_messages(
        self, now: UnixSeconds, limit: int, *, target: str | None = None
    ) -> Sequence[OutboxMessage]:
        return await self._ask(lambda connection: outbox.claim_messages(connection, now, limit, target))

    @override
    async def message_delivered(self, message_id: str, now: UnixSeconds) -> None:
        await self._ask(lambda connection: outbox.message_delivered(connection, message_id, now))

    @override
    async def message_failed(
        self,
        message_id: str,
        *,
        next_at: UnixSeconds,
        error: str,
        uncertain: bool,
        refused_since: UnixSeconds | None = None,
    ) -> None:
        await self._ask(
            lambda connection: outbox.message_failed(
                connection,
                message_id,
                next_at=next_at,
                error=error,
                uncertain=uncertain,
                refused_since=refused_since,
            )
        )

    @override
    async def message_dead(self, message_id: str, *, error: str, now: UnixSeconds) -> None:
        await self._ask(lambda connection: outbox.message_dead(connection, message_id, error=error, now=now))

    @override
    async def next_message_at(self, target: str | None = None) -> UnixSeconds | None:
        return await self._ask(lambda connection: outbox.next_message_at(connection, target))

    @override
    async def outbox_lines(self) -> Sequence[OutboxLine]:
        return await self._ask(outbox.outbox_lines)

    @override
    async def settle_messages(self, target: str, seconds: Seconds, now: UnixSeconds) -> None:
        await self._ask(lambda connection: outbox.settle_messages(connection, target, seconds, now))

    @override
    async def bury_messages(self, keep: Collection[str], *, error: str, now: UnixSeconds) -> Sequence[str]:
        return await self._ask(lambda connection: outbox.bury_messages(connection, keep, error=error, now=now))

    @override
    async def dead_messages(self, limit: int) -> Sequence[OutboxMessage]:
        return await self._ask(lambda connection: outbox.dead_messages(connection, limit))

    @override
    async def edit_dead(self, message_id: str, body: bytes) -> None:
        await self._ask(lambda connection: outbox.edit_dead(connection, message_id, body))

    @override
    async def resend_dead(self, message_id: str, now: UnixSeconds) -> None:
        await self._ask(lambda connection: outbox.resend_dead(connection, message_id, now))

    @override
    async def drop_dead(self, message_id: str, *, reason: str, now: UnixSeconds) -> None:
        await self._ask(lambda connection: outbox.drop_dead(connection, message_id, reason=reason, now=now))

    @override
    async def save_reference(self, reference: ExternalReference) -> None:
        await self._ask(lambda connection: outbox.save_reference(connection, reference))

    @override
    async def load_reference(self, target: str, incident_id: str) -> ExternalReference | None:
        return await self._ask(lambda connection: outbox.load_reference(connection, target, incident_id))

    @override
    async def find_reference(self, target: str, external_id: str) -> ExternalReference | None:
        return await self._ask(lambda connection: outbox.find_reference(connection, target, external_id))

    @override
    async def open_references(self, target: str, limit: int) -> Sequence[ExternalReference]:
        return await self._ask(lambda connection: outbox.open_references(connection, target, limit))

    @override
    async def take_update(self, update: ExternalUpdate, now: UnixSeconds) -> bool:
        return await self._ask(lambda connection: outbox.take_update(connection, update, now))

    @override
    async def waiting_updates(self, limit: int) -> Sequence[ExternalUpdate]:
        return await self._ask(lambda connection: outbox.waiting_updates(connection, limit))

    @override
    async def update_done(self, target: str, event_id: str, *, result: str, now: UnixSeconds) -> None:
        await self._ask(lambda connection: outbox.update_done(connection, target, event_id, result=result, now=now))

    @override
    async def outbox_depth(self) -> Mapping[str, int]:
        return await self._ask(tables.outbox_depth)

    @override
    async def save_state(self, name: str, value: bytes) -> None:
        await self._ask(lambda connection: tables.save_state(connection, name, value))

    @override
    async def load_state(self, name: str) -> bytes | None:
        return await self._ask(lambda connection: tables.load_state(connection, name))

    @override
    async def save_verdict(self, verdict_id: str, at: UnixSeconds, body: bytes) -> None:
        await self._ask(lambda connection: tables.save_verdict(connection, verdict_id, at, body))

    async def load_verdicts(self, limit: int) -> Sequence[tuple[str, UnixSeconds, bytes]]:
        """Return kept diagnoses as (id, at, body), newest first."""
        return await self._ask(lambda connection: tables.load_verdicts(connection, limit))

    async def forget(
        self,
        *,
        messages_before: UnixSeconds,
        verdicts_before: UnixSeconds,
        commands_before: UnixSeconds = 0.0,
    ) -> int:
        """Remove delivered messages, tellings, diagnoses and command ids older than that; return how many.

        A command whose id is forgotten would be carried out again. Incidents stay for ever.
        """
        return await self._ask(
            lambda connection: tables.forget(
                connection,
                messages_before=messages_before,
                verdicts_before=verdicts_before,
                commands_before=commands_before,
            )
        )


def _answer(call: _Call[Any], error: Exception | None) -> None:
    """Wake who waits, on its own loop; who went away in the meantime (loop closed, cancelled) needs no answer."""

    def wake() -> None:
        if call.future.done():
            return
        if error is not None:
            call.future.set_exception(error)
        else:
            call.future.set_result(call.outcome)

    try:
        call.loop.call_soon_threadsafe(wake)
    except RuntimeError:  # the loop is closed
        return
