import pytest

from btimd.rca.evidence import EvidenceModel, Hypotheses
from btimd.rca.frontier import choose_batch, choose_confirmation, live_suspects, probe_pool
from btimd.rca.graph import GraphIndex
from tests.rca.worlds import graph_of, node, shop

INDEX = GraphIndex(shop())
MODEL = EvidenceModel(INDEX, Hypotheses.of(INDEX, INDEX.needs_closure("erp-web")))
POSTERIOR = MODEL.posterior([])
POOL = probe_pool(INDEX, MODEL.hypotheses.nodes, MODEL.hypotheses.by_node(POSTERIOR))


def test_the_pool_holds_the_candidates_own_checks_and_those_of_their_users() -> None:
    assert sorted(check.id for check in POOL) == [
        "db1-postgres", "db1-tcp", "erp-app-http", "erp-app-tcp", "erp-http", "erp-web-http", "erp-web-tcp",
        "host-app-icmp", "host-db-icmp", "host-web-icmp",
    ]  # fmt: skip


def test_a_batch_asks_different_nodes_best_first_and_says_why() -> None:
    batch = choose_batch(MODEL, POSTERIOR, POOL, size=4, min_gain_bits=0.03)
    nodes = [choice.check.node for choice in batch]
    assert len(nodes) == len(set(nodes)) == 4
    first = batch[0]
    assert first.why == f"splits 6 suspects: expected {first.gain_bits:.2f} bit for cost {first.check.cost:g}"
    assert live_suspects(MODEL, POSTERIOR) == 6


def test_nodes_that_are_being_asked_are_left_alone() -> None:
    batch = choose_batch(MODEL, POSTERIOR, POOL, size=8, min_gain_bits=0.0, avoid_nodes={"erp-app", "db1"})
    assert {"erp-app", "db1"}.isdisjoint(choice.check.node for choice in batch)


def test_nothing_is_chosen_where_nothing_is_to_be_learned() -> None:
    alone = EvidenceModel(INDEX, Hypotheses.of(INDEX, ("db1",)))
    assert choose_batch(alone, alone.posterior([]), POOL, size=4, min_gain_bits=0.03) == []


def test_a_batch_does_not_ask_the_same_question_twice() -> None:
    twins = graph_of(
        node("app", "application", "db", "tcp"),
        node("twin", "application", "db", "tcp"),
        node("db", "database", "", "postgres"),
        node("db-view", "application", "db", "http"),
    )
    index = GraphIndex(twins)
    model = EvidenceModel(index, Hypotheses.of(index, ("app", "db")))
    batch = choose_batch(model, model.posterior([]), twins.checks(), size=4, min_gain_bits=0.03)
    gains = [choice.gain_bits for choice in batch]
    assert gains == sorted(gains, reverse=True)
    assert sum(gains) <= 1.0 + 1e-9  # two suspects: no more than one bit is there


def test_a_cheap_check_beats_an_equal_dear_one() -> None:
    graph = graph_of(node("a", "application", "", "http! postgres"), node("b", "application"))
    index = GraphIndex(graph)
    model = EvidenceModel(index, Hypotheses.of(index, ("a", "b")))
    batch = choose_batch(model, model.posterior([]), graph.checks(), size=1, min_gain_bits=0.03)
    assert [choice.check.id for choice in batch] == ["a-http"]


def test_the_confirmation_is_the_own_check_that_shows_the_fault_most_surely() -> None:
    choice = choose_confirmation(MODEL, POSTERIOR, "db1", POOL)
    assert choice is not None
    assert choice.check.id == "db1-postgres"
    assert choice.why.startswith("settles whether it is db1, now at ")
    assert choose_confirmation(MODEL, POSTERIOR, "db1", []) is None


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_same_question_gets_the_same_choice(size: int) -> None:
    first = choose_batch(MODEL, POSTERIOR, POOL, size=size, min_gain_bits=0.03)
    assert first == choose_batch(MODEL, POSTERIOR, POOL, size=size, min_gain_bits=0.03)
    assert len(first) == size
