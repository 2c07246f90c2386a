"""QualityService: the figures of handling, of what the caller may see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import grpc

from btimd.api.auth import Caller, Role
from btimd.api.convert_quality import (
    COVERAGE,
    FIGURE_GROUP,
    QUERY,
    RELIABILITY,
    figures_to_pb,
    group_to_pb,
    trend_to_pb,
)
from btimd.api.errors import ApiError, invalid
from btimd.api.knowledgerules import name, window
from btimd.api.pb import quality_pb2 as pb
from btimd.api.requests import in_range, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.qualityview import FigureGroup, FigureQuery, GroupFigures, QualityView
from btimd.model.workfigures import WorkFigures

_DAY: Final = 86_400
_AHEAD: Final = 7
_MOST_AHEAD: Final = 366
_GROUPS: Final = 100
_MOST_GROUPS: Final = 500
_MOST_BUCKET: Final = 31 * _DAY


def quality_service(view: QualityView) -> Service:
    """Return the service of a view; it needs the incidents."""
    return Service(pb.DESCRIPTOR.services_by_name["QualityService"], QualityServicer(view), ("itsm",))


class QualityServicer:
    """Serves a QualityView."""

    def __init__(self, view: QualityView) -> None:
        self._view = view

    async def get_work_figures(self, request: pb.GetWorkFiguresRequest, caller: Caller) -> pb.GetWorkFiguresResponse:
        """Return the figures of a window."""
        query = _query(request.query, caller)
        with _sense():
            found, coverage = await self._view.figures(query, caller.scope.allows)
        return pb.GetWorkFiguresResponse(
            figures=figures_to_pb(_without_people(found, caller)), coverage=COVERAGE.to_pb(coverage)
        )

    async def list_group_figures(
        self, request: pb.ListGroupFiguresRequest, caller: Caller
    ) -> pb.ListGroupFiguresResponse:
        """Return the figures of each group."""
        query, by = _query(request.query, caller), _by(request.by, caller, FigureGroup.PRIORITY)
        limit = in_range("limit", request.limit, _MOST_GROUPS) or _GROUPS
        with _sense():
            found, coverage = await self._view.grouped(query, by, caller.scope.allows)
        inside = [one for one in found if by is not FigureGroup.BUSINESS or caller.scope.has_business(one.name)]
        page, more = page_of(inside, limit)
        groups = [group_to_pb(GroupFigures(one.name, _without_people(one.figures, caller))) for one in page]
        return pb.ListGroupFiguresResponse(groups=groups, coverage=COVERAGE.to_pb(coverage), more=more)

    async def get_incident_trend(
        self, request: pb.GetIncidentTrendRequest, caller: Caller
    ) -> pb.GetIncidentTrendResponse:
        """Return opened incidents per bucket."""
        query, by = _query(request.query, caller), _by(request.by, caller, FigureGroup.PRIORITY)
        bucket = in_range("bucket_seconds", request.bucket_seconds, _MOST_BUCKET) or _DAY
        ahead = in_range("ahead", request.ahead, _MOST_AHEAD) or _AHEAD
        with _sense():
            found, coverage = await self._view.trend(
                query, by, bucket=float(bucket), ahead=ahead, visible=caller.scope.allows
            )
        if by is FigureGroup.BUSINESS:
            series = tuple(one for one in found.series if not one.group or caller.scope.has_business(one.group))
            found = replace(found, series=series)
        return trend_to_pb(found, coverage)

    async def list_reliability(self, request: pb.ListReliabilityRequest, caller: Caller) -> pb.ListReliabilityResponse:
        """Return MTTR, MTBF and MTBSI."""
        start, end = window(request)
        by = _by(request.by, caller, FigureGroup.BUSINESS)
        limit = page_limit(request.limit)
        with _sense():
            found = await self._view.reliability(start, end, by, caller.scope.allows)
        page, more = page_of(found, limit)
        return pb.ListReliabilityResponse(rows=[RELIABILITY.to_pb(one) for one in page], more=more)


@contextmanager
def _sense() -> Iterator[None]:
    """Turn what makes no sense into ApiError."""
    try:
        yield
    except ValueError as error:
        raise invalid("query", str(error)) from error


def _query(message: pb.FigureQuery, caller: Caller) -> FigureQuery:
    window(message)
    for field in ("business", "group", "person", "category", "node"):
        name(message, field)
    if message.person:
        _need_manager(caller)
    return QUERY.from_pb(message)


def _by(number: int, caller: Caller, default: FigureGroup) -> FigureGroup:
    by: FigureGroup = FIGURE_GROUP.from_pb(number) if number else default
    if by is FigureGroup.PERSON:
        _need_manager(caller)
    return by


def _need_manager(caller: Caller) -> None:
    if caller.role < Role.MANAGER:
        raise ApiError(
            grpc.StatusCode.PERMISSION_DENIED,
            "ROLE_TOO_LOW",
            f"{caller.name} is {caller.role.name.lower()}; figures of single persons need manager",
            metadata={"role": caller.role.name.lower(), "needed": "manager"},
        )


def _without_people(figures: WorkFigures, caller: Caller) -> WorkFigures:
    return figures if caller.role >= Role.MANAGER else replace(figures, people=())
