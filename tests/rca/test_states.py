from dataclasses import replace

import pytest

from btimd.model.ports import NodeState
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Node, Rollup
from btimd.rca.graph import GraphIndex
from btimd.rca.states import NodeStates
from tests.rca.biggraph import big_graph
from tests.rca.worlds import check, graph_of, node, shop

INDEX = GraphIndex(shop())


def result(check_id: str, health: Health, at: float = 1.0) -> ProbeResult:
    spec = ProbeSpec(1, INDEX.checks.get(check_id, check("nowhere", "tcp")))
    return ProbeResult(spec, health, ErrorClass.NONE, f"{check_id} {health}", at, 0.01)


def statuses(states: NodeStates) -> dict[str, str]:
    return {state.node: state.status for state in states.all() if state.status != "unknown"}


def test_a_node_that_was_never_checked_is_unknown() -> None:
    assert statuses(NodeStates(INDEX)) == {}


def test_a_bad_node_degrades_everything_that_needs_it() -> None:
    states = NodeStates(INDEX)
    states.take(result("erp-app-tcp", Health.GOOD))
    changed = states.take(result("host-db-icmp", Health.BAD, at=2.0))
    assert [(state.node, state.status) for state in changed] == [
        ("host-db", "bad"), ("db1", "degraded"), ("erp-app", "degraded"), ("erp-web", "degraded"), ("erp", "degraded"),
    ]  # fmt: skip
    assert changed[0] == NodeState(
        node="host-db", kind="host", name="host-db", status="bad", own_health="bad", detail="host-db-icmp bad",
        checked_at=2.0, needs=(), businesses=("erp",),
    )  # fmt: skip
    states.take(result("host-db-icmp", Health.GOOD, at=3.0))
    assert statuses(states) == {"erp-app": "good", "host-db": "good"}


def test_one_bad_check_of_several_makes_a_node_bad() -> None:
    states = NodeStates(INDEX)
    states.take(result("db1-tcp", Health.GOOD, at=5.0))
    (own, *_) = states.take(result("db1-postgres", Health.BAD, at=4.0))
    assert (own.own_health, own.detail, own.checked_at) == ("bad", "db1-postgres bad", 5.0)


def test_answers_without_a_say_change_nothing() -> None:
    states = NodeStates(INDEX)
    states.take(result("db1-tcp", Health.GOOD, at=5.0))
    assert states.take(result("db1-tcp", Health.UNKNOWN, at=6.0)) == []
    assert states.take(result("db1-tcp", Health.BAD, at=4.0)) == []  # overtaken by a newer one
    assert states.take(result("nowhere-tcp", Health.BAD)) == []


def test_a_new_graph_keeps_the_answers_of_the_checks_that_it_still_has() -> None:
    states = NodeStates(INDEX)
    states.take(result("db1-tcp", Health.GOOD))
    states.take(result("host-db-icmp", Health.BAD))
    smaller = graph_of(node("app", "application", "db1"), node("db1", "database", "", "tcp"))
    assert [(state.node, state.status) for state in states.swap(GraphIndex(smaller))] == [
        ("app", "unknown"),
        ("db1", "good"),
    ]


def pair(**more: object) -> NodeStates:
    """Return the states of an application on a pair of databases."""
    cluster = Node("db", node("db", "database").kind, "db", ("db1", "db2"), rollup=Rollup.BEST, **more)  # type: ignore[arg-type]
    members = (node("db1", "database", "", "tcp"), node("db2", "database", "", "tcp"))
    return NodeStates(GraphIndex(graph_of(node("app", "application", "db"), cluster, *members)))


def answer(name: str, health: Health, at: float = 1.0) -> ProbeResult:
    return ProbeResult(ProbeSpec(1, check(name, "tcp")), health, ErrorClass.NONE, "", at, 0.01)


def told(states: NodeStates) -> dict[str, tuple[str, str]]:
    return {state.node: (state.status, state.detail) for state in states.all() if state.node in {"app", "db"}}


def test_a_cluster_without_checks_of_its_own_stands_as_its_members_do() -> None:
    states = pair()
    assert told(states) == {"app": ("unknown", ""), "db": ("unknown", "db1, db2 are unknown")}
    states.take(answer("db1", Health.GOOD))
    assert told(states) == {"app": ("unknown", ""), "db": ("good", "db2 is unknown")}
    changed = states.take(answer("db2", Health.BAD))
    assert [(one.node, one.status) for one in changed] == [("db2", "bad"), ("db", "degraded"), ("app", "degraded")]
    assert told(states) == {"app": ("degraded", ""), "db": ("degraded", "db2 is bad; carried by db1")}
    states.take(answer("db1", Health.BAD, at=2.0))
    assert told(states) == {"app": ("degraded", ""), "db": ("bad", "db1, db2 are bad, and there is no other")}


def test_a_cluster_that_answers_itself_works_whatever_its_members_say() -> None:
    states = pair(checks=(check("db", "tcp"),))
    for name in ("db1", "db2"):
        states.take(answer(name, Health.BAD))
    assert told(states)["db"][0] == "bad"
    states.take(answer("db", Health.GOOD))
    assert told(states)["db"] == ("degraded", "db1, db2 are bad, and there is no other")
    for name in ("db1", "db2"):
        states.take(answer(name, Health.GOOD, at=3.0))
    assert told(states)["db"] == ("good", "")
    states.take(answer("db", Health.BAD, at=4.0))
    assert told(states)["db"][0] == "bad"


def test_good_members_do_not_make_a_cluster_good_that_was_to_be_asked_and_was_not() -> None:
    states = pair(checks=(check("db", "tcp"),))
    states.take(answer("db1", Health.GOOD))
    states.take(answer("db2", Health.GOOD))
    assert told(states)["db"] == ("unknown", "")


def test_a_standby_that_is_down_while_the_active_one_works_is_a_degradation_with_a_note() -> None:
    states = pair(standby=("db2",))
    states.take(answer("db1", Health.GOOD))
    states.take(answer("db2", Health.BAD))
    assert told(states)["db"] == ("degraded", "standby db2 is bad: nothing takes over if db1 fails")


def test_a_need_that_is_ignored_degrades_nothing() -> None:
    above = replace(node("app", "application", "db1"), ignore=("db1",))
    states = NodeStates(GraphIndex(graph_of(above, node("db1", "database", "", "tcp"))))
    assert [one.node for one in states.take(answer("db1", Health.BAD))] == ["db1"]


def test_a_chain_of_any_depth_is_followed_without_recursion() -> None:
    links = [node(f"n{number}", "host", f"n{number + 1}") for number in range(20_000)]
    states = NodeStates(GraphIndex(graph_of(*links, node("n20000", "host", "", "tcp"))))
    assert len(states.take(answer("n20000", Health.BAD))) == 20_001


@pytest.mark.slow
def test_a_hundred_thousand_nodes_are_gone_over_and_an_answer_touches_what_it_changes() -> None:
    graph = big_graph(100_000)
    states = NodeStates(GraphIndex(graph))
    states.swap(GraphIndex(graph))
    for name in ("core0", "core1"):
        states.take(answer(name, Health.GOOD))
    assert [one.node for one in states.take(answer("core1", Health.BAD, at=2.0))][:2] == ["core1", "core"]
    assert len(states.take(answer("core0", Health.BAD, at=2.0))) == 2  # all above them are degraded already
