"""The diagnosis engine: symptoms and answers in, questions and verdicts out.

A symptom starts a diagnosis or joins one that shares its suspects; after a short grace for its siblings the engine
asks the checks that tell most, in small batches, until one node stands out and its own check has confirmed it, or
until nothing more can be learned. A symptom that a known cause explains joins that cause's verdict.
No clock and no socket: `handle(event, now)` returns commands; `now` is wall time that is never set back.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from btimd.model.ports import DiagnosisProgress
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import ServiceGraph
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.diagnosis import Belief, Diagnosis, two_causes
from btimd.rca.events import (
    CauseCleared,
    Command,
    DiagnosisDropped,
    EngineOptions,
    Event,
    GraphSwapped,
    Observed,
    ProbeDone,
    ReportProgress,
    ReportVerdict,
    RunProbe,
    SymptomGone,
    SymptomSeen,
    Tick,
    VerdictExtended,
)
from btimd.rca.evidence import Hypotheses
from btimd.rca.frontier import Choice
from btimd.rca.graph import GraphIndex
from btimd.rca.search import LEADS, next_checks
from btimd.rca.verdicts import build_verdict, extend_verdict, is_confirmed, judge

_SHARED_MASS = 0.05
"""A running diagnosis shares its cause with a symptom at least when this much of its belief could explain it."""
_NEXT_BATCH_AT = 0.25


@dataclass(slots=True)
class _Known:
    """A verdict whose symptoms are still there. recovered_at: since when the cause's own check is good again."""

    verdict: Verdict
    symptoms: dict[str, Symptom]
    own_error: ErrorClass
    reason: str
    recovered_at: UnixSeconds | None = None


@dataclass(slots=True)
class _Turn:
    """The commands of one event, in order."""

    now: UnixSeconds
    commands: list[Command] = field(default_factory=list)


