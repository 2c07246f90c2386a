import struct
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels import headers, packets
from btimd.kernels import packetfile as pf
from btimd.kernels.headers import link_of_linktype
from btimd.kernels.packetlayout import FRAME_ROWS
from tests.kernels import oracle_packetfile as oracle

WHY = {"more": pf.MORE, "too long": pf.TOO_LONG, "lost": pf.LOST}
NAMES = {
    "packets": pf.C_PACKETS, "simple": pf.C_SIMPLE, "unknown link": pf.C_UNKNOWN_LINK,
    "short wire length": pf.C_WIRE_LENGTH, "bad block": pf.C_BAD_BLOCK, "unknown interface": pf.C_UNKNOWN_INTERFACE,
    "other block": pf.C_OTHER_BLOCK,
}  # fmt: skip
UNKNOWN_LINKTYPE = 147
ORDERS = st.sampled_from("<>")


class Walker:
    """A kernel called as its reader calls it, over the whole of a file."""

    def __init__(self, data: bytes, room: int) -> None:
        self.data = np.frombuffer(data, np.uint8).copy()
        self.frames = np.full((FRAME_ROWS, room), -7, np.int64)
        self.state = np.zeros(pf.STATE_SIZE, np.int64)
        self.state[pf.X_LITTLE] = -1
        self.counts = np.zeros(pf.COUNTS, np.int64)
        self.interfaces = np.zeros((pf.MOST_INTERFACES, pf.I_SIZE), np.int64)

    def pcap(self, order: str, header: int, unit: int, link: int) -> oracle.Walked:
        form = int(order == "<"), header, unit, link
        return self._all(lambda: pf.walk_pcap(self.data, len(self.data), *form, self.state, self.counts, self.frames))

    def pcapng(self) -> oracle.Walked:
        return self._all(
            lambda: pf.walk_pcapng(
                self.data, len(self.data), self.interfaces, self.state, self.counts, self.frames
            )
        )  # fmt: skip

    def _all(self, step: Any) -> oracle.Walked:
        found = oracle.Walked(why="")
        while not found.why:
            before = int(self.state[pf.X_AT])
            why = step()
            assert why != pf.FULL or self.state[pf.X_PACKETS] == self.frames.shape[1]
            assert why != pf.FULL or self.state[pf.X_AT] > before  # it always moves on
            for at, end, octets, time, link, tag in self.frames[:, : self.state[pf.X_PACKETS]].T.tolist():
                assert tag == 0
                found.packets.append((at, end, octets, time, link))
            found.why = {value: name for name, value in WHY.items()}.get(why, "")
        found.at = int(self.state[pf.X_AT])
        found.counts = Counter({name: int(self.counts[index]) for name, index in NAMES.items()})
        return found


def expected(found: oracle.Walked) -> oracle.Walked:
    """Return what the oracle found, with the kernels' numbers of link types."""
    found.packets = [
        (at, end, octets, time, link_of_linktype(link) if link >= 0 else -1)
        for at, end, octets, time, link in found.packets
    ]
    found.counts["unknown link"] = sum(link < 0 for *_, link in found.packets)
    return found


def block(order: str, kind: int, body: bytes, *, trailer: int | None = None, length: int | None = None) -> bytes:
    """Return a block of pcapng; `length` and `trailer` may lie."""
    body += bytes(-len(body) % 4)
    size = 12 + len(body) if length is None else length
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size if trailer is None else trailer)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(order: str, link: int = 1, snap: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(f"{order}HHI", link, 0, snap) + options)


