"""The embedded store: one DuckDB file, the same points and queries as a server would have.

Per measurement two tables and a view for people:

    btimd_series."flows"   _id, one text column per tag         what tag sets there are
    btimd_points."flows"   _time (ms), _series, one column per field
    "flows"                both joined, time as timestamp

Columns come with the first point that has them. There is no index: a point is looked for in the row groups of its own
time only, so memory does not grow with the years kept. Writing a point again replaces the fields it carries, as in
InfluxDB (NaN and infinities carry nothing). A flush is one transaction: what was flushed survives kill -9.
"""

import threading
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.store.blockqueue import BlockQueue
from btimd.store.embeddedtables import Retention, Table, load_tables
from btimd.store.queries import check, in_order
from btimd.store.settings import StoreSettings
from btimd.store.storemetrics import StoreMetrics

_CONFIG: Final = {
    "threads": "2",
    "memory_limit": "512MB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_PATIENCE_SECONDS: Final = 30.0
_EXPIRE_EVERY_SECONDS: Final = 3600.0
_LONGEST_PAUSE_SECONDS: Final = 30.0

_DISK_TROUBLE: Final = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.ConnectionException,
)
"""Errors that say nothing against the points; they are stored again later."""


class StoreFailedError(Exception):
    """The embedded store cannot be opened."""


