import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.pcapng import (
    LINK_TYPES,
    Outline,
    interface_block,
    outline,
    packet_block,
    section_block,
    with_tag,
)
from tests.capture.test_replay import PAYLOAD, ipv4, udp
from tests.programs import need

AT = 1_700_000_000_123_456_789
MACS = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
FRAME = MACS + b"\x08\x00" + ipv4(udp())


def test_a_section_says_where_it_was_made() -> None:
    assert section_block() == bytes.fromhex("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000")
    assert section_block(hardware="x", system="Linux", application="btimd") == (
        bytes.fromhex("0a0d0d0a 40000000 4d3c2b1a 0100 0000 ffffffffffffffff")
        + b"\x02\0\x01\0x\0\0\0" + b"\x03\0\x05\0Linux\0\0\0" + b"\x04\0\x05\0btimd\0\0\0" + bytes(4)
        + bytes.fromhex("40000000")
    )  # fmt: skip


def test_a_text_too_long_is_cut_off_between_characters() -> None:
    block = section_block(hardware="é" * 200)
    assert block[24:28] == struct.pack("<HH", 2, 254)
    assert len(block) % 4 == 0


def test_an_interface_counts_time_in_nanoseconds() -> None:
    assert interface_block("span0", 1) == (
        bytes.fromhex("01000000 2c000000 0100 0000 00000000")
        + b"\x02\0\x05\0span0\0\0\0" + b"\x09\0\x01\0\x09\0\0\0" + bytes(4)
        + bytes.fromhex("2c000000")
    )  # fmt: skip


def test_a_packet_says_how_long_it_was() -> None:
    assert packet_block(1, AT, b"abcde", 1514) == (
        struct.pack("<IIIIIII", 6, 40, 1, AT >> 32, AT & 0xFFFFFFFF, 5, 1514) + b"abcde\0\0\0" + struct.pack("<I", 40)
    )
    assert packet_block(1, AT, b"abcde", 0)[20:28] == struct.pack("<II", 5, 5)


def test_a_tag_that_the_card_took_off_is_put_back() -> None:
    tagged = with_tag(FRAME, 0x8100_0064)
    assert tagged == MACS + b"\x81\x00\x00\x64" + FRAME[12:]
    assert with_tag(FRAME, 0) == FRAME
    assert with_tag(FRAME[:11], 0x8100_0064) == FRAME[:11]


def test_a_file_tells_what_it_holds_and_damage_ends_it() -> None:
    packets = [packet_block(0, time, FRAME, 2000) for time in (AT + 7, AT, AT + 9)]
    octets = section_block() + interface_block("a", 1) + b"".join(packets)

    assert outline(octets) == Outline(3, AT, AT + 9)
    assert outline(octets[:-1]) == Outline(2, AT, AT + 7)
    assert outline(b"") == Outline()
    assert outline(b"\xff" * 400) == Outline()
    assert outline(bytes(400)) == Outline()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(
        section_block(system="Linux", application="btimd")
        + interface_block("a", LINK_TYPES[1])
        + interface_block("b", LINK_TYPES[11])
        + packet_block(0, AT, with_tag(FRAME, 0x88A8_0007), 2000)
        + packet_block(1, AT + 1, ipv4(udp()), 0)
    )
    (block,) = CaptureFile(path).blocks()

    assert block.slab.tobytes() == PAYLOAD * 2
    assert np.array_equal(block.arrival_milliseconds, [AT // 1_000_000] * 2)


@pytest.mark.slow
def test_tshark_and_capinfos_read_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(
        section_block(hardware="x86_64", system="Linux 6", application="btimd 1")
        + interface_block("span0", LINK_TYPES[1])
        + interface_block("span1", LINK_TYPES[12])
        + packet_block(0, AT, with_tag(FRAME, 0x8100_0064), 2000)
        + packet_block(1, AT + 1, ipv4(udp()), 0)
    )
    fields = (
        "frame.time_epoch",
        "frame.interface_name",
        "frame.len",
        "frame.cap_len",
        "vlan.id",
        "ip.src",
        "udp.dstport",
    )
    shown = subprocess.run(
        [need("tshark"), "-n", "-r", path, "-T", "fields", *(part for each in fields for part in ("-e", each))],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    about = subprocess.run([need("capinfos"), path], capture_output=True, text=True, check=True).stdout

    assert [line.split("\t") for line in shown.splitlines()] == [
        ["1700000000.123456789", "span0", "2000", str(len(FRAME) + 4), "100", "192.0.2.7", "2055"],
        ["1700000000.123456790", "span1", str(len(FRAME) - 14), str(len(FRAME) - 14), "", "192.0.2.7", "2055"],
    ]
    lines = [" ".join(line.split()) for line in about.splitlines()]
    for line in (
        "Capture hardware: x86_64", "Capture oper-sys: Linux 6", "Capture application: btimd 1",
        "Number of packets: 2", "Name = span0", "Name = span1",
    ):  # fmt: skip
        assert line in lines
