import asyncio
from collections.abc import Sequence

import pytest
from typing_extensions import override

from btimd.flows import linkservice
from btimd.flows.linkservice import LinkService
from btimd.flows.settings import LinkSettings, TopologyOptions
from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import SeriesStore
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.flows.linkcrafting import NOW, names_of, records
from tests.flows.test_topologyview import CORE, EDGE, exporter

ERP = 0
NAMES = names_of(["erp"])


class Store(SeriesStore):
    """Keeps what is written."""

    def __init__(self) -> None:
        self.blocks: list[PointBlock] = []
        self.broken = False

    @override
    def write(self, block: PointBlock) -> None:
        if self.broken:
            raise RuntimeError("the store is broken")
        self.blocks.append(block)

    @override
    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        return ()


class World:
    """A service, and the flow thread as a thread of the loop."""

    def __init__(self, links: dict[str, object] | None = None, topology: dict[str, object] | None = None) -> None:
        self.store, self.metrics, self.clock = Store(), Metrics(), ManualClock(now=(NOW + 70_000) / 1000)
        self.service = LinkService(
            settings=LinkSettings.model_validate({"max_interfaces": 16, "max_cells": 64, **(links or {})}),
            topology=TopologyOptions.model_validate(topology or {}),
            exporters=lambda: [exporter(0, "10.0.0.1")],
            series=self.store,
            metrics=self.metrics,
            clock=self.clock,
            log=Log("links"),
            seed=1,
        )

    async def carry(self, *, until: int = NOW + 70_000, **columns: int) -> None:
        """Let a record pass, and time go on."""

        def flow_thread() -> None:
            self.service.tap.add(records(ERP, **columns), None, NAMES, NOW + 2000)
            self.service.tap.tick(until)

        await asyncio.to_thread(flow_thread)
        await asyncio.sleep(0)

    def lost(self, name: str) -> float:
        return self.metrics.value(f"btimd_flows_{name}")


async def test_records_of_the_flow_thread_are_shown_on_the_loop_and_written() -> None:
    world = World(topology={"speeds": {"core:Gi0/1": "1 Mbit/s"}})
    await world.service.start()
    running = asyncio.create_task(world.service.run())
    world.service.take_facts(CORE)
    await world.carry(octet_delta_count=3_750_000)
    (line,) = world.service.desk.links(device="core", interface="Gi0/1", business="erp", limit=9)
    assert (line.speed, line.loads[0].utilisation) == (1_000_000, 0.5)
    assert [block.tags["interface"] for block in world.store.blocks] == [["Gi0/1"] * 2 + ["Gi0/2"] * 2]
    assert world.service.health() == ComponentHealth()
    world.service.reconfigure(LinkSettings(), TopologyOptions())
    (line,) = world.service.desk.links(device="core", interface="Gi0/1", business="erp", limit=9)
    assert line.speed == 1_000_000
    world.service.forget(["core"])
    assert [one.name for one in world.service.desk.devices(limit=9)] == ["10.0.0.1"]
    await world.service.stop()
    await running
    assert world.service.name == "links"


async def test_what_is_held_in_the_end_is_taken_and_after_that_nothing_is() -> None:
    world = World()
    await world.service.start()
    await world.carry(until=NOW + 3000)
    await asyncio.to_thread(world.service.tap.flush)
    await world.service.stop()
    assert len(world.store.blocks) == 1
    await world.service.stop()
    await world.carry()
    assert (len(world.store.blocks), world.lost("links_dropped_intervals_total")) == (1, 1)


async def test_switched_off_nothing_is_added_up_until_it_is_switched_on() -> None:
    world = World({"enabled": False})
    await world.service.start()
    await world.carry()
    assert world.store.blocks == []
    world.service.reconfigure(LinkSettings(), TopologyOptions())
    await world.carry(until=NOW + 130_000)
    assert len(world.store.blocks) == 1


async def test_what_had_no_room_is_counted_and_shown() -> None:
    world = World({"max_interfaces": 8}, {"max_devices": 1})
    await world.service.start()
    for number in range(8):
        await world.carry(ingress_interface=10 + number, egress_interface=30 + number, until=NOW + 5000 + 1000 * number)
    assert world.lost("links_incomplete_total") == 4
    assert world.service.health() == ComponentHealth(
        HealthLevel.WARNING, "no room for all interfaces and businesses; raise flows.links.max_interfaces or max_cells"
    )
    world.clock.advance(60)
    assert world.service.health() == ComponentHealth()
    world.service.take_facts(CORE)
    world.service.take_facts(EDGE)
    assert world.lost("topology_refused_devices_total") == 1
    assert world.service.health() == ComponentHealth(
        HealthLevel.WARNING, "no room for the facts of all devices; raise flows.topology.max_devices"
    )


async def test_an_interval_that_cannot_be_taken_is_counted_and_the_next_one_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    await world.service.start()
    world.store.broken = True
    await world.carry()
    assert world.lost("links_dropped_intervals_total") == 1
    assert world.service.health() == ComponentHealth(
        HealthLevel.WARNING, "an interval of links could not be taken, see the log"
    )
    assert "links-interval-failed" in caplog.text
    world.store.broken = False
    world.clock.advance(60)
    await world.carry(until=NOW + 130_000)
    assert (len(world.store.blocks), world.service.health()) == (1, ComponentHealth())


async def test_a_loop_that_stands_still_costs_the_oldest_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkservice, "_MOST_WAITING", 1)
    world = World()
    await world.service.start()
    world.service.tap.add(records(ERP), None, NAMES, NOW + 2000)
    world.service.tap.add(records(ERP, flow_start_milliseconds=NOW - 30_000), None, NAMES, NOW + 2000)
    world.service.tap.tick(NOW + 70_000)  # emits two intervals before the loop goes on
    await asyncio.sleep(0)
    assert (len(world.store.blocks), world.lost("links_dropped_intervals_total")) == (1, 1)
