"""The diagnosis engine: symptoms and answers in, questions and verdicts out.

A symptom starts a diagnosis or joins one that shares its suspects; after a short grace for its siblings the engine
asks the checks that tell most, in small batches, until the causes stand out and their own checks have confirmed them,
or until nothing more can be learned. Several causes at once get a verdict each. A symptom that a known cause explains
joins that cause's verdict. After a weak answer the search goes on in the background, and a cause counts as gone only
when its own checks are good again and the users who were lost are back.
No clock and no socket: `handle(event, now)` returns commands; `now` is wall time that is never set back.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from btimd.model.ports import DiagnosisProgress
from btimd.model.probe import ProbeResult
from btimd.model.service import ServiceGraph
from btimd.model.sign import Sign
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.asking import LEADS, Choice, next_checks
from btimd.rca.capsule import EngineState, copied
from btimd.rca.diagnosis import Belief, Diagnosis, check_of_sign
from btimd.rca.events import (
    CauseCleared,
    ChangeSeen,
    Command,
    DiagnosisDropped,
    EngineOptions,
    Event,
    GraphSwapped,
    Observed,
    ProbeDone,
    ReportProgress,
    RunProbe,
    SignSeen,
    SymptomGone,
    SymptomSeen,
    Tick,
)
from btimd.rca.findings import Outcome, all_found, outcomes_of
from btimd.rca.graph import GraphIndex
from btimd.rca.graphfaults import GraphFaults
from btimd.rca.known import Known
from btimd.rca.memory import Memory
from btimd.rca.solver_types import SearchOptions
from btimd.rca.standing import Standing
from btimd.rca.turn import Numbers, Turn

_SHARED_MASS: Final = 0.05
"""A running diagnosis shares its cause with a symptom at least when this much of its belief could explain it."""
_NEXT_BATCH_AT: Final = 0.25


class Engine:
    """All diagnoses of one service graph.

    first_probe_id, first_diagnosis: where the numbers of its probes and diagnoses start; probe numbers must not meet
    those of scheduled checks. `ignored` counts what made no sense (unknown or repeated symptoms, late answers) by
    reason.
    """

    def __init__(
        self,
        graph: ServiceGraph,
        options: EngineOptions | None = None,
        *,
        first_probe_id: int = 1,
        first_diagnosis: int = 1,
    ) -> None:
        self.faults = GraphFaults(GraphIndex(graph))
        self.options = options if options is not None else EngineOptions()
        self.ignored: Counter[str] = Counter()
        self.memory = Memory()
        self._next_diagnosis = first_diagnosis
        self._running: dict[str, Diagnosis] = {}
        self._numbers = Numbers(first_probe_id)
        self._standing = Standing(self.options, self.memory, self._numbers)
        self._waiting: dict[str, Symptom] = {}

    @classmethod
    def restored(cls, graph: ServiceGraph, state: EngineState) -> "Engine":
        """Return an engine in a state that another one was in."""
        engine = cls(graph, state.options, first_probe_id=state.next_probe_id, first_diagnosis=state.next_diagnosis)
        engine.memory.restore(state.answers, state.signs)
        engine.memory.suspicion.restore(state.changes, state.failed)
        engine._known.update((known.verdict.id, copied(known)) for known in state.known)
        engine._waiting = {symptom.id: symptom for symptom in state.waiting}
        return engine

    def state(self) -> EngineState:
        """Return what is to be known to go on from here; only while no diagnosis runs (see is_quiet)."""
        return EngineState(
            options=self.options,
            next_probe_id=self._numbers.next_probe_id,
            next_diagnosis=self._next_diagnosis,
            answers=tuple(self.memory.answers.values()),
            signs=tuple(self.memory.signs.values()),
            changes=self.memory.suspicion.changes(),
            failed=self.memory.suspicion.earlier_causes(),
            known=tuple(copied(known) for known in self._known.values()),
            waiting=tuple(self._waiting.values()),
        )

    @property
    def is_quiet(self) -> bool:
        """Tell whether no diagnosis runs, not even in the background."""
        return not self._running

    def open_verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdicts whose trouble is not over."""
        return tuple(known.verdict for known in self._known.values())

    @property
    def has_open_verdicts(self) -> bool:
        """Tell whether there are verdicts whose trouble is not over."""
        return bool(self._known)

    def handle(self, event: Event, now: UnixSeconds) -> list[Command]:
        """Take one event and return what is to be done about it."""
        turn = Turn(now)
        match event:
            case SymptomSeen(symptom):
                self._symptom_seen(symptom, turn)
            case SymptomGone(symptom_id):
                self._symptom_gone(symptom_id, turn)
            case ProbeDone(result):
                self._probe_done(result, turn)
            case Observed(result):
                self._observed(result, turn)
            case SignSeen(sign):
                self._sign_seen(sign, turn)
            case ChangeSeen(change):
                if change.node in self.index.graph.nodes:
                    self.memory.suspicion.changed(change)
                else:
                    self.ignored["change of an unknown node"] += 1
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
        due: list[UnixSeconds] = []
        for one in self._running.values():
            due.append(one.gives_up_at if one.probing else one.begins_at)
            if one.waits_for_users_until is not None:
                due.append(one.waits_for_users_until)
        due.extend(self._standing.deadlines())
        return min(due, default=None)

    @property
    def _known(self) -> dict[str, Known]:
        return self._standing.known

    @property
    def index(self) -> GraphIndex:
        """The graph in force."""
        return self.faults.index

    @property
    def running(self) -> int:
        """How many diagnoses have no verdict yet."""
        return sum(not one.goes_on for one in self._running.values())

    @property
    def next_probe_id(self) -> int:
        """The id that the next probe gets."""
        return self._numbers.next_probe_id

    @property
    def next_diagnosis(self) -> int:
        """The number that the next diagnosis gets."""
        return self._next_diagnosis

    def open_symptoms(self) -> tuple[Symptom, ...]:
        """Return the symptoms that are there now, in the order of their verdicts and diagnoses."""
        groups: Iterable[dict[str, Symptom]] = (
            *(known.symptoms for known in self._known.values()),
            *(one.symptoms for one in self._running.values()),
            self._waiting,
        )
        return tuple({symptom.id: symptom for group in groups for symptom in group.values()}.values())

    # -- symptoms

    def _symptom_seen(self, symptom: Symptom, turn: Turn) -> None:
        if any(symptom.id == known.id for known in self.open_symptoms()):
            self.ignored["repeated symptom"] += 1
        elif symptom.node not in self.index.graph.nodes:
            self.ignored["symptom of an unknown node"] += 1
        else:
            self._place(symptom, turn, grace=True)

    def _place(self, symptom: Symptom, turn: Turn, *, grace: bool) -> None:
        known = self._standing.explaining(symptom, self.faults)
        if known is not None:
            self._extend(known, (symptom,), turn)
            return
        running = self._sharing(symptom, turn.now)
        if running is not None:
            running.add_symptom(symptom)
            self._advance(running, turn)
        elif self.running >= self.options.max_running:
            self._waiting[symptom.id] = symptom
        else:
            started = self._start((symptom,), turn, grace=grace)
            self._progress(started, turn)
            self._advance(started, turn)

    def _extend(self, known: Known, symptoms: Iterable[Symptom], turn: Turn) -> None:
        self._standing.extend(known, symptoms, self.index, turn)
        looking_on = self._running.get(known.verdict.id)
        if looking_on is not None:
            for symptom in known.symptoms.values():
                if symptom.id not in looking_on.symptoms:
                    looking_on.add_symptom(symptom)

    def _sharing(self, symptom: Symptom, now: UnixSeconds) -> Diagnosis | None:
        """Return the running diagnosis whose suspects can be behind the symptom, the one with most of its mass."""
        closure = frozenset(self.faults.nodes_behind(symptom))
        best, best_mass = None, min(self.faults.prior_of(closure), _SHARED_MASS)
        for one in self._running.values():
            if one.goes_on:
                continue
            # What it believed at its last step is new enough for this: to weigh all of them anew takes long.
            belief = one.believed or self._belief(one, now)
            leader = belief.leader
            if belief.probability(leader) >= LEADS and one.evidence and leader not in closure:
                continue
            total = sum(belief.probabilities.values()) or 1.0
            mass = sum(weight for node, weight in belief.probabilities.items() if node in closure) / total
            if mass > best_mass:
                best, best_mass = one, mass
        return best

    def _start(
        self, symptoms: Iterable[Symptom], turn: Turn, *, grace: bool, verdict: Verdict | None = None
    ) -> Diagnosis:
        now = turn.now
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        begins_at = now + (self.options.grace_seconds if grace else 0.0)
        started = Diagnosis(
            id=verdict.id if verdict is not None else f"D{stamp}-{self._next_diagnosis}",
            faults=self.faults,
            started_at=now,
            begins_at=begins_at,
            gives_up_at=now + self.options.max_seconds,
            options=SearchOptions(
                confident=self.options.confident,
                shortlist_gain_bits=self.options.min_gain_bits,
                max_probes=self.options.max_probes,
            ),
            boosts=self.memory.suspicion.boosts(now),
            goes_on=verdict is not None,
        )
        for symptom in symptoms:
            started.add_symptom(symptom)
        if verdict is None:
            self._next_diagnosis += 1
        self._running[started.id] = started
        return started

    def _admit_waiting(self, turn: Turn) -> None:
        while self._waiting and self.running < self.options.max_running:
            symptom = self._waiting.pop(next(iter(self._waiting)))
            self._place(symptom, turn, grace=False)

    def _symptom_gone(self, symptom_id: str, turn: Turn, *, swapping: bool = False) -> None:
        found = self._waiting.pop(symptom_id, None) is not None
        for known in list(self._known.values()):
            if known.symptoms.pop(symptom_id, None) is not None:
                found = True
                if not known.symptoms:
                    self._standing.verify(known, self.index, turn)
        for one in list(self._running.values()):
            if one.remove_symptom(symptom_id) is not None:
                found = True
                self._drop_if_empty(one, turn)
                if one.symptoms and not swapping:
                    self._advance(one, turn)
        if not found:
            self.ignored["end of an unknown symptom"] += 1

    def _drop_if_empty(self, one: Diagnosis, turn: Turn, *, joined: str = "") -> None:
        if one.symptoms:
            return
        self._forget(one)
        if one.goes_on:
            return
        one.step += 1
        turn.commands.append(ReportProgress(DiagnosisProgress(one.id, one.step, (), (), (), None)))
        turn.commands.append(DiagnosisDropped(one.id, joined))

    def _forget(self, one: Diagnosis) -> None:
        one.close()
        self._running.pop(one.id, None)

    # -- answers

    def _probe_done(self, result: ProbeResult, turn: Turn) -> None:
        self.memory.answered(result, self.index)
        for one in list(self._running.values()):
            if result.spec.id in one.inflight:
                one.take(result)
                self._progress(one, turn)
                self._advance(one, turn)
                return
        if not self._standing.take(result, self.index, turn):
            self.ignored["late answer"] += 1

    def _observed(self, result: ProbeResult, turn: Turn) -> None:
        self.memory.answered(result, self.index)
        check = result.spec.check
        self._standing.watch(result, self.index, turn)
        self._recheck(turn)
        for one in list(self._running.values()):
            waits_for_it = check.id in one.waiting()
            if not one.probing or waits_for_it or check.id not in self.index.checks or one.id not in self._running:
                continue
            if one.is_concerned(check, result.health):
                self._advance(one, turn)

    def _sign_seen(self, sign: Sign, turn: Turn) -> None:
        if sign.node not in self.index.graph.nodes:
            self.ignored["sign of an unknown node"] += 1
            return
        self.memory.signed(sign)
        check = check_of_sign(sign)
        for one in list(self._running.values()):
            if one.probing and one.id in self._running and one.is_concerned(check, sign.health, sign.region):
                self._advance(one, turn)
        for known in list(self._known.values()):
            self._standing.look_whether_gone(known, self.index, turn)

    def _recheck(self, turn: Turn) -> None:
        """Look again at symptoms that outlived the repair of their cause."""
        for symptom in self._standing.outlived(turn):
            self._place(symptom, turn, grace=True)

    # -- time and graph

    def _ticked(self, turn: Turn) -> None:
        self._recheck(turn)
        for known in list(self._known.values()):
            self._standing.look_whether_gone(known, self.index, turn)
            if known.looks_on_at is not None and turn.now >= known.looks_on_at and known.symptoms:
                self._look_on(known, turn)
        begun = False
        for one in list(self._running.values()):
            if one.id not in self._running or not one.is_due(turn.now):
                continue
            if not one.probing and turn.now >= one.begins_at:
                # Those behind it begin with the next ticks, which are due at once: other events come in between.
                if begun:
                    continue
                begun = True
            self._advance(one, turn)

    def _look_on(self, known: Known, turn: Turn) -> None:
        """Go on with the search after a weak answer, with new answers to all questions."""
        known.looks_on_at = None
        known.looked_on += 1
        if known.verdict.id in self._running:
            return
        again = self._start(known.symptoms.values(), turn, grace=False, verdict=known.verdict)
        again.step = 1
        self._advance(again, turn)

    def _swapped(self, graph: ServiceGraph, turn: Turn) -> None:
        self.faults = GraphFaults(GraphIndex(graph))
        self.memory.keep(self.index)
        for one in self._running.values():
            one.move_to(self.faults)
        for symptom in [lost for lost in self.open_symptoms() if lost.node not in graph.nodes]:
            self._symptom_gone(symptom.id, turn, swapping=True)
        for one in list(self._running.values()):
            if one.id in self._running:
                self._advance(one, turn)

    # -- the search

    def _belief(self, one: Diagnosis, now: UnixSeconds) -> Belief:
        return one.belief(self.memory.answers, now, self.memory.signs.values())

    def _advance(self, one: Diagnosis, turn: Turn) -> None:
        """Take a diagnosis as far as it gets without further answers."""
        if turn.now < one.begins_at:
            return
        if not one.probing:
            one.probing = True
            one.note_known(self.memory.answers, turn.now)
        belief = self._belief(one, turn.now)
        if all_found(one, belief, self.options):
            self._conclude(one, belief, turn, budget_spent=False)
            return
        spent = one.probes_used >= self.options.max_probes
        if turn.now >= one.gives_up_at or (spent and not one.inflight):
            self._conclude(one, belief, turn, budget_spent=True)
            return
        sure = belief.probability(belief.leader) >= self.options.confident
        if spent or (not sure and len(one.inflight) > _NEXT_BATCH_AT * one.batch_size):
            return
        for choice in next_checks(one, belief, self.options):
            self._ask(one, choice, turn)
        one.batch_size = len(one.inflight)
        if not one.inflight:
            self._conclude(one, belief, turn, budget_spent=False)

    def _ask(self, one: Diagnosis, choice: Choice, turn: Turn) -> None:
        spec = self._numbers.spec(choice.check, choice.why)
        one.inflight[spec.id] = (spec, choice.gain_bits)
        one.asked.add(choice.check.id)
        one.probes_used += 1
        turn.commands.append(RunProbe(spec))

    def _conclude(self, one: Diagnosis, belief: Belief, turn: Turn, *, budget_spent: bool) -> None:
        """End a diagnosis: a verdict for every cause that is certain, else one over what is suspected."""
        if self._waits_for_users(one, turn):
            return
        outcomes = outcomes_of(one, belief, self.options, budget_spent=budget_spent)
        certain = tuple(
            found.cause for found in outcomes if found.status is VerdictStatus.CAUSE_FOUND and found.cause is not None
        )
        left = dict(one.symptoms)
        before = self._known.get(one.id) if one.goes_on else None
        self._running.pop(one.id, None)
        for number, outcome in enumerate(outcomes):
            cause = outcome.cause
            covered = {
                key: symptom
                for key, symptom in one.symptoms.items()
                if cause is None or self.faults.explains(cause, symptom)
            }
            if not covered:
                continue
            left = {key: symptom for key, symptom in left.items() if key not in covered}
            known = self._of_the_same_cause(outcome)
            if known is not None:
                self._extend(known, covered.values(), turn)
                self._withdraw(one, turn, joined=known.verdict.id)
                continue
            verdict_id = one.id if not number else f"{one.id}.{number + 1}"
            self._standing.give(one, belief, outcome, covered, turn, verdict_id=verdict_id, causes=certain)
        if before is not None and before.verdict.id in self._known:
            self._standing.plan_look_on(self._known[before.verdict.id], turn.now)
        one.close()
        if left:
            self._branch(one, list(left.values()), turn)
        for cause in certain:
            self._gather(cause, turn)

    def _waits_for_users(self, one: Diagnosis, turn: Turn) -> bool:
        """Tell whether a verdict from probes alone waits a moment for what the users' own traffic says."""
        symptoms = one.symptoms.values()
        if one.waits_for_users_until is None:
            probed = all(symptom.check_id in self.index.checks for symptom in symptoms)
            nodes = {symptom.node for symptom in symptoms}
            if one.goes_on or not probed or not self.memory.users_are_watched(nodes, turn.now):
                return False
            one.waits_for_users_until = turn.now + self.options.users_wait_seconds
        heard = all(self.memory.users_were_heard(symptom.node, symptom.seen_at) for symptom in symptoms)
        return not heard and turn.now < one.waits_for_users_until

    def _of_the_same_cause(self, outcome: Outcome) -> Known | None:
        """Return the verdict in force that names the cause of an outcome for certain, None where there is none."""
        if outcome.status is not VerdictStatus.CAUSE_FOUND:
            return None
        return next(
            (
                known
                for known in self._known.values()
                if known.verdict.cause == outcome.cause and not known.is_weak and known.recovered_at is None
            ),
            None,
        )

    def _withdraw(self, one: Diagnosis, turn: Turn, *, joined: str) -> None:
        """End a diagnosis whose finding was known already."""
        weak = self._known.pop(one.id, None) if one.goes_on and one.id != joined else None
        if weak is not None:
            turn.commands.append(CauseCleared(weak.verdict))
        elif not one.goes_on:
            one.step += 1
            turn.commands.append(ReportProgress(DiagnosisProgress(one.id, one.step, (), (), (), None)))
            turn.commands.append(DiagnosisDropped(one.id, joined))

    def _branch(self, one: Diagnosis, symptoms: list[Symptom], turn: Turn) -> None:
        """Start a diagnosis of symptoms that the causes found do not explain; it knows all answers so far."""
        branch = self._start(symptoms, turn, grace=False)
        branch.answers = dict(one.answers)
        branch.asked = {check_id for check_id in one.asked if check_id in one.answers}
        self._progress(branch, turn)
        self._advance(branch, turn)

    def _gather(self, cause: str, turn: Turn) -> None:
        """Take the symptoms that a new verdict explains from the diagnoses that have no better suspect."""
        known = next((found for found in self._known.values() if found.verdict.cause == cause), None)
        for one in list(self._running.values()):
            moved = {key: found for key, found in one.symptoms.items() if self.faults.explains(cause, found)}
            if known is None or not moved or one.id not in self._running or one.id == known.verdict.id:
                continue
            belief = self._belief(one, turn.now)
            if belief.leader != cause and belief.probability(belief.leader) >= LEADS and one.evidence:
                continue
            weak = self._known.get(one.id) if one.goes_on else None
            for key in moved:
                one.remove_symptom(key)
                if weak is not None:
                    weak.symptoms.pop(key, None)
            self._extend(known, moved.values(), turn)
            self._drop_if_empty(one, turn, joined=known.verdict.id)
            if weak is not None and not weak.symptoms:
                self._standing.clear(weak, turn)

    def _progress(self, one: Diagnosis, turn: Turn) -> None:
        if one.goes_on:
            return
        one.step += 1
        belief = self._belief(one, turn.now)
        nodes = tuple(dict.fromkeys(symptom.node for symptom in one.symptoms.values()))
        progress = DiagnosisProgress(one.id, one.step, nodes, belief.ranked(), tuple(one.evidence), None)
        turn.commands.append(ReportProgress(progress))
