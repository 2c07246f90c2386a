"""Knowledge beside a running incident desk: offered, learned, asked for; and nothing lost when the file is not there."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btimd.daemon.knowledge import FILE_NAME, STATE_NAME, Aims, KnowledgeComponent
from btimd.itsm.knowledge import Publish, Review
from btimd.itsm.knowledgesettings import KnowledgeSettings, ProblemSettings, SurveySettings
from btimd.itsm.problems import Investigate, OpenProblem, SetKnownError
from btimd.model.incident import (
    ClosingReport,
    CommandKind,
    Difficulty,
    Impact,
    Incident,
    IncidentCommand,
    IncidentEvent,
    IncidentState,
    Priority,
    Urgency,
)
from btimd.model.knowledge import (
    Article,
    KnowledgeUnavailableError,
    Problem,
    RecordKind,
    Survey,
    SurveyState,
)
from btimd.model.ports import TellKind
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from tests.itsm.desks import HIT, Desk
from tests.itsm.examples import DAY, REPORT, T0, verdict
from tests.itsm.knowledge_examples import TEXT, draft

ARTICLE, PROBLEM, SURVEY = RecordKind.ARTICLE, RecordKind.PROBLEM, RecordKind.SURVEY


class Knowing:
    """A desk with knowledge beside it; the component works when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk("sqlite", folder)
        self.folder = folder
        self.knowledge: KnowledgeComponent

    def build(self, **settings: Any) -> KnowledgeComponent:
        aims = Aims(
            KnowledgeSettings(**settings.pop("knowledge", {})),
            ProblemSettings(**settings.pop("problem", {})),
            SurveySettings(**settings.pop("survey", {})),
            7 * DAY,
        )
        self.knowledge = KnowledgeComponent(
            aims, state_directory=self.folder, journal=self.desk.journal, incidents=self.desk.component,
            kinds=lambda: {"erp-db": "database"}, metrics=self.desk.metrics, clock=self.desk.clock, log=Log("test"),
        )  # fmt: skip
        return self.knowledge

    def followed(self, incident: Incident, events: Sequence[IncidentEvent]) -> None:
        self.knowledge.followed(incident, events)

    async def start(self, **settings: Any) -> None:
        await self.desk.start(on_events=self.followed)
        self.build(**settings)
        await self.knowledge.start()
        await self.knowledge.work()

    async def restart(self, **settings: Any) -> None:
        await self.knowledge.stop()
        await self.desk.restart(on_events=self.followed)
        self.build(**settings)
        await self.knowledge.start()
        await self.knowledge.work()

    async def close(self) -> None:
        await self.knowledge.stop()
        await self.desk.close()

    async def work(self) -> None:
        """Let everything be worked on, also what that gives rise to."""
        for _ in range(3):
            self.knowledge.wake()
            await self.knowledge.work()

    async def command(self, kind: CommandKind, incident_id: str = "", actor: str = "li", **said: Any) -> Incident:
        number = len(await self.desk.journal.load_incidents(only_open=False, limit=100)) * 1000 + len(
            await self.desk.journal.load_events(incident_id)
        )
        command = IncidentCommand(kind, f"{kind}-{number}-{actor}", incident_id, **said)
        return await self.desk.component.command(command, actor)

    async def reported(self, title: str = "the listener is down", actor: str = "zhao", **said: Any) -> str:
        made = await self.command(CommandKind.CREATE, actor=actor, title=title, businesses=("erp",), **said)
        return made.id

    async def dealt_with(self, incident_id: str, **said: Any) -> Incident:
        await self.command(CommandKind.ACCEPT, incident_id)
        return await self.command(CommandKind.RESOLVE, incident_id, text=REPORT, override_reason="seen", **said)

    async def observed(self, incident_id: str) -> list[str]:
        timeline = await self.desk.component.timeline(incident_id)
        return [one.reason for one in timeline if one.kind == "observed"]

    async def told(self) -> list[tuple[TellKind, str, str]]:
        """Return what the reporter was to be told of surveys."""
        notices = await self.desk.journal.claim_tellings(self.desk.clock.wall() + DAY, 1000)
        return [(one.kind, one.recipient, one.what) for one in notices if one.what.startswith("survey")]

    async def survey(self, incident_id: str) -> Survey:
        found = await self.knowledge.base.load(SURVEY, incident_id)
        assert isinstance(found, Survey)
        return found

    async def published(self, **changes: Any) -> Article:
        desk = self.knowledge.desk
        made = await desk.act(ARTICLE, "", draft(**changes), T0)
        await desk.act(ARTICLE, made.id, Review(actor="wang"), T0)
        done = await desk.act(ARTICLE, made.id, Publish(actor="wang"), T0)
        assert isinstance(done, Article)
        return done

    async def known_error(self) -> Problem:
        desk = self.knowledge.desk
        opened = OpenProblem(actor="wang", title="erp-db dies", key="erp-db/down", node="erp-db")
        made = await desk.act(PROBLEM, "", opened, T0)
        await desk.act(PROBLEM, made.id, Investigate(actor="wang"), T0)
        known = await desk.act(PROBLEM, made.id, SetKnownError(actor="wang", cause="a leak", workaround="restart"), T0)
        assert isinstance(known, Problem)
        return known


