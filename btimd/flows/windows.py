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

from btimd.flows.attribution import Attribution
from btimd.flows.lines import zero_lines
from btimd.flows.users import Shares, Users
from btimd.kernels import aggregate as kernels
from btimd.model.flowbatch import AttributedBatch
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis
from btimd.model.window import WindowBatch

INTERVALS_MILLISECONDS: Final = (kernels.FINE_MILLISECONDS, kernels.FINE_MILLISECONDS * kernels.FINE_PER_COARSE)
_Name = TypeVar("_Name", bound=Hashable)
_SUMS: Final = kernels.FLAGS
_FIRST_CELLS: Final = 256


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How long an interval is waited for, how long after that it can change, and how many cells there are at most.

    future_seconds: records that end later than this after now are lost and counted. max_cells: pairs of business and
    place; where there are more, a place goes to its business's unknown place. A cell that is used costs 64 octets per
    10 s of grace + lateness + future.
    """

    grace_seconds: Seconds = 10.0
    lateness_seconds: Seconds = 900.0
    future_seconds: Seconds = 60.0
    max_cells: int = 16_384


class _Cells:
    """The numbering of (business, place); cell b + 1 is business b at the unknown place."""

    def __init__(self, businesses: int, capacity: int) -> None:
        capacity = max(capacity, businesses + 1)
        self.keys = np.zeros(1 << (2 * capacity - 1).bit_length(), np.int64)
        self.values = np.full(len(self.keys), UNKNOWN_ID, np.int32)
        self.cells = np.zeros((capacity, 2), np.int32)
        self.cells[: businesses + 1, 0] = np.arange(UNKNOWN_ID, businesses)
        self.cells[: businesses + 1, 1] = UNKNOWN_ID
        self.state = np.array([businesses + 1], np.int64)

    def __len__(self) -> int:
        return int(self.state[0])

    def find(
        self,
        shares: Shares,
        client_row: npt.NDArray[np.int32],
        place_of_row: npt.NDArray[np.int32],
        pairs: npt.NDArray[np.int64],
    ) -> int:
        """Complete `shares.cell`, note new ones in `pairs`, and return how many shares found no room."""
        return int(
            kernels.find_cells(
                shares.record,
                shares.business,
                shares.pair,
                client_row,
                place_of_row,
                self.keys,
                self.values,
                self.cells,
                self.state,
                pairs,
                shares.cell,
            )
        )


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
        self._businesses = attribution.businesses
        self._places = attribution.places
        self._cells = _Cells(len(self._businesses), self._limits.max_cells)
        fine, coarse = INTERVALS_MILLISECONDS
        self._coarse_slots = 1 << ((self._kept + self._future) // coarse + 2).bit_length()
        slots = 1 << ((self._kept + self._future + coarse) // fine + 2).bit_length()
        self._bounds = np.zeros(3, np.int64)
        self._slot_interval = np.full(slots, UNKNOWN_ID, np.int64)
        self._slot_changed = np.zeros(slots, np.uint8)
        self._revisions: tuple[dict[int, int], ...] = tuple({} for _ in INTERVALS_MILLISECONDS)
        self._totals = self._no_totals()
        self._seen = np.zeros((slots + self._coarse_slots, users.capacity // 8), np.uint8)
        self._tallies = np.zeros((len(INTERVALS_MILLISECONDS), 4), np.int64)
        self._closed_upto = [0] * len(INTERVALS_MILLISECONDS)
        self._now: UnixMillis | None = None
        self._pending: list[WindowBatch] = []
        self.overflowed = 0
        """Shares that went to the unknown place because there were too many cells."""
        self.restarts = 0
        """How often the clock was set back so far that everything was emitted and begun anew."""

    @property
    def attribution(self) -> Attribution:
        """The plan and rules in force; batches must be of this generation."""
        return self._attribution

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
        shares = self._users.add(batch, earliest=now - self._kept, latest=now + self._future)
        plan = self._attribution.plan
        self.overflowed += self._cells.find(shares, batch.client_plan_id, plan.place_of_row, self._users.table)
        if len(self._cells) > self._totals.shape[1]:
            grown = self._no_totals()
            grown[:, : self._totals.shape[1]] = self._totals
            self._totals = grown
        flows = batch.flows
        kernels.spread(
            shares.record,
            shares.pair,
            shares.cell,
            flows["flow_start_milliseconds"],
            flows["flow_end_milliseconds"],
            flows["octet_delta_count"],
            flows["packet_delta_count"],
            flows["sampling_rate"],
            batch.client_is_source,
            self._bounds,
            self._slot_interval,
            self._slot_changed,
            self._totals,
            self._seen,
            self._tallies,
        )

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
        self._cells = _Cells(len(self._businesses), self._limits.max_cells)
        business_of = _positions(old_businesses, self._businesses)
        place_of = _positions(old_places, self._places)
        kept = np.flatnonzero(living).astype(np.int32)
        nothing = np.full(len(kept), UNKNOWN_ID, np.int32)
        shares = Shares(np.arange(len(kept), dtype=np.int32), business_of[lines[kept, 0]], nothing, nothing.copy())
        everywhere = np.arange(len(self._places), dtype=np.int32)
        self.overflowed += self._cells.find(shares, place_of[lines[kept, 1]], everywhere, self._users.table)
        target, totals = shares.cell, self._no_totals()
        merged = np.bincount(target, minlength=len(self._cells.cells))[target] > 1
        for slot in np.flatnonzero(self._slot_interval != UNKNOWN_ID):
            source = self._totals[slot, kept]
            source[merged, kernels.FLAGS] |= np.where(source[merged, kernels.FLAGS] != 0, kernels.INEXACT, 0)
            np.add.at(totals[slot, :, :_SUMS], target, source[:, :_SUMS])
            np.bitwise_or.at(totals[slot, :, kernels.FLAGS], target, source[:, kernels.FLAGS])
            totals[slot][totals[slot] < 0] = np.iinfo(np.int64).max
        self._totals = totals
        self._attribution = attribution
        moved = np.zeros(self._users.capacity, np.uint8)
        moved[self._users.swap(attribution, _positions(old_businesses, attribution.businesses)[:-1])] = 1
        # Who moved counts anew at the new place; the number of a forgotten pair must not look seen to its next owner.
        intervals = self._slot_interval[self._slot_interval != UNKNOWN_ID]
        rows = np.append(self._slot(intervals), np.unique(self._coarse_slot(intervals // kernels.FINE_PER_COARSE)))
        self._seen[rows] &= ~np.packbits(moved, bitorder="little")

    def _advance(self, given: UnixMillis) -> UnixMillis:
        """Move to a time, let go of the intervals that became too old, and return the time in force."""
        now = given if self._now is None else max(self._now, given)
        if given < now - self._kept:
            self.restarts += 1
            for level in range(len(INTERVALS_MILLISECONDS)):
                self._emit(level, None)
            self._clear(self._slot_interval[self._slot_interval != UNKNOWN_ID])
            self._users.clear()
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

    def _no_totals(self) -> npt.NDArray[np.int64]:
        """Return zeros with room for the cells there are and some more; memory is taken as cells are used."""
        room = min(max(_FIRST_CELLS, 1 << len(self._cells).bit_length()), len(self._cells.cells))
        return zero_lines(len(self._slot_interval), room)

    def _slot(self, interval: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return interval & (len(self._slot_interval) - 1)

    def _coarse_slot(self, minute: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the rows of `_seen` of intervals of 60 s."""
        return len(self._slot_interval) + (minute & (self._coarse_slots - 1))

    def _clear(self, intervals: npt.NDArray[np.int64]) -> None:
        """Let go of intervals of 10 s; those of a minute go together."""
        slots, minutes = self._slot(intervals), np.unique(intervals // kernels.FINE_PER_COARSE)
        for slot in slots.tolist():
            self._totals[slot, : len(self._cells)] = 0
        for row in [*slots.tolist(), *self._coarse_slot(minutes).tolist()]:
            self._seen[row, : (self._users.numbered >> 3) + 1] = 0
        self._slot_interval[slots] = UNKNOWN_ID
        self._slot_changed[slots] = 0
        for revisions, gone in zip(self._revisions, (intervals, minutes), strict=True):
            for interval in gone.tolist():
                revisions.pop(interval, None)

    def _emit(self, level: int, below: int | None) -> None:
        """Put the changed intervals before `below` (None: all) to those that are returned next, oldest first."""
        mark = (kernels.FINE_CHANGED, kernels.COARSE_CHANGED)[level]
        changed = self._slot_interval[self._slot_changed & (mark >> 2) != 0]
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
        flags = np.bitwise_or.reduce(self._totals[slots, :used, kernels.FLAGS], axis=0)
        cells = np.flatnonzero(flags & mark)
        names = self._cells.cells[cells]
        order = np.lexsort((names[:, 1], names[:, 0]))
        cells, names, flags = cells[order], names[order], flags[cells[order]]
        sums = np.zeros((len(cells), _SUMS), np.int64)
        for slot in slots.tolist():
            lines = self._totals[slot, cells]
            sums += lines[:, :_SUMS]
            sums[sums < 0] = np.iinfo(np.int64).max
            self._totals[slot, cells, kernels.FLAGS] = lines[:, kernels.FLAGS] & ~mark
        self._slot_changed[slots] &= ~np.uint8(mark >> 2)
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
            users=np.ascontiguousarray(sums[:, (kernels.FINE_USERS, kernels.COARSE_USERS)[level]]),
            users_exact=((flags & kernels.INEXACT) == 0).astype(np.uint8),
            sampled=((flags & kernels.SAMPLED) != 0).astype(np.uint8),
        )

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


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    ids, flags, times = np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int64)
    cells, totals = _Cells(1, 8), zero_lines(1, 1)
    cells.find(Shares(ids, ids, ids, ids), ids, ids, totals[0])
    kernels.spread(
        ids, ids, ids, times, times, times, times, ids, flags, np.zeros(3, np.int64), np.zeros(1, np.int64),
        np.zeros(1, np.uint8), totals, np.zeros((2, 1), np.uint8), np.zeros((2, 4), np.int64),
    )  # fmt: skip
