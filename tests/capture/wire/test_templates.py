import struct
from collections.abc import Sequence

import pytest

from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.templates import (
    Field,
    Invalid,
    Stored,
    Template,
    TemplateKey,
    TemplateStore,
    Withdrawal,
    parse_template_set,
)  # fmt: skip
from tests.capture.wire.crafting import (
    ARRIVAL,
    PAIR_FIELDS,
    PLAIN,
    block,
    ipfix,
    one_set,
    options_template,
    plain_record,
    template,
    v9,
)  # fmt: skip


def parse(version: int, set_id: int, body: bytes, max_fields: int = 10) -> list[Template | Withdrawal | Invalid]:
    return list(parse_template_set(version, set_id, body, exporter="192.0.2.1", domain=1, max_fields=max_fields))


def reasons(found: list[Template | Withdrawal | Invalid]) -> list[str]:
    return [item.error.reason for item in found if isinstance(item, Invalid)]


def test_several_templates_of_one_set_come_in_wire_order() -> None:
    body = template(300, PAIR_FIELDS) + template(256, [(1, 4)])
    assert parse(9, 0, body + b"\0\0\0\0\0\0\0") == [
        Template(300, (Field(0, 8, 4), Field(0, 12, 4)), False, 0, template(300, PAIR_FIELDS)),
        Template(256, (Field(0, 1, 4),), False, 0, template(256, [(1, 4)])),
    ]


def test_the_enterprise_bit_is_one_in_ipfix_only() -> None:
    body = template(256, [(86, 8, 29305)], ipfix=True)
    [found] = parse(10, 2, body)
    assert isinstance(found, Template)
    assert found.fields == (Field(29305, 86, 8),)
    [vendor] = parse(9, 0, template(256, [(0x8001, 4)]))
    assert isinstance(vendor, Template)
    assert vendor.fields == (Field(0, 0x8001, 4),)


def test_scopes_are_octets_in_v9_and_fields_in_ipfix() -> None:
    for version, set_id, is_ipfix in ((9, 1, False), (10, 3, True)):
        [found] = parse(version, set_id, options_template(256, [(1, 4), (2, 2)], [(34, 4)], ipfix=is_ipfix))
        assert isinstance(found, Template)
        assert (found.is_options, found.scope_count, len(found.fields)) == (True, 2, 3)


def test_withdrawals_are_named() -> None:
    assert parse(10, 2, struct.pack(">HH", 256, 0)) == [Withdrawal(256)]


def test_invalid_definitions_say_what_is_wrong_and_the_next_is_read() -> None:
    body = (
        template(256, [])
        + template(257, [(1, 4)] * 11)
        + template(258, [(1, 60_000), (2, 60_000)])
        + template(259, [(1, 4)])
    )
    found = parse(9, 0, body)
    assert reasons(found) == [
        "template without fields", "11 fields, more than the limit of 10", "records of 120000 octets fit no datagram",
    ]  # fmt: skip
    assert isinstance(found[-1], Template)
    assert reasons(parse(10, 3, struct.pack(">HHHHH", 256, 1, 2, 1, 4))) == ["2 scope fields of 1"]


def test_definitions_cut_off_anywhere_are_invalid_or_absent() -> None:
    whole = options_template(256, [(1, 4, 9)], [(34, 4, 9)], ipfix=True)
    for size in range(len(whole)):
        found = parse(10, 3, whole[:size])
        assert not found or isinstance(found[0], Invalid)
        assert len(found) == (size >= 4)


def key(number: int, exporter: str = "192.0.2.1") -> TemplateKey:
    return TemplateKey(exporter, 9, 0, number)


def layout(*lengths: int) -> Template:
    fields = tuple(Field(0, 1, length) for length in lengths)
    return Template(256, fields, False, 0, repr(lengths).encode())


def test_the_store_tells_new_changed_and_refreshed_templates_apart() -> None:
    store = TemplateStore(max_exporters=1, max_templates=2, max_total_fields=100)
    assert [store.put(key(256), layout(4)), store.put(key(256), layout(4)), store.put(key(256), layout(8))] == [
        Stored.NEW, Stored.REFRESHED, Stored.CHANGED,
    ]  # fmt: skip
    assert store.get(key(256)) == layout(8)
    store.discard(key(256))
    assert (store.get(key(256)), store.put(key(256), layout(8))) == (None, Stored.CHANGED)


