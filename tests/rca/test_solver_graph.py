import numpy as np
import pytest

from tests.rca.test_adaptive import BOOKS, BUSINESS, LEDGER, OTHER, SERVER, SHOP, model


def seen_by(question: int) -> dict[int, float]:
    """Return how surely the hard fault of each node shows in a question."""
    one = model()
    row = one.row(question)
    hard = {int(one.first_fault[node]): node for node in range(6)}
    pairs = zip(row.faults.tolist(), row.detection.tolist(), strict=True)
    return {hard[fault]: round(detection, 3) for fault, detection in pairs if fault in hard}


def test_a_deep_check_sees_all_that_its_node_needs() -> None:
    assert seen_by(BUSINESS) == {BUSINESS: 0.95, SHOP: 0.9, BOOKS: 0.9, LEDGER: 0.81, SERVER: 0.855}


def test_a_local_check_sees_what_its_node_runs_on() -> None:
    assert seen_by(5 + SHOP) == {SHOP: 0.95, SERVER: 0.95}


def test_an_indicator_sees_what_its_nodes_need() -> None:
    assert seen_by(model().probe_count + 2) == {OTHER: 0.96, LEDGER: 0.9}


def test_own_probes_are_the_first_worth_asking() -> None:
    one = model()
    assert set(one.about(LEDGER)[:2].tolist()) <= set(one.probes_of(LEDGER).tolist()) | {5 + LEDGER}
    users = {int(one.question_node[probe]) for probe in one.about(LEDGER)}
    assert users == {LEDGER, BOOKS, OTHER, BUSINESS}


def test_what_nothing_needs_is_found_by_what_it_needs_itself() -> None:
    alone = model(without=(BUSINESS, BOOKS))
    assert alone.unattached_like_needs_of(OTHER, 5) == []
    assert alone.needs_of(BOOKS).tolist() == [LEDGER]


def test_a_false_alarm_is_as_likely_as_the_world_says_and_a_bit_more() -> None:
    one = model()
    assert one.question_leak[:2].tolist() == pytest.approx([0.013, 0.013])
    assert np.all(one.question_leak > 0.0)
