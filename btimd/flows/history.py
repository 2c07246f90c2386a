"""The latest closed intervals in memory, and the points that go to the series store."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

import numpy as np

from btimd.model.points import PointBlock
from btimd.model.window import WindowBatch, WindowRow
from btimd.runtime.feed import Feed, FeedSubscription

MEASUREMENT: Final = "btimd_traffic"
RowKey = tuple[int, str, str, str]
"""Interval start, business, region, segment."""


def interval_name(interval_milliseconds: int) -> str:
    """Return the name of an interval length: "10s", "60s"."""
    return f"{interval_milliseconds / 1000:g}s"


def windows_points(batch: WindowBatch) -> PointBlock:
    """Return the cells of a batch as points of `btimd_traffic`, stamped with the start of the interval."""
    length = len(batch)
    businesses = [*batch.businesses, ""]
    places = [*batch.places, ("", "")]
    where = [places[place] for place in batch.place_id.tolist()]
    return PointBlock(
        measurement=MEASUREMENT,
        time_milliseconds=np.full(length, batch.interval_start_milliseconds, np.int64),
        tags={
            "business": [businesses[business] for business in batch.business_id.tolist()],
            "region": [region for region, _ in where],
            "segment": [segment for _, segment in where],
            "interval": [interval_name(batch.interval_milliseconds)] * length,
        },
        fields={
            "octets_to_server": batch.octets_to_server,
            "octets_to_client": batch.octets_to_client,
            "packets": batch.packets,
            "flows": batch.flows,
            "users": batch.users,
            "users_exact": batch.users_exact.astype(np.bool_),
            "sampled": batch.sampled.astype(np.bool_),
            "sampling_error_ratio": batch.sampling_error_ratio,
            "export_loss_ratio": batch.export_loss_ratio,
            "times_adjusted": batch.times_adjusted.astype(np.bool_),
            "rate_assumed": batch.rate_assumed.astype(np.bool_),
        },
    )


@dataclass(frozen=True, slots=True)
class Closed:
    """A batch with everything that can be made of it away from the loop."""

    batch: WindowBatch
    points: PointBlock
    rows: tuple[WindowRow, ...]

    @classmethod
    def of(cls, batch: WindowBatch) -> "Closed":
        """Return a batch with its points and rows."""
        return cls(batch, windows_points(batch), tuple(batch.rows()))


class History:
    """Rows by interval length and key, the longest unchanged going first; lives on the loop."""

    def __init__(self, intervals_milliseconds: Sequence[int], capacity: int) -> None:
        self._feeds: dict[int, Feed[RowKey, WindowRow]] = {
            interval: Feed[RowKey, WindowRow](capacity) for interval in intervals_milliseconds
        }

    def publish(self, closed: Closed) -> None:
        """Take the rows of a batch and tell whoever watches."""
        feed = self._feeds[closed.batch.interval_milliseconds]
        for row in closed.rows:
            feed.publish((row.interval_start_milliseconds, row.business, row.region, row.segment), row)

    def rows(self, *, interval_milliseconds: int, business: str | None, limit: int) -> Sequence[WindowRow]:
        """Return the rows of the latest intervals, newest first; business None = all, "" = unattributed."""
        rows = self._feed(interval_milliseconds).values()
        chosen = (row for row in rows if business is None or row.business == business)
        return nlargest(limit, chosen, key=lambda row: row.interval_start_milliseconds)

    def watch(self, interval_milliseconds: int) -> FeedSubscription[RowKey, WindowRow]:
        """Subscribe to the rows of one interval length."""
        return self._feed(interval_milliseconds).subscribe()

    def _feed(self, interval_milliseconds: int) -> Feed[RowKey, WindowRow]:
        feed = self._feeds.get(interval_milliseconds)
        if feed is None:
            known = ", ".join(str(interval) for interval in self._feeds)
            raise ValueError(f"there are no intervals of {interval_milliseconds} ms; ask for one of {known}")
        return feed
