"""The flow table: captured packets become two-way flows, and those become flow records, in memory fixed beforehand.

The innermost packet of a frame is what is counted; flows are told apart by its 5-tuple alone. Both directions meet in
one entry and give a record each. VLANs are no part of the key: a mirror port that copies both sides of a router brings
each packet twice, once per VLAN, and devices use other VLANs for either direction. The record carries the VLAN of the
flow's first packet. Later fragments have ports 0. ICMP and ICMPv6 have ports 0 in the key, so that requests meet their
replies, and records carry type << 8 | code of the first packet as destination port, as NetFlow has it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from btimd.flows.lines import LINE_OCTETS, zero_lines
from btimd.kernels import flowcache, flowentry, flowsweep
from btimd.kernels.packetlayout import FRAME_ROWS, QUALITY_COUNTERS
from btimd.kernels.tcpquality import MOST_SAMPLES, QUALITY_WORDS, SAMPLE_ROWS
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import PacketBlock, SpanTraffic
from btimd.model.quality import QualityBatch

_NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
_SWEEP_NANOSECONDS: Final = 1_000_000_000
_ROOM: Final = (1 << 14) - 24
"""Flows that can be reported before they are collected; no power of two, or all rows of a column share cache places."""
_FRESH_ROOM: Final = 1 << 12
_LARGE_PAGE: Final = 1 << 21
_MOST_PIECES: Final = 8
_EVICTED_AT_ONCE: Final = 1 << 12
_LOOKED_AT_PER_EVICTED: Final = 8
_MAPPED: Final = 0xFFFF << 32
_SPARE_OUTPUTS: Final = 4
_Outputs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Flow records, connections, their counters, durations."""
_FLOW_COLUMNS: Final = (
    ("flow_start_milliseconds", flowentry.R_FIRST),
    ("flow_end_milliseconds", flowentry.R_LAST),
    ("source_address_hi", flowentry.R_SOURCE_HI),
    ("source_address_lo", flowentry.R_SOURCE_LO),
    ("destination_address_hi", flowentry.R_DESTINATION_HI),
    ("destination_address_lo", flowentry.R_DESTINATION_LO),
    ("octet_delta_count", flowentry.R_OCTETS),
)
_M8, _M16 = 0xFF, 0xFFFF
_LATEST: Final = (1 << 63) - 1
_M32: Final = 0xFFFF_FFFF
_HALF_SPAN: Final = 1 << 31
_FAR: Final = 1 << 30
_TIMES: Final = [
    flowentry.E_COUNTS + flowentry.DIRECTION_WORDS * direction + flowentry.D_TIMES for direction in range(2)
]

Label = Callable[[FlowBatch], npt.NDArray[np.int16]]


@dataclass(frozen=True, slots=True)
class TableLimits:
    """flows: how many are known at a time, at most 2^24; further ones take the place of those silent for longest.

    A flow with traffic is reported every `active_nanoseconds`, with its growth. It is forgotten when nothing was seen
    of it for `inactive_nanoseconds`, or for `ended_nanoseconds` after FIN of both ends or RST. quality: whether TCP and
    DNS are measured. A flow costs about 90 octets, 218 with quality, 32 more with IPv6, 40
    more in a tunnel; memory is taken as flows come.
    """

    flows: int = 262_144
    active_nanoseconds: int = 10_000_000_000
    inactive_nanoseconds: int = 60_000_000_000
    ended_nanoseconds: int = 2_000_000_000
    quality: bool = True

    def __post_init__(self) -> None:
        """Refuse what no table can be made of."""
        if not 1 <= self.flows <= 1 << flowentry.SLOT_BITS:
            raise ValueError(f"a table of {self.flows} flows cannot be made; take 1 to {1 << flowentry.SLOT_BITS}")
        if self.active_nanoseconds < 0 or self.inactive_nanoseconds <= 0 or self.ended_nanoseconds < 0:
            raise ValueError("time-outs must be 0 ns or more, inactive_nanoseconds above 0")


@dataclass(frozen=True, slots=True)
class TableCounters:
    """Totals since the start; `flows` is how many are known now. Octets are those of frames on the wire.

    The packets in no flow are counted by reason: not_ip: of another protocol. cut_off: the capture ends before the
    addresses. malformed: an IP header, or what is before it, is wrong. unknown_link: of a link type that is not read.
    created: flows begun. evicted: forgotten early, and reported, as others needed their room. records: flow records
    made. quality_records: records of connections. samples: durations measured.
    """

    packets: int
    octets: int
    not_ip: int
    not_ip_octets: int
    cut_off: int
    cut_off_octets: int
    malformed: int
    malformed_octets: int
    unknown_link: int
    unknown_link_octets: int
    flows: int
    created: int
    evicted: int
    records: int
    quality_records: int
    samples: int


