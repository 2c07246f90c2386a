"""Which checks to run next: the most information about the cause for the load they put on their targets.

The value of a check is the mutual information between its outcome (good, or which error) and the node at fault, in
bits, divided by the square root of its cost. A batch is chosen greedily: each further check is judged by what it
would still tell after the ones before it (their good/bad answers averaged over), so a batch does not ask the same
question twice.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.model.service import Check
from btimd.rca.evidence import EvidenceModel, FloatArray
from btimd.rca.graph import GraphIndex

LIVE_PROBABILITY: Final = 0.01
"""Suspects below this are not counted when people are told how many are left."""

_MAX_POOL: Final = 96
_WIDEN_TOP: Final = 20
_REPEATS_THE_FIRST: Final = 0.12
"""A further check of a batch must still tell this share of what the first one does."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A check to run, what it is expected to tell in bits, and why it was chosen, in words."""

    check: Check
    gain_bits: float
    why: str


def probe_pool(index: GraphIndex, nodes: Sequence[str], weights: FloatArray) -> list[Check]:
    """Return the checks worth weighing: the candidates' own, and those of the direct users of the likeliest ones.

    nodes, weights: the candidates and their probabilities. Likeliest first, bounded, without repetition.
    """
    order = np.argsort(-weights, kind="stable")
    pool: dict[str, Check] = {}
    for position in order:
        for check in index.graph.nodes[nodes[position]].checks:
            pool.setdefault(check.id, check)
    for position in order[:_WIDEN_TOP]:
        for user in index.served_by(nodes[position]):
            for check in index.graph.nodes[user].checks:
                pool.setdefault(check.id, check)
    return list(pool.values())[:_MAX_POOL]


def choose_batch(
    model: EvidenceModel,
    posterior: FloatArray,
    pool: Iterable[Check],
    *,
    size: int,
    min_gain_bits: float,
    avoid_nodes: Collection[str] = (),
) -> list[Choice]:
    """Return up to `size` checks of distinct nodes, best first; empty where none tells min_gain_bits.

    posterior: float64[h] over the model's hypotheses. avoid_nodes: targets that are being asked right now.
    """
    checks = [check for check in pool if check.node not in avoid_nodes]
    if not checks:
        return []
    outcomes = [_outcomes_by_node(model, posterior, check) for check in checks]
    suspects = live_suspects(model, posterior)
    branches = [model.hypotheses.by_node(posterior)]
    chosen: list[Choice] = []
    taken: set[str] = set()
    first_gain = 0.0
    while len(chosen) < size:
        best, best_value, best_gain = -1, 0.0, 0.0
        for position, check in enumerate(checks):
            if check.node in taken:
                continue
            gain = sum(_information(branch, outcomes[position]) for branch in branches)
            value = gain / max(check.cost, 0.01) ** 0.5
            if value > best_value + 1e-12:
                best, best_value, best_gain = position, value, gain
        first_gain = first_gain or best_gain
        if best < 0 or best_gain < max(min_gain_bits, _REPEATS_THE_FIRST * first_gain):
            break
        check = checks[best]
        taken.add(check.node)
        why = f"splits {suspects} suspects: expected {best_gain:.2f} bit for cost {check.cost:g}"
        chosen.append(Choice(check, best_gain, why))
        good = outcomes[best][:, 0]
        branches = [part for branch in branches for part in (branch * good, branch * (1.0 - good))]
    return chosen


def choose_confirmation(
    model: EvidenceModel, posterior: FloatArray, node: str, askable: Iterable[Check]
) -> Choice | None:
    """Return the node's own check that would show its fault most surely, None where it has none left to ask."""
    best: Choice | None = None
    best_key = (0.0, 0.0)
    position = model.hypotheses.nodes.index(node)
    by_node = model.hypotheses.by_node(posterior)
    for check in askable:
        if check.node != node:
            continue
        outcomes = _outcomes_by_node(model, posterior, check)
        key = (round(1.0 - float(outcomes[position, 0]), 6), -check.cost)
        if best is None or key > best_key:
            gain = _information(by_node, outcomes)
            why = (
                f"settles whether it is {node}, now at {100 * float(by_node[position]):.0f} %: "
                f"expected {gain:.2f} bit for cost {check.cost:g}"
            )
            best, best_key = Choice(check, gain, why), key
    return best


def live_suspects(model: EvidenceModel, posterior: FloatArray) -> int:
    """Return how many nodes are still suspected."""
    return int((model.hypotheses.by_node(posterior) >= LIVE_PROBABILITY).sum())


def _outcomes_by_node(model: EvidenceModel, posterior: FloatArray, check: Check) -> FloatArray:
    """Return P(outcome | node): float64[c, OUTCOMES], the modes weighed as they are believed now."""
    hypotheses = model.hypotheses
    joint = model.table(check) * posterior[:, None]
    summed = np.zeros((len(hypotheses.nodes), joint.shape[1]))
    np.add.at(summed, hypotheses.node_of, joint)
    mass = summed.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(summed, mass, out=np.full_like(summed, 1.0 / joint.shape[1]), where=mass > 0))


def _information(weights: FloatArray, outcomes: FloatArray) -> float:
    """Return the mutual information of node and outcome in bits, times the mass of `weights` (float64[c])."""
    mass = float(weights.sum())
    if mass <= 0.0:
        return 0.0
    joint = weights[:, None] * outcomes
    marginal = joint.sum(axis=0) / mass
    conditional = float((weights * _entropy(outcomes)).sum())
    return max(mass * float(_entropy(marginal[None, :])[0]) - conditional, 0.0)


def _entropy(rows: FloatArray) -> FloatArray:
    logs = np.log2(rows, out=np.zeros_like(rows), where=rows > 0)
    return np.asarray(-(rows * logs).sum(axis=1), np.float64)
