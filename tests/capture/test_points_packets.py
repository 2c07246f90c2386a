"""What every collector must get right, points 13 to 21: packets, sFlow, windows, hostile input, sockets, names, fields."""

import socket
import struct

import pytest

from btimd.capture.blocks import BlockChannel, ends_stream
from btimd.capture.tcp import TcpReceiver, bind_listener
from btimd.capture.udp import BoundSocket, Receiver, bind_shared
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.exporters import ExporterRule
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import Windows
from btimd.kernels import flowlayout as fl
from btimd.model.address import Prefix
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from btimd.model.ports import ExporterInterface
from btimd.runtime.channel import Channel
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from tests.capture import captures
from tests.capture.points import ENDS, A, B, captured, datagram, decoded, defined, ends, moved, number, octets, told
from tests.capture.wire.crafting import (
    ARRIVAL,
    EXPORTED_AT,
    FieldSpec,
    block,
    ipfix,
    one_set,
    options_template,
    template,
    v5,
    v5_record,
    v9,
)  # fmt: skip
from tests.flows.traffic import EAST, ERP, T0, attribution, cells, stamps
from tests.kernels import sflowcrafting as sflow
from tests.kernels.test_headers import OCTETS
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.timeout(600)  # the first may compile the kernels
COUNTED: tuple[FieldSpec, ...] = (*ENDS, (1, 4))
RECORD = A + B + number(7)
PACKET = bytes.fromhex("4500 0578 0000 4000 4006 0000 0a000001 0a02000a 9c40 01bb 00000000 00000000 5018 0000 00000000")
FRAME = bytes.fromhex("020000000002 020000000001 8100 0007 0800") + PACKET
HTTPS = ("10.0.0.1", 40_000, "10.2.0.10", 443, 6)


@captures.needs_captures
def test_point_13_octets_of_packets_and_of_frames_stand_side_by_side() -> None:
    batch, _ = captured("akvorado__testdecode-flow-sample-with-ipv4-data")
    rate = batch["sampling_rate"]
    assert int((batch["layer2_octet_delta_count"] * rate).sum()) == 355_840
    assert int((batch["octet_delta_count"] * rate).sum()) == 344_064


def test_point_13_a_frame_shorter_than_its_packet_is_not_believed() -> None:
    batch = FlowDecoder().decode(block(sflow.datagram(sflow.flow(sflow.raw_header(FRAME, octets=60)))))
    assert (octets(batch), batch["layer2_octet_delta_count"].tolist()) == ([1400], [1418])


def test_point_13_frames_count_where_there_is_nothing_else_and_the_record_says_so() -> None:
    batch = decoded([(352, 8)], number(90, 8))
    assert (octets(batch), batch["layer2_octet_delta_count"].tolist()) == ([90], [90])
    assert int(batch["record_quality"][0]) & fl.Q_LAYER2


def test_point_14_the_agent_is_the_exporter_and_samples_of_every_form_are_read() -> None:
    packet, unknown = sflow.raw_header(FRAME), sflow.record(77, bytes(8), enterprise=9)
    decoder = FlowDecoder()
    samples = (
        sflow.flow(unknown, packet, rate=10), sflow.record(900, bytes(12)), sflow.counters(sflow.interface_counters()),
        sflow.expanded_flow(packet, rate=20, into=(0, 70_000), out=(2, 5)), sflow.discarded(packet),
        sflow.flow(packet, rate=30, into=0x3FFFFFFF, out=1 << 30 | 256), sflow.flow(packet)[:40],
    )  # fmt: skip
    batch = decoder.decode(block(sflow.datagram(*samples, agent="198.51.100.7", count=2**32 - 1)))
    assert ends(batch) == [HTTPS] * 4
    assert batch["sampling_rate"].tolist() == [10, 20, 1, 30]
    assert list(zip(batch["ingress_interface"].tolist(), batch["egress_interface"].tolist(), strict=True)) == [
        (3, 4), (70_000, 0), (3, 4), (0, 0),
    ]  # fmt: skip
    assert (batch["record_quality"] & fl.Q_DROPPED != 0).tolist() == [False, False, True, True]
    assert [exporter.address for exporter in decoder.exporters()] == ["198.51.100.7"]


