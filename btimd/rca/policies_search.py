"""Ways of looking that weigh evidence as the adaptive one does, and differ in what they ask.

All of them share the inference of the adaptive policy: what is compared is the choice of probes alone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from typing_extensions import override

from btimd.rca.adaptive import answer_of, begin
from btimd.rca.faultmodel import BAD as IS_BAD
from btimd.rca.faultmodel import GOOD as IS_GOOD
from btimd.rca.faultmodel import FaultModel
from btimd.rca.simulate import BAD, UNKNOWN, Answer, Ask, Case, Policy, SimulationOptions
from btimd.rca.solver import Search
from btimd.rca.world import IntArray, World

PLANNED: Final = 24
_NEAR_SUSPECTS: Final = 400


class _Weighing:
    """What the ways of this module share."""

    def __init__(self, world: World, model: FaultModel, options: SimulationOptions, rng: np.random.Generator) -> None:
        self._world = world
        self._model = model
        self._options = options
        self._rng = rng

    def _learn(self, search: Search, ask: Ask, probes: Sequence[int] | IntArray) -> None:
        for probe, outcome in zip(probes, ask(probes).tolist(), strict=True):
            if outcome != UNKNOWN:
                search.observe(int(probe), IS_BAD if outcome == BAD else IS_GOOD)


class Everything(_Weighing, Policy):
    """Asks every probe there is, and weighs all answers at once."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Ask all."""
        search = begin(self._world, self._model, self._options, case)
        self._learn(search, ask, np.arange(len(self._world.probes)))
        return answer_of(search)


class RandomProbes(_Weighing, Policy):
    """Asks probes of suspects in any order, until it is sure."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Ask some."""
        search = begin(self._world, self._model, self._options, case)
        suspects = [suspect.node for suspect in search.belief().ranked[:_NEAR_SUSPECTS]]
        pool = self._rng.permutation(np.flatnonzero(np.isin(self._world.probes.node, suspects)))
        pool = pool[: self._options.max_probes]
        for first in range(0, len(pool), self._options.batch):
            if search.belief().set_confidence >= self._options.confidence:
                break
            self._learn(search, ask, pool[first : first + self._options.batch])
        return answer_of(search)


class PrePlanned(_Weighing, Policy):
    """Asks the 24 probes that tell most about what is suspected at the start, all at once, and nothing after that."""

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Ask a fixed number."""
        search = begin(self._world, self._model, self._options, case)
        self._learn(search, ask, [pick.question for pick in search.choose(PLANNED, min_gain_bits=0.0)])
        return answer_of(search)
