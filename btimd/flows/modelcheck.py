"""Declared versus seen: needs without traffic, traffic without needs, silent services, servers that nobody names.

What traffic cannot show is said to be so, and never called wrong: a node without an address, two nodes on one address,
what a process runs on. What was not seen may still run once a month: confidence grows with the time looked at.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.conversations import Traffic
from btimd.flows.modeladdresses import ModelAddresses, reachable
from btimd.flows.portnames import Use, port_name
from btimd.flows.suggestservers import Endpoint, RowOf, Servers, find_servers
from btimd.model.address import address_text
from btimd.model.discovery import EdgeFinding, FindingKind, ModelComparison
from btimd.model.service import NodeKind
from btimd.model.units import MILLIS_PER_SECOND

LONGEST_PERIOD_SECONDS: Final = 31 * 86_400.0
"""After so long nearly all that is regular has run once."""
MOST_FINDINGS: Final = 1000
_MOST_PAIRS: Final = 200_000
_SHOWN_PORTS: Final = 8
_COIN: Final = 0.5
_PHYSICAL: Final = frozenset({NodeKind.NETWORK, NodeKind.OS, NodeKind.HOST, NodeKind.FACILITY})
_WORKING: Final = frozenset({Use.WORK, Use.SHARED, Use.DYNAMIC_CONTROL})
_UNITS: Final = ((86_400, "days"), (3600, "hours"), (60, "minutes"))


@dataclass(slots=True)
class _Seen:
    """What went from one node to another. ports: (protocol, port) -> flows."""

    flows: int = 0
    octets: int = 0
    last_seen: int = 0
    clients: set[int] = field(default_factory=set)
    ports: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, pair: "_Pair") -> None:
        self.flows += pair.flows
        self.octets += pair.octets
        self.last_seen = max(self.last_seen, pair.last_seen)
        self.clients.add(pair.client)
        key = pair.protocol, pair.port
        self.ports[key] = self.ports.get(key, 0) + pair.flows


@dataclass(frozen=True, slots=True)
class _Pair:
    """Traffic between two addresses that the model names, to one port."""

    client: int
    server: int
    protocol: int
    port: int
    flows: int
    octets: int
    last_seen: int


def compare_model(traffic: Traffic, model: ModelAddresses, row_of: RowOf) -> ModelComparison:
    """Return how model and traffic differ, the surest and busiest findings of each kind first."""
    return _Comparison(traffic, model, find_servers(traffic, row_of)).result()


def coverage_confidence(seconds: float) -> float:
    """Return how sure it is that what was not seen in so long a time is not there: 0.18 for a day, 0.95 for a month."""
    return min(math.sqrt(max(seconds, 0.0) / LONGEST_PERIOD_SECONDS), 0.95)


class _Comparison:
    def __init__(self, traffic: Traffic, model: ModelAddresses, servers: Servers) -> None:
        self._found, self._model, self._servers = traffic.conversations, model, servers
        self._seconds = (self._found.to_milliseconds - self._found.from_milliseconds) / MILLIS_PER_SECOND
        self._sure = coverage_confidence(self._seconds)
        self._numbers = [
            (hi << 64) | lo for hi, lo in zip(servers.hi.tolist(), servers.lo.tolist(), strict=True)
        ]  # fmt: skip
        self._at: dict[int, list[str]] = {}
        for name, prefixes in model.prefixes.items():
            for prefix in prefixes:
                begin, end = bisect_left(self._numbers, prefix.first), bisect_right(self._numbers, prefix.last)
                for address in range(begin, end):
                    self._at.setdefault(address, []).append(name)
        self._needs = model.needs()
        self._below: dict[str, frozenset[str]] = {}
        self._rule_flows = self._flows_of_rules()
        self._pairs = list(self._known_pairs())
        self._seen: dict[tuple[str, str], _Seen] = {}
        for pair in self._pairs:
            for client in self._at[pair.client]:
                for server in self._at[pair.server]:
                    if client != server:
                        self._seen.setdefault((client, server), _Seen()).add(pair)

    def result(self) -> ModelComparison:
        """Return all of it."""
        declared = [(name, need) for name, needs in self._needs.items() for need in needs]
        visible = seen = 0
        findings: list[EdgeFinding] = []
        for name, need in declared:
            if self._model.graph.nodes[need].kind in _PHYSICAL:
                continue
            blind = self._blind(name, need)
            if blind:
                findings.append(self._finding(FindingKind.NOT_VISIBLE, name, need, None, 0.0, blind))
                continue
            visible += 1
            if self._was_seen(name, need):
                seen += 1
            else:
                text = f"{name} needs {need}, but nothing went from one to the other in {_span(self._seconds)}"
                findings.append(self._finding(FindingKind.NEVER_SEEN, name, need, None, self._sure, text))
        findings += [*self._undeclared(), *self._silent(), *self._unknown()]
        order = list(FindingKind)
        findings.sort(key=lambda one: (order.index(one.kind), -one.confidence, -one.flows, one.from_id, one.to_id))
        return ModelComparison(
            from_at=self._found.from_milliseconds / MILLIS_PER_SECOND,
            to_at=self._found.to_milliseconds / MILLIS_PER_SECOND,
            conversations=len(self._found),
            truncated=self._found.truncated or len(findings) > MOST_FINDINGS,
            declared_edges=len(declared),
            visible_edges=visible,
            seen_edges=seen,
            findings=tuple(findings[:MOST_FINDINGS]),
            caveat=self._caveat(),
        )

    def _flows_of_rules(self) -> npt.NDArray[np.int64]:
        rule = self._found.rule_id
        count = max(len(self._found.rules), len(self._model.rules))
        return np.bincount(rule[rule >= 0], self._found.packets[rule >= 0], count).astype(np.int64)

    def _known_pairs(self) -> Iterator[_Pair]:
        """Yield the traffic between addresses that the model names, the busiest first."""
        known = np.zeros(len(self._numbers), bool)
        known[list(self._at)] = True
        servers, found = self._servers, self._found
        rows = np.flatnonzero(known[servers.pair_client] & known[servers.pair_server])
        rows = rows[servers.pair_client[rows] != servers.pair_server[rows]]
        picked = servers.pair_row[rows]
        order = np.argsort(-found.flows[picked], kind="stable")[:_MOST_PAIRS]
        for row, at in zip(rows[order].tolist(), picked[order].tolist(), strict=True):
            yield _Pair(
                int(servers.pair_client[row]), int(servers.pair_server[row]), int(found.protocol[at]),
                int(found.server_port[at]), int(found.flows[at]), int(found.octets[at]), int(found.last_seen[at]),
            )  # fmt: skip

    def _reach(self, name: str) -> frozenset[str]:
        if name not in self._below:
            self._below[name] = reachable(self._needs, name)
        return self._below[name]

    def _blind(self, name: str, need: str) -> str:
        """Return why traffic cannot show a need, "" where it can."""
        prefixes = self._model.prefixes
        if need not in prefixes:
            return f"{need} has no address: give a rule node = {need!r}, or a check with an address as host"
        if name in self._model.graph.businesses:
            return "" if name in prefixes else f"{name} has no rule for its traffic"
        if name not in prefixes:
            return f"{name} has no address: give a rule node = {name!r}, or a check with an address as host"
        if set(prefixes[name]) & set(prefixes[need]):
            return f"{name} and {need} share an address: what they say to each other stays on the server"
        return ""

    def _was_seen(self, name: str, need: str) -> bool:
        if (name, need) in self._seen:
            return True
        if name not in self._model.graph.businesses:
            return False
        # a business's own need: of its servers' nodes, or of its users, or traffic to the servers that are its node
        if any((below, need) in self._seen for below in self._reach(name) - {need}):
            return True
        targets = self._addresses(need)
        if targets & self._addresses(name):
            return self._business_flows(name) > 0
        servers = self._servers
        mine = [number for number, rule in enumerate(self._model.rules) if name in rule.businesses]
        users = servers.pair_client[np.isin(self._found.rule_id[servers.pair_row], mine)]
        called = servers.pair_client[np.isin(servers.pair_server, sorted(targets))]
        return bool(np.isin(called, users).any())

    def _addresses(self, name: str) -> set[int]:
        return {address for address, names in self._at.items() if name in names}

    def _business_flows(self, name: str) -> int:
        rules = [number for number, rule in enumerate(self._model.rules) if name in rule.businesses]
        return int(self._rule_flows[rules].sum()) if rules else 0

    def _undeclared(self) -> Iterator[EdgeFinding]:
        """Yield traffic between addresses none of whose nodes needs any of the other's."""
        found: dict[tuple[str, str], _Seen] = {}
        for pair in self._pairs:
            clients, servers = self._at[pair.client], self._at[pair.server]
            if self._servers.everywhere[pair.client] or port_name(pair.port).use not in _WORKING:
                continue
            if set(clients) & set(servers) or any(one in self._reach(other) for other in clients for one in servers):
                continue
            found.setdefault((self._called(clients), self._called(servers)), _Seen()).add(pair)
        for (client, server), seen in found.items():
            sure = min(1 - math.exp(-0.3 - 0.4 * math.log10(1 + seen.flows)), 0.95)
            text = f"{client} calls {server}, and does not need it, directly or not"
            yield self._finding(FindingKind.UNDECLARED, client, server, seen, sure, text)

    def _called(self, names: Sequence[str]) -> str:
        """Return the node of an address that traffic is most likely of: a process, else a business, else a machine."""
        graph = self._model.graph

        def rank(name: str) -> int:
            return 1 if name in graph.businesses else 2 if graph.nodes[name].kind in _PHYSICAL else 0

        return min(names, key=rank)

    def _silent(self) -> Iterator[EdgeFinding]:
        by_rule: dict[str, tuple[int, tuple[str, ...]]] = {}
        for number, rule in enumerate(self._model.rules):
            base = rule.id.partition("#")[0]
            by_rule[base] = (by_rule.get(base, (0, ()))[0] + int(self._rule_flows[number]), rule.businesses)
        for name in self._model.graph.businesses:
            mine = {base: packets for base, (packets, owners) in by_rule.items() if name in owners}
            if mine and not any(mine.values()):
                text = f"no traffic of {name} in {_span(self._seconds)}: nobody uses it, or its rules are wrong"
                yield self._finding(FindingKind.SILENT_SERVICE, name, "", None, self._sure, text)
                continue
            for base, packets in mine.items():
                if not packets:
                    text = f"rule {base} of {name} saw no traffic in {_span(self._seconds)}"
                    yield self._finding(FindingKind.SILENT_RULE, name, base, None, self._sure, text)

    def _unknown(self) -> Iterator[EdgeFinding]:
        by_server: dict[int, list[Endpoint]] = {}
        for one in self._servers.endpoints:
            nobody = one.rule_id < 0 and one.server not in self._at
            if nobody and one.use in _WORKING and one.confidence >= _COIN:
                by_server.setdefault(one.server, []).append(one)
        for server, ends in by_server.items():
            seen = _Seen(
                sum(one.flows for one in ends),
                sum(one.octets for one in ends),
                max(one.last_seen for one in ends),
                {int(client) for one in ends for client in one.clients},
                {(one.protocol, one.port): one.flows for one in ends},
            )
            number = self._numbers[server]
            address = address_text(number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF)
            sure = max(one.confidence for one in ends)
            text = f"{address} serves {len(seen.clients)} clients; no rule, node or check names it"
            yield self._finding(FindingKind.UNKNOWN_SERVER, "", address, seen, sure, text)

    def _finding(
        self, kind: FindingKind, from_id: str, to_id: str, seen: _Seen | None, confidence: float, text: str
    ) -> EdgeFinding:
        seen = seen or _Seen()
        busiest = sorted(seen.ports, key=lambda key: (-seen.ports[key], key))
        return EdgeFinding(
            kind=kind,
            from_id=from_id,
            to_id=to_id,
            protocol=busiest[0][0] if busiest else 0,
            ports=tuple(str(port) for _, port in busiest[:_SHOWN_PORTS]),
            clients=len(seen.clients),
            flows=seen.flows,
            octets=seen.octets,
            last_seen_at=seen.last_seen / MILLIS_PER_SECOND if seen.last_seen else None,
            confidence=confidence,
            text=text,
        )

    def _caveat(self) -> str:
        parts = [f"looked at {_span(self._seconds)}"]
        if self._seconds < LONGEST_PERIOD_SECONDS:
            parts.append("what runs once a week or a month may not have run")
        parts.append("what no exporter or mirror port sees looks as if it did not exist")
        if self._found.truncated:
            parts.append("there were more conversations than were looked at: the smallest are missing")
        return "; ".join(parts)


def _span(seconds: float) -> str:
    for unit, name in _UNITS:
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
