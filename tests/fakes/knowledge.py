"""A KnowledgeView and a QualityView with one of each thing; both note what they were asked."""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from btimd.model.incident import CommandRefusedError, Priority, RefusalCode
from btimd.model.knowledge import (
    Article,
    ArticleHit,
    ArticleMatch,
    ArticleQuery,
    ArticleState,
    Change,
    ChangeState,
    KnowledgeUnavailableError,
    Language,
    Problem,
    ProblemOrigin,
    ProblemState,
    Record,
    RecordEvent,
    RecordKind,
    Survey,
    SurveyFigures,
    SurveyState,
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
from btimd.model.qualityview import (
    FigureCoverage,
    FigureGroup,
    FigureQuery,
    GroupFigures,
    QualityView,
    Reliability,
    Visible,
)
from btimd.model.units import UnixSeconds
from btimd.model.workfigures import (
    CauseFigures,
    ClassFigures,
    Durations,
    ForecastPoint,
    PersonFigures,
    Share,
    Trend,
    TrendSeries,
    Waiting,
    WorkFigures,
)

T0 = 1_700_000_000.0
DAY = 86_400.0

ARTICLE = Article(
    "KB-1", 4, ArticleState.PUBLISHED, Language.ZH, "监听中断", "支付失败", "进程用尽", "重启监听", "调大参数", "database",
    ("ora1",), ("database",), ("ora1/down",), ("TNS-12541",), "INC-1", "KB-0", ("li",), "wang", T0, T0 + 1, T0 + 2,
    T0 + 3, None, "", 3, 1, 1, None,
)  # fmt: skip
DRAFT = replace(ARTICLE, id="KB-2", state=ArticleState.DRAFT, published_at=None, submitted_at=T0)
FOUND = FoundArticle(ArticleHit(ARTICLE, 2.5, True, "监听 中断"), ("all of the words", "helped 1 of 2 times"))
EVENT = RecordEvent(RecordKind.ARTICLE, "KB-1", 1, T0, "li", "drafted", "", "draft", "why", "{}", "INC-1", "n", "C1")
PROBLEM = Problem(
    "PRB-1", 3, ProblemState.KNOWN_ERROR, ProblemOrigin.RECURRING, "ora1 dies", "every week", "ora1/down", "ora1",
    ("INC-1", "INC-2"), 2, "wang", "a leak", "restart it", "KB-1", "", T0, T0 + 5, None, None, "",
)  # fmt: skip
CHANGE = Change("CHG-1", 1, ChangeState.PLANNED, "Upgrade", "PRB-1", ("ora1",), T0 + DAY, None, ("INC-9",), "")
SURVEY = Survey("INC-1", 2, SurveyState.ANSWERED, "zhao", T0, None, T0 + 60, 5, "quick")
PROPOSAL = ProposedProblem(
    "ora1/down", "Recurring: ora1", "3 incidents", ProblemOrigin.RECURRING, "ora1", ("INC-1",), T0
)
HELP = IncidentHelp((ArticleMatch(ARTICLE, 0.5, ("the same node: ora1",)),), PROBLEM, ("erp",), ("north",))
SURVEYS = SurveyFigures(4, 2, 1, 1, 6)
CHANGES = ChangeFigures(5, 3, 1, 1, 2)
_BY_KIND: dict[RecordKind, Record] = {
    RecordKind.ARTICLE: ARTICLE, RecordKind.PROBLEM: PROBLEM, RecordKind.CHANGE: CHANGE, RecordKind.SURVEY: SURVEY,
}  # fmt: skip


class FakeKnowledge(KnowledgeView):
    """Answers with the things above. trouble: why it cannot; refusal: what it refuses."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.trouble = ""
        self.refusal: CommandRefusedError | None = None

    def _ask(self, *what: Any) -> None:
        self.asked.append(what if len(what) > 1 else what[0])
        if self.trouble:
            raise KnowledgeUnavailableError(self.trouble)
        if self.refusal is not None:
            raise self.refusal

    @override
    async def search(self, query: ArticleQuery) -> Sequence[FoundArticle]:
        self._ask(query)
        return [FOUND]

    @override
    async def help_with(self, incident_id: str, limit: int) -> IncidentHelp | None:
        self._ask("help", incident_id, limit)
        return HELP if incident_id == "INC-1" else None

    @override
    async def record(self, kind: RecordKind, record_id: str) -> tuple[Record, Sequence[RecordEvent]] | None:
        self._ask("record", kind, record_id)
        found = DRAFT if record_id == DRAFT.id else _BY_KIND[kind]
        return (found, [EVENT]) if record_id == found.id else None

    @override
    async def records(
        self, kind: RecordKind, *, states: Sequence[str], incident_id: str, limit: int
    ) -> Sequence[Record]:
        self._ask("records", kind, tuple(states), incident_id, limit)
        return [_BY_KIND[kind]]

    @override
    async def act(self, command: RecordCommand, actor: str) -> Record:
        self._ask(command, actor)
        name = command.action.value
        kind = (
            RecordKind.CHANGE
            if name.endswith("-change")
            else RecordKind.ARTICLE
            if name.endswith("-article")
            else RecordKind.PROBLEM
        )
        return _BY_KIND[kind]

    @override
    async def draft_of_problem(self, problem_id: str, command_id: str, actor: str) -> Record:
        self._ask("draft-of", problem_id, command_id, actor)
        return DRAFT

    @override
    async def change_request(self, problem_id: str, *, change: str, risk: str) -> str:
        self._ask("rfc", problem_id, change, risk)
        return "Request for change\n"

    @override
    async def proposals(self) -> Sequence[ProposedProblem]:
        self._ask("proposals")
        return [PROPOSAL]

    @override
    async def dismiss(self, key: str, reason: str, actor: str) -> ProposedProblem:
        self._ask("dismiss", key, reason, actor)
        return PROPOSAL

    @override
    async def answer_survey(
        self, incident_id: str, *, score: int, comment: str, command_id: str, actor: str, for_others: bool
    ) -> Record:
        self._ask("answer", incident_id, score, comment, command_id, actor, for_others)
        return SURVEY

    @override
    async def survey_figures(self, start: UnixSeconds, end: UnixSeconds) -> SurveyFigures:
        self._ask("survey-figures", start, end)
        return SURVEYS

    @override
    async def change_figures(self, start: UnixSeconds, end: UnixSeconds) -> ChangeFigures:
        self._ask("change-figures", start, end)
        return CHANGES


TOOK = Durations(4, 1, 90.0, 60.0, 240.0)
FIGURES = WorkFigures(
    start=T0, end=T0 + 30 * DAY, opened=9, resolved=8, closed=7, cancelled=1, merged=2, self_cleared=3, reopened=1,
    orders=12, by_priority=MappingProxyType({Priority.P1: 2, Priority.P3: 7}), first_time_fix=Share(5, 7),
    first_dispatch=Share(6, 8, 1), satisfaction=SURVEYS, response=TOOK, response_business=TOOK, resolution=TOOK,
    resolution_business=Durations(), detection=TOOK, cause=TOOK, restoration=TOOK, waiting_response=Waiting(),
    waiting_resolution=Waiting(1, 7200.0), people=(PersonFigures("li", 5, 4, 3, 90, 1),),
    classes=(ClassFigures("database", 5, 4, 6, 90, 1, None),),
    causes=(CauseFigures("", 2, 0.25, Priority.P3, 60.0), CauseFigures("ora1", 6, 0.75, Priority.P1, 3600.0)),
)  # fmt: skip
COVERAGE = FigureCoverage(9, 1, 0, T0 + 15 * DAY, True)
TREND = Trend(
    (T0, T0 + DAY, T0 + 2 * DAY),
    TrendSeries("", (3, 1), (ForecastPoint(2.0, 0.5, 3.5),)),
    (TrendSeries("P1", (2, 0)), TrendSeries("P3", (1, 1))),
)
RELIABLE = Reliability("erp", T0, T0 + DAY, 80_000.0, 400.0, 6_000.0, 2, 0.995, 0.93, 200.0, 40_000.0, 40_200.0)
UNMEASURED = Reliability("hr", T0, T0 + DAY, 0.0, 0.0, DAY, 0, None, 0.0, None, None, None)


class FakeQuality(QualityView):
    """Answers with the figures above."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.sees: Visible = lambda _businesses, _regions: True

    @override
    async def figures(self, query: FigureQuery, visible: Visible) -> tuple[WorkFigures, FigureCoverage]:
        self.asked.append(query)
        self.sees = visible
        if query.business == "nonsense":
            raise ValueError("that makes no sense")
        return FIGURES, COVERAGE

    @override
    async def grouped(
        self, query: FigureQuery, by: FigureGroup, visible: Visible
    ) -> tuple[Sequence[GroupFigures], FigureCoverage]:
        self.asked.append((query, by))
        self.sees = visible
        return [GroupFigures("erp", FIGURES), GroupFigures("hr", FIGURES)], COVERAGE

    @override
    async def trend(
        self, query: FigureQuery, by: FigureGroup, *, bucket: float, ahead: int, visible: Visible
    ) -> tuple[Trend, FigureCoverage]:
        self.asked.append((query, by, bucket, ahead))
        self.sees = visible
        return TREND, COVERAGE

    @override
    async def reliability(
        self, start: UnixSeconds, end: UnixSeconds, by: FigureGroup, visible: Visible
    ) -> Sequence[Reliability]:
        self.asked.append((start, end, by))
        self.sees = visible
        return [RELIABLE, UNMEASURED]


REFUSED = CommandRefusedError(RefusalCode.NOT_ALLOWED_NOW, "KB-1 is retired", ("use",))
ACTIONS = RecordAction
