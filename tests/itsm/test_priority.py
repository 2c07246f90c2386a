from dataclasses import replace

import pytest

from btimd.itsm.priority import ITIL_MATRIX, ImpactLimits, Judgement, impact_of, judge_again, judge_new, matrix_of
from btimd.itsm.triggers import Accept
from btimd.model.incident import Impact, ImpactAssessment, Priority, Urgency
from btimd.model.service import Criticality
from tests.itsm.examples import incident_after, report

LIMITS = ImpactLimits()
NEW = incident_after(report())  # medium, medium, P3
ACCEPTED = incident_after(report(), Accept(actor="ann"))


def criticality(business: str) -> Criticality:
    return {"bank": Criticality.CRITICAL, "erp": Criticality.HIGH}.get(business, Criticality.NORMAL)


def test_the_matrix_is_that_of_the_books() -> None:
    assert [[int(ITIL_MATRIX[impact, urgency]) for urgency in Urgency] for impact in Impact] == [
        [1, 2, 3],
        [2, 3, 4],
        [3, 4, 5],
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (((1, 2, 3), (2, 3, 4)), "three rows"),
        (((1, 2, 3), (2, 3, 4), (3, 4, 6)), "a number from 1 to 5"),
        (((2, 2, 3), (1, 3, 4), (3, 4, 5)), "puts a smaller impact before"),
        (((2, 1, 3), (2, 3, 4), (3, 4, 5)), "puts a lower urgency before"),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused(rows: tuple[tuple[int, int, int], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        matrix_of(rows)


@pytest.mark.parametrize(
    ("assessment", "expected"),
    [
        (ImpactAssessment(), Impact.LOW),
        (ImpactAssessment(businesses=("wiki",), users=19), Impact.LOW),
        (ImpactAssessment(businesses=("wiki",), users=20), Impact.MEDIUM),
        (ImpactAssessment(businesses=("wiki",), users=200), Impact.HIGH),
        (ImpactAssessment(businesses=("wiki", "erp")), Impact.MEDIUM),
        (ImpactAssessment(businesses=("bank",), users=0), Impact.HIGH),
        (ImpactAssessment(regions=("a", "b", "c")), Impact.HIGH),
        (ImpactAssessment(businesses=("a", "b", "c")), Impact.HIGH),
    ],
)
def test_impact_is_the_worst_of_what_is_known(assessment: ImpactAssessment, expected: Impact) -> None:
    assert impact_of(assessment, criticality, LIMITS) is expected


def test_a_new_incident_is_judged_by_the_matrix() -> None:
    assert judge_new(Impact.HIGH, Urgency.HIGH, ITIL_MATRIX) == Judgement(Impact.HIGH, Urgency.HIGH, Priority.P1)


def test_it_rises_in_any_state() -> None:
    assert judge_again(ACCEPTED, Impact.HIGH, Urgency.LOW, covers_all=False, matrix=ITIL_MATRIX) == Judgement(
        Impact.HIGH, Urgency.MEDIUM, Priority.P2
    )


def test_it_sinks_only_while_new_and_only_by_a_report_on_all_of_it() -> None:
    milder = {"impact": Impact.LOW, "urgency": Urgency.LOW, "matrix": ITIL_MATRIX}
    same = Judgement(Impact.MEDIUM, Urgency.MEDIUM, Priority.P3)

    assert judge_again(NEW, **milder, covers_all=True) == Judgement(Impact.LOW, Urgency.LOW, Priority.P5)  # type: ignore[arg-type]  # a test's shorthand
    assert judge_again(NEW, **milder, covers_all=False) == same  # type: ignore[arg-type]  # the same
    assert judge_again(ACCEPTED, **milder, covers_all=True) == same  # type: ignore[arg-type]  # the same


def test_what_a_person_set_stays() -> None:
    manual = replace(NEW, priority=Priority.P4, priority_is_manual=True)

    assert judge_again(manual, Impact.HIGH, Urgency.HIGH, covers_all=True, matrix=ITIL_MATRIX) == Judgement(
        Impact.HIGH, Urgency.HIGH, Priority.P4
    )
