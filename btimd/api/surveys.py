"""SurveysService: reporters say how content they are."""

from typing import Final

from btimd.api.auth import Caller
from btimd.api.convert_knowledge import SURVEY, SURVEY_FIGURES, SURVEY_STATE
from btimd.api.errors import invalid
from btimd.api.knowledgerules import refusals, text, window
from btimd.api.pb import surveys_pb2 as pb
from btimd.api.requests import command_id, named, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.incident import ActorRole
from btimd.model.knowledge import Record, RecordKind, Survey
from btimd.model.knowledgework import KnowledgeView

_OTHERS: Final = frozenset({ActorRole.DESK, ActorRole.CENTRE})
_SCORES: Final = range(1, 6)


def surveys_service(view: KnowledgeView) -> Service:
    """Return the service of a view; while the knowledge base is not to be had each call says so."""
    return Service(pb.DESCRIPTOR.services_by_name["SurveysService"], SurveysServicer(view), ("itsm",))


class SurveysServicer:
    """Serves surveys."""

    def __init__(self, view: KnowledgeView) -> None:
        self._view = view

    async def list_surveys(self, request: pb.ListSurveysRequest, _caller: Caller) -> pb.ListSurveysResponse:
        """Return surveys."""
        limit = page_limit(request.limit)
        with refusals():
            found = await self._view.records(
                RecordKind.SURVEY,
                states=[SURVEY_STATE.from_pb(number).value for number in request.states],
                incident_id="",
                limit=limit + 1,
            )
        page, more = page_of(found, limit)
        return pb.ListSurveysResponse(surveys=[_survey(one) for one in page], more=more)

    async def answer_survey(self, request: pb.AnswerSurveyRequest, caller: Caller) -> pb.AnswerSurveyResponse:
        """Keep an answer. Who has a scope answers for themselves only, which needs no look at the incident."""
        if request.score not in _SCORES:
            raise invalid("score", f"{request.score} is not from 1 (not content at all) to 5")
        with refusals():
            answered = await self._view.answer_survey(
                named(request, "incident_id"),
                score=request.score,
                comment=text(request, "comment"),
                command_id=command_id(request),
                actor=caller.person,
                for_others=caller.scope.is_all and not _OTHERS.isdisjoint(caller.capacities),
            )
        return pb.AnswerSurveyResponse(survey=_survey(answered))

    async def get_survey_figures(
        self, request: pb.GetSurveyFiguresRequest, _caller: Caller
    ) -> pb.GetSurveyFiguresResponse:
        """Return what surveys came to."""
        start, end = window(request)
        with refusals():
            found = await self._view.survey_figures(start, end)
        return pb.GetSurveyFiguresResponse(figures=SURVEY_FIGURES.to_pb(found))


def _survey(record: Record) -> pb.Survey:
    if not isinstance(record, Survey):
        raise TypeError(f"{record.id} is no survey")
    return SURVEY.to_pb(record)
