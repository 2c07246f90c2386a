"""btimd run: the daemon."""

import argparse
import asyncio
import signal
import sys

from btimd.cli.common import SubParsers, add_config_option
from btimd.daemon.app import App, StartFailedError, run_app
from btimd.daemon.config import load_config
from btimd.daemon.statedirectory import StateDirectoryError
from btimd.runtime.log import Log, configure


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "run",
        help="run the daemon",
        description="Runs the daemon in the foreground (systemd starts it). SIGHUP reloads the configuration, SIGTERM "
        "ends it cleanly. Exit status 0: ended as asked, 1: it could not start, or a component failed for good, "
        "2: wrong configuration.",
    )
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run until told to stop."""
    config = load_config(options.config)
    configure(config.settings.daemon.log_level)
    try:
        asyncio.run(run_app(config, install_signals=_install_signals))
    except (StateDirectoryError, StartFailedError) as error:
        print(f"btimd: {error}", file=sys.stderr)
        return 1
    except ExceptionGroup as group:  # a component failed for good; it was logged where it happened
        Log("daemon").error("ended", errors="; ".join(repr(error) for error in group.exceptions))
        return 1
    return 0


def _install_signals(app: App) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.request_stop)
    loop.add_signal_handler(signal.SIGHUP, app.request_reload)
