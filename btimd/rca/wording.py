"""A verdict in one English sentence."""

from collections.abc import Iterable, Sequence

from btimd.model.probe import ErrorClass
from btimd.model.verdict import Suspect, VerdictStatus
from btimd.rca.graph import GraphIndex


def summarise(
    index: GraphIndex,
    *,
    status: VerdictStatus,
    cause: str | None,
    own_error: ErrorClass,
    path: Sequence[str],
    ranked: Sequence[Suspect],
    symptom_nodes: Sequence[str],
    businesses: Sequence[str],
    condition: str,
    reason: str,
) -> str:
    """Return what happened, to whom, through what.

    own_error: what the cause's own check said, NONE where it said nothing bad. condition: how the businesses are by
    their symptoms, as "down". reason: why there is no certain cause, empty where there is.
    """
    hit = _hit(index, path=path, symptom_nodes=symptom_nodes, businesses=businesses, condition=condition)
    if status is VerdictStatus.NOT_CONFIRMED:
        probed = _names(index, dict.fromkeys(symptom_nodes))
        return f"probes of {probed} fail, but {reason}: the probes' own way is at fault"
    if status is VerdictStatus.UNKNOWN or cause is None:
        near = _names(index, dict.fromkeys(symptom_nodes))
        first = f"; first suspect {_label(index, ranked[0].node)} at {ranked[0].probability:.0%}" if ranked else ""
        return f"the cause of the trouble near {near} is not known: {reason}{first}{hit}"
    if status is VerdictStatus.SHORTLIST:
        others = ", ".join(f"{_label(index, suspect.node)} {suspect.probability:.0%}" for suspect in ranked)
        return f"not certain ({reason}), most likely: {others}{hit}"
    return f"{_label(index, cause)} {own_error.phrase}{hit}"


def _hit(
    index: GraphIndex, *, path: Sequence[str], symptom_nodes: Sequence[str], businesses: Sequence[str], condition: str
) -> str:
    if not businesses:
        return ""
    down = [name for name in businesses if name in symptom_nodes]
    if not down:
        return f"; {_names(index, businesses)} {'needs' if len(businesses) == 1 else 'need'} it"
    steps = [node for node in path if not index.is_logical(node)]
    through = f" through {' -> '.join(steps)}" if len(steps) > 1 else ""
    return f"; {_names(index, down)} {'is' if len(down) == 1 else 'are'} {condition}{through}"


def _names(index: GraphIndex, nodes: Iterable[str]) -> str:
    names = [_name(index, node) for node in nodes]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nobody"


def _name(index: GraphIndex, node: str) -> str:
    business = index.graph.businesses.get(node)
    if business is not None:
        return business.name
    known = index.graph.nodes.get(node)
    return known.name if known is not None and known.name else node


def _label(index: GraphIndex, node: str) -> str:
    name = _name(index, node)
    return f"{name} ({node})" if name != node else node
