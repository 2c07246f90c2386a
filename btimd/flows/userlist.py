"""Users for those who ask: lists, counts per group, columns; made of a copy of the table, away from the flow thread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.flows.attribution import Attribution
from btimd.model.address import HALF_MASK, Prefix, address_text
from btimd.model.ports import OnlineUser
from btimd.model.units import UNKNOWN_ID, Seconds, UnixMillis
from btimd.model.users import (
    USER_DIMENSIONS,
    USER_STATES,
    ClientColumns,
    PersonLookup,
    PersonSources,
    UserCount,
    UserQuery,
)

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

_CHANGED_BY: Final = 1.5
_CHANGED_OCTETS: Final = 125.0
"""A trend is a change by half, and by a kilobit per second at least."""
_DENSE: Final = 1 << 24
_MOST: Final = 0x7FFFFFFFFFFFFFFF
_GONE, _IDLE, _ACTIVE = range(3)
SOMEWHERE_ELSE: Final = "lookup"
"""The source of a person whose PersonLookup does not say where it is from."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """n pairs of client address and business as they were at a moment, those of one address one after the other.

    address_hi, address_lo: uint64. business_id, plan_row: int32, -1 = none. client: int32, equal for pairs of equal
    address. first_seen, last_seen: int64, ms since 1970. octets: int64. rate, rate_before: float32, octets per second
    in the last minute and usually before that, NaN = not known yet.
    """

    attribution: Attribution
    address_hi: npt.NDArray[np.uint64]
    address_lo: npt.NDArray[np.uint64]
    business_id: Int32s
    plan_row: Int32s
    client: Int32s
    first_seen: Int64s
    last_seen: Int64s
    octets: Int64s
    rate: npt.NDArray[np.float32]
    rate_before: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.client)

    def select(self, chosen: Bools | Int64s) -> "Pairs":
        """Return some of the pairs."""
        names = [name for name in self.__slots__ if name != "attribution"]
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def columns(self) -> ClientColumns:
        """Return what other parts may know of clients."""
        return ClientColumns(
            self.attribution.businesses,
            self.address_hi,
            self.address_lo,
            self.business_id,
            self.plan_row,
            self.first_seen,
            self.last_seen,
            self.octets,
        )


@dataclass(frozen=True, slots=True)
class UserTimes:
    """How long after its last traffic a user of each business is active, then idle; `of` goes before the two."""

    active_seconds: Seconds = 60.0
    idle_seconds: Seconds = 600.0
    of: Mapping[str, tuple[Seconds, Seconds]] | None = None

    def states(self, pairs: Pairs, now: UnixMillis) -> npt.NDArray[np.int8]:
        """Return the state of each pair, an index into USER_STATES."""
        default, own = (self.active_seconds, self.idle_seconds), self.of or {}
        times = [own.get(name, default) for name in pairs.attribution.businesses]
        limits = np.array([*times, default], np.float64) * 1000.0  # the last one stands for business -1
        silent = now - pairs.last_seen
        of_pair = limits[pairs.business_id]
        return np.where(silent <= of_pair[:, 0], _ACTIVE, np.where(silent <= of_pair[:, 1], _IDLE, _GONE)).astype(
            np.int8
        )


class Who:
    """The names of clients: what the plan says of their place, and persons from `lookup` before those of the plan."""

    def __init__(self, pairs: Pairs, lookup: PersonLookup | None) -> None:
        self._pairs = pairs
        self._lookup = lookup
        rows = pairs.attribution.plan.rows
        self._words = {
            "business": (*pairs.attribution.businesses, ""),
            "region": (*(row.region for row in rows), ""),
            "segment": (*(row.segment for row in rows), ""),
        }
        self._plan_persons = (*(row.person for row in rows), "")
        self._found: Int32s | None = None

    @property
    def found(self) -> Int32s:
        """The lookup's number of the person of each pair, -1 where only the plan may know one."""
        if self._found is None:
            pairs = self._pairs
            self._found = (
                np.full(len(pairs), UNKNOWN_ID, np.int32)
                if self._lookup is None
                else self._lookup.find(pairs.address_hi, pairs.address_lo)
            )
        return self._found

    def numbers(self, dimension: str) -> tuple[Int64s, list[str]]:
        """Return for each pair the number of its name, and the names; equal names have equal numbers."""
        if dimension == "person":
            persons = () if self._lookup is None else tuple(self._lookup.persons)
            number, names = _numbered((*persons, *self._plan_persons))
            at = np.where(self.found >= 0, self.found, len(persons) + len(self._plan_persons) - 1)
            unknown = self.found < 0
            rows = self._pairs.plan_row[unknown]
            at[unknown] = np.where(rows >= 0, len(persons) + rows, len(number) - 1)
            return number[at], names
        number, names = _numbered(self._words[dimension])
        return number[self._pairs.business_id if dimension == "business" else self._pairs.plan_row], names

    def are(self, dimension: str, name: str) -> Bools:
        """Return which pairs have a name."""
        number, names = self.numbers(dimension)
        return number == names.index(name) if name in names else np.zeros(len(number), np.bool_)