@pytest.fixture
async def knowing(tmp_path: Path) -> AsyncIterator[Knowing]:
    made = Knowing(tmp_path)
    await made.start()
    yield made
    await made.close()


FITTING = replace(TEXT, nodes=("erp-db",), signatures=("erp-db/down",))


async def test_what_may_help_is_written_into_the_timeline_when_it_opens_and_not_again_when_it_says_so(
    knowing: Knowing,
) -> None:
    made = await knowing.published(text=FITTING)
    incident = await knowing.desk.report(verdict())
    await knowing.work()
    (said,) = await knowing.observed(incident.id)
    assert said.startswith(f"{made.id} Oracle listener down (fits 4")
    assert said.endswith("): lsnrctl start")
    await knowing.command(CommandKind.ACCEPT, incident.id)
    await knowing.work()
    assert len(await knowing.observed(incident.id)) == 1


async def test_who_takes_an_incident_is_told_what_was_published_since(knowing: Knowing) -> None:
    incident = await knowing.desk.report(verdict())
    await knowing.work()
    assert await knowing.observed(incident.id) == []
    await knowing.published(text=FITTING)
    await knowing.command(CommandKind.ACCEPT, incident.id)
    await knowing.work()
    assert len(await knowing.observed(incident.id)) == 1


async def test_a_known_error_tells_its_workaround_and_makes_its_cases_easier(knowing: Knowing) -> None:
    known = await knowing.known_error()
    hard = await knowing.desk.component.verdict(verdict(), HIT, Impact.MEDIUM, Urgency.MEDIUM, Difficulty.HIGH)
    assert hard is not None
    await knowing.work()
    found = await knowing.desk.component.incident(hard.id)
    assert found is not None
    assert found.difficulty is Difficulty.MEDIUM
    assert await knowing.observed(hard.id) == [f"known error {known.id}: erp-db dies; workaround: restart"]
    linked = await knowing.knowledge.base.load(PROBLEM, known.id)
    assert isinstance(linked, Problem)
    assert linked.incidents == (hard.id,)
    await knowing.command(CommandKind.ACCEPT, hard.id)
    await knowing.work()
    again = await knowing.desk.component.incident(hard.id)
    assert again is not None
    assert again.difficulty is Difficulty.MEDIUM


async def test_a_closing_report_becomes_a_draft_and_the_article_that_helped_is_counted(knowing: Knowing) -> None:
    used = await knowing.published(text=FITTING)
    incident = await knowing.desk.report(verdict())
    await knowing.dealt_with(incident.id, closing=ClosingReport(article=used.id))
    await knowing.work()
    drafts = [one for one in await knowing.knowledge.base.find(ARTICLE, states=["draft"]) if isinstance(one, Article)]
    assert [(one.source_incident, one.authors, one.solution) for one in drafts] == [(incident.id, ("li",), REPORT)]
    helped = await knowing.knowledge.base.load(ARTICLE, used.id)
    assert isinstance(helped, Article)
    assert (helped.used_count, helped.helped_count) == (1, 1)


async def test_where_drafts_are_not_wanted_none_is_made(tmp_path: Path) -> None:
    knowing = Knowing(tmp_path)
    await knowing.start(knowledge={"drafts": False, "offers": 0})
    await knowing.published(text=FITTING)
    incident = await knowing.desk.report(verdict())
    await knowing.dealt_with(incident.id)
    await knowing.work()
    assert await knowing.knowledge.base.find(ARTICLE, states=["draft"]) == []
    assert await knowing.observed(incident.id) == []
    await knowing.close()


async def test_a_reporter_is_asked_once_reminded_once_and_the_answer_is_kept(knowing: Knowing) -> None:
    incident_id = await knowing.reported()
    await knowing.dealt_with(incident_id)
    await knowing.work()
    assert await knowing.told() == [(TellKind.REPORTER, "zhao", "survey")]
    assert (await knowing.survey(incident_id)).state is SurveyState.INVITED
    knowing.desk.clock.advance(3 * DAY)
    await knowing.work()
    await knowing.work()
    assert await knowing.told() == [(TellKind.REPORTER, "zhao", "survey-reminder")]
    await knowing.command(CommandKind.SURVEY, incident_id, "zhao", score=5, text="quick")
    await knowing.work()
    answered = await knowing.survey(incident_id)
    assert (answered.state, answered.score, answered.comment) == (SurveyState.ANSWERED, 5, "quick")
    assert await knowing.told() == []


