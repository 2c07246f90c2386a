"""Who uses what from where over which links: a small enterprise, a running btimd, and what its commands are told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio

from btimd.api.calls_archive import rank, search_flows
from btimd.api.calls_discovery import compare_model, suggest
from btimd.api.calls_persons import persons
from btimd.api.calls_plan import changes, conflicts, prefix_use, unexpected
from btimd.api.calls_topology import business_path, links
from btimd.api.calls_users import count_users, find_users
from btimd.api.calls_views import push_business_metrics, service_view
from btimd.api.client import Client
from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.lab.config import write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.topology import DNS, GATEWAY_ADDRESS
from btimd.model.archive import FlowSearch, RankingQuery
from btimd.model.topology import Link
from btimd.model.users import UserQuery
from btimd.model.view import BusinessMetric, ViewState
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

T = TypeVar("T")
ZHANG, WANG = "127.11.1.21", "127.11.1.22"
NORTH, SERVERS = 11, 1
"""Interfaces of the laboratory's router."""


@dataclass
class World:
    """A laboratory with users at work, a btimd that watches it, and a connection to it."""

    enterprise: Enterprise
    app: App
    client: Client
    folder: Path

    async def ask(self, call: Callable[..., T], *words: object, **named: object) -> T:
        """Ask btimd in a thread, as it runs on this loop."""
        return await asyncio.to_thread(call, self.client, *words, **named)

    async def until(self, call: Callable[..., T], holds: Callable[[T], bool], *words: object, **named: object) -> T:
        """Ask until the answer is right; a minute's interval closes after 62 s at the latest."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds(found := await self.ask(call, *words, **named)):  # noqa: ASYNC110  the server has no event
                await asyncio.sleep(0.5)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("use")
    async with Enterprise() as enterprise:
        main = write_configuration(folder, enterprise)
        main.write_text(
            main.read_text()
            + '[flows.persons.list]\nfile = "people.csv"\n'
            + f'[flows.topology]\nspeeds = {{ "{GATEWAY_ADDRESS}:{NORTH}" = 100000 }}\n'
        )
        (folder / "people.csv").write_text(f"address,person\n{WANG},Wang Xiaoming\n")
        services = folder / "services.toml"
        services.write_text(
            services.read_text().replace("[service.erp]\n", '[service.erp]\nregions = ["north", "east"]\n')
            + '[group.all]\nname = "All"\nmembers = ["erp", "hr", "bank"]\n'
            + '[indicator.crowd]\nservice = "erp"\ndegraded = "users_online > 2 and kpi.orders < 5"\n'
        )
        app = App(load_config(folder))
        await app.start()
        running = asyncio.create_task(app.run())
        await enterprise.start_users(app.addresses.capture[0])
        try:
            with Client(
                "{}:{}".format(*app.addresses.grpc), token=(folder / "state" / "token").read_text().strip()
            ) as client:
                yield World(enterprise, app, client, folder)
        finally:
            app.request_stop()
            await running
            await app.stop()
            await enterprise.stop()


async def test_users_are_found_by_business_region_segment_and_person(world: World) -> None:
    named = UserQuery("erp", region="north", segment="north-sales", person="Zhang Wei")
    page = await world.until(find_users, lambda found: bool(found.items), named)
    everyone = await world.ask(find_users, UserQuery("erp"))
    counted = await world.ask(count_users, business=None, group_by=("business", "region"))

    (user,) = page.items
    assert (user.address, user.region, user.segment, user.person) == (ZHANG, "north", "north-sales", "Zhang Wei")
    assert user.octets > 0
    assert {one.region for one in everyone.items} <= {"north", "east", "south"}
    assert {one.region for one in counted.items if one.business == "erp" and one.active} >= {"north", "east"}


async def test_a_list_that_is_read_while_btimd_runs_goes_before_the_plan(world: World) -> None:
    found = await world.until(find_users, lambda page: bool(page.items), UserQuery(None, address=WANG))
    listed = await world.ask(persons)

    assert {(user.person, user.person_source) for user in found.items} == {("Wang Xiaoming", "list")}
    assert [binding.person for binding in listed.items] == ["Wang Xiaoming"]


async def test_users_from_regions_that_a_business_does_not_expect_are_told(world: World) -> None:
    found = await world.until(unexpected, lambda told: bool(told.talkers), business="erp")

    assert {talker.region for talker in found.talkers} == {"south"}


async def test_prefixes_of_the_plan_say_how_many_addresses_are_in_use(world: World) -> None:
    page = await world.until(
        prefix_use, lambda found: any(one.prefix == "127.11.1.0/24" and one.seen for one in found.items)
    )
    wrong = await world.ask(conflicts)

    (sales,) = (one for one in page.items if one.prefix == "127.11.1.0/24")
    assert 0 < sales.seen <= world.enterprise.settings.users_per_segment
    assert all(problem.text for problem in wrong.items)


async def test_flow_records_are_searched_and_ranked(world: World) -> None:
    now = round(time.time() * 1000)
    search = FlowSearch(now - 600_000, now + 600_000, client=ZHANG, business="erp")
    result = await world.until(search_flows, lambda found: bool(found.flows), search)
    ranking = await world.ask(rank, RankingQuery("users", "octets", now - 600_000, now + 600_000, business="erp"))

    assert {flow.client for flow in result.flows} == {ZHANG}
    assert {"erp" in flow.businesses for flow in result.flows} == {True}
    assert ranking.rows
    assert [row.value for row in ranking.rows if not row.others] == sorted(
        (row.value for row in ranking.rows if not row.others), reverse=True
    )
    assert ranking.total == pytest.approx(sum(row.value for row in ranking.rows))


async def test_name_lookups_that_no_rule_owns_are_proposed_as_something_shared(world: World) -> None:
    proposed = await world.until(suggest, lambda found: bool(found.patch), 600)
    compared = await world.ask(compare_model, 600)

    port = world.enterprise.endpoint(DNS)[1]
    assert str(port) in proposed.patch
    assert compared is not None


def businesses_on(lines: Sequence[Link], interface: int) -> set[str]:
    """Return the businesses that go out of an interface."""
    loads = [load for line in lines if line.interface == interface for load in line.loads if load.direction == "out"]
    return {share.business for load in loads for share in load.shares}


async def test_a_line_says_how_full_it_is_and_with_what(world: World) -> None:
    # the first minute may have begun seconds before its end, and not hold every business
    page = await world.until(links, lambda found: "erp" in businesses_on(found.items, NORTH))
    path = await world.ask(business_path, "erp")

    (north,) = (one for one in page.items if one.interface == NORTH)
    loads = {load.direction: load for load in north.loads}
    assert loads["in"].speed == 100_000
    assert loads["in"].utilisation is not None
    assert {share.business for share in loads["out"].shares} >= {"erp"}
    assert sum(share.share for share in loads["out"].shares) == pytest.approx(1.0, abs=0.01)
    assert {hop.interface for hop in path.items} >= {NORTH, SERVERS}


async def test_all_of_a_business_stands_in_one_place(world: World) -> None:
    await world.ask(push_business_metrics, [BusinessMetric("erp", "orders", 3.0, "1/h", 0, 3600.0)])
    view = await world.until(service_view, lambda found: bool(found.regions), "erp")

    figures = {one.name: one.value for one in view.figures}
    assert (figures["users_online"] or 0) > 2
    assert (figures["traffic_bits_per_second"] or 0) > 0
    assert {one.region for one in view.regions} >= {"north", "east"}
    assert {layer.layer for layer in view.layers} >= {"application", "database", "host"}
    assert [(one.id, one.state) for one in view.indicators] == [("crowd", ViewState.DEGRADED)]
    assert view.groups == ("all",)


async def test_a_reload_says_what_another_plan_changes(world: World) -> None:
    plan = world.folder / "ipplan.csv"
    plan.write_text(plan.read_text().replace("127.11.2.0/24,,north-branch", "127.11.2.0/24,west,west-branch"))

    assert await world.app.reload()
    (change, *_) = (await world.ask(changes)).items

    assert "west" in change.summary
