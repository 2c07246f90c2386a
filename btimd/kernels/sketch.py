"""Quantiles of durations with a guaranteed relative error: counts in buckets that grow by a constant factor.

DDSketch with fixed buckets (Masson, Rim, Lee: DDSketch, VLDB 2019, section 2). Sketches of the same buckets are merged
by adding them, in any order and without loss, which means and ready-made quantiles are not.
"""

from itertools import pairwise
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
def _extent(least: Any, greatest: Any) -> Any:
    """Return the first bucket that samples between two durations may be in, and the one after the last.

    One more at either side, as nothing promises that logarithms of neighbours never change places.
    """
    first = max(bucket_of(least) - np.int64(1), np.int64(0))
    return first, min(bucket_of(greatest) + np.int64(2), np.int64(BUCKETS))


@inlined
def add_sample(row: Any, nanoseconds: Any, stats: Any, buckets: Any) -> None:
    """Add a duration to a sketch: stats int64[rows, STATS], buckets int32[rows, BUCKETS]; below 0 counts as 0."""
    value = max(np.int64(nanoseconds), np.int64(0))
    add_to(row, value, bucket_of(value), stats, buckets)


@inlined
def add_to(row: Any, value: Any, bucket: Any, stats: Any, buckets: Any) -> None:
    """Add a duration of 0 or more to a sketch; `bucket` is the one it belongs to."""
    if stats[row, ST_COUNT] == 0 or value < stats[row, ST_LEAST]:
        stats[row, ST_LEAST] = value
    stats[row, ST_GREATEST] = max(stats[row, ST_GREATEST], value)
    stats[row, ST_COUNT] += 1
    stats[row, ST_SUM] = stats[row, ST_SUM] + value if stats[row, ST_SUM] <= _MOST - value else np.int64(_MOST)
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
    first, end = _extent(from_stats[source, ST_LEAST], from_stats[source, ST_GREATEST])
    for bucket in range(first, end):
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


@kernel
def condense(
    sketches: Numbers,
    stats: Numbers,
    buckets: npt.NDArray[np.int32],
    shares: npt.NDArray[np.float64],
    middle: npt.NDArray[np.float64],
    offsets: Numbers,
    held: npt.NDArray[np.uint16],
    counts: npt.NDArray[np.int32],
    found: npt.NDArray[np.float64],
) -> int:
    """Write some sketches down as sparse ones, with quantiles as `read` gives them; return how many buckets hold.

    sketches: int64[m], rows of stats and buckets. shares: which quantiles; middle: what `middles` returns. Sketch k
    holds counts[offsets[k]:offsets[k + 1]] in the buckets held[...], ascending; both have room for all, which samples
    or BUCKETS per sketch, whichever is less, always is. found: float64[len(shares), m], s, NaN of nothing.
    """
    used = 0
    for k in range(len(sketches)):
        row = sketches[k]
        least, greatest = stats[row, ST_LEAST], stats[row, ST_GREATEST]
        begin, total = used, np.int64(0)
        offsets[k] = begin
        if stats[row, ST_COUNT] > 0:
            first, end = _extent(least, greatest)
            for bucket in range(first, end):
                count = np.int64(buckets[row, bucket])
                if count > 0:
                    held[used] = bucket
                    counts[used] = count
                    used += 1
                    total += count
        for at in range(len(shares)):
            if total == 0:
                found[at, k] = np.nan
                continue
            place = max(np.int64(ceil(shares[at] * np.float64(total))), np.int64(1))
            one, below = begin, np.int64(counts[begin])
            while below < place and one + 1 < used:
                one += 1
                below += np.int64(counts[one])
            value = min(max(middle[held[one]], np.float64(least)), np.float64(greatest))
            found[at, k] = value / _NANOS
    offsets[len(sketches)] = used
    return used


def middles() -> npt.NDArray[np.float64]:
    """Return the duration that each bucket stands for, ns: nowhere in the bucket is further off than ACCURACY."""
    upper = FLOOR_NANOSECONDS * GROWTH ** np.arange(BUCKETS, dtype=np.float64)
    middle: npt.NDArray[np.float64] = 2.0 * upper / (GROWTH + 1.0)
    middle[0], middle[LAST] = FLOOR_NANOSECONDS, np.inf
    return middle


_MIDDLES: Final = middles()


Sparse = tuple[tuple[int, ...], tuple[int, ...]]


def read(
    stats: Numbers, buckets: npt.NDArray[np.int32], wanted: tuple[float, ...] = ()
) -> tuple[list[Sparse], npt.NDArray[np.float64]]:
    """Return what sketches hold: of each the buckets that hold anything, ascending, and what they hold; and quantiles.

    stats: int64[r, STATS], buckets: int32[r, BUCKETS]. The quantiles are seconds, float64[r, len(wanted)], NaN where a
    sketch holds nothing. Quantile q of n samples is the one at place ceil(q * n) of the sorted ones, counted from 1
    (nearest rank): of two samples 0.95 is the greater. No answer is below the least or above the greatest sample.
    """
    rows = len(buckets)
    room = int(np.minimum(stats[:, ST_COUNT], BUCKETS).sum())
    offsets, found = np.zeros(rows + 1, np.int64), np.zeros((len(wanted), rows))
    held, counts = np.zeros(room, np.uint16), np.zeros(room, np.int32)
    shares = np.array(wanted, np.float64)
    used = condense(np.arange(rows), stats, buckets, shares, _MIDDLES, offsets, held, counts, found)
    numbers, sizes, edges = held[:used].tolist(), counts[:used].tolist(), offsets.tolist()
    sparse = [(tuple(numbers[begin:end]), tuple(sizes[begin:end])) for begin, end in pairwise(edges)]
    return sparse, np.ascontiguousarray(found.T)


def dense(held: Numbers, counts: Numbers) -> Numbers:
    """Return the sum of sparse sketches, one after the other in `held` and `counts`: int64[BUCKETS].

    Raises ValueError for a bucket that does not exist.
    """
    if len(held) and not 0 <= int(held.min()) <= int(held.max()) <= LAST:
        raise ValueError(f"buckets are numbered from 0 to {LAST}")
    summed = np.zeros(BUCKETS, np.int64)
    np.add.at(summed, held, counts)
    return summed