class Engine:
    """All diagnoses of one service graph.

    first_probe_id: where the ids of its probes start; they must not meet those of scheduled checks. `ignored` counts
    what made no sense (unknown or repeated symptoms, late answers) by reason.
    """

    def __init__(self, graph: ServiceGraph, options: EngineOptions | None = None, *, first_probe_id: int = 1) -> None:
        self.index = GraphIndex(graph)
        self.options = options if options is not None else EngineOptions()
        self.ignored: Counter[str] = Counter()
        self._next_probe_id = first_probe_id
        self._next_diagnosis = 1
        self._running: dict[str, Diagnosis] = {}
        self._known: dict[str, _Known] = {}
        self._waiting: dict[str, Symptom] = {}
        self._cache: dict[str, ProbeResult] = {}

    def handle(self, event: Event, now: UnixSeconds) -> list[Command]:
        """Take one event and return what is to be done about it."""
        turn = _Turn(now)
        match event:
            case SymptomSeen(symptom):
                self._symptom_seen(symptom, turn)
            case SymptomGone(symptom_id):
                self._symptom_gone(symptom_id, turn)
            case ProbeDone(result):
                self._probe_done(result, turn)
            case Observed(result):
                self._observed(result, turn)
            case GraphSwapped(graph):
                self._swapped(graph, turn)
            case Tick():
                self._ticked(turn)
        self._admit_waiting(turn)
        return turn.commands

    def observe(self, result: ProbeResult, now: UnixSeconds) -> list[Command]:
        """Take an answer that was not asked for here: a key indicator's, or a person's."""
        return self.handle(Observed(result), now)

    def tick(self, now: UnixSeconds) -> list[Command]:
        """Do what has become due."""
        return self.handle(Tick(), now)

    def swap(self, graph: ServiceGraph, now: UnixSeconds) -> list[Command]:
        """Go on with another graph; what is no longer in it is forgotten."""
        return self.handle(GraphSwapped(graph), now)

    def next_deadline(self) -> UnixSeconds | None:
        """Return when tick must be called next, None where nothing waits."""
        due = [one.gives_up_at if one.probing else one.begins_at for one in self._running.values()]
        due += [
            known.recovered_at + self.options.recheck_seconds
            for known in self._known.values()
            if known.recovered_at is not None
        ]
        return min(due, default=None)

    @property
    def running(self) -> int:
        """How many diagnoses have no verdict yet."""
        return len(self._running)

    @property
    def next_probe_id(self) -> int:
        """The id that the next probe gets."""
        return self._next_probe_id

    def open_symptoms(self) -> tuple[Symptom, ...]:
        """Return the symptoms that are there now, in the order of their verdicts and diagnoses."""
        groups: Iterable[dict[str, Symptom]] = (
            *(known.symptoms for known in self._known.values()),
            *(one.symptoms for one in self._running.values()),
            self._waiting,
        )
        return tuple(symptom for group in groups for symptom in group.values())

    # -- symptoms

    def _symptom_seen(self, symptom: Symptom, turn: _Turn) -> None:
        if any(symptom.id == known.id for known in self.open_symptoms()):
            self.ignored["repeated symptom"] += 1
        elif symptom.node not in self.index.graph.nodes:
            self.ignored["symptom of an unknown node"] += 1
        else:
            self._place(symptom, turn, grace=True)

    def _place(self, symptom: Symptom, turn: _Turn, *, grace: bool) -> None:
        known = self._explained_by(symptom)
        if known is not None:
            self._extend(known, (symptom,), turn)
            return
        running = self._sharing(symptom, turn.now)
        if running is not None:
            running.symptoms[symptom.id] = symptom
            self._advance(running, turn)
        elif len(self._running) >= self.options.max_running:
            self._waiting[symptom.id] = symptom
        else:
            started = self._start((symptom,), turn, grace=grace)
            self._progress(started, turn)
            self._advance(started, turn)

    def _extend(self, known: _Known, symptoms: Iterable[Symptom], turn: _Turn) -> None:
        known.symptoms.update((symptom.id, symptom) for symptom in symptoms)
        listed = tuple(known.symptoms.values())
        known.verdict = extend_verdict(
            self.index, known.verdict, listed, own_error=known.own_error, reason=known.reason
        )
        turn.commands.append(VerdictExtended(known.verdict))

    def _explained_by(self, symptom: Symptom) -> _Known | None:
        probe = Diagnosis("", self.index, 0.0, 0.0, 0.0)
        for known in self._known.values():
            cause = known.verdict.cause
            if cause is None:
                if symptom.node in known.verdict.symptom_nodes:
                    return known
            elif known.recovered_at is None and probe.explains(cause, symptom):
                return known
        return None

    def _sharing(self, symptom: Symptom, now: UnixSeconds) -> Diagnosis | None:
        """Return the running diagnosis whose suspects can be behind the symptom, the one with most of its mass."""
        best, best_mass = None, self._chance_of_another(symptom)
        for one in self._running.values():
            check = one.symptom_check(symptom)
            belief = one.belief(self._cache, now)
            closure = frozenset(self.index.closure_of(check))
            leader = belief.leader
            if belief.probability(leader) >= LEADS and one.evidence and leader not in closure:
                continue
            shared = zip(belief.nodes, belief.by_node, strict=True)
            mass = float(sum(weight for node, weight in shared if node in closure))
            if mass > best_mass:
                best, best_mass = one, mass
        return best

    def _chance_of_another(self, symptom: Symptom) -> float:
        """Return how likely the symptom is a fault of its own: what a shared cause must outweigh."""
        check = Diagnosis("", self.index, 0.0, 0.0, 0.0).symptom_check(symptom)
        nodes = self.index.closure_of(check)
        return min(float(np.exp(Hypotheses.of(self.index, nodes).log_prior).sum()), _SHARED_MASS)

    def _start(self, symptoms: Iterable[Symptom], turn: _Turn, *, grace: bool) -> Diagnosis:
        now = turn.now
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        begins_at = now + (self.options.grace_seconds if grace else 0.0)
        started = Diagnosis(
            id=f"D{stamp}-{self._next_diagnosis}",
            index=self.index,
            started_at=now,
            begins_at=begins_at,
            gives_up_at=now + self.options.max_seconds,
            symptoms={symptom.id: symptom for symptom in symptoms},
        )
        self._next_diagnosis += 1
        self._running[started.id] = started
        return started

    def _admit_waiting(self, turn: _Turn) -> None:
        while self._waiting and len(self._running) < self.options.max_running:
            symptom = self._waiting.pop(next(iter(self._waiting)))
            self._place(symptom, turn, grace=False)

    def _symptom_gone(self, symptom_id: str, turn: _Turn) -> None:
        if self._waiting.pop(symptom_id, None) is not None:
            return
        for known in list(self._known.values()):
            if known.symptoms.pop(symptom_id, None) is not None:
                self._clear_if_empty(known, turn)
                return
        for one in list(self._running.values()):
            if one.symptoms.pop(symptom_id, None) is not None:
                self._drop_if_empty(one, turn)
                if one.symptoms:
                    self._advance(one, turn)
                return
        self.ignored["end of an unknown symptom"] += 1

    def _clear_if_empty(self, known: _Known, turn: _Turn) -> None:
        if not known.symptoms:
            del self._known[known.verdict.id]
            turn.commands.append(CauseCleared(known.verdict))

    def _drop_if_empty(self, one: Diagnosis, turn: _Turn, *, joined: str = "") -> None:
        if not one.symptoms:
            del self._running[one.id]
            one.step += 1
            turn.commands.append(ReportProgress(DiagnosisProgress(one.id, one.step, (), (), (), None)))
            turn.commands.append(DiagnosisDropped(one.id, joined))

    # -- answers

    def _probe_done(self, result: ProbeResult, turn: _Turn) -> None:
        self._remember(result)
        for one in list(self._running.values()):
            if result.spec.id in one.inflight:
                one.take(result)
                self._progress(one, turn)
                self._advance(one, turn)
                return
        self.ignored["late answer"] += 1

    def _observed(self, result: ProbeResult, turn: _Turn) -> None:
        self._remember(result)
        check = result.spec.check
        for known in list(self._known.values()):
            if known.verdict.cause == check.node and result.health is not Health.UNKNOWN:
                self._watch_cause(known, result)
        self._recheck(turn)
        for one in list(self._running.values()):
            waits_for_it = any(spec.check.id == check.id for spec, _ in one.inflight.values())
            if one.probing and not waits_for_it and check.id in self.index.checks and one.id in self._running:
                self._advance(one, turn)

    def _remember(self, result: ProbeResult) -> None:
        check_id = result.spec.check.id
        if check_id not in self.index.checks or result.health is Health.UNKNOWN:
            return
        before = self._cache.get(check_id)
        if before is None or before.started_at <= result.started_at:
            self._cache[check_id] = result

    def _watch_cause(self, known: _Known, result: ProbeResult) -> None:
        """Note whether the check that convicted the cause is good again."""
        convicted = {line.check_id for line in known.verdict.evidence if line.health is Health.BAD}
        convicted |= {symptom.check_id for symptom in known.symptoms.values()}
        if result.spec.check.id not in convicted or result.started_at < known.verdict.ended_at:
            return
        if result.health is Health.BAD:
            known.recovered_at = None
        elif known.recovered_at is None:
            known.recovered_at = result.started_at

    def _recheck(self, turn: _Turn) -> None:
        """Look again at symptoms that outlived the repair of their cause: something else is broken too."""
        for known in list(self._known.values()):
            if known.recovered_at is None or turn.now < known.recovered_at + self.options.recheck_seconds:
                continue
            del self._known[known.verdict.id]
            turn.commands.append(CauseCleared(known.verdict))
            for symptom in known.symptoms.values():
                self._place(symptom, turn, grace=True)

    # -- time and graph

    def _ticked(self, turn: _Turn) -> None:
        self._recheck(turn)
        for one in list(self._running.values()):
            if one.id in self._running:
                self._advance(one, turn)

    def _swapped(self, graph: ServiceGraph, turn: _Turn) -> None:
        self.index = GraphIndex(graph)
        for check_id in [known for known in self._cache if known not in self.index.checks]:
            del self._cache[check_id]
        for symptom in [lost for lost in self.open_symptoms() if lost.node not in graph.nodes]:
            self._symptom_gone(symptom.id, turn)
        for one in list(self._running.values()):
            one.index = self.index
            for check_id in [known for known in one.answers if known not in self.index.checks]:
                del one.answers[check_id]
            self._advance(one, turn)

    # -- the search

    def _advance(self, one: Diagnosis, turn: _Turn) -> None:
        """Take a diagnosis as far as it gets without further answers."""
        if turn.now < one.begins_at:
            return
        if not one.probing:
            one.probing = True
            one.note_known(self._cache, turn.now)
        belief = one.belief(self._cache, turn.now)
        if len(one.symptoms) > 1 and self._split(one, belief, turn):
            return
        leader = belief.leader
        sure = belief.probability(leader) >= self.options.confident
        if sure and is_confirmed(one, belief, leader):
            self._conclude(one, belief, turn, budget_spent=False)
            return
        spent = one.probes_used >= self.options.max_probes
        if turn.now >= one.gives_up_at or (spent and not one.inflight):
            self._conclude(one, belief, turn, budget_spent=True)
            return
        if spent or (not sure and len(one.inflight) > _NEXT_BATCH_AT * one.batch_size):
            return
        for choice in next_checks(one, belief, self.options):
            self._ask(one, choice, turn)
        one.batch_size = len(one.inflight)
        if not one.inflight:
            self._conclude(one, belief, turn, budget_spent=False)

    def _ask(self, one: Diagnosis, choice: Choice, turn: _Turn) -> None:
        spec = ProbeSpec(self._next_probe_id, choice.check, choice.why)
        self._next_probe_id += 1
        one.inflight[spec.id] = (spec, choice.gain_bits)
        one.asked.add(choice.check.id)
        one.probes_used += 1
        turn.commands.append(RunProbe(spec))

    def _split(self, one: Diagnosis, belief: Belief, turn: _Turn) -> bool:
        """Make two diagnoses where two causes explain the symptoms far better than one."""
        pair = two_causes(belief)
        if pair is None:
            return False
        first, second = pair
        mine = {key for key, symptom in one.symptoms.items() if one.explains(first, symptom)}
        only_second = [
            key for key, symptom in one.symptoms.items() if key not in mine and one.explains(second, symptom)
        ]
        only_first = [key for key in mine if not one.explains(second, one.symptoms[key])]
        if not only_second or not only_first:
            return False
        moved = [one.symptoms.pop(key) for key in only_second]
        self._branch(one, moved, turn)
        self._advance(one, turn)
        return True

    def _branch(self, one: Diagnosis, symptoms: list[Symptom], turn: _Turn) -> None:
        """Start a diagnosis of symptoms that this one does not explain; it knows all answers so far."""
        branch = self._start(symptoms, turn, grace=False)
        branch.answers = dict(one.answers)
        branch.asked = {check_id for check_id in one.asked if check_id in one.answers}
        self._progress(branch, turn)
        self._advance(branch, turn)

    def _conclude(self, one: Diagnosis, belief: Belief, turn: _Turn, *, budget_spent: bool) -> None:
        outcome = judge(one, belief, self.options, budget_spent=budget_spent)
        cause = outcome.cause
        covered = {
            key: symptom for key, symptom in one.symptoms.items() if cause is None or one.explains(cause, symptom)
        }
        left = [symptom for key, symptom in one.symptoms.items() if key not in covered]
        same = [known for known in self._known.values() if cause is not None and known.verdict.cause == cause]
        if outcome.status is VerdictStatus.CAUSE_FOUND and same and same[0].recovered_at is None:
            one.symptoms = {symptom.id: symptom for symptom in left}
            self._extend(same[0], covered.values(), turn)
            self._drop_if_empty(one, turn, joined=same[0].verdict.id)
            if left:
                self._advance(one, turn)
            return
        verdict = build_verdict(one, belief, outcome, covered, turn.now)
        del self._running[one.id]
        own_error = verdict.cause_error if verdict.status is VerdictStatus.CAUSE_FOUND else ErrorClass.NONE
        self._known[verdict.id] = _Known(verdict, covered, own_error, outcome.reason)
        one.step += 1
        progress = DiagnosisProgress(one.id, one.step, verdict.symptom_nodes, verdict.ranked, verdict.evidence, verdict)
        turn.commands.append(ReportProgress(progress))
        turn.commands.append(ReportVerdict(verdict))
        if left:
            self._branch(one, left, turn)
        if verdict.status is VerdictStatus.CAUSE_FOUND:
            self._gather(self._known[verdict.id], turn)

    def _gather(self, known: _Known, turn: _Turn) -> None:
        """Take the symptoms that a new verdict explains from the diagnoses that have no better suspect."""
        cause = known.verdict.cause
        for one in list(self._running.values()):
            moved = {key: found for key, found in one.symptoms.items() if cause and one.explains(cause, found)}
            if not moved or one.id not in self._running:
                continue
            belief = one.belief(self._cache, turn.now)
            if belief.leader != cause and belief.probability(belief.leader) >= LEADS and one.evidence:
                continue
            for key in moved:
                del one.symptoms[key]
            self._extend(known, moved.values(), turn)
            self._drop_if_empty(one, turn, joined=known.verdict.id)

    def _progress(self, one: Diagnosis, turn: _Turn) -> None:
        one.step += 1
        belief = one.belief(self._cache, turn.now)
        nodes = tuple(dict.fromkeys(symptom.node for symptom in one.symptoms.values()))
        progress = DiagnosisProgress(one.id, one.step, nodes, belief.ranked(), tuple(one.evidence), None)
        turn.commands.append(ReportProgress(progress))
