"""What fuzzing of the packet path begins with: one input for each thing it has a branch for, made by hand."""

import struct
from collections.abc import Mapping

from tests.fuzz.packet_stream import LONGER, NEW_BLOCK, STARTED_AT, join, pcap

CLIENT, SERVER = bytes([10, 1, 0, 1]), bytes([172, 16, 0, 10])
SYN, ACK, PUSH, RESET, FIN = 2, 16, 8, 4, 1


def tcp(flags: int, seq: int, ack: int, payload: bytes = b"", *, back: bool = False, window: int = 8192) -> bytes:
    """Return a TCP segment of a client's port 40000 and a server's port 443."""
    ports = (443, 40_000) if back else (40_000, 443)
    return struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, window, 0, 0) + payload


def udp(payload: bytes, ports: tuple[int, int] = (30_000, 53)) -> bytes:
    """Return a UDP datagram."""
    return struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload


def ip(payload: bytes, protocol: int = 6, *, back: bool = False, fragment: int = 0) -> bytes:
    """Return an IPv4 packet between client and server."""
    ends = SERVER + CLIENT if back else CLIENT + SERVER
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0) + ends + payload


def ip6(payload: bytes, protocol: int = 6) -> bytes:
    """Return an IPv6 packet."""
    ends = b"\x20\x01\x0d\xb8" + bytes(11) + b"\1" + b"\x20\x01\x0d\xb8" + bytes(11) + b"\2"
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + ends + payload


def ethernet(payload: bytes, kind: int = 0x0800, tags: bytes = b"") -> bytes:
    """Return an Ethernet frame."""
    return bytes(12) + tags + struct.pack(">H", kind) + payload


def dns(number: int, code: int | None) -> bytes:
    """Return a DNS question, or an answer."""
    flags = 0x0100 if code is None else 0x8180 | code
    return struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0) + b"\1a\0" + struct.pack(">HH", 1, 1)


def conversation() -> list[bytes]:
    """Return a connection from handshake to end, with something sent again and a hole."""
    say = [
        (tcp(SYN, 99, 0), False),
        (tcp(SYN | ACK, 499, 100, back=True), True),
        (tcp(ACK, 100, 500), False),
        (tcp(ACK | PUSH, 100, 500, b"q" * 20), False),
        (tcp(ACK, 500, 120, b"a" * 30, back=True), True),
        (tcp(ACK, 560, 120, b"a" * 30, back=True), True),
        (tcp(ACK, 530, 120, b"a" * 30, back=True), True),
        (tcp(ACK, 500, 120, b"a" * 30, back=True), True),
        (tcp(ACK, 120, 590, window=0), False),
        (tcp(ACK | FIN, 120, 590), False),
        (tcp(RESET | ACK, 590, 121, back=True), True),
    ]
    return [ethernet(ip(segment, back=back)) for segment, back in say]


def seeds() -> Mapping[str, bytes]:
    """Return the inputs by name."""
    talk = conversation()
    asked, answered = (ethernet(ip(udp(dns(7, None)), 17)), ethernet(ip(udp(dns(7, 3), (53, 30_000)), 17, back=True)))
    vxlan = ethernet(ip(udp(struct.pack(">II", 8 << 24, 5 << 8) + talk[0], (40_001, 4789)), 17))
    gre = ethernet(ip(struct.pack(">HH", 0, 0x0800) + ip(tcp(SYN, 1, 0)), 47))
    extended = ip6(bytes([6, 0, 0, 0, 0, 0, 0, 0]) + tcp(SYN, 1, 0), 0)
    fragments = [ethernet(ip(udp(dns(1, None)), 17, fragment=0x2000)), ethernet(ip(b"x" * 24, 17, fragment=3))]
    many = [ethernet(ip(udp(b"", (number, 53)), 17)) for number in range(60)]
    return {
        "empty": b"",
        "conversation": join(talk, controls=[8] * len(talk)),
        "conversation_in_blocks": join(talk, controls=[8 | NEW_BLOCK] * len(talk)),
        "refused": join([talk[0], talk[10]]),
        "unanswered": join([talk[0], talk[0], asked], controls=[0, 16, 24 | NEW_BLOCK]),
        "dns": join([asked, answered, asked, asked], controls=[8] * 4),
        "seen_twice": join([frame for frame in talk for _ in range(2)]),
        "other_times": join(talk, controls=[0, 32, 40, 48, 56, 24, 0, 48 | NEW_BLOCK, 56 | NEW_BLOCK, NEW_BLOCK, 16]),
        "longer_on_the_wire": join(talk, controls=[LONGER | 8] * len(talk)),
        "many_flows": join(many, controls=[8] * len(many)),
        "tags": join([ethernet(ip(tcp(SYN, 1, 0)), tags=b"\x88\xa8\0\5\x81\0\0\6"), ethernet(b"\0" * 28, 0x0806)]),
        "labels": join([ethernet(b"\0\x01\x01\x40" + ip(tcp(SYN, 1, 0)), 0x8847)]),
        "tunnels": join([vxlan, gre, vxlan]),
        "ipv6": join([ethernet(ip6(tcp(SYN, 1, 0)), 0x86DD), ethernet(extended, 0x86DD)]),
        "fragments": join(fragments),
        "icmp": join([ethernet(ip(b"\x08\0\0\0\0\1\0\1", 1)), ethernet(ip(bytes(8), 1, back=True))]),
        "other_links": join([ip(tcp(SYN, 1, 0)), b"\0\x21" + ip(tcp(SYN, 1, 0)), b"?" * 30], controls=[1, 2, 7]),
        "pcap": pcap(talk, times=[STARTED_AT + 10**9 * number for number in range(len(talk))]),
        "pcap_out_of_order": pcap(talk, times=[STARTED_AT, 0, 2**32 * 10**9 - 1, *[STARTED_AT] * (len(talk) - 3)]),
        "pcapng": struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        + struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
        + struct.pack("<IIIIIII", 6, 32 + 56, 0, 0, 1, 54, 54) + talk[0] + b"\0\0" + struct.pack("<I", 88),
    }  # fmt: skip
