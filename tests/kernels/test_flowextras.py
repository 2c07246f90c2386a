"""What only some exporters tell, and what it means: one test per pitfall of the protocols."""

import struct
from ipaddress import ip_address

import pytest

from btimd.capture.wire.decoder import FlowDecoder
from btimd.kernels import flowlayout as fl
from btimd.model.address import address_text
from btimd.model.flowbatch import OPTIONAL_COLUMNS, FlowBatch
from tests.capture.wire.crafting import (
    ARRIVAL,
    EXPORTED_AT,
    PLAIN,
    FieldSpec,
    block,
    ipfix,
    one_set,
    plain_record,
    template,
    v9,
)

PAIR: tuple[FieldSpec, ...] = ((8, 4), (12, 4))
ENDS = ip_address("10.0.0.1").packed + ip_address("10.2.0.10").packed
NOW = EXPORTED_AT * 1000
OCTETS, DESTINATION_PORT, QUALITY = "octet_delta_count", "destination_transport_port", "record_quality"


def decoded(fields: tuple[FieldSpec, ...], *records: bytes, version: int = 9, decoder: FlowDecoder | None = None,
            padding: bytes = b"") -> FlowBatch:  # fmt: skip
    """Return what records of PAIR and these fields become."""
    sets = [
        one_set(0 if version == 9 else 2, template(300, (*PAIR, *fields), ipfix=version == 10)),
        one_set(300, *(ENDS + record for record in records), padding=padding),
    ]
    return (decoder or FlowDecoder()).decode(block(v9(*sets) if version == 9 else ipfix(*sets)))


def quality(batch: FlowBatch) -> list[int]:
    """Return the quality of each record, but for whether its rate was assumed."""
    return [bits & ~fl.Q_RATE_ASSUMED for bits in batch[QUALITY].tolist()]


def nsel(event: int, *, octets: int, back: int, age: int) -> bytes:
    """Return a record of a firewall's event: 233, 231, 232, 152, 323."""
    return struct.pack(">BIIQQ", event, octets, back, NOW - age, NOW)


NSEL: tuple[FieldSpec, ...] = ((233, 1), (231, 4), (232, 4), (152, 8), (323, 8))


def test_without_such_fields_a_batch_has_no_extra_columns() -> None:
    batch = decoded(((1, 4),), struct.pack(">I", 7))
    assert set(batch.columns).isdisjoint(column.name for column in OPTIONAL_COLUMNS)


def test_addresses_and_ports_after_nat_stand_beside_those_before() -> None:
    after = ip_address("203.0.113.9").packed + ip_address("198.51.100.7").packed
    batch = decoded(((1, 4), (225, 4), (226, 4), (227, 2), (228, 2), (230, 1)),
                    struct.pack(">I8sHHB", 7, after, 1024, 443, 4))  # fmt: skip
    ends = [
        address_text(int(batch[f"post_nat_{side}_address_hi"][0]), int(batch[f"post_nat_{side}_address_lo"][0]))
        for side in ("source", "destination")
    ]
    assert ends == ["203.0.113.9", "198.51.100.7"]
    names = ("post_napt_source_transport_port", "post_napt_destination_transport_port", "nat_event")
    assert [int(batch[name][0]) for name in names] == [1024, 443, 4]


def test_ipv6_after_nat_and_an_unset_address_after_nat() -> None:
    batch = decoded(
        ((1, 4), (281, 16), (226, 4)), struct.pack(">I16s4s", 7, ip_address("2001:db8::9").packed, bytes(4))
    )
    assert int(batch["post_nat_source_address_hi"][0]) == 0x20010DB8 << 32
    assert int(batch["post_nat_source_address_lo"][0]) == 9
    assert (int(batch["post_nat_destination_address_hi"][0]), int(batch["post_nat_destination_address_lo"][0])) == (
        0,
        0,
    )


