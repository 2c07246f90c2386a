"""Commands of btimctl: maintenance windows and silences, and what they held back."""

import argparse
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from btimd.api.calls_maintenance import declare_maintenance, end_maintenance, maintenance, suppressed_reports
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, moment
from btimd.cli.ctl_when import WEEKDAYS, hours, weekdays, when
from btimd.model.incident import Priority
from btimd.model.maintenance import (
    Matcher,
    NewSuppression,
    Recurrence,
    SuppressedReport,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
    SuppressionView,
)

_DAY: Final = 1440


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    _add(
        add, "maintenance", SuppressionKind.WINDOW, "planned work: no incidents meanwhile, down time counts as planned"
    )
    _add(add, "silence", SuppressionKind.SILENCE, "quiet on purpose: no incidents, or nobody told, for a while")


def _add(add: Add, name: str, kind: SuppressionKind, text: str) -> None:
    made = add(name, _run, text)
    made.set_defaults(kind=kind, past=False, limit=0)
    what = made.add_subparsers(dest="what", metavar="WHAT")
    one = what.add_parser("list", help="those that hold or will (what it does alone)")
    one.add_argument("--past", action="store_true", help="those that are over too")
    one.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    one = what.add_parser("show", help="one, with the troubles it held back")
    one.add_argument("id", metavar="ID")
    one.add_argument("--limit", type=int, default=0, metavar="N")
    one = what.add_parser("end", help="end it now; trouble that lasts becomes an incident")
    one.add_argument("id", metavar="ID")
    one.add_argument("--why", default="", metavar="TEXT")
    if kind is SuppressionKind.WINDOW:
        one.add_argument("--mistake", action="store_true", help="it never held: the accounts forget it too")
    _declare(what.add_parser("add", help="declare one"), kind)


def _declare(one: argparse.ArgumentParser, kind: SuppressionKind) -> None:
    one.add_argument("--why", required=True, metavar="TEXT")
    one.add_argument("--reference", default="", metavar="TEXT", help="a change request, for example")
    for name, text in (
        ("business", "only it is hit"),
        ("node", "it or a part of it is the cause"),
        ("region", "only it is hit"),
    ):
        one.add_argument(f"--{name}", action="append", default=[], metavar="ID", help=f"{text}; repeatable")
    one.add_argument("--from", dest="start", type=when, default=when("now"), metavar="WHEN", help="default: now")
    end = one.add_mutually_exclusive_group()
    end.add_argument("--to", dest="end", type=when, metavar="WHEN")
    end.add_argument("--for", dest="length", type=seconds_of, metavar="DURATION", help="2h, 30m")
    one.add_argument("--days", type=weekdays, default=(), metavar="DAYS", help="again and again: sun, or mon,tue")
    one.add_argument("--hours", type=hours, default=(), metavar="HOURS", help="on these days: 02:00-04:00")
    one.add_argument("--timezone", default="UTC", metavar="NAME", help="of these hours: Asia/Shanghai")
    one.add_argument("--calendar", default="", metavar="NAME", help="again and again, in the open hours of a calendar")
    one.add_argument("--command-id", default="", metavar="ID", help="the same for a repeat")
    one.set_defaults(category=[], word=[], priority=None, notices=False)
    if kind is SuppressionKind.SILENCE:
        one.add_argument("--category", action="append", metavar="NAME", help="of this class of work; repeatable")
        one.add_argument("--word", action="append", metavar="TEXT", help="the title has it; repeatable")
        names = [priority.name for priority in Priority]
        one.add_argument("--priority", choices=names, help="this one and less urgent ones")
        one.add_argument("--notices", action="store_true", help="incidents are made, but nobody is told")


def _run(asking: Asking, args: argparse.Namespace) -> int:
    if args.what == "add":
        return _tell(
            asking, declare_maintenance(asking.client, args.command_id or uuid.uuid4().hex, _new(asking, args))
        )
    if args.what == "end":
        void = getattr(args, "mistake", False)
        return _tell(asking, end_maintenance(asking.client, args.id, args.why, void=void))
    if args.what == "show":
        (view,) = maintenance(asking.client, suppression_id=args.id, limit=1).items or (None,)
        if view is None:
            asking.out.write([], lambda: Text(clean(f"there is no {args.id}")))
            return 1
        reports = suppressed_reports(asking.client, args.id, args.limit)
        asking.out.write([view, *reports.items], lambda: suppression_picture(view, reports.items))
        return 0
    page = maintenance(asking.client, args.kind, past=args.past, limit=args.limit)
    asking.out.page(page, maintenance_picture, "none holds or will")
    return 0


def _tell(asking: Asking, view: SuppressionView) -> int:
    asking.out.write([view], lambda: suppression_picture(view, ()))
    return 0


