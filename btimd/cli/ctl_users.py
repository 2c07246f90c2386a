"""Commands of btimctl: who uses what: users."""

import argparse
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from rich.table import Table
from rich.text import Text

from btimd.api.calls_users import count_users, find_users
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment, quantity
from btimd.model.ports import OnlineUser
from btimd.model.users import USER_DIMENSIONS, USER_ORDERS, USER_STATES, UserCount, UserQuery

_MILLIS: Final = 1000
_BITS: Final = 8
_TRENDS: Final = {"rising": ("↑", "green"), "steady": ("→", "default"), "falling": ("↓", "yellow"), "unknown": ("", "")}
_STATES: Final = {"active": "green", "idle": "default", "gone": "bright_black"}


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    users = add("users", _show, "who is on line: one by one, or with --by as counts per group")
    users.add_argument("business", nargs="?", metavar="BUSINESS", help="only users of this one")
    users.add_argument("--region", metavar="NAME", help="only of this region of the IP plan")
    users.add_argument("--segment", metavar="NAME", help="only of this segment of the IP plan")
    users.add_argument("--person", metavar="NAME", help="only of this person")
    users.add_argument("--state", choices=USER_STATES, help="only users in this state")
    users.add_argument("--address", metavar="ADDR", help="only this address, or those of a prefix")
    users.add_argument("--top", choices=USER_ORDERS, default=USER_ORDERS[0], help="what comes first")
    users.add_argument(
        "--by", action="append", default=[], choices=USER_DIMENSIONS, help="count users per group; may be repeated"
    )
    users.add_argument("--seen", type=seconds_of, metavar="DURATION", help="with --by: only who was seen so lately")
    users.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")


def _show(asking: Asking, args: argparse.Namespace) -> int:
    if not args.by:
        query = UserQuery(args.business, args.region, args.segment, args.person, args.state, args.address, args.top)
        page = find_users(asking.client, query, args.limit)
        asking.out.page(
            page, lambda users: users_table(users, with_business=args.business is None), "nobody is on line"
        )
        return 0
    by = tuple(dict.fromkeys(args.by))
    counts = count_users(
        asking.client, business=args.business, group_by=by, seen_within_seconds=args.seen, limit=args.limit
    )
    asking.out.page(counts, lambda rows: counts_table(rows, by), "nobody is on line")
    return 0


def users_table(users: Sequence[OnlineUser], *, with_business: bool = False, zone: tzinfo | None = None) -> Table:
    """Show who is on line; a person whom something else than the plan names has its name behind."""
    columns = ("address", *(("business",) if with_business else ()), "person", "region", "segment", "state")
    table = new_table(*columns, "last seen", "octets", "now", right=("octets", "now"))
    return fill(
        table,
        (
            (
                user.address,
                *((user.business or "(none)",) if with_business else ()),
                f"{user.person} ({user.person_source})" if user.person_source else user.person or "-",
                user.region or "-",
                user.segment or "-",
                Text(user.state, style=_STATES.get(user.state, "default")),
                moment(user.last_seen_milliseconds / _MILLIS, zone),
                quantity(user.octets, "B"),
                _rate(user.octets_per_second, user.trend),
            )
            for user in users
        ),
    )


def counts_table(counts: Sequence[UserCount], by: Sequence[str]) -> Table:
    """Show how many users there are in each group."""
    numbers = ("active", "idle", "gone", "persons", "octets", "now")
    return fill(
        new_table(*by, *numbers, right=numbers),
        (
            (
                *(getattr(row, name) or "-" for name in by),
                str(row.active),
                str(row.idle),
                str(row.gone),
                str(row.persons),
                quantity(row.octets, "B"),
                quantity(row.octets_per_second * _BITS, "bit/s"),
            )
            for row in counts
        ),
    )


def _rate(octets_per_second: float | None, trend: str) -> Text:
    """Return bits per second, with an arrow that says how they changed."""
    arrow, style = _TRENDS[trend]
    if octets_per_second is None:
        return Text("-")
    return Text(f"{arrow} {quantity(octets_per_second * _BITS, 'bit/s')}".strip(), style=style)
