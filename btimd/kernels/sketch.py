"""Quantiles of durations with a guaranteed relative error: counts in buckets that grow by a constant factor.

DDSketch with fixed buckets (Masson, Rim, Lee: DDSketch, VLDB 2019, section 2). Sketches of the same buckets are merged
by adding them, in any order and without loss, which means and ready-made quantiles are not.
"""

from math import ceil, log
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel

ACCURACY: Final = 0.02
"""A quantile is off by no more than this share of what it says, between FLOOR_NANOSECONDS and CEILING_NANOSECONDS."""
GROWTH: Final = (1.0 + ACCURACY) / (1.0 - ACCURACY)
FLOOR_NANOSECONDS: Final = 1000
BUCKETS: Final = 512
"""Bucket 0: up to 1 us. Bucket b: above 1 us * GROWTH^(b-1), up to 1 us * GROWTH^b. The last one: whatever is above."""
LAST: Final = BUCKETS - 1
CEILING_NANOSECONDS: Final = int(FLOOR_NANOSECONDS * GROWTH ** (LAST - 1))
"""About 724 s."""
_PER_LOG: Final = 1.0 / log(GROWTH)
_PER_FLOOR: Final = 1.0 / FLOOR_NANOSECONDS
_MOST: Final = 0x7FFFFFFFFFFFFFFF
_MOST_COUNT: Final = 0x7FFFFFFF
_NANOS: Final = 1e9

# The columns of stats: int64[rows, 4], beside each row of buckets: samples, their sum, least and greatest, ns.
ST_COUNT, ST_SUM, ST_LEAST, ST_GREATEST = range(4)
STATS: Final = 4

Numbers = npt.NDArray[np.int64]


@inlined
def bucket_of(nanoseconds: Any) -> Any:
    """Return the bucket of a duration."""
    if nanoseconds <= FLOOR_NANOSECONDS:
        return np.int64(0)
    return min(np.int64(ceil(log(np.float64(nanoseconds) * _PER_FLOOR) * _PER_LOG)), np.int64(LAST))


@inlined
def add_sample(row: Any, nanoseconds: Any, stats: Any, buckets: Any) -> None:
    """Add a duration to a sketch: stats int64[rows, STATS], buckets int32[rows, BUCKETS]; below 0 counts as 0."""
    value = max(np.int64(nanoseconds), np.int64(0))
    if stats[row, ST_COUNT] == 0 or value < stats[row, ST_LEAST]:
        stats[row, ST_LEAST] = value
    stats[row, ST_GREATEST] = max(stats[row, ST_GREATEST], value)
    stats[row, ST_COUNT] += 1
    stats[row, ST_SUM] = stats[row, ST_SUM] + value if stats[row, ST_SUM] <= _MOST - value else np.int64(_MOST)
    bucket = bucket_of(value)
    if buckets[row, bucket] < _MOST_COUNT:
        buckets[row, bucket] += 1


@inlined
def add_sketch(source: Any, from_stats: Any, from_buckets: Any, row: Any, stats: Any, buckets: Any) -> None:
    """Add one sketch, row `source` of other arrays, to another."""
    if from_stats[source, ST_COUNT] == 0:
        return
    if stats[row, ST_COUNT] == 0 or from_stats[source, ST_LEAST] < stats[row, ST_LEAST]:
        stats[row, ST_LEAST] = from_stats[source, ST_LEAST]
    stats[row, ST_GREATEST] = max(stats[row, ST_GREATEST], from_stats[source, ST_GREATEST])
    stats[row, ST_COUNT] += from_stats[source, ST_COUNT]
    more = from_stats[source, ST_SUM]
    stats[row, ST_SUM] = stats[row, ST_SUM] + more if stats[row, ST_SUM] <= _MOST - more else np.int64(_MOST)
    last = bucket_of(from_stats[source, ST_GREATEST])
    for bucket in range(bucket_of(from_stats[source, ST_LEAST]), last + 1):
        total = np.int64(buckets[row, bucket]) + np.int64(from_buckets[source, bucket])
        buckets[row, bucket] = min(total, np.int64(_MOST_COUNT))


@kernel
def add_samples(rows: Numbers, nanoseconds: Numbers, stats: Numbers, buckets: npt.NDArray[np.int32]) -> int:
    """Add durations to sketches and return how many they were.

    rows: int64[m], the row of each; nanoseconds: int64[m]. stats: int64[r, STATS], buckets: int32[r, BUCKETS], zero at
    first; sums and counts stop at the greatest number they can hold.
    """
    for k in range(len(rows)):
        add_sample(rows[k], nanoseconds[k], stats, buckets)
    return len(rows)


