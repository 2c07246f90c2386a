"""The command btimd: one module per subcommand."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from btimd import __version__
from btimd.cli.common import never_fail_to_print
from btimd.settings.report import SettingsError

COMMANDS: Final = (
    "run", "demo", "check", "explain", "plan", "rca", "snmp", "suggest", "replay", "decode", "dump-config"
)  # fmt: skip
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of these subcommands, all of them by default."""
    top = argparse.ArgumentParser(prog="btimd", description="Watches an enterprise's businesses through its network.")
    top.add_argument("--version", action="version", version=f"btimd {__version__}")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        _module(command).add_parser(subparsers)
    return top


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"btimd.cli.{command.replace('-', '_')}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status: 0 good, 1 found bad, 2 wrong input."""
    never_fail_to_print()
    given = sys.argv[1:] if arguments is None else arguments
    # The daemon does not carry the modules of the other commands: it starts faster and stays smaller.
    named = [argument for argument in given[:1] if argument in COMMANDS]
    options = parser(named or COMMANDS).parse_args(given)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except SettingsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        # The reader (head, less) has gone; what is still buffered must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return status


if __name__ == "__main__":
    raise SystemExit(main())
