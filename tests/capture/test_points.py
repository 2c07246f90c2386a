"""What every collector must get right, points 7 to 12: rates, times, counters, both directions, loss, duplicates."""

import struct
from itertools import pairwise

import pytest

from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.exporters import ExporterRule
from btimd.flows.duplicates import DuplicateLimits, Duplicates
from btimd.kernels import flowlayout as fl
from btimd.model.address import Prefix
from tests.capture import captures
from tests.capture.points import (
    ENDS,
    EXPORT,
    captured,
    datagram,
    decoded,
    defined,
    ends,
    number,
    octets,
    times,
    told,
)  # fmt: skip
from tests.capture.wire.crafting import (
    ARRIVAL,
    EXPORTED_AT,
    PLAIN,
    FieldSpec,
    block,
    ipfix,
    one_set,
    options_template,
    plain_record,
    v5,
    v5_record,
    v9,
)  # fmt: skip

pytestmark = pytest.mark.timeout(600)  # the first may compile the kernels
REVERSE = 29305
NTP = EXPORTED_AT + 2_208_988_800


def rated(
    fields: tuple[FieldSpec, ...], record: bytes, *announced: bytes, decoder: FlowDecoder | None = None
) -> list[int]:
    """Return the rates of a record, after these announcements."""
    decoder = decoder or FlowDecoder()
    decoder.decode(block(*announced))
    return list(map(int, decoded(((1, 4), *fields), number(1) + record, decoder=decoder)["sampling_rate"]))


@captures.needs_captures
def test_point_07_a_captured_announcement_of_1_in_256_holds_exactly_and_once() -> None:
    batch, _ = captured("pmacct__104")
    raw, scaled = batch["octet_delta_count"], batch["octet_delta_count"] * batch["sampling_rate"]
    assert set(batch["sampling_rate"].tolist()) == {256}
    assert (int(raw.sum()), int(scaled.sum())) == (10_632, 256 * 10_632)


@pytest.mark.parametrize(
    ("fields", "value", "rate"),
    [
        ([(34, 4), (35, 1)], number(100) + b"\2", 100),
        ([(48, 1), (49, 1), (50, 4)], b"\1\2" + number(128), 128),
        ([(302, 8), (304, 2), (305, 4), (306, 4)], number(1, 8) + number(1, 2) + number(1) + number(255), 256),
        ([(305, 4), (306, 4)], number(2) + number(1998), 1000),
        ([(304, 2), (309, 4), (310, 4)], number(3, 2) + number(1) + number(64), 64),
        ([(305, 4)], number(1), 1),
    ],
)
def test_point_07_every_way_to_announce_a_rate(fields: list[FieldSpec], value: bytes, rate: int) -> None:
    assert rated((), b"", told(fields, value)) == [rate]


def test_point_07_each_sampler_has_its_rate_and_another_source_id_may_tell_it() -> None:
    samplers = told([(48, 1), (34, 4)], b"\1" + number(10), domain=99), told([(48, 1), (34, 4)], b"\2" + number(20))
    assert rated(((48, 1),), b"\1", *samplers) == [10]
    assert rated(((48, 1),), b"\2", *samplers) == [20]
    assert rated((), b"", told([(34, 4)], number(30), domain=99)) == [30]


def test_point_07_a_rate_in_the_record_holds_for_it_and_half_of_one_says_nothing() -> None:
    assert rated(((34, 4),), number(5), told([(34, 4)], number(30))) == [5]
    assert rated(((305, 4), (306, 4)), number(1) + number(4), told([(34, 4)], number(30))) == [5]
    assert rated(((305, 4),), number(1), told([(34, 4)], number(30))) == [30]


def test_point_07_of_the_v5_header_14_bits_are_the_rate() -> None:
    batch = FlowDecoder().decode(block(v5(v5_record(), sampling=0x4000 | 1000)))
    assert (batch["sampling_rate"].tolist(), octets(batch)) == ([1000], [1000])