class PacketRecorder(Protocol):
    """Who keeps packets for later: evidence.

    tags: int16, one per flow slot, what the table's `label` said about the flow that has the slot.
    """

    tags: npt.NDArray[np.int16]

    def record(self, block: PacketBlock, slots: npt.NDArray[np.int32], payload_at: npt.NDArray[np.int64]) -> None:
        """Take n packets just counted, before any of their flows is forgotten.

        slots: int32[n], -1 = in no flow. payload_at: int64[n], where in the slab the payload of the innermost TCP or
        UDP begins, at most the end of the packet; 0 = nobody knows.
        """


class FlowTable:
    """Packets in, flow records and quality out; it knows no clock but the packets' and the `now` it is given.

    observation_point: number of the exporter in whose name records stand. seed: makes the places of flows in the table
    unknown to those who send packets. label: is called with flows newly seen, one record each from who sent first,
    without counters; what it returns goes to recorder.tags. Without a recorder it is not called.
    """

    def __init__(
        self,
        limits: TableLimits | None = None,
        *,
        observation_point: int = 0,
        seed: int = 0,
        label: Label | None = None,
        recorder: PacketRecorder | None = None,
    ) -> None:
        self._limits = limits or TableLimits()
        self._observation_point = observation_point
        self._label = label if recorder is not None else None
        self._recorder = recorder
        capacity, measured = self._limits.flows, self._limits.flows if self._limits.quality else 0
        if recorder is not None and len(recorder.tags) < capacity:
            raise ValueError(f"the recorder has {len(recorder.tags)} tags, the table {capacity} flows")
        # So few at a time that small tables need not empty themselves for each batch.
        self._batch = min(flowcache.BATCH, max(1, capacity // 16))
        # All in one piece: the system then gives it in pages of 2 MiB, and hardly any look-up has to find out first
        # where its page is. The index comes first, as it is touched everywhere from the beginning.
        index = 1 << (2 * capacity - 1).bit_length()
        pieces = _Pieces(-(-index // 16) + -(-capacity // 16) + capacity + 2 * measured + -(-capacity // 2))
        self._index = pieces.take(-(-index // 16)).view(np.int32)[:index]
        self._index[:] = -1
        self._hashes = pieces.take(-(-capacity // 16)).view(np.int32)[:capacity]
        self._entries = pieces.take(capacity)
        self._quality = pieces.take(measured * 2).reshape(-1, QUALITY_WORDS)
        self._quality_lines = self._quality.reshape(-1, 8)
        self._wide = pieces.take(-(-capacity // 2)).reshape(-1, flowentry.WIDE_WORDS)
        self._outer = np.zeros((capacity, flowentry.OUTER_WORDS), np.int64)
        self._storage = self._index, self._hashes, self._entries, self._wide, self._outer, self._quality
        self._free = np.zeros(capacity, np.int32)
        self._state = np.zeros(flowentry.STATE_SIZE, np.int64)
        self._secrets = np.random.default_rng(seed).integers(1 << 29, 1 << 30, flowentry.SECRETS) * 2 + 1
        self._rows = zero_lines(flowcache.BATCH * (flowcache.ROW_WORDS // 8)).reshape(flowcache.BATCH, -1)
        self._measured = np.zeros((SAMPLE_ROWS, MOST_SAMPLES), np.int64)
        self._ages = np.zeros(flowsweep.AGES, np.int64)
        self._records, self._quality_rows, self._quality_counters, self._samples = _outputs()
        self._spare: list[_Outputs] = []
        self._full: list[tuple[_Outputs, int, int, int]] = []
        self._fresh = np.zeros(_FRESH_ROOM if self._label is not None else 0, np.int32)
        self._slots = np.zeros(0, np.int32)
        self._payload_at = np.zeros(0, np.int64)
        self._waiting = self._made = self._made_quality = self._made_samples = 0
        self._packets_before = 0
        self._has_epoch = False
        self._swept_at: int | None = None
        self._swept_to = 0

    @property
    def counters(self) -> TableCounters:
        """What happened so far."""
        state = [int(value) for value in self._state]
        return TableCounters(
            packets=state[flowentry.S_PACKETS],
            octets=state[flowentry.S_OCTETS],
            not_ip=state[flowentry.S_NOT_IP],
            not_ip_octets=state[flowentry.S_NOT_IP_OCTETS],
            cut_off=state[flowentry.S_CUT_OFF],
            cut_off_octets=state[flowentry.S_CUT_OFF_OCTETS],
            malformed=state[flowentry.S_MALFORMED],
            malformed_octets=state[flowentry.S_MALFORMED_OCTETS],
            unknown_link=state[flowentry.S_UNKNOWN_LINK],
            unknown_link_octets=state[flowentry.S_UNKNOWN_LINK_OCTETS],
            flows=state[flowentry.S_FLOWS],
            created=state[flowentry.S_CREATED],
            evicted=state[flowentry.S_EVICTED],
            records=self._made + state[flowentry.S_RECORDS],
            quality_records=self._made_quality + state[flowentry.S_QUALITY],
            samples=self._made_samples + state[flowentry.S_SAMPLES],
        )

    @property
    def memory_octets(self) -> int:
        """What the table takes when all of it is used, without the records that wait for `harvest`."""
        return sum(
            array.nbytes
            for array in (
                *self._storage, self._free, self._rows, self._records,
                self._quality_rows, self._quality_counters, self._samples, self._fresh, self._slots, self._payload_at,
            )
        )  # fmt: skip

    @property
    def waiting(self) -> int:
        """Flow records that wait for `harvest`, as their flows were forgotten early; when it grows, harvest earlier."""
        return self._waiting + int(self._state[flowentry.S_RECORDS])

    def add(self, block: PacketBlock) -> None:
        """Count the packets of a block. The time is that of the packets."""
        slab = _writable(block.slab)
        if len(block.frames) != FRAME_ROWS:
            raise ValueError(f"frames have {len(block.frames)} rows, wanted {FRAME_ROWS}")
        at, end, octets, time, link, tag = (np.ascontiguousarray(row) for row in block.frames)
        count = len(block)
        self._keep_epoch(time)
        if self._recorder is not None and count > len(self._slots):
            self._slots, self._payload_at = np.zeros(count, np.int32), np.zeros(count, np.int64)
        slots, payload_at = self._slots, self._payload_at
        done = 0
        while True:
            reached = int(
                flowcache.add_packets(
                    slab, at, end, octets, time, link, tag, done, self._batch,
                    *self._storage, self._quality_lines,
                    self._free, self._state, self._secrets, self._rows, self._measured,
                    self._records, self._quality_rows, self._quality_counters, self._samples,
                    self._fresh, slots, payload_at,
                )
            )  # fmt: skip
            if self._recorder is not None:
                self._tell_recorder(self._recorder, block, done, reached)
            done = reached
            if done >= count:
                return
            self._make_room()

    def harvest(self, now_nanoseconds: int, *, lost_packets: int = 0) -> SpanTraffic:
        """Return what is due: each flow is looked at once a second, so nothing is late by more than that.

        lost_packets: since the last time. Call it about once a second, from where `add` is called.
        """
        now = min(max(now_nanoseconds, 0), _LATEST)
        used = int(self._state[flowentry.S_SLOTS])
        elapsed = _SWEEP_NANOSECONDS if self._swept_at is None else abs(now - self._swept_at)
        self._swept_at = now
        steps = used if elapsed >= _SWEEP_NANOSECONDS else -(-used * elapsed // _SWEEP_NANOSECONDS)
        if self._swept_to >= used:
            self._swept_to = 0
        ahead = min(steps, used - self._swept_to)
        limits = [
            -(-timeout // _NANOSECONDS_PER_MILLISECOND)
            for timeout in (
                self._limits.active_nanoseconds, self._limits.inactive_nanoseconds, self._limits.ended_nanoseconds
            )
        ]  # fmt: skip
        self._sweep(self._swept_to, self._swept_to + ahead, now, *limits)
        self._sweep(0, steps - ahead, now, *limits)
        self._swept_to = self._swept_to + ahead if steps == ahead else steps - ahead
        return self._take(lost_packets)

    def flush(self) -> SpanTraffic:
        """Return everything that was not reported yet, and forget all flows."""
        used = int(self._state[flowentry.S_SLOTS])
        times = self._entries.reshape(-1, flowentry.ENTRY_WORDS)[:used, _TIMES] & _M32
        now = int(self._state[flowentry.S_EPOCH]) + (int(times.max()) if used else 0)
        self._sweep(0, used, now * _NANOSECONDS_PER_MILLISECOND, 0, 0, 0)
        self._state[[flowentry.S_SLOTS, flowentry.S_FREE, flowentry.S_HAND]] = 0
        self._swept_to = 0
        return self._take(0)

    def relabel(self) -> None:
        """Ask `label` about all flows anew, as what it says has changed."""
        used = int(self._state[flowentry.S_SLOTS])
        metas = self._entries.reshape(-1, flowentry.ENTRY_WORDS)[:used, flowentry.E_META]
        known = np.flatnonzero(metas & flowentry.USED)
        for begin in range(0, len(known), _FRESH_ROOM):
            self._apply_label(known[begin : begin + _FRESH_ROOM])

    def warm(self) -> None:
        """Compile every kernel for the types it is called with; for a table without packets."""
        self.add(PacketBlock(np.zeros(0, np.uint8), np.zeros((FRAME_ROWS, 0), np.int64)))
        self._evict(1)
        flowentry.move_epoch(0, self._entries, self._state)
        self.flush()

    def _keep_epoch(self, times: npt.NDArray[np.int64]) -> None:
        """Keep the 49 days that entries can tell around the time of the packets, whatever some of them say."""
        if not len(times):
            return
        some = np.sort(times[:: -(-len(times) // 9)])
        middle = max(int(some[len(some) // 2]), 0) // _NANOSECONDS_PER_MILLISECOND
        if not self._has_epoch or abs(middle - _HALF_SPAN - int(self._state[flowentry.S_EPOCH])) > _FAR:
            flowentry.move_epoch(middle - _HALF_SPAN, self._entries, self._state)
            self._has_epoch = True

    def _make_room(self) -> None:
        """Make room for another batch: `add_packets` ended early for want of it, in whichever place."""
        self._collect()
        state, capacity = self._state, self._limits.flows
        while True:
            free = int(state[flowentry.S_FREE]) + capacity - int(state[flowentry.S_SLOTS])
            if free >= self._batch:
                return
            self._evict(max(self._batch - free, min(capacity // 32, _EVICTED_AT_ONCE)))
            self._collect()

    def _evict(self, wanted: int) -> None:
        flowsweep.evict(
            wanted, _LOOKED_AT_PER_EVICTED * wanted, self._ages, *self._storage,
            self._free, self._state, self._records, self._quality_rows, self._quality_counters,
        )  # fmt: skip

    def _sweep(self, first: int, until: int, now: int, active: int, inactive: int, ended: int) -> None:
        while True:
            first = int(
                flowsweep.sweep(
                    first, until, now, active, inactive, ended, *self._storage,
                    self._free, self._state, self._records, self._quality_rows, self._quality_counters,
                )
            )  # fmt: skip
            if first >= until:
                return
            self._collect()

    def _tell_recorder(self, recorder: PacketRecorder, block: PacketBlock, first: int, until: int) -> None:
        if self._label is not None:
            self._apply_label(self._fresh[: int(self._state[flowentry.S_FRESH])])
            self._state[flowentry.S_FRESH] = 0
        if first < until:
            part = (
                block
                if until - first == len(block)
                else PacketBlock(block.slab, np.ascontiguousarray(block.frames[:, first:until]))
            )
            recorder.record(part, self._slots[first:until], self._payload_at[first:until])

    def _apply_label(self, slots: npt.NDArray[Any]) -> None:
        if self._label is not None and self._recorder is not None and len(slots):
            self._recorder.tags[slots] = self._label(self._first_packets(slots))

    def _first_packets(self, slots: npt.NDArray[Any]) -> FlowBatch:
        """Return the flows in some slots as records from who sent first, without counters."""
        entries = self._entries.reshape(-1, flowentry.ENTRY_WORDS)[slots]
        meta, both = entries[:, flowentry.E_META], entries[:, flowentry.E_ADDRESSES]
        ends = (meta >> flowentry.ENDS_SHIFT) & flowentry.ENDS_MASK
        turned = meta & flowentry.BEGAN_REVERSE != 0
        zeros = np.zeros(len(slots), np.int64)
        narrow = np.stack((zeros, (both >> 32) & _M32 | _MAPPED, zeros, both & _M32 | _MAPPED), axis=1)
        addresses = np.where((meta & flowentry.WIDE != 0)[:, None], self._wide[slots], narrow)
        addresses = np.where(turned[:, None], addresses[:, [2, 3, 0, 1]], addresses)
        swapped = (ends >> 32 << 32) | ((ends & 0xFFFF) << 16) | ((ends >> 16) & 0xFFFF)
        times = np.where(turned, entries[:, _TIMES[1]], entries[:, _TIMES[0]])
        records = np.zeros((flowentry.RECORD_ROWS, len(slots)), np.int64)
        records[: flowentry.R_ENDS] = addresses.T
        records[flowentry.R_ENDS] = np.where(turned, swapped, ends)
        records[flowentry.R_FIRST] = self._state[flowentry.S_EPOCH] + ((times >> 32) & _M32)
        records[flowentry.R_LAST] = self._state[flowentry.S_EPOCH] + (times & _M32)
        records[flowentry.R_VLAN] = (meta >> flowentry.VLAN_SHIFT) & 0xFFF
        return self._batch_of([records])

    def _collect(self) -> None:
        """Put the kernels' outputs aside and give them others, as these are full."""
        records, connections, samples = (
            int(self._state[at]) for at in (flowentry.S_RECORDS, flowentry.S_QUALITY, flowentry.S_SAMPLES)
        )
        if not records and not connections and not samples:
            return
        outputs = self._records, self._quality_rows, self._quality_counters, self._samples
        self._full.append((outputs, records, connections, samples))
        self._records, self._quality_rows, self._quality_counters, self._samples = (
            self._spare.pop() if self._spare else _outputs()
        )
        self._state[[flowentry.S_RECORDS, flowentry.S_QUALITY, flowentry.S_SAMPLES]] = 0
        self._waiting += records
        self._made += records
        self._made_quality += connections
        self._made_samples += samples

    def _take(self, lost_packets: int) -> SpanTraffic:
        """Return all that was collected."""
        self._collect()
        full = self._full
        flows = self._batch_of([outputs[0][:, :records] for outputs, records, _, _ in full])
        quality = _quality_of(
            [outputs[1][:, :connections] for outputs, _, connections, _ in full if connections],
            [outputs[2][:, :connections] for outputs, _, connections, _ in full if connections],
            [outputs[3][:, :samples] for outputs, _, _, samples in full if samples],
        )
        self._spare = [outputs for outputs, *_ in full][:_SPARE_OUTPUTS]
        self._full = []
        self._waiting = 0
        packets = int(self._state[flowentry.S_PACKETS])
        before, self._packets_before = self._packets_before, packets
        return SpanTraffic(self._observation_point, flows, quality, packets - before, lost_packets)

    def _batch_of(self, parts: Sequence[npt.NDArray[np.int64]]) -> FlowBatch:
        """Return what kernels wrote as a batch; each number of it is copied once, and goes where it stays."""
        count = sum(part.shape[1] for part in parts)
        columns: dict[str, npt.NDArray[Any]] = dict(FlowBatch.zeros(count).columns)
        columns["exporter_id"][:] = self._observation_point
        octets_of_frames = np.empty(count, np.int64)
        labels = np.zeros(count if any(part[flowentry.R_LABEL].any() for part in parts) else 0, np.int64)
        begin = 0
        for part in parts:
            here = slice(begin, begin + part.shape[1])
            begin = here.stop
            for name, row in _FLOW_COLUMNS:
                columns[name].view(np.int64)[here] = part[row]
            ends, heads = part[flowentry.R_ENDS], part[flowentry.R_COUNT]
            protocol, bits, port = columns["protocol_identifier"], columns["tcp_control_bits"], ends & _M16
            protocol[here] = ends >> 32
            bits[here] = (heads >> 8) & _M16
            icmp = (protocol[here] == flowentry.ICMP) | (protocol[here] == flowentry.ICMPV6)
            if icmp.any():
                np.copyto(port, bits[here], where=icmp)
                bits[here][icmp] = 0
            columns["source_transport_port"][here] = (ends >> 16) & _M16
            columns["destination_transport_port"][here] = port
            columns["ip_class_of_service"][here] = heads & _M8
            columns["packet_delta_count"][here] = heads >> flowentry.COUNT_SHIFT
            columns["vlan_id"][here] = part[flowentry.R_VLAN]
            octets_of_frames[here] = part[flowentry.R_FRAME_OCTETS]
            if len(labels):
                labels[here] = part[flowentry.R_LABEL]
        columns["layer2_octet_delta_count"] = octets_of_frames
        if len(labels):
            columns["mpls_top_label"] = labels
        return FlowBatch(columns)


def _outputs() -> _Outputs:
    """Return what kernels write to."""
    return (
        np.zeros((flowentry.RECORD_ROWS, 2 * _ROOM), np.int64),
        np.zeros((flowentry.QUALITY_ROWS, _ROOM), np.int64),
        np.zeros((QUALITY_COUNTERS, _ROOM), np.int64),
        np.zeros((flowentry.SAMPLE_OUT_ROWS, MOST_SAMPLES * _ROOM), np.int64),
    )


class _Pieces:
    """Zeros to be given away piece by piece, in lines of 64 octets. Memory is taken when it is first written to."""

    def __init__(self, lines: int) -> None:
        octets = (lines + _MOST_PIECES) * LINE_OCTETS
        raw = np.zeros(octets + (_LARGE_PAGE if octets > _LARGE_PAGE else 2 * LINE_OCTETS), np.uint8)
        self._octets = raw[-raw.ctypes.data % (len(raw) - octets) :]

    def take(self, lines: int) -> npt.NDArray[np.int64]:
        """Return so many lines; they begin on a multiple of 128 octets, as processors fetch lines in pairs."""
        taken = lines * LINE_OCTETS
        piece, self._octets = self._octets[:taken], self._octets[-(-taken // (2 * LINE_OCTETS)) * 2 * LINE_OCTETS :]
        return piece.view(np.int64)


class _SameMemory:
    """The memory of an array, which numpy takes it to be allowed to write to."""

    def __init__(self, array: npt.NDArray[np.uint8]) -> None:
        self.__array_interface__ = array.__array_interface__ | {"data": (array.ctypes.data, False)}
        self.owner = array


def _writable(slab: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a slab that was mapped for reading as one that compiled code has no second version for.

    No kernel writes to a slab.
    """
    return slab if slab.flags.writeable or not len(slab) else np.asarray(_SameMemory(slab))


def _joined(parts: Sequence[npt.NDArray[np.int64]], rows: slice) -> npt.NDArray[np.int64]:
    if not parts:
        return np.zeros((rows.stop - (rows.start or 0), 0), np.int64)
    return np.concatenate([part[rows] for part in parts], axis=1)


def _row_of(parts: Sequence[npt.NDArray[np.int64]], row: int, dtype: type = np.int64) -> npt.NDArray[Any]:
    return np.concatenate([part[row] for part in parts] or [np.zeros(0, np.int64)], dtype=dtype, casting="unsafe")


def _ends_of(
    parts: Sequence[npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
    """Return ports and protocol."""
    ports = np.empty((2, sum(part.shape[1] for part in parts)), np.uint16)
    protocol = np.empty(ports.shape[1], np.uint8)
    begin = 0
    for part in parts:
        ends = part[flowentry.Q_ENDS]
        here = slice(begin, begin + len(ends))
        begin = here.stop
        ports[0, here] = (ends >> 16) & _M16
        ports[1, here] = ends & _M16
        protocol[here] = ends >> 32
    return ports, protocol


def _quality_of(
    rows: Sequence[npt.NDArray[np.int64]],
    counters: Sequence[npt.NDArray[np.int64]],
    samples: Sequence[npt.NDArray[np.int64]],
) -> QualityBatch:
    addresses, (ports, protocol), (sample_ports, sample_protocol) = (
        slice(0, flowentry.Q_ENDS), _ends_of(rows), _ends_of(samples)
    )  # fmt: skip
    return QualityBatch(
        addresses=_joined(rows, addresses),
        ports=ports,
        protocol=protocol,
        time_milliseconds=_row_of(rows, flowentry.Q_TIME),
        counters=_joined(counters, slice(0, QUALITY_COUNTERS)),
        sample_addresses=_joined(samples, addresses),
        sample_ports=sample_ports,
        sample_protocol=sample_protocol,
        sample_time_milliseconds=_row_of(samples, flowentry.Q_TIME),
        sample_kind=_row_of(samples, flowentry.Q_KIND, np.uint8),
        sample_nanoseconds=_row_of(samples, flowentry.Q_NANOSECONDS),
    )


def warm() -> None:
    """Compile the kernels of packets for the types they are called with."""
    FlowTable(TableLimits(flows=8)).warm()
