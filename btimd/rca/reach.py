"""What a question can see: the nodes below it, each with the best way to it (largest product of weights)."""

import heapq
from typing import Final

from btimd.rca.world import World

CUT: Final = 0.05
"""Ways that carry less are left out."""


class Reach:
    """Closures of nodes over a world, kept once made."""

    def __init__(self, world: World) -> None:
        self._world = world
        edges = world.edges
        self._start = edges.start.tolist()
        self._to = edges.to
        self._weight = edges.weight
        self._physical = edges.physical
        self._kept: dict[tuple[int, bool], dict[int, float]] = {}

    def below(self, node: int, *, physical: bool = False) -> dict[int, float]:
        """Return node -> weight of what a node stands on, itself with 1; physical: only what it runs on."""
        key = (node, physical)
        if key not in self._kept:
            self._kept[key] = self._walk(node, physical=physical)
        return self._kept[key]

    def of_probe(self, probe: int) -> dict[int, float]:
        """Return node -> chance that a fault there makes this probe bad."""
        probes = self._world.probes
        node = int(probes.node[probe])
        return {**self.below(node, physical=not probes.end_to_end[probe]), node: float(probes.detects[probe])}

    def of_indicator(self, indicator: int) -> dict[int, float]:
        """Return node -> chance that a fault there makes this indicator bad."""
        found: dict[int, float] = {}
        for node in self._world.indicators.needs_of(indicator).tolist():
            for other, weight in self.below(node).items():
                found[other] = max(weight, found.get(other, 0.0))
        return found

    def needs(self, node: int) -> list[int]:
        """Return the nodes that a node needs directly."""
        return list(dict.fromkeys(self._to[self._start[node] : self._start[node + 1]].tolist()))

    def _walk(self, node: int, *, physical: bool) -> dict[int, float]:
        done: dict[int, float] = {}
        waiting = [(-1.0, node)]
        while waiting:
            negative, at = heapq.heappop(waiting)
            if at in done:
                continue
            done[at] = -negative
            first, last = self._start[at], self._start[at + 1]
            columns = (self._to[first:last], self._weight[first:last], self._physical[first:last])
            for to, weight, runs_on in zip(*(column.tolist() for column in columns), strict=True):
                further = -negative * weight
                if further >= CUT and to not in done and (runs_on or not physical):
                    heapq.heappush(waiting, (-further, to))
        return done
