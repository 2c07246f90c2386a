from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels.sketch import (
    ACCURACY,
    BUCKETS,
    CEILING_NANOSECONDS,
    FLOOR_NANOSECONDS,
    LAST,
    STATS,
    add_samples,
    add_sketches,
    bucket_of,
    condense,
    dense,
    middles,
    read,
)
from tests.kernels.oracle_quality import nearest_rank

pytestmark = pytest.mark.bounds

IN_RANGE = st.integers(FLOOR_NANOSECONDS, CEILING_NANOSECONDS) | st.floats(3, 11.8).map(lambda power: int(10**power))
ANY = IN_RANGE | st.integers(0, 2**63 - 1)
SHARES = (0.0, 0.25, 0.5, 0.95, 0.99, 1.0)
MOST = 2**63 - 1


def sketches(rows: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((rows, STATS), np.int64), np.zeros((rows, BUCKETS), np.int32)


def sketched(samples: list[int]) -> tuple[np.ndarray, np.ndarray]:
    stats, buckets = sketches(1)
    assert add_samples(np.zeros(len(samples), np.int64), np.array(samples, np.int64), stats, buckets) == len(samples)
    return stats, buckets


@settings(max_examples=150)
@given(st.lists(IN_RANGE, min_size=1, max_size=60))
def test_every_quantile_is_within_the_accuracy_of_the_exact_one(samples: list[int]) -> None:
    found = read(*sketched(samples), SHARES)[1][0]
    for share, seconds in zip(SHARES, found.tolist(), strict=True):
        assert seconds * 1e9 == pytest.approx(nearest_rank(samples, share), rel=ACCURACY * (1 + 1e-9))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 2), ANY), max_size=60))
def test_count_sum_least_and_greatest_are_exact_until_the_sum_is_full(given_samples: list[tuple[int, int]]) -> None:
    stats, buckets = sketches(3)
    rows = np.array([row for row, _ in given_samples], np.int64)
    add_samples(rows, np.array([value for _, value in given_samples], np.int64), stats, buckets)
    for row in range(3):
        mine = [value for at, value in given_samples if at == row]
        wanted = [len(mine), min(sum(mine), MOST), min(mine, default=0), max(mine, default=0)]
        assert stats[row].tolist() == wanted
        assert buckets[row].sum() == len(mine)


@settings(max_examples=100)
@given(st.lists(ANY, max_size=40), st.lists(ANY, max_size=40))
def test_the_sum_of_sketches_is_the_sketch_of_all_samples(left: list[int], right: list[int]) -> None:
    (stats, buckets), (more_stats, more_buckets) = sketched(left), sketched(right)
    zero = np.zeros(1, np.int64)
    add_sketches(zero, zero, more_stats, more_buckets, stats, buckets)
    whole_stats, whole_buckets = sketched(left + right)
    assert (stats.tolist(), buckets.tolist()) == (whole_stats.tolist(), whole_buckets.tolist())


@given(st.lists(ANY, max_size=40), st.lists(ANY, max_size=40))
def test_sparse_sketches_are_merged_like_dense_ones(left: list[int], right: list[int]) -> None:
    parts = [read(*sketched(samples))[0][0] for samples in (left, right)]
    held = np.array([*parts[0][0], *parts[1][0]], np.int64)
    counts = np.array([*parts[0][1], *parts[1][1]], np.int64)
    assert dense(held, counts).tolist() == sketched(left + right)[1][0].tolist()


def test_each_sketch_is_read_for_itself() -> None:
    stats, buckets = sketches(4)
    add_samples(np.array([1, 3, 3, 3]), np.array([500, 10**6, 10**6, 10**9]), stats, buckets)
    sparse, found = read(stats, buckets, (0.5, 1.0))
    assert sparse == [((), ()), ((0,), (1,)), ((), ()), ((173, 346), (2, 1))]
    assert np.isnan(found[[0, 2]]).all()
    assert found[[1, 3]] == pytest.approx(np.array([[5e-7, 5e-7], [0.001, 1.0]]), rel=ACCURACY)
    sparse, found = read(stats[:0], buckets[:0], (0.5,))
    assert (sparse, found.shape) == ([], (0, 1))


