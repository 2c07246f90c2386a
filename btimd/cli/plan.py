"""btimd plan: look at an IP plan, check it, compare two, import one, try one out on real flows."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from btimd.cli.common import SubParsers, add_config_option, plain_console, print_json
from btimd.cli.ctl_plan import conflicts_table
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean
from btimd.cli.plan_files import read_plan
from btimd.cli.plan_import import add_import
from btimd.cli.plan_shadow import add_shadow
from btimd.daemon.config import load_config
from btimd.flows.planconflicts import plan_conflicts
from btimd.flows.plandiff import NO_REGION, count_text, diff, is_empty
from btimd.flows.planuse import PlanLine, PlanLines, is_mapped
from btimd.model.planuse import PlanChange

_IPV4_BITS = 32
_FULL_LENGTH = 128


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "plan",
        help="show, check, compare, import or try out an IP plan",
        description="Works on IP plans (ipplan.csv) without a running btimd.",
    )
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    show = what.add_parser("show", help="the lines of the plan with what is in force in each")
    show.add_argument("file", type=Path, nargs="?", help="an ipplan.csv; default: that of the configuration")
    show.set_defaults(run=run_show)
    check = what.add_parser("check", help="what is wrong or doubtful in plan and services; exit status 1 where wrong")
    check.set_defaults(run=run_check)
    for one in (show, check):
        add_config_option(one)
    compare = what.add_parser("diff", help="what a new plan changes; exit status 1 where anything")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    compare.set_defaults(run=run_diff)
    for one in (show, check, compare):
        one.add_argument("--json", action="store_true", help="JSON instead of a table")
    add_import(what)
    add_shadow(what)


def run_show(options: argparse.Namespace) -> int:
    """Print the lines of a plan."""
    entries = read_plan(options.file) if options.file else load_config(options.config).plan_entries
    plan = PlanLines(entries)
    if options.json:
        for line in plan.lines:
            print_json(_line_json(line))
        return 0
    table = new_table("line", "prefix", "addresses", "region", "segment", "person", right=("line", "addresses"))
    depth: list[int] = []
    for line in plan.lines:
        depth.append(depth[line.parent] + 1 if line.parent >= 0 else 0)
    plain_console().print(fill(table, (_line_cells(line, deep) for line, deep in zip(plan.lines, depth, strict=True))))
    return 0


def _line_cells(line: PlanLine, depth: int) -> Sequence[str]:
    bits = _FULL_LENGTH - line.prefix.length
    size = str(1 << bits) if bits <= _IPV4_BITS else f"2^{bits}"
    row = line.row
    return (
        str(line.entry.line), "  " * depth + str(line.prefix), size, row.region, row.segment or "-", row.person or "-",
    )  # fmt: skip


def _line_json(line: PlanLine) -> dict[str, Any]:
    return {
        "line": line.entry.line,
        "prefix": str(line.prefix),
        "family": 4 if is_mapped(line.prefix) else 6,
        "host_bits": _FULL_LENGTH - line.prefix.length,
        **asdict(line.row),
    }


def run_check(options: argparse.Namespace) -> int:
    """Print what is wrong or doubtful in plan and services."""
    config = load_config(options.config)
    services = config.services
    found = plan_conflicts(config.plan_entries, services.rules, services.graph.businesses)
    if options.json:
        for one in found:
            print_json(asdict(one))
    elif found:
        plain_console().print(conflicts_table(found))
    else:
        print("nothing is wrong or doubtful")
    return 1 if any(one.severity == "wrong" for one in found) else 0


def run_diff(options: argparse.Namespace) -> int:
    """Print what a new plan changes."""
    change = diff(read_plan(options.old), read_plan(options.new))
    if options.json:
        print_json(asdict(change))
    else:
        for line in change_lines(change):
            print(line)
    return 0 if is_empty(change) else 1


def change_lines(change: PlanChange) -> Iterable[str]:
    """Yield a change line by line: the summary, the moves, the lines of the plan."""
    yield clean(change.summary)
    for move in change.moves:
        yield clean(
            f"  {move.from_region or NO_REGION} -> {move.to_region or NO_REGION}: "
            f"{count_text(move.addresses)} addresses" + (f", {move.clients} known clients" if move.clients else "")
        )
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for line in change.lines:
        said = f"{line.before} -> {line.after}" if line.what == "changed" else line.before or line.after
        yield clean(f"{signs[line.what]} {line.prefix}  {said}")
    left = change.added + change.removed + change.changed - len(change.lines)
    if left:
        yield f"and {left} more lines"
