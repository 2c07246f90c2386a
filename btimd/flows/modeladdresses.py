"""Which addresses the model names: those of the nodes, from rules and from checks, and those of the rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from btimd.model.address import Prefix
from btimd.model.service import ServiceGraph, ServiceRule

_SINGLE: Final = 128
_WIDEST: Final = 112
"""A rule for more than 65536 IPv4 addresses says where traffic belongs, and not where a node is."""


class ModelAddresses:
    """The model, with the addresses of its nodes. A node's are those of the rules that name it, and of its checks.

    A business's are those of the rules that it owns. A check's host counts where it is written as an address. A node
    on which another one runs (host, network) has the addresses of its own checks only.
    """

    def __init__(self, graph: ServiceGraph, rules: Sequence[ServiceRule]) -> None:
        self.graph = graph
        self.rules = tuple(rules)
        self.prefixes: dict[str, tuple[Prefix, ...]] = {}
        found: dict[str, dict[Prefix, None]] = {}
        for rule in rules:
            for owner in (rule.node,) if rule.node is not None else rule.businesses:
                found.setdefault(owner, {})[rule.server] = None
        for check in graph.checks():
            try:
                found.setdefault(check.node, {})[Prefix.parse(check.host)] = None
            except ValueError:  # a name: nothing here resolves names
                continue
        for name, prefixes in found.items():
            narrow = tuple(prefix for prefix in prefixes if prefix.length >= _WIDEST)
            if narrow and name in graph.nodes:
                self.prefixes[name] = narrow
        self._single: dict[int, list[str]] = {}
        self._wide: list[tuple[int, int, str]] = []
        for name, prefixes_of_it in self.prefixes.items():
            for prefix in prefixes_of_it:
                if prefix.length == _SINGLE:
                    self._single.setdefault(prefix.first, []).append(name)
                else:
                    self._wide.append((prefix.first, prefix.last, name))

    def nodes_at(self, address: int) -> tuple[str, ...]:
        """Return the nodes and businesses that are at an address, a 128-bit number."""
        wide = [name for first, last, name in self._wide if first <= address <= last]
        return tuple(dict.fromkeys((*self._single.get(address, ()), *wide)))

    def component_at(self, addresses: Iterable[int]) -> str | None:
        """Return the node that all these addresses are of, None where there is none or only a business."""
        common: set[str] | None = None
        for address in addresses:
            names = {name for name in self.nodes_at(address) if name not in self.graph.businesses}
            common = names if common is None else common & names
        physical = {"host", "os", "network", "facility"}
        ordered = sorted(common or (), key=lambda name: (self.graph.nodes[name].kind.value in physical, name))
        return ordered[0] if ordered else None

    @property
    def ids(self) -> frozenset[str]:
        """All ids that are taken, in any table."""
        rules = (rule.id.partition("#")[0] for rule in self.rules)
        return frozenset((*self.graph.nodes, *rules, *(check.id for check in self.graph.checks())))

    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what needs what."""
        return {name: node.needs for name, node in self.graph.nodes.items()}


def reachable(needs: Mapping[str, Sequence[str]], start: str) -> frozenset[str]:
    """Return a node and all it needs, directly or not."""
    seen, work = {start}, [start]
    while work:
        for need in needs.get(work.pop(), ()):
            if need not in seen:
                seen.add(need)
                work.append(need)
    return frozenset(seen)
