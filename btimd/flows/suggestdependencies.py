"""Who needs whom: groups of servers that are clients of other groups, and how sure that is.

What everybody talks to all the time (names, log-on) is needed by all, and traffic cannot tell by whom more. Time, logs,
monitoring and backup are needed by nobody's work. Who talks to everything is not asked at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.flows.activity import Activity, Correlation
from btimd.flows.conversations import Traffic
from btimd.flows.portnames import PORTS, Use
from btimd.flows.suggestgroups import Group
from btimd.flows.suggestservers import Servers
from btimd.model.service import NodeKind

MOST_EDGES: Final = 5000
_FEWEST_CONNECTIONS: Final = 3
_EVERYBODY_SHARE: Final = 0.6
_EVERYBODY_LEAST: Final = 6
_GOES_TOGETHER: Final = 0.3
_MOSTLY: Final = 0.8
_UNRELATED: Final = 0.05
_SELDOM: Final = 0.3
_SHARED_MOST: Final = 0.75
_EVERYBODY_MOST: Final = 0.4


@dataclass(frozen=True, slots=True)
class Edge:
    """A group that is the client of another one: numbers of both. hosts: servers of the first that call."""

    client: int
    server: int
    hosts: int
    connections: int
    flows: int
    octets: int
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Judged:
    """An edge with what it is taken for. shared_by: servers that call the same, where that is most of them, else 0."""

    edge: Edge
    kind: NodeKind
    background: bool
    shared_by: int
    correlation: Correlation | None
    confidence: float


def find_edges(traffic: Traffic, servers: Servers, groups: Sequence[Group]) -> list[Edge]:
    """Return who calls whom, the busiest first. A server of several groups calls for the one with the most clients."""
    rows = servers.pair_row
    found = traffic.conversations
    if not len(rows) or not groups:
        return []
    of_host = np.full(len(servers.hi), -1, np.int64)
    for number in range(len(groups) - 1, -1, -1):  # backwards: the largest group is written last
        if groups[number].main.use in {Use.WORK, Use.DYNAMIC_CONTROL}:
            of_host[list(groups[number].servers)] = number
    ends = sorted(
        (one.server << 24 | one.protocol << 16 | one.port, number)
        for number, group in enumerate(groups)
        for one in group.endpoints
    )
    keys, numbers = np.array([key for key, _ in ends], np.int64), np.array([number for _, number in ends], np.int64)
    wanted = servers.pair_server << 24 | found.protocol[rows].astype(np.int64) << 16 | found.server_port[rows]
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    target = np.where(keys[at] == wanted, numbers[at], -1)
    caller = np.where(servers.everywhere[servers.pair_client], -1, of_host[servers.pair_client])
    good = np.flatnonzero((target >= 0) & (caller >= 0) & (caller != target))
    if not len(good):
        return []
    edge, index = np.unique(caller[good] << 32 | target[good], return_inverse=True)
    picked = rows[good]

    def total(column: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
        return [int(one) for one in np.bincount(index, column[picked], len(edge))]

    hosts = np.unique(index.astype(np.int64) << 32 | servers.pair_client[good]) >> 32
    first, last = np.full(len(edge), np.iinfo(np.int64).max), np.zeros(len(edge), np.int64)
    np.minimum.at(first, index, found.first_seen[picked])
    np.maximum.at(last, index, found.last_seen[picked])
    columns = (
        np.bincount(hosts, minlength=len(edge)).tolist(),
        total(traffic.connections),
        total(found.flows),
        total(found.octets),
        first.tolist(),
        last.tolist(),
    )
    out = [
        Edge(int(key) >> 32, int(key) & 0xFFFF_FFFF, *figures)
        for key, *figures in zip(edge.tolist(), *columns, strict=True)
    ]
    enough = [one for one in out if max(one.connections, one.flows) >= _FEWEST_CONNECTIONS]
    return sorted(enough, key=lambda one: (-one.flows, one.client, one.server))[:MOST_EDGES]


def judge(
    edges: Sequence[Edge], groups: Sequence[Group], window: int, activity: Activity | None
) -> list[Judged]:  # fmt: skip
    """Return what each edge is taken for, the surest first. window: ms looked at."""
    callers: dict[int, set[int]] = {}
    for edge in edges:
        callers.setdefault(edge.server, set()).add(edge.client)
    working = {edge.client for edge in edges}
    out = []
    for edge in edges:
        main = groups[edge.server].main
        if main.use is Use.BACKGROUND:
            continue
        around = len(callers[edge.server])
        everybody = around >= max(_EVERYBODY_LEAST, _EVERYBODY_SHARE * len(working))
        shared = main.use is Use.SHARED
        together = activity.edge(edge.client, edge.server) if activity is not None else None
        sure = _confidence(edge, groups[edge.client], window, known=main.port in PORTS, together=together)
        kind = _kind(groups[edge.server])
        if shared:
            sure = min(sure, _SHARED_MOST)
        elif everybody:
            kind, sure = NodeKind.SHARED, min(sure, _EVERYBODY_MOST)
        out.append(Judged(edge, kind, shared or everybody, around if everybody else 0, together, sure))
    return sorted(out, key=lambda one: (-one.confidence, one.edge.client, one.edge.server))


def _kind(group: Group) -> NodeKind:
    named = PORTS.get(group.main.port)
    return named.kind if named is not None else NodeKind.APPLICATION


def _confidence(edge: Edge, client: Group, window: int, *, known: bool, together: Correlation | None) -> float:
    lasting = min((edge.last_seen - edge.first_seen) / max(window, 1) * 2, 1.0)
    evidence = 0.2 + 0.3 * np.log10(1 + max(edge.connections, edge.flows)) + 0.4 * lasting + 0.3 * known
    evidence *= 0.6 + 0.4 * edge.hosts / max(len(client.servers), 1)
    if together is not None:
        if together.correlation >= _GOES_TOGETHER:
            evidence += 2.0 * together.correlation
        if together.coverage >= _MOSTLY:
            evidence += 0.3
        if together.correlation < _UNRELATED and together.coverage < _SELDOM:
            evidence *= 0.5
    return float(np.clip(1 - np.exp(-evidence), 0.0, 0.98))
