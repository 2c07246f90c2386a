"""LinkService: what goes over interfaces from the flow thread to the topology on the loop, and to the series store."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.flows.linkbatches import LinkBatch
from btimd.flows.linkmetrics import LinkMetrics
from btimd.flows.links import LinkTap
from btimd.flows.settings import LinkSettings, TopologyOptions
from btimd.flows.topologyview import TopologyDesk
from btimd.model.address import Prefix
from btimd.model.flowbatch import AttributedBatch
from btimd.model.ports import Exporter, SeriesStore
from btimd.model.taps import Names, RecordTap
from btimd.model.topology import DeviceFacts
from btimd.model.units import UnixMillis
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log, OncePerInterval
from btimd.runtime.metrics import Metrics

_MOST_WAITING: Final = 512
_FAILURE_SHOWS_SECONDS: Final = 60.0
_COUNT_EVERY_MILLISECONDS: Final = 1000


class LinkService(Component):
    """Adds up on the flow thread (`tap`), shows on the loop (`desk`), writes to the series store.

    exporters: who exports now, asked on the loop. compared: see LinkTap; with Duplicates, its `compared`. servers: the
    prefixes that the servers of a business are in, by its id, asked on the loop. Facts of devices come by `take_facts`,
    on the loop. Start it before the flow thread and stop it after that, so that nothing is emitted to nobody.
    """

    def __init__(
        self,
        *,
        settings: LinkSettings,
        topology: TopologyOptions,
        exporters: Callable[[], Sequence[Exporter]],
        series: SeriesStore | None,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        seed: int = 0,
        compared: Callable[[], float] = lambda: 1.0,
        servers: Callable[[str], Iterable[Prefix]] = lambda _: (),
    ) -> None:
        self._series = series
        self._clock = clock
        self._log = log
        self._metrics = LinkMetrics(metrics)
        tap = LinkTap(self._emit, settings.limits(), seed, compared)
        self._tap = _CountingTap(tap, self._metrics, enabled=settings.enabled)
        self._desk = TopologyDesk(exporters, lambda: wall_milliseconds(clock), topology.settings(), servers)
        self._waiting: deque[LinkBatch] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._failed_at: float | None = None
        self._failures = OncePerInterval()

    @property
    @override
    def name(self) -> str:
        """Name for logs and metrics."""
        return "links"

    @property
    def tap(self) -> RecordTap:
        """What is to see every record, on the flow thread."""
        return self._tap

    @property
    def desk(self) -> TopologyDesk:
        """The view for the API; on the loop only."""
        return self._desk

    @override
    async def start(self) -> None:
        """Take batches from now on."""
        self._loop = asyncio.get_running_loop()
        self._stopped.clear()

    @override
    async def run(self) -> None:
        """Wait until stopped: what there is to do comes from others."""
        await self._stopped.wait()

    @override
    async def stop(self) -> None:
        """Take what waits."""
        self._take_waiting()
        self._loop = None
        self._stopped.set()

    @override
    def health(self) -> ComponentHealth:
        """Say whether batches and facts could be taken lately, and whether there was room."""
        if self._failed_at is not None and self._clock.monotonic() - self._failed_at < _FAILURE_SHOWS_SECONDS:
            return ComponentHealth(HealthLevel.WARNING, "an interval of links could not be taken, see the log")
        if self._desk.refused_devices:
            text = "no room for the facts of all devices; raise flows.topology.max_devices"
            return ComponentHealth(HealthLevel.WARNING, text)
        short_at = self._tap.short_at
        if short_at is not None and wall_milliseconds(self._clock) - short_at < _FAILURE_SHOWS_SECONDS * 1000:
            text = "no room for all interfaces and businesses; raise flows.links.max_interfaces or max_cells"
            return ComponentHealth(HealthLevel.WARNING, text)
        return ComponentHealth()

    def reconfigure(self, settings: LinkSettings, topology: TopologyOptions) -> None:
        """Go over to other settings, on the loop. Of [flows.links] only `enabled` counts before the next start."""
        self._tap.enabled = settings.enabled
        self._desk.reconfigure(topology.settings())

    def take_facts(self, facts: DeviceFacts) -> None:
        """Take what SNMP learned of a device, on the loop."""
        self._desk.take_facts(facts)
        self._count_topology()

    def forget(self, names: Sequence[str]) -> None:
        """Forget devices that are not asked any more, on the loop."""
        self._desk.forget(names)

    def _emit(self, batch: LinkBatch) -> None:
        """Hand a batch from the flow thread to the loop; the oldest is given up where that is too slow."""
        loop = self._loop
        if loop is None:
            self._metrics.dropped.inc()
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self._metrics.dropped.inc()
        self._waiting.append(batch)
        loop.call_soon_threadsafe(self._take_waiting)

    def _take_waiting(self) -> None:
        while self._waiting:
            try:
                points = self._desk.take(self._waiting.popleft())
                if points is not None and self._series is not None:
                    self._series.write(points)
            except Exception:  # noqa: BLE001  one interval is lost, counted and said
                self._metrics.dropped.inc()
                self._failed_at = self._clock.monotonic()
                held = self._failures.take(self._failed_at)
                if held is not None:
                    self._log.exception("links-interval-failed", more_since_last_line=held)
        self._count_topology()

    def _count_topology(self) -> None:
        self._metrics.update_topology(
            refused_devices=self._desk.refused_devices, left_out_links=self._desk.left_out_links
        )


class _CountingTap(RecordTap):
    """The tap of links, its losses counted about once a second; while it is not enabled it lets records pass."""

    def __init__(self, tap: LinkTap, metrics: LinkMetrics, *, enabled: bool) -> None:
        self.enabled = enabled
        self._tap = tap
        self._metrics = metrics
        self._counted_at: UnixMillis | None = None
        self._incomplete = 0
        self.short_at: UnixMillis | None = None
        """When records found no room the last time; None = never."""

    @override
    def add(
        self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, names: Names, now: UnixMillis
    ) -> None:
        if self.enabled:
            self._tap.add(batch, duplicate, names, now)

    @override
    def tick(self, now: UnixMillis) -> None:
        self._tap.tick(now)
        if self._counted_at is None or not 0 <= now - self._counted_at < _COUNT_EVERY_MILLISECONDS:
            self._count(now)

    @override
    def flush(self) -> None:
        self._tap.flush()
        self._count(self._counted_at)

    def _count(self, now: UnixMillis | None) -> None:
        counters = self._tap.counters
        if counters.incomplete > self._incomplete:
            self.short_at, self._incomplete = now, counters.incomplete
        self._counted_at = now
        self._metrics.update_links(counters)
