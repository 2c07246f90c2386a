from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)  # fmt: skip
from scapy.layers.l2 import GRE, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.sctp import SCTP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from btimd.kernels import headers as h
from btimd.kernels._jit import kernel
from tests.kernels import oracle_headers

Layers = Any  # scapy's classes take everything and return themselves
ETHER: Layers = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4: Layers = IP(src="10.0.0.1", dst="10.2.0.10", tos=0x48, ttl=61)
V6: Layers = IPv6(src="2001:db8::1", dst="2001:db8::2", tc=0x48, hlim=61)
SEGMENT: Layers = TCP(sport=40_000, dport=443, flags="SAEC") / Raw(b"x" * 12)
DATAGRAM: Layers = UDP(sport=5000, dport=53) / Raw(b"question")
ECHO: Layers = ICMPv6EchoRequest()
PAD: Layers = [PadN(optdata=b"1234")]
FRAMES: dict[str, Any] = {
    "tcp": ETHER / V4 / SEGMENT,
    "udp in ipv6": ETHER / V6 / DATAGRAM,
    "options": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", options=[IPOption_NOP()] * 8) / SEGMENT,
    "vlan": ETHER / Dot1Q(vlan=100, prio=5) / V4 / SEGMENT,
    "qinq": ETHER / Dot1Q(vlan=421) / Dot1Q(vlan=785) / V6 / SEGMENT,
    "service tag": ETHER / Dot1AD(vlan=7) / Dot1Q(vlan=8) / Dot1Q(vlan=9) / V4 / DATAGRAM,
    "mpls": ETHER / MPLS(label=70_000, s=0, ttl=9) / MPLS(label=3, s=1, ttl=9) / V4 / SEGMENT,
    "pseudowire": ETHER / MPLS(label=16, s=1, ttl=9) / Raw(bytes(4)) / Raw(bytes(ETHER / Dot1Q(vlan=5) / V4 / SEGMENT)),
    "bare pseudowire": ETHER / MPLS(label=16, s=1, ttl=9) / Raw(bytes(ETHER / V6 / DATAGRAM)),
    "pppoe": ETHER / PPPoE(sessionid=3) / PPP() / V4 / SEGMENT,
    "llc": Dot3(dst="02:00:00:00:00:02") / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x800) / V4 / SEGMENT,
    "bpdu": Dot3(dst="01:80:c2:00:00:00") / LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(bytes(35)),
    "arp": Ether(type=0x806) / Raw(bytes(28)),
    "extensions": ETHER / V6 / IPv6ExtHdrHopByHop(options=PAD) / IPv6ExtHdrRouting(addresses=["::1"])
    / IPv6ExtHdrDestOpt(options=PAD) / SEGMENT,
    "first fragment": ETHER / V6 / IPv6ExtHdrFragment(m=1, id=5) / DATAGRAM,
    "later fragment": ETHER / V6 / IPv6ExtHdrFragment(offset=9, id=5, nh=17) / Raw(b"12345678"),
    "ipv4 first fragment": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", flags="MF") / DATAGRAM,
    "ipv4 later fragment": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", frag=9, proto=17) / Raw(b"12345678"),
    "icmp": ETHER / V4 / ICMP(type=3, code=1) / Raw(bytes(28)),
    "icmpv6": ETHER / V6 / ECHO,
    "sctp": ETHER / V4 / SCTP(sport=2905, dport=2906),
    "ospf": ETHER / IP(src="10.0.0.1", dst="224.0.0.5", proto=89) / Raw(bytes(24)),
    "padded": ETHER / V4 / UDP(sport=1, dport=2) / Raw(b""),
    "no transport": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", proto=6) / Raw(b""),
    "offloaded": ETHER / IP(src="10.0.0.1", dst="10.2.0.10", len=0) / SEGMENT,
    "backbone": ETHER / Raw(b""),
}  # fmt: skip
OCTETS = {name: bytes(frame) for name, frame in FRAMES.items()}
OCTETS["padded"] += bytes(18)
OCTETS["no transport"] += b"\x99" * 26
OCTETS["backbone"] = OCTETS["tcp"][:12] + b"\x88\xe7" + bytes(4) + OCTETS["vlan"]
OCTETS["vn tag"] = OCTETS["tcp"][:12] + b"\x89\x26\1\2\3\4" + OCTETS["vlan"][12:]
OCTETS["port tag"] = OCTETS["tcp"][:12] + b"\x89\x3f\1\2\3\4\5\6" + OCTETS["vlan"][12:]