def test_the_store_is_bounded_by_exporters_ids_and_fields() -> None:
    store = TemplateStore(max_exporters=1, max_templates=2, max_total_fields=5)
    assert store.put(key(256), layout(1, 1)) is Stored.NEW
    assert store.put(key(256, "192.0.2.2"), layout(1)) is Stored.REFUSED
    assert store.put(key(257), layout(1, 1, 1, 1)) is Stored.REFUSED
    assert store.put(key(257), layout(1, 1)) is Stored.NEW
    assert store.put(key(258), layout(1)) is Stored.REFUSED
    assert store.put(key(256), layout(1, 1, 1)) is Stored.CHANGED
    assert store.put(key(256), layout(1, 1, 1, 1)) is Stored.REFUSED
    assert (len(store), store.count("192.0.2.1"), store.count("192.0.2.2")) == (2, 2, 0)


# Several exporters behind one address


SHORT = ((8, 4), (12, 4), (1, 4))
FIRST, SECOND = one_set(0, template(256, PLAIN)), one_set(0, template(256, SHORT))
A_RECORD = plain_record(1000)
ANOTHER = bytes([10, 0, 0, 1, 10, 2, 0, 10]) + struct.pack(">I", 7)


def octets(decoder: FlowDecoder, *datagrams: bytes, ports: Sequence[int] = (), arrival: int = ARRIVAL) -> list[int]:
    found = decoder.decode(block(*datagrams, ports=ports, arrival=arrival))
    return [int(value) for value in found["octet_delta_count"]]


def test_a_change_of_port_alone_keeps_the_templates_of_the_old_one() -> None:
    decoder = FlowDecoder()
    data = v9(one_set(256, A_RECORD))
    assert octets(decoder, v9(FIRST), data, data, v9(FIRST), data, ports=(1, 1, 2, 2, 3)) == [1000] * 3
    assert (decoder.counters.strict_exporters, decoder.exporters()[0].strict) == (0, False)


def test_an_exporter_that_comes_back_at_another_port_with_another_layout_is_one() -> None:
    decoder = FlowDecoder()
    assert octets(decoder, v9(FIRST), v9(one_set(256, A_RECORD)), ports=(1, 1)) == [1000]
    assert octets(decoder, v9(SECOND, one_set(256, ANOTHER)), v9(one_set(256, ANOTHER)), ports=(2, 3)) == [7, 7]
    assert decoder.counters.strict_exporters == 0


def test_two_ports_that_go_on_with_different_layouts_are_told_apart_in_the_same_block() -> None:
    decoder = FlowDecoder()
    one, two = v9(one_set(256, A_RECORD)), v9(one_set(256, ANOTHER))
    found = octets(decoder, v9(FIRST), one, v9(SECOND, one_set(256, ANOTHER)), one, two, one, ports=(1, 1, 2, 1, 2, 1))
    assert found == [1000, 7, 1000, 7, 1000]
    [exporter] = decoder.exporters()
    assert (decoder.counters.strict_exporters, exporter.strict, exporter.datagrams) == (1, True, 6)


def test_two_ports_are_told_apart_as_soon_as_the_first_one_sends_again() -> None:
    decoder = FlowDecoder()
    assert octets(decoder, v9(FIRST, one_set(256, A_RECORD)), v9(SECOND), ports=(1, 2)) == [1000]
    one, two = v9(one_set(256, A_RECORD)), v9(one_set(256, ANOTHER))
    assert octets(decoder, two, one, ports=(2, 1), arrival=ARRIVAL + 60_000) == [7, 1000]
    assert octets(decoder, v9(FIRST), v9(SECOND), one, two, ports=(1, 2, 1, 2)) == [1000, 7]
    assert decoder.counters.strict_exporters == 1


