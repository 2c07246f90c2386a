"""What several subcommands share."""

import argparse
import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from btimd.settings.fields import parse_duration

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN_WIDTH: Final = 120


class SubParsers(Protocol):
    """Where a subcommand adds its parser."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002  argparse's name
        """Add one."""
        ...


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add -c/--config."""
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        default=Path("/etc/btimd"),
        metavar="FOLDER",
        help="folder with btimd.toml, services.toml and ipplan.csv, or the path of a btimd.toml (default: /etc/btimd)",
    )


def print_json(value: dict[str, Any], *, indent: int | None = None) -> None:
    """Print one JSON object, at once; on one line where no indent is given.

    Characters that standard output cannot write are escaped as JSON wants it.
    """
    only_ascii = (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"
    separators = (",", ":") if indent is None else None
    print(json.dumps(value, ensure_ascii=only_ascii, separators=separators, indent=indent), flush=True)


def plain_console() -> "Console":
    """Return a console on standard output that takes text as it is: no markup, no emoji names, nothing highlighted."""
    from rich.console import Console  # late: the daemon prints nothing, and has no use for it

    # a file or a pipe has no width; the one chosen there holds every table
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PLAIN_WIDTH
    return Console(width=width, markup=False, emoji=False, highlight=False)


def never_fail_to_print() -> None:
    r"""Let standard output write \u4f01 where the terminal knows no 企, instead of ending with a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def seconds_of(text: str) -> float:
    """Return the seconds of an argument such as 15m; argparse tells what is wrong with another."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