@kernel
def add_sketches(
    sources: Numbers,
    rows: Numbers,
    from_stats: Numbers,
    from_buckets: npt.NDArray[np.int32],
    stats: Numbers,
    buckets: npt.NDArray[np.int32],
) -> int:
    """Add row sources[k] of one set of sketches to row rows[k] of another; return how many were added."""
    for k in range(len(sources)):
        add_sketch(sources[k], from_stats, from_buckets, rows[k], stats, buckets)
    return len(sources)


def middles() -> npt.NDArray[np.float64]:
    """Return the duration that each bucket stands for, ns: nowhere in the bucket is further off than ACCURACY."""
    upper = FLOOR_NANOSECONDS * GROWTH ** np.arange(BUCKETS, dtype=np.float64)
    middle: npt.NDArray[np.float64] = 2.0 * upper / (GROWTH + 1.0)
    middle[0], middle[LAST] = FLOOR_NANOSECONDS, np.inf
    return middle


_MIDDLES: Final = middles()


@kernel
def read_sketches(
    stats: Numbers,
    buckets: npt.NDArray[np.integer],
    wanted: npt.NDArray[np.float64],
    places: Numbers,
    held: Numbers,
    counts: Numbers,
    ends: Numbers,
) -> Any:
    """Write which buckets of each sketch hold anything, ascending, and what they hold; return how many all have.

    stats: int64[r, STATS], buckets: [r, BUCKETS]. held, counts: int64 with room for all; those of sketch k end before
    ends[k], int64[r]. places: int64[r, len(wanted)], in which bucket each quantile of `wanted` is, -1 = holds nothing.
    """
    filled = np.int64(0)
    for row in range(len(buckets)):
        first = filled
        total = np.int64(0)
        if stats[row, ST_COUNT] != 0:
            last = bucket_of(stats[row, ST_GREATEST])
            for bucket in range(bucket_of(stats[row, ST_LEAST]), last + 1):
                count = np.int64(buckets[row, bucket])
                if count != 0:
                    held[filled] = bucket
                    counts[filled] = count
                    filled += 1
                    total += count
        ends[row] = filled
        for at in range(len(wanted)):
            place = max(np.int64(ceil(wanted[at] * np.float64(total))), np.int64(1))
            k = first
            before = np.int64(0)
            while k < filled and before + counts[k] < place:
                before += counts[k]
                k += 1
            places[row, at] = held[k] if k < filled else np.int64(-1)
    return filled


Sparse = tuple[tuple[int, ...], tuple[int, ...]]


def read(
    stats: Numbers, buckets: npt.NDArray[np.integer], wanted: tuple[float, ...] = ()
) -> tuple[list[Sparse], npt.NDArray[np.float64]]:
    """Return what sketches hold: of each the buckets that hold anything, ascending, and what they hold; and quantiles.

    stats: int64[r, STATS], buckets: [r, BUCKETS]. Quantiles are seconds, float64[r, len(wanted)], NaN where there is
    nothing. Quantile q of n samples is the one at place ceil(q * n) of the sorted ones, counted from 1 (nearest rank):
    of two samples 0.95 is the greater. No answer is below the least or above the greatest sample.
    """
    room = int(np.minimum(stats[:, ST_COUNT], BUCKETS).sum())
    places, ends = np.zeros((len(buckets), len(wanted)), np.int64), np.zeros(len(buckets), np.int64)
    held, counts = np.zeros(room, np.int64), np.zeros(room, np.int64)
    used = read_sketches(stats, buckets, np.array(wanted, np.float64), places, held, counts, ends)
    value = np.clip(_MIDDLES[places], stats[:, [ST_LEAST]], stats[:, [ST_GREATEST]]) / _NANOS
    numbers, sizes, edges = tuple(held[:used].tolist()), tuple(counts[:used].tolist()), ends.tolist()
    sparse = [(numbers[begin:end], sizes[begin:end]) for begin, end in zip([0, *edges], edges, strict=False)]
    return sparse, np.where(places < 0, np.nan, value)


def dense(held: Numbers, counts: Numbers) -> Numbers:
    """Return the sum of sparse sketches, one after the other in `held` and `counts`: int64[BUCKETS].

    Raises ValueError for a bucket that does not exist.
    """
    if len(held) and not 0 <= int(held.min()) <= int(held.max()) <= LAST:
        raise ValueError(f"buckets are numbered from 0 to {LAST}")
    summed = np.zeros(BUCKETS, np.int64)
    np.add.at(summed, held, counts)
    return summed
