import struct

import pytest

from btimd.capture.wire.readings import readable


@pytest.mark.parametrize(
    ("kind", "octets", "text"),
    [
        ("u32", "0a", 10), ("u64", "ffffffffffffffff", 2**64 - 1), ("u8", "", ""), ("i32", "ffff", -1),
        ("u256", "00" * 31 + "01", "00" * 31 + "01"), ("u256", "05", 5), ("i8", "80", -128),
        ("ip4", "0a000001", "10.0.0.1"), ("ip4", "0a", "0a"), ("ip6", "20010db8" + "00" * 11 + "01", "2001:db8::1"),
        ("mac", "0011223344ff", "00:11:22:33:44:ff"), ("mac", "00", "00"),
        ("str", "657468300000", "eth0"), ("str", "65746830202000", "eth0"), ("str", "ff", "\ufffd"), ("str", "", ""),
        ("bool", "01", True), ("bool", "02", False), ("bool", "03", "03"), ("oct", "c0ffee", "c0ffee"),
        ("f64", struct.pack(">d", 0.5).hex(), 0.5), ("f32", struct.pack(">f", 0.5).hex(), 0.5),
        ("f64", "7ff0000000000000", "inf"), ("f64", "7ff8000000000000", "nan"), ("f64", "00", "00"),
        ("stl", "00d005", "00d005"),
    ],
)  # fmt: skip
def test_octets_read_as_their_type_or_as_hexadecimal(kind: str, octets: str, text: object) -> None:
    assert readable(kind, bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("kind", "octets", "text"),
    [
        ("sec", "6553f100", "2023-11-14T22:13:20.000Z"), ("ms", "0000018bcfe568fa", "2023-11-14T22:13:20.250Z"),
        ("us", (1_700_000_000 + 2_208_988_800).to_bytes(4, "big").hex() + "80000000", "2023-11-14T22:13:20.500Z"),
        ("ns", "0000000000000000", "2036-02-07T06:28:16.000Z"), ("us", "00", "00"), ("ms", "ff" * 8, "ff" * 8),
        ("ms", "", ""), ("seconds", "3c", "60 s"), ("milliseconds", "00004001", "16.385 s"),
        ("microseconds", "01", "0.000001 s"), ("nanoseconds", "ffffffffffffffff", "18446744073.709551615 s"),
        ("milliseconds", "", ""), ("milliseconds", "00" * 9, "00" * 9),
    ],
)  # fmt: skip
def test_times_and_durations(kind: str, octets: str, text: object) -> None:
    assert readable(kind, bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("kind", "octets", "text"),
    [
        ("protocol", "06", "TCP (6)"), ("protocol", "fd", 253), ("protocol", "", ""),
        ("tcpflags", "12", "SYN ACK (0x12)"), ("tcpflags", "5012", "SYN ACK (0x5012)"), ("tcpflags", "00", "none (0x0)"),
        ("tcpflags", "", ""), ("direction", "01", "egress (1)"), ("endreason", "03", "end of flow detected (3)"),
        ("forwarding", "40", "forwarded (64)"), ("forwarding", "00000081", "dropped, ACL deny (129)"),
        ("forwarding", "c3", "consumed, for us (195)"), ("forwarding", "0100", "0100"), ("forwarding", "", ""),
        ("natevent", "04", "NAT44 session create (4)"), ("natevent", "63", 99), ("fwevent", "05", "update (5)"),
        ("fwext", "03e9", "denied by an ingress ACL (1001)"), ("mpls", "05dc01", "24000 exp 0 bottom"),
        ("mpls", "05dc0a", "24000 exp 5"), ("mpls", "05", "05"),
        ("application", "0d0001b1", "13:433"), ("application", "14000030440000005f", "20:12356:95"),
        ("application", "14000030", "20:48"), ("application", "05", "05"), ("application", "", ""),
        ("rd", "0000fde800000064", "65000:100"), ("rd", "00010a0000010064", "10.0.0.1:100"),
        ("rd", "000200010000000a", "65536:10"), ("rd", "0009000000000000", "0009000000000000"), ("rd", "00", "00"),
        ("acl", "0f8e7ff3fc1a030f00000000", "0f8e7ff3-fc1a030f-00000000"), ("acl", "00", "00"),
        ("cpid", "08c3", "forwarding exception 0xc3"), ("cpid", "0c0fffff", "forwarding next hop 0xfffff"),
        ("cpid", "00", "00"), ("cpid", "0000", "0000"),
    ],
)  # fmt: skip
def test_codes_read_as_words_with_their_number(kind: str, octets: str, text: object) -> None:
    assert readable(kind, bytes.fromhex(octets)) == text
