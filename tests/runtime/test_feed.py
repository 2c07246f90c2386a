"""Snapshots and changes for any number of readers."""

import asyncio
from collections.abc import Sequence

from btimd.runtime.feed import UNREAD, Feed, FeedSubscription
from tests.patience import PATIENCE_SECONDS


async def next_batch(subscription: FeedSubscription[str, int]) -> Sequence[int]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(subscription.changes())


async def test_a_subscription_starts_with_the_present_and_follows_the_changes() -> None:
    feed: Feed[str, int] = Feed(10)
    feed.publish("a", 1)
    feed.publish("b", 2)

    subscription = feed.subscribe()
    feed.publish("a", 3)

    assert (list(subscription.snapshot), await next_batch(subscription)) == ([1, 2], [3])


async def test_a_slow_reader_gets_the_latest_of_each_key_only() -> None:
    feed: Feed[str, int] = Feed(10)
    subscription = feed.subscribe()

    for value in range(1000):
        feed.publish("a", value)
        feed.publish("b", -value)

    assert await next_batch(subscription) == [999, -999]


async def test_what_a_reader_does_not_read_is_bounded_and_the_oldest_goes() -> None:
    feed: Feed[str, int] = Feed(2)
    subscription = feed.subscribe()
    for value in range(2 * UNREAD + 3):
        feed.publish(f"interval {value}", value)

    assert await next_batch(subscription) == list(range(3, 2 * UNREAD + 3))


async def test_what_is_not_kept_is_a_change_but_not_a_state() -> None:
    feed: Feed[str, int] = Feed(10, keep=lambda value: value > 0)
    feed.publish("a", 1)
    subscription = feed.subscribe()

    feed.publish("a", 0)

    assert await next_batch(subscription) == [0]
    assert feed.values() == []


async def test_the_longest_unchanged_key_goes_when_there_is_no_room() -> None:
    feed: Feed[str, int] = Feed(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        feed.publish(key, value)

    assert (feed.values(), feed.get("b"), feed.get("c")) == ([3, 4], None, 4)


async def test_a_closed_subscription_ends_and_is_forgotten() -> None:
    feed: Feed[str, int] = Feed(2)
    subscription = feed.subscribe()

    subscription.close()

    assert [batch async for batch in subscription.changes()] == []
    assert feed.subscribers == 0
