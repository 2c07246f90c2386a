"""Ports of servers -> groups: the ports of one service, the servers of one pool.

Ports of one server belong together when the same clients come to them. Servers belong together when they listen on the
same ports and either the same clients come, or they are neighbours that share the load; for work, they must also call
the same servers themselves: two applications that everybody uses are not one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.conversations import Ints
from btimd.flows.portnames import Use, port_name
from btimd.flows.suggestservers import Endpoint, Servers
from btimd.model.service import NodeKind

HASHES: Final = 64
_PRIME: Final = 2_147_483_647
_SAME_SERVER: Final = 0.5
_SAME_SERVER_PART: Final = 0.8
_LEAST_PART: Final = 3
_SAME_CLIENTS: Final = 0.35
_SAME_SHARED_CLIENTS: Final = 0.25
_SAME_CALLS: Final = 0.4
_LIKE_LOAD: Final = 4.0
_LIKE_SIZE: Final = 2.5
_NEIGHBOURS: Final = 3
_NEAR: Final = 256
_SAME_PLACES: Final = 0.9
_MOST_ALIKE: Final = 1500
_MOST_PORTS: Final = 64

PlacesOf = Callable[[Ints], npt.NDArray[np.float64]]
"""Numbers of clients -> how many of them are in each place of the IP plan, of a fixed length."""


@dataclass(slots=True, eq=False)
class Group:
    """Servers of one kind. clients: distinct numbers of addresses. ports: (protocol, first, last), ascending."""

    endpoints: list[Endpoint]
    servers: tuple[int, ...]
    ports: tuple[tuple[int, int, int], ...]
    clients: Ints
    flows: int
    octets: int
    first_seen: int
    last_seen: int
    confidence: float
    main: Endpoint = field(init=False)
    """The end point with the most clients, of a port whose name is known where there is one."""

    def __post_init__(self) -> None:
        """Find the main end point, once: it is asked for often."""
        self.main = max(self.endpoints, key=lambda one: (bool(port_name(one.port).name), len(one.clients), one.flows))


def group(servers: Servers, places_of: PlacesOf) -> list[Group]:
    """Return all end points in groups, those with the most clients first; management ports are left out."""
    ends = [one for one in servers.endpoints if one.use is not Use.MANAGEMENT]
    if not ends:
        return []
    joined = _Joined(len(ends))
    signatures = _signatures([one.clients for one in ends])
    _join_ports(ends, signatures, joined)
    calls = _calls(servers, ends)
    _join_pools(ends, servers, joined, calls, places_of)
    groups = [_made([ends[index] for index in members]) for members in joined.sets()]
    return sorted(groups, key=lambda one: (-len(one.clients), -one.flows, one.servers, one.ports))


def similarity(one: Ints, other: Ints) -> float:
    """Return the share of the clients of both that come to both (Jaccard); arguments are ascending and distinct."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(len(one) + len(other) - both, 1)


