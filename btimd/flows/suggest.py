"""Proposals from observed traffic: services, shared things, components and who needs whom, that the model lacks.

Only traffic that no rule has attributed is proposed. What rules name is known: it gets further ports and servers
proposed, and takes part in dependencies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.activity import Activity
from btimd.flows.conversations import Ints, Traffic
from btimd.flows.modeladdresses import ModelAddresses, reachable
from btimd.flows.portnames import PROTOCOL_NAMES, Use, port_name, ports_text
from btimd.flows.suggestdependencies import Judged, find_edges, judge
from btimd.flows.suggestgroups import Group, aggregated, group, similarity
from btimd.flows.suggestnames import named, new_id
from btimd.flows.suggestservers import RowOf, Servers, find_servers
from btimd.model.address import HALF_MASK, Prefix, address_text
from btimd.model.discovery import DependencySuggestion, ServiceSuggestion, SuggestionKind, Suggestions
from btimd.model.ipplan import IpPlan
from btimd.model.service import Criticality, NodeKind
from btimd.model.units import MILLIS_PER_SECOND

LEAST_CONFIDENCE: Final = 0.5
_MOST_SERVICES: Final = 500
_MANY: Final = 0.5
_SOME: Final = 0.1
_SAME_CLIENTS: Final = 0.3
_FEW_USERS: Final = 3
_LEAST_OF_BACKGROUND: Final = 5
_USERS_OF_DATA: Final = 10
_BACK_END: Final = frozenset({NodeKind.DATABASE, NodeKind.MIDDLEWARE})

ActivityOf = Callable[
    [Sequence[tuple[int, int, int, int, int]], int, Sequence[tuple[int, int]]], "tuple[Activity, int] | None"
]
"""(ends, groups, edges) as flows.activity.Activity takes them -> activity, and how many records it saw; None = none."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where addresses are: the IP plan, and how to ask it. names: of addresses ("10.0.0.1"), where any are given."""

    plan: IpPlan
    row_of: RowOf
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def suggest(
    traffic: Traffic,
    model: ModelAddresses,
    where: Where,
    *,
    activity: ActivityOf | None = None,
    least_confidence: float = LEAST_CONFIDENCE,
) -> Suggestions:
    """Return what the traffic proposes, without a patch. Nothing less sure than least_confidence is returned."""
    servers = find_servers(traffic, where.row_of)
    places = _Places(servers, where)
    groups = group(servers, places.counts)
    edges = find_edges(traffic, servers, groups)
    seen = None
    if activity is not None and groups:
        ends = [
            (int(servers.hi[one.server]), int(servers.lo[one.server]), one.protocol, one.port, number)
            for number, found in enumerate(groups)
            for one in found.endpoints
        ]
        seen = activity(ends, len(groups), [(edge.client, edge.server) for edge in edges])
    conversations = traffic.conversations
    window = conversations.to_milliseconds - conversations.from_milliseconds
    judged = judge(edges, groups, window, seen[0] if seen else None)
    proposals = _Proposals(servers, groups, model, where, places)
    made = proposals.make(least_confidence)
    dependencies = proposals.dependencies([one for one in judged if one.confidence >= least_confidence])
    needs: dict[str, list[str]] = {}
    for one in dependencies:
        if not one.from_known:
            needs.setdefault(one.from_id, []).append(one.to_id)
    return Suggestions(
        from_at=conversations.from_milliseconds / MILLIS_PER_SECOND,
        to_at=conversations.to_milliseconds / MILLIS_PER_SECOND,
        conversations=len(conversations),
        records=max(traffic.records, seen[1] if seen else 0),
        truncated=conversations.truncated,
        left_out=servers.left_out,
        services=tuple(replace(one, needs=tuple(needs.get(one.id, ()))) for one in made),
        dependencies=tuple(dependencies),
    )


class _Places:
    """Regions of clients, by the IP plan."""

    def __init__(self, servers: Servers, where: Where) -> None:
        rows = where.row_of(servers.hi, servers.lo) if len(servers.hi) else np.zeros(0, np.int32)
        self._row = np.where(rows >= 0, rows, len(where.plan.rows)).astype(np.int64)
        self._plan = where.plan

    def counts(self, clients: Ints) -> npt.NDArray[np.float64]:
        """Return how many clients each row of the plan has, the last one those it does not know."""
        return np.bincount(self._row[clients], minlength=len(self._plan.rows) + 1).astype(np.float64)

    def regions(self, clients: Ints) -> tuple[str, ...]:
        """Return the regions clients are in, that with the most clients first."""
        found: dict[str, float] = {}
        for row, number in zip(self._plan.rows, self.counts(clients).tolist(), strict=False):
            if number:
                found[row.region] = found.get(row.region, 0) + number
        return tuple(sorted(found, key=lambda region: (-found[region], region)))


