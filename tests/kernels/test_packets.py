from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from btimd.kernels import headers as h
from btimd.kernels import packets as p
from btimd.kernels._jit import kernel
from tests.kernels import oracle_headers
from tests.kernels.test_headers import (
    DATAGRAM,
    ETHER,
    GTP,
    INNER,
    OCTETS,
    ROUTED,
    SEGMENT,
    TUNNELS,
    V4,
    V6,
    Layers,
    halves,
    tags_of,
)

TEREDO: Layers = IPv6(src="2001:0:1::1", dst="2001:db8::2") / TCP(sport=7, dport=1521)
VXLAN_ON: Layers = UDP(sport=9, dport=4789) / VXLAN(vni=100)
SHAPES: dict[str, Any] = {name: ETHER / packet for name, packet in TUNNELS.items()} | {
    "6in4": ETHER / V4 / IPv6(src="2001:db8:5::1", dst="2001:db8:5::2") / TCP(sport=7, dport=1521),
    "4in6": ETHER / V6 / ROUTED,
    "6in6": ETHER / V6 / IPv6(src="2001:db8:5::1", dst="2001:db8:5::2") / TCP(sport=7, dport=1521),
    "vxlan gpe nsh": ETHER / V4 / UDP(sport=9, dport=4790)
    / Raw(b"\x0c\0\0\4\0\0\1\0" + b"\x0f\xc6\1\3" + bytes(20) + bytes(INNER)),
    "nsh in nsh": ETHER / V4 / UDP(sport=9, dport=4790)
    / Raw(b"\x0c\0\0\4\0\0\1\0" + b"\x0f\xc2\2\4" + bytes(4) + b"\x0f\xc2\2\1" + bytes(4) + bytes(ROUTED)),
    "nsh on ethernet": Ether(type=0x894F) / Raw(b"\x0f\xc6\1\5" + bytes(20) + b"\0\1\1\x40" + bytes(ROUTED)),
    "nsh in gre": ETHER / V4 / GRE(proto=0x894F) / Raw(b"\x0f\xc2\2\1" + bytes(4) + bytes(ROUTED)),
    "short nsh": Ether(type=0x894F) / Raw(b"\x0f\xc1\1\1" + bytes(20)),
    "unknown nsh": Ether(type=0x894F) / Raw(b"\x0f\xc2\1\6" + bytes(20)),
    "mpls in udp": ETHER / V4 / UDP(sport=9, dport=6635) / Raw(b"\0\1\1\x40" + bytes(ROUTED)),
    "erspan three of ip": ETHER / V4 / GRE(proto=0x22EB, seqnum_present=1)
    / Raw(bytes(10) + b"\x08\0" + bytes(ROUTED)),
    "tag in gre": ETHER / V4 / GRE(proto=0x8100) / Raw(b"\0\x05\x08\0" + bytes(ROUTED)),
    "teredo": ETHER / V4 / UDP(sport=9, dport=3544) / TEREDO,
    "teredo from its server": ETHER / V4 / UDP(sport=3544, dport=9)
    / Raw(b"\0\1\2\3" + bytes(5) + bytes(9) + bytes(8) + bytes(TEREDO)),
    "teredo behind origin": ETHER / V4 / UDP(sport=3544, dport=9) / Raw(bytes(8) + bytes(TEREDO)),
    "port of teredo": ETHER / V4 / UDP(sport=9, dport=3544) / V6 / SEGMENT,
    "arp in vxlan": ETHER / Dot1Q(vlan=5) / V4 / VXLAN_ON / Ether(type=0x806) / Raw(bytes(28)),
    "tags in vxlan": ETHER / Dot1AD(vlan=1) / Dot1Q(vlan=2) / V4 / VXLAN_ON / ETHER / Dot1Q(vlan=3) / ROUTED,
    "seven tags": ETHER / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / Dot1Q(vlan=4) / V4 / VXLAN_ON / ETHER
    / Dot1Q(vlan=5) / Dot1Q(vlan=6) / Dot1Q(vlan=7) / ROUTED,
    "tag, udp": ETHER / Dot1Q(vlan=5, prio=3) / V4 / DATAGRAM,
    "tag, ipv6": ETHER / Dot1Q(vlan=5, prio=3) / V6 / SEGMENT,
    "no fragment": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", flags="DF") / SEGMENT,
    "gtp fragment": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", flags="MF") / UDP(sport=9, dport=2152) / GTP / ROUTED,
    "short ipv4 header": Ether(type=0x800) / Raw(b"\x44" + bytes(V4)[1:]) / SEGMENT,
    "ipv4 shorter than its header": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", len=19) / SEGMENT,
    "icmp error": ETHER / V4 / ICMP(type=3, code=1) / IP(src="10.9.0.1", dst="10.9.0.2") / UDP(sport=1, dport=4789),
}  # fmt: skip
FRAMES = OCTETS | {name: bytes(frame) for name, frame in SHAPES.items()}
PACKET = bytes(V4 / SEGMENT)
WIFI_HEAD = b"\x08\x01" + bytes(22)
SNAP = b"\xaa\xaa\3\0\0\0\x08\0"
# A frame of every link type of captures, as (what stands before the IP packet, link type).
LINKS: dict[str, tuple[bytes, int]] = {
    "loopback": (b"\2\0\0\0", h.LINK_LOOPBACK),
    "loopback, big-endian": (b"\0\0\0\x1e", h.LINK_LOOPBACK),
    "cooked": (bytes(14) + b"\x08\0", h.LINK_COOKED),
    "cooked, tagged": (bytes(14) + b"\x81\0\0\5\x08\0", h.LINK_COOKED),
    "cooked 2": (b"\x08\0" + bytes(18), h.LINK_COOKED_2),
    "cooked 2, pppoe": (b"\x88\x64" + bytes(18) + b"\x11\0\0\1\0\x50\0\x21", h.LINK_COOKED_2),
    "fddi": (b"\x50" + bytes(12) + SNAP, h.LINK_FDDI),
    "wifi": (WIFI_HEAD + SNAP, h.LINK_WIFI),
    "wifi, four addresses": (b"\x08\x03" + bytes(28) + SNAP, h.LINK_WIFI),
    "wifi, quality of service": (b"\x88\x01" + bytes(24) + SNAP, h.LINK_WIFI),
    "wifi, high throughput": (b"\x88\x81" + bytes(28) + SNAP, h.LINK_WIFI),
    "radiotap": (b"\0\0\x0c\0" + bytes(8) + WIFI_HEAD + SNAP, h.LINK_RADIOTAP),
    "ppp over ethernet": (b"\x11\0\0\1\0\x50\0\x21", h.LINK_PPP_OVER_ETHERNET),
    "directed ppp": (b"\1\xff\3\0\x21", h.LINK_PPP_DIRECTED),
    "nflog": (b"\2\0\0\5" + b"\5\0\x0a\0x\0\0\0" + b"\x44\0\x09\0", h.LINK_NFLOG),
    "nflog, big-endian": (b"\2\0\0\5" + b"\0\6\0\x0a" + b"in\0\0" + b"\0\x44\0\x09", h.LINK_NFLOG),
}
ALL_LINKS = [1, 7, 10, 11, 12, 13, 14, -1, *sorted({link for _, link in LINKS.values()})]


