"""What an outage does: businesses by roll-up, users by region, promises, redundancy."""

from dataclasses import replace

import pytest

from btimd.model.outage import BusinessOutage, OutageImpact, Redundancy, RegionLoss
from btimd.model.service import Criticality
from btimd.model.sla import Availability, SlaState, SlaStatus, SlaTarget
from btimd.model.view import ViewState
from btimd.rca.graph import GraphIndex
from btimd.rca.outage import Failing, losses_of, over_all, simulate
from tests.rca.biggraph import big_graph
from tests.rca.offices import USERS, offices
from tests.rca.worlds import graph_of, node

INDEX = GraphIndex(offices())
PROMISE = SlaState(
    target=SlaTarget("erp", 99.9), period_start=0.0, period_end=2_592_000.0, at=1000.0, current=Availability.UP,
    up_seconds=400.0, down_seconds=600.0, unknown_seconds=0.0, availability=0.4, coverage=1.0,
    error_budget_seconds=2592.0, burn_ratio=0.23, status=SlaStatus.MET, outages=(),
)  # fmt: skip
ERP_REGIONS = (RegionLoss("north", 40, 40), RegionLoss("south", 20, 20))


def outage(*nodes: str, already: tuple[str, ...] = ()) -> OutageImpact:
    return simulate(INDEX, nodes, already=already, users=USERS, sla={"erp": PROMISE}, now=1000.0)


def test_a_rack_takes_down_what_has_both_of_its_servers_in_it() -> None:
    assert outage("rack1") == OutageImpact(
        nodes=("rack1",),
        already=(),
        at=1000.0,
        businesses=(
            BusinessOutage(
                business="erp", name="ERP", criticality=Criticality.HIGH, state=ViewState.BAD, before=ViewState.GOOD,
                reason="erp-app is bad", users=60, users_lost=60, regions=ERP_REGIONS, budget_seconds=1992.0,
                breach_at=2992.0, way=("erp", "erp-app", "db", "db1", "host1", "rack1"),
            ),
            BusinessOutage(
                business="hr", name="HR", criticality=Criticality.NORMAL, state=ViewState.BAD, before=ViewState.GOOD,
                reason="hr-farm is bad", users=12, users_lost=12, way=("hr", "hr-farm", "hr1", "host1", "rack1"),
                regions=(RegionLoss("", 2, 2), RegionLoss("north", 10, 10)),
            ),
        ),
        untouched=1,
        regions=(*ERP_REGIONS, RegionLoss("", 2, 2)),
        users=62,
        users_lost=62,
        users_exact=False,
        redundancy=(),
        notes=("a person may use several businesses: over all of them users lost is a lower bound",),
    )  # fmt: skip


def test_redundancy_saves_a_business_and_is_told_to_be_gone() -> None:
    found = outage("db1")
    assert [(one.business, one.state, one.users_lost, one.budget_seconds) for one in found.businesses] == [
        ("erp", ViewState.DEGRADED, 0, None)
    ]
    assert found.redundancy == (
        Redundancy(
            "db", "ERP database", ViewState.DEGRADED, "runs on standby db2: db1 is bad", ("erp",), ("db2",)
        ),
    )  # fmt: skip
    assert (found.users_lost, found.users_exact) == (0, True)


def test_what_failed_before_counts_and_is_not_told_again() -> None:
    found = outage("db2", already=("db1", "hr1", "not-in-the-model"))
    assert found.already == ("db1", "hr1")
    assert [(one.business, one.before, one.state) for one in found.businesses] == [
        ("erp", ViewState.DEGRADED, ViewState.BAD)
    ]
    assert found.redundancy == ()  # the farm had lost hr1 before


def test_a_farm_with_a_member_to_spare_touches_nobody() -> None:
    found = outage("hr1")
    assert (found.businesses, found.untouched) == ((), 3)
    assert found.redundancy == (
        Redundancy(
            "hr-farm", "HR servers", ViewState.GOOD, "hr1 is bad; 3 of 4 are needed", ("hr",), ("hr2", "hr3", "hr4")
        ),
    )  # fmt: skip


