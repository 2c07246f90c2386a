"""The flow thread: datagrams -> records -> businesses -> windows, and the view of traffic on the loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.flows import attribution as attribution_module
from btimd.flows import linkwindows as linkwindows_module
from btimd.flows import quality as quality_module
from btimd.flows import users as users_module
from btimd.flows import windows as windows_module
from btimd.flows.attribution import Attribution
from btimd.flows.duplicates import Duplicates
from btimd.flows.flowmetrics import FlowCounters, QualityCounters
from btimd.flows.history import Closed, History
from btimd.flows.quality import QualityWindows
from btimd.flows.qualityfeed import QualityClosed, QualityHistory
from btimd.flows.qualityrows import QualityInterval
from btimd.flows.settings import FlowSettings
from btimd.flows.userlist import Pairs, counted, listed
from btimd.flows.users import Reading, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, Windows
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.packets import SpanTraffic
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.ports import (
    Explanation,
    Exporter,
    FlowView,
    OnlineUser,
    RefusedExporter,
    SeriesStore,
    SpanInterface,
    Subscription,
)
from btimd.model.quality import QualityRow
from btimd.model.taps import RecordTap
from btimd.model.units import UnixMillis
from btimd.model.users import ClientColumns, PersonLookup, UserCount, UserQuery
from btimd.model.window import WindowBatch, WindowRow
from btimd.runtime.channel import Channel
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

PacketTap = Callable[[SpanTraffic, Attribution, UnixMillis], None]
"""Looks at what was captured, on the flow thread, with the plan and rules in force and the time."""
_WAIT_SECONDS = 0.25
_STOP_SECONDS = 5.0
_STALLED_SECONDS = 10.0
_FAILURE_SHOWS_SECONDS = 60.0
_EXPORTS_MILLISECONDS = 1000
_ROWS_AT_A_TIME = 1000
"""Rows that watchers are told of before the loop may do something else."""


def warm() -> None:
    """Compile every kernel of this package for the types it is called with, so that nothing compiles later."""
    attribution_module.warm()
    users_module.warm()
    windows_module.warm()
    quality_module.warm()
    linkwindows_module.warm()
    Duplicates().warm()


class FlowPipeline(Component, FlowView):
    """Runs the flow thread and answers what traffic is and was.

    `decode`, `duplicates` and `export_counts` run on the flow thread and nowhere else. `export_counts` says how many
    records came and how many were lost so far: int64[exporters, 2], by exporter_id, lost below 0 where nobody knows.
    The other callables are asked by any thread. A block that makes anything fail is lost, counted and logged. Kernels
    are compiled by `warm` before the start. `packet_source`: what btimd made of packets that it captured itself.
    `points`: the names of the interfaces it captures on; their exporter ids are the first, in this order. `taps` see
    every attributed record, `packet_taps` all that was captured,
    `on_closed` every interval that closes or is revised, both on the flow thread.
    `thresholds`: after how many seconds users of a business are idle, then gone, where not as in the settings.
    `persons`: who sits behind addresses now; goes before the plan, asked by whoever asks for users.
    """

    def __init__(
        self,
        *,
        settings: FlowSettings,
        source: Channel[DatagramBlock],
        decode: Callable[[DatagramBlock], FlowBatch],
        exporters: Callable[[], Sequence[Exporter]],
        attribution: Attribution,
        series: SeriesStore | None,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        seed: int = 0,
        duplicates: Duplicates | None = None,
        export_counts: Callable[[], npt.NDArray[np.int64]] | None = None,
        refused_exporters: Callable[[], Sequence[RefusedExporter]] | None = None,
        packet_source: Channel[SpanTraffic] | None = None,
        points: Sequence[str] = (),
        spans: Callable[[], Sequence[SpanInterface]] = lambda: (),
        taps: Sequence[RecordTap] = (),
        packet_taps: Sequence[PacketTap] = (),
        on_closed: Sequence[Callable[[Closed | QualityClosed], None]] = (),
        thresholds: Mapping[str, tuple[float, float]] | None = None,
        persons: Callable[[], PersonLookup | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._taps = tuple(taps)
        self._packet_taps = tuple(packet_taps)
        self._on_closed = tuple(on_closed)
        self._source = source
        self._packets = packet_source
        self._points = tuple(points)
        self._spans = spans
        self._point_counts = np.zeros((len(self._points), 2), np.int64)
        self._arrived = threading.Event()  # something came in either channel
        self._decode = decode
        self._exporters = exporters
        self._attribution = attribution
        self._duplicates = duplicates
        self._export_counts = export_counts
        self._refused_exporters = refused_exporters
        self._between_blocks: deque[Callable[[], None]] = deque()
        self._exports_noted_at: UnixMillis | None = None
        self._exporters_known = 0
        self._series = series
        self._counters = FlowCounters(metrics)
        self._clock = clock
        self._log = log
        self._users = Users(attribution, settings.user_limits(), seed)
        self._users.thresholds = thresholds or {}
        self._persons = persons
        self._windows = Windows(attribution, self._users, settings.window_limits())
        self._history = History(INTERVALS_MILLISECONDS, settings.history_rows)
        self._quality = QualityWindows(attribution, settings.quality.limits(settings.future))
        self._quality_history = QualityHistory(INTERVALS_MILLISECONDS, settings.quality.history_rows)
        self._quality_counters = QualityCounters(metrics)
        self._guard = threading.Lock()  # between the flow thread and readers of the table of users
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._progress_at = 0.0
        self._failed_at: float | None = None
        self._failure_log = OncePerInterval()

    @property
    @override
    def name(self) -> str:
        """Name for logs and metrics."""
        return "flows"

    @override
    async def start(self) -> None:
        """Start the thread."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._stopping.clear()
        if self._packets is not None:
            self._source.wake(self._arrived.set)
            self._packets.wake(self._arrived.set)
        self._progress_at = self._clock.monotonic()
        self._thread = threading.Thread(target=self._work, name="flow-1", daemon=True)
        self._thread.start()

    @override
    async def run(self) -> None:
        """Wait for the thread; raises what it failed with."""
        if self._ended is None:
            raise RuntimeError("flows was not started; call start first")
        await asyncio.shield(self._ended)

    @override
    async def stop(self) -> None:
        """Let the thread finish what the channel holds and emit the open windows; bounded."""
        ended, self._ended = self._ended, None
        if ended is None:
            return
        self._stopping.set()
        if not (ended.done() and ended.exception()):  # after a failure the supervisor starts us again
            self._source.close()
            if self._packets is not None:
                self._packets.close()
        done, _ = await asyncio.wait([ended], timeout=_STOP_SECONDS)
        if not done:
            self._log.error("flows-stop-timed-out", left_blocks=len(self._source), seconds=_STOP_SECONDS)
        elif ended.exception() is None and self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        self._thread = None

    @override
    def health(self) -> ComponentHealth:
        """Say whether the thread lives and advances, and whether blocks failed lately."""
        now = self._clock.monotonic()
        if self._thread is None or not self._thread.is_alive():
            return ComponentHealth(HealthLevel.ERROR, "the flow thread does not run")
        if now - self._progress_at > _STALLED_SECONDS:
            return ComponentHealth(
                HealthLevel.ERROR, f"the flow thread stands still for {now - self._progress_at:.0f}s"
            )
        if self._failed_at is not None and now - self._failed_at < _FAILURE_SHOWS_SECONDS:
            return ComponentHealth(HealthLevel.WARNING, "a block of datagrams could not be worked on, see the log")
        return ComponentHealth()

    @property
    def progress_at(self) -> float:
        """Monotonic time at which the thread last finished a block or a wait; for the watchdog."""
        return self._progress_at

    @property
    def attribution(self) -> Attribution:
        """The plan and rules in force, from the next block on."""
        return self._attribution

    def swap(self, attribution: Attribution) -> None:
        """Replace plan and rules; the thread goes over at the next block. Explanations are of the new ones at once."""
        self._attribution = attribution

    def between_blocks(self, action: Callable[[], None]) -> None:
        """Let the flow thread do something before its next block, as what `decode` uses is that thread's alone."""
        self._between_blocks.append(action)

    def on_loop(self, action: Callable[[], None]) -> None:
        """Let the loop do something; for taps, on the flow thread. Nothing happens once the loop is closed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    @override
    def windows(self, *, interval_milliseconds: int, business: str | None, limit: int) -> Sequence[WindowRow]:
        """Return rows of the latest intervals in memory, newest first."""
        return self._history.rows(interval_milliseconds=interval_milliseconds, business=business, limit=limit)

    @override
    def watch_windows(self, *, interval_milliseconds: int) -> Subscription[WindowRow]:
        """Subscribe to the rows of closed intervals of this length."""
        return self._history.watch(interval_milliseconds)

    @override
    def quality(
        self,
        *,
        interval_milliseconds: int,
        business: str | None,
        group_by: Sequence[str],
        limit: int,
        from_milliseconds: UnixMillis = 0,
    ) -> Sequence[QualityRow]:
        """Return how well connections did in the latest intervals in memory, newest first."""
        return self._quality_history.rows(
            interval_milliseconds=interval_milliseconds,
            business=business,
            group_by=group_by,
            limit=limit,
            from_milliseconds=from_milliseconds,
        )

    @override
    def watch_quality(self, *, interval_milliseconds: int) -> Subscription[QualityRow]:
        """Subscribe to the quality rows of closed intervals of this length."""
        return self._quality_history.watch(interval_milliseconds)

    @override
    def users(
        self,
        *,
        limit: int,
        business: str | None = None,
        region: str | None = None,
        segment: str | None = None,
        person: str | None = None,
        state: str | None = None,
        address: str | None = None,
        order: str = "last-seen",
    ) -> Sequence[OnlineUser]:
        """Return users; what may be asked is said at UserQuery."""
        query = UserQuery(business, region, segment, person, state, address, order)
        pairs = self._pairs(self._users.read(business))
        now = wall_milliseconds(self._clock)
        return listed(pairs, query, limit=limit, times=self._users.times, lookup=self._persons(), now=now)

    @override
    def user_counts(
        self,
        *,
        business: str | None,
        group_by: Sequence[str],
        seen_within_seconds: float | None = None,
        limit: int | None = None,
    ) -> Sequence[UserCount]:
        """Return how many users there are per group, most first, none of them counted twice in a group."""
        return counted(
            self._pairs(self._users.read(business)),
            group_by,
            times=self._users.times,
            lookup=self._persons(),
            now=wall_milliseconds(self._clock),
            seen_within_seconds=seen_within_seconds,
            limit=limit,
        )

    def clients(self) -> ClientColumns:
        """Return all pairs of client and business that are known; any thread but the loop's should ask."""
        return self._pairs(self._users.read_all()).columns()

    def set_thresholds(self, thresholds: Mapping[str, tuple[float, float]]) -> None:
        """Say after how many seconds users of which businesses are idle, then gone; others: as in the settings."""
        self._users.thresholds = thresholds

    def _pairs(self, reading: Reading) -> Pairs:
        """Copy what is asked for, letting the flow thread work in between."""
        more = True
        while more:
            with self._guard:
                more = reading.step()
        return reading.pairs()

    @override
    def exporters(self) -> Sequence[Exporter]:
        """Return who exports flow records."""
        exporters = self._exporters()
        counts = self._duplicates.counts() if self._duplicates is not None else {}
        return tuple(replace(one, duplicates=counts[one.id]) if one.id in counts else one for one in exporters)

    @override
    def spans(self) -> Sequence[SpanInterface]:
        """Return the interfaces that btimd captures on."""
        return self._spans()

    @override
    def refused_exporters(self) -> Sequence[RefusedExporter]:
        """Return who sent without being allowed to, as far as it is remembered."""
        return () if self._refused_exporters is None else self._refused_exporters()

    @override
    def explain(self, address: str, peer: str, port: int, protocol: int) -> Explanation:
        """Say where a flow between address and peer:port would go and why."""
        return self._attribution.explain(address, peer, port, protocol)

    @override
    async def history(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        """Ask the series store; without one there is no history."""
        return () if self._series is None else await self._series.query(query)

    def _work(self) -> None:
        """Do the thread's work, from the first block to the last windows."""
        loop, ended = self._loop, self._ended
        if loop is None or ended is None:
            return
        try:
            while not (self._stopping.is_set() and self._is_empty()):
                block, traffic = self._next()
                if traffic is not None:
                    self._barrier(partial(self._take_packets, traffic), loop)
                self._barrier(partial(self._step, block), loop)
                self._barrier(self._close_quality, loop)
                self._progress_at = self._clock.monotonic()
            self._barrier(self._flush, loop)
            self._barrier(lambda: self._closed(self._quality.flush()), loop)
        except BaseException as error:  # noqa: BLE001  handed to run(), where the supervisor sees it
            loop.call_soon_threadsafe(ended.set_exception, error)
        else:
            loop.call_soon_threadsafe(ended.set_result, None)

    def _is_empty(self) -> bool:
        return not len(self._source) and (self._packets is None or not len(self._packets))

    def _next(self) -> tuple[DatagramBlock | None, SpanTraffic | None]:
        """Return the oldest of each channel; wait a while where both are empty."""
        wait = 0.0 if self._stopping.is_set() else _WAIT_SECONDS
        if self._packets is None:
            return self._source.get(wait), None
        self._arrived.clear()  # before looking, so that what comes after the look is not missed
        if self._is_empty():
            self._arrived.wait(wait)
        return self._source.get(0.0), self._packets.get(0.0)

    def _barrier(self, step: Callable[[], Sequence[Closed | QualityClosed]], loop: asyncio.AbstractEventLoop) -> None:
        """Run a step and hand over what it emits; a failure costs the step, a counter and at most a line a minute."""
        try:
            for closed in step():
                for listener in self._on_closed:
                    self._guarded(partial(listener, closed))
                loop.call_soon_threadsafe(self._deliver, closed)
                if isinstance(closed, Closed) and closed.rows:
                    for first in range(0, len(closed.rows), _ROWS_AT_A_TIME):
                        rows = closed.rows[first : first + _ROWS_AT_A_TIME]
                        loop.call_soon_threadsafe(self._history.tell, closed.batch.interval_milliseconds, rows)
            self._counters.update(self._windows, self._users, self._duplicates)
            self._quality_counters.update(self._quality)
        except Exception:  # noqa: BLE001  the panic barrier of the data path
            self._note_failure("flow-block-failed")

    def _note_failure(self, event: str) -> None:
        """Count what failed, and log it at most once a minute; called where it is handled."""
        now = self._clock.monotonic()
        self._counters.failed.inc()
        self._failed_at = now
        held = self._failure_log.take(now)
        if held is not None:
            self._log.exception(event, more_since_last_line=held)

    def _step(self, block: DatagramBlock | None) -> list[Closed]:
        now = self._begin()
        if block is not None:
            self._add(self._decode(block), now)
        self._note_exports(now)
        for tap in self._taps:
            self._guarded(partial(tap.tick, now))
        with self._guard:
            batches = self._windows.close(now)
            self._users.note_rates(now)
        return self._with_points(batches)

    def _with_points(self, batches: Sequence[WindowBatch]) -> list[Closed]:
        watched = self._history.watched
        return [Closed.of(batch, watched=watched(batch.interval_milliseconds)) for batch in batches]

    def _take_packets(self, traffic: SpanTraffic) -> list[QualityClosed]:
        """Let captured packets go the way of decoded records; a step of its own, so that a failure costs no block."""
        now = self._begin()
        if traffic.observation_point < len(self._points):
            self._point_counts[traffic.observation_point] += traffic.packets, traffic.lost_packets
        self._add(traffic.flows, now)
        self._quality.add(traffic, now)
        for tap in self._packet_taps:
            self._guarded(partial(tap, traffic, self._windows.attribution, now))
        return []

    def _close_quality(self) -> list[QualityClosed]:
        return self._closed(self._quality.close(wall_milliseconds(self._clock)))

    def _closed(self, intervals: Sequence[QualityInterval]) -> list[QualityClosed]:
        watched = self._quality_history.watched
        return [QualityClosed.of(one, watched=watched(one.interval_milliseconds)) for one in intervals]

    def _begin(self) -> UnixMillis:
        """Go over to new plan and rules, and do what is to be done between blocks; return the time."""
        if self._windows.attribution is not self._attribution:
            with self._guard:
                self._windows.swap(self._attribution)
        if self._quality.attribution is not self._windows.attribution:
            self._quality.swap(self._windows.attribution)
        while self._between_blocks:
            self._exporters_known = 0  # exporters may have got other names
            self._between_blocks.popleft()()
        return wall_milliseconds(self._clock)

    def _add(self, records: FlowBatch, now: UnixMillis) -> None:
        """Add flow records to the windows."""
        duplicate = self._duplicates.mark(records, now) if self._duplicates is not None else None
        if self._taps:
            everything = self._windows.attribution.attribute(records)
            self._tell_taps(everything, duplicate, now)
            attributed = everything if duplicate is None else everything.select(~duplicate)
        else:  # what counts nowhere need not be attributed
            attributed = self._windows.attribution.attribute(
                records if duplicate is None else records.select(~duplicate)
            )
        self._counters.records.inc(len(attributed))
        self._counters.unattributed.inc(int((attributed.service_rule_id < 0).sum()))
        with self._guard:
            self._windows.add(attributed, now)

    def _tell_taps(self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, now: UnixMillis) -> None:
        """Show records to the taps; one that fails costs neither the others nor the windows theirs."""
        names = self._windows.attribution.names
        for tap in self._taps:
            self._guarded(partial(tap.add, batch, duplicate, names, now))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Run what others hung on the flow thread; a failure is counted and logged."""
        try:
            action()
        except Exception:  # noqa: BLE001  the panic barrier of what looks on
            self._note_failure("flow-tap-failed")

    def _flush(self) -> list[Closed]:
        for tap in self._taps:
            self._guarded(tap.flush)
        with self._guard:
            batches = self._windows.flush()
        return self._with_points(batches)

    def _note_exports(self, now: UnixMillis) -> None:
        """Once a second, tell windows what exporters sent; when there are new ones, tell duplicates who they are."""
        if self._exports_noted_at is not None and 0 <= now - self._exports_noted_at < _EXPORTS_MILLISECONDS:
            return
        self._exports_noted_at = now
        if self._export_counts is None:
            return
        counts = self._export_counts()
        counts[: len(self._points)] = self._point_counts  # packets, not records: what matters is the share lost
        self._windows.note_exports(counts, now)
        if self._duplicates is not None and len(counts) > self._exporters_known:
            self._exporters_known = len(counts)
            self._duplicates.know((number, "", name) for number, name in enumerate(self._points))
            self._duplicates.know((exporter.id, exporter.address, exporter.name) for exporter in self._exporters())

    def _deliver(self, closed: Closed | QualityClosed) -> None:
        """Hand a batch to everyone; runs on the loop."""
        try:
            if self._series is not None:
                self._series.write(closed.points)
            if isinstance(closed, QualityClosed):
                self._quality_history.publish(closed.interval)
            else:
                self._history.publish(closed)
        except Exception:  # noqa: BLE001  one listener's failure must not stop traffic
            self._counters.failed.inc()
            self._failed_at = self._clock.monotonic()
            self._log.exception("windows-delivery-failed", measurement=closed.points.measurement)
