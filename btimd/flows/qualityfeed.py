"""Connection quality for those who ask: the latest intervals in memory, and points for the series store."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.flows.qualityrows import DIMENSIONS, SECONDS, QualityInterval, grouped
from btimd.model.points import PointBlock
from btimd.model.quality import COUNTERS, SAMPLE_KINDS, QualityRow
from btimd.model.units import UnixMillis
from btimd.model.window import interval_name
from btimd.runtime.feed import Feed, FeedSubscription

MEASUREMENT: Final = "btimd_quality"
_FIGURES: Final = ("mean", "p50", "p95", "p99", "greatest")
_Name = tuple[str, ...]
_RowKey = tuple[UnixMillis, *_Name]


def quality_points(interval: QualityInterval) -> PointBlock:
    """Return the rows of an interval as points of `btimd_quality`, stamped with its start.

    What was not measured is NaN, which no store writes.
    """
    durations = interval.durations
    fields: dict[str, npt.NDArray[Any]] = dict(zip(COUNTERS, interval.counters, strict=True))
    for kind, numbers in zip(SAMPLE_KINDS, interval.measured, strict=True):
        fields[f"{kind}_count"] = durations.count[numbers]
        for figure in _FIGURES:
            fields[f"{kind}_seconds_{figure}"] = durations.seconds[SECONDS.index(figure)][numbers]
    fields["capture_loss_ratio"] = interval.capture_loss_ratio
    return PointBlock(
        measurement=MEASUREMENT,
        time_milliseconds=np.full(len(interval), interval.interval_start_milliseconds, np.int64),
        tags={
            **dict(zip(DIMENSIONS, interval.names, strict=True)),
            "interval": [interval_name(interval.interval_milliseconds)] * len(interval),
        },
        fields=fields,
    )


@dataclass(frozen=True, slots=True)
class QualityClosed:
    """An interval with the points that can be made of it away from the loop."""

    interval: QualityInterval
    points: PointBlock

    @classmethod
    def of(cls, interval: QualityInterval, *, watched: bool = False) -> "QualityClosed":
        """Return an interval with its points; watched: somebody waits for its rows, so let them be made here too."""
        if watched:
            tuple(interval.rows)
        return cls(interval, quality_points(interval))


class _Kept:
    """The rows of one interval, of which later revisions replace some."""

    def __init__(self, interval: QualityInterval) -> None:
        self._interval = interval
        self._revised: dict[_Name, tuple[QualityInterval, int]] | None = None  # made for the second revision

    def __len__(self) -> int:
        return len(self._interval) if self._revised is None else len(self._revised)

    def add(self, later: QualityInterval) -> None:
        """Take other rows of the same interval."""
        if self._revised is None:
            self._revised = {name: (self._interval, at) for at, name in enumerate(_names(self._interval))}
        self._revised |= {name: (later, at) for at, name in enumerate(_names(later))}

    def rows(self, wanted: Callable[[str], bool], most: int | None = None) -> list[QualityRow]:
        """Return rows of the businesses that are wanted, by name; only those are made."""
        if self._revised is None:  # which is sorted
            chosen = (at for at, one in enumerate(self._interval.names[0]) if wanted(one))
            return self._interval.some_rows(list(islice(chosen, most)))
        found = sorted(name for name in self._revised if wanted(name[0]))
        return [interval.some_rows((at,))[0] for interval, at in map(self._revised.__getitem__, found[:most])]

    def businesses(self) -> set[str]:
        """Return whose rows there are."""
        return set(self._interval.names[0]) if self._revised is None else {name[0] for name in self._revised}


def _names(interval: QualityInterval) -> Iterator[_Name]:
    return zip(*interval.names, strict=True)


class _Watched(Feed[_RowKey, QualityRow]):
    """Tells of changes; what is true at the moment is known by the history alone, and asked for when somebody comes."""

    def __init__(self, capacity: int, present: Callable[[], Sequence[QualityRow]]) -> None:
        super().__init__(capacity, keep=lambda _: False)  # the capacity bounds what a subscriber leaves unread
        self._present = present

    @override
    def values(self) -> Sequence[QualityRow]:
        """Return the present state."""
        return self._present()


class QualityHistory:
    """Intervals by length and start; lives on the loop.

    Of each interval length at most `capacity` rows are kept, and always those of the latest interval: an old interval
    goes as a whole, so that what is merged of it lacks nothing.
    """

    def __init__(self, intervals_milliseconds: Sequence[int], capacity: int) -> None:
        self._capacity = capacity
        self._kept: dict[int, dict[UnixMillis, _Kept]] = {interval: {} for interval in intervals_milliseconds}
        self._feeds = {
            interval: _Watched(capacity, partial(self._present, interval)) for interval in intervals_milliseconds
        }

    def publish(self, interval: QualityInterval) -> None:
        """Take the rows of an interval and tell whoever watches; rows are made if somebody does."""
        kept = self._kept[interval.interval_milliseconds]
        start = interval.interval_start_milliseconds
        if start in kept:
            kept[start].add(interval)
        else:
            kept[start] = _Kept(interval)
        if self.watched(interval.interval_milliseconds):
            feed = self._feeds[interval.interval_milliseconds]
            for name, row in zip(_names(interval), interval.rows, strict=True):
                feed.publish((start, *name), row)
        while len(kept) > 1 and sum(map(len, kept.values())) > self._capacity:
            del kept[min(kept)]

    def watched(self, interval_milliseconds: int) -> bool:
        """Tell whether anybody watches intervals of a length; any thread may ask."""
        return self._feeds[interval_milliseconds].subscribers > 0

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
        kept = self._kept.get(interval_milliseconds)
        if kept is None:
            raise ValueError(self._refusal(interval_milliseconds))
        found: list[QualityRow] = grouped((), group_by)
        every = set(group_by) == set(DIMENSIONS)  # then rows are what they are, and only those that are shown are made
        for start in sorted((one for one in kept if one >= from_milliseconds), reverse=True):
            left = limit - len(found)
            chosen = kept[start].rows(lambda one: business is None or one == business, left if every else None)
            found.extend(chosen if every else grouped(chosen, group_by)[:left])
            if len(found) >= limit:
                break
        return found

    def _present(self, interval_milliseconds: int) -> Sequence[QualityRow]:
        """Return the rows of the latest interval, and of businesses that it lacks those of their own latest one."""
        parts: list[list[QualityRow]] = []
        seen: set[str] = set()
        for _, kept in sorted(self._kept[interval_milliseconds].items(), reverse=True):
            missing = kept.businesses() - seen
            parts.append(kept.rows(missing.__contains__))
            seen |= missing
        return [row for part in reversed(parts) for row in part]

    def watch(self, interval_milliseconds: int) -> FeedSubscription[_RowKey, QualityRow]:
        """Subscribe to the rows of one interval length; raises ValueError for one that is not kept."""
        feed = self._feeds.get(interval_milliseconds)
        if feed is None:
            raise ValueError(self._refusal(interval_milliseconds))
        return feed.subscribe()

    def _refusal(self, interval_milliseconds: int) -> str:
        known = ", ".join(str(interval) for interval in self._kept)
        return f"there are no intervals of {interval_milliseconds} ms; ask for one of {known}"
