import struct
from pathlib import Path
from typing import Any

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from btimd.capture.packetfile import PacketFile
from btimd.cli.decode_packets import PacketText, describe_packets
from tests.capture.test_replay import ng_block, pcap, pcapng

Layers = Any  # scapy's classes take everything and return themselves
ETHER: Layers = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4: Layers = IP(src="10.0.0.1", dst="10.2.0.10", tos=0x48, ttl=61)
SEGMENT: Layers = TCP(sport=40_000, dport=443, flags="SA", seq=7, ack=8, window=512) / Raw(b"x" * 12)
MACS = {"sourceMacAddress": "02:00:00:00:00:01", "destinationMacAddress": "02:00:00:00:00:02"}
WHEN = "2023-11-14T22:13:20.250000000Z"
INNERMOST = {
    "sourceAddress": "10.0.0.1", "destinationAddress": "10.2.0.10", "protocolIdentifier": 6, "ipClassOfService": 0x48,
    "ipTTL": 61, "ipTotalLength": 52, "sourceTransportPort": 40_000, "destinationTransportPort": 443,
    "tcpControlBits": 0x12,
}  # fmt: skip
SEQUENCE = {"tcpSequenceNumber": 7, "tcpAcknowledgementNumber": 8, "tcpWindowSize": 512, "tcpPayloadOctets": 12}


def described(folder: Path, octets: bytes) -> list[dict[str, Any]]:
    path = folder / "file.pcap"
    path.write_bytes(octets)
    return [line for block in PacketFile(path).blocks() for line in describe_packets(block)]


def test_a_segment_is_shown_with_vlans_and_labels(tmp_path: Path) -> None:
    plain = bytes(ETHER / V4 / SEGMENT)
    tagged = bytes(ETHER / Dot1Q(vlan=5) / Dot1Q(vlan=6) / MPLS(label=9, s=0) / MPLS(label=3, s=1) / V4 / SEGMENT)
    assert described(tmp_path, pcap(plain, tagged)) == [
        {"time": WHEN, "octets": 66, "captured": 66, "link": "Ethernet", **MACS, "ethernetType": "0x0800", **INNERMOST,
         **SEQUENCE},
        {"time": WHEN, "octets": 82, "captured": 82, "link": "Ethernet", "vlans": [5, 6], **MACS,
         "ethernetType": "0x8847", "mplsTopLabel": 9, **INNERMOST, "mplsLabels": 2, **SEQUENCE},
    ]  # fmt: skip


def test_a_tunnel_is_shown_with_the_addresses_of_its_ends(tmp_path: Path) -> None:
    inner = ETHER / Dot1Q(vlan=6) / V4 / SEGMENT
    tunnel = ETHER / Dot1Q(vlan=5) / IP(src="192.0.2.1", dst="192.0.2.2") / UDP(dport=4789) / VXLAN(vni=1) / inner
    assert described(tmp_path, pcap(bytes(tunnel))) == [
        {"time": WHEN, "octets": 124, "captured": 124, "link": "Ethernet", "vlans": [5, 6],
         "outer": {"tunnels": 1, "sourceAddress": "192.0.2.1", "destinationAddress": "192.0.2.2"}, **MACS,
         "ethernetType": "0x0800", **INNERMOST, **SEQUENCE},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("captured", "known", "fault"),
    [
        (20 + 20, {**INNERMOST, **SEQUENCE}, {}),
        (20 + 13, {**INNERMOST, "tcpControlBits": 0, "tcpSequenceNumber": 7, "tcpAcknowledgementNumber": 8,
                   "tcpPayloadOctets": 12}, {"fault": "cut off"}),
        (20 + 7, {**INNERMOST, "tcpControlBits": 0}, {"fault": "cut off"}),
        (19, {}, {"fault": "cut off"}),
    ],
)  # fmt: skip
def test_as_much_is_shown_as_was_captured(
    tmp_path: Path, captured: int, known: dict[str, Any], fault: dict[str, str]
) -> None:
    octets = bytes(V4 / SEGMENT)[:captured]
    head = struct.pack("<IIII", 1_700_000_000, 250_000, captured, 52)
    assert described(tmp_path, pcap(link=101) + head + octets) == [
        {"time": WHEN, "octets": 52, "captured": captured, "link": "IP", **known, **fault}
    ]


def test_packets_that_are_no_ip_and_broken_ones_are_told_apart(tmp_path: Path) -> None:
    arp, broken = bytes(12) + b"\x08\x06" + bytes(28), bytes(12) + b"\x08\x00\x41" + bytes(30)
    assert described(tmp_path, pcap(arp, broken)) == [
        {"time": WHEN, "octets": 42, "captured": 42, "link": "Ethernet", "ethernetType": "0x0806"},
        {"time": WHEN, "octets": 45, "captured": 45, "link": "Ethernet", "ethernetType": "0x0800", "fault": "malformed"},
    ]  # fmt: skip


def test_icmp_is_shown_with_type_and_code(tmp_path: Path) -> None:
    [line] = described(tmp_path, pcap(bytes(V4 / ICMP(type=3, code=1)), link=101))
    assert (line["icmpType"], line["icmpCode"]) == (3, 1)


def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "file.pcapng"
    whole = bytes(ETHER / V4 / SEGMENT)
    simple = ng_block(3, struct.pack("<I", 66) + whole)
    stray = ng_block(6, struct.pack("<IIIII", 7, 0, 0, 66, 66) + whole)
    broken = bytes(12) + b"\x08\x00\x41" + bytes(30)
    path.write_bytes(
        pcapng(whole, whole[:30], broken)
        + simple
        + stray
        + pcapng(whole, link=147)
        + struct.pack("<II", 6, 13)
        + bytes(4)
    )
    text = PacketText(PacketFile(path))
    lines = list(text.lines())
    assert [line[:12] for line in lines] == [f'{{"packet":{number},' for number in range(1, 6)]
    [sentence] = text.summary()
    assert sentence == (
        "5 packets, 273 octets on the wire; of them: 1 of link types that are not read, 1 cut off before their headers "
        "end, 1 malformed, 1 without a time of their own; left out: 1 in broken blocks, 1 of interfaces that are not "
        "described, 12 octets unread, as no block begins there"
    )


def test_a_file_that_is_whole_is_summed_up_in_few_words(tmp_path: Path) -> None:
    path = tmp_path / "file.pcap"
    path.write_bytes(pcap(bytes(V4 / SEGMENT), link=101))
    text = PacketText(PacketFile(path))
    assert len(list(text.lines())) == 1
    assert text.summary() == ["1 packets, 52 octets on the wire"]
