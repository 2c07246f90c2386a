"""The desk on a real knowledge base: commands of people, and what incidents give rise to."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.itsm.knowledge import Publish, Review, Use
from btimd.itsm.knowledgedesk import KnowledgeDesk
from btimd.itsm.problems import CloseProblem, Investigate, OpenProblem, SetKnownError
from btimd.itsm.surveys import Answer
from btimd.itsm.triggers import Accept, Resolve
from btimd.model.incident import CommandRefusedError, Incident, IncidentState, Priority, RefusalCode
from btimd.model.knowledge import Article, ArticleState, Problem, RecordKind, Survey, SurveyState, UseOutcome
from btimd.store.knowledge import SqliteKnowledge
from tests.itsm.examples import DAY, REPORT, incident_after, report
from tests.itsm.knowledge_examples import T0, draft

ARTICLE, PROBLEM, SURVEY = RecordKind.ARTICLE, RecordKind.PROBLEM, RecordKind.SURVEY


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[SqliteKnowledge]:
    opened = SqliteKnowledge(tmp_path / "knowledge.sqlite")
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def desk(base: SqliteKnowledge) -> KnowledgeDesk:
    return KnowledgeDesk(base, kinds=lambda: {"erp-db": "database"})


async def published(desk: KnowledgeDesk, **changes: str) -> Article:
    made = await desk.act(ARTICLE, "", draft(**changes), T0)
    await desk.act(ARTICLE, made.id, Review(actor="wang"), T0)
    done = await desk.act(ARTICLE, made.id, Publish(actor="wang"), T0)
    assert isinstance(done, Article)
    return done


def resolved(number: int = 1) -> Incident:
    done = incident_after(report(), Accept(actor="li"), Resolve(actor="li", closing_report=REPORT, override_reason="x"))
    return replace(done, id=f"INC-{number}")


async def test_a_command_gets_a_record_once_however_often_it_is_sent(desk: KnowledgeDesk) -> None:
    first = await desk.act(ARTICLE, "", draft(command_id="C1"), T0)
    again = await desk.act(ARTICLE, "", draft(command_id="C1"), T0 + 5)
    other = await desk.act(ARTICLE, "", draft(command_id="C2"), T0)
    assert (first, first.id, other.id) == (again, "KB-20231114-000001", "KB-20231114-000002")


async def test_who_looked_at_an_older_version_is_told_so(desk: KnowledgeDesk) -> None:
    made = await desk.act(ARTICLE, "", draft(), T0)
    with pytest.raises(CommandRefusedError) as refused:
        await desk.act(ARTICLE, made.id, Review(actor="wang"), T0, expected_version=7)
    assert str(refused.value) == "KB-20231114-000001 has version 1, not 7; look at it again"
    assert refused.value.code is RefusalCode.WRONG_VERSION


async def test_a_new_wording_takes_the_place_of_the_old_one_at_once(desk: KnowledgeDesk, base: SqliteKnowledge) -> None:
    old = await published(desk)
    new = await published(desk, replaces=old.id)
    after = await base.load(ARTICLE, old.id)
    assert isinstance(after, Article)
    assert (after.state, after.retired_why) == (ArticleState.RETIRED, f"replaced by {new.id}")


async def test_a_use_is_counted_once_and_its_end_is_learned(desk: KnowledgeDesk) -> None:
    made = await published(desk)
    for outcome in (UseOutcome.USED, UseOutcome.HELPED):
        await desk.act(ARTICLE, made.id, Use(actor="li", about="INC-1", outcome=outcome), T0)
    with pytest.raises(CommandRefusedError, match="was used for INC-1 already"):
        await desk.act(ARTICLE, made.id, Use(actor="li", about="INC-1", outcome=UseOutcome.USED), T0)


async def test_a_dealt_with_incident_leaves_a_draft_and_a_survey_once_and_the_draft_is_found_next_time(
    desk: KnowledgeDesk,
) -> None:
    article, survey, proposal = await desk.resolved(resolved(), T0, author="li", reporter="zhao", category="database")
    assert article is not None
    assert (article.state, article.source_incident, article.kinds) == (ArticleState.DRAFT, "INC-1", ("database",))
    assert survey == Survey("INC-1", 1, SurveyState.INVITED, person="zhao", invited_at=T0)
    assert proposal is None
    assert await desk.resolved(resolved(), T0 + 9, author="li", reporter="zhao") == (None, None, None)
    assert await desk.matches(resolved(2)) == []
    await desk.act(ARTICLE, article.id, Review(actor="wang"), T0)
    await desk.act(ARTICLE, article.id, Publish(actor="wang"), T0)
    (match,) = await desk.matches(resolved(2), category="database")
    assert match.article.id == article.id
    assert match.why[:2] == ("the same cause: erp-db/down", "the same node: erp-db")


async def test_incidents_that_recur_are_proposed_then_tied_to_their_problem_until_it_is_closed(
    desk: KnowledgeDesk, base: SqliteKnowledge
) -> None:
    proposals = [await desk.opened(resolved(number), T0) for number in (1, 2, 3)]
    assert proposals[:2] == [None, None]
    assert proposals[2] is not None
    made = await desk.act(PROBLEM, "", replace(proposals[2].open, actor="wang"), T0)
    assert await desk.opened(resolved(4), T0) is None
    again = KnowledgeDesk(base)
    await again.load([resolved(number) for number in (1, 2, 3, 4)])
    assert await again.opened(resolved(5), T0) is None
    after = await base.load(PROBLEM, made.id)
    assert isinstance(after, Problem)
    assert (after.incidents, after.incident_count) == (("INC-1", "INC-2", "INC-3", "INC-4", "INC-5"), 5)
    await again.act(PROBLEM, made.id, CloseProblem(actor="wang", reason="patched"), T0)
    assert await again.opened(resolved(6), T0) is None


async def test_the_workaround_of_a_known_error_is_there_for_the_next_incident(desk: KnowledgeDesk) -> None:
    opened = OpenProblem(actor="wang", title="erp-db dies", key="erp-db/down", node="erp-db")
    made = await desk.act(PROBLEM, "", opened, T0)
    assert await desk.known_error(resolved()) is None
    await desk.act(PROBLEM, made.id, Investigate(actor="wang"), T0)
    known = await desk.act(PROBLEM, made.id, SetKnownError(actor="wang", cause="a leak", workaround="restart"), T0)
    assert await desk.known_error(resolved()) == known


async def test_the_worst_incident_without_a_cause_is_proposed_as_a_problem(desk: KnowledgeDesk) -> None:
    worst = replace(resolved(), fingerprint="?/erp", cause="", priority=Priority.P1)
    _, _, proposal = await desk.resolved(worst, T0, author="li")
    assert proposal is not None
    assert isinstance(proposal.open, OpenProblem)
    assert proposal.key == "incident:INC-1"


async def test_surveys_remind_once_and_end(desk: KnowledgeDesk, base: SqliteKnowledge) -> None:
    for number in (1, 2):
        await desk.resolved(resolved(number), T0, author="li", reporter="zhao")
    await desk.act(SURVEY, "INC-2", Answer(actor="zhao", score=5), T0)
    assert await desk.surveys_due(T0 + 2 * DAY) == []
    assert [one.id for one in await desk.surveys_due(T0 + 3 * DAY)] == ["INC-1"]
    assert await desk.surveys_due(T0 + 4 * DAY) == []
    assert await desk.surveys_due(T0 + 14 * DAY) == []
    after = await base.load(SURVEY, "INC-1")
    assert isinstance(after, Survey)
    assert after.state is SurveyState.EXPIRED


async def test_a_restart_brings_back_what_was_proposed_but_not_what_belongs_to_a_closed_problem(
    desk: KnowledgeDesk, base: SqliteKnowledge
) -> None:
    lived = [resolved(number) for number in (1, 2, 3)]
    (proposal,) = await KnowledgeDesk(base).load(lived)
    assert proposal.open.incidents == ("INC-1", "INC-2", "INC-3")
    made = await desk.act(PROBLEM, "", replace(proposal.open, actor="wang"), T0)
    assert await KnowledgeDesk(base).load(lived) == []
    await desk.act(PROBLEM, made.id, CloseProblem(actor="wang", reason="patched"), T0)
    assert await KnowledgeDesk(base).load([*lived, resolved(4), resolved(5)]) == []
    (again,) = await KnowledgeDesk(base).load([*lived, resolved(4), resolved(5), resolved(6)])
    assert again.open.incidents == ("INC-4", "INC-5", "INC-6")


async def test_what_was_none_or_part_of_another_counts_for_no_problem(desk: KnowledgeDesk) -> None:
    gone = replace(resolved(1), state=IncidentState.CANCELLED)
    assert await desk.load([gone, resolved(2), resolved(3)]) == []
    desk.withdrawn(resolved(2))
    assert await desk.opened(resolved(4), T0) is None
    assert await desk.opened(resolved(5), T0) is not None


async def test_an_article_that_was_used_is_no_draft_of_the_closing_report(desk: KnowledgeDesk) -> None:
    made = await published(desk)
    await desk.act(ARTICLE, made.id, Use(actor="li", about="INC-1", outcome=UseOutcome.FAILED), T0)
    article, _, _ = await desk.resolved(resolved(), T0, author="li")
    assert article is not None


async def test_an_answer_counts_once_whoever_writes_it_down(desk: KnowledgeDesk, base: SqliteKnowledge) -> None:
    incident = replace(resolved(), reporter="zhao")
    first = await desk.answered(incident, T0, score=4, comment="quick", by="nora")
    assert (first.state, first.person, first.score, first.comment) == (SurveyState.ANSWERED, "zhao", 4, "quick")
    assert await desk.answered(incident, T0, score=1, comment="", by="zhao") == first
    events = await base.load_events(SURVEY, "INC-1")
    assert [(one.actor, one.reason) for one in events] == [("btimd", ""), ("zhao", "written down by nora")]


async def test_a_reminder_is_sent_before_it_is_noted(desk: KnowledgeDesk) -> None:
    await desk.resolved(resolved(), T0, author="li", reporter="zhao")
    sent: list[str] = []

    async def remind(survey: Survey) -> None:
        sent.append(f"{survey.id} {survey.state}")

    assert [one.state for one in await desk.surveys_due(T0 + 3 * DAY, remind)] == [SurveyState.REMINDED]
    await desk.surveys_due(T0 + 20 * DAY, remind)
    assert sent == ["INC-1 invited"]
