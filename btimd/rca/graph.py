"""What a diagnosis asks of the service graph: what does this need, who needs it, which way leads to the cause."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Final

from btimd.model.service import Check, CheckKind, Closure, NodeKind, ServiceGraph

PHYSICAL_KINDS: Final = frozenset({NodeKind.NETWORK, NodeKind.OS, NodeKind.HOST, NodeKind.FACILITY})
"""What a process runs on. All other kinds are processes or stand for something that users see."""

LOGICAL_KINDS: Final = frozenset({NodeKind.BUSINESS, NodeKind.USER})
"""What is no component: such a node fails because of something it needs, modelled or not."""

_DNS_PORT: Final = 53


class GraphIndex:
    """A service graph with its answers remembered. Every answer is deterministic: ties follow the order of `needs`."""

    def __init__(self, graph: ServiceGraph) -> None:
        self.graph = graph
        self.checks: dict[str, Check] = {check.id: check for check in graph.checks()}
        self._serves: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for node in graph.nodes.values():
            for need in dict.fromkeys(node.needs):
                self._serves[need].append(node.id)
        self._naming = frozenset(
            node.id
            for node in graph.nodes.values()
            if node.kind not in PHYSICAL_KINDS | LOGICAL_KINDS
            and any(check.kind is CheckKind.DNS or check.port == _DNS_PORT for check in node.checks)
        )
        self._needs_closures: dict[str, tuple[str, ...]] = {}
        self._serves_closures: dict[str, tuple[str, ...]] = {}
        self._local_closures: dict[str, tuple[str, ...]] = {}
        self._distances: dict[str, dict[str, int]] = {}

    def needs(self, node: str) -> tuple[str, ...]:
        """Return what a node needs directly."""
        return self.graph.nodes[node].needs

    def served_by(self, node: str) -> tuple[str, ...]:
        """Return who needs a node directly."""
        return tuple(self._serves[node])

    def kind(self, node: str) -> NodeKind:
        """Return the layer of a node."""
        return self.graph.nodes[node].kind

    def is_physical(self, node: str) -> bool:
        """Tell whether a node is something that processes run on."""
        return self.kind(node) in PHYSICAL_KINDS

    def is_logical(self, node: str) -> bool:
        """Tell whether a node is no component: its own failure means something that the graph does not know."""
        return self.kind(node) in LOGICAL_KINDS

    def is_naming(self, node: str) -> bool:
        """Tell whether a node answers, or is an entry of, a name service."""
        return node in self._naming

    def is_record(self, node: str) -> bool:
        """Tell whether a node is an entry that a name service holds, not a process."""
        return node in self._naming and any(need in self._naming for need in self.needs(node))

    def is_virtual(self, node: str) -> bool:
        """Tell whether a check of the node really talks to what the node needs (a business, a name)."""
        return self.is_logical(node) or self.is_record(node)

    def needs_closure(self, node: str) -> tuple[str, ...]:
        """Return the node and all it needs, directly or not, nearest first."""
        found = self._needs_closures.get(node)
        if found is None:
            found = self._needs_closures[node] = tuple(self._distances_from(node))
        return found

    def serves_closure(self, node: str) -> tuple[str, ...]:
        """Return the node and all that need it, directly or not, nearest first."""
        found = self._serves_closures.get(node)
        if found is None:
            order = {node: None}
            queue = [node]
            for current in queue:
                for above in self._serves[current]:
                    if above not in order:
                        order[above] = None
                        queue.append(above)
            found = self._serves_closures[node] = tuple(order)
        return found

    def local_closure(self, node: str) -> tuple[str, ...]:
        """Return the node and what it runs on: hosts, systems, network and facilities, reached through such only.

        A virtual node has nothing of its own: what it needs directly stands in for it.
        """
        found = self._local_closures.get(node)
        if found is None:
            order = {node: None}
            queue = [node]
            for current in queue:
                through = self.is_virtual(current)
                for need in self.needs(current):
                    if (through or self.is_physical(need)) and need not in order:
                        order[need] = None
                        queue.append(need)
            found = self._local_closures[node] = tuple(order)
        return found

    def closure_of(self, check: Check) -> tuple[str, ...]:
        """Return the nodes that must work for a check to come out good."""
        return self.local_closure(check.node) if check.closure is Closure.LOCAL else self.needs_closure(check.node)

    def businesses_above(self, node: str) -> tuple[str, ...]:
        """Return the businesses that need a node (or are it), in the order of the graph."""
        above = set(self.serves_closure(node))
        return tuple(name for name in self.graph.businesses if name in above)

    @cached_property
    def needs_first(self) -> tuple[str, ...]:
        """All nodes so that every node comes after what it needs."""
        order: dict[str, None] = {}
        for root in self.graph.nodes:
            work = [(root, False)]
            while work:
                name, leaving = work.pop()
                if leaving:
                    order.setdefault(name)
                elif name not in order:
                    work.append((name, True))
                    work.extend((need, False) for need in self.needs(name) if need not in order)
        return tuple(order)

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """Of every node a number that is higher than that of everything it needs."""
        return {name: number for number, name in enumerate(self.needs_first)}

    def climb(self, names: Iterable[str], changed: Callable[[str], bool]) -> None:
        """Call `changed` with nodes, and with those above each that it says True of: once, after all that they need."""
        waiting = [(self.rank[name], name) for name in names]
        heapify(waiting)
        last = ""
        while waiting:
            _, name = heappop(waiting)
            if name == last:
                continue
            last = name
            if changed(name):
                for above in self._serves[name]:
                    heappush(waiting, (self.rank[above], above))

    @cached_property
    def businesses_of_all(self) -> Mapping[str, tuple[str, ...]]:
        """What businesses_above answers for every node: one pass over the graph, equal answers are shared."""
        names = tuple(self.graph.businesses)
        above = dict.fromkeys(self.graph.nodes, 0)
        for number, name in enumerate(names):
            above[name] = 1 << number
        for name in reversed(self.needs_first):
            bits = above[name]
            if bits:
                for need in self.needs(name):
                    above[need] |= bits
        told: dict[int, tuple[str, ...]] = {}
        for bits in above.values():
            if bits not in told:
                digits = f"{bits:b}"[::-1]
                told[bits] = tuple(name for name, digit in zip(names, digits, strict=False) if digit == "1")
        return {name: told[bits] for name, bits in above.items()}

    @cached_property
    def _user_nodes(self) -> Mapping[str, str]:
        return {node.region: node.id for node in self.graph.nodes.values() if node.region}

    def user_node(self, region: str) -> str | None:
        """Return the node through which the users of a region reach everything; None where the model does not say."""
        return self._user_nodes.get(region)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of which the model says what their users come through, in the order of the graph."""
        return tuple(self._user_nodes)

    def distance(self, start: str, cause: str) -> int | None:
        """Return how many needs lie between a node and something below it, None where there is no way."""
        return self._distances_from(start).get(cause)

    def _distances_from(self, start: str) -> dict[str, int]:
        found = self._distances.get(start)
        if found is None:
            found = self._distances[start] = {start: 0}
            queue = [start]
            for current in queue:
                for need in self.needs(current):
                    if need not in found:
                        found[need] = found[current] + 1
                        queue.append(need)
        return found

    def path(self, start: str, cause: str) -> tuple[str, ...]:
        """Return the shortest way from a node down to a cause along `needs`, empty where there is none."""
        if start not in self.graph.nodes or cause not in self.graph.nodes:
            return ()
        came_from: dict[str, str] = {start: start}
        queue = [start]
        for current in queue:
            if current == cause:
                steps = [cause]
                while steps[-1] != start:
                    steps.append(came_from[steps[-1]])
                return tuple(reversed(steps))
            for need in self.needs(current):
                if need not in came_from:
                    came_from[need] = current
                    queue.append(need)
        return ()