def _new(asking: Asking, args: argparse.Namespace) -> NewSuppression:
    now = asking.clock.wall()
    start = args.start(now)
    end = None if args.end is None else args.end(now)
    if args.length is not None:
        end = start + args.length
    recurrence = None
    if args.days or args.hours or args.calendar:
        recurrence = Recurrence(weekdays=args.days, hours=args.hours, timezone=args.timezone, calendar=args.calendar)
    return NewSuppression(
        kind=args.kind,
        effect=SuppressionEffect.NOTICES if args.notices else SuppressionEffect.INCIDENTS,
        matcher=Matcher(
            businesses=tuple(args.business),
            nodes=tuple(args.node),
            regions=tuple(args.region),
            categories=tuple(args.category or ()),
            words=tuple(args.word or ()),
            least_priority=None if args.priority is None else Priority[args.priority],
        ),
        start_at=start,
        end_at=end,
        recurrence=recurrence,
        reason=args.why,
        reference=args.reference,
    )


def maintenance_picture(found: Sequence[SuppressionView]) -> RenderableType:
    """Show windows or silences, one line each, and what is probably not meant."""
    warned = [Text(clean(f"{one.suppression.id} {text}"), style="yellow") for one in found for text in one.warnings]
    return Group(_table(found), *([Text("")] if warned else []), *warned)


def _table(found: Sequence[SuppressionView]) -> Table:
    right = ("held back", "last")
    table = new_table("id", "now", "from", "until", *right, "by", "what and why", right=right, wide="what and why")
    return fill(table, (_row(one) for one in found))


def _row(view: SuppressionView) -> tuple[str | Text, ...]:
    one = view.suppression
    until = one.end_at if one.ended_at is None else one.ended_at
    begins, ends = (view.holds_from, view.holds_until) if view.holds_from is not None else (one.start_at, until)
    holds = {SuppressionEffect.NOTICES: "quiet", SuppressionEffect.ACCOUNTS: "counts"}.get(one.effect, "holds")
    return (
        one.id,
        Text(holds, style="green") if view.active else Text("later" if view.holds_from is not None else "over"),
        moment(begins)[:11],
        moment(ends)[:11],
        str(view.suppressed),
        str(view.lasting),
        one.created_by or "a file",
        f"{one.matcher.text()}: {one.reason}" + (f" ({one.reference})" if one.reference else ""),
    )


def suppression_picture(view: SuppressionView, reports: Sequence[SuppressedReport]) -> RenderableType:
    """Show all of one, and the troubles it held back."""
    lines = [Text(clean(line)) for line in _lines(view)]
    if not reports:
        return Group(*lines)
    table = new_table(
        "first", "last", "times", "became", "cause", "businesses", "title", right=("times",), wide="title"
    )
    rows = fill(
        table,
        (
            (
                moment(one.first_at),
                moment(one.last_at),
                str(one.count),
                one.incident_id or one.state.value,
                one.cause or "-",
                ", ".join(one.businesses) or "-",
                one.title,
            )
            for one in reports
        ),
    )
    return Group(*lines, Text(""), rows)


def _lines(view: SuppressionView) -> Iterator[str]:
    one = view.suppression
    kind = "maintenance window" if one.kind is SuppressionKind.WINDOW else f"silence of {one.effect.value}"
    yield f"{one.id}: {kind}, {'holds now' if view.active else 'does not hold now'}"
    yield f"what      {one.matcher.text()}"
    if one.start_at or one.end_at is not None:
        end = full_moment(one.end_at) if one.end_at is not None else "somebody ends it"
        yield f"from      {full_moment(one.start_at)} until {end}"
    if one.recurrence is not None:
        yield f"again     {recurrence_text(one)}"
    if view.holds_from is not None:
        yield f"{'now' if view.active else 'next':<9} {full_moment(view.holds_from)} to {full_moment(view.holds_until)}"
    yield f"why       {one.reason or '-'}" + (f" ({one.reference})" if one.reference else "")
    if one.created_by:
        yield f"declared  by {one.created_by} at {full_moment(one.created_at)}"
    if one.source:
        yield f"written   {one.source}"
    if one.ended_at is not None:
        yield f"ended     by {one.ended_by} at {full_moment(one.ended_at)}" + (
            f": {one.end_reason}" if one.end_reason else ""
        )
    yield f"held back {view.suppressed} troubles, of which {view.lasting} last"
    yield from (f"warning: {text}" for text in view.warnings)


def recurrence_text(one: Suppression) -> str:
    """Return when it recurs: "sun 02:00-04:00 Asia/Shanghai"."""
    again = one.recurrence
    if again is None:
        return "-"
    if again.calendar:
        return f"in the open hours of calendar {again.calendar}"
    spans = ", ".join(f"{_clock(part.from_minute)}-{_clock(part.to_minute)}" for part in again.hours)
    return f"{', '.join(WEEKDAYS[day] for day in again.weekdays)} {spans} {again.timezone}"


def _clock(minute: int) -> str:
    shown = minute if minute <= _DAY else minute - _DAY
    return f"{shown // 60:02}:{shown % 60:02}"
