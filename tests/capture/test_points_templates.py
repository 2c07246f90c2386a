"""What every collector must get right, points 1 to 6: templates, and what is between records."""

import struct

import pytest

from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from tests.capture import captures
from tests.capture.points import ENDS, A, B, captured, datagram, decoded, defined, moved, number, octets, told, v1
from tests.capture.wire.crafting import (
    ARRIVAL,
    PLAIN,
    UPTIME,
    FieldSpec,
    block,
    ipfix,
    one_set,
    options_template,
    plain_record,
    template,
    v5,
    v5_record,
    v9,
)  # fmt: skip

pytestmark = pytest.mark.timeout(600)  # the first may compile the kernels
COUNTED: tuple[FieldSpec, ...] = (*ENDS, (1, 4))
LONGER: tuple[FieldSpec, ...] = (*ENDS, (2, 4), (1, 4))


def counted(number_of_octets: int) -> bytes:
    return A + B + number(number_of_octets)


def test_point_01_templates_are_kept_per_exporter_and_not_per_port() -> None:
    decoder = FlowDecoder()
    data = ipfix(one_set(256, counted(7)))
    item = block(ipfix(defined(COUNTED)), data, data, sources=["192.0.2.1", "192.0.2.1", "192.0.2.2"],
                 ports=[61_853, 65_156, 61_853])  # fmt: skip
    assert octets(decoder.decode(item)) == [7]
    assert moved(decoder) == {"sets_without_template": 1, "buffered_sets": 1}


def test_point_01_two_exporters_behind_one_address_are_told_apart_by_their_ports() -> None:
    decoder = FlowDecoder()
    one, other = counted(1), A + B + number(9) + number(2)
    item = block(
        datagram(COUNTED, one), datagram(LONGER, other), ipfix(one_set(256, one)), ipfix(one_set(256, other)),
        ports=[1000, 2000, 1000, 2000],
    )  # fmt: skip
    assert octets(decoder.decode(item)) == [1, 2, 1, 2]
    later = block(ipfix(one_set(256, other)), ipfix(one_set(256, one)), ports=[2000, 1000])
    assert octets(decoder.decode(later)) == [2, 1]
    assert (decoder.counters.strict_exporters, decoder.counters.bad_sets) == (1, 0)


def test_point_02_data_before_its_template_waits_for_it() -> None:
    decoder = FlowDecoder()
    assert octets(decoder.decode(block(ipfix(one_set(256, counted(5)), one_set(256, counted(6)))))) == []
    assert octets(decoder.decode(block(datagram(COUNTED, counted(7))))) == [5, 6, 7]
    assert moved(decoder) == {"sets_without_template": 2, "replayed_sets": 2}


def test_point_02_templates_and_what_options_told_survive_a_restart() -> None:
    before = FlowDecoder()
    before.decode(block(told([(34, 4)], number(100)), datagram(COUNTED, counted(1))))
    after = FlowDecoder()
    assert after.restore(before.snapshot(), ARRIVAL) == 2
    batch = after.decode(block(ipfix(one_set(256, counted(5)))))
    assert (octets(batch), batch["sampling_rate"].tolist()) == ([5], [100])
    assert after.counters.unconfirmed_templates == 2


def test_point_02_a_remembered_template_that_the_data_do_not_fit_is_given_up() -> None:
    before = FlowDecoder()
    before.decode(block(datagram(COUNTED, counted(1))))
    after = FlowDecoder()
    after.restore(before.snapshot(), ARRIVAL)
    assert octets(after.decode(block(ipfix(one_set(256, A + B + number(9) + number(2)))))) == []
    assert octets(after.decode(block(ipfix(defined(LONGER))))) == [2]
    assert (after.counters.misfit_templates, after.counters.replayed_sets) == (1, 1)


def test_point_03_a_redefinition_holds_from_where_it_stands() -> None:
    sets = one_set(256, counted(1)), defined(LONGER), one_set(256, A + B + number(9) + number(2))
    decoder = FlowDecoder()
    assert octets(decoder.decode(block(ipfix(defined(COUNTED), *sets)))) == [1, 2]
    assert moved(decoder) == {"template_changes": 1}


