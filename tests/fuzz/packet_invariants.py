"""What must hold whatever is on the wire: every packet is counted once, nothing raises, and memory is bounded."""

import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.capture.evidence import PacketRecorder, RingLimits
from btimd.capture.wire.ipfixexport import FlowEncoder
from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.quality import QualityLimits, QualityWindows
from btimd.flows.table import FlowTable, TableLimits
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import WindowLimits, Windows
from btimd.kernels.packetlayout import F_OCTETS, F_TIME
from btimd.model.address import Prefix
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import PacketBlock, SpanTraffic
from btimd.model.service import ServiceRule
from tests.fuzz import packet_stream

SECONDS_PER_INPUT: Final = 30.0
CAPACITY: Final = 24
"""Flows in the table: so few that small inputs make flows go for others."""
WINDOW_NANOSECONDS: Final = 1_000_000_000
_BOUND: Final = 1 << 62
_LONGEST_FRAME: Final = (1 << 24) - 1
"""A frame that is said to be longer counts as so long."""


class Broken(AssertionError):  # noqa: N818  it is what the fuzzer reports
    """Something that must hold does not."""


def _must(holds: object, what: str) -> None:
    if not holds:
        raise Broken(what)


class Recorder(PacketRecorder):
    """The real one, which checks what it is given."""

    @override
    def record(self, block: PacketBlock, slots: npt.NDArray[np.int32], payload_at: npt.NDArray[np.int64]) -> None:
        """Keep packets."""
        _must(len(block) == len(slots) == len(payload_at), "slots of other packets")
        _must(((slots >= -1) & (slots < CAPACITY)).all(), f"slots {slots}")
        at, end = block.frames[0], block.frames[1]
        known = payload_at != 0
        _must(((payload_at >= at) & (payload_at <= end))[known].all(), f"payload at {payload_at} of {at} to {end}")
        super().record(block, slots, payload_at)


class PacketChecks:
    """Checks inputs, one after the other."""

    def __init__(self) -> None:
        plan, _ = compile_plan((PlanEntry("10.1.0.0/16", "east", "floor 1", "Wang", 2),), 1)
        rules = (
            ServiceRule("erp", ("erp",), Prefix.parse("172.16.0.10/32"), 6, 443, 443),
            ServiceRule("dns", ("erp", "dns"), Prefix.parse("172.16.0.0/16"), 17, 53, 53),
        )
        self._attribution = Attribution(plan, rules, ("erp", "dns"), 1)

    def check(self, octets: bytes) -> None:
        """Raise Broken, or whatever was raised, where an input breaks something."""
        if self._seconds(octets) > SECONDS_PER_INPUT:  # once more: it may have been compiling, or the machine busy
            took = self._seconds(octets)
            _must(took < SECONDS_PER_INPUT, f"{len(octets)} octets took {took:.1f} s")

    def _seconds(self, octets: bytes) -> float:
        started = time.monotonic()
        _Path(self._attribution).run(octets)
        return time.monotonic() - started


