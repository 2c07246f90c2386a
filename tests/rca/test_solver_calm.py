import numpy as np
import pytest

from btimd.rca.faultmodel import BAD, GOOD
from btimd.rca.solver_calm import calm_of
from btimd.rca.solver_evidence import Answer, Evidence
from btimd.rca.solver_sets import Posterior, SetSearch
from tests.rca.test_solver_evidence import QUESTIONS, evidence_of

GROUPS = [number // 3 if number % 2 else -1 for number in range(QUESTIONS)]


def beginning(seed: int, *, calm: bool, bad: list[int]) -> Evidence:
    """Return evidence that was told of all questions at once, with or without knowing what it costs if all are good."""
    evidence = evidence_of(seed, 1)
    if calm:
        evidence.model.calm = calm_of(evidence.model, range(QUESTIONS), GROUPS, 0.9, 0.02, 0.25)
    outcomes = [BAD if number in bad else GOOD for number in range(QUESTIONS)]
    evidence.observe_many(range(QUESTIONS), outcomes, GROUPS, 0.9, symptom=True)
    return evidence


def posterior(evidence: Evidence) -> Posterior:
    evidence.refresh()
    return SetSearch(evidence, 4, certain=True).posterior()


def assert_same(some: Evidence, other: Evidence) -> None:
    found, expected = posterior(some), posterior(other)
    assert some.fault_of[found.sets].tolist() == other.fault_of[expected.sets].tolist()
    assert found.weight.tolist() == pytest.approx(expected.weight.tolist(), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_a_search_that_begins_calm_finds_the_same(seed: int) -> None:
    bad = np.random.default_rng(seed).choice(QUESTIONS, 7, replace=False).tolist()
    some, other = (beginning(seed, calm=calm, bad=bad) for calm in (True, False))
    assert_same(some, other)
    later = Answer(GOOD, 0.4, GROUPS[bad[0] - 1], symptom=False)
    extra = evidence_of(seed, 1).model.row(3)
    for evidence in (some, other):  # a good answer more in a group, and one that changes in another
        question = evidence.model.add_question(-1, 1.0, 0.01, extra)
        evidence.observe(question, Answer(GOOD, 1.0, 1, symptom=False))
        evidence.observe((bad[0] + 1) % QUESTIONS, later)
    assert_same(some, other)


def test_what_changes_before_it_is_worked_in_is_not_taken_for_calm() -> None:
    some, other = (beginning(3, calm=calm, bad=[5, 6]) for calm in (True, False))
    for evidence in (some, other):
        evidence.observe(7, Answer(BAD, 1.0, -1, symptom=False))
        evidence.retract(8)
    assert_same(some, other)


def test_calm_is_used_for_what_it_was_made_of_alone() -> None:
    calm = calm_of(evidence_of(1, 1).model, range(QUESTIONS), GROUPS, 0.9, 0.02, 0.25)
    assert calm.fits(list(range(QUESTIONS)), list(GROUPS), 0.9, 0.02, 0.25)
    assert not calm.fits(range(1, QUESTIONS + 1), GROUPS, 0.9, 0.02, 0.25)
    assert not calm.fits(range(QUESTIONS), [0] * QUESTIONS, 0.9, 0.02, 0.25)
    assert not calm.fits(range(QUESTIONS), GROUPS, 1.0, 0.02, 0.25)
