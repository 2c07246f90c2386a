"""Ways of looking that weigh evidence as the adaptive one does, and differ in what they ask.

All of them share the inference of the adaptive policy: what is compared is the choice of probes alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from typing_extensions import override

from btimd.rca.adaptive import PolicyOptions, diagnose
from btimd.rca.calibration import WHOLE
from btimd.rca.likelyneeds import likely_needs
from btimd.rca.simulate import UNKNOWN, Answer, Ask, Case, Policy, SimulationOptions
from btimd.rca.solver import Search
from btimd.rca.solver_calm import calm_of
from btimd.rca.solver_graph import GraphArrays, GraphModel
from btimd.rca.solver_types import Belief
from btimd.rca.world import World

PLANNED: Final = 24
CHANGE_BOOST: Final = 20.0
_NEAR_SUSPECTS: Final = 400
_INDICATOR_SHARE: Final = 0.25
"""False alarms of indicators beside those of checks: files do not tell them, and an indicator is debounced."""


def model_of(world: World) -> GraphModel:
    """Return the fault model of a world."""
    edges, probes, indicators = world.edges, world.probes, world.indicators
    weight = edges.weight.astype(np.float64)
    likely = likely_needs(world.kind, edges.needing, edges.to, weight, edges.physical)
    return GraphModel(
        GraphArrays(
            prior=world.prior.astype(np.float64),
            edge_from=np.concatenate([edges.needing, likely.needing]),
            edge_to=np.concatenate([edges.to, likely.to]),
            edge_weight=np.concatenate([weight, likely.weight * likely.chance]),
            edge_physical=np.concatenate([edges.physical, np.zeros(len(likely.to), np.bool_)]),
            probe_node=probes.node,
            probe_cost=probes.cost.astype(np.float64),
            probe_end_to_end=probes.end_to_end,
            probe_detects=probes.detects.astype(np.float64),
            probe_false_positive=probes.false_positive.astype(np.float64),
            indicator_starts=indicators.start.astype(np.int64),
            indicator_needs=indicators.need,
            indicator_false_positive=_INDICATOR_SHARE * float(np.mean(probes.false_positive)) if len(probes) else 0.003,
            node_kind=world.kind,
        )
    )


class _Weighing:
    """What the ways of this module share."""

    def __init__(self, world: World, options: SimulationOptions, rng: np.random.Generator) -> None:
        self._world = world
        self._model = model_of(world)
        self._options = options
        self._rng = rng
        self._how = PolicyOptions(
            batch=options.batch,
            search=replace(PolicyOptions().search, confident=options.confidence, max_probes=options.max_probes),
            hard_limit=options.max_probes,
        )
        # The regions of one business are seen together: what the model has wrong about it is wrong in all of them.
        self._groups = world.indicators.need[world.indicators.start[:-1]].tolist()
        first = self._model.probe_count
        questions = range(first, first + len(self._groups))
        search = self._how.search
        self._model.calm = calm_of(
            self._model, questions, self._groups, self._how.symptom_weight, search.group_doubt, search.group_shared
        )

    def _begin(self, case: Case) -> Search:
        """Return a search that knows the indicators and the changes."""
        search = Search(self._model, self._how.search, WHOLE)
        for node in case.changes.tolist():
            search.boost(node, CHANGE_BOOST)
        bad = set(case.symptoms.tolist())
        first, count = self._model.probe_count, len(self._groups)
        outcomes = [int(number in bad) for number in range(count)]
        search.observe_many(
            range(first, first + count), outcomes, self._groups, weight=self._how.symptom_weight, symptom=True
        )
        return search

    def _learn(self, search: Search, ask: Ask, probes: Sequence[int]) -> None:
        for probe, outcome in zip(probes, ask(probes).tolist(), strict=True):
            if outcome != UNKNOWN:
                search.observe(int(probe), outcome)


def answer_of(belief: Belief) -> Answer:
    """Return what is believed as the answer of a policy."""
    ranked = tuple(suspect.node for suspect in belief.ranked)
    # Nothing found is no finding, however sure it is that there is none.
    return Answer(ranked, belief.found, belief.found_confidence if belief.found else 0.0, belief.confidence)


class Adaptive(_Weighing, Policy):
    """Asks what tells most about the suspects, batch by batch, until it is sure."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Diagnose."""
        found = diagnose(
            self._model,
            case.symptoms.tolist(),
            self._groups,
            lambda probes: ask(probes).tolist(),
            self._how,
            calibration=WHOLE,
            boosts=dict.fromkeys(case.changes.tolist(), CHANGE_BOOST),
        )
        return answer_of(found.belief)


class Everything(_Weighing, Policy):
    """Asks every probe there is, and weighs all answers at once."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Ask all."""
        search = self._begin(case)
        self._learn(search, ask, range(len(self._world.probes)))
        return answer_of(search.belief())


class RandomProbes(_Weighing, Policy):
    """Asks probes of suspects in any order, until it is sure."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Ask some."""
        search = self._begin(case)
        suspects = [suspect.node for suspect in search.belief().ranked[:_NEAR_SUSPECTS]]
        order = self._rng.permutation(np.flatnonzero(np.isin(self._world.probes.node, suspects)))
        pool: list[int] = order[: self._options.max_probes].tolist()
        for first in range(0, len(pool), self._options.batch):
            if answer_of(search.belief()).confidence >= self._options.confidence:
                break
            self._learn(search, ask, pool[first : first + self._options.batch])
        return answer_of(search.belief())


class PrePlanned(_Weighing, Policy):
    """Asks the 24 probes that tell most about what is suspected at the start, all at once, and nothing after that."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Ask a fixed number."""
        search = self._begin(case)
        askable = np.zeros(self._model.question_count, np.bool_)
        askable[: len(self._world.probes)] = True
        planned: list[int] = []
        while len(planned) < PLANNED:
            # A batch ends where nothing adds to it; the next one is what tells most of what is left.
            picks = search.choose(PLANNED - len(planned), askable=askable, min_gain_bits=0.0)
            if not picks:
                break
            planned += [pick.question for pick in picks]
            askable[planned] = False
        self._learn(search, ask, planned)
        return answer_of(search.belief())
