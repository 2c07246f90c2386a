"""Online users: which client addresses use which business, since when, how much, and whether they still do.

One table holds the pairs of (client address, business); a pair's number stays the same as long as the pair is known.
Windows count distinct users by these numbers, so that a packet's address is looked up once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.attribution import Attribution
from btimd.flows.lines import zero_lines
from btimd.kernels import users as kernels
from btimd.model.address import HALF_MASK, address_text
from btimd.model.flowbatch import AttributedBatch
from btimd.model.ipplan import Place, PlanRow
from btimd.model.ports import OnlineUser
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis

_HI, _LO, _BUSINESS, _ROW, _FIRST, _LAST, _OCTETS, _CELL = range(8)
_UNUSED: Final = -2
_FORGET_ABOVE: Final = 0.75
_FIRST_INDEX: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class UserLimits:
    """capacity: pairs in the table, 64 octets each, at most 2^24. A user is active, then idle, then gone."""

    capacity: int = 1 << 19
    active_seconds: Seconds = 60.0
    idle_seconds: Seconds = 600.0


@dataclass(frozen=True, slots=True)
class Shares:
    """The records of a batch, once per owner. int32[s] each; valid until the next batch is added.

    pair: -1 = the table had no room. cell: what windows noted for the pair (`Users.table`), -1 = nothing yet.
    """

    record: npt.NDArray[np.int32]
    business: npt.NDArray[np.int32]
    pair: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int32]


class Users:
    """The bounded table of pairs. `seed` makes the places of pairs in the table unknown to senders of flows."""

    def __init__(self, attribution: Attribution, limits: UserLimits | None = None, seed: int = 0) -> None:
        self._limits = limits or UserLimits()
        capacity = max(8, -(-self._limits.capacity // 8) * 8)
        if capacity > 1 << kernels.PAIR_BITS:
            raise ValueError(f"a table of {capacity} users is too large; take at most {1 << kernels.PAIR_BITS}")
        self._attribution = attribution
        self._most_owners = _most_owners(attribution)
        self._seed = seed & 0x7FFF_FFFF_FFFF_FFFF
        self._pairs = zero_lines(capacity)
        self._index = np.full(min(_FIRST_INDEX, 1 << (2 * capacity - 1).bit_length()), UNKNOWN_ID, np.int32)
        self._free = np.zeros(capacity, np.int32)
        self._state = np.zeros(4, np.int64)
        self._scratch = np.zeros(0, np.int64)
        self._shares = np.zeros((4, 0), np.int32)
        self.evicted = 0
        """Pairs forgotten because nothing was seen of them for long and the table was getting full."""

    @property
    def table(self) -> npt.NDArray[np.int64]:
        """The lines of kernels.users.number, in whose last column windows note the cell of a pair."""
        return self._pairs

    @property
    def capacity(self) -> int:
        """How many pairs the table can hold."""
        return len(self._pairs)

    @property
    def numbered(self) -> int:
        """One more than the highest pair number in use."""
        return int(self._state[0])

    @property
    def pairs(self) -> int:
        """How many pairs are known, those of unattributed traffic included."""
        return int(self._state[0] - self._state[1])

    @property
    def refused(self) -> int:
        """Shares whose pair found no room: their user is not counted anywhere."""
        return int(self._state[3])

    def add(self, batch: AttributedBatch, *, earliest: UnixMillis, latest: UnixMillis) -> Shares:
        """Note who used what, and return the shares; times are brought into earliest..latest."""
        flows, owners = batch.flows, self._attribution.owners
        room = len(batch) * self._most_owners
        if room > len(self._scratch):
            self._scratch = np.empty(room, np.int64)
            self._shares = np.empty((4, room), np.int32)
        self._make_index_for(min(self.pairs + room, self.capacity))
        count = kernels.number(
            flows["source_address_hi"].view(np.int64),
            flows["source_address_lo"].view(np.int64),
            flows["destination_address_hi"].view(np.int64),
            flows["destination_address_lo"].view(np.int64),
            flows["flow_start_milliseconds"],
            flows["flow_end_milliseconds"],
            flows["octet_delta_count"],
            flows["sampling_rate"],
            batch.service_rule_id,
            batch.client_plan_id,
            batch.client_is_source,
            owners.offsets,
            owners.business,
            earliest,
            latest,
            self._seed,
            self._index,
            self._pairs,
            self._free,
            self._state,
            self._scratch,
            *self._shares,
        )
        return Shares(*self._shares[:, :count])

    def _make_index_for(self, pairs: int) -> None:
        """Let the index grow while it would be more than half full; a small one stays in the processor's cache."""
        if 2 * pairs > len(self._index):
            self._index = np.empty(1 << (2 * min(2 * pairs, self.capacity) - 1).bit_length(), np.int32)
            self._rebuild(np.iinfo(np.int64).min)

    def forget(self, before: UnixMillis) -> None:
        """Make room if the table is getting full: forget pairs not seen since `before`."""
        if self.pairs > _FORGET_ABOVE * self.capacity:
            self._rebuild(before)

    def _rebuild(self, keep_since: UnixMillis) -> None:
        self.evicted += int(kernels.rebuild(self._index, self._pairs, self._free, self._state, keep_since, self._seed))

    def swap(self, attribution: Attribution, business_of: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Go over to another generation and return the pairs that are elsewhere now or gone.

        business_of: the new id of each old business, -1 for one that is gone; its pairs are forgotten.
        """
        used = self._pairs[: self.numbered]
        known = used[:, _BUSINESS] >= 0
        renamed = np.append(business_of, UNKNOWN_ID)[np.where(known, used[:, _BUSINESS], UNKNOWN_ID)]
        lost = known & (renamed == UNKNOWN_ID)
        used[:, _BUSINESS] = np.where(known, np.where(lost, _UNUSED, renamed), used[:, _BUSINESS])
        self.evicted += int(lost.sum())
        segments = attribution.segments
        rows = segments.row[
            segments.locate(np.ascontiguousarray(used[:, _HI]), np.ascontiguousarray(used[:, _LO]))
        ].astype(np.int64)
        numbers: dict[Place, int] = {}
        before, after = _place_numbers(self._attribution, numbers), _place_numbers(attribution, numbers)
        moved = before[used[:, _ROW]] != after[rows]
        used[:, _ROW] = rows
        used[:, _CELL] = UNKNOWN_ID
        self._attribution = attribution
        self._most_owners = _most_owners(attribution)
        self._rebuild(np.iinfo(np.int64).min)
        return np.flatnonzero(lost | moved)

    def clear(self) -> None:
        """Forget all pairs."""
        self.evicted += self.pairs
        self._state[:3] = 0
        self._index[:] = UNKNOWN_ID

    def users(self, *, business: str, region: str | None, limit: int, now: UnixMillis) -> Sequence[OnlineUser]:
        """Return the users of a business, most recently seen first; `region` narrows it, "" = unknown region."""
        if business not in self._attribution.businesses or limit <= 0:
            return ()
        used = self._pairs[: self.numbered]
        found = np.flatnonzero(used[:, _BUSINESS] == self._attribution.businesses.index(business))
        if region is not None:
            of_row = [row.region == region for row in self._attribution.plan.rows]
            regions = np.array([*of_row, not region], np.bool_)  # the last one stands for row -1
            found = found[regions[used[found, _ROW]]]
        lines = used[found]
        if len(lines) > limit:
            lines = lines[np.argpartition(-lines[:, _LAST], limit - 1)[:limit]]
        lines = lines[np.lexsort((lines[:, _LO], lines[:, _HI], -lines[:, _LAST]))]
        return [self._user(line, business, now) for line in lines.tolist()]

    def _user(self, line: Sequence[int], business: str, now: UnixMillis) -> OnlineUser:
        plan = self._attribution.plan
        row = plan.rows[line[_ROW]] if line[_ROW] != UNKNOWN_ID else PlanRow("", "", "")
        return OnlineUser(
            business=business,
            address=address_text(line[_HI] & HALF_MASK, line[_LO] & HALF_MASK),
            region=row.region,
            segment=row.segment,
            person=row.person,
            state=self._state_of(now - line[_LAST]),
            first_seen_milliseconds=line[_FIRST],
            last_seen_milliseconds=line[_LAST],
            octets=line[_OCTETS],
        )

    def _state_of(self, silent_milliseconds: int) -> str:
        if silent_milliseconds <= self._limits.active_seconds * 1000:
            return "active"
        return "idle" if silent_milliseconds <= self._limits.idle_seconds * 1000 else "gone"


def _most_owners(attribution: Attribution) -> int:
    """Return how many shares a record can have."""
    return int(np.diff(attribution.owners.offsets).max(initial=1))


def _place_numbers(attribution: Attribution, numbers: dict[Place, int]) -> npt.NDArray[np.int64]:
    """Return a number for the place of each plan row, -1 for row -1 at the end; equal places have equal numbers."""
    places = [numbers.setdefault(place, len(numbers)) for place in attribution.plan.places]
    return np.array([*(places[place] for place in attribution.plan.place_of_row.tolist()), UNKNOWN_ID], np.int64)


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    lines, numbers = zero_lines(8), np.zeros(0, np.int64)
    ids, flags, state = np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(4, np.int64)
    index, free = np.full(16, UNKNOWN_ID, np.int32), np.zeros(8, np.int32)
    kernels.number(
        numbers, numbers, numbers, numbers, numbers, numbers, numbers, ids, ids, ids, flags, ids, ids, 0, 0, 0,
        index, lines, free, state, numbers, ids, ids, ids, ids,
    )  # fmt: skip
    kernels.rebuild(index, lines, free, state, 0, 0)
