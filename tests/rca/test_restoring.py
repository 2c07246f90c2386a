"""What to bring back first, and why."""

import pytest

from btimd.model.outage import OpenCause, RestoringOrder, RestoringStep
from btimd.model.service import NodeKind
from btimd.rca.graph import GraphIndex
from btimd.rca.restoring import MOST_CAUSES, restoring_order
from tests.rca.offices import USERS, offices
from tests.rca.worlds import graph_of, node

INDEX = GraphIndex(offices())


def order(*nodes: str) -> list[tuple[str, int | None, str]]:
    found = restoring_order(INDEX, [OpenCause(one) for one in nodes], USERS, 5.0)
    return [(step.cause.node, step.users, step.text) for step in found.steps]


def test_what_brings_back_most_users_comes_first() -> None:
    causes = [OpenCause("db1", "D1", 0.9), OpenCause("line-s", "D2", 0.8), OpenCause("dns", "D3", 0.95, "I7")]
    assert restoring_order(INDEX, causes, USERS, 5.0) == RestoringOrder(
        at=5.0,
        steps=(
            RestoringStep(
                rank=1, cause=causes[2], name="dns", kind=NodeKind.SHARED, users=42, businesses=("erp", "hr"),
                better=(), after=(), waits_for=(), text="brings back ERP, HR; 42 users work again",
            ),
            RestoringStep(
                rank=2, cause=causes[1], name="line-s", kind=NodeKind.NETWORK, users=20, businesses=(), better=(),
                after=(), waits_for=(), text="20 users work again",
            ),
            RestoringStep(
                rank=3, cause=causes[0], name="db1", kind=NodeKind.DATABASE, users=0, businesses=(), better=("erp",),
                after=(), waits_for=(), text="ERP is whole again",
            ),
        ),
        users_lost=62,
        users_exact=False,
        notes=("a person may use several businesses: users are lower bounds",),
    )  # fmt: skip


def test_a_cause_below_another_comes_first_and_of_a_pair_one_is_enough() -> None:
    assert order("erp-app", "rack1") == [
        ("rack1", 12, "brings back HR; 12 users work again"),
        ("erp-app", 60, "brings back ERP; 60 users work again; stands on rack1"),
    ]
    assert order("db1", "db2") == [
        ("db1", 60, "brings back ERP; 60 users work again"),
        ("db2", 0, "ERP is whole again"),
    ]


def test_repairs_that_help_only_together_are_told_so_and_those_of_most_users_go_first() -> None:
    assert order("hr1", "hr2", "erp-app", "dns") == [
        ("dns", 0, "brings back nobody without hr1, hr2, erp-app"),
        ("erp-app", 60, "brings back ERP; 60 users work again"),
        ("hr1", 12, "brings back HR; 12 users work again"),
        ("hr2", 0, "no business works better by it; it gives back redundancy at most"),
    ]


def test_without_users_criticality_decides_and_is_said_to() -> None:
    found = restoring_order(INDEX, [OpenCause("page"), OpenCause("hr-farm"), OpenCause("erp-app")], {}, 5.0)
    assert [(step.cause.node, step.users, step.businesses) for step in found.steps] == [
        ("erp-app", None, ("erp",)), ("hr-farm", None, ("hr",)), ("page", None, ("web",)),
    ]  # fmt: skip
    assert (found.users_lost, found.users_exact) == (None, False)
    assert found.notes == ("nobody counts users: the order follows criticality and the number of businesses",)


def test_of_several_verdicts_on_a_node_the_surest_counts_and_nodes_that_are_gone_are_told() -> None:
    causes = [OpenCause("dns", "D1", 0.6), OpenCause("dns", "D2", 0.9), OpenCause("old", "D3")]
    found = restoring_order(INDEX, causes, USERS, 5.0)
    assert [step.cause.verdict_id for step in found.steps] == ["D2"]
    assert "no longer in the model: old" in found.notes


def test_nothing_is_broken() -> None:
    assert restoring_order(INDEX, [], USERS, 5.0) == RestoringOrder(5.0, (), 0, users_exact=True)


@pytest.mark.parametrize("more", [0, 3])
def test_the_number_of_causes_is_bounded_and_what_is_left_out_is_told(more: int) -> None:
    graph = graph_of(*(node(f"h{number}", "host") for number in range(MOST_CAUSES + more)))
    found = restoring_order(GraphIndex(graph), [OpenCause(name) for name in graph.nodes], USERS, 5.0)
    assert len(found.steps) == MOST_CAUSES
    assert found.notes == ((f"{more} more causes, less sure than these, are left out",) if more else ())