def test_rows_before_the_first_extra_field_have_zeros() -> None:
    decoder = FlowDecoder()
    first = one_set(0, template(256, PLAIN)), one_set(256, plain_record(5), plain_record(6))
    second = one_set(0, template(300, (*PAIR, (1, 4), (234, 4)))), one_set(300, ENDS + struct.pack(">II", 7, 12))
    batch = decoder.decode(block(v9(*first), v9(*second), v9(one_set(256, plain_record(8)))))
    assert batch[OCTETS].tolist() == [5, 6, 7, 8]
    assert batch["ingress_vrf_id"].tolist() == [0, 0, 12, 0]


@pytest.mark.parametrize("length", [1, 2, 4])
def test_forwarding_status_of_any_length_says_what_was_dropped(length: int) -> None:
    statuses = [0x40, 0x80, 0x84, 0xC0]  # forwarded, dropped, dropped by an ACL, consumed
    batch = decoded(
        ((1, 4), (89, length)), *(struct.pack(">I", 7) + status.to_bytes(length, "big") for status in statuses)
    )
    assert batch["forwarding_status"].tolist() == statuses
    assert [bool(bits & fl.Q_DROPPED) for bits in quality(batch)] == [False, True, True, False]


def test_application_ids_are_engine_and_selector_of_any_length() -> None:
    found = [
        int(decoded(((1, 4), (95, len(value))), bytes(4) + value)["application_id"][0])
        for value in (b"\x0d", b"\x03\x01\xbb", b"\x0d\x00\x00\x50", b"\x14\0\0\x23\x87\0\0\x05")
    ]
    assert found == [13 << 56, 3 << 56 | 443, 13 << 56 | 80, 20 << 56 | 0x2387000005]


def test_an_mpls_label_is_the_first_20_bits_and_macs_are_48() -> None:
    batch = decoded(
        ((1, 4), (70, 3), (56, 6), (80, 6)), struct.pack(">I3s6s6s", 7, b"\x12\x34\x51", b"\2\0\0\0\0\1", b"\xff" * 6)
    )
    names = ("mpls_top_label", "source_mac_address", "destination_mac_address")
    assert [int(batch[name][0]) for name in names] == [0x12345, 0x020000000001, 0xFFFFFFFFFFFF]


def test_macs_after_the_device_count_only_where_those_before_are_not_told() -> None:
    both = decoded(((1, 4), (81, 6), (56, 6)), bytes(4) + b"\0\0\0\0\0\x09" + b"\0\0\0\0\0\x05")
    after = decoded(((1, 4), (81, 6)), bytes(4) + b"\0\0\0\0\0\x09")
    assert [int(batch["source_mac_address"][0]) for batch in (both, after)] == [5, 9]


def test_octets_of_frames_stand_beside_those_of_packets_or_in_for_them() -> None:
    both = decoded(((352, 8), (1, 4)), struct.pack(">QI", 114, 100))
    only = decoded(((352, 8), (2, 4)), struct.pack(">QI", 114, 1))
    assert [int(batch[OCTETS][0]) for batch in (both, only)] == [100, 114]
    assert [int(batch["layer2_octet_delta_count"][0]) for batch in (both, only)] == [114, 114]
    assert [quality(batch) for batch in (both, only)] == [[fl.Q_NO_TIME], [fl.Q_NO_TIME | fl.Q_LAYER2]]


def test_the_vlan_is_the_first_that_the_template_has() -> None:
    fields: list[tuple[FieldSpec, ...]] = [((59, 2), (58, 2)), ((254, 2), (243, 2)), ((245, 2),), ((254, 2),)]
    assert [int(decoded(((1, 4), *pair), struct.pack(">IHH", 7, 30, 40)[: 4 + 2 * len(pair)])["vlan_id"][0]) for pair in fields] == [
        40, 40, 30, 30,
    ]  # fmt: skip


def test_protocol_0_is_a_value() -> None:
    batch = decoded(((4, 1), (1, 4)), struct.pack(">BI", 0, 7))
    assert (int(batch["protocol_identifier"][0]), int(batch[OCTETS][0])) == (0, 7)


