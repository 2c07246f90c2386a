from dataclasses import replace

import pytest

from btimd.model.incident import Difficulty, Impact, ImpactAssessment, Urgency
from btimd.model.probe import ErrorClass
from btimd.model.service import BusinessService, Criticality, NodeKind, ServiceGraph
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.impact import Judgement, assess, difficulty_of
from tests.rca.worlds import graph_of, node


def graph(**criticality: Criticality) -> ServiceGraph:
    plain = graph_of(*(node(name, NodeKind.BUSINESS, "db") for name in criticality), node("db", "database"))
    named = {name: BusinessService(name, name.upper(), criticality=level) for name, level in criticality.items()}
    return ServiceGraph(plain.nodes, named)


def verdict(*businesses: str, down: bool = True, error: ErrorClass = ErrorClass.REFUSED) -> Verdict:
    return Verdict(
        id="D1", symptoms=("S1",), symptom_nodes=businesses if down else ("db",), status=VerdictStatus.CAUSE_FOUND,
        cause="db", cause_error=error, path=(), confidence=0.95, ranked=(), evidence=(), businesses=businesses,
        probes_used=3, started_at=1.0, ended_at=2.0, seconds_taken=1.0, summary="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("criticality", "error", "impact", "urgency"),
    [
        (Criticality.CRITICAL, ErrorClass.REFUSED, Impact.HIGH, Urgency.HIGH),
        (Criticality.HIGH, ErrorClass.REFUSED, Impact.MEDIUM, Urgency.HIGH),
        (Criticality.NORMAL, ErrorClass.REFUSED, Impact.LOW, Urgency.MEDIUM),
        (Criticality.LOW, ErrorClass.REFUSED, Impact.LOW, Urgency.LOW),
        (Criticality.CRITICAL, ErrorClass.SLOW, Impact.HIGH, Urgency.MEDIUM),
        (Criticality.NORMAL, ErrorClass.SLOW, Impact.LOW, Urgency.LOW),
    ],
)
def test_impact_and_urgency_follow_the_criticality_and_how_it_fails(
    criticality: Criticality, error: ErrorClass, impact: Impact, urgency: Urgency
) -> None:
    found = assess(verdict("erp", error=error), graph(erp=criticality), {})
    assert (found.impact, found.urgency) == (impact, urgency)


def test_a_component_whose_businesses_still_work_is_less_urgent() -> None:
    found = assess(verdict("erp", down=False), graph(erp=Criticality.CRITICAL), {})
    assert (found.impact, found.urgency) == (Impact.HIGH, Urgency.MEDIUM)


def test_many_users_make_a_normal_business_weigh_more() -> None:
    users = {"erp": {"north": 30, "south": 30}, "hr": {"north": 40}}
    found = assess(verdict("erp"), graph(erp=Criticality.NORMAL, hr=Criticality.NORMAL), users)
    assert found == Judgement(
        ImpactAssessment(businesses=("erp",), regions=("north", "south"), users=60, users_exact=True),
        Impact.HIGH,
        Urgency.MEDIUM,
        ("86% of the users are hit", "ERP is down"),
    )


def test_users_of_several_businesses_are_a_lower_bound() -> None:
    users = {"erp": {"north": 30, "south": 5}, "hr": {"north": 40, "": 2}}
    found = assess(verdict("erp", "hr"), graph(erp=Criticality.LOW, hr=Criticality.LOW), users)
    assert found.assessment == ImpactAssessment(("erp", "hr"), ("north", "south"), 47, users_exact=False)


def test_three_businesses_at_once_are_a_high_impact() -> None:
    levels = graph(a=Criticality.LOW, b=Criticality.LOW, c=Criticality.LOW)
    assert assess(verdict("a", "b", "c"), levels, {}).impact is Impact.HIGH


def test_a_business_that_nobody_measures_has_no_number_of_users() -> None:
    found = assess(verdict("erp"), graph(erp=Criticality.NORMAL), {"hr": {"north": 4}})
    assert found.assessment == ImpactAssessment(("erp",), (), None, users_exact=False)


def test_a_verdict_of_an_older_graph_hits_only_businesses_that_still_exist() -> None:
    found = assess(replace(verdict("erp"), businesses=("gone",)), graph(erp=Criticality.NORMAL), {})
    assert (found.assessment.businesses, found.impact, found.urgency) == ((), Impact.LOW, Urgency.LOW)


@pytest.mark.parametrize(
    ("status", "confidence", "difficulty", "known"),
    [
        (VerdictStatus.CAUSE_FOUND, 0.95, Difficulty.LOW, Difficulty.LOW),
        (VerdictStatus.CAUSE_FOUND, 0.7, Difficulty.MEDIUM, Difficulty.LOW),
        (VerdictStatus.SHORTLIST, 0.6, Difficulty.MEDIUM, Difficulty.LOW),
        (VerdictStatus.SHORTLIST, 0.3, Difficulty.HIGH, Difficulty.MEDIUM),
        (VerdictStatus.UNKNOWN, 0.8, Difficulty.HIGH, Difficulty.MEDIUM),
    ],
)
def test_a_cause_that_is_less_sure_is_more_difficult_and_one_seen_before_less(
    status: VerdictStatus, confidence: float, difficulty: Difficulty, known: Difficulty
) -> None:
    found = replace(verdict("erp"), status=status, confidence=confidence)
    assert (difficulty_of(found), difficulty_of(found, solved_before=True)) == (difficulty, known)
    assert assess(found, graph(erp=Criticality.NORMAL), {}).difficulty is difficulty
