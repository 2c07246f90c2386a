import struct

import pytest

from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.enrichment import (
    Application,
    Enrichment,
    application_number,
    application_text,
    clean_text,
)  # fmt: skip
from btimd.model.ports import ExporterInterface
from tests.capture import captures
from tests.capture.wire.crafting import FieldSpec, block, ipfix, one_set, options_template, v9


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"GigabitEthernet0/0\0\0\0", "GigabitEthernet0/0"), (b"", ""), (b"\0x", ""), (b" a\t\r\n b\x1b[2J ", "a b [2J"),
        ("Büro-Straße".encode(), "Büro-Straße"), (b"\xff\xfe", "\ufffd\ufffd"), ("a\u202eb\u2028c".encode(), "a b c"),
        (b"x" * 1000, "x" * 128), (b"<b>", "<b>"),
    ],
)  # fmt: skip
def test_text_of_the_network_is_one_line_of_visible_characters(raw: bytes, text: str) -> None:
    assert clean_text(raw) == text


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (b"\1\0\0\10", 0x01000008, "1:8"), (b"\15\0\1\305", 0x0D0001C5, "13:453"), (b"", 0, ""),
        (b"\x14\0\0\0\x09\0\0\1\0", 0x0009000001_00 & (2**63 - 1), "20:9:256"), (b"\3", 3, "3:0"),
    ],
)  # fmt: skip
def test_application_ids_are_an_engine_and_a_selector(value: bytes, number: int, text: str) -> None:
    assert (application_number(value), application_text(value)) == (number, text)


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def test_interfaces_are_named_by_any_of_their_indexes() -> None:
    names = Enrichment()
    names.learn(0, {10: number(5), 82: b"eth5", 83: b"to the core"})
    names.learn(0, {252: number(3), 253: number(4), 82: b"both"})
    names.learn(0, {14: number(0), 82: b"nowhere"})
    names.learn(1, {10: number(5), 82: b"other box"})
    assert names.interfaces(0) == (
        ExporterInterface(3, "both", "", 0), ExporterInterface(4, "both", "", 0),
        ExporterInterface(5, "eth5", "to the core", 0),
    )  # fmt: skip
    assert names.interfaces(1) == (ExporterInterface(5, "other box", "", 0),)


def test_a_later_name_replaces_an_earlier_one_and_says_nothing_of_the_rest() -> None:
    names = Enrichment()
    names.name_interface(0, 5, name=b"eth5", description=b"old", speed=10**9)
    names.learn(0, {10: number(5), 83: b"new"})
    assert names.interfaces(0) == (ExporterInterface(5, "eth5", "new", 10**9),)


def test_vrfs_applications_samplers_and_own_addresses_have_names() -> None:
    names = Enrichment()
    names.learn(0, {234: number(9), 235: number(10), 236: b"customers\0\0"})
    names.learn(0, {95: b"\15\0\0\7", 96: b"http", 94: b"World Wide Web"})
    names.learn(0, {95: b"\15\0\0\7", 94: b"Web"})
    names.learn(0, {48: b"\2", 84: b"one-in-1000"})
    names.learn(0, {302: number(3), 335: b"selector"})
    names.learn(0, {130: bytes([192, 0, 2, 7])})
    names.learn(0, {131: bytes(15) + b"\1"})
    names.name_host(0, b"core-1")
    found = names.of(0)
    assert (found.vrfs, found.samplers) == ({9: "customers", 10: "customers"}, {2: "one-in-1000", 3: "selector"})
    assert found.applications == {0x0D000007: Application("13:7", "http", "Web")}
    assert (found.own_addresses, found.host, found.count) == (["192.0.2.7", "::1"], "core-1", 5)


@pytest.mark.parametrize("values", [{}, {82: b"x"}, {10: b"", 82: b"x"}, {10: bytes(9), 82: b"x"}, {236: b"x"}, {95: b"\1"},
                                    {130: b"\1\2"}, {130: bytes(4)}, {96: b"x"}])  # fmt: skip
def test_records_that_name_nothing_are_passed_over(values: dict[int, bytes]) -> None:
    names = Enrichment()
    names.learn(0, values)
    assert (len(names), names.refused, names.of(0).own_addresses) == (0, 0, [])


def test_names_are_bounded_for_each_exporter_and_in_total() -> None:
    names = Enrichment(max_names=5, max_names_per_exporter=3)
    for exporter in range(3):
        for index in range(1, 5):
            names.learn(exporter, {10: number(index), 82: b"x"})
    assert ([len(names.interfaces(exporter)) for exporter in range(3)], len(names), names.refused) == ([3, 2, 0], 5, 7)
    names.learn(0, {10: number(1), 82: b"renamed"})
    assert (names.interfaces(0)[0].name, names.refused) == ("renamed", 7)


def test_own_addresses_are_bounded() -> None:
    names = Enrichment()
    for index in range(1, 100):
        names.learn(0, {130: number(index)})
    assert len(names.of(0).own_addresses) == 16


def options(fields: list[FieldSpec], record: bytes, *, scope: FieldSpec, is_ipfix: bool) -> bytes:
    definition = one_set(3 if is_ipfix else 1, options_template(300, [scope], fields, ipfix=is_ipfix))
    return (ipfix if is_ipfix else v9)(definition, one_set(300, record))


def test_the_scope_of_v9_is_the_interface_and_no_counter() -> None:
    decoder = FlowDecoder()
    decoder.decode(block(options([(82, 4)], number(7) + b"eth7", scope=(2, 4), is_ipfix=False)))
    decoder.decode(block(options([(82, 4)], number(8) + b"eth8", scope=(1, 4), is_ipfix=False)))
    assert decoder.names.interfaces(0) == (ExporterInterface(7, "eth7", "", 0),)


def test_names_come_out_of_ipfix_options_of_variable_length() -> None:
    decoder = FlowDecoder()
    record = number(7) + b"\4eth7" + b"\xff\0\3abc"
    decoder.decode(block(options([(82, 65535), (83, 65535)], record, scope=(10, 4), is_ipfix=True)))
    assert decoder.names.interfaces(0) == (ExporterInterface(7, "eth7", "abc", 0),)
    assert decoder.counters.options_records == 1


def test_garbage_for_names_is_survived() -> None:
    decoder = FlowDecoder()
    fields: list[FieldSpec] = [
        (82, 65535),
        (96, 65535),
        (95, 65535),
        (130, 65535),
        (160, 65535),
        (34, 65535),
        (48, 65535),
    ]
    for length in range(200):
        record = struct.pack(">I", 5) + bytes([length % 17]) + b"\x1b\xff\0" * length
        decoder.decode(block(options(fields, record, scope=(10, 4), is_ipfix=True)))
    assert decoder.counters.datagrams == 200


@captures.needs_captures
def test_what_a_router_named_is_known() -> None:
    from btimd.capture.replay import CaptureFile

    decoder = FlowDecoder()
    [path] = captures.FLOWS.glob("pmacct__500-*.pcap")
    for item in CaptureFile(path).blocks():
        decoder.decode(item)
    assert decoder.names.interfaces(0)[0] == ExporterInterface(42, "TenGigE0_0_0_0", "TenGigE0/0/0/0", 0)
    assert set(decoder.names.of(0).samplers.values()) == {"NETFLOW-SAMPLER-MAP"}
    assert "**iid" in decoder.names.of(0).vrfs.values()
