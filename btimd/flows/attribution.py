"""Separating a business's traffic: flow -> service rule, client side, client's place; and why.

Either end of a flow may be the server. A rule matches an end when the end's address lies in the rule's server prefix,
the end's port in its ports, the protocol and, where given, the client prefix. Of several rules the most specific wins:
longest server prefix, then longest client prefix, then narrowest port range, then a named protocol, then the first
line. When rules match at both ends the more specific one wins; equally specific ones make the destination the server.
A rule with ports and without protocol is about protocols that have ports: an ICMP type is no port.
An IPv6 prefix, however short, says nothing of IPv4 addresses.
Of a record that tells a translation of addresses, flows/nat.py says which addresses count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.nat import inside_view, translated
from btimd.flows.plan import PlanEntry, PlanIndex, range_text
from btimd.flows.segments import Segments, compile_segments, is_ipv4, labels_of, plan_ranges, signed_halves
from btimd.kernels import attribute as kernels
from btimd.model.address import Prefix, address_halves, address_text
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan, PlanRow
from btimd.model.ports import Explanation
from btimd.model.service import ServiceRule
from btimd.model.taps import Names
from btimd.model.units import UNKNOWN_ID

_ANY_PORT: Final = (0, 65535)
_WITH_PORTS: Final = {6: "TCP", 17: "UDP", 33: "DCCP", 132: "SCTP", 136: "UDP-Lite"}
_PROTOCOLS: Final = {**_WITH_PORTS, 1: "ICMP", 47: "GRE", 50: "ESP", 58: "ICMPv6"}
_NEAREST_MISSES: Final = 5
_ADDRESSES: Final = (
    "source_address_hi",
    "source_address_lo",
    "destination_address_hi",
    "destination_address_lo",
)


@dataclass(frozen=True, slots=True)
class Owners:
    """Which businesses own a rule: business[offsets[r]:offsets[r + 1]] are the owners of rule r, all int32.

    A rule that nobody owns is owned by -1: its traffic counts as unattributed.
    """

    offsets: npt.NDArray[np.int32]
    business: npt.NDArray[np.int32]


def specificity(rule: ServiceRule) -> tuple[int, int, int, int]:
    """Return the sort key of precedence: the lower, the more specific."""
    return (
        -rule.server.length,
        -rule.client.length if rule.client else 1,
        rule.port_high - rule.port_low,
        0 if rule.protocol is not None else 1,
    )


class Attribution:
    """One generation of IP plan and service rules, compiled.

    Raises ValueError for a rule of a business that does not exist. `entries` are the lines the plan was compiled
    from; with them `explain` names the line of each attribute. An Attribution never changes after it was built.
    """

    def __init__(
        self,
        plan: IpPlan,
        rules: Sequence[ServiceRule],
        businesses: Sequence[str],
        generation: int,
        entries: Sequence[PlanEntry] = (),
    ) -> None:
        self.plan = plan
        self.rules = tuple(rules)
        self.businesses = tuple(businesses)
        self.generation = generation
        self.places = tuple((place.region, place.segment) for place in plan.places)
        self.owners = _owners(self.rules, self.businesses)
        self.names = Names(
            generation, self.businesses, self.rules, self.owners.offsets, self.owners.business, self.plan
        )
        keys = [specificity(rule) for rule in self.rules]
        dense = {key: number for number, key in enumerate(sorted(set(keys)))}
        rank = [0] * len(self.rules)
        for position, rule in enumerate(sorted(range(len(self.rules)), key=lambda rule: (keys[rule], rule))):
            rank[rule] = position
        self.segments: Segments = compile_segments(plan, self.rules, rank)
        words = [
            _rule_words(number, rule, dense[key])
            for number, (rule, key) in enumerate(zip(self.rules, keys, strict=True))
        ]
        self._labels, self._candidates = labels_of(self.segments, np.array(words, np.int64).reshape(-1, 2))
        self._clients = np.array([_client_line(rule.client) for rule in self.rules], np.int64).reshape(-1, 4)
        self._index = PlanIndex(entries)

    def attribute(self, flows: FlowBatch) -> AttributedBatch:
        """Return the batch with rule, client's plan row and client's side of every record."""
        attributed = self._match(flows)
        return inside_view(attributed, self._match, self._row_of) if translated(flows) else attributed

    def _row_of(self, hi: npt.NDArray[np.int64], lo: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        return self.segments.row[self.segments.locate(hi, lo)]

    def _match(self, flows: FlowBatch) -> AttributedBatch:
        length, segments = len(flows), self.segments
        source_hi, source_lo, destination_hi, destination_lo = (flows[name].view(np.int64) for name in _ADDRESSES)
        rule_id = np.empty(length, np.int32)
        client_row = np.empty(length, np.int32)
        client_is_source = np.empty(length, np.uint8)
        kernels.match(
            source_hi,
            source_lo,
            destination_hi,
            destination_lo,
            flows["source_transport_port"],
            flows["destination_transport_port"],
            flows["protocol_identifier"],
            segments.tree4,
            segments.start4,
            segments.sites6,
            segments.start6_hi,
            segments.start6_lo,
            self._labels,
            self._candidates,
            self._clients,
            np.empty((2, kernels.BLOCK), np.int64),
            rule_id,
            client_row,
            client_is_source,
        )
        return AttributedBatch(flows, rule_id, client_row, client_is_source, self.generation)

    def explain(self, address: str, peer: str, port: int, protocol: int) -> Explanation:
        """Say where a flow from `address` to `peer`:`port` goes and why; its source port counts as unknown (0).

        Raises ValueError for a text that is no address and for a number that is no port or protocol.
        """
        if not 0 <= port <= _ANY_PORT[1] or not 0 <= protocol <= 255:  # noqa: PLR2004  an octet
            raise ValueError(f"port {port} or protocol {protocol} is out of range; write 0..65535 and 0..255")
        source, destination = address_halves(address), address_halves(peer)
        attributed = self.attribute(
            FlowBatch.of(
                source_address_hi=[source[0]],
                source_address_lo=[source[1]],
                destination_address_hi=[destination[0]],
                destination_address_lo=[destination[1]],
                destination_transport_port=[port],
                protocol_identifier=[protocol],
            )
        )
        winner = int(attributed.service_rule_id[0])
        client, server = (source, destination) if attributed.client_is_source[0] else (destination, source)
        row_id = int(attributed.client_plan_id[0])
        row = self.plan.rows[row_id] if row_id != UNKNOWN_ID else PlanRow("", "", "")
        sides = (
            _Side("destination", destination, source, port, protocol),
            _Side("source", source, destination, 0, protocol),
        )
        owners = self._owners_of(winner)
        return Explanation(
            businesses=owners,
            rule_id=self.rules[winner].id if winner != UNKNOWN_ID else "",
            client=address_text(*client),
            server=address_text(*server),
            region=row.region,
            segment=row.segment,
            person=row.person,
            reasons=(*self._rule_reasons(winner, sides), *self._place_reasons(client, row)),
        )

    def _owners_of(self, rule: int) -> tuple[str, ...]:
        return self.rules[rule].businesses if rule != UNKNOWN_ID else ()

    def _rule_reasons(self, winner: int, sides: Sequence["_Side"]) -> list[str]:
        reasons: list[str] = []
        if winner != UNKNOWN_ID:
            rule = self.rules[winner]
            side = next(side for side in sides if not side.mismatch(rule))
            reasons.append(f"rule {_named(rule)} wins: {_terms(rule)}; the {side.name} {side.text} is the server")
        misses: list[tuple[tuple[int, tuple[int, int, int, int]], str]] = []
        for number, rule in enumerate(self.rules):
            if number == winner:
                continue
            found = [side for side in sides if _covers(rule.server, side.server)]
            fitting = [side for side in found if not side.mismatch(rule)]
            if fitting:
                why = _why_less(self.rules[winner], rule)
                misses.append(((0, specificity(rule)), f"rule {_named(rule)} also fits, but {why}"))
            elif found:
                faults = min((side.mismatch(rule) for side in found), key=len)
                text = f"rule {_named(rule)} covers the {found[0].name} {found[0].text}, but {' and '.join(faults)}"
                misses.append(((len(faults), specificity(rule)), text))
        misses.sort()
        if winner == UNKNOWN_ID and not misses:
            reasons.append(f"no rule covers {sides[0].text} or {sides[1].text} as server")
        elif winner == UNKNOWN_ID:
            reasons.append("no rule fits; the nearest ones follow")
        reasons.extend(text for _, text in misses[:_NEAREST_MISSES])
        if len(misses) > _NEAREST_MISSES:
            reasons.append(f"and {len(misses) - _NEAREST_MISSES} more rules that do not win")
        return reasons

    def _place_reasons(self, client: tuple[int, int], row: PlanRow) -> list[str]:
        text = address_text(*client)
        if row == PlanRow("", "", ""):
            return [f"the IP plan does not know the client {text}"]
        reasons = []
        covering = tuple(self._index.covering(*client))
        for name, value in (("region", row.region), ("segment", row.segment), ("person", row.person)):
            giver = next((entry for entry in covering if getattr(entry, name).strip()), None)
            if giver is not None:
                reasons.append(f"{name} {value} comes from {giver.prefix}, line {giver.line} of the IP plan")
            elif not value:
                reasons.append(f"no prefix around {text} names a {name}")
        if not covering:
            address = (client[0] << 64) | client[1]
            first, last = next((first, last) for first, last, _ in plan_ranges(self.plan) if first <= address <= last)
            reasons.append(f"the IP plan has {text} in {range_text(first, last)}")
        return reasons


@dataclass(frozen=True, slots=True)
class _Side:
    """One end of a flow, seen as the server."""

    name: str
    server: tuple[int, int]
    client: tuple[int, int]
    port: int
    protocol: int

    @property
    def text(self) -> str:
        return address_text(*self.server)

    def mismatch(self, rule: ServiceRule) -> list[str]:
        """Return what of the rule this end does not meet; empty where it fits."""
        faults = []
        if not _covers(rule.server, self.server):
            faults.append(f"{self.text} is not in {rule.server}")
        if rule.protocol is not None and rule.protocol != self.protocol:
            faults.append(f"protocol {_protocol(self.protocol)} is not {_protocol(rule.protocol)}")
        if _needs_ports(rule) and self.protocol not in _WITH_PORTS:
            faults.append(f"protocol {_protocol(self.protocol)} has no ports")
        elif not rule.port_low <= self.port <= rule.port_high:
            faults.append(f"port {self.port or 'unknown'} is not {_ports(rule)}")
        if rule.client is not None and not _covers(rule.client, self.client):
            faults.append(f"client {address_text(*self.client)} is not in {rule.client}")
        return faults


def _covers(prefix: Prefix, address: tuple[int, int]) -> bool:
    mapped = is_ipv4(128, (address[0] << 64) | address[1])
    return prefix.contains(*address) and mapped == is_ipv4(prefix.length, prefix.first)


def _needs_ports(rule: ServiceRule) -> bool:
    return rule.protocol is None and (rule.port_low, rule.port_high) != _ANY_PORT


def _owners(rules: Sequence[ServiceRule], businesses: Sequence[str]) -> Owners:
    number = {business: index for index, business in enumerate(businesses)}
    offsets, flat = [0], list[int]()
    for rule in rules:
        unknown = [business for business in rule.businesses if business not in number]
        if unknown:
            raise ValueError(f"rule {rule.id} belongs to {', '.join(unknown)}, which is no business")
        flat.extend([number[business] for business in dict.fromkeys(rule.businesses)] or [UNKNOWN_ID])
        offsets.append(len(flat))
    return Owners(np.array(offsets, np.int32), np.array(flat, np.int32))


def _rule_words(number: int, rule: ServiceRule, specific: int) -> tuple[int, int]:
    family = 0 if rule.client is None else 4 if is_ipv4(rule.client.length, rule.client.first) else 6
    protocol = 0 if rule.protocol is None else rule.protocol + 1
    terms = rule.port_low | rule.port_high << kernels.PORTS_SHIFT | protocol << kernels.PROTOCOL_SHIFT
    terms |= int(_needs_ports(rule)) << kernels.PORTED_SHIFT | family << kernels.FAMILY_SHIFT
    return terms, number | specific << kernels.SPECIFIC_SHIFT


def _client_line(client: Prefix | None) -> tuple[int, int, int, int]:
    if client is None:
        return 0, 0, 0, 0
    return *signed_halves(client.first), *signed_halves(client.last)


def _named(rule: ServiceRule) -> str:
    return f"{rule.id} ({rule.source})" if rule.source else rule.id


def _protocol(number: int) -> str:
    return f"{number} ({_PROTOCOLS[number]})" if number in _PROTOCOLS else str(number)


def _ports(rule: ServiceRule) -> str:
    return str(rule.port_low) if rule.port_low == rule.port_high else f"in {rule.port_low}-{rule.port_high}"


def _terms(rule: ServiceRule) -> str:
    terms = [f"server {rule.server}"]
    if rule.protocol is not None:
        terms.append(f"protocol {_protocol(rule.protocol)}")
    if (rule.port_low, rule.port_high) != _ANY_PORT:
        terms.append(f"port {_ports(rule).removeprefix('in ')}")
    if rule.client is not None:
        terms.append(f"client {rule.client}")
    return ", ".join(terms)


def _why_less(winner: ServiceRule, loser: ServiceRule) -> str:
    """Return the first term of precedence in which a rule loses."""
    best, other = specificity(winner), specificity(loser)
    if best == other:
        return f"it is as specific as {winner.id}; the earlier rule wins, and the destination before the source"
    term = next(position for position in range(len(best)) if best[position] != other[position])
    return (
        f"its server prefix {loser.server} is shorter than {winner.server}",
        f"its client prefix {loser.client or '(any)'} is shorter than {winner.client or '(any)'}",
        f"its port range ({loser.port_low}-{loser.port_high}) is wider",
        "it names no protocol",
    )[term]


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    Attribution(IpPlan.empty(), (), (), 0).attribute(FlowBatch.zeros(1))
