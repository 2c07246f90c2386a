"""Windows of links: octets, packets and records per exporter, interface, direction and business, and duplicates.

Intervals of 10 s and of 60 s. An interval is emitted when its end and the grace have passed; what comes for it later,
within the lateness, is added, and the directions of interfaces that changed are emitted again, in full, as the next
revision. Every record counts at each interface it names, whoever else reported it.

A record metered where a packet comes in is counted there, and tells at the same time what its egress interface sent
out. Where an interface meters what it sends out itself, that is taken and the other left out (and the other way round),
so that a device that meters both counts nothing twice. Devices may drop packets in between, and may send copies out
of several interfaces: what is derived is an estimate.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.lines import zero_lines
from btimd.kernels import aggregate
from btimd.kernels import links as kernels
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.taps import Names
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis

INTERVALS_MILLISECONDS: Final = (
    aggregate.FINE_MILLISECONDS,
    aggregate.FINE_MILLISECONDS * aggregate.FINE_PER_COARSE,
)
TOTAL: Final = -2
"""Instead of a business: all records, each once, whoever owns them."""
_NO_INTERVAL: Final = -1
_SIDES: Final = 2
_SPARE_SETS: Final = 64
_COLUMNS: Final = 8
_WITH_MARKS: Final = (kernels.OWN_RECORDS, kernels.DERIVED_RECORDS)
_ALL_MARKS: Final = np.int64((1 << kernels.MARK_BITS) - 1)


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How long an interval is waited for and can change, and how much is kept at most.

    future_seconds: records that end later than this after now are lost and counted. max_interfaces: of all exporters
    together. max_cells: pairs of an interface and the businesses that share a rule; one that is used costs 128 octets
    per 10 s of grace + lateness + future. silence_seconds: how long a flow belongs to the observation domain that
    reported it first; domains_capacity: flows known for that at a time, of exporters with several domains, 24 octets
    each.
    """

    grace_seconds: Seconds = 10.0
    lateness_seconds: Seconds = 300.0
    future_seconds: Seconds = 60.0
    max_interfaces: int = 4096
    max_cells: int = 16_384
    silence_seconds: Seconds = 180.0
    domains_capacity: int = 1 << 16


