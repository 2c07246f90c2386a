import struct
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

import pytest

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.kernels import flowlayout as fl
from btimd.model.flowbatch import FlowBatch
from tests.capture import captures
from tests.capture.wire.crafting import (
    ARRIVAL,
    EXPORTED_AT,
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

DEFINITION = one_set(0, template(256, PLAIN))
A, B = ip_address("10.0.0.1").packed, ip_address("10.2.0.10").packed
PAIR: tuple[FieldSpec, ...] = ((8, 4), (12, 4))


def moved(decoder: FlowDecoder) -> dict[str, int]:
    """The counters that are not 0, without those every datagram moves."""
    usual = {"datagrams", "octets", "records", "templates"}
    return {name: value for name, value in asdict(decoder.counters).items() if value and name not in usual}


def decode_one(fields: tuple[FieldSpec, ...], record: bytes, *, is_ipfix: bool = True) -> dict[str, int]:
    sets = [one_set(2 if is_ipfix else 0, template(256, fields, ipfix=is_ipfix)), one_set(256, record)]
    [row] = FlowDecoder().decode(block(ipfix(*sets) if is_ipfix else v9(*sets))).rows()
    return row


def octets(batch: FlowBatch) -> list[int]:
    return [int(value) for value in batch["octet_delta_count"]]


def test_a_v9_record_fills_every_column_it_has() -> None:
    fields = (*PLAIN, (10, 2), (14, 4), (58, 2), (61, 1), (5, 1), (6, 1))
    record = plain_record() + struct.pack(">HIHBBB", 7, 8, 100, 1, 0xB8, 0x1B)
    decoder = FlowDecoder()
    batch = decoder.decode(block(v9(one_set(0, template(256, fields)), one_set(256, record), domain=5)))
    assert list(batch.rows()) == [
        {
            "flow_start_milliseconds": EXPORTED_AT * 1000 - 3000, "flow_end_milliseconds": EXPORTED_AT * 1000 - 1000,
            "source_address_hi": 0, "source_address_lo": 0xFFFF_0A00_0001, "destination_address_hi": 0,
            "destination_address_lo": 0xFFFF_0A02_000A, "source_transport_port": 40_000,
            "destination_transport_port": 443, "protocol_identifier": 6, "ip_class_of_service": 0xB8,
            "tcp_control_bits": 0x1B, "ingress_interface": 7, "egress_interface": 8, "vlan_id": 100,
            "flow_direction": 1, "octet_delta_count": 1000, "packet_delta_count": 10, "observation_domain_id": 5,
            "sampling_rate": 1, "exporter_id": 0, "record_quality": fl.Q_RATE_ASSUMED,
        }
    ]  # fmt: skip
    assert moved(decoder) == {}


def test_a_v5_record_fills_every_column_it_has() -> None:
    batch = FlowDecoder().decode(block(v5(v5_record(), engine=0x0203, sampling=0x4000 | 100)))
    assert list(batch.rows()) == [
        {
            "flow_start_milliseconds": EXPORTED_AT * 1000 - 3000, "flow_end_milliseconds": EXPORTED_AT * 1000 - 1000,
            "source_address_hi": 0, "source_address_lo": 0xFFFF_0A00_0001, "destination_address_hi": 0,
            "destination_address_lo": 0xFFFF_0A02_000A, "source_transport_port": 40_000,
            "destination_transport_port": 443, "protocol_identifier": 6, "ip_class_of_service": 8,
            "tcp_control_bits": 0x1B, "ingress_interface": 3, "egress_interface": 4, "vlan_id": 0, "flow_direction": 0,
            "octet_delta_count": 1000, "packet_delta_count": 10, "observation_domain_id": 0x0203,
            "sampling_rate": 100, "exporter_id": 0, "record_quality": 0,
        }
    ]  # fmt: skip


# Templates


def test_the_exporters_port_is_no_part_of_a_templates_key() -> None:
    decoder = FlowDecoder()
    batch = decoder.decode(block(v9(DEFINITION), v9(one_set(256, plain_record())), ports=(61853, 65156)))
    assert octets(batch) == [1000]


@pytest.mark.parametrize("other", ["exporter", "domain", "version"])
def test_templates_of_another_exporter_domain_or_version_do_not_apply(other: str) -> None:
    decoder = FlowDecoder()
    decoder.decode(block(v9(DEFINITION)))
    data = one_set(256, plain_record())
    datagram = {"exporter": v9(data), "domain": v9(data, domain=1), "version": ipfix(data)}[other]
    batch = decoder.decode(block(datagram, source="192.0.2.2" if other == "exporter" else "192.0.2.1"))
    assert len(batch) == 0
    assert moved(decoder) == {"sets_without_template": 1, "buffered_sets": 1}


def test_data_before_its_template_is_decoded_when_the_template_comes() -> None:
    decoder = FlowDecoder()
    early = decoder.decode(block(v9(one_set(256, plain_record(7)), sequence=1, uptime=UPTIME - 10_000)))
    assert (len(early), moved(decoder)) == (0, {"sets_without_template": 1, "buffered_sets": 1})
    late = decoder.decode(block(v9(DEFINITION, one_set(256, plain_record(8)), sequence=2)))
    assert octets(late) == [7, 8]
    # Each keeps the clock of its own datagram.
    assert late["flow_end_milliseconds"].tolist() == [EXPORTED_AT * 1000 + 9000, EXPORTED_AT * 1000 - 1000]
    assert moved(decoder) == {"sets_without_template": 1, "replayed_sets": 1}


def test_a_redefinition_replaces_the_template_in_wire_order() -> None:
    short = (*PAIR, (1, 4))
    decoder = FlowDecoder()
    batch = decoder.decode(block(v9(
        DEFINITION, one_set(256, plain_record(1)), one_set(0, template(256, short)),
        one_set(256, A + B + struct.pack(">I", 2)), DEFINITION, one_set(256, plain_record(3)),
    )))  # fmt: skip
    assert octets(batch) == [1, 2, 3]
    assert moved(decoder) == {"template_changes": 2, "no_time": 1}


def test_a_template_sent_again_changes_nothing() -> None:
    decoder = FlowDecoder()
    batch = decoder.decode(block(*[v9(DEFINITION, one_set(256, plain_record()), sequence=n) for n in range(3)]))
    assert octets(batch) == [1000] * 3
    assert moved(decoder) == {}


@pytest.mark.parametrize("withdrawal", [struct.pack(">HH", 256, 0), struct.pack(">HH", 2, 0)])
def test_a_withdrawal_over_udp_is_ignored(withdrawal: bytes) -> None:
    definition = one_set(2, template(256, PLAIN, ipfix=True))
    decoder = FlowDecoder()
    batch = decoder.decode(block(ipfix(definition, one_set(2, withdrawal), one_set(256, plain_record()))))
    assert octets(batch) == [1000]
    assert decoder.counters.ignored_withdrawals in {0, 1}


def test_an_invalid_redefinition_takes_the_old_template_out_of_force() -> None:
    decoder = FlowDecoder()
    broken = one_set(0, struct.pack(">HHHH", 256, 9, 8, 4))
    batch = decoder.decode(block(v9(DEFINITION, broken, one_set(256, plain_record()))))
    assert len(batch) == 0
    assert moved(decoder) == {"bad_templates": 1, "sets_without_template": 1, "buffered_sets": 1}


def test_templates_beyond_the_limit_are_refused_and_counted() -> None:
    decoder = FlowDecoder(DecodeLimits(max_templates=2))
    definitions = [template(256 + number, PLAIN) for number in range(4)]
    batch = decoder.decode(
        block(v9(one_set(0, *definitions), one_set(257, plain_record()), one_set(259, plain_record())))
    )
    assert octets(batch) == [1000]
    assert moved(decoder) == {"refused_templates": 2, "sets_without_template": 1, "buffered_sets": 1}


def test_exporters_and_domains_beyond_the_limit_are_refused_and_counted() -> None:
    decoder = FlowDecoder(DecodeLimits(max_exporters=2, max_domains_per_exporter=2))
    sources = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.3"]
    batch = decoder.decode(block(*[v5(v5_record(number)) for number in range(4)], sources=sources))
    assert octets(batch) == [0, 1]
    decoder.decode(block(*[v5(v5_record(), engine=number) for number in range(1, 4)]))
    assert moved(decoder) == {"refused_datagrams": 2 + 2}
    assert decoder.counters.datagrams == 7


def test_sets_that_wait_are_bounded_and_the_oldest_goes_first() -> None:
    decoder = FlowDecoder(DecodeLimits(pending_octets_per_template=600))
    waiting = [v9(one_set(256, plain_record(number)), sequence=number) for number in range(4)]
    decoder.decode(block(*waiting))
    batch = decoder.decode(block(v9(DEFINITION, sequence=4)))
    assert octets(batch) == [2, 3]
    assert moved(decoder) == {"sets_without_template": 4, "replayed_sets": 2, "dropped_sets": 2}


def test_sets_that_waited_too_long_are_dropped() -> None:
    decoder = FlowDecoder(DecodeLimits(pending_milliseconds=1000))
    decoder.decode(block(v9(one_set(256, plain_record()), sequence=0)))
    assert len(decoder.decode(block(v9(DEFINITION, sequence=1), arrival=ARRIVAL + 1001))) == 0
    assert moved(decoder) == {"sets_without_template": 1, "dropped_sets": 1}


# Walking sets


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_count_in_a_v9_header_is_ignored(count: int) -> None:
    batch = FlowDecoder().decode(block(v9(DEFINITION, one_set(256, plain_record(), plain_record()), count=count)))
    assert len(batch) == 2


@pytest.mark.parametrize("length", [0, 16, 290, 60_000])
def test_a_wrong_length_in_an_ipfix_header_is_tolerated(length: int) -> None:
    sets = one_set(2, template(256, PLAIN, ipfix=True)), one_set(256, plain_record())
    assert len(FlowDecoder().decode(block(ipfix(*sets, length=length)))) == 1


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0", b"\xff\xff", bytes(28)])
def test_a_rest_shorter_than_a_record_is_padding_whatever_it_holds(padding: bytes) -> None:
    decoder = FlowDecoder()
    batch = decoder.decode(
        block(v9(DEFINITION, one_set(256, plain_record(5), padding=padding), one_set(256, plain_record(6))))
    )
    assert octets(batch) == [5, 6]
    assert moved(decoder) == {}


def test_zeros_behind_the_last_set_are_padding() -> None:
    decoder = FlowDecoder()
    assert octets(decoder.decode(block(v9(DEFINITION, one_set(256, plain_record(5)), bytes(1220))))) == [5]
    assert moved(decoder) == {}


def test_padding_in_a_template_set_ends_it() -> None:
    decoder = FlowDecoder()
    sets = one_set(0, template(256, PLAIN), padding=bytes(7)), one_set(256, plain_record(5))
    assert octets(decoder.decode(block(v9(*sets)))) == [5]
    assert moved(decoder) == {}


def test_a_bad_set_costs_no_set_before_it_and_no_other_datagram() -> None:
    decoder = FlowDecoder()
    overrun = struct.pack(">HH", 256, 4000) + plain_record()
    batch = decoder.decode(
        block(v9(DEFINITION, one_set(256, plain_record(1)), overrun), v9(one_set(256, plain_record(2)), sequence=1))
    )
    assert octets(batch) == [1, 2]
    assert moved(decoder) == {"bad_sets": 1}


def test_a_bad_variable_record_costs_no_other_set() -> None:
    definition = one_set(2, template(256, (*PAIR, (1, 4), (82, 65535)), ipfix=True))
    good = A + B + struct.pack(">I", 7) + b"\2ab"
    bad = A + B + struct.pack(">I", 8) + b"\xff\xff\xff"
    decoder = FlowDecoder()
    batch = decoder.decode(block(ipfix(definition, one_set(256, good, bad), one_set(256, good))))
    assert octets(batch) == [7, 7]
    assert moved(decoder) == {"bad_sets": 1, "no_time": 2}


def test_set_ids_that_nobody_uses_are_skipped() -> None:
    decoder = FlowDecoder()
    batch = decoder.decode(block(v9(one_set(2, b"1234"), one_set(255, b""), DEFINITION, one_set(256, plain_record(1)))))
    assert octets(batch) == [1]
    assert moved(decoder) == {"reserved_sets": 2}


def test_a_v5_count_beyond_the_end_is_rejected_and_not_read_past() -> None:
    decoder = FlowDecoder()
    assert len(decoder.decode(block(v5(v5_record(), count=55_582), v5(v5_record(), count=2), v5(count=0)))) == 0
    assert moved(decoder) == {"truncated_datagrams": 3}


def test_v5_octets_behind_the_last_record_are_ignored() -> None:
    assert octets(FlowDecoder().decode(block(v5(v5_record(9)) + bytes(20)))) == [9]


def test_v1_records_of_52_and_of_48_octets_and_v7_are_decoded() -> None:
    body = v5_record(321)[:36] + bytes([0, 0, 6, 8, 0x1B]) + bytes(11)
    v1 = struct.pack(">HHIII", 1, 1, UPTIME, EXPORTED_AT, 0)
    v7 = struct.pack(">HHIIIII", 7, 1, UPTIME, EXPORTED_AT, 0, 0, 0) + v5_record(654) + bytes(4)
    decoder = FlowDecoder()
    batch = decoder.decode(block(v1 + body, v1 + body[:48], v7))
    assert octets(batch) == [321, 321, 654]
    assert batch["tcp_control_bits"].tolist() == [0x1B] * 3
    assert moved(decoder) == {}


def test_datagrams_that_are_no_flow_export_are_counted_by_kind() -> None:
    decoder = FlowDecoder()
    sflow = struct.pack(">II", 5, 1) + bytes(40)
    decoder.decode(block(sflow, b"", b"\0", b"\xff\xff" * 20, b"\0\x09" + bytes(8), b"\0\x0a\0\x10"))
    assert moved(decoder) == {"sflow_datagrams": 1, "unknown_version_datagrams": 1, "short_datagrams": 4}


# Shapes of templates


@pytest.mark.parametrize("value", [1, 255, 2**24 - 1, 2**40 + 3, 2**48])
@pytest.mark.parametrize("length", range(1, 9))
def test_counters_have_one_to_eight_octets(length: int, value: int) -> None:
    if value.bit_length() > 8 * length:
        value %= 1 << (8 * length)
    row = decode_one((*PAIR, (1, length)), A + B + value.to_bytes(length, "big"))
    assert row["octet_delta_count"] == value


@pytest.mark.parametrize("value", [2**48 + 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_counter_no_flow_can_have_reached_is_zeroed_and_counted(value: int) -> None:
    decoder = FlowDecoder()
    sets = one_set(2, template(256, (*PAIR, (1, 8)), ipfix=True)), one_set(256, A + B + value.to_bytes(8, "big"))
    assert octets(decoder.decode(block(ipfix(*sets)))) == [0]
    assert moved(decoder) == {"no_time": 1, "absurd_counters": 1}


@pytest.mark.parametrize("is_ipfix", [True, False])
@pytest.mark.parametrize("name", [b"", b"eth0", b"x" * 254, b"x" * 255, b"x" * 1000])
def test_variable_lengths_of_one_and_three_octets_are_walked_in_ipfix_and_in_v9(name: bytes, is_ipfix: bool) -> None:
    prefix = bytes([len(name)]) if len(name) < 255 else b"\xff" + struct.pack(">H", len(name))
    row = decode_one(((8, 4), (82, 65535), (12, 4), (1, 4)), A + prefix + name + B + b"\0\0\0\7", is_ipfix=is_ipfix)
    assert (row["octet_delta_count"], row["destination_address_lo"]) == (7, 0xFFFF_0A02_000A)


def test_fields_without_octets_are_passed_over() -> None:
    assert decode_one(((8, 4), (96, 0), (12, 4), (2, 0), (1, 4)), A + B + b"\0\0\0\7")["octet_delta_count"] == 7


def test_records_without_octets_do_not_loop() -> None:
    decoder = FlowDecoder()
    decoder.decode(block(v9(one_set(0, template(256, [(1, 0), (2, 0)])), one_set(256, bytes(40)))))
    assert moved(decoder) == {"empty_records": 1}


def test_of_an_element_that_comes_twice_the_first_counts() -> None:
    assert decode_one((*PAIR, (1, 4), (1, 4)), A + B + b"\0\0\0\1\0\0\0\2")["octet_delta_count"] == 1


def test_vendor_types_of_v9_are_no_enterprise_elements() -> None:
    fields = (*PAIR, (0x8001, 4), (1, 4))
    assert decode_one(fields, A + B + b"\0\0\0\1\0\0\0\2", is_ipfix=False)["octet_delta_count"] == 2


def test_of_both_families_in_one_record_the_one_that_is_not_zero_counts() -> None:
    fields = ((8, 4), (27, 16), (12, 4), (28, 16), (1, 4))
    v6 = ip_address("2001:db8::1").packed
    row = decode_one(fields, bytes(4) + v6 + B + bytes(16) + b"\0\0\0\1")
    assert (row["source_address_hi"], row["source_address_lo"]) == (0x20010DB8 << 32, 1)
    assert (row["destination_address_hi"], row["destination_address_lo"]) == (0, 0xFFFF_0A02_000A)


def test_totals_count_where_there_are_no_deltas_and_post_counters_where_there_is_nothing_else() -> None:
    numbers = struct.pack(">II", 5, 6)
    assert decode_one((*PAIR, (85, 4), (23, 4)), A + B + numbers)["octet_delta_count"] == 5
    assert decode_one((*PAIR, (23, 4), (85, 4)), A + B + numbers)["octet_delta_count"] == 6
    assert decode_one((*PAIR, (85, 4), (1, 4)), A + B + numbers)["octet_delta_count"] == 6
    assert decode_one((*PAIR, (23, 4), (24, 4)), A + B + numbers)["octet_delta_count"] == 5
    assert decode_one((*PAIR, (23, 4), (24, 4)), A + B + numbers)["packet_delta_count"] == 6


def test_records_that_name_no_flow_are_counted_and_left_out() -> None:
    decoder = FlowDecoder()
    decoder.decode(block(v9(one_set(0, template(256, [(210, 20)])), one_set(256, bytes(40)))))
    assert moved(decoder) == {"skipped_records": 2}


# Two directions


def biflow(forward: int, backward: int) -> bytes:
    times = struct.pack(">QQ", EXPORTED_AT * 1000 - 900, EXPORTED_AT * 1000 - 800)
    counters = struct.pack(">IIHHII", forward, 3, 1000, 80, backward, 4 if backward else 0)
    return A + B + counters + times + struct.pack(">QHBB", EXPORTED_AT * 1000 - 850, 0x12, 1, 2)


BIFLOW: tuple[FieldSpec, ...] = (
    (8, 4), (12, 4), (1, 4), (2, 4), (7, 2), (11, 2), (1, 4, 29305), (2, 4, 29305), (152, 8), (153, 8),
    (152, 8, 29305), (6, 2, 29305), (10, 1), (14, 1),
)  # fmt: skip


def test_a_bidirectional_record_makes_two_flows_unless_nothing_came_back() -> None:
    decoder = FlowDecoder()
    sets = one_set(2, template(256, BIFLOW, ipfix=True)), one_set(256, biflow(100, 200), biflow(300, 0))
    batch = decoder.decode(block(ipfix(*sets)))
    names = (
        "octet_delta_count", "packet_delta_count", "source_address_lo", "source_transport_port", "ingress_interface",
        "tcp_control_bits", "flow_start_milliseconds", "flow_end_milliseconds",
    )  # fmt: skip
    base = EXPORTED_AT * 1000
    assert [tuple(row[name] for name in names) for row in batch.rows()] == [
        (100, 3, 0xFFFF_0A00_0001, 1000, 1, 0, base - 900, base - 800),
        (300, 3, 0xFFFF_0A00_0001, 1000, 1, 0, base - 900, base - 800),
        (200, 4, 0xFFFF_0A02_000A, 80, 2, 0x12, base - 850, base - 800),
    ]
    assert moved(decoder) == {"reverse_records": 1}


def test_initiator_and_responder_counters_are_the_two_directions() -> None:
    fields = (*PAIR, (231, 4), (232, 4), (298, 4), (299, 4))
    sets = one_set(0, template(256, fields)), one_set(256, A + B + struct.pack(">IIII", 1, 2, 3, 4))
    batch = FlowDecoder().decode(block(v9(*sets)))
    assert [(row["octet_delta_count"], row["packet_delta_count"], row["source_address_lo"]) for row in batch.rows()] == [
        (1, 3, 0xFFFF_0A00_0001), (2, 4, 0xFFFF_0A02_000A),
    ]  # fmt: skip


# Sampling


def rates(*datagrams: bytes, limits: DecodeLimits | None = None) -> list[int]:
    return [int(rate) for rate in FlowDecoder(limits).decode(block(*datagrams))["sampling_rate"]]


def announce(fields: list[FieldSpec], values: bytes, *, scope: FieldSpec = (149, 4), scope_value: bytes = bytes(4),
             domain: int = 0) -> bytes:  # fmt: skip
    definition = one_set(3, options_template(300, [scope], fields, ipfix=True))
    return ipfix(definition, one_set(300, scope_value + values), domain=domain)


DATA = one_set(2, template(256, PLAIN, ipfix=True)), one_set(256, plain_record())


def test_v5_sampling_is_the_lower_14_bits_of_the_header() -> None:
    assert rates(v5(v5_record(), sampling=0x4000 | 1000), v5(v5_record(), sampling=0x8000), v5(v5_record())) == [
        1000,
        1,
        1,
    ]


def test_nobody_announces_a_rate_means_the_configured_one() -> None:
    assert rates(ipfix(*DATA), v5(v5_record()), limits=DecodeLimits(default_sampling_rate=64)) == [64, 64]
    assert rates(ipfix(*DATA)) == [1]


@pytest.mark.parametrize(
    ("fields", "values", "rate"),
    [
        ([(34, 4)], struct.pack(">I", 512), 512),
        ([(50, 4)], struct.pack(">I", 300), 300),
        ([(305, 4), (306, 4)], struct.pack(">II", 1, 99), 100),
        ([(306, 4), (305, 4)], struct.pack(">II", 300, 10), 31),
        ([(305, 4)], struct.pack(">I", 7), 1),  # without 306 it says nothing
        ([(309, 4), (310, 4)], struct.pack(">II", 2, 2000), 1000),
        ([(304, 2), (305, 4), (309, 4), (310, 4)], struct.pack(">HIII", 3, 1, 1, 256), 256),
        ([(34, 4)], struct.pack(">I", 2**31), 1),
    ],
)
def test_the_announced_rate_holds(fields: list[FieldSpec], values: bytes, rate: int) -> None:
    assert rates(announce(fields, values), ipfix(*DATA)) == [rate]


def test_options_of_another_domain_hold_for_the_whole_exporter() -> None:
    assert rates(announce([(34, 4)], struct.pack(">I", 512), domain=77), ipfix(*DATA, domain=3)) == [512]


def test_records_name_their_sampler_and_samplers_have_their_rates() -> None:
    fields = (*PLAIN, (48, 1))
    definition = one_set(2, template(256, fields, ipfix=True))
    data = one_set(256, *(plain_record() + bytes([sampler]) for sampler in (1, 2, 9)))
    announced = [announce([(48, 1), (50, 4)], struct.pack(">BI", *pair), domain=domain)
                 for pair, domain in (((1, 100), 0), ((2, 200), 55))]  # fmt: skip
    # Sampler 9 is unknown: what the domain last announced.
    assert rates(*announced, ipfix(definition, data)) == [100, 200, 100]


def test_a_selector_id_is_a_sampler_too() -> None:
    definition = one_set(2, template(256, (*PLAIN, (302, 8)), ipfix=True))
    data = one_set(256, plain_record() + struct.pack(">Q", 5))
    announced = announce([(302, 8), (305, 4), (306, 4)], struct.pack(">QII", 5, 1, 31))
    assert rates(announced, ipfix(definition, data)) == [32]


def test_a_rate_in_the_record_wins_over_what_was_announced() -> None:
    definition = one_set(2, template(256, (*PLAIN, (34, 4)), ipfix=True))
    data = one_set(256, plain_record() + struct.pack(">I", 128), plain_record() + struct.pack(">I", 0))
    assert rates(announce([(34, 4)], struct.pack(">I", 512)), ipfix(definition, data)) == [128, 512]


def test_an_absurd_rate_in_the_record_is_counted_and_not_believed() -> None:
    decoder = FlowDecoder()
    definition = one_set(2, template(256, (*PLAIN, (34, 4)), ipfix=True))
    batch = decoder.decode(block(ipfix(definition, one_set(256, plain_record() + b"\xff" * 4))))
    assert batch["sampling_rate"].tolist() == [1]
    assert decoder.counters.absurd_rates == 1


def test_a_rate_announced_for_a_template_holds_for_that_template() -> None:
    other = one_set(2, template(257, PLAIN, ipfix=True)), one_set(257, plain_record())
    general = announce([(34, 4)], struct.pack(">I", 512))
    special = announce([(34, 4)], struct.pack(">I", 8), scope=(145, 2), scope_value=struct.pack(">H", 256))
    assert rates(special, general, ipfix(*DATA), ipfix(*other)) == [8, 512]


def test_a_rate_announced_later_replaces_the_earlier_one() -> None:
    first, second = (announce([(34, 4)], struct.pack(">I", rate)) for rate in (10, 20))
    assert rates(first, ipfix(*DATA), second, ipfix(*DATA), v5(v5_record())) == [10, 20, 20]


# Time


def times(fields: tuple[FieldSpec, ...], record: bytes, *, is_ipfix: bool = True) -> tuple[int, int]:
    row = decode_one((*PAIR, *fields), A + B + record, is_ipfix=is_ipfix)
    return row["flow_start_milliseconds"] - EXPORTED_AT * 1000, row["flow_end_milliseconds"] - EXPORTED_AT * 1000


AFTER_EXPORT = ARRIVAL - EXPORTED_AT * 1000
NTP = (EXPORTED_AT - 10 + 2_208_988_800) << 32


@pytest.mark.parametrize(
    ("fields", "values", "wanted"),
    [
        (((152, 8), (153, 8)), (EXPORTED_AT * 1000 - 5, EXPORTED_AT * 1000 - 3), (-5, -3)),
        (((153, 8), (152, 8)), (EXPORTED_AT * 1000 - 3, EXPORTED_AT * 1000 - 5), (-5, -3)),
        (((150, 4), (151, 4)), (EXPORTED_AT - 5, EXPORTED_AT - 3), (-5000, -3000)),
        (((154, 8), (155, 8)), (NTP | 1 << 31, NTP + (2 << 32)), (-9500, -8000)),
        (((156, 8), (157, 8)), (NTP | 1 << 30, NTP + (2 << 32)), (-9750, -8000)),
        (((158, 4), (159, 4)), (5_000_000, 3_000_999), (-5000, -3000)),
        (((150, 4), (152, 8)), (EXPORTED_AT - 50, EXPORTED_AT * 1000 - 5), (-5, -5)),
        (((323, 8),), (EXPORTED_AT * 1000 - 5,), (-5, -5)),
        (((322, 4),), (EXPORTED_AT - 5,), (-5000, -5000)),
        (((152, 8), (153, 8)), (EXPORTED_AT * 1000 - 3, EXPORTED_AT * 1000 - 5), (-5, -5)),
        (((152, 8), (153, 8)), (0, 0), (AFTER_EXPORT, AFTER_EXPORT)),
        (((22, 4), (21, 4)), (0, 0), (AFTER_EXPORT, AFTER_EXPORT)),
        (((152, 8), (153, 8)), (0, EXPORTED_AT * 1000 - 5), (-5, -5)),
        ((), (), (AFTER_EXPORT, AFTER_EXPORT)),
    ],
)  # fmt: skip
def test_times_of_every_kind(fields: Any, values: tuple[int, ...], wanted: tuple[int, int]) -> None:
    record = b"".join(value.to_bytes(length, "big") for (_, length), value in zip(fields, values, strict=True))
    assert times(fields, record) == wanted


@pytest.mark.parametrize(
    ("uptime", "first", "last", "wanted"),
    [
        (UPTIME, UPTIME - 3000, UPTIME - 1000, (-3000, -1000)),
        (3381, 2**32 - 1, 3000, (-3382, -381)),  # the uptime wrapped between start and export
        (3381, 2**32 - 5000, 2**32 - 1, (-8381, -3382)),
        (UPTIME, UPTIME - 10, UPTIME + 20, (-10, 20)),
    ],
)
def test_relative_times_are_signed_modulo_two_to_the_32(
    uptime: int, first: int, last: int, wanted: tuple[int, int]
) -> None:
    pair = struct.pack(">II", first, last)
    fields = one_set(0, template(256, (*PAIR, (22, 4), (21, 4))))
    for datagram in (
        v9(fields, one_set(256, A + B + pair), uptime=uptime),
        v5(v5_record(first=first, last=last), uptime=uptime),
    ):
        batch = FlowDecoder().decode(block(datagram))
        base = EXPORTED_AT * 1000
        found = batch["flow_start_milliseconds"][0] - base, batch["flow_end_milliseconds"][0] - base
        assert found == wanted


def test_uptimes_of_ipfix_need_the_start_of_the_system_in_the_record_or_in_options() -> None:
    began = EXPORTED_AT * 1000 - 2**32 - 70_000  # up for 49.7 days: its uptime wrapped
    pair = struct.pack(">II", 60_000, 65_000)
    in_record = ((22, 4), (21, 4), (160, 8))
    assert times(in_record, pair + struct.pack(">Q", began)) == (-10_000, -5000)
    options = (
        one_set(3, options_template(300, [(149, 4)], [(160, 8)], ipfix=True)),
        one_set(300, struct.pack(">IQ", 0, began)),
    )
    data = one_set(2, template(256, (*PAIR, (22, 4), (21, 4)), ipfix=True)), one_set(256, A + B + pair)
    [row] = FlowDecoder().decode(block(ipfix(*options), ipfix(*data))).rows()
    assert row["flow_start_milliseconds"] == EXPORTED_AT * 1000 - 10_000


def test_uptimes_of_ipfix_without_a_start_of_the_system_end_at_the_export() -> None:
    assert times(((22, 4), (21, 4)), struct.pack(">II", 60_000, 65_000)) == (-5000, 0)


@pytest.mark.parametrize("start", [1, EXPORTED_AT * 1000 - 2 * 86_400_000, 2**40 * 1000, 2**63 - 1])
def test_absurd_times_are_clamped_and_counted(start: int) -> None:
    decoder = FlowDecoder()
    sets = one_set(2, template(256, (*PAIR, (152, 8), (153, 8)), ipfix=True))
    data = one_set(256, A + B + struct.pack(">QQ", start, start))
    [row] = decoder.decode(block(ipfix(sets, data))).rows()
    limit = ARRIVAL - 86_400_000 if start < ARRIVAL else ARRIVAL + 3_600_000
    assert (row["flow_start_milliseconds"], row["flow_end_milliseconds"]) == (limit, limit)
    assert moved(decoder) == {"clamped": 1}


# Loss


def lost(*datagrams: bytes) -> tuple[int, int, int]:
    """Lost units, those still waited for among them; restarts; datagrams that came late."""
    decoder = FlowDecoder()
    decoder.decode(block(*datagrams))
    counters = decoder.counters
    waited_for = int(decoder._tables.sequences[:, fl.E_PENDING].sum())
    return counters.lost_units + waited_for, counters.restarts, counters.reordered_datagrams


def test_v9_counts_datagrams_v5_and_ipfix_count_records() -> None:
    assert lost(v9(DEFINITION, sequence=5), v9(sequence=6), v9(sequence=9)) == (2, 0, 0)
    three = v5(v5_record(), v5_record(), v5_record(), sequence=10)
    assert lost(three, v5(v5_record(), sequence=13), v5(v5_record(), sequence=20)) == (6, 0, 0)
    two = one_set(256, plain_record(), plain_record())
    definition = one_set(2, template(256, PLAIN, ipfix=True))
    assert lost(ipfix(definition, two, sequence=0), ipfix(two, sequence=2), ipfix(two, sequence=5)) == (1, 0, 0)


def test_options_records_count_in_ipfix_sequences_and_templates_do_not() -> None:
    options = announce([(34, 4)], struct.pack(">I", 1))
    assert lost(options, ipfix(*DATA, sequence=1), ipfix(sequence=2), ipfix(DATA[1], sequence=2)) == (0, 0, 0)


def test_an_exporter_that_does_not_count_options_records_loses_nothing() -> None:
    options = announce([(34, 4)], struct.pack(">I", 1))
    assert lost(options, ipfix(*DATA, sequence=0), ipfix(DATA[1], sequence=1), ipfix(sequence=5))[:2] == (3, 0)


def test_sequence_numbers_wrap() -> None:
    assert lost(v9(sequence=2**32 - 1), v9(sequence=0), v9(sequence=2)) == (1, 0, 0)


def test_what_comes_late_was_not_lost() -> None:
    assert lost(v9(sequence=1), v9(sequence=3), v9(sequence=2), v9(sequence=4)) == (0, 0, 1)


def test_a_far_step_is_a_restart_and_so_are_many_steps_back() -> None:
    assert lost(v9(sequence=1), v9(sequence=2**31 - 1), v9(sequence=2**31)) == (0, 1, 0)
    steps = [v9(sequence=1000), *(v9(sequence=number) for number in range(20))]
    assert lost(*steps)[:2] == (0, 1)


def test_a_set_without_template_makes_the_count_of_records_unknown_and_is_no_loss() -> None:
    unknown = ipfix(one_set(999, bytes(40)), sequence=0)
    assert lost(unknown, ipfix(*DATA, sequence=5), ipfix(DATA[1], sequence=6)) == (0, 0, 0)


def test_an_exporter_that_counts_after_the_message_loses_nothing() -> None:
    sizes = [1, 3, 2, 5, 1]
    total, datagrams = 0, []
    for size in sizes:
        total += size
        datagrams.append(ipfix(DATA[0], one_set(256, *[plain_record()] * size), sequence=total))
    assert lost(*datagrams) == (0, 0, 0)


# Views


def test_the_kernels_are_warm_before_the_first_datagram() -> None:
    decoder = FlowDecoder()
    decoder.warm()
    assert asdict(decoder.counters) == asdict(FlowDecoder().counters)


def test_a_block_whose_offsets_go_backward_is_refused() -> None:
    item = block(b"abcd", b"efgh")
    item.offsets[:] = [0, 6, 4]
    with pytest.raises(ValueError, match="backward"):
        FlowDecoder().decode(item)


def test_many_exporters_domains_and_templates_stay_apart() -> None:
    decoder = FlowDecoder()
    datagrams, sources = [], []
    for number in range(600):
        fields = (*PAIR, *(((210, number % 7),) if number % 7 else ()), (1, 4))
        record = A + B + bytes(number % 7) + struct.pack(">I", number)
        sets = one_set(0, template(256 + number % 3, fields)), one_set(256 + number % 3, record)
        datagrams.append(v9(*sets, domain=number % 5))
        sources.append(f"10.9.{number // 250}.{number % 250}")
    assert octets(decoder.decode(block(*datagrams, sources=sources))) == list(range(600))
    assert len(decoder.exporters()) == 600


@captures.needs_captures
@pytest.mark.parametrize("name", captures.tool_truth())
def test_what_exporters_made_of_known_traffic_adds_up(name: str) -> None:
    truth = captures.tool_truth()[name]
    decoder = FlowDecoder()
    batch = FlowBatch.concat([decoder.decode(item) for item in CaptureFile(captures.TOOLS / f"{name}.pcap").blocks()])
    counters = decoder.counters
    found = {
        "datagrams": counters.datagrams, "data_records": counters.records + counters.skipped_records,
        "options_records": counters.options_records, "octets": int(batch["octet_delta_count"].sum()),
        "packets": int(batch["packet_delta_count"].sum()), "bad_sets": counters.bad_sets, "lost": counters.lost_units,
    }  # fmt: skip
    if "psamp" in name:  # records are sampled packets, without counters
        truth = {**truth, "sum_packets": truth["data_records"], "sum_octets": str(found["octets"])}
    assert found == {
        "datagrams": int(truth["datagrams"]), "data_records": int(truth["data_records"]),
        "options_records": int(truth["options_records"]),
        "octets": int(truth["sum_octets"]) + int(truth["rev_octets"]),
        "packets": int(truth["sum_packets"]) + int(truth["rev_packets"]), "bad_sets": 0, "lost": 0,
    }  # fmt: skip


@captures.needs_captures
def test_the_sampling_an_exporter_announced_is_256_exactly() -> None:
    decoder = FlowDecoder()
    [path] = captures.FLOWS.glob("pmacct__104-*.pcap")
    batch = FlowBatch.concat([decoder.decode(item) for item in CaptureFile(path).blocks()])
    assert set(batch["sampling_rate"].tolist()) == {256}
