import os
import struct
import threading
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.packetfile import CaptureFileError, PacketFile
from btimd.kernels import headers, packetfile
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS, F_TAG, F_TIME
from tests.capture import captures
from tests.capture.spanfiles import frames_of
from tests.capture.test_replay import AT, ng_block, pcap, pcapng

Packet = tuple[bytes, int, int, int, int]
STAMP = AT * 1_000_000_000 + 250_000_000
ETHERNET = headers.LINK_ETHERNET
ONE, TWO = bytes(range(60)), bytes(range(100, 170))
SPAN = sorted(
    path
    for path in (captures.DATA / "span").glob("*/*")
    if path.parent.name != "ground_truth" and path.suffix in {".pcap", ".pcapng", ".cap"}
)


def write(folder: Path, octets: bytes) -> Path:
    path = folder / "file.pcap"
    path.write_bytes(octets)
    return path


def packets_of(file: PacketFile) -> list[Packet]:
    """Return (octets, length on the wire, time, link type, tag) of every packet."""
    found = []
    for block in file.blocks():
        assert block.frames.flags.c_contiguous
        for column in block.frames.T.tolist():
            octets = block.slab[column[F_AT] : column[F_END]].tobytes()
            found.append((octets, column[F_OCTETS], column[F_TIME], column[F_LINK], column[F_TAG]))
    return found


def read(folder: Path, octets: bytes, **given: int) -> tuple[list[Packet], dict[str, int]]:
    """Return the packets of a file, and the counters that moved."""
    file = PacketFile(write(folder, octets), **given)
    return packets_of(file), {name: value for name, value in asdict(file.counters).items() if value}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 250_000), (0xA1B23C4D, 250_000_000)])
def test_packets_of_pcap(tmp_path: Path, order: str, magic: int, fraction: int) -> None:
    octets = pcap(ONE, TWO, order=order, magic=magic, fraction=fraction)
    assert read(tmp_path, octets) == (
        [(ONE, 60, STAMP, ETHERNET, 0), (TWO, 70, STAMP, ETHERNET, 0)], {"packets": 2},
    )  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
def test_packets_of_pcapng(tmp_path: Path, order: str) -> None:
    octets = pcapng(ONE, order=order) + ng_block(5, bytes(12), order) + pcapng(TWO, link=101)
    assert read(tmp_path, octets) == (
        [(ONE, 60, STAMP, ETHERNET, 0), (TWO, 70, STAMP, headers.LINK_IPV4, 0)], {"packets": 2, "other_blocks": 1},
    )  # fmt: skip


def test_pcap_with_the_longer_record_header_of_old_linux(tmp_path: Path) -> None:
    octets = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for packet in (ONE, TWO):
        octets += struct.pack("<IIIIIHBB", AT, 250_000, len(packet), 1514, 3, 0x800, 0, 0) + packet
    assert [packet[:3] for packet in read(tmp_path, octets)[0]] == [(ONE, 1514, STAMP), (TWO, 1514, STAMP)]


def test_the_link_type_is_read_without_the_length_of_the_check_sum(tmp_path: Path) -> None:
    assert [packet[3] for packet in read(tmp_path, pcap(ONE, link=0x2400_0001))[0]] == [ETHERNET]


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("buffer_octets", [1, 7, 64, 4096])
@pytest.mark.parametrize("block_packets", [1, 3, 64])
def test_it_does_not_matter_where_pieces_and_blocks_end(
    tmp_path: Path, make: object, buffer_octets: int, block_packets: int
) -> None:
    assert callable(make)
    packets = [bytes([number]) * (number * 5) for number in range(40)]
    found, counters = read(tmp_path, make(*packets), buffer_octets=buffer_octets, block_packets=block_packets)
    assert [packet[0] for packet in found] == packets
    assert counters == {"packets": 40}


def test_blocks_hold_what_was_asked_for_at_most(tmp_path: Path) -> None:
    path = write(tmp_path, pcap(*[ONE] * 10))
    assert [len(block) for block in PacketFile(path, block_packets=4).blocks()] == [4, 4, 2]


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_a_file_cut_off_at_any_octet_gives_what_is_whole(tmp_path: Path, make: object) -> None:
    assert callable(make)
    ends = [len(make()), len(make(ONE)), len(make(ONE, TWO))]
    for size in range(ends[0], ends[2] + 1):
        found, counters = read(tmp_path, make(ONE, TWO)[:size], buffer_octets=100)
        whole = sum(size >= end for end in ends[1:])
        assert [packet[0] for packet in found] == [ONE, TWO][:whole]
        assert counters == {name: count for name, count in
                            (("packets", whole), ("cut_off", int(size not in ends))) if count}  # fmt: skip


