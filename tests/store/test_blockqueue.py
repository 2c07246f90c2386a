"""The queue between writers and the storing thread waits rather than losing, and counts both."""

import threading
from collections.abc import Callable

from btimd.runtime.metrics import Metrics
from btimd.store.blockqueue import BlockQueue
from btimd.store.storemetrics import StoreMetrics
from tests.store.examples import points

DEADLINE = 10.0


def queue_of(capacity: int, patience_seconds: float = DEADLINE) -> tuple[BlockQueue, Metrics]:
    metrics = Metrics()
    return BlockQueue(capacity, patience_seconds, StoreMetrics(metrics)), metrics


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_blocks_stay_until_they_are_stored() -> None:
    queue, metrics = queue_of(100)
    first, second = points(count=3), points(count=4)
    queue.put(first)
    queue.put(second)
    blocks, ticket = queue.take(0.0)
    assert blocks == [first, second]
    assert metrics.value("btimd_store_queue_points") == 7
    queue.stored(1, None)
    assert queue.take(0.0) == ([second], ticket)
    queue.stored(1, ticket)
    assert queue.take(0.0) == ([], ticket)
    assert metrics.value("btimd_store_queue_points") == 0


def test_a_block_without_points_is_nothing() -> None:
    queue, _ = queue_of(100)
    queue.put(points(count=0))
    assert queue.take(0.0) == ([], 0)


def test_a_thread_waits_for_room_and_that_is_counted() -> None:
    queue, metrics = queue_of(10)
    queue.put(points(count=8))
    writer = in_thread(lambda: queue.put(points(count=8)))
    blocks, ticket = queue.take(DEADLINE)  # a waiting writer asks for a flush
    assert len(blocks) == 1
    queue.stored(1, ticket)
    writer.join(DEADLINE)
    assert [len(block) for block in queue.take(0.0)[0]] == [8]
    assert metrics.value("btimd_store_backpressure_waits_total") == 1
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "queue-full"}) == 0


def test_a_block_larger_than_the_queue_is_taken_when_it_is_empty() -> None:
    queue, _ = queue_of(10)
    queue.put(points(count=50))
    assert len(queue.take(0.0)[0][0]) == 50


def test_when_patience_ends_the_block_is_dropped_and_counted() -> None:
    queue, metrics = queue_of(10, patience_seconds=0.0)
    queue.put(points(count=8))
    queue.put(points(count=7))
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "queue-full"}) == 7


async def test_the_loop_never_waits_it_may_overdraw_twice_then_its_points_are_dropped() -> None:
    queue, metrics = queue_of(10)
    for count in (8, 8, 5):
        queue.put(points(count=count))
    assert [len(block) for block in queue.take(0.0)[0]] == [8, 8]
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "queue-full"}) == 5
    assert metrics.value("btimd_store_backpressure_waits_total") == 2


def test_a_flush_waits_for_what_was_put_before_it() -> None:
    queue, _ = queue_of(100)
    outcome: list[bool] = []
    queue.put(points(count=1))
    flusher = in_thread(lambda: outcome.append(queue.flush(DEADLINE)))
    blocks, ticket = queue.take(DEADLINE)
    queue.stored(len(blocks), ticket)
    flusher.join(DEADLINE)
    assert outcome == [True]
    assert queue.flush(0.0) is False


def test_what_comes_after_close_or_is_given_up_is_counted() -> None:
    queue, metrics = queue_of(100)
    queue.put(points(count=3))
    queue.close()
    queue.put(points(count=2))
    assert queue.closed
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "stopped"}) == 2
    queue.give_up("disk")
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "disk"}) == 3
    assert queue.take(0.0)[0] == []


def test_close_ends_the_wait_of_a_writer() -> None:
    queue, metrics = queue_of(10)
    queue.put(points(count=8))
    writer = in_thread(lambda: queue.put(points(count=8)))
    queue.take(DEADLINE)
    queue.close()
    writer.join(DEADLINE)
    assert not writer.is_alive()
    assert metrics.value("btimd_store_points_dropped_total", {"reason": "stopped"}) == 8
