"""Which incidents call for a problem record."""

from dataclasses import replace
from typing import Any

from btimd.itsm.problems import OpenProblem
from btimd.itsm.problemwatch import ProblemRules, ProblemWatch, Proposal, key_of
from btimd.model.incident import Incident, IncidentState, Priority
from btimd.model.knowledge import Problem, ProblemOrigin, ProblemState
from tests.itsm.examples import DAY, T0, incident_after, report

BASE = incident_after(report())


def incident(number: int, *, days: float = 0.0, fingerprint: str = "ora1/down", **changes: Any) -> Incident:
    return replace(BASE, id=f"INC-{number}", fingerprint=fingerprint, opened_at=T0 + days * DAY, **changes)


def keys(*proposals: Proposal | None) -> list[str]:
    return ["" if one is None else one.key for one in proposals]


def test_the_third_incident_of_a_cause_in_thirty_days_proposes_a_problem_once() -> None:
    watch = ProblemWatch()
    assert keys(watch.opened(incident(1)), watch.opened(incident(2, days=10))) == ["", ""]
    assert watch.opened(incident(3, days=29)) == Proposal(
        OpenProblem(
            actor="btimd",
            title="Recurring: erp-db refuses connections",
            description="3 incidents with the cause ora1/down within 30 days",
            origin=ProblemOrigin.RECURRING,
            key="ora1/down",
            node="ora1",
            incidents=("INC-1", "INC-2", "INC-3"),
        ),
        "3 incidents with the cause ora1/down within 30 days",
    )
    assert keys(watch.opened(incident(4, days=29.5))) == [""]


def test_incidents_far_apart_are_no_problem() -> None:
    watch = ProblemWatch()
    assert keys(*(watch.opened(incident(number, days=20 * number)) for number in range(6))) == [""] * 6


def test_different_troubles_of_one_node_are_one_problem_of_the_node() -> None:
    watch = ProblemWatch()
    found = [watch.opened(incident(n, fingerprint=f"ora1/{what}")) for n, what in enumerate(("down", "slow", "wrong"))]
    assert keys(*found) == ["", "", "node:ora1"]
    assert found[2] is not None
    assert found[2].why == "3 incidents of ora1 within 30 days"


def test_an_incident_without_a_cause_has_no_root_to_recur() -> None:
    watch = ProblemWatch()
    assert keys(*(watch.opened(incident(n, fingerprint="?/erp")) for n in range(5))) == [""] * 5


def test_what_was_none_does_not_count() -> None:
    watch = ProblemWatch()
    for number in (1, 2):
        watch.opened(incident(number))
    watch.withdrawn(incident(2))
    assert keys(watch.opened(incident(3))) == [""]


def test_the_worst_incidents_that_end_without_a_cause_are_problems_at_once() -> None:
    watch = ProblemWatch()
    worst = incident(7, fingerprint="?/erp", cause="", priority=Priority.P1, state=IncidentState.RESOLVED)
    assert watch.ended(worst) == Proposal(
        OpenProblem(
            actor="btimd",
            title="Unknown cause: erp-db refuses connections",
            description="INC-7 (P1) was dealt with and its cause is not known",
            origin=ProblemOrigin.UNKNOWN_CAUSE,
            key="incident:INC-7",
            incidents=("INC-7",),
        ),
        "INC-7 (P1) was dealt with and its cause is not known",
    )
    assert watch.ended(replace(worst, state=IncidentState.CLOSED)) is None
    assert watch.ended(replace(worst, id="INC-8", priority=Priority.P2)) is None
    assert watch.ended(replace(worst, id="INC-9", state=IncidentState.CANCELLED)) is None
    assert watch.ended(replace(worst, id="INC-10", fingerprint="ora1/down")) is None


def test_what_an_open_problem_is_about_is_not_proposed_and_after_it_is_closed_it_may_be() -> None:
    watch = ProblemWatch()
    known = Problem("PRB-1", 1, ProblemState.OPEN, key="ora1/down")
    watch.on_record([known])
    assert watch.problem_of(incident(1)) == "PRB-1"
    assert keys(*(watch.opened(incident(n)) for n in range(3))) == ["", "", ""]
    watch.on_record([replace(known, state=ProblemState.CLOSED)])
    assert watch.problem_of(incident(1)) == ""
    assert keys(*(watch.opened(incident(n)) for n in range(10, 13))) == ["", "", "ora1/down"]


def test_what_will_make_incidents_is_a_problem_before_it_does() -> None:
    watch = ProblemWatch()
    finding = {"title": "ora1: disk full in 9 days", "why": "it grows by 4 GB a day", "node": "ora1"}
    assert watch.found("forecast:ora1/disk", **finding) == Proposal(
        OpenProblem(
            actor="btimd",
            title="ora1: disk full in 9 days",
            description="it grows by 4 GB a day",
            origin=ProblemOrigin.PROACTIVE,
            key="forecast:ora1/disk",
            node="ora1",
        ),
        "it grows by 4 GB a day",
    )
    assert watch.found("forecast:ora1/disk", **finding) is None
    watch.on_record([Problem("PRB-1", 2, ProblemState.CLOSED, key="forecast:ora1/disk")])
    assert keys(watch.found("forecast:ora1/disk", **finding)) == ["forecast:ora1/disk"]


def test_what_is_remembered_is_bounded_and_what_is_forgotten_is_counted() -> None:
    watch = ProblemWatch(ProblemRules(key_limit=4))
    for number in range(5):
        watch.opened(incident(number, fingerprint=f"node{number}/down"))
    assert watch.forgotten == 6


def test_what_incidents_have_in_common_is_their_cause_or_their_node_or_what_a_person_names() -> None:
    assert key_of(["db/down", "db/down"], "") == "db/down"
    assert key_of(["db/down", "db/slow"], "web") == "node:db"
    assert key_of(["db/down", "web/slow"], "web") == "node:web"
    assert key_of(["manual/C1", "?/erp"], "") == ""
    assert key_of([], "web") == "node:web"
