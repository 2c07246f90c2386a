"""What each wish of a person becomes."""

import pytest

from btimd.itsm.knowledge import Draft, Use
from btimd.itsm.knowledgecommands import STARTS, action_of
from btimd.itsm.problems import OpenProblem, PlanChange, SetKnownError
from btimd.model.incident import CommandRefusedError
from btimd.model.knowledge import ProblemOrigin, RecordKind, UseOutcome
from btimd.model.knowledgework import RecordAction, RecordCommand
from tests.itsm.knowledge_examples import TEXT

A = RecordAction


def test_every_action_that_there_is_makes_one() -> None:
    for action in RecordAction:
        command = RecordCommand(
            action=action,
            command_id="C1",
            record_id="" if action in STARTS else "X-1",
            reason="why",
            incident_id="INC-1",
            text=TEXT,
            outcome=UseOutcome.HELPED,
            planned_at=5.0,
        )
        _, made = action_of(command, "li")
        assert (made.actor, made.command_id, made.reason, made.about) == ("li", "C1", "why", "INC-1")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            RecordCommand(action=A.DRAFT_ARTICLE, command_id="C1", text=TEXT, incident_id="INC-1", replaces="KB-1"),
            (RecordKind.ARTICLE, Draft(
                actor="li", command_id="C1", about="INC-1", text=TEXT, source_incident="INC-1", replaces="KB-1",
            )),
        ),
        (
            RecordCommand(
                action=A.USE_ARTICLE, command_id="C1", record_id="KB-1", incident_id="INC-1", outcome=UseOutcome.FAILED
            ),
            (RecordKind.ARTICLE, Use(actor="li", command_id="C1", about="INC-1", outcome=UseOutcome.FAILED)),
        ),
        (
            RecordCommand(
                action=A.OPEN_PROBLEM, command_id="C1", title="t", description="d", origin=ProblemOrigin.RECURRING,
                key="k", node="n", incidents=("INC-1",), owner="wang",
            ),
            (RecordKind.PROBLEM, OpenProblem(
                actor="li", command_id="C1", title="t", description="d", origin=ProblemOrigin.RECURRING, key="k",
                node="n", incidents=("INC-1",), owner="wang",
            )),
        ),
        (
            RecordCommand(
                action=A.SET_KNOWN_ERROR, command_id="C1", record_id="P", cause="c", workaround="w", article_id="KB-1"
            ),
            (RecordKind.PROBLEM, SetKnownError(
                actor="li", command_id="C1", cause="c", workaround="w", article_id="KB-1",
            )),
        ),
        (
            RecordCommand(
                action=A.PLAN_CHANGE, command_id="C1", title="t", planned_at=9.0, nodes=("n",), problem_id="P"
            ),
            (RecordKind.CHANGE, PlanChange(
                actor="li", command_id="C1", title="t", planned_at=9.0, nodes=("n",), problem_id="P",
            )),
        ),
    ],
)  # fmt: skip
def test_the_words_of_a_wish_are_those_of_its_action(command: RecordCommand, expected: object) -> None:
    assert action_of(command, "li") == expected


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (RecordCommand(action=A.EDIT_ARTICLE, command_id="C"), "edit-article: no id was given; name one"),
        (
            RecordCommand(action=A.PLAN_CHANGE, command_id="C", record_id="CHG-1"),
            "plan-change: a new record gets its id here; leave it out",
        ),
        (RecordCommand(action=A.DRAFT_ARTICLE, command_id="C"), "no text was given; write the article"),
        (
            RecordCommand(action=A.USE_ARTICLE, command_id="C", record_id="KB-1"),
            "no outcome was given; say used, helped or failed",
        ),
        (
            RecordCommand(action=A.PLAN_CHANGE, command_id="C", title="t"),
            "no time was given; say when the change is to be made",
        ),
    ],
)
def test_what_is_missing_is_said(command: RecordCommand, words: str) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        action_of(command, "li")
    assert str(refused.value) == words
