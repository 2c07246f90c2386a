"""The search for causes: answers go in, what is believed and what to ask next come out.

Nothing here knows of graphs, checks or time. All is deterministic: equal weights go by the smaller id.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.rca.calibration import USUAL, Calibration
from btimd.rca.faultmodel import BAD, GOOD, LEAK_PROFILE, BoolArray, FaultModel, FloatArray, IntArray
from btimd.rca.solver_choice import Chooser
from btimd.rca.solver_evidence import Answer, Evidence
from btimd.rca.solver_sets import Posterior, SetSearch
from btimd.rca.solver_types import Belief, Ending, FaultSet, Pick, Reason, SearchOptions, Suspect

_DEFAULTS: Final = SearchOptions()
_SETS_TOLD: Final = 20
_SURE: Final = 0.5
_LIVE: Final = 0.01
_EXPLAINED: Final = 0.3
"""A bad answer is explained by a set that makes it at least this probable."""
_VAGUE: Final = 0.25
_SAYS_NOTHING: Final = 0.005
_HINTED_WEIGHT: Final = 0.5
"""What an unmodelled fault counts in the ranking where the set holds a known cause that may be what it stands for."""


@dataclass(frozen=True, slots=True)
class _State:
    posterior: Posterior
    classes: IntArray
    belief: Belief


class Search:
    """One diagnosis over a fault model. Not thread-safe; the model may be shared."""

    def __init__(self, model: FaultModel, options: SearchOptions = _DEFAULTS, calibration: Calibration = USUAL) -> None:
        self.model = model
        self.options = options
        self._calibration = calibration
        self._evidence = Evidence(model, options.group_doubt, options.group_shared, options.usual_faults)
        self._state: _State | None = None

    def observe(
        self, question: int, outcome: int, *, weight: float = 1.0, group: int = -1, symptom: bool = False
    ) -> None:
        """Take in an answer; a second answer to the same question replaces the first.

        outcome: GOOD, BAD or 2 + error class. weight: 1 = full evidence, less for an old or a correlated answer.
        group: questions of one group (the regions of one business) share what the model may have wrong about them;
        -1 = none. symptom: it is no probe.
        """
        self._evidence.observe(question, Answer(outcome, weight, group, symptom))
        self._state = None

    def observe_many(
        self,
        questions: Sequence[int],
        outcomes: Sequence[int],
        groups: Sequence[int],
        *,
        weight: float = 1.0,
        symptom: bool = False,
    ) -> None:
        """Take in many answers at once, as observe does; one outcome and one group per question.

        Much faster where the model was told before what all of them cost when they are good: see solver_calm.calm_of.
        """
        self._evidence.observe_many(questions, outcomes, groups, weight, symptom=symptom)
        self._state = None

    def retract(self, question: int) -> None:
        """Forget the answer to a question."""
        self._evidence.retract(question)
        self._state = None

    def boost(self, node: int, factor: float) -> None:
        """Multiply the prior odds of all faults of a node (a change was made there: 20; maintenance: see remove)."""
        for fault in self.model.faults_of(node):
            self._evidence.log_odds[fault] += np.log(factor)
        self._state = None

    def remove(self, node: int) -> None:
        """Take a node out of suspicion (it is under maintenance: that it is bad is no finding)."""
        for fault in self.model.faults_of(node):
            self._evidence.log_odds[fault] = -np.inf
        self._state = None

    def belief(self) -> Belief:
        """Return what is believed now; the same object until something is observed."""
        return self._now().belief

    def _now(self) -> _State:
        if self._state is None:
            self._evidence.refresh()
            posterior = SetSearch(self._evidence, self.options.max_faults, certain=self.options.certain).posterior()
            self._state = self._conclude(posterior)
        return self._state

    def _conclude(self, posterior: Posterior) -> _State:
        """Return nodes and sets of nodes with their probabilities from those of sets of faults."""
        faults = self.model.faults
        present = posterior.sets >= 0
        fault = np.zeros(posterior.sets.shape, np.int64)
        fault[present] = self._evidence.fault_of[posterior.sets[present]]
        node = np.where(present, faults.node[fault] if self.model.fault_count else -1, -1).astype(np.int64)
        vague = np.zeros(present.shape, np.bool_)
        vague[present] = faults.unmodelled[fault[present]]
        names = np.sort(np.where(present, 2 * node + vague, -1), axis=1)[:, ::-1]
        unique, classes = np.unique(names, axis=0, return_inverse=True)
        classes = classes.reshape(-1).astype(np.int64)
        mass = np.bincount(classes, weights=posterior.weight)
        order = np.argsort(-mass, kind="stable")[:_SETS_TOLD]
        sets = tuple(_fault_set(unique[one], float(mass[one])) for one in order)
        ranked = self._rank(posterior, node, vague)
        found = self._found(ranked)
        named = np.isin(names, [2 * one for one in found])
        all_named = float(posterior.weight[named.sum(axis=1) == len(found)].sum()) if found else 0.0
        only = named.sum(axis=1) == (names >= 0).sum(axis=1)
        complete = float(posterior.weight[(named.sum(axis=1) == len(found)) & only].sum()) if found else 0.0
        raw = ranked[0].probability if ranked else 0.0
        belief = Belief(
            ranked=ranked,
            sets=sets,
            found=found,
            raw_confidence=raw,
            confidence=self._calibration(raw),
            raw_found_confidence=all_named,
            found_confidence=self._calibration(all_named),
            complete=complete,
            unexplained=self._unexplained(posterior.sets[int(np.nonzero(classes == order[0])[0][0])]),
        )
        return _State(posterior, classes, belief)

    @staticmethod
    def _found(ranked: tuple[Suspect, ...]) -> tuple[int, ...]:
        """Return the nodes that are more probably at fault than not; the first at any rate, if it may be at all."""
        sure = tuple(suspect.node for suspect in ranked if suspect.probability > _SURE)
        return sure or tuple(suspect.node for suspect in ranked[:1])

    def _rank(self, posterior: Posterior, node: IntArray, vague: BoolArray) -> tuple[Suspect, ...]:
        known_besides = np.asarray(((node >= 0) & ~vague).any(axis=1), np.bool_)
        weight = np.repeat(posterior.weight[:, None], node.shape[1], axis=1)
        counted = np.where(vague, np.where(known_besides[:, None], _HINTED_WEIGHT, 1.0) * _VAGUE, 1.0) * weight
        present = node >= 0
        nodes, place = np.unique(node[present], return_inverse=True)
        rank = np.bincount(place, weights=counted[present], minlength=len(nodes))
        sure = np.bincount(place, weights=(weight * ~vague)[present], minlength=len(nodes))
        guess = np.bincount(place, weights=(weight * vague)[present], minlength=len(nodes))
        order = np.argsort(-rank, kind="stable")
        return tuple(Suspect(int(nodes[one]), float(sure[one]), float(guess[one]), float(rank[one])) for one in order)

    def _unexplained(self, members: IntArray) -> tuple[int, ...]:
        positives = self._evidence.positives
        chosen = members[members >= 0]
        quiet = positives.quiet.copy()
        for member in chosen:
            places = slice(positives.column_starts[member], positives.column_starts[member + 1])
            quiet[positives.column_row[places]] *= positives.one_less[positives.column_entry[places]]
        return tuple(int(one) for one in positives.questions[1.0 - quiet < _EXPLAINED])

    def choose(
        self,
        size: int,
        *,
        askable: BoolArray | None = None,
        cost_factor: FloatArray | None = None,
        busy: Collection[int] = (),
        min_gain_bits: float | None = None,
    ) -> list[Pick]:
        """Return up to `size` questions to ask together, best first; empty where none tells enough.

        askable: bool[questions], which may be asked (those answered already never are); None = all probes.
        cost_factor: float64[questions], multiplies the costs (load of the target). busy: nodes not to be asked now.
        No two picks ask the same node.
        """
        state = self._now()
        chooser = Chooser(self.model, state.posterior, self._evidence.fault_of, state.classes, self.options.cost_power)
        suspects = np.array([suspect.node for suspect in state.belief.ranked], np.int64)
        pool = chooser.pool(suspects, self._barred(askable, busy))
        cost = self.model.question_cost[pool] * (1.0 if cost_factor is None else cost_factor[pool])
        least = self._least_gain() if min_gain_bits is None else min_gain_bits
        live = sum(suspect.probability + suspect.unmodelled >= _LIVE for suspect in state.belief.ranked)
        return [
            Pick(question, gain, expected, live, self._split(state, bad))
            for question, gain, expected, bad in chooser.batch(pool, cost, size, least, self.options.batch_share)
        ]

    def _least_gain(self) -> float:
        return self.options.settled_gain_bits if self.settled() else self.options.shortlist_gain_bits

    def settled(self) -> bool:
        """Tell whether all of the leading set are at fault as surely as is asked for."""
        belief = self.belief()
        sure = {one.node: one.probability for one in belief.ranked}
        return (
            bool(belief.leader.nodes)
            and all(
                sure[node] >= self.options.confident
                for node in belief.leader.nodes
                if node not in belief.leader.unmodelled
            )
            and len(belief.leader.unmodelled) < len(belief.leader.nodes)
        )

    def confirmation(self, node: int, *, askable: BoolArray | None = None) -> Pick | None:
        """Return the unasked question of the node itself that shows its fault most surely, None if there is none."""
        state = self._now()
        barred = self._barred(askable, ())
        own = self.model.about(node)
        own = own[(self.model.question_node[own] == node) & ~barred[own]]
        if not len(own) or not len(self.model.faults_of(node)):
            return None
        wanted = np.full(self.model.fault_count, -1, np.int32)
        known = [fault for fault in self.model.faults_of(node) if not self.model.faults.unmodelled[fault]]
        wanted[known] = 0
        rows = self.model.rows_among(own, wanted)
        shows = np.zeros(len(own))
        np.maximum.at(shows, np.repeat(np.arange(len(own)), np.diff(rows.starts)), rows.detection)
        best = int(np.lexsort((own, self.model.question_cost[own], -np.round(shows, 6)))[0])
        chooser = Chooser(self.model, state.posterior, self._evidence.fault_of, state.classes, self.options.cost_power)
        bad = chooser.p_bad(own[best : best + 1])
        gain = float(chooser.gains(bad, state.posterior.weight[None, :].copy())[0])
        return Pick(int(own[best]), gain, float(state.posterior.weight @ bad[0]), 1, (node,), node)

    def reasons(self, other: int = 1) -> tuple[Reason, ...]:
        """Return what every answer says for the leading set against the `other`-th set of the belief, strongest first.

        Empty where there is no such set. Answers that say nothing either way are left out.
        """
        state = self._now()
        classes = [self._best_row(state, number) for number in (0, other)]
        if any(row is None for row in classes):
            return ()
        questions = np.fromiter(self._evidence.answers, np.int64, len(self._evidence.answers))
        logs = [self._log_answers(state.posterior.sets[row], questions) for row in classes]
        ratio = (logs[0] - logs[1]) / np.log(10.0)
        order = np.argsort(-np.abs(ratio), kind="stable")
        return tuple(
            Reason(int(questions[one]), self._evidence.answers[int(questions[one])].outcome, float(ratio[one]))
            for one in order
            if abs(ratio[one]) > _SAYS_NOTHING
        )

    def _best_row(self, state: _State, number: int) -> int | None:
        """Return the first row of the posterior that belongs to the so-manyeth set of the belief."""
        if number >= len(state.belief.sets):
            return None
        wanted = state.belief.sets[number]
        for row, members in enumerate(state.posterior.sets):
            faults = self._evidence.fault_of[members[members >= 0]]
            nodes = tuple(sorted(int(node) for node in self.model.faults.node[faults]))
            vague = tuple(
                sorted(int(node) for node in self.model.faults.node[faults][self.model.faults.unmodelled[faults]])
            )
            if (nodes, vague) == (wanted.nodes, wanted.unmodelled):
                return row
        return None

    def _log_answers(self, members: IntArray, questions: IntArray) -> FloatArray:
        """Return log P(answer | set) of answers, each as if it stood alone: float64[questions]."""
        wanted = np.full(self.model.fault_count, -1, np.int32)
        wanted[self._evidence.fault_of[members[members >= 0]]] = 0
        rows = self.model.rows_among(questions, wanted)
        row_of = np.repeat(np.arange(len(questions)), np.diff(rows.starts))
        answers = [self._evidence.answers[int(question)] for question in questions]
        outcome = np.array([answer.outcome for answer in answers])
        leak = -np.log1p(-np.clip(rows.leak, 1e-9, 0.999))
        more = -np.log1p(-rows.detection)
        load = leak + np.bincount(row_of, weights=more, minlength=len(questions))
        profiles = self.model.profiles
        column = np.clip(outcome - 2, 0, profiles.shape[1] - 1)
        kind = leak * np.where(outcome > BAD, profiles[LEAK_PROFILE, column], 1.0)
        share = np.where(outcome[row_of] > BAD, profiles[rows.profile, column[row_of]], 1.0)
        kind += np.bincount(row_of, weights=more * share, minlength=len(questions))
        bad = np.log(np.maximum(-np.expm1(-load) * kind / load, 1e-300))
        weight = np.array([answer.weight for answer in answers])
        return np.asarray(weight * np.where(outcome == GOOD, -load, bad), np.float64)

    def done(self, picks: Sequence[Pick], *, asked: int) -> Ending:
        """Tell how the search would end now, OPEN where it should go on.

        picks: what `choose` says is worth asking. asked: how many probes have been run.
        """
        belief = self.belief()
        if picks and asked < self.options.max_probes:
            return Ending.OPEN
        if belief.raw_found_confidence >= self.options.confident:
            return Ending.FOUND
        if belief.ranked and belief.ranked[0].unmodelled > _SURE:
            return Ending.UNKNOWN_NEAR
        return Ending.BUDGET if picks else Ending.SHORTLIST

    def _barred(self, askable: BoolArray | None, busy: Collection[int]) -> BoolArray:
        barred = np.zeros(self.model.question_count, np.bool_) if askable is None else ~askable
        barred = np.resize(barred, self.model.question_count)
        answered = np.fromiter(self._evidence.answers, np.int64, len(self._evidence.answers))
        barred[answered] = True
        if busy:
            barred |= np.isin(self.model.question_node, np.fromiter(busy, np.int64, len(busy)))
        return barred

    def _split(self, state: _State, bad: FloatArray) -> tuple[int, ...]:
        """Return the nodes, likeliest first, of sets that make a question bad more probably than not; at most 5."""
        sets = state.posterior.sets[bad > _SURE]
        members = sets[sets >= 0]
        nodes = {int(node) for node in self.model.faults.node[self._evidence.fault_of[members]]}
        return tuple(suspect.node for suspect in state.belief.ranked if suspect.node in nodes)[:5]


def _fault_set(names: IntArray, probability: float) -> FaultSet:
    """Return a set from its names: 2 * node, 1 more where it is unmodelled; -1 = none."""
    present = np.sort(names[names >= 0])
    nodes = tuple(int(name) >> 1 for name in present)
    return FaultSet(nodes, tuple(int(name) >> 1 for name in present if name & 1), probability)
