"""Commands of btimctl: what was heard without asking, and telling of a change."""

import argparse
from collections.abc import Sequence

from rich.table import Table

from btimd.api.calls_events import events, record_change, senders
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment, quantity
from btimd.model.heard import Heard, HeardAs, Sender


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("events", _events, "what syslog, traps, webhooks, changes and users' traffic told lately")
    made.add_argument("--node", default="", help="only of this node")
    made.add_argument("--as", dest="heard_as", choices=[one.value for one in HeardAs], help="only what became this")
    made.add_argument(
        "--senders", action="store_true", help="who sent, and what of it no rule and no node was found for"
    )
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    made = add("change", _change, "tell that something was changed on a node: it is suspected first for some hours")
    made.add_argument("node", metavar="NODE")
    made.add_argument("text", metavar="TEXT", help='what was changed: "release 4.2"')


def _events(asking: Asking, args: argparse.Namespace) -> int:
    if args.senders:
        asking.out.page(senders(asking.client), senders_table, "nobody sent anything")
    else:
        heard_as = HeardAs(args.heard_as) if args.heard_as else None
        page = events(asking.client, args.node, heard_as, args.limit)
        asking.out.page(page, events_table, "nothing was heard")
    return 0


def _change(asking: Asking, args: argparse.Namespace) -> int:
    heard = record_change(asking.client, args.node, args.text)
    asking.out.write([heard], lambda: events_table([heard]))
    return 0


def events_table(found: Sequence[Heard]) -> Table:
    """Show what was heard."""
    table = new_table("at", "heard", "from", "node", "rule", "text", wide="text")
    return fill(
        table,
        ((moment(one.at, None), f"{one.source}: {one.heard_as.value}", one.sender, one.node or "-", one.rule or "-",
          one.text) for one in found),
    )  # fmt: skip


def senders_table(found: Sequence[Sender]) -> Table:
    """Show who sent, and the last message of each that was of no use."""
    numbers = ("understood", "no rule", "no node")
    table = new_table("sender", "by", *numbers, "last", "last of no use", right=numbers, wide="last of no use")
    return fill(
        table,
        ((one.sender, one.source, quantity(one.matched), quantity(one.no_rule), quantity(one.no_node),
          moment(one.last_at, None), one.last_unmatched or "-") for one in found),
    )  # fmt: skip
