"""What becomes of packets in a flow table, in slow and obvious Python: a dictionary of flows; and packets to put in."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from btimd.kernels.packetlayout import FRAME_ROWS
from btimd.model.packets import PacketBlock

MAPPED = 0xFFFF << 32
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
FIN, SYN, RST, ACK = 1, 2, 4, 16
START = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class Packet:
    """addresses: 128 bits, IPv4 as ::ffff:a.b.c.d; ports: of ICMP (type, code)."""

    source: int = MAPPED | 0x0A000001
    destination: int = MAPPED | 0x0A000002
    ports: tuple[int, int] = (40_000, 443)
    protocol: int = TCP
    flags: int = ACK
    payload: int = 10
    class_of_service: int = 0
    vlan: int = 0
    tag: int = 0
    padding: int = 0
    time: int = START

    @property
    def ip_octets(self) -> int:
        return len(self._ip()) + self.payload

    @property
    def key(self) -> tuple[int, int, int, int, int]:
        """The direction: addresses, ports, protocol."""
        ports = (0, 0) if self.protocol in {ICMP, ICMPV6} or self.protocol not in {TCP, UDP} else self.ports
        return (self.source, self.destination, *ports, self.protocol)

    @property
    def frame_octets(self) -> int:
        return len(self.frame()) + self.payload

    def frame(self) -> bytes:
        """Return the frame as captured: without the last `payload` octets."""
        kind = 0x0800 if self.is_ipv4 else 0x86DD
        tag = struct.pack(">HH", 0x8100, self.vlan) if self.vlan else b""
        return bytes(12) + tag + struct.pack(">H", kind) + self._ip() + bytes(self.padding)

    @property
    def is_ipv4(self) -> bool:
        return self.source >> 32 == 0xFFFF and self.destination >> 32 == 0xFFFF

    def _transport(self) -> bytes:
        if self.protocol == TCP:
            return struct.pack(">HHIIBBHHH", *self.ports, 1, 1, 0x50, self.flags, 1000, 0, 0)
        if self.protocol == UDP:
            return struct.pack(">HHHH", *self.ports, 8 + self.payload, 0)
        if self.protocol in {ICMP, ICMPV6}:
            return bytes(self.ports) + bytes(6)
        return b""

    def _ip(self) -> bytes:
        transport = self._transport()
        if self.is_ipv4:
            total = 20 + len(transport) + self.payload
            head = struct.pack(">BBHHHBBH", 0x45, self.class_of_service, total, 0, 0, 64, self.protocol, 0)
            ends = struct.pack(">II", self.source & 0xFFFFFFFF, self.destination & 0xFFFFFFFF)
        else:
            first = 6 << 28 | self.class_of_service << 20
            head = struct.pack(">IHBB", first, len(transport) + self.payload, self.protocol, 64)
            ends = self.source.to_bytes(16, "big") + self.destination.to_bytes(16, "big")
        return head + ends + transport


def block_of(packets: Sequence[Packet]) -> PacketBlock:
    frames = np.zeros((FRAME_ROWS, len(packets)), np.int64)
    octets = b""
    for number, packet in enumerate(packets):
        frame = packet.frame()
        frames[:, number] = (
            len(octets), len(octets) + len(frame), packet.frame_octets, packet.time, 1, packet.tag,
        )  # fmt: skip
        octets += frame
    return PacketBlock(np.frombuffer(octets, np.uint8), frames)


def turned(key: tuple[int, int, int, int, int]) -> tuple[int, int, int, int, int]:
    return (key[1], key[0], key[3], key[2], key[4])


@dataclass
class Direction:
    first: int = 0
    last: int = 0
    packets: int = 0
    octets: int = 0
    frame_octets: int = 0
    flags: int = 0
    class_of_service: int = 0
    icmp: int = 0


@dataclass
class Flow:
    vlan: int
    directions: dict[tuple[int, int, int, int, int], Direction] = field(default_factory=dict)
    last: dict[tuple[int, int, int, int, int], int] = field(default_factory=dict)
    finished: set[tuple[int, int, int, int, int]] = field(default_factory=set)
    reset: bool = False

    @property
    def ended(self) -> bool:
        return self.reset or len(self.finished) == 2


Row = tuple[int, ...]


class Table:
    """A table without limit; ended connections are told by their flags. Time-outs in ms."""

    def __init__(self, active: int = 10_000, inactive: int = 60_000, ended: int = 2_000) -> None:
        self.limits = active, inactive, ended
        self.flows: dict[frozenset[Any], Flow] = {}
        self.rows: list[Row] = []

    def add(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            name = frozenset((packet.key, turned(packet.key)))
            vlan = packet.tag & 0xFFF or packet.vlan
            flow = self.flows.setdefault(name, Flow(vlan))
            if packet.protocol == TCP and packet.flags & (SYN | ACK) == SYN and flow.ended:
                self.report(flow)
                flow = self.flows[name] = Flow(vlan)
            if packet.protocol == TCP and packet.flags & FIN:
                flow.finished.add(packet.key)
            flow.reset |= packet.protocol == TCP and packet.flags & RST != 0
            time = max(packet.time, 0) // MILLISECOND
            icmp = packet.ports[0] << 8 | packet.ports[1] if packet.protocol in {ICMP, ICMPV6} else 0
            seen = flow.directions.setdefault(
                packet.key, Direction(first=time, last=time, class_of_service=packet.class_of_service, icmp=icmp)
            )
            seen.first, seen.last = min(seen.first, time), max(seen.last, time)
            seen.packets += 1
            seen.octets += packet.ip_octets
            seen.frame_octets += packet.frame_octets
            seen.flags |= packet.flags if packet.protocol == TCP else 0
            flow.last[packet.key] = seen.last

    def report(self, flow: Flow) -> None:
        for key, seen in flow.directions.items():
            port = seen.icmp if key[4] in {ICMP, ICMPV6} else key[3]
            self.rows.append((
                *key[:3], port, key[4], seen.first, seen.last, seen.packets, seen.octets, seen.frame_octets, seen.flags,
                seen.class_of_service, flow.vlan,
            ))  # fmt: skip
        flow.directions = {}

    def harvest(self, now: int) -> list[Row]:
        active, inactive, ended = self.limits
        now //= MILLISECOND
        for name, flow in list(self.flows.items()):
            silent = now - max(flow.last.values())
            if abs(silent) >= inactive + (silent < 0) or (flow.ended and silent >= ended):
                self.report(flow)
                del self.flows[name]
            elif any(now - seen.first >= active or seen.first - now > inactive for seen in flow.directions.values()):
                self.report(flow)
        return self.take()

    def flush(self) -> list[Row]:
        for flow in self.flows.values():
            self.report(flow)
        self.flows = {}
        return self.take()

    def take(self) -> list[Row]:
        rows, self.rows = sorted(self.rows), []
        return rows


ADDRESSES = st.one_of(
    st.integers(0, 3).map(lambda low: MAPPED | 0x0A000000 | low),
    st.sampled_from([MAPPED | 0xFFFFFFFF, 1, 2, 2**127, 2**128 - 1, 0x20010DB8 << 96 | 5]),
)
PACKETS = st.builds(
    Packet,
    source=ADDRESSES,
    destination=ADDRESSES,
    ports=st.tuples(st.sampled_from([0, 8, 53, 255]), st.sampled_from([0, 53, 129, 255])),
    protocol=st.sampled_from([TCP, TCP, UDP, ICMP, ICMPV6, 50, 255]),
    flags=st.sampled_from([ACK, SYN, SYN | ACK, FIN | ACK, RST, 0xFF]),
    payload=st.sampled_from([0, 1, 1400, 40_000]),
    class_of_service=st.sampled_from([0, 0xB8, 255]),
    vlan=st.sampled_from([0, 7, 4095]),
    tag=st.sampled_from([0, 0, 0x8100 << 16 | 0x2000 | 9]),
    padding=st.sampled_from([0, 6]),
)
TIMED = st.lists(st.tuples(PACKETS, st.integers(-200, 2000)), max_size=40)
"""Packets and how many ms each comes after the one before."""