def test_point_07_the_operators_rate_replaces_all_and_his_default_only_nothing() -> None:
    everyone = Prefix.parse("0.0.0.0/0")
    override = FlowDecoder(rules=[ExporterRule("o", everyone, sampling_rate=7)])
    default = FlowDecoder(rules=[ExporterRule("d", everyone, default_sampling_rate=9)])
    assert rated(((34, 4),), number(5), told([(34, 4)], number(30)), decoder=override) == [7]
    assert rated((), b"", decoder=default) == [9]
    assert rated((), b"", told([(34, 4)], number(30)), decoder=default) == [30]
    assert rated((), b"", decoder=FlowDecoder(DecodeLimits(default_sampling_rate=11))) == [11]


def test_point_08_relative_times_are_signed_modulo_two_to_the_32() -> None:
    before_the_wrap = v5_record(first=0xFFFF_FFFF, last=3381)
    assert times(FlowDecoder().decode(block(v5(before_the_wrap, uptime=3381)))) == [(3382, 0)]
    ahead = v9(defined(PLAIN, is_ipfix=False), one_set(256, plain_record(started_before=10, ended_before=-500)))
    assert times(FlowDecoder().decode(block(ahead))) == [(10, -500)]


@pytest.mark.parametrize(
    ("fields", "value", "found"),
    [
        (((150, 4), (151, 4)), number(EXPORTED_AT - 9) + number(EXPORTED_AT - 2), (9000, 2000)),
        (((152, 8), (153, 8)), number(EXPORT - 900, 8) + number(EXPORT - 1, 8), (900, 1)),
        (((152, 65535), (153, 65535)), b"\10" + number(EXPORT - 900, 8) + b"\6" + number(EXPORT - 1, 6), (900, 1)),
        (((154, 8), (155, 8)), number(NTP - 1) + number(1 << 31) + number(NTP) + number(0), (500, 0)),
        (((156, 8), (157, 8)), number(NTP - 2) + number(1 << 30) + number(NTP - 1) + number(0), (1750, 1000)),
        (((158, 4), (159, 4)), number(2_500_000) + number(1_000), (2500, 1)),
        (((22, 4), (21, 4), (160, 8)), number(1000) + number(4000) + number(EXPORT - 5000, 8), (4000, 1000)),
        (((160, 8), (22, 4), (21, 4)), number(EXPORT - 5000, 8) + number(1000) + number(4000), (4000, 1000)),
        (((22, 4), (21, 4)), number(1000) + number(4000), (3000, 0)),
        (((150, 4), (151, 4)), bytes(8), (-250, -250)),
        ((), b"", (-250, -250)),
    ],
)
def test_point_08_every_way_to_write_a_time(
    fields: tuple[FieldSpec, ...], value: bytes, found: tuple[int, int]
) -> None:
    assert times(decoded(((1, 4), *fields), number(1) + value)) == [found]


def test_point_08_the_start_of_the_clock_may_be_told_in_options() -> None:
    decoder = FlowDecoder()
    decoder.decode(block(told([(160, 8)], number(EXPORT - 5000, 8))))
    assert times(decoded(((1, 4), (22, 4), (21, 4)), number(1) + number(1000) + number(4000), decoder=decoder)) == [
        (4000, 1000)
    ]


def test_point_08_times_that_cannot_be_are_clamped_and_counted_and_clocks_are_watched() -> None:
    decoder = FlowDecoder()
    far = number(EXPORT - 10**9, 8) + number(EXPORT + 10**9, 8)
    assert times(decoded(((1, 4), (152, 8), (153, 8)), number(1) + far, decoder=decoder)) == [
        (86_400_000 - 250, -3_600_250)
    ]
    assert decoder.counters.clamped == 1
    assert decoder.exporters()[0].clock_skew_milliseconds == -250  # whole seconds are half a second old on average


def test_point_08_whose_clock_dates_records_is_chosen_per_exporter() -> None:
    for source, found in (("flow", (900, 400)), ("export", (500, 0)), ("arrival", (250, -250))):
        rule = ExporterRule("r", Prefix.parse("0.0.0.0/0"), time_source=source)  # type: ignore[arg-type]
        value = number(1) + number(EXPORT - 900, 8) + number(EXPORT - 400, 8)
        assert times(decoded(((1, 4), (152, 8), (153, 8)), value, decoder=FlowDecoder(rules=[rule]))) == [found]


