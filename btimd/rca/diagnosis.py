"""One running diagnosis: its symptoms, the answers it has, and what they make of the suspects."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np

from btimd.model.probe import Health, ProbeResult, ProbeSpec
from btimd.model.service import Check, CheckKind, Closure
from btimd.model.sign import Sign
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio, UnixSeconds
from btimd.model.verdict import Evidence, Suspect
from btimd.rca.graph import GraphIndex
from btimd.rca.graphfaults import GraphFaults
from btimd.rca.likelihood import outcome_of
from btimd.rca.solver import Search
from btimd.rca.solver_types import Belief as SolverBelief
from btimd.rca.solver_types import SearchOptions

_TTL_SECONDS: Final[Mapping[CheckKind, float]] = {CheckKind.ICMP: 5.0, CheckKind.TCP: 10.0}
_TTL_OF_DIALOGUES: Final = 30.0
_SHORT_DIALOGUES: Final = frozenset({CheckKind.HTTP, CheckKind.DNS})

FRESH_WEIGHT: Final = 0.5
"""From this weight on a known answer is as good as a new one and the check is not asked."""

_STALE_SECONDS: Final = 5.0
"""A bad answer from longer before the first symptom is no evidence: it may have been repaired since."""

_FORGOTTEN_WEIGHT: Final = 0.05
_WEIGHT_STEP: Final = 0.05
_LONGEST_WORTH_SECONDS: Final = _TTL_OF_DIALOGUES * -math.log(_FORGOTTEN_WEIGHT)
_MAX_KNOWN_EVIDENCE: Final = 20
_SUSPECTED: Final = 0.01
_SHOWN_SUSPECTS: Final = 5
_SHOWN_PROBABILITY: Final = 0.01


def ttl_seconds(kind: CheckKind) -> float:
    """Return how long an answer that nobody asked for keeps its worth: its weight is exp(-age / this)."""
    return 10.0 if kind in _SHORT_DIALOGUES else _TTL_SECONDS.get(kind, _TTL_OF_DIALOGUES)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check said to this diagnosis."""

    check: Check
    health: Health
    at: UnixSeconds


@dataclass(frozen=True, slots=True)
class Belief:
    """What the evidence makes of the suspects at one moment, with the nodes by their names."""

    solved: SolverBelief
    faults: GraphFaults
    probabilities: Mapping[str, Ratio]

    @property
    def leader(self) -> str:
        """The likeliest node, "" where nothing is suspected."""
        return next(iter(self.probabilities), "")

    @property
    def causes(self) -> tuple[str, ...]:
        """The nodes that together explain the evidence best, the likeliest first."""
        together = {self.faults.nodes[node] for node in self.solved.leader.nodes}
        return tuple(name for name in self.probabilities if name in together)

    @property
    def is_complete(self) -> bool:
        """Tell whether the causes explain every bad answer."""
        return not self.solved.unexplained

    def probability(self, node: str) -> Ratio:
        """Return how likely a node is a cause, 0 where it is no candidate."""
        return self.probabilities.get(node, 0.0)

    def ranked(self) -> tuple[Suspect, ...]:
        """Return the likeliest suspects, best first."""
        first = list(self.probabilities.items())[:_SHOWN_SUSPECTS]
        return tuple(Suspect(node, weight) for node, weight in first if weight >= _SHOWN_PROBABILITY)


