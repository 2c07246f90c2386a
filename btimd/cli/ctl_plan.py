"""Commands of btimctl: the IP plan in use."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api import calls_plan
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, moment, quantity
from btimd.model.planuse import (
    PlanChange,
    PlanConflict,
    PrefixUse,
    UnexpectedCount,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownClients,
    UnknownPrefix,
)

_MILLIS: Final = 1000
_IPV4_BITS: Final = 32
_FULL: Final = 1 << 20
_SHOWN_MOVES: Final = 5
_SEVERITY_STYLE: Final = {"wrong": "red", "doubtful": "yellow", "note": "default"}


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    plan = add("plan", _plan, "the IP plan in use: how full, who is unknown, who talks from elsewhere, what is wrong")
    what = plan.add_subparsers(dest="what", required=True, metavar="WHAT")
    use = what.add_parser("use", help="the lines of the plan with the clients seen in each")
    use.add_argument("--order", choices=["plan", "octets", "seen", "empty"], default="plan")
    unknown = what.add_parser("unknown", help="clients that the plan does not know, and lines to paste")
    unknown.add_argument("--order", choices=["octets", "last-seen"], default="octets")
    unknown.add_argument("--addresses", action="store_true", help="one by one, not by prefix")
    unknown.add_argument("--lines", action="store_true", help="only the lines to paste into the plan")
    unexpected = what.add_parser("unexpected", help="who uses a business from another region than it expects")
    unexpected.add_argument("watch", nargs="?", choices=["watch"], help="show those told of lately, then new ones")
    unexpected.add_argument("--business", metavar="ID")
    conflicts = what.add_parser("conflicts", help="what is wrong or doubtful in plan and services")
    changes = what.add_parser("changes", help="what the latest reloads changed in the plan")
    for one in (use, unknown, unexpected, conflicts, changes):
        one.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")


def _plan(asking: Asking, args: argparse.Namespace) -> int:
    client, out = asking.client, asking.out
    match args.what:
        case "use":
            nothing = "the plan has no such line"
            out.page(calls_plan.prefix_use(client, order=args.order, limit=args.limit), use_table, nothing)
        case "unknown":
            _unknown(asking, args)
        case "unexpected" if args.watch:
            out.follow(calls_plan.watch_unexpected(client, business=args.business), talkers_table)
        case "unexpected":
            found = calls_plan.unexpected(client, business=args.business, limit=args.limit)
            out.write((*found.counts, *found.talkers), lambda: unexpected_picture(found))
        case "conflicts":
            out.page(calls_plan.conflicts(client, args.limit), conflicts_table, "nothing is wrong or doubtful")
        case _:
            out.page(
                calls_plan.changes(client, args.limit), changes_picture, "the plan has not changed since the start"
            )
    return 0


def _unknown(asking: Asking, args: argparse.Namespace) -> None:
    found = calls_plan.unknown(asking.client, order=args.order, limit=args.limit)
    if args.lines:
        asking.out.write(found.prefixes, lambda: Text("\n".join(clean(one.plan_line) for one in found.prefixes)))
    elif args.addresses:
        asking.out.write(found.addresses, lambda: unknown_addresses_picture(found))
    else:
        asking.out.write(found.prefixes, lambda: unknown_prefixes_picture(found))


def use_table(rows: Sequence[PrefixUse]) -> Table:
    """Show how full prefixes are; --json tells also lines, last seen and what lies in nested prefixes."""
    numbers = ("addresses", "seen", "active", "full", "octets")
    table = new_table("prefix", "place", *numbers, "busiest", right=numbers, wide="place")
    return fill(
        table,
        (
            (
                row.prefix,
                " / ".join(filter(None, (row.region, row.segment, row.person))) or "-",
                str(1 << row.host_bits) if row.host_bits <= _IPV4_BITS else f"2^{row.host_bits}",
                str(row.seen),
                str(row.active),
                _full(row),
                quantity(row.octets, "B"),
                row.busiest_business or "-",
            )
            for row in rows
        ),
    )


def _full(row: PrefixUse) -> str:
    """Return the share of addresses seen; of a large IPv6 prefix it would always be nothing."""
    size = 1 << row.host_bits
    return f"{row.seen / size:.1%}" if size <= _FULL else "-"


def unknown_prefixes_picture(found: UnknownClients) -> Group:
    """Show where clients come from that the plan does not know."""
    columns = ("prefix", "scope", "clients", "octets", "last seen", "beside", "businesses")
    table = new_table(*columns, right=("clients", "octets"), wide="businesses")
    return Group(_unknown_total(found), fill(table, map(_unknown_row, found.prefixes)))


def _unknown_row(one: UnknownPrefix) -> Sequence[str]:
    return (
        one.prefix,
        one.scope,
        str(one.addresses),
        quantity(one.octets, "B"),
        _at(one.last_seen_milliseconds),
        one.neighbour or "-",
        ", ".join(one.businesses) or "-",
    )


def unknown_addresses_picture(found: UnknownClients) -> Group:
    """Show the clients that the plan does not know."""
    table = new_table(
        "address", "octets", "first seen", "last seen", "businesses", right=("octets",), wide="businesses"
    )
    rows = (
        (
            one.address,
            quantity(one.octets, "B"),
            _at(one.first_seen_milliseconds),
            _at(one.last_seen_milliseconds),
            ", ".join(one.businesses) or "-",
        )
        for one in found.addresses
    )
    return Group(_unknown_total(found), fill(table, rows))


def _unknown_total(found: UnknownClients) -> Text:
    if not found.addresses_total:
        return Text("the plan knows every client")
    return Text(f"{found.addresses_total} clients in {found.prefixes_total} prefixes are not in the plan")


def unexpected_picture(found: UnexpectedTalkers) -> Group:
    """Show who talks from elsewhere: how many per business, then who."""
    if not found.counts:
        return Group(Text("no business says which regions it is for; write regions = [...] in services.toml"))
    return Group(_counts_table(found.counts), Text(), talkers_table(found.talkers))


def _counts_table(counts: Sequence[UnexpectedCount]) -> Table:
    table = new_table(
        "business", "expects", "from elsewhere", "octets", right=("from elsewhere", "octets"), wide="expects"
    )
    rows = (
        (one.business, ", ".join(one.expected_regions), str(one.addresses), quantity(one.octets, "B")) for one in counts
    )
    return fill(table, rows)


def talkers_table(talkers: Sequence[UnexpectedTalker]) -> Table:
    """Show who talks from elsewhere."""
    table = new_table("business", "address", "region", "person", "since", "last seen", "octets", right=("octets",))
    return fill(
        table,
        (
            (
                one.business,
                one.address,
                one.region or "? (not in the plan)",
                one.person or "-",
                _at(one.first_seen_milliseconds),
                _at(one.last_seen_milliseconds),
                quantity(one.octets, "B"),
            )
            for one in talkers
        ),
    )


def conflicts_table(conflicts: Sequence[PlanConflict]) -> Table:
    """Show what is wrong or doubtful, and what to do."""
    table = new_table("severity", "where", "what", wide="what")
    return fill(
        table,
        (
            (
                Text(one.severity, style=_SEVERITY_STYLE.get(one.severity, "default")),
                conflict_place(one),
                f"{one.text}; {one.remedy}" if one.remedy else one.text,
            )
            for one in conflicts
        ),
    )


def conflict_place(one: PlanConflict) -> str:
    """Return where to look."""
    lines = f"line {', '.join(map(str, one.lines))}" if one.lines else ""
    return ", ".join(part for part in (lines, one.where) if part) or "-"


def changes_picture(changes: Sequence[PlanChange]) -> Group:
    """Show what changed, newest first."""
    return Group(*(Text(clean(line)) for change in changes for line in _change_lines(change)))


def _change_lines(change: PlanChange) -> Iterator[str]:
    yield f"{_at(change.at_milliseconds)}  generation {change.from_generation} -> {change.to_generation}"
    yield f"  {change.summary}"
    for line in change.lines[:_SHOWN_MOVES]:
        said = f"{line.before} -> {line.after}" if line.what == "changed" else line.before or line.after
        yield f"  {line.what} {line.prefix}: {said}"
    left = change.added + change.removed + change.changed - min(len(change.lines), _SHOWN_MOVES)
    if left:
        yield f"  and {left} more lines; --json shows them"


def _at(milliseconds: int | None) -> str:
    return moment(None if milliseconds is None else milliseconds / _MILLIS)
