"""Feed: the latest state of keyed things, and subscriptions that start with it and then follow the changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
UNREAD = 4
"""How many times the keys that a feed keeps may be unread by a subscriber."""


class FeedSubscription(Generic[K, V]):
    """One reader of a Feed. Unread changes are kept per key: a slow reader costs memory per key, not per change.

    Of more unread keys than `capacity` those unchanged for longest are dropped: keys may name times, and never end.
    """

    def __init__(self, feed: "Feed[K, V]", snapshot: Sequence[V], capacity: int) -> None:
        self._feed = feed
        self._capacity = capacity
        self._snapshot = snapshot
        self._pending: dict[K, V] = {}
        self._wake = asyncio.Event()
        self._closed = False

    @property
    def snapshot(self) -> Sequence[V]:
        """What was true at the moment of subscribing."""
        return self._snapshot

    def offer(self, key: K, value: V) -> None:
        """Take a change (called by the feed)."""
        self._pending.pop(key, None)
        self._pending[key] = value
        if len(self._pending) > self._capacity:
            del self._pending[next(iter(self._pending))]
        self._wake.set()

    async def changes(self) -> AsyncIterator[Sequence[V]]:
        """Yield the latest value of each key that changed since the last yield, oldest change first."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._pending:
                batch = list(self._pending.values())
                self._pending.clear()
                yield batch
            if self._closed:
                return

    def close(self) -> None:
        """Give the subscription back; `changes` ends."""
        self._closed = True
        self._wake.set()
        self._feed.forget(self)


class Feed(Generic[K, V]):
    """Publishes values by key on the event loop.

    At most `capacity` keys are kept; the longest unchanged goes first. `keep` decides which values belong into the
    snapshot of a new subscriber (a closed incident is a change, not a state).
    """

    def __init__(self, capacity: int, keep: Callable[[V], bool] = lambda _: True) -> None:
        self._capacity = capacity
        self._keep = keep
        self._state: dict[K, V] = {}
        self._subscribers: set[FeedSubscription[K, V]] = set()

    def publish(self, key: K, value: V) -> None:
        """Set the value of a key and tell every subscriber."""
        self._state.pop(key, None)
        if self._keep(value):
            self._state[key] = value
            if len(self._state) > self._capacity:
                del self._state[next(iter(self._state))]
        for subscriber in self._subscribers:
            subscriber.offer(key, value)

    def values(self) -> Sequence[V]:
        """Return what is kept, longest unchanged first."""
        return list(self._state.values())

    def get(self, key: K) -> V | None:
        """Return the kept value of a key."""
        return self._state.get(key)

    def subscribe(self) -> FeedSubscription[K, V]:
        """Return a subscription whose snapshot is the present state; close it after use."""
        subscription = FeedSubscription(self, self.values(), UNREAD * self._capacity)
        self._subscribers.add(subscription)
        return subscription

    def forget(self, subscription: FeedSubscription[K, V]) -> None:
        """Stop telling a subscriber (called by its close)."""
        self._subscribers.discard(subscription)

    @property
    def subscribers(self) -> int:
        """How many read along."""
        return len(self._subscribers)
