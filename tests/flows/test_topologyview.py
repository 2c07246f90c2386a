from dataclasses import replace

import numpy as np
import pytest

from btimd.flows.linkbatches import LinkBatch
from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkWindows
from btimd.flows.topologyview import TopologyDesk, TopologySettings
from btimd.model.address import Prefix
from btimd.model.flowbatch import AttributedBatch
from btimd.model.ports import Exporter, ExporterInterface
from btimd.model.topology import (
    DeviceFacts,
    DeviceState,
    DuplicationRow,
    FactSource,
    InterfaceFacts,
    NeighbourFacts,
)
from tests.flows.linkcrafting import NOW, names_of, records

NAMES = names_of(["erp"], ["backup"])
ERP, BACKUP = 0, 1
WAN = InterfaceFacts(1, "Gi0/1", speed=1_000_000, in_octets=0, out_octets=0)
LAN = InterfaceFacts(2, "Gi0/2", speed=10_000_000, in_octets=0, out_octets=0)
CORE = DeviceFacts(
    "core", "10.0.0.1", NOW, uptime_seconds=90_000.0, interfaces=(WAN, LAN), chassis="core-1",
    neighbours=(NeighbourFacts(FactSource.LLDP, 2, chassis="edge-1", port="Gi0/7"),),
)  # fmt: skip
EDGE = DeviceFacts(
    "edge", "10.0.0.2", NOW, uptime_seconds=60.0, chassis="edge-1", interfaces=(InterfaceFacts(7, "Gi0/7"),)
)


def exporter(number: int, address: str, *interfaces: ExporterInterface, name: str = "") -> Exporter:
    return Exporter(number, address, 10, (0,), 1, 1, 0, 1, 1, NOW, NOW, name=name, interfaces=interfaces)


class World:
    """A desk, its exporters and its clock."""

    def __init__(self, settings: TopologySettings | None = None) -> None:
        self.now = NOW + 70_000
        self.exporters = [exporter(0, "10.0.0.1"), exporter(1, "10.0.0.9", ExporterInterface(4, "eth4", "lan", 1000))]
        self.desk = TopologyDesk(lambda: self.exporters, lambda: self.now, settings)
        self.windows = LinkWindows(LinkLimits(max_interfaces=16, max_cells=64))

    def carry(self, batch: AttributedBatch, duplicate: list[bool] | None = None) -> None:
        """Let records count, and the minute close."""
        marks = None if duplicate is None else np.array(duplicate)
        self.windows.add(batch, marks, NAMES, NOW + 2000)
        for closed in [*self.close(), *self.windows.flush()]:
            self.desk.take(closed)

    def close(self) -> list[LinkBatch]:
        return self.windows.close(self.now)


@pytest.fixture
def world() -> World:
    """Core and edge tell; 7.5 MB out of the WAN line, most of it backup."""
    world = World()
    for facts in (CORE, EDGE):
        world.desk.take_facts(facts)
    carried = replace(WAN, out_octets=6_900_000)
    world.desk.take_facts(replace(CORE, at=NOW + 60_000, uptime_seconds=90_060.0, interfaces=(carried, LAN)))
    world.carry(
        records(BACKUP, ERP, octet_delta_count=[4_500_000, 1_500_000], ingress_interface=2, egress_interface=1,
                exporter_id=0)
    )  # fmt: skip
    return world


def test_a_line_is_so_full_and_these_businesses_run_over_it(world: World) -> None:
    first, second = world.desk.links(device=None, interface=None, business=None, limit=10)
    out = first.loads[1]
    assert (first.id, first.far_device, first.speed, first.sources) == ("core:Gi0/1--?", "", 1_000_000, ("flow",))
    assert out.utilisation == 0.92
    assert out.flow_coverage == pytest.approx(800_000 / 920_000)
    assert [(share.business, share.share) for share in out.shares] == [("backup", 0.75), ("erp", 0.25)]
    assert (second.id, second.loads[0].flow_bits_per_second) == ("core:Gi0/2--edge:Gi0/7", 800_000.0)


def test_links_are_found_by_either_end_by_interface_and_by_business(world: World) -> None:
    def ids(device: str | None, interface: str | None, business: str | None) -> list[str]:
        return [one.id for one in world.desk.links(device=device, interface=interface, business=business, limit=9)]

    assert ids("edge", None, None) == ids("edge", "7", None) == ["core:Gi0/2--edge:Gi0/7"]
    assert ids("core", "gigabitethernet0/1", None) == ids(None, "1", None) == ["core:Gi0/1--?"]
    assert ids("edge", "8", None) == ids(None, None, "mail") == []
    assert len(ids(None, None, "erp")) == 2
    with pytest.raises(KeyError, match="no device 'nobody'"):
        ids("nobody", None, None)


def test_a_business_runs_over_these_hops_and_each_says_how_it_stands(world: World) -> None:
    wan, lan = world.desk.business_path("erp", limit=5)
    assert (lan.device, lan.interface_name, lan.direction, lan.derived) == ("core", "Gi0/2", "in", False)
    assert (lan.far_device, lan.far_interface_name, lan.state, lan.remarks) == ("edge", "Gi0/7", "good", ())
    assert (wan.interface_name, wan.direction, wan.derived, wan.share) == ("Gi0/1", "out", True, 0.25)
    assert (wan.state, wan.remarks) == ("bad", ("92% full",))
    assert world.desk.business_path("mail", limit=5) == []