@kernel
def parse_packet(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:
    return p.parse_packet(slab, at, end, link, out)


class Read(NamedTuple):
    """What is known of a frame that has addresses; without them only what is wrong, and the tags."""

    status: int
    fault: int
    tags: list[int]
    packet: dict[str, Any]


def read(function: Any, octets: bytes, link: int, *, before: int = 0, behind: bytes = b"") -> Read:
    """Read a frame that lies between other octets."""
    slab = np.frombuffer(b"\x45" * before + octets + behind, np.uint8)
    out = np.full(p.PACKET_SIZE, -7, np.int64)
    status = int(function(slab, before, before + len(octets), link, out))
    row = [int(value) for value in out]
    fault, tags = row[h.H_FAULT], tags_of(row[h.H_TAGS])
    if status == h.NO_ADDRESSES:
        return Read(status, fault, tags, {})
    outer = [row[k] for k in (p.P_OUTER_SOURCE_HI, p.P_OUTER_SOURCE_LO)]
    outer += [row[k] for k in (p.P_OUTER_DESTINATION_HI, p.P_OUTER_DESTINATION_LO)]
    packet = {
        "source": halves(row[h.H_SOURCE_HI], row[h.H_SOURCE_LO]),
        "destination": halves(row[h.H_DESTINATION_HI], row[h.H_DESTINATION_LO]),
        "source_port": row[h.H_SOURCE_PORT], "destination_port": row[h.H_DESTINATION_PORT],
        "protocol": row[h.H_PROTOCOL], "class_of_service": row[h.H_CLASS], "flags": row[h.H_FLAGS],
        "vlan": row[h.H_VLAN], "mpls_label": row[h.H_MPLS_LABEL], "fragment": row[h.H_FRAGMENT],
        "ip_octets": row[h.H_IP_OCTETS], "ip_version": row[h.H_IP_VERSION],
        "before the transport": row[h.H_TRANSPORT_AT] - row[h.H_IP_AT] if row[h.H_TRANSPORT_AT] else None,
        "rest": before + len(octets) - row[h.H_IP_END], "captured": row[h.H_IP_END] - row[h.H_IP_AT],
        "depth": row[p.P_DEPTH], "outer_vlan": row[p.P_OUTER_VLAN],
        "outer": outer if row[p.P_DEPTH] or row[h.H_MPLS_LABEL] else [],
    }  # fmt: skip
    return Read(status, fault, tags, packet)


def signed(octets: bytes) -> list[int]:
    return [int.from_bytes(octets[k : k + 8], "big", signed=True) for k in (0, 8)]


def wanted(octets: bytes, link: int) -> Read:
    """Return what plain Python reads. The octets behind the innermost packet are not looked at."""
    packet = oracle_headers.innermost(octets, link)
    found = packet.found
    tags = found.tags[:5] + [-1] * (min(len(found.tags), 7) - 5)
    if found.status == h.NO_ADDRESSES:
        return Read(found.status, found.fault, tags, {})
    return Read(found.status, found.fault, tags, {
        "source": found.source, "destination": found.destination, "source_port": found.source_port,
        "destination_port": found.destination_port, "protocol": found.protocol,
        "class_of_service": found.class_of_service, "flags": found.flags, "vlan": found.vlan,
        "mpls_label": found.mpls_label, "fragment": found.fragment, "ip_octets": found.ip_octets,
        "ip_version": found.ip_version,
        "before the transport": found.transport_at - found.ip_at if found.transport_at else None,
        "captured": found.ip_end - found.ip_at, "depth": packet.depth, "outer_vlan": packet.outer_vlan,
        "outer": signed(packet.outer[0]) + signed(packet.outer[1]) if packet.depth or found.mpls_label else [],
    })  # fmt: skip


def check(octets: bytes, link: int, *, before: int = 0, behind: bytes = b"") -> None:
    """Compare both ways to read a frame with plain Python."""
    truth = wanted(octets, link)
    for function in (parse_packet, p.read_packet):
        found = read(function, octets, link, before=before, behind=behind)
        assert found.packet.pop("rest", 0) >= 0
        assert found == truth


@pytest.mark.parametrize(("name", "status", "depth", "port"), [
    *((name, h.PORTS, 1, 1521) for name in TUNNELS),
    *((name, h.PORTS, 1, 1521) for name in (
        "6in4", "4in6", "6in6", "vxlan gpe nsh", "nsh in nsh", "nsh in gre", "mpls in udp", "erspan three of ip",
        "tag in gre", "teredo", "teredo from its server", "teredo behind origin", "tags in vxlan", "seven tags",
        "gtp fragment",
    )),
    ("nsh on ethernet", h.PORTS, 0, 1521), ("port of teredo", h.PORTS, 0, 3544), ("arp in vxlan", h.PORTS, 0, 4789),
    ("icmp error", h.PORTS, 0, 0x301),
])  # fmt: skip
def test_the_innermost_packet_that_has_addresses_is_read(name: str, status: int, depth: int, port: int) -> None:
    found = read(parse_packet, FRAMES[name], h.LINK_ETHERNET)
    assert (found.status, found.fault, found.packet["depth"]) == (status, h.NO_FAULT, depth)
    assert found.packet["destination_port"] == port


def test_the_pair_outside_and_all_vlan_tags_are_kept() -> None:
    found = read(parse_packet, FRAMES["tags in vxlan"], h.LINK_ETHERNET)
    mapped = [0, 0xFFFF_0A00_0001, 0, 0xFFFF_0A02_000A]
    assert (found.packet["outer"], found.packet["outer_vlan"], found.packet["vlan"]) == (mapped, 1, 3)
    assert found.tags == [1, 2, 3]
    assert read(parse_packet, FRAMES["seven tags"], h.LINK_ETHERNET).tags == [1, 2, 3, 4, 5, -1, -1]
    assert read(parse_packet, FRAMES["arp in vxlan"], h.LINK_ETHERNET).tags == [5]


@pytest.mark.parametrize(("octets", "link", "status", "fault"), [
    (FRAMES["tcp"][:13], 1, h.NO_ADDRESSES, h.CUT_OFF),
    (FRAMES["tcp"][:33], 1, h.NO_ADDRESSES, h.CUT_OFF),
    (FRAMES["tcp"][:37], 1, h.ADDRESSES, h.CUT_OFF),
    (FRAMES["tcp"][:40], 1, h.PORTS, h.CUT_OFF),
    (FRAMES["tcp"][:48], 1, h.PORTS, h.NO_FAULT),
    (FRAMES["mpls"][:20], 1, h.NO_ADDRESSES, h.CUT_OFF),
    (FRAMES["extensions"][:56], 1, h.ADDRESSES, h.CUT_OFF),
    (FRAMES["vxlan"][:70], 1, h.PORTS, h.CUT_OFF),
    (FRAMES["vxlan"][:46], 1, h.PORTS, h.CUT_OFF),
    (FRAMES["arp"], 1, h.NO_ADDRESSES, h.NOT_IP),
    (FRAMES["bpdu"], 1, h.NO_ADDRESSES, h.NOT_IP),
    (FRAMES["unknown nsh"], 1, h.NO_ADDRESSES, h.NOT_IP),
    (FRAMES["tcp"], h.LINK_UNKNOWN, h.NO_ADDRESSES, h.NOT_IP),
    (FRAMES["tcp"], h.LINK_OF_CAPTURES + 1, h.NO_ADDRESSES, h.NOT_IP),
    (FRAMES["short ipv4 header"], 1, h.NO_ADDRESSES, h.MALFORMED),
    (FRAMES["ipv4 shorter than its header"], 1, h.NO_ADDRESSES, h.MALFORMED),
    (FRAMES["short nsh"], 1, h.NO_ADDRESSES, h.MALFORMED),
    (FRAMES["tcp"][:14] + b"\x55" + FRAMES["tcp"][15:], 1, h.NO_ADDRESSES, h.MALFORMED),
    (FRAMES["tcp"][:16] + b"\0\x16" + FRAMES["tcp"][18:], 1, h.ADDRESSES, h.MALFORMED),
    (FRAMES["no transport"], 1, h.ADDRESSES, h.MALFORMED),
    (bytes(ETHER / V4 / VXLAN_ON / Raw(bytes(INNER)[:30])) + bytes(40), 1, h.PORTS, h.MALFORMED),
    (bytes(ETHER / V4 / VXLAN_ON / Raw(bytes(INNER)[:37])) + bytes(40), 1, h.ADDRESSES, h.MALFORMED),
    (bytes(ETHER / V4 / UDP(sport=9, dport=4789) / Raw(b"\x08\0")) + bytes(40), 1, h.PORTS, h.MALFORMED),
    (bytes(ETHER / V4 / UDP(sport=9, dport=2152) / Raw(b"\x34\xff\0\x40\0\0\0\7\0\0\0\x85\0" + bytes(60))), 1,
     h.PORTS, h.MALFORMED),
])  # fmt: skip
def test_cut_off_not_ip_and_malformed_are_told_apart(octets: bytes, link: int, status: int, fault: int) -> None:
    for function in (parse_packet, p.read_packet):
        found = read(function, octets, link)
        assert (found.status, found.fault) == (status, fault)
    check(octets, link)


def test_tunnels_nested_a_hundred_deep_end_at_the_deepest_one_allowed() -> None:
    octets = bytes(INNER)
    for k in range(100):
        octets = bytes(ETHER / Dot1Q(vlan=k) / IP(src="10.0.0.1", dst=f"10.0.0.{k}") / VXLAN_ON / Raw(octets))
    found = read(parse_packet, octets, h.LINK_ETHERNET)
    assert (found.packet["depth"], found.packet["destination"][-1]) == (h.MAX_TUNNELS, 99 - h.MAX_TUNNELS)
    assert found.tags == [99, 98, 97, 96, 95]
    check(octets, h.LINK_ETHERNET)


@pytest.mark.parametrize("piece", [
    b"\x81\0\0\5", b"\x88\x47" + bytes(2), b"\0\0\x08\0", b"\x89\x4f\x0f\xc2\1\4" + bytes(4), b"\x88\xe7" + bytes(16),
])  # fmt: skip
def test_as_many_headers_as_fit_in_the_longest_frame_are_no_more_work_than_its_octets(piece: bytes) -> None:
    check(bytes(12) + piece * (65_536 // len(piece)), h.LINK_ETHERNET)
    check(bytes(12) + b"\x88\x47" + bytes(65_536), h.LINK_ETHERNET)
    check(bytes(V6)[:4] + b"\xff\xff\0\x40" + bytes(V6)[8:] + bytes(65_536), h.LINK_IPV6)


@pytest.mark.bounds
@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_cut_off_anywhere_says_what_plain_python_reads_and_no_octet_behind_it_matters(name: str) -> None:
    frame = FRAMES[name]
    for cut in range(len(frame) + 1):
        check(frame[:cut], h.LINK_ETHERNET)
        check(frame[:cut], h.LINK_ETHERNET, before=3, behind=frame[cut:] + b"\x45" * 60)


@pytest.mark.bounds
@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_with_an_octet_changed_says_what_plain_python_reads_in_it(name: str) -> None:
    frame = FRAMES[name]
    for at in range(12, len(frame)):
        for value in (0, frame[at] ^ 1, frame[at] ^ 0x80, 0xFF):
            check(frame[:at] + bytes([value]) + frame[at + 1 :], h.LINK_ETHERNET, behind=b"\x45" * 60)


HEADS = [head for head, _ in LINKS.values()]
PIECES = st.sampled_from([
    *(frame[at : at + 24] for frame in FRAMES.values() for at in (0, 12, 14, 34, 42)), *HEADS, PACKET, bytes(8),
    b"\x81\0\0\5", b"\x88\x47\0\1\1\x40", b"\x12\xb5", b"\x0d\xd8", b"\x08\x68",
])  # fmt: skip
SOUP = st.one_of(
    st.binary(max_size=160),
    st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=12).map(b"".join),
    st.tuples(st.sampled_from(sorted(FRAMES)), st.integers(0, 120), st.binary(max_size=4), st.integers(0, 160)).map(
        lambda part: (
            FRAMES[part[0]][: part[1]] + part[2] + FRAMES[part[0]][part[1] + len(part[2]) : part[3]]
        )
    ),
)  # fmt: skip


@pytest.mark.bounds
@settings(max_examples=600)
@given(octets=SOUP, link=st.sampled_from(ALL_LINKS), before=st.integers(0, 3))
def test_any_octets_on_any_link_say_what_plain_python_reads_in_them(octets: bytes, link: int, before: int) -> None:
    check(octets, link, before=before, behind=b"\x45\0" * 8)


@settings(max_examples=200)
@given(tags=st.lists(st.integers(0, 4095), max_size=9), cut=st.integers(0, 9))
def test_tags_outside_come_before_those_inside(tags: list[int], cut: int) -> None:
    words = [0, 0]
    for side, some in enumerate((tags[:cut], tags[cut:])):
        for tag in some:
            words[side] = int(join_tags(words[side], (1 << h.TAG_COUNT_SHIFT) | tag))
    assert tags_of(int(join_tags(words[0], words[1]))) == tags[:5] + [-1] * (min(len(tags), 7) - 5)


@kernel
def join_tags(outside: Any, inside: Any) -> Any:
    return h.join_tags(outside, inside)
