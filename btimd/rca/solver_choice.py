"""Which questions to ask next: the most information about the set of causes for what they cost, as a batch."""

from typing import Final

import numpy as np

from btimd.kernels.noisyor import information, predict
from btimd.rca.faultmodel import BoolArray, FaultModel, FloatArray, IntArray
from btimd.rca.solver_sets import WIDTH, Posterior

_SUSPECTS: Final = 70
_FINE: Final = 48
_MOST_POOL: Final = 1200
_BRANCH_WORTH: Final = 0.01


class Chooser:
    """One choice over a posterior. classes: int64[sets], sets of the same class need not be told apart."""

    def __init__(
        self, model: FaultModel, posterior: Posterior, fault_of: IntArray, classes: IntArray, cost_power: float
    ) -> None:
        self._model = model
        self._posterior = posterior
        self._cost_power = cost_power
        hot = np.unique(posterior.sets)
        hot = hot[hot >= 0]
        self._hot_faults = fault_of[hot].astype(np.int64)
        sets = np.searchsorted(hot, posterior.sets).astype(np.int64)
        self._sets = np.ascontiguousarray(np.where(posterior.sets < 0, -1, sets)).reshape(-1, WIDTH)
        self._classes = classes
        self._wanted = np.full(model.fault_count, -1, np.int32)
        self._wanted[self._hot_faults] = np.arange(len(hot), dtype=np.int32)

    def pool(self, suspects: IntArray, barred: BoolArray) -> IntArray:
        """Return the questions worth weighing: about the first suspects, without those barred; ascending."""
        parts = [self._model.about(int(node)) for node in suspects[:_SUSPECTS]]
        if not parts:
            return np.zeros(0, np.int64)
        found = np.concatenate(parts)
        found = found[~barred[found]]
        _, first = np.unique(found, return_index=True)
        kept: IntArray = np.sort(found[np.sort(first)[:_MOST_POOL]])
        return kept

    def p_bad(self, questions: IntArray) -> FloatArray:
        """Return P(bad | set): float64[questions, sets]."""
        rows = self._model.rows_among(questions, self._wanted)
        out = np.empty((len(questions), len(self._sets)))
        predict(self._sets, rows.starts, rows.faults, rows.detection, rows.leak, np.zeros(len(self._hot_faults)), out)
        return out

    def gains(self, bad: FloatArray, branches: FloatArray) -> FloatArray:
        """Return the information of questions in bits, averaged over branches."""
        count = int(self._classes.max()) + 1
        gain = np.empty(len(bad))
        information(bad, branches, self._classes, np.empty(count), np.empty(count), gain)
        return gain

    def batch(
        self, questions: IntArray, cost: FloatArray, size: int, min_gain_bits: float, share: float
    ) -> list[tuple[int, float, float, FloatArray]]:
        """Return up to `size` of the questions: (question, gain, P(bad), P(bad | set)), best first, distinct nodes."""
        chosen: list[tuple[int, float, float, FloatArray]] = []
        if not len(questions) or len(self._sets) < 2:
            return chosen
        bad = self.p_bad(questions)
        branches = self._posterior.weight[None, :].copy()
        gain = self.gains(bad, branches)
        value = gain / np.maximum(cost, 0.01) ** self._cost_power
        node = self._model.question_node[questions]
        keep = np.argsort(-value, kind="stable")[:_FINE]
        first_gain = 0.0
        free = np.ones(len(keep), np.bool_)
        while len(chosen) < size:
            if chosen:
                gain[keep] = self.gains(bad[keep], branches)
                value[keep] = gain[keep] / np.maximum(cost[keep], 0.01) ** self._cost_power
            usable = np.nonzero(free)[0]
            if not len(usable):
                break
            best = int(usable[np.argmax(value[keep][usable])])
            position = int(keep[best])
            if gain[position] < max(min_gain_bits, share * first_gain):
                break
            first_gain = first_gain or float(gain[position])
            expected = float(self._posterior.weight @ bad[position])
            chosen.append((int(questions[position]), float(gain[position]), expected, bad[position]))
            free[best] = False
            free &= (node[keep] != node[position]) | (node[keep] < 0)
            split = np.concatenate([branches * bad[position], branches * (1.0 - bad[position])])
            branches = np.ascontiguousarray(split[split.sum(axis=1) > _BRANCH_WORTH])
        return chosen
