import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels.aggregate import find_cells, spread
from tests.kernels import oracle

pytestmark = pytest.mark.bounds

EDGES = [0, 1, 999, 1000, 1001, 2**31, 2**53, 2**63 - 1]
COUNTS = st.one_of(st.sampled_from([-1, *EDGES]), st.integers(0, 10**6))
TIMES = st.one_of(
    st.integers(30_000, 60_000), st.sampled_from([-(2**63), -1, 0, 2**31, 2**53, 39_999, 40_000, 2**63 - 1])
)
SHARES = st.lists(
    st.builds(
        lambda cell, user, *rest: oracle.Share(cell, user if user < 0 else cell * 4 + user, *rest),
        st.integers(0, 3),
        st.integers(-1, 3),
        TIMES,
        st.integers(30_000, 60_000),
        COUNTS,
        COUNTS,
        st.sampled_from([-1, 0, 1, 2, 1000, 2**31 - 1]),
        st.booleans(),
    ),
    max_size=30,
)
SLOTS, LOWEST, HIGHEST = 32, 35, 58


def run(shares: list[oracle.Share]) -> tuple[dict[tuple[int, int], tuple[int, ...]], list[int]]:
    held = np.full(SLOTS, -1, np.int64)
    totals = np.zeros((SLOTS, 4, 8), np.int64)
    tallies = np.zeros((1, 4), np.int64)
    changed = np.zeros(SLOTS, np.uint8)
    start, end, octets, packets = (
        np.array([getattr(share, name) for share in shares], np.int64) for name in ("start", "end", "octets", "packets")
    )
    spread(
        np.arange(len(shares), dtype=np.int32),
        np.array([share.user for share in shares], np.int32),
        np.array([share.cell for share in shares], np.int32),
        start,
        end,
        octets,
        packets,
        np.array([share.rate for share in shares], np.int32),
        np.array([share.to_server for share in shares], np.uint8),
        np.array([[1000, 0, SLOTS - 1, LOWEST, HIGHEST, 0, 0]], np.int64),
        held,
        changed,
        totals,
        np.zeros((SLOTS, 2), np.uint8),
        tallies,
    )
    assert ((held >= 0) == (changed == 1)).all()
    cells = {
        (int(held[slot]), cell): (*line[:5], not line[5] & 2, bool(line[5] & 1))
        for slot in range(SLOTS)
        for cell, line in enumerate(totals[slot].tolist())
        if line[5]
    }
    return cells, tallies[0].tolist()


@settings(deadline=None, max_examples=150)
@given(SHARES)
def test_cells_are_the_exact_fractions_of_every_flow(shares: list[oracle.Share]) -> None:
    wanted = {key: cell.line() for key, cell in oracle.spread(shares, 1000, LOWEST, HIGHEST).items()}
    assert run(shares)[0] == wanted


@pytest.mark.parametrize("octets", [0, 1, 7, 2**31, 2**53, 2**63 - 1])
def test_the_parts_of_a_flow_sum_to_its_octets_to_the_last_one(octets: int) -> None:
    cells, tallies = run([oracle.Share(0, 0, 35_001, 57_998, octets, 3, 1, to_server=True)])
    assert sum(line[0] for line in cells.values()) == octets
    assert sum(line[2] for line in cells.values()) == 3
    assert sum(line[3] for line in cells.values()) == 1
    assert (len(cells), tallies) == (23, [0, 0, 0, 0])


def test_what_is_too_old_is_counted_and_what_is_not_is_kept() -> None:
    cells, tallies = run([oracle.Share(0, 0, 34_000, 35_999, 2000, 2, 1, to_server=False)])
    assert cells == {(35, 0): (0, 1000, 1, 1, 1, True, False)}
    assert tallies == [1, 1000, 0, 0]


def test_a_record_from_the_future_is_counted_and_not_kept() -> None:
    assert run([oracle.Share(0, 0, 50_000, 59_000, 11, 1, 10, to_server=True)]) == ({}, [0, 0, 1, 110])


def test_a_user_the_table_had_no_room_for_makes_the_cell_inexact() -> None:
    cells, _ = run([oracle.Share(0, user, 40_000, 40_000, 1, 1, 1, to_server=True) for user in (3, 3, 4, -1)])
    assert cells == {(40, 0): (4, 0, 4, 4, 2, False, False)}


def test_all_equal_records_are_one_user() -> None:
    cells, _ = run([oracle.Share(1, 8, 40_000, 40_000, 2**63 - 1, 1, 1, to_server=True)] * 5)
    assert cells == {(40, 1): (2**63 - 1, 0, 5, 5, 1, True, False)}


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 9)), max_size=60), st.integers(5, 40))
def test_cells_are_numbered_like_keys_of_a_dictionary_until_there_is_no_room(
    wanted: list[tuple[int, int]], capacity: int
) -> None:
    size = 1 << (2 * capacity - 1).bit_length()
    keys, values = np.zeros(size, np.int64), np.full(size, -1, np.int32)
    cells, state = np.zeros((capacity, 2), np.int32), np.array([5], np.int64)
    cells[:5] = [(business, -1) for business in range(-1, 4)]
    out = np.zeros(len(wanted), np.int32)
    lost = find_cells(
        np.arange(len(wanted), dtype=np.int32),
        np.array([business for business, _ in wanted], np.int32),
        np.array([place for _, place in wanted], np.int32),
        np.arange(10, dtype=np.int32),
        keys,
        values,
        cells,
        state,
        out,
    )
    known = {(business, -1): business + 1 for business in range(-1, 4)}
    missing = 0
    for key, found in zip(wanted, out.tolist(), strict=True):
        if key not in known and len(known) < capacity:
            known[key] = len(known)
        missing += key not in known
        assert found == known.get(key, key[0] + 1)
    assert lost == missing
    assert state[0] == len(known)
    assert {tuple(line): number for number, line in enumerate(cells[: state[0]].tolist())} == known
