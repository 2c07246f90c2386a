"""How the end of a diagnosis becomes a verdict, and how a verdict grows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio, UnixSeconds
from btimd.model.verdict import Evidence, NotAsked, Verdict
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.findings import Outcome
from btimd.rca.graph import GraphIndex
from btimd.rca.wording import summarise

_MAX_NOT_ASKED: Final = 20


def build_verdict(  # all that a verdict is made of
    diagnosis: Diagnosis,
    belief: Belief,
    outcome: Outcome,
    symptoms: Mapping[str, Symptom],
    now: UnixSeconds,
    *,
    verdict_id: str = "",
    causes: tuple[str, ...] = (),
) -> Verdict:
    """Return the verdict over the symptoms that it covers. causes: those that were found together."""
    listed = tuple(symptoms.values())
    own_error = _own_error(diagnosis, outcome.cause)
    confidence: Ratio = belief.probability(outcome.cause) if outcome.cause is not None else 0.0
    verdict = Verdict(
        id=verdict_id or diagnosis.id,
        symptoms=tuple(symptom.id for symptom in listed),
        symptom_nodes=tuple(dict.fromkeys(symptom.node for symptom in listed)),
        status=outcome.status,
        cause=outcome.cause,
        cause_error=own_error if own_error is not ErrorClass.NONE else listed[0].error,
        path=(),
        confidence=round(confidence, 4),
        ranked=belief.ranked(),
        evidence=_weighed(diagnosis),
        businesses=(),
        probes_used=diagnosis.probes_used,
        started_at=diagnosis.started_at,
        ended_at=now,
        seconds_taken=max(now - min(symptom.since for symptom in listed), 0.0),
        summary="",
        causes=causes,
        not_asked=tuple(islice(_not_asked(diagnosis, belief), _MAX_NOT_ASKED)),
    )
    return _worded(diagnosis.index, verdict, listed, own_error=own_error, reason=outcome.reason)


def _weighed(diagnosis: Diagnosis) -> tuple[Evidence, ...]:
    """Return the evidence with what each line says for or against the cause."""
    ratios = diagnosis.ratios()
    return tuple(
        replace(line, log10_ratio=ratios.get(line.check_id, 0.0)) if line.health is not Health.UNKNOWN else line
        for line in diagnosis.evidence
    )


def _not_asked(diagnosis: Diagnosis, belief: Belief) -> Iterator[NotAsked]:
    """Yield what was left out around the suspects and around what the symptoms' nodes need, the likeliest first."""
    settled = diagnosis.settled()
    running = diagnosis.waiting()
    near = [need for symptom in diagnosis.symptoms.values() for need in diagnosis.index.needs(symptom.node)]
    for node in dict.fromkeys((*belief.probabilities, *near)):
        checks = diagnosis.index.graph.nodes[node].checks
        if not checks and not diagnosis.index.is_logical(node):
            yield NotAsked(node, "", "it has no check of its own")
        for check in checks:
            if check.id in running:
                yield NotAsked(node, check.id, "its answer did not come in time")
            elif check.id not in settled:
                yield NotAsked(node, check.id, "it would not have told more about the cause")
            elif settled[check.id] is Health.UNKNOWN:
                yield NotAsked(node, check.id, "it could not be asked")


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
    path = _path(index, verdict, symptoms)
    businesses = _businesses(index, verdict, symptoms)
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


def _path(index: GraphIndex, verdict: Verdict, symptoms: Sequence[Symptom]) -> tuple[str, ...]:
    """Return the way that says most to people: from a business if one is hit, else the longest.

    What only the users of a region need is reached through them.
    """
    if verdict.cause is None:
        return ()
    paths = [path for path in (index.path(node, verdict.cause) for node in verdict.symptom_nodes) if path]
    for symptom in symptoms:
        users = index.user_node(symptom.region) if symptom.region else None
        if users is not None and symptom.node in verdict.symptom_nodes and (way := index.path(users, verdict.cause)):
            paths.append((symptom.node, *way))
    return max(paths, key=lambda path: (index.kind(path[0]) is NodeKind.BUSINESS, len(path)), default=())


def _businesses(index: GraphIndex, verdict: Verdict, symptoms: Sequence[Symptom]) -> tuple[str, ...]:
    hit = {name for node in verdict.symptom_nodes if node in index.graph.nodes for name in index.businesses_above(node)}
    if verdict.cause is not None and verdict.cause in index.graph.nodes:
        hit &= set(index.businesses_above(verdict.cause))
    for symptom in symptoms:
        users = index.user_node(symptom.region) if symptom.region else None
        if users is not None and verdict.cause is not None and index.path(users, verdict.cause):
            hit.update(index.businesses_above(symptom.node))
    return tuple(name for name in index.graph.businesses if name in hit)


def _own_error(diagnosis: Diagnosis, cause: str | None) -> ErrorClass:
    """Return what the cause's own checks say is wrong: the deepest bad answer, NONE without one."""
    own = [symptom for symptom in diagnosis.symptoms.values() if symptom.node == cause]
    bad = [(line.cost, line.error) for line in diagnosis.evidence if line.node == cause and line.health is Health.BAD]
    bad += [(diagnosis.faults.symptom_check(symptom).cost, symptom.error) for symptom in own]
    return max(bad, key=lambda found: found[0])[1] if bad else ErrorClass.NONE