@kernel
def parse_frame(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:
    return h.parse_frame(slab, at, end, link, out)


@kernel
def find_inner(slab: Any, out: Any) -> Any:
    return h.find_inner(slab, out)


def halves(hi: int, lo: int) -> bytes:
    return (hi % 2**64).to_bytes(8, "big") + (lo % 2**64).to_bytes(8, "big")


def parse(octets: bytes, link: int = h.LINK_ETHERNET, *, before: int = 0, behind: bytes = b"") -> dict[str, object]:
    """Parse a frame that lies between other octets, and check that nothing of those is said."""
    slab = np.frombuffer(b"\xee" * before + octets + behind, np.uint8)
    out = np.full(h.H_SIZE, -7, np.int64)
    status = parse_frame(slab, before, before + len(octets), link, out)
    row = [int(value) for value in out]
    addressed = status != h.NO_ADDRESSES
    return oracle_headers.Found(
        status=int(status),
        source=halves(row[h.H_SOURCE_HI], row[h.H_SOURCE_LO]) if addressed else b"",
        destination=halves(row[h.H_DESTINATION_HI], row[h.H_DESTINATION_LO]) if addressed else b"",
        source_port=row[h.H_SOURCE_PORT], destination_port=row[h.H_DESTINATION_PORT],
        protocol=row[h.H_PROTOCOL], class_of_service=row[h.H_CLASS], flags=row[h.H_FLAGS], vlan=row[h.H_VLAN],
        customer_vlan=row[h.H_CUSTOMER_VLAN], mpls_label=row[h.H_MPLS_LABEL], mpls_depth=row[h.H_MPLS_DEPTH],
        source_mac=row[h.H_SOURCE_MAC], destination_mac=row[h.H_DESTINATION_MAC], ethertype=row[h.H_ETHERTYPE],
        ip_at=row[h.H_IP_AT] - before if row[h.H_IP_AT] else 0, ip_octets=row[h.H_IP_OCTETS],
        ip_version=row[h.H_IP_VERSION], ttl=row[h.H_TTL], fragment=row[h.H_FRAGMENT],
        transport_at=row[h.H_TRANSPORT_AT] - before if row[h.H_TRANSPORT_AT] else 0,
        ip_end=row[h.H_IP_END] - before if row[h.H_IP_END] else 0, fault=row[h.H_FAULT], tags=tags_of(row[h.H_TAGS]),
    ).as_dict()  # fmt: skip


def tags_of(word: int) -> list[int]:
    """Return the VLAN tags that H_TAGS holds, and -1 for each that it only counts."""
    count = word >> h.TAG_COUNT_SHIFT
    kept = min(count, h.MOST_TAGS)
    return [word >> 12 * k & 0xFFF for k in reversed(range(kept))] + [-1] * (count - kept)


def test_what_the_headers_of_a_frame_say() -> None:
    assert parse(OCTETS["qinq"]) == {
        "status": h.PORTS, "source": ip_address("2001:db8::1").packed, "destination": ip_address("2001:db8::2").packed,
        "source_port": 40_000, "destination_port": 443, "protocol": 6, "class_of_service": 0x48, "flags": 0xD2,
        "vlan": 421, "customer_vlan": 785, "mpls_label": 0, "mpls_depth": 0, "source_mac": 0x020000000001,
        "destination_mac": 0x020000000002, "ethertype": 0x86DD, "ip_at": 22, "ip_octets": 72, "ip_version": 6,
        "ttl": 61, "fragment": h.WHOLE, "transport_at": 62, "ip_end": 94, "fault": h.NO_FAULT, "tags": [421, 785],
    }  # fmt: skip


@pytest.mark.parametrize(("name", "wanted"), [
    ("options", {"status": 2, "destination_port": 443, "ip_octets": 60}),
    ("service tag", {"status": 2, "vlan": 7, "customer_vlan": 8, "ip_at": 26}),
    ("mpls", {"status": 2, "mpls_label": 70_000, "mpls_depth": 2, "ethertype": 0x8847, "ip_at": 22}),
    ("pseudowire", {"status": 2, "mpls_label": 16, "vlan": 0, "destination_port": 443}),
    ("bare pseudowire", {"status": 2, "mpls_label": 16, "destination_port": 53}),
    ("pppoe", {"status": 2, "destination_port": 443, "ethertype": 0x8864}),
    ("llc", {"status": 2, "destination_port": 443, "ethertype": 0x800}),
    ("bpdu", {"status": 0, "destination_mac": 0x0180C2000000, "ethertype": 0}),
    ("arp", {"status": 0, "ethertype": 0x806}),
    ("extensions", {"status": 2, "protocol": 6, "destination_port": 443}),
    ("first fragment", {"status": 2, "protocol": 17, "destination_port": 53, "fragment": h.FIRST_FRAGMENT}),
    ("later fragment", {"status": 1, "protocol": 17, "destination_port": 0, "fragment": h.LATER_FRAGMENT}),
    ("ipv4 first fragment", {"status": 2, "destination_port": 53, "fragment": h.FIRST_FRAGMENT}),
    ("ipv4 later fragment", {"status": 1, "protocol": 17, "destination_port": 0, "fragment": h.LATER_FRAGMENT}),
    ("icmp", {"status": 2, "source_port": 0, "destination_port": 0x301}),
    ("icmpv6", {"status": 2, "protocol": 58, "destination_port": 128 << 8}),
    ("sctp", {"status": 2, "source_port": 2905, "destination_port": 2906}),
    ("ospf", {"status": 1, "protocol": 89, "ip_octets": 44}),
    ("padded", {"status": 2, "destination_port": 2, "ip_octets": 28}),
    ("no transport", {"status": 1, "protocol": 6, "source_port": 0, "ip_octets": 20}),
    ("offloaded", {"status": 2, "destination_port": 443, "ip_octets": 0}),
    ("backbone", {"status": 2, "destination_port": 443, "vlan": 0}),
    ("vn tag", {"status": 2, "destination_port": 443, "vlan": 100}),
    ("port tag", {"status": 2, "destination_port": 443, "vlan": 100}),
])  # fmt: skip
def test_headers_between_ethernet_and_transport_are_passed(name: str, wanted: dict[str, object]) -> None:
    found = parse(OCTETS[name])
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize(("link", "head"), [
    (h.LINK_IPV4, b""), (h.LINK_IPV6, b""), (h.LINK_ATM_IP, b""), (h.LINK_PPP, b"\xff\3\0\x21"), (h.LINK_PPP, b"\0\x21"),
    (h.LINK_POS, b"\x0f\0\x08\0"), (h.LINK_MPLS, b"\0\1\x01\x40"), (h.LINK_PPP, b"\xff\3\2\x81\0\1\1\x40"),
])  # fmt: skip
def test_links_without_mac_addresses_are_read(link: int, head: bytes) -> None:
    found = parse(head + OCTETS["tcp"][14:], link)
    assert (found["status"], found["destination_port"], found["ip_at"]) == (h.PORTS, 443, len(head))


@pytest.mark.parametrize("link", [0, 2, 3, 4, 5, 6, 8, 9, 15, 18, -1, h.LINK_WIFI, 1 << 40])
def test_links_nobody_can_read_here_say_nothing(link: int) -> None:
    assert parse(OCTETS["tcp"], link) == oracle_headers.Found(fault=h.NOT_IP).as_dict()


def wanted_of(octets: bytes, link: int) -> dict[str, object]:
    """Return what plain Python reads, with as many VLAN tags as a word keeps."""
    wanted = oracle_headers.parse(octets, link)
    wanted.tags = wanted.tags[:5] + [-1] * (min(len(wanted.tags), 7) - 5)
    return wanted.as_dict()


@pytest.mark.bounds
@pytest.mark.parametrize("name", OCTETS)
def test_a_frame_cut_off_anywhere_says_what_plain_python_reads_in_it_and_no_octet_behind_it_matters(name: str) -> None:
    frame = OCTETS[name]
    for cut in range(len(frame) + 1):
        wanted = wanted_of(frame[:cut], h.LINK_ETHERNET)
        assert parse(frame[:cut]) == wanted
        assert parse(frame[:cut], before=3, behind=frame[cut:]) == wanted
        assert parse(frame[:cut], before=3, behind=b"\x45" * 60) == wanted


ETHERTYPE = h.LINK_OF_ETHERTYPE + 0x8100
PIECES = st.sampled_from([
    *(OCTETS[name][at : at + 20] for name in OCTETS for at in (0, 12, 14, 18, 22)), bytes(4), b"\x81\0\0\5", b"\x88\x47",
    b"\0\1\1\x40", b"\0\1\0\x40", b"\x45", b"\x46", b"\x60", b"\x08\0", b"\x86\xdd", bytes([0, 0]), bytes([44, 0, 0, 1]),
    bytes([51, 1]), bytes([60, 0]), bytes([43, 255]), b"\xaa\xaa\3\0\0\0\x08\0", b"\x88\xe7\0\0\0\0", b"\x88\x64\x11\0",
    b"\x89\x4f\0\2\1\1\0\0\0\0", b"\0\3\1\4" + bytes(8), b"\x81\0\0\7\x81\0\0\x08\x88\xa8\0\x09",
])  # fmt: skip
SOUP = st.one_of(
    st.binary(max_size=120),
    st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=12).map(b"".join),
    st.tuples(st.sampled_from(sorted(OCTETS)), st.integers(0, 70), st.binary(max_size=4)).map(
        lambda part: OCTETS[part[0]][: part[1]] + part[2] + OCTETS[part[0]][part[1] + len(part[2]) :]
    ),
)


