"""What a capture thread does with its flow table."""

import numpy as np

from btimd.flows.packetsink import MOST_PENDING, FlowSink
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import PacketBlock, SpanTraffic
from btimd.model.quality import QualityBatch

SECOND = 1_000_000_000


class FakeTable:
    """Stands for flows.table.FlowTable: a packet a frame, a record a harvest."""

    def __init__(self) -> None:
        self.waiting = 0
        self.packets = 0
        self.relabelled = 0
        self.asked: list[int] = []

    def add(self, block: PacketBlock) -> None:
        self.packets += len(block)

    def harvest(self, now_nanoseconds: int, *, lost_packets: int = 0) -> SpanTraffic:
        packets, self.packets = self.packets, 0
        self.waiting = 0
        self.asked.append(now_nanoseconds)
        return SpanTraffic(0, FlowBatch.zeros(min(packets, 1)), QualityBatch.empty(), packets, lost_packets)

    def flush(self) -> SpanTraffic:
        return self.harvest(0)

    def relabel(self) -> None:
        self.relabelled += 1


def block(frames: int) -> PacketBlock:
    return PacketBlock(np.zeros(0, np.uint8), np.zeros((6, frames), np.int64))


def sink() -> tuple[FlowSink, FakeTable, list[tuple[int, int]], list[int]]:
    table = FakeTable()
    delivered: list[tuple[int, int]] = []
    times: list[int] = []
    made = FlowSink(table, lambda one: delivered.append((one.packets, one.lost_packets)), times.append)  # type: ignore[arg-type]
    return made, table, delivered, times


def test_traffic_is_handed_on_once_a_second_with_what_was_lost_meanwhile() -> None:
    made, _, delivered, times = sink()
    made.tick(10 * SECOND, 0)
    made.add(block(3))
    made.tick(10 * SECOND + 500_000_000, 2)
    made.add(block(4))
    assert delivered == []
    made.tick(11 * SECOND, 1)
    assert delivered == [(7, 3)]
    assert times == [10 * SECOND, 10 * SECOND + 500_000_000, 11 * SECOND]


def test_a_second_without_packets_and_loss_is_not_handed_on() -> None:
    made, _, delivered, _ = sink()
    made.tick(10 * SECOND, 0)
    made.tick(11 * SECOND, 0)
    made.tick(12 * SECOND, 5)
    assert delivered == [(0, 5)]


def test_a_flood_of_flows_is_handed_on_at_once() -> None:
    made, table, delivered, _ = sink()
    made.tick(10 * SECOND, 0)
    table.waiting = MOST_PENDING + 1
    made.add(block(9))
    assert delivered == [(9, 0)]


def test_a_clock_set_back_does_not_stop_it() -> None:
    made, table, delivered, _ = sink()
    made.tick(10 * SECOND, 0)
    made.add(block(1))
    made.tick(5 * SECOND, 0)
    assert delivered == [(1, 0)]
    assert table.asked == [10 * SECOND, 5 * SECOND]


def test_its_end_hands_on_everything() -> None:
    made, _, delivered, _ = sink()
    made.add(block(2))
    made.close()
    assert delivered == [(2, 0), (0, 0)]


def test_labels_are_asked_for_anew_on_the_thread_that_ticks() -> None:
    made, table, _, _ = sink()
    made.relabel()
    assert table.relabelled == 0
    made.tick(SECOND, 0)
    made.tick(SECOND, 0)
    assert table.relabelled == 1
