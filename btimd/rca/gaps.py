"""What a model leaves open: parts that nobody asks, layers that are missing, and what businesses hang on alone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from btimd.model.service import Node, NodeKind, Rollup
from btimd.model.view import ViewState
from btimd.rca.graph import GraphIndex
from btimd.rca.likelyneeds import likely_needs
from btimd.rca.outage import Failing
from btimd.rca.rollup import REDUNDANT, SOFT, counted_needs, roll_up
from btimd.rca.strength import need_strength

_TOLD: Final = 5
_MOST_TRIED: Final = 5000
"""Nodes of several others that are tried out one by one."""
_FORGOTTEN: Final = 0.9
_LAYERS: Final[Mapping[str, frozenset[NodeKind]]] = {
    "application": frozenset({NodeKind.APPLICATION, NodeKind.MIDDLEWARE, NodeKind.DATABASE}),
    "host or operating system": frozenset({NodeKind.HOST, NodeKind.OS}),
    "network": frozenset({NodeKind.NETWORK}),
}


def single_points(index: GraphIndex) -> Mapping[str, tuple[str, ...]]:
    """Return the nodes that take a business down when they alone fail, each with the businesses above it.

    Businesses themselves are left out. Where very many nodes have several others above them, the rest is not tried
    out, and a single point that redundant nodes share may be missing.
    """
    return _tried_out(index)[0]


def fails_alone(index: GraphIndex) -> Collection[str] | None:
    """Return all single points; None where the model is too large to find them all."""
    found, is_complete = _tried_out(index)
    return found if is_complete else None


def _tried_out(index: GraphIndex) -> tuple[Mapping[str, tuple[str, ...]], bool]:
    """Return the single points, and whether these are all."""
    nodes = index.graph.nodes
    found = dict.fromkeys(index.graph.businesses)
    work = list(found)

    def spread() -> None:
        while work:
            for need in _hard_needs(nodes[work.pop()]):
                if need not in found:
                    found[need] = None
                    work.append(need)

    spread()
    failing = Failing(index)
    tried = 0
    for name in reversed(index.needs_first):  # from the top: what is below one that was found follows from it
        if name in found or len(index.served_by(name)) < 2 or not index.businesses_of_all[name]:  # noqa: PLR2004  several
            continue
        tried += 1
        if tried > _MOST_TRIED:
            break
        failing.fail((name,))
        if any(failing.state(business) is ViewState.BAD for business in index.businesses_of_all[name]):
            found[name] = None
            work.append(name)
            spread()
        failing.restore((name,))
    points = {
        name: index.businesses_of_all[name] for name in nodes if name in found and name not in index.graph.businesses
    }
    return points, tried <= _MOST_TRIED


def _hard_needs(node: Node) -> Iterator[str]:
    """Yield the needs that take a node down when they alone fail."""
    members = counted_needs(node)
    if node.rollup is Rollup.DEGRADE:
        return
    if node.rollup is Rollup.WORST:
        soft = {fact.node for fact in node.need_facts if fact.strength is not None and fact.strength < SOFT}
        yield from (need for need in members if need not in soft)
        return
    states = dict.fromkeys(members, ViewState.GOOD.value)
    for need in members:
        if roll_up(node, {**states, need: ViewState.BAD.value})[0] is ViewState.BAD:
            yield need


def gaps(index: GraphIndex) -> Iterator[str]:
    """Yield what a model leaves open, a sentence for each sort of gap; nothing of it is a mistake."""
    graph = index.graph
    parts = [node for node in graph.nodes.values() if node.id not in graph.businesses]
    asked = [node for node in parts if node.kind is not NodeKind.USER and node.rollup not in REDUNDANT]
    unasked = [node.id for node in asked if not node.checks]
    if unasked:
        what = "a diagnosis can only infer how they are"
        yield f"{len(unasked)} of {len(asked)} components have no check, so {what}: {_some(unasked)}"
    bare = [name for name in graph.businesses if not index.needs(name)]
    if bare:
        yield f"nothing is said of what {_some(bare)} {'stands' if len(bare) == 1 else 'stand'} on; write needs"
    yield from _missing_layers(index)
    unowned = [name for name, business in graph.businesses.items() if not business.owner]
    if unowned:
        yield f"nobody is named as owner of {_some(unowned)}"
    loose = [node.id for node in parts if not index.businesses_of_all[node.id] and node.kind is not NodeKind.USER]
    below_users = {name for region in index.regions for name in index.needs_closure(index.user_node(region) or "")}
    loose = [name for name in loose if name not in below_users]
    if loose:
        yield f"no business needs {_some(loose)}"
    forgotten = list(forgotten_needs(index))
    if forgotten:
        yield f"likely forgotten: {_some(forgotten, '; ')}"
    logical = {node.id for node in parts if node.rollup in REDUNDANT and not node.checks}
    alone = {name: above for name, above in single_points(index).items() if name not in logical}
    if alone:
        worst = sorted(alone, key=lambda name: -len(alone[name]))
        told = ", ".join(f"{name} ({_count(alone[name])})" for name in worst[:_TOLD])
        more = f" and {len(worst) - _TOLD} more" if len(worst) > _TOLD else ""
        yield f"single points of failure: {told}{more}; btimctl simulate outage NODE tells what fails with one"


def forgotten_needs(index: GraphIndex) -> Iterator[str]:
    """Yield needs that are likely missing, since twins of a node have them, surest first; in words."""
    names = list(index.graph.nodes)
    row = {name: number for number, name in enumerate(names)}
    kinds = {kind: number for number, kind in enumerate(NodeKind)}
    edges = [(name, need) for name in names for need in index.needs(name) if need in row]
    found = likely_needs(
        np.array([kinds[index.kind(name)] for name in names], np.int64),
        np.array([row[name] for name, _ in edges], np.int32),
        np.array([row[need] for _, need in edges], np.int32),
        np.array([need_strength(index.graph.nodes[name], need) for name, need in edges], np.float64),
        np.array([index.is_physical(need) for _, need in edges], np.bool_),
    )
    for number in np.argsort(-found.chance, kind="stable"):
        if found.chance[number] < _FORGOTTEN:
            return
        needing, to, like = (names[ends[number]] for ends in (found.needing, found.to, found.like))
        twin = f"the twin of {like}" if like in index.needs(needing) else f"as its twin {like} does"
        yield f"{needing} needs {to}, {twin}"


def _missing_layers(index: GraphIndex) -> Iterator[str]:
    missing: dict[str, list[str]] = {}
    for name in index.graph.businesses:
        if index.needs(name):
            kinds = _kinds_below(index, name)
            for layer, wanted in _LAYERS.items():
                if not kinds & wanted:
                    missing.setdefault(layer, []).append(name)
    for layer, names in missing.items():
        yield f"no {layer} is modelled below {_some(names)}"


def _kinds_below(index: GraphIndex, name: str) -> set[NodeKind]:
    seen, work, kinds = {name}, [name], set[NodeKind]()
    while work:
        for need in index.needs(work.pop()):
            if need not in seen:
                seen.add(need)
                kinds.add(index.kind(need))
                work.append(need)
    return kinds


def _count(businesses: Sequence[str]) -> str:
    return f"{len(businesses)} business{'es' if len(businesses) != 1 else ''}"


def _some(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - _TOLD
    return between.join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")
