import struct
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path

import pytest

from btimd.capture.packetfile import CaptureFileError
from btimd.capture.replay import CaptureFile, holds_flow_export
from btimd.model.address import address_text
from tests.capture import captures
from tests.capture.wire.crafting import ipfix, one_set, template, v5, v5_record, v9
from tests.kernels.sflowcrafting import datagram as sflow_datagram

PAYLOAD = v5(v5_record())
AT = 1_700_000_000


def udp(payload: bytes = PAYLOAD, *, length: int | None = None, port: int = 2055) -> bytes:
    return struct.pack(">HHHH", 40_001, port, 8 + len(payload) if length is None else length, 0) + payload


def ipv4(payload: bytes, *, protocol: int = 17, fragment: int = 0, options: bytes = b"") -> bytes:
    addresses = ip_address("192.0.2.7").packed + ip_address("192.0.2.254").packed
    size = 20 + len(options) + len(payload)
    head = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, size, 1, fragment, 64, protocol, 0)
    return head + addresses + options + payload


def ipv6(payload: bytes, *, following: int = 17, extension: bytes = b"") -> bytes:
    addresses = ip_address("2001:db8::7").packed + ip_address("2001:db8::254").packed
    return struct.pack(">IHBB", 6 << 28, len(extension + payload), following, 64) + addresses + extension + payload


def pcap(*packets: bytes, link: int = 1, order: str = "<", magic: int = 0xA1B2C3D4, fraction: int = 250_000) -> bytes:
    octets = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for packet in packets:
        octets += struct.pack(f"{order}IIII", AT, fraction, len(packet), len(packet)) + packet
    return octets


def ng_block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack(f"{order}II", kind, 12 + len(body)) + body + struct.pack(f"{order}I", 12 + len(body))


def pcapng(*packets: bytes, link: int = 1, order: str = "<", resolution: bytes = b"", per_second: int = 10**6) -> bytes:
    section = ng_block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    options = struct.pack(f"{order}HH", 9, 1) + resolution + bytes(3) + bytes(4) if resolution else b""
    octets = section + ng_block(1, struct.pack(f"{order}HHI", link, 0, 65535) + options, order)
    stamp = AT * per_second + per_second // 4
    for packet in packets:
        head = struct.pack(f"{order}IIIII", 0, stamp >> 32, stamp & 0xFFFF_FFFF, len(packet), len(packet))
        octets += ng_block(6, head + packet, order)
    return octets


def read(folder: Path, octets: bytes, **given: int) -> tuple[list[tuple[str, int, int, bytes]], dict[str, int]]:
    """Return (source, port, arrival, payload) of every datagram, and the counters that moved."""
    path = folder / "file.pcap"
    path.write_bytes(octets)
    capture = CaptureFile(path, **given)
    found = [
        (
            address_text(int(item.source_hi[row]), int(item.source_lo[row])), int(item.source_port[row]),
            int(item.arrival_milliseconds[row]), item.slab[item.offsets[row] : item.offsets[row + 1]].tobytes(),
        )
        for item in capture.blocks()
        for row in range(len(item))
    ]  # fmt: skip
    return found, {name: value for name, value in asdict(capture.counters).items() if value}


WANTED = ("192.0.2.7", 40_001, AT * 1000 + 250, PAYLOAD)
ETHERNET = bytes(12) + b"\x08\x00"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 250_000), (0xA1B23C4D, 250_000_000)])
def test_pcap_of_any_byte_order_and_resolution(tmp_path: Path, order: str, magic: int, fraction: int) -> None:
    octets = pcap(ETHERNET + ipv4(udp()), order=order, magic=magic, fraction=fraction)
    assert read(tmp_path, octets) == ([WANTED], {"packets": 1, "datagrams": 1})


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "per_second"), [(b"", 10**6), (b"\x09", 10**9), (b"\x03", 1000), (b"\x94", 2**20), (b"\xbe", 2**62)]
)
def test_pcapng_of_any_byte_order_and_resolution(
    tmp_path: Path, order: str, resolution: bytes, per_second: int
) -> None:
    if AT * per_second >= 1 << 63:
        return  # such a clock has not come so far
    octets = pcapng(ETHERNET + ipv4(udp()), order=order, resolution=resolution, per_second=per_second)
    assert read(tmp_path, octets) == ([WANTED], {"packets": 1, "datagrams": 1})


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (1, bytes(12) + b"\x08\x00"), (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        (1, bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00"), (101, b""), (12, b""), (228, b""),
        (0, b"\2\0\0\0"), (108, b"\0\0\0\2"), (113, bytes(14) + b"\x08\x00"), (276, b"\x08\x00" + bytes(18)),
    ],
)  # fmt: skip
def test_links_of_every_kind(tmp_path: Path, link: int, head: bytes) -> None:
    assert read(tmp_path, pcap(head + ipv4(udp()), link=link))[0] == [WANTED]
    assert read(tmp_path, pcapng(head + ipv4(udp(), options=bytes(8)), link=link))[0] == [WANTED]


