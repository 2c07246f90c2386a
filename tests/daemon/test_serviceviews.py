"""Tests of all of a business in one place, over the fakes of the views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from btimd.daemon.serviceviews import ServiceViewDesk, Sources, UsersByBusiness
from btimd.daemon.viewfigures import UserCount
from btimd.model.sla import Availability
from btimd.model.view import BusinessGroup, BusinessMetric, IndicatorRule, RegionUse, ViewState
from btimd.runtime.clock import ManualClock
from btimd.runtime.metrics import Metrics
from btimd.store.kpis import BusinessMetrics
from tests.fakes.views import NOW, WINDOW, FakeBook, FakeDesk, FakeFlows, FakeGraph
from tests.store.test_kpis import Series


@dataclass
class World:
    flows: FakeFlows = field(default_factory=FakeFlows)
    graph: FakeGraph = field(default_factory=FakeGraph)
    users: UsersByBusiness | None = field(default_factory=lambda: {"erp": [UserCount("Shanghai", 40, 15)]})
    deviations: Sequence[tuple[str, str]] = ()
    availability: Mapping[str, Availability] = field(default_factory=lambda: {"erp": Availability.UP})

    def __post_init__(self) -> None:
        self.clock = ManualClock(NOW + 90)
        sources = Sources(
            flows=self.flows, graph=self.graph, incidents=FakeDesk(), sla=FakeBook(),
            users=lambda: self.users, deviations=lambda: self.deviations,
            availability=lambda business: self.availability.get(business, Availability.UNKNOWN),
        )  # fmt: skip
        groups = [BusinessGroup("office", "Office", members=("erp", "hr"))]
        indicators = [IndicatorRule("crowd", "erp", "crowded", degraded="users_online > 50 and kpi.orders < 5")]
        self.desk = ServiceViewDesk(sources, BusinessMetrics(Series(), Metrics()), self.clock, groups, indicators)


async def test_a_view_holds_what_each_part_knows_of_the_business() -> None:
    world = World(deviations=[("erp", "traffic is half of usual"), ("hr", "nobody is there")])

    view = await world.desk.view("erp")
    figures = {one.name: one.value for one in view.figures}

    assert (view.name, view.groups, view.incidents) == ("ERP", ("office",), ("I-1",))
    assert view.deviations == ("traffic is half of usual",)
    assert figures["users_online"] == 55
    assert figures["traffic_bits_per_second"] == pytest.approx((1_200_000 + 88_000_000) * 8 / 60)
    assert view.regions == (RegionUse("Shanghai", 40, 15, 89_200_000 / 60),)
    assert {layer.layer for layer in view.layers} >= {"database"}
    assert view.sla is not None


async def test_a_business_without_rows_in_a_minute_of_others_had_no_traffic_and_without_any_it_is_unknown() -> None:
    world = World()
    quiet = {one.name: one.value for one in (await world.desk.view("hr")).figures}
    world.flows.rows = [replace(WINDOW, interval_start_milliseconds=WINDOW.interval_start_milliseconds - 3_600_000)]
    stale = {one.name: one.value for one in (await world.desk.view("hr")).figures}

    assert (quiet["traffic_bits_per_second"], stale["traffic_bits_per_second"]) == (0.0, None)


async def test_where_no_flows_are_seen_nobody_knows_who_is_on_line() -> None:
    world = World(users=None)

    figures = {one.name: one for one in (await world.desk.view("erp")).figures}

    assert figures["users_online"].value is None


async def test_an_indicator_uses_what_was_pushed() -> None:
    world = World()
    before = (await world.desk.view("erp")).indicators[0]
    world.desk.push([BusinessMetric("erp", "orders", 3.0, "1/h", round((NOW + 80) * 1000))])
    after = (await world.desk.view("erp")).indicators[0]

    assert (before.state, after.state) == (ViewState.UNKNOWN, ViewState.DEGRADED)
    assert after.text == "kpi.orders 3, users_online 55"


async def test_groups_follow_their_members() -> None:
    desk = World(availability={"erp": Availability.DOWN, "hr": Availability.UP}).desk
    (group,) = desk.groups(await desk.views())

    assert (group.state, group.reasons[0]) == (ViewState.BAD, "erp is bad")


async def test_who_watches_is_told_of_businesses_that_changed_and_of_no_others() -> None:
    world = World()
    await world.desk.refresh()
    watching = world.desk.watch()
    world.clock.advance(5)
    world.availability = {"erp": Availability.DOWN}
    await world.desk.refresh()

    changed = await anext(watching.changes())

    assert [view.business for view in watching.snapshot] == ["erp", "hr"]
    assert [(view.business, view.state) for view in changed] == [("erp", ViewState.BAD)]


async def test_an_unknown_business_is_refused() -> None:
    with pytest.raises(KeyError):
        await World().desk.view("nobody")
