"""Knowledge: articles, problems, changes and surveys, and what each was through its events (ITIL knowledge, problem).

A record of each kind is what its events add up to (itsm.knowledgesteps): every step makes exactly one RecordEvent, and
the version of the record is the number of its last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias, TypeVar

from btimd.model.units import Ratio, Seconds, UnixSeconds

SECONDS_PER_DAY: Final[Seconds] = 86_400.0
_PRIOR_ANSWERS: Final = 2.0
_PRIOR_HELPED: Final = 1.0


class RecordKind(StrEnum):
    """What a record is."""

    ARTICLE = "article"
    PROBLEM = "problem"
    CHANGE = "change"
    SURVEY = "survey"


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """One line of a record's history: who did what when and why. `seq` counts from 1 per record.

    changes: the changed fields with their new values, a JSON object. about: the incident it is about, where it is.
    note: one word more of what was done: how a use of an article ended. from_state: empty for the first event.
    """

    kind: RecordKind
    record_id: str
    seq: int
    at: UnixSeconds
    actor: str
    action: str
    from_state: str
    to_state: str
    reason: str = ""
    changes: str = "{}"
    about: str = ""
    note: str = ""
    command_id: str = ""


class Language(StrEnum):
    """The language of a text for people."""

    ZH = "zh"
    EN = "en"


class ArticleState(StrEnum):
    """How far a piece of knowledge can be trusted."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Article:
    """What is known of one kind of trouble: how it shows, what helps at once, what ends it.

    category: the class of trouble. nodes, kinds: names of nodes and of kinds of node that it is about. signatures: of
    causes ("erp-db/down", or of a kind of node "kind:database/down"). authors: who wrote any of the text as it stands,
    none of whom may review it. source_incident: the one whose closing report it was made of. replaces: the article
    that it is the new wording of. submitted_at: since when a draft waits for its review.
    used_count: incidents for which somebody took it to hand; helped_count and failed_count: those of them that said
    how that ended; of the others it is not known.
    """

    id: str
    version: int
    state: ArticleState
    language: Language = Language.EN
    title: str = ""
    symptom: str = ""
    cause: str = ""
    workaround: str = ""
    solution: str = ""
    category: str = ""
    nodes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    source_incident: str = ""
    replaces: str = ""
    authors: tuple[str, ...] = ()
    reviewer: str = ""
    created_at: UnixSeconds = 0.0
    changed_at: UnixSeconds = 0.0
    reviewed_at: UnixSeconds | None = None
    published_at: UnixSeconds | None = None
    retired_at: UnixSeconds | None = None
    retired_why: str = ""
    used_count: int = 0
    helped_count: int = 0
    failed_count: int = 0
    submitted_at: UnixSeconds | None = None

    @property
    def success_rate(self) -> Ratio | None:
        """Of the uses of which the end is known, the share that helped; None: of none it is known."""
        answered = self.helped_count + self.failed_count
        return self.helped_count / answered if answered else None

    @property
    def expected_success(self) -> Ratio:
        """The share of further uses to be expected to help: what is known, weighed against one of each before."""
        answered = self.helped_count + self.failed_count
        return (self.helped_count + _PRIOR_HELPED) / (answered + _PRIOR_ANSWERS)


class UseOutcome(StrEnum):
    """What became of an article in one incident."""

    USED = "used"
    HELPED = "helped"
    FAILED = "failed"