def test_ipv6_with_extension_headers(tmp_path: Path) -> None:
    hop_by_hop = bytes([17, 0]) + bytes(6)
    atomic = bytes([17, 0, 0, 0]) + bytes(4)
    packets = [ipv6(udp()), ipv6(udp(), following=0, extension=hop_by_hop), ipv6(udp(), following=44, extension=atomic)]
    found, counters = read(tmp_path, pcap(*packets, link=101))
    assert found == [("2001:db8::7", *WANTED[1:])] * 3
    assert counters == {"packets": 3, "datagrams": 3}


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    packets = [
        ipv4(udp(), protocol=6), ipv4(udp(), fragment=0x2000), ipv4(udp(), fragment=100), ipv4(udp(b"GET /")),
        ipv4(udp(length=2000)), ipv4(udp(length=3)), ipv4(b"\1\2\3"), b"", b"\x45",
        ipv6(udp(), following=44, extension=bytes([17, 0, 0, 9]) + bytes(4)), ipv6(udp(), following=58), b"\x10" * 40,
        ipv4(udp()),
    ]  # fmt: skip
    found, counters = read(tmp_path, pcap(*packets, link=101))
    assert found == [WANTED]
    assert counters == {
        "packets": 13, "datagrams": 1, "not_udp": 3, "fragments": 3, "cut_off": 5, "other_payload": 1,
    }  # fmt: skip
    assert read(tmp_path, pcap(b"abcd", link=147))[1] == {"packets": 1, "unknown_link": 1}
    assert read(tmp_path, pcap(bytes(12) + b"\x08\x06" + bytes(28)))[1] == {"packets": 1, "not_udp": 1}


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_a_file_cut_off_anywhere_gives_what_is_whole(tmp_path: Path, make: object) -> None:
    assert callable(make)
    one, two = make(ipv4(udp()), link=101), make(ipv4(udp()), ipv4(udp()), link=101)
    for size in range(len(one), len(two), 7):
        found, counters = read(tmp_path, two[:size])
        assert found == [WANTED]
        assert counters.get("cut_off", 0) <= 1


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_blocks_end_when_they_are_full(tmp_path: Path, make: object, size: int) -> None:
    assert callable(make)
    found, counters = read(tmp_path, make(*[ipv4(udp(v5(v5_record(), sequence=n))) for n in range(5)], link=101),
                           block_datagrams=size)  # fmt: skip
    assert [payload for *_, payload in found] == [v5(v5_record(), sequence=n) for n in range(5)]
    assert counters == {"packets": 5, "datagrams": 5}


def test_datagrams_larger_than_the_rest_of_a_block_begin_the_next(tmp_path: Path) -> None:
    large = b"\0\5" + bytes(60_000)
    found, _ = read(tmp_path, pcap(*[ipv4(udp(large))] * 3, link=101), block_datagrams=4)
    assert [payload for *_, payload in found] == [large] * 3


def test_other_blocks_of_pcapng_are_passed_over_and_sections_begin_anew(tmp_path: Path) -> None:
    simple = ng_block(3, struct.pack("<I", 4) + b"abcd")
    comment = ng_block(0x0BAD, b"whatever")
    octets = pcapng(ETHERNET + ipv4(udp())) + comment + simple + pcapng(ipv4(udp()), link=101, order=">")
    assert read(tmp_path, octets) == ([WANTED, WANTED], {"packets": 3, "datagrams": 2, "cut_off": 1})