class EmbeddedStore:
    """Opens the file by `open`, works until `close`; one thread owns all writing, queries run in their caller's."""

    def __init__(self, *, path: Path, settings: StoreSettings, metrics: StoreMetrics, clock: Clock, log: Log) -> None:
        self._path = path
        self._settings = settings
        self._retention = Retention(settings.keep, settings.keep_by_series)
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._queue = BlockQueue(settings.queue_points, _PATIENCE_SECONDS, metrics)
        self._tables: dict[str, Table] = {}
        self._connection: Any = None
        self._querying = threading.Lock()
        self._stopping = threading.Event()
        self._trouble = ""
        self._refusals = OncePerInterval()
        self._expired_at: float | None = None
        self._thread = threading.Thread(target=self._store, name="store-embedded", daemon=True)

    def open(self) -> None:
        """Open or make the file and start the thread; raises StoreFailedError that says who holds it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connect()
        except (duckdb.Error, OSError) as error:
            text = str(error)
            hint = "another process holds it; stop it, or let it read a copy" if "lock" in text else "check the disk"
            raise StoreFailedError(f"cannot open the series store {self._path}: {text}; {hint}") from error
        self._thread.start()

    def _connect(self) -> None:
        self._connection = duckdb.connect(str(self._path), config=dict(_CONFIG))
        self._path.chmod(0o600)
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS btimd_series")
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS btimd_points")
        self._tables = load_tables(self._connection)

    def write(self, block: PointBlock) -> None:
        """Take points over; they are durable after the next flush."""
        self._queue.put(block)

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what was written before is durable; tell whether it is."""
        return self._queue.flush(timeout_seconds)

    def close(self, timeout_seconds: float = 4.0) -> None:
        """Store what is in memory and close the file; may be called twice."""
        self._queue.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        self._stopping.set()
        if not self._thread.is_alive():
            with self._querying:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None

    def health(self) -> ComponentHealth:
        """Say whether the disk takes what it is given."""
        return ComponentHealth(HealthLevel.ERROR, self._trouble) if self._trouble else ComponentHealth()

    def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Answer from what was flushed; blocks. Raises ValueError for what cannot be asked."""
        check(query)
        table = self._tables.get(query.measurement)
        if table is None or not table.exists:
            return []
        statement, parameters = table.select(query)
        with self._querying:
            if self._connection is None:
                raise ConnectionError(f"the series store {self._path} is closed")
            cursor = self._connection.cursor()
        try:
            lines = cursor.execute(statement, parameters).fetchall()
        finally:
            cursor.close()
        groups = len(query.group_by)
        return in_order(
            SeriesRow(int(time), tuple(rest[:groups]), tuple(rest[groups:]))
            for time, *rest in lines
            if time is not None
        )

    # The thread.

    def _store(self) -> None:
        failures = 0
        ended = False
        while not ended:
            ended = self._queue.closed
            blocks, ticket = self._queue.take(self._settings.flush_every)
            try:
                self._store_all(blocks)
                self._expire_when_due()
                self._queue.stored(len(blocks), ticket)
            except (duckdb.Error, OSError) as error:
                failures += 1
                self._metrics.failures.inc()
                self._say_trouble(error)
                if not ended:
                    self._stopping.wait(min(2.0 ** (failures - 1), _LONGEST_PAUSE_SECONDS))
                continue
            failures = 0
            if self._trouble:
                self._log.info("store-works-again", path=self._path)
                self._trouble = ""
        self._queue.give_up("disk")

    def _store_all(self, blocks: Sequence[PointBlock]) -> None:
        """Store blocks; where the trouble is not the disk's, the blocks that cause it are found, counted, left out."""
        try:
            self._store_blocks(blocks)
        except _DISK_TROUBLE:
            raise
        except duckdb.Error as error:
            if len(blocks) == 1:
                self._refuse(len(blocks[0]), str(error))
                return
            for block in blocks:
                self._store_all([block])

    def _store_blocks(self, blocks: Sequence[PointBlock]) -> None:
        """Store all blocks in one transaction; what can never be stored is counted and left out."""
        prepared = []
        for block in blocks:
            try:
                table = self._tables.setdefault(block.measurement, Table(block.measurement))
                series = table.prepare(self._connection, block, self._settings.max_series)
            except ValueError as error:
                self._refuse(len(block), str(error))
            else:
                prepared.append((block, series))
        if not prepared:
            return
        points = 0
        self._connection.execute("BEGIN TRANSACTION")
        try:
            for (measurement, _), run in groupby(prepared, key=lambda each: (each[0].measurement, _shape(each[0]))):
                table = self._tables[measurement]
                columns = _joined(list(run))
                known = columns["_series"] >= 0
                if not known.all():
                    text = f"more than {self._settings.max_series} series in {measurement}; raise store.max_series"
                    self._refuse(int((~known).sum()), text)
                    columns = {name: column[known] for name, column in columns.items()}
                for part in _without_repeats(columns):
                    table.upsert(self._connection, part)
                points += len(columns["_time"])
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._metrics.written.inc(points)

    def _roll_back(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:  # the connection itself is gone: begin anew from the file
            with self._querying:
                self._connection.close()
                self._connect()

    def _refuse(self, points: int, reason: str) -> None:
        self._metrics.rejected.inc(points)
        held = self._refusals.take(self._clock.monotonic())
        if held is not None:
            self._log.warning("store-points-refused", points=points, reason=reason, held_back=held)

    def _say_trouble(self, error: Exception) -> None:
        reason = f"{self._path} cannot be written: {error}; check the disk"
        if not self._trouble:
            self._log.error("store-failed", reason=reason, meanwhile="points wait in memory")
        self._trouble = reason

    def _expire_when_due(self) -> None:
        now = self._clock.monotonic()
        if self._expired_at is not None and now - self._expired_at < _EXPIRE_EVERY_SECONDS:
            return
        self._expired_at = now
        now_milliseconds = wall_milliseconds(self._clock)
        expired = sum(
            table.expire(self._connection, self._retention, now_milliseconds) for table in self._tables.values()
        )
        if expired:
            self._connection.execute("CHECKPOINT")
            self._metrics.expired.inc(expired)
            self._log.info("store-expired", points=expired)


def _shape(block: PointBlock) -> tuple[tuple[str, str], ...]:
    return tuple((name, column.dtype.kind) for name, column in block.fields.items())


def _joined(parts: Sequence[tuple[PointBlock, npt.NDArray[np.int32]]]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of blocks of one shape behind one another."""
    first = parts[0][0]
    return {
        "_time": np.concatenate([block.time_milliseconds for block, _ in parts]),
        "_series": np.concatenate([series for _, series in parts]),
        **{name: np.concatenate([block.fields[name] for block, _ in parts]) for name in first.fields},
    }


def _without_repeats(columns: dict[str, npt.NDArray[Any]]) -> Sequence[dict[str, npt.NDArray[Any]]]:
    """Split rows into runs in which no point occurs twice; writing the runs in order is writing the rows in order."""
    runs = []
    while len(columns["_time"]):
        order = np.lexsort((columns["_series"], columns["_time"]))
        times, series = columns["_time"][order], columns["_series"][order]
        first = np.ones(len(order), dtype=bool)
        first[order[1:]] = (times[1:] != times[:-1]) | (series[1:] != series[:-1])
        runs.append({name: np.ascontiguousarray(column[first]) for name, column in columns.items()})
        columns = {name: column[~first] for name, column in columns.items()}
    return runs
