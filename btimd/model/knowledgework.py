"""What people ask of knowledge, problems, changes and surveys, and who answers: KnowledgeView.

A RecordCommand is one wish, whatever the kind of record; itsm.knowledgecommands makes the action of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.knowledge import (
    ArticleHit,
    ArticleMatch,
    ArticleQuery,
    Language,
    Problem,
    ProblemOrigin,
    Record,
    RecordEvent,
    RecordKind,
    SurveyFigures,
    UseOutcome,
)
from btimd.model.units import Ratio, UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleText:
    """What a person writes of an article."""

    title: str
    symptom: str = ""
    cause: str = ""
    workaround: str = ""
    solution: str = ""
    category: str = ""
    language: Language = Language.EN
    nodes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


class RecordAction(StrEnum):
    """What a person may do to a record; the name says of which kind it is."""

    DRAFT_ARTICLE = "draft-article"
    EDIT_ARTICLE = "edit-article"
    SUBMIT_ARTICLE = "submit-article"
    REVIEW_ARTICLE = "review-article"
    REJECT_ARTICLE = "reject-article"
    PUBLISH_ARTICLE = "publish-article"
    RETIRE_ARTICLE = "retire-article"
    USE_ARTICLE = "use-article"
    OPEN_PROBLEM = "open-problem"
    INVESTIGATE_PROBLEM = "investigate-problem"
    NOTE_PROBLEM = "note-problem"
    SET_KNOWN_ERROR = "set-known-error"
    RAISE_CHANGE_REQUEST = "raise-change-request"
    CLOSE_PROBLEM = "close-problem"
    LINK_INCIDENT = "link-incident"
    UNLINK_INCIDENT = "unlink-incident"
    PLAN_CHANGE = "plan-change"
    SUCCEED_CHANGE = "succeed-change"
    FAIL_CHANGE = "fail-change"
    BACK_OUT_CHANGE = "back-out-change"
    CANCEL_CHANGE = "cancel-change"
    BLAME_CHANGE = "blame-change"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCommand:
    """A person's wish; `command_id` makes a repeat harmless, `expected_version` 0 means any.

    record_id: empty where a new record is to be made. reason: why, or the finding, or how it was closed. incident_id:
    the incident it is about. text, replaces: of articles. outcome: of USE_ARTICLE. title, description, key, node,
    incidents, owner: of OPEN_PROBLEM (owner also of INVESTIGATE_PROBLEM). cause, workaround, article_id: of
    SET_KNOWN_ERROR. change_id: of RAISE_CHANGE_REQUEST, the id in the company's own system, or here. planned_at, nodes,
    problem_id: of PLAN_CHANGE.
    """

    action: RecordAction
    command_id: str
    record_id: str = ""
    expected_version: int = 0
    reason: str = ""
    incident_id: str = ""
    text: ArticleText | None = None
    replaces: str = ""
    outcome: UseOutcome | None = None
    title: str = ""
    description: str = ""
    origin: ProblemOrigin = ProblemOrigin.MANUAL
    key: str = ""
    node: str = ""
    incidents: tuple[str, ...] = ()
    owner: str = ""
    cause: str = ""
    workaround: str = ""
    article_id: str = ""
    change_id: str = ""
    planned_at: UnixSeconds = 0.0
    nodes: tuple[str, ...] = ()
    problem_id: str = ""


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """An article that was searched for: how good a find it is, and why, in words."""

    hit: ArticleHit
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentHelp:
    """What is known that helps with an incident. known_error: the known error that it is a case of.

    businesses, regions: that the incident touches, by which it is judged who may see it.
    """

    articles: tuple[ArticleMatch, ...] = ()
    known_error: Problem | None = None
    businesses: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedProblem:
    """A problem that should be put on record, as no person has decided yet. key: what its incidents have in common."""

    key: str
    title: str
    why: str
    origin: ProblemOrigin
    node: str
    incidents: tuple[str, ...]
    proposed_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class ChangeFigures:
    """What the changes that ended in a window came to. succeeded: did what they were for and caused no incident.

    overdue: planned for a moment that has passed, and nobody said how they ended: neither good nor bad.
    """

    made: int = 0
    succeeded: int = 0
    caused_incidents: int = 0
    cancelled: int = 0
    overdue: int = 0

    @property
    def success_rate(self) -> Ratio | None:
        """Of the changes that were made, the share that succeeded; None: none was made."""
        return self.succeeded / self.made if self.made else None


class KnowledgeView(Protocol):
    """Articles, problems, changes and surveys, as people ask for them.

    Every method raises KnowledgeUnavailableError while the knowledge base is not to be had, and CommandRefusedError
    for what the life of a record does not allow.
    """

    async def search(self, query: ArticleQuery) -> Sequence[FoundArticle]:
        """Return articles, best first."""
        ...

    async def help_with(self, incident_id: str, limit: int) -> IncidentHelp | None:
        """Return what helps with an incident; None: there is no such incident."""
        ...

    async def record(self, kind: RecordKind, record_id: str) -> tuple[Record, Sequence[RecordEvent]] | None:
        """Return a record with its history; None: there is none."""
        ...

    async def records(
        self, kind: RecordKind, *, states: Sequence[str], incident_id: str, limit: int
    ) -> Sequence[Record]:
        """Return records, the latest changed first; states: empty for any; incident_id: empty for any."""
        ...

    async def act(self, command: RecordCommand, actor: str) -> Record:
        """Do what a person wants, once; return the record after it."""
        ...

    async def draft_of_problem(self, problem_id: str, command_id: str, actor: str) -> Record:
        """Make an article of the workaround of a known error."""
        ...

    async def change_request(self, problem_id: str, *, change: str, risk: str) -> str:
        """Return the text of a request for change that removes the cause of a problem."""
        ...

    async def proposals(self) -> Sequence[ProposedProblem]:
        """Return the problems that are proposed, the latest first."""
        ...

    async def dismiss(self, key: str, reason: str, actor: str) -> ProposedProblem:
        """Decide that a proposal is none; it is not made again before as many new incidents came."""
        ...

    async def answer_survey(
        self, incident_id: str, *, score: int, comment: str, command_id: str, actor: str, for_others: bool
    ) -> Record:
        """Keep an answer; for_others: the actor may write down what somebody else said."""
        ...

    async def survey_figures(self, start: UnixSeconds, end: UnixSeconds) -> SurveyFigures:
        """Return what the surveys came to whose invitation went out in [start, end)."""
        ...

    async def change_figures(self, start: UnixSeconds, end: UnixSeconds) -> ChangeFigures:
        """Return the figures of the changes that ended in [start, end)."""
        ...
