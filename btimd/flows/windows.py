"""Tumbling windows: what each business carried per place, in intervals of 10 s and of 60 s kept at the same time.

`now` is the wall clock, in a replay the time of arrival. An interval is emitted when its end and the grace have
passed; what arrives for it later, within the lateness, is added to it, and its changed cells are emitted again, as the
next revision and with their full sums, each time an interval of that length closes. Only `now` closes intervals: one
exporter whose clock is fast must not close everybody's. What comes later still is counted and lost.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from btimd.flows import distinct as distinct_module
from btimd.flows.attribution import Attribution
from btimd.flows.distinct import ERROR_RATIO, Sketches
from btimd.flows.exportloss import ExportLoss
from btimd.flows.lines import zero_lines
from btimd.flows.users import UserLimits, Users
from btimd.kernels import aggregate as kernels
from btimd.kernels.collect import BLOCK, SCRATCH_ROWS, collect
from btimd.kernels.users import PLACES as PAIRS_PER_NODE
from btimd.kernels.users import S_NODES
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis
from btimd.model.window import WindowBatch

INTERVALS_MILLISECONDS: Final = (kernels.FINE_MILLISECONDS, kernels.FINE_MILLISECONDS * kernels.FINE_PER_COARSE)
_Name = TypeVar("_Name", bound=Hashable)
_SUMS: Final = kernels.FLAGS
_WITHOUT_SKETCH: Final = (1 << kernels.SKETCH_SHIFT) - 1
_FIRST_CELLS: Final = 256
_CONFIDENCE: Final = 1.96
"""Standard errors within which 95 % of estimates lie."""


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How long an interval is waited for, how long after that it can change, and how many cells there are at most.

    future_seconds: records that end later than this after now are lost and counted. max_cells: pairs of business and
    place; where there are more, a place goes to its business's unknown place. A cell that is used costs 64 octets per
    10 s of grace + lateness + future. max_sketches: cells and intervals of 10 s in which clients that find no room in
    the table of users are counted by a sketch, 1 KiB each; beyond that they are in no count.
    """

    grace_seconds: Seconds = 10.0
    lateness_seconds: Seconds = 900.0
    future_seconds: Seconds = 60.0
    max_cells: int = 16_384
    max_sketches: int = 16_384


