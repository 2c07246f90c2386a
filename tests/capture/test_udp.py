import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from btimd.capture import udp
from btimd.capture.batch import Batch
from btimd.capture.udp import (
    BLOCK_DATAGRAMS,
    BoundSocket,
    Receiver,
    bind_shared,
    is_missing_family,
    is_refused_sharing,
    nap_seconds,
)
from btimd.model.address import address_text
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.clock import ManualClock
from tests.patience import PATIENCE_SECONDS

NOW = 1_700_000_000_000


@pytest.fixture
def channel() -> Channel[DatagramBlock]:
    return Channel(64, weigh=len)


@pytest.fixture(params=["127.0.0.1", "::1"])
def receiver(request: pytest.FixtureRequest, channel: Channel[DatagramBlock]) -> Iterator[Receiver]:
    receiver = Receiver(BoundSocket(request.param, 0, 4 << 20), channel, ManualClock())
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
        block = channel.get(PATIENCE_SECONDS)
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
    receiver = Receiver(BoundSocket("127.0.0.1", 0, 8 << 20), channel, ManualClock())
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


def test_drops_are_known_without_another_datagram_and_so_is_what_waits(channel: Channel[DatagramBlock]) -> None:
    bound = BoundSocket("127.0.0.1", 0, 4096)
    receiver = Receiver(bound, channel, ManualClock())
    with sender(receiver) as source:
        for _ in range(500):
            source.send(bytes(1000))
    waiting, dropped = bound.queue()
    assert waiting > 0
    receiver.start()
    assert receiver.stop(5.0)
    assert receiver.datagrams + dropped == 500
    assert (receiver.kernel_drops, receiver.queued_bytes) == (dropped, 0)


def test_a_large_block_has_its_memory_to_itself_until_it_is_forgotten() -> None:
    block = udp._Block()
    batch = Batch()
    batch.headers[:, 14] = 2000
    batch.names[:, 0] = socket.AF_INET
    slabs = {id(slab) for slab in block._slabs}
    held = []
    for number in range(1, 8):
        batch.hot[:] = number
        assert block.append(batch, 0, 512, 0) == 512
        held.append(block.take())
    # three slabs are held by blocks, one is being filled: the others are copies of their exact size
    assert [id(one.slab.base) in slabs for one in held] == [True] * 3 + [False] * 4
    assert [(len(one), set(one.slab.tolist())) for one in held] == [(512, {number}) for number in range(1, 8)]
    del held[:2]
    assert block.append(batch, 0, 512, 0) == 512
    assert id(block.take().slab.base) in slabs
    assert {id(slab) for slab in block._slabs} == slabs
    assert [set(one.slab.tolist()) for one in held] == [{number} for number in range(3, 8)]


def test_a_nap_is_short_where_the_buffer_is_small() -> None:
    assert nap_seconds(32 << 20) == nap_seconds(4 << 20) == 0.002
    assert nap_seconds(212_992) == pytest.approx(0.0002, rel=0.1)


def test_sockets_share_a_port_with_each_other_and_with_nobody_else() -> None:
    group = bind_shared("127.0.0.1", 0, 1 << 16, 3)
    port = group[0].address[1]
    try:
        assert [one.address for one in group] == [("127.0.0.1", port)] * 3
        with pytest.raises(OSError, match="in use") as caught:
            bind_shared("127.0.0.1", port, 1 << 16, 2)
        assert not is_refused_sharing(caught.value)
    finally:
        for one in group:
            one.socket.close()
    BoundSocket("127.0.0.1", port, 1 << 16).socket.close()


def test_a_kernel_that_refuses_the_program_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btimd.capture.udp.program", lambda *_: b"no program")
    with pytest.raises(OSError) as caught:
        bind_shared("127.0.0.1", 0, 1 << 16, 2)
    assert is_refused_sharing(caught.value)


def test_the_sockets_of_a_group_receive_everything_and_each_sender_in_order() -> None:
    channel: Channel[DatagramBlock] = Channel(1024, weigh=len)
    receivers = [Receiver(one, channel, ManualClock()) for one in bind_shared("127.0.0.1", 0, 4 << 20, 3)]
    address = receivers[0].bound.address
    for receiver in receivers:
        receiver.start()
    for number in range(300):  # every datagram from another port
        for host in range(1, 7):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
                source.bind((f"127.0.1.{host}", 0))
                source.sendto(struct.pack(">I", number), address)
    assert all(receiver.stop(5.0) for receiver in receivers)
    seen: dict[int, list[int]] = {}
    while (block := channel.get(0.0)) is not None:
        for row in range(len(block)):
            (number,) = struct.unpack(">I", block.slab[block.offsets[row] : block.offsets[row + 1]].tobytes())
            seen.setdefault(int(block.source_lo[row]), []).append(number)
    assert len(seen) == 6
    assert all(numbers == list(range(300)) for numbers in seen.values())
    assert sum(receiver.datagrams for receiver in receivers) == 1800
    assert sum(receiver.datagrams > 0 for receiver in receivers) > 1


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
