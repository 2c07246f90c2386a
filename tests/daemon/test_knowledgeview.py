"""What people ask of the running knowledge component."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from btimd.daemon.knowledgeview import KnowledgeBook
from btimd.model.incident import CommandRefusedError
from btimd.model.knowledge import (
    Article,
    ArticleQuery,
    ArticleState,
    KnowledgeUnavailableError,
    Problem,
    RecordKind,
    Survey,
    SurveyState,
)
from btimd.model.knowledgework import RecordAction, RecordCommand
from tests.daemon.test_knowledge import FITTING, Knowing
from tests.itsm.examples import T0, verdict
from tests.itsm.knowledge_examples import TEXT

A = RecordAction


class Asking:
    def __init__(self, knowing: Knowing) -> None:
        self.knowing = knowing
        self.view = KnowledgeBook(knowing.knowledge, knowing.desk.component, knowing.desk.clock)
        self.commands = 0

    async def act(self, action: RecordAction, actor: str = "li", **said: Any) -> Any:
        self.commands += 1
        return await self.view.act(RecordCommand(action=action, command_id=f"C{self.commands}", **said), actor)


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Asking]:
    knowing = Knowing(tmp_path)
    await knowing.start()
    yield Asking(knowing)
    await knowing.close()


async def test_an_article_is_written_reviewed_published_found_and_offered(asking: Asking) -> None:
    made = await asking.act(A.DRAFT_ARTICLE, text=FITTING)
    assert await asking.view.search(ArticleQuery("listener")) == []
    await asking.act(A.SUBMIT_ARTICLE, record_id=made.id)
    await asking.act(A.REVIEW_ARTICLE, "wang", record_id=made.id)
    await asking.act(A.PUBLISH_ARTICLE, "wang", record_id=made.id)
    (found,) = await asking.view.search(ArticleQuery("listener down", category="database", node="erp-db"))
    assert found.hit.article.id == made.id
    assert (found.why[0], *found.why[2:]) == (
        "all of the words", "class database", "node erp-db", "nobody said yet whether it helped",
    )  # fmt: skip
    incident = await asking.knowing.desk.report(verdict())
    helps = await asking.view.help_with(incident.id, 5)
    assert helps is not None
    assert ([one.article.id for one in helps.articles], helps.businesses) == ([made.id], ("erp",))
    assert await asking.view.help_with("INC-9", 5) is None
    stored = await asking.view.record(RecordKind.ARTICLE, made.id)
    assert stored is not None
    assert [one.action for one in stored[1]] == ["drafted", "submitted", "reviewed", "published"]


async def test_a_problem_is_opened_of_incidents_becomes_a_known_error_an_article_and_a_request(asking: Asking) -> None:
    incident = await asking.knowing.desk.report(verdict())
    made = await asking.act(A.OPEN_PROBLEM, title="erp-db dies", incidents=(incident.id,), node="erp-db")
    with pytest.raises(CommandRefusedError, match="has no workaround yet"):
        await asking.view.draft_of_problem(made.id, "D1", "li")
    await asking.act(A.INVESTIGATE_PROBLEM, record_id=made.id, owner="li")
    await asking.act(A.SET_KNOWN_ERROR, record_id=made.id, cause="a leak", workaround="restart it")
    draft = await asking.view.draft_of_problem(made.id, "D1", "li")
    assert isinstance(draft, Article)
    assert (draft.state, draft.workaround, draft.kinds) == (ArticleState.DRAFT, "restart it", ("database",))
    assert await asking.view.draft_of_problem(made.id, "D1", "li") == draft
    text = await asking.view.change_request(made.id, change="upgrade", risk="")
    assert "Root cause\na leak\n" in text
    assert "Change\nupgrade\n" in text
    found = await asking.view.records(RecordKind.PROBLEM, states=("known-error",), incident_id="", limit=5)
    assert [one.id for one in found] == [made.id]


async def test_what_is_said_of_an_incident_must_be_of_one_that_is_there(asking: Asking) -> None:
    with pytest.raises(CommandRefusedError, match="there is no incident 'INC-77'"):
        await asking.act(A.OPEN_PROBLEM, title="t", incidents=("INC-77",))
    with pytest.raises(CommandRefusedError, match="there is no problem 'PRB-77'"):
        await asking.view.change_request("PRB-77", change="", risk="")


async def test_a_proposal_that_was_followed_or_dismissed_is_gone(asking: Asking) -> None:
    knowing = asking.knowing
    for number in range(3):
        incident = await knowing.desk.report(verdict(id=f"D{number}"))
        await knowing.dealt_with(incident.id)
        await knowing.work()
        knowing.desk.clock.advance(2 * 86_400.0)
        await knowing.desk.report(verdict(id=f"D{number}"))
    await knowing.work()
    (proposed,) = await asking.view.proposals()
    made = await asking.act(
        A.OPEN_PROBLEM, title=proposed.title, key=proposed.key, node=proposed.node, incidents=proposed.incidents
    )
    assert isinstance(made, Problem)
    assert await asking.view.proposals() == []
    with pytest.raises(CommandRefusedError, match="nothing is proposed"):
        await asking.view.dismiss(proposed.key, "late", "wang")


async def test_an_answer_is_kept_by_the_incident_and_the_survey_whoever_comes_first(asking: Asking) -> None:
    knowing = asking.knowing
    incident_id = await knowing.reported()
    await knowing.dealt_with(incident_id)
    await knowing.work()
    said: dict[str, Any] = {"score": 4, "comment": "quick"}
    with pytest.raises(CommandRefusedError, match="survey is for"):
        await asking.view.answer_survey(incident_id, command_id="S1", actor="li", for_others=False, **said)
    kept = await asking.view.answer_survey(incident_id, command_id="S2", actor="nora", for_others=True, **said)
    assert isinstance(kept, Survey)
    assert (kept.state, kept.person, kept.score) == (SurveyState.ANSWERED, "zhao", 4)
    await knowing.work()
    assert await asking.view.answer_survey(incident_id, command_id="S2", actor="nora", for_others=True, **said) == kept
    incident = await knowing.desk.component.incident(incident_id)
    assert incident is not None
    assert incident.survey_score == 4
    assert (await asking.view.survey_figures(T0 - 1, T0 + 999)).satisfaction == 1.0


async def test_changes_are_counted(asking: Asking) -> None:
    made = await asking.act(A.PLAN_CHANGE, title="Upgrade", planned_at=T0 + 5)
    await asking.act(A.SUCCEED_CHANGE, record_id=made.id)
    assert (await asking.view.change_figures(T0 - 1, T0 + 999)).success_rate == 1.0


async def test_while_there_is_no_knowledge_base_each_call_says_so(asking: Asking) -> None:
    await asking.knowing.knowledge.stop()
    for call in (
        asking.view.search(ArticleQuery("x")), asking.act(A.DRAFT_ARTICLE, text=TEXT), asking.view.proposals(),
        asking.view.records(RecordKind.PROBLEM, states=(), incident_id="", limit=1),
    ):  # fmt: skip
        with pytest.raises(KnowledgeUnavailableError, match="btimd is stopping"):
            await call


async def test_a_problem_opened_by_hand_helps_with_the_next_incident_of_its_cause_and_of_its_links(
    asking: Asking,
) -> None:
    knowing = asking.knowing
    first = await knowing.desk.report(verdict())
    made = await asking.act(A.OPEN_PROBLEM, title="erp-db dies", incidents=(first.id,))
    assert made.key == first.fingerprint
    await asking.act(A.INVESTIGATE_PROBLEM, record_id=made.id)
    await asking.act(A.SET_KNOWN_ERROR, record_id=made.id, cause="a leak", workaround="restart it")
    other = await knowing.reported()
    await asking.act(A.LINK_INCIDENT, record_id=made.id, incident_id=other)
    for incident_id in (first.id, other):
        helps = await asking.view.help_with(incident_id, 5)
        assert helps is not None
        assert helps.known_error is not None
        assert helps.known_error.id == made.id
        found = await asking.view.records(RecordKind.PROBLEM, states=(), incident_id=incident_id, limit=5)
        assert [one.id for one in found] == [made.id]
    await asking.act(A.UNLINK_INCIDENT, record_id=made.id, incident_id=other, reason="it was the switch")
    helps = await asking.view.help_with(other, 5)
    assert helps is not None
    assert helps.known_error is None
    assert await asking.view.records(RecordKind.PROBLEM, states=(), incident_id=other, limit=5) == []
