"""The latest closed intervals in memory, and the points that go to the series store."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.model.points import PointBlock
from btimd.model.units import UnixMillis
from btimd.model.window import WindowBatch, WindowRow, interval_name
from btimd.runtime.feed import Feed, FeedSubscription

MEASUREMENT: Final = "btimd_traffic"
RowKey = tuple[int, str, str, str]
"""Interval start, business, region, segment."""
_Cell = tuple[str, str, str]


def windows_points(batch: WindowBatch) -> PointBlock:
    """Return the cells of a batch as points of `btimd_traffic`, stamped with the start of the interval."""
    length = len(batch)
    return PointBlock(
        measurement=MEASUREMENT,
        time_milliseconds=np.full(length, batch.interval_start_milliseconds, np.int64),
        tags={
            "business": _words([*batch.businesses, ""])[batch.business_id].tolist(),
            "region": _words([*(region for region, _ in batch.places), ""])[batch.place_id].tolist(),
            "segment": _words([*(segment for _, segment in batch.places), ""])[batch.place_id].tolist(),
            "interval": [interval_name(batch.interval_milliseconds)] * length,
        },
        fields={
            "octets_to_server": batch.octets_to_server,
            "octets_to_client": batch.octets_to_client,
            "packets": batch.packets,
            "flows": batch.flows,
            "users": batch.users,
            "users_exact": batch.users_exact.astype(np.bool_),
            "users_error_ratio": batch.users_error_ratio,
            "sampled": batch.sampled.astype(np.bool_),
            "sampling_error_ratio": batch.sampling_error_ratio,
            "export_loss_ratio": batch.export_loss_ratio,
            "times_adjusted": batch.times_adjusted.astype(np.bool_),
            "rate_assumed": batch.rate_assumed.astype(np.bool_),
        },
    )


def _words(words: Sequence[str]) -> npt.NDArray[np.object_]:
    """Return words as an array, so that many are looked up without a loop; the last one stands for number -1."""
    found = np.empty(len(words), np.object_)
    found[:] = words
    return found


@dataclass(frozen=True, slots=True)
class Closed:
    """A batch with everything that can be made of it away from the loop; rows only where somebody waits for them."""

    batch: WindowBatch
    points: PointBlock
    rows: tuple[WindowRow, ...] | None = None

    @classmethod
    def of(cls, batch: WindowBatch, *, watched: bool = False) -> "Closed":
        """Return a batch with its points; watched: somebody waits for its rows, so let them be made here too."""
        return cls(batch, windows_points(batch), tuple(batch.rows()) if watched else None)


class _Kept:
    """The cells of one interval, of which later revisions replace some; rows are made of those that are asked for."""

    def __init__(self, batch: WindowBatch) -> None:
        self._parts = [(batch, np.ones(len(batch), np.bool_))]  # batches, and which of their cells were not replaced

    @property
    def cells(self) -> int:
        """How many there are."""
        return sum(int(latest.sum()) for _, latest in self._parts)

    def add(self, later: WindowBatch) -> None:
        """Take other cells of the same interval."""
        for batch, latest in self._parts:
            latest[_among(batch, later)] = False
        self._parts = [(batch, latest) for batch, latest in self._parts if latest.any()]
        self._parts.append((later, np.ones(len(later), np.bool_)))

    def rows(self, businesses: Collection[str] | None = None, most: int | None = None) -> list[WindowRow]:
        """Return rows of some businesses, "" = unattributed, or of all, by name."""
        if len(self._parts) == 1:  # which is sorted
            batch, _ = self._parts[0]
            return list(batch.some_rows(_of_businesses(batch, businesses)[:most].tolist()))
        found: list[tuple[_Cell, int, int]] = []
        for number, (batch, latest) in enumerate(self._parts):
            at = _of_businesses(batch, businesses)
            at = at[latest[at]]
            found.extend(zip(_names(batch, at), [number] * len(at), at.tolist(), strict=True))
        found.sort()
        return [next(self._parts[number][0].some_rows((at,))) for _, number, at in found[:most]]

    def businesses(self) -> set[str]:
        """Return whose cells there are."""
        return {
            [*batch.businesses, ""][number]
            for batch, latest in self._parts
            for number in np.unique(batch.business_id[latest]).tolist()
        }


def _among(batch: WindowBatch, other: WindowBatch) -> npt.NDArray[np.bool_]:
    """Return which cells of a batch the other has too."""
    if (batch.businesses, batch.places) == (other.businesses, other.places):
        width = len(batch.places) + 1
        ours, others = (one.business_id.astype(np.int64) * width + one.place_id for one in (batch, other))
        return np.isin(ours, others)
    names = set(_names(other, np.arange(len(other))))
    return np.array([name in names for name in _names(batch, np.arange(len(batch)))], np.bool_)


def _of_businesses(batch: WindowBatch, businesses: Collection[str] | None) -> npt.NDArray[np.int64]:
    """Return the cells of some businesses, or all; "" is that of unattributed traffic."""
    if businesses is None:
        return np.arange(len(batch))
    wanted = np.array([name in businesses for name in (*batch.businesses, "")], np.bool_)
    return np.flatnonzero(wanted[batch.business_id])


def _names(batch: WindowBatch, cells: npt.NDArray[np.int64]) -> list[_Cell]:
    """Return business, region and segment of cells."""
    businesses, places = [*batch.businesses, ""], [*batch.places, ("", "")]
    pairs = zip(batch.business_id[cells].tolist(), batch.place_id[cells].tolist(), strict=True)
    return [(businesses[business], *places[place]) for business, place in pairs]


class _Watched(Feed[RowKey, WindowRow]):
    """Tells of changes; what is true at the moment is known by the history alone, and asked for when somebody comes."""

    def __init__(self, capacity: int, present: Callable[[], Sequence[WindowRow]]) -> None:
        super().__init__(capacity, keep=lambda _: False)  # the capacity bounds what a subscriber leaves unread
        self._present = present

    @override
    def values(self) -> Sequence[WindowRow]:
        """Return the present state."""
        return self._present()


class History:
    """Intervals by length and start; lives on the loop. Rows are made of them when somebody asks.

    Of each interval length at most `capacity` cells are kept, and always those of the latest interval: an old interval
    goes as a whole.
    """

    def __init__(self, intervals_milliseconds: Sequence[int], capacity: int) -> None:
        self._capacity = capacity
        self._kept: dict[int, dict[UnixMillis, _Kept]] = {interval: {} for interval in intervals_milliseconds}
        self._feeds = {
            interval: _Watched(capacity, partial(self._present, interval)) for interval in intervals_milliseconds
        }

    def publish(self, closed: Closed) -> None:
        """Take a batch; whoever watches is told of its rows by `tell`, of few at a time."""
        batch = closed.batch
        kept, start = self._kept[batch.interval_milliseconds], batch.interval_start_milliseconds
        if start in kept:
            kept[start].add(batch)
        else:
            kept[start] = _Kept(batch)
        if closed.rows is None and self.watched(batch.interval_milliseconds):  # somebody came since it was made
            self.tell(batch.interval_milliseconds, batch.rows())
        while len(kept) > 1 and sum(one.cells for one in kept.values()) > self._capacity:
            del kept[min(kept)]

    def tell(self, interval_milliseconds: int, rows: Iterable[WindowRow]) -> None:
        """Tell whoever watches of some rows."""
        feed = self._feeds[interval_milliseconds]
        for row in rows:
            feed.publish((row.interval_start_milliseconds, row.business, row.region, row.segment), row)

    def watched(self, interval_milliseconds: int) -> bool:
        """Tell whether anybody watches intervals of a length; any thread may ask."""
        return self._feeds[interval_milliseconds].subscribers > 0

    def rows(self, *, interval_milliseconds: int, business: str | None, limit: int) -> Sequence[WindowRow]:
        """Return the rows of the latest intervals, newest first; business None = all, "" = unattributed."""
        kept = self._kept.get(interval_milliseconds)
        if kept is None:
            raise ValueError(self._refusal(interval_milliseconds))
        found: list[WindowRow] = []
        for start in sorted(kept, reverse=True):
            found.extend(kept[start].rows(None if business is None else (business,), limit - len(found)))
            if len(found) >= limit:
                break
        return found

    def watch(self, interval_milliseconds: int) -> FeedSubscription[RowKey, WindowRow]:
        """Subscribe to the rows of one interval length; it begins with those of the latest interval."""
        feed = self._feeds.get(interval_milliseconds)
        if feed is None:
            raise ValueError(self._refusal(interval_milliseconds))
        return feed.subscribe()

    def _present(self, interval_milliseconds: int) -> Sequence[WindowRow]:
        """Return the rows of the latest interval, and of businesses that it lacks those of their own latest one."""
        parts: list[list[WindowRow]] = []
        seen: set[str] = set()
        for _, kept in sorted(self._kept[interval_milliseconds].items(), reverse=True):
            missing = kept.businesses() - seen
            parts.append(kept.rows(missing) if missing else [])
            seen |= missing
        return [row for part in reversed(parts) for row in part]

    def _refusal(self, interval_milliseconds: int) -> str:
        known = ", ".join(str(interval) for interval in self._kept)
        return f"there are no intervals of {interval_milliseconds} ms; ask for one of {known}"