@pytest.mark.parametrize(
    ("protocol", "fields", "values", "wanted"),
    [
        (1, ((32, 2),), b"\x08\x00", 0x0800),
        (58, ((139, 2),), b"\x80\x00", 0x8000),
        (58, ((32, 2),), b"\x80\x01", 0x8001),
        (1, ((176, 1), (177, 1)), b"\x03\x01", 0x0301),
        (58, ((178, 1), (179, 1)), b"\x81\x00", 0x8100),
        (58, ((32, 2), (139, 2)), b"\x03\x03\x80\x00", 0x8000),
        (6, ((32, 2),), b"\x08\x00", 0),
    ],
)
def test_icmp_type_and_code_go_where_version_5_has_them(
    protocol: int, fields: tuple[FieldSpec, ...], values: bytes, wanted: int
) -> None:
    batch = decoded(((4, 1), (11, 2), (1, 4), *fields), struct.pack(">BHI", protocol, 0, 7) + values)
    assert int(batch[DESTINATION_PORT][0]) == wanted


def test_icmp_in_the_destination_port_stays() -> None:
    batch = decoded(((4, 1), (11, 2), (32, 2), (1, 4)), struct.pack(">BHHI", 1, 0x0800, 0x0303, 7))
    assert int(batch[DESTINATION_PORT][0]) == 0x0800


@pytest.mark.parametrize("length", [1, 2])
def test_tcp_flags_have_one_octet_or_two(length: int) -> None:
    assert int(decoded(((6, length), (1, 4)), (0x12).to_bytes(length, "big") + bytes(4))["tcp_control_bits"][0]) == 0x12


def test_the_first_of_an_element_that_comes_twice_wins() -> None:
    assert int(decoded(((1, 4), (1, 4)), struct.pack(">II", 7, 9))[OCTETS][0]) == 7


@pytest.mark.parametrize("length", range(1, 9))
def test_integers_have_any_length(length: int) -> None:
    assert int(decoded(((1, length),), (200).to_bytes(length, "big"))[OCTETS][0]) == 200


@pytest.mark.parametrize("version", [9, 10])
def test_fields_of_variable_length_come_in_both_versions(version: int) -> None:
    records = [
        bytes([3]) + b"eth" + struct.pack(">I", 7),
        b"\xff\x01\x00" + bytes(256) + struct.pack(">I", 8),
        b"\0" + struct.pack(">I", 9),
    ]
    assert decoded(((82, 65535), (1, 4)), *records, version=version)[OCTETS].tolist() == [7, 8, 9]


def test_many_records_of_variable_length_are_decoded_in_runs() -> None:
    records = [bytes([number % 5]) + bytes(number % 5) + struct.pack(">I", number) for number in range(1000)]
    assert decoded(((82, 65535), (1, 4)), *records, version=10)[OCTETS].tolist() == list(range(1000))


def test_fields_of_length_0_and_padding_of_any_kind_are_nothing() -> None:
    for padding in (b"", b"\0\0\0", b"\xff\xee\xdd", bytes(11)):
        batch = decoded(((82, 0), (1, 4)), struct.pack(">I", 7), padding=padding)
        assert batch[OCTETS].tolist() == [7]


def test_sets_are_walked_to_the_end_whatever_the_headers_count() -> None:
    sets = one_set(2, template(300, (*PAIR, (1, 4)), ipfix=True)), one_set(300, ENDS + struct.pack(">I", 7))
    short = ipfix(*sets, length=16 + sum(map(len, sets)) - 2)
    tail = ipfix(*sets) + bytes(1220)
    few = v9(one_set(0, template(300, (*PAIR, (1, 4)))), one_set(300, ENDS + struct.pack(">I", 7)), count=77)
    decoder = FlowDecoder()
    assert decoder.decode(block(short, tail, few))[OCTETS].tolist() == [7, 7, 7]
    assert decoder.counters.bad_sets == 0


def test_where_no_octets_are_told_the_record_says_so() -> None:
    assert quality(decoded(((2, 4),), struct.pack(">I", 7))) == [fl.Q_NO_TIME | fl.Q_NO_COUNTERS]


