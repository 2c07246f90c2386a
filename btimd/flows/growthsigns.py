"""Signs that a node of the model needs another: links, networks of regions, calls that no declared need explains."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_interface
from typing import Final

from btimd.flows.modeladdresses import ModelAddresses
from btimd.model.address import Prefix, address_halves
from btimd.model.discovery import FindingKind, ModelComparison
from btimd.model.growth import FoundNeed
from btimd.model.service import NodeKind, Provenance
from btimd.model.topology import Device, DeviceInterface, FactSource, Link
from btimd.model.units import MILLIS_PER_SECOND, UnixSeconds

_TOLD_ITSELF: Final = 0.97
_FORWARDED: Final = 0.95
_ROUTED: Final = 0.92
_ONE_OF_SEVERAL: Final = 0.5
_GUESSED_DIRECTION: Final = 0.4
_OF_CALLS: Final = 0.8
_BITS: Final = 128
_ORDER: Final = (NodeKind.NETWORK, NodeKind.HOST, NodeKind.OS)


def signs_of_links(
    model: ModelAddresses, devices: Sequence[Device], links: Sequence[Link], now: UnixSeconds
) -> tuple[FoundNeed, ...]:
    """Return which hosts need which switches, as links tell; a host that hangs on several needs none of them alone.

    Between two network devices a link does not tell who needs whom: the one with fewer links is taken for the one that
    needs, and never with a confidence that counts.
    """
    named = _Named(model, devices)
    below: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    between: set[tuple[str, str]] = set()
    for link in links:
        near, far = named.node(link.device), named.node(link.far_device)
        if near is None or far is None or near == far or model.graph.nodes[near].kind is not NodeKind.NETWORK:
            continue
        if model.graph.nodes[far].kind is NodeKind.NETWORK:
            between.add((min(near, far), max(near, far)))
            continue
        itself = {FactSource.LLDP, FactSource.CDP}.intersection(link.sources)
        sure = _ONE_OF_SEVERAL if link.ambiguous else _TOLD_ITSELF if itself else _FORWARDED
        at = link.last_seen_milliseconds / MILLIS_PER_SECOND or now
        below[far][near] = max(below[far].get(near, (0.0, 0.0)), (sure, at))
    found = []
    for host, switches in below.items():
        for switch, (sure, at) in switches.items():
            alone = sure if len(switches) == 1 else min(sure, _ONE_OF_SEVERAL)
            found.append(FoundNeed(host, switch, Provenance.TOPOLOGY, alone, at, len(switches)))
    degree: dict[str, int] = defaultdict(int)
    for pair in between:
        for name in pair:
            degree[name] += 1
    for first, second in between:
        lower, upper = sorted((first, second), key=lambda name: (degree[name], name))
        found.append(FoundNeed(lower, upper, Provenance.TOPOLOGY, _GUESSED_DIRECTION, now))
    return tuple(sorted(found, key=lambda one: (one.node, one.need)))


def signs_of_regions(
    model: ModelAddresses,
    devices: Sequence[Device],
    interfaces: Sequence[DeviceInterface],
    regions: Mapping[str, Sequence[Prefix]],
    now: UnixSeconds,
) -> tuple[FoundNeed, ...]:
    """Return which router the users of a region come through: the one that has an address in a network of theirs.

    Where several routers have one, users need none of them alone. regions: prefixes of the IP plan.
    """
    named = _Named(model, devices)
    places = {(prefix.first, prefix.length): region for region, prefixes in regions.items() for prefix in prefixes}
    lengths = sorted({length for _, length in places}, reverse=True)
    routers: dict[str, set[str]] = defaultdict(set)
    for one in interfaces:
        for network in _networks(one):
            region = _region_of(network, places, lengths)
            router = named.node(one.device) if region else None
            if router is not None and model.graph.nodes[router].kind is NodeKind.NETWORK:
                routers[region].add(router)
    found = []
    for region, several in routers.items():
        users = model.graph.user_node(region)
        if users is not None:
            sure = _ROUTED if len(several) == 1 else _ONE_OF_SEVERAL
            found += [FoundNeed(users.id, router, Provenance.TOPOLOGY, sure, now, len(several)) for router in several]
    return tuple(sorted(found, key=lambda one: (one.node, one.need)))


def _region_of(network: Prefix, places: Mapping[tuple[int, int], str], lengths: Sequence[int]) -> str:
    """Return the region of the narrowest prefix that holds a network, "" where there is none."""
    for length in lengths:
        if length <= network.length:
            spare = _BITS - length
            region = places.get((network.first >> spare << spare, length))
            if region is not None:
                return region
    return ""


def signs_of_calls(comparison: ModelComparison) -> tuple[FoundNeed, ...]:
    """Return who needs whom by traffic that no declared need explains. That one calls another is not yet a need."""
    return tuple(
        FoundNeed(
            one.from_id,
            one.to_id,
            Provenance.FLOWS,
            one.confidence * _OF_CALLS,
            one.last_seen_at if one.last_seen_at is not None else comparison.to_at,
            one.flows,
        )
        for one in comparison.findings
        if one.kind is FindingKind.UNDECLARED
    )


class _Named:
    """Finds the node that a device is: by its name in the model, or by an address; a word for two nodes is for none."""

    def __init__(self, model: ModelAddresses, devices: Iterable[Device]) -> None:
        self._model = model
        self._addresses = {device.name: device.addresses for device in devices}
        self._by_word: dict[str, set[str]] = defaultdict(set)
        for node in model.graph.nodes.values():
            if node.kind is not NodeKind.BUSINESS:
                for word in {node.id, node.name, node.device} - {""}:
                    self._by_word[word.lower()].add(node.id)
        self._known: dict[str, str | None] = {}

    def node(self, device: str) -> str | None:
        """Return the node of a device, or of a host that is known by name or address; None where none fits."""
        if device not in self._known:
            self._known[device] = self._find(device)
        return self._known[device]

    def _find(self, device: str) -> str | None:
        by_name = self._one(self._by_word.get(device.lower(), ()))
        if by_name is not None:
            return by_name
        found: set[str] = set()
        for text in self._addresses.get(device, (device,)):
            try:
                hi, lo = address_halves(text.partition("/")[0])
            except ValueError:
                continue
            found.update(self._model.nodes_at((hi << 64) | lo))
        return self._one(found)

    def _one(self, names: Iterable[str]) -> str | None:
        """Return the one node of the lowest layer there is; processes only where there is no machine."""
        nodes = [self._model.graph.nodes[name] for name in names if name not in self._model.graph.businesses]
        for kind in _ORDER:
            of_kind = [node.id for node in nodes if node.kind is kind]
            if of_kind:
                return of_kind[0] if len(of_kind) == 1 else None
        return nodes[0].id if len(nodes) == 1 else None


def _networks(interface: DeviceInterface) -> Iterator[Prefix]:
    for text in interface.addresses:
        try:
            yield Prefix.parse(str(ip_interface(text).network))
        except ValueError:
            continue