@pytest.mark.bounds
@settings(max_examples=400)
@given(octets=SOUP, link=st.sampled_from([1, 1, 1, 1, 7, 10, 11, 12, 13, 14, 3, ETHERTYPE]), before=st.integers(0, 3))
def test_any_octets_say_what_plain_python_reads_in_them(octets: bytes, link: int, before: int) -> None:
    assert parse(octets, link, before=before, behind=b"\x45\0" * 8) == wanted_of(octets, link)


GTP: Layers = GTP_U_Header(teid=7, gtp_type=255)
INNER: Layers = ETHER / IP(src="192.168.0.1", dst="192.168.0.2") / TCP(sport=7, dport=1521)
ROUTED: Layers = INNER[IP]
TUNNELS: dict[str, Any] = {
    "vxlan": V4 / UDP(sport=9, dport=4789) / VXLAN(vni=100) / INNER,
    "old vxlan port": V6 / UDP(sport=9, dport=8472) / VXLAN(vni=100) / INNER,
    "vxlan gpe": V4 / UDP(sport=9, dport=4790) / Raw(b"\x0c\0\0\1\0\0\1\0") / Raw(bytes(ROUTED)),
    "vxlan gpe ethernet": V4 / UDP(sport=9, dport=4790) / Raw(b"\x0c\0\0\3\0\0\1\0") / Raw(bytes(INNER)),
    "geneve": V4 / UDP(sport=9, dport=6081) / GENEVE(vni=5, proto=0x6558, optionlen=2, options=[]) / Raw(bytes(8)) / Raw(bytes(INNER)),
    "gtp": V4 / UDP(sport=9, dport=2152) / GTP / ROUTED,
    "gtp with extension": V4 / UDP(sport=9, dport=2152)
    / Raw(b"\x34\xff\0\x40\0\0\0\7\0\0\0\x85\2\0\0\0\0\0\0\0") / Raw(bytes(ROUTED)),
    "ip in ip": V4 / ROUTED,
    "ip in ipv6": V6 / ROUTED,
    "gre": V4 / GRE() / ROUTED,
    "gre with all options": V4 / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5) / ROUTED,
    "nvgre": V4 / GRE(proto=0x6558, key_present=1) / INNER,
    "pptp": IP(src="10.0.0.1", dst="10.2.0.10", proto=47) / Raw(b"\x30\1\x88\x0b\0\x2c\0\7\0\0\0\5\xff\3\0\x21")
    / Raw(bytes(ROUTED)),
    "erspan one": V4 / GRE(proto=0x88BE) / Raw(bytes(INNER)),
    "erspan two": V4 / GRE(proto=0x88BE, seqnum_present=1) / Raw(bytes(8)) / Raw(bytes(INNER)),
    "erspan three": V4 / GRE(proto=0x22EB, seqnum_present=1) / Raw(bytes(12)) / Raw(bytes(INNER)),
    "erspan three with subheader": V4 / GRE(proto=0x22EB, seqnum_present=1) / Raw(bytes(11) + b"\1" + bytes(8))
    / Raw(bytes(INNER)),
    "mpls in gre": V4 / GRE(proto=0x8847) / MPLS(label=9, s=1, ttl=3) / ROUTED,
    "mpls in ip": IP(src="10.0.0.1", dst="10.2.0.10", proto=137) / MPLS(label=9, s=1, ttl=3) / ROUTED,
    "etherip": IP(src="10.0.0.1", dst="10.2.0.10", proto=97) / Raw(b"\x30\0") / Raw(bytes(INNER)),
    "ethernet in ipv6": IPv6(src="::1", dst="::2", nh=143) / Raw(bytes(INNER)),
}  # fmt: skip