class _Cells:
    """The numbering of (business, place), see aggregate.cell_of; cell b + 1 is business b at the unknown place."""

    def __init__(self, businesses: int, places: int, capacity: int) -> None:
        capacity = max(capacity, businesses + 1)
        self.stride = places + 1
        room = min((businesses + 1) * self.stride, 4 * capacity)
        self.table = np.zeros(1 << max(room, 2).bit_length(), np.int64)
        self.cells = np.zeros((capacity, 2), np.int32)
        self.cells[: businesses + 1, 0] = np.arange(UNKNOWN_ID, businesses)
        self.cells[: businesses + 1, 1] = UNKNOWN_ID
        self.state = np.array([businesses + 1, 0, 0], np.int64)

    def __len__(self) -> int:
        return int(self.state[kernels.C_CELLS])

    def find(self, business: npt.NDArray[np.int32], place: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Return the cell of each pair of business and place; what found no room is at the unknown place."""
        found = np.empty(len(business), np.int64)
        kernels.find_cells(business, place, self.stride, self.table, self.cells, self.state, found)
        return found


class Windows:
    """Adds up attributed traffic and emits closed intervals. Not thread-safe: one thread owns it, and `users` with it.

    Sums are kept for intervals of 10 s. An interval of 60 s is the sum of its six, which are held until the 60 s are
    too old too; in between they take what is too late for them, and no longer show it.
    """

    def __init__(self, attribution: Attribution, users: Users, limits: WindowLimits | None = None) -> None:
        self._limits = limits or WindowLimits()
        self._grace = round(self._limits.grace_seconds * 1000)
        self._kept = self._grace + round(self._limits.lateness_seconds * 1000)
        self._future = round(self._limits.future_seconds * 1000)
        self._users = users
        self._attribution = attribution
        self._most_owners = _most_owners(attribution)
        self._businesses = attribution.businesses
        self._places = attribution.places
        self._cells = _Cells(len(self._businesses), len(self._places), self._limits.max_cells)
        fine, coarse = INTERVALS_MILLISECONDS
        slots = 1 << ((self._kept + self._future + coarse) // fine + 2).bit_length()
        self._bounds = np.zeros(3, np.int64)
        self._slot_interval = np.full(slots, UNKNOWN_ID, np.int64)
        self._slot_changed = np.zeros(slots, np.uint8)
        self._revisions: tuple[dict[int, int], ...] = tuple({} for _ in INTERVALS_MILLISECONDS)
        self._lines = self._no_lines()
        self._seen_before = np.zeros((1 << ((self._kept + self._future) // coarse + 2).bit_length(), 0), np.uint8)
        self._scratch = np.zeros((SCRATCH_ROWS, 0), np.int64)
        self._exports = ExportLoss(slots, self._grace)
        self._sketches = Sketches(self._limits.max_sketches, users.capacity * PAIRS_PER_NODE)
        self._tallies = np.zeros((len(INTERVALS_MILLISECONDS), 4), np.int64)
        self._closed_upto = [0] * len(INTERVALS_MILLISECONDS)
        self._now: UnixMillis | None = None
        self._pending: list[WindowBatch] = []
        self.restarts = 0
        """How often the clock was set back so far that everything was emitted and begun anew."""
        self._overflowed_before = 0
        self._dropped_before = 0

    @property
    def attribution(self) -> Attribution:
        """The plan and rules in force; batches must be of this generation."""
        return self._attribution

    @property
    def overflowed(self) -> int:
        """Shares that went to the unknown place because there were too many cells."""
        return self._overflowed_before + int(self._cells.state[kernels.C_OVERFLOWED])

    @property
    def dropped(self) -> int:
        """Records of what a device discarded: nothing was carried, so they are in no window."""
        return self._dropped_before + int(self._cells.state[kernels.C_DROPPED])

    @property
    def sketches(self) -> int:
        """Sketches in use for clients that found no room in the table of users."""
        return self._sketches.held

    @property
    def uncounted(self) -> int:
        """Shares of clients that found room neither in the table of users nor in a sketch: they are in no count."""
        return self._sketches.lost

    def late_records(self, level: int) -> int:
        """Return the records that were, at least in part, too late; `level` is an index into INTERVALS_MILLISECONDS."""
        return int(self._tallies[level, kernels.LATE_RECORDS])

    def late_octets(self, level: int) -> int:
        """Return the octets that came too late for their interval."""
        return int(self._tallies[level, kernels.LATE_OCTETS])

    @property
    def future_records(self) -> int:
        """Records that ended too far in the future to be kept."""
        return int(self._tallies[0, kernels.FUTURE_RECORDS])

    @property
    def future_octets(self) -> int:
        """Octets of those."""
        return int(self._tallies[0, kernels.FUTURE_OCTETS])

    def add(self, batch: AttributedBatch, now_milliseconds: UnixMillis) -> None:
        """Add a batch; raises ValueError for one of another generation."""
        if batch.generation != self._attribution.generation:
            raise ValueError(f"a batch of generation {batch.generation}, wanted {self._attribution.generation}")
        now = self._advance(now_milliseconds)
        flows, users, owners, cells = batch.flows, self._users, self._attribution.owners, self._cells
        shares = len(batch) * self._most_owners
        earliest, latest = now - self._kept, now + self._future
        users.prepare(shares, earliest=earliest, latest=latest)
        self._make_room_for(shares)
        done = 0
        while done < len(batch):
            done = collect(
                flows["source_address_hi"].view(np.int64),
                flows["source_address_lo"].view(np.int64),
                flows["destination_address_hi"].view(np.int64),
                flows["destination_address_lo"].view(np.int64),
                flows["flow_start_milliseconds"],
                flows["flow_end_milliseconds"],
                flows["octet_delta_count"],
                flows["packet_delta_count"],
                flows["sampling_rate"],
                flows["exporter_id"],
                flows["record_quality"],
                batch.service_rule_id,
                batch.client_plan_id,
                batch.client_is_source,
                done,
                owners.offsets,
                owners.business,
                self._attribution.plan.place_of_row,
                cells.stride,
                cells.table,
                cells.cells,
                cells.state,
                users.index,
                users.nodes,
                users.lines,
                users.plain,
                users.more,
                users.free,
                users.state,
                users.epoch or 0,
                earliest,
                latest,
                users.capacity,
                users.seed,
                self._bounds,
                self._slot_interval,
                self._slot_changed,
                self._lines,
                self._seen_before,
                self._sketches.young,
                self._sketches.registers,
                self._sketches.free,
                self._sketches.state,
                self._tallies,
                self._scratch,
            )
            if len(cells) > self._totals.shape[1]:
                before, self._lines = self._totals, self._no_lines()
                held = np.flatnonzero(self._slot_interval != UNKNOWN_ID)
                self._totals[held, : before.shape[1]] = before[held]

    def note_exports(self, counts: npt.NDArray[np.int64], now_milliseconds: UnixMillis) -> None:
        """Book what exporters sent until now: int64[n, 2], records received and lost so far by exporter_id.

        Lost below 0: nobody knows. What came since the last call counts as having come now.
        """
        self._exports.note(counts, now_milliseconds // INTERVALS_MILLISECONDS[0])

    def close(self, now_milliseconds: UnixMillis) -> list[WindowBatch]:
        """Return what is to be emitted now: intervals that closed, and earlier ones that changed since."""
        now = self._advance(now_milliseconds)
        for level, interval in enumerate(INTERVALS_MILLISECONDS):
            closed_upto = (now - self._grace) // interval
            if closed_upto > self._closed_upto[level]:
                self._closed_upto[level] = closed_upto
                self._emit(level, closed_upto)
                self._users.forget(now - self._kept - self._future - max(INTERVALS_MILLISECONDS))
        return self._take()

    def flush(self) -> list[WindowBatch]:
        """Return everything that changed since it was last emitted, open intervals too; for the end of a run."""
        for level in range(len(INTERVALS_MILLISECONDS)):
            self._emit(level, None)
        return self._take()

    def swap(self, attribution: Attribution) -> None:
        """Go over to another generation of plan and rules; open intervals keep what they hold under its name.

        Businesses and places that are gone stay as long as an interval in memory has traffic of them.
        """
        old, old_businesses, old_places = self._cells, self._businesses, self._places
        used = len(old)
        living = np.bitwise_or.reduce(self._totals[:, :used, kernels.FLAGS], axis=0) != 0
        lines = old.cells[:used]
        self._businesses = _united(attribution.businesses, old_businesses, lines[living, 0])
        self._places = _united(attribution.places, old_places, lines[living, 1])
        self._overflowed_before, self._dropped_before = self.overflowed, self.dropped
        self._cells = _Cells(len(self._businesses), len(self._places), self._limits.max_cells)
        business_of = _positions(old_businesses, self._businesses)
        place_of = _positions(old_places, self._places)
        kept = np.flatnonzero(living)
        target = self._cells.find(business_of[lines[kept, 0]], place_of[lines[kept, 1]])
        before, self._lines = self._totals, self._no_lines()
        totals = self._totals
        merged = np.bincount(target, minlength=len(self._cells.cells))[target] > 1
        for slot in np.flatnonzero(self._slot_interval != UNKNOWN_ID):
            source = before[slot, kept]
            source[merged, kernels.FLAGS] |= np.where(source[merged, kernels.FLAGS] != 0, kernels.INEXACT, 0)
            np.add.at(totals[slot, :, :_SUMS], target, source[:, :_SUMS])
            sketched = source[:, kernels.FLAGS].copy()
            source[:, kernels.FLAGS] &= _WITHOUT_SKETCH
            np.bitwise_or.at(totals[slot, :, _SUMS:], target, source[:, _SUMS:])
            self._sketches.move(sketched, target, totals[slot, :, kernels.FLAGS])
            sums = totals[slot, :, :_SUMS]
            sums[sums < 0] = np.iinfo(np.int64).max
        self._attribution = attribution
        self._most_owners = _most_owners(attribution)
        moved = self._users.swap(attribution, _positions(old_businesses, attribution.businesses)[:-1])
        # Who moved counts anew at the new place; the number of a forgotten pair must not look seen to its next owner.
        self._seen_before[:, moved[moved < self._seen_before.shape[1]]] = 0

    def _advance(self, given: UnixMillis) -> UnixMillis:
        """Move to a time, let go of the intervals that became too old, and return the time in force."""
        now = given if self._now is None else max(self._now, given)
        if given < now - self._kept:
            self.restarts += 1
            for level in range(len(INTERVALS_MILLISECONDS)):
                self._emit(level, None)
            self._clear(self._slot_interval[self._slot_interval != UNKNOWN_ID])
            self._users.clear()
            self._exports.clear()
            self._closed_upto = [0] * len(INTERVALS_MILLISECONDS)
            now = given
        self._now = now
        fresh, minute = (max(0, (now - self._kept) // interval) for interval in INTERVALS_MILLISECONDS)
        if fresh != self._bounds[kernels.B_FRESH]:
            self._bounds[kernels.B_FRESH] = fresh
            self._emit(0, fresh)
        if minute * kernels.FINE_PER_COARSE != self._bounds[kernels.B_HELD]:
            self._bounds[kernels.B_HELD] = minute * kernels.FINE_PER_COARSE
            self._emit(1, minute)
            held = self._slot_interval
            self._clear(held[(held != UNKNOWN_ID) & (held < self._bounds[kernels.B_HELD])])
        self._bounds[kernels.B_LAST] = (now + self._future) // INTERVALS_MILLISECONDS[0]
        return now

    @property
    def _totals(self) -> npt.NDArray[np.int64]:
        """The sums as [slot, cell, column]: the cells of the few intervals that records come for lie together."""
        return self._lines.reshape(len(self._slot_interval), -1, self._lines.shape[1])

    def _no_lines(self) -> npt.NDArray[np.int64]:
        """Return zeros with room for the cells there are and some more; memory is taken as cells are used."""
        room = min(max(_FIRST_CELLS, 1 << len(self._cells).bit_length()), len(self._cells.cells))
        return zero_lines(room * len(self._slot_interval))

    def _make_room_for(self, shares: int) -> None:
        """Let what is kept per user, and per share of a block, be long enough for so many shares more."""
        wanted = min(int(self._users.state[S_NODES]) + shares, self._users.capacity)
        minutes, known = self._seen_before.shape
        if wanted * PAIRS_PER_NODE > known:
            grown = np.zeros((minutes, min(2 * wanted, self._users.capacity) * PAIRS_PER_NODE), np.uint8)
            used = min(self._users.numbered, known)
            written = np.flatnonzero(self._seen_before[:, :used].any(axis=1))
            grown[written, :used] = self._seen_before[written, :used]
            self._seen_before = grown
        if BLOCK * self._most_owners > self._scratch.shape[1]:
            self._scratch = np.zeros((SCRATCH_ROWS, BLOCK * self._most_owners), np.int64)

    def _slot(self, interval: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return interval & (len(self._slot_interval) - 1)

    def _clear(self, intervals: npt.NDArray[np.int64]) -> None:
        """Let go of intervals of 10 s; those of a minute go together."""
        slots, minutes = self._slot(intervals), np.unique(intervals // kernels.FINE_PER_COARSE)
        for slot in slots.tolist():
            first = slot * self._totals.shape[1]
            self._sketches.drop(self._lines, first, first + len(self._cells))
            self._totals[slot, : len(self._cells)] = 0
        for minute in (minutes & (len(self._seen_before) - 1)).tolist():
            self._seen_before[minute, : self._users.numbered] = 0
        self._slot_interval[slots] = UNKNOWN_ID
        self._slot_changed[slots] = 0
        for revisions, gone in zip(self._revisions, (intervals, minutes), strict=True):
            for interval in gone.tolist():
                revisions.pop(interval, None)

    def _emit(self, level: int, below: int | None) -> None:
        """Put the changed intervals before `below` (None: all) to those that are returned next, oldest first."""
        mark = (kernels.FINE_CHANGED, kernels.COARSE_CHANGED)[level]
        changed = self._slot_interval[self._slot_changed & (mark >> 1) != 0]
        if level:
            changed = np.unique(changed // kernels.FINE_PER_COARSE)
        for interval in np.sort(changed).tolist():
            if below is None or interval < below:
                self._pending.append(self._batch(level, interval, mark))

    def _batch(self, level: int, interval: int, mark: int) -> WindowBatch:
        """Return what changed of an interval; `mark` is the flag of change at this level, which is taken away."""
        parts = kernels.FINE_PER_COARSE if level else 1
        slots = self._slot(np.arange(interval * parts, (interval + 1) * parts))
        slots = slots[self._slot_interval[slots] == np.arange(interval * parts, (interval + 1) * parts)]
        used = len(self._cells)
        flags = np.bitwise_or.reduce(self._totals[slots, :used, kernels.FLAGS], axis=0) & _WITHOUT_SKETCH
        cells = np.flatnonzero(flags & mark)
        names = self._cells.cells[cells]
        order = np.lexsort((names[:, 1], names[:, 0]))
        cells, names, flags = cells[order], names[order], flags[cells[order]]
        sums, exporters = np.zeros((len(cells), _SUMS), np.int64), np.zeros(len(cells), np.int64)
        for slot in slots.tolist():
            lines = self._totals[slot, cells]
            sums += lines[:, :_SUMS]
            exporters |= lines[:, kernels.EXPORTERS]
            sums[sums < 0] = np.iinfo(np.int64).max
            self._totals[slot, cells, kernels.FLAGS] = lines[:, kernels.FLAGS] & ~mark
        self._slot_changed[slots] &= ~np.uint8(mark >> 1)
        counted = sums[:, (kernels.FINE_USERS, kernels.COARSE_USERS)[level]]
        users, error = self._with_refused(counted, flags, slots, cells)
        rates = flags >> kernels.RATES_SHIFT
        revision = self._revisions[level].get(interval, 0)
        self._revisions[level][interval] = revision + 1
        to_server, to_client, packets, flows = (np.ascontiguousarray(sums[:, at]) for at in range(kernels.FINE_USERS))
        return WindowBatch(
            interval_start_milliseconds=interval * INTERVALS_MILLISECONDS[level],
            interval_milliseconds=INTERVALS_MILLISECONDS[level],
            revision=revision,
            businesses=self._businesses,
            places=self._places,
            business_id=np.ascontiguousarray(names[:, 0]),
            place_id=np.ascontiguousarray(names[:, 1]),
            octets_to_server=to_server,
            octets_to_client=to_client,
            packets=packets,
            flows=flows,
            users=users,
            # A client of whom no packet was sampled is not seen.
            users_exact=(((flags & kernels.INEXACT) == 0) & (rates <= 1)).astype(np.uint8),
            sampled=(rates > 1).astype(np.uint8),
            sampling_error_ratio=_sampling_error(rates, packets),
            export_loss_ratio=self._exports.ratio(exporters, interval * parts, parts),
            times_adjusted=((flags & kernels.TIMES_ADJUSTED) != 0).astype(np.uint8),
            rate_assumed=((flags & kernels.RATE_ASSUMED) != 0).astype(np.uint8),
            users_error_ratio=error,
        )

    def _with_refused(
        self,
        counted: npt.NDArray[np.int64],
        flags: npt.NDArray[np.int64],
        slots: npt.NDArray[np.int64],
        cells: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return users with those that found no room in the table, and the error of that.

        Where some found no sketch either, the error is 0: what is returned is a lower bound then.
        """
        if not self._sketches.held:
            return np.ascontiguousarray(counted), np.zeros(len(counted))
        refused = self._sketches.estimate(self._totals[slots[:, None], cells[None, :], kernels.FLAGS])
        bound = (flags & kernels.UNCOUNTED) != 0
        refused = np.where(bound, np.floor(refused * (1.0 - ERROR_RATIO)).astype(np.int64), refused)
        users = counted + refused
        return users, np.where(bound, 0.0, ERROR_RATIO * refused / np.maximum(users, 1))

    def _take(self) -> list[WindowBatch]:
        taken, self._pending = self._pending, []
        return taken


def _united(new: tuple[_Name, ...], old: tuple[_Name, ...], living: npt.NDArray[np.int32]) -> tuple[_Name, ...]:
    """Return the new names followed by the old ones that are gone but still in use."""
    known = set(new)
    return (*new, *(old[number] for number in sorted(set(living.tolist()) - {UNKNOWN_ID}) if old[number] not in known))


def _positions(old: Sequence[object], new: Sequence[object]) -> npt.NDArray[np.int32]:
    """Return the new number of each old name, -1 for one that is gone, and a last element -1 for the number -1."""
    number = {name: position for position, name in enumerate(new)}
    return np.array([*(number.get(name, UNKNOWN_ID) for name in old), UNKNOWN_ID], np.int32)


def _sampling_error(rates: npt.NDArray[np.int64], packets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return within which share of the truth 95 % of estimates lie, 0 where nothing was sampled, at most 1.

    rates: the sampling rates of a cell or-ed together, from the largest to less than twice that. Of `packets`, which is
    an estimate, a rate-th was seen; the error of c samples is 1.96 * sqrt(1 / c) (Phaal and Panchen, Packet Sampling
    Basics). Octets of packets of unequal length vary more.
    """
    error = _CONFIDENCE * np.sqrt(rates / np.maximum(packets, 1))
    return np.where(rates > 1, np.minimum(error, 1.0), 0.0)


def _most_owners(attribution: Attribution) -> int:
    """Return how many shares a record can have."""
    return int(np.diff(attribution.owners.offsets).max(initial=1))


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    distinct_module.warm()
    attribution = Attribution(IpPlan.empty(), (), (), 0)
    windows = Windows(attribution, Users(attribution, UserLimits(capacity=8)), WindowLimits(max_cells=8))
    windows.add(attribution.attribute(FlowBatch.zeros(1)), 0)
    windows.swap(attribution)
