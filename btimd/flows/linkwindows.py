"""Windows of links: octets, packets and records per exporter, interface, direction and business, and duplicates.

Intervals of 60 s. An interval is emitted when its end and the grace have passed; what comes for it later,
within the lateness, is added, and the directions of interfaces that changed are emitted again, in full, as the next
revision. Every record counts at each interface it names, whoever else reported it.

A record metered where a packet comes in is counted there, and tells at the same time what its egress interface sent
out. Where an interface meters what it sends out itself, that is taken and the other left out (and the other way round),
so that a device that meters both counts nothing twice. Devices may drop packets in between, and may send copies out
of several interfaces: what is derived is an estimate.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.linkbatches import INTERVAL_MILLISECONDS, LinkBatch, Rows
from btimd.flows.linktables import Domains, LinkLimits, Numbering
from btimd.kernels import aggregate
from btimd.kernels import links as kernels
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.taps import Names
from btimd.model.units import UNKNOWN_ID, UnixMillis

_NO_INTERVAL: Final = -1
_SPARE_SETS: Final = 64
_WITH_MARKS: Final = (kernels.OWN_RECORDS, kernels.DERIVED_RECORDS)
_ALL_MARKS: Final = np.int64((1 << kernels.MARK_BITS) - 1)


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
        slots = 1 << ((self._kept + self._future) // INTERVAL_MILLISECONDS + 1).bit_length()
        self._bounds = np.zeros(3, np.int64)
        self._slot_interval = np.full(slots, _NO_INTERVAL, np.int64)
        self._slot_changed = np.zeros(slots, np.uint8)
        self._revisions: dict[int, int] = {}
        self._compared: dict[int, float] = {}
        self._tallies = np.zeros(4, np.int64)
        self._closed_upto = 0
        self._now: UnixMillis | None = None
        self._pending: list[LinkBatch] = []
        self._names: Names | None = None
        self._owners: tuple[tuple[str, ...], ...] = ((),)
        self._owners_of_rule = np.zeros(0, np.int32)
        self._numbering = Numbering(self._limits, 1, slots)
        self._scratch = np.zeros((kernels.SCRATCH_ROWS, kernels.BLOCK), np.int64)
        self._domains = Domains(self._limits, seed)
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
        compared: float = 1.0,
    ) -> None:
        """Add records, all of them; duplicate tells which another observation point reported first.

        compared: the share of flows that was looked at for that; 0 = none was.
        """
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
            self._domains.repeats(flows, now, nothing, self._scratch),
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
        if len(batch):
            self._note_compared(flows, compared)

    def _note_compared(self, flows: FlowBatch, share: float) -> None:
        """Note which share of flows was looked at in an interval; where it has changed, nobody knows what was found."""
        first = int(flows["flow_start_milliseconds"].min()) // INTERVAL_MILLISECONDS
        final = int(flows["flow_end_milliseconds"].max()) // INTERVAL_MILLISECONDS
        held, last = int(self._bounds[aggregate.B_HELD]), int(self._bounds[aggregate.B_LAST])
        for interval in range(max(first, held), min(final, last) + 1):
            self._compared[interval] = share if self._compared.get(interval, share) == share else 0.0

    def close(self, now_milliseconds: UnixMillis) -> list[LinkBatch]:
        """Return what is to be emitted now: intervals that closed, and earlier ones that changed since."""
        now = self._advance(now_milliseconds)
        closed_upto = (now - self._grace) // INTERVAL_MILLISECONDS
        if closed_upto > self._closed_upto:
            self._closed_upto = closed_upto
            self._emit(closed_upto)
            if self._numbering.is_full:
                self._forget_unused()
        return self._take()

    def flush(self) -> list[LinkBatch]:
        """Return everything that changed since it was last emitted, open intervals too."""
        self._emit(None)
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
        held = max(0, (now - self._kept) // INTERVAL_MILLISECONDS)
        if held != self._bounds[aggregate.B_HELD]:
            self._bounds[aggregate.B_HELD] = held
            self._emit(held)
            kept = self._slot_interval
            self._clear(kept[(kept != _NO_INTERVAL) & (kept < held)])
        self._bounds[aggregate.B_LAST] = (now + self._future) // INTERVAL_MILLISECONDS
        return now

    def _restart(self) -> None:
        """Emit all there is and begin anew: the clock was set back, or most names are out of use."""
        self._restarts += 1
        self._emit(None)
        self._clear(self._slot_interval[self._slot_interval != _NO_INTERVAL])
        self._refused += int(self._numbering.state[kernels.S_REFUSED])
        self._numbering = Numbering(self._limits, len(self._owners), len(self._slot_interval))
        self._closed_upto = 0

    def _forget_unused(self) -> None:
        """Give new numbers to what is in use: interfaces that send nothing any more make room."""
        before = self._numbering
        self._refused += int(before.state[kernels.S_REFUSED])
        slots = np.flatnonzero(self._slot_interval != _NO_INTERVAL)
        lines, used = before.by_slot[slots], int(before.state[kernels.S_CELLS])
        living = np.flatnonzero(lines[:, :used].any(axis=(0, 2, 3)))
        self._numbering = Numbering(self._limits, len(self._owners), len(self._slot_interval))
        self._numbering.take(before, living)
        self._numbering.by_slot[slots, : len(living)] = lines[:, living]

    def _clear(self, intervals: npt.NDArray[np.int64]) -> None:
        """Let go of intervals."""
        slots = intervals & (len(self._slot_interval) - 1)
        used = int(self._numbering.state[kernels.S_CELLS])
        for slot in slots.tolist():
            self._numbering.by_slot[slot, :used] = 0
        self._slot_interval[slots] = _NO_INTERVAL
        self._slot_changed[slots] = 0
        for interval in intervals.tolist():
            self._revisions.pop(interval, None)
            self._compared.pop(interval, None)

    def _emit(self, below: int | None) -> None:
        """Put the changed intervals before `below` (None: all) to those that are returned next, oldest first."""
        for interval in np.sort(self._slot_interval[self._slot_changed != 0]).tolist():
            if below is None or interval < below:
                self._pending.append(self._batch(interval))

    def _batch(self, interval: int) -> LinkBatch:
        """Return what changed of an interval; from now on nothing of it has changed."""
        slot = interval & (len(self._slot_interval) - 1)
        numbering = self._numbering
        lines = numbering.by_slot[slot, : int(numbering.state[kernels.S_CELLS])]
        sums = lines.copy()
        marks = np.zeros(lines.shape[:-1], np.int64)
        for column in _WITH_MARKS:
            marks |= lines[..., column] & _ALL_MARKS
            sums[..., column] >>= kernels.MARK_BITS
            lines[..., column] &= ~np.int64(kernels.CHANGED)
        self._slot_changed[slot] = 0
        revision = self._revisions.get(interval, 0)
        self._revisions[interval] = revision + 1
        compared = self._compared.get(interval, 1.0)
        return Rows.of(self._owners, numbering, sums, marks).batch(interval, revision, compared)

    def _take(self) -> list[LinkBatch]:
        taken, self._pending = self._pending, []
        return taken


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    names = Names(0, (), (), np.zeros(1, np.int32), np.zeros(0, np.int32), IpPlan.empty())
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=8, domains_capacity=2))
    flows = FlowBatch.of(observation_domain_id=[0, 1])
    nobody = np.full(2, UNKNOWN_ID, np.int32)
    windows.add(AttributedBatch(flows, nobody, nobody, np.zeros(2, np.uint8), 0), None, names, 0)