class _Path:
    """The way of captured packets, with small bounds everywhere."""

    def __init__(self, attribution: Attribution) -> None:
        self._attribution = attribution
        limits = RingLimits(CAPACITY, WINDOW_NANOSECONDS, 4096, 8192, {"erp": 64})
        self._recorder = Recorder(limits)
        self._ring = self._recorder.ring_of("erp")
        self._table = FlowTable(TableLimits(flows=CAPACITY), label=self._label, recorder=self._recorder)
        users = Users(attribution, UserLimits(8))
        self._windows = Windows(attribution, users, WindowLimits(2.0, 20.0, 60.0, 16))
        self._quality = QualityWindows(attribution, QualityLimits(2.0, 20.0, 60.0, 16))
        self._encoder = FlowEncoder()
        self._packets = self._octets = self._records = 0

    def run(self, octets: bytes) -> None:
        """Send an input through, and check what came of it."""
        packets = wire = 0
        for block in packet_stream.blocks(octets):
            packets += len(block)
            wire += int(np.minimum(block.frames[F_OCTETS], _LONGEST_FRAME).sum())
            self._table.add(block)
            now = int(block.frames[F_TIME][-1])
            self._recorder.tick(now)
            self._take(self._table.harvest(now, lost_packets=1), now)
            _must(self._table.counters.flows <= CAPACITY, f"{self._table.counters.flows} flows")
        self._table.relabel()
        self._take(self._table.flush(), packet_stream.STARTED_AT)
        self._end()
        self._add_up(packets, wire)

    def _label(self, flows: FlowBatch) -> npt.NDArray[np.int16]:
        rules = self._attribution.attribute(flows).service_rule_id
        return np.where(rules >= 0, self._ring, -1).astype(np.int16)

    def _take(self, traffic: SpanTraffic, now: int) -> None:
        flows, milliseconds = traffic.flows, now // 1_000_000
        start, end = flows["flow_start_milliseconds"], flows["flow_end_milliseconds"]
        _must(((start >= 0) & (start <= end)).all(), f"flows from {start} to {end}")
        for name in ("packet_delta_count", "octet_delta_count", "layer2_octet_delta_count"):
            _must(((flows[name] >= 0) & (flows[name] < _BOUND)).all(), f"{name} {flows[name]}")
        _must((flows["packet_delta_count"] > 0).all(), "records without packets")
        quality = traffic.quality
        _must((quality.counters >= 0).all(), "quality counted below 0")
        _must((quality.sample_nanoseconds >= 0).all(), f"durations {quality.sample_nanoseconds}")
        _must((quality.time_milliseconds >= 0).all(), f"times {quality.time_milliseconds}")
        self._packets += int(flows["packet_delta_count"].sum())
        self._octets += int(flows["layer2_octet_delta_count"].sum())
        self._records += len(flows)
        sent = sum(message.records for message in self._encoder.encode(flows, 7, max(milliseconds, 0)))
        _must(sent == len(flows), f"{sent} of {len(flows)} records exported")
        self._windows.add(self._attribution.attribute(flows), milliseconds)
        self._quality.add(traffic, milliseconds)
        self._rows(self._windows.close(milliseconds), self._quality.close(milliseconds))

    def _end(self) -> None:
        self._rows(self._windows.flush(), self._quality.flush())
        self._recorder.close()

    def _rows(self, batches: Any, intervals: Any) -> None:
        for batch in batches:
            for row in batch.rows():
                counts = row.packets, row.flows, row.users, row.octets_to_server, row.octets_to_client
                _must(min(counts) >= 0, f"{row}")
        for interval in intervals:
            _must(len(interval.rows) <= 6 * 16 + 8, f"{len(interval.rows)} rows of quality")
            for row in interval.rows:
                ratios = row.refused_ratio, row.unseen_ratio, row.dns_unanswered_ratio, row.capture_loss_ratio
                _must(all(ratio is None or 0 <= ratio <= 1 for ratio in ratios), f"{row}")

    def _add_up(self, packets: int, wire: int) -> None:
        counters = self._table.counters
        lost = counters.not_ip + counters.cut_off + counters.malformed + counters.unknown_link
        lost_octets = (
            counters.not_ip_octets + counters.cut_off_octets + counters.malformed_octets + counters.unknown_link_octets
        )
        _must(counters.packets == packets, f"{counters.packets} of {packets} packets counted")
        _must(counters.octets == wire, f"{counters.octets} of {wire} octets counted")
        _must(self._packets + lost == packets, f"{self._packets} packets in records, {lost} in none, of {packets}")
        _must(self._octets + lost_octets == wire, f"{self._octets} octets in records, {lost_octets} in none, of {wire}")
        _must(counters.records == self._records, f"{self._records} records given, {counters.records} counted")
        _must(counters.flows == 0, f"{counters.flows} flows left")
        _must(self._table.memory_octets < 1 << 25, f"a table of {self._table.memory_octets} octets")