def test_a_bucket_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="buckets are numbered from 0 to 511"):
        dense(np.array([BUCKETS]), np.array([1]))
    with pytest.raises(ValueError, match="buckets are numbered from 0 to 511"):
        dense(np.array([-1]), np.array([1]))
    assert dense(np.zeros(0, np.int64), np.zeros(0, np.int64)).sum() == 0


def test_what_is_below_or_above_all_buckets_is_told_by_the_least_and_the_greatest() -> None:
    assert read(*sketched([0, 3, 7]), (0.5, 1.0))[1][0].tolist() == [7e-9, 7e-9]
    assert read(*sketched([-5]), (0.5,))[1][0].tolist() == [0.0]
    assert read(*sketched([5_000_000_000_000, MOST]), (0.5, 1.0))[1][0].tolist() == [MOST / 1e9] * 2


def test_a_sketch_of_nothing_has_no_quantiles() -> None:
    assert np.isnan(read(*sketches(1), SHARES)[1]).all()


def test_buckets_grow_with_the_durations_and_end_at_the_last() -> None:
    at = [bucket_of(np.int64(one)) for one in (0, 1000, 1001, 1040, 1041, 10**6, 10**9, CEILING_NANOSECONDS, MOST)]
    assert at == [0, 0, 1, 1, 2, 173, 346, 510, LAST]
    assert (np.diff(middles()) > 0).all()


def test_counts_stop_at_the_greatest_number_they_can_hold() -> None:
    stats, buckets = sketches(2)
    buckets[:, 0] = 2**31 - 1
    stats[:, 0] = 2**31 - 1
    zero = np.zeros(1, np.int64)
    add_samples(zero, zero, stats, buckets)
    add_sketches(zero, zero + 1, stats, buckets, stats, buckets)
    assert buckets[:, 0].tolist() == [2**31 - 1, 2**31 - 1]
    assert stats[:, 0].tolist() == [2**31, 2**32 - 1]


@settings(max_examples=150)
@given(st.lists(st.lists(ANY, max_size=40), max_size=5), st.data())
def test_condensed_sketches_say_what_the_whole_ones_say(given_samples: list[list[int]], data: st.DataObject) -> None:
    stats, buckets = sketches(len(given_samples))
    for row, samples in enumerate(given_samples):
        add_samples(np.full(len(samples), row), np.array(samples, np.int64), stats, buckets)
    chosen = data.draw(
        st.lists(st.sampled_from(range(len(given_samples))), max_size=6) if given_samples else st.just([])
    )
    rows = np.array(chosen, np.int64)
    room = sum(min(len(given_samples[row]), BUCKETS) for row in chosen)
    held, counts, offsets = np.zeros(room, np.uint16), np.zeros(room, np.int32), np.full(len(rows) + 1, -1)
    found = np.zeros((len(SHARES), len(rows)))
    used = condense(rows, stats, buckets, np.array(SHARES), middles(), offsets, held, counts, found)
    assert offsets[0] == 0
    assert offsets[-1] == used
    told = [
        (tuple(held[begin:end].tolist()), tuple(counts[begin:end].tolist()))
        for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    tally = [Counter(int(bucket_of(np.int64(one))) for one in given_samples[row]) for row in chosen]
    assert told == [tuple(zip(*sorted(one.items()), strict=True)) or ((), ()) for one in tally]
    for one, row in enumerate(chosen):
        samples = given_samples[row]
        for share, seconds in zip(SHARES, found[:, one].tolist(), strict=True):
            if not samples:
                assert np.isnan(seconds)
                continue
            middle = float(middles()[bucket_of(np.int64(nearest_rank(samples, share)))])
            assert seconds == min(max(middle, float(min(samples))), float(max(samples))) / 1e9
