import pytest

from btimd.kernels import headers as h
from tests.kernels.test_packets import LINKS, PACKET, SNAP, Read, check, parse_packet, read


@pytest.mark.parametrize("name", LINKS)
def test_every_link_type_of_captures_is_read(name: str) -> None:
    head, link = LINKS[name]
    found = read(parse_packet, head + PACKET, link)
    assert (found.status, found.fault, found.packet["destination_port"]) == (h.PORTS, h.NO_FAULT, 443)


@pytest.mark.parametrize(("octets", "link", "fault"), [
    (b"\7\0\0\0" + PACKET, h.LINK_LOOPBACK, h.NOT_IP),
    (bytes(14) + b"\x08\6" + PACKET, h.LINK_COOKED, h.NOT_IP),
    (b"\x48\1" + bytes(24) + SNAP + PACKET, h.LINK_WIFI, h.NOT_IP),
    (b"\x80\0" + bytes(24) + SNAP + PACKET, h.LINK_WIFI, h.NOT_IP),
    (b"\x08\x41" + bytes(22) + SNAP + PACKET, h.LINK_WIFI, h.NOT_IP),
    (b"\x88\1" + bytes(22) + b"\x80\0" + SNAP + PACKET, h.LINK_WIFI, h.NOT_IP),
    (b"\1\0\x08\0" + bytes(60), h.LINK_RADIOTAP, h.MALFORMED),
    (b"\0\0\x07\0" + bytes(60), h.LINK_RADIOTAP, h.MALFORMED),
    (b"\7\0\0\5" + b"\x44\0\x09\0" + PACKET, h.LINK_NFLOG, h.NOT_IP),
    (b"\2\0\0\5" + b"\3\0\x01\0" + bytes(60), h.LINK_NFLOG, h.MALFORMED),
    (b"\2\0\0\5" + b"\4\0\x01\0" * 32 + b"\x44\0\x09\0" + PACKET, h.LINK_NFLOG, h.MALFORMED),
    (b"\2\0\0\5" + b"\4\0\x01\0" * 3, h.LINK_NFLOG, h.CUT_OFF),
])  # fmt: skip
def test_what_a_link_type_of_captures_does_not_carry_is_told(octets: bytes, link: int, fault: int) -> None:
    assert read(parse_packet, octets, link) == Read(h.NO_ADDRESSES, fault, [], {})
    check(octets, link)


@pytest.mark.parametrize(("linktype", "link"), [
    (1, h.LINK_ETHERNET), (101, h.LINK_IPV4), (12, h.LINK_IPV4), (14, h.LINK_IPV4), (228, h.LINK_IPV4),
    (229, h.LINK_IPV4), (9, h.LINK_PPP), (50, h.LINK_PPP), (104, h.LINK_PPP), (219, h.LINK_MPLS),
    (0, h.LINK_LOOPBACK), (108, h.LINK_LOOPBACK), (10, h.LINK_FDDI), (51, h.LINK_PPP_OVER_ETHERNET),
    (105, h.LINK_WIFI), (113, h.LINK_COOKED), (127, h.LINK_RADIOTAP), (166, h.LINK_PPP_DIRECTED),
    (204, h.LINK_PPP_DIRECTED), (239, h.LINK_NFLOG), (276, h.LINK_COOKED_2), (147, -1), (1 << 32, -1), (-1, -1),
])  # fmt: skip
def test_link_types_of_files_have_numbers_that_no_header_protocol_has(linktype: int, link: int) -> None:
    assert h.link_of_linktype(linktype) == link
    assert link <= 14 or link >= 1 << 32


@pytest.mark.bounds
@pytest.mark.parametrize("name", LINKS)
def test_a_frame_cut_off_anywhere_says_what_plain_python_reads_on_every_link_type(name: str) -> None:
    head, link = LINKS[name]
    for cut in range(len(head + PACKET) + 1):
        check((head + PACKET)[:cut], link)
        check((head + PACKET)[:cut], link, before=3, behind=(head + PACKET)[cut:] + b"\x45" * 60)
