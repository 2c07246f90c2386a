"""BlockQueue: the points in memory between those who write and the one thread that stores."""

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from btimd.model.points import PointBlock
from btimd.store.storemetrics import StoreMetrics

_OVERDRAFT_ON_LOOP: Final = 2


class BlockQueue:
    """A queue of at most `capacity_points` that makes writers wait rather than losing points.

    A thread waits up to `patience_seconds` for room. The event loop never waits; it may overdraw the capacity, up to
    twice. What finds no room even so is dropped and counted, as is what comes after close.
    """

    def __init__(self, capacity_points: int, patience_seconds: float, metrics: StoreMetrics) -> None:
        self._capacity = capacity_points
        self._patience = patience_seconds
        self._metrics = metrics
        self._blocks: deque[PointBlock] = deque()
        self._points = 0
        self._changed = threading.Condition()
        self._closed = False
        self._asked = 0
        self._done = 0

    def put(self, block: PointBlock) -> None:
        """Take points over."""
        if not len(block):
            return
        with self._changed:
            limit = self._capacity
            if not self._has_room(block, limit) and not self._closed:
                self._metrics.waits.inc()
                if _on_a_loop():
                    limit *= _OVERDRAFT_ON_LOOP
                else:
                    self._asked += 1
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._closed or self._has_room(block, limit), self._patience)
            if self._closed or not self._has_room(block, limit):
                self._metrics.dropped.labels("stopped" if self._closed else "queue-full").inc(len(block))
                return
            self._blocks.append(block)
            self._points += len(block)
            self._metrics.queue_points.set(self._points)

    def _has_room(self, block: PointBlock, limit: int) -> bool:
        return not self._blocks or self._points + len(block) <= limit

    def take(self, timeout_seconds: float) -> tuple[Sequence[PointBlock], int]:
        """Wait until a flush is asked for, the queue is closed or the time is over; return all blocks and a ticket.

        The blocks stay in the queue until `stored` is called.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._asked > self._done, timeout_seconds)
            return list(self._blocks), self._asked

    def stored(self, blocks: int, ticket: int | None) -> None:
        """Remove the oldest blocks, which are safe now; with a ticket, everything written before it was given is."""
        with self._changed:
            for _ in range(blocks):
                self._points -= len(self._blocks.popleft())
            if ticket is not None:
                self._done = max(self._done, ticket)
            self._metrics.queue_points.set(self._points)
            self._changed.notify_all()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what was put before is safe; tell whether it is."""
        with self._changed:
            self._asked += 1
            ticket = self._asked
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= ticket, timeout_seconds)

    def close(self) -> None:
        """Take no more; wakes everybody."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def give_up(self, reason: str) -> None:
        """Drop and count what is left."""
        with self._changed:
            if self._points:
                self._metrics.dropped.labels(reason).inc(self._points)
            self._blocks.clear()
            self._points = 0
            self._metrics.queue_points.set(0)

    @property
    def closed(self) -> bool:
        """Tell whether close was called."""
        return self._closed


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