@pytest.mark.parametrize(("stream", "found"), [(False, [1]), (True, [])])
def test_point_03_withdrawals_are_obeyed_over_tcp_only(*, stream: bool, found: list[int]) -> None:
    decoder = FlowDecoder()
    withdrawal = one_set(2, struct.pack(">HH", 256, 0))
    item = block(ipfix(defined(COUNTED)), ipfix(withdrawal), ipfix(one_set(256, counted(1))), stream=stream)
    assert octets(decoder.decode(item)) == found
    assert (decoder.counters.withdrawn_templates, decoder.counters.ignored_withdrawals) == (stream, not stream)


def test_point_03_what_is_used_does_not_expire_and_what_is_not_does() -> None:
    decoder = FlowDecoder(DecodeLimits(template_lifetime_milliseconds=1_800_000))
    decoder.decode(block(ipfix(defined(COUNTED), defined(COUNTED, template_id=257))))
    for minutes in range(20, 140, 20):
        item = block(ipfix(one_set(256, counted(minutes))), arrival=ARRIVAL + 60_000 * minutes)
        assert octets(decoder.decode(item)) == [minutes]
    assert moved(decoder) == {"expired_templates": 1}


def test_point_03_an_invalid_redefinition_ends_the_old_one() -> None:
    decoder = FlowDecoder()
    cut_off = one_set(2, struct.pack(">HHHH", 256, 2, 8, 4))
    assert octets(decoder.decode(block(ipfix(defined(COUNTED), cut_off, one_set(256, counted(1)))))) == []
    assert moved(decoder) == {"bad_templates": 1, "sets_without_template": 1, "buffered_sets": 1}


@pytest.mark.parametrize("count", [0, 3, 31, 65_535])
def test_point_04_sets_are_walked_by_their_octets_whatever_a_header_counts(count: int) -> None:
    sets = (
        one_set(0, template(256, PLAIN)),
        one_set(256, plain_record(1), plain_record(2)),
        one_set(256, plain_record(3)),
    )
    decoder = FlowDecoder()
    assert octets(decoder.decode(block(v9(*sets, count=count)))) == [1, 2, 3]
    assert moved(decoder) == {}


def test_point_04_the_last_set_may_end_behind_the_length_of_an_ipfix_header() -> None:
    fields: tuple[FieldSpec, ...] = (*COUNTED, (210, 236))
    sets = defined(fields), one_set(256, counted(7) + bytes(236))
    whole = ipfix(*sets)
    short = ipfix(*sets, length=len(whole) - 2)
    assert (len(whole), short[2:4]) == (292, number(290, 2))
    decoder = FlowDecoder()
    assert octets(decoder.decode(block(short))) == [7]
    assert moved(decoder) == {}


@pytest.mark.parametrize("count", [0, 31, 163, 55_582])
def test_point_04_a_v5_count_that_cannot_be_rejects_the_datagram(count: int) -> None:
    decoder = FlowDecoder()
    assert octets(decoder.decode(block(v5(*[v5_record()] * 30, count=count), v5(v5_record(3))))) == [3]
    assert moved(decoder) == {"truncated_datagrams": 1}


@captures.needs_captures
def test_point_04_the_captured_v5_count_of_55582_is_rejected() -> None:
    batch, decoder = captured("logstash__01-netflow-5-invalid-01")
    assert (octets(batch), moved(decoder)) == ([], {"truncated_datagrams": 1})


@pytest.mark.parametrize("length", [48, 52])
def test_point_04_records_of_v1_have_52_octets_or_48(length: int) -> None:
    records = [
        struct.pack(">4s4s4sHHIIIIHHHBBB7x", A, B, bytes(4), 1, 2, 3, size, UPTIME, UPTIME, 5, 443, 0, 6, 0, 0x12)
        for size in (100, 200)
    ]
    batch = FlowDecoder().decode(block(v1(*(record + bytes(length - 48) for record in records), uptime=UPTIME)))
    assert (octets(batch), batch["tcp_control_bits"].tolist()) == ([100, 200], [0x12, 0x12])


