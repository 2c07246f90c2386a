"""Problems and changes: their lives, the text of a request for change, how many changes succeed."""

from dataclasses import replace

from btimd.itsm.knowledgesteps import Action
from btimd.itsm.problems import (
    CHANGES,
    PROBLEMS,
    BackOutChange,
    BlameChange,
    CancelChange,
    CloseProblem,
    EndChange,
    FailChange,
    Investigate,
    LinkIncident,
    NoteFinding,
    OpenProblem,
    PlanChange,
    RaiseRfc,
    SetKnownError,
    UnlinkIncident,
    change_figures,
    rfc_text,
)
from btimd.model.knowledge import Change, Problem, ProblemState
from btimd.model.knowledgework import ChangeFigures
from tests.itsm.knowledge_examples import T0, history, refusal

OPENED = OpenProblem(actor="li", title="ora1 dies every week", node="ora1", incidents=("INC-1", "INC-2", "INC-1"))
KNOWN = SetKnownError(actor="li", cause="a leak in the listener", workaround="restart it on Sundays")


def problem(*actions: Action) -> Problem:
    made, _ = history(PROBLEMS, "PRB-1", OPENED, *actions)
    assert isinstance(made, Problem)
    return made


def test_a_problem_becomes_a_known_error_then_a_request_for_change_and_is_closed() -> None:
    made, events = history(
        PROBLEMS,
        "PRB-1",
        OPENED,
        Investigate(actor="wang"),
        NoteFinding(actor="wang", reason="memory grows by 2 GB a day"),
        KNOWN,
        RaiseRfc(actor="wang", change_id="CHG-7"),
        LinkIncident(actor="btimd", about="INC-9"),
        CloseProblem(actor="wang", reason="patched"),
    )
    assert [(one.action, one.to_state) for one in events] == [
        ("opened", "open"),
        ("investigated", "investigating"),
        ("noted", "investigating"),
        ("known-error", "known-error"),
        ("rfc-raised", "rfc-raised"),
        ("incident-linked", "rfc-raised"),
        ("closed", "closed"),
    ]
    assert (made.owner, made.change_id, made.closing_note) == ("wang", "CHG-7", "patched")
    assert (made.incidents, made.incident_count) == (("INC-1", "INC-2", "INC-9"), 3)
    assert (made.opened_at, made.known_error_at, made.rfc_at, made.closed_at) == (T0, T0 + 3, T0 + 4, T0 + 6)


def test_a_known_error_has_a_cause_and_a_workaround() -> None:
    looked_at = problem(Investigate(actor="li"))
    assert refusal(PROBLEMS, looked_at, replace(KNOWN, workaround=" ")) == (
        "invalid: PRB-1: no workaround was given; write it"
    )
    assert refusal(PROBLEMS, looked_at, RaiseRfc(actor="li", change_id="CHG-7")) == (
        "not-allowed-now: PRB-1 is investigating: raise-rfc is not possible now; "
        "possible: link-incident, unlink-incident, note-finding, set-known-error, close-problem"
    )


def test_a_closed_problem_stays_closed_and_no_end_is_without_reason() -> None:
    assert refusal(PROBLEMS, problem(), CloseProblem(actor="li")) == ("invalid: PRB-1: no reason was given; write it")
    closed = problem(CloseProblem(actor="li", reason="a duplicate"))
    assert closed.state is ProblemState.CLOSED
    assert refusal(PROBLEMS, closed, Investigate(actor="li")) == (
        "not-allowed-now: PRB-1 is closed: investigate is not possible now; possible: nothing, it is finished"
    )
    assert refusal(PROBLEMS, problem(), LinkIncident(actor="li", about="INC-1")) == (
        "invalid: PRB-1: INC-1 is linked already"
    )


def test_of_many_incidents_some_are_named_and_all_counted() -> None:
    made = problem(*(LinkIncident(actor="btimd", about=f"INC-{number}") for number in range(3, 303)))
    assert (len(made.incidents), made.incident_count, made.incidents[-1]) == (200, 302, "INC-302")


def test_a_request_for_change_says_what_is_known_and_leaves_the_rest_visibly_open() -> None:
    text = rfc_text(problem(Investigate(actor="li"), KNOWN), nodes=("ora1", "ora2"), change="Install the patch.")
    assert text == (
        "Request for change: ora1 dies every week\n\n"
        "Problem: PRB-1, opened 2023-11-14T22:13:20.000Z, cause known 2023-11-14T22:13:22.000Z\n"
        "Nodes: ora1, ora2\n"
        "Incidents (2): INC-1, INC-2\n\n"
        "Reason\n2 incidents have this root.\n\n"
        "Root cause\na leak in the listener\n\n"
        "Workaround until then\nrestart it on Sundays\n\n"
        "Change\nInstall the patch.\n\n"
        "Risk and way back\n(to be written)\n"
    )


def change(*actions: Action) -> Change:
    made, _ = history(CHANGES, "CHG-1", PlanChange(actor="li", title="patch", planned_at=T0), *actions)
    assert isinstance(made, Change)
    return made


def test_the_success_rate_of_changes_counts_those_made_and_without_harm() -> None:
    changes = [
        change(EndChange(actor="li")),
        change(EndChange(actor="li")),
        change(EndChange(actor="li"), BlameChange(actor="wang", about="INC-5")),
        change(FailChange(actor="li", reason="no effect")),
        change(BackOutChange(actor="li", reason="slow")),
        change(CancelChange(actor="li", reason="not needed")),
        change(),
    ]
    found = change_figures(changes, T0, T0 + 10)
    assert found == ChangeFigures(made=5, succeeded=2, caused_incidents=1, cancelled=1, overdue=1)
    assert found.success_rate == 0.4
    assert change_figures(changes, T0 + 10, T0 + 20).success_rate is None


def test_a_change_that_ends_badly_says_why() -> None:
    assert refusal(CHANGES, change(), FailChange(actor="li")) == "invalid: CHG-1: no reason was given; write it"


def test_an_incident_that_has_another_root_after_all_is_taken_out_with_a_reason() -> None:
    linked = problem(LinkIncident(actor="li", about="INC-9"))
    wish = UnlinkIncident(actor="li", about="INC-9", reason="it was the switch")
    assert refusal(PROBLEMS, linked, replace(wish, reason="")) == "invalid: PRB-1: no reason was given; write it"
    after, _ = PROBLEMS.step(linked, "PRB-1", wish, T0)
    assert (after.incidents, after.incident_count) == (problem().incidents, problem().incident_count)
    assert refusal(PROBLEMS, after, wish) == "invalid: PRB-1: INC-9 is not among its incidents"