def enhanced(order: str, octets: bytes, stamp: int = 0, *, number: int = 0, wire: int | None = None,
             captured: int | None = None, old: bool = False) -> bytes:  # fmt: skip
    lengths = (len(octets) if captured is None else captured, len(octets) if wire is None else wire)
    first = struct.pack(f"{order}HH", number, 9) if old else struct.pack(f"{order}I", number)
    head = first + struct.pack(f"{order}IIII", stamp >> 32 & 0xFFFF_FFFF, stamp & 0xFFFF_FFFF, *lengths)
    return block(order, 2 if old else 6, head + octets)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file as it is, or cut off, or with octets changed."""
    data = bytearray(whole)
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 3]))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.sampled_from([0, 1, 4, 0x7F, 0x80, 0xFF]))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@st.composite
def blocks(draw: st.DrawFn, order: str) -> bytes:
    """One block behind a section header."""
    octets = draw(st.binary(max_size=40))
    number = draw(st.integers(0, 2))
    kind = draw(st.sampled_from(["interface", "packet", "packet", "packet", "old", "simple", "other", "lie"]))
    if kind == "interface":
        options = b"".join(
            draw(
                st.lists(
                    st.one_of(
                        st.binary(min_size=1, max_size=1).map(lambda value: option(order, 9, value)),
                        st.sampled_from([0, 3, 6, 9, 12, 18, 19, 0x80, 0x94, 0x9E, 0x9F, 0xBE, 0xBF]).map(
                            lambda value: option(order, 9, bytes([value]))
                        ),
                        st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-4 * 10**9, 4 * 10**9)).map(
                            lambda value: option(order, 14, struct.pack(f"{order}q", value))
                        ),
                        st.binary(max_size=9).map(lambda value: option(order, 2, value)),
                        st.just(option(order, 0, b"")),
                    ),
                    max_size=3,
                )
            )
        )
        link = draw(st.sampled_from([0, 1, 101, 113, 276, UNKNOWN_LINKTYPE]))
        return interface(order, link, draw(st.sampled_from([0, 7, 65_535])), options)
    if kind in {"packet", "old"}:
        stamp = draw(st.one_of(st.integers(0, (1 << 64) - 1), st.integers(0, 2 * 10**18)))
        wire = draw(st.sampled_from([None, 0, 1514, 0xFFFF_FFFF]))
        captured = draw(st.sampled_from([None, None, None, 0, 41, 0xFFFF_FFFF]))
        return enhanced(order, octets, stamp, number=number, wire=wire, captured=captured, old=kind == "old")
    if kind == "simple":
        return block(order, 3, struct.pack(f"{order}I", draw(st.integers(0, 60))) + octets)
    if kind == "other":
        return block(order, draw(st.sampled_from([0, 4, 5, 10, 0xBAD, 0x4000_0BAD])), octets)
    return block(order, draw(st.sampled_from([1, 2, 3, 6])), octets, trailer=draw(st.sampled_from([None, 12])))


@st.composite
def pcapng_files(draw: st.DrawFn) -> bytes:
    data = b""
    for order in draw(st.lists(ORDERS, max_size=3)):
        data += section(order) + (interface(order) if draw(st.booleans()) else b"")
        data += b"".join(draw(st.lists(blocks(order), max_size=6)))
    return draw(damaged(data))


@given(data=pcapng_files(), room=st.integers(1, 4))
@settings(max_examples=200)
def test_pcapng_is_walked_as_in_plain_python(data: bytes, room: int) -> None:
    assert Walker(data, room).pcapng() == expected(oracle.walk_pcapng(data))


RECORDS = st.lists(
    st.tuples(
        st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=40),
        st.sampled_from([None, 0, 1514, 2**32 - 1]), st.sampled_from([0, 0, 0, 0, 1, 2**18, 2**31]),
    ),
    max_size=6,
)  # fmt: skip


@given(
    order=ORDERS, header=st.sampled_from([16, 24]), unit=st.sampled_from([1, 1000]), room=st.integers(1, 4),
    link=st.sampled_from([1, 101, UNKNOWN_LINKTYPE]), records=RECORDS, draw=st.data(),
)  # fmt: skip
@settings(max_examples=200)
def test_pcap_is_walked_as_in_plain_python(
    order: str, header: int, unit: int, room: int, link: int,
    records: list[tuple[int, int, bytes, int | None, int]], draw: st.DataObject,
) -> None:  # fmt: skip
    data = b""
    for seconds, fraction, octets, wire, more in records:
        lengths = (len(octets) + more, len(octets) if wire is None else wire)
        data += struct.pack(f"{order}IIII", seconds, fraction, *lengths) + bytes(header - 16) + octets
    data = draw.draw(damaged(data))
    assert Walker(data, room).pcap(order, header, unit, link_of_linktype(link)) == expected(
        oracle.walk_pcap(data, order, header, unit, link)
    )


@given(data=st.binary(max_size=200), order=ORDERS)
def test_anything_at_all_is_walked_as_in_plain_python(data: bytes, order: str) -> None:
    with_section = section(order) + interface(order) + data
    assert Walker(with_section, 2).pcapng() == expected(oracle.walk_pcapng(with_section))
    assert Walker(data, 2).pcap(order, 16, 1, 1) == expected(oracle.walk_pcap(data, order, 16, 1, 1))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "stamp", "time"),
    [
        ([], 1_700_000_000_250_000, 1_700_000_000_250_000_000),
        ([(9, b"\x09")], 1_700_000_000_250_000_001, 1_700_000_000_250_000_001),
        ([(9, b"\x00")], 1_700_000_000, 1_700_000_000_000_000_000),
        ([(9, b"\x0a")], 17_000_000_002_500_000_019, None),  # above 63 bits
        ([(9, b"\x0a")], 9_000_000_000_000_000_019, 900_000_000_000_000_001),
        ([(9, b"\x94")], (1_700_000_000 << 20) + (1 << 18), 1_700_000_000_250_000_000),
        ([(9, b"\x13")], 5, None),
        ([(9, b"\xbf")], 5, None),
        ([(2, b"eth0"), (14, (1_699_999_999).to_bytes(8, "big"))], 1_250_000, 1_700_000_000_250_000_000),
        ([(14, (-1).to_bytes(8, "big", signed=True))], 1_700_000_001_250_000, 1_700_000_000_250_000_000),
        ([(14, (-1).to_bytes(8, "big", signed=True))], 5, None),
        ([(14, (5_000_000_000).to_bytes(8, "big"))], 5, None),
    ],
)  # fmt: skip
def test_times_have_the_resolution_and_offset_of_their_interface(
    order: str, options: list[tuple[int, bytes]], stamp: int, time: int | None
) -> None:
    given_options = b"".join(
        option(order, code, value[:: 1 if order == ">" or code == 2 else -1]) for code, value in options
    )
    found = Walker(
        section(order) + interface(order, options=given_options) + enhanced(order, b"abcd", stamp), 4
    ).pcapng()
    assert [packet[3] for packet in found.packets] == ([] if time is None else [time])


def test_a_simple_packet_has_the_time_of_the_one_before_and_its_interfaces_most_octets() -> None:
    simple = block("<", 3, struct.pack("<I", 900) + b"abcdefgh")
    data = section("<") + interface("<", snap=6) + simple + enhanced("<", b"ab", 5, wire=60) + simple
    found = Walker(data, 8).pcapng()
    assert [(end - at, octets, time) for at, end, octets, time, _ in found.packets] == [
        (6, 900, 0), (2, 60, 5000), (6, 900, 5000),
    ]  # fmt: skip
    assert +found.counts == {"packets": 3, "simple": 2}


def test_interfaces_beyond_the_most_are_not_kept() -> None:
    data = section("<") + interface("<") * (pf.MOST_INTERFACES + 3)
    data += enhanced("<", b"ab", number=pf.MOST_INTERFACES - 1) + enhanced("<", b"ab", number=pf.MOST_INTERFACES)
    assert +Walker(data, 8).pcapng().counts == {"packets": 1, "unknown interface": 1}


def test_an_interface_too_long_to_be_read_keeps_its_number() -> None:
    head, tail = section("<") + interface("<"), interface("<") + enhanced("<", b"ab", number=2)
    data = head + block("<", 1, bytes(pf.MOST_BLOCK)) + tail
    walker = Walker(data, 8)
    assert walker.pcapng().why == "too long"
    assert walker.state[pf.X_AT] == len(data) - len(tail)
    assert walker.pcapng().packets[0][:2] == (len(data) - 8, len(data) - 6)


def frame_index(*rows: tuple[int, int, int]) -> npt.NDArray[np.int64]:
    frames = np.zeros((FRAME_ROWS, len(rows)), np.int64)
    for column, (at, end, link) in enumerate(rows):
        frames[:, column] = at, end, end - at, 0, link, 0
    return frames


def test_packets_are_read_for_who_has_no_kernel() -> None:
    packet = bytes.fromhex("45000020000040004011000001020304050607080035303900140000") + bytes(4)
    slab = np.frombuffer(b"??" + packet, np.uint8)
    frames = frame_index((2, 34, headers.LINK_IPV4), (2, 34, -1), (2, 12, headers.LINK_IPV4))
    out, statuses = np.full((3, packets.PACKET_SIZE), -7, np.int64), np.zeros(3, np.int64)
    pf.read_packets(slab, frames, out, statuses)
    assert statuses.tolist() == [headers.PORTS, headers.NO_ADDRESSES, headers.NO_ADDRESSES]
    assert out[0, [headers.H_SOURCE_PORT, headers.H_DESTINATION_PORT]].tolist() == [53, 12345]
    assert out[:, headers.H_FAULT].tolist() == [headers.NO_FAULT, headers.NOT_IP, headers.CUT_OFF]
