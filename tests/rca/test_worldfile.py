import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.rca.jsonwalk import FileProblem, FileProblemsError
from btimd.rca.worldfile import parse_world
from tests.rca.fileworlds import shop, world_of

ONE = {"nodes": [{"id": "a", "kind": "host"}], "probes": [], "indicators": [{"id": "i", "needs": ["a"]}]}


def wrong(text: str) -> list[str]:
    with pytest.raises(FileProblemsError) as raised:
        parse_world(text)
    return [f"{one.line}: {one.path}: {one.text}" for one in raised.value.problems]


def wrong_in(**sections: Any) -> list[str]:
    """Return what is wrong with a model of which some lists were replaced; one line per list."""
    return wrong("{" + ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in {**ONE, **sections}.items()) + "}")


def test_a_model_is_read_into_arrays() -> None:
    world = world_of()

    assert list(world.node_ids) == ["shop", "web", "app-1", "app-2", "db", "host-1", "host-2", "host-3", "gate"]
    assert [world.kind_names[kind] for kind in world.kind] == [
        "business", "service", "application", "application", "database", "host", "host", "host", "host"
    ]  # fmt: skip
    assert world.edges.start.tolist() == [0, 1, 3, 5, 7, 8, 8, 8, 8, 8]
    assert world.edges.to.tolist() == [1, 2, 3, 4, 5, 4, 6, 7]
    assert world.edges.physical.tolist() == [False, False, False, False, True, False, True, True]
    assert np.allclose(world.edges.weight, [0.95, 0.5, 0.5, 0.95, 0.95, 0.95, 0.95, 0.95])
    assert [world.probes.check_names[check] for check in world.probes.check[:3]] == ["http", "http", "tcp"]
    assert world.probes.node.tolist() == [1, 2, 2, 3, 3, 4, 5, 6, 7, 8]
    assert world.probes.end_to_end.tolist() == [True, True, False, True, False, True, False, False, False, False]
    assert (world.indicators.start.tolist(), world.indicators.need.tolist()) == ([0, 2, 3], [0, 8, 0])


def test_what_is_left_out_has_a_default() -> None:
    world = world_of(ONE | {"nodes": [{"id": "a", "kind": "wan"}, {"id": "b", "kind": "tape robot", "prior": None}],
                            "edges": [{"from": "a", "to": "b"}], "probes": [{"id": "p", "node": "a", "check": "x"}]})  # fmt: skip

    assert np.allclose(world.prior, [4e-4, 2e-4])
    assert np.allclose(world.edges.weight, [0.9])
    assert world.edges.physical.tolist() == [False]
    probes = world.probes
    assert np.allclose([probes.cost[0], probes.detects[0], probes.false_positive[0]], [1.0, 0.95, 0.01])
    assert probes.end_to_end.tolist() == [False]


def test_lists_come_in_any_order_and_unknown_keys_are_passed_over() -> None:
    model = shop()
    turned = {key: model[key] for key in ("indicators", "probes", "edges", "nodes")}
    turned["nodes"] = [{**node, "rack": {"row": 7}} for node in model["nodes"]]
    found, straight = world_of({"version": 2, **turned, "notes": [1]}), world_of()

    assert found.node_ids == straight.node_ids
    assert found.edges.to.tolist() == straight.edges.to.tolist()
    assert found.probes.ids == straight.probes.ids
    assert found.indicators.need.tolist() == straight.indicators.need.tolist()