def test_a_device_that_is_silent_makes_its_hops_bad_and_its_old_facts_stay(world: World) -> None:
    world.desk.take_facts(DeviceFacts("core", "10.0.0.1", NOW + 61_000, error="no answer from 10.0.0.1"))
    hop = world.desk.business_path("erp", limit=1)[0]
    assert (hop.device_state, hop.state, hop.oper_up) == (DeviceState.SILENT, "bad", None)
    assert hop.remarks == ("no answer from 10.0.0.1", "80% full")
    core = world.desk.devices(limit=9)[1]
    assert (core.name, core.state, core.error, core.interfaces) == (
        "core", DeviceState.SILENT, "no answer from 10.0.0.1", 2,
    )  # fmt: skip


def test_without_speed_or_health_a_hop_is_unknown_not_good() -> None:
    world = World()
    world.carry(records(ERP))
    hops = world.desk.business_path("erp", limit=5)
    assert {hop.state for hop in hops} == {"unknown"}
    assert hops[0].remarks == ("nothing is known of the device's health", "speed or load not known")
    assert World().desk.business_path("erp", limit=5) == ()


def test_devices_and_interfaces_are_those_of_snmp_exporters_and_flow_records(world: World) -> None:
    world.carry(records(ERP, exporter_id=1, ingress_interface=4, egress_interface=9))
    devices = {one.name: (one.state, one.interfaces, one.exporters) for one in world.desk.devices(limit=9)}
    assert devices == {
        "10.0.0.9": (DeviceState.UNKNOWN, 2, ("10.0.0.9",)),
        "core": (DeviceState.UP, 2, ("10.0.0.1",)),
        "edge": (DeviceState.RESTARTED, 1, ()),
    }
    four, nine = world.desk.interfaces(device="10.0.0.9", limit=9)
    assert (four.name, four.speed, four.speed_source, four.oper_up) == ("eth4", 1000, "exporter", None)
    assert (four.sources, nine.sources, nine.name) == (("exporter", "flow"), ("flow",), "9")
    gi7 = world.desk.interfaces(device="edge", limit=9)[0]
    assert (gi7.neighbours, gi7.oper_up, gi7.loads) == (("core Gi0/2",), True, ())
    assert [one.index for one in world.desk.interfaces(device=None, limit=3)] == [4, 9, 1]


def test_old_facts_say_nothing_of_now(world: World) -> None:
    world.now += 3_700_000
    device = world.desk.devices(limit=9)[1]
    assert (device.name, device.state) == ("core", DeviceState.UNKNOWN)
    port = world.desk.interfaces(device="core", limit=1)[0]
    assert (port.oper_up, port.admin_up, port.name) == (None, None, "Gi0/1")


def test_several_exporters_of_one_device_are_not_added(world: World) -> None:
    world.exporters.append(exporter(2, "10.0.0.1"))
    world.carry(records(ERP, exporter_id=2, octet_delta_count=7_000_000, ingress_interface=2, egress_interface=1))
    line = world.desk.links(device="core", interface="Gi0/1", business=None, limit=1)[0]
    assert [(share.business, share.octets) for share in line.loads[1].shares] == [("erp", 7_000_000)]


def test_a_speed_of_the_configuration_wins() -> None:
    world = World(TopologySettings(speeds={"10.0.0.9:eth4": 1_000_000, "10.0.0.9:9": 2_000_000}))
    world.carry(records(ERP, exporter_id=1, ingress_interface=4, egress_interface=9, octet_delta_count=7_500_000))
    found = world.desk.interfaces(device="10.0.0.9", limit=9)
    assert [(one.speed, one.speed_source) for one in found] == [(1_000_000, "config"), (2_000_000, "config")]
    assert found[0].loads[0].utilisation == 1.0
    world.desk.reconfigure(TopologySettings())
    assert world.desk.interfaces(device="10.0.0.9", limit=9)[1].speed == 0


def test_a_link_is_shown_from_the_end_that_is_measured(world: World) -> None:
    world.exporters = [exporter(0, "10.0.0.2")]
    world.carry(records(ERP, ingress_interface=7, egress_interface=0))
    link = world.desk.links(device="core", interface="2", business=None, limit=1)[0]
    assert (link.id, link.device, link.interface_name, link.far_device) == (
        "core:Gi0/2--edge:Gi0/7", "edge", "Gi0/7", "core",
    )  # fmt: skip
    assert (link.speed, link.oper_up) == (10_000_000, True)


