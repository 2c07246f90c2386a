import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels.noisyor import columns, gains_of_one_more, good_cost, information, predict, score_sets, state_of_set
from tests.kernels import oracle_noisyor as oracle

pytestmark = pytest.mark.bounds

CANDIDATES = 5
ROW = st.dictionaries(st.integers(0, CANDIDATES - 1), st.floats(0.05, 0.95), max_size=CANDIDATES)
BAD = st.lists(st.tuples(st.floats(0.001, 0.1), ROW), min_size=1, max_size=6)
PRIOR = st.lists(st.floats(-9.0, -1.0), min_size=CANDIDATES, max_size=CANDIDATES)


def rows_of(rows: list[dict[int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts = np.cumsum([0] + [len(row) for row in rows]).astype(np.int64)
    faults = np.array([fault for row in rows for fault in sorted(row)], np.int32)
    return starts, faults, np.array([row[fault] for row in rows for fault in sorted(row)], np.float64)


class Positives:
    """Bad answers as the kernels want them."""

    def __init__(self, bad: list[tuple[float, dict[int, float]]]) -> None:
        self.starts, self.candidates, detection = rows_of([row for _, row in bad])
        leak = np.array([leak for leak, _ in bad])
        self.weight = np.ones(len(bad))
        self.quiet, self.load = 1.0 - leak, -np.log1p(-leak)
        self.entries = (1.0 - detection, -np.log1p(-detection), -np.log1p(-detection))
        self.column_starts = np.zeros(CANDIDATES + 1, np.int64)
        self.column_row = np.zeros(len(self.candidates), np.int32)
        self.column_entry = np.zeros(len(self.candidates), np.int64)
        columns(self.starts, self.candidates, self.column_starts, self.column_row, self.column_entry)

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.column_starts, self.column_row, self.column_entry


def score(sets: list[tuple[int, ...]], prior: list[float], positives: Positives) -> list[float]:
    table = np.full((len(sets), 4), -1, np.int64)
    for number, members in enumerate(sets):
        table[number, : len(members)] = members
    count, out = len(positives.weight), np.zeros(len(sets))
    score_sets(
        table, np.array(prior), positives.weight, positives.quiet, positives.load, positives.load, *positives.columns,
        *positives.entries, np.empty(count), np.empty(count), np.empty(count), np.zeros(count, np.bool_),
        np.empty(count, np.int32), out,
    )  # fmt: skip
    return out.tolist()


@settings(deadline=None, max_examples=60)
@given(bad=BAD, prior=PRIOR)
def test_sets_are_scored_as_the_oracle_does(bad: list[tuple[float, dict[int, float]]], prior: list[float]) -> None:
    sets = oracle.all_sets(range(CANDIDATES), 4)
    expected = [oracle.log_posterior(dict(enumerate(prior)), bad, members) for members in sets]
    assert score(sets, prior, Positives(bad)) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(bad=BAD, prior=PRIOR, first=st.integers(0, CANDIDATES - 1))
def test_one_more_gains_what_the_larger_set_scores_more(
    bad: list[tuple[float, dict[int, float]]], prior: list[float], first: int
) -> None:
    positives = Positives(bad)
    quiet, load, kind = positives.quiet.copy(), positives.load.copy(), positives.load.copy()
    state_of_set(np.array([first, -1], np.int64), *positives.columns, *positives.entries, quiet, load, kind)
    gain, factor = np.array(prior), np.ones(CANDIDATES)
    gains_of_one_more(
        positives.weight, quiet, load, kind, positives.starts, positives.candidates, *positives.entries, factor, gain
    )
    assert factor.tolist() == [1.0] * CANDIDATES
    others = [one for one in range(CANDIDATES) if one != first]
    alone, *pairs = score([(first,), *[(first, one) for one in others]], prior, positives)
    # An answer that is explained already (all but 0.002) is not looked at any more.
    assert [gain[one] for one in others] == pytest.approx([pair - alone for pair in pairs], abs=0.0021 * len(bad))


@settings(deadline=None, max_examples=60)
@given(
    groups=st.lists(st.lists(st.tuples(ROW, st.sampled_from([0.5, 1.0])), max_size=3), max_size=3),
    doubt=st.sampled_from([0.0, 0.02]),
    shared=st.sampled_from([0.0, 0.3]),
)
def test_good_answers_cost_what_the_oracle_says(
    groups: list[list[tuple[dict[int, float], float]]], doubt: float, shared: float
) -> None:
    starts, faults, detection = rows_of([row for group in groups for row, _ in group])
    begin = np.cumsum([0] + [len(group) for group in groups]).astype(np.int64)
    weight = np.array([weight for group in groups for _, weight in group], np.float64)
    cost, total = np.zeros(CANDIDATES), np.zeros(CANDIDATES)
    for sign in (1.0, 1.0, -1.0):  # twice, and once taken back
        good_cost(
            begin, starts, faults, detection, weight, doubt, shared, sign, total, np.zeros(CANDIDATES), np.zeros(CANDIDATES),
            np.zeros(CANDIDATES, np.int32), cost,
        )  # fmt: skip
    assert not total.any()
    expected = [oracle.cost_of_good(groups, fault, doubt, shared) for fault in range(CANDIDATES)]
    assert cost.tolist() == pytest.approx(expected, abs=1e-9)


def test_a_question_that_halves_the_sets_tells_one_bit() -> None:
    sets = np.array([[0, -1], [1, -1]], np.int64)
    starts, faults, detection = rows_of([{0: 1.0}, {0: 1.0, 1: 1.0}, {}])
    bad = np.zeros((3, 2))
    predict(sets, starts, faults, detection, np.array([0.0, 0.0, 0.1]), np.zeros(2), bad)
    assert bad.tolist() == [[1.0, 0.0], [1.0, 1.0], [pytest.approx(0.1)] * 2]
    gain = np.zeros(3)
    branches, classes = np.array([[0.5, 0.5]]), np.array([0, 1], np.int64)
    information(bad, branches, classes, np.empty(2), np.empty(2), gain)
    assert gain.tolist() == pytest.approx([1.0, 0.0, 0.0])
    information(bad, np.array([[0.5, 0.0], [0.0, 0.5]]), classes, np.empty(2), np.empty(2), gain)
    assert gain.tolist() == pytest.approx([0.0, 0.0, 0.0])
    information(bad, branches, np.array([0, 0], np.int64), np.empty(1), np.empty(1), gain)
    assert gain.tolist() == pytest.approx([0.0, 0.0, 0.0])


@settings(deadline=None, max_examples=40)
@given(
    bad=st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3),
    weight=st.lists(st.floats(0.1, 1.0), min_size=3, max_size=3),
)
def test_information_is_entropy_before_less_entropy_after(bad: list[float], weight: list[float]) -> None:
    share = [one / sum(weight) for one in weight]
    gain = np.zeros(1)
    information(np.array([bad]), np.array([share]), np.arange(3), np.empty(3), np.empty(3), gain)
    mixed = sum(one * p for one, p in zip(share, bad, strict=True))
    expected = oracle.entropy(mixed) - sum(one * oracle.entropy(p) for one, p in zip(share, bad, strict=True))
    assert gain[0] == pytest.approx(max(expected, 0.0), abs=1e-9)
