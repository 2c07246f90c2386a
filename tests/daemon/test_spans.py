"""What stands between the rings of mirror ports and the flow thread."""

import asyncio
import socket
from random import Random
from typing import Any

from btimd.capture.evidence import NO_RING, PacketRecorder, RingLimits
from btimd.capture.forensics import Subject
from btimd.capture.settings import CaptureSettings, SpanSettings
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.pcapng import Outline, outline
from btimd.daemon.spans import SpanLines, owners_of_rules, packet_channel, rings_of_rules, subject_of, table_limits
from btimd.flows.attribution import Attribution
from btimd.flows.table import TableLimits
from btimd.model.address import Prefix
from btimd.model.ipplan import IpPlan
from btimd.model.service import BusinessService, Check, CheckKind, Node, NodeKind, ServiceGraph, ServiceRule
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.conversations import SERVER, START, STEP, block_of, udp_exchange
from tests.capture.wire.crafting import block
from tests.patience import PATIENCE_SECONDS

SECOND = 1_000_000_000
DNS = udp_exchange(53, b"question", b"answer")


def rule(name: str, businesses: tuple[str, ...], port: int) -> ServiceRule:
    return ServiceRule(name, businesses, Prefix.parse(f"{SERVER}/32"), 17, port, port)


def attribution(*rules: ServiceRule, generation: int = 1) -> Attribution:
    return Attribution(IpPlan.empty(), rules, ("hr", "erp", "mail"), generation)


class World:
    """SpanLines of one span without an interface; its sink is fed by hand."""

    def __init__(self, *rules: ServiceRule, **settings: Any) -> None:
        self.attribution = attribution(*rules)
        self.channel = packet_channel()
        self.metrics = Metrics()
        spans = {"core": {"interface": "eth1", "max_flows": 1024}, "edge": {"interface": "eth2"}}
        evidence = {"ring_bytes": 65_536, "max_bytes": 262_144}
        self.lines = SpanLines(
            CaptureSettings.model_validate({"span": spans, "evidence": evidence} | settings),
            channel=self.channel,
            attribution=lambda: self.attribution,
            metrics=self.metrics,
            random=Random(7),
            log=Log("test"),
        )

    def value(self, name: str) -> float:
        return self.metrics.value(f"btimd_flows_table_{name}", {"span": "core"})


async def test_frames_become_records_of_their_span_and_what_was_lost_is_told_with_them() -> None:
    world = World(rule("dns", ("erp",), 53))
    sink = world.lines.sink("edge", 0)
    sink.add(block_of(DNS)[0])
    sink.tick(START + SECOND, 5)
    sink.close()
    got = [world.channel.get(0.0) for _ in range(2)]

    assert [(one.observation_point, one.packets, one.lost_packets) for one in got if one] == [(1, 2, 5), (1, 0, 0)]
    assert [int(one.flows["packet_delta_count"].sum()) for one in got if one] == [0, 2]


async def test_what_is_counted_shows_by_span() -> None:
    world = World()
    sink = world.lines.sink("core", 0)
    sink.add(block_of(DNS)[0])
    sink.add(block_of([(START, bytes(12) + b"\x08\x06" + bytes(46))])[0])
    world.lines.report()
    world.lines.report()

    assert (world.value("flows"), world.value("created_flows_total"), world.value("not_ip_packets_total")) == (1, 1, 1)


async def test_what_the_flow_thread_does_not_take_in_time_is_dropped_and_counted() -> None:
    world = World()
    sink = world.lines.sink("core", 0)
    for second in range(66):
        frames = udp_exchange(53, b"q", b"a", at=START + second * SECOND, client_port=1000 + second)
        sink.add(block_of(frames)[0])
        sink.tick(START + (second + 70) * SECOND, 0)
    await world.lines.stop()
    assert world.metrics.value("btimd_flows_table_dropped_records_total") > 0


