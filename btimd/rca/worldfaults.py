"""Breaks things in a true world and writes down what can be seen of it.

Damage spreads from what is needed to who needs it. A need is damaged for an incident as a whole, or anew for every
observation, as the family's `luck` says: its weight w is split into w^luck, drawn once, and w^(1 - luck). What an
observation then shows is drawn once and stays, so asking again tells nothing new.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.rca.world import World
from btimd.rca.worldmodel import Regime

Chances = npt.NDArray[np.float64]

_HARD: Final = 1.0
_GRAY: Final = (0.45, 0.9)
_FLOW_NEEDS: Final = 0.97
_TRIES: Final = 20_000
_CHANGED_SHARE: Final = 0.002


@dataclass(frozen=True, slots=True)
class Luck:
    """What is drawn once for an incident. edge: float64[e], flow: float64[m], probe: float64[p], all in 0..1."""

    edge: Chances
    flow: Chances
    probe: Chances


class TrueWorld:
    """A world that breaks. luck: see Family."""

    def __init__(self, world: World, regime: Regime, *, luck: float) -> None:
        self.world = world
        self.regime = regime
        self.luck = luck

    @cached_property
    def _levels(self) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Per depth: its nodes, their edges, and for each of these the position of its node."""
        edges, depth = self.world.edges, self.world.depth
        levels = []
        of_edge = depth[edges.needing]
        for level in range(1, int(depth.max()) + 1):
            nodes = np.flatnonzero(depth == level)
            rows = np.flatnonzero(of_edge == level)
            levels.append((nodes, rows, np.searchsorted(nodes, edges.needing[rows])))
        return levels

    def damage(self, strength: Chances, weight: Chances) -> tuple[Chances, Chances]:
        """Return how likely each node is impaired, and how likely by what it needs: two float64[n].

        strength: float64[n], of the faults themselves. weight: float64[e].
        """
        impaired = strength.copy()
        below = np.zeros(len(self.world))
        to = self.world.edges.to
        for nodes, rows, position in self._levels:
            spared = np.log1p(-np.minimum(weight[rows] * impaired[to[rows]], 1.0 - 1e-12))
            below[nodes] = -np.expm1(np.bincount(position, weights=spared, minlength=len(nodes)))
            impaired[nodes] = 1.0 - (1.0 - strength[nodes]) * (1.0 - below[nodes])
        return impaired, below

    def draw_luck(self, rng: np.random.Generator) -> Luck:
        """Return what is drawn once for an incident."""
        world = self.world
        return Luck(rng.random(len(world.edges)), rng.random(len(world.indicators)), rng.random(len(world.probes)))

    def _weights(self, luck: Luck) -> Chances:
        weight = self.world.edges.weight.astype(np.float64)
        return np.where(luck.edge < weight**self.luck, weight ** (1.0 - self.luck), 0.0)

    def flows_bad(self, strength: Chances, luck: Luck, *, false_alarms: float) -> npt.NDArray[np.bool_]:
        """Return which indicators are bad: bool[m]."""
        impaired, _ = self.damage(strength, self._weights(luck))
        needs = self.world.indicators
        spared = np.log1p(-_FLOW_NEEDS * impaired[needs.need])
        good = np.exp(np.add.reduceat(spared, needs.start[:-1])) if len(needs) else np.ones(0)
        return luck.flow < 1.0 - (1.0 - false_alarms) * good

    def probes_bad(self, strength: Chances, luck: Luck) -> npt.NDArray[np.bool_]:
        """Return which probes are bad: bool[p]."""
        world, probes, weight = self.world, self.world.probes, self._weights(luck)
        _, below = self.damage(strength, weight)
        _, below_physical = self.damage(strength, np.where(world.edges.physical, weight, 0.0))
        seen = np.where(probes.end_to_end, below[probes.node], below_physical[probes.node])
        rate = probes.false_positive if self.regime.false_alarms else 0.0
        good = (1.0 - rate) * (1.0 - probes.detects * strength[probes.node]) * (1.0 - seen)
        return luck.probe < 1.0 - good