def ports_of_layers(octets: bytes) -> list[tuple[int, int]]:
    """Return (source, destination) port of the packet and of every one inside it."""
    slab, found = np.frombuffer(octets, np.uint8), []
    at, end, link = 0, len(octets), h.LINK_ETHERNET
    for _ in range(h.MAX_TUNNELS):
        out = np.zeros(h.H_SIZE, np.int64)
        if parse_frame(slab, at, end, link, out) == h.NO_ADDRESSES:
            break
        found.append((int(out[h.H_SOURCE_PORT]), int(out[h.H_DESTINATION_PORT])))
        if not find_inner(slab, out):
            break
        assert at < out[h.H_INNER_AT] < out[h.H_IP_END] <= end
        at, end, link = int(out[h.H_INNER_AT]), int(out[h.H_IP_END]), int(out[h.H_INNER_LINK])
    return found


@pytest.mark.parametrize("name", TUNNELS)
def test_the_packet_is_the_tunnels_and_the_inner_one_is_found(name: str) -> None:
    octets = bytes(ETHER / TUNNELS[name])
    outer, inner = ports_of_layers(octets)
    assert outer[0] in {0, 9}
    assert inner == (7, 1521)
    for cut in range(len(octets)):
        assert ports_of_layers(octets[:cut]) in ([], [(0, 0)], [outer], [outer, (0, 0)], [outer, inner])


