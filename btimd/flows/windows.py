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
from btimd.flows.users import Shares, Users
from btimd.kernels import aggregate as kernels
from btimd.model.flowbatch import AttributedBatch
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis
from btimd.model.window import WindowBatch

INTERVALS_MILLISECONDS: Final = (10_000, 60_000)
_Name = TypeVar("_Name", bound=Hashable)
_COLUMNS: Final = 8
_FLAGS: Final = 5
_SAMPLED, _INEXACT, _CHANGED = 1, 2, 4
_LATE_RECORDS, _LATE_OCTETS, _FUTURE_RECORDS, _FUTURE_OCTETS = range(4)


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How long an interval is waited for, how long after that it can change, and how many cells there are at most.

    future_seconds: records that end later than this after now are lost and counted. max_cells: pairs of business and
    place; where there are more, a place goes to its business's unknown place. A cell costs 64 octets per interval
    that is held: grace + lateness + future, at either interval length.
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
        self, shares: Shares, client_row: npt.NDArray[np.int32], place_of_row: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int32], int]:
        """Return the cell of each share and how many found no room."""
        found = np.empty(len(shares.record), np.int32)
        lost = kernels.find_cells(
            shares.record,
            shares.business,
            client_row,
            place_of_row,
            self.keys,
            self.values,
            self.cells,
            self.state,
            found,
        )
        return found, int(lost)