def test_a_line_cuts_off_a_region_while_the_businesses_work() -> None:
    found = outage("line-s")
    assert [(one.business, one.state, one.reason, one.way, one.users_lost) for one in found.businesses] == [
        ("erp", ViewState.GOOD, "users of south reach nothing", ("users-south", "line-s"), 20),
        ("web", ViewState.GOOD, "users of south reach nothing", ("users-south", "line-s"), 5),
    ]
    assert found.regions == (RegionLoss("south", 20, 20, cut_off=True),)
    assert found.notes[-1] == "cut off from everything: south"
    assert [one.node for one in outage("line-n1").redundancy] == ["lines-north"]
    assert outage("line-n2", already=("line-n1",)).regions == (RegionLoss("north", 40, 40, cut_off=True),)


def test_a_soft_need_degrades_only() -> None:
    assert [(one.business, one.state, one.reason) for one in outage("cache").businesses] == [
        ("web", ViewState.DEGRADED, "cache is bad")
    ]


def test_nobody_is_lost_where_nobody_counts() -> None:
    found = simulate(INDEX, ("dns",), users={}, sla={}, now=1.0)
    assert [(one.business, one.users, one.users_lost) for one in found.businesses] == [
        ("erp", None, None), ("hr", None, None),
    ]  # fmt: skip
    assert (found.users, found.users_lost, found.users_exact) == (None, None, False)
    assert found.notes == ("nobody counts users: no flows are seen",)


def test_a_business_that_is_not_measured_makes_the_sum_unknown() -> None:
    found = simulate(INDEX, ("dns",), users={"erp": {"west": 3}}, sla={}, now=1.0)
    assert (found.users, found.users_lost) == (3, None)
    assert found.notes == (
        "users are not measured for hr",
        "the model does not say what users of west come through; [node.ID] with region does",
    )


def test_a_used_up_promise_has_nothing_left() -> None:
    spent = replace(PROMISE, down_seconds=9000.0)
    (erp,) = simulate(INDEX, ("erp-app",), users={}, sla={"erp": spent}, now=1000.0).businesses
    assert (erp.budget_seconds, erp.breach_at) == (0.0, 1000.0)


def test_an_unknown_node_is_refused() -> None:
    with pytest.raises(KeyError, match="nope"):
        outage("db1", "nope")


def test_nodes_that_come_back_leave_nothing_behind() -> None:
    failing = Failing(INDEX, ("rack1", "db1"))
    assert failing.down == {"rack1", "db1"}
    failing.restore(("rack1",))
    assert failing.touched == ("db1", "db", "erp-app", "erp")
    failing.restore(("db1", "db2"))
    assert not failing.touched
    assert (failing.way("erp"), failing.reason("erp")) == ((), "")
    failing.fail(("db1",))
    assert failing.reason("db1") == "it is down itself"
    assert over_all(losses_of(failing, {"web": {"south": 0}})) == ()


def test_a_chain_of_any_depth_fails_without_recursion() -> None:
    links = [node(f"n{number}", "host", f"n{number + 1}") for number in range(20_000)]
    failing = Failing(GraphIndex(graph_of(*links, node("n20000", "host"))), ("n20000",))
    assert len(failing.touched) == 20_001


@pytest.mark.slow
def test_the_core_of_a_hundred_thousand_nodes_fails() -> None:
    index = GraphIndex(big_graph(100_000))
    users = {name: {f"r{number}": 3 for number in range(20)} for name in index.graph.businesses}
    found = simulate(index, ("power0", "power1"), users=users, sla={}, now=1.0)
    assert (len(found.businesses), found.untouched, len(found.regions)) == (len(index.graph.businesses), 0, 20)
