"""Commands of btimctl: what was promised and kept, what was put right, and service calendars."""

import argparse
import csv
import io
import sys
import uuid
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from btimd.api.calls_agreements import (
    agreements,
    calendar,
    contributions,
    periods,
    revise_account,
    revisions,
    standings,
    statement,
)
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_leveltables import (
    agreement_picture,
    agreements_table,
    calendar_picture,
    contributions_table,
    periods_picture,
    revision_picture,
    revisions_table,
    standings_picture,
)
from btimd.cli.ctl_tables import Tables
from btimd.cli.ctl_text import clean, full_moment
from btimd.cli.ctl_when import when
from btimd.model.agreement import OutageChange, PeriodFigures
from btimd.model.sla import Availability

CSV_COLUMNS: Final = (
    "agreement", "subject", "period_start", "period_end", "status", "availability", "coverage", "agreed_seconds",
    "excluded_seconds", "up_seconds", "down_seconds", "unknown_seconds", "planned_down_seconds", "failures",
    "mttr_seconds", "mtbf_seconds", "error_budget_seconds", "budget_used", "user_minutes_lost",
    "user_minutes_coverage", "by_cause", "by_supplier",
)  # fmt: skip


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("sla", _sla, "what was promised, and what was kept; alone: the state of every business")
    what = made.add_subparsers(dest="what", metavar="WHAT")
    what.add_parser("watch", help="the state of every business, then the changes")
    one = what.add_parser("agreements", help="what was agreed, and whether it adds up")
    one.add_argument("agreement", nargs="?", metavar="AGREEMENT", help="one, to see all of it")
    one = what.add_parser("standings", help="how every agreement stands: budget, alarms, forecast, incidents")
    one.add_argument("agreement", nargs="?", metavar="AGREEMENT")
    one = what.add_parser("periods", help="past months (weeks, quarters, years) of an agreement")
    _of(one)
    one.add_argument("--csv", action="store_true", help="as a table for a spreadsheet, times in seconds")
    one = what.add_parser("causes", help="what each component took from the availability")
    _of(one)
    one.add_argument("--periods", type=int, default=0, metavar="N", help="of the latest so many; default 12")
    one = what.add_parser("say", help="what was kept, in words without technical terms")
    _of(one)
    one.add_argument("--at", type=when, metavar="WHEN", help="in the period of this moment; default now")
    one.add_argument("--language", choices=("en", "zh"), default="en")
    one = what.add_parser("revisions", help="what was put right, by whom and why, and what that changed")
    one.add_argument("--business", metavar="ID")
    one.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    _revise(what.add_parser("revise", help="put right what a stretch of time of a business really was"))
    made = add("calendar", _calendar, "the open hours of a service calendar, day by day")
    made.add_argument("name", nargs="?", default="always", metavar="NAME", help="without one: the names there are")
    made.add_argument("--from", dest="first", type=when, metavar="WHEN", help="from this day on; default today")
    made.add_argument("--days", type=int, default=0, metavar="N", help="so many days, up to 400; default 14")


def _of(made: argparse.ArgumentParser) -> None:
    made.add_argument("agreement", metavar="AGREEMENT")
    made.add_argument("--subject", metavar="ID", help="one business of it")


def _revise(made: argparse.ArgumentParser) -> None:
    made.add_argument("business", metavar="BUSINESS")
    made.add_argument("--from", dest="start", type=when, required=True, metavar="WHEN")
    made.add_argument("--to", dest="end", type=when, required=True, metavar="WHEN")
    made.add_argument("--why", required=True, metavar="TEXT")
    made.add_argument("--was", choices=[one.value for one in Availability], help="its condition")
    made.add_argument("--cause", metavar="NODE", help="the cause of the outages in it")
    made.add_argument("--supplier", metavar="NAME", help="who outside caused them")
    planned = made.add_mutually_exclusive_group()
    planned.add_argument("--planned", dest="planned", action="store_const", const=True, help="they were planned")
    planned.add_argument("--unplanned", dest="planned", action="store_const", const=False, help="they were not")
    made.add_argument("--users", type=int, metavar="N", help="on line before them")
    made.add_argument("--command-id", default="", metavar="ID", help="the same for a repeat")


