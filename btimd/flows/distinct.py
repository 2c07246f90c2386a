"""How many clients found no room in the table of users: sketches, and what they amount to, with its error."""

from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.kernels import distinct as kernels
from btimd.kernels.aggregate import SKETCH_MASK, SKETCH_SHIFT

ERROR_RATIO: Final = 1.96 * 1.04 / sqrt(kernels.REGISTERS)
"""95 % of estimates lie within this share of the truth (Flajolet et al. 2007, theorem 1): 6.4 %."""
_LIMIT: Final = 1.0 / (2.0 * np.log(2.0))


class Sketches:
    """A pool of sketches; memory, 1 KiB for each, is taken as they are used.

    The arrays are those of kernels.collect, which takes sketches as it needs them.
    """

    def __init__(self, capacity: int, pairs: int) -> None:
        self.registers = np.zeros((max(capacity, 0), kernels.REGISTERS), np.uint8)
        self.free = np.zeros(max(capacity, 0), np.int32)
        self.state = np.zeros(kernels.STATE_SIZE, np.int64)
        self.young = np.zeros(pairs, np.uint8)

    @property
    def held(self) -> int:
        """Sketches in use."""
        return int(self.state[kernels.D_HELD])

    @property
    def lost(self) -> int:
        """Shares of refused clients that found no sketch: they are in no count."""
        return int(self.state[kernels.D_LOST])

    def drop(self, totals: npt.NDArray[np.int64], first_line: int, end_line: int) -> None:
        """Give back the sketches of some lines of totals."""
        if self.held:
            kernels.drop_sketches(first_line, end_line, totals, self.registers, self.free, self.state)
            if not self.held:
                self.young[:] = 0  # there is nothing any more that they could be in

    def move(self, flags: npt.NDArray[np.int64], target: npt.NDArray[np.int64], column: npt.NDArray[np.int64]) -> None:
        """Let lines `target` of `column`, the flags of some totals, have the sketches of `flags`; several merge."""
        for number, line in zip(((flags >> SKETCH_SHIFT) & SKETCH_MASK).tolist(), target.tolist(), strict=True):
            there = int(column[line] >> SKETCH_SHIFT) & SKETCH_MASK
            if number and not there:
                column[line] |= number << SKETCH_SHIFT
            elif number:
                kernels.merge_sketches(np.array([number - 1]), np.array([there - 1]), self.registers)
                self.registers[number - 1] = 0
                self.free[self.state[kernels.D_FREE]] = number - 1
                self.state[kernels.D_FREE] += 1
                self.state[kernels.D_HELD] -= 1

    def estimate(self, flags: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return about how many distinct clients are in the sketches of each column of flags, int64[parts, n]."""
        numbers = np.ascontiguousarray(((flags >> SKETCH_SHIFT) & SKETCH_MASK).T)
        found = np.zeros(flags.shape[1], np.int64)
        chosen = np.flatnonzero(numbers.any(axis=1)) if self.held else np.zeros(0, np.int64)
        if len(chosen):
            ranks = np.empty((len(chosen), kernels.MOST_RANK + 1), np.int64)
            kernels.count_ranks(numbers[chosen], self.registers, np.empty(kernels.REGISTERS, np.uint8), ranks)
            found[chosen] = np.rint(cardinality(ranks))
        return found


def cardinality(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return how many distinct things sketches hold whose registers of rank 0, 1, ... are counted in each row.

    The improved raw estimator (Ertl: New cardinality estimation algorithms for HyperLogLog sketches, 2017, section 2.4,
    algorithm 6): without bias from none to far more than there are registers, with no table and no range to switch at.
    """
    registers = float(kernels.REGISTERS)
    total = registers * _tau(1.0 - ranks[:, kernels.MOST_RANK] / registers)
    for rank in range(kernels.MOST_RANK - 1, 0, -1):
        total = 0.5 * (total + ranks[:, rank])
    total += registers * _sigma(ranks[:, 0] / registers)
    found: npt.NDArray[np.float64] = np.divide(
        _LIMIT * registers * registers, total, out=np.zeros(len(ranks)), where=np.isfinite(total) & (total > 0)
    )
    return found


def _sigma(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return x + sum of x^(2^k) * 2^(k-1) for k from 1 on; infinite at 1."""
    power, factor, result = share.copy(), 1.0, share.copy()
    power[share >= 1.0] = 0.0
    while True:
        power = power * power
        before, result = result, result + power * factor
        factor *= 2.0
        if np.array_equal(before, result):
            return np.where(share >= 1.0, np.inf, result)


def _tau(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (1 - x - sum of (1 - x^(2^-k))^2 * 2^-k for k from 1 on) / 3; 0 at 0 and 1."""
    root, factor, result = share.copy(), 1.0, 1.0 - share
    for _ in range(64):
        root = np.sqrt(root)
        before, factor = result, factor * 0.5
        result = result - (1.0 - root) ** 2 * factor
        if np.array_equal(before, result):
            break
    return np.where((share <= 0.0) | (share >= 1.0), 0.0, result / 3.0)


def warm() -> None:
    """Compile the kernels for the types they are called with."""
    sketches, totals, line = Sketches(2, 1), np.zeros((2, 8), np.int64), np.zeros(1, np.int64)
    kernels.note_clients(line, line, line, 0, totals, sketches.registers, sketches.free, sketches.state)
    sketches.estimate(totals[:, 6].reshape(1, -1))
    kernels.merge_sketches(line, line, sketches.registers)
    sketches.drop(totals, 0, 1)