@dataclass(slots=True)
class Diagnosis:
    """A diagnosis that has no verdict yet. Times are wall clock; the cache maps a check's id to its last answer.

    boosts: by how much a node is likelier to be at fault than usual, because it was changed or failed lately.
    goes_on: it has given a weak verdict already and looks on in the background.
    """

    id: str
    faults: GraphFaults
    started_at: UnixSeconds
    begins_at: UnixSeconds
    gives_up_at: UnixSeconds
    options: SearchOptions = field(default_factory=SearchOptions)
    boosts: Mapping[str, float] = field(default_factory=dict)
    symptoms: dict[str, Symptom] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    inflight: dict[int, tuple[ProbeSpec, float]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    probing: bool = False
    goes_on: bool = False
    step: int = 0
    probes_used: int = 0
    batch_size: int = 0
    waits_for_users_until: UnixSeconds | None = None
    _search: Search | None = None
    _symptom_questions: dict[str, int] = field(default_factory=dict)
    _sign_questions: dict[str, tuple[int, Sign, float]] = field(default_factory=dict)
    _told: dict[str, tuple[UnixSeconds, Health, float]] = field(default_factory=dict)
    _touching: dict[str, bool] = field(default_factory=dict)
    _candidates: frozenset[str] = frozenset()
    _near: list[str] = field(default_factory=list)
    _sorted_out: int = 0
    _sorted_cache: Mapping[str, ProbeResult] | None = None
    _sign_near: dict[tuple[str, Closure, str], bool] = field(default_factory=dict)
    believed: Belief | None = None
    """What was believed at the last step; None where a symptom has come or gone since."""

    @property
    def index(self) -> GraphIndex:
        """The graph."""
        return self.faults.index

    def add_symptom(self, symptom: Symptom) -> None:
        """Take a symptom that is to be explained too."""
        self.symptoms[symptom.id] = symptom
        self._scope_changed()

    def remove_symptom(self, symptom_id: str) -> Symptom | None:
        """Take a symptom back; None where it was none of this diagnosis."""
        found = self.symptoms.pop(symptom_id, None)
        question = self._symptom_questions.pop(symptom_id, None)
        if question is not None:
            if self._search is not None:
                self._search.retract(question)
            self.faults.model.drop_question(question)
        self._scope_changed()
        return found

    def move_to(self, faults: GraphFaults) -> None:
        """Go on with another graph; answers of checks that are no longer in it are forgotten."""
        self.close()
        self.faults = faults
        self.answers = {
            check_id: answer
            for check_id, answer in self.answers.items()
            if self.index.checks.get(check_id) == answer.check
        }
        self._scope_changed()

    def close(self) -> None:
        """Give back what it holds of the fault model."""
        for question in self._symptom_questions.values():
            self.faults.model.drop_question(question)
        for question, _, _ in self._sign_questions.values():
            self.faults.model.drop_question(question)
        self._symptom_questions.clear()
        self._sign_questions.clear()
        self._told.clear()
        self._search = None

    def suspect(self, belief: Belief) -> str:
        """Return the likeliest node that can be behind a symptom, "" where there is none.

        Something else may be broken for certain too, which an answer showed by the way.
        """
        return next((node for node in belief.probabilities if node in self.candidates()), "")

    def since(self) -> UnixSeconds:
        """Return when the first of the symptoms began."""
        return min((symptom.since for symptom in self.symptoms.values()), default=self.started_at)

    def candidates(self) -> frozenset[str]:
        """Return all nodes that can be behind a symptom."""
        if not self._candidates:
            self._candidates = frozenset(
                node for symptom in self.symptoms.values() for node in self.faults.nodes_behind(symptom)
            )
        return self._candidates

    def belief(self, cache: Mapping[str, ProbeResult], now: UnixSeconds, signs: Iterable[Sign] = ()) -> Belief:
        """Weigh everything that is known now."""
        search = self.search()
        self._tell_symptoms(search)
        self._tell_known(search, cache, now)
        self._tell_signs(search, signs, now)
        solved = search.belief()
        names = self.faults.nodes
        found = {names[one.node]: min(max(one.probability, one.unmodelled), 1.0) for one in solved.ranked}
        ordered = dict(sorted(found.items(), key=lambda item: -item[1]))
        self.believed = Belief(solved, self.faults, ordered)
        return self.believed

    def is_concerned(self, check: Check, health: Health, region: str = "") -> bool:
        """Tell whether what a check or a sign has said may take the diagnosis further; else it can wait for the rest.

        It must be about somebody who is suspected, or say that somebody is bad who may be it: half of the enterprise
        stands on the same switch.
        """
        seen = self.faults.nodes_seen_by(check, region)
        if not self.inflight or self.waits_for_users_until is not None or self.believed is None:
            return not self.candidates().isdisjoint(seen)
        if health is Health.BAD and check.node in self.candidates():
            return True
        return any(self.believed.probability(node) >= _SUSPECTED for node in seen)

    def is_due(self, now: UnixSeconds) -> bool:
        """Tell whether there is something to do that only time brings about."""
        return (
            not self.probing
            or not self.inflight
            or now >= self.gives_up_at
            or (self.waits_for_users_until is not None and now >= self.waits_for_users_until)
        )

    def search(self) -> Search:
        """Return the search for causes, with the answers so far."""
        if self._search is None:
            self._search = Search(self.faults.model, self.options)
            for node, factor in self.boosts.items():
                if node in self.faults.node_number:
                    self._search.boost(self.faults.node_number[node], factor)
        return self._search

    def _scope_changed(self) -> None:
        self.believed = None
        self._touching.clear()
        self._sign_near.clear()
        self._candidates = frozenset()
        self._sorted_cache = None

    def _tell_symptoms(self, search: Search) -> None:
        for key, symptom in self.symptoms.items():
            if key not in self._symptom_questions:
                question = self.faults.add_symptom(self.faults.symptom_check(symptom), symptom.region)
                outcome = outcome_of(Health.BAD, symptom.error)
                self._symptom_questions[key] = question
                search.observe(question, outcome if outcome is not None else 1, symptom=True)

    def _tell_known(self, search: Search, cache: Mapping[str, ProbeResult], now: UnixSeconds) -> None:
        """Tell the search what checks have said lately that touch the suspects, and take back what grew too old."""
        checks = self.index.checks
        spoken = {symptom.check_id for symptom in self.symptoms.values()} & checks.keys()
        since = self.since()
        for check_id in self._touching_among(cache):
            result, check = cache[check_id], checks[check_id]
            if check_id in spoken or (check is not result.spec.check and check != result.spec.check):
                continue
            own = self.answers.get(check_id)
            fresh = own is not None and own.at == result.started_at
            old = result.started_at < since or now - result.started_at > _LONGEST_WORTH_SECONDS
            if old and own is None and check_id not in self._told and result.health is Health.GOOD:
                continue
            weight = 1.0 if fresh else round(free_weight(result, now, since) / _WEIGHT_STEP) * _WEIGHT_STEP
            if own is not None and not fresh and own.at > result.started_at:
                continue
            self._tell(search, result, weight)

    def _touching_among(self, cache: Mapping[str, ProbeResult]) -> list[str]:
        """Return the checks with an answer that touch the suspects.

        Of a cache seen before only new keys are looked at: answers are replaced in it, and never taken out one by one.
        """
        if self._sorted_cache is not cache or len(cache) < self._sorted_out:
            self._sorted_cache, self._near, self._sorted_out = cache, [], 0
        new = islice(cache, self._sorted_out, None) if len(cache) > self._sorted_out else ()
        self._near += [check_id for check_id in new if check_id in self.index.checks and self._touches(check_id)]
        self._sorted_out = len(cache)
        return self._near

    def _tell(self, search: Search, result: ProbeResult, weight: float) -> None:
        check_id = result.spec.check.id
        told = (result.started_at, result.health, weight)
        if self._told.get(check_id) == told:
            return
        question = self.faults.question_of[check_id]
        outcome = outcome_of(result.health, result.error)
        if weight and outcome is not None:
            self._told[check_id] = told
            search.observe(question, outcome, weight=weight)
        elif check_id in self._told:
            del self._told[check_id]
            search.retract(question)

    def _tell_signs(self, search: Search, signs: Iterable[Sign], now: UnixSeconds) -> None:
        present: set[str] = set()
        near, since = self._sign_near, self.since()
        for sign in signs:
            place = (sign.node, sign.scope, sign.region)
            touches = near.get(place)
            if touches is None:
                touches = near[place] = sign.node in self.faults.node_number and self._sign_touches(sign)
            if not touches:
                continue
            weight = round(sign_weight(sign, now, since) / _WEIGHT_STEP) * _WEIGHT_STEP
            outcome = outcome_of(sign.health, sign.error)
            if not weight or outcome is None:
                continue
            present.add(sign.id)
            before = self._sign_questions.get(sign.id)
            if before is not None and before[1:] == (sign, weight):
                continue
            if before is None or (before[1].scope, before[1].region) != (sign.scope, sign.region):
                if before is not None:
                    self._drop_sign(search, sign.id)
                question = self.faults.add_sign(check_of_sign(sign), sign.region)
            else:
                question = before[0]
            self._sign_questions[sign.id] = (question, sign, weight)
            search.observe(question, outcome, weight=weight)
        for key in [key for key in self._sign_questions if key not in present]:
            self._drop_sign(search, key)

    def _drop_sign(self, search: Search, key: str) -> None:
        question, _, _ = self._sign_questions.pop(key)
        search.retract(question)
        self.faults.model.drop_question(question)

    def _touches(self, check_id: str) -> bool:
        found = self._touching.get(check_id)
        if found is None:
            seen = self.faults.nodes_seen_by(self.index.checks[check_id])
            found = self._touching[check_id] = not self.candidates().isdisjoint(seen)
        return found

    def _sign_touches(self, sign: Sign) -> bool:
        return not self.candidates().isdisjoint(self.faults.nodes_seen_by(check_of_sign(sign), sign.region))

    def signs_told(self) -> tuple[Sign, ...]:
        """Return the signs that count as evidence now."""
        return tuple(sign for _, sign, _ in self._sign_questions.values())

    def waiting(self) -> frozenset[str]:
        """Return the checks that were asked and have not answered yet."""
        return frozenset(spec.check.id for spec, _ in self.inflight.values())

    def settled(self) -> dict[str, Health]:
        """Return the checks that need not be asked again, with what they said (UNKNOWN: they could not)."""
        found = dict.fromkeys(self.waiting() | self.asked, Health.UNKNOWN)
        found |= {key: health for key, (_, health, weight) in self._told.items() if weight >= FRESH_WEIGHT}
        found |= {
            symptom.check_id: Health.BAD for symptom in self.symptoms.values() if symptom.check_id in self.index.checks
        }
        return found

    def askable(self, settled: Mapping[str, Health]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which questions may be asked: bool[questions]. Symptoms and signs are no checks."""
        mask = np.zeros(self.faults.model.question_count, np.bool_)
        mask[: len(self.faults.checks)] = True
        for check_id in settled.keys() & self.faults.question_of.keys():
            mask[self.faults.question_of[check_id]] = False
        return mask

    def note_known(self, cache: Mapping[str, ProbeResult], now: UnixSeconds) -> None:
        """Put what is known already, and fresh, on the record."""
        symptomatic = {symptom.check_id for symptom in self.symptoms.values()}
        since = self.since()
        for check_id, result in cache.items():
            if check_id in symptomatic or check_id not in self.index.checks or not self._touches(check_id):
                continue
            if free_weight(result, now, since) >= FRESH_WEIGHT and len(self.evidence) < _MAX_KNOWN_EVIDENCE:
                why = f"known already, {max(now - result.started_at, 0.0):.1f} s old"
                self.evidence.append(evidence_of(result, why=why, gain_bits=0.0, cost=0.0))

    def take(self, result: ProbeResult) -> Evidence | None:
        """Take the answer to an own probe; None where it was not asked for (any more)."""
        waiting = self.inflight.pop(result.spec.id, None)
        if waiting is None:
            return None
        spec, gain = waiting
        if result.health is not Health.UNKNOWN and self.index.checks.get(spec.check.id) == spec.check:
            self.answers[spec.check.id] = Answer(spec.check, result.health, result.started_at)
        found = evidence_of(result, why=spec.why, gain_bits=gain, cost=spec.check.cost)
        self.evidence.append(found)
        return found

    @property
    def heard_nothing(self) -> bool:
        """Tell whether there is no evidence but the symptoms."""
        return not self.answers and not self._told and not self._sign_questions

    def ratios(self) -> Mapping[str, float]:
        """Return how much each check's answer speaks for the leader against the runner-up, in powers of ten.

        The runner-up is the likeliest explanation without the leader: more faults beside it are no other explanation.
        """
        checks, search = self.faults.checks, self.search()
        sets = search.belief().sets
        leading = set(sets[0].nodes) if sets else set()
        other = next((number for number, one in enumerate(sets) if not leading <= set(one.nodes)), None)
        if other is None:
            return {}
        return {
            checks[reason.question].id: round(reason.log10_ratio, 2)
            for reason in search.reasons(other)
            if reason.question < len(checks)
        }


def free_weight(result: ProbeResult, now: UnixSeconds, since: UnixSeconds) -> float:
    """Return what a known answer is worth to a trouble that began at `since`, 0 for nothing.

    A good answer from before the first symptom proves nothing about now, and a bad one from some seconds before it
    tells of another trouble, which may be over; one that is asked on a schedule counts until its next answer.
    """
    stale = max(_STALE_SECONDS, result.spec.check.every_seconds or 0.0)
    earliest = since - (stale if result.health is Health.BAD else 0.0)
    if result.health is Health.UNKNOWN or result.started_at < earliest:
        return 0.0
    weight = math.exp(-max(now - result.started_at, 0.0) / ttl_seconds(result.spec.check.kind))
    return weight if weight >= _FORGOTTEN_WEIGHT else 0.0


def check_of_sign(sign: Sign) -> Check:
    """Return the check that a sign answers as if it had been asked: a whole transaction, or a word about the node."""
    kind = CheckKind.CPU if sign.scope is Closure.OWN else CheckKind.HTTP
    return Check(sign.id, sign.node, kind, host="", closure=sign.scope)


def sign_weight(sign: Sign, now: UnixSeconds, since: UnixSeconds) -> float:
    """Return what a sign is worth now to a trouble that began at `since`; 0 for nothing."""
    age = max(now - sign.at, 0.0)
    if age >= sign.lasts_seconds or (sign.health is Health.GOOD and sign.at < since):
        return 0.0
    return sign.weight * math.sqrt(1.0 - age / sign.lasts_seconds)


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
