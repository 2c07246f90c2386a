"""Calls of QualityService."""

from btimd.api.client import Client, Page
from btimd.api.codec import timestamp_of_seconds
from btimd.api.convert_quality import (
    COVERAGE,
    FIGURE_GROUP,
    QUERY,
    RELIABILITY,
    figures_from_pb,
    group_from_pb,
    trend_from_pb,
)
from btimd.api.pb import quality_pb2 as pb
from btimd.model.qualityview import FigureCoverage, FigureGroup, FigureQuery, GroupFigures, Reliability
from btimd.model.units import UnixSeconds
from btimd.model.workfigures import Trend, WorkFigures

_CALL_SECONDS = 60.0
"""The first request after a start reads all timelines of the window."""


def work_figures(client: Client, query: FigureQuery) -> tuple[WorkFigures, FigureCoverage]:
    """Return the figures of a window."""
    found = client.call("GetWorkFigures", pb.GetWorkFiguresRequest(query=QUERY.to_pb(query)), _CALL_SECONDS)
    return figures_from_pb(found.figures), COVERAGE.from_pb(found.coverage)


def group_figures(
    client: Client, query: FigureQuery, by: FigureGroup, limit: int = 0
) -> tuple[Page[GroupFigures], FigureCoverage]:
    """Return the figures of each group."""
    request = pb.ListGroupFiguresRequest(
        query=QUERY.to_pb(query),
        by=FIGURE_GROUP.to_pb(by),  # type: ignore[arg-type]  # a number
        limit=limit,
    )
    found = client.call("ListGroupFigures", request, _CALL_SECONDS)
    return Page([group_from_pb(one) for one in found.groups], found.more), COVERAGE.from_pb(found.coverage)


def incident_trend(
    client: Client, query: FigureQuery, by: FigureGroup, *, bucket_seconds: int = 0, ahead: int = 0
) -> tuple[Trend, FigureCoverage]:
    """Return opened incidents per bucket."""
    request = pb.GetIncidentTrendRequest(
        query=QUERY.to_pb(query),
        by=FIGURE_GROUP.to_pb(by),  # type: ignore[arg-type]  # a number
        bucket_seconds=bucket_seconds,
        ahead=ahead,
    )
    return trend_from_pb(client.call("GetIncidentTrend", request, _CALL_SECONDS))


def reliability(
    client: Client, start: UnixSeconds, end: UnixSeconds, by: FigureGroup, limit: int = 0
) -> Page[Reliability]:
    """Return MTTR, MTBF and MTBSI."""
    request = pb.ListReliabilityRequest(
        start=timestamp_of_seconds(start),
        end=timestamp_of_seconds(end),
        by=FIGURE_GROUP.to_pb(by),  # type: ignore[arg-type]  # a number
        limit=limit,
    )
    return client.page("ListReliability", request, "rows", RELIABILITY.from_pb)
