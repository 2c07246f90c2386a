"""The bounded queue between receiving and flow threads."""

import threading

import pytest

from btimd.runtime.channel import Channel
from tests.patience import PATIENCE_SECONDS


def test_a_full_channel_drops_the_oldest_and_counts_it_with_its_weight() -> None:
    channel: Channel[bytes] = Channel(2, weigh=len)

    for item in (b"a", b"bbb", b"cc", b"d"):
        channel.put(item)

    assert [channel.get(0), channel.get(0), channel.get(0)] == [b"cc", b"d", None]
    assert (channel.dropped, channel.dropped_weight) == (2, 4)


def test_a_closed_channel_gives_what_it_holds_and_counts_what_comes_late() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)

    channel.close()
    channel.put(2)

    assert [channel.get(0), channel.get(5), channel.closed, channel.dropped] == [1, None, True, 1]


def test_a_waiting_reader_is_woken_by_an_item() -> None:
    channel: Channel[int] = Channel(1)
    got: list[int | None] = []
    reader = threading.Thread(target=lambda: got.append(channel.get(PATIENCE_SECONDS)))
    reader.start()

    channel.put(7)
    reader.join(PATIENCE_SECONDS)

    assert got == [7]


def test_a_channel_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="can hold nothing"):
        Channel(0)


def test_a_reader_of_several_channels_is_told_of_every_item_and_of_the_end() -> None:
    channel: Channel[int] = Channel(1)
    told: list[int] = []
    channel.wake(lambda: told.append(len(channel)))

    channel.put(7)
    channel.put(8)
    channel.close()

    assert told == [1, 1, 1]
