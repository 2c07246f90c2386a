"""The graph grows by what is found, fades, and never closes a circle."""

import json

import pytest

from btimd.model.growth import FoundNeed, GrownNeed
from btimd.model.service import Need, Node, NodeKind, Provenance, Rollup, ServiceGraph
from btimd.rca.growth import Growth, GrowthOptions
from tests.rca.biggraph import big_graph
from tests.rca.worlds import graph_of, node

TOPOLOGY, FLOWS = Provenance.TOPOLOGY, Provenance.FLOWS
DAY = 86_400.0


def declared() -> ServiceGraph:
    return graph_of(
        node("erp", "business", "app"),
        node("app", "application", "db"),
        Node("db", NodeKind.DATABASE, "db", ("db1", "db2"), rollup=Rollup.BEST),
        node("db1", "database", "host1"),
        node("db2", "database", "host2"),
        node("host1", "host"),
        node("host2", "host"),
        node("sw", "network"),
    )


def growth(use: str = "topology", **options: object) -> Growth:
    counts = {"nothing": (), "topology": (TOPOLOGY,), "all": (TOPOLOGY, FLOWS)}[use]
    return Growth(GrowthOptions(counts=frozenset(counts), **options))  # type: ignore[arg-type]


def test_a_host_gets_its_switch_with_who_says_so_and_since_when() -> None:
    growing = growth()
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.95, 100.0, 2)])
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.97, 200.0, 3)])
    grown = growing.grow(declared(), 200.0)
    assert grown.graph.nodes["host1"] == Node(
        "host1", NodeKind.HOST, "host1", ("sw",), need_facts=(Need("sw", TOPOLOGY, confidence=0.97, since=100.0),)
    )
    assert {name: one for name, one in grown.graph.nodes.items() if name != "host1"} == {
        name: one for name, one in declared().nodes.items() if name != "host1"
    }
    assert grown.needs == (GrownNeed("host1", "sw", TOPOLOGY, 0.97, 100.0, 200.0, 3, in_force=True),)
    assert grown.in_force == {("host1", "sw")}


def test_what_does_not_count_is_shown_with_the_reason() -> None:
    growing = growth()
    growing.take(
        [
            FoundNeed("host1", "sw", TOPOLOGY, 0.95, 1.0),
            FoundNeed("host2", "sw", TOPOLOGY, 0.6, 1.0),
            FoundNeed("app", "sw", FLOWS, 0.99, 1.0),
            FoundNeed("erp", "db1", TOPOLOGY, 0.99, 1.0),
            FoundNeed("db1", "app", TOPOLOGY, 0.98, 1.0),
            FoundNeed("app", "db", TOPOLOGY, 0.99, 1.0),
            FoundNeed("app", "gone", TOPOLOGY, 0.99, 1.0),
            FoundNeed("sw", "sw", TOPOLOGY, 0.99, 1.0),
        ]
    )
    grown = growing.grow(declared(), 1.0)
    assert [(one.node, one.need, one.in_force, one.remark) for one in grown.needs] == [
        ("host1", "sw", True, ""),
        ("app", "sw", False, "what flows tells is shown only; [rca.growth] use says what counts"),
        ("erp", "db1", False, "needed already: erp -> app -> db -> db1"),
        ("db1", "app", False, "would make a circle: db1 -> app -> db -> db1"),
        ("host2", "sw", False, "not sure enough: 90% is wanted"),
    ]
    assert growth("nothing").grow(declared(), 1.0).graph == declared()


def test_of_two_finds_that_close_a_circle_together_the_surer_one_stays() -> None:
    growing = growth("all")
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.95, 1.0), FoundNeed("sw", "host1", FLOWS, 0.96, 1.0)])
    assert [(one.node, one.remark) for one in growing.grow(declared(), 1.0).needs] == [
        ("sw", ""),
        ("host1", "would make a circle: host1 -> sw -> host1"),
    ]


def test_what_is_not_seen_any_more_fades_out_of_force_and_is_forgotten() -> None:
    growing = growth(half_life_seconds=7 * DAY)
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.96, 0.0)])
    assert growing.grow(declared(), 0.5 * DAY).in_force == {("host1", "sw")}
    (faded,) = growing.grow(declared(), 7 * DAY).needs
    assert (faded.confidence, faded.in_force, faded.remark) == (0.48, False, "not sure enough: 90% is wanted")
    assert growing.grow(declared(), 30 * DAY).needs == ()
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.96, 31 * DAY)])
    assert growing.grow(declared(), 31 * DAY).needs[0].since == 31 * DAY


