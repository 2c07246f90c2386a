"""Conversations -> ports that servers listen on. Scans, peer-to-peer traffic and ports agreed on at run time are none.

All answers are counted: a conversation is left out for exactly one reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.flows.conversations import Bools, Ints, Traffic, address_ids
from btimd.flows.portnames import LINUX_EPHEMERAL, PORTS, TCP, UDP, WELL_KNOWN_END, Use, port_name
from btimd.model.address import IPV4_MAPPED_LO, Prefix

Halves = npt.NDArray[np.uint64]
RowOf = Callable[[Halves, Halves], npt.NDArray[np.int32]]
"""(hi, lo) of addresses -> row of the IP plan, -1 where it does not know them."""

MOST_ENDPOINTS: Final = 5000
_SCTP: Final = 132
_WITH_PORTS: Final = (TCP, UDP, _SCTP)
_SCAN_TARGETS: Final = 64
_SCAN_SHARE: Final = 0.6
_SCAN_PORTS: Final = 32
_THIN_PACKETS: Final = 4
_THIN_CONNECTIONS: Final = 3
_ONE_WAY_SHARE: Final = 0.02
_EVERYWHERE_LEAST: Final = 10
_EVERYWHERE_SHARE: Final = 0.4
_EVERYWHERE_FACTOR: Final = 2.0
_PEER_SHARE: Final = 0.5
_ALL_PEERS: Final = 0.8
_FEWEST_PEERS: Final = 4
_DYNAMIC_PORTS: Final = 5
_DYNAMIC_COVER: Final = 0.6
_LEAST_CONFIDENCE: Final = 0.2
_FIXED_PORTS: Final = np.array(sorted({*PORTS, *range(1, WELL_KNOWN_END)}), np.int64)
_PRIVATE: Final = tuple(
    Prefix.parse(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
                 "fc00::/7", "fe80::/10")
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Endpoint:
    """A port of a server, or a range of ports agreed on at run time.

    server: into Servers.hi, lo. clients: int64, ascending, distinct numbers of addresses. confidence: that a server
    listens here. rule_id: -1 = no rule names it. dynamic: ranges of ports that the same clients were sent on to.
    """

    server: int
    protocol: int
    port: int
    clients: Ints
    connections: int
    flows: int
    octets: int
    first_seen: int
    last_seen: int
    confidence: float
    rule_id: int = -1
    dynamic: list[tuple[int, int]] = field(default_factory=list)

    @property
    def use(self) -> Use:
        """What its traffic says."""
        return port_name(self.port).use


@dataclass(frozen=True, slots=True)
class Servers:
    """What listens where. hi, lo: uint64 of all addresses; internal, everywhere, scanner: bool for each of them.

    everywhere: clients that talk to so many servers that it says nothing (monitoring, backup, inventory). left_out:
    conversations by reason. pair_client, pair_server, pair_row: the conversations that are evidence, row into Traffic.
    """

    hi: Halves
    lo: Halves
    internal: Bools
    everywhere: Bools
    scanner: Bools
    endpoints: tuple[Endpoint, ...]
    left_out: dict[str, int]
    pair_client: Ints
    pair_server: Ints
    pair_row: Ints


def find_servers(traffic: Traffic, row_of: RowOf) -> Servers:
    """Return what listens where; row_of tells which addresses the IP plan knows."""
    found = traffic.conversations
    count = len(found)
    ids, first = address_ids(
        np.concatenate((found.client_hi, found.server_hi)), np.concatenate((found.client_lo, found.server_lo))
    )
    client, server = ids[:count], ids[count:]
    hi = np.concatenate((found.client_hi, found.server_hi))[first]
    lo = np.concatenate((found.client_lo, found.server_lo))[first]
    internal = is_internal(hi, lo, row_of)
    left = _LeftOut(count)
    left.out("of protocols without ports", ~np.isin(found.protocol, _WITH_PORTS))
    left.out("to servers outside the enterprise", ~internal[server])
    real, one_way = _answered(traffic)
    end = _end_numbers(server, found.protocol, found.server_port)
    scanner, scanned = _scans(left.rows, real, client, server, end, len(hi))
    left.out("scans", scanned)
    left.out("unanswered", ~real)
    rows = np.flatnonzero(left.rows)
    kept = _Kept(traffic, rows, client[rows], server[rows], one_way=one_way)
    everywhere = _everywhere(kept, len(hi))
    endpoints = kept.endpoints(everywhere)
    accepted, dropped = _accepted(endpoints, kept)
    for reason, number in dropped.items():
        left.counts[reason] = left.counts.get(reason, 0) + number
    accepted.sort(key=lambda one: (-len(one.clients), -one.flows, one.server, one.protocol, one.port))
    if len(accepted) > MOST_ENDPOINTS:
        left.counts[f"beyond the {MOST_ENDPOINTS} ports with the most clients"] = sum(
            len(one.clients) for one in accepted[MOST_ENDPOINTS:]
        )
    return Servers(
        hi, lo, internal, everywhere, scanner, tuple(accepted[:MOST_ENDPOINTS]),
        {reason: number for reason, number in left.counts.items() if number}, client[rows], server[rows], rows,
    )  # fmt: skip


def is_internal(hi: Halves, lo: Halves, row_of: RowOf) -> Bools:
    """Tell which addresses belong to the enterprise: the IP plan knows them, or they are private (RFC 1918, 4193)."""
    if not len(hi):
        return np.zeros(0, bool)
    inside = row_of(np.ascontiguousarray(hi), np.ascontiguousarray(lo)) >= 0
    for prefix in _PRIVATE:
        if prefix.hi == 0 and prefix.lo >> 32 == IPV4_MAPPED_LO >> 32:
            last = prefix.last & 0xFFFF_FFFF_FFFF_FFFF
            inside |= (hi == 0) & (lo >= np.uint64(prefix.lo)) & (lo <= np.uint64(last))
        else:
            inside |= (hi >= np.uint64(prefix.hi)) & (hi <= np.uint64(prefix.last >> 64))
    return inside


class _LeftOut:
    """Counts rows by the first reason that leaves them out."""

    def __init__(self, count: int) -> None:
        self.rows: Bools = np.ones(count, bool)
        self.counts: dict[str, int] = {}

    def out(self, reason: str, rows: Bools) -> None:
        self.counts[reason] = int((self.rows & rows).sum())
        self.rows &= ~rows


def _end_numbers(server: Ints, protocol: npt.NDArray[Any], port: npt.NDArray[Any]) -> Ints:
    if not len(server):
        return server
    _, end = np.unique(server << 24 | protocol.astype(np.int64) << 16 | port, return_inverse=True)
    return end.astype(np.int64)


def _answered(traffic: Traffic) -> tuple[Bools, bool]:
    """Return which conversations were more than a question, and whether only one direction is reported at all.

    A TCP connection of a few packets that was tried a few times is a refusal, or a scanner's touch.
    """
    found = traffic.conversations
    answered = found.answered > 0
    one_way = bool(len(found)) and float(answered.mean()) < _ONE_WAY_SHARE and int(found.packets.sum()) > 0
    if one_way:
        answered = found.packets > _THIN_PACKETS
    few = np.maximum(traffic.connections, 1)
    thin = (found.protocol == TCP) & (found.packets <= _THIN_PACKETS * few) & (few <= _THIN_CONNECTIONS)
    return answered & ~thin, one_way


def _scans(
    rows: Bools, real: Bools, client: Ints, server: Ints, end: Ints, addresses: int
) -> tuple[Bools, Bools]:  # fmt: skip
    """Return which addresses scan, and which conversations are scans.

    Who tries many ports of many servers and gets an answer from few, or is the only one whom most of them ever see.
    """
    if not len(end):
        return np.zeros(addresses, bool), np.zeros(0, bool)
    tried = np.bincount(client[rows], minlength=addresses)
    good = np.bincount(client[rows & real], minlength=addresses)
    others = np.bincount(end[rows & real], minlength=int(end.max()) + 1)
    lonely = np.bincount(client[rows & (others[end] <= 1)], minlength=addresses)
    many = tried >= _SCAN_TARGETS
    failed = good < (1 - _SCAN_SHARE) * tried
    scanner = many & failed & (lonely > tried / 4)
    pair = client << 32 | server
    _, pairs = np.unique(pair, return_inverse=True)
    ports = np.bincount(pairs[rows])
    failures = np.bincount(pairs[rows & ~real], minlength=len(ports))
    vertical = (ports >= _SCAN_PORTS) & (failures > _SCAN_SHARE * ports)
    spread = np.zeros(int(pairs.max()) + 1, bool)
    spread[: len(vertical)] = vertical
    return scanner, scanner[client] | spread[pairs]


class _Kept:
    """The conversations that are evidence, by end point."""

    def __init__(self, traffic: Traffic, rows: Ints, client: Ints, server: Ints, *, one_way: bool) -> None:
        found = traffic.conversations
        self.window = max(found.to_milliseconds - found.from_milliseconds, 1)
        self.one_way = one_way
        self.oriented = traffic.oriented
        self.client, self.server = client, server
        self.port = found.server_port[rows].astype(np.int64)
        self.protocol = found.protocol[rows].astype(np.int64)
        self.end = _end_numbers(server, self.protocol, self.port)
        self.rule = found.rule_id[rows]
        self.flows, self.octets = found.flows[rows], found.octets[rows]
        self.first, self.last = found.first_seen[rows], found.last_seen[rows]
        self.connections = traffic.connections[rows]
        self.begun = traffic.begun_by_client[rows]

    def endpoints(self, everywhere: Bools) -> list[Endpoint]:
        """Return one for each port of a server that somebody who is not everywhere talks to."""
        keep = np.flatnonzero(~everywhere[self.client])
        if not len(keep):
            return []
        order = keep[np.lexsort((self.client[keep], self.end[keep]))]
        end = self.end[order]
        begins = np.flatnonzero(np.concatenate(([True], end[1:] != end[:-1])))

        def summed(column: npt.NDArray[np.int64]) -> list[int]:
            total: list[int] = np.add.reduceat(column[order], begins).tolist()
            return total

        columns = (
            summed(self.connections), summed(self.flows), summed(self.octets), summed(self.begun),
            np.minimum.reduceat(self.first[order], begins).tolist(),
            np.maximum.reduceat(self.last[order], begins).tolist(),
            np.maximum.reduceat(self.rule[order], begins).tolist(),
        )  # fmt: skip
        clients = np.split(self.client[order], begins[1:])
        at = order[begins]
        found = []
        for index, (connections, flows, octets, begun, first, last, rule) in enumerate(zip(*columns, strict=True)):
            row = at[index]
            one = Endpoint(
                int(self.server[row]), int(self.protocol[row]), int(self.port[row]), np.unique(clients[index]),
                connections, flows, octets, first, last, 0.0, rule,
            )  # fmt: skip
            one.confidence = self._confidence(one, begun)
            found.append(one)
        return found

    def _confidence(self, one: Endpoint, begun: int) -> float:
        """Return how sure it is that a server listens: many clients and connections, a known port, over a long time."""
        clients, known = len(one.clients), one.port in PORTS
        ephemeral = one.port >= LINUX_EPHEMERAL and not known
        lasting = min((one.last_seen - one.first_seen) / self.window * 2, 1.0)
        evidence = 0.45 * np.log2(clients) + 0.12 * np.log2(1 + max(one.connections, one.flows)) + 0.5 * lasting
        evidence += 0.9 if known else 0.5 if one.port < WELL_KNOWN_END else 0.0
        if ephemeral:
            evidence -= 0.9
        if one.connections:
            evidence += 0.5 * begun / one.connections
        if not self.oriented and not known:
            evidence -= 0.4
        if self.one_way:
            evidence *= 0.7
        if one.rule_id >= 0:
            return 1.0
        return float(np.clip(1 - np.exp(-evidence), 0.0, 0.99))


def _everywhere(kept: _Kept, addresses: int) -> Bools:
    """Tell which clients talk to a great part of all servers: that says nothing of who needs whom."""
    if not len(kept.client):
        return np.zeros(addresses, bool)
    # a server is who several come to at a port that is no passing one; peers and workstations are not counted
    fixed = np.isin(kept.port, _FIXED_PORTS)
    ends = np.unique(kept.client[fixed] << 32 | kept.end[fixed])
    visited = np.bincount(ends & 0xFFFF_FFFF, minlength=int(kept.end.max()) + 1)
    serves = np.zeros(addresses, bool)
    serves[kept.server[fixed & (visited[kept.end] >= 2)]] = True  # noqa: PLR2004  more than the one that goes everywhere
    pairs = np.unique(kept.client << 32 | kept.server)
    targets = np.bincount((pairs >> 32)[serves[pairs & 0xFFFF_FFFF]], minlength=addresses)
    # where all people use most of the servers, nobody stands out
    usual = float(np.median(targets[targets > 0])) if targets.any() else 0.0
    return targets >= max(_EVERYWHERE_LEAST, _EVERYWHERE_SHARE * int(serves.sum()), _EVERYWHERE_FACTOR * usual)


def _accepted(endpoints: list[Endpoint], kept: _Kept) -> tuple[list[Endpoint], dict[str, int]]:
    """Return the end points that servers listen on, ports agreed on at run time folded, and the others by reason."""
    dropped = {"between peers": 0, "to ports agreed on at run time": 0, "too little evidence": 0}
    peers = _peer_ends(endpoints)
    by_host: dict[tuple[int, int], list[Endpoint]] = {}
    accepted: list[Endpoint] = []
    for one in endpoints:
        if id(one) in peers:
            dropped["between peers"] += len(one.clients)
            continue
        by_host.setdefault((one.server, one.protocol), []).append(one)
    for ends in by_host.values():
        good, folded = _folded(ends)
        dropped["to ports agreed on at run time"] += folded
        for one in good:
            if one.confidence >= _LEAST_CONFIDENCE and _enough(one, kept):
                accepted.append(one)
            else:
                dropped["too little evidence"] += len(one.clients)
    return accepted, dropped


def _enough(one: Endpoint, kept: _Kept) -> bool:
    """Tell whether there is more than a single touch; a port that clients take needs several clients."""
    if one.rule_id >= 0:
        return True
    uses = max(one.connections, one.flows)
    if one.port in PORTS:
        return uses > 1 or kept.one_way
    if one.port >= LINUX_EPHEMERAL:
        return len(one.clients) >= 4 and uses >= 8  # noqa: PLR2004  chance does not repeat a port as often
    return len(one.clients) > 1 or uses >= 5  # noqa: PLR2004  a single client that comes back


def _peer_ends(endpoints: list[Endpoint]) -> set[int]:
    """Return the id() of ends at which peers meet: most who come there listen on other unknown ports themselves."""
    main: dict[int, tuple[int, int]] = {}
    unknown = [one for one in endpoints if one.port not in PORTS and one.port >= WELL_KNOWN_END and one.rule_id < 0]
    for one in unknown:
        main[one.server] = max(main.get(one.server, (0, 0)), (one.connections, one.port))
    if not main:
        return set()
    size = 1 + max(*main, *(int(one.clients[-1]) for one in unknown))
    port = np.full(size, -1, np.int64)
    port[list(main)] = [at for _, at in main.values()]
    found = set()
    for one in unknown:
        listening = port[one.clients]
        if float(((listening >= 0) & (listening != one.port)).mean()) >= _PEER_SHARE:
            found.add(id(one))
    # a peer may have drawn a port that has a name: then all who come are peers, each with a port of its own
    for one in endpoints:
        if one.port in PORTS and one.port >= WELL_KNOWN_END and one.rule_id < 0 and int(one.clients[-1]) < size:
            listening = port[one.clients]
            peers = listening[listening >= 0]
            if len(np.unique(peers)) >= max(_FEWEST_PEERS, _ALL_PEERS * len(listening)):
                found.add(id(one))
    return found


def _folded(ends: list[Endpoint]) -> tuple[list[Endpoint], int]:
    """Return the ends of one server with those agreed on at run time folded into the one they were agreed on."""
    high = [one for one in ends if one.port not in PORTS and one.port >= WELL_KNOWN_END and one.rule_id < 0]
    if len(high) < _DYNAMIC_PORTS:
        return ends, 0
    fixed = [one for one in ends if one not in high]
    controls = [one for one in fixed if one.use is Use.DYNAMIC_CONTROL]
    weak = high if controls else [one for one in high if one.port >= LINUX_EPHEMERAL]
    if len(weak) < _DYNAMIC_PORTS or not fixed:
        return ends, 0
    clients = np.unique(np.concatenate([one.clients for one in weak]))
    best = max(controls or fixed, key=lambda one: (int(np.isin(clients, one.clients).sum()), one.flows))
    if np.isin(clients, best.clients).mean() < _DYNAMIC_COVER:
        return ends, 0
    ports = sorted(one.port for one in weak)
    best.dynamic.append((ports[0], ports[-1]))
    best.flows += sum(one.flows for one in weak)
    best.octets += sum(one.octets for one in weak)
    gone = {id(one) for one in weak}
    return [one for one in ends if id(one) not in gone], sum(len(one.clients) for one in weak)
