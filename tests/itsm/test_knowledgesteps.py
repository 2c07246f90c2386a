"""What holds for every kind of record: replay, bounds, refusals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm import knowledge, problems, surveys
from btimd.itsm.knowledgesteps import Action, Machine, added
from btimd.model.incident import CommandRefusedError
from btimd.model.knowledge import Record, RecordEvent, UseOutcome
from tests.itsm.knowledge_examples import T0, TEXT, draft, refusal

ACTIONS: list[Action] = [
    draft(),
    knowledge.Edit(actor="li", text=TEXT),
    knowledge.Review(actor="wang"),
    knowledge.SendBack(actor="wang", reason="no"),
    knowledge.Publish(actor="wang"),
    knowledge.Retire(actor="wang", reason="old"),
    knowledge.Use(actor="li", about="INC-1", outcome=UseOutcome.HELPED),
    problems.OpenProblem(actor="li", title="ora1", incidents=("INC-1",)),
    problems.LinkIncident(actor="li", about="INC-2"),
    problems.Investigate(actor="li"),
    problems.NoteFinding(actor="li", reason="logs are full"),
    problems.SetKnownError(actor="li", cause="leak", workaround="restart"),
    problems.RaiseRfc(actor="li", change_id="CHG-1"),
    problems.CloseProblem(actor="li", reason="fixed"),
    problems.PlanChange(actor="li", title="patch", planned_at=T0),
    problems.EndChange(actor="li"),
    problems.FailChange(actor="li", reason="no"),
    problems.BlameChange(actor="li", about="INC-3"),
    surveys.Invite(actor="btimd", person="zhao"),
    surveys.Remind(actor="btimd"),
    surveys.Answer(actor="zhao", score=4),
    surveys.Expire(actor="btimd"),
]
MACHINES: list[Machine[Any]] = [knowledge.ARTICLES, problems.PROBLEMS, problems.CHANGES, surveys.SURVEYS]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.kind.value)
@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=40))
def test_whatever_happens_the_events_add_up_to_the_record(machine: Machine[Any], actions: list[Action]) -> None:
    record: Record | None = None
    events: list[RecordEvent] = []
    for at, action in enumerate(actions):
        try:
            after, event = machine.step(record, "X-1", action, T0 + at)
        except CommandRefusedError:
            continue
        assert event.from_state == ("" if record is None else record.state.value)
        assert (event.seq, event.to_state) == (len(events) + 1, after.state.value)
        record = after
        events.append(event)
        assert machine.rebuild(events) == record


def test_what_is_not_there_cannot_be_changed_and_what_is_there_not_made() -> None:
    assert refusal(knowledge.ARTICLES, None, knowledge.Publish(actor="li")) == (
        "not-found: there is no such article; look up its id"
    )
    made, _ = knowledge.ARTICLES.step(None, "KB-1", draft(), T0)
    assert refusal(knowledge.ARTICLES, made, draft()) == "invalid: there is KB-1 already; look it up"


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_an_id_is_bounded(name: str) -> None:
    with pytest.raises(CommandRefusedError, match="an id has 1 to 200 characters"):
        knowledge.ARTICLES.step(None, name, draft(), T0)


def test_somebody_does_it_and_texts_are_bounded() -> None:
    assert refusal(knowledge.ARTICLES, None, draft(actor=" ")) == (
        "invalid: X-1: nobody is named who does it; name them"
    )
    long = problems.OpenProblem(actor="li", title="x" * 201)
    assert refusal(problems.PROBLEMS, None, long) == ("invalid: X-1: the title has 201 characters; shorten it to 200")
    many = problems.OpenProblem(actor="li", title="x", incidents=("INC",) * 101)
    assert refusal(problems.PROBLEMS, None, many) == "invalid: X-1: the incidents are 101; name at most 100"


def test_of_a_long_list_the_first_and_the_latest_stay() -> None:
    assert added(("a", "b"), ("b", "c")) == ("a", "b", "c")
    assert added(tuple("abcdef"), ("g",), limit=4) == ("a", "b", "f", "g")
