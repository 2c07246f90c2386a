"""What stands between the rings of mirror ports and the flow thread: each capture thread's flow table and its sink."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd import __version__
from btimd.capture.evidence import NO_RING, PacketRecorder, RecorderMetrics, frozen
from btimd.capture.flowexport import FlowExporter
from btimd.capture.forensics import Subject
from btimd.capture.settings import CaptureSettings, SpanSettings
from btimd.flows.attribution import Attribution
from btimd.flows.packetsink import FlowSink
from btimd.flows.table import FlowTable, Label, TableLimits
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import SpanTraffic
from btimd.model.service import CheckKind, ServiceGraph
from btimd.model.units import UnixSeconds
from btimd.rca.graph import GraphIndex
from btimd.runtime.channel import Channel
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

CHANNEL_BATCHES: Final = 64
"""Harvests that may wait for the flow thread, about a second of one capture thread each."""
_NANOSECONDS: Final = 1_000_000_000
_REPORT_SECONDS: Final = 1.0
_PROTOCOLS: Final = {CheckKind.HTTP: "http", CheckKind.POSTGRES: "pgsql", CheckKind.DNS: "dns"}
"""What tshark calls what checks speak."""
_COUNTERS: Final = {
    "not_ip": ("not_ip_packets", "Frames of protocols other than IP, which are in no flow"),
    "cut_off": ("cut_off_packets", "Frames captured too short for their headers, which are in no flow"),
    "malformed": ("malformed_packets", "Frames with headers that cannot be, which are in no flow"),
    "unknown_link": ("unknown_link_packets", "Frames of link types that are not read"),
    "created": ("created_flows", "Flows begun"),
    "evicted": ("evicted_flows", "Flows reported and forgotten early, as others needed their room (max_flows)"),
    "records": ("records", "Flow records made of packets"),
    "quality_records": ("quality_records", "Records of how connections did"),
    "samples": ("samples", "Round trips and response times measured"),
}


class SpanLines(Component):
    """Makes the sink of each capture thread, keeps what they have in common, and passes records to other collectors.

    channel: takes what tables make, for the flow thread. attribution: the one in force, asked on capture threads. The
    number of a span among the settings is its observation point: the id in whose name its records stand.
    """

    def __init__(
        self,
        settings: CaptureSettings,
        *,
        channel: Channel[SpanTraffic],
        attribution: Callable[[], Attribution],
        metrics: Metrics,
        random: Random,
        log: Log,
    ) -> None:
        self._settings = settings
        self._channel = channel
        self._attribution = attribution
        self._random = random
        export = settings.export
        self._exporter = FlowExporter(
            export.collectors, metrics, log, limits=export.limits(), queue_records=export.queue_records
        )
        self._exports = bool(export.collectors) and bool(settings.span)
        self._threads = sum(span.threads for span in settings.span.values())
        self._sinks: list[tuple[str, FlowSink]] = []
        self.recorders: list[PacketRecorder] = []
        self._counters = {
            key: metrics.counter(f"btimd_flows_table_{name}_total", text, ("span",))
            for key, (name, text) in _COUNTERS.items()
        }
        self._flows = metrics.gauge("btimd_flows_table_flows", "Flows followed now", ("span",))
        self._dropped = metrics.counter(
            "btimd_flows_table_dropped_records_total",
            "Flow records made of packets that were dropped because the flow thread did not keep up",
        )
        self._recorder_metrics = RecorderMetrics(metrics)
        self._reported: dict[tuple[str, str], int] = {}
        self._reported_dropped = 0

    @property
    @override
    def name(self) -> str:
        """Name for logs and metrics."""
        return "flows.table"

    @override
    async def start(self) -> None:
        if self._exports:
            self._exporter.start()

    @override
    async def run(self) -> None:
        while True:
            self.report()
            await asyncio.sleep(_REPORT_SECONDS)

    @override
    async def stop(self) -> None:
        for recorder in self.recorders:
            recorder.close()
        if self._exports:
            await asyncio.to_thread(self._exporter.stop)
        self.report()

    @override
    def health(self) -> ComponentHealth:
        if self._exports and self._sinks and not self._exporter.alive:
            return ComponentHealth(HealthLevel.ERROR, "the thread that exports flow records has died")
        return ComponentHealth()

    @property
    def names(self) -> tuple[str, ...]:
        """The spans, by observation point."""
        return tuple(self._settings.span)

    def sink(self, name: str, _thread: int) -> FlowSink:
        """Return the sink of a new capture thread."""
        span = self._settings.span[name]
        recorder = self._recorder(span)
        table = FlowTable(
            table_limits(span),
            observation_point=self.names.index(name),
            seed=self._random.getrandbits(31),
            label=None if recorder is None else self._label(recorder),
            recorder=recorder,
        )
        made = FlowSink(table, self._deliver) if recorder is None else FlowSink(table, self._deliver, recorder.tick)
        self._sinks.append((name, made))
        return made

    def _deliver(self, traffic: SpanTraffic) -> None:
        """Hand on what a table made; runs on capture threads."""
        self._channel.put(traffic)
        if self._exports:
            self._exporter.put(traffic.flows, traffic.observation_point)

    def relabel(self) -> None:
        """Have the packets of all flows kept for the businesses they belong to now."""
        for _, sink in self._sinks:
            sink.relabel()

    async def freeze(self, business: str, now: UnixSeconds) -> bytes:
        """Return what is kept of a business's packets as a capture file; b"" without any. now: s since 1970."""
        return await frozen(self.recorders, business, now, application=f"btimd {__version__}")

    def report(self) -> None:
        """Bring the metrics up to date."""
        totals: dict[tuple[str, str], int] = {}
        flows = dict.fromkeys(self.names, 0)
        for name, sink in self._sinks:
            counters = sink.table.counters
            flows[name] += counters.flows
            for key in _COUNTERS:
                totals[name, key] = totals.get((name, key), 0) + getattr(counters, key)
        for (name, key), total in totals.items():
            self._counters[key].labels(name).inc(total - self._reported.get((name, key), 0))
        for name, count in flows.items():
            self._flows.labels(name).set(count)
        self._reported = totals
        self._dropped.inc(self._channel.dropped_weight - self._reported_dropped)
        self._reported_dropped = self._channel.dropped_weight
        self._recorder_metrics.report(self.recorders)
        if self._exports:
            self._exporter.report()

    def _recorder(self, span: SpanSettings) -> PacketRecorder | None:
        if not self._settings.evidence.enabled:
            return None
        limits = self._settings.evidence.ring_limits(flows=span.max_flows, threads=self._threads)
        self.recorders.append(PacketRecorder(limits, span.interface))
        return self.recorders[-1]

    def _label(self, recorder: PacketRecorder) -> Label:
        """Return what says which ring of a recorder each flow belongs to."""
        known: tuple[Attribution, npt.NDArray[np.int16]] | None = None

        def label(flows: FlowBatch) -> npt.NDArray[np.int16]:
            nonlocal known
            attribution = self._attribution()
            if known is None or known[0] is not attribution:
                known = attribution, rings_of_rules(attribution, recorder)
            return known[1][attribution.attribute(flows).service_rule_id]

        return label


