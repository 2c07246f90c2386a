import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels.aggregate import C_CELLS, C_OVERFLOWED, find_cells, part, quotient

pytestmark = pytest.mark.bounds


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 9)), max_size=60), st.integers(5, 40))
def test_cells_are_numbered_like_keys_of_a_dictionary_until_there_is_no_room(
    wanted: list[tuple[int, int]], capacity: int
) -> None:
    table = np.zeros(1 << (2 * capacity - 1).bit_length(), np.int64)
    cells, state = np.zeros((capacity, 2), np.int32), np.array([5, 0, 0], np.int64)
    cells[:5] = [(business, -1) for business in range(-1, 4)]
    found = np.zeros(len(wanted), np.int64)
    lost = find_cells(
        np.array([business for business, _ in wanted], np.int32), np.array([place for _, place in wanted], np.int32),
        11, table, cells, state, found,
    )  # fmt: skip
    known = {(business, -1): business + 1 for business in range(-1, 4)}
    missing = 0
    for key, cell in zip(wanted, found.tolist(), strict=True):
        if key not in known and len(known) < capacity:
            known[key] = len(known)
        missing += key not in known
        assert cell == known.get(key, key[0] + 1)
    assert lost == missing == state[C_OVERFLOWED]
    assert {tuple(line): number for number, line in enumerate(cells[: state[C_CELLS]].tolist())} == known


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1), st.integers(1, 2**31 - 1))
def test_a_quotient_by_the_reciprocal_is_the_exact_one(elapsed: int, rest: int, duration: int) -> None:
    dividend = rest * min(elapsed, duration)
    assert quotient(np.int64(dividend), np.int64(duration), 1.0 / duration) == dividend // duration


@pytest.mark.parametrize("duration", [1, 2, 3, 9_999, 10_000, 10_001, 2**31 - 1])
@pytest.mark.parametrize("multiple", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_quotient_is_exact_beside_every_multiple(duration: int, multiple: int, off: int) -> None:
    dividend = min(max(duration * multiple + off, 0), 2**63 - 1)
    assert quotient(np.int64(dividend), np.int64(duration), 1.0 / duration) == dividend // duration


@given(st.integers(0, 2**63 - 1), st.integers(1, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_part_is_the_exact_fraction(total: int, duration: int, elapsed: int) -> None:
    elapsed = min(elapsed, duration)
    assert part(np.int64(total), np.int64(elapsed), np.int64(duration)) == total * elapsed // duration
