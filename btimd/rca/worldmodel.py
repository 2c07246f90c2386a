"""What operators believe of a world: their model of it has gaps and errors, and the world does not care.

A Regime says how large they are, and how noisy the answers. `believed` makes the model of a true world.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.rca.world import BoolArray, Edges, Indicators, Probes, World


@dataclass(frozen=True, slots=True)
class Regime:
    """Errors of a model and noise of what is seen, as shares unless said otherwise.

    missing, wrong: edges of the kind "calls" that the model lacks, or leads to another node of the same kind.
    weight_error: half width of the error of a weight. prior_error: standard deviation of the logarithm of a prior.
    unprobed: nodes without a check of their own. gray: faults that show in part of what they touch only.
    false_alarms: checks may be bad without a reason. unknown: answers that do not come. passive_false_alarms:
    indicators that are bad without a reason.
    """

    missing: float = 0.0
    wrong: float = 0.0
    weight_error: float = 0.0
    prior_error: float = 0.0
    unprobed: float = 0.0
    gray: float = 0.0
    false_alarms: bool = False
    unknown: float = 0.0
    passive_false_alarms: float = 0.0


REGIMES: Final = {
    "clean": Regime(),
    "moderate": Regime(
        missing=0.05,
        wrong=0.02,
        weight_error=0.1,
        unprobed=0.1,
        gray=0.2,
        false_alarms=True,
        unknown=0.04,
        passive_false_alarms=0.003,
    ),
    "harsh": Regime(
        missing=0.1,
        wrong=0.05,
        weight_error=0.15,
        unprobed=0.2,
        gray=0.4,
        false_alarms=True,
        unknown=0.08,
        passive_false_alarms=0.01,
    ),
}
"""The regimes by name."""


def believed(world: World, regime: Regime, rng: np.random.Generator, *, hidden: Collection[int] = ()) -> World:
    """Return the model of a world; hidden nodes are not in it: who needs them seems to need what they need."""
    edges = _errors(world, regime, rng)
    if hidden:
        edges = _bypassed(edges, hidden)
    kept = np.ones(len(world), np.bool_)
    kept[list(hidden)] = False
    probed = kept & (rng.random(len(world)) >= regime.unprobed)
    prior = world.prior * np.exp(rng.normal(0.0, regime.prior_error, len(world)))
    rows = np.cumsum(kept) - 1
    return World(
        tuple(name for name, is_kept in zip(world.node_ids, kept, strict=True) if is_kept),
        world.kind_names,
        world.kind[kept],
        np.minimum(prior[kept], 0.1).astype(np.float32),
        _renumbered(edges, kept),
        _probes(world.probes, probed, rows, regime),
        Indicators(
            world.indicators.ids, world.indicators.start, rows[world.indicators.need].astype(np.int32)
        ),
    )  # fmt: skip


def _errors(world: World, regime: Regime, rng: np.random.Generator) -> Edges:
    edges, kind = world.edges, world.kind
    needing, to = edges.needing, edges.to.copy()
    calls = ~edges.physical
    # Services call each other: another target there could close a circle.
    movable = np.flatnonzero(calls & (kind[needing] != kind[to]) & (rng.random(len(edges)) < regime.wrong))
    for number in range(len(world.kind_names)):
        rows = np.flatnonzero(kind == number)
        same = movable[kind[edges.to[movable]] == number]
        if len(rows) > 1:
            # Never the true one: any of the others, counted from it.
            true = np.searchsorted(rows, edges.to[same])
            to[same] = rows[(true + rng.integers(1, len(rows), len(same))) % len(rows)]
    kept = ~(calls & (rng.random(len(edges)) < regime.missing))
    kept[kept] = _first_of_pairs(needing[kept], to[kept])
    error = rng.uniform(-regime.weight_error, regime.weight_error, len(edges))
    weight = np.clip(edges.weight + error, 0.05, 0.99)[kept].astype(np.float32)
    return Edges.of(len(world), needing[kept], to[kept], weight, edges.physical[kept])


def _first_of_pairs(needing: np.ndarray, to: np.ndarray) -> BoolArray:
    first = np.zeros(len(to), np.bool_)
    first[np.unique(needing.astype(np.int64) << 32 | to, return_index=True)[1]] = True
    return first


def _bypassed(edges: Edges, hidden: Collection[int]) -> Edges:
    """Return edges that pass by some nodes; those nodes have none any more."""
    below: dict[int, dict[int, tuple[float, bool]]] = {}
    above: dict[int, set[int]] = {node: set() for node in hidden}
    for needing, to, weight, physical in zip(
        edges.needing.tolist(), edges.to.tolist(), edges.weight.tolist(), edges.physical.tolist(), strict=True
    ):
        below.setdefault(needing, {}).setdefault(to, (weight, physical))
        if to in above:
            above[to].add(needing)
    for node in hidden:
        needs = below.pop(node, {})
        for to in needs:
            if to in above:
                above[to].discard(node)
        for needing in above[node]:
            weight, physical = below[needing].pop(node)
            for to, (further, further_physical) in needs.items():
                if to not in below[needing]:
                    below[needing][to] = (weight * further, physical and further_physical)
                    if to in above:
                        above[to].add(needing)
    rows = [(needing, to, *rest) for needing, needs in below.items() for to, rest in needs.items()]
    return Edges.of(
        len(edges.start) - 1,
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.bool_),
    )


def _renumbered(edges: Edges, kept: BoolArray) -> Edges:
    """Return the edges after nodes that have none were taken out."""
    rows = np.cumsum(kept) - 1
    start = np.concatenate([edges.start[:-1][kept], edges.start[-1:]]).astype(np.int32)
    return Edges(start, rows[edges.to].astype(np.int32), edges.weight, edges.physical)


def _probes(probes: Probes, probed: BoolArray, rows: np.ndarray, regime: Regime) -> Probes:
    kept = probed[probes.node]
    rate = probes.false_positive if regime.false_alarms else np.zeros(len(probes))
    return Probes(
        [name for name, is_kept in zip(probes.ids, kept, strict=True) if is_kept],
        rows[probes.node[kept]].astype(np.int32),
        probes.check_names,
        probes.check[kept],
        probes.cost[kept],
        probes.end_to_end[kept],
        probes.detects[kept],
        rate[kept].astype(np.float32),
    )