def test_every_mistake_is_told_with_its_place() -> None:
    assert wrong_in(
        nodes=[7, {"id": "a", "kind": 3}, {"kind": "host", "prior": 1}, {"id": "b", "kind": "host"}, {"id": "b", "kind": ""}],
        probes=[{"id": "p", "node": "c", "check": "tcp", "cost": 0, "detects": True, "false_positive": "no", "end_to_end": 1}],
        indicators=[{"id": "i", "needs": []}, {"id": "j", "needs": ["b", "d", 5]}],
        edges=[{"from": "b", "to": "b"}, {"from": "b", "to": "x", "weight": 1.5, "physical": "yes"}],
    ) == [
        "1: nodes[0]: must be an object {...}, not 7",
        "1: nodes[1].kind: must be a text that is not empty, not 3",
        '1: nodes[2].id: missing; write "id": "..."',
        "1: nodes[2].prior: must be a number 0 or more and below 1, not 1",
        "1: nodes[4].id: 'b' is the id of an element above already; use another",
        "1: nodes[4].kind: must be a text that is not empty, not ''",
        "2: probes[0].node: no node has the id 'c'; add it to nodes or correct this",
        "2: probes[0].cost: must be a number above 0 and below 1000000, not 0",
        "2: probes[0].end_to_end: must be true or false, not 1",
        "2: probes[0].detects: must be a number above 0 and at most 1, not True",
        "2: probes[0].false_positive: must be a number 0 or more and below 1, not 'no'",
        "3: indicators[0].needs: must be a list of node ids that is not empty, not []",
        "3: indicators[1].needs[1]: no node has the id 'd'; add it to nodes or correct this",
        "3: indicators[1].needs[2]: must be a node id, not 5",
        "4: edges[0]: 'b' needs itself; take this edge out",
        "4: edges[1].to: no node has the id 'x'; add it to nodes or correct this",
        "4: edges[1].weight: must be a number above 0 and at most 1, not 1.5",
        "4: edges[1].physical: must be true or false, not 'yes'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: : a model is a JSON object with nodes, edges, probes and indicators"),
        ("[]", "1: : a model is a JSON object with nodes, edges, probes and indicators"),
        ('{"nodes": [],\n"probes": [], "indicators": []}', "1: nodes: empty; a world has one node at least"),
        ('{"nodes": [{"id": "a", "kind": "host"}], "indicators": []}', '1: probes: missing; add a list "probes": [...]'),
        ('{"nodes": [{"id": "a", "kind": "host", "prior": NaN}], "probes": [], "indicators": []}',
         "1: nodes[0].prior: must be a number 0 or more and below 1, not nan"),
        ('{"nodes": [], "nodes": [],\n "probes": [', "2: probes[0]: a value is missing, found ''"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(text: str, told: str) -> None:
    assert told in wrong(text)


def test_circles_are_told_one_by_one() -> None:
    nodes = [{"id": name, "kind": "host"} for name in "abcdefg"]
    edges = [{"from": pair[0], "to": pair[1]} for pair in ("ab", "bc", "cb", "cd", "ef", "fe", "ga")]

    assert wrong_in(nodes=nodes, edges=edges) == [
        "4: edges: a circle: b -> c -> b; take one of these edges out",
        "4: edges: a circle: e -> f -> e; take one of these edges out",
    ]


def test_a_long_circle_is_cut_to_fit() -> None:
    nodes = [{"id": f"n{number}", "kind": "host"} for number in range(20)]
    edges = [{"from": f"n{number}", "to": f"n{(number + 1) % 20}"} for number in range(20)]

    assert wrong_in(nodes=[*nodes, {"id": "a", "kind": "host"}], edges=edges) == [
        "4: edges: a circle: n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> ... (20 nodes); take one of these edges out"
    ]


def test_no_more_than_fifty_mistakes_are_told() -> None:
    with pytest.raises(FileProblemsError) as raised:
        parse_world(json.dumps(ONE | {"nodes": [None] * 80}))

    assert (len(raised.value.problems), raised.value.more) == (50, 1)


JUNK: st.SearchStrategy[Any] = st.sampled_from([None, True, False, -1, 0, 0.5, 1, 2, "a", "", [], ["a"], {}, "x" * 300])


@given(
    st.fixed_dictionaries(
        {
            "nodes": st.lists(st.fixed_dictionaries({"id": JUNK, "kind": JUNK, "prior": JUNK}), max_size=3),
            "edges": st.lists(
                st.fixed_dictionaries({"from": JUNK, "to": JUNK}, optional={"weight": JUNK, "physical": JUNK}),
                max_size=3,
            ),
            "probes": st.lists(
                st.fixed_dictionaries(
                    {"id": JUNK, "node": JUNK, "check": JUNK},
                    optional={"cost": JUNK, "detects": JUNK, "false_positive": JUNK, "end_to_end": JUNK},
                ),
                max_size=3,
            ),
            "indicators": st.lists(st.fixed_dictionaries({"id": JUNK, "needs": JUNK}), max_size=3),
        }
    )
)
def test_junk_is_read_or_refused_with_a_reason_and_nothing_else(model: dict[str, Any]) -> None:
    problems: list[FileProblem] = []
    world = None
    try:
        world = world_of(model)
    except FileProblemsError as error:
        problems = error.problems
    assert all(problem.text != "cannot be used" for problem in problems)
    assert (world is None) == bool(problems)
    assert world is None or len(world) == len(model["nodes"]) > 0
