"""ProblemsService over a fake view."""

from typing import Any

import pytest

from btimd.api import calls_knowledge as calls
from btimd.api.client import Page
from btimd.model.knowledge import ChangeState, ProblemOrigin, ProblemState, RecordKind
from btimd.model.knowledgework import RecordAction, RecordCommand
from tests.api.conftest import Served
from tests.api.test_knowledge import ask, refused
from tests.fakes.knowledge import CHANGE, CHANGES, EVENT, PROBLEM, PROPOSAL, T0

A = RecordAction


async def test_problems_known_errors_and_proposals_are_read_by_everybody_without_a_scope(served: Served) -> None:
    states = (ProblemState.KNOWN_ERROR, ProblemState.RFC_RAISED)
    assert await ask(served, None, calls.problems, states=states, limit=3) == Page([PROBLEM], False)
    assert await ask(served, None, calls.problems, incident_id="INC-1") == Page([PROBLEM], False)
    assert await ask(served, None, calls.problem, "PRB-1") == (PROBLEM, [EVENT])
    assert await ask(served, None, calls.proposals) == Page([PROPOSAL], False)
    assert served.knowledge.asked == [
        ("records", RecordKind.PROBLEM, ("known-error", "rfc-raised"), "", 4),
        ("records", RecordKind.PROBLEM, (), "INC-1", 101),
        ("record", RecordKind.PROBLEM, "PRB-1"),
        "proposals",
    ]
    assert "cannot be cut down to that" in await refused(served, "sven", calls.problems)
    assert await refused(served, None, calls.problem, "PRB-9") == "there is no problem 'PRB-9'"


@pytest.mark.parametrize(
    ("what", "said", "expected"),
    [
        ("investigate", {}, {"action": A.INVESTIGATE_PROBLEM, "owner": "otto"}),
        ("note", {"finding": "f"}, {"action": A.NOTE_PROBLEM, "reason": "f"}),
        ("known-error", {"cause": "c", "workaround": "w", "article_id": "KB-1"},
         {"action": A.SET_KNOWN_ERROR, "cause": "c", "workaround": "w", "article_id": "KB-1"}),
        ("rfc", {"change_id": "CHG-1"}, {"action": A.RAISE_CHANGE_REQUEST, "change_id": "CHG-1"}),
        ("close", {"reason": "patched"}, {"action": A.CLOSE_PROBLEM, "reason": "patched"}),
        ("link", {"incident_id": "INC-1"}, {"action": A.LINK_INCIDENT, "incident_id": "INC-1"}),
        ("unlink", {"incident_id": "INC-1", "reason": "r"},
         {"action": A.UNLINK_INCIDENT, "incident_id": "INC-1", "reason": "r"}),
    ],
)  # fmt: skip
async def test_handlers_do_each_step(served: Served, what: str, said: dict[str, Any], expected: dict[str, Any]) -> None:
    assert await ask(served, "otto", calls.on_problem, what, "C1", problem_id="PRB-1", **said) == PROBLEM
    assert served.knowledge.asked == [(RecordCommand(command_id="C1", record_id="PRB-1", **expected), "otto")]
    assert "needs handler" in await refused(served, "rita", calls.on_problem, what, "C1", problem_id="PRB-1", **said)


async def test_a_problem_is_opened_by_hand_or_as_it_is_proposed(served: Served) -> None:
    await ask(served, "otto", calls.on_problem, "open", "C1", title="t", incidents=["INC-9"], node="n")
    await ask(served, "otto", calls.on_problem, "open", "C2", proposal_key="ora1/down", incidents=["INC-9"])
    assert served.knowledge.asked == [
        (RecordCommand(action=A.OPEN_PROBLEM, command_id="C1", title="t", incidents=("INC-9",), node="n"), "otto"),
        "proposals",
        (
            RecordCommand(
                action=A.OPEN_PROBLEM, command_id="C2", title="Recurring: ora1", description="3 incidents",
                origin=ProblemOrigin.RECURRING, key="ora1/down", node="ora1", incidents=("INC-1", "INC-9"),
            ),
            "otto",
        ),
    ]  # fmt: skip
    assert await ask(served, "otto", calls.dismiss, "ora1/down", "a drill") == PROPOSAL
    assert served.knowledge.asked[-1] == ("dismiss", "ora1/down", "a drill", "otto")


async def test_the_text_of_a_request_for_change_is_made_here(served: Served) -> None:
    text = await ask(served, None, calls.change_request_text, "PRB-1", change="c", risk="r")
    assert (text, served.knowledge.asked) == ("Request for change\n", [("rfc", "PRB-1", "c", "r")])


async def test_changes_are_listed_planned_ended_and_counted(served: Served) -> None:
    assert await ask(served, None, calls.changes, states=(ChangeState.PLANNED,)) == Page([CHANGE], False)
    assert await ask(served, None, calls.change, "CHG-1") == (CHANGE, [EVENT])
    assert await ask(served, None, calls.change_figures, T0, T0 + 5) == CHANGES
    for call, args in (
        (calls.plan_change, ("Upgrade", T0, "C1")),
        (calls.end_change, ("CHG-1", ChangeState.BACKED_OUT, "no disk", "C2")),
        (calls.blame_change, ("CHG-1", "INC-1", "", "C3")),
    ):
        assert await ask(served, "otto", call, *args) == CHANGE
    made = [one for one in served.knowledge.asked if isinstance(one[0], RecordCommand)]
    assert made == [
        (RecordCommand(action=A.PLAN_CHANGE, command_id="C1", title="Upgrade", planned_at=T0), "otto"),
        (RecordCommand(action=A.BACK_OUT_CHANGE, command_id="C2", record_id="CHG-1", reason="no disk"), "otto"),
        (RecordCommand(action=A.BLAME_CHANGE, command_id="C3", record_id="CHG-1", incident_id="INC-1"), "otto"),
    ]


async def test_what_makes_no_sense_is_refused(served: Served) -> None:
    words = await refused(served, "otto", calls.end_change, "CHG-1", ChangeState.PLANNED, "", "C1")
    assert words == "outcome: must be one of succeeded, failed, backed-out, cancelled"
    assert await refused(served, None, calls.change_figures, T0, T0) == "end: the window ends before it begins"
    assert await refused(served, None, calls.change, "CHG-9") == "there is no change 'CHG-9'"
