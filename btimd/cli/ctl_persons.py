"""Commands of btimctl: who sits behind an address, and which sources say so."""

import argparse
from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api.calls_persons import person_sources, persons
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment, quantity
from btimd.model.persons import PersonBinding, PersonSource

_MILLIS: Final = 1000


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("persons", _persons, "who sits behind an address, and which sources say so")
    made.add_argument(
        "match", nargs="?", metavar="ADDRESS|PREFIX|PERSON", help="only these; a person by the whole name"
    )
    made.add_argument("--sources", action="store_true", help="only how the sources do")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")


def _persons(asking: Asking, args: argparse.Namespace) -> int:
    sources = person_sources(asking.client)
    if not sources.items:
        asking.out.page(sources, sources_table, "no source tells of persons: flows.persons in btimd.toml names none")
        return 0
    if not args.sources:
        page = persons(asking.client, args.match, args.limit)
        nobody = "nobody is known" + (f" as or behind {args.match}" if args.match else "")
        asking.out.page(page, persons_table, nobody)
    if args.sources or args.match is None:
        asking.out.write(sources.items, lambda: Group("", sources_table(sources.items)))
    return 0


def persons_table(found: Sequence[PersonBinding]) -> Table:
    """Show who is behind which address; what another source overrules is in brackets."""
    table = new_table("address", "person", "source", "since", "until")
    return fill(
        table,
        (
            (
                one.address,
                one.person if one.in_force else f"({one.person})",
                one.source,
                _at(one.since_milliseconds),
                _at(one.until_milliseconds),
            )
            for one in found
        ),
    )


def sources_table(sources: Sequence[PersonSource]) -> Table:
    """Show how the sources do, and what is wrong with them."""
    numbers = ("persons", "records", "refused")
    table = new_table("source", "place", *numbers, "changed", "remarks", right=numbers, wide="remarks")
    return fill(
        table,
        (
            (
                one.name,
                one.place,
                quantity(one.bindings),
                quantity(one.records),
                Text(quantity(one.refused), style="red" if one.refused else "default"),
                _at(one.changed_milliseconds),
                "; ".join(text for text in (one.problem, one.last_error) if text),
            )
            for one in sources
        ),
    )


def _at(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else moment(milliseconds / _MILLIS, None)
