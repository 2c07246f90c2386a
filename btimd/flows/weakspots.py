"""Weak spots: nodes that businesses hang on, which have no stand-in, no check, or were the cause before.

A need is a need: a node fails with each thing it needs. So every node below a business takes it down, unless it stands
for several servers, or the roll-ups of the model say that others stand in for it; those are followed elsewhere. What
weighs is who is hit: the criticality of the businesses, and the users on line now.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from btimd.flows.modeladdresses import ModelAddresses, reachable
from btimd.model.discovery import PastCauses, WeakReason, WeakSpot
from btimd.model.service import Criticality, Node, NodeKind
from btimd.model.verdict import Verdict, VerdictStatus

CRITICALITY_WEIGHT: Final[Mapping[Criticality, float]] = {
    Criticality.CRITICAL: 8.0,
    Criticality.HIGH: 4.0,
    Criticality.NORMAL: 2.0,
    Criticality.LOW: 1.0,
}
_SINGLE_FACTOR: Final = 2.0
_SINGLE_LENGTH: Final = 128
_SHOWN: Final = 6


def weak_spots(
    model: ModelAddresses,
    users: Mapping[str, int | None],
    past: PastCauses | None = None,
    alone: Collection[str] | None = None,
) -> list[WeakSpot]:
    """Return every node that a business needs, the most important one first (D01), with what makes it weak (B14).

    users: on line now by business; a business that is missing, or None, is not measured. alone: nodes that by the
    roll-ups of the model take a business down alone, None where nobody has followed them.
    """
    graph = model.graph
    needs = model.needs()
    above: dict[str, list[str]] = {}
    order = {criticality: rank for rank, criticality in enumerate(CRITICALITY_WEIGHT)}
    for business in sorted(graph.businesses, key=lambda name: order[graph.businesses[name].criticality]):
        for node in reachable(needs, business):
            if node not in graph.businesses:
                above.setdefault(node, []).append(business)
    total = sum(number for number in users.values() if number)
    past = past or PastCauses()
    found = [
        _spot(model, graph.nodes[node], businesses, users, total, past, spared=alone is not None and node not in alone)
        for node, businesses in above.items()
    ]
    return sorted(found, key=lambda one: (-one.score, -one.verdicts, one.node))


def past_causes(verdicts: Sequence[Verdict]) -> PastCauses:
    """Return how often each node was found to be the cause, and how long finding it took."""
    counts: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for verdict in verdicts:
        if verdict.status is VerdictStatus.CAUSE_FOUND and verdict.cause is not None:
            counts[verdict.cause] = counts.get(verdict.cause, 0) + 1
            seconds[verdict.cause] = seconds.get(verdict.cause, 0.0) + verdict.seconds_taken
    return PastCauses(counts, seconds)


def _spot(
    model: ModelAddresses,
    node: Node,
    businesses: Sequence[str],
    users: Mapping[str, int | None],
    total: int,
    past: PastCauses,
    *,
    spared: bool,
) -> WeakSpot:
    prefixes = model.prefixes.get(node.id, ())
    # a network or a building is no number of servers; who has no address is not known to have a second one
    several = len(prefixes) > 1 or any(prefix.length < _SINGLE_LENGTH for prefix in prefixes)
    known = bool(prefixes) or node.kind in {NodeKind.NETWORK, NodeKind.HOST, NodeKind.OS, NodeKind.FACILITY}
    single = known and not several and not spared
    measured = [number for name in businesses if (number := users.get(name)) is not None]
    weight = 0.0
    for name in businesses:
        share = (users.get(name) or 0) / total if total else 0.0
        weight += CRITICALITY_WEIGHT[model.graph.businesses[name].criticality] * (1 + share)
    verdicts = past.verdicts.get(node.id, 0)
    reasons = [
        reason
        for reason, holds in (
            (WeakReason.SINGLE_POINT, single),
            (WeakReason.UNWATCHED, not node.checks),
            (WeakReason.FREQUENT_CAUSE, verdicts > 0),
        )
        if holds
    ]
    return WeakSpot(
        node=node.id,
        kind=node.kind,
        name=node.name,
        reasons=tuple(reasons) or (WeakReason.IMPORTANT,),
        businesses=tuple(businesses),
        users=sum(measured) if measured else None,
        score=weight * (_SINGLE_FACTOR if single else 1.0),
        servers=tuple(str(prefix) for prefix in prefixes),
        checks=len(node.checks),
        verdicts=verdicts,
        diagnosis_seconds=past.seconds.get(node.id, 0.0),
        text=_text(node, businesses, single=single, several=several, spared=spared, verdicts=verdicts),
    )


def _text(node: Node, businesses: Sequence[str], *, single: bool, several: bool, spared: bool, verdicts: int) -> str:
    more = f" and {len(businesses) - _SHOWN} more" if len(businesses) > _SHOWN else ""
    hit = f"{', '.join(businesses[:_SHOWN])}{more}"
    verb = "need" if spared else "fail"
    parts = [f"{hit} {verb if len(businesses) > 1 else f'{verb}s'} {'it' if spared else 'with it'}"]
    if spared:
        parts.append("none of them fails with it alone")
    elif single:
        parts.append("nothing stands in for it")
    elif several:
        parts.append("it has several servers")
    else:
        parts.append("whether it has a second server is not known: it has no address")
    if not node.checks:
        parts.append("no check asks it")
    if verdicts:
        parts.append(f"it was the cause {'once' if verdicts == 1 else f'{verdicts} times'}")
    return "; ".join(parts)
