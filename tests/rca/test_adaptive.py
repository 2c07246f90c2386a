import numpy as np

from btimd.rca.adaptive import UNKNOWN, Ask, PolicyOptions, diagnose, warm
from btimd.rca.solver_graph import GraphArrays, GraphModel
from btimd.rca.solver_types import Ending

BUSINESS, SHOP, BOOKS, LEDGER, SERVER, OTHER = range(6)


def model(*, without: tuple[int, int] | None = None) -> GraphModel:
    """Return a business on two applications; one stands on a database that a third application uses too."""
    edges = [
        (BUSINESS, SHOP, 0.9, False),
        (BUSINESS, BOOKS, 0.9, False),
        (BOOKS, LEDGER, 0.9, False),
        (OTHER, LEDGER, 0.9, False),
        (SHOP, SERVER, 0.95, True),
    ]
    kept = [edge for edge in edges if edge[:2] != without]
    nodes = [BUSINESS, SHOP, BOOKS, LEDGER, SERVER, OTHER]
    deep, own = [(node, True) for node in nodes if node != SERVER], [(node, False) for node in nodes]
    probes = deep + own
    return GraphModel(
        GraphArrays(
            prior=np.full(6, 3e-4),
            edge_from=np.array([edge[0] for edge in kept], np.int32),
            edge_to=np.array([edge[1] for edge in kept], np.int32),
            edge_weight=np.array([edge[2] for edge in kept]),
            edge_physical=np.array([edge[3] for edge in kept]),
            probe_node=np.array([node for node, _ in probes], np.int32),
            probe_cost=np.ones(len(probes)),
            probe_end_to_end=np.array([end_to_end for _, end_to_end in probes]),
            probe_detects=np.full(len(probes), 0.95),
            probe_false_positive=np.full(len(probes), 0.01),
            indicator_starts=np.array([0, 1, 2, 3], np.int64),
            indicator_needs=np.array([BUSINESS, BUSINESS, OTHER], np.int32),
        )
    )


def asking(model: GraphModel, bad_nodes: set[int], asked: list[int], unknown: frozenset[int] = frozenset()) -> Ask:
    def ask(probes: list[int]) -> list[int]:
        asked.extend(probes)
        return [
            UNKNOWN if probe in unknown else int(int(model.arrays.probe_node[probe]) in bad_nodes
            and (bool(model.arrays.probe_end_to_end[probe]) or int(model.arrays.probe_node[probe]) == LEDGER))
            for probe in probes
        ]  # fmt: skip

    return ask


def test_a_database_below_two_applications_is_found() -> None:
    one, asked = model(), list[int]()
    answer = diagnose(one, [0, 1, 2], [0, 0, 1], asking(one, {BUSINESS, BOOKS, OTHER, LEDGER}, asked))
    assert (answer.found, answer.ranked[0], answer.ending) == ((LEDGER,), LEDGER, Ending.FOUND)
    assert answer.probes == tuple(asked)
    assert len(asked) == len(set(asked)) <= 8


def test_answers_that_do_not_come_cost_and_tell_nothing() -> None:
    one, asked = model(), list[int]()
    silent = frozenset(range(one.probe_count))
    answer = diagnose(one, [0, 1, 2], [0, 0, 1], asking(one, set(), asked, silent))
    assert len(answer.probes) == len(asked) > 0
    assert answer.confidence < 0.9


def test_not_more_is_asked_than_allowed() -> None:
    one, asked = model(), list[int]()
    options = PolicyOptions(batch=2, hard_limit=3)
    answer = diagnose(one, [0, 1], [0, 0, 1], asking(one, set(), asked), options)
    assert len(asked) <= 3
    assert answer.rounds <= 2


def test_a_changed_node_is_suspected_first() -> None:
    one = model()
    changed = diagnose(one, [0, 1], [0, 0, 1], lambda probes: [UNKNOWN] * len(probes), boosts={SHOP: 50.0})
    assert changed.ranked[0] == SHOP


def test_warming_up_compiles_all_that_a_diagnosis_uses() -> None:
    warm()
