import numpy as np
import pytest

from btimd.flows.distinct import ERROR_RATIO, Sketches, cardinality
from btimd.kernels import distinct as kernels
from btimd.kernels.aggregate import FLAGS
from btimd.kernels.distinct import REGISTERS


def ranks_of(registers: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.bincount([*registers, *[0] * (REGISTERS - len(registers))], minlength=kernels.MOST_RANK + 1)[None, :]


def hashed(clients: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the ranks in a sketch of so many clients, whose hashes are drawn by a generator."""
    draw = np.random.default_rng(seed)
    ranks = np.minimum(draw.geometric(0.5, clients), kernels.MOST_RANK)
    registers = np.zeros(REGISTERS, np.int64)
    np.maximum.at(registers, draw.integers(0, REGISTERS, clients), ranks)
    return np.bincount(registers, minlength=kernels.MOST_RANK + 1)


def test_the_stated_error_is_that_of_a_thousand_registers() -> None:
    assert pytest.approx(0.0637) == ERROR_RATIO


@pytest.mark.parametrize("clients", [1, 10, 300, 1_000, 2_500, 5_000, 30_000, 400_000])
def test_95_percent_of_estimates_lie_within_the_stated_error_and_they_have_no_bias(clients: int) -> None:
    found = cardinality(np.stack([hashed(clients, seed) for seed in range(80)])) / clients - 1.0
    assert np.mean(np.abs(found) <= ERROR_RATIO) >= 0.9
    assert abs(found.mean()) < 0.015


def test_nothing_is_none_and_sketches_that_are_full_are_no_number_that_breaks_anything() -> None:
    assert cardinality(ranks_of([])).tolist() == [0.0]
    assert cardinality(ranks_of([1])).tolist() == [pytest.approx(1.0, rel=1e-3)]
    assert cardinality(ranks_of([kernels.MOST_RANK] * REGISTERS)).tolist() == [0.0]


def test_lines_that_move_keep_their_sketches_and_those_that_meet_become_one() -> None:
    sketches, totals = Sketches(4, 8), np.zeros((3, 8), np.int64)
    line, lo = np.repeat([0, 1, 2], 50), np.concatenate([np.arange(50), np.arange(25, 75), np.arange(1000, 1050)])
    kernels.note_clients(line, lo, lo, 7, totals, sketches.registers, sketches.free, sketches.state)
    column = np.zeros(2, np.int64)
    sketches.move(totals[:, FLAGS], np.array([1, 1, 0]), column)
    assert sketches.estimate(column[None, :]).tolist() == [pytest.approx(50, abs=4), pytest.approx(75, abs=6)]
    assert (sketches.held, sketches.lost) == (2, 0)


def test_when_the_last_sketch_is_given_back_no_pair_is_young_any_more() -> None:
    sketches, totals = Sketches(4, 8), np.zeros((2, 8), np.int64)
    one = np.zeros(1, np.int64)
    kernels.note_clients(one, one, one, 7, totals, sketches.registers, sketches.free, sketches.state)
    sketches.young[3] = 1
    sketches.drop(totals, 1, 2)
    assert (sketches.held, sketches.young[3]) == (1, 1)
    sketches.drop(totals, 0, 1)
    assert (sketches.held, sketches.young.any()) == (0, np.False_)