def _numbered(words: Iterable[str]) -> tuple[Int64s, list[str]]:
    """Return the number of each word and the distinct words."""
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(word, len(numbers)) for word in words]
    return np.array(found, np.int64), list(numbers)


def listed(
    pairs: Pairs, query: UserQuery, *, limit: int, times: UserTimes, lookup: PersonLookup | None, now: UnixMillis
) -> list[OnlineUser]:
    """Return the first `limit` users that fit; pairs: of the business that is asked for, or of all."""
    if query.address is not None:
        prefix = Prefix.parse(query.address)
        pairs = pairs.select(_within(pairs, prefix))
    states = times.states(pairs, now)
    chosen = np.ones(len(pairs), np.bool_) if query.state is None else states == USER_STATES.index(query.state)
    who = Who(pairs, lookup)
    for dimension in USER_DIMENSIONS[1:]:
        wanted = getattr(query, dimension)
        if wanted is not None:
            chosen &= who.are(dimension, wanted)
    at = np.flatnonzero(chosen)
    worths: dict[str, npt.NDArray[Any]] = {
        "last-seen": pairs.last_seen,
        "octets": pairs.octets,
        "traffic": np.nan_to_num(pairs.rate, nan=-1.0),
    }
    worth = worths[query.order][at]
    if len(at) > max(limit, 0):
        first = np.argpartition(-worth, limit - 1)[:limit] if limit > 0 else np.zeros(0, np.int64)
        at, worth = at[first], worth[first]
    order = np.lexsort((pairs.business_id[at], pairs.address_lo[at], pairs.address_hi[at], -worth))
    return _users(pairs.select(at[order]), states[at[order]], lookup)


def _within(pairs: Pairs, prefix: Prefix) -> Bools:
    """Return which addresses lie in a prefix."""
    masks = (
        (HALF_MASK << max(64 - prefix.length, 0)) & HALF_MASK,
        (HALF_MASK << min(128 - prefix.length, 64)) & HALF_MASK,
    )
    hi, lo = (np.uint64(half & mask) for half, mask in zip((prefix.hi, prefix.lo), masks, strict=True))
    found: Bools = (pairs.address_hi & np.uint64(masks[0]) == hi) & (pairs.address_lo & np.uint64(masks[1]) == lo)
    return found


