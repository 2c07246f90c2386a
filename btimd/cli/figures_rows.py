"""Figures as rows for CSV: the first row names the columns, None is what is not known."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from btimd.cli.figures_words import word
from btimd.model.qualityview import GroupFigures, Reliability
from btimd.model.units import Seconds, UnixSeconds
from btimd.model.workfigures import CauseFigures, Durations, PersonFigures, Share, Trend, WorkFigures

COUNTS: Final = ("opened", "resolved", "closed", "cancelled", "merged", "self_cleared", "reopened", "orders")
SHARES: Final = ("first_time_fix", "first_dispatch")
DURATIONS: Final = (
    "response", "response_business", "resolution", "resolution_business", "detection", "cause", "restoration",
)  # fmt: skip
Rows = Iterator[Sequence[Any]]


def _moment(at: UnixSeconds) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def figure_rows(figures: WorkFigures, language: str) -> Rows:
    """Yield every figure: name, value, count, of, P50, P90 (times in seconds, shares 0 to 1)."""
    yield [word(name, language) for name in ("figure", "value", "count", "of", "p50", "p90")]
    for name in COUNTS:
        yield [word(name, language), getattr(figures, name), None, None, None, None]
    for name in SHARES:
        share: Share = getattr(figures, name)
        yield [word(name, language), share.rate, share.good, share.of, None, None]
    asked = figures.satisfaction
    yield [word("satisfaction", language), asked.satisfaction, asked.satisfied, asked.answered, None, None]
    yield [word("response_rate", language), asked.response_rate, asked.answered, asked.invited, None, None]
    for name in DURATIONS:
        took: Durations = getattr(figures, name)
        yield [word(name, language), took.mean, took.count, took.count + took.unmeasured, took.p50, took.p90]


_GROUP_COLUMNS: Final = (
    "name", "opened", "resolved", "closed", "orders", "first_time_fix", "first_dispatch", "satisfaction",
    "response_rate", "response", "response_business", "resolution", "resolution_business", "restoration",
)  # fmt: skip


def group_rows(groups: Sequence[GroupFigures], language: str) -> Rows:
    """Yield the main figures of each group; times are means in seconds."""
    yield [word(name, language) for name in _GROUP_COLUMNS]
    for group in groups:
        one = group.figures
        yield [
            group.name, one.opened, one.resolved, one.closed, one.orders, one.first_time_fix.rate,
            one.first_dispatch.rate, one.satisfaction.satisfaction, one.satisfaction.response_rate, one.response.mean,
            one.response_business.mean, one.resolution.mean, one.resolution_business.mean, one.restoration.mean,
        ]  # fmt: skip


def people_rows(people: Sequence[PersonFigures], language: str) -> Rows:
    """Yield what each person did."""
    yield [word(one, language) for one in ("person", "orders", "accepted", "resolved", "effort", "effort_unknown")]
    for one in people:
        yield [one.person, one.orders, one.accepted, one.resolved, one.effort_minutes, one.effort_unknown]


def cause_rows(causes: Sequence[CauseFigures], language: str) -> Rows:
    """Yield what each cause brought; the unknown cause has no name."""
    yield [word(one, language) for one in ("cause_name", "incidents", "share", "worst", "seconds")]
    for one in causes:
        yield [one.cause, one.incidents, one.share, one.worst.name, one.seconds]


def reliability_rows(rows: Sequence[Reliability], language: str) -> Rows:
    """Yield how reliable things were; times in seconds."""
    columns = ("name", "from", "until", "availability", "coverage", "failures", "down", "mttr", "mtbf", "mtbsi")
    yield [word(one, language) for one in columns]
    for row in rows:
        yield [
            row.name, _moment(row.start), _moment(row.end), row.availability, row.coverage, row.failures,
            row.down_seconds, row.mttr_seconds, row.mtbf_seconds, row.mtbsi_seconds,
        ]  # fmt: skip


def trend_rows(trend: Trend, bucket: Seconds, language: str) -> Rows:
    """Yield a row per bucket, then per foretold bucket: its beginning, all, each group, expected, low, high."""
    groups = [one.group or word("rest", language) for one in trend.series]
    yield [
        word("bucket", language), word("all", language), *groups,
        *(word(one, language) for one in ("expected", "low", "high")),
    ]  # fmt: skip
    for at, edge in enumerate(trend.edges[:-1]):
        yield [_moment(edge), trend.total.counts[at], *(one.counts[at] for one in trend.series), None, None, None]
    for at, point in enumerate(trend.total.forecast):
        empty = [None] * (1 + len(trend.series))
        yield [_moment(trend.edges[-1] + at * bucket), *empty, point.expected, point.low, point.high]
