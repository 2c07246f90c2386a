"""A whole diagnosis over a model: rounds of a few probes, chosen by what the answers so far leave open.

Where nothing known explains what is seen, the search widens to what the model may lack: an edge from the node that
suffers to something that nothing is known to need.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from btimd.rca.calibration import Calibration
from btimd.rca.faultmodel import BAD, GOOD
from btimd.rca.solver import Search
from btimd.rca.solver_graph import GraphArrays, GraphModel
from btimd.rca.solver_types import Belief, Ending, SearchOptions

UNKNOWN: Final = -1
"""Outcome of a probe that gave no answer: it costs, and tells nothing."""

WORLD_SEARCH: Final = SearchOptions(
    cost_power=0.1,
    batch_share=0.4,
    group_doubt=0.005,
    group_shared=0.0,
    usual_faults=2.0,
    shortlist_gain_bits=0.05,
    settled_gain_bits=0.03,
)
"""How a search weighs where whole incidents are diagnosed: several faults at a time are no rarity there."""

Ask = Callable[[list[int]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """How a diagnosis goes.

    batch: most probes of one round. symptom_weight: how much an indicator counts. hard_limit: most probes.
    widen: most probes of things that nothing is known to need, asked where something unmodelled is suspected.
    widen_boost: how much likelier those are then, before they are asked. suffers: from this probability of something
    unmodelled on, it is looked for; lost: where the first of the ranked is less probable, it is looked for near all
    that is bad.
    """

    batch: int = 4
    symptom_weight: float = 1.0
    search: SearchOptions = field(default_factory=lambda: WORLD_SEARCH)
    hard_limit: int = 100
    widen: int = 8
    widen_batch: int = 4
    widen_boost: float = 20.0
    suffers: float = 0.2
    lost: float = 0.6


@dataclass(frozen=True, slots=True)
class Answer:
    """How a diagnosis ended.

    ranked: nodes, best first. found: those held to be the causes, and found_confidence that they all are. confidence:
    that the first of the ranked is. probes: all that were asked, in order.
    """

    ranked: tuple[int, ...]
    found: tuple[int, ...]
    confidence: float
    found_confidence: float
    ending: Ending
    probes: tuple[int, ...]
    rounds: int
    belief: Belief


class _Diagnosis:
    """One run."""

    def __init__(
        self, model: GraphModel, search: Search, ask: Ask, options: PolicyOptions, suffering: Sequence[int]
    ) -> None:
        self.model = model
        self.search = search
        self.options = options
        self.asked: list[int] = []
        self.rounds = 0
        self.askable = np.zeros(model.question_count, np.bool_)
        self.askable[: model.probe_count] = True
        self._ask = ask
        self._suffering = list(suffering)
        self._widened: set[int] = set()
        self._looked_at: set[int] = set()
        self._left_to_widen = options.widen
        self._confirmed: set[int] = set()

    def run(self) -> Ending:
        """Ask until nothing is worth asking."""
        while True:
            room = self.options.hard_limit - len(self.asked)
            picks = self.search.choose(min(self.options.batch, room), askable=self.askable) if room > 0 else []
            if picks:
                self._learn([pick.question for pick in picks])
            elif room <= 0 or not (self._confirm(room) or self._widen(room)):
                return self.search.done([], asked=len(self.asked))

    def _learn(self, probes: list[int]) -> bool:
        """Ask some probes; tell whether one was bad."""
        self.rounds += 1
        self.asked += probes
        self.askable[probes] = False
        outcomes = self._ask(probes)
        for probe, outcome in zip(probes, outcomes, strict=True):
            if outcome != UNKNOWN:
                self.search.observe(probe, int(outcome))
        return any(outcome == BAD for outcome in outcomes)

    def _confirm(self, room: int) -> bool:
        """Ask those held to be the causes themselves, each once; tell whether there was one to ask."""
        new = [node for node in self.search.belief().found if node not in self._confirmed][:room]
        self._confirmed.update(new)
        picks = [self.search.confirmation(node, askable=self.askable) for node in new]
        probes = [pick.question for pick in picks if pick is not None]
        if probes:
            self._learn(probes)
        return bool(probes)

    def _widen(self, room: int) -> bool:
        """Ask what those who suffer may need without anybody knowing; tell whether something was bad there."""
        while room > 0 and self._left_to_widen > 0:
            node = self._sufferer()
            if node < 0:
                return False
            self._widened.add(node)
            nodes = [
                one
                for one in self.model.unattached_like_needs_of(node, self.options.widen)
                if one not in self._looked_at
            ]
            self._looked_at.update(nodes)
            checks = [(one, probe) for one in nodes if (probe := self._deepest_check(one)) >= 0]
            checks = checks[: min(room, self._left_to_widen)]
            for one, _ in checks:
                self.search.boost(one, self.options.widen_boost)
                for below in self.model.needs_of(one):
                    self.search.boost(below, self.options.widen_boost / 4.0)
            probes = [probe for _, probe in checks]
            for first in range(0, len(probes), self.options.widen_batch):
                some = probes[first : first + self.options.widen_batch]
                self._left_to_widen -= len(some)
                room -= len(some)
                if self._learn(some):
                    return True
        return False

    def _sufferer(self) -> int:
        """Return the next node that may suffer from something unmodelled, -1 where there is none."""
        belief = self.search.belief()
        nodes = [one.node for one in belief.ranked if one.unmodelled > self.options.suffers]
        if belief.raw_confidence < self.options.lost:
            nodes += self._suffering
        return next((node for node in nodes if node not in self._widened), -1)

    def _deepest_check(self, node: int) -> int:
        """Return the check of a node that sees most of what it stands on, -1 where it has none left."""
        model = self.model
        own = model.probes_of(node)
        own = own[self.askable[own]]
        if not len(own):
            return -1
        seen = model.arrays.probe_end_to_end[own] + model.arrays.probe_detects[own]
        return int(own[np.argmax(seen)])


def _most_hit(symptoms: set[int], groups: Sequence[int]) -> list[int]:
    """Return the groups with symptoms, those with the most first."""
    hit = Counter(groups[number] for number in symptoms)
    return sorted(hit, key=lambda group: (-hit[group], group))


def diagnose(
    model: GraphModel,
    symptoms: Sequence[int],
    groups: Sequence[int],
    ask: Ask,
    options: PolicyOptions | None = None,
    *,
    calibration: Calibration | None = None,
    boosts: Mapping[int, float] | None = None,
) -> Answer:
    """Return the causes behind symptoms.

    symptoms: numbers of the indicators that are bad, all others are good. groups: the group of every indicator (its
    business). ask: takes numbers of probes, returns GOOD, BAD or UNKNOWN for each. boosts: how much likelier some nodes
    are at fault than usual (they were changed).
    """
    how = options or PolicyOptions()
    search = Search(model, how.search) if calibration is None else Search(model, how.search, calibration)
    for node, factor in (boosts or {}).items():
        search.boost(node, factor)
    bad = set(symptoms)
    questions = range(model.probe_count, model.probe_count + len(groups))
    outcomes = [int(number in bad) for number in range(len(groups))]
    search.observe_many(questions, outcomes, groups, weight=how.symptom_weight, symptom=True)
    one = _Diagnosis(model, search, ask, how, _most_hit(bad, groups))
    ending = one.run()
    belief = search.belief()
    return Answer(
        tuple(suspect.node for suspect in belief.ranked),
        belief.found,
        belief.confidence,
        belief.found_confidence,
        ending,
        tuple(one.asked),
        one.rounds,
        belief,
    )


def warm() -> None:
    """Load, or compile, every kernel that a diagnosis uses."""
    one = np.zeros(1, np.int32)
    model = GraphModel(
        GraphArrays(
            prior=np.full(2, 2e-4),
            edge_from=one,
            edge_to=one + 1,
            edge_weight=np.ones(1),
            edge_physical=np.zeros(1, np.bool_),
            probe_node=np.array([0, 1], np.int32),
            probe_cost=np.ones(2),
            probe_end_to_end=np.ones(2, np.bool_),
            probe_detects=np.full(2, 0.95),
            probe_false_positive=np.zeros(2),
            indicator_starts=np.array([0, 1], np.int64),
            indicator_needs=one,
        )
    )
    diagnose(model, [0], [0], lambda probes: [GOOD] * len(probes))