def test_a_counter_after_a_middlebox_counts_only_alone() -> None:
    assert int(decoded(((23, 4), (1, 4)), struct.pack(">II", 9, 7))[OCTETS][0]) == 7
    assert int(decoded(((23, 4), (85, 4)), struct.pack(">II", 9, 7))[OCTETS][0]) == 7
    assert int(decoded(((23, 4),), struct.pack(">I", 9))[OCTETS][0]) == 9


def test_an_absurd_counter_is_0_and_the_record_says_so() -> None:
    batch = decoded(
        ((1, 8), (152, 8), (153, 8)), struct.pack(">QQQ", 1 << 60, NOW, NOW), struct.pack(">QQQ", 1 << 48, NOW, NOW)
    )
    assert batch[OCTETS].tolist() == [0, 1 << 48]
    assert quality(batch) == [fl.Q_ABSURD, 0]


def test_both_directions_become_records_and_the_second_says_so() -> None:
    batch = decoded(
        ((231, 4), (232, 4), (152, 8), (153, 8), (225, 4)), struct.pack(">IIQQ4s", 7, 9, NOW, NOW, b"\xcb\0\x71\1")
    )
    assert batch[OCTETS].tolist() == [7, 9]
    assert quality(batch) == [0, fl.Q_REVERSE]
    assert batch["post_nat_destination_address_lo"].tolist() == [0, 0xFFFFCB007101]


def test_of_a_firewall_without_updates_the_teardown_counts() -> None:
    batch = decoded(NSEL, nsel(1, octets=0, back=0, age=0), nsel(2, octets=700, back=900, age=300_000))
    assert batch[OCTETS].tolist() == [0, 700, 900]


def test_of_a_firewall_with_updates_each_octet_counts_once() -> None:
    decoder = FlowDecoder()
    batch = decoded(
        NSEL,
        nsel(5, octets=400, back=500, age=61_000),
        nsel(5, octets=300, back=400, age=122_000),
        nsel(2, octets=700, back=900, age=122_000),  # the sum of what its updates said
        nsel(2, octets=50, back=60, age=20_000),  # too young for an update
        decoder=decoder,
    )
    assert batch[OCTETS].tolist() == [400, 300, 0, 50, 500, 400, 60]
    assert [bool(bits & fl.Q_NO_COUNTERS) for bits in quality(batch)] == [
        False, False, True, False, False, False, False,
    ]  # fmt: skip


def test_an_update_reaches_back_to_the_one_before_not_to_the_beginning() -> None:
    batch = decoded(NSEL, nsel(5, octets=1, back=0, age=60_000), nsel(5, octets=2, back=0, age=3_600_000))
    assert (batch["flow_end_milliseconds"] - batch["flow_start_milliseconds"]).tolist() == [60_000, 60_000]


def test_what_a_firewall_denied_is_dropped_traffic_without_octets() -> None:
    batch = decoded(NSEL, nsel(3, octets=0, back=0, age=0))
    assert (batch[OCTETS].tolist(), batch["firewall_event"].tolist()) == ([0], [3])
    assert quality(batch) == [fl.Q_DROPPED | fl.Q_NO_COUNTERS]


def test_teardowns_with_plain_counters_count_beside_updates() -> None:
    fields: tuple[FieldSpec, ...] = ((233, 1), (1, 4), (152, 8), (323, 8))
    records = [struct.pack(">BIQQ", event, 7, NOW - 90_000, NOW) for event in (5, 2)]
    assert decoded(fields, *records)[OCTETS].tolist() == [7, 7]


FRAME = bytes.fromhex("020000000002 020000000001 8100 0007 0800") + bytes.fromhex(
    "4510 0578 0000 4000 4006 0000 0a000001 0a02000a 9c40 01bb 00000000 00000000 5018 0000 00000000"
)


