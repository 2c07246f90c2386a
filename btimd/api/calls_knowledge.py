"""Calls of KnowledgeService, ProblemsService and SurveysService."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from btimd.api.client import Client, Page
from btimd.api.codec import timestamp_of_seconds
from btimd.api.convert_knowledge import (
    ARTICLE,
    ARTICLE_LANGUAGE,
    ARTICLE_MATCH,
    ARTICLE_STATE,
    ARTICLE_TEXT,
    CHANGE,
    CHANGE_FIGURES,
    CHANGE_STATE,
    PROBLEM,
    PROBLEM_STATE,
    PROPOSED_PROBLEM,
    RECORD_EVENT,
    SURVEY,
    SURVEY_FIGURES,
    SURVEY_STATE,
    USE_OUTCOME,
)
from btimd.api.pb import knowledge_pb2, problems_pb2, surveys_pb2
from btimd.model.knowledge import (
    Article,
    ArticleHit,
    ArticleMatch,
    ArticleQuery,
    Change,
    ChangeState,
    Problem,
    ProblemState,
    RecordEvent,
    Survey,
    SurveyFigures,
    SurveyState,
    UseOutcome,
)
from btimd.model.knowledgework import ArticleText, ChangeFigures, FoundArticle, ProposedProblem
from btimd.model.units import UnixSeconds


@dataclass(frozen=True, slots=True)
class Help:
    """What may help with an incident. known_error_id: empty where it is no case of one."""

    articles: Sequence[ArticleMatch]
    known_error_id: str
    known_error_title: str
    known_error_cause: str
    known_error_workaround: str


# Articles.


def search(client: Client, query: ArticleQuery) -> Page[FoundArticle]:
    """Return articles, best first."""
    request = knowledge_pb2.SearchArticlesRequest(
        text=query.text,
        category=query.category,
        node=query.node,
        node_kind=query.node_kind,
        language=ARTICLE_LANGUAGE.to_pb(query.language),  # type: ignore[arg-type]  # a number
        states=[ARTICLE_STATE.to_pb(state) for state in query.states],  # type: ignore[misc]  # numbers
        limit=query.limit,
    )
    return client.page("SearchArticles", request, "found", _found)


def _found(message: knowledge_pb2.FoundArticle) -> FoundArticle:
    article = ARTICLE.from_pb(message.article)
    hit = ArticleHit(article, message.relevance, message.every_word, message.excerpt)
    return FoundArticle(hit, tuple(message.why))


def incident_help(client: Client, incident_id: str, limit: int = 0) -> Help:
    """Return what may help with an incident."""
    request = knowledge_pb2.GetIncidentHelpRequest(incident_id=incident_id, limit=limit)
    found = client.call("GetIncidentHelp", request)
    return Help(
        tuple(ARTICLE_MATCH.from_pb(one) for one in found.articles),
        found.known_error_id,
        found.known_error_title,
        found.known_error_cause,
        found.known_error_workaround,
    )


def article(client: Client, article_id: str) -> tuple[Article, Sequence[RecordEvent]]:
    """Return one article with its history."""
    found = client.call("GetArticle", knowledge_pb2.GetArticleRequest(article_id=article_id))
    return ARTICLE.from_pb(found.article), [RECORD_EVENT.from_pb(one) for one in found.history]


def draft(
    client: Client, text: ArticleText, command_id: str, *, source_incident: str = "", replaces: str = ""
) -> Article:
    """Make a new article."""
    request = knowledge_pb2.DraftArticleRequest(
        command_id=command_id, text=ARTICLE_TEXT.to_pb(text), source_incident=source_incident, replaces=replaces
    )
    return _article(client, "DraftArticle", request)


def draft_of_problem(client: Client, problem_id: str, command_id: str) -> Article:
    """Make an article of a known error."""
    request = knowledge_pb2.DraftArticleOfProblemRequest(command_id=command_id, problem_id=problem_id)
    return _article(client, "DraftArticleOfProblem", request)


def edit(client: Client, article_id: str, text: ArticleText, command_id: str, expected_version: int = 0) -> Article:
    """Change the text of a draft."""
    request = knowledge_pb2.EditArticleRequest(
        command_id=command_id,
        article_id=article_id,
        expected_version=expected_version,
        text=ARTICLE_TEXT.to_pb(text),
    )
    return _article(client, "EditArticle", request)


_ON_ARTICLE: Final = {
    "submit": ("SubmitArticle", knowledge_pb2.SubmitArticleRequest),
    "review": ("ReviewArticle", knowledge_pb2.ReviewArticleRequest),
    "reject": ("RejectArticle", knowledge_pb2.RejectArticleRequest),
    "publish": ("PublishArticle", knowledge_pb2.PublishArticleRequest),
    "retire": ("RetireArticle", knowledge_pb2.RetireArticleRequest),
}


def on_article(client: Client, what: str, article_id: str, reason: str, command_id: str) -> Article:
    """Submit, review, reject, publish or retire an article."""
    method, request_type = _ON_ARTICLE[what]
    request: Any = request_type(command_id=command_id, article_id=article_id, reason=reason)
    return _article(client, method, request)


def use(client: Client, article_id: str, incident_id: str, outcome: UseOutcome, command_id: str) -> Article:
    """Say what became of an article in an incident."""
    request = knowledge_pb2.UseArticleRequest(
        command_id=command_id,
        article_id=article_id,
        incident_id=incident_id,
        outcome=USE_OUTCOME.to_pb(outcome),  # type: ignore[arg-type]  # a number
    )
    return _article(client, "UseArticle", request)


def _article(client: Client, method: str, request: Message) -> Article:
    return ARTICLE.from_pb(client.call(method, request).article)


# Problems.


def problems(
    client: Client, *, states: Sequence[ProblemState] = (), incident_id: str = "", limit: int = 0
) -> Page[Problem]:
    """Return problems, the latest changed first."""
    request = problems_pb2.ListProblemsRequest(
        states=[PROBLEM_STATE.to_pb(state) for state in states],  # type: ignore[misc]  # numbers
        incident_id=incident_id,
        limit=limit,
    )
    return client.page("ListProblems", request, "problems", PROBLEM.from_pb)


def problem(client: Client, problem_id: str) -> tuple[Problem, Sequence[RecordEvent]]:
    """Return one problem with its history."""
    found = client.call("GetProblem", problems_pb2.GetProblemRequest(problem_id=problem_id))
    return PROBLEM.from_pb(found.problem), [RECORD_EVENT.from_pb(one) for one in found.history]


def proposals(client: Client) -> Page[ProposedProblem]:
    """Return what is proposed."""
    request = problems_pb2.ListProblemProposalsRequest()
    return client.page("ListProblemProposals", request, "proposals", PROPOSED_PROBLEM.from_pb)


def dismiss(client: Client, key: str, reason: str) -> ProposedProblem:
    """Decide that a proposal is none."""
    request = problems_pb2.DismissProblemProposalRequest(key=key, reason=reason)
    return PROPOSED_PROBLEM.from_pb(client.call("DismissProblemProposal", request).proposal)


_ON_PROBLEM: Final = {
    "open": ("OpenProblem", problems_pb2.OpenProblemRequest),
    "investigate": ("InvestigateProblem", problems_pb2.InvestigateProblemRequest),
    "note": ("NoteProblem", problems_pb2.NoteProblemRequest),
    "known-error": ("SetKnownError", problems_pb2.SetKnownErrorRequest),
    "rfc": ("RaiseChangeRequest", problems_pb2.RaiseChangeRequestRequest),
    "close": ("CloseProblem", problems_pb2.CloseProblemRequest),
    "link": ("LinkIncident", problems_pb2.LinkIncidentRequest),
    "unlink": ("UnlinkIncident", problems_pb2.UnlinkIncidentRequest),
}


def on_problem(client: Client, what: str, command_id: str, **said: Any) -> Problem:
    """Open a problem, or do one of its steps; `said` are the fields of the request."""
    method, request_type = _ON_PROBLEM[what]
    request: Any = request_type(command_id=command_id, **said)
    return PROBLEM.from_pb(client.call(method, request).problem)


def change_request_text(client: Client, problem_id: str, *, change: str = "", risk: str = "") -> str:
    """Return the text of a request for change."""
    request = problems_pb2.GetChangeRequestTextRequest(problem_id=problem_id, change=change, risk=risk)
    return str(client.call("GetChangeRequestText", request).text)


# Changes.


def changes(client: Client, *, states: Sequence[ChangeState] = (), limit: int = 0) -> Page[Change]:
    """Return changes, the latest changed first."""
    request = problems_pb2.ListChangesRequest(
        states=[CHANGE_STATE.to_pb(state) for state in states],  # type: ignore[misc]  # numbers
        limit=limit,
    )
    return client.page("ListChanges", request, "changes", CHANGE.from_pb)


def change(client: Client, change_id: str) -> tuple[Change, Sequence[RecordEvent]]:
    """Return one change with its history."""
    found = client.call("GetChange", problems_pb2.GetChangeRequest(change_id=change_id))
    return CHANGE.from_pb(found.change), [RECORD_EVENT.from_pb(one) for one in found.history]


def plan_change(
    client: Client,
    title: str,
    planned_at: UnixSeconds,
    command_id: str,
    *,
    nodes: Sequence[str] = (),
    problem_id: str = "",
) -> Change:
    """Plan a change."""
    request = problems_pb2.PlanChangeRequest(
        command_id=command_id,
        title=title,
        planned_at=timestamp_of_seconds(planned_at),
        nodes=nodes,
        problem_id=problem_id,
    )
    return CHANGE.from_pb(client.call("PlanChange", request).change)


def end_change(client: Client, change_id: str, outcome: ChangeState, reason: str, command_id: str) -> Change:
    """Say what became of a change."""
    request = problems_pb2.EndChangeRequest(
        command_id=command_id,
        change_id=change_id,
        outcome=CHANGE_STATE.to_pb(outcome),  # type: ignore[arg-type]  # a number
        reason=reason,
    )
    return CHANGE.from_pb(client.call("EndChange", request).change)


def blame_change(client: Client, change_id: str, incident_id: str, reason: str, command_id: str) -> Change:
    """Say which incident a change caused."""
    request = problems_pb2.BlameChangeRequest(
        command_id=command_id, change_id=change_id, incident_id=incident_id, reason=reason
    )
    return CHANGE.from_pb(client.call("BlameChange", request).change)


def change_figures(client: Client, start: UnixSeconds, end: UnixSeconds) -> ChangeFigures:
    """Return how many changes succeeded."""
    request = problems_pb2.GetChangeFiguresRequest(start=timestamp_of_seconds(start), end=timestamp_of_seconds(end))
    return CHANGE_FIGURES.from_pb(client.call("GetChangeFigures", request))


# Surveys.


def surveys(client: Client, *, states: Sequence[SurveyState] = (), limit: int = 0) -> Page[Survey]:
    """Return surveys, the latest changed first."""
    request = surveys_pb2.ListSurveysRequest(
        states=[SURVEY_STATE.to_pb(state) for state in states],  # type: ignore[misc]  # numbers
        limit=limit,
    )
    return client.page("ListSurveys", request, "surveys", SURVEY.from_pb)


def answer_survey(client: Client, incident_id: str, score: int, comment: str, command_id: str) -> Survey:
    """Answer a survey."""
    request = surveys_pb2.AnswerSurveyRequest(
        command_id=command_id, incident_id=incident_id, score=score, comment=comment
    )
    return SURVEY.from_pb(client.call("AnswerSurvey", request).survey)


def survey_figures(client: Client, start: UnixSeconds, end: UnixSeconds) -> SurveyFigures:
    """Return what surveys came to."""
    request = surveys_pb2.GetSurveyFiguresRequest(start=timestamp_of_seconds(start), end=timestamp_of_seconds(end))
    return SURVEY_FIGURES.from_pb(client.call("GetSurveyFigures", request).figures)
