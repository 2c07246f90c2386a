"""PointBlock: results on their way to the series store, as columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class PointBlock:
    """n points of one measurement.

    time_milliseconds: int64[n]. tags: str per point (lists of length n). fields: int64, float64 or bool arrays of
    length n. A point is identified by measurement, tags and time: writing it again replaces it, in every store.
    """

    measurement: str
    time_milliseconds: npt.NDArray[np.int64]
    tags: Mapping[str, list[str]]
    fields: Mapping[str, npt.NDArray[Any]]

    def __post_init__(self) -> None:
        """Refuse columns of unequal length and blocks without fields."""
        length = len(self.time_milliseconds)
        if not self.fields:
            raise ValueError(f"{self.measurement}: a point without fields says nothing")
        lengths = {name: len(tag) for name, tag in self.tags.items()}
        lengths |= {name: len(column) for name, column in self.fields.items()}
        for name, found in lengths.items():
            if found != length:
                raise ValueError(f"{self.measurement}.{name}: {found} values for {length} points")

    def __len__(self) -> int:
        return len(self.time_milliseconds)


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """Sums or means of fields over time.

    Points of `measurement` with from_milliseconds <= time < to_milliseconds and tags equal to `where` are grouped by
    `group_by` (tags) and by bins of step_milliseconds (0: one bin), each field folded by `fold` (sum, mean, max, last).
    """

    measurement: str
    fields: tuple[str, ...]
    from_milliseconds: int
    to_milliseconds: int
    group_by: tuple[str, ...] = ()
    where: Mapping[str, str] | None = None
    step_milliseconds: int = 0
    fold: str = "sum"


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One group and bin of a SeriesQuery's answer; values in the order of the query's fields, None: no data."""

    time_milliseconds: int
    tags: tuple[str, ...]
    values: tuple[float | None, ...]
