import json
import struct

import pytest

from btimd.capture.wire.elements import IANA_ELEMENTS, Element, element, readable
from tests.capture import captures


@pytest.mark.parametrize(
    ("kind", "octets", "text"),
    [
        ("u32", "0a", 10), ("u64", "ffffffffffffffff", 2**64 - 1), ("u8", "", ""), ("i32", "ffff", -1),
        ("ip4", "0a000001", "10.0.0.1"), ("ip4", "0a", "0a"), ("ip6", "20010db8" + "00" * 11 + "01", "2001:db8::1"),
        ("mac", "0011223344ff", "00:11:22:33:44:ff"), ("str", "657468300000", "eth0"), ("str", "ff", "\ufffd"),
        ("bool", "01", True), ("bool", "02", False), ("bool", "03", "03"), ("oct", "c0ffee", "c0ffee"),
        ("f64", struct.pack(">d", 0.5).hex(), 0.5), ("f64", struct.pack(">f", 0.5).hex(), 0.5),
        ("sec", "6553f100", "2023-11-14T22:13:20.000Z"), ("ms", "0000018bcfe568fa", "2023-11-14T22:13:20.250Z"),
        ("ntp", (1_700_000_000 + 2_208_988_800).to_bytes(4, "big").hex() + "80000000", "2023-11-14T22:13:20.500Z"), ("ntp", "00", "00"), ("ms", "ff" * 8, "ff" * 8),
    ],
)  # fmt: skip
def test_octets_read_as_their_type_or_as_hexadecimal(kind: str, octets: str, text: object) -> None:
    assert readable(kind, bytes.fromhex(octets)) == text


def test_elements_have_their_names_and_reverse_ones_say_so() -> None:
    assert element(0, 8) == Element(0, 8, "sourceIPv4Address", "ip4")
    assert element(29305, 1) == Element(29305, 1, "reverseOctetDeltaCount", "u64")
    assert element(9, 12235) == Element(9, 12235, "9:12235", "oct")
    assert element(0, 9999).name == "0:9999"


def test_names_and_types_of_the_table_are_sound() -> None:
    assert len({found.name for found in IANA_ELEMENTS.values()}) == len(IANA_ELEMENTS) > 450
    kinds = {"u8", "u16", "u32", "u64", "i32", "ip4", "ip6", "mac", "str", "bool", "f64", "oct", "sec", "ms", "ntp"}
    assert {found.type for found in IANA_ELEMENTS.values()} <= kinds


@captures.needs_captures
def test_every_registered_element_of_the_captures_has_a_name() -> None:
    nameless = set()
    for path in captures.flow_captures():
        for line in path.with_name(f"{path.stem}.golden.jsonl").read_text().splitlines():
            for enterprise, number, _ in json.loads(line).get("fields", []):
                if enterprise == 0 and 0 < number < 1000 and ":" in element(0, number).name:
                    nameless.add(number)
    assert nameless == {65, 99} - set(IANA_ELEMENTS)
