"""The rings of packets against obvious Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN

from btimd.kernels import packetring as pr
from btimd.kernels.headers import LINK_ETHERNET, LINK_IPV4
from btimd.kernels.packets import PACKET_SIZE
from tests.kernels.oracle_packetring import Packet, Ring

pytestmark = pytest.mark.bounds

WINDOW = 1_000
SECRET = b"swordfish"


class Rings:
    """A few rings with their arrays."""

    def __init__(self, rings: int = 2, words: int = 64, payload: int = 0, flows: int = 4, window: int = WINDOW) -> None:
        self.memory = np.zeros((rings, words), np.int64)
        self.octets = self.memory.view(np.uint8)
        self.state = np.zeros((rings, pr.RING_STATE_SIZE), np.int64)
        self.payload = np.full(rings, payload, np.int64)
        self.tags = np.full(flows, -1, np.int16)
        self.scratch = np.zeros(PACKET_SIZE, np.int64)
        self.window = window

    def record(self, frames: list[tuple[int, int, bytes]], slots: list[int], payload: list[int], link: int = 1) -> int:
        """Record (time, wire length, octets); payload: where it begins within the frame, 0 = unknown."""
        slab = np.frombuffer(b"\xee" + b"".join(octets for _time, _wire, octets in frames), np.uint8)
        rows, at = [], 1
        for time, wire, octets in frames:
            rows.append((at, at + len(octets), wire, time, link, 0x8100_0007))
            at += len(octets)
        table = np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, 6).T)
        positions = np.array([row[0] + each if each else 0 for row, each in zip(rows, payload, strict=True)], np.int64)
        return pr.record(
            slab, table, np.array(slots, np.int32), positions, self.tags, self.payload, self.window, self.memory,
            self.octets, self.state, self.scratch,
        )  # fmt: skip

    def packets(self, ring: int) -> list[tuple[int, int, int, int, bytes]]:
        found = []
        at, lap = int(self.state[ring, pr.R_TAIL]), int(self.state[ring, pr.R_LAP])
        for _ in range(int(self.state[ring, pr.R_PACKETS])):
            time, lengths, tag = (int(word) for word in self.memory[ring, at : at + 3])
            kept = lengths >> 8 & 0xFFFF
            begin = (at + 3) * 8
            octets = self.octets[ring, begin : begin + kept].tobytes()
            found.append((time, lengths >> 24, lengths & 0xFF, tag, octets))
            at += 3 + (kept + 7) // 8
            at = 0 if at == lap else at
        return found


FRAMES = st.lists(
    st.tuples(
        st.integers(-50, 400),  # after the one before
        st.sampled_from([0, 60, 1514, 2**31 - 1, 2**31, 2**40, -1]),
        st.binary(min_size=1, max_size=200),
        st.integers(-1, 3),
        st.integers(1, 250),
    ),
    max_size=60,
)


@given(FRAMES, st.sampled_from([0, 1, 16, 1000]), st.sampled_from([8, 24, 64]), st.integers(1, 7))
def test_a_ring_holds_what_the_oracle_holds(
    frames: list[tuple[int, int, bytes, int, int]], payload: int, words: int, batch: int
) -> None:
    rings = Rings(words=words, payload=payload)
    rings.tags[:] = [0, -1, 1, 0]
    truth = [Ring(words, WINDOW) for _ in range(2)]
    now, taken = 10_000, []
    for step, wire, octets, slot, position in frames:
        now += step
        taken.append((now, wire, octets, slot, position))
    for first in range(0, len(taken), batch):
        some = taken[first : first + batch]
        rings.record([one[:3] for one in some], [one[3] for one in some], [one[4] for one in some])
    for time, wire, octets, slot, position in taken:
        if slot >= 0 and rings.tags[slot] >= 0:
            kept = octets[: min(position, 512) + payload]
            octets_on_wire = min(max(wire, 0), 2**31 - 1)
            truth[rings.tags[slot]].record(Packet(time, octets_on_wire, LINK_ETHERNET, 0x8100_0007, kept))

    for ring, expected in enumerate(truth):
        assert rings.packets(ring) == [(one.time, one.wire, one.link, one.tag, one.octets) for one in expected.packets]
        assert rings.state[ring, pr.R_OVERWRITTEN] == expected.overwritten


@given(FRAMES, st.integers(9_000, 20_000))
def test_what_is_old_is_forgotten(frames: list[tuple[int, int, bytes, int, int]], before: int) -> None:
    rings, truth, now = Rings(rings=1, words=128), Ring(128, WINDOW), 10_000
    rings.tags[:] = 0
    for step, _wire, octets, _slot, _position in frames:
        now += step
        rings.record([(now, len(octets), octets)], [0], [len(octets)])
        truth.record(Packet(now, len(octets), LINK_ETHERNET, 0x8100_0007, octets))
    truth.forget_before(before)

    assert pr.forget_before(before, rings.memory, rings.state) == len(truth.packets)
    assert [one[0] for one in rings.packets(0)] == [one.time for one in truth.packets]


ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4 = IP(src="10.0.0.1", dst="10.0.0.2")
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2")


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        (ETHER / V4 / TCP() / SECRET, 34),
        (ETHER / Dot1Q(vlan=7) / V4 / UDP() / SECRET, 38),
        (ETHER / IP(src="10.0.0.1", dst="10.0.0.2", frag=9, proto=6) / SECRET, 34),
        (ETHER / V4 / ICMP(type=8) / SECRET, 42),
        (ETHER / V4 / ICMP(type=3, code=3) / IP(src="10.0.0.2", dst="10.0.0.1") / UDP() / SECRET, 42),
        (ETHER / V6 / IPv6ExtHdrFragment(offset=9, nh=6) / SECRET, 62),
        (ETHER / V6 / TCP() / SECRET, 54),
        (ETHER / V4 / UDP(dport=4789) / VXLAN(vni=7) / ETHER / V4 / TCP() / SECRET, 14 + 20 + 8 + 8 + 34),
        (ETHER / V4 / UDP(dport=4789) / VXLAN(vni=7) / ETHER / SECRET, 34),
        (ETHER / ARP() / SECRET, 14),
        (ETHER / SECRET, 14),
    ],
    ids=lambda value: value.summary() if hasattr(value, "summary") else str(value),
)  # fmt: skip
def test_without_a_position_of_the_payload_headers_up_to_ip_are_kept(frame: Ether, kept: int) -> None:
    rings = Rings()
    rings.tags[0] = 1
    octets = bytes(frame)

    assert rings.record([(5, len(octets), octets)], [0], [0]) == 1
    assert rings.packets(1) == [(5, len(octets), LINK_ETHERNET, 0x8100_0007, octets[:kept])]
    assert SECRET not in rings.memory.tobytes()


def test_without_a_link_header_there_is_none_to_keep() -> None:
    rings = Rings()
    rings.tags[0] = 0
    octets = bytes(V4 / TCP() / SECRET)
    rings.record([(5, 49, octets), (6, 9, SECRET)], [0, 0], [0, 0], link=LINK_IPV4)

    assert [one[4] for one in rings.packets(0)] == [octets[:20], b""]


@given(st.binary(max_size=120), st.sampled_from([0, 1, 7, 11, 12, 13, 14]), st.integers(0, 130))
def test_any_octets_are_recorded_without_reading_or_writing_outside(octets: bytes, link: int, position: int) -> None:
    rings = Rings(rings=1)
    rings.tags[:] = 0

    assert rings.record([(5, 0, octets)], [0], [position], link=link) == 1
    assert octets.startswith(rings.packets(0)[0][4])


def test_frames_of_a_link_that_nothing_reads_are_left_out() -> None:
    rings = Rings()
    rings.tags[:] = 0
    assert rings.record([(5, 60, bytes(60))], [0], [20], link=-1) == 0


def test_headers_without_end_are_cut_off() -> None:
    rings = Rings(words=1_000)
    rings.tags[:] = 0
    rings.record([(5, 2_000, bytes(2_000))], [0], [1_900])
    assert len(rings.packets(0)[0][4]) == pr.MOST_HEADER_OCTETS
