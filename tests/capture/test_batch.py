import errno
import socket
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from btimd.capture.batch import BATCH_DATAGRAMS, Batch


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        found.bind(("127.0.0.1", 0))
        yield found


def payload(batch: Batch, row: int) -> bytes:
    length = int(batch.headers[row, 14])
    whole: bytes = batch.hot[row].tobytes() + batch.jumbo[row].tobytes()
    return whole[:length]


def test_one_call_brings_what_waits_in_order_and_the_rest_comes_with_the_next(receiver: socket.socket) -> None:
    batch = Batch()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(receiver.getsockname())
        for number in range(BATCH_DATAGRAMS + 2):
            sender.send(struct.pack(">I", number))
        port = sender.getsockname()[1]
    assert [batch.receive(receiver.fileno()) for _ in range(1)] == [BATCH_DATAGRAMS]
    assert [payload(batch, row) for row in range(BATCH_DATAGRAMS)] == [
        struct.pack(">I", number) for number in range(BATCH_DATAGRAMS)
    ]
    assert set(batch.names[:, 2].astype(np.int64) << 8 | batch.names[:, 3]) == {port}
    assert [batch.receive(receiver.fileno()) for _ in range(2)] == [2, 0]


def test_the_longest_datagram_there_is_comes_whole(receiver: socket.socket) -> None:
    batch = Batch()
    longest = bytes(range(251)) * 260 + bytes(65_507 - 251 * 260)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for sent in (b"short", longest, b"", b"x" * 2048, b"y" * 2049):
            sender.sendto(sent, receiver.getsockname())
    assert batch.receive(receiver.fileno()) == 5
    assert [payload(batch, row) for row in range(5)] == [b"short", longest, b"", b"x" * 2048, b"y" * 2049]
    assert not batch.headers[:5, 12].any()


def test_a_socket_that_is_none_is_an_error() -> None:
    with pytest.raises(OSError) as caught:
        Batch().receive(-1)
    assert caught.value.errno == errno.EBADF
