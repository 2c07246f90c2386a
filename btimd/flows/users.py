"""Online users: which client addresses use which business, since when, how much, and whether they still do.

One table holds the client addresses and with each the businesses it uses. Windows find a packet's address in it once,
and count distinct users by bits that stand beside it.
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
from btimd.model.ipplan import Place, PlanRow
from btimd.model.ports import OnlineUser
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis

_FORGET_ABOVE: Final = 0.75
_FIRST_INDEX: Final = 1 << 15
_PAST: Final = 1 << 30
_SPAN: Final = (1 << 31) - 1
_ENTRIES: Final = slice(kernels.ENTRIES, kernels.ENTRIES + kernels.PLACES)
_FIRST, _LAST, _OCTETS = (
    slice(first, first + kernels.PLACES) for first in (kernels.FIRST, kernels.LAST, kernels.OCTETS)
)
_MOST_BUSINESSES: Final = (1 << kernels.KEY_BITS) - 2


@dataclass(frozen=True, slots=True)
class UserLimits:
    """capacity: pairs in the table, at most 2^24. A user is active, then idle, then gone.

    An address with up to five businesses costs 128 octets and 16 at most for the index; memory is taken as they come.
    """

    capacity: int = 1 << 21
    active_seconds: Seconds = 60.0
    idle_seconds: Seconds = 600.0


class Users:
    """The bounded table of pairs. `seed` makes the places of addresses in the table unknown to senders of flows.

    The arrays without underscore are those of kernels.collect, which alone writes to them while records come.
    """

    def __init__(self, attribution: Attribution, limits: UserLimits | None = None, seed: int = 0) -> None:
        self._limits = limits or UserLimits()
        capacity = max(8, -(-self._limits.capacity // 8) * 8)
        if capacity > 1 << kernels.NODE_BITS:
            raise ValueError(f"a table of {capacity} users is too large; take at most {1 << kernels.NODE_BITS}")
        _check(attribution)
        self._attribution = attribution
        self.capacity = capacity
        """How many pairs the table can hold."""
        self.seed = seed & 0x7FFF_FFFF_FFFF_FFFF
        self.nodes = zero_lines(capacity, 2)
        self.lines = self.nodes.reshape(-1, kernels.NODE_WORDS // 2)
        self.plain = self.nodes.view(np.int32)
        self.more = np.zeros((capacity, kernels.PLACES), np.int32)
        self.index = np.full(min(_FIRST_INDEX, 1 << (2 * capacity - 1).bit_length()), UNKNOWN_ID, np.int32)
        self.free = np.zeros(capacity, np.int32)
        self.state = np.zeros(kernels.STATE_SIZE, np.int64)
        self.epoch: UnixMillis | None = None
        """What first and last seen count from, moved on every twelve days; who was seen before counts as seen then."""
        self.evicted = 0
        """Pairs forgotten because nothing was seen of them for long and the table was getting full."""

    @property
    def numbered(self) -> int:
        """One more than the highest pair number in use."""
        return int(self.state[kernels.S_NODES]) * kernels.PLACES

    @property
    def pairs(self) -> int:
        """How many pairs are known, those of unattributed traffic included."""
        return int(self.state[kernels.S_PAIRS])

    @property
    def refused(self) -> int:
        """Shares whose pair found no room: their user is not counted anywhere."""
        return int(self.state[kernels.S_REFUSED])

    def prepare(self, shares: int, *, earliest: UnixMillis, latest: UnixMillis) -> None:
        """Make everything ready for so many more shares with times of earliest..latest."""
        if self.epoch is None:
            self.epoch = earliest - _PAST
        elif latest - self.epoch > _SPAN:
            self._move_epoch(earliest)
        addresses = min(int(self.state[kernels.S_NODES]) + shares, self.capacity)
        if 2 * addresses > len(self.index):  # a small index stays in the processor's cache
            self.index = np.empty(1 << (2 * min(2 * addresses, self.capacity) - 1).bit_length(), np.int32)
            self._rebuild(np.iinfo(np.int64).min)

    def forget(self, before: UnixMillis) -> None:
        """Make room if the table is getting full: forget pairs not seen since `before`."""
        if self.pairs > _FORGET_ABOVE * self.capacity and self.epoch is not None:
            self._rebuild(before - self.epoch)

    def _rebuild(self, keep_since: int) -> None:
        self.evicted += int(
            kernels.rebuild(self.index, self.nodes, self.plain, self.more, self.free, self.state, keep_since, self.seed)
        )

    def _move_epoch(self, earliest: UnixMillis) -> None:
        """Let times count from later; bits of who was not seen since `earliest` go, before their minutes come again."""
        epoch = earliest - _PAST
        step, used = epoch - (self.epoch or 0), int(self.state[kernels.S_NODES])
        for columns in (_FIRST, _LAST):
            times = self.plain[:used, columns]
            times[:] = np.maximum(times - np.int64(step), 0)
        entries = self.nodes[:used, _ENTRIES]
        entries[self.plain[:used, _LAST] < _PAST] &= ~np.int64((1 << kernels.SEEN_BITS) - 1)
        self.epoch = epoch

    def swap(self, attribution: Attribution, business_of: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Go over to another generation and return the pairs that are elsewhere now or gone.

        business_of: the new id of each old business, -1 for one that is gone; its pairs are forgotten.
        """
        _check(attribution)
        used = int(self.state[kernels.S_NODES])
        nodes, plain = self.nodes[:used], self.plain[:used]
        entries = nodes[:, _ENTRIES]
        keys = entries >> kernels.KEY_SHIFT
        key_of = np.concatenate(([0, kernels.KEY_OF_NOBODY], np.where(business_of < 0, 0, business_of + 2))).astype(
            np.int64
        )
        lost = (keys > 0) & (key_of[keys] == 0)
        rows = attribution.segments.row[
            attribution.segments.locate(
                np.ascontiguousarray(nodes[:, kernels.HI]), np.ascontiguousarray(nodes[:, kernels.LO])
            )
        ]
        numbers: dict[Place, int] = {}
        before, after = _place_numbers(self._attribution, numbers), _place_numbers(attribution, numbers)
        in_use = plain[:, kernels.KIND] != kernels.FREE
        old_rows = np.where(in_use, plain[:, kernels.ROW], UNKNOWN_ID)
        moved = (keys > 0) & (before[old_rows] != after[rows])[:, None]
        seen = np.where(moved, 0, entries & ((1 << kernels.KEY_SHIFT) - 1))
        entries[:] = np.where(keys > 0, np.where(lost, 0, key_of[keys] << kernels.KEY_SHIFT | seen), 0)
        self.more[:used][lost] = 0
        plain[:, kernels.ROW] = rows
        self._attribution = attribution
        self.evicted += int(lost.sum())
        self._rebuild(np.iinfo(np.int64).min)
        return np.flatnonzero(lost | moved)

    def clear(self) -> None:
        """Forget all pairs."""
        self.evicted += self.pairs
        self.more[: int(self.state[kernels.S_NODES])] = 0
        self.state[: kernels.S_REFUSED] = 0
        self.index[:] = UNKNOWN_ID
        self.epoch = None

    def users(self, *, business: str, region: str | None, limit: int, now: UnixMillis) -> Sequence[OnlineUser]:
        """Return the users of a business, most recently seen first; `region` narrows it, "" = unknown region."""
        if business not in self._attribution.businesses or limit <= 0:
            return ()
        used = int(self.state[kernels.S_NODES])
        key = self._attribution.businesses.index(business) + 2
        node, place = np.nonzero(self.nodes[:used, _ENTRIES] >> kernels.KEY_SHIFT == key)
        if region is not None:
            of_row = [row.region == region for row in self._attribution.plan.rows]
            regions = np.array([*of_row, not region], np.bool_)  # the last one stands for row -1
            there = regions[self.plain[node, kernels.ROW]]
            node, place = node[there], place[there]
        last = self.plain[node, kernels.LAST + place]
        if len(last) > limit:
            chosen = np.argpartition(-last, limit - 1)[:limit]
            node, place, last = node[chosen], place[chosen], last[chosen]
        order = np.lexsort((self.nodes[node, kernels.LO], self.nodes[node, kernels.HI], -last))
        return [
            self._user(at, where, business, now)
            for at, where in zip(node[order].tolist(), place[order].tolist(), strict=True)
        ]

    def _user(self, node: int, place: int, business: str, now: UnixMillis) -> OnlineUser:
        plan, epoch = self._attribution.plan, self.epoch or 0
        row_id = int(self.plain[node, kernels.ROW])
        row = plan.rows[row_id] if row_id != UNKNOWN_ID else PlanRow("", "", "")
        hi, lo = (int(self.nodes[node, half]) & HALF_MASK for half in (kernels.HI, kernels.LO))
        last = epoch + int(self.plain[node, kernels.LAST + place])
        octets = int(self.more[node, place]) << kernels.OCTETS_BITS | int(self.plain[node, kernels.OCTETS + place])
        return OnlineUser(
            business=business,
            address=address_text(hi, lo),
            region=row.region,
            segment=row.segment,
            person=row.person,
            state=self._state_of(now - last),
            first_seen_milliseconds=epoch + int(self.plain[node, kernels.FIRST + place]),
            last_seen_milliseconds=last,
            octets=octets,
        )

    def _state_of(self, silent_milliseconds: int) -> str:
        if silent_milliseconds <= self._limits.active_seconds * 1000:
            return "active"
        return "idle" if silent_milliseconds <= self._limits.idle_seconds * 1000 else "gone"


def _check(attribution: Attribution) -> None:
    if len(attribution.businesses) > _MOST_BUSINESSES:
        raise ValueError(f"{len(attribution.businesses)} businesses are too many; take at most {_MOST_BUSINESSES}")


def _place_numbers(attribution: Attribution, numbers: dict[Place, int]) -> npt.NDArray[np.int64]:
    """Return a number for the place of each plan row, -1 for row -1 at the end; equal places have equal numbers."""
    places = [numbers.setdefault(place, len(numbers)) for place in attribution.plan.places]
    return np.array([*(places[place] for place in attribution.plan.place_of_row.tolist()), UNKNOWN_ID], np.int64)


def warm() -> None:
    """Compile the kernel for the types it is called with; the other one is compiled by windows."""
    nodes = zero_lines(8, 2)
    index, free, state = (
        np.full(16, UNKNOWN_ID, np.int32),
        np.zeros(8, np.int32),
        np.zeros(kernels.STATE_SIZE, np.int64),
    )
    more = np.zeros((8, kernels.PLACES), np.int32)
    kernels.rebuild(index, nodes, nodes.view(np.int32), more, free, state, 0, 0)
