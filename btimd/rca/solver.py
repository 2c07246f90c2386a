"""The search for causes: answers go in, what is believed and what to ask next come out.

Nothing here knows of graphs, checks or time. All is deterministic: equal weights go by the smaller id.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.rca.calibration import IDENTITY, Calibration
from btimd.rca.faultmodel import BoolArray, FaultModel, FloatArray, IntArray
from btimd.rca.solver_choice import Chooser
from btimd.rca.solver_evidence import Answer, Evidence
from btimd.rca.solver_sets import Posterior, SetSearch
from btimd.rca.solver_types import Belief, FaultSet, Pick, SearchOptions, Suspect

_DEFAULTS: Final = SearchOptions()
_SETS_TOLD: Final = 20
_LIVE: Final = 0.01
_EXPLAINED: Final = 0.3
"""A bad answer is explained by a set that makes it at least this probable."""
_HINTED_WEIGHT: Final = 0.5
"""What an unmodelled fault counts in the ranking where the set holds a known cause that may be what it stands for."""


@dataclass(frozen=True, slots=True)
class _State:
    posterior: Posterior
    classes: IntArray
    belief: Belief


class Search:
    """One diagnosis over a fault model. Not thread-safe; the model may be shared."""

    def __init__(
        self, model: FaultModel, options: SearchOptions = _DEFAULTS, calibration: Calibration = IDENTITY
    ) -> None:
        self.model = model
        self.options = options
        self._calibration = calibration
        self._evidence = Evidence(model, options.group_doubt)
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
            posterior = SetSearch(self._evidence, self.options.max_faults).posterior()
            self._state = self._conclude(posterior)
        return self._state

    def _conclude(self, posterior: Posterior) -> _State:
        """Return nodes and sets of nodes with their probabilities from those of sets of faults."""
        faults = self.model.faults
        present = posterior.sets >= 0
        fault = self._evidence.fault_of[np.where(present, posterior.sets, 0)] if present.any() else posterior.sets
        node = np.where(present, faults.node[fault] if present.any() else -1, -1).astype(np.int64)
        vague = present & (faults.unmodelled[fault] if present.any() else False)
        names = np.sort(np.where(present, 2 * node + vague, -1), axis=1)[:, ::-1]
        unique, classes = np.unique(names, axis=0, return_inverse=True)
        classes = classes.reshape(-1).astype(np.int64)
        mass = np.bincount(classes, weights=posterior.weight)
        order = np.argsort(-mass, kind="stable")[:_SETS_TOLD]
        sets = tuple(_fault_set(unique[one], float(mass[one])) for one in order)
        ranked = self._rank(posterior, node, vague)
        leader_row = int(np.nonzero(classes == order[0])[0][0])
        raw = ranked[0].probability if ranked else 0.0
        belief = Belief(
            ranked=ranked,
            sets=sets,
            raw_confidence=raw,
            confidence=self._calibration(raw),
            set_confidence=self._calibration(sets[0].probability) if not sets[0].unmodelled else 0.0,
            unexplained=self._unexplained(posterior.sets[leader_row]),
            reasons=(),
        )
        return _State(posterior, classes, belief)

    def _rank(self, posterior: Posterior, node: IntArray, vague: BoolArray) -> tuple[Suspect, ...]:
        known_besides = ((node >= 0) & ~vague).any(axis=1)
        weight = np.repeat(posterior.weight[:, None], node.shape[1], axis=1)
        counted = np.where(vague, np.where(known_besides[:, None], _HINTED_WEIGHT, 1.0), 1.0) * weight
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
        least = self.options.shortlist_gain_bits if min_gain_bits is None else min_gain_bits
        live = sum(suspect.probability + suspect.unmodelled >= _LIVE for suspect in state.belief.ranked)
        return [
            Pick(question, gain, expected, live, self._split(state, bad))
            for question, gain, expected, bad in chooser.batch(pool, cost, size, least)
        ]

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
        sets = state.posterior.sets[bad > 0.5]
        members = sets[sets >= 0]
        nodes = {int(node) for node in self.model.faults.node[self._evidence.fault_of[members]]}
        return tuple(suspect.node for suspect in state.belief.ranked if suspect.node in nodes)[:5]


def _fault_set(names: IntArray, probability: float) -> FaultSet:
    """Return a set from its names: 2 * node, 1 more where it is unmodelled; -1 = none."""
    present = np.sort(names[names >= 0])
    nodes = tuple(int(name) >> 1 for name in present)
    return FaultSet(nodes, tuple(int(name) >> 1 for name in present if name & 1), probability)
