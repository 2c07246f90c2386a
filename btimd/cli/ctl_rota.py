"""btimctl duty export, duty calendars: rotas as calendars; added to the commands of duty."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from btimd.api.calls_rota import export_rota, rota_calendars
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, moment
from btimd.cli.ctl_when import when
from btimd.model.rotaview import RotaCalendar


def add_actions(action: Add) -> None:
    """Add to the actions of duty."""
    made = action("export", show_export, "the duty of a group as an iCalendar, for other programs")
    made.add_argument("group", metavar="GROUP")
    made.add_argument("--from", dest="start", type=when, metavar="WHEN", help="default: now")
    made.add_argument("--days", type=int, default=0, metavar="N", help="up to 366; default 56")
    action("calendars", show_calendars, "what was read of the calendars in rota.toml, and gaps of the coming week")


def show_export(asking: Asking, args: argparse.Namespace) -> int:
    """Write an iCalendar."""
    at = None if args.start is None else args.start(asking.clock.wall())
    text = export_rota(asking.client, args.group, at, args.days)
    sys.stdout.write("".join(f"{clean(line)}\r\n" for line in text.splitlines()))
    return 0


def show_calendars(asking: Asking, _args: argparse.Namespace) -> int:
    """Show what was read of calendars."""
    found, gaps = rota_calendars(asking.client)
    asking.out.write([*found, *({"gap": text} for text in gaps)], lambda: calendars_picture(found, gaps))
    return 0


def calendars_picture(found: Sequence[RotaCalendar], gaps: Sequence[str]) -> RenderableType:
    """Show calendars, what was not understood of them, and gaps."""
    if not found and not gaps:
        return Text("rota.toml names no calendar, and the coming week has no gap")
    table = new_table("group", "file", "read", "on duty", "refused", right=("on duty", "refused"))
    rows = ((one.group, one.file, moment(one.read_at), str(one.slots), str(one.refused)) for one in found)
    lines = [f"{one.group}: {text}" for one in found for text in one.problems] + [f"gap: {text}" for text in gaps]
    return Group(*([fill(table, rows)] if found else []), *(Text(clean(line)) for line in lines))
