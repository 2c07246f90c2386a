"""Connection quality for those who ask: the latest intervals in memory, and points for the series store."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.flows.history import interval_name
from btimd.flows.qualityrows import DIMENSIONS, QualityInterval, grouped
from btimd.model.points import PointBlock
from btimd.model.quality import COUNTERS, SAMPLE_KINDS, QualityRow
from btimd.model.units import UnixMillis
from btimd.runtime.feed import Feed, FeedSubscription

MEASUREMENT: Final = "btimd_quality"
_FIGURES: Final = ("mean", "p50", "p95", "p99", "greatest")
_RowKey = tuple[UnixMillis, str, str, str, str]


def quality_points(interval: QualityInterval) -> PointBlock:
    """Return the rows of an interval as points of `btimd_quality`, stamped with its start.

    What was not measured is NaN, which no store writes.
    """
    rows = interval.rows
    fields: dict[str, npt.NDArray[Any]] = {
        name: np.array([getattr(row, name) for row in rows], np.int64) for name in COUNTERS
    }
    for kind in SAMPLE_KINDS:
        measured = [getattr(row, kind) for row in rows]
        fields[f"{kind}_count"] = np.array([one.count for one in measured], np.int64)
        for figure in _FIGURES:
            values = [getattr(one, f"{figure}_seconds") for one in measured]
            fields[f"{kind}_seconds_{figure}"] = np.array(values, np.float64)
    fields["capture_loss_ratio"] = np.array([row.capture_loss_ratio for row in rows], np.float64)
    return PointBlock(
        measurement=MEASUREMENT,
        time_milliseconds=np.full(len(rows), interval.interval_start_milliseconds, np.int64),
        tags={
            **{name: [getattr(row, name) for row in rows] for name in DIMENSIONS},
            "interval": [interval_name(interval.interval_milliseconds)] * len(rows),
        },
        fields=fields,
    )


@dataclass(frozen=True, slots=True)
class QualityClosed:
    """An interval's rows with the points that can be made of them away from the loop."""

    interval: QualityInterval
    points: PointBlock

    @classmethod
    def of(cls, interval: QualityInterval) -> "QualityClosed":
        """Return an interval with its points."""
        return cls(interval, quality_points(interval))


class QualityHistory:
    """Rows by interval length, interval and key; lives on the loop.

    Of each interval length at most `capacity` rows are kept, and always those of the latest interval: an old interval
    goes as a whole, so that what is merged of it lacks nothing.
    """

    def __init__(self, intervals_milliseconds: Sequence[int], capacity: int) -> None:
        self._capacity = capacity
        self._rows: dict[int, dict[UnixMillis, dict[_RowKey, QualityRow]]] = {
            interval: {} for interval in intervals_milliseconds
        }
        self._feeds: dict[int, Feed[_RowKey, QualityRow]] = {
            interval: Feed[_RowKey, QualityRow](capacity) for interval in intervals_milliseconds
        }

    def publish(self, interval: QualityInterval) -> None:
        """Take the rows of an interval and tell whoever watches."""
        kept = self._rows[interval.interval_milliseconds]
        rows = kept.setdefault(interval.interval_start_milliseconds, {})
        feed = self._feeds[interval.interval_milliseconds]
        for row in interval.rows:
            key = row.interval_start_milliseconds, row.business, row.region, row.segment, row.server
            rows[key] = row
            feed.publish(key, row)
        while len(kept) > 1 and sum(map(len, kept.values())) > self._capacity:
            del kept[min(kept)]

    def rows(
        self,
        *,
        interval_milliseconds: int,
        business: str | None,
        group_by: Sequence[str] = DIMENSIONS,
        limit: int,
        from_milliseconds: UnixMillis = 0,
    ) -> Sequence[QualityRow]:
        """Return the rows of the latest intervals, newest first, merged over what is not in `group_by`.

        business: None = all, "" = unattributed. Raises ValueError for intervals that are not kept, and for a name that
        rows cannot be grouped by.
        """
        kept = self._rows.get(interval_milliseconds)
        if kept is None:
            raise ValueError(self._refusal(interval_milliseconds))
        found: list[QualityRow] = grouped((), group_by)
        for start in sorted((one for one in kept if one >= from_milliseconds), reverse=True):
            chosen = (row for row in kept[start].values() if business is None or row.business == business)
            found.extend(islice(grouped(chosen, group_by), limit - len(found)))
            if len(found) >= limit:
                break
        return found

    def watch(self, interval_milliseconds: int) -> FeedSubscription[_RowKey, QualityRow]:
        """Subscribe to the rows of one interval length; raises ValueError for one that is not kept."""
        feed = self._feeds.get(interval_milliseconds)
        if feed is None:
            raise ValueError(self._refusal(interval_milliseconds))
        return feed.subscribe()

    def _refusal(self, interval_milliseconds: int) -> str:
        known = ", ".join(str(interval) for interval in self._rows)
        return f"there are no intervals of {interval_milliseconds} ms; ask for one of {known}"
