import numpy as np

from btimd.capture.blocks import BlockChannel, ends_stream, memory_of
from btimd.model.datagrams import DatagramBlock


def block(octets: int, *, datagrams: int = 1, stream: bool = False) -> DatagramBlock:
    offsets = np.full(datagrams + 1, octets, np.int64)
    offsets[0] = 0
    return DatagramBlock(
        slab=np.zeros(octets, np.uint8), offsets=offsets, source_hi=np.zeros(datagrams, np.uint64),
        source_lo=np.zeros(datagrams, np.uint64), source_port=np.zeros(datagrams, np.uint16),
        arrival_milliseconds=np.zeros(datagrams, np.int64), stream=stream,
    )  # fmt: skip


END = block(0, stream=True)


def sizes(channel: BlockChannel) -> list[int]:
    found = []
    while (taken := channel.get(0.0)) is not None:
        found.append(taken.slab.nbytes)
    return found


def test_the_oldest_goes_when_there_are_too_many_blocks() -> None:
    channel = BlockChannel(2, 1 << 30)
    for octets in (1, 2, 3):
        channel.put(block(octets, datagrams=octets))
    assert (channel.dropped, channel.dropped_weight, sizes(channel)) == (1, 1, [2, 3])


def test_the_oldest_go_when_there_is_too_much_memory() -> None:
    large = memory_of(block(10_000))
    channel = BlockChannel(100, 3 * large)
    for _ in range(3):
        channel.put(block(10_000))
    assert (channel.dropped, channel.octets, channel.fullness) == (0, 3 * large, 1.0)
    channel.put(block(20_001))
    assert (channel.dropped, sizes(channel), channel.octets) == (2, [10_000, 20_001], 0)


def test_a_block_larger_than_the_bound_still_passes() -> None:
    channel = BlockChannel(100, 1000)
    channel.put(block(1))
    channel.put(block(5000))
    assert (channel.dropped, sizes(channel)) == (1, [5000])


def test_the_end_of_a_stream_stays_in_its_place_when_data_is_dropped() -> None:
    channel = BlockChannel(3, 1 << 30)
    for one in (block(1, stream=True), END, block(2), block(3), block(4)):
        channel.put(one)
    assert (channel.dropped, sizes(channel)) == (2, [0, 3, 4])
    assert ends_stream(END)
    assert not ends_stream(block(1, stream=True))
    assert not ends_stream(block(0))


def test_when_there_is_nothing_but_ends_the_oldest_of_them_goes() -> None:
    channel = BlockChannel(2, 1 << 30)
    for _ in range(3):
        channel.put(END)
    assert (channel.dropped, len(channel)) == (1, 2)


def test_a_closed_channel_takes_nothing_and_gives_what_it_holds() -> None:
    channel = BlockChannel(2, 1 << 30)
    channel.put(block(1))
    channel.close()
    channel.put(block(2, datagrams=5))
    assert (channel.dropped, channel.dropped_weight, sizes(channel), channel.fullness) == (1, 5, [1], 0.0)
