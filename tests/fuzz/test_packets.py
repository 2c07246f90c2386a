"""The packet path under hostile input, quickly, in every run of the suite."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import packet_stream
from tests.fuzz.mutate import mutated
from tests.fuzz.packet_invariants import PacketChecks
from tests.fuzz.packet_seeds import conversation, seeds
from tests.fuzz.packet_stream import END_OF_TIME, NEW_BLOCK, STARTED_AT

pytestmark = pytest.mark.timeout(600)  # the first input may compile every kernel
CHECKS = PacketChecks()
CORPUS = list(seeds().values())
TIMES = st.one_of(
    st.sampled_from([0, 1, STARTED_AT, STARTED_AT + 1, 2**32 * 10**9 - 1]), st.integers(0, 2**32 * 10**9 - 1)
)


@pytest.mark.parametrize("name", seeds())
def test_inputs_made_by_hand_break_nothing(name: str) -> None:
    CHECKS.check(seeds()[name])


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_mutated_frames_and_files_break_nothing(seed: int) -> None:
    random = Random(seed)
    for _ in range(3):
        CHECKS.check(mutated(random, CORPUS))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.binary(max_size=120), st.integers(0, 255)), max_size=12))
def test_random_frames_break_nothing(frames: list[tuple[bytes, int]]) -> None:
    CHECKS.check(packet_stream.join([frame for frame, _ in frames], controls=[control for _, control in frames]))


@settings(max_examples=50)
@given(st.lists(TIMES, min_size=11, max_size=11))
def test_no_order_of_times_does_harm(times: list[int]) -> None:
    CHECKS.check(packet_stream.pcap(conversation(), times=times))


def test_frames_come_back_from_the_input_they_were_joined_to() -> None:
    given = packet_stream.join([b"one", b"", b"three"], controls=[48, 56 | 7, NEW_BLOCK | 16 | packet_stream.LONGER])
    first, second = packet_stream.blocks(given)
    ethernet, unknown = packet_stream.LINKS[0], packet_stream.LINKS[7]
    assert first.slab.tobytes() + second.slab.tobytes() == b"onethree"
    assert first.frames.T.tolist() == [[0, 3, 3, 0, ethernet, 0], [3, 3, 0, END_OF_TIME, unknown, 0]]
    assert second.frames.T.tolist() == [[0, 5, 60_005, STARTED_AT + 1_500_000_000, ethernet, 0]]


def test_a_file_comes_as_the_packets_it_holds() -> None:
    blocks = [len(block) for block in packet_stream.blocks(packet_stream.pcap(conversation() * 2))]
    assert blocks == [16, 6]
    assert list(packet_stream.blocks(packet_stream.pcap([])[:9])) == []
