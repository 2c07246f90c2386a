from btimd.model.ports import NodeState
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.rca.graph import GraphIndex
from btimd.rca.states import NodeStates
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
