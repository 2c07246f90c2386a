"""Tests of how businesses and groups stand."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from btimd.daemon.viewstates import (
    business_state,
    deepest_fault,
    group_views,
    indicator_state,
    layers_of,
    needed_by,
    roll_up,
)
from btimd.model.ports import NodeState
from btimd.model.service import BusinessService, Node, NodeKind, Rollup, ServiceGraph
from btimd.model.sla import Availability
from btimd.model.view import BusinessGroup, IndicatorRule, IndicatorState, ViewState

GRAPH = ServiceGraph(
    nodes={
        "erp": Node("erp", NodeKind.BUSINESS, "ERP", ("web", "dns")),
        "web": Node("web", NodeKind.APPLICATION, "ERP web", ("db", "host")),
        "db": Node("db", NodeKind.DATABASE, "ERP database", ("host",)),
        "dns": Node("dns", NodeKind.SHARED, "DNS", ()),
        "host": Node("host", NodeKind.HOST, "host 1", ()),
        "other": Node("other", NodeKind.HOST, "host 2", ()),
    },
    businesses={"erp": BusinessService("erp", "ERP")},
)
GOOD, DEGRADED, BAD, UNKNOWN = ViewState.GOOD, ViewState.DEGRADED, ViewState.BAD, ViewState.UNKNOWN


def states(**health: str) -> Mapping[str, NodeState]:
    return {
        name: NodeState(
            node=name, kind=node.kind.value, name=node.name, status=health.get(name, "good"),
            own_health=health.get(name, "good"), detail="", checked_at=None, needs=node.needs, businesses=("erp",),
        )
        for name, node in GRAPH.nodes.items()
    }  # fmt: skip


def test_a_business_stands_on_what_it_needs_directly_or_not() -> None:
    assert needed_by(GRAPH, "erp") == ("web", "db", "dns", "host")


def test_layers_run_from_the_user_down_and_are_as_bad_as_their_worst_node() -> None:
    layers = layers_of(GRAPH, "erp", states(db="bad", dns="unknown"))

    assert [(one.layer, one.state, [node.node for node in one.nodes]) for one in layers] == [
        ("application", GOOD, ["web"]),
        ("database", BAD, ["db"]),
        ("shared", UNKNOWN, ["dns"]),
        ("host", GOOD, ["host"]),
    ]


def test_the_deepest_bad_node_is_told_and_of_several_none() -> None:
    chain = layers_of(GRAPH, "erp", states(web="bad", db="bad"))
    apart = layers_of(GRAPH, "erp", states(dns="bad", db="bad"))

    assert deepest_fault(GRAPH, chain) == "database: ERP database is bad, and nothing below it is"
    assert deepest_fault(GRAPH, apart) == ""


def test_a_business_is_as_bad_as_the_worst_that_is_known_and_says_it_worst_first() -> None:
    indicator = IndicatorState("slow", "slow pages", "x > 2", DEGRADED, "x 3")
    db = replace(states(db="bad")["db"], detail="refuses connections")

    assert business_state(Availability.DOWN, [indicator], [db], ["traffic is half of usual"]) == (
        BAD,
        (
            "its key indicators fail",
            "slow pages: x 3",
            "ERP database (database) is bad: refuses connections",
            "traffic is half of usual",
        ),
    )


def test_an_indicator_that_is_not_known_is_told_of_and_changes_nothing() -> None:
    unknown = IndicatorState("slow", "slow pages", "x > 2", UNKNOWN, "x not known")

    assert business_state(Availability.UP, [unknown], [], []) == (GOOD, ("slow pages: x not known",))


@pytest.mark.parametrize(
    ("availability", "state"),
    [(Availability.UP, GOOD), (Availability.DOWN, BAD), (Availability.UNKNOWN, UNKNOWN)],
)
def test_without_anything_else_a_business_is_what_its_key_indicators_say(
    availability: Availability, state: ViewState
) -> None:
    assert business_state(availability, [], list(states().values()), [])[0] is state


def test_an_indicator_means_what_its_worst_true_expression_says() -> None:
    rule = IndicatorRule("slow", "erp", "slow pages", degraded="response > 1", bad="response > 5")

    assert [indicator_state(rule, {"response": value}).state for value in (0.5, 2.0, 9.0, None)] == [
        GOOD,
        DEGRADED,
        BAD,
        UNKNOWN,
    ]
    assert indicator_state(rule, {"response": 9.0}) == IndicatorState(
        "slow", "slow pages", "response > 5", BAD, "response 9"
    )
    assert indicator_state(rule, {}).text == "response not known"


@pytest.mark.parametrize(
    ("rollup", "members", "state"),
    [
        (Rollup.WORST, (GOOD, DEGRADED, BAD), BAD),
        (Rollup.WORST, (GOOD, UNKNOWN), UNKNOWN),
        (Rollup.BEST, (GOOD, BAD), GOOD),
        (Rollup.BEST, (BAD, UNKNOWN), UNKNOWN),
        (Rollup.DEGRADE, (GOOD, BAD), DEGRADED),
        (Rollup.DEGRADE, (GOOD, GOOD), GOOD),
        (Rollup.QUORUM, (GOOD, GOOD, BAD), GOOD),
        (Rollup.QUORUM, (GOOD, DEGRADED, BAD), DEGRADED),
        (Rollup.QUORUM, (GOOD, UNKNOWN, BAD), UNKNOWN),
        (Rollup.QUORUM, (GOOD, BAD, BAD), BAD),
        (Rollup.WEIGHTED, (GOOD, GOOD, GOOD, GOOD, BAD), GOOD),
        (Rollup.WEIGHTED, (GOOD, GOOD, GOOD, DEGRADED), DEGRADED),
        (Rollup.WEIGHTED, (GOOD, BAD), BAD),
        (Rollup.WEIGHTED, (GOOD, UNKNOWN), UNKNOWN),
        (Rollup.WORST, (), UNKNOWN),
    ],
)
def test_a_group_stands_as_its_rule_makes_it_of_its_members(
    rollup: Rollup, members: tuple[ViewState, ...], state: ViewState
) -> None:
    names = tuple(str(number) for number in range(len(members)))
    group = BusinessGroup("g", "G", members=names, rollup=rollup, quorum=2)

    assert roll_up(group, dict(zip(names, members, strict=True))) is state


def test_weights_decide_and_members_that_do_not_count_do_not() -> None:
    group = BusinessGroup(
        "g", "G", members=("erp", "hr", "wiki"), rollup=Rollup.WEIGHTED, weights={"erp": 8.0}, ignore=("wiki",)
    )

    (view,) = group_views([group], {"erp": GOOD, "hr": BAD, "wiki": BAD})

    assert (view.state, view.reasons, view.colour, view.shape) == (GOOD, ("hr is bad",), "#2e7d32", "circle")


def test_groups_of_groups_roll_up_from_below() -> None:
    inner = BusinessGroup("office", "Office", members=("erp", "hr"))
    outer = BusinessGroup("all", "All", members=("office", "shop"), rollup=Rollup.DEGRADE)

    found = group_views([outer, inner], {"erp": GOOD, "hr": BAD, "shop": GOOD})

    assert [(one.group, one.state, one.reasons) for one in found] == [
        ("all", DEGRADED, ("office is bad",)),
        ("office", BAD, ("hr is bad",)),
    ]