def test_point_09_each_octet_counts_once_whatever_else_repeats_it() -> None:
    assert octets(decoded([(23, 4), (1, 4)], number(9) + number(9))) == [9]
    assert octets(decoded([(85, 8), (1, 4)], number(99, 8) + number(9))) == [9]
    assert octets(decoded([(85, 8), (86, 8)], number(99, 8) + number(9, 8))) == [99]
    assert octets(decoded([(24, 4), (23, 4)], number(1) + number(9))) == [9]


@captures.needs_captures
def test_point_09_captured_repeated_counters_are_counted_once() -> None:
    batch, _ = captured("logstash__20-netflow-9-fortigate")
    assert (len(batch), sum(octets(batch)), int(batch["packet_delta_count"].sum())) == (17, 29_492, 105)


NSEL: tuple[FieldSpec, ...] = ((233, 1), (231, 4), (232, 4), (298, 4), (299, 4), (152, 8), (323, 8))


def event(kind: int, there: int, back: int, *, age: int, at: int = EXPORT) -> bytes:
    counted = struct.pack(">BIIII", kind, there, back, min(there, 1), min(back, 1))
    return counted + number(at - age, 8) + number(at, 8)


def total(*events: bytes) -> tuple[int, int]:
    """Return octets and packets of a firewall's events, both directions."""
    batch = decoded(NSEL, *events)
    return sum(octets(batch)), int(batch["packet_delta_count"].sum())


def test_point_09_a_firewalls_connection_counts_once_with_updates_and_without() -> None:
    created, deleted = event(1, 0, 0, age=0), event(2, 700, 900, age=122_000)
    assert total(created, deleted) == (1600, 2)
    assert total(created, event(5, 400, 500, age=61_000), event(5, 300, 400, age=122_000), deleted) == (1600, 4)
    assert total(event(5, 400, 500, age=61_000), event(2, 50, 60, age=20_000)) == (1010, 4)
    assert total(event(3, 0, 0, age=0)) == (0, 0)


def test_point_09_a_firewall_whose_updates_are_switched_off_is_counted_by_its_teardowns_again() -> None:
    hours = 3 * 3_600_000
    update = event(5, 400, 500, age=61_000, at=EXPORT - hours)
    assert total(update, event(2, 400, 500, age=61_000, at=EXPORT - hours + 1000)) == (900, 2)
    assert total(update, event(2, 700, 900, age=122_000)) == (2500, 4)


def test_point_10_a_bidirectional_record_is_two_flows_with_times_of_their_own() -> None:
    fields: tuple[FieldSpec, ...] = (
        (7, 2), (11, 2), (4, 1), (1, 4), (152, 8), (153, 8), (1, 4, REVERSE), (152, 8, REVERSE), (153, 8, REVERSE),
    )  # fmt: skip
    head, there = struct.pack(">HHB", 40_000, 443, 6), number(EXPORT - 900, 8) + number(EXPORT - 100, 8)
    back = number(EXPORT - 800, 8) + number(EXPORT - 50, 8)
    batch = decoded(fields, head + number(5) + there + number(7) + back, head + number(6) + there + number(0) + back)
    near, far = ("10.0.0.1", 40_000), ("10.2.0.10", 443)
    assert ends(batch) == [(*near, *far, 6), (*near, *far, 6), (*far, *near, 6)]
    assert (octets(batch), times(batch)) == ([5, 6, 7], [(900, 100), (900, 100), (800, 50)])
    assert (batch["record_quality"] & fl.Q_REVERSE).tolist() == [0, 0, fl.Q_REVERSE]


def loss(*datagrams: bytes, ports: tuple[int, ...] = ()) -> tuple[int, int, int]:
    """Return units lost or still waited for, restarts, and datagrams that came late."""
    decoder = FlowDecoder()
    decoder.decode(block(*datagrams, ports=ports))
    pending = int(decoder._tables.sequences[:, fl.E_PENDING].sum())
    return decoder.counters.lost_units + pending, decoder.counters.restarts, decoder.counters.reordered_datagrams


