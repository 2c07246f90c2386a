"""btimd dump-config: the settings in force, defaults included. Secrets are files, save for what may stand in a URL."""

import argparse
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from btimd.cli.common import SubParsers, add_config_option, print_json
from btimd.daemon.config import load_config

_KEY_CHARACTERS: Final = 16


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
    print_json(without_secrets(settings.model_dump(mode="json")), indent=2)
    return 0


def without_secrets(value: Any, key: str = "") -> Any:
    """Return settings whose URLs do not show queries, nor parts of a path that are as long as a key."""
    if isinstance(value, dict):
        return {name: without_secrets(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [without_secrets(one, key) for one in value]
    if not (isinstance(value, str) and key.endswith("url")):
        return value
    parts = urlsplit(value)
    path = "/".join("***" if len(part) >= _KEY_CHARACTERS else part for part in parts.path.split("/"))
    return urlunsplit((parts.scheme, parts.netloc, path, "***" if parts.query else "", ""))
