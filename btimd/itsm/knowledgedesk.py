"""KnowledgeDesk: carries out what people ask of the knowledge base, and what incidents give rise to.

Pure save for what it awaits: the KnowledgeBase. Nothing here may hold an incident up: call it after the incident's own
step is stored, and leave it when the knowledge base is not to be had (KnowledgeUnavailableError).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from btimd.itsm import surveys
from btimd.itsm.knowledge import ARTICLES, Draft, Publish, Use, draft_of, look_at, matches, succeeded_by
from btimd.itsm.knowledgesteps import Action, Machine
from btimd.itsm.problems import CHANGES, PROBLEMS, LinkIncident, OpenProblem, PlanChange
from btimd.itsm.problemwatch import SYSTEM, ProblemWatch, Proposal
from btimd.itsm.surveys import SURVEYS, Answer, Invite, SurveyRules
from btimd.itsm.timestamp import utc_day
from btimd.model.incident import CommandRefusedError, Incident, IncidentState, RefusalCode
from btimd.model.knowledge import (
    Article,
    ArticleMatch,
    KnowledgeBase,
    KnowledgeRefusedError,
    Problem,
    ProblemState,
    Record,
    RecordEvent,
    RecordKind,
    Survey,
    SurveyState,
)
from btimd.model.units import UnixSeconds

MACHINES: Final[Mapping[RecordKind, Machine[Any]]] = MappingProxyType(
    {one.kind: one for one in (ARTICLES, PROBLEMS, CHANGES, SURVEYS)}
)
_PREFIXES: Final = MappingProxyType({RecordKind.ARTICLE: "KB", RecordKind.PROBLEM: "PRB", RecordKind.CHANGE: "CHG"})
_STARTS: Final = (Draft, OpenProblem, PlanChange)
_CANDIDATES: Final = 20
_TRIES: Final = 3
_AT_ONCE: Final = 200
_WATCHED: Final = 1_000
_NONE: Final = frozenset({IncidentState.CANCELLED, IncidentState.MERGED})
_UNANSWERED: Final = frozenset({SurveyState.INVITED, SurveyState.REMINDED})


class KnowledgeDesk:
    """kinds: of nodes, by name, asked anew each time as the model may be reloaded. watch: proposes problems."""

    def __init__(
        self,
        base: KnowledgeBase,
        *,
        kinds: Callable[[], Mapping[str, str]] = dict,
        watch: ProblemWatch | None = None,
        survey_rules: SurveyRules | None = None,
    ) -> None:
        self._base = base
        self._kinds = kinds
        self._watch = watch or ProblemWatch()
        self._survey_rules = survey_rules or SurveyRules()

    @property
    def watch(self) -> ProblemWatch:
        """What proposes problems."""
        return self._watch

    async def load(self, incidents: Sequence[Incident]) -> Sequence[Proposal]:
        """Take up where the last run ended: incidents of the last weeks, oldest first; return what they propose.

        What belongs to a problem that is closed counts for no other one.
        """
        found = await self._base.find(RecordKind.PROBLEM, limit=_WATCHED)
        problems = [one for one in found if isinstance(one, Problem)]
        live = [one for one in problems if one.state is not ProblemState.CLOSED]
        if len(found) == _WATCHED:  # so many that open ones may be among those left out
            states = [state.value for state in ProblemState if state is not ProblemState.CLOSED]
            found = await self._base.find(RecordKind.PROBLEM, states=states, limit=_WATCHED)
            live = [one for one in found if isinstance(one, Problem)]
        self._watch.on_record(live)
        over = {name for one in problems if one.state is ProblemState.CLOSED for name in one.incidents}
        proposals: list[Proposal | None] = []
        for incident in incidents:
            if incident.id not in over and incident.state not in _NONE:
                proposals += (self._watch.opened(incident), self._watch.ended(incident))
        return [one for one in proposals if one is not None]

    # What people ask for.

    async def act(
        self, kind: RecordKind, record_id: str, action: Action, now: UnixSeconds, *, expected_version: int = 0
    ) -> Record:
        """Carry out an action and return the record after it. record_id "": a new record, with an id of its own.

        A command that was carried out before is not again: the record is returned as it is. Raises CommandRefusedError.
        """
        if action.command_id:
            done = await self._base.find_command(action.command_id)
            if done is not None:
                return await self._known(*done)
        for left in reversed(range(_TRIES)):
            try:
                return await self._act(kind, record_id, action, now, expected_version)
            except KnowledgeRefusedError as error:  # somebody else was faster; once more with what is there now
                if not left:
                    raise CommandRefusedError(RefusalCode.WRONG_VERSION, f"{error}; ask again") from error
        raise AssertionError  # the last try returns or raises

    async def _act(
        self, kind: RecordKind, record_id: str, action: Action, now: UnixSeconds, expected_version: int
    ) -> Record:
        machine: Machine[Any] = MACHINES[kind]
        before = await self._base.load(kind, record_id) if record_id else None
        if before is not None and expected_version not in {0, before.version}:
            raise CommandRefusedError(
                RefusalCode.WRONG_VERSION,
                f"{record_id} has version {before.version}, not {expected_version}; look at it again",
                machine.allowed(before.state),
            )
        name = record_id
        if not name and isinstance(action, _STARTS):
            name = await self._base.next_id(kind, f"{_PREFIXES[kind]}-{utc_day(now)}-")
        if isinstance(action, Use) and action.about:
            action = replace(action, before=await self._base.use_of(record_id, action.about))
        made: tuple[Record, RecordEvent] = machine.step(before, name, action, now)
        record = made[0]
        steps = [made]
        if isinstance(action, Publish) and isinstance(record, Article) and record.replaces:
            old = await self._base.load(RecordKind.ARTICLE, record.replaces)
            retire = succeeded_by(record, action.actor)
            if isinstance(old, Article) and "retire" in ARTICLES.allowed(old.state):
                steps.append(ARTICLES.step(old, old.id, retire, now))
        await self._base.write(steps)
        if isinstance(record, Problem):
            self._watch.on_record([record])
        return record

    async def _known(self, kind: RecordKind, record_id: str) -> Record:
        record = await self._base.load(kind, record_id)
        if record is None:
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no {kind.value} {record_id}; look up its id")
        return record

    async def matches(
        self, incident: Incident, limit: int = 5, *, category: str = "", words: str = ""
    ) -> Sequence[ArticleMatch]:
        """Return published articles that may help with an incident, best first: when it is opened, when it is taken."""
        look = look_at(incident, category=category, kinds=self._kinds(), words=words)
        return matches(look, await self._base.candidates(look, _CANDIDATES), limit)

    async def known_error(self, incident: Incident) -> Problem | None:
        """Return the known error that an incident is a case of: its workaround helps until the change is made."""
        problem_id = self._watch.problem_of(incident)
        problem = await self._base.load(RecordKind.PROBLEM, problem_id) if problem_id else None
        known = (ProblemState.KNOWN_ERROR, ProblemState.RFC_RAISED)
        if isinstance(problem, Problem) and problem.state in known:
            return problem
        states = [state.value for state in known]
        linked = await self._base.find(RecordKind.PROBLEM, states=states, about=incident.id, limit=_AT_ONCE)
        return next((one for one in linked if isinstance(one, Problem) and incident.id in one.incidents), None)

    # What incidents give rise to.

    async def opened(self, incident: Incident, now: UnixSeconds) -> Proposal | None:
        """Tie a new incident to the open problem it belongs to; return a problem that should be put on record."""
        proposal = self._watch.opened(incident)
        problem_id = self._watch.problem_of(incident)
        problem = await self._base.load(RecordKind.PROBLEM, problem_id) if problem_id else None
        if isinstance(problem, Problem) and incident.id not in problem.incidents:
            await self.act(RecordKind.PROBLEM, problem_id, LinkIncident(actor=SYSTEM, about=incident.id), now)
        return proposal

    async def resolved(
        self, incident: Incident, now: UnixSeconds, *, author: str, reporter: str = "", category: str = ""
    ) -> tuple[Article | None, Survey | None, Proposal | None]:
        """Make a draft of the closing report, ask the reporter, and return the problem that it leaves.

        Each only once for an incident, whatever becomes of it. reporter "": nobody is asked.
        """
        proposal = self._watch.ended(incident)
        article: Record | None = None
        draft = draft_of(incident, author=author, category=category, kinds=self._kinds())
        if draft is not None and not await self._has_draft(incident.id):
            article = await self.act(RecordKind.ARTICLE, "", draft, now)
        survey: Record | None = None
        if reporter and await self._base.load(RecordKind.SURVEY, incident.id) is None:
            invite = Invite(actor=SYSTEM, person=reporter, about=incident.id)
            survey = await self.act(RecordKind.SURVEY, incident.id, invite, now)
        return (
            article if isinstance(article, Article) else None,
            survey if isinstance(survey, Survey) else None,
            proposal,
        )

    async def _has_draft(self, incident_id: str) -> bool:
        found = await self._base.find(RecordKind.ARTICLE, about=incident_id, limit=_AT_ONCE)
        return any(isinstance(one, Article) and one.source_incident == incident_id for one in found)

    def withdrawn(self, incident: Incident) -> None:
        """Stop counting an incident that was none, or is part of another one."""
        self._watch.withdrawn(incident)

    async def answered(self, incident: Incident, now: UnixSeconds, *, score: int, comment: str, by: str) -> Survey:
        """Keep what the reporter of an incident said; whoever was never asked counts as asked now.

        by: who wrote it down. What was answered before stays as it is.
        """
        known = await self._base.load(RecordKind.SURVEY, incident.id)
        if known is None:
            invite = Invite(actor=SYSTEM, person=incident.reporter or by, about=incident.id)
            known = await self.act(RecordKind.SURVEY, incident.id, invite, now)
        if isinstance(known, Survey) and known.state in _UNANSWERED:
            note = "" if by == known.person else f"written down by {by}"
            answer = Answer(actor=known.person, score=score, comment=comment, about=incident.id, reason=note)
            try:
                known = await self.act(RecordKind.SURVEY, incident.id, answer, now)
            except CommandRefusedError:  # the same answer came by two ways, and the other one was faster
                known = await self._known(RecordKind.SURVEY, incident.id)
        if not isinstance(known, Survey):
            raise TypeError(f"survey {incident.id} is no survey")
        return known

    async def surveys_due(
        self, now: UnixSeconds, remind: Callable[[Survey], Awaitable[None]] | None = None
    ) -> Sequence[Survey]:
        """Let surveys go on that are due; return those who were reminded. Ask every few minutes.

        remind: sends a reminder, and does nothing where it was sent before; called before that is noted, so that a
        crash in between loses none.
        """
        waiting: list[Record] = []
        for state in (SurveyState.INVITED, SurveyState.REMINDED):  # each in the order in which they are due
            waiting += await self._base.find(RecordKind.SURVEY, states=[state.value], limit=_AT_ONCE, oldest_first=True)
        reminded: list[Survey] = []
        for survey in waiting:
            due = surveys.due(survey, self._survey_rules) if isinstance(survey, Survey) else None
            if due is None or due[0] > now:
                continue
            if remind is not None and isinstance(survey, Survey) and isinstance(due[1], surveys.Remind):
                await remind(survey)
            after = await self.act(RecordKind.SURVEY, survey.id, due[1], now)
            if isinstance(after, Survey) and after.state is SurveyState.REMINDED:
                reminded.append(after)
        return reminded