@dataclass(frozen=True, slots=True)
class Wanted:
    """What incidents to draw. among: rows that may be at fault, None for all. changes: half of the faults are due."""

    incidents: int
    faults: int
    among: npt.NDArray[np.int64] | None = None
    changes: bool = False


def draw_incidents(true: TrueWorld, model: World, wanted: Wanted, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the entries of a truth file over a model; every fault shows on one indicator at least."""
    return [_draw_incident(true, model, wanted, number, rng) for number in range(1, wanted.incidents + 1)]


def _draw_incident(
    true: TrueWorld, model: World, wanted: Wanted, number: int, rng: np.random.Generator
) -> dict[str, Any]:
    world, luck = true.world, true.draw_luck(rng)
    chance = world.prior.astype(np.float64)
    if wanted.among is not None:
        chance = np.zeros(len(world))
        chance[wanted.among] = world.prior[wanted.among]
    changed = _draw_changed(wanted, chance, rng)
    strength = np.zeros(len(world))
    for _ in range(_TRIES):
        if np.count_nonzero(strength) == wanted.faults:
            break
        due = len(changed) and rng.random() < 0.5  # noqa: PLR2004  half of the faults
        pool = np.zeros(len(world))
        pool[changed if due else slice(None)] = chance[changed if due else slice(None)]
        fault = int(rng.choice(len(world), p=pool / pool.sum()))
        if strength[fault]:
            continue
        alone = np.zeros(len(world))
        alone[fault] = rng.uniform(*_GRAY) if rng.random() < true.regime.gray else _HARD
        if true.flows_bad(alone, luck, false_alarms=0.0).any():
            strength[fault] = alone[fault]
    else:
        raise ValueError("no further fault shows on an indicator")
    return _entry(true, model, strength, luck, number=number, changed=changed, rng=rng)


def _draw_changed(wanted: Wanted, chance: Chances, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    if not wanted.changes:
        return np.empty(0, np.int64)
    number = max(5, int(rng.poisson(_CHANGED_SHARE * len(chance))))
    return rng.choice(np.flatnonzero(chance), number, replace=False).astype(np.int64)


def _entry(
    true: TrueWorld, model: World, strength: Chances, luck: Luck, *, number: int, changed: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    world = true.world
    flows = true.flows_bad(strength, luck, false_alarms=true.regime.passive_false_alarms)
    bad = true.probes_bad(strength, luck)
    unknown = rng.random(len(bad)) < true.regime.unknown
    known = model.probe_row
    ids = world.probes.ids
    outcomes = {
        ids[row]: "unknown" if unknown[row] else "bad"
        for row in np.flatnonzero(bad | unknown).tolist()
        if ids[row] in known
    }
    faults = np.flatnonzero(strength)
    entry: dict[str, Any] = {
        "id": number,
        "symptoms": [world.indicators.ids[row] for row in np.flatnonzero(flows).tolist()],
        "outcomes": outcomes,
        "causes": [world.node_ids[row] for row in faults.tolist()],
    }
    near = {name for fault in faults.tolist() if world.node_ids[fault] not in model.node_row
            for name in _neighbours(world, fault) if name in model.node_row}  # fmt: skip
    if near:
        entry["near"] = sorted(near)
    if len(changed):
        entry["changes"] = [world.node_ids[row] for row in np.sort(changed).tolist()
                            if world.node_ids[row] in model.node_row]  # fmt: skip
    return entry


def _neighbours(world: World, node: int) -> list[str]:
    edges = world.edges
    below = edges.to[edges.start[node] : edges.start[node + 1]]
    above = edges.needing[edges.to == node]
    return [world.node_ids[row] for row in (*below.tolist(), *above.tolist())]


def hidden_nodes(world: World, share: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return nodes that a model shall not know: a share of those that no indicator names."""
    free = np.setdiff1d(np.arange(len(world)), world.indicators.need)
    weights = world.prior[free].astype(np.float64)
    return np.sort(rng.choice(free, max(1, int(share * len(world))), replace=False, p=weights / weights.sum()))