@pytest.mark.parametrize("packet", [
    V4 / UDP(sport=9, dport=4789) / Raw(bytes(60)), V4 / UDP(sport=9, dport=4790) / Raw(b"\x0c\0\0\4" + bytes(60)),
    V4 / UDP(sport=9, dport=6081) / Raw(b"\x40\0\x65\x58" + bytes(60)), V4 / UDP(sport=9, dport=2152) / Raw(bytes(60)),
    V4 / UDP(sport=9, dport=2152) / Raw(b"\x34\xff\0\x40\0\0\0\7\0\0\0\x85\0" + bytes(60)),
    V4 / UDP(sport=9, dport=2152) / Raw(b"\x34\xff\0\x40\0\0\0\7\0\0\0\x85\xff" + bytes(60)),
    V4 / GRE(proto=0x9000) / Raw(bytes(60)), V4 / GRE(version=2) / ROUTED, V4 / GRE(routing_present=1) / ROUTED,
    V4 / GRE(proto=0x880B, version=1, key_present=1) / Raw(bytes(60)), DATAGRAM, V4 / SEGMENT,
    IP(src="10.0.0.1", dst="10.2.0.10", proto=4, frag=3) / ROUTED,
])  # fmt: skip
def test_what_only_looks_like_a_tunnel_is_none(packet: Any) -> None:
    assert len(ports_of_layers(bytes(ETHER / packet))) <= 1


def test_tunnels_in_tunnels_end_at_the_depth_the_caller_allows() -> None:
    packet = INNER
    for _ in range(9):
        packet = ETHER / V4 / UDP(sport=9, dport=4789) / VXLAN(vni=100) / packet
    assert ports_of_layers(bytes(packet)) == [(9, 4789)] * h.MAX_TUNNELS
