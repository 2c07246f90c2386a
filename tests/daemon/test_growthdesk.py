"""The graph in force grows by what is looked at, and who follows it is told only of changes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from btimd.daemon.growthdesk import GrowthDesk, GrowthSources
from btimd.flows.plan import PlanEntry
from btimd.model.discovery import DiscoveryUnavailableError, EdgeFinding, FindingKind, ModelComparison
from btimd.model.service import Check, CheckKind, Node, NodeKind, Provenance, ServiceGraph
from btimd.model.topology import FactSource, Link
from btimd.rca.growth import GrowthOptions
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from tests.fakes.journal import FakeJournal
from tests.fakes.topology import FakeTopology

FDB_LINK = Link("x", "core", 1, "Gi0/1", "10.2.0.10", 0, "", (FactSource.FDB,), last_seen_milliseconds=1000)


def graph(generation: int = 1) -> ServiceGraph:
    host = Check("host1-icmp", "host1", CheckKind.ICMP, "10.2.0.10")
    nodes = (
        Node("app", NodeKind.APPLICATION, "app"),
        Node("host1", NodeKind.HOST, "host1", (), (host,)),
        Node("core", NodeKind.NETWORK, "core"),
        Node("north", NodeKind.USER, "north", region="north"),
    )
    return ServiceGraph({one.id: one for one in nodes}, {}, generation)


@dataclass
class World:
    """What the desk asks, and the graphs that it tells."""

    declared: ServiceGraph = field(default_factory=graph)
    topology: FakeTopology = field(default_factory=lambda: FakeTopology(link_rows=[FDB_LINK]))
    findings: tuple[EdgeFinding, ...] | None = None
    compared: int = 0
    half_life_seconds: float = 1e12
    graphs: list[ServiceGraph] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)
    journal: FakeJournal = field(default_factory=FakeJournal)

    async def compare(self) -> ModelComparison:
        self.compared += 1
        if self.findings is None:
            raise DiscoveryUnavailableError("no flow records are kept")
        return ModelComparison(0.0, self.clock.wall(), 1, False, 0, 0, 0, self.findings, "")

    def desk(self, *counts: Provenance) -> GrowthDesk:
        sources = GrowthSources(
            declared=lambda: self.declared,
            rules=lambda: (),
            plan=lambda: (
                PlanEntry("10.0.0.0/16", "north", "", "", 2),
                PlanEntry("10.5.0.1-10.5.0.9", "south", "", "", 3),
            ),
            topology=self.topology,
            compare=self.compare,
        )
        options = GrowthOptions(counts=frozenset(counts), half_life_seconds=self.half_life_seconds)
        return GrowthDesk(sources, options, self.graphs.append, self.journal, self.clock, Log("test"))


def told(desk: GrowthDesk) -> Sequence[tuple[str, str, bool]]:
    return [(one.node, one.need, one.in_force) for one in desk.grown()]


async def test_what_the_topology_tells_comes_into_force_once_and_is_told_once() -> None:
    world = World()
    desk = world.desk(Provenance.TOPOLOGY)
    assert (desk.grown(), world.graphs) == ((), [])
    await desk.look()
    await desk.look()
    assert told(desk) == [("host1", "core", True), ("north", "core", True)]
    (grown,) = world.graphs
    assert {name: node.needs for name, node in grown.nodes.items()} == {
        "app": (), "host1": ("core",), "north": ("core",), "core": (),
    }  # fmt: skip


async def test_without_leave_finds_are_shown_and_the_graph_stays_as_declared() -> None:
    world = World()
    desk = world.desk()
    await desk.look()
    assert told(desk) == [("host1", "core", False), ("north", "core", False)]
    assert world.graphs == []


async def test_a_reload_grows_again_and_other_options_take_it_back() -> None:
    world = World()
    desk = world.desk(Provenance.TOPOLOGY)
    await desk.look()
    world.declared = graph(2)
    await desk.look()
    assert [(one.generation, one.nodes["host1"].needs) for one in world.graphs] == [(1, ("core",)), (2, ("core",))]
    desk.reconfigure(GrowthOptions())
    await desk.look()
    assert world.graphs[-1] is world.declared


async def test_traffic_is_looked_at_once_an_hour_and_a_missing_archive_is_no_trouble() -> None:
    world = World()
    desk = world.desk(Provenance.FLOWS)
    await desk.look()
    await desk.look()
    assert world.compared == 1
    call = EdgeFinding(FindingKind.UNDECLARED, "app", "host1", 6, (), 1, 50, 1000, 1.0, 1.0, "")
    world.findings = (call, replace(call, kind=FindingKind.NEVER_SEEN))
    world.clock.advance(3601.0)
    await desk.look()
    assert world.compared == 2
    assert ("app", "host1", False) in told(desk)  # 0.8 of a sure call is not sure enough


async def test_what_was_found_is_there_again_after_a_restart_and_fades_by_its_own_time() -> None:
    world = World(half_life_seconds=7 * 86_400.0)
    began = world.clock.wall()
    world.topology = FakeTopology(link_rows=[replace(FDB_LINK, last_seen_milliseconds=int(began * 1000))])
    await world.desk(Provenance.TOPOLOGY).look()
    world.topology = FakeTopology()
    world.clock.advance(60.0)
    desk = world.desk(Provenance.TOPOLOGY)
    await desk.look()
    assert {(one.node, one.need, one.since, one.seen_at, one.in_force) for one in desk.grown()} == {
        ("host1", "core", began, began, True), ("north", "core", began, began + 60.0, True),
    }  # fmt: skip
    assert world.graphs[-1].nodes["host1"].needs == ("core",)
    world.clock.advance(30 * 86_400.0)
    desk = world.desk(Provenance.TOPOLOGY)
    await desk.look()
    assert told(desk) == [("north", "core", True)]


async def test_what_is_known_already_is_written_down_once_an_hour() -> None:
    world = World()
    desk = world.desk(Provenance.TOPOLOGY)
    await desk.look()
    first = world.journal.states.pop("found-needs")
    world.clock.advance(60.0)
    await desk.look()
    assert "found-needs" not in world.journal.states
    world.clock.advance(3600.0)
    await desk.look()
    assert len(json.loads(world.journal.states["found-needs"])["needs"]) == len(json.loads(first)["needs"]) == 2


@pytest.mark.parametrize("saved", [b"", b"[]", b'{"version":9,"needs":[]}', b'{"version":1,"needs":[["a"]]}'])
async def test_what_was_kept_and_cannot_be_read_is_found_anew(saved: bytes) -> None:
    world = World()
    world.journal.states["found-needs"] = saved
    desk = world.desk(Provenance.TOPOLOGY)
    await desk.look()
    assert told(desk) == [("host1", "core", True), ("north", "core", True)]