class Windows:
    """Adds up attributed traffic and emits closed intervals. Not thread-safe: one thread owns it."""

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
        self._levels = np.zeros((len(INTERVALS_MILLISECONDS), 7), np.int64)
        slots = 0
        for level, interval in enumerate(INTERVALS_MILLISECONDS):
            held = 1 << ((self._kept + self._future) // interval + 2).bit_length()
            self._levels[level, :3] = interval, slots, held - 1
            slots += held
        self._slot_interval = np.full(slots, UNKNOWN_ID, np.int64)
        self._slot_revision = np.zeros(slots, np.int64)
        self._slot_changed = np.zeros(slots, np.uint8)
        self._totals = np.zeros((slots, len(self._cells.cells), _COLUMNS), np.int64)
        self._seen = np.zeros((slots, users.capacity // 8), np.uint8)
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
        return int(self._tallies[level, _LATE_RECORDS])

    def late_octets(self, level: int) -> int:
        """Return the octets that came too late for their interval."""
        return int(self._tallies[level, _LATE_OCTETS])

    @property
    def future_records(self) -> int:
        """Records that ended too far in the future to be kept."""
        return int(self._tallies[0, _FUTURE_RECORDS])

    @property
    def future_octets(self) -> int:
        """Octets of those."""
        return int(self._tallies[0, _FUTURE_OCTETS])

    def add(self, batch: AttributedBatch, now_milliseconds: UnixMillis) -> None:
        """Add a batch; raises ValueError for one of another generation."""
        if batch.generation != self._attribution.generation:
            raise ValueError(f"a batch of generation {batch.generation}, wanted {self._attribution.generation}")
        now = self._advance(now_milliseconds)
        shares = self._users.add(batch, earliest=now - self._kept, latest=now + self._future)
        plan = self._attribution.plan
        cell, lost = self._cells.find(shares, batch.client_plan_id, plan.place_of_row)
        self.overflowed += lost
        flows = batch.flows
        kernels.spread(
            shares.record,
            shares.pair,
            cell,
            flows["flow_start_milliseconds"],
            flows["flow_end_milliseconds"],
            flows["octet_delta_count"],
            flows["packet_delta_count"],
            flows["sampling_rate"],
            batch.client_is_source,
            self._levels,
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
        living = np.bitwise_or.reduce(self._totals[:, :used, _FLAGS], axis=0) != 0
        lines = old.cells[:used]
        self._businesses = _united(attribution.businesses, old_businesses, lines[living, 0])
        self._places = _united(attribution.places, old_places, lines[living, 1])
        self._cells = _Cells(len(self._businesses), self._limits.max_cells)
        business_of = _positions(old_businesses, self._businesses)
        place_of = _positions(old_places, self._places)
        kept = np.flatnonzero(living).astype(np.int32)
        shares = Shares(np.arange(len(kept), dtype=np.int32), business_of[lines[kept, 0]], np.zeros(0, np.int32))
        target, lost = self._cells.find(shares, place_of[lines[kept, 1]], np.arange(len(self._places), dtype=np.int32))
        self.overflowed += lost
        totals = np.zeros((len(self._totals), len(self._cells.cells), _COLUMNS), np.int64)
        for slot in np.flatnonzero(self._slot_interval != UNKNOWN_ID):
            source = self._totals[slot, kept]
            merged = np.bincount(target, minlength=len(self._cells.cells))[target] > 1
            source[merged, _FLAGS] |= np.where(source[merged, _FLAGS] != 0, _INEXACT, 0)
            np.add.at(totals[slot, :, :_FLAGS], target, source[:, :_FLAGS])
            np.bitwise_or.at(totals[slot, :, _FLAGS], target, source[:, _FLAGS])
            totals[slot][totals[slot] < 0] = np.iinfo(np.int64).max
        self._totals = totals
        self._attribution = attribution
        moved = np.zeros(self._users.capacity, np.uint8)
        moved[self._users.swap(attribution, _positions(old_businesses, attribution.businesses)[:-1])] = 1
        # Who moved counts anew at the new place; the number of a forgotten pair must not look seen to its next owner.
        self._seen[self._slot_interval != UNKNOWN_ID] &= ~np.packbits(moved, bitorder="little")

    def _advance(self, given: UnixMillis) -> UnixMillis:
        """Move to a time, let go of the intervals that became too old, and return the time in force."""
        now = given if self._now is None else max(self._now, given)
        if given < now - self._kept:
            self.restarts += 1
            for level in range(len(INTERVALS_MILLISECONDS)):
                self._emit(level, None)
            for slot in np.flatnonzero(self._slot_interval != UNKNOWN_ID):
                self._clear(int(slot))
            self._users.clear()
            self._closed_upto = [0] * len(INTERVALS_MILLISECONDS)
            now = given
        self._now = now
        for level, interval in enumerate(INTERVALS_MILLISECONDS):
            lowest = max(0, (now - self._kept) // interval)
            if lowest != self._levels[level, 3]:
                self._levels[level, 3] = lowest
                self._release(level, lowest)
            self._levels[level, 4] = (now + self._future) // interval
        return now

    def _slots(self, level: int) -> slice:
        first = int(self._levels[level, 1])
        return slice(first, first + int(self._levels[level, 2]) + 1)

    def _release(self, level: int, lowest: int) -> None:
        """Emit and clear the intervals below `lowest`."""
        self._emit(level, lowest)
        base = int(self._levels[level, 1])
        held = self._slot_interval[self._slots(level)]
        for slot in np.flatnonzero((held != UNKNOWN_ID) & (held < lowest)):
            self._clear(base + int(slot))

    def _clear(self, slot: int) -> None:
        self._totals[slot, : len(self._cells)] = 0
        self._seen[slot, : (self._users.numbered >> 3) + 1] = 0
        self._slot_interval[slot] = UNKNOWN_ID
        self._slot_revision[slot] = 0
        self._slot_changed[slot] = 0

    def _emit(self, level: int, below: int | None) -> None:
        """Put the changed intervals before `below` (None: all) to those that are returned next, oldest first."""
        base = int(self._levels[level, 1])
        held = self._slot_interval[self._slots(level)]
        changed = np.flatnonzero(
            (self._slot_changed[self._slots(level)] != 0) & ((held < below) if below is not None else True)
        )
        for slot in changed[np.argsort(held[changed])]:
            self._pending.append(self._batch(level, base + int(slot)))

    def _batch(self, level: int, slot: int) -> WindowBatch:
        totals = self._totals[slot, : len(self._cells)]
        cells = np.flatnonzero(totals[:, _FLAGS] & _CHANGED)
        names = self._cells.cells[cells]
        order = np.lexsort((names[:, 1], names[:, 0]))
        cells, names = cells[order], names[order]
        totals[cells, _FLAGS] &= ~_CHANGED
        lines = totals[cells]
        interval, revision = INTERVALS_MILLISECONDS[level], int(self._slot_revision[slot])
        self._slot_revision[slot] = revision + 1
        self._slot_changed[slot] = 0
        to_server, to_client, packets, flows, users = (np.ascontiguousarray(lines[:, at]) for at in range(_FLAGS))
        return WindowBatch(
            interval_start_milliseconds=int(self._slot_interval[slot]) * interval,
            interval_milliseconds=interval,
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
            users_exact=((lines[:, _FLAGS] & _INEXACT) == 0).astype(np.uint8),
            sampled=((lines[:, _FLAGS] & _SAMPLED) != 0).astype(np.uint8),
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
    cells = _Cells(1, 8)
    cells.find(Shares(ids, ids, ids), ids, ids)
    kernels.spread(
        ids, ids, ids, times, times, times, times, ids, flags,
        np.zeros((0, 7), np.int64), times, flags, np.zeros((0, 1, _COLUMNS), np.int64), np.zeros((0, 1), np.uint8),
        np.zeros((0, 4), np.int64),
    )  # fmt: skip