def packet_channel() -> Channel[SpanTraffic]:
    """Return the channel between capture threads and the flow thread; it is weighed in flow records."""
    return Channel(CHANNEL_BATCHES, weigh=lambda traffic: len(traffic.flows))


def subject_of(graph: ServiceGraph, business: str, decode_as: Mapping[int, str]) -> Subject:
    """Return what dissection must know of a business: protocols by port, of its own checks and those below it.

    decode_as: what the operator says, which wins.
    """
    if business not in graph.nodes:
        return Subject(business, dict(decode_as))
    checks = [check for node in GraphIndex(graph).needs_closure(business) for check in graph.nodes[node].checks]
    known = {check.port: _PROTOCOLS[check.kind] for check in checks if check.port and check.kind in _PROTOCOLS}
    return Subject(business, known | dict(decode_as), frozenset(check.port for check in checks if check.port))


def table_limits(span: SpanSettings) -> TableLimits:
    """Return the bounds of a span's flow tables in their own terms."""
    return TableLimits(
        flows=span.max_flows,
        active_nanoseconds=int(span.active_timeout * _NANOSECONDS),
        inactive_nanoseconds=int(span.inactive_timeout * _NANOSECONDS),
        quality=span.quality,
    )


def owners_of_rules(attribution: Attribution) -> Sequence[tuple[str, ...]]:
    """Return the businesses that own each service rule, in alphabetical order."""
    owners, businesses = attribution.owners, attribution.businesses
    return [
        tuple(sorted(businesses[one] for one in owners.business[begin:end].tolist()))
        for begin, end in zip(owners.offsets[:-1].tolist(), owners.offsets[1:].tolist(), strict=True)
    ]


def rings_of_rules(attribution: Attribution, recorder: PacketRecorder) -> npt.NDArray[np.int16]:
    """Return the ring of each service rule's packets, and at the end NO_RING, for those of no rule."""
    owners = owners_of_rules(attribution)
    return np.array([*(recorder.ring_of(*names) if names else NO_RING for names in owners), NO_RING], np.int16)
