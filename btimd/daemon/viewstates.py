"""How a business and a group stand: the worst of what is known, and the rules by which members make up a group."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from btimd.model.ports import NodeState
from btimd.model.service import NodeKind, Rollup, ServiceGraph
from btimd.model.sla import Availability
from btimd.model.view import (
    STATE_COLOURS,
    BusinessGroup,
    GroupView,
    IndicatorRule,
    IndicatorState,
    LayerState,
    ViewState,
)
from btimd.settings.expressions import parse

_RANK: Final = {ViewState.GOOD: 0, ViewState.UNKNOWN: 1, ViewState.DEGRADED: 2, ViewState.BAD: 3}
_HALF: Final = 0.5
_QUARTER: Final = 0.25
_LAYERS: Final = tuple(kind for kind in NodeKind if kind is not NodeKind.BUSINESS)
"""From the user down to the facility, as a fault rises through them."""

Finding = tuple[ViewState, str]
"""A state and the sentence that says why."""


def worst(states: Iterable[ViewState]) -> ViewState:
    """Return the worst state, unknown where there is none; degraded and bad are worse than unknown."""
    return max(states, key=_RANK.__getitem__, default=ViewState.UNKNOWN)


def business_state(
    availability: Availability,
    indicators: Sequence[IndicatorState],
    components: Sequence[NodeState],
    deviations: Sequence[str],
) -> tuple[ViewState, tuple[str, ...]]:
    """Return the state of a business and why: its own key indicators first, then the operator's indicators.

    A component that is not good, and a deviation from what is usual, make a business degraded, not bad: whether it
    fails is for its key indicators to say. Without any of them it is unknown, whatever else is good. An indicator
    that is not known is told of, and speaks neither for nor against.
    """
    found: list[Finding] = []
    if availability is Availability.DOWN:
        found.append((ViewState.BAD, "its key indicators fail"))
    elif availability is Availability.UNKNOWN:
        found.append((ViewState.UNKNOWN, "no key indicator of its own tells whether it works"))
    untold = tuple(f"{one.name}: {one.text}" for one in indicators if one.state is ViewState.UNKNOWN)
    judged = [one for one in indicators if one.state in {ViewState.DEGRADED, ViewState.BAD}]
    found += [(one.state, f"{one.name}: {one.text}") for one in judged]
    found += [
        (ViewState.DEGRADED, f"{node.name} ({node.kind}) is {node.status}: {node.detail}".rstrip(": "))
        for node in components
        if node.own_health == "bad"
    ]
    found += [(ViewState.DEGRADED, text) for text in deviations]
    state = worst([ViewState.GOOD, *(state for state, _ in found)])
    return state, (*(text for _, text in sorted(found, key=lambda one: -_RANK[one[0]])), *untold)


def indicator_state(rule: IndicatorRule, figures: Mapping[str, float | None]) -> IndicatorState:
    """Return what an operator's indicator comes to; unknown where a figure it needs is not known."""
    unknown: list[str] = []
    for state, text in ((ViewState.BAD, rule.bad), (ViewState.DEGRADED, rule.degraded)):
        if not text:
            continue
        expression = parse(text)
        value = expression.evaluate(figures)
        told = ", ".join(f"{name} {_number(figures.get(name))}" for name in sorted(expression.names))
        if value is None:
            unknown.append(told)
        elif value:
            return IndicatorState(rule.id, rule.name, text, state, told)
    if unknown:
        return IndicatorState(rule.id, rule.name, rule.bad or rule.degraded, ViewState.UNKNOWN, unknown[0])
    return IndicatorState(rule.id, rule.name, rule.bad or rule.degraded, ViewState.GOOD, "")


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.6g}"


def layers_of(graph: ServiceGraph, business: str, states: Mapping[str, NodeState]) -> tuple[LayerState, ...]:
    """Return the layers a business stands on, from the user down, each with its nodes in the graph's order."""
    needed = needed_by(graph, business)
    layers = []
    for kind in _LAYERS:
        nodes = tuple(states[name] for name in needed if graph.nodes[name].kind is kind and name in states)
        if nodes:
            layers.append(LayerState(kind.value, worst(_state_of(node) for node in nodes), nodes))
    return tuple(layers)


