"""Commands of btimctl: the figures of handling."""

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.console import RenderableType

from btimd.api import calls_figures as calls
from btimd.api.client import Page
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_history import add_window, window_of
from btimd.cli.ctl_text import clean
from btimd.cli.figures_rows import cause_rows, figure_rows, group_rows, people_rows, reliability_rows, trend_rows
from btimd.cli.figures_tables import (
    causes_table,
    coverage_line,
    figures_picture,
    groups_picture,
    people_table,
    reliability_table,
    trend_picture,
)
from btimd.cli.figures_words import LANGUAGES
from btimd.model.qualityview import FigureGroup, FigureQuery

_GROUPS: Final = [one.value for one in FigureGroup]
_CAUSES_OF: Final = [FigureGroup.BUSINESS.value, FigureGroup.NODE.value, FigureGroup.CLASS.value]


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    top = add("figures", _figures, "the figures of handling: first-time fix, response, resolution, satisfaction, MTTR")
    what = top.add_subparsers(dest="what", required=True, metavar="WHAT")
    whole = what.add_parser("all", help="every figure of a window")
    by = what.add_parser("by", help="the main figures of each group")
    by.add_argument("group_by", choices=_GROUPS)
    people = what.add_parser("people", help="what single persons did; needs the role manager")
    causes = what.add_parser("causes", help="weak spots: what brings the most incidents")
    trend = what.add_parser("trend", help="opened incidents per day or hour, with what is to be expected")
    trend.add_argument("--by", choices=_GROUPS, default=FigureGroup.PRIORITY.value)
    trend.add_argument("--bucket", type=seconds_of, default=86_400.0, metavar="DURATION", help="1d or 1h; default 1d")
    trend.add_argument("--ahead", type=int, default=0, metavar="N", help="buckets to foretell; default 7")
    for made in (whole, by, people, causes, trend):
        add_window(made, "30d")
        made.add_argument("--business", default="", metavar="ID")
        made.add_argument("--group", default="", metavar="GROUP")
        made.add_argument("--person", default="", metavar="PERSON", help="needs the role manager")
        made.add_argument("--class", dest="category", default="", metavar="CLASS")
        made.add_argument("--node", default="", metavar="NODE")
    reliable = what.add_parser("reliability", help="MTTR, MTBF, MTBSI and availability, in whole calendar months")
    reliable.add_argument("group_by", nargs="?", choices=_CAUSES_OF, default=FigureGroup.BUSINESS.value)
    add_window(reliable, "30d")
    for made in (whole, by, people, causes, trend, reliable):
        made.add_argument("--csv", action="store_true", help="as CSV for a spreadsheet; empty: not known")
        made.add_argument("--language", choices=LANGUAGES, default="en", help="of the names of figures")
    for made in (by, people, causes, reliable):
        made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a command found. things: for programs; rows: for spreadsheets; nothing: what to say where there is none."""

    things: Sequence[Any]
    rows: Iterable[Sequence[Any]]
    picture: Callable[[], RenderableType]
    nothing: str = "nothing happened in that time"
    more: bool = False


def _figures(asking: Asking, args: argparse.Namespace) -> int:
    answer = _MAKERS[args.what](asking, args)
    if args.csv:
        _csv(answer.rows)
    else:
        asking.out.page(Page(answer.things, more=False), lambda _: answer.picture(), answer.nothing)
    if answer.more:
        sys.stderr.write("btimctl: there is more; ask for it with --limit\n")
    return 0


def _query(asking: Asking, args: argparse.Namespace) -> FigureQuery:
    start, end = window_of(args, asking.clock.wall())
    return FigureQuery(start, end, args.business, args.group, args.person, args.category, args.node)


def _all(asking: Asking, args: argparse.Namespace) -> _Answer:
    figures, coverage = calls.work_figures(asking.client, _query(asking, args))
    return _Answer(
        (figures, coverage),
        figure_rows(figures, args.language),
        lambda: figures_picture(figures, coverage, args.language),
    )


def _by(asking: Asking, args: argparse.Namespace) -> _Answer:
    query = _query(asking, args)
    page, coverage = calls.group_figures(asking.client, query, FigureGroup(args.group_by), args.limit)
    return _Answer(
        page.items,
        group_rows(page.items, args.language),
        lambda: groups_picture(page.items, args.group_by, coverage_line(coverage, query), args.language),
        more=page.more,
    )


def _people(asking: Asking, args: argparse.Namespace) -> _Answer:
    figures, _ = calls.work_figures(asking.client, _query(asking, args))
    people = figures.people[: args.limit or None]
    return _Answer(
        people,
        people_rows(people, args.language),
        lambda: people_table(people, args.language),
        "nobody worked on incidents in that time, or your role is below manager",
        more=len(people) < len(figures.people),
    )


def _causes(asking: Asking, args: argparse.Namespace) -> _Answer:
    figures, _ = calls.work_figures(asking.client, _query(asking, args))
    causes = figures.causes[: args.limit or None]
    return _Answer(
        causes,
        cause_rows(causes, args.language),
        lambda: causes_table(causes, args.language),
        more=len(causes) < len(figures.causes),
    )


def _trend(asking: Asking, args: argparse.Namespace) -> _Answer:
    bucket = max(round(args.bucket), 1)
    query = _query(asking, args)
    # whole buckets that are over: one that goes on would look like a drop
    count = max(int((query.end - query.start) // bucket), 1)
    end = query.end // bucket * bucket
    query = replace(query, start=end - count * bucket, end=end)
    trend, coverage = calls.incident_trend(
        asking.client, query, FigureGroup(args.by), bucket_seconds=bucket, ahead=args.ahead
    )
    return _Answer(
        (trend, coverage),
        trend_rows(trend, bucket, args.language),
        lambda: trend_picture(trend, bucket, coverage_line(coverage, query), args.language),
    )


def _reliability(asking: Asking, args: argparse.Namespace) -> _Answer:
    start, end = window_of(args, asking.clock.wall())
    page = calls.reliability(asking.client, start, end, FigureGroup(args.group_by), args.limit)
    return _Answer(
        page.items,
        reliability_rows(page.items, args.language),
        lambda: reliability_table(page.items, args.language),
        "nothing is on record for that time",
        more=page.more,
    )


_MAKERS: Final[Mapping[str, Callable[[Asking, argparse.Namespace], _Answer]]] = {
    "all": _all, "by": _by, "people": _people, "causes": _causes, "trend": _trend, "reliability": _reliability,
}  # fmt: skip


def _csv(rows: Iterable[Sequence[Any]]) -> None:
    """Write rows for a spreadsheet; a text that a spreadsheet would reckon with is kept a text."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
