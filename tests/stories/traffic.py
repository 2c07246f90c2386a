"""Traffic that real exporters meter: a capture of conversations with its truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

START = 1_700_000_000.0
CONVERSATIONS = 90


@dataclass(frozen=True, slots=True)
class Truth:
    """What a capture carries: packets, octets of the IP packets (layer 3) and of the frames, and the same of IPv4."""

    packets: int
    octets: int
    frame_octets: int
    packets4: int
    octets4: int


def write_traffic(path: Path) -> Truth:
    """Write a capture of TCP, UDP and ICMP conversations, a third of them IPv6, 12 s long, and return its truth."""
    frames: list[Any] = []
    for number in range(CONVERSATIONS):
        frames += _conversation(number)
    frames.sort(key=lambda frame: float(frame.time))
    wrpcap(str(path), frames)
    four = [frame for frame in frames if IP in frame]
    return Truth(
        packets=len(frames),
        octets=sum(len(frame) - 14 for frame in frames),
        frame_octets=sum(len(frame) for frame in frames),
        packets4=len(four),
        octets4=sum(len(frame) - 14 for frame in four),
    )


def _conversation(number: int) -> list[Any]:
    client, server = f"10.1.{number % 4}.{number + 1}", f"10.2.0.{number % 9 + 1}"
    there: Any = IP(src=client, dst=server)
    back: Any = IP(src=server, dst=client)
    if number % 3 == 2:
        there = IPv6(src=f"2001:db8:1::{number + 1:x}", dst=f"2001:db8:2::{number % 9 + 1:x}")
        back = IPv6(src=there.dst, dst=there.src)
    port, service = 40_000 + number, (443, 1521, 53)[number % 3]
    frames = []
    for turn in range(4 + number % 7):
        size = 100 + (number * 37 + turn * 211) % 1200
        layers: list[Any]
        if number % 10 == 9:
            layers = [ICMPv6EchoRequest(seq=turn) if IPv6 in there else ICMP(seq=turn)] * 2
        elif service == 53:
            layers = [UDP(sport=port, dport=service), UDP(sport=service, dport=port)]
        else:
            layers = [TCP(sport=port, dport=service, flags="PA"), TCP(sport=service, dport=port, flags="A")]
        ends = (there, back) if number % 10 != 9 else (there, there)
        for end, layer, octets in zip(ends, layers, (size, size // 3), strict=True):
            frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / end / layer / Raw(bytes(octets))
            frame.time = START + number * 0.05 + turn * 0.9
            frames.append(frame)
    return frames
