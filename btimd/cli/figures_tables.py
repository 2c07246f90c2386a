"""Figures of handling as tables for people. What is not known is said to be so; it is never shown as good."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, moment, percent, span
from btimd.cli.figures_rows import COUNTS, DURATIONS, SHARES
from btimd.cli.figures_words import word
from btimd.model.knowledge import SurveyFigures
from btimd.model.qualityview import FigureCoverage, FigureQuery, GroupFigures, Reliability
from btimd.model.units import Seconds, UnixSeconds
from btimd.model.workfigures import CauseFigures, Durations, PersonFigures, Share, Trend, Waiting, WorkFigures

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_SHOWN_BUCKETS: Final = 60
_WHOLE: Final = 0.9995


def coverage_line(coverage: FigureCoverage, query: FigureQuery | WorkFigures) -> Text:
    """Return how far figures reach, in yellow where that is not all the way."""
    text = Text(f"{coverage.incidents} incidents looked at")
    share = coverage.share_of(query.start, query.end)
    if coverage.known_since is None:
        text.append("; no incident is on record", style="yellow")
    elif share is not None and share < _WHOLE:
        text.append(
            f"; on record since {full_moment(coverage.known_since)}: {percent(share, 0)} of the time asked for",
            style="yellow",
        )
    if coverage.unread:
        text.append(f"; {coverage.unread} could not be read", style="red")
    if coverage.left_out:
        text.append(f"; {coverage.left_out} more are left out", style="red")
    if not coverage.surveys_known:
        text.append("; surveys cannot be read now", style="yellow")
    return text


def figures_picture(figures: WorkFigures, coverage: FigureCoverage, language: str) -> Group:
    """Show every figure of a window."""
    heading = Text(f"{full_moment(figures.start)} - {full_moment(figures.end)}", style="bold")
    counts = Text("  ".join(f"{word(name, language)} {getattr(figures, name)}" for name in COUNTS))
    levels = Text("  ".join(f"{level.name} {opened}" for level, opened in figures.by_priority.items() if opened))
    shares = new_table(word("figure", language), word("value", language), "", right=(word("value", language),))
    rows = [(word(name, language), *_share(getattr(figures, name), language)) for name in SHARES]
    rows += _satisfaction(figures.satisfaction, coverage, language)
    fill(shares, rows)
    columns = [word(one, language) for one in ("mean", "p50", "p90", "count", "unmeasured")]
    took = new_table(word("figure", language), *columns, right=columns)
    fill(took, ((word(name, language), *_durations(getattr(figures, name))) for name in DURATIONS))
    waits = Text(
        "  ".join(
            f"{word(name, language)} {_waiting(getattr(figures, name))}"
            for name in ("waiting_response", "waiting_resolution")
        )
    )
    return Group(heading, coverage_line(coverage, figures), counts, levels, Text(""), shares, Text(""), took, waits)


def _share(share: Share, language: str) -> tuple[str, str]:
    undecided = f", {share.undecided} {word('undecided', language)}" if share.undecided else ""
    rate = "-" if share.rate is None else percent(share.rate)
    return rate, f"{share.good} / {share.of}{undecided}" if share.of else f"{word('none', language)}{undecided}"


def _satisfaction(asked: SurveyFigures, coverage: FigureCoverage, language: str) -> list[tuple[str, str, str]]:
    if not coverage.surveys_known:
        return [(word("satisfaction", language), "?", word("unknown", language))]
    content = _share(Share(asked.satisfied, asked.answered), language)
    answered = _share(Share(asked.answered, asked.invited), language)
    return [(word("satisfaction", language), *content), (word("response_rate", language), *answered)]


def _durations(took: Durations) -> tuple[str, ...]:
    times = (took.mean, took.p50, took.p90)
    return (*(_time(one) for one in times), str(took.count), str(took.unmeasured) if took.unmeasured else "-")


def _time(seconds: Seconds | None) -> str:
    return "-" if seconds is None else span(seconds)


def _waiting(waiting: Waiting) -> str:
    return "0" if waiting.longest is None else f"{waiting.count} ({span(waiting.longest)})"


def groups_picture(groups: Sequence[GroupFigures], by: str, coverage: Text, language: str) -> Group:
    """Show the main figures of each group."""
    names = (
        "opened", "resolved", "orders", "short_fix", "short_dispatch", "short_content", "short_answered",
        "short_response", "short_resolution",
    )  # fmt: skip
    heads = [*(word(one, language) for one in names), "P90"]
    table = new_table(by, *heads, right=heads, wide=by)
    for column in table.columns[1:]:
        column.no_wrap, column.overflow = False, "fold"
    rows = []
    for group in groups:
        one = group.figures
        asked = one.satisfaction
        rows.append(
            (
                group.name or word("unknown", language), str(one.opened), str(one.resolved), str(one.orders),
                _rate(one.first_time_fix.rate), _rate(one.first_dispatch.rate), _rate(asked.satisfaction),
                _rate(asked.response_rate), _time(one.response.mean), _time(one.resolution.mean),
                _time(one.resolution.p90),
            )
        )  # fmt: skip
    return Group(coverage, fill(table, rows))


def _rate(rate: float | None) -> str:
    return "-" if rate is None else percent(rate, 0)


def people_table(people: Sequence[PersonFigures], language: str) -> Table:
    """Show what single persons did."""
    columns = [word(one, language) for one in ("orders", "accepted", "resolved", "effort", "effort_unknown")]
    table = new_table(word("person", language), *columns, right=columns)
    return fill(
        table,
        (
            (one.person, str(one.orders), str(one.accepted), str(one.resolved), str(one.effort_minutes),
             str(one.effort_unknown) if one.effort_unknown else "-")
            for one in people
        ),
    )  # fmt: skip


def causes_table(causes: Sequence[CauseFigures], language: str) -> Table:
    """Show weak spots: what brings the most incidents."""
    columns = [word(one, language) for one in ("incidents", "share", "worst", "seconds")]
    table = new_table(word("cause_name", language), *columns, right=columns, wide=word("cause_name", language))
    return fill(
        table,
        (
            (one.cause or word("unknown", language), str(one.incidents), percent(one.share, 0), one.worst.name,
             span(one.seconds))
            for one in causes
        ),
    )  # fmt: skip


def reliability_table(rows: Sequence[Reliability], language: str) -> Table:
    """Show how reliable things were; how much was measured stands beside."""
    names = ("availability", "coverage", "failures", "down", "mttr", "mtbf", "mtbsi")
    columns = [word(one, language) for one in names]
    table = new_table(word("name", language), word("from", language), word("until", language), *columns, right=columns)
    return fill(
        table,
        (
            (
                row.name or word("unknown", language), _day(row.start), _day(row.end),
                "-" if row.availability is None else percent(row.availability, 3),
                Text(percent(row.coverage), style="default" if (row.coverage or 0) >= _WHOLE else "yellow"),
                str(row.failures), span(row.down_seconds), _time(row.mttr_seconds), _time(row.mtbf_seconds),
                _time(row.mtbsi_seconds),
            )
            for row in rows
        ),
    )  # fmt: skip


def _day(at: UnixSeconds) -> str:
    return full_moment(at)[:10]


def trend_picture(trend: Trend, bucket: Seconds, coverage: Text, language: str) -> Group:
    """Show counts per bucket as bars and sums, and what is to be expected of the buckets after."""
    count = len(trend.edges) - 1
    if count == 0:
        return Group(coverage, Text("no whole bucket of that time is on record", style="yellow"))
    heading = Text(f"{full_moment(trend.edges[0])} - {full_moment(trend.edges[-1])}, {count} x {span(bucket)}", "bold")
    most = max((*trend.total.counts, 1))
    sums = (word("opened", language), f"/ {span(bucket)}")
    table = new_table("", *sums, "", right=sums)
    named = [(word("all", language), trend.total.counts)]
    named += [(one.group or word("rest", language), one.counts) for one in trend.series]
    fill(
        table,
        ((name, str(sum(counts)), f"{sum(counts) / count:.2f}", _bars(counts, most)) for name, counts in named),
    )
    parts: list[Text | Table] = [heading, coverage, table]
    if trend.total.forecast:
        columns = [word(one, language) for one in ("expected", "low", "high")]
        ahead = new_table(word("bucket", language), *columns, right=columns)
        fill(
            ahead,
            (
                (moment(trend.edges[-1] + at * bucket), f"{one.expected:.1f}", f"{one.low:.1f}", f"{one.high:.1f}")
                for at, one in enumerate(trend.total.forecast)
            ),
        )
        parts += [Text(""), ahead]
    else:
        parts.append(Text(clean("too few buckets to foretell anything"), style="yellow"))
    return Group(*parts)


def _bars(counts: Sequence[int], most: int) -> str:
    """Return the latest buckets as blocks; a bucket with any incident is never blank."""
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-one * steps // most)] for one in counts[-_SHOWN_BUCKETS:])
