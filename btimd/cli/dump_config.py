"""btimd dump-config: the settings in force, defaults included. Secrets are files, so there is nothing to hide."""

import argparse

from btimd.cli.common import SubParsers, add_config_option, print_json
from btimd.daemon.config import load_config


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "dump-config",
        help="print the settings in force, defaults included",
        description="Prints the settings of btimd.toml with every default filled in, as JSON; durations in seconds.",
    )
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the settings."""
    settings = load_config(options.config).settings
    print_json(settings.model_dump(mode="json"), indent=2)
    return 0