def _sla(asking: Asking, args: argparse.Namespace) -> int:
    if args.what is None or args.what == "watch":
        tables = Tables()
        if args.what == "watch":
            asking.out.follow(asking.client.watch_sla_states(), tables.sla_states)
        else:
            asking.out.page(asking.client.sla_states(), tables.sla_states, "nothing was promised")
        return 0
    return _ASKED[args.what](asking, args)


def _agreements(asking: Asking, args: argparse.Namespace) -> int:
    page = agreements(asking.client)
    if args.agreement is None:
        asking.out.page(page, agreements_table, "there are no agreements")
        return 0
    found = [one for one in page.items if one.name == args.agreement]
    if not found:
        sys.stderr.write(f"btimctl: there is no agreement {clean(args.agreement)!r}\n")
        return 1
    asking.out.write(found, lambda: agreement_picture(found[0]))
    return 0


def _standings(asking: Asking, args: argparse.Namespace) -> int:
    page = standings(asking.client, args.agreement)
    asking.out.page(page, standings_picture, "no agreement is in force")
    return 0


def _periods(asking: Asking, args: argparse.Namespace) -> int:
    page = periods(asking.client, args.agreement, args.subject)
    if args.csv:
        sys.stdout.write(periods_csv(page.items))
        return 0
    asking.out.page(page, periods_picture, "nothing is known of it yet")
    return 0


def _causes(asking: Asking, args: argparse.Namespace) -> int:
    page = contributions(asking.client, args.agreement, args.subject, args.periods)
    asking.out.page(page, contributions_table, "it was never down")
    return 0


def _say(asking: Asking, args: argparse.Namespace) -> int:
    at = None if args.at is None else args.at(asking.clock.wall())
    text = statement(asking.client, args.agreement, args.language, subject=args.subject, at=at)
    asking.out.write([{"agreement": args.agreement, "text": text}], lambda: Text(clean(text)))
    return 0


def _revisions(asking: Asking, args: argparse.Namespace) -> int:
    asking.out.page(revisions(asking.client, args.business, args.limit), revisions_table, "nothing was put right")
    return 0


def _put_right(asking: Asking, args: argparse.Namespace) -> int:
    now = asking.clock.wall()
    change = OutageChange(
        availability=None if args.was is None else Availability(args.was),
        cause=args.cause,
        supplier=args.supplier,
        planned=args.planned,
        users=args.users,
    )
    entry = revise_account(
        asking.client,
        args.command_id or uuid.uuid4().hex,
        args.business,
        args.start(now),
        args.end(now),
        change,
        args.why,
    )
    asking.out.write([entry], lambda: revision_picture(entry))
    return 0


_ASKED: Final = {
    "agreements": _agreements,
    "standings": _standings,
    "periods": _periods,
    "causes": _causes,
    "say": _say,
    "revisions": _revisions,
    "revise": _put_right,
}


def _calendar(asking: Asking, args: argparse.Namespace) -> int:
    first = None if args.first is None else args.first(asking.clock.wall())
    found, names = calendar(asking.client, args.name, first, args.days)
    asking.out.write([found], lambda: calendar_picture(found, names))
    return 0


def periods_csv(found: Sequence[PeriodFigures]) -> str:
    """Return periods as CSV (RFC 4180) with a heading; moments in RFC 3339, causes as "node 120.0 s; ..."."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for one in found:
        writer.writerow([_cell(one, name) for name in CSV_COLUMNS])
    return text.getvalue()


def _cell(one: PeriodFigures, name: str) -> str:
    value = getattr(one, name)
    if name in {"period_start", "period_end"}:
        return full_moment(value)
    if name in {"by_cause", "by_supplier"}:
        return "; ".join(f"{_harmless(share.key) or 'unknown'} {share.down_seconds:.1f} s" for share in value)
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else _harmless(str(value))


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, and that steers no terminal."""
    text = clean(text).replace("\n", " ")
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
