"""Rows of connection quality: made of an interval's cells, and merged over what one does not want to tell apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from math import isnan
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels import qualitycells as kernels
from btimd.kernels.packetlayout import QUALITY_COUNTERS
from btimd.kernels.sketch import (
    BUCKETS,
    ST_COUNT,
    ST_GREATEST,
    ST_LEAST,
    ST_SUM,
    STATS,
    condense,
    dense,
    middles,
    read,
)
from btimd.model.address import HALF_MASK, IPV4_MAPPED_LO, address_text
from btimd.model.quality import COUNTERS, NO_DURATIONS, SAMPLE_KINDS, Durations, QualityRow
from btimd.model.units import UnixMillis

DIMENSIONS: Final = ("business", "region", "segment", "server")
"""What rows can be told apart by."""
SECONDS: Final = ("mean", "least", "p50", "p95", "p99", "greatest")
"""What is told of durations, as Durations has it."""
_QUANTILES: Final = (0.5, 0.95, 0.99)
_MIDDLES: Final = middles()
_SERVERS_REMEMBERED: Final = 16_384
"""Servers whose text is kept, as the same ones come again every interval: about 0.3 KB each."""
_NANOS: Final = 1e9
_FIRST_ROOM: Final = 64
_MOST_COUNT: Final = 0x7FFF_FFFF


class Cells:
    """The cells of one interval; their arrays are those of kernels.qualitycells and grow as cells come.

    most: how many lines there are before servers, then places, are no longer told apart. changed: what of the marks
    any line may carry.
    """

    def __init__(self, most: int, room: int = _FIRST_ROOM, sketches: int = _FIRST_ROOM) -> None:
        self.most = most
        self.changed = 0
        self.state = np.zeros(kernels.STATE_WORDS, np.int64)
        self.cells = np.zeros((room, kernels.CELL_WORDS), np.int64)
        self.lines = np.zeros((room, kernels.LINE_WORDS), np.int64)
        self.table = np.zeros(1 << (2 * room).bit_length(), np.int64)
        self.stats = np.zeros((sketches, STATS), np.int64)
        self.buckets = np.zeros((sketches, BUCKETS), np.int32)

    def __len__(self) -> int:
        return int(self.state[kernels.S_LINES])

    @property
    def octets(self) -> int:
        """Memory of the arrays."""
        return sum(one.nbytes for one in (self.cells, self.lines, self.table, self.stats, self.buckets))

    @property
    def room(self) -> tuple[int, int]:
        """How many lines and sketches fit."""
        return len(self.cells), len(self.stats)

    def grow(self, shares: int) -> None:
        """Make room for at least so many lines and sketches more."""
        used, sketches = len(self), int(self.state[kernels.S_SKETCHES])
        if used + shares > len(self.cells):
            room = max(2 * len(self.cells), used + shares)
            self.cells, self.lines = _longer(self.cells, used, room), _longer(self.lines, used, room)
            self.table = np.zeros(1 << (2 * room).bit_length(), np.int64)
            kernels.index_lines(self.table, self.cells, used)
        if sketches + shares > len(self.stats):
            room = max(2 * len(self.stats), sketches + shares)
            self.stats, self.buckets = _longer(self.stats, sketches, room), _longer(self.buckets, sketches, room)

    @classmethod
    def merged(cls, parts: Sequence["Cells"]) -> "Cells":
        """Return the sum of the cells of several intervals."""
        whole = cls(
            0,
            max(sum(len(part) for part in parts), 1),
            max(sum(int(part.state[kernels.S_SKETCHES]) for part in parts), 1),
        )
        for part in parts:
            kernels.absorb(
                part.cells, part.lines, part.stats, part.buckets, len(part),
                whole.table, whole.cells, whole.lines, whole.stats, whole.buckets, whole.state,
            )  # fmt: skip
        return whole


def _longer(array: npt.NDArray[Any], used: int, room: int) -> npt.NDArray[Any]:
    grown = np.zeros((room, array.shape[1]), array.dtype)
    grown[:used] = array[:used]
    return grown


@dataclass(frozen=True, slots=True, eq=False)
class DurationColumns:
    """What m sketches say, and one that says nothing before them, as columns.

    count: int64[m + 1]. seconds: float64[6, m + 1], in the order of SECONDS, NaN where count is 0. Sketch k holds
    bucket_counts[offsets[k]:offsets[k + 1]] in buckets[...], ascending: int64[m + 2], uint16, int32.
    """

    count: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.uint16]
    bucket_counts: npt.NDArray[np.int32]

    @classmethod
    def of(
        cls, stats: npt.NDArray[np.int64], buckets: npt.NDArray[np.int32], sketches: npt.NDArray[np.int64]
    ) -> "DurationColumns":
        """Return some rows of kernels.sketch's arrays; nothing of those is kept."""
        told = stats[sketches]
        room = int(np.minimum(told[:, ST_COUNT], BUCKETS).sum())
        held, held_counts = np.empty(room, np.uint16), np.empty(room, np.int32)
        offsets = np.zeros(len(sketches) + 2, np.int64)
        found = np.empty((len(_QUANTILES), len(sketches)))
        used = condense(sketches, stats, buckets, np.array(_QUANTILES), _MIDDLES, offsets[1:], held, held_counts, found)
        count = np.zeros(len(sketches) + 1, np.int64)
        count[1:] = told[:, ST_COUNT]
        seconds = np.full((len(SECONDS), len(count)), np.nan)
        some = count[1:] > 0
        np.divide(told[:, ST_SUM], count[1:], out=seconds[0, 1:], where=some)
        seconds[0] /= _NANOS
        np.divide(told[:, ST_LEAST], _NANOS, out=seconds[1, 1:], where=some)
        seconds[2:5, 1:] = found
        np.divide(told[:, ST_GREATEST], _NANOS, out=seconds[5, 1:], where=some)
        return cls(count, seconds, offsets, held[:used].copy(), held_counts[:used].copy())

    def some(self, numbers: npt.NDArray[np.int64]) -> list[Durations]:
        """Return some of them; number 0 is of nothing."""
        told = []
        for count, seconds, begin, end in zip(
            self.count[numbers].tolist(),
            self.seconds[:, numbers].T.tolist(),
            self.offsets[numbers].tolist(),
            self.offsets[numbers + 1].tolist(),
            strict=True,
        ):
            held, held_counts = self.buckets[begin:end].tolist(), self.bucket_counts[begin:end].tolist()
            told.append(_durations(count, *seconds, tuple(held), tuple(held_counts)) if count else NO_DURATIONS)
        return told


