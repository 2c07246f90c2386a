import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels import aggregate
from btimd.kernels.aggregate import find_cells, spread
from tests.kernels import oracle

pytestmark = pytest.mark.bounds

EDGES = [0, 1, 999, 1000, 1001, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1]
COUNTS = st.one_of(st.sampled_from([-1, *EDGES]), st.integers(0, 10**6))
TIMES = st.one_of(
    st.integers(290_000, 600_000), st.sampled_from([-(2**63), -1, 0, 2**31, 2**53, 399_999, 400_000, 2**63 - 1])
)
SHARES = st.lists(
    st.builds(
        lambda cell, user, *rest: oracle.Share(cell, user if user < 0 else cell * 4 + user, *rest),
        st.integers(0, 3),
        st.integers(-1, 3),
        TIMES,
        st.integers(290_000, 600_000),
        COUNTS,
        COUNTS,
        st.sampled_from([-1, 0, 1, 2, 1000, 2**31 - 1]),
        st.booleans(),
    ),
    max_size=30,
)
SLOTS, COARSE_SLOTS = 32, 8
HELD, FRESH, LAST = 30, 35, 58
Cells = dict[tuple[int, int], tuple[int, ...]]


def run(shares: list[oracle.Share]) -> tuple[Cells, Cells, list[list[int]]]:
    """Return the cells of 10 s that are not late, all cells of 60 s, and the tallies."""
    held = np.full(SLOTS, -1, np.int64)
    totals = np.zeros((SLOTS, 4, 8), np.int64)
    tallies = np.zeros((2, 4), np.int64)
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
        np.array([HELD, FRESH, LAST], np.int64),
        held,
        changed,
        totals,
        np.zeros((SLOTS + COARSE_SLOTS, 2), np.uint8),
        tallies,
    )
    assert changed.tolist() == [0 if interval < 0 else 2 if interval < FRESH else 3 for interval in held.tolist()]
    fine: Cells = {}
    coarse: Cells = {}
    for slot in sorted(range(SLOTS), key=lambda slot: int(held[slot])):
        for cell, (*sums, fine_users, coarse_users, flags, spare) in enumerate(totals[slot].tolist()):
            assert spare == 0
            assert (flags & aggregate.FINE_CHANGED != 0) == (flags != 0 and held[slot] >= FRESH)
            if not flags:
                continue
            exact, sampled = not flags & aggregate.INEXACT, bool(flags & aggregate.SAMPLED)
            if held[slot] >= FRESH:
                fine[int(held[slot]), cell] = (*sums, fine_users, exact, sampled)
            minute = (int(held[slot]) // 6, cell)
            *known, known_exact, known_sampled = coarse.get(minute, (0, 0, 0, 0, 0, True, False))
            together = [
                min(left + right, oracle.MOST) for left, right in zip(known, [*sums, coarse_users], strict=True)
            ]
            coarse[minute] = (*together, known_exact and exact, known_sampled or sampled)
    return fine, coarse, tallies.tolist()


@settings(deadline=None, max_examples=150)
@given(SHARES)
def test_cells_are_the_exact_fractions_of_every_flow(shares: list[oracle.Share]) -> None:
    wanted = {key: cell.line() for key, cell in oracle.spread(shares, 10_000, FRESH, LAST).items()}
    assert run(shares)[0] == wanted


@settings(deadline=None, max_examples=150)
@given(SHARES)
def test_six_intervals_are_the_minute_to_the_last_octet_and_user(shares: list[oracle.Share]) -> None:
    kept = [share for share in shares if max(share.end, share.start, 0) // 10_000 <= LAST]
    wanted = {key: cell.line() for key, cell in oracle.spread(kept, 60_000, HELD // 6, LAST // 6).items()}
    assert run(shares)[1] == wanted


@pytest.mark.parametrize("octets", [0, 1, 7, 2**31, 2**32, 2**53, 2**63 - 1])
def test_the_parts_of_a_flow_sum_to_its_octets_to_the_last_one(octets: int) -> None:
    cells, _, tallies = run([oracle.Share(0, 0, 350_001, 579_998, octets, 3, 1, to_server=True)])
    assert sum(line[0] for line in cells.values()) == octets
    assert sum(line[2] for line in cells.values()) == 3
    assert sum(line[3] for line in cells.values()) == 1
    assert (len(cells), tallies) == (23, [[0, 0, 0, 0]] * 2)


def test_what_is_too_old_is_counted_and_what_is_not_is_kept() -> None:
    cells, minutes, tallies = run([oracle.Share(0, 0, 340_000, 359_999, 2000, 2, 1, to_server=False)])
    assert cells == {(35, 0): (0, 1000, 1, 1, 1, True, False)}
    assert minutes == {(5, 0): (0, 2000, 2, 1, 1, True, False)}
    assert tallies == [[1, 1000, 0, 0], [0, 0, 0, 0]]


def test_what_is_too_old_for_a_minute_too_is_counted_for_both() -> None:
    cells, minutes, tallies = run([oracle.Share(0, 0, 290_000, 309_999, 2000, 2, 1, to_server=True)])
    assert (cells, minutes) == ({}, {(5, 0): (1000, 0, 1, 1, 1, True, False)})
    assert tallies == [[1, 2000, 0, 0], [1, 1000, 0, 0]]


def test_a_record_from_the_future_is_counted_and_not_kept() -> None:
    share = oracle.Share(0, 0, 500_000, 590_000, 11, 1, 10, to_server=True)
    assert run([share]) == ({}, {}, [[0, 0, 1, 110]] * 2)


def test_a_user_the_table_had_no_room_for_makes_the_cell_inexact() -> None:
    cells, _, _ = run([oracle.Share(0, user, 400_000, 400_000, 1, 1, 1, to_server=True) for user in (3, 3, 4, -1)])
    assert cells == {(40, 0): (4, 0, 4, 4, 2, False, False)}


def test_all_equal_records_are_one_user() -> None:
    cells, _, _ = run([oracle.Share(1, 8, 400_000, 400_000, 2**63 - 1, 1, 1, to_server=True)] * 5)
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
    pairs = np.full((64, 8), -1, np.int64)
    out = np.full(len(wanted), -1, np.int32)
    out[::7] = 77
    lost = find_cells(
        np.arange(len(wanted), dtype=np.int32),
        np.array([business for business, _ in wanted], np.int32),
        np.array([at if at % 5 else -1 for at in range(len(wanted))], np.int32),
        np.array([place for _, place in wanted], np.int32),
        np.arange(10, dtype=np.int32),
        keys,
        values,
        cells,
        state,
        pairs,
        out,
    )
    known = {(business, -1): business + 1 for business in range(-1, 4)}
    missing = 0
    for at, (key, found) in enumerate(zip(wanted, out.tolist(), strict=True)):
        if at % 7 == 0:  # the pair's cell was known before
            assert (found, pairs[at, 7]) == (77, -1)
            continue
        if key not in known and len(known) < capacity:
            known[key] = len(known)
        missing += key not in known
        assert found == known.get(key, key[0] + 1)
        assert pairs[at, 7] == (known.get(key, -1) if at % 5 else -1)
    assert lost == missing
    assert state[0] == len(known)
    assert {tuple(line): number for number, line in enumerate(cells[: state[0]].tolist())} == known
