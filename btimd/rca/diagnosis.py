"""One running diagnosis: its symptoms, the answers it has, and what they make of the suspects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp
from typing import Final

import numpy as np

from btimd.model.probe import Health, ProbeResult, ProbeSpec
from btimd.model.service import Check, CheckKind, Closure
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio, UnixSeconds
from btimd.model.verdict import Evidence, Suspect
from btimd.rca.evidence import GOOD_OUTCOME, EvidenceModel, FloatArray, Hypotheses, Observation, normalised
from btimd.rca.graph import GraphIndex

TTL_SECONDS: Final[Mapping[CheckKind, float]] = {
    CheckKind.ICMP: 5.0,
    CheckKind.TCP: 10.0,
    CheckKind.DNS: 10.0,
    CheckKind.HTTP: 10.0,
    CheckKind.POSTGRES: 30.0,
}
"""How long an answer that a diagnosis did not ask for keeps its worth: its weight is exp(-age / this)."""

FRESH_WEIGHT: Final = 0.5
"""From this weight on a known answer is as good as a new one and the check is not asked."""

_FORGOTTEN_WEIGHT: Final = 0.05
_MAX_KNOWN_EVIDENCE: Final = 20
_SHOWN_SUSPECTS: Final = 5
_SHOWN_PROBABILITY: Final = 0.01
_PAIR_MARGIN: Final = 1.0
_PAIR_ROWS: Final = 8
_PAIR_ROWS_PER_BAD: Final = 4


@dataclass(frozen=True, slots=True)
class Belief:
    """What the evidence makes of the suspects at one moment. posterior: float64[h]; by_node: float64[c]."""

    model: EvidenceModel
    observations: tuple[Observation, ...]
    posterior: FloatArray
    by_node: FloatArray

    @property
    def nodes(self) -> tuple[str, ...]:
        """The candidates, in the order of by_node."""
        return self.model.hypotheses.nodes

    @property
    def leader(self) -> str:
        """The likeliest node; the first of equals."""
        return self.nodes[int(np.argmax(self.by_node))]

    def probability(self, node: str) -> Ratio:
        """Return how likely a node is the cause, 0 where it is no candidate."""
        return min(float(self.by_node[self.nodes.index(node)]), 1.0) if node in self.nodes else 0.0

    def ranked(self) -> tuple[Suspect, ...]:
        """Return the likeliest suspects, best first."""
        order = np.argsort(-self.by_node, kind="stable")[:_SHOWN_SUSPECTS]
        found = (Suspect(self.nodes[at], min(float(self.by_node[at]), 1.0)) for at in order)
        return tuple(suspect for suspect in found if suspect.probability >= _SHOWN_PROBABILITY)


@dataclass(slots=True)
class Diagnosis:
    """A diagnosis that has no verdict yet. Times are wall clock; the cache maps a check's id to its last answer."""

    id: str
    index: GraphIndex
    started_at: UnixSeconds
    begins_at: UnixSeconds
    gives_up_at: UnixSeconds
    symptoms: dict[str, Symptom] = field(default_factory=dict)
    answers: dict[str, Observation] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    inflight: dict[int, tuple[ProbeSpec, float]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    probing: bool = False
    step: int = 0
    probes_used: int = 0
    batch_size: int = 0
    _model: EvidenceModel | None = None

    def symptom_check(self, symptom: Symptom) -> Check:
        """Return the check behind a symptom; one that is no check of the graph counts as a whole transaction."""
        found = self.index.checks.get(symptom.check_id)
        if found is not None and found.node == symptom.node:
            return found
        return Check(symptom.check_id, symptom.node, CheckKind.HTTP, host="", closure=Closure.FULL)

    def explains(self, cause: str, symptom: Symptom) -> bool:
        """Tell whether a fault of `cause` can show as this symptom."""
        return cause in self.index.closure_of(self.symptom_check(symptom))

    def since(self) -> UnixSeconds:
        """Return when the first of the symptoms began."""
        return min((symptom.since for symptom in self.symptoms.values()), default=self.started_at)

    def candidates(self) -> tuple[str, ...]:
        """Return all nodes that can be behind a symptom."""
        found: dict[str, None] = {}
        for symptom in self.symptoms.values():
            found.update(dict.fromkeys(self.index.closure_of(self.symptom_check(symptom))))
        return tuple(found)

    def model(self) -> EvidenceModel:
        """Return the likelihoods over the present candidates."""
        nodes = self.candidates()
        if self._model is None or self._model.hypotheses.nodes != nodes or self._model.index is not self.index:
            self._model = EvidenceModel(self.index, Hypotheses.of(self.index, nodes))
        return self._model

    def observations(self, cache: Mapping[str, ProbeResult], now: UnixSeconds) -> tuple[Observation, ...]:
        """Return the evidence: the symptoms, the answers asked for, and what happens to be known.

        A good answer from before the first symptom proves nothing about now and is left out; a bad one stands until
        it is too old.
        """
        found: list[Observation] = []
        spoken: set[str] = set()
        for symptom in self.symptoms.values():
            check = self.symptom_check(symptom)
            spoken.add(check.id)
            found.append(Observation(check, Health.BAD, symptom.error, symptom.seen_at, symptom=True))
        for check_id, answer in self.answers.items():
            if check_id not in spoken and self.index.checks.get(check_id) == answer.check:
                spoken.add(check_id)
                found.append(answer)
        candidates = frozenset(self.candidates())
        for check_id, result in cache.items():
            known = self.index.checks.get(check_id)
            if check_id in spoken or known is None or known != result.spec.check:
                continue
            if candidates.isdisjoint(self.index.closure_of(known)):
                continue
            weight = self.free_weight(result, now)
            if weight >= _FORGOTTEN_WEIGHT:
                found.append(Observation(known, result.health, result.error, result.started_at, weight))
        return tuple(found)

    def free_weight(self, result: ProbeResult, now: UnixSeconds) -> float:
        """Return what a known answer is worth to this diagnosis, 0 for nothing."""
        if result.health is Health.UNKNOWN or (result.health is Health.GOOD and result.started_at < self.since()):
            return 0.0
        return exp(-max(now - result.started_at, 0.0) / TTL_SECONDS[result.spec.check.kind])

    def belief(self, cache: Mapping[str, ProbeResult], now: UnixSeconds) -> Belief:
        """Weigh everything that is known now."""
        model = self.model()
        observations = self.observations(cache, now)
        posterior = model.posterior(observations)
        return Belief(model, observations, posterior, model.hypotheses.by_node(posterior))

    def settled(self, belief: Belief) -> dict[str, Health]:
        """Return the checks that need not be asked again, with what they said (UNKNOWN: they could not)."""
        found = {spec.check.id: Health.UNKNOWN for spec, _ in self.inflight.values()}
        found |= dict.fromkeys(self.asked, Health.UNKNOWN)
        found |= {seen.check.id: seen.health for seen in belief.observations if seen.weight >= FRESH_WEIGHT}
        return found

    def note_known(self, cache: Mapping[str, ProbeResult], now: UnixSeconds) -> None:
        """Put what is known already, and fresh, on the record."""
        candidates = frozenset(self.candidates())
        symptomatic = {self.symptom_check(symptom).id for symptom in self.symptoms.values()}
        for check_id, result in cache.items():
            known = self.index.checks.get(check_id)
            if check_id in symptomatic or known is None or candidates.isdisjoint(self.index.closure_of(known)):
                continue
            if self.free_weight(result, now) >= FRESH_WEIGHT and len(self.evidence) < _MAX_KNOWN_EVIDENCE:
                why = f"known already, {max(now - result.started_at, 0.0):.1f} s old"
                self.evidence.append(evidence_of(result, why=why, gain_bits=0.0, cost=0.0))

    def take(self, result: ProbeResult) -> Evidence | None:
        """Take the answer to an own probe; None where it was not asked for (any more)."""
        waiting = self.inflight.pop(result.spec.id, None)
        if waiting is None:
            return None
        spec, gain = waiting
        if result.health is not Health.UNKNOWN:
            self.answers[spec.check.id] = Observation(spec.check, result.health, result.error, result.started_at)
        found = evidence_of(result, why=spec.why, gain_bits=gain, cost=spec.check.cost)
        self.evidence.append(found)
        return found


def evidence_of(result: ProbeResult, *, why: str, gain_bits: float, cost: float) -> Evidence:
    """Return an answer as a line of the evidence."""
    check = result.spec.check
    return Evidence(
        check_id=check.id,
        node=check.node,
        health=result.health,
        error=result.error,
        detail=result.detail,
        why=why,
        gain_bits=round(gain_bits, 4),
        cost=cost,
        at=result.started_at + result.elapsed_seconds,
    )


def two_causes(belief: Belief) -> tuple[str, str] | None:
    """Return two nodes that together explain the evidence clearly better than any one does, or None.

    Pairs are built from the likeliest hypotheses and the best ones for each bad answer; a pair's check is good only
    when it is good under both (noisy-OR).
    """
    evidence = [seen for seen in belief.observations if seen.health is not Health.UNKNOWN]
    model = belief.model
    rows = _pair_rows(belief, evidence)
    first, second = np.triu_indices(len(rows), k=1)
    a, b = rows[first], rows[second]
    other = model.hypotheses.node_of[a] != model.hypotheses.node_of[b]
    a, b = a[other], b[other]
    if not len(a):
        return None
    prior = model.hypotheses.log_prior
    score = prior[a] + prior[b]
    for seen in evidence:
        table = model.table(seen.check, symptom=seen.symptom)
        good = table[a, GOOD_OUTCOME] * table[b, GOOD_OUTCOME]
        if seen.health is Health.GOOD:
            likelihood = good
        elif seen.outcome is None:
            likelihood = 1.0 - good
        else:
            bad_mass = 2.0 - table[a, GOOD_OUTCOME] - table[b, GOOD_OUTCOME]
            likelihood = (1.0 - good) * (table[a, seen.outcome] + table[b, seen.outcome]) / np.maximum(bad_mass, 1e-12)
        score += seen.weight * np.log(np.maximum(likelihood, 1e-12))
    best = int(np.argmax(score))
    if score[best] < float(model.log_posterior(evidence).max()) + _PAIR_MARGIN:
        return None
    nodes = model.hypotheses.nodes
    return nodes[model.hypotheses.node_of[a[best]]], nodes[model.hypotheses.node_of[b[best]]]


def _pair_rows(belief: Belief, evidence: Iterable[Observation]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    model = belief.model
    rows = list(np.argsort(-belief.posterior, kind="stable")[:_PAIR_ROWS])
    for seen in evidence:
        if seen.health is Health.BAD:
            part = model.log_likelihood(seen)
            if part is not None:
                fit = normalised(model.hypotheses.log_prior + part)
                rows.extend(np.argsort(-fit, kind="stable")[:_PAIR_ROWS_PER_BAD])
    return np.array(list(dict.fromkeys(int(row) for row in rows)), np.int64)
