"""FlowArchive: every flow record to files, away from the flow thread.

The flow thread leaves references to its batches in a bounded queue; a thread of the archive takes them out about once a
second, turns them into columns, and writes a part every few minutes. When an hour is over it puts the parts together.
What a crash costs is what was not written yet, at most `part_every`.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.taps import Names, RecordTap
from btimd.model.units import UnixMillis
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.store.archivecolumns import COLUMN_NAMES, HOUR_MILLISECONDS, Codebook, columns_of
from btimd.store.archivefiles import INTERRUPTED, ArchiveFolder, hour_of
from btimd.store.archivemetrics import ArchiveMetrics
from btimd.store.archivewriter import DISK_TROUBLE, ArchiveWriter, by_hour
from btimd.store.settings import ArchiveSettings

_WAKE_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 4.5
_PAUSE_SECONDS: Final = 10.0
_TIDY_SECONDS: Final = 60.0
_SHOWN_SECONDS: Final = 600.0
_MILLIS: Final = 1000
_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: AttributedBatch
    duplicate: npt.NDArray[np.bool_] | None
    names: Names
    octets: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Records since the start: durable, lost, and in memory now."""

    written: int
    dropped: int
    waiting: int


class FlowArchive(Component, RecordTap):
    """The archive under STATE/archive. exporter_text: name or address of an exporter by its id; any thread may ask.

    add, tick and flush are for the flow thread. Records are taken between start and stop.
    """

    def __init__(
        self,
        settings: ArchiveSettings,
        path: Path,
        exporter_text: Callable[[int], str],
        *,
        metrics: ArchiveMetrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self.folder = ArchiveFolder(path)
        self._settings = settings
        self._exporter_text = exporter_text
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._book = Codebook()
        self._writer = ArchiveWriter(self.folder, self._book, memory_octets=settings.memory_bytes)
        self._state = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._queue_octets = 0
        self._pending: list[Mapping[str, npt.NDArray[Any]]] = []
        self._pending_records = 0
        self._pending_since = 0.0
        self._written_records = 0
        self._dropped_records = 0
        self._asked = 0
        self._served = 0
        self._stopping = False
        self._is_open = False
        self._trouble = ""
        self._retry_at = 0.0
        self._tidied_at = float("-inf")
        self._dropped_at = float("-inf")
        self._quiet_since: dict[int, float] = {}
        self._settled: set[int] = set()
        self._failure_log = OncePerInterval()
        self._thread: threading.Thread | None = None

    @property
    @override
    def name(self) -> str:
        return "archive"

    @override
    async def start(self) -> None:
        """Start the thread; a folder that cannot be used shows in health and is tried again."""
        self.begin()

    def begin(self) -> None:
        """Start the thread, if the archive is switched on."""
        if not self._settings.enabled:
            return
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="store-archive", daemon=True)
        self._thread.start()

    @override
    async def run(self) -> None:
        """Wait; the archive's own thread works."""
        await asyncio.Event().wait()

    @override
    async def stop(self) -> None:
        """Write what is held and end the thread."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Write what is held and end the thread; may be called twice."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._writer.interrupt_merge()
            thread.join(_STOP_SECONDS)
            if thread.is_alive():
                self._log.error("archive-stop-timed-out", seconds=_STOP_SECONDS)

    @override
    def health(self) -> ComponentHealth:
        """Say whether records are being archived."""
        if not self._settings.enabled:
            return ComponentHealth()
        if self._trouble:
            return ComponentHealth(HealthLevel.WARNING, f"flow records are not archived: {self._trouble}")
        if self._clock.monotonic() - self._dropped_at < _SHOWN_SECONDS:
            return ComponentHealth(
                HealthLevel.WARNING,
                "flow records were not archived, their queue was full; see btimd_store_archive_records_dropped_total",
            )
        if bad := self.bad:
            first = min(bad)
            return ComponentHealth(
                HealthLevel.WARNING,
                f"{len(bad)} files of the archive cannot be read, such as {first}: {bad[first]}; remove them",
            )
        return ComponentHealth()

    @override
    def add(
        self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, names: Names, now: UnixMillis
    ) -> None:
        """Keep references to records for the writer; those without room are counted as dropped. Off: do nothing."""
        if not len(batch) or not self._settings.enabled:
            return
        octets = sum(max(column.nbytes, _PAGE) for column in batch.flows.columns.values())
        with self._state:
            if not self._stopping and self._queue_octets + octets <= self._settings.queue_bytes:
                self._queue.append(_Waiting(batch, duplicate, names, octets))
                self._queue_octets += octets
                return
            reason = "stopped" if self._stopping else "disk" if self._trouble else "queue-full"
        self._dropped_at = self._clock.monotonic()
        self._drop(reason, len(batch))

    @override
    def tick(self, now: UnixMillis) -> None:
        """Do nothing: the thread has its own time."""

    @override
    def flush(self) -> None:
        """Wake the writer: nothing comes any more."""
        with self._state:
            self._asked += 1
            self._state.notify_all()

    def write_now(self, timeout_seconds: float) -> bool:
        """Wait until what was taken before is in files that searches read; tell whether it is. Blocks."""
        with self._state:
            if self._thread is None:
                return False
            self._asked += 1
            wanted = self._asked
            self._state.notify_all()
            return self._state.wait_for(lambda: self._served >= wanted or self._stopping, timeout_seconds) and (
                self._served >= wanted
            )

    def counts(self) -> Counts:
        """Return what became of records since the start."""
        with self._state:
            queued = sum(len(one.batch) for one in self._queue)
        return Counts(self._written_records, self._dropped_records, self._pending_records + queued)

    @property
    def unwritten(self) -> tuple[int, int]:
        """Records in memory that are turned into columns, and octets of those that are not."""
        return self._pending_records, self._queue_octets

    @property
    def bad(self) -> Mapping[Path, str]:
        """Files that the writer could not read, and why."""
        return dict(self._writer.bad)

    def _work(self) -> None:
        stopping = False
        while not stopping:
            with self._state:
                self._state.wait_for(
                    lambda: self._stopping or (self._asked > self._served and not self._trouble), _WAKE_SECONDS
                )
                stopping, asked = self._stopping, self._asked
            self._guarded(partial(self._step, asked=asked, stopping=stopping))
        lost = self._pending_records + sum(len(one.batch) for one in self._queue)
        if lost:
            self._drop("stopped", lost)
        self._guarded(self._writer.close)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Run a step; trouble with the disk is tried again later, what else fails costs the step."""
        try:
            action()
        except DISK_TROUBLE as error:
            self._note_trouble(str(error).partition("\n")[0])
        except INTERRUPTED:
            return  # stopping must not wait for an hour to be put together
        except Exception:  # noqa: BLE001  the panic barrier of the archive
            self._metrics.failures.inc()
            held = self._failure_log.take(self._clock.monotonic())
            if held is not None:
                self._log.exception("archive-failed", more_since_last_line=held)

    def _note_trouble(self, text: str) -> None:
        now = self._clock.monotonic()
        self._metrics.failures.inc()
        self._retry_at = now + _PAUSE_SECONDS
        self._trouble = text
        held = self._failure_log.take(now)
        if held is not None:
            self._log.error("archive-cannot-write", reason=text, more_since_last_line=held)

    def _step(self, *, asked: int, stopping: bool) -> None:
        now = self._clock.monotonic()
        if now < self._retry_at and not stopping:
            return
        if not self._is_open:
            self._writer.open()
            self._is_open, self._trouble = True, ""
        while self._take():
            self._write()
        due = self._pending_records > 0 and now - self._pending_since >= self._settings.part_every
        if due or stopping or asked > self._served:
            self._write()
            with self._state:
                self._served = asked
                self._state.notify_all()
        if stopping:
            return
        if now - self._tidied_at >= _TIDY_SECONDS:
            self._tidied_at = now
            self._tidy()
        self._merge_next()

    def _take(self) -> bool:
        """Turn what waits into columns until a part is full; tell whether one is."""
        while self._pending_records < self._settings.part_records:
            taken: list[_Waiting] = []
            records = self._pending_records
            with self._state:
                while self._queue and records < self._settings.part_records:
                    taken.append(self._queue.popleft())
                    self._queue_octets -= taken[-1].octets
                    records += len(taken[-1].batch)
                self._metrics.queue_octets.set(self._queue_octets)
            if not taken:
                return False
            if not self._pending_records:
                self._pending_since = self._clock.monotonic()
            for _, group in groupby(taken, key=lambda one: id(one.names)):
                self._convert(list(group))
        return True

    def _convert(self, group: Sequence[_Waiting]) -> None:
        batches = [one.batch for one in group]
        whole = AttributedBatch(
            FlowBatch.concat([batch.flows for batch in batches]),
            np.concatenate([batch.service_rule_id for batch in batches]),
            np.concatenate([batch.client_plan_id for batch in batches]),
            np.concatenate([batch.client_is_source for batch in batches]),
            batches[0].generation,
        )
        duplicate = np.concatenate(
            [np.zeros(len(one.batch), np.bool_) if one.duplicate is None else one.duplicate for one in group]
        )
        try:
            self._book.know(group[0].names)
            exporters = {one: self._exporter_text(one) for one in np.unique(whole.flows["exporter_id"]).tolist()}
            columns = columns_of(whole, duplicate, self._book, exporters)
        except Exception:
            self._drop("failed", len(whole))
            raise
        self._pending.append(columns)
        self._pending_records += len(whole)

    def _write(self) -> None:
        """Write what is pending; on trouble with the disk what is not written stays pending."""
        if not self._pending_records:
            return
        columns = {name: np.concatenate([one[name] for one in self._pending]) for name in COLUMN_NAMES}
        oldest = hour_of(wall_milliseconds(self._clock) - round(self._settings.keep * _MILLIS))
        fresh = columns["flow_start_milliseconds"] >= oldest
        if not fresh.all():
            self._drop("old", int((~fresh).sum()))
            columns = {name: column[fresh] for name, column in columns.items()}
        split, refused = by_hour(columns)
        self._drop("hours", refused)
        self._pending = [
            columns if rows is None else {name: columns[name][rows] for name in COLUMN_NAMES} for _, rows in split
        ]
        self._pending_records = sum(len(one["duplicate"]) for one in self._pending)
        self._check_room()
        for hour, _ in split:
            records = len(self._pending[0]["duplicate"])
            try:
                self._writer.write_hour(hour, self._pending[0])
            except DISK_TROUBLE:
                raise
            except Exception:
                self._drop("failed", records)
                self._written(records)
                raise
            self._metrics.written.inc(records)
            self._written_records += records
            self._quiet_since[hour] = self._clock.wall()
            self._settled.discard(hour)
            self._written(records)
        self._trouble = ""

    def _written(self, records: int) -> None:
        self._pending.pop(0)
        self._pending_records -= records

    def _drop(self, reason: str, records: int) -> None:
        self._dropped_records += records
        self._metrics.dropped.labels(reason).inc(records)

    def _check_room(self) -> None:
        free = self.folder.free_octets()
        if free < self._settings.keep_free_bytes:
            raise OSError(
                f"the disk of {self.folder.path} has {free >> 20} MiB left, less than store.archive.keep_free_bytes;"
                " make room, or lower store.archive.max_bytes"
            )

    def _tidy(self) -> None:
        """Remove what was kept long enough or takes too much room, and say how much there is."""
        now = wall_milliseconds(self._clock)
        aged = self._writer.remove_before(hour_of(now - round(self._settings.keep * _MILLIS)))
        sized = self._writer.shrink(self._settings.max_bytes)
        for reason, hours in (("age", aged), ("size", sized)):
            if hours:
                self._metrics.removed.labels(reason).inc(hours)
                self._log.info("archive-removed", reason=reason, hours=hours)
        files = [file for hour in self.folder.hours() for file in self.folder.files(hour)]
        self.folder.forget_facts(files)
        self._metrics.octets.set(sum(file.all_octets for file in files))
        held = {file.hour for file in files}
        self._settled &= held
        self._metrics.hours.set(len(held))
        self._metrics.bad_files.set(len(self._writer.bad))

    def _merge_next(self) -> None:
        """Put together the oldest hour that is over and waited long enough; one at a time, the queue comes first."""
        now, wait = self._clock.wall(), self._settings.merge_after
        for hour in self.folder.hours():
            last = max((hour + HOUR_MILLISECONDS) / _MILLIS, self._quiet_since.get(hour, float("-inf")))
            if hour in self._settled or now < last + wait:
                continue
            if not self._writer.unmerged(hour):
                self._settled.add(hour)  # looking into every folder every second would cost more than all else
                continue
            self._quiet_since[hour] = now  # one that fails is tried again, but not at once
            self._check_room()
            self._metrics.merged.inc(self._writer.merge(hour))
            self._quiet_since.pop(hour)
            return
