from dataclasses import replace

from btimd.model.diagnosis import NodePart, StoryEdge
from btimd.model.probe import ErrorClass, Health
from btimd.model.verdict import Evidence, NotAsked, Suspect
from btimd.rca.graph import GraphIndex
from btimd.rca.storygraph import MOST_NODES, picture
from tests.fakes.diagnoses import shop_capsule
from tests.rca.worlds import graph_of, node, shop

VERDICT = shop_capsule().verdict


def line(name: str, health: Health, cost: float = 1.0) -> Evidence:
    return Evidence(f"{name}-x", name, health, ErrorClass.NONE, "", "", 0.0, cost, 1000.0)


def test_every_node_has_the_first_part_that_applies_and_hangs_together_with_the_symptom() -> None:
    evidence = (line("db1", Health.BAD), line("host-db", Health.GOOD), line("dns1", Health.BAD))
    verdict = replace(
        VERDICT,
        evidence=evidence,
        ranked=(Suspect("db1", 0.9), Suspect("name-erp", 0.05), Suspect("host-web", 0.001)),
        not_asked=(NotAsked("host-app", "", "so"), NotAsked("nowhere", "", "so")),
    )
    nodes, edges, left_out = picture(GraphIndex(shop()), verdict, ())
    assert {one.id: one.part for one in nodes} == {
        "erp": NodePart.SYMPTOM,
        "erp-web": NodePart.PATH,
        "erp-app": NodePart.PATH,
        "db1": NodePart.CAUSE,
        "host-app": NodePart.UNSEEN,
        "host-db": NodePart.CLEARED,
        "name-erp": NodePart.SUSPECT,
        "dns1": NodePart.AFFECTED,
    }
    assert {(edge.node, edge.need) for edge in edges if edge.on_path} == {
        ("erp", "erp-web"), ("erp-web", "erp-app"), ("erp-app", "db1"),
    }  # fmt: skip
    assert StoryEdge("name-erp", "dns1", on_path=False) in edges
    assert left_out == 0


def test_a_picture_stays_small_and_says_what_it_leaves_out() -> None:
    hosts = [node(f"host{number}", "host", "", "icmp") for number in range(100)]
    graph = graph_of(node("erp", "business", " ".join(one.id for one in hosts), "http"), *hosts)
    verdict = replace(
        VERDICT, cause="host7", causes=("host7",), path=("erp", "host7"), ranked=(),
        evidence=tuple(line(one.id, Health.GOOD) for one in hosts), not_asked=(),
    )  # fmt: skip
    nodes, _, left_out = picture(GraphIndex(graph), verdict, ())
    assert (len(nodes), left_out) == (MOST_NODES, 101 - MOST_NODES)
    assert {"erp", "host7"} <= {one.id for one in nodes}


def test_what_is_no_longer_in_the_model_is_not_drawn() -> None:
    nodes, edges, _ = picture(GraphIndex(graph_of(node("other", "host", "", "icmp"))), VERDICT, ())
    assert (nodes, edges) == ((), ())