def test_point_14_datagrams_are_counted_per_sub_agent() -> None:
    decoder = FlowDecoder()
    sent = [sflow.datagram(sub_agent=agent, sequence=number) for number in (1, 2, 5) for agent in (0, 1)]
    decoder.decode(block(*sent))
    waited_for = decoder._tables.sequences[:, fl.E_PENDING].sum()
    assert decoder.counters.lost_units + waited_for == 4


def test_point_14_the_rate_of_a_sample_is_known_and_the_operators_replaces_it() -> None:
    samples = sflow.flow(sflow.raw_header(FRAME), rate=512), sflow.discarded(sflow.raw_header(FRAME))
    plain = FlowDecoder()
    batch = plain.decode(block(sflow.datagram(*samples)))
    assert (batch["sampling_rate"].tolist(), (batch["record_quality"] & fl.Q_RATE_ASSUMED).tolist()) == (
        [512, 1],
        [0, 0],
    )
    [exporter] = plain.exporters()
    assert (exporter.sampling_rate, exporter.sampling_rates, exporter.sampling_announced) == (512, (512,), True)
    forced = FlowDecoder(rules=[ExporterRule("o", Prefix.parse("0.0.0.0/0"), sampling_rate=100)])
    batch = forced.decode(block(sflow.datagram(*samples, sflow.flow(sflow.raw_header(FRAME), rate=0))))
    assert batch["sampling_rate"].tolist() == [100, 1, 100]
    assert (batch["record_quality"] & fl.Q_RATE_ASSUMED).tolist() == [0, 0, 0]
    assert (forced.exporters()[0].sampling_rate, forced.exporters()[0].sampling_rates) == (100, (100,))


@pytest.mark.parametrize("name", ["vlan", "backbone", "vn tag", "port tag"])
def test_point_14_what_stands_before_the_ip_header_is_passed(name: str) -> None:
    batch = FlowDecoder().decode(block(sflow.datagram(sflow.flow(sflow.raw_header(OCTETS[name])))))
    [(source, _, destination, _, _)] = ends(batch)
    assert "::" not in (source, destination)


@pytest.mark.parametrize(
    ("section", "head"),
    [
        (FRAME, ((315, 65535),)), (FRAME, ((315, len(FRAME)),)), (FRAME, ((104, len(FRAME)),)),
        (PACKET, ((313, 65535),)), (PACKET, ((317, 65535),)),
    ],
)  # fmt: skip
def test_point_15_a_section_of_a_packet_is_the_record(section: bytes, head: tuple[FieldSpec, ...]) -> None:
    length = bytes([len(section)]) if head[0][1] == 65535 else b""
    fields: tuple[FieldSpec, ...] = ((312, 2), (408, 2), (409, 2), (410, 2), *head)
    told = number(1500, 2) + number(1, 2) + number(0, 2) + number(len(section), 2)
    batch = FlowDecoder().decode(block(datagram(fields, told + length + section)))
    assert ends(batch) == [HTTPS]
    assert (octets(batch), batch["packet_delta_count"].tolist(), batch["layer2_octet_delta_count"].tolist()) == (
        [1400], [1], [1500],
    )  # fmt: skip


@pytest.mark.parametrize("told", [number(2, 2) + number(0, 2), number(1, 2) + number(14, 2)])
def test_point_15_a_section_that_is_no_ethernet_or_begins_behind_the_headers_names_nobody(told: bytes) -> None:
    fields: tuple[FieldSpec, ...] = ((312, 2), (408, 2), (409, 2), (315, len(FRAME)))
    batch = FlowDecoder().decode(block(datagram(fields, number(1500, 2) + told + FRAME)))
    assert (ends(batch), octets(batch)) == ([("::", 0, "::", 0, 0)], [1500])
    assert int(batch["record_quality"][0]) & fl.Q_LAYER2


