"""KnowledgeService: articles, searched, written, reviewed, published."""

from typing import Any, Final

import grpc

from btimd.api.auth import Caller, Role
from btimd.api.convert_knowledge import (
    ARTICLE,
    ARTICLE_LANGUAGE,
    ARTICLE_MATCH,
    ARTICLE_STATE,
    ARTICLE_TEXT,
    RECORD_EVENT,
    USE_OUTCOME,
    found_to_pb,
)
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.knowledgerules import MAX_TEXT, command_of, name, names, refusals, text
from btimd.api.pb import knowledge_pb2 as pb
from btimd.api.requests import bounded, command_id, in_range, named, page_of
from btimd.api.rpc import Service
from btimd.model.knowledge import Article, ArticleQuery, ArticleState, Record, RecordKind
from btimd.model.knowledgework import ArticleText, KnowledgeView, RecordAction, RecordCommand

_HITS: Final = 10
_MOST_HITS: Final = 200
_MATCHES: Final = 5
_MOST_MATCHES: Final = 20
_MAX_QUERY: Final = 500


def knowledge_service(view: KnowledgeView) -> Service:
    """Return the service of a view; while the knowledge base is not to be had each call says so."""
    return Service(pb.DESCRIPTOR.services_by_name["KnowledgeService"], KnowledgeServicer(view), ("itsm",))


