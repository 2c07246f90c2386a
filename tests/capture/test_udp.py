import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from btimd.capture.udp import BLOCK_DATAGRAMS, BoundSocket, Receiver, is_missing_family
from btimd.model.address import address_text
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.clock import ManualClock

DEADLINE_SECONDS = 10.0
NOW = 1_700_000_000_000


@pytest.fixture
def channel() -> Channel[DatagramBlock]:
    return Channel(64, weigh=len)


@pytest.fixture(params=["127.0.0.1", "::1"])
def receiver(request: pytest.FixtureRequest, channel: Channel[DatagramBlock]) -> Iterator[Receiver]:
    receiver = Receiver(BoundSocket(request.param, 0, 1 << 20), channel, ManualClock())
    yield receiver
    receiver.stop(5.0)
    receiver.bound.socket.close()


def sender(receiver: Receiver) -> socket.socket:
    sock = socket.socket(receiver.bound.socket.family, socket.SOCK_DGRAM)
    sock.connect(receiver.bound.address)
    return sock


def take(channel: Channel[DatagramBlock], count: int) -> list[DatagramBlock]:
    """Return blocks until they hold `count` datagrams."""
    blocks: list[DatagramBlock] = []
    while sum(map(len, blocks)) < count:
        block = channel.get(DEADLINE_SECONDS)
        assert block is not None, f"{sum(map(len, blocks))} of {count} datagrams came"
        blocks.append(block)
    return blocks


def test_datagrams_come_in_blocks_with_sender_port_and_time(
    receiver: Receiver, channel: Channel[DatagramBlock]
) -> None:
    with sender(receiver) as source:
        port, host = source.getsockname()[1], source.getsockname()[0]
        for payload in (b"one", b"", b"x" * 9000):
            source.send(payload)
        receiver.start()
        blocks = take(channel, 3)
    rows = [
        (
            block.slab[block.offsets[row] : block.offsets[row + 1]].tobytes(), int(block.source_port[row]),
            address_text(int(block.source_hi[row]), int(block.source_lo[row])), int(block.arrival_milliseconds[row]),
        )
        for block in blocks
        for row in range(len(block))
    ]  # fmt: skip
    assert rows == [(payload, port, host, NOW) for payload in (b"one", b"", b"x" * 9000)]
    assert receiver.stop(5.0)
    assert (receiver.datagrams, receiver.octets, receiver.blocks, receiver.errors) == (3, 9003, len(blocks), 0)


def test_a_full_block_is_handed_over_at_once(receiver: Receiver, channel: Channel[DatagramBlock]) -> None:
    with sender(receiver) as source:
        for number in range(BLOCK_DATAGRAMS + 1):
            source.send(struct.pack(">I", number))
        receiver.start()
        blocks = take(channel, BLOCK_DATAGRAMS + 1)
    assert [len(block) for block in blocks] == [BLOCK_DATAGRAMS, 1]
    assert blocks[0].slab.tobytes() == b"".join(struct.pack(">I", number) for number in range(BLOCK_DATAGRAMS))


def test_stopping_hands_over_what_was_received_and_ends_the_thread(
    receiver: Receiver, channel: Channel[DatagramBlock]
) -> None:
    with sender(receiver) as source:
        source.send(b"last")
        receiver.start()
        assert receiver.stop(5.0)
    assert take(channel, 1)[0].slab.tobytes() == b"last"
    assert not receiver.alive
    assert receiver.stop(5.0)


def test_what_the_kernel_drops_is_counted(channel: Channel[DatagramBlock]) -> None:
    receiver = Receiver(BoundSocket("127.0.0.1", 0, 4096), channel, ManualClock())
    with sender(receiver) as source:
        for _ in range(500):
            source.send(bytes(1000))  # nobody receives yet: the small buffer overflows
        receiver.start()
        seen = 0
        while (block := channel.get(0.5)) is not None:
            seen += len(block)
        source.send(b"brings the count of drops")
        take(channel, 1)
    assert receiver.stop(5.0)
    assert seen < 500
    assert receiver.kernel_drops == 500 - seen


def test_the_channel_counts_the_blocks_nobody_took() -> None:
    channel: Channel[DatagramBlock] = Channel(1, weigh=len)
    receiver = Receiver(BoundSocket("127.0.0.1", 0, 1 << 20), channel, ManualClock())
    count = 2 * BLOCK_DATAGRAMS
    with sender(receiver) as source:
        for _ in range(count):
            source.send(b"x")
        receiver.start()
        done = threading.Event()
        while receiver.datagrams < count:
            assert not done.wait(0.01)
    assert receiver.stop(5.0)
    assert (len(channel), channel.dropped, channel.dropped_weight) == (1, 1, BLOCK_DATAGRAMS)


def test_senders_mapped_into_ipv6_are_ipv4_and_scopes_are_left_out(channel: Channel[DatagramBlock]) -> None:
    receiver = Receiver(BoundSocket("127.0.0.1", 0, 4096), channel, ManualClock())
    assert address_text(*receiver._learn("::ffff:192.0.2.1")) == "192.0.2.1"
    assert address_text(*receiver._learn("fe80::1%eth0")) == "fe80::1"
    receiver.bound.socket.close()


def test_the_granted_buffer_is_known() -> None:
    bound = BoundSocket("127.0.0.1", 0, 1 << 20)
    try:
        assert bound.receive_buffer_bytes > 0
        assert bound.address[1] > 0
    finally:
        bound.socket.close()


def test_an_address_in_use_is_an_error_and_leaves_no_socket() -> None:
    bound = BoundSocket("127.0.0.1", 0, 4096)
    try:
        with pytest.raises(OSError, match="in use") as caught:
            BoundSocket("127.0.0.1", bound.address[1], 4096)
        assert not is_missing_family(caught.value)
    finally:
        bound.socket.close()
    with pytest.raises(OSError, match="assign") as missing:
        BoundSocket("192.0.2.99", 0, 4096)
    assert is_missing_family(missing.value)
