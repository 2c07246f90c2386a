"""Commands of btimctl: what the traffic says of the model."""

import argparse
import sys
from pathlib import Path

from btimd.api.calls_discovery import compare_model, suggest, weak_spots
from btimd.api.calls_impact import grown_needs
from btimd.cli.common import seconds_of
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_impact import grown_table
from btimd.cli.discovery_tables import comparison_picture, suggestions_picture, weak_table

_ACTIONS = ("suggest", "check", "weak", "grown")


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add(
        "model", _model, "the model against the traffic: what it lacks, what it claims in vain, what it hangs on"
    )
    made.add_argument(
        "action",
        choices=_ACTIONS,
        help="suggest: services and needs to add; check: declared versus seen; weak: single points of failure; "
        "grown: needs that were found, with who tells of them",
    )
    made.add_argument(
        "--since", type=_seconds, default=86_400, metavar="DURATION", help="time looked at, as 24h or 7d (default: 24h)"
    )
    made.add_argument("--limit", type=int, default=0, metavar="N", help="weak, grown: at most so many; default 100")
    made.add_argument("--write", type=Path, metavar="FILE", help="suggest: write the tables for services.toml there")


def _seconds(text: str) -> int:
    return max(round(seconds_of(text)), 1)


def _model(asking: Asking, options: argparse.Namespace) -> int:
    if options.action == "weak":
        asking.out.page(weak_spots(asking.client, options.limit), weak_table, "no business needs any node")
        return 0
    if options.action == "grown":
        asking.out.page(grown_needs(asking.client, options.limit), grown_table, "no need was found beyond the declared")
        return 0
    if options.action == "check":
        comparison = compare_model(asking.client, options.since)
        asking.out.write([comparison], lambda: comparison_picture(comparison))
        return 0
    found = suggest(asking.client, options.since)
    asking.out.write([found], lambda: suggestions_picture(found))
    return write_patch(options.write, found.patch)


def write_patch(path: Path | None, patch: str) -> int:
    """Write a patch where one was asked for; returns the exit status. A file that is there is left alone."""
    if path is None:
        return 0
    if not patch:
        sys.stderr.write("nothing is proposed, so nothing was written\n")
        return 0
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(patch)
    except FileExistsError:
        sys.stderr.write(f"{path} is there already; name another file\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"cannot write {path}: {error.strerror}\n")
        return 1
    sys.stderr.write(f"wrote {path}: append what is right to services.toml, then run btimd check\n")
    return 0