DEFINED = defined(PLAIN)
TWO = one_set(256, plain_record(), plain_record())


def test_point_11_each_protocol_counts_in_its_own_units() -> None:
    assert loss(v5(v5_record(), v5_record(), sequence=10), v5(v5_record(), sequence=15)) == (3, 0, 0)
    assert loss(v9(sequence=10), v9(sequence=15)) == (4, 0, 0)
    options = one_set(3, options_template(300, [(149, 4)], [(34, 4)], ipfix=True)), one_set(300, bytes(8))
    assert loss(ipfix(DEFINED, TWO, sequence=10), ipfix(*options, sequence=12), ipfix(TWO, sequence=13),
                ipfix(TWO, sequence=18)) == (3, 0, 0)  # fmt: skip


def test_point_11_what_cannot_be_decoded_cannot_be_counted_and_is_no_loss() -> None:
    unknown = one_set(999, bytes(40))
    assert loss(ipfix(DEFINED, TWO), ipfix(unknown, sequence=2), ipfix(TWO, sequence=9), ipfix(TWO, sequence=11)) == (
        0, 0, 0,
    )  # fmt: skip


def test_point_11_an_exporter_that_counts_after_the_message_loses_nothing() -> None:
    sequence, sent = 0, []
    for size in (1, 3, 2, 5, 1, 4, 7, 2):
        sequence += size
        sent.append(ipfix(DEFINED, one_set(256, *[plain_record()] * size), sequence=sequence))
    assert loss(*sent) == (0, 0, 0)


@captures.needs_captures
@pytest.mark.parametrize("name", sorted(name for name in captures.tool_truth() if "softflowd" in name))
def test_point_11_nothing_captured_of_softflowd_was_lost(name: str) -> None:
    _, decoder = captured(name)
    assert (decoder.counters.lost_units, decoder.counters.restarts) == (0, 0)
    assert decoder._tables.sequences[:, fl.E_PENDING].sum() == 0


def test_point_11_nine_backward_steps_in_forty_datagrams_are_no_loss() -> None:
    order = list(range(100, 140))
    for at in range(1, 36, 4):
        order[at], order[at + 1] = order[at + 1], order[at]
    assert sum(after < before for before, after in pairwise(order)) == 9
    assert loss(*(v9(sequence=sequence) for sequence in order)) == (0, 0, 9)


def test_point_11_a_far_jump_is_a_restart_and_two_behind_one_address_do_not_lose_each_others() -> None:
    assert loss(v9(sequence=5_000_000), *(v9(sequence=sequence) for sequence in range(20)))[:2] == (0, 1)
    both = [v9(sequence=start + step) for step in range(40) for start in (100, 90_000)]
    assert loss(*both, ports=(1000, 2000) * 40)[0] == 0


def seen_by(*exporters: str, **more: int) -> float:
    """Return which part of the records is duplicate where several exporters, or points of one, report a flow."""
    decoder = FlowDecoder()
    fields: tuple[FieldSpec, ...] = (*ENDS, (7, 2), (11, 2), (4, 1), (1, 4), (61, 1))
    record = bytes(3) + b"\1" + bytes(3) + b"\2" + struct.pack(">HHBI", 40_000, 443, 6, 100)
    sent = [
        datagram(fields, record + bytes([direction]))
        for direction in range(more.get("directions", 1))
        for _ in exporters
    ]
    batch = decoder.decode(block(*sent, sources=list(exporters) * more.get("directions", 1)))
    found = Duplicates(DuplicateLimits(mode="on")).mark(batch, ARRIVAL)
    return 0.0 if found is None else float(found.mean())


def test_point_12_what_several_points_report_counts_once_and_what_one_reports_is_never_dropped() -> None:
    assert seen_by("192.0.2.1") == 0
    assert seen_by("192.0.2.1", "192.0.2.2") == 1 / 2
    assert seen_by("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4") == 3 / 4
    assert seen_by("192.0.2.1", directions=2) == 1 / 2
