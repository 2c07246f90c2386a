"""How a node stands by what it needs: its roll-up over the states of its needs, with the reason in words."""

from collections.abc import Mapping, Sequence
from typing import Final

from btimd.model.service import Node, Rollup
from btimd.model.view import ViewState

RANK: Final[Mapping[str, int]] = {
    ViewState.GOOD: 0, ViewState.UNKNOWN: 1, ViewState.DEGRADED: 2, ViewState.BAD: 3,
}  # fmt: skip
"""From best to worst; degraded and bad are worse than unknown, which is worse than good."""

REDUNDANT: Final = frozenset({Rollup.BEST, Rollup.QUORUM, Rollup.WEIGHTED})
"""Roll-ups of which some members may fail: the node is its members, as far as it has no check of its own."""

SOFT: Final = 0.5
"""A need that is less likely than this to pull down whoever has it degrades it only."""

_HALF: Final = 0.5
_QUARTER: Final = 0.25
_TOLD: Final = 5

Finding = tuple[ViewState, str]
"""A state and the sentence that says why, "" where there is nothing to say."""


def counted_needs(node: Node) -> tuple[str, ...]:
    """Return the needs that count, each once."""
    return tuple(dict.fromkeys(need for need in node.needs if need not in node.ignore))


def roll_up(node: Node, states: Mapping[str, str]) -> Finding:
    """Return how a node stands by its needs alone. states: of its needs at least; good where it needs nothing.

    Needs of unknown state are told of and never taken for good: where the answer hangs on them, it is unknown.
    """
    members = counted_needs(node)
    if not members:
        return ViewState.GOOD, ""
    match node.rollup:
        case Rollup.BEST:
            return _best(node, members, states)
        case Rollup.QUORUM:
            return _quorum(node, members, states)
        case Rollup.WEIGHTED:
            return _weighted(node, members, states)
    soft = {fact.node for fact in node.need_facts if fact.strength is not None and fact.strength < SOFT}
    mild = node.rollup is Rollup.DEGRADE
    found = ViewState.GOOD
    for need in members:
        state = ViewState(states[need])
        if state is ViewState.BAD and (mild or need in soft):
            state = ViewState.DEGRADED
        if RANK[state] > RANK[found]:
            found = state
    trouble = [need for need in members if states[need] in {ViewState.BAD, ViewState.DEGRADED}]
    return found, _are(trouble, states)


def _best(node: Node, members: Sequence[str], states: Mapping[str, str]) -> Finding:
    bad = [need for need in members if states[need] == ViewState.BAD]
    weak = [need for need in members if states[need] == ViewState.DEGRADED]
    good = [need for need in members if states[need] == ViewState.GOOD]
    unknown = [need for need in members if states[need] == ViewState.UNKNOWN]
    if len(bad) == len(members):
        return ViewState.BAD, f"{_names(bad)} {_verb(bad)} bad, and there is no other"
    if not good and not weak:
        return ViewState.UNKNOWN, _are([*bad, *unknown], states)
    if not bad and not weak:
        return ViewState.GOOD, _are(unknown, states)
    works = good or weak
    active = [need for need in works if need not in node.standby]
    troubled = [*bad, *weak]
    if node.standby and not active:
        return ViewState.DEGRADED, f"runs on standby {_names(works)}: {_are(troubled, states)}"
    if node.standby and set(troubled) <= set(node.standby):
        return ViewState.DEGRADED, f"standby {_are(troubled, states)}: nothing takes over if {_names(active)} fails"
    return ViewState.DEGRADED, f"{_are(troubled, states)}; carried by {_names(works)}"


def _quorum(node: Node, members: Sequence[str], states: Mapping[str, str]) -> Finding:
    count = {state: sum(states[need] == state for need in members) for state in ViewState}
    working = count[ViewState.GOOD] + count[ViewState.DEGRADED]
    troubled = [need for need in members if states[need] != ViewState.GOOD]
    text = f"{_are(troubled, states)}; {node.quorum} of {len(members)} are needed" if troubled else ""
    if count[ViewState.GOOD] >= node.quorum:
        return ViewState.GOOD, text
    if working >= node.quorum:
        return ViewState.DEGRADED, text
    return (ViewState.UNKNOWN if working + count[ViewState.UNKNOWN] >= node.quorum else ViewState.BAD), text


def _weighted(node: Node, members: Sequence[str], states: Mapping[str, str]) -> Finding:
    weights = {need: node.weights.get(need, 1.0) for need in members}
    total = sum(weights.values())
    share = {state: sum(weights[need] for need in members if states[need] == state) / total for state in ViewState}
    troubled = [need for need in members if states[need] != ViewState.GOOD]
    trouble = 1.0 - share[ViewState.GOOD]
    text = f"{_are(troubled, states)}: {trouble:.0%} of the weight" if troubled else ""
    if share[ViewState.BAD] >= _HALF:
        return ViewState.BAD, text
    if share[ViewState.BAD] + share[ViewState.UNKNOWN] >= _HALF:
        return ViewState.UNKNOWN, text
    if share[ViewState.BAD] + share[ViewState.DEGRADED] >= _QUARTER:
        return ViewState.DEGRADED, text
    return ViewState.GOOD, text


def _are(needs: Sequence[str], states: Mapping[str, str]) -> str:
    """Return "a, b are bad, c is unknown"."""
    parts = []
    for state in (ViewState.BAD, ViewState.DEGRADED, ViewState.UNKNOWN):
        those = [need for need in needs if states[need] == state]
        if those:
            parts.append(f"{_names(those)} {_verb(those)} {state.value}")
    return ", ".join(parts)


def _names(needs: Sequence[str]) -> str:
    more = len(needs) - _TOLD
    return ", ".join(needs[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _verb(needs: Sequence[str]) -> str:
    return "is" if len(needs) == 1 else "are"