@pytest.mark.parametrize(
    ("fields", "head"),
    [
        (((312, 2), (315, 65535)), struct.pack(">HB", 1500, len(FRAME))),
        (((312, 2), (315, 58)), struct.pack(">H", 1500)),
        (((312, 2), (104, 58)), struct.pack(">H", 1500)),
    ],
)
def test_a_packet_section_becomes_the_record_of_its_headers(fields: tuple[FieldSpec, ...], head: bytes) -> None:
    sets = one_set(2, template(300, fields, ipfix=True)), one_set(300, head + FRAME)
    batch = FlowDecoder().decode(block(ipfix(*sets)))
    row = next(batch.rows())
    assert address_text(row["source_address_hi"], row["source_address_lo"]) == "10.0.0.1"
    assert address_text(row["destination_address_hi"], row["destination_address_lo"]) == "10.2.0.10"
    wanted = {"source_transport_port": 40_000, "destination_transport_port": 443, "protocol_identifier": 6, OCTETS: 1400,
              "packet_delta_count": 1, "tcp_control_bits": 0x18, "vlan_id": 7, "ip_class_of_service": 0x10,
}  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    assert quality(batch) == [fl.Q_PACKET | fl.Q_NO_TIME]
    assert int(batch["layer2_octet_delta_count"][0]) == 1500
    assert int(batch["source_mac_address"][0]) == 0x020000000001


def test_a_section_says_how_much_of_it_was_seen_and_ip_sections_have_no_frame() -> None:
    packet = FRAME[18:]
    whole = template(300, ((313, len(packet)), (410, 2)), ipfix=True)
    record = packet + (22).to_bytes(2, "big")
    batch = FlowDecoder().decode(block(ipfix(one_set(2, whole), one_set(300, record))))
    assert (batch["protocol_identifier"].tolist(), batch["source_transport_port"].tolist()) == ([6], [0])
    assert batch[OCTETS].tolist() == [1400]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (fl.TIMES_OF_FLOW, (NOW - 5000, NOW - 2000)),
        (fl.TIMES_OF_EXPORT, (NOW - 3000, NOW)),
        (fl.TIMES_OF_ARRIVAL, (ARRIVAL - 3000, ARRIVAL)),
    ],
)
def test_the_clock_that_dates_records_is_chosen_by_domain(source: int, wanted: tuple[int, int]) -> None:
    decoder = FlowDecoder()
    record = struct.pack(">IQQ", 7, NOW - 5000, NOW - 2000)
    decoded(((1, 4), (152, 8), (153, 8)), record, decoder=decoder)
    decoder._tables.domains[0, fl.D_TIME_SOURCE] = source
    decoder._tables.domains[0, fl.D_QUALITY] = fl.Q_RATE_ASSUMED
    batch = decoded(((1, 4), (152, 8), (153, 8)), record, decoder=decoder)
    assert (int(batch["flow_start_milliseconds"][0]), int(batch["flow_end_milliseconds"][0])) == wanted
    assert int(batch[QUALITY][0]) == fl.Q_RATE_ASSUMED


def test_a_record_that_names_its_rate_is_not_assumed() -> None:
    decoder = FlowDecoder()
    decoded(((1, 4),), bytes(4), decoder=decoder)
    decoder._tables.domains[0, fl.D_QUALITY] = fl.Q_RATE_ASSUMED
    batch = decoded(((1, 4), (34, 4)), struct.pack(">II", 7, 100), struct.pack(">II", 7, 0), decoder=decoder)
    assert batch["sampling_rate"].tolist() == [100, 1]
    assert [bool(bits & fl.Q_RATE_ASSUMED) for bits in batch[QUALITY].tolist()] == [False, True]


def test_packet_sections_too_short_for_any_header_make_no_more_records_than_there_is_room_for() -> None:
    decoder = FlowDecoder()
    tiny = one_set(300, b"\0\0\0" * 20_000)
    batch = decoder.decode(block(ipfix(one_set(2, template(300, ((312, 2), (315, 65535)), ipfix=True))), ipfix(tiny)))
    assert len(batch) == 60_000 // 8
    assert decoder.counters.bad_sets == 1
