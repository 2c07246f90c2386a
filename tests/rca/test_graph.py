from btimd.model.service import Closure, Node, NodeKind
from btimd.rca.graph import GraphIndex
from tests.rca.worlds import check, enterprise, graph_of, node, shop


def test_the_needs_closure_goes_all_the_way_down_nearest_first() -> None:
    index = GraphIndex(shop())
    assert index.needs_closure("erp-app") == ("erp-app", "db1", "host-app", "host-db")
    assert index.needs_closure("host-db") == ("host-db",)


def test_the_serves_closure_goes_all_the_way_up() -> None:
    index = GraphIndex(shop())
    assert index.serves_closure("host-db") == ("host-db", "db1", "erp-app", "erp-web", "erp")


def test_the_local_closure_is_the_node_and_what_it_runs_on() -> None:
    graph = graph_of(
        node("app", "application", "db os-1"),
        node("db", "database", "host-2"),
        node("os-1", "os", "host-1"),
        node("host-1", "host", "switch room"),
        node("host-2", "host"),
        node("switch", "network"),
        node("room", "facility"),
    )
    assert GraphIndex(graph).local_closure("app") == ("app", "os-1", "host-1", "switch", "room")


def test_a_business_stands_on_the_processes_and_names_that_answer_for_it() -> None:
    index = GraphIndex(shop())
    assert index.local_closure("erp") == ("erp", "erp-web", "name-erp", "host-web", "dns1", "host-dns")


def test_a_name_is_an_entry_and_its_server_is_not() -> None:
    index = GraphIndex(shop())
    assert [(name, index.is_naming(name), index.is_record(name)) for name in ("name-erp", "dns1", "erp-web")] == [
        ("name-erp", True, True),
        ("dns1", True, False),
        ("erp-web", False, False),
    ]


def test_a_check_covers_its_closure() -> None:
    index = GraphIndex(shop())
    assert index.closure_of(check("erp-app", "tcp")) == ("erp-app", "host-app")
    assert index.closure_of(check("erp-app", "http")) == ("erp-app", "db1", "host-app", "host-db")
    assert check("erp-app", "http!").closure is Closure.LOCAL


def test_businesses_above_a_shared_node_come_in_the_order_of_the_graph() -> None:
    index = GraphIndex(enterprise())
    assert index.businesses_above("host-dbs") == ("erp", "hr")
    assert index.businesses_above("erp") == ("erp",)
    assert index.businesses_above("switch-2") == ("hr",)


def test_the_path_to_a_cause_is_the_shortest_and_ties_follow_the_order_of_needs() -> None:
    graph = graph_of(
        node("top", "business", "long b a"),
        node("long", "application", "a"),
        node("a", "application", "cause"),
        node("b", "application", "cause"),
        node("cause", "host"),
    )
    index = GraphIndex(graph)
    assert index.path("top", "cause") == ("top", "b", "cause")
    assert index.path("cause", "cause") == ("cause",)
    assert index.path("cause", "top") == ()
    assert index.path("nowhere", "cause") == ()
    assert (index.distance("top", "cause"), index.distance("cause", "top")) == (2, None)


def test_the_businesses_above_all_nodes_are_those_above_each() -> None:
    index = GraphIndex(enterprise())
    assert index.businesses_of_all == {name: index.businesses_above(name) for name in index.graph.nodes}


def test_every_node_comes_after_what_it_needs() -> None:
    index = GraphIndex(enterprise())
    rank = index.rank
    assert rank.keys() == index.graph.nodes.keys()
    assert all(rank[need] < rank[name] for name in rank for need in index.needs(name))


def test_the_model_says_what_users_of_a_region_come_through() -> None:
    users = Node("users-north", NodeKind.USER, "Users of the north", ("line",), region="north")
    index = GraphIndex(graph_of(users, node("line", "network"), node("others", "user")))
    assert (index.user_node("north"), index.user_node("south"), index.user_node("")) == ("users-north", None, None)
    assert index.regions == ("north",)


def test_climbing_meets_each_node_once_after_its_needs_and_goes_on_above_what_changed() -> None:
    index = GraphIndex(shop())
    met: list[str] = []

    def note(name: str) -> bool:
        met.append(name)
        return name != "erp-app"

    index.climb(("db1", "host-db", "db1"), note)
    assert met == ["host-db", "db1", "erp-app"]
    met.clear()
    index.climb(("erp-web", "dns1"), note)
    assert sorted(met, key=index.rank.__getitem__) == met
    assert met == ["dns1", "name-erp", "erp-web", "erp"]
