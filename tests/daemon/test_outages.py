"""Outages and restoring orders with what is known at the moment."""

from dataclasses import dataclass, field

import pytest

from btimd.daemon.outages import OutageDesk, OutageSources, most_users
from btimd.model.outage import UsersByRegion
from btimd.model.probe import ErrorClass
from btimd.model.service import ServiceGraph
from btimd.model.sla import Availability, SlaState, SlaStatus, SlaTarget
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.runtime.clock import ManualClock
from tests.rca.offices import USERS, offices

PROMISE = SlaState(
    target=SlaTarget("erp", 99.9), period_start=0.0, period_end=2_592_000.0, at=1000.0, current=Availability.UP,
    up_seconds=400.0, down_seconds=600.0, unknown_seconds=0.0, availability=0.4, coverage=1.0,
    error_budget_seconds=2592.0, burn_ratio=0.23, status=SlaStatus.MET, outages=(),
)  # fmt: skip


def verdict(name: str, cause: str | None, confidence: float = 0.9) -> Verdict:
    return Verdict(
        id=name, symptoms=("S1",), symptom_nodes=("erp",), status=VerdictStatus.CAUSE_FOUND, cause=cause,
        cause_error=ErrorClass.REFUSED, path=(), confidence=confidence, ranked=(), evidence=(), businesses=("erp",),
        probes_used=3, started_at=1.0, ended_at=2.0, seconds_taken=1.0, summary="",
    )  # fmt: skip


@dataclass
class World:
    """What the desk asks."""

    graph: ServiceGraph = field(default_factory=offices)
    users: UsersByRegion = field(default_factory=lambda: USERS)
    verdicts: list[Verdict] = field(default_factory=list)

    def desk(self) -> OutageDesk:
        sources = OutageSources(
            graph=lambda: self.graph,
            users=lambda: self.users,
            sla=lambda: [PROMISE],
            open_verdicts=lambda: self.verdicts,
            incident_of=lambda name: f"INC-{name}",
        )
        clock = ManualClock()
        return OutageDesk(sources, clock)


async def test_an_outage_is_simulated_on_top_of_what_is_broken() -> None:
    world = World(verdicts=[verdict("D1", "db1"), verdict("D2", None)])
    found = await world.desk().simulate(["db2"])
    assert (found.nodes, found.already, found.users_lost) == (("db2",), ("db1",), 60)
    assert [(one.business, one.budget_seconds) for one in found.businesses] == [("erp", 1992.0)]
    with pytest.raises(KeyError, match="nope"):
        await world.desk().simulate(["nope"])


async def test_users_that_a_cause_took_away_are_remembered_until_its_trouble_is_over() -> None:
    world = World(verdicts=[verdict("D1", "erp-app")])
    desk = world.desk()
    desk.began(world.verdicts[0], USERS)
    world.users = {"erp": {}, "hr": {"north": 10}}
    (step,) = (await desk.restoring_order()).steps
    assert (step.users, step.cause.incident_id, step.text) == (60, "INC-D1", "brings back ERP; 60 users work again")
    world.verdicts = []
    assert (await desk.restoring_order()).steps == ()
    world.verdicts = [verdict("D1", "erp-app")]
    (step,) = (await desk.restoring_order()).steps
    assert step.users == 0


async def test_a_new_graph_is_taken_up() -> None:
    world = World()
    desk = world.desk()
    assert (await desk.simulate(["db1"])).untouched == 2
    world.graph = ServiceGraph({name: node for name, node in offices().nodes.items() if not node.needs}, {})
    assert (await desk.simulate(["dns"])).untouched == 0


def test_of_several_counts_the_largest_numbers_count() -> None:
    assert most_users([{"erp": {"north": 3, "south": 1}}, {"erp": {"north": 2}, "hr": {"": 4}}]) == {
        "erp": {"north": 3, "south": 1}, "hr": {"": 4},
    }  # fmt: skip


def test_what_is_remembered_is_bounded() -> None:
    world = World()
    desk = world.desk()
    for number in range(1200):
        desk.began(verdict(f"D{number}", "db1"), USERS)
    assert len(desk._before) == 1000
