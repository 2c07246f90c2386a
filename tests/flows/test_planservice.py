"""The plan in force for the API, and what a reload does to it."""

from collections.abc import Sequence

import pytest

from btimd.flows.attribution import Attribution
from btimd.flows.plan import compile_plan
from btimd.flows.planservice import PlanInForce, PlanService, server_addresses
from btimd.model.address import Prefix
from btimd.model.planuse import UnexpectedTalker
from btimd.model.service import BusinessService, ServiceRule
from btimd.model.users import ClientColumns
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from tests.flows.planclients import BUSINESSES, clients, entries

NOW = 1_700_000_000_000
OLD = ("10.1.0.0/16,north,,", "10.2.0.0/16,south,,")
NEW = ("10.1.0.0/16,north,,", "10.2.0.0/16,north,,", "10.3.0.0/16,west,,")
RULES = (
    ServiceRule("erp", ("erp",), Prefix.parse("10.2.0.1/32")),
    ServiceRule("hr", ("hr",), Prefix.parse("10.1.0.0/24")),
)
SERVICES = {"erp": BusinessService("erp", "ERP", regions=("north",)), "hr": BusinessService("hr", "HR")}
ROWS = (("10.1.0.1", "erp", 10, 100), ("10.2.0.9", "erp", 2000, 50), ("10.3.0.1", "hr", 5, 7))


def in_force(*lines: str, generation: int) -> PlanInForce:
    plan, _ = compile_plan(entries(*lines), generation)
    return PlanInForce(Attribution(plan, RULES, BUSINESSES, generation), entries(*lines), SERVICES)


class Line:
    """A service whose clients a test can change."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.known: ClientColumns = clients(*ROWS, now=NOW)
        self.told: list[UnexpectedTalker] = []
        self.asked = 0
        self.service = PlanService(
            in_force(*OLD, generation=1),
            clients=self.clients,
            clock=self.clock,
            log=Log("test"),
            on_unexpected=(self.told.append,),
        )

    def clients(self) -> ClientColumns:
        self.asked += 1
        return self.known


@pytest.fixture
def line() -> Line:
    return Line()


async def seen(line: Line) -> Sequence[tuple[str, int, int, int]]:
    rows = await line.service.prefix_use(order="plan", limit=9)
    return [(row.prefix, row.seen, row.active, row.servers) for row in rows]


async def test_use_is_counted_anew_after_some_seconds_only(line: Line) -> None:
    assert await seen(line) == [("10.1.0.0/16", 1, 1, 0), ("10.2.0.0/16", 1, 0, 1)]
    line.known = clients(*ROWS[:1], now=NOW)
    assert await seen(line) == [("10.1.0.0/16", 1, 1, 0), ("10.2.0.0/16", 1, 0, 1)]
    assert line.asked == 1
    line.clock.advance(5)
    assert await seen(line) == [("10.1.0.0/16", 1, 1, 0), ("10.2.0.0/16", 0, 0, 1)]
    assert len(await line.service.prefix_use(order="seen", limit=1)) == 1
    with pytest.raises(ValueError, match="'x' is no order of prefixes"):
        await line.service.prefix_use(order="x", limit=1)


async def test_unknown_and_unexpected_clients_are_those_of_the_plan_in_force(line: Line) -> None:
    unknown = await line.service.unknown(order="octets", limit=5)
    unexpected = await line.service.unexpected(business=None, limit=5)

    assert [one.address for one in unknown.addresses] == ["10.3.0.1"]
    assert [(one.business, one.address, one.region) for one in unexpected.talkers] == [("erp", "10.2.0.9", "south")]
    await line.service.swap(in_force(*NEW, generation=2))
    assert (await line.service.unknown(order="octets", limit=5)).addresses == ()
    assert (await line.service.unexpected(business=None, limit=5)).talkers == ()


async def test_a_new_unexpected_talker_is_told_of_once(line: Line) -> None:
    subscription = line.service.watch_unexpected()
    first, second = await line.service.look(), await line.service.look()

    assert ([one.address for one in first], second) == (["10.2.0.9"], ())
    assert line.told == list(first)
    assert list(line.service.watch_unexpected().snapshot) == list(first)
    assert await anext(aiter(subscription.changes())) == list(first)


async def test_without_regions_nobody_looks(line: Line) -> None:
    await line.service.swap(PlanInForce(in_force(*OLD, generation=2).attribution, entries(*OLD), {}))
    line.asked = 0

    assert (await line.service.look(), line.asked) == ((), 0)


async def test_a_reload_remembers_and_logs_what_it_changed(line: Line) -> None:
    change = await line.service.swap(in_force(*NEW, generation=2))
    same = await line.service.swap(in_force(*NEW, generation=3))

    assert change.summary == (
        "lines: 1 added, 1 changed; (no region) -> west: 65536 addresses, 1 known clients; "
        "south -> north: 65536 addresses, 1 known clients"
    )
    assert (change.at_milliseconds, change.from_generation, change.to_generation) == (NOW, 1, 2)
    assert same.summary == "nothing changed"
    assert line.service.changes() == (change,)


async def test_conflicts_are_those_of_plan_and_rules_in_force(line: Line) -> None:
    found = await line.service.conflicts()

    assert [one.kind for one in found] == []
    await line.service.swap(in_force("10.1.0.0/16,nord,,", generation=2))
    assert [one.kind for one in await line.service.conflicts()] == ["unknown-region", "server-not-in-plan"]


def test_servers_are_the_hosts_of_rules() -> None:
    hi, lo = server_addresses(RULES)

    assert (hi.tolist(), lo.tolist()) == ([0], [0xFFFF_0A02_0001])
