"""The part of the graph that a diagnosis went through, small enough to be drawn."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from btimd.model.diagnosis import NodePart, StoryEdge, StoryNode
from btimd.model.probe import Health
from btimd.model.symptom import Symptom
from btimd.model.verdict import Verdict
from btimd.rca.graph import GraphIndex

MOST_NODES: Final = 60
_MOST_BUSINESSES: Final = 8
_SUSPECTED: Final = 0.02


def picture(
    index: GraphIndex, verdict: Verdict, symptoms: Sequence[Symptom]
) -> tuple[tuple[StoryNode, ...], tuple[StoryEdge, ...], int]:
    """Return the nodes in the order of the graph, what they need of each other, and how many did not fit."""
    nodes = index.graph.nodes
    path = [node for node in verdict.path if node in nodes]
    ways = pairwise(verdict.path)
    shown: dict[str, None] = dict.fromkeys(path)
    left_out: set[str] = set()
    quiet = {line.node for line in verdict.evidence} - {*verdict.symptom_nodes, *verdict.causes, *verdict.path}
    quiet -= {line.node for line in verdict.evidence if line.health is Health.BAD}
    for node in _that_matter(verdict):
        if node not in nodes or node in shown:
            continue
        way = _way(index, verdict, node)
        if len(way) == 1 and node in quiet:
            continue  # it was known and has nothing to do with it
        more = [one for one in way if one not in shown]
        if len(shown) + len(more) > MOST_NODES:
            left_out.add(node)
        else:
            shown.update(dict.fromkeys(more))
    on_path = {(above, below) for above, below in ways if above in shown and below in shown}
    edges = {(node, need): (node, need) in on_path for node in shown for need in nodes[node].needs if need in shown}
    edges |= dict.fromkeys(on_path, True)
    answers = _answers(verdict, symptoms)
    order = [node for node in nodes if node in shown]
    return (
        tuple(_node(index, verdict, answers, node) for node in order),
        tuple(StoryEdge(node, need, on) for (node, need), on in edges.items()),
        len(left_out),
    )


def _that_matter(verdict: Verdict) -> Iterator[str]:
    """Yield nodes, those first that are to be shown rather than others."""
    if verdict.cause is not None:
        yield verdict.cause
    yield from verdict.symptom_nodes
    yield from verdict.causes
    yield from (line.node for line in verdict.evidence if line.health is Health.BAD)
    yield from verdict.businesses[:_MOST_BUSINESSES]
    yield from (suspect.node for suspect in verdict.ranked if suspect.probability >= _SUSPECTED)
    yield from (line.node for line in verdict.evidence if line.cost > 0)
    yield from (line.node for line in verdict.evidence)
    yield from (left.node for left in verdict.not_asked)


def _way(index: GraphIndex, verdict: Verdict, node: str) -> tuple[str, ...]:
    """Return the nodes through which a node hangs together with the symptoms, itself among them."""
    tops = [top for top in verdict.symptom_nodes if top in index.graph.nodes]
    ways = [way for way in (index.path(top, node) for top in tops) if way]
    if not ways and verdict.cause is not None:
        ways = [way for way in (index.path(node, verdict.cause),) if way]
    return min(ways, key=len, default=(node,))


def _answers(verdict: Verdict, symptoms: Iterable[Symptom]) -> dict[str, Counter[Health]]:
    """Return what the checks of each node said; a symptom counts as a bad answer of its node."""
    found: dict[str, Counter[Health]] = {}
    for line in verdict.evidence:
        found.setdefault(line.node, Counter())[line.health] += 1
    for symptom in symptoms:
        found.setdefault(symptom.node, Counter())[Health.BAD] += 1
    return found


def _node(index: GraphIndex, verdict: Verdict, answers: dict[str, Counter[Health]], node: str) -> StoryNode:
    known = index.graph.nodes[node]
    business = index.graph.businesses.get(node)
    said = answers.get(node, Counter())
    probability = next((one.probability for one in verdict.ranked if one.node == node), 0.0)
    return StoryNode(
        id=node,
        kind=known.kind,
        name=business.name if business is not None else known.name,
        name_zh=business.name_zh if business is not None else "",
        part=_part(verdict, said, probability, node),
        probability=probability,
        good=said[Health.GOOD],
        bad=said[Health.BAD],
        unanswered=said[Health.UNKNOWN],
    )


def _part(verdict: Verdict, said: Counter[Health], probability: float, node: str) -> NodePart:
    if node == verdict.cause or node in verdict.causes:
        return NodePart.CAUSE
    if node in verdict.symptom_nodes:
        return NodePart.SYMPTOM
    if node in verdict.path:
        return NodePart.PATH
    if said[Health.BAD]:
        return NodePart.AFFECTED
    if probability >= _SUSPECTED:
        return NodePart.SUSPECT
    return NodePart.CLEARED if said[Health.GOOD] else NodePart.UNSEEN
