"""Channel: the bounded queue between receiving threads and the flow thread, the one place that may lose data."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """A queue of at most `capacity` items that drops the oldest when full, and counts what it dropped.

    put never blocks; get blocks up to a time-out. Any number of threads on both sides. `weigh` says how much an item
    counts for in `dropped_weight` (datagrams in a block), so that loss is known in units that people understand.
    """

    def __init__(self, capacity: int, weigh: Callable[[T], int] = lambda _: 1) -> None:
        if capacity < 1:
            raise ValueError(f"a channel of {capacity} items can hold nothing")
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._weigh = weigh
        self._ready = threading.Condition()
        self._closed = False
        self._dropped = 0
        self._dropped_weight = 0
        self._wake: Callable[[], None] | None = None

    def wake(self, reader: Callable[[], None]) -> None:
        """Let a reader of several channels be told, at once and by whoever puts, of every item and of the end."""
        self._wake = reader

    def put(self, item: T) -> None:
        """Append an item; the oldest goes when there is no room. After close items are dropped and counted."""
        with self._ready:
            if self._closed:
                self._drop(item)
                return
            if len(self._items) == self._capacity:
                self._drop(self._items.popleft())
            self._items.append(item)
            self._ready.notify()
        if self._wake is not None:
            self._wake()

    def get(self, timeout_seconds: float) -> T | None:
        """Return the oldest item, or None when none came in time or the channel is closed and empty."""
        with self._ready:
            if not self._items and not self._closed:
                self._ready.wait_for(lambda: self._items or self._closed, timeout_seconds)
            return self._items.popleft() if self._items else None

    def close(self) -> None:
        """Take no more items; what is inside can still be got."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        if self._wake is not None:
            self._wake()

    def _drop(self, item: T) -> None:
        self._dropped += 1
        self._dropped_weight += self._weigh(item)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        """Tell whether close was called."""
        return self._closed

    @property
    def dropped(self) -> int:
        """Items lost so far."""
        return self._dropped

    @property
    def dropped_weight(self) -> int:
        """What the lost items weighed."""
        return self._dropped_weight