def needed_by(graph: ServiceGraph, business: str) -> tuple[str, ...]:
    """Return every node that a business needs, directly or not, itself left out, in the order of the graph."""
    found: set[str] = set()
    work = [business]
    while work:
        for need in graph.nodes[work.pop()].needs:
            if need not in found:
                found.add(need)
                work.append(need)
    return tuple(name for name in graph.nodes if name in found)


def _state_of(node: NodeState) -> ViewState:
    return ViewState(node.status)


def deepest_fault(graph: ServiceGraph, layers: Sequence[LayerState]) -> str:
    """Return the bad node under which nothing is bad, in words; "" where there is none, or several."""
    bad = {node.node: node for layer in layers for node in layer.nodes if node.own_health == "bad"}
    deepest = [node for name, node in bad.items() if not bad.keys() & set(needed_by(graph, name))]
    return f"{deepest[0].kind}: {deepest[0].name} is bad, and nothing below it is" if len(deepest) == 1 else ""


def group_views(groups: Sequence[BusinessGroup], businesses: Mapping[str, ViewState]) -> tuple[GroupView, ...]:
    """Return all groups; a group may hold groups, which do not run in a circle."""
    by_id = {group.id: group for group in groups}
    done: dict[str, GroupView] = {}

    def view(group: BusinessGroup) -> GroupView:
        if group.id not in done:
            states = {
                member: view(by_id[member]).state if member in by_id else businesses.get(member, ViewState.UNKNOWN)
                for member in group.members
                if member not in group.ignore
            }
            done[group.id] = _group_view(group, states)
        return done[group.id]

    return tuple(view(group) for group in groups)


def _group_view(group: BusinessGroup, states: Mapping[str, ViewState]) -> GroupView:
    state = roll_up(group, states)
    colour, shape = STATE_COLOURS[state]
    reasons = tuple(f"{member} is {one.value}" for member, one in states.items() if one is not ViewState.GOOD)
    return GroupView(group.id, group.name, group.name_zh, group.rollup, group.members, state, colour, shape, reasons)


def roll_up(group: BusinessGroup, states: Mapping[str, ViewState]) -> ViewState:
    """Return the state that members' states make up by the rule of a group."""
    if not states:
        return ViewState.UNKNOWN
    match group.rollup:
        case Rollup.BEST:
            return min(states.values(), key=_RANK.__getitem__)
        case Rollup.DEGRADE:
            found = worst(states.values())
            return ViewState.DEGRADED if found is ViewState.BAD else found
        case Rollup.QUORUM:
            return _quorum(group.quorum, tuple(states.values()))
        case Rollup.WEIGHTED:
            return _weighted(group, states)
    return worst(states.values())


def _quorum(wanted: int, states: Sequence[ViewState]) -> ViewState:
    good = states.count(ViewState.GOOD)
    working = good + states.count(ViewState.DEGRADED)
    if good >= wanted:
        return ViewState.GOOD
    if working >= wanted:
        return ViewState.DEGRADED
    return ViewState.UNKNOWN if working + states.count(ViewState.UNKNOWN) >= wanted else ViewState.BAD


def _weighted(group: BusinessGroup, states: Mapping[str, ViewState]) -> ViewState:
    weights = {member: group.weights.get(member, 1.0) for member in states}
    total = sum(weights.values())
    share = {state: sum(weights[name] for name, one in states.items() if one is state) / total for state in ViewState}
    if share[ViewState.BAD] >= _HALF:
        return ViewState.BAD
    if share[ViewState.BAD] + share[ViewState.DEGRADED] >= _QUARTER:
        return ViewState.DEGRADED
    return ViewState.UNKNOWN if share[ViewState.UNKNOWN] >= _HALF else ViewState.GOOD
