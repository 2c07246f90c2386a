"""Which clients the IP plan does not know, and who uses a business from another region than it is meant for."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.planuse import Distinct, distinct, distinct_addresses, folded, is_mapped, summed
from btimd.model.address import IPV4_MAPPED_LO, Prefix, address_text
from btimd.model.ipplan import IpPlan, PlanRow
from btimd.model.planuse import (
    UnexpectedCount,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownAddress,
    UnknownClients,
    UnknownPrefix,
)
from btimd.model.service import BusinessService
from btimd.model.units import UNKNOWN_ID
from btimd.model.users import ClientColumns, PersonLookup

UNKNOWN_ORDERS: Final = ("octets", "last-seen")
TO_BE_NAMED: Final = "to be named"
"""The region in a proposed line: the operator knows it, btimd does not."""
_FULL_LENGTH: Final = 128
_MAPPED_HIGH: Final = IPV4_MAPPED_LO >> 32
_LOW_OCTET: Final = np.uint64(0xFF)
_MOST_NAMED: Final = 8
_NEIGHBOURHOOD4: Final = 112
_NEIGHBOURHOOD6: Final = 48


def unknown_clients(plan: IpPlan, clients: ClientColumns, *, order: str, limit: int) -> UnknownClients:
    """Return who the plan in force does not know: prefixes and addresses, the foremost of each by `order`."""
    if order not in UNKNOWN_ORDERS:
        raise ValueError(f"'{order}' is no order of unknown clients; known: {', '.join(UNKNOWN_ORDERS)}")
    rows = np.flatnonzero(clients.plan_row == UNKNOWN_ID)
    if not len(rows):
        return UnknownClients(0, 0, (), ())
    hi, lo = clients.address_hi[rows], clients.address_lo[rows]
    by_address = _Sums.of(clients, rows, distinct(hi, lo))
    mapped = (hi == 0) & (lo >> np.uint64(32) == np.uint64(_MAPPED_HIGH))
    by_prefix = _Sums.of(clients, rows, distinct(hi, np.where(mapped, lo & ~_LOW_OCTET, np.uint64(0))))
    addresses = tuple(
        UnknownAddress(
            address=address_text(*by_address.address(at)),
            prefix=str(_network(*by_address.address(at))),
            first_seen_milliseconds=int(by_address.first[at]),
            last_seen_milliseconds=int(by_address.last[at]),
            octets=int(by_address.octets[at]),
            businesses=_used(clients, by_address.rows_of(at)),
        )
        for at in by_address.top(order, limit)
    )
    counts = _addresses_per(by_prefix, by_address)
    regions = _Neighbours(plan)
    prefixes = []
    for at in by_prefix.top(order, limit):
        network = _network(*by_prefix.address(at))
        prefixes.append(
            UnknownPrefix(
                prefix=str(network),
                scope=_scope(network),
                addresses=int(counts[at]),
                first_seen_milliseconds=int(by_prefix.first[at]),
                last_seen_milliseconds=int(by_prefix.last[at]),
                octets=int(by_prefix.octets[at]),
                businesses=_used(clients, by_prefix.rows_of(at)),
                neighbour=regions.of(network),
                plan_line=f"{network},{TO_BE_NAMED},,",
            )
        )
    return UnknownClients(len(by_address.last), len(by_prefix.last), tuple(prefixes), addresses)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Clients of a key (an address or a network) folded into one. rows: of the clients, in the order of `found`."""

    found: Distinct
    rows: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    octets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, clients: ClientColumns, rows: npt.NDArray[np.int64], found: Distinct) -> "_Sums":
        return cls(
            found,
            rows[found.order],
            folded(np.minimum, clients.first_seen[rows], found),
            folded(np.maximum, clients.last_seen[rows], found),
            folded(np.add, clients.octets[rows], found),
        )

    def top(self, order: str, limit: int) -> list[int]:
        first, second = (self.octets, self.last) if order == "octets" else (self.last, self.octets)
        chosen: list[int] = np.lexsort((-second, -first))[: max(limit, 0)].tolist()
        return chosen

    def address(self, at: int) -> tuple[int, int]:
        return int(self.found.hi[at]), int(self.found.lo[at])

    def rows_of(self, at: int) -> npt.NDArray[np.int64]:
        begin = self.found.begin
        return self.rows[begin[at] : begin[at + 1] if at + 1 < len(begin) else len(self.rows)]


