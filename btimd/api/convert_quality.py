"""Model <-> protobuf of the figures of handling."""

from types import MappingProxyType
from typing import Any

from btimd.api.codec import Codec, EnumCodec, seconds_of_timestamp, timestamp_of_seconds
from btimd.api.convert import PRIORITY
from btimd.api.convert_knowledge import SURVEY_FIGURES
from btimd.api.pb import quality_pb2 as pb
from btimd.model.qualityview import FigureCoverage, FigureGroup, FigureQuery, GroupFigures, Reliability
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

FIGURE_GROUP = EnumCodec(FigureGroup, pb.DESCRIPTOR.enum_types_by_name["FigureGroup"])
QUERY = Codec(FigureQuery, pb.FigureQuery)
COVERAGE = Codec(FigureCoverage, pb.FigureCoverage)
SHARE = Codec(Share, pb.WorkShare)
WORK_DURATIONS = Codec(Durations, pb.WorkDurations)
WAITING = Codec(Waiting, pb.WorkWaiting)
PERSON = Codec(PersonFigures, pb.PersonFigures)
CLASS = Codec(ClassFigures, pb.ClassFigures)
CAUSE = Codec(CauseFigures, pb.CauseFigures)
RELIABILITY = Codec(Reliability, pb.Reliability)
TREND_FORECAST = Codec(ForecastPoint, pb.TrendForecast)
TREND_SERIES = Codec(TrendSeries, pb.TrendSeries)

_COUNTS = ("opened", "resolved", "closed", "cancelled", "merged", "self_cleared", "reopened", "orders")
_DURATIONS = (
    "response", "response_business", "resolution", "resolution_business", "detection", "cause", "restoration",
)  # fmt: skip
_WAITING = ("waiting_response", "waiting_resolution")
_SHARES = ("first_time_fix", "first_dispatch")


def figures_to_pb(figures: WorkFigures) -> pb.WorkFigures:
    """Return the message of the figures of a window."""
    parts: dict[str, Any] = {
        **{name: getattr(figures, name) for name in _COUNTS},
        **{name: SHARE.to_pb(getattr(figures, name)) for name in _SHARES},
        **{name: WORK_DURATIONS.to_pb(getattr(figures, name)) for name in _DURATIONS},
        **{name: WAITING.to_pb(getattr(figures, name)) for name in _WAITING},
    }
    return pb.WorkFigures(
        start=timestamp_of_seconds(figures.start),
        end=timestamp_of_seconds(figures.end),
        by_priority=[
            pb.PriorityCount(priority=PRIORITY.to_pb(level), opened=opened)  # type: ignore[arg-type]  # a number
            for level, opened in figures.by_priority.items()
        ],
        satisfaction=SURVEY_FIGURES.to_pb(figures.satisfaction),
        people=[PERSON.to_pb(one) for one in figures.people],
        classes=[CLASS.to_pb(one) for one in figures.classes],
        causes=[CAUSE.to_pb(one) for one in figures.causes],
        **parts,
    )


def figures_from_pb(message: pb.WorkFigures) -> WorkFigures:
    """Return the figures of a window."""
    parts: dict[str, Any] = {
        **{name: getattr(message, name) for name in _COUNTS},
        **{name: SHARE.from_pb(getattr(message, name)) for name in _SHARES},
        **{name: WORK_DURATIONS.from_pb(getattr(message, name)) for name in _DURATIONS},
        **{name: WAITING.from_pb(getattr(message, name)) for name in _WAITING},
    }
    return WorkFigures(
        start=seconds_of_timestamp(message.start),
        end=seconds_of_timestamp(message.end),
        by_priority=MappingProxyType({PRIORITY.from_pb(one.priority): one.opened for one in message.by_priority}),
        satisfaction=SURVEY_FIGURES.from_pb(message.satisfaction),
        people=tuple(PERSON.from_pb(one) for one in message.people),
        classes=tuple(CLASS.from_pb(one) for one in message.classes),
        causes=tuple(CAUSE.from_pb(one) for one in message.causes),
        **parts,
    )


def group_to_pb(group: GroupFigures) -> pb.GroupFigures:
    """Return the message of the figures of a group."""
    return pb.GroupFigures(name=group.name, figures=figures_to_pb(group.figures))


def group_from_pb(message: pb.GroupFigures) -> GroupFigures:
    """Return the figures of a group."""
    return GroupFigures(message.name, figures_from_pb(message.figures))


def trend_to_pb(trend: Trend, coverage: FigureCoverage) -> pb.GetIncidentTrendResponse:
    """Return the message of a trend."""
    return pb.GetIncidentTrendResponse(
        edges=[timestamp_of_seconds(edge) for edge in trend.edges],
        total=TREND_SERIES.to_pb(trend.total),
        series=[TREND_SERIES.to_pb(one) for one in trend.series],
        coverage=COVERAGE.to_pb(coverage),
    )


def trend_from_pb(message: pb.GetIncidentTrendResponse) -> tuple[Trend, FigureCoverage]:
    """Return a trend."""
    edges = tuple(seconds_of_timestamp(edge) for edge in message.edges)
    series = tuple(TREND_SERIES.from_pb(one) for one in message.series)
    return Trend(edges, TREND_SERIES.from_pb(message.total), series), COVERAGE.from_pb(message.coverage)