@pytest.mark.parametrize("padding", [b"", b"\xff", bytes(3), b"\xee" * 24, b"\xff" * 28])
def test_point_05_a_rest_shorter_than_a_record_is_padding(padding: bytes) -> None:
    decoder = FlowDecoder()
    sets = (
        one_set(0, template(256, PLAIN)),
        one_set(256, plain_record(1), padding=padding),
        one_set(256, plain_record(2)),
    )
    assert octets(decoder.decode(block(v9(*sets)))) == [1, 2]
    assert moved(decoder) == {}


def test_point_05_1220_zeros_behind_the_last_set_and_7_octets_in_a_template_set_are_nothing() -> None:
    decoder = FlowDecoder()
    sets = one_set(0, template(256, PLAIN), padding=bytes(7)), one_set(256, plain_record(1)), bytes(1220)
    assert octets(decoder.decode(block(v9(*sets)))) == [1]
    assert moved(decoder) == {}


@captures.needs_captures
def test_point_05_the_captured_zeros_are_nothing() -> None:
    batch, decoder = captured("logstash__18-netflow-9-palo-alto")
    assert octets(batch) == [363]
    assert (decoder.counters.records, decoder.counters.bad_sets) == (1, 0)


@pytest.mark.parametrize("is_ipfix", [True, False])
def test_point_06_lengths_may_be_written_in_the_record_in_one_octet_or_three(*, is_ipfix: bool) -> None:
    fields = ((82, 65535), (1, 4), (83, 65535))
    short = b"\3eth" + number(1) + b"\0"
    long = b"\xff" + number(300, 2) + bytes(300) + number(2) + b"\xff" + number(2, 2) + b"up"
    assert octets(decoded(fields, short, long, short, is_ipfix=is_ipfix)) == [1, 2, 1]


def test_point_06_fields_and_scopes_may_have_no_octets_and_records_too() -> None:
    decoder = FlowDecoder()
    empty = one_set(0, template(257, [(1, 0), (2, 0)])), one_set(257, bytes(400))
    options = one_set(1, options_template(258, [(1, 0)], [(34, 4)])), one_set(258, number(50))
    plain = one_set(0, template(256, [(96, 0), *PLAIN])), one_set(256, plain_record(7))
    batch = decoder.decode(block(v9(*empty, *options, *plain)))
    assert (octets(batch), batch["sampling_rate"].tolist()) == ([7], [50])
    assert moved(decoder) == {"empty_records": 1, "options_records": 1}


def test_point_06_of_an_element_that_comes_twice_the_first_counts() -> None:
    assert octets(decoded([(1, 4), (1, 4)], number(3) + number(4))) == [3]


def test_point_06_integers_have_one_to_eight_octets() -> None:
    for length in range(1, 9):
        batch = decoded([(1, length), (7, length), (10, length)], 3 * number(200, length))
        assert (octets(batch), batch["source_transport_port"].tolist(), batch["ingress_interface"].tolist()) == (
            [200], [200], [200],
        )  # fmt: skip


def test_point_06_the_highest_bit_is_an_enterprise_in_ipfix_and_a_vendors_type_in_v9() -> None:
    assert octets(decoded([(1, 4, 9), (1, 4)], number(3) + number(4))) == [4]
    assert octets(decoded([(0x8001, 4), (1, 4)], number(3) + number(4), is_ipfix=False)) == [4]


def test_point_06_options_count_octets_in_v9_and_fields_in_ipfix_with_the_scope_first() -> None:
    values = number(1) + number(7, 2) + number(64)
    old = v9(one_set(1, options_template(257, [(1, 4)], [(48, 2), (34, 4)])), one_set(257, values))
    new = ipfix(one_set(3, options_template(257, [(149, 4)], [(48, 2), (34, 4)], ipfix=True)), one_set(257, values))
    decoder = FlowDecoder()
    decoder.decode(block(old, new))
    assert [decoder.exporters()[0].sampling_rates, decoder.counters.options_records] == [(64,), 2]


def test_point_06_an_id_may_be_a_template_of_data_and_then_one_of_options_and_back() -> None:
    decoder = FlowDecoder()
    options = one_set(3, options_template(256, [(149, 4)], [(34, 4)], ipfix=True)), one_set(256, bytes(4) + number(10))
    batch = decoder.decode(block(datagram(COUNTED, counted(1)), ipfix(*options), datagram(COUNTED, counted(2))))
    assert (octets(batch), batch["sampling_rate"].tolist()) == ([1, 2], [1, 10])
