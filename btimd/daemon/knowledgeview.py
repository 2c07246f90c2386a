"""What people ask of knowledge, problems, changes and surveys, answered from the running knowledge component."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from typing_extensions import override

from btimd.daemon.knowledge import KnowledgeComponent
from btimd.itsm.component import IncidentComponent
from btimd.itsm.knowledge import draft_of_known_error
from btimd.itsm.knowledgecommands import action_of
from btimd.itsm.problems import change_figures, rfc_text
from btimd.itsm.problemwatch import key_of
from btimd.itsm.surveys import survey_figures
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    IncidentCommand,
    RefusalCode,
)
from btimd.model.knowledge import (
    Article,
    ArticleHit,
    ArticleQuery,
    Change,
    Problem,
    Record,
    RecordEvent,
    RecordKind,
    Survey,
    SurveyFigures,
)
from btimd.model.knowledgework import (
    ChangeFigures,
    FoundArticle,
    IncidentHelp,
    KnowledgeView,
    ProposedProblem,
    RecordAction,
    RecordCommand,
)
from btimd.model.units import UnixSeconds
from btimd.runtime.clock import Clock
from btimd.store.knowledge import FIND_LIMIT

_LEAST_FIT: Final = 0.01
_OTHERS: Final = frozenset({ActorRole.DESK, ActorRole.CENTRE})


class KnowledgeBook(KnowledgeView):
    """Serves what KnowledgeComponent keeps."""

    def __init__(self, component: KnowledgeComponent, incidents: IncidentComponent, clock: Clock) -> None:
        self._component = component
        self._incidents = incidents
        self._clock = clock

    # Articles.

    @override
    async def search(self, query: ArticleQuery) -> Sequence[FoundArticle]:
        self._component.check()
        return [FoundArticle(hit, _why(hit, query)) for hit in await self._component.base.search(query)]

    @override
    async def help_with(self, incident_id: str, limit: int) -> IncidentHelp | None:
        self._component.check()
        incident = await self._incidents.incident(incident_id)
        if incident is None:
            return None
        desk = self._component.desk
        found = [
            one for one in await desk.matches(incident, limit, category=incident.category) if one.fit >= _LEAST_FIT
        ]
        known = await desk.known_error(incident)
        return IncidentHelp(tuple(found), known, incident.assessment.businesses, incident.assessment.regions)

    # Records.

    @override
    async def record(self, kind: RecordKind, record_id: str) -> tuple[Record, Sequence[RecordEvent]] | None:
        self._component.check()
        found = await self._component.base.load(kind, record_id)
        return None if found is None else (found, await self._component.base.load_events(kind, record_id))

    @override
    async def records(
        self, kind: RecordKind, *, states: Sequence[str], incident_id: str, limit: int
    ) -> Sequence[Record]:
        self._component.check()
        base = self._component.base
        found = list(await base.find(kind, states=states, about=incident_id, limit=limit))
        if incident_id and kind is RecordKind.PROBLEM:  # also those that it was among when they were opened
            known = {one.id for one in found}
            every = [one for one in await base.find(kind, states=states, limit=FIND_LIMIT) if isinstance(one, Problem)]
            found = [one for one in found if isinstance(one, Problem) and incident_id in one.incidents]
            found += [one for one in every if incident_id in one.incidents and one.id not in known]
        return found[:limit]

    @override
    async def act(self, command: RecordCommand, actor: str) -> Record:
        self._component.check()
        causes: list[str] = []
        for name in dict.fromkeys((command.incident_id, *command.incidents)):
            incident = await self._incidents.incident(name) if name else None
            if name and incident is None:
                raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no incident {name[:40]!r}; look up its id")
            causes += [incident.fingerprint] if incident is not None else []
        if command.action is RecordAction.OPEN_PROBLEM and not command.key:
            command = replace(command, key=key_of(causes, command.node))
        kind, action = action_of(command, actor)
        record = await self._component.desk.act(
            kind, command.record_id, action, self._clock.wall(), expected_version=command.expected_version
        )
        if isinstance(record, Problem) and command.action is RecordAction.OPEN_PROBLEM:
            await self._component.on_record(record, actor)
        return record

    @override
    async def draft_of_problem(self, problem_id: str, command_id: str, actor: str) -> Record:
        problem = await self._problem(problem_id)
        draft = draft_of_known_error(problem, author=actor, kinds=self._component.kinds())
        if draft is None:
            raise CommandRefusedError(
                RefusalCode.INVALID, f"{problem_id} has no workaround yet; say what the known error is"
            )
        draft = replace(draft, command_id=command_id)
        return await self._component.desk.act(RecordKind.ARTICLE, "", draft, self._clock.wall())

    @override
    async def change_request(self, problem_id: str, *, change: str, risk: str) -> str:
        return rfc_text(await self._problem(problem_id), change=change, risk=risk)

    async def _problem(self, problem_id: str) -> Problem:
        self._component.check()
        problem = await self._component.base.load(RecordKind.PROBLEM, problem_id)
        if not isinstance(problem, Problem):
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no problem {problem_id[:40]!r}; look up its id")
        return problem

    # Proposals.

    @override
    async def proposals(self) -> Sequence[ProposedProblem]:
        self._component.check()
        return self._component.proposals.open()

    @override
    async def dismiss(self, key: str, reason: str, actor: str) -> ProposedProblem:
        self._component.check()
        gone = self._component.proposals.dismiss(key, self._clock.wall(), by=actor, reason=reason)
        await self._component.dismissed()
        return gone

    # Surveys and figures.

    @override
    async def answer_survey(
        self, incident_id: str, *, score: int, comment: str, command_id: str, actor: str, for_others: bool
    ) -> Record:
        """Keep an answer: the incident keeps it first, so that it is there whatever becomes of the knowledge base."""
        command = IncidentCommand(CommandKind.SURVEY, command_id, incident_id, text=comment, score=score)
        roles = _OTHERS if for_others else frozenset[ActorRole]()
        incident = await self._incidents.command(command, actor, roles)
        self._component.check()
        return await self._component.desk.answered(incident, self._clock.wall(), score=score, comment=comment, by=actor)

    @override
    async def survey_figures(self, start: UnixSeconds, end: UnixSeconds) -> SurveyFigures:
        self._component.check()
        found = await self._component.base.everything(RecordKind.SURVEY, start)
        return survey_figures((one for one in found if isinstance(one, Survey)), start, end)

    @override
    async def change_figures(self, start: UnixSeconds, end: UnixSeconds) -> ChangeFigures:
        self._component.check()
        found = await self._component.base.everything(RecordKind.CHANGE)
        return change_figures([one for one in found if isinstance(one, Change)], start, end)


def _why(hit: ArticleHit, query: ArticleQuery) -> tuple[str, ...]:
    """Return in words why an article was found where it stands."""
    article: Article = hit.article
    said: list[str] = []
    if query.text.strip():
        said.append("all of the words" if hit.every_word else "some of the words")
        if hit.excerpt:
            said.append(f"as in: {hit.excerpt}")
    said += [f"class {query.category}"] if query.category else []
    said += [f"node {query.node}"] if query.node else []
    said += [f"kind of node {query.node_kind}"] if query.node_kind else []
    known = article.helped_count + article.failed_count
    said.append(f"helped {article.helped_count} of {known} times" if known else "nobody said yet whether it helped")
    return tuple(said)