def _addresses_per(by_prefix: _Sums, by_address: _Sums) -> npt.NDArray[np.int64]:
    """Return how many addresses each prefix has: both are sorted, so an address belongs where its rows begin."""
    at = np.searchsorted(by_prefix.found.begin, by_address.found.begin, side="right") - 1
    return np.bincount(at, minlength=len(by_prefix.last))


def _network(hi: int, lo: int) -> Prefix:
    """Return the /24 or /64 around an address."""
    if hi == 0 and lo >> 32 == _MAPPED_HIGH:
        return Prefix(0, lo & ~0xFF, _FULL_LENGTH - 8)
    return Prefix(hi, 0, 64)


def _scope(network: Prefix) -> str:
    address = IPv6Address(network.first)
    plain = address.ipv4_mapped or address
    if plain.is_link_local:
        return "link-local"
    if plain.is_multicast or plain.is_unspecified or plain.is_loopback:
        return "other"
    return "public" if plain.is_global else "private"


def _used(clients: ClientColumns, rows: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """Return the businesses of some rows, most octets first, traffic of none left out."""
    keys, sums = summed(clients.business_id[rows].astype(np.int64), clients.octets[rows])
    order = np.lexsort((keys, -sums))[: _MOST_NAMED + 1]
    return tuple(clients.businesses[key] for key in keys[order].tolist() if key >= 0)[:_MOST_NAMED]


class _Neighbours:
    """The region of the nearest range of a plan: a hint whose network a forgotten one may be."""

    def __init__(self, plan: IpPlan) -> None:
        self._plan = plan
        self._start = [hi << 64 | lo for hi, lo in zip(plan.start_hi.tolist(), plan.start_lo.tolist(), strict=True)]
        self._end = [hi << 64 | lo for hi, lo in zip(plan.end_hi.tolist(), plan.end_lo.tolist(), strict=True)]

    def of(self, network: Prefix) -> str:
        length = _NEIGHBOURHOOD4 if is_mapped(network) else _NEIGHBOURHOOD6
        shift = _FULL_LENGTH - length
        after = bisect_left(self._start, network.first)
        near = [
            (distance, after - 1 + side)
            for side, distance in (
                (0, network.first - self._end[after - 1] if after else -1),
                (1, self._start[after] - network.last if after < len(self._start) else -1),
            )
            if distance >= 0
            and (self._end[after - 1] if side == 0 else self._start[after]) >> shift == network.first >> shift
        ]
        return self._plan.rows[int(self._plan.row[min(near)[1]])].region if near else ""


def unexpected_talkers(
    plan: IpPlan,
    businesses: Mapping[str, BusinessService],
    clients: ClientColumns,
    *,
    business: str | None = None,
    limit: int,
    persons: PersonLookup | None = None,
) -> UnexpectedTalkers:
    """Return who uses a business with regions from elsewhere, most recently seen first; `business` narrows it."""
    rows = unexpected_rows(plan, businesses, clients, business)
    ids = clients.business_id[rows]
    counts = []
    for index, name in enumerate(clients.businesses):
        expected = businesses[name].regions if name in businesses else ()
        if not expected or (business is not None and name != business):
            continue
        own = rows[ids == index]
        hi, _ = distinct_addresses(clients.address_hi[own], clients.address_lo[own])
        counts.append(UnexpectedCount(name, expected, len(hi), int(clients.octets[own].sum())))
    order = np.lexsort((-clients.octets[rows], -clients.last_seen[rows]))[: max(limit, 0)]
    return UnexpectedTalkers(tuple(counts), talkers_of(plan, businesses, clients, rows[order], persons))


def unexpected_rows(
    plan: IpPlan, businesses: Mapping[str, BusinessService], clients: ClientColumns, business: str | None = None
) -> npt.NDArray[np.int64]:
    """Return the rows of clients of another region than their business's regions."""
    regions = [*(row.region for row in plan.rows), ""]  # the last one stands for row -1
    number = {region: index for index, region in enumerate(dict.fromkeys(regions))}
    region_of = np.array([number[region] for region in regions], np.int64)
    allowed = np.ones((len(clients.businesses) + 1, len(number)), np.bool_)
    for index, name in enumerate(clients.businesses):
        expected = businesses[name].regions if name in businesses else ()
        if expected and business in {None, name}:
            allowed[index] = [region in expected for region in number]
    return np.flatnonzero(~allowed[clients.business_id, region_of[clients.plan_row]])


def talkers_of(
    plan: IpPlan,
    businesses: Mapping[str, BusinessService],
    clients: ClientColumns,
    rows: npt.NDArray[np.int64],
    persons: PersonLookup | None,
) -> tuple[UnexpectedTalker, ...]:
    """Return rows of clients as talkers. Who sits behind an address is asked of `persons` first."""
    hi, lo = np.ascontiguousarray(clients.address_hi[rows]), np.ascontiguousarray(clients.address_lo[rows])
    found = persons.find(hi, lo).tolist() if persons is not None else [UNKNOWN_ID] * len(rows)
    names = persons.persons if persons is not None else ()
    talkers = []
    for at, row in enumerate(rows.tolist()):
        name = clients.businesses[int(clients.business_id[row])]
        plan_row = int(clients.plan_row[row])
        place = plan.rows[plan_row] if plan_row != UNKNOWN_ID else PlanRow("", "", "")
        talkers.append(
            UnexpectedTalker(
                business=name,
                address=address_text(int(hi[at]), int(lo[at])),
                region=place.region,
                segment=place.segment,
                person=names[found[at]] if found[at] != UNKNOWN_ID else place.person,
                expected_regions=businesses[name].regions,
                first_seen_milliseconds=int(clients.first_seen[row]),
                last_seen_milliseconds=int(clients.last_seen[row]),
                octets=int(clients.octets[row]),
            )
        )
    return tuple(talkers)


class UnexpectedWatch:
    """Knows which unexpected talkers were told of, so that each is told of once.

    At most `capacity` are remembered, the longest unseen forgotten first; one that is forgotten and talks on would be
    told of again. At most `burst` are told of at once; `untold` counts the others, which are remembered all the same.
    """

    def __init__(self, capacity: int = 100_000, burst: int = 1000) -> None:
        self._capacity = capacity
        self._burst = burst
        self._known: OrderedDict[tuple[str, int, int], None] = OrderedDict()
        self.untold = 0
        self.forgotten = 0

    def new_rows(self, clients: ClientColumns, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return those of the rows that were not told of yet, in their order, and remember them."""
        rows = rows[np.argsort(clients.last_seen[rows], kind="stable")][-self._capacity :]
        fresh = []
        keys = zip(
            clients.business_id[rows].tolist(),
            clients.address_hi[rows].tolist(),
            clients.address_lo[rows].tolist(),
            rows.tolist(),
            strict=True,
        )
        for business, hi, lo, row in keys:
            key = (clients.businesses[business], hi, lo)
            if key in self._known:
                self._known.move_to_end(key)
            else:
                self._known[key] = None
                fresh.append(row)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
            self.forgotten += 1
        self.untold += max(len(fresh) - self._burst, 0)
        return np.array(fresh[: self._burst], np.int64)
