"""The kernel of the receive ring against obvious Python."""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.kernels import ring
from btimd.kernels.headers import LINK_ETHERNET, LINK_IPV4
from tests.kernels.oracle_ring import Frame, frames_of

BLOCK_OCTETS = 4096
NOW = 1_700_000_000


@dataclass
class Captured:
    """A frame as the kernel puts it into a block."""

    payload: bytes
    length: int
    seconds: int = NOW
    nanoseconds: int = 0
    status: int = 1
    tci: int = 0
    tpid: int = 0
    gap: int = 34


def block_of(frames: list[Captured], *, size: int = BLOCK_OCTETS) -> bytes:
    """Return a block with the frames that fit, laid out as linux/if_packet.h says."""
    octets = bytearray(size)
    at, placed = 48, []
    for frame in frames:
        used = 48 + frame.gap + len(frame.payload)
        step = (used + 7) // 8 * 8
        if at + step > size:
            break
        struct.pack_into(
            "=IIIIIIHHIIH", octets, at, step, frame.seconds, frame.nanoseconds, len(frame.payload), frame.length,
            frame.status, 48 + frame.gap, 48 + frame.gap + 14, 0xDEAD, frame.tci, frame.tpid,
        )  # fmt: skip
        octets[at + 48 + frame.gap : at + used] = frame.payload
        placed.append(at)
        at += step
    if placed:
        struct.pack_into("=I", octets, placed[-1], 0)
    struct.pack_into("=IIIIII", octets, 0, 1, 48, 1, len(placed), 48, at)
    return bytes(octets)


def walked(block: bytes, link: int = LINK_ETHERNET, room: int = 7) -> tuple[list[Frame], npt.NDArray[np.int64]]:
    """Return what the kernel finds, asked for `room` frames at a time, and its totals."""
    slab = np.frombuffer(block, np.uint8)
    walk = np.zeros(ring.WALK_SIZE, np.int64)
    found: list[Frame] = []
    while True:
        frames = np.full((6, room), -77, np.int64)
        count = ring.walk_block(slab, slab.view(np.uint32), link, walk, frames)
        found += [(a, b, c, d, e, f) for a, b, c, d, e, f in frames[:, :count].T.tolist()]
        if not walk[ring.W_LEFT]:
            return found, walk
        assert count == room


def test_frames_come_with_place_length_time_link_and_the_tag_that_was_taken_off() -> None:
    block = block_of(
        [
            Captured(b"a" * 60, 60, NOW, 1),
            Captured(b"b" * 64, 1500, NOW, 999_999_999, status=1 | 0x10 | 0x40, tci=0x6005, tpid=0x88A8),
            Captured(b"", 0, 0xFFFF_FFFF, status=1 | 0x10, tci=7, tpid=0x1234),
        ]
    )
    found, walk = walked(block, LINK_IPV4)
    assert found == [
        (130, 190, 60, NOW * 10**9 + 1, LINK_IPV4, 0),
        (274, 338, 1504, NOW * 10**9 + 999_999_999, LINK_IPV4, 0x88A8_6005),
        (426, 426, 4, 0xFFFF_FFFF * 10**9, LINK_IPV4, 0x8100_0007),
    ]
    assert walk[ring.W_FRAMES :].tolist() == [3, 60 + 1504 + 4, 124, 1, 0]


def test_an_empty_block_has_no_frames() -> None:
    found, walk = walked(block_of([]))
    assert (found, walk.tolist()) == ([], [48, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("at", "value", "kept"),
    [
        (12, 4, 3), (12, 0xFFFF_FFFF, 3), (16, 0, 0), (16, 47, 0), (16, 50, 0), (16, 4049, 0), (16, 0xFFFF_FFF0, 0),
        (48, 0, 1), (48, 44, 1), (48, 0xFFFF_FFF8, 1), (48, 4001, 1), (60, 0xFFFF_FFFF, 0), (60, 4096 - 130 + 1, 0),
    ],
)  # fmt: skip
def test_a_frame_that_is_not_in_the_block_ends_it_and_is_counted(at: int, value: int, kept: int) -> None:
    block = bytearray(block_of([Captured(b"x" * 62, 62) for _ in range(3)]))
    struct.pack_into("=I", block, at, value)
    said = value if at == 12 else 3
    found, walk = walked(bytes(block))
    assert (len(found), int(walk[ring.W_FRAMES]), int(walk[ring.W_BAD])) == (kept, kept, said - kept)
    assert (found, said - kept) == frames_of(bytes(block), LINK_ETHERNET)


CAPTURED = st.builds(
    Captured,
    payload=st.binary(max_size=80),
    length=st.integers(0, 0xFFFF_FFFF),
    seconds=st.integers(0, 0xFFFF_FFFF),
    nanoseconds=st.integers(0, 0xFFFF_FFFF),
    status=st.integers(0, 0xFFFF_FFFF),
    tci=st.integers(0, 0xFFFF_FFFF),
    tpid=st.integers(0, 0xFFFF),
    gap=st.integers(0, 60),
)


@pytest.mark.bounds
@given(
    st.lists(CAPTURED, max_size=20),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(2, BLOCK_OCTETS // 4 - 1), st.integers(0, 0xFFFF_FFFF)), max_size=4),
)
def test_every_block_gives_what_obvious_python_finds(
    frames: list[Captured], room: int, spoilt: list[tuple[int, int]]
) -> None:
    block = bytearray(block_of(frames))
    for word, value in spoilt:
        struct.pack_into("=I", block, 4 * (word if word < 400 else word % 12 + 2), value)
    expected, bad = frames_of(bytes(block), LINK_ETHERNET)
    found, walk = walked(bytes(block), room=room)
    assert found == expected
    assert walk[ring.W_FRAMES :].tolist() == [
        len(expected),
        sum(frame[2] for frame in expected),
        sum(frame[1] - frame[0] for frame in expected),
        sum(frame[1] - frame[0] < frame[2] - (4 if frame[5] else 0) for frame in expected),
        bad,
    ]
