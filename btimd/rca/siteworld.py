"""The site's own service graph as a world, so that the diagnosis can be tried on it before anything breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.model.service import CheckKind, Closure, Depth, NodeKind, ServiceGraph, depth_of
from btimd.rca.graph import GraphIndex
from btimd.rca.likelihood import BASE_PRIOR, KIND_ODDS
from btimd.rca.reach import Reach
from btimd.rca.strength import need_strength
from btimd.rca.world import Edges, Indicators, Probes, World

_STRENGTH: Final = 0.95
_DETECTS: Final[Mapping[Depth, float]] = {Depth.ECHO: 0.5, Depth.CONNECT: 0.6, Depth.DIALOGUE: 0.95, Depth.STATE: 0.5}
_FALSE_POSITIVE: Final = 0.01


def site_world(graph: ServiceGraph) -> World:
    """Return the world of a service graph.

    Needs are as strong as roll-ups and what is known of them make them. Indicators are the users' traffic of
    every business, named after it, and the key indicators that look end to end, named after their check; every check
    is a probe.
    """
    index = GraphIndex(graph)
    nodes = list(graph.nodes.values())
    row = {node.id: number for number, node in enumerate(nodes)}
    needs = [(node.id, need) for node in nodes for need in dict.fromkeys(node.needs)]
    kinds = tuple(kind.value for kind in NodeKind)
    prior = [node.prior if node.prior is not None else BASE_PRIOR * KIND_ODDS[node.kind] for node in nodes]
    edges = Edges.of(
        len(nodes),
        np.array([row[node] for node, _ in needs], np.int32),
        np.array([row[need] for _, need in needs], np.int32),
        np.array([_STRENGTH * need_strength(graph.nodes[node], need) for node, need in needs], np.float32),
        # A check of something virtual talks to what stands for it: that counts as running on it.
        np.array([index.is_physical(need) or index.is_virtual(node) for node, need in needs], np.bool_),
    )
    kind = np.array([kinds.index(node.kind.value) for node in nodes], np.int16)
    return World(
        tuple(row), kinds, kind, np.array(prior, np.float32), edges, _probes(graph, row), _indicators(graph, row)
    )


def _probes(graph: ServiceGraph, row: Mapping[str, int]) -> Probes:
    checks = list(graph.checks())
    names = tuple(kind.value for kind in CheckKind)
    return Probes(
        [check.id for check in checks],
        np.array([row[check.node] for check in checks], np.int32),
        names,
        np.array([names.index(check.kind.value) for check in checks], np.int16),
        np.array([check.cost for check in checks], np.float32),
        np.array([check.closure is Closure.FULL for check in checks], np.bool_),
        np.array([_DETECTS[depth_of(check.kind)] for check in checks], np.float32),
        np.full(len(checks), _FALSE_POSITIVE, np.float32),
    )


def _indicators(graph: ServiceGraph, row: Mapping[str, int]) -> Indicators:
    watched = {business: business for business in graph.businesses}
    for check in graph.checks():
        if check.is_key_indicator and check.closure is Closure.FULL:
            watched.setdefault(check.id, check.node)
    need = np.array([row[node] for node in watched.values()], np.int32)
    return Indicators(list(watched), np.arange(len(need) + 1, dtype=np.int32), need)


@dataclass(frozen=True, slots=True)
class BlindSpots:
    """What no diagnosis can do on a world, whatever it asks; ids of nodes.

    unnoticed: a fault there makes no indicator bad. unprobed: no probe asks the node itself. alike: groups of nodes
    whose faults look the same to every probe and indicator, so that only the group can be named.
    """

    unnoticed: tuple[str, ...]
    unprobed: tuple[str, ...]
    alike: tuple[tuple[str, ...], ...]


def blind_spots(world: World) -> BlindSpots:
    """Return what cannot be noticed, asked or told apart."""
    reach = Reach(world)
    noticed: set[int] = set()
    seen_by: list[list[tuple[int, float]]] = [[] for _ in range(len(world))]
    for indicator in range(len(world.indicators)):
        for node, chance in reach.of_indicator(indicator).items():
            noticed.add(node)
            seen_by[node].append((-1 - indicator, round(chance, 1)))
    for probe in range(len(world.probes)):
        for node, chance in reach.of_probe(probe).items():
            seen_by[node].append((probe, round(chance, 1)))
    groups: dict[tuple[tuple[int, float], ...], list[int]] = {}
    for node in sorted(noticed):
        groups.setdefault(tuple(seen_by[node]), []).append(node)
    probed = set(world.probes.node.tolist())
    return BlindSpots(
        _names(world, [node for node in range(len(world)) if node not in noticed]),
        _names(world, [node for node in range(len(world)) if node not in probed]),
        tuple(_names(world, group) for group in groups.values() if len(group) > 1),
    )


def _names(world: World, nodes: Sequence[int]) -> tuple[str, ...]:
    return tuple(world.node_ids[node] for node in nodes)