def test_point_16_a_long_flow_is_spread_over_the_time_it_lasted() -> None:
    at = T0 // 1000 + 120
    fields: tuple[FieldSpec, ...] = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4), (150, 4), (151, 4))
    ends_of_it = bytes([10, 1, 0, 1]) + socket.inet_aton(ERP) + struct.pack(">HHB", 40_000, 443, 6)
    record = ends_of_it + struct.pack(">IIII", 120_000, 120, at - 120, at)
    definition = one_set(2, template(256, fields, ipfix=True))
    batch = FlowDecoder().decode(block(ipfix(definition, one_set(256, record), at=at), arrival=at * 1000))
    where = attribution(EAST)
    windows = Windows(where, Users(where, UserLimits(capacity=256)))
    windows.add(where.attribute(batch), at * 1000)
    minutes = [one for one in windows.flush() if one.interval_milliseconds == 60_000]
    assert [(stamps([one])[0][0], *(cell[2] for cell in cells(one))) for one in minutes] == [
        (0, 59_999), (60, 60_000), (120, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "hostile",
    [
        one_set(2, struct.pack(">HH", 256, 65_535) + bytes(40)), one_set(3, struct.pack(">HHH", 257, 65_535, 9)),
        one_set(2, struct.pack(">HHHH", 256, 1, 1, 65_534)), one_set(300, bytes(9)), one_set(5, bytes(8)),
        one_set(2, template(258, [(82, 65535), (1, 4)], ipfix=True)) + one_set(258, b"\xff\xff\xff" + bytes(20)),
    ],
)  # fmt: skip
def test_point_17_one_bad_set_costs_no_other(hostile: bytes) -> None:
    good = defined(COUNTED, template_id=500), one_set(500, RECORD)
    assert octets(FlowDecoder().decode(block(ipfix(hostile, *good)))) == [7]
    assert octets(FlowDecoder().decode(block(ipfix(*good, hostile)))) == [7]


def test_point_17_counts_are_bounded_by_what_is_left_and_memory_by_limits() -> None:
    decoder = FlowDecoder(DecodeLimits(max_exporters=2, max_templates=3, pending_octets=1000))
    definitions = [defined(COUNTED, template_id=256 + index) for index in range(9)]
    waiting = [one_set(400 + index, bytes(200)) for index in range(9)]
    sources = [f"192.0.2.{index}" for index in range(1, 6)]
    decoder.decode(block(*[ipfix(*definitions, *waiting)] * 5, sources=sources))
    found = decoder.counters
    assert (len(decoder.exporters()), found.refused_datagrams, found.templates, found.refused_templates) == (
        2,
        3,
        6,
        12,
    )
    assert found.sets_without_template == 18
    assert found.dropped_sets + found.buffered_sets == 18
    assert decoder._pending.octets <= 1000


def test_point_17_who_may_not_export_is_refused_and_named() -> None:
    decoder = FlowDecoder(allowed=[Prefix.parse("192.0.2.0/31")])
    sent = datagram(COUNTED, RECORD)
    assert octets(decoder.decode(block(sent, sent, sources=["192.0.2.1", "203.0.113.9"]))) == [7]
    assert [(who.address, who.datagrams) for who in decoder.refused_exporters()] == [("203.0.113.9", 1)]


def test_point_18_what_a_full_socket_drops_is_counted() -> None:
    channel: Channel[DatagramBlock] = Channel(64, weigh=len)
    receiver = Receiver(BoundSocket("127.0.0.1", 0, 4096), channel, ManualClock())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        for _ in range(500):
            source.sendto(bytes(1000), receiver.bound.address)
    receiver.start()
    assert receiver.stop(5.0)
    receiver.bound.socket.close()
    assert receiver.kernel_drops > 0
    assert receiver.datagrams + receiver.kernel_drops == 500


def test_point_18_receivers_that_share_a_port_keep_each_exporter_with_its_templates() -> None:
    channels: list[Channel[DatagramBlock]] = [Channel(1024, weigh=len) for _ in range(3)]
    shared = bind_shared("127.0.0.1", 0, 4 << 20, 3)
    receivers = [Receiver(one, channel, ManualClock()) for one, channel in zip(shared, channels, strict=True)]
    for sent in (ipfix(defined(COUNTED)), ipfix(one_set(256, RECORD))):
        for host in range(1, 21):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
                source.bind((f"127.0.1.{host}", 0))
                source.sendto(sent, shared[0].address)
    for receiver in receivers:
        receiver.start()
    assert all(receiver.stop(5.0) for receiver in receivers)
    decoders = [FlowDecoder() for _ in channels]
    for channel, decoder in zip(channels, decoders, strict=True):
        while (item := channel.get(0.0)) is not None:
            decoder.decode(item)
    for receiver in receivers:
        receiver.bound.socket.close()
    assert sum(decoder.counters.records for decoder in decoders) == 20
    assert [decoder.counters.sets_without_template for decoder in decoders] == [0, 0, 0]


def test_point_19_options_give_names_and_a_later_one_replaces_the_earlier() -> None:
    decoder = FlowDecoder()
    decoder.decode(
        block(
            told([(82, 8), (83, 8)], b"old\0\0\0\0\0" + bytes(8), scope=(10, 4)),
            ipfix(one_set(3, options_template(401, [(10, 4)], [(82, 8), (83, 8)], ipfix=True)),
                  one_set(401, number(3) + b"Gi0/1\0\0\0" + b"uplink\0\0", number(3) + b"Gi0/2\0\0\0" + b"uplink\0\0")),
            ipfix(one_set(3, options_template(402, [(234, 4)], [(236, 4), (90, 8)], ipfix=True)),
                  one_set(402, number(5) + b"blue" + bytes(8))),
            ipfix(one_set(3, options_template(403, [(95, 4)], [(96, 4)], ipfix=True)),
                  one_set(403, b"\3" + number(80, 3) + b"http")),
            ipfix(one_set(3, options_template(404, [(95, 9)], [(96, 4)], ipfix=True)),
                  one_set(404, b"\x14" + number(12_356) + number(95) + b"mail")),
            v9(one_set(1, options_template(405, [(1, 4)], [(48, 1), (84, 4), (34, 4)])),
               one_set(405, bytes(4) + b"\2deep" + number(10))),
            told([(130, 4)], bytes([203, 0, 113, 5])),
        )
    )  # fmt: skip
    names = decoder.names.of(0)
    assert decoder.names.interfaces(0)[-1] == ExporterInterface(3, "Gi0/2", "uplink", 0)
    assert (names.vrfs, names.samplers, names.own_addresses) == ({5: "blue"}, {2: "deep"}, ["203.0.113.5"])
    assert [(one.id, one.name) for one in names.applications.values()] == [("3:80", "http"), ("20:12356:95", "mail")]


def port(fields: list[FieldSpec], record: bytes, protocol: int, *, is_ipfix: bool = True) -> int:
    batch = decoded([(4, 1), (1, 4), *fields], number(protocol, 1) + number(1) + record, is_ipfix=is_ipfix)
    return int(batch["destination_transport_port"][0])


def test_point_20_icmp_is_in_the_destination_port_however_it_is_told() -> None:
    assert port([(11, 2)], number(0x0301, 2), 1) == 0x0301
    assert port([(11, 2), (32, 2)], number(0, 2) + number(0x0301, 2), 1, is_ipfix=False) == 0x0301
    assert port([(176, 1), (177, 1)], b"\3\1", 1) == 0x0301
    assert port([(139, 2)], number(0x8000, 2), 58) == 0x8000
    assert port([(178, 1), (179, 1)], b"\x80\0", 58) == 0x8000
    assert port([(32, 2)], number(0x0301, 2), 6) == 0


def column(element: int, name: str, value: bytes) -> int:
    return int(decoded([(1, 4), (element, len(value))], number(1) + value)[name][0])


def test_point_20_flags_status_labels_vlans_and_macs_in_every_length() -> None:
    assert [column(6, "tcp_control_bits", number(0x12, size)) for size in (1, 2)] == [0x12, 0x12]
    for size in (1, 2, 4):
        batch = decoded([(1, 4), (89, size)], number(1) + number(0x80, size), number(1) + number(0x40, size))
        assert batch["forwarding_status"].tolist() == [0x80, 0x40]
        assert (batch["record_quality"] & fl.Q_DROPPED).tolist() == [fl.Q_DROPPED, 0]
    assert column(70, "mpls_top_label", number(24_001 << 4 | 1, 3)) == 24_001
    assert [column(element, "vlan_id", number(100, 2)) for element in (58, 59, 243, 245, 254)] == [100] * 5
    macs = ((56, 6), (80, 6), (81, 6), (57, 6))
    batch = decoded([(1, 4), *macs], number(1) + number(1, 6) + number(2, 6) + number(3, 6) + number(4, 6))
    assert (int(batch["source_mac_address"][0]), int(batch["destination_mac_address"][0])) == (1, 2)


def test_point_20_protocol_0_is_a_value_and_v5_takes_icmp_as_it_is() -> None:
    assert decoded([(4, 1), (1, 4)], b"\0" + number(1))["protocol_identifier"].tolist() == [0]
    assert octets(FlowDecoder().decode(block(v5(v5_record(5))))) == [5]


def translated(*, six: bool = False) -> FlowBatch:
    fields: list[FieldSpec] = [(7, 2), (11, 2), (4, 1), (1, 4), (230, 1), (226, 4), (228, 2)]
    record = struct.pack(">HHBIB", 40_000, 8443, 6, 100, 1) + socket.inet_aton(ERP) + number(443, 2)
    if six:
        fields[5], record = (282, 16), record[:10] + bytes(15) + b"\x0a" + record[14:]
    return decoded(fields, record)


def test_point_20_a_flow_to_a_published_address_belongs_to_who_is_behind_it() -> None:
    batch = translated()
    assert (batch["nat_event"].tolist(), batch["post_napt_destination_transport_port"].tolist()) == ([1], [443])
    where = attribution()
    found = where.attribute(batch)
    assert where.rules[int(found.service_rule_id[0])].id == "erp"
    assert translated(six=True)["post_nat_destination_address_lo"].tolist() == [10]


def test_point_21_over_tcp_messages_are_framed_by_their_length_and_templates_belong_to_a_connection() -> None:
    channel = BlockChannel(1024, 1 << 28)
    receiver = TcpReceiver([bind_listener("127.0.0.1", 0)], channel, ManualClock(ARRIVAL / 1000), Log("capture"))
    receiver.start()
    first = ipfix(defined(COUNTED)) + ipfix(one_set(256, RECORD), at=EXPORTED_AT)
    blocks: list[DatagramBlock] = []
    try:
        for stream in (first, ipfix(one_set(256, RECORD))):
            with socket.create_connection(receiver.addresses[0]) as exporter:
                for at in range(0, len(stream), 7):
                    exporter.sendall(stream[at : at + 7])
            ended = False
            while not ended:
                item = channel.get(PATIENCE_SECONDS)
                assert item is not None
                blocks.append(item)
                ended = ends_stream(item)
    finally:
        assert receiver.stop(5.0)
    decoder = FlowDecoder()
    assert octets(FlowBatch.concat([decoder.decode(item) for item in blocks])) == [7]
    assert {name: moved(decoder)[name] for name in ("sets_without_template", "dropped_sets")} == {
        "sets_without_template": 1, "dropped_sets": 1,
    }  # fmt: skip
