"""Rows of connection quality: made of an interval's cells, and merged over what one does not want to tell apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels import qualitycells as kernels
from btimd.kernels.packetlayout import QUALITY_COUNTERS
from btimd.kernels.sketch import BUCKETS, ST_COUNT, ST_GREATEST, ST_LEAST, ST_SUM, STATS, dense, read
from btimd.model.address import HALF_MASK, IPV4_MAPPED_LO, address_text
from btimd.model.quality import COUNTERS, NO_DURATIONS, SAMPLE_KINDS, Durations, QualityRow
from btimd.model.units import UnixMillis

DIMENSIONS: Final = ("business", "region", "segment", "server")
"""What rows can be told apart by."""
_QUANTILES: Final = (0.5, 0.95, 0.99)
_NANOS: Final = 1e9
_FIRST_ROOM: Final = 64
_MOST_COUNT: Final = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class QualityInterval:
    """The rows of one interval, or the changed rows of one that was emitted before (`revision` > 0)."""

    interval_start_milliseconds: UnixMillis
    interval_milliseconds: int
    revision: int
    rows: tuple[QualityRow, ...]


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


def interval_rows(
    cells: Cells,
    chosen: npt.NDArray[np.intp],
    *,
    interval_start_milliseconds: UnixMillis,
    interval_milliseconds: int,
    revision: int,
    businesses: Sequence[Any],
    places: Sequence[Any],
    loss: Mapping[int, tuple[int, int]],
) -> list[QualityRow]:
    """Return some lines in words, by business, place and server. loss: packets seen and lost by observation point."""
    lines = cells.lines[chosen]
    of_sketch = durations(cells.stats, cells.buckets, int(cells.state[kernels.S_SKETCHES]))
    ratios = {points: _loss_ratio(points, loss) for points in np.unique(lines[:, kernels.L_POINTS]).tolist()}
    rows = []
    for words, line in zip(cells.cells[chosen].tolist(), lines.tolist(), strict=True):
        region, segment = places[words[kernels.K_PLACE]] if words[kernels.K_PLACE] >= 0 else ("", "")
        sketches = line[kernels.L_SKETCH : kernels.L_SKETCH + len(SAMPLE_KINDS)]
        rows.append(
            _row(
                interval_start_milliseconds,
                interval_milliseconds,
                revision,
                businesses[words[kernels.K_BUSINESS]] if words[kernels.K_BUSINESS] >= 0 else "",
                region,
                segment,
                server_text(words[kernels.K_SERVER_HI], words[kernels.K_SERVER_LO], words[kernels.K_PORT]),
                *line[:QUALITY_COUNTERS],
                *(of_sketch(sketch - 1) if sketch else NO_DURATIONS for sketch in sketches),
                ratios[line[kernels.L_POINTS]],
            )
        )
    return sorted(rows, key=_names)


_row: Any = QualityRow
"""Its counters and durations are given by position."""


def _names(row: QualityRow) -> tuple[str, str, str, str]:
    return row.business, row.region, row.segment, row.server


@lru_cache(maxsize=1 << 14)
def server_text(hi: int, lo: int, port: int) -> str:
    """Return "10.0.0.1:443" or "[2001:db8::1]:443" of an address in signed halves; empty for a port below 0."""
    if port < 0:
        return ""
    text = address_text(hi & HALF_MASK, lo & HALF_MASK)
    return f"{text}:{port}" if hi == 0 and lo >> 32 == IPV4_MAPPED_LO >> 32 else f"[{text}]:{port}"


def durations(stats: npt.NDArray[np.int64], buckets: npt.NDArray[np.integer], used: int) -> "_Durations":
    """Return what reads the first `used` sketches."""
    return _Durations(stats[:used], buckets[:used])


class _Durations:
    """Reads sketches, all at once."""

    def __init__(self, stats: npt.NDArray[np.int64], buckets: npt.NDArray[np.integer]) -> None:
        self._stats = stats.tolist()
        self._sparse, quantiles = read(stats, buckets, _QUANTILES)
        self._quantiles = quantiles.tolist()

    def __call__(self, sketch: int) -> Durations:
        stats = self._stats[sketch]
        count = stats[ST_COUNT]
        if not count:
            return NO_DURATIONS
        p50, p95, p99 = self._quantiles[sketch]
        return Durations(
            count,
            stats[ST_SUM] / count / _NANOS,
            stats[ST_LEAST] / _NANOS,
            p50,
            p95,
            p99,
            stats[ST_GREATEST] / _NANOS,
            *self._sparse[sketch],
        )


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
