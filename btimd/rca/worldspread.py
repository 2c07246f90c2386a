"""A world whose observations have nothing in common but the fault: each is drawn for itself.

What an observation sees of a fault is the surest way to it, the largest product of weights; less than 5 % is left out.
Several faults and false alarms meet as a noisy-OR. There is no luck that observations share, so models that weigh
answers as independent are right here, and a way of looking is judged by its search and its choice alone.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.rca.worldfaults import Chances, Luck, TrueWorld

_CUT: Final = 0.05


class IndependentWorld(TrueWorld):
    """A world that breaks, every observation drawn for itself. The `luck` of its family does not matter."""

    def reach(self, fault: int, weight: Chances) -> Chances:
        """Return how surely each node is hit by a fault over the surest way: float64[n], the fault itself 1.

        weight: float64[e].
        """
        found = np.zeros(len(self.world))
        found[fault] = 1.0
        to = self.world.edges.to
        for nodes, rows, position in self._levels:
            best = np.zeros(len(nodes))
            np.maximum.at(best, position, weight[rows] * found[to[rows]])
            best[best < _CUT] = 0.0
            found[nodes] = np.maximum(found[nodes], best)
        return found

    @override
    def flows_bad(self, strength: Chances, luck: Luck, *, false_alarms: float) -> npt.NDArray[np.bool_]:
        """Return which indicators are bad: bool[m]."""
        needs = self.world.indicators
        good = np.full(len(needs), 1.0 - false_alarms)
        for fault in np.flatnonzero(strength).tolist() if len(needs) else ():
            reach = self.reach(fault, self.world.edges.weight.astype(np.float64))
            good *= 1.0 - strength[fault] * np.maximum.reduceat(reach[needs.need], needs.start[:-1])
        return luck.flow < 1.0 - good

    @override
    def probes_bad(self, strength: Chances, luck: Luck) -> npt.NDArray[np.bool_]:
        """Return which probes are bad: bool[p]."""
        world, probes = self.world, self.world.probes
        weight = world.edges.weight.astype(np.float64)
        good = 1.0 - (probes.false_positive if self.regime.false_alarms else np.zeros(len(probes))).astype(np.float64)
        for fault in np.flatnonzero(strength).tolist():
            whole = self.reach(fault, weight)[probes.node]
            physical = self.reach(fault, np.where(world.edges.physical, weight, 0.0))[probes.node]
            seen = np.where(probes.end_to_end, whole, physical)
            own = probes.node == fault
            seen[own] = probes.detects[own]
            good *= 1.0 - strength[fault] * seen
        return luck.probe < 1.0 - good