def test_what_contradicts_itself_is_counted(tmp_path: Path) -> None:
    long = struct.pack("<IIII", AT, 250_000, packetfile.MOST_CAPTURED + 1, 9) + bytes(packetfile.MOST_CAPTURED + 1)
    short = struct.pack("<IIII", AT, 250_000, 60, 9) + ONE
    octets = pcap(ONE) + long + short + struct.pack("<IIII", AT, 0, 1 << 31, 9) + bytes(100)
    assert read(tmp_path, octets, buffer_octets=1000) == (
        [(ONE, 60, STAMP, ETHERNET, 0)] * 2, {"packets": 2, "short_wire_length": 1, "too_long": 1, "cut_off": 1},
    )  # fmt: skip


def test_what_contradicts_itself_in_pcapng_is_counted(tmp_path: Path) -> None:
    lie = ng_block(6, struct.pack("<IIIII", 0, 0, 0, 900, 900) + ONE)
    stray = ng_block(6, struct.pack("<IIIII", 7, 0, 0, 60, 60) + ONE)
    simple = ng_block(3, struct.pack("<I", 60) + ONE)
    long = ng_block(5, bytes(packetfile.MOST_BLOCK))
    nothing = struct.pack("<II", 6, 13) + bytes(90)
    octets = pcapng(ONE) + lie + stray + simple + long + pcapng(ONE, link=147) + nothing
    found, counters = read(tmp_path, octets, buffer_octets=1000)
    assert found == [(ONE, 60, STAMP, ETHERNET, 0)] * 2 + [(ONE, 60, STAMP, headers.LINK_UNKNOWN, 0)]
    assert counters == {
        "packets": 3, "simple_packets": 1, "unknown_link": 1, "bad_blocks": 2, "unknown_interface": 1, "too_long": 1,
        "unread_octets": len(nothing),
    }  # fmt: skip
    assert PacketFile(tmp_path / "file.pcap").counters.lost_packets == 0


def test_a_pipe_will_do(tmp_path: Path) -> None:
    path, octets = tmp_path / "pipe", pcap(*[ONE, TWO] * 900)
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(octets,))
    writer.start()
    assert [packet[0] for packet in packets_of(PacketFile(path))] == [ONE, TWO] * 900
    writer.join()


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "is empty; give a pcap or pcapng file"),
        (b"hello", "begins with 68656c6c6f, which is neither pcap nor pcapng; record one with tcpdump -w"),
        (pcap()[:20], "which is neither pcap nor pcapng"),
        (b"\x1f\x8b\x08" + bytes(30), r"is compressed \(gzip\); unpack it first: gunzip .*file\.pcap"),
        (b"\x28\xb5\x2f\xfd" + bytes(30), r"is compressed \(zstd\); unpack it first: unzstd .*file\.pcap"),
        (b"\x0a\x0d\x0d\x0a" + bytes(30), "octets 8 to 11, 00000000, tell no byte order; record it again"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_capture_is_named(tmp_path: Path, octets: bytes, said: str) -> None:
    with pytest.raises(CaptureFileError, match=rf"file\.pcap .*{said}"):
        read(tmp_path, octets)


def test_a_folder_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(CaptureFileError, match=f"cannot read {tmp_path}: Is a directory"):
        packets_of(PacketFile(tmp_path))


@captures.needs_captures
@pytest.mark.parametrize("path", SPAN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_captures_of_many_kinds_are_walked_as_in_plain_python(path: Path) -> None:
    expected = frames_of(path)
    found = packets_of(PacketFile(path, block_packets=1000, buffer_octets=50_000))
    rows = expected.frames[[F_AT, F_END, F_OCTETS, F_LINK]].T.tolist()
    assert [(octets, wire, link) for octets, wire, _, link, _ in found] == [
        (expected.slab[at:end].tobytes(), wire, link) for at, end, wire, link in rows
    ]
    assert np.all(np.array([time for *_, time, _, _ in found]) >= 0)