def test_a_redundant_node_gets_a_need_to_look_at_and_no_further_member() -> None:
    growing = growth()
    growing.take([FoundNeed("db", "sw", TOPOLOGY, 0.95, 1.0)])
    grown = growing.grow(declared(), 1.0).graph.nodes["db"]
    assert (grown.needs, grown.ignore) == (("db1", "db2", "sw"), ("sw",))


def test_the_same_finds_in_any_order_give_the_same_graph() -> None:
    finds = [FoundNeed(f"host{number}", "sw", TOPOLOGY, 0.95, float(number)) for number in (1, 2)]
    one, other = growth(), growth()
    one.take(finds)
    other.take(reversed(finds))
    assert one.grow(declared(), 5.0) == other.grow(declared(), 5.0)


def test_what_was_declared_meanwhile_is_not_told_any_more() -> None:
    growing = growth()
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.95, 1.0)])
    graph = graph_of(node("host1", "host", "sw"), node("sw", "network"))
    assert growing.grow(graph, 1.0).needs == ()
    assert growing.grow(graph, 1.0).graph is graph


def test_what_has_no_room_is_counted() -> None:
    growing = growth(most=2)
    growing.take(FoundNeed(f"h{number}", "sw", TOPOLOGY, 0.95, 1.0) for number in range(5))
    assert growing.left_out == 3
    growing.reconfigure(GrowthOptions(counts=frozenset(), most=10))
    growing.take([FoundNeed("host1", "sw", TOPOLOGY, 0.95, 1.0)])
    assert growing.grow(declared(), 1.0).needs[0].remark.startswith("what topology tells is shown only")


@pytest.mark.slow
def test_fifteen_thousand_finds_in_a_large_graph_are_all_taken() -> None:
    graph = big_graph(50_000)
    hosts = [name for name, one in graph.nodes.items() if one.kind is NodeKind.HOST]
    growing = growth()
    growing.take(FoundNeed(name, "dns", TOPOLOGY, 0.95, 1.0) for name in hosts[:15_000])
    grown = growing.grow(graph, 1.0)
    assert len(grown.in_force) == 15_000


def test_what_was_found_goes_on_fading_after_it_was_written_down() -> None:
    before = growth(half_life_seconds=DAY)
    before.take([FoundNeed("host1", "sw", TOPOLOGY, 0.9, 100.0, 2), FoundNeed("host1", "sw", TOPOLOGY, 1.0, 200.0, 3)])
    document = json.loads(json.dumps(before.to_document()))
    assert document == [["host1", "sw", "topology", 1.0, 100.0, 200.0, 3]]
    after = growth(half_life_seconds=DAY)
    after.take([FoundNeed("host2", "sw", TOPOLOGY, 0.95, 200.0)])
    after.restore([*document, ["host2", "sw", "topology", 0.5, 1.0, 1.0, 1]], 200.0 + DAY)
    assert after.known() == {("host1", "sw", TOPOLOGY), ("host2", "sw", TOPOLOGY)}
    assert after.grow(declared(), 200.0 + DAY).needs[0] == GrownNeed(
        "host1", "sw", TOPOLOGY, 0.5, 100.0, 200.0, 3, in_force=False, remark="not sure enough: 90% is wanted"
    )


def test_what_was_written_down_is_bounded_and_none_of_it_is_of_the_future() -> None:
    one = growth(most=2)
    one.restore([[f"host{number}", "sw", "topology", 1.0, 900.0, 900.0, 1] for number in (1, 2, 3)], 500.0)
    assert [(need.node, need.since, need.seen_at) for need in one.grow(declared(), 500.0).needs] == [
        ("host1", 500.0, 500.0), ("host2", 500.0, 500.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        {}, [1], [["host1", "sw"]], [["host1", "sw", "gossip", 1.0, 1.0, 1.0, 1]],
        [["host1", "sw", "topology", 1.5, 1.0, 1.0, 1]], [["host1", "sw", "topology", 1.0, float("nan"), 1.0, 1]],
    ],
)  # fmt: skip
def test_what_is_no_list_of_needs_is_refused_as_a_whole(document: object) -> None:
    one = growth()
    with pytest.raises(ValueError, match="found|valid"):
        one.restore(document, 1.0)
    assert one.known() == set()
