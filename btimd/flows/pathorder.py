"""The order of the hops of a business: from its users towards its servers, as far as links and addresses tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_interface
from typing import Final

from btimd.flows.projection import DIRECTIONS
from btimd.flows.topology import Edge
from btimd.model.address import Prefix
from btimd.model.topology import DeviceFacts, PathHop

_ANYWHERE: Final = (Prefix.parse("0.0.0.0/0"), Prefix.parse("::/0"))
End = tuple[str, int]
"""Device and ifIndex."""


def towards_servers(hops: Sequence[PathHop], edges: Iterable[Edge], at_servers: Iterable[End]) -> list[PathHop]:
    """Return hops from the users' side to the servers', each with how many lines lie between its device and these.

    at_servers: interfaces on whose network servers are. Devices that no line joins to one of those come last, most
    traffic first. Within a device the interfaces towards the servers come last.
    """
    near_servers = frozenset(at_servers)
    distance, onward = _distances(edges, near_servers)
    traffic: dict[str, int] = defaultdict(int)
    for hop in hops:
        traffic[hop.device] += hop.octets

    def key(hop: PathHop) -> tuple[object, ...]:
        away = distance.get(hop.device)
        by_links = (1, 0) if away is None else (0, -away)
        return (
            *by_links, -traffic[hop.device], hop.device, (hop.device, hop.interface) in onward, -hop.octets,
            hop.interface, hop.direction != DIRECTIONS[0],
        )  # fmt: skip

    return [replace(hop, lines_to_servers=distance.get(hop.device)) for hop in sorted(hops, key=key)]


def server_interfaces(facts: Mapping[str, DeviceFacts], servers: Iterable[Prefix]) -> set[End]:
    """Return the interfaces whose network has addresses of these prefixes; what is anywhere tells nothing."""
    wanted = [prefix for prefix in servers if prefix not in _ANYWHERE]
    found = set()
    for name, one in facts.items():
        for port in one.interfaces:
            for text in port.addresses:
                try:
                    network = Prefix.parse(str(ip_interface(text).network))
                except ValueError:
                    continue
                if any(network.first <= prefix.last and prefix.first <= network.last for prefix in wanted):
                    found.add((name, port.index))
    return found


def _distances(edges: Iterable[Edge], at_servers: frozenset[End]) -> tuple[dict[str, int], set[End]]:
    """Return how many lines each device is away from servers, and the interfaces that lead there."""
    lines: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for edge in edges:
        lines[edge.device].append((edge.index, edge.far_device, edge.far_index))
        lines[edge.far_device].append((edge.far_index, edge.device, edge.index))
    distance = {name: 0 for name, _ in at_servers}
    onward = set(at_servers)
    reached = sorted(distance)
    while reached:
        further = []
        for name in reached:
            for _, other, index in lines[name]:
                if other not in distance:
                    distance[other] = distance[name] + 1
                    further.append(other)
                if distance[other] == distance[name] + 1:
                    onward.add((other, index))
        reached = further
    return distance, onward