def test_duplication_is_shown_of_all_and_of_each() -> None:
    world = World()
    world.carry(records(ERP, ERP, exporter_id=[0, 1]), [False, True])
    rows = world.desk.duplication(business="erp", exporter=None, limit=9)
    start = (NOW, 60_000)
    assert rows == [
        DuplicationRow(*start, "*", "erp", 1, 1000, 1, 1000, 2.0),
        DuplicationRow(*start, "10.0.0.1", "erp", 1, 1000, 0, 0, 1.0),
        DuplicationRow(*start, "10.0.0.9", "erp", 0, 0, 1, 1000, None),
    ]
    assert [row.business for row in world.desk.duplication(business=None, exporter="*", limit=9)] == ["*", "erp"]
    assert len(world.desk.duplication(business=None, exporter=None, limit=2)) == 2


def test_batches_become_points_of_the_store(world: World) -> None:
    world.windows.add(
        records(ERP, flow_start_milliseconds=NOW + 61_000, flow_end_milliseconds=NOW + 62_000, ingress_interface=1,
                egress_interface=0), None, NAMES, NOW + 70_000,
    )  # fmt: skip
    blocks = [world.desk.take(one) for one in world.windows.close(NOW + 130_000)]
    points = blocks[-1]
    assert points is not None
    assert (points.measurement, points.time_milliseconds.tolist()) == ("btimd_links", [NOW + 60_000] * 4)
    assert points.tags == {
        "exporter": ["10.0.0.1"] * 4,
        "interface": ["0", "0", "Gi0/1", "Gi0/1"],
        "direction": ["out", "out", "in", "in"],
        "business": ["*", "erp", "*", "erp"],
        "interval": ["60s"] * 4,
    }
    assert points.fields["octets"].tolist() == [1000] * 4
    assert [value == 1000 * 8 / 60 / 1_000_000 for value in points.fields["utilisation"].tolist()] == [
        False, False, True, False,
    ]  # fmt: skip


def test_only_so_many_intervals_and_devices_are_kept() -> None:
    world = World(TopologySettings(kept_intervals=1, max_devices=1))
    world.desk.take_facts(CORE)
    world.desk.take_facts(EDGE)
    assert (world.desk.refused_devices, [one.name for one in world.desk.devices(limit=9)]) == (1, ["10.0.0.9", "core"])
    world.carry(
        records(ERP, ERP, flow_start_milliseconds=[NOW, NOW - 60_000], flow_end_milliseconds=[NOW, NOW - 60_000])
    )
    assert {
        row.interval_start_milliseconds for row in world.desk.duplication(business=None, exporter=None, limit=9)
    } == {NOW}
    world.desk.forget(["core"])
    assert [one.name for one in world.desk.devices(limit=9)] == ["10.0.0.1", "10.0.0.9"]


def test_interface_0_is_kept_apart_and_is_no_line(world: World) -> None:
    world.carry(records(ERP, ingress_interface=1, egress_interface=0))
    assert all(link.interface for link in world.desk.links(device=None, interface=None, business=None, limit=9))
    assert world.desk.interfaces(device="core", limit=1)[0].index == 0


def test_loads_are_not_computed_from_counters_of_a_device_that_does_not_answer(world: World) -> None:
    world.desk.take_facts(DeviceFacts("core", "10.0.0.1", NOW + 61_000, error="no answer from 10.0.0.1"))
    line = world.desk.links(device="core", interface="Gi0/1", business=None, limit=1)[0]
    assert [load.measured_bits_per_second for load in line.loads] == [None, None]
    assert [load.flow_coverage for load in line.loads] == [None, None]
    assert line.loads[1].utilisation == 0.8  # of flow records
    # What it tells once it answers again is compared with what it told before, not with the failure.
    carried = replace(WAN, out_octets=6_900_000 + 7_500_000)
    world.desk.take_facts(replace(CORE, at=NOW + 120_000, uptime_seconds=90_120.0, interfaces=(carried, LAN)))
    line = world.desk.links(device="core", interface="Gi0/1", business=None, limit=1)[0]
    assert [load.measured_bits_per_second for load in line.loads] == [0.0, 1_000_000.0]


def test_a_path_leads_from_users_to_servers_where_lines_tell() -> None:
    world = World()
    world.desk = TopologyDesk(
        lambda: world.exporters, lambda: world.now, servers={"erp": [Prefix.parse("10.7.0.5/32")]}.__getitem__
    )
    world.desk.take_facts(CORE)
    world.desk.take_facts(
        replace(EDGE, interfaces=(*EDGE.interfaces, InterfaceFacts(8, "dc", addresses=("10.7.0.1/24",))))
    )
    world.exporters = [exporter(0, "10.0.0.1"), exporter(1, "10.0.0.2"), exporter(2, "10.0.0.9")]
    world.carry(records(ERP, ERP, ERP, exporter_id=[0, 1, 2], ingress_interface=[1, 7, 4], egress_interface=[2, 8, 0],
                        octet_delta_count=[1000, 2000, 9000]))  # fmt: skip
    found = [
        (hop.device, hop.interface, hop.direction, hop.lines_to_servers)
        for hop in world.desk.business_path("erp", limit=9)
    ]
    assert found == [
        ("core", 1, "in", 1), ("core", 2, "out", 1), ("edge", 7, "in", 0), ("edge", 8, "out", 0),
        ("10.0.0.9", 4, "in", None),
    ]  # fmt: skip
