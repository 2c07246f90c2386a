"""Whose message is it? Names and addresses -> the node of the model that stands for them."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from btimd.model.service import CheckKind, Node, NodeKind, ServiceGraph

_USUAL_ORDER: Final = (
    NodeKind.HOST, NodeKind.OS, NodeKind.NETWORK, NodeKind.FACILITY, NodeKind.DATABASE, NodeKind.MIDDLEWARE,
    NodeKind.APPLICATION, NodeKind.SHARED,
)  # fmt: skip
"""A device speaks of itself before it speaks of what runs on it."""
_NEVER: Final = frozenset({NodeKind.BUSINESS, NodeKind.USER})
_MOST_OF_A_HOST: Final = 64


def plain_host(text: str) -> str:
    """Return a name or address in the one form in which they are compared."""
    text = text.strip().rstrip(".").lower()
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


class Whose:
    """The nodes of a graph by their names, their checks' hosts, and the devices they stand for.

    devices: other names and addresses of a device, by its name: what SNMP told of it.
    """

    def __init__(self, graph: ServiceGraph, devices: Mapping[str, Iterable[str]] | None = None) -> None:
        self._graph = graph
        self._by_host: dict[str, list[str]] = {}
        self._by_interface: dict[tuple[str, str], str] = {}
        for node in graph.nodes.values():
            if node.kind in _NEVER:
                continue
            for host in {node.id, node.name, node.device, *(check.host for check in node.checks)}:
                self._add(host, node.id)
            for check in node.checks:
                if check.kind is CheckKind.INTERFACE:
                    for value in check.options.values():
                        self._by_interface.setdefault((plain_host(check.host), value.lower()), node.id)
        for name, others in (devices or {}).items():
            texts = [name, *others]
            nodes = {one for text in texts for one in self._by_host.get(plain_host(text), ())}
            for text in texts:
                for one in sorted(nodes):
                    self._add(text, one)

    def _add(self, host: str, node: str) -> None:
        key = plain_host(host)
        if not key:
            return
        for name in (key, key.partition(".")[0]) if not key[:1].isdigit() and ":" not in key else (key,):
            nodes = self._by_host.setdefault(name, [])
            if node not in nodes and len(nodes) < _MOST_OF_A_HOST:
                nodes.append(node)

    def node_of(self, hosts: Sequence[str], kinds: Sequence[NodeKind] = (), interface: str = "") -> str:
        """Return the node that a message about a host is about, "" where there is none."""
        for host in map(plain_host, hosts):
            own = self._by_interface.get((host, interface.lower())) if interface else None
            if own is not None:
                return own
            is_name = host and not host[:1].isdigit() and ":" not in host
            nodes = self._by_host.get(host) or (self._by_host.get(host.partition(".")[0]) if is_name else None)
            if nodes:
                return min(nodes, key=lambda one: self._rank(self._graph.nodes[one], host, kinds))
        return ""

    def nodes_of(self, hosts: Sequence[str]) -> tuple[str, ...]:
        """Return every node that one of these names or addresses stands for."""
        found = (one for host in hosts for one in self._by_host.get(plain_host(host), ()))
        return tuple(dict.fromkeys(found))

    @staticmethod
    def _rank(node: Node, host: str, kinds: Sequence[NodeKind]) -> tuple[int, int, int, str]:
        wanted = kinds.index(node.kind) if node.kind in kinds else len(kinds)
        named = 0 if plain_host(node.id) == host else 1
        usual = _USUAL_ORDER.index(node.kind) if node.kind in _USUAL_ORDER else len(_USUAL_ORDER)
        return wanted, named, usual, node.id