@dataclass(frozen=True, slots=True, eq=False)
class QualityInterval:
    """The n rows of one interval, or the changed rows of one that was emitted before (`revision` > 0), as columns.

    Rows are sorted by name. names: for each of DIMENSIONS the text of each row. counters: int64[24, n] as COUNTERS.
    durations: what was measured; measured: int64[4, n], for each of SAMPLE_KINDS the number there, 0 = nothing.
    capture_loss_ratio: float64[n], NaN where nobody knows. Nobody writes to any of it, so any thread may read.
    """

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    revision: int
    names: tuple[list[str], ...]
    counters: npt.NDArray[np.int64]
    durations: DurationColumns
    measured: npt.NDArray[np.int64]
    capture_loss_ratio: npt.NDArray[np.float64]
    _made: dict[int, QualityRow] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.capture_loss_ratio)

    @property
    def rows(self) -> tuple[QualityRow, ...]:
        """All rows in words."""
        return tuple(self.some_rows(range(len(self))))

    def some_rows(self, numbers: Sequence[int]) -> list[QualityRow]:
        """Return some rows in words, each of which is made when it is first asked for."""
        made = self._made
        missing = [number for number in numbers if number not in made]
        if missing:
            measured = [self.durations.some(one) for one in self.measured[:, missing]]
            for number, counts, ratio, *durations in zip(
                missing,
                self.counters[:, missing].T.tolist(),
                self.capture_loss_ratio[missing].tolist(),
                *measured,
                strict=True,
            ):
                made[number] = _row(
                    self.interval_start_milliseconds,
                    self.interval_milliseconds,
                    self.revision,
                    *(texts[number] for texts in self.names),
                    *counts,
                    *durations,
                    None if isnan(ratio) else ratio,
                )
        return [made[number] for number in numbers]


_row: Any = QualityRow
_durations: Any = Durations
"""What they say is given by position."""


def interval_of(
    cells: Cells,
    chosen: npt.NDArray[np.intp],
    *,
    interval_start_milliseconds: UnixMillis,
    interval_milliseconds: int,
    revision: int,
    businesses: Sequence[Any],
    places: Sequence[Any],
    loss: Mapping[int, tuple[int, int]],
) -> QualityInterval:
    """Return some lines under their names; nothing of `cells` is kept.

    loss: packets seen and lost by observation point.
    """
    names, order = _sorted(_texts(cells.cells[chosen], businesses, places))
    lines = cells.lines[chosen[order]]
    sketches = np.ascontiguousarray(lines[:, kernels.L_SKETCH : kernels.L_SKETCH + len(SAMPLE_KINDS)].T)
    points, of_point = np.unique(lines[:, kernels.L_POINTS], return_inverse=True)
    ratios = np.array([_loss_ratio(one, loss) for one in points.tolist()], np.float64)
    measured, some = np.zeros_like(sketches), sketches > 0
    measured[some] = np.arange(1, np.count_nonzero(some) + 1)
    return QualityInterval(
        interval_start_milliseconds,
        interval_milliseconds,
        revision,
        names,
        np.ascontiguousarray(lines[:, :QUALITY_COUNTERS].T),
        DurationColumns.of(cells.stats, cells.buckets, sketches[some] - 1),
        measured,
        ratios[of_point.reshape(-1)],
    )


