import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels.users import number, rebuild

pytestmark = pytest.mark.bounds

HALVES = st.sampled_from([0, 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1])
COUNTS = st.sampled_from([-1, 0, 1, 2**31, 2**32, 2**53, 2**63 - 1])
RECORDS = st.lists(
    st.tuples(
        HALVES,
        HALVES,
        st.integers(-1, 2),
        st.integers(0, 2000),
        COUNTS,
        st.sampled_from([1, 2, 2**31 - 1]),
        st.booleans(),
    ),
    max_size=40,
)
OWNERS = [[0], [1, 2], [-1]]


class Table:
    def __init__(self, capacity: int) -> None:
        self.pairs = np.zeros((capacity, 8), np.int64)
        self.index = np.full(2 * capacity, -1, np.int32)
        self.free = np.zeros(capacity, np.int32)
        self.state = np.zeros(4, np.int64)

    def add(
        self, records: list[tuple[int, int, int, int, int, int, bool]], seed: int = 5
    ) -> list[tuple[int, int, int]]:
        hi, lo, rule, end, octets, rate, outward = ([record[at] for record in records] for at in range(7))
        client = [np.array(half, np.uint64).view(np.int64) for half in (hi, lo)]
        nobody = [np.full(len(records), 99, np.int64)] * 2
        away = np.array(outward, np.bool_)
        sides = [np.where(away, mine, other) for mine, other in zip(client, nobody, strict=True)]
        sides += [np.where(away, other, mine) for mine, other in zip(client, nobody, strict=True)]
        shares = [np.zeros(2 * len(records), np.int32) for _ in range(4)]
        source_hi, source_lo, destination_hi, destination_lo = sides
        record, business, pair, cell = shares
        times = np.array(end, np.int64)
        count = number(
            source_hi, source_lo, destination_hi, destination_lo, times - 10, times, np.array(octets, np.int64), np.array(rate, np.int32),
            np.array(rule, np.int32), np.arange(len(records), dtype=np.int32), away.astype(np.uint8),
            np.array([0, 1, 3, 4], np.int32), np.array([0, 1, 2, -1], np.int32), 100, 1500, seed,
            self.index, self.pairs, self.free, self.state,
            np.zeros(2 * len(records), np.int64), record, business, pair, cell,
        )  # fmt: skip
        return list(zip(*(column[:count].tolist() for column in shares[:3]), strict=True))


def test_nothing_makes_no_pair() -> None:
    table = Table(8)
    assert table.add([]) == []
    assert table.state.tolist() == [0] * 4


@settings(deadline=None, max_examples=80)
@given(st.lists(RECORDS, max_size=4))
def test_pairs_are_what_a_dictionary_holds(batches: list[list[tuple[int, int, int, int, int, int, bool]]]) -> None:
    table = Table(256)
    known: dict[tuple[int, int, int], list[int]] = {}
    for records in batches:
        shares = table.add(records)
        wanted = []
        for at, (hi, lo, rule, end, octets, rate, _) in enumerate(records):
            first, last = (min(max(time, 100), 1500) for time in (end - 10, end))
            amount = min(max(octets, 0) * max(rate, 1), 2**63 - 1)
            for business in OWNERS[rule] if rule >= 0 else [-1]:
                wanted.append((at, business))
                line = known.setdefault((hi, lo, business), [at, first, last, 0])
                line[:] = at, min(line[1], first), max(line[2], last), min(line[3] + amount, 2**63 - 1)
        assert [(record, business) for record, business, _ in shares] == wanted
    lines = table.pairs[: table.state[0]].tolist()
    mask = 2**64 - 1
    assert {(line[0] & mask, line[1] & mask, line[2]): line[3:7] for line in lines} == known
    assert len(lines) == len(known)
    assert table.state[2] == sum(business == -1 for _, _, business in known)


def test_a_full_table_refuses_new_pairs_counts_them_and_still_knows_the_old_ones() -> None:
    table = Table(8)
    first = table.add([(1, lo, 0, 200, 1, 1, True) for lo in range(8)])
    again = table.add([(1, lo, 0, 200, 1, 1, True) for lo in range(10)])
    assert [pair for _, _, pair in again] == [*(pair for _, _, pair in first), -1, -1]
    assert table.state[3] == 2


def test_unattributed_traffic_gets_at_most_half_of_the_table() -> None:
    table = Table(8)
    strangers = table.add([(1, lo, -1, 200, 1, 1, True) for lo in range(8)])
    assert sum(pair >= 0 for _, _, pair in strangers) == 4
    assert all(pair >= 0 for _, _, pair in table.add([(2, lo, 0, 200, 1, 1, True) for lo in range(4)]))
    assert table.state[3] == 4


def test_rebuilding_forgets_the_old_and_gives_their_numbers_to_new_pairs() -> None:
    table = Table(8)
    table.add([(1, lo, 0, 200 if lo < 5 else 900, 1, 1, True) for lo in range(8)])
    assert rebuild(table.index, table.pairs, table.free, table.state, 500, 5) == 5
    again = table.add([(1, lo, 0, 900, 1, 1, True) for lo in range(5, 13)])
    assert [pair for _, _, pair in again[:3]] == [5, 6, 7]
    assert sorted(pair for _, _, pair in again) == list(range(8))
    assert table.state[3] == 0