async def test_what_came_back_asks_its_reporter_no_second_time(knowing: Knowing) -> None:
    incident_id = await knowing.reported()
    await knowing.dealt_with(incident_id)
    await knowing.work()
    await knowing.command(CommandKind.REJECT, incident_id, "zhao", text="still broken")
    await knowing.dealt_with(incident_id)
    await knowing.work()
    assert await knowing.told() == [(TellKind.REPORTER, "zhao", "survey")]


async def test_three_incidents_of_one_cause_are_proposed_once_also_after_a_restart(knowing: Knowing) -> None:
    names = []
    for number in range(3):
        incident = await knowing.desk.report(verdict(id=f"D{number}"))
        names.append(incident.id)
        await knowing.dealt_with(incident.id)
        await knowing.command(CommandKind.CONFIRM, incident.id, "zhao")
        knowing.desk.clock.advance(60.0)
    await knowing.work()
    (proposed,) = knowing.knowledge.proposals.open()
    assert (proposed.key, proposed.incidents, proposed.why) == (
        "erp-db/down", tuple(names), "3 incidents with the cause erp-db/down within 30 days",
    )  # fmt: skip
    await knowing.restart()
    assert knowing.knowledge.proposals.open() == [proposed]
    knowing.knowledge.proposals.dismiss("erp-db/down", T0, by="wang", reason="a drill")
    await knowing.knowledge.dismissed()
    await knowing.restart()
    assert knowing.knowledge.proposals.open() == []


async def test_a_p1_without_a_cause_is_proposed_as_a_problem(knowing: Knowing) -> None:
    incident = await knowing.desk.report(verdict(cause=None))
    await knowing.command(CommandKind.SET_PRIORITY, incident.id, priority=Priority.P1, text="all are hit")
    await knowing.dealt_with(incident.id)
    await knowing.work()
    assert [one.key for one in knowing.knowledge.proposals.open()] == [f"incident:{incident.id}"]


async def test_without_its_file_incidents_go_on_and_all_is_made_up_for_when_it_is_there(tmp_path: Path) -> None:
    knowing = Knowing(tmp_path)
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("CREATE TABLE something_else (x)")
    await knowing.start()
    assert knowing.knowledge.health().level is HealthLevel.WARNING
    assert "it is a database of something else; move it away" in knowing.knowledge.health().reason
    with pytest.raises(KnowledgeUnavailableError, match="something else"):
        knowing.knowledge.check()
    incident_id = await knowing.reported()
    await knowing.dealt_with(incident_id)
    await knowing.work()
    other.execute("DROP TABLE something_else")
    other.close()
    await knowing.work()
    assert knowing.knowledge.health().level is HealthLevel.OK
    assert (await knowing.survey(incident_id)).person == "zhao"
    assert len(await knowing.knowledge.base.find(ARTICLE)) == 1
    assert knowing.desk.metrics.registry.get_sample_value("btimd_itsm_knowledge_failures_total") == 3.0
    await knowing.close()


async def test_what_ended_just_before_a_crash_is_made_up_for_after_it(knowing: Knowing) -> None:
    incident_id = await knowing.reported()
    await knowing.dealt_with(incident_id)  # and nothing was worked on yet
    await knowing.restart()
    assert (await knowing.survey(incident_id)).state is SurveyState.INVITED
    (made,) = await knowing.knowledge.base.find(ARTICLE)
    await knowing.restart()
    assert await knowing.knowledge.base.find(ARTICLE) == [made]


async def test_an_answer_that_came_just_before_a_crash_is_kept(knowing: Knowing) -> None:
    incident_id = await knowing.reported()
    await knowing.dealt_with(incident_id)
    await knowing.work()
    await knowing.command(CommandKind.CONFIRM, incident_id, "zhao")
    knowing.desk.clock.advance(2 * DAY)
    await knowing.work()
    await knowing.command(CommandKind.SURVEY, incident_id, "zhao", score=2, text="slow")
    await knowing.restart()
    assert (await knowing.survey(incident_id)).score == 2


async def test_what_cleared_by_itself_asks_nobody_until_a_person_deals_with_it(knowing: Knowing) -> None:
    found = verdict()
    incident = await knowing.desk.report(found)
    await knowing.desk.component.cleared(found)
    await knowing.work()
    assert await knowing.knowledge.base.find(SURVEY) == []
    assert await knowing.knowledge.base.find(ARTICLE) == []
    live = await knowing.desk.component.incident(incident.id)
    assert live is not None
    assert live.state is IncidentState.RESOLVED


async def test_a_state_that_cannot_be_read_begins_anew_and_is_told(knowing: Knowing) -> None:
    await knowing.knowledge.stop()
    await knowing.desk.journal.save_state(STATE_NAME, b'{"proposals": {"format": 99}}')
    knowing.build()
    await knowing.knowledge.start()
    assert "began anew" in knowing.knowledge.health().reason