def _texts(cells: npt.NDArray[np.int64], businesses: Sequence[Any], places: Sequence[Any]) -> tuple[Sequence[str], ...]:
    """Return for each of DIMENSIONS the text of each cell."""
    business, place, hi, lo, port = cells[:, : kernels.K_PORT + 1].T.tolist()
    where = [places[one] if one >= 0 else ("", "") for one in place]
    return (
        [businesses[one] if one >= 0 else "" for one in business],
        [region for region, _ in where],
        [segment for _, segment in where],
        list(map(server_text, hi, lo, port)),
    )


def _sorted(texts: Sequence[Sequence[str]]) -> tuple[tuple[list[str], ...], npt.NDArray[np.intp]]:
    """Return columns of text in the order of the rows that they make, and that order."""
    ranks = []
    for column in reversed(texts):  # the last one that lexsort gets counts most
        rank = {text: number for number, text in enumerate(sorted(set(column)))}
        ranks.append([rank[text] for text in column])
    order = np.lexsort(np.array(ranks, np.int64))
    at = order.tolist()
    return tuple([column[one] for one in at] for column in texts), order


def _names(row: QualityRow) -> tuple[str, str, str, str]:
    return row.business, row.region, row.segment, row.server


@lru_cache(maxsize=_SERVERS_REMEMBERED)
def server_text(hi: int, lo: int, port: int) -> str:
    """Return "10.0.0.1:443" or "[2001:db8::1]:443" of an address in signed halves; empty for a port below 0."""
    if port < 0:
        return ""
    text = address_text(hi & HALF_MASK, lo & HALF_MASK)
    return f"{text}:{port}" if hi == 0 and lo >> 32 == IPV4_MAPPED_LO >> 32 else f"[{text}]:{port}"


def _loss_ratio(points: int, loss: Mapping[int, tuple[int, int]]) -> float | None:
    """Return the share of packets that some observation points lost, None where they saw and lost none."""
    booked = [counts for point, counts in loss.items() if points >> point & 1]
    seen, lost = sum(one for one, _ in booked), sum(one for _, one in booked)
    return lost / (seen + lost) if seen or lost else None


def grouped(rows: Iterable[QualityRow], group_by: Sequence[str]) -> list[QualityRow]:
    """Return the rows of one interval merged over what is not in `group_by` (some of DIMENSIONS); that text is empty.

    Raises ValueError for a name that is none of DIMENSIONS.
    """
    unknown = set(group_by) - set(DIMENSIONS)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is nothing to group by; known: {', '.join(DIMENSIONS)}")
    groups: dict[tuple[str, ...], list[QualityRow]] = {}
    for row in rows:
        name = tuple(value if by in group_by else "" for by, value in zip(DIMENSIONS, _names(row), strict=True))
        groups.setdefault(name, []).append(row)
    return [merged(members, name) for name, members in sorted(groups.items())]


def merged(rows: Sequence[QualityRow], names: tuple[str, ...]) -> QualityRow:
    """Return the sum of rows of one interval under other names; the capture's loss is the greatest that is known."""
    losses = [row.capture_loss_ratio for row in rows if row.capture_loss_ratio is not None]
    values: dict[str, Any] = dict(zip(DIMENSIONS, names, strict=True))
    values |= {name: sum(getattr(row, name) for row in rows) for name in COUNTERS}
    values |= {kind: merged_durations([getattr(row, kind) for row in rows]) for kind in SAMPLE_KINDS}
    revision = max(row.revision for row in rows)
    return replace(rows[0], revision=revision, capture_loss_ratio=max(losses, default=None), **values)


def merged_durations(parts: Sequence[Durations]) -> Durations:
    """Return the durations of several places or servers as one, by adding their sketches."""
    parts = [part for part in parts if part.count]
    if len(parts) < 2:  # noqa: PLR2004  one is its own sum
        return parts[0] if parts else NO_DURATIONS
    held = np.fromiter(chain.from_iterable(part.buckets for part in parts), np.int64)
    counts = np.fromiter(chain.from_iterable(part.bucket_counts for part in parts), np.int64)
    summed = dense(held, counts)
    total = sum(part.count for part in parts)
    least = min(part.least_seconds or 0.0 for part in parts)
    greatest = max(part.greatest_seconds or 0.0 for part in parts)
    stats = np.array([[total, 0, round(least * _NANOS), round(greatest * _NANOS)]], np.int64)
    mean = sum((part.mean_seconds or 0.0) * part.count for part in parts) / total
    sparse, quantiles = read(stats, np.minimum(summed, _MOST_COUNT)[None, :].astype(np.int32), _QUANTILES)
    p50, p95, p99 = quantiles[0].tolist()
    return Durations(total, mean, least, p50, p95, p99, greatest, *sparse[0])
