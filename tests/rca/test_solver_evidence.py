from dataclasses import replace

import numpy as np
import pytest

from btimd.rca.faultmodel import BAD, GOOD, FaultModel, Faults, Row
from btimd.rca.solver_evidence import Answer, Evidence
from btimd.rca.solver_sets import SetSearch

NODES, QUESTIONS = 120, 60


def evidence_of(seed: int, classes: int) -> Evidence:
    """Return evidence over a drawn model; nothing is given up where errors have classes, of which none is told here."""
    rng = np.random.default_rng(seed)
    rows = [
        Row.of(seen.tolist(), rng.uniform(0.2, 0.95, len(seen)).tolist())
        for seen in (rng.choice(NODES, 25, replace=False) for _ in range(QUESTIONS))
    ]
    model = FaultModel(
        Faults.of(NODES, range(NODES), rng.uniform(1e-5, 1e-3, NODES).tolist()),
        question_node=[-1] * QUESTIONS,
        question_cost=[1.0] * QUESTIONS,
        question_leak=[0.01] * QUESTIONS,
        make_row=rows.__getitem__,
        about=lambda _: np.zeros(0, np.int64),
        profiles=np.full((1, classes), 1.0 / classes),
    )
    return Evidence(model, 0.02, 0.25, 1.2)


def answers(seed: int) -> list[tuple[int, Answer]]:
    rng = np.random.default_rng(seed + 1000)
    return [
        (int(one), Answer(BAD if number % 6 == 0 else GOOD, 1.0, int(one) % 20 if number % 2 else -1, symptom=False))
        for number, one in enumerate(rng.permutation(QUESTIONS))
    ]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_given_up_early_changes_no_probability(seed: int) -> None:
    quick, whole = evidence_of(seed, 1), evidence_of(seed, 2)
    told = answers(seed)
    for part in (told[:40], told[40:46], told[46:]):
        for evidence in (quick, whole):
            for question, answer in part:
                evidence.observe(question, answer)
            evidence.refresh()
        found, expected = (SetSearch(one, 4, certain=True).posterior() for one in (quick, whole))
        assert quick.fault_of[found.sets].tolist() == whole.fault_of[expected.sets].tolist()
        assert found.weight.tolist() == pytest.approx(expected.weight.tolist(), abs=1e-9)
    assert len(quick.scope().candidates) < len(whole.scope().candidates)


def test_many_answers_at_once_are_the_same_as_one_by_one() -> None:
    single, together = evidence_of(1, 1), evidence_of(1, 1)
    outcomes, groups = [int(number % 5 == 0) for number in range(QUESTIONS)], [n // 4 for n in range(QUESTIONS)]
    for question in range(QUESTIONS):
        single.observe(question, Answer(outcomes[question], 0.9, groups[question], symptom=True))
    together.observe_many(range(QUESTIONS), outcomes, groups, 0.9, symptom=True)
    assert together.answers == single.answers
    together.observe_many([3, 4], [1, 0], [7, 8], 0.5, symptom=False)  # a second answer replaces the first
    assert together.answers[3] == Answer(1, 0.5, 7, symptom=False)
    for evidence in (single, together):
        evidence.refresh()
    assert len(single.positives.questions) == 12
    assert len(together.positives.questions) == 13


def test_a_boost_brings_back_who_was_given_up() -> None:
    quick, whole = evidence_of(5, 1), evidence_of(5, 2)
    for evidence in (quick, whole):
        for question, answer in answers(5):
            evidence.observe(question, answer)
        evidence.refresh()
        SetSearch(evidence, 4, certain=True).posterior()
        evidence.log_odds[7:40] += 25.0
        evidence.refresh()
    found, expected = (SetSearch(one, 4, certain=True).posterior() for one in (quick, whole))
    assert quick.fault_of[found.sets].tolist() == whole.fault_of[expected.sets].tolist()
    assert found.weight.tolist() == pytest.approx(expected.weight.tolist(), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_answers_that_fade_or_are_forgotten_leave_what_a_new_beginning_finds(seed: int) -> None:
    going_on = evidence_of(seed, 1)
    for question, answer in answers(seed):
        going_on.observe(question, answer)
    for weight in (0.7, 1.0, 0.3):
        going_on.refresh()
        SetSearch(going_on, 4, certain=True).posterior()
        for question, answer in answers(seed)[::3]:
            going_on.observe(question, replace(answer, weight=weight))
        going_on.retract(next(one for one, answer in going_on.answers.items() if answer.outcome == GOOD))
        anew = evidence_of(seed, 1)
        for question, answer in going_on.answers.items():
            anew.observe(question, answer)
        for evidence in (going_on, anew):
            evidence.refresh()
        found, expected = (SetSearch(one, 4, certain=True).posterior() for one in (going_on, anew))
        names = [one.fault_of[sets].tolist() for one, sets in ((going_on, found.sets), (anew, expected.sets))]
        assert [sorted(row) for row in names[0][:20]] == [sorted(row) for row in names[1][:20]]
        assert found.weight[:20].tolist() == pytest.approx(expected.weight[:20].tolist(), abs=1e-6)
