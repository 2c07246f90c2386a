import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.lines import zero_lines
from btimd.kernels import distinct
from btimd.kernels.aggregate import FINE_CHANGED, FLAGS, SKETCH_MASK, SKETCH_SHIFT
from btimd.kernels.distinct import REGISTERS

pytestmark = pytest.mark.bounds

HALVES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63 - 1, -(2**63)]))
CLIENTS = st.lists(st.tuples(st.integers(0, 3), HALVES, HALVES), max_size=40)


class Pool:
    """Four lines of totals and a pool of sketches."""

    def __init__(self, capacity: int = 4) -> None:
        self.totals = zero_lines(4)
        self.totals[:, FLAGS] = FINE_CHANGED
        self.registers = np.zeros((capacity, REGISTERS), np.uint8)
        self.free = np.zeros(capacity, np.int32)
        self.state = np.zeros(distinct.STATE_SIZE, np.int64)

    def add(self, clients: list[tuple[int, int, int]], seed: int = 3) -> int:
        line, hi, lo = np.array(clients, np.int64).reshape(-1, 3).T.copy()
        return distinct.note_clients(line, hi, lo, seed, self.totals, self.registers, self.free, self.state)

    def number(self, line: int) -> int:
        return int(self.totals[line, FLAGS]) >> SKETCH_SHIFT & SKETCH_MASK

    def drop(self, first: int, end: int) -> int:
        return distinct.drop_sketches(first, end, self.totals, self.registers, self.free, self.state)

    def ranks(self, *lines: int) -> list[int]:
        """Return how many registers of each rank the union of some lines has."""
        ranks = np.empty((1, distinct.MOST_RANK + 1), np.int64)
        numbers = np.array([[self.number(line) for line in lines]], np.int64)
        distinct.count_ranks(numbers, self.registers, np.empty(REGISTERS, np.uint8), ranks)
        return [int(number) for number in ranks[0]]


def ranks_of(clients: set[tuple[int, int]], seed: int = 3) -> list[int]:
    """Return the same by text: the rank is the place of the first one among 31 binary digits, 32 without one."""
    best: dict[int, int] = {}
    for hi, lo in clients:
        digits = f"{int(distinct.client_hash(np.int64(hi), np.int64(lo), np.int64(seed))):041b}"
        assert len(digits) == 41
        register, rank = int(digits[:10], 2), (digits[10:] + "1").index("1") + 1
        best[register] = max(best.get(register, 0), rank)
    found = [REGISTERS - len(best)] + [0] * distinct.MOST_RANK
    for rank in best.values():
        found[rank] += 1
    return found


@settings(max_examples=60)
@given(CLIENTS)
def test_a_sketch_holds_what_the_digits_of_hashes_say_and_each_client_once(clients: list[tuple[int, int, int]]) -> None:
    pool = Pool()
    assert pool.add(clients) == 0
    assert pool.add(clients[::-1]) == 0
    for line in range(4):
        assert pool.ranks(line) == ranks_of({client[1:] for client in clients if client[0] == line})
        assert int(pool.totals[line, FLAGS]) & 0xFF == FINE_CHANGED
    assert pool.ranks(0, 2, 3) == ranks_of({client[1:] for client in clients if client[0] != 1})
    assert pool.state[distinct.D_HELD] == len({client[0] for client in clients})


def test_where_the_pool_is_empty_clients_are_counted_as_lost_and_those_of_other_lines_are_not() -> None:
    pool = Pool(capacity=2)
    assert pool.add([(0, 1, 1), (1, 1, 2), (2, 1, 3), (2, 1, 4), (0, 1, 5)]) == 2
    assert (pool.number(2), pool.state[distinct.D_LOST], pool.state[distinct.D_HELD]) == (0, 2, 2)


def test_sketches_that_are_given_back_are_empty_and_used_again() -> None:
    pool = Pool(capacity=2)
    pool.add([(0, 1, 1), (1, 1, 2)])
    assert (pool.drop(0, 1), pool.number(0), pool.number(1)) == (1, 0, 2)
    assert pool.add([(3, 7, 7)]) == 0
    assert (pool.number(3), pool.ranks(3)) == (1, ranks_of({(7, 7)}))
    assert pool.drop(0, 4) == 2
    assert (pool.state[distinct.D_HELD], pool.registers.any()) == (0, np.False_)


def test_a_merged_sketch_is_that_of_both() -> None:
    pool = Pool()
    pool.add([(0, 1, at) for at in range(20)] + [(1, 1, at) for at in range(10, 40)])
    source, target = (np.array([pool.number(line) - 1]) for line in (0, 1))
    assert distinct.merge_sketches(source, target, pool.registers) == 1
    assert pool.ranks(1) == ranks_of({(1, at) for at in range(40)})


@pytest.mark.parametrize("step", [1, 2, 256, 65_536, 1 << 32, 1 << 40])
def test_addresses_that_follow_each_other_spread_over_registers_and_ranks_like_any_other(step: int) -> None:
    hashed = getattr(distinct.client_hash, "py_func", distinct.client_hash)  # which takes whole columns
    value = hashed(np.int64(0), np.arange(100_000) * step + 0xFFFF0A000000, np.int64(2**62 + 12345))
    in_register = np.bincount(value >> distinct.RANK_BITS, minlength=REGISTERS)
    assert len(in_register) == REGISTERS
    assert 0.8 < ((in_register - in_register.mean()) ** 2 / in_register.mean()).sum() / REGISTERS < 1.2
    for bit in range(distinct.RANK_BITS):
        assert 0.49 < float((value >> bit & 1).mean()) < 0.51