class _Joined:
    """Disjoint sets."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def root(self, index: int) -> int:
        while self._above[index] != index:
            self._above[index] = self._above[self._above[index]]
            index = self._above[index]
        return index

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        self._above[second] = first

    def sets(self) -> Iterable[list[int]]:
        found: dict[int, list[int]] = {}
        for index in range(len(self._above)):
            found.setdefault(self.root(index), []).append(index)
        return found.values()


def _signatures(clients: Sequence[Ints]) -> npt.NDArray[np.int64]:
    """Return HASHES minima of hashes of each set: the share of equal ones is the similarity, give or take 0.06."""
    flat = np.concatenate(clients) + 1
    begins = np.concatenate(([0], np.cumsum([len(one) for one in clients])[:-1]))
    out = np.empty((len(clients), HASHES), np.int64)
    for number in range(HASHES):
        factor, offset = 48_271 + 69_621 * number, 16_807 * (number + 1)
        mixed = (flat * factor + offset) % _PRIME
        mixed = (mixed ^ (mixed >> 15)) * 40_014 % _PRIME
        out[:, number] = np.minimum.reduceat(mixed, begins)
    return out


def _join_ports(ends: Sequence[Endpoint], signatures: npt.NDArray[np.int64], joined: _Joined) -> None:
    by_server: dict[int, list[int]] = {}
    for index, one in enumerate(ends):
        by_server.setdefault(one.server, []).append(index)
    for members in by_server.values():
        for at, near in combinations(members[:_MOST_PORTS], 2):
            first, second = ends[at], ends[near]
            if _class(first) != _class(second):
                continue
            alike = float((signatures[at] == signatures[near]).mean())
            if alike >= _SAME_SERVER - 0.1 and similarity(first.clients, second.clients) >= _SAME_SERVER:
                joined.join(at, near)
            elif port_name(first.port).name == port_name(second.port).name != "":
                fewer, more = sorted((first.clients, second.clients), key=len)
                part = float(np.isin(fewer, more).mean())
                if len(fewer) >= _LEAST_PART and part >= _SAME_SERVER_PART:
                    joined.join(at, near)


def _class(one: Endpoint) -> tuple[str, str]:
    """Return what ports must have in common to be of one service: work for one layer, or one shared thing."""
    name = port_name(one.port)
    if name.use in {Use.WORK, Use.DYNAMIC_CONTROL}:
        return "work", name.kind.value if name.name else "application"
    return name.use.value, name.name


def _calls(servers: Servers, ends: Sequence[Endpoint]) -> dict[int, frozenset[int]]:
    """Return which other servers each server works with, as a client; shared things and background left out."""
    work = {(one.server, one.port) for one in ends if _class(one)[0] == "work"}
    targets = np.array(sorted({server for server, _ in work}), np.int64)
    sources = np.array(sorted({one.server for one in ends}), np.int64)
    rows = np.isin(servers.pair_client, sources) & np.isin(servers.pair_server, targets)
    rows &= ~servers.everywhere[servers.pair_client]
    found: dict[int, set[int]] = {}
    for client, server in zip(servers.pair_client[rows].tolist(), servers.pair_server[rows].tolist(), strict=True):
        found.setdefault(client, set()).add(server)
    return {client: frozenset(called) for client, called in found.items()}


def _join_pools(
    ends: Sequence[Endpoint],
    servers: Servers,
    joined: _Joined,
    calls: dict[int, frozenset[int]],
    places_of: PlacesOf,
) -> None:
    """Join groups of ports of single servers that do the same."""
    singles = [_made([ends[index] for index in members]) for members in list(joined.sets())]
    number = {id(one): index for index, one in enumerate(ends)}
    alike: dict[tuple[tuple[str, str], tuple[int, int]], list[int]] = {}
    for index, one in enumerate(singles):
        alike.setdefault((_class(one.main), one.ports[0][:2]), []).append(index)
    address = [(int(servers.hi[one.servers[0]]) << 64) | int(servers.lo[one.servers[0]]) for one in singles]
    for (kind, _), members in alike.items():
        if len(members) < 2:  # noqa: PLR2004  nothing to join
            continue
        ordered = sorted(members, key=lambda index: address[index])[:_MOST_ALIKE]
        pairs: Iterable[tuple[int, int]] = combinations(ordered, 2)
        if len(ordered) > 64:  # noqa: PLR2004  beyond that only neighbours in the order of addresses
            pairs = ((ordered[at], near) for at in range(len(ordered)) for near in ordered[at + 1 : at + 17])
        for first, second in pairs:
            gap = address[second] - address[first]
            if _is_pool(kind, (singles[first], singles[second]), gap, calls, places_of):
                joined.join(number[id(singles[first].endpoints[0])], number[id(singles[second].endpoints[0])])


def _is_pool(
    kind: tuple[str, str],
    pair: tuple[Group, Group],
    gap: int,
    calls: dict[int, frozenset[int]],
    places_of: PlacesOf,
) -> bool:
    one, other = pair
    same = similarity(one.clients, other.clients)
    if kind[0] != "work":
        return same >= _SAME_SHARED_CLIENTS
    rules = {group.main.rule_id for group in pair if group.main.rule_id >= 0}
    alike = {port[:2] for port in one.ports} == {port[:2] for port in other.ports}
    if not alike or gap > _NEAR or len(rules) > 1 or not _like_load(one, other):
        return False
    together = {one.servers[0], other.servers[0]}
    mine, others = (calls.get(group.servers[0], frozenset()) - together for group in pair)
    if not mine and not others and (gap > _NEIGHBOURS or kind[1] == NodeKind.DATABASE):
        # nothing behind them tells them apart: only neighbours with the same clients; databases hold different data
        return gap <= _NEIGHBOURS and same >= 1 - _SAME_CLIENTS
    if len(mine & others) < _SAME_CALLS * len(mine | others):
        return False
    return same >= _SAME_CLIENTS or (gap <= _NEIGHBOURS and _alike(places_of(one.clients), places_of(other.clients)))


def _alike(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> bool:
    """Tell whether clients come from the same places in the same proportion."""
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return bool(scale) and float(first @ second) / scale >= _SAME_PLACES


def _like_load(one: Group, other: Group) -> bool:
    flows = max(one.flows, other.flows) / max(min(one.flows, other.flows), 1)
    sizes = [group.octets / max(group.flows, 1) for group in (one, other)]
    return flows <= _LIKE_LOAD and max(sizes) / max(min(sizes), 1.0) <= _LIKE_SIZE


def _made(endpoints: list[Endpoint]) -> Group:
    clients = np.unique(np.concatenate([one.clients for one in endpoints]))
    ports = {(one.protocol, one.port, one.port) for one in endpoints}
    ports |= {(one.protocol, low, high) for one in endpoints for low, high in one.dynamic}
    weakest = float(np.average([one.confidence for one in endpoints], weights=[len(one.clients) for one in endpoints]))
    return Group(
        endpoints,
        tuple(sorted({one.server for one in endpoints})),
        tuple(_merged(sorted(ports))),
        clients,
        sum(one.flows for one in endpoints),
        sum(one.octets for one in endpoints),
        min(one.first_seen for one in endpoints),
        max(one.last_seen for one in endpoints),
        weakest,
    )


def _merged(ports: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return ranges without overlaps; ranges of several servers become one."""
    out: list[tuple[int, int, int]] = []
    for protocol, low, high in ports:
        if out and out[-1][0] == protocol and low <= out[-1][2] and out[-1][1] != out[-1][2]:
            out[-1] = (protocol, out[-1][1], max(out[-1][2], high))
        else:
            out.append((protocol, low, high))
    return out


def aggregated(addresses: Iterable[int]) -> list[tuple[int, int]]:
    """Return (first address, prefix length of 128) that cover exactly these 128-bit numbers, ascending."""
    blocks = sorted({(address, 128) for address in addresses})
    changed = True
    while changed:
        changed, merged = False, []
        skip = False
        for (first, length), (following, other) in pairwise([*blocks, (-1, 0)]):
            if skip:
                skip = False
                continue
            size = 1 << (128 - length)
            if length == other and following == first + size and first % (2 * size) == 0:
                merged.append((first, length - 1))
                changed = skip = True
            else:
                merged.append((first, length))
        blocks = merged
    return blocks
