"""The kernels of receiving against obvious Python."""

import socket
import struct
from ipaddress import IPv6Address
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.kernels import receive
from btimd.model.address import address_halves

NOW = 1_700_000_000_000
ROOM = 4
ADDRESSES = st.one_of(st.ip_addresses(), st.sampled_from(["::ffff:192.0.2.1", "::", "ff02::1", "255.255.255.255"]))
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([bytes(2047), b"x" * 2048, b"y" * 2049, b"z" * 9000, bytes(range(256)) * 255]),
)


def received(messages: list[tuple[str, int, bytes]], *, truncated: bool = False) -> tuple[Any, Any, Any, Any]:
    """Return (headers, names, hot, jumbo) as the kernel of the operating system leaves them."""
    count = len(messages)
    headers = np.zeros((count, receive.HEADER_WORDS), np.int32)
    names = np.zeros((count, receive.NAME_OCTETS), np.uint8)
    hot = np.zeros((count, receive.HOT_OCTETS), np.uint8)
    jumbo = np.zeros((count, receive.JUMBO_OCTETS), np.uint8)
    for row, (address, port, payload) in enumerate(messages):
        headers[row, 14] = len(payload)
        headers[row, 12] = socket.MSG_TRUNC if truncated else 0
        if ":" in address:
            name = struct.pack("=H", socket.AF_INET6) + struct.pack(">HI", port, 77) + IPv6Address(address).packed
            name += struct.pack("=I", 3)  # a scope
        else:
            name = struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(address) + bytes(8)
        names[row, : len(name)] = np.frombuffer(name, np.uint8)
        octets = np.frombuffer(payload, np.uint8)
        hot[row, : len(octets[:2048])] = octets[:2048]
        jumbo[row, : len(octets[2048:])] = octets[2048:]
    return headers, names, hot, jumbo


class Block:
    """Arrays of a block with room for four datagrams."""

    def __init__(self, octets: int) -> None:
        self.state = np.zeros(receive.STATE_SIZE, np.int64)
        self.slab = np.zeros(octets, np.uint8)
        self.offsets = np.zeros(ROOM + 1, np.int64)
        self.halves = np.zeros((2, ROOM), np.int64)
        self.ports = np.zeros(ROOM, np.uint16)
        self.arrival = np.zeros(ROOM, np.int64)

    def gather(self, arrays: tuple[Any, Any, Any, Any], begin: int, end: int) -> int:
        taken: int = receive.gather(
            *arrays, begin, end, NOW, self.state, self.slab, self.offsets, self.halves[0], self.halves[1],
            self.ports, self.arrival,
        )  # fmt: skip
        return taken

    def rows(self) -> list[tuple[tuple[int, int], int, bytes, int]]:
        found = self.halves.view(np.uint64)
        return [
            (
                (int(found[0, row]), int(found[1, row])), int(self.ports[row]),
                self.slab[self.offsets[row] : self.offsets[row + 1]].tobytes(), int(self.arrival[row]),
            )
            for row in range(int(self.state[receive.X_DATAGRAMS]))
        ]  # fmt: skip


@pytest.mark.bounds
@given(
    st.lists(st.tuples(ADDRESSES.map(str), st.integers(0, 65535), PAYLOADS), max_size=7),
    st.sampled_from([60, 5000, 300_000]),
)
def test_messages_come_into_blocks_in_order_and_what_finds_no_room_is_told(
    messages: list[tuple[str, int, bytes]], octets: int
) -> None:
    arrays = received(messages)
    block = Block(octets)
    taken = block.gather(arrays, 0, len(messages))

    wanted = 0
    while wanted < min(len(messages), ROOM) and sum(len(payload) for *_, payload in messages[: wanted + 1]) <= octets:
        wanted += 1
    assert taken == wanted
    assert block.rows() == [(address_halves(host), port, payload, NOW) for host, port, payload in messages[:wanted]]
    assert int(block.state[receive.X_OCTETS]) == sum(len(payload) for *_, payload in messages[:wanted])


@pytest.mark.bounds
def test_a_block_is_filled_by_several_batches() -> None:
    block = Block(100)
    assert block.gather(received([("192.0.2.1", 1, b"one"), ("2001:db8::1", 2, b"")]), 0, 2) == 2
    assert block.gather(received([("192.0.2.2", 3, b"left out"), ("192.0.2.3", 4, b"three")]), 1, 2) == 2

    assert [payload for _, _, payload, _ in block.rows()] == [b"one", b"", b"three"]
    assert block.offsets.tolist() == [0, 3, 3, 8, 0]


def test_what_was_cut_off_is_counted_once_it_is_in_a_block() -> None:
    block = Block(10)
    arrays = received([("192.0.2.1", 1, b"cut"), ("192.0.2.1", 1, b"no room for it")], truncated=True)

    assert (block.gather(arrays, 0, 2), block.state.tolist()) == (1, [1, 3, 1])


def message(length: int, version: int = 10) -> bytes:
    return struct.pack(">HH", version, length) + bytes(max(length - 4, 0))


def messages_in(octets: bytes, begin: int, most: int) -> tuple[int, list[int], bool]:
    """Return (octet behind the last whole message, where each ends, whether something else follows)."""
    at = begin
    ends: list[int] = []
    while len(ends) < most and len(octets) - at >= 4:
        version, length = struct.unpack_from(">HH", octets, at)
        if version != 10 or length < 16:
            return at, ends, True
        if len(octets) - at < length:
            break
        at += length
        ends.append(at)
    return at, ends, False


@pytest.mark.bounds
@given(
    st.lists(
        st.one_of(
            st.integers(16, 80).map(message), st.just(message(15)), st.just(message(20, 9)), st.binary(max_size=9)
        ),
        max_size=6,
    ).map(b"".join),
    st.integers(0, 3),
    st.integers(1, 4),
)
def test_messages_of_a_stream_are_told_apart_by_their_length(octets: bytes, begin: int, most: int) -> None:
    begin = min(begin, len(octets))
    framing = np.array([begin, -1, -1], np.int64)
    offsets = np.full(most + 1, -1, np.int64)
    buffer = np.frombuffer(octets + b"\x00\x0a\x00\x10" * 8, np.uint8).copy()  # what lies behind is not looked at

    stop = receive.find_messages(buffer, len(octets), framing, offsets)

    end, ends, is_bad = messages_in(octets, begin, most)
    assert (stop, framing.tolist()) == (end, [begin, len(ends), int(is_bad)])
    assert offsets[: len(ends) + 1].tolist() == [begin, *ends]
