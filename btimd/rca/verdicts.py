"""How the end of a diagnosis becomes a verdict, and how a verdict grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio, UnixSeconds
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import EngineOptions
from btimd.rca.evidence import SHALLOW_KINDS
from btimd.rca.graph import GraphIndex
from btimd.rca.wording import summarise

_BUDGET_SPENT: Final = "the probe budget is spent"
_NOTHING_LEFT: Final = "no further check would tell the suspects apart"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a diagnosis ends: its status, the cause if there is one to name, and why there is no certain one."""

    status: VerdictStatus
    cause: str | None
    reason: str


def is_confirmed(diagnosis: Diagnosis, belief: Belief, node: str) -> bool:
    """Tell whether a node's own checks have had their say: one was bad, or none is left to ask."""
    settled = diagnosis.settled(belief)
    waiting = {spec.check.id for spec, _ in diagnosis.inflight.values()}
    checks = diagnosis.index.graph.nodes[node].checks
    if any(settled.get(check.id) is Health.BAD for check in checks):
        return True
    return all(check.id in settled and check.id not in waiting for check in checks)


def open_needs(diagnosis: Diagnosis, belief: Belief, node: str) -> tuple[str, ...] | None:
    """Return the direct needs of a node that no check has cleared, None where the walk down does not end here.

    The walk ends at a node whose own dialogue fails while all it needs works: that is the layer at fault, also where
    the leak of every check leaves some doubt. A need without checks of its own stays open for ever.
    """
    settled = diagnosis.settled(belief)
    graph = diagnosis.index.graph
    own = [check for check in graph.nodes[node].checks if check.kind not in SHALLOW_KINDS]
    if not any(settled.get(check.id) is Health.BAD for check in own):
        return None
    still_open: list[str] = []
    for need in dict.fromkeys(graph.nodes[node].needs):
        said = [settled.get(check.id) for check in graph.nodes[need].checks]
        if Health.BAD in said:
            return None
        if Health.GOOD not in said:
            still_open.append(need)
    return tuple(still_open)


def judge(diagnosis: Diagnosis, belief: Belief, options: EngineOptions, *, budget_spent: bool) -> Outcome:
    """Return how the diagnosis ends if it ends now."""
    leader = belief.leader
    probability = belief.probability(leader)
    reason = _BUDGET_SPENT if budget_spent else _NOTHING_LEFT
    if diagnosis.probes_used and all(seen.symptom for seen in belief.observations):
        return Outcome(VerdictStatus.UNKNOWN, None, "none of the checks could be carried out")
    if diagnosis.index.is_logical(leader):
        if probability >= options.confident:
            reason = "everything it is known to need is good, so it is something that is not modelled"
        return Outcome(VerdictStatus.UNKNOWN, None, reason)
    if probability < options.shortlist_floor:
        return Outcome(VerdictStatus.UNKNOWN, None, reason)
    if probability < options.confident:
        walked = probability >= options.walk_ends and open_needs(diagnosis, belief, leader) == ()
        status = VerdictStatus.CAUSE_FOUND if walked else VerdictStatus.SHORTLIST
        return Outcome(status, leader, "" if walked else reason)
    settled = diagnosis.settled(belief)
    own = [settled.get(check.id) for check in diagnosis.index.graph.nodes[leader].checks]
    if Health.GOOD in own and Health.BAD not in own:
        return Outcome(VerdictStatus.SHORTLIST, leader, "its own check is good")
    return Outcome(VerdictStatus.CAUSE_FOUND, leader, "")


def build_verdict(
    diagnosis: Diagnosis, belief: Belief, outcome: Outcome, symptoms: Mapping[str, Symptom], now: UnixSeconds
) -> Verdict:
    """Return the verdict over the symptoms that it covers."""
    listed = tuple(symptoms.values())
    own_error = _own_error(belief, outcome.cause)
    confidence: Ratio = belief.probability(outcome.cause) if outcome.cause is not None else 0.0
    verdict = Verdict(
        id=diagnosis.id,
        symptoms=tuple(symptom.id for symptom in listed),
        symptom_nodes=tuple(dict.fromkeys(symptom.node for symptom in listed)),
        status=outcome.status,
        cause=outcome.cause,
        cause_error=own_error if own_error is not ErrorClass.NONE else listed[0].error,
        path=(),
        confidence=round(confidence, 4),
        ranked=belief.ranked(),
        evidence=tuple(diagnosis.evidence),
        businesses=(),
        probes_used=diagnosis.probes_used,
        started_at=diagnosis.started_at,
        ended_at=now,
        seconds_taken=max(now - min(symptom.since for symptom in listed), 0.0),
        summary="",
    )
    return _worded(diagnosis.index, verdict, listed, own_error=own_error, reason=outcome.reason)


def extend_verdict(
    index: GraphIndex, verdict: Verdict, symptoms: Sequence[Symptom], *, own_error: ErrorClass, reason: str
) -> Verdict:
    """Return the verdict with more symptoms: the same id and cause, perhaps more businesses and a longer path."""
    known = dict.fromkeys((*verdict.symptoms, *(symptom.id for symptom in symptoms)))
    nodes = dict.fromkeys((*verdict.symptom_nodes, *(symptom.node for symptom in symptoms)))
    grown = replace(verdict, symptoms=tuple(known), symptom_nodes=tuple(nodes))
    return _worded(index, grown, symptoms, own_error=own_error, reason=reason)


def _worded(
    index: GraphIndex, verdict: Verdict, symptoms: Sequence[Symptom], *, own_error: ErrorClass, reason: str
) -> Verdict:
    path = _path(index, verdict.symptom_nodes, verdict.cause)
    businesses = _businesses(index, verdict)
    summary = summarise(
        index,
        status=verdict.status,
        cause=verdict.cause,
        own_error=own_error,
        path=path,
        ranked=verdict.ranked,
        symptom_nodes=verdict.symptom_nodes,
        businesses=businesses,
        condition=_condition(symptoms),
        reason=reason,
    )
    return replace(verdict, path=path, businesses=businesses, summary=summary)


def _condition(symptoms: Sequence[Symptom]) -> str:
    """Return how the businesses are that symptoms tell of, in a word."""
    errors = {symptom.error for symptom in symptoms}
    if errors == {ErrorClass.UNUSUAL}:
        return "not used as usual"
    return "slow" if errors <= {ErrorClass.SLOW, ErrorClass.UNUSUAL} else "down"


def _path(index: GraphIndex, symptom_nodes: Sequence[str], cause: str | None) -> tuple[str, ...]:
    """Return the way that says most to people: from a business if one is hit, else the longest."""
    if cause is None:
        return ()
    paths = [path for path in (index.path(node, cause) for node in symptom_nodes) if path]
    return max(paths, key=lambda path: (index.kind(path[0]) is NodeKind.BUSINESS, len(path)), default=())


def _businesses(index: GraphIndex, verdict: Verdict) -> tuple[str, ...]:
    hit = {name for node in verdict.symptom_nodes if node in index.graph.nodes for name in index.businesses_above(node)}
    if verdict.cause is not None and verdict.cause in index.graph.nodes:
        hit &= set(index.businesses_above(verdict.cause))
    return tuple(name for name in index.graph.businesses if name in hit)


def _own_error(belief: Belief, cause: str | None) -> ErrorClass:
    """Return what the cause's own checks say is wrong: the deepest bad answer, NONE without one."""
    bad = [seen for seen in belief.observations if seen.check.node == cause and seen.health is Health.BAD]
    return max(bad, key=lambda seen: seen.check.cost).error if bad else ErrorClass.NONE