def test_a_third_port_inherits_what_the_others_agree_on_and_waits_for_the_rest() -> None:
    decoder = FlowDecoder()
    common = one_set(0, template(300, SHORT))
    octets(decoder, v9(FIRST, common), v9(SECOND, common), v9(FIRST), ports=(1, 2, 1))
    assert octets(decoder, v9(one_set(300, ANOTHER), one_set(256, ANOTHER)), ports=(3,)) == [7]
    assert decoder.counters.buffered_sets == 1
    assert octets(decoder, v9(SECOND), ports=(3,)) == [7]


def test_another_observation_domain_of_the_old_port_proves_nothing() -> None:
    decoder = FlowDecoder()
    octets(decoder, v9(FIRST), v9(SECOND), v9(domain=5), ipfix(domain=0), b"\0\x09", ports=(1, 2, 1, 1, 1))
    assert decoder.counters.strict_exporters == 0


def test_ports_of_one_address_are_bounded_and_the_longest_silent_goes_first() -> None:
    decoder = FlowDecoder()
    octets(decoder, v9(FIRST), v9(SECOND), v9(FIRST), ports=(1, 2, 1))
    many = range(100, 300)
    assert octets(decoder, *[v9(SECOND, one_set(256, ANOTHER)) for _ in many], ports=list(many)) == [7] * 200
    counters = decoder.counters
    assert (counters.refused_datagrams, counters.datagrams, decoder.exporters()[0].datagrams) == (0, 203, 203)
    assert decoder.export_counts().tolist() == [[200, 0]]
    assert decoder.exporters()[0].templates <= 65


# Connections


IPFIX_FIRST, IPFIX_OTHER = (one_set(2, template(number, SHORT, ipfix=True)) for number in (256, 257))


def stream(decoder: FlowDecoder, *messages: bytes, ports: Sequence[int] = ()) -> list[int]:
    found = decoder.decode(block(*messages, ports=ports, stream=True))
    return [int(value) for value in found["octet_delta_count"]]


def test_each_connection_has_templates_of_its_own() -> None:
    decoder = FlowDecoder()
    data = ipfix(one_set(256, ANOTHER))
    assert stream(decoder, ipfix(IPFIX_FIRST), data, data, ports=(1, 1, 2)) == [7]
    assert octets(decoder, data) == []
    assert decoder.counters.sets_without_template == 2
    assert stream(decoder, ipfix(IPFIX_FIRST), ports=(2,)) == [7]


def test_what_ends_with_its_connection() -> None:
    decoder = FlowDecoder()
    data = ipfix(one_set(256, ANOTHER))
    assert stream(decoder, ipfix(IPFIX_FIRST), data, b"", data, ports=(1, 1, 1, 1)) == [7]
    assert (decoder.counters.short_datagrams, len(decoder._store), decoder.counters.buffered_sets) == (0, 0, 1)
    decoder.end_stream(0, 0xFFFF_C000_0201, 1)
    decoder.end_stream(0, 0xFFFF_C000_0209, 1)  # nobody
    [exporter] = decoder.exporters()
    assert (exporter.datagrams, exporter.records, exporter.last_seen_milliseconds) == (3, 1, ARRIVAL)
    assert (decoder.counters.buffered_sets, decoder.export_counts().tolist()) == (0, [[1, 0]])


def test_many_short_connections_use_no_more_room_than_one() -> None:
    decoder = FlowDecoder()
    for port in range(1000):
        assert stream(decoder, ipfix(IPFIX_FIRST, one_set(256, ANOTHER)), b"", ports=(port, port)) == [7]
    assert (len(decoder._store), decoder._tables.domain_count, decoder.counters.refused_datagrams) == (0, 1, 0)
    assert decoder.exporters()[0].records == 1000


def test_a_connection_may_withdraw_its_templates() -> None:
    decoder = FlowDecoder()
    withdrawal, data = one_set(2, struct.pack(">HH", 256, 0)), one_set(256, ANOTHER)
    assert stream(decoder, ipfix(IPFIX_FIRST, IPFIX_OTHER, data, withdrawal, data, one_set(257, ANOTHER))) == [7, 7]
    assert stream(decoder, ipfix(withdrawal)) == []
    counters = decoder.counters
    assert (counters.withdrawn_templates, counters.ignored_withdrawals, counters.templates) == (1, 1, 1)


