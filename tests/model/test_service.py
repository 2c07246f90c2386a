"""The graph refuses what cannot be."""

import pytest

from btimd.model.service import BusinessService, Check, CheckKind, Node, NodeKind, ServiceGraph, find_cycle


def node(name: str, *needs: str, checks: tuple[Check, ...] = ()) -> Node:
    return Node(name, NodeKind.HOST, name, needs, checks)


def users(name: str, region: str) -> Node:
    return Node(name, NodeKind.USER, name, region=region)


def test_a_cycle_is_found_and_a_diamond_is_none() -> None:
    assert find_cycle({"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}) == ()
    assert find_cycle({"a": ("b",), "b": ("c",), "c": ("b",)}) == ("b", "c", "b")
    assert find_cycle({"a": ("a",)}) == ("a", "a")


def test_a_long_chain_is_walked_without_recursion() -> None:
    assert find_cycle({str(index): (str(index + 1),) for index in range(50_000)}) == ()


@pytest.mark.parametrize(
    ("nodes", "businesses", "complaint"),
    [
        ({"a": node("a", "b")}, {}, "a needs b, which does not exist"),
        ({"a": node("a", checks=(Check("c", "b", CheckKind.ICMP, "h"),))}, {}, "check c of node b is listed at a"),
        ({"a": node("a")}, {"a": BusinessService("a", "A")}, "business a has no node"),
        ({"a": node("a", "b"), "b": node("b", "a")}, {}, "needs run in a circle: a -> b -> a"),
        ({"a": users("a", "north"), "b": users("b", "north")}, {}, "b is the second one for the users of region north"),
    ],
)
def test_what_does_not_hold_together_is_refused(
    nodes: dict[str, Node], businesses: dict[str, BusinessService], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        ServiceGraph(nodes, businesses)
