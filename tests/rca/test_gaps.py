"""What a model leaves open."""

from dataclasses import replace

import pytest

from btimd.model.service import BusinessService, Need, Node, NodeKind, Rollup, ServiceGraph
from btimd.model.view import ViewState
from btimd.rca.gaps import fails_alone, forgotten_needs, gaps, single_points
from btimd.rca.graph import GraphIndex
from btimd.rca.outage import Failing
from tests.rca.biggraph import big_graph
from tests.rca.offices import offices
from tests.rca.worlds import enterprise, graph_of, node, shop


def by_trying(index: GraphIndex) -> set[str]:
    """Return the single points of failure, found by letting every node fail."""
    found = set()
    for name in set(index.graph.nodes) - set(index.graph.businesses):
        failing = Failing(index, (name,))
        if any(failing.state(business) is ViewState.BAD for business in index.graph.businesses):
            found.add(name)
    return found


@pytest.mark.parametrize("graph", [offices(), shop(), enterprise(), big_graph(400)])
def test_single_points_are_those_that_fail_a_business_when_tried_out(graph: ServiceGraph) -> None:
    index = GraphIndex(graph)
    assert set(single_points(index)) == by_trying(index)


def test_a_rack_that_a_pair_shares_is_a_single_point_and_its_members_are_none() -> None:
    assert single_points(GraphIndex(offices())) == {
        "erp-app": ("erp",), "db": ("erp",), "hr-farm": ("hr",), "page": ("web",), "dns": ("erp", "hr"),
        "host3": ("hr", "web"), "rack1": ("erp", "hr"), "rack2": ("hr", "web"),
    }  # fmt: skip


def test_where_not_all_can_be_tried_out_nothing_is_told_of_who_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    index = GraphIndex(offices())
    assert fails_alone(index) == single_points(index)
    monkeypatch.setattr("btimd.rca.gaps._MOST_TRIED", 0)
    assert fails_alone(index) is None


def test_a_pair_with_one_member_that_must_work_and_soft_needs() -> None:
    graph = graph_of(
        Node("erp", NodeKind.BUSINESS, "ERP", ("db", "cache", "extra"), need_facts=(Need("cache", strength=0.1),)),
        Node("db", NodeKind.DATABASE, "db", ("db1", "db2"), rollup=Rollup.WEIGHTED, weights={"db1": 3.0}),
        node("db1", "database"),
        node("db2", "database"),
        node("cache", "middleware"),
        Node("extra", NodeKind.APPLICATION, "extra", ("log",), rollup=Rollup.DEGRADE),
        node("log", "application"),
    )
    assert set(single_points(GraphIndex(graph))) == {"db", "db1", "extra"}


def test_each_sort_of_gap_is_a_sentence() -> None:
    graph = graph_of(
        node("erp", "business", "app"),
        node("hr", "business"),
        node("app", "application", "db", "tcp"),
        node("db", "database"),
        node("old", "host"),
        Node("north", NodeKind.USER, "north", ("line",), region="north"),
        node("line", "network", "", "icmp"),
    )
    owned = {name: BusinessService(name, name, owner="" if name == "hr" else "x") for name in graph.businesses}
    hint = "btimctl simulate outage NODE tells what fails with one"
    assert list(gaps(GraphIndex(replace(graph, businesses=owned)))) == [
        "2 of 4 components have no check, so a diagnosis can only infer how they are: db, old",
        "nothing is said of what hr stands on; write needs",
        "no host or operating system is modelled below erp",
        "no network is modelled below erp",
        "nobody is named as owner of hr",
        "no business needs old",
        f"single points of failure: app (1 business), db (1 business); {hint}",
    ]


def test_a_model_without_gaps_says_nothing() -> None:
    graph = graph_of(
        node("erp", "business", "pair"),
        Node("pair", NodeKind.APPLICATION, "pair", ("a", "b"), rollup=Rollup.BEST),
        *(node(name, "application", f"h{name}", "tcp") for name in "ab"),
        *(node(f"h{name}", "host", f"s{name}", "icmp") for name in "ab"),
        *(node(f"s{name}", "network", "", "icmp") for name in "ab"),
    )
    erp = BusinessService("erp", "ERP", owner="x")
    assert list(gaps(GraphIndex(replace(graph, businesses={"erp": erp})))) == []
    assert list(gaps(GraphIndex(ServiceGraph({}, {})))) == []


@pytest.mark.slow
def test_the_gaps_of_a_hundred_thousand_nodes_are_found() -> None:
    found = list(gaps(GraphIndex(big_graph(100_000))))
    assert found[-1].startswith("single points of failure: ")


def test_a_need_that_only_one_of_two_twins_has_is_likely_forgotten() -> None:
    graph = graph_of(
        node("erp", "business", "app"),
        Node("app", NodeKind.APPLICATION, "app", ("app1", "app2"), rollup=Rollup.BEST),
        node("app1", "application", "ledger1 ledger2 queue"),
        node("app2", "application", "ledger1 queue"),
        node("ledger1", "database"),
        node("ledger2", "database"),
        node("queue", "middleware"),
    )
    assert list(forgotten_needs(GraphIndex(graph))) == ["app2 needs ledger2, as its twin app1 does"]
    assert "likely forgotten: app2 needs ledger2, as its twin app1 does" in set(gaps(GraphIndex(graph)))
    assert not list(forgotten_needs(GraphIndex(offices())))