@pytest.mark.parametrize(("set_id", "left"), [(2, [300]), (3, [256, 257])])
def test_a_connection_may_withdraw_all_templates_or_all_options_templates(set_id: int, left: list[int]) -> None:
    decoder = FlowDecoder()
    options = one_set(3, options_template(300, [(149, 4)], [(34, 4)], ipfix=True))
    everything = one_set(set_id, struct.pack(">HH", set_id, 0))
    stream(decoder, ipfix(IPFIX_FIRST, IPFIX_OTHER, options, everything))
    assert decoder._tables.template_ids(0) == left


def test_over_udp_not_even_a_withdrawal_of_all_is_obeyed() -> None:
    decoder = FlowDecoder()
    octets(decoder, ipfix(IPFIX_FIRST, one_set(2, struct.pack(">HH", 2, 0))))
    assert octets(decoder, ipfix(one_set(256, ANOTHER))) == [7]
    assert decoder.counters.ignored_withdrawals == 1


def test_a_redefinition_without_withdrawal_is_counted_and_holds_from_there_on() -> None:
    decoder = FlowDecoder()
    other = one_set(2, template(256, PLAIN, ipfix=True))
    assert stream(decoder, ipfix(IPFIX_FIRST, one_set(256, ANOTHER), other, one_set(256, A_RECORD))) == [7, 1000]
    assert decoder.counters.stream_redefinitions == 1
    assert stream(decoder, ipfix(other, one_set(256, A_RECORD))) == [1000]
    assert decoder.counters.stream_redefinitions == 1


# Life


def test_templates_have_no_end_of_their_own() -> None:
    decoder = FlowDecoder()
    octets(decoder, v9(FIRST))
    assert octets(decoder, v9(one_set(256, A_RECORD)), arrival=ARRIVAL + 30 * 86_400_000) == [1000]


@pytest.mark.parametrize("sign", ["defined", "used"])
def test_a_template_that_is_defined_or_used_outlives_its_lifetime(sign: str) -> None:
    decoder = FlowDecoder(DecodeLimits(template_lifetime_milliseconds=100_000))
    octets(decoder, v9(FIRST, SECOND.replace(b"\1\0", b"\1\1", 1)))
    step = v9(FIRST if sign == "defined" else one_set(256, A_RECORD))
    for minute in range(1, 6):
        octets(decoder, step, arrival=ARRIVAL + 60_000 * minute)
    assert (decoder.counters.expired_templates, decoder._tables.template_ids(0)) == (1, [256])
    octets(decoder, v9(domain=9), arrival=ARRIVAL + 60_000 * 9)
    assert (decoder.counters.expired_templates, decoder._tables.template_ids(0)) == (2, [])
    assert octets(decoder, v9(one_set(256, A_RECORD))) == []


def test_templates_idle_for_long_make_room_for_new_ones() -> None:
    decoder = FlowDecoder(DecodeLimits(max_templates=2))
    octets(decoder, v9(one_set(0, template(256, PLAIN), template(257, PLAIN))))
    later = ARRIVAL + 1_800_001
    octets(decoder, v9(one_set(256, A_RECORD)), arrival=later)
    new = v9(one_set(0, template(258, PLAIN), template(259, PLAIN)), one_set(258, A_RECORD), one_set(256, A_RECORD))
    assert octets(decoder, new, arrival=later) == [1000, 1000]
    counters = decoder.counters
    assert (counters.expired_templates, counters.refused_templates, counters.templates) == (1, 1, 2)


def test_a_template_fits_whole_records_and_zeros_shorter_than_one() -> None:
    fixed = layout(4, 4)
    assert [fixed.fits(bytes(size)) for size in (0, 7, 8, 9, 16)] == [True] * 5
    assert [fixed.fits(b"\1" * size) for size in (7, 8, 9, 16)] == [False, True, False, True]
    variable = layout(2, 65535)
    assert variable.fits(b"\0\0\3abc\0\0\0\0\0")
    assert variable.fits(b"\0\0\xff\0\3abc")
    assert not variable.fits(b"\0\0\4abc")
    assert not variable.fits(b"\0\0\xff\1")
    assert not variable.fits(b"\0\0\3abc\1")
    assert not layout(0).fits(b"")