class _Proposals:
    """Groups as proposals; `ids` are those of the proposal or of the known node of each group, "" = neither."""

    def __init__(
        self,
        servers: Servers,
        groups: Sequence[Group],
        model: ModelAddresses,
        where: Where,
        places: _Places,
    ) -> None:
        self._servers, self._groups, self._model, self._places = servers, groups, model, places
        self._names = where.names
        is_server = np.zeros(len(servers.hi), bool)
        for one in groups:
            # a workstation that shares a folder with two others is still a workstation
            if one.main.rule_id >= 0 or one.confidence >= _MANY:
                is_server[list(one.servers)] = True
        self._is_server = is_server
        everybody = [one.clients for one in groups]
        clients = np.unique(np.concatenate(everybody)) if everybody else np.zeros(0, np.int64)
        self._all_users = int((~is_server[clients]).sum())
        self._taken = set(model.ids)
        self.ids = [self._known(one) for one in groups]
        self.known = [bool(one) for one in self.ids]

    def make(self, least_confidence: float) -> list[ServiceSuggestion]:
        """Return a proposal for each group that no rule covers, those used by most first."""
        out: list[ServiceSuggestion] = []
        for number, one in enumerate(self._groups):
            new = [end for end in one.endpoints if end.rule_id < 0]
            if not new or one.confidence < least_confidence or len(out) >= _MOST_SERVICES:
                continue
            if one.main.use is Use.BACKGROUND and len(one.clients) < _LEAST_OF_BACKGROUND:
                continue  # an agent that is asked, not a thing that is used
            if len(new) < len(one.endpoints):
                out += self._additions(one)
                continue
            made = self._proposal(one, self.ids[number])
            out.append(made)
            if not self.known[number]:
                self.ids[number] = made.id
        return out

    def dependencies(self, judged: Sequence[Judged]) -> list[DependencySuggestion]:
        """Return the edges between groups that have ids, without those declared and those that would close a circle."""
        needs = {name: list(needed) for name, needed in self._model.needs().items()}
        out: list[DependencySuggestion] = []
        for one in judged:
            client, server = self.ids[one.edge.client], self.ids[one.edge.server]
            if not client or not server or client == server:
                continue
            if server in reachable(needs, client) or client in reachable(needs, server):
                continue
            needs.setdefault(client, []).append(server)
            out.append(self._dependency(one, client, server))
        return out

    def _dependency(self, one: Judged, client: str, server: str) -> DependencySuggestion:
        edge, target, together = one.edge, self._groups[one.edge.server], one.correlation
        evidence = [f"{edge.hosts} of {len(self._groups[edge.client].servers)} servers call it: {edge.flows} flows"]
        if together is not None:
            evidence.append(
                f"it called in {together.coverage:.0%} of the intervals that used it ({together.bins} looked at);"
                f" the changes of both correlate by {together.correlation:.2f}"
            )
        else:
            evidence.append("no activity over time was looked at: only totals bear it out")
        if one.shared_by:
            evidence.append(f"{one.shared_by} groups of servers call it too: a thing that everybody uses")
        return DependencySuggestion(
            from_id=client,
            to_id=server,
            from_known=self.known[edge.client],
            to_known=self.known[edge.server],
            kind=one.kind,
            protocol=_protocol(target),
            ports=_ports(target),
            flows=edge.flows,
            octets=edge.octets,
            background=one.background,
            correlation=together.correlation if together else None,
            coverage=together.coverage if together else None,
            bins=together.bins if together else 0,
            confidence=one.confidence,
            evidence=tuple(evidence),
        )

    def _address(self, server: int) -> int:
        return (int(self._servers.hi[server]) << 64) | int(self._servers.lo[server])

    def _known(self, one: Group) -> str:
        """Return the node or business of a group: told by its rule, or by the addresses of nodes."""
        rules = {end.rule_id for end in one.endpoints if end.rule_id >= 0}
        for rule in (self._model.rules[number] for number in sorted(rules)):
            return rule.node or next(iter(rule.businesses), "")
        return self._model.component_at(self._address(server) for server in one.servers) or ""

    def _additions(self, one: Group) -> list[ServiceSuggestion]:
        """Return what a group adds to the rule that names a part of it."""
        named_by = {end.server for end in one.endpoints if end.rule_id >= 0}
        rule = self._model.rules[next(end.rule_id for end in one.endpoints if end.rule_id >= 0)]
        out = []
        for kind, ends in (
            (SuggestionKind.PORT, [end for end in one.endpoints if end.rule_id < 0 and end.server in named_by]),
            (SuggestionKind.SERVER, [end for end in one.endpoints if end.rule_id < 0 and end.server not in named_by]),
        ):
            if ends:
                part = Group(
                    ends, tuple(sorted({end.server for end in ends})),
                    tuple(sorted({(end.protocol, end.port, end.port) for end in ends})),
                    np.unique(np.concatenate([end.clients for end in ends])),
                    sum(end.flows for end in ends), sum(end.octets for end in ends),
                    min(end.first_seen for end in ends), max(end.last_seen for end in ends), one.confidence,
                )  # fmt: skip
                out.append(self._suggestion(part, kind, rule.id.partition("#")[0], self._kind(part)[1]))
                self._taken.add(out[-1].id)
        return out

    def _proposal(self, one: Group, extends: str) -> ServiceSuggestion:
        kind, node_kind = self._kind(one)
        if not extends:
            beside = self._beside(one)
            if beside:
                kind, extends = SuggestionKind.PORT, beside
        made = self._suggestion(one, kind, extends, node_kind)
        self._taken.update((made.id, f"{made.id}-servers", f"{made.id}-traffic"))
        return made

    def _beside(self, one: Group) -> str:
        """Return the rule of the servers of a group, where the same clients come for what it names; "" = none."""
        for other in self._groups:
            if other is one or other.main.rule_id < 0 or not set(one.servers) <= set(other.servers):
                continue
            if similarity(one.clients, other.clients) >= _SAME_CLIENTS:
                return self._model.rules[other.main.rule_id].id.partition("#")[0]
        return ""

    def _kind(self, one: Group) -> tuple[SuggestionKind, NodeKind]:
        name = port_name(one.main.port)
        if name.use in {Use.SHARED, Use.BACKGROUND}:
            return SuggestionKind.SHARED, NodeKind.SHARED
        users = int((~self._is_server[one.clients]).sum())
        back_end = name.kind in _BACK_END
        least = _USERS_OF_DATA if back_end else _FEW_USERS
        for_people = users >= least and users >= _MANY * len(one.clients)
        if not for_people and not back_end and users and users == len(one.clients):
            for_people = True
        return (SuggestionKind.SERVICE if for_people else SuggestionKind.COMPONENT), name.kind

    def _suggestion(
        self, one: Group, kind: SuggestionKind, extends: str, node_kind: NodeKind
    ) -> ServiceSuggestion:  # fmt: skip
        texts = [address_text(int(self._servers.hi[at]), int(self._servers.lo[at])) for at in one.servers]
        blocks = aggregated(self._address(server) for server in one.servers)
        prefixes = tuple(str(Prefix(first >> 64, first & HALF_MASK, length)) for first, length in blocks)
        label, name = named([end.port for end in one.endpoints], _ports(one), texts, self._names)
        users = int((~self._is_server[one.clients]).sum())
        share = users / self._all_users if self._all_users else 0.0
        regions = self._places.regions(one.clients)
        protocol = "/".join(sorted({PROTOCOL_NAMES.get(number, str(number)) for number, _, _ in one.ports}))
        seconds = (one.last_seen - one.first_seen) // MILLIS_PER_SECOND
        many = "s" if len(one.servers) > 1 else ""
        who = f"{len(one.clients)} clients ({users} of them no servers{_of(regions)})"
        what = f"{protocol} {', '.join(_ports(one))} on {len(one.servers)} server{many}, seen over {_span(seconds)}"
        return ServiceSuggestion(
            id=new_id(label, self._taken),
            name=name,
            kind=kind,
            node_kind=node_kind,
            extends=extends,
            servers=prefixes,
            protocol=_protocol(one),
            ports=_ports(one),
            clients=len(one.clients),
            users=users,
            regions=regions,
            flows=one.flows,
            octets=one.octets,
            first_seen_at=one.first_seen / MILLIS_PER_SECOND,
            last_seen_at=one.last_seen / MILLIS_PER_SECOND,
            criticality=Criticality.HIGH
            if share >= _MANY
            else Criticality.NORMAL
            if share >= _SOME
            else Criticality.LOW,
            confidence=one.confidence,
            evidence=(f"{who}, {one.flows} flows, {one.octets} octets", what),
        )


def _protocol(one: Group) -> int:
    """Return the protocol of a group, 0 where it has several."""
    found = {protocol for protocol, _, _ in one.ports}
    return found.pop() if len(found) == 1 else 0


def _ports(one: Group) -> tuple[str, ...]:
    """Return the ports of a group as services.toml writes them."""
    return tuple(dict.fromkeys(ports_text(low, high) for _, low, high in one.ports))


def _of(regions: Sequence[str]) -> str:
    named_ones = [region for region in regions if region][:5]
    return f", in {', '.join(named_ones)}" if named_ones else ""


def _span(seconds: int) -> str:
    if seconds < 120:  # noqa: PLR2004  two minutes
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"  # noqa: PLR2004  two hours
