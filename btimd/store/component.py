"""The store's components: the series store of the kind the settings name, and the journal."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

from typing_extensions import override

from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import SeriesStore
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store import influx1
from btimd.store.delivery import Delivery, DeliverySettings, Poster
from btimd.store.embedded import EmbeddedStore
from btimd.store.influx1 import Influx1Client
from btimd.store.journal import JournalFailedError, SqliteJournal
from btimd.store.settings import StoreKind, StoreSettings
from btimd.store.spool import Spool
from btimd.store.storemetrics import StoreMetrics

_FLUSH_SECONDS: Final = 3.0
_QUERY_THREADS: Final = 2
_DAY_SECONDS: Final = 86_400.0
_KEEP_DELIVERED_SECONDS: Final = 7 * _DAY_SECONDS
_KEEP_VERDICTS_SECONDS: Final = 400 * _DAY_SECONDS
_KEEP_COMMANDS_SECONDS: Final = 7 * 86_400.0


class Backend(Protocol):
    """What the component needs of a kind of store."""

    def write(self, block: PointBlock) -> None:
        """Take points over."""
        ...

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what was written before is durable."""
        ...

    def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Answer; blocks."""
        ...

    def close(self) -> None:
        """Make everything durable and give resources back."""
        ...

    def health(self) -> ComponentHealth:
        """Say how it is."""
        ...


class _Server:
    """A server behind the delivery of the spool."""

    def __init__(
        self, delivery: Delivery, ask: Callable[[SeriesQuery], Sequence[SeriesRow]], close_query: Callable[[], None]
    ) -> None:
        self._delivery = delivery
        self._close_query = close_query
        self.query = ask
        self.write = delivery.write
        self.flush = delivery.flush
        self.health = delivery.health

    def close(self) -> None:
        """End the delivery and the connection of queries."""
        self._delivery.stop()
        self._close_query()


class SeriesStoreComponent(Component, SeriesStore):
    """The series store; [store].kind says which. Points are taken between start and stop."""

    def __init__(
        self, settings: StoreSettings, state_directory: Path, *, metrics: Metrics, clock: Clock, log: Log
    ) -> None:
        self._settings = settings
        self._directory = state_directory
        self._metrics = StoreMetrics(metrics)
        self._clock = clock
        self._log = log
        self._backend: Backend | None = None
        self._queries: ThreadPoolExecutor | None = None

    @property
    @override
    def name(self) -> str:
        return "store"

    @override
    async def start(self) -> None:
        """Open the file or the spool; raises StoreFailedError, SpoolError, or ValueError for a secret."""
        self._backend = await asyncio.to_thread(self._open)
        self._queries = ThreadPoolExecutor(_QUERY_THREADS, "store-query")

    def _open(self) -> Backend:
        if self._settings.kind is StoreKind.EMBEDDED:
            embedded = EmbeddedStore(
                path=self._directory / "series.duckdb",
                settings=self._settings,
                metrics=self._metrics,
                clock=self._clock,
                log=self._log,
            )
            embedded.open()
            return embedded
        influx = self._settings.influx
        if self._settings.kind is StoreKind.INFLUX1:
            old = Influx1Client(influx)
            return _Server(self._deliver(old, influx1.REMEDIES), old.query, old.close_query)
        from btimd.store import influx as influx2  # the client takes half a second to import: only who uses it pays

        new = influx2.Influx2Client(influx)
        return _Server(self._deliver(new, influx2.REMEDIES), new.query, lambda: None)

    def _deliver(self, poster: Poster, remedies: dict[int, str]) -> Delivery:
        influx = self._settings.influx
        try:
            spool = Spool(self._directory / "spool", influx.spool_bytes)
        except BaseException:
            poster.close()
            raise
        delivery = Delivery(
            poster=poster,
            spool=spool,
            settings=DeliverySettings(
                flush_seconds=self._settings.flush_every,
                queue_points=self._settings.queue_points,
                batch_bytes=influx.batch_bytes,
                longest_pause_seconds=influx.retry_at_most_every,
                remedies=remedies,
            ),
            metrics=self._metrics,
            clock=self._clock,
            log=self._log,
        )
        delivery.start()
        return delivery

    @override
    async def run(self) -> None:
        """Wait; the store's own threads work."""
        await asyncio.Event().wait()

    @override
    async def stop(self) -> None:
        """Make what was written durable and close."""
        backend, self._backend = self._backend, None
        queries, self._queries = self._queries, None
        if queries is not None:
            queries.shutdown(wait=False, cancel_futures=True)
        if backend is not None:
            await asyncio.to_thread(backend.close)

    @override
    def health(self) -> ComponentHealth:
        """Say how the disk or the server is."""
        return ComponentHealth() if self._backend is None else self._backend.health()

    @override
    def write(self, block: PointBlock) -> None:
        """Take points over; durable after the next flush. Before start and after stop they are dropped and counted."""
        if self._backend is None:
            self._metrics.dropped.labels("stopped").inc(len(block))
        else:
            self._backend.write(block)

    @override
    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Answer from what was flushed (embedded) or delivered (a server).

        Raises ValueError for a query nobody can answer, ConnectionError when the server is away.
        """
        if self._backend is None or self._queries is None:
            raise ConnectionError("the series store is not running")
        return await asyncio.get_running_loop().run_in_executor(self._queries, self._backend.query, query)

    async def flush(self) -> bool:
        """Wait until what was written before is durable; tell whether it is."""
        if self._backend is None:
            return False
        return await asyncio.to_thread(self._backend.flush, _FLUSH_SECONDS)


class JournalComponent(Component):
    """The journal as a component; its `run` raises JournalFailedError when the disk refuses, which ends the daemon."""

    def __init__(self, state_directory: Path, *, metrics: Metrics, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._failed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls = metrics.counter("btimd_store_journal_calls_total", "Calls the journal has carried out")
        self._commits = metrics.counter(
            "btimd_store_journal_commits_total", "Transactions the journal has made durable"
        )
        self.journal = SqliteJournal(state_directory / "journal.sqlite", self._on_commit, self._on_failure)

    def _on_commit(self, calls: int) -> None:
        self._calls.inc(calls)
        self._commits.inc()

    def _on_failure(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._failed.set)

    @property
    @override
    def name(self) -> str:
        return "journal"

    @override
    async def start(self) -> None:
        """Open the file; raises JournalFailedError."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.journal.open)

    @override
    async def run(self) -> None:
        """Forget old deliveries and diagnoses once a day; raise when the journal fails."""
        while True:
            now = self._clock.wall()
            forgotten = await self.journal.forget(
                messages_before=now - _KEEP_DELIVERED_SECONDS,
                verdicts_before=now - _KEEP_VERDICTS_SECONDS,
                commands_before=now - _KEEP_COMMANDS_SECONDS,
            )
            if forgotten:
                self._log.info("journal-forgot", rows=forgotten)
            try:
                async with asyncio.timeout(_DAY_SECONDS):
                    await self._failed.wait()
            except TimeoutError:
                continue
            raise JournalFailedError(f"the journal failed: {self.journal.failure}; btimd cannot go on without it")

    @override
    async def stop(self) -> None:
        """Finish what was asked and close the file."""
        await asyncio.to_thread(self.journal.close)

    @override
    def health(self) -> ComponentHealth:
        """Say whether the disk takes what it is given."""
        failure = self.journal.failure
        return ComponentHealth() if failure is None else ComponentHealth(HealthLevel.ERROR, str(failure))