class KnowledgeServicer:
    """Serves articles; the person behind the token is the actor of what is changed."""

    def __init__(self, view: KnowledgeView) -> None:
        self._view = view

    async def search_articles(self, request: pb.SearchArticlesRequest, caller: Caller) -> pb.SearchArticlesResponse:
        """Return articles, best first; what is not published only to those who write."""
        states = tuple(ARTICLE_STATE.from_pb(number) for number in request.states) or (ArticleState.PUBLISHED,)
        if any(state is not ArticleState.PUBLISHED for state in states) and not _may_write(caller):
            raise ApiError(
                grpc.StatusCode.PERMISSION_DENIED,
                "NOT_PUBLISHED",
                "articles that are not published are for handlers without a scope; ask for published ones",
            )
        limit = in_range("limit", request.limit, _MOST_HITS) or _HITS
        query = ArticleQuery(
            text=bounded("text", request.text, _MAX_QUERY),
            category=name(request, "category"),
            node=name(request, "node"),
            node_kind=name(request, "node_kind"),
            language=ARTICLE_LANGUAGE.from_pb(request.language) if request.language else None,
            states=states,
            limit=min(limit + 1, _MOST_HITS),
        )
        with refusals():
            page, more = page_of(await self._view.search(query), limit)
        return pb.SearchArticlesResponse(found=[found_to_pb(one) for one in page], more=more)

    async def get_incident_help(self, request: pb.GetIncidentHelpRequest, caller: Caller) -> pb.GetIncidentHelpResponse:
        """Return what may help with an incident that the caller may see."""
        incident_id = named(request, "incident_id")
        limit = in_range("limit", request.limit, _MOST_MATCHES) or _MATCHES
        with refusals():
            found = await self._view.help_with(incident_id, limit)
        if found is None or not caller.scope.allows(found.businesses, found.regions):
            raise not_found("incident", incident_id)
        known = found.known_error
        response = pb.GetIncidentHelpResponse(articles=[ARTICLE_MATCH.to_pb(one) for one in found.articles])
        if known is not None:
            response.known_error_id, response.known_error_title = known.id, known.title
            response.known_error_cause, response.known_error_workaround = known.cause, known.workaround
        return response

    async def get_article(self, request: pb.GetArticleRequest, caller: Caller) -> pb.GetArticleResponse:
        """Return one article with its history; what is not published is not there for others than handlers."""
        article_id = named(request, "article_id")
        with refusals():
            found = await self._view.record(RecordKind.ARTICLE, article_id)
        article = None if found is None else found[0]
        hidden = isinstance(article, Article) and article.state is not ArticleState.PUBLISHED
        if found is None or not isinstance(article, Article) or (hidden and not _may_write(caller)):
            raise not_found("article", article_id)
        return pb.GetArticleResponse(
            article=ARTICLE.to_pb(article), history=[RECORD_EVENT.to_pb(event) for event in found[1]]
        )

    async def draft_article(self, request: pb.DraftArticleRequest, caller: Caller) -> pb.DraftArticleResponse:
        """Make a new article."""
        command = RecordCommand(
            action=RecordAction.DRAFT_ARTICLE,
            command_id=command_id(request),
            text=_text(request),
            incident_id=name(request, "source_incident"),
            replaces=name(request, "replaces"),
        )
        return pb.DraftArticleResponse(article=await self._act(command, caller))

    async def draft_article_of_problem(
        self, request: pb.DraftArticleOfProblemRequest, caller: Caller
    ) -> pb.DraftArticleOfProblemResponse:
        """Make an article of a known error."""
        with refusals():
            made = await self._view.draft_of_problem(named(request, "problem_id"), command_id(request), caller.person)
        return pb.DraftArticleOfProblemResponse(article=_article(made))

    async def edit_article(self, request: pb.EditArticleRequest, caller: Caller) -> pb.EditArticleResponse:
        """Change a draft."""
        return pb.EditArticleResponse(
            article=await self._on_article(RecordAction.EDIT_ARTICLE, request, caller, text=_text(request))
        )

    async def submit_article(self, request: pb.SubmitArticleRequest, caller: Caller) -> pb.SubmitArticleResponse:
        """Have a draft reviewed."""
        return pb.SubmitArticleResponse(article=await self._on_article(RecordAction.SUBMIT_ARTICLE, request, caller))

    async def review_article(self, request: pb.ReviewArticleRequest, caller: Caller) -> pb.ReviewArticleResponse:
        """Agree with a draft."""
        return pb.ReviewArticleResponse(article=await self._on_article(RecordAction.REVIEW_ARTICLE, request, caller))

    async def reject_article(self, request: pb.RejectArticleRequest, caller: Caller) -> pb.RejectArticleResponse:
        """Send a draft back."""
        return pb.RejectArticleResponse(article=await self._on_article(RecordAction.REJECT_ARTICLE, request, caller))

    async def publish_article(self, request: pb.PublishArticleRequest, caller: Caller) -> pb.PublishArticleResponse:
        """Give an article to everybody."""
        return pb.PublishArticleResponse(article=await self._on_article(RecordAction.PUBLISH_ARTICLE, request, caller))

    async def retire_article(self, request: pb.RetireArticleRequest, caller: Caller) -> pb.RetireArticleResponse:
        """Take an article out of use."""
        return pb.RetireArticleResponse(article=await self._on_article(RecordAction.RETIRE_ARTICLE, request, caller))

    async def use_article(self, request: pb.UseArticleRequest, caller: Caller) -> pb.UseArticleResponse:
        """Keep what became of an article in an incident."""
        if not request.outcome:
            raise invalid("outcome", "must be given: used, helped or failed")
        made = await self._on_article(
            RecordAction.USE_ARTICLE,
            request,
            caller,
            incident_id=named(request, "incident_id"),
            outcome=USE_OUTCOME.from_pb(request.outcome),
        )
        return pb.UseArticleResponse(article=made)

    async def _on_article(self, action: RecordAction, request: Any, caller: Caller, **said: Any) -> pb.Article:
        return await self._act(command_of(action, request, record_id=named(request, "article_id"), **said), caller)

    async def _act(self, command: RecordCommand, caller: Caller) -> pb.Article:
        with refusals():
            return _article(await self._view.act(command, caller.person))


def _may_write(caller: Caller) -> bool:
    """Tell whether a caller sees what is not published; articles belong to no business, so a scope shuts that out."""
    return caller.role >= Role.HANDLER and caller.scope.is_all


def _article(record: Record) -> pb.Article:
    if not isinstance(record, Article):
        raise TypeError(f"{record.id} is no article")
    return ARTICLE.to_pb(record)


def _text(request: Any) -> ArticleText:
    if not request.HasField("text"):
        raise invalid("text", "must be given")
    given = request.text
    for field in ("symptom", "cause", "workaround", "solution"):
        text(given, field)
    for field in ("nodes", "kinds", "signatures", "keywords"):
        names(given, field)
    bounded("title", given.title, MAX_TEXT)
    if not given.language:
        given.language = ARTICLE_LANGUAGE.to_pb(ArticleText(title="").language)
    return ARTICLE_TEXT.from_pb(given)
