"""How surely the one that needs suffers when one of its needs fails: redundancy, roll-ups and doubt in numbers."""

from typing import Final

from btimd.model.service import Node, Rollup

_SPARES: Final = (1.0, 0.45, 0.3, 0.2)
"""P(the one that needs suffers) by how many more may fail before it must; a failed-over client still feels it."""
_DEGRADED: Final = 0.6
_STANDBY: Final = 0.05
_HALF: Final = 0.5
_QUARTER: Final = 0.25


def need_strength(node: Node, need: str) -> float:
    """Return P(node suffers | only this need has failed), before what its kind and the check at hand make of it.

    What the operator wrote goes before what follows from the roll-up; a need that was only found counts as much as it
    is certain.
    """
    if need in node.ignore:
        return 0.0
    facts = next((one for one in node.need_facts if one.node == need), None)
    doubt = facts.confidence if facts is not None else 1.0
    if facts is not None and facts.strength is not None:
        return facts.strength * doubt
    if need in node.standby:
        return _STANDBY * doubt
    return _by_rollup(node, need) * doubt


def _by_rollup(node: Node, need: str) -> float:
    members = [one for one in node.needs if one not in node.ignore]
    match node.rollup:
        case Rollup.WORST:
            return 1.0
        case Rollup.DEGRADE:
            return _DEGRADED
        case Rollup.WEIGHTED:
            total = sum(node.weights.get(one, 1.0) for one in members)
            share = node.weights.get(need, 1.0) / total
            return 1.0 if share >= _HALF else _DEGRADED if share >= _QUARTER else share
        case _:
            needed = node.quorum if node.rollup is Rollup.QUORUM else 1
            spares = len(members) - needed
    return _SPARES[min(max(spares, 0), len(_SPARES) - 1)]