async def test_packets_are_kept_for_the_businesses_of_their_flows_also_after_these_have_changed() -> None:
    world = World(rule("dns", ("erp", "hr"), 53))
    sink = world.lines.sink("core", 0)
    sink.add(block_of(DNS)[0])

    async def frozen(business: str) -> Outline | None:
        asked = asyncio.create_task(world.lines.freeze(business, START / 1e9 + 1))
        await asyncio.sleep(0)
        sink.tick(START + SECOND, 0)
        found = await asked
        return outline(found) if found else None

    assert [await frozen(name) for name in ("erp", "hr", "mail")] == [*[Outline(2, START, START + STEP)] * 2, None]

    world.attribution = attribution(rule("dns", ("mail",), 53), generation=2)
    world.lines.relabel()
    sink.tick(START + SECOND, 0)
    sink.add(block_of(udp_exchange(53, b"q", b"a", at=START + SECOND // 2))[0])
    assert await frozen("mail") == Outline(2, START + SECOND // 2, START + SECOND // 2 + STEP)
    assert await frozen("erp") == Outline(2, START, START + STEP)


async def test_records_go_to_other_collectors_in_the_name_of_their_span() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(PATIENCE_SECONDS)
        host, port = collector.getsockname()
        world = World(export={"collectors": [f"{host}:{port}"]})
        await world.lines.start()
        sink = world.lines.sink("edge", 0)
        sink.add(block_of(DNS)[0])
        sink.close()
        datagrams = [await asyncio.to_thread(collector.recv, 65_536)]
        decoder = FlowDecoder()
        batch = decoder.decode(block(*datagrams))
        while not len(batch):
            batch = decoder.decode(block(await asyncio.to_thread(collector.recv, 65_536)))
        await world.lines.stop()

    assert (batch["packet_delta_count"].tolist(), batch["observation_domain_id"].tolist()) == ([1, 1], [1, 1])
    assert world.metrics.value("btimd_capture_export_records_total") == 2


def test_evidence_can_be_switched_off() -> None:
    world = World(evidence={"enabled": False})
    world.lines.sink("core", 0)
    assert world.lines.recorders == []


def test_what_several_businesses_share_has_a_ring_of_its_own() -> None:
    found = attribution(rule("a", ("erp", "hr"), 1), rule("b", ("hr", "erp"), 2), rule("c", ("mail",), 3))
    recorder = PacketRecorder(RingLimits(flows=1))

    assert owners_of_rules(found) == [("erp", "hr"), ("erp", "hr"), ("mail",)]
    assert rings_of_rules(found, recorder).tolist() == [0, 0, 1, NO_RING]


def test_the_table_of_a_span_is_bounded_as_its_settings_say() -> None:
    said = {"interface": "eth1", "max_flows": 2048, "active_timeout": "5s", "inactive_timeout": "30s", "quality": False}
    span = SpanSettings.model_validate(said)
    assert table_limits(span) == TableLimits(2048, 5 * SECOND, 30 * SECOND, quality=False)


def test_dissection_is_told_the_protocols_of_the_checks_below_a_business_and_the_operator_wins() -> None:
    page = Check("page", "erp", CheckKind.HTTP, "10.0.0.1", 8080)
    sql = Check("sql", "db", CheckKind.POSTGRES, "10.0.0.2", 5433)
    alive = Check("alive", "db", CheckKind.TCP, "10.0.0.2", 9999)
    graph = ServiceGraph(
        {"erp": Node("erp", NodeKind.BUSINESS, "ERP", ("db",), (page,)),
         "db": Node("db", NodeKind.DATABASE, "DB", (), (sql, alive))},
        {"erp": BusinessService("erp", "ERP")},
    )  # fmt: skip

    assert subject_of(graph, "erp", {8080: "http2"}) == Subject(
        "erp", {8080: "http2", 5433: "pgsql"}, frozenset({8080, 5433, 9999})
    )
    assert subject_of(graph, "gone", {1: "http"}) == Subject("gone", {1: "http"})
