import json
import subprocess
import sys
from collections.abc import Iterator

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.elements import Element, element, is_named, readable, registered, scope_name
from btimd.capture.wire.records import FieldRecord, RawDecoder
from btimd.model.address import address_text
from tests.capture import captures

# Fields of the captures nobody published a name for.
NAMELESS = {
    (0, 0): "an exporter that fills its template with type 0 and length 0; 0 is reserved",
    (5951, 329): "Citrix lists elements up to 269; seen empty or zero",
    (5951, 330): "Citrix lists elements up to 269; seen empty or zero",
    (5951, 331): "Citrix lists elements up to 269; seen empty or zero",
    (5951, 332): "Citrix lists elements up to 269; seen empty or zero",
}


def test_elements_have_their_names_and_reverse_ones_say_so() -> None:
    assert element(0, 8) == Element(0, 8, "sourceIPv4Address", "ip4")
    assert element(0, 1) == Element(0, 1, "octetDeltaCount", "u64", "octets")
    assert element(0, 4) == Element(0, 4, "protocolIdentifier", "u8", "", "protocol")
    assert element(29305, 1) == Element(29305, 1, "reverseOctetDeltaCount", "u64", "octets")
    assert element(0, 9999) == Element(0, 9999, "0:9999", "oct")
    assert element(29305, 9999).name == "29305:9999"
    assert not is_named(0, 9999)


def test_elements_of_vendors_have_the_vendor_in_front() -> None:
    assert element(9, 12242) == Element(9, 12242, "cisco:connectionId", "u32")
    assert element(5951, 128) == Element(5951, 128, "netscaler:roundTripTime", "u32", "milliseconds")
    assert element(6871, 40).name == "cert:flowAttributes"
    assert element(6871, 40 | 0x4000) == Element(6871, 40 | 0x4000, "cert:reverseFlowAttributes", "u16")
    assert element(35632, 123).name == "ntop:CLIENT_NW_LATENCY_MS"


def test_vendor_types_of_v9_are_the_vendors_elements_under_another_number() -> None:
    assert element(0, 57590) == Element(0, 57590, "ntop:L7_PROTO", element(35632, 118).type)
    assert element(0, 40000).name == "cisco:userName"
    assert element(0, 37019) == Element(0, 37019, "cisco:transportPacketsLostCounter", "u64", "packets")
    assert element(9, 4232).name == element(0, 37000).name == "cisco:packetsDropped"
    assert element(9, 23933).name == "9:23933"  # 56701 is a type of another vendor
    assert element(0, 56701).name == "paloalto:appId"
    assert element(0, 65).name == "vendorProprietary65"


def test_how_an_element_reads_follows_from_its_meaning_unit_and_type() -> None:
    kinds = {name: element(0, number).kind for number, name in ((6, "flags"), (161, "duration"), (1, "octets"))}
    assert kinds == {"flags": "tcpflags", "duration": "milliseconds", "octets": "u64"}
    assert element(0, 152).kind == "ms"
    assert element(0, 36).kind == "seconds"
    assert readable(element(0, 21).kind, bytes.fromhex("00004001")) == "16.385 s"


def test_scopes_of_v9_have_names() -> None:
    assert [scope_name(number) for number in (1, 5, 9)] == ["scope:system", "scope:template", "scope:9"]


def test_names_types_and_units_of_the_tables_are_sound() -> None:
    elements = registered()
    assert len({found.name for found in elements.values()}) == len(elements) > 1400
    assert sum(enterprise == 0 and number < 530 for enterprise, number in elements) > 500
    assert {found.type for found in elements.values()} <= {
        "u8", "u16", "u32", "u64", "u256", "i8", "i16", "i32", "i64", "f32", "f64", "bool", "str", "oct", "ip4", "ip6",
        "mac", "sec", "ms", "us", "ns", "blist", "stl", "stml",
    }  # fmt: skip
    assert {found.unit for found in elements.values()} <= {
        "", "bits", "octets", "packets", "flows", "seconds", "milliseconds", "microseconds", "nanoseconds", "words",
        "messages", "hops", "entries", "frames", "ports",
    }  # fmt: skip
    readings = {found.reading for found in elements.values()}
    assert {kind for kind in readings if kind and readable(kind, b"") != ""} == set()


def test_the_tables_are_not_parsed_before_a_name_is_asked_for() -> None:
    code = "from btimd.capture.wire import elements; print(elements.registered.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "0"


def fields_of_the_captures() -> Iterator[tuple[int, int]]:
    for path in captures.flow_captures():
        for line in path.with_name(f"{path.stem}.golden.jsonl").read_text().splitlines():
            record = json.loads(line)
            scope = record["scope"] if record["v"] == 9 and "fields" in record else 0
            for enterprise, number, _ in record.get("fields", [])[scope:]:
                yield enterprise, number
    for path in captures.TOOLS.glob("*.pcap"):
        decoder = RawDecoder()
        for item in CaptureFile(path).blocks():
            for index in range(len(item)):
                octets = item.slab[item.offsets[index] : item.offsets[index + 1]].tobytes()
                exporter = address_text(int(item.source_hi[index]), int(item.source_lo[index]))
                for found in decoder.decode(octets, exporter):
                    if isinstance(found, FieldRecord):
                        scope = found.scope_count if found.version == 9 else 0
                        yield from ((field.enterprise, field.element) for field in found.fields[scope:])


@captures.needs_captures
def test_every_field_of_the_captures_has_a_name() -> None:
    seen = set(fields_of_the_captures())
    assert len(seen) > 250
    assert {field for field in seen if not is_named(*field)} == set(NAMELESS)
