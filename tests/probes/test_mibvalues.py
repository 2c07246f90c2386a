"""Values of MIB tables, as devices send them and as they should not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes import mibvalues


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"sw1", "sw1"),
        (b"sw1\0", "sw1"),
        (b"Room 1\r\nRack 2", "Room 1 Rack 2"),
        ("北京".encode(), "北京"),
        (b"\xff\xfe\x1b[31mred", "\ufffd\ufffd [31mred"),
        (b"x" * 1000, "x" * 255),
        (b"", ""),
        (5, ""),
        (None, ""),
    ],
)
def test_text_is_one_clean_line(value: bytes | int | None, expected: str) -> None:
    assert mibvalues.text(value) == expected


def test_macs_are_six_octets() -> None:
    assert mibvalues.mac(bytes.fromhex("0242ac110002")) == "0242ac110002"
    assert [mibvalues.mac(value) for value in (bytes(6), b"", b"12345", bytes(8), 7, None)] == [""] * 6


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bytes.fromhex("0242ac110002"), "0242ac110002"),
        (b"02:42:AC:11:00:02", "0242ac110002"),
        (b"0242-ac11-0002", "0242ac110002"),
        (b"0242.ac11.0002", "0242ac110002"),
        (b"switch", "switch"),
        (b"core-1.example", "core-1.example"),
        (None, ""),
    ],
)
def test_ids_that_are_macs_are_recognised(value: bytes | None, expected: str) -> None:
    assert mibvalues.text_or_mac(value) == expected


def test_lldp_ids_follow_their_subtype() -> None:
    def of(subtype: int, value: bytes) -> str:
        return mibvalues.lldp_id(subtype, value, mac_subtype=4, address_subtype=5)

    assert of(4, b"abcdef") == "616263646566"
    assert of(7, b"abcdef") == "abcdef"
    assert of(5, b"\x01\x0a\x00\x00\x01") == "10.0.0.1"
    assert of(5, b"\x02" + bytes(15) + b"\x01") == "::1"
    assert of(5, b"\x01\x0a\x00") == "\ufffd" or of(5, b"\x01\x0a\x00") == ""


def test_inet_addresses_in_indexes() -> None:
    assert mibvalues.take_inet((1, 4, 10, 0, 0, 1, 9), 0) == ("10.0.0.1", 6)
    assert mibvalues.take_inet((7, 2, 16, *bytes(15), 1), 1) == ("::1", 19)
    assert mibvalues.take_inet((4, 20, 254, 128, *bytes(13), 1, 0, 0, 0, 2), 0) == ("fe80::1", 22)
    assert [
        mibvalues.take_inet(index, 0)
        for index in ((), (1,), (1, 4, 10, 0, 0), (1, 4, 10, 0, 0, 256), (1, 5, 1, 2, 3, 4, 5), (9, 4, 1, 2, 3, 4))
    ] == [None] * 6


def test_masks_and_prefixes() -> None:
    assert [mibvalues.mask_length(mask) for mask in ("255.255.255.0", "0.0.0.0", "255.0.255.0", None)] == [
        24,
        0,
        None,
        None,
    ]
    assert mibvalues.prefix_of("10.1.2.3", 16) == "10.1.0.0/16"
    assert mibvalues.prefix_of("2001:db8::1", 32) == "2001:db8::/32"
    assert mibvalues.prefix_of("10.1.2.3", 33) is None


@given(st.one_of(st.none(), st.integers(), st.binary(), st.lists(st.integers()).map(tuple)))
def test_no_value_raises(value: int | bytes | tuple[int, ...] | None) -> None:
    assert isinstance(mibvalues.text(value), str)
    assert isinstance(mibvalues.mac(value), str)
    assert isinstance(mibvalues.text_or_mac(value), str)
    assert isinstance(mibvalues.lldp_id(value, value, mac_subtype=4, address_subtype=5), str)
    assert mibvalues.text(value).isprintable()


@given(st.lists(st.integers(-5, 300), max_size=30).map(tuple), st.integers(0, 5))
def test_no_index_raises(index: tuple[int, ...], start: int) -> None:
    mibvalues.take_inet(index, start)
    mibvalues.ipv4_of(index)
    mibvalues.mac_of(index)
    mibvalues.single(index)
