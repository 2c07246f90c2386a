"""The command `btimctl budget`: what load probes put on whom, and what held them back."""

import argparse
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api import calls_budget as calls
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, quantity
from btimd.model.budget import BudgetReport, BudgetRow, BudgetScope


def budget_table(rows: Sequence[BudgetRow]) -> Table:
    """Show the last minute of scopes: what was asked, how much of the limits that is, and what had to wait."""
    numbers = ("load", "probes", "heavy", "diag", "octets", "now", "waits", "refused")
    table = new_table("scope", "name", *numbers, "state", right=numbers, wide="name")

    def state(row: BudgetRow) -> Text:
        if row.backing_off_seconds > 0:
            return Text(f"✖ backs off {row.backing_off_seconds:.1f} s", style="red")
        if row.troubles:
            return Text(f"▲ {row.troubles} signs of overload", style="yellow")
        if row.refused or row.waits:
            return Text("▲ held back", style="yellow")
        return Text("●", style="green")

    return fill(
        table,
        (
            (
                row.scope.value,
                row.name or "-",
                f"{100 * row.load:.0f} %",
                str(row.probes),
                str(row.heavy),
                str(row.diagnosis),
                quantity(row.octets),
                str(row.in_flight),
                str(row.waits),
                str(row.refused),
                state(row),
            )
            for row in rows
        ),
    )


def limits_text(rows: Sequence[BudgetRow]) -> Text:
    """Say what the first of each scope shown may be asked."""
    said: dict[BudgetScope, str] = {}
    for row in rows:
        limits = [
            f"{row.per_second:g} probes/s" if row.per_second is not None else "",
            f"{row.concurrent} at a time" if row.concurrent is not None else "",
            f"{quantity(row.octets_per_second, 'B')}/s" if row.octets_per_second is not None else "",
        ]
        found = ", ".join(limit for limit in limits if limit)
        if found:
            said.setdefault(row.scope, f"{row.scope.value} {row.name}".rstrip() + f": {found}")
    return Text(clean("; ".join(said.values())), style="bright_black")


def budget_picture(report: BudgetReport) -> Group:
    """Show a report."""
    more = " (more with --limit)" if report.more else ""
    summary = f"{report.scopes} scopes remembered, {report.queued} probes waiting; the last minute{more}"
    return Group(budget_table(report.rows), Text(summary), limits_text(report.rows))


def _budget(asking: Asking, args: argparse.Namespace) -> int:
    scope = None if args.scope is None else BudgetScope(args.scope)
    report = calls.budget(asking.client, scope, args.name, args.limit)
    asking.out.write([report], lambda: budget_picture(report))
    return 0


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("budget", _budget, "who was probed how much in the last minute, and what held probes back")
    made.add_argument("--scope", choices=[one.value for one in BudgetScope], help="only this kind of target or group")
    made.add_argument("--name", default="", metavar="TEXT", help="only names that contain this")
    made.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many, up to 1000; default 20")