def test_a_packet_of_an_interface_nobody_described_is_counted(tmp_path: Path) -> None:
    octets = pcapng(ETHERNET + ipv4(udp()))
    stray = octets.replace(struct.pack("<II", 0, AT * 10**6 + 250_000 >> 32), struct.pack("<II", 9, 0), 1)
    assert read(tmp_path, stray) == ([], {"packets": 1, "cut_off": 1})


@pytest.mark.parametrize("octets", [b"", b"ab", b"hello world, this is no capture", pcap()[:20], b"PK\3\4" + bytes(90)])
def test_a_file_that_is_no_capture_is_named(tmp_path: Path, octets: bytes) -> None:
    with pytest.raises(CaptureFileError, match=r"file\.pcap"):
        read(tmp_path, octets)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureFileError, match="nothing: No such file"):
        list(CaptureFile(tmp_path / "nothing").blocks())


def test_what_a_tunnel_carries_is_not_taken(tmp_path: Path) -> None:
    octets = pcap(ipv4(ipv4(udp()), protocol=4), ipv4(udp()), link=101)
    assert read(tmp_path, octets) == ([WANTED], {"packets": 2, "datagrams": 1, "not_udp": 1})


def holds(folder: Path, *packets: bytes) -> bool:
    path = folder / "file.pcap"
    path.write_bytes(pcap(*packets, link=101))
    return holds_flow_export(path)


TEMPLATE = template(256, [(8, 4), (1, 4)])


@pytest.mark.parametrize(
    ("payload", "fits"),
    [
        (v5(v5_record()), True), (v5(v5_record(), count=2), False), (struct.pack(">HH", 1, 1) + bytes(64), True),
        (struct.pack(">HH", 7, 1) + bytes(72), True), (struct.pack(">HH", 7, 0) + bytes(20), False),
        (v9(one_set(0, TEMPLATE)), True), (v9(one_set(300, bytes(8))), True), (v9(one_set(7, bytes(8))), False),
        (ipfix(one_set(2, TEMPLATE)), True), (ipfix(one_set(2, TEMPLATE)) + b"?", False),
        (ipfix(one_set(0, TEMPLATE)), False), (sflow_datagram(), True), (b"\0\0\0\5\0\0\0\3" + bytes(40), False),
        (b"\0\5", False),
    ],
)  # fmt: skip
def test_flow_export_is_known_by_the_port_of_collectors_or_by_how_well_it_fits(
    tmp_path: Path, payload: bytes, *, fits: bool
) -> None:
    for port in (2055, 4739, 6343, 9995, 9996):
        assert holds(tmp_path, ipv4(udp(payload, port=port)))
    assert holds(tmp_path, ipv4(udp(payload, port=50_000))) == fits


def test_a_tenth_of_the_packets_makes_a_capture_one_of_flow_export(tmp_path: Path) -> None:
    web, export = ipv4(bytes(20), protocol=6), ipv4(udp())
    assert holds(tmp_path)
    assert holds(tmp_path, *[web] * 9, export)
    assert not holds(tmp_path, *[web] * 10, export)
    assert not holds(tmp_path, *[web] * 4096, *[export] * 4096)  # further on nobody looks
    assert not holds(tmp_path, web)
    assert not holds(tmp_path, ipv4(udp(b"GET / HTTP")))


def test_fragments_count_by_their_first_and_tunnels_not_at_all(tmp_path: Path) -> None:
    assert holds(tmp_path, ipv4(udp(), fragment=0x2000))
    assert not holds(tmp_path, ipv4(udp(), fragment=7))
    assert not holds(tmp_path, ipv4(ipv4(udp()), protocol=4))


@captures.needs_captures
def test_captures_of_devices_are_told_from_captures_of_traffic() -> None:
    flows = [*captures.FLOWS.glob("*.pcap"), *captures.TOOLS.glob("*.pcap")]
    assert [path.name for path in flows if not holds_flow_export(path)] == ["softflowd-python__invalid.pcap"]
    traffic = [path for path in (captures.DATA / "span").glob("*/*.pcap*") if path.parent.name != "ground_truth"]
    assert [path.name for path in traffic if holds_flow_export(path)] == []