class ProblemState(StrEnum):
    """How far the root of incidents is known and dealt with."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    KNOWN_ERROR = "known-error"
    RFC_RAISED = "rfc-raised"
    CLOSED = "closed"


class ProblemOrigin(StrEnum):
    """Why there is a problem record."""

    MANUAL = "manual"
    RECURRING = "recurring"
    UNKNOWN_CAUSE = "unknown-cause"
    PROACTIVE = "proactive"
    """Found before it made an incident: a near miss, a drift, a forecast, a weak spot."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The root of one or more incidents. incidents: the first and the latest of them; incident_count: all.

    key: what its incidents have in common, a fingerprint or "node:" and a node. change_id: of the change that is to
    remove the cause, here or in the company's own system. An incident may close while its problem stays open.
    """

    id: str
    version: int
    state: ProblemState
    origin: ProblemOrigin = ProblemOrigin.MANUAL
    title: str = ""
    description: str = ""
    key: str = ""
    node: str = ""
    incidents: tuple[str, ...] = ()
    incident_count: int = 0
    owner: str = ""
    cause: str = ""
    workaround: str = ""
    article_id: str = ""
    change_id: str = ""
    opened_at: UnixSeconds = 0.0
    known_error_at: UnixSeconds | None = None
    rfc_at: UnixSeconds | None = None
    closed_at: UnixSeconds | None = None
    closing_note: str = ""


class ChangeState(StrEnum):
    """What became of a change."""

    PLANNED = "planned"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    BACKED_OUT = "backed-out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Change:
    """Something about the infrastructure that is to be changed, or was. incidents: those that it caused."""

    id: str
    version: int
    state: ChangeState
    title: str = ""
    problem_id: str = ""
    nodes: tuple[str, ...] = ()
    planned_at: UnixSeconds = 0.0
    ended_at: UnixSeconds | None = None
    incidents: tuple[str, ...] = ()
    note: str = ""


class SurveyState(StrEnum):
    """How far the question is that the reporter of an incident gets."""

    INVITED = "invited"
    REMINDED = "reminded"
    ANSWERED = "answered"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Survey:
    """How content the reporter of an incident is. Its id is that of the incident. score: 1 (not at all) to 5."""

    id: str
    version: int
    state: SurveyState
    person: str = ""
    invited_at: UnixSeconds = 0.0
    reminded_at: UnixSeconds | None = None
    answered_at: UnixSeconds | None = None
    score: int | None = None
    comment: str = ""


Record: TypeAlias = Article | Problem | Change | Survey
RECORD_TYPES: Final[Mapping[RecordKind, type[Record]]] = MappingProxyType({
    RecordKind.ARTICLE: Article, RecordKind.PROBLEM: Problem, RecordKind.CHANGE: Change, RecordKind.SURVEY: Survey,
})  # fmt: skip
R = TypeVar("R", Article, Problem, Change, Survey)


@dataclass(frozen=True, slots=True)
class ArticleQuery:
    """What to look for. text: words as a person types them, empty: whatever the filters leave, newest first.

    category, node, node_kind, language: empty for any. states: which articles may be found.
    """

    text: str = ""
    category: str = ""
    node: str = ""
    node_kind: str = ""
    language: Language | None = None
    states: tuple[ArticleState, ...] = (ArticleState.PUBLISHED,)
    limit: int = 10


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """An article that was found. relevance: 0 for no words asked, else the higher the better.

    every_word: it has all that was asked for, not only some of it. excerpt: the place where the words were found.
    """

    article: Article
    relevance: float
    every_word: bool
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class IncidentLook:
    """What of an incident articles are compared with. signatures: the most exact first."""

    signatures: tuple[str, ...] = ()
    category: str = ""
    nodes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class ArticleMatch:
    """An article that may help with an incident, how well it fits (0..1), and why, in words."""

    article: Article
    fit: Ratio
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurveyFigures:
    """What surveys came to. satisfied: scores of 4 and 5. None: nobody answered, nobody was asked."""

    invited: int = 0
    answered: int = 0
    expired: int = 0
    satisfied: int = 0
    score_sum: int = 0

    @property
    def satisfaction(self) -> Ratio | None:
        """Of those who answered, the share that is content."""
        return self.satisfied / self.answered if self.answered else None

    @property
    def mean_score(self) -> float | None:
        """The mean of the scores given."""
        return self.score_sum / self.answered if self.answered else None

    @property
    def response_rate(self) -> Ratio | None:
        """Of those who were asked, the share that answered so far."""
        return self.answered / self.invited if self.invited else None


class KnowledgeRefusedError(Exception):
    """The knowledge base did not take a write: the record is of another version, or the step was written before."""


class KnowledgeUnavailableError(Exception):
    """The knowledge base cannot be read or written now. Incidents do not depend on it."""


class KnowledgeBase(Protocol):
    """Keeps articles, problems, changes and surveys with their history, and finds articles."""

    async def write(self, steps: Sequence[tuple[Record, RecordEvent]]) -> None:
        """Store steps of one or more records, all or none; raises KnowledgeRefusedError."""
        ...

    async def load(self, kind: RecordKind, record_id: str) -> Record | None:
        """Return a record; None: there is none."""
        ...

    async def load_events(self, kind: RecordKind, record_id: str) -> Sequence[RecordEvent]:
        """Return the history of a record, oldest first."""
        ...

    async def find(
        self,
        kind: RecordKind,
        *,
        states: Sequence[str] = (),
        about: str = "",
        limit: int = 100,
        oldest_first: bool = False,
    ) -> Sequence[Record]:
        """Return records, the latest changed first; states: empty for any; about: those that events tie to an incident.

        oldest_first: those that were left alone the longest come first.
        """
        ...

    async def find_command(self, command_id: str) -> tuple[RecordKind, str] | None:
        """Return the record that a command was carried out on; None: it was not."""
        ...

    async def next_id(self, kind: RecordKind, prefix: str) -> str:
        """Return an id with that prefix and a number after it that no record has yet."""
        ...

    async def use_of(self, article_id: str, incident_id: str) -> UseOutcome | None:
        """Return what became of an article in an incident; None: it was not used there."""
        ...

    async def search(self, query: ArticleQuery) -> Sequence[ArticleHit]:
        """Return articles, best first."""
        ...

    async def candidates(self, look: IncidentLook, limit: int) -> Sequence[ArticleHit]:
        """Return published articles that have a signature, a node, a kind or words of an incident."""
        ...