def _users(pairs: Pairs, states: npt.NDArray[np.int8], lookup: PersonLookup | None) -> list[OnlineUser]:
    """Return pairs in words."""
    who = Who(pairs, lookup)
    words = []
    for dimension in USER_DIMENSIONS:
        numbers, names = who.numbers(dimension)
        words.append([names[number] for number in numbers.tolist()])
    sources = [""] * len(pairs)
    if lookup is not None:
        told = (
            lookup.sources(pairs.address_hi, pairs.address_lo)
            if isinstance(lookup, PersonSources)
            else [SOMEWHERE_ELSE] * len(pairs)
        )
        sources = [source if number >= 0 else "" for source, number in zip(told, who.found.tolist(), strict=True)]
    return [
        OnlineUser(
            business=business,
            address=address_text(int(pairs.address_hi[at]), int(pairs.address_lo[at])),
            region=region,
            segment=segment,
            person=person,
            state=USER_STATES[states[at]],
            first_seen_milliseconds=int(pairs.first_seen[at]),
            last_seen_milliseconds=int(pairs.last_seen[at]),
            octets=int(pairs.octets[at]),
            person_source=source,
            octets_per_second=_known(float(pairs.rate[at])),
            octets_per_second_before=_known(float(pairs.rate_before[at])),
            trend=trend_of(float(pairs.rate[at]), float(pairs.rate_before[at])),
        )
        for at, (business, region, segment, person, source) in enumerate(zip(*words, sources, strict=True))
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def trend_of(rate: float, before: float) -> str:
    """Return how octets per second of the last minute compare with what was usual before; unknown where it is NaN."""
    if np.isnan(rate) or np.isnan(before):
        return "unknown"
    if rate > before * _CHANGED_BY and rate - before > _CHANGED_OCTETS:
        return "rising"
    if rate * _CHANGED_BY < before and before - rate > _CHANGED_OCTETS:
        return "falling"
    return "steady"


def counted(
    pairs: Pairs,
    group_by: Sequence[str],
    *,
    times: UserTimes,
    lookup: PersonLookup | None,
    now: UnixMillis,
    seen_within_seconds: Seconds | None = None,
    limit: int | None = None,
) -> list[UserCount]:
    """Return how many users there are per group, most on line first; raises ValueError for a name to group by.

    limit: at most so many groups; of equal ones at the end any.

    An address that uses several businesses counts once in every group it is in, in its liveliest state there.
    """
    unknown = [name for name in group_by if name not in USER_DIMENSIONS]
    if unknown:
        raise ValueError(f"users cannot be grouped by {unknown[0]!r}; take of {', '.join(USER_DIMENSIONS)}")
    if seen_within_seconds is not None:
        pairs = pairs.select(now - pairs.last_seen <= seen_within_seconds * 1000.0)
    if not len(pairs):
        return []
    states, octets = times.states(pairs, now), pairs.octets
    rates = np.nan_to_num(pairs.rate.astype(np.float64), nan=0.0)
    if "business" not in group_by:  # then an address, whose pairs stand together, is in one group only
        starts = np.flatnonzero(np.diff(pairs.client, prepend=UNKNOWN_ID))
        if len(starts) < len(pairs):
            states, octets = np.maximum.reduceat(states, starts), np.add.reduceat(octets, starts)
            rates = np.add.reduceat(rates, starts)
            pairs = pairs.select(starts)
    who = Who(pairs, lookup)
    parts = [who.numbers(dimension) for dimension in group_by]
    group, codes = _groups(parts, len(pairs))
    size = len(USER_STATES)
    in_state = np.bincount(group * size + states, minlength=len(codes) * size).reshape(-1, size)
    shown = np.arange(len(codes))
    if limit is not None and limit < len(codes):
        shown = np.lexsort((shown, -in_state[:, _GONE], -in_state[:, _IDLE] - in_state[:, _ACTIVE]))[: max(limit, 0)]
    position = np.full(len(codes), UNKNOWN_ID, np.int64)
    position[shown] = np.arange(len(shown))
    at = position[group]
    kept = at >= 0
    online = kept & (states != _GONE)
    rows = [
        UserCount(
            **dict.fromkeys(USER_DIMENSIONS, "") | dict(zip(group_by, words, strict=True)),
            active=active,
            idle=idle,
            gone=gone,
            persons=people,
            octets=octets_of,
            octets_per_second=rate,
        )
        for words, (gone, idle, active), people, octets_of, rate in zip(
            _names_of(codes[shown], parts),
            in_state[shown].tolist(),
            _persons(*who.numbers("person"), at, online, len(shown)).tolist(),
            _exact_sums(at[kept], octets[kept], len(shown)),
            np.bincount(at[kept], rates[kept], len(shown)).tolist(),
            strict=True,
        )
    ]
    rows.sort(key=lambda row: (-row.active - row.idle, -row.gone, row.business, row.region, row.segment, row.person))
    return rows


def _groups(parts: Sequence[tuple[Int64s, list[str]]], length: int) -> tuple[Int64s, Int64s]:
    """Return the group of each pair, and for each group the number that its names make up together."""
    code, size = np.zeros(length, np.int64), 1
    for numbers, names in parts:
        code, size = code * len(names) + numbers, size * len(names)
    if size > _DENSE:
        found, group = np.unique(code, return_inverse=True)
        return group, found
    used = np.flatnonzero(np.bincount(code, minlength=size))
    dense = np.full(size, UNKNOWN_ID, np.int64)
    dense[used] = np.arange(len(used))
    return dense[code], used


def _names_of(codes: Int64s, parts: Sequence[tuple[Int64s, list[str]]]) -> list[tuple[str, ...]]:
    """Return the names that make up each code."""
    words: list[list[str]] = []
    for _, names in reversed(parts):
        codes, at = np.divmod(codes, len(names))
        words.append([names[number] for number in at.tolist()])
    return list(zip(*reversed(words), strict=True)) if words else [()] * len(codes)


def _exact_sums(group: Int64s, octets: Int64s, groups: int) -> list[int]:
    """Return the sum per group; halves are added up as floats, which hold them exactly."""
    low = np.bincount(group, octets & 0x7FFFFFFF, groups)
    high = np.bincount(group, octets >> 31, groups)
    return [min((int(h) << 31) + int(lo), _MOST) for h, lo in zip(high, low, strict=True)]


def _persons(person: Int64s, names: list[str], group: Int64s, online: Bools, groups: int) -> Int64s:
    """Return how many distinct named people are on line in each group."""
    named = online & (person != names.index("")) if "" in names else online
    code = group[named] * len(names) + person[named]
    if groups * len(names) <= _DENSE:
        distinct = np.flatnonzero(np.bincount(code, minlength=1))
    else:
        code.sort()
        distinct = code[np.flatnonzero(np.diff(code, prepend=UNKNOWN_ID))]
    return np.bincount(distinct // len(names), minlength=groups)