@dataclass(frozen=True, slots=True)
class Doubles:
    """Of one interval, per exporter and business (as in LinkBatch): what counts, and what another point had reported.

    Octets are estimates where sampled. A record is here once, however many interfaces it names.
    """

    exporter_id: npt.NDArray[np.int32]
    business_id: npt.NDArray[np.int32]
    counted_records: npt.NDArray[np.int64]
    counted_octets: npt.NDArray[np.int64]
    duplicate_records: npt.NDArray[np.int64]
    duplicate_octets: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinkBatch:
    """What went over interfaces in one interval: for each direction that changed, its total and its businesses.

    n rows, sorted by exporter, interface, outward, business. business_id: TOTAL, -1 = of no business, else into
    businesses. interface: ifIndex, 0 = none: the device itself, discarded, not told. octets, packets: estimates where
    sampled. derived: from what was metered at the other end of the device. A row of 0 records takes an earlier one
    back; a direction that is named replaces all that was said of it in this interval. doubles: of the whole interval.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    revision: int
    businesses: tuple[str, ...]
    exporter_id: npt.NDArray[np.int32]
    interface: npt.NDArray[np.int64]
    outward: npt.NDArray[np.uint8]
    business_id: npt.NDArray[np.int32]
    octets: npt.NDArray[np.int64]
    packets: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    sampled: npt.NDArray[np.uint8]
    derived: npt.NDArray[np.uint8]
    doubles: Doubles

    def __len__(self) -> int:
        return len(self.octets)


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """Since the start. refused: how often an interface or a business at an interface found no room; incomplete: the
    records that count somewhere less than they should because of that. repeated: records that another observation
    domain of the same exporter had reported at the same interface.
    """  # noqa: D205  one sentence per counter

    late_records: int
    late_octets: int
    future_records: int
    future_octets: int
    refused: int
    incomplete: int
    repeated: int
    restarts: int


class LinkWindows:
    """Adds up and emits. One thread owns it. `seed` makes the places of flows unknown to senders."""

    def __init__(self, limits: LinkLimits | None = None, seed: int = 0) -> None:
        self._limits = limits or LinkLimits()
        self._grace = round(self._limits.grace_seconds * 1000)
        self._kept = self._grace + round(self._limits.lateness_seconds * 1000)
        self._future = round(self._limits.future_seconds * 1000)
        fine, coarse = INTERVALS_MILLISECONDS
        slots = 1 << ((self._kept + self._future + coarse) // fine + 2).bit_length()
        self._bounds = np.zeros(3, np.int64)
        self._slot_interval = np.full(slots, _NO_INTERVAL, np.int64)
        self._slot_changed = np.zeros(slots, np.uint8)
        self._revisions: tuple[dict[int, int], ...] = ({}, {})
        self._tallies = np.zeros(4, np.int64)
        self._closed_upto = [0, 0]
        self._now: UnixMillis | None = None
        self._pending: list[LinkBatch] = []
        self._names: Names | None = None
        self._owners: tuple[tuple[str, ...], ...] = ((),)
        self._owners_of_rule = np.zeros(0, np.int32)
        self._numbering = _Numbering(self._limits, 1, slots)
        self._scratch = np.zeros((kernels.SCRATCH_ROWS, kernels.BLOCK), np.int64)
        self._domains = _Domains(self._limits, seed)
        self._refused = self._incomplete = self._restarts = 0

    @property
    def counters(self) -> LinkCounters:
        """What was lost, and why."""
        tallies, state = self._tallies.tolist(), self._numbering.state
        return LinkCounters(
            late_records=tallies[aggregate.LATE_RECORDS],
            late_octets=tallies[aggregate.LATE_OCTETS],
            future_records=tallies[aggregate.FUTURE_RECORDS],
            future_octets=tallies[aggregate.FUTURE_OCTETS],
            refused=int(self._refused + state[kernels.S_REFUSED]),
            incomplete=self._incomplete,
            repeated=self._domains.repeated,
            restarts=self._restarts,
        )

    def add(
        self,
        batch: AttributedBatch,
        duplicate: npt.NDArray[np.bool_] | None,
        names: Names,
        now_milliseconds: UnixMillis,
    ) -> None:
        """Add records, all of them; duplicate tells which another observation point reported first."""
        if names is not self._names:
            self._go_over_to(names)
        now = self._advance(now_milliseconds)
        flows, numbering, nothing = batch.flows, self._numbering, np.zeros(len(batch), np.uint8)
        self._incomplete += kernels.add_links(
            flows["flow_start_milliseconds"],
            flows["flow_end_milliseconds"],
            flows["octet_delta_count"],
            flows["packet_delta_count"],
            flows["sampling_rate"],
            flows["exporter_id"],
            flows["record_quality"],
            flows["ingress_interface"],
            flows["egress_interface"],
            flows["flow_direction"],
            self._domains.repeats(flows, now, nothing),
            nothing if duplicate is None else duplicate.view(np.uint8),
            batch.service_rule_id,
            self._owners_of_rule,
            self._bounds,
            self._slot_interval,
            self._slot_changed,
            numbering.keys,
            numbering.numbers,
            numbering.ports,
            numbering.cell_table,
            numbering.cells,
            numbering.state,
            numbering.lines,
            self._tallies,
            self._scratch,
        )

    def close(self, now_milliseconds: UnixMillis) -> list[LinkBatch]:
        """Return what is to be emitted now: intervals that closed, and earlier ones that changed since."""
        now = self._advance(now_milliseconds)
        for level, interval in enumerate(INTERVALS_MILLISECONDS):
            closed_upto = (now - self._grace) // interval
            if closed_upto > self._closed_upto[level]:
                self._closed_upto[level] = closed_upto
                self._emit(level, closed_upto)
                if level and self._numbering.is_full:
                    self._forget_unused()
        return self._take()

    def flush(self) -> list[LinkBatch]:
        """Return everything that changed since it was last emitted, open intervals too."""
        for level in range(len(INTERVALS_MILLISECONDS)):
            self._emit(level, None)
        return self._take()

    def _go_over_to(self, names: Names) -> None:
        """Learn who owns the rules of a new generation; sets of owners that are gone keep their numbers for a while."""
        offsets, wanted = names.owner_offsets.tolist(), []
        for first, last in pairwise(offsets):
            owners = {names.businesses[who] for who in names.owner_business[first:last].tolist() if who >= 0}
            wanted.append(tuple(sorted(owners)))
        known = {owners: number for number, owners in enumerate(self._owners)}
        fresh = [owners for owners in dict.fromkeys(wanted) if owners not in known]
        if len(known) + len(fresh) > 2 * len(set(wanted)) + _SPARE_SETS:
            self._restart()
            known, fresh = {(): 0}, [owners for owners in dict.fromkeys(wanted) if owners]
        known |= {owners: len(known) + more for more, owners in enumerate(fresh)}
        self._owners = tuple(known)
        self._owners_of_rule = np.array([known[owners] for owners in wanted], np.int32)
        self._numbering.widen(len(self._owners))
        self._names = names

    def _advance(self, given: UnixMillis) -> UnixMillis:
        """Move to a time, emit and let go of intervals that became too old; return the time in force."""
        now = given if self._now is None else max(self._now, given)
        if given < now - self._kept:
            self._restart()
            now = given
        self._now = now
        fine, coarse = INTERVALS_MILLISECONDS
        held = max(0, (now - self._kept) // coarse) * aggregate.FINE_PER_COARSE
        if held != self._bounds[aggregate.B_HELD]:
            self._bounds[aggregate.B_HELD] = held
            self._emit(0, held)
            self._emit(1, held // aggregate.FINE_PER_COARSE)
            kept = self._slot_interval
            self._clear(kept[(kept != _NO_INTERVAL) & (kept < held)])
        self._bounds[aggregate.B_LAST] = (now + self._future) // fine
        return now

    def _restart(self) -> None:
        """Emit all there is and begin anew: the clock was set back, or most names are out of use."""
        self._restarts += 1
        for level in range(len(INTERVALS_MILLISECONDS)):
            self._emit(level, None)
        self._clear(self._slot_interval[self._slot_interval != _NO_INTERVAL])
        self._refused += int(self._numbering.state[kernels.S_REFUSED])
        self._numbering = _Numbering(self._limits, len(self._owners), len(self._slot_interval))
        self._closed_upto = [0, 0]

    def _forget_unused(self) -> None:
        """Give new numbers to what is in use: interfaces that send nothing any more make room."""
        before = self._numbering
        self._refused += int(before.state[kernels.S_REFUSED])
        slots = np.flatnonzero(self._slot_interval != _NO_INTERVAL)
        lines, used = before.by_slot[slots], int(before.state[kernels.S_CELLS])
        living = np.flatnonzero(lines[:, :used].any(axis=(0, 2, 3)))
        self._numbering = _Numbering(self._limits, len(self._owners), len(self._slot_interval))
        self._numbering.take(before, living)
        self._numbering.by_slot[slots, : len(living)] = lines[:, living]

    def _clear(self, intervals: npt.NDArray[np.int64]) -> None:
        """Let go of intervals of 10 s; those of a minute go together."""
        slots = intervals & (len(self._slot_interval) - 1)
        used = int(self._numbering.state[kernels.S_CELLS])
        for slot in slots.tolist():
            self._numbering.by_slot[slot, :used] = 0
        self._slot_interval[slots] = _NO_INTERVAL
        self._slot_changed[slots] = 0
        minutes = np.unique(intervals // aggregate.FINE_PER_COARSE)
        for revisions, gone in zip(self._revisions, (intervals, minutes), strict=True):
            for interval in gone.tolist():
                revisions.pop(interval, None)

    def _emit(self, level: int, below: int | None) -> None:
        """Put the changed intervals before `below` (None: all) to those that are returned next, oldest first."""
        mark = (kernels.FINE_CHANGED, kernels.COARSE_CHANGED)[level]
        changed = self._slot_interval[self._slot_changed & mark != 0]
        if level:
            changed = np.unique(changed // aggregate.FINE_PER_COARSE)
        for interval in np.sort(changed).tolist():
            if below is None or interval < below:
                self._pending.append(self._batch(level, interval, mark))

    def _batch(self, level: int, interval: int, mark: int) -> LinkBatch:
        """Return what changed of an interval; `mark` is the bit of change at this level, which is taken away."""
        parts = aggregate.FINE_PER_COARSE if level else 1
        wanted = np.arange(interval * parts, (interval + 1) * parts)
        slots = wanted & (len(self._slot_interval) - 1)
        slots = slots[self._slot_interval[slots] == wanted]
        numbering = self._numbering
        used = int(numbering.state[kernels.S_CELLS])
        sums = np.zeros((used, _SIDES, _COLUMNS), np.int64)
        marks = np.zeros((used, _SIDES), np.int64)
        for slot in slots.tolist():
            lines = numbering.by_slot[slot, :used]
            for column in range(_COLUMNS):
                sums[..., column] += (
                    lines[..., column] >> kernels.MARK_BITS if column in _WITH_MARKS else lines[..., column]
                )
            sums[sums < 0] = np.iinfo(np.int64).max
            for column in _WITH_MARKS:
                marks |= lines[..., column] & _ALL_MARKS
                lines[..., column] &= ~np.int64(mark)
        self._slot_changed[slots] &= ~np.uint8(mark)
        revision = self._revisions[level].get(interval, 0)
        self._revisions[level][interval] = revision + 1
        rows = _Rows.of(self._owners, numbering, sums, marks)
        return rows.batch(level, interval, revision, mark)

    def _take(self) -> list[LinkBatch]:
        taken, self._pending = self._pending, []
        return taken


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sums per port, business and side of one interval; the rows of a port begin with its total.

    key: port * (businesses + 2) + business + 2, ascending. sums: int64[rows, 2, 8]. marks: int64[rows, 2].
    """

    businesses: tuple[str, ...]
    ports: npt.NDArray[np.int64]
    key: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]
    marks: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls,
        owners: tuple[tuple[str, ...], ...],
        numbering: "_Numbering",
        sums: npt.NDArray[np.int64],
        marks: npt.NDArray[np.int64],
    ) -> "_Rows":
        """Share out what cells hold: all of it to the total of the port, and all of it to each owner."""
        businesses = tuple(sorted({name for names in owners for name in names}))
        number = {name: at for at, name in enumerate(businesses)}
        columns = [(TOTAL, *(number[name] for name in names)) if names else (TOTAL, UNKNOWN_ID) for names in owners]
        sizes = np.array([len(column) for column in columns])
        firsts = np.cumsum(sizes) - sizes
        flat = np.array([one for column in columns for one in column], np.int64) - TOTAL
        used = np.flatnonzero(sums.any(axis=(1, 2)))
        port, owner = (numbering.cells[used, at].astype(np.int64) for at in range(2))
        take = np.repeat(np.arange(len(used)), sizes[owner])
        nth = np.arange(len(take)) - np.repeat(np.cumsum(sizes[owner]) - sizes[owner], sizes[owner])
        column = flat[firsts[owner][take] + nth]
        key, line = np.unique(port[take] * (len(businesses) - TOTAL) + column, return_inverse=True)
        together = np.zeros((len(key), _SIDES, _COLUMNS), np.int64)
        marked = np.zeros((len(key), _SIDES), np.int64)
        np.add.at(together, line, sums[used][take])
        together[together < 0] = np.iinfo(np.int64).max
        np.bitwise_or.at(marked, line, marks[used][take])
        return cls(businesses, numbering.ports, key, together, marked)

    def batch(self, level: int, interval: int, revision: int, mark: int) -> LinkBatch:
        """Return the rows of the directions that carry the mark, and what counted once and what did not."""
        width = len(self.businesses) - TOTAL
        port, business = self.key // width, self.key % width + TOTAL
        total = np.searchsorted(self.key, port * width)  # the row of the port's total
        changed, metered = self.marks[total] & mark != 0, self.sums[total, :, kernels.OWN_OCTETS] > 0
        metered |= self.sums[total, :, kernels.OWN_RECORDS] > 0  # a flow that goes on has its end elsewhere
        real = self.ports[port, 1] != kernels.REPEATED
        row, side = np.nonzero(changed & self.sums.any(axis=2) & real[:, None])
        own = metered[row, side]
        first = np.where(own, kernels.OWN_OCTETS, kernels.DERIVED_OCTETS)
        order = np.lexsort((business[row], side, self.ports[port[row], 1], self.ports[port[row], 0]))
        row, side, own, first = row[order], side[order], own[order], first[order]
        lines = self.sums[row, side]
        at = np.arange(len(row))
        return LinkBatch(
            interval_start_milliseconds=interval * INTERVALS_MILLISECONDS[level],
            interval_milliseconds=INTERVALS_MILLISECONDS[level],
            revision=revision,
            businesses=self.businesses,
            exporter_id=self.ports[port[row], 0].astype(np.int32),
            interface=self.ports[port[row], 1],
            outward=side.astype(np.uint8),
            business_id=business[row].astype(np.int32),
            octets=lines[at, first],
            packets=lines[at, first + 1],
            records=lines[at, first + 2],
            sampled=((self.marks[row, side] & kernels.SAMPLED) != 0).astype(np.uint8),
            derived=(~own).astype(np.uint8),
            doubles=self._doubles(port, business, real),
        )

    def _doubles(
        self, port: npt.NDArray[np.int64], business: npt.NDArray[np.int64], real: npt.NDArray[np.bool_]
    ) -> Doubles:
        """Return what counted once and what did not, per exporter and business."""
        width = len(self.businesses) - TOTAL
        exporter = self.ports[port, 0]
        key, line = np.unique(exporter * width + business - TOTAL, return_inverse=True)
        own = self.sums[:, :, [kernels.OWN_RECORDS, kernels.OWN_OCTETS]].sum(axis=1)
        double = self.sums[:, :, [kernels.DUPLICATE_RECORDS, kernels.DUPLICATE_OCTETS]].sum(axis=1)
        double = np.where(real[:, None], double, own)
        found = np.zeros((len(key), 4), np.int64)
        np.add.at(found, line, np.concatenate((own - double, double), axis=1))
        return Doubles(
            exporter_id=(key // width).astype(np.int32),
            business_id=(key % width + TOTAL).astype(np.int32),
            counted_records=found[:, 0],
            counted_octets=found[:, 1],
            duplicate_records=found[:, 2],
            duplicate_octets=found[:, 3],
        )


@dataclass(slots=True)
class _Numbering:
    """The numbers of interfaces and cells, and the sums they lead to; see kernels.links.add_links."""

    limits: LinkLimits
    sets: int
    slots: int
    keys: npt.NDArray[np.int64] = field(init=False)
    numbers: npt.NDArray[np.int32] = field(init=False)
    ports: npt.NDArray[np.int64] = field(init=False)
    cell_table: npt.NDArray[np.int32] = field(init=False)
    cells: npt.NDArray[np.int32] = field(init=False)
    state: npt.NDArray[np.int64] = field(init=False)
    lines: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        """Make empty tables; memory is taken from the system when it is first written to."""
        ports = self.limits.max_interfaces
        self.keys = np.zeros(1 << (2 * ports).bit_length(), np.int64)
        self.numbers = np.zeros(len(self.keys), np.int32)
        self.ports = np.zeros((ports, 2), np.int64)
        self.cell_table = np.zeros((ports, self.sets), np.int32)
        self.cells = np.zeros((self.limits.max_cells, 2), np.int32)
        self.state = np.zeros(4, np.int64)
        self.lines = zero_lines(self.slots * self.limits.max_cells * _SIDES)

    @property
    def by_slot(self) -> npt.NDArray[np.int64]:
        """The sums as [slot, cell, side, column]."""
        return self.lines.reshape(self.slots, len(self.cells), _SIDES, -1)

    @property
    def is_full(self) -> bool:
        """Whether something found no room since these tables were made."""
        return bool(self.state[kernels.S_REFUSED])

    def widen(self, sets: int) -> None:
        """Have columns for so many sets of owners."""
        more = sets - self.sets
        if more > 0:
            self.cell_table = np.pad(self.cell_table, ((0, 0), (0, more)))
            self.sets = sets

    def take(self, other: "_Numbering", cells: npt.NDArray[np.int64]) -> None:
        """Take over these cells of another table, from number 0 on; this one is empty and has as many sets."""
        old = other.cells[cells]
        ports, port = np.unique(old[:, 0], return_inverse=True)
        self.ports[: len(ports)] = other.ports[ports]
        self.cells[: len(cells), 0] = port
        self.cells[: len(cells), 1] = old[:, 1]
        self.cell_table[port, old[:, 1]] = np.arange(1, len(cells) + 1)
        mask, held = len(self.keys) - 1, np.flatnonzero(np.isin(other.numbers, ports) & (other.keys != 0))
        for slot in held.tolist():
            key = int(other.keys[slot])
            exporter, interface = (key - 1) >> 32, ((key - 1) & 0xFFFFFFFF) - 1
            mixed = interface * 0x1E3779B1 + exporter * 0x5BD1E995
            place = (mixed ^ (mixed >> 17)) & mask
            while self.keys[place]:
                place = (place + 1) & mask
            self.keys[place] = key
            self.numbers[place] = np.searchsorted(ports, other.numbers[slot])
        self.state[kernels.S_PORTS], self.state[kernels.S_CELLS] = len(ports), len(cells)


class _Domains:
    """Finds what an exporter reports twice at one interface, under several observation domains.

    A line card that meters has a domain of its own, and nothing is said twice. A device that exports the same to one
    collector by two processes says everything twice. Looked at is only what exporters with several domains say.
    """

    def __init__(self, limits: LinkLimits, seed: int) -> None:
        self._limits = limits
        self._seed = seed & 0x3FFF_FFFF_FFFF_FFFF
        self._first: dict[int, int] = {}
        self._several = np.zeros(0, np.uint8)
        self._table = np.zeros((0, 3), np.int64)
        self.repeated = 0

    def repeats(self, flows: FlowBatch, now: UnixMillis, nothing: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return 1 for records that repeat another domain's; `nothing` where none can."""
        exporter, domain = flows["exporter_id"], flows["observation_domain_id"]
        self._learn(exporter, domain)
        wanted = self._several[exporter] if len(exporter) and self._several.any() else nothing
        if not wanted.any():
            return nothing
        if not len(self._table):
            self._table = np.zeros((1 << (self._limits.domains_capacity - 1).bit_length(), 3), np.int64)
        outward = flows["flow_direction"] == 1
        interface = np.where(outward, flows["egress_interface"], flows["ingress_interface"]).astype(np.int64)
        repeated = np.zeros(len(exporter), np.uint8)
        self.repeated += kernels.find_repeated(
            flows["source_address_hi"].view(np.int64),
            flows["source_address_lo"].view(np.int64),
            flows["destination_address_hi"].view(np.int64),
            flows["destination_address_lo"].view(np.int64),
            flows["source_transport_port"],
            flows["destination_transport_port"],
            flows["protocol_identifier"],
            exporter,
            domain,
            interface << 1 | outward,
            np.ascontiguousarray(wanted),
            self._seed,
            now // 1000,
            round(self._limits.silence_seconds),
            self._table,
            repeated,
        )
        return repeated

    def _learn(self, exporter: npt.NDArray[np.int32], domain: npt.NDArray[np.uint32]) -> None:
        """Note which exporters have several domains."""
        if not len(exporter):
            return
        most = int(exporter.max()) + 1
        if most > len(self._several):
            self._several = np.pad(self._several, (0, most - len(self._several)))
        pairs = exporter.astype(np.int64) << 32 | domain
        changes = np.flatnonzero(pairs[1:] != pairs[:-1]) + 1
        for pair in np.unique(pairs[np.concatenate(([0], changes))]).tolist():
            who, number = pair >> 32, pair & 0xFFFFFFFF
            if self._first.setdefault(who, number) != number:
                self._several[who] = 1


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    names = Names(0, (), (), np.zeros(1, np.int32), np.zeros(0, np.int32), IpPlan.empty())
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=8, domains_capacity=2))
    flows = FlowBatch.of(observation_domain_id=[0, 1])
    nobody = np.full(2, UNKNOWN_ID, np.int32)
    windows.add(AttributedBatch(flows, nobody, nobody, np.zeros(2, np.uint8), 0), None, names, 0)
