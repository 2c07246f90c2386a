"""Online users: which client addresses use which business, since when, how much, and whether they still do.

One table holds the client addresses and with each the businesses it uses. Windows find a packet's address in it once,
and count distinct users by bits that stand beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.attribution import Attribution
from btimd.flows.lines import zero_lines
from btimd.flows.userlist import Pairs, UserTimes, listed
from btimd.kernels import users as kernels
from btimd.model.ipplan import IpPlan, Place
from btimd.model.ports import OnlineUser
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis
from btimd.model.users import ClientColumns, PersonLookup, UserQuery

_FORGET_ABOVE: Final = 0.75
_FIRST_INDEX: Final = 1 << 15
_PAST: Final = 1 << 30
_SPAN: Final = (1 << 31) - 1
_ENTRIES: Final = slice(kernels.ENTRIES, kernels.ENTRIES + kernels.PLACES)
_FIRST, _LAST = (slice(first, first + kernels.PLACES) for first in (kernels.FIRST, kernels.LAST))
_RATES_MILLISECONDS: Final = 60_000
_USUAL_SECONDS: Final = 900.0
_READ_NODES: Final = 1 << 16
_ATTRIBUTED_KEYS, _EVERY_KEY, _NO_KEY = 0, -1, -2
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
        self.times = UserTimes(self._limits.active_seconds, self._limits.idle_seconds)
        """When users count as active and idle."""
        self.octets_before = np.zeros((kernels.PLACES, capacity), np.int64)
        self.rates = np.zeros((2, kernels.PLACES, capacity), np.float32)
        self._rates_noted_at: UnixMillis | None = None
        self.version = 0
        """Another number whenever pairs may have changed places, times or names."""
        self.evicted = 0
        """Pairs forgotten because nothing was seen of them for long and the table was getting full."""

    @property
    def attribution(self) -> Attribution:
        """The plan and rules in force."""
        return self._attribution

    @property
    def thresholds(self) -> Mapping[str, tuple[Seconds, Seconds]]:
        """Businesses whose users are active and idle for other times than usual: after how many seconds."""
        return self.times.of or {}

    @thresholds.setter
    def thresholds(self, of: Mapping[str, tuple[Seconds, Seconds]]) -> None:
        self.times = replace(self.times, of=dict(of))

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
        self._drop_rates()
        self.version += 1

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
        self.version += 1

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
        used = int(self.state[kernels.S_NODES])
        self.more[:used] = 0
        self.octets_before[:, :used] = 0
        self.rates[:, :, :used] = 0.0
        self.version += 1
        self.state[: kernels.S_REFUSED] = 0
        self.index[:] = UNKNOWN_ID
        self.epoch = None

    def read(self, business: str | None) -> "Reading":
        """Begin to copy the pairs of a business, "" = unattributed, None = of all but those."""
        return Reading(self, lambda: self._key_of(business))

    def read_all(self) -> "Reading":
        """Begin to copy all pairs, those of unattributed traffic too."""
        return Reading(self, lambda: _EVERY_KEY)

    def _key_of(self, business: str | None) -> int:
        """Return the key that the pairs of a business have now."""
        if business is None:
            return _ATTRIBUTED_KEYS
        if not business:
            return kernels.KEY_OF_NOBODY
        known = self._attribution.businesses
        return known.index(business) + 2 if business in known else _NO_KEY

    def users(
        self, query: UserQuery | None = None, *, limit: int, now: UnixMillis, lookup: PersonLookup | None = None
    ) -> Sequence[OnlineUser]:
        """Return users; what may be asked is said at UserQuery."""
        query = query or UserQuery()
        return listed(self.read(query.business).all(), query, limit=limit, times=self.times, lookup=lookup, now=now)

    def columns(self) -> ClientColumns:
        """Return all pairs, those of unattributed traffic too."""
        return self.read_all().all().columns()

    def note_rates(self, now: UnixMillis) -> None:
        """Let rates be those of the time since the last call, if that is a minute ago or longer."""
        if self._rates_noted_at is None or now < self._rates_noted_at:
            self._rates_noted_at = now
        if now - self._rates_noted_at < _RATES_MILLISECONDS:
            return
        seconds = (now - self._rates_noted_at) / 1000.0
        self._rates_noted_at = now
        kernels.note_rates(
            int(self.state[kernels.S_NODES]),
            self.nodes,
            self.plain,
            self.more,
            seconds,
            1.0 - exp(-seconds / _USUAL_SECONDS),
            self.octets_before,
            self.rates,
        )

    def _drop_rates(self) -> None:
        """Let the numbers of pairs that are gone have no rates: others will get them."""
        used = int(self.state[kernels.S_NODES])
        for place in range(kernels.PLACES):
            unused = self.nodes[:used, kernels.ENTRIES + place] == 0
            gone = np.flatnonzero(unused & (self.octets_before[place, :used] != 0))
            self.octets_before[place, gone] = 0
            self.rates[:, place, gone] = 0.0


class Reading:
    """Copies the table, part by part, so that whoever holds the lock for a part holds it for milliseconds only.

    Where the table was built anew between two parts, the copy begins anew too.
    """

    def __init__(self, users: Users, key: Callable[[], int]) -> None:
        self._users = users
        self._key_now = key
        self._next = 0
        self._done = 0
        self._version: int | None = None

    def step(self, nodes: int = _READ_NODES) -> bool:
        """Copy the next part; return whether there is more."""
        users, used = self._users, int(self._users.state[kernels.S_NODES])
        if self._version != users.version:
            room = users.pairs + max(users.pairs >> 3, 1024)  # for those who come between two parts
            self._key = self._key_now()
            self._version, self._next, self._done = users.version, 0, 0
            self._halves = np.empty((2, room), np.int64)
            self._names = np.empty((3, room), np.int32)
            self._times = np.empty((2, room), np.int32)
            self._octets = np.empty(room, np.int64)
            self._speeds = np.empty((2, room), np.float32)
            self._epoch, self._attribution = users.epoch or 0, users.attribution
        if self._key == _NO_KEY:
            return False
        end = min(self._next + nodes, used)
        self._done = kernels.list_pairs(
            self._next,
            end,
            self._key,
            users.nodes,
            users.plain,
            users.more,
            users.octets_before,
            users.rates,
            self._done,
            self._halves,
            self._names,
            self._times,
            self._octets,
            self._speeds,
        )
        self._next = end
        return end < used

    def all(self) -> Pairs:
        """Copy what is left and return everything."""
        while self.step():
            pass
        return self.pairs()

    def pairs(self) -> Pairs:
        """Return what was copied."""
        chosen = slice(self._done)
        halves, names, speeds = self._halves[:, chosen], self._names[:, chosen], self._speeds[:, chosen]
        times = self._times[:, chosen].astype(np.int64) + self._epoch
        return Pairs(
            self._attribution,
            address_hi=halves[0].view(np.uint64),
            address_lo=halves[1].view(np.uint64),
            business_id=names[0],
            plan_row=names[1],
            client=names[2],
            first_seen=times[0],
            last_seen=times[1],
            octets=self._octets[chosen],
            rate=speeds[0],
            rate_before=speeds[1],
        )


def _check(attribution: Attribution) -> None:
    if len(attribution.businesses) > _MOST_BUSINESSES:
        raise ValueError(f"{len(attribution.businesses)} businesses are too many; take at most {_MOST_BUSINESSES}")


def _place_numbers(attribution: Attribution, numbers: dict[Place, int]) -> npt.NDArray[np.int64]:
    """Return a number for the place of each plan row, -1 for row -1 at the end; equal places have equal numbers."""
    places = [numbers.setdefault(place, len(numbers)) for place in attribution.plan.places]
    return np.array([*(places[place] for place in attribution.plan.place_of_row.tolist()), UNKNOWN_ID], np.int64)


def warm() -> None:
    """Compile the kernels for the types they are called with; what takes records is compiled by windows."""
    nodes = zero_lines(8, 2)
    index, free, state = (
        np.full(16, UNKNOWN_ID, np.int32),
        np.zeros(8, np.int32),
        np.zeros(kernels.STATE_SIZE, np.int64),
    )
    more = np.zeros((8, kernels.PLACES), np.int32)
    kernels.rebuild(index, nodes, nodes.view(np.int32), more, free, state, 0, 0)
    users = Users(Attribution(IpPlan.empty(), (), (), 0), UserLimits(capacity=8))
    users.users(limit=1, now=0)
    users.note_rates(0)
    users.note_rates(_RATES_MILLISECONDS)
