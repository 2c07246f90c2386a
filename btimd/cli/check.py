"""btimd check: is the configuration right? Every mistake of every file at once."""

import argparse
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from btimd.api.tokens import load_tokens, token_notes
from btimd.cli.common import SubParsers, add_config_option
from btimd.daemon.config import Config, load_config
from btimd.daemon.noticereplies import unanswered
from btimd.daemon.rotawatch import read_all
from btimd.itsm.notify.addressees import unserved
from btimd.itsm.rota import Rota
from btimd.itsm.rotacheck import rota_faults
from btimd.model.service import CheckKind
from btimd.rca.gaps import gaps
from btimd.rca.graph import GraphIndex
from btimd.settings.calendars import calendar_notes
from btimd.settings.fields import read_secret
from btimd.settings.report import Problem, SettingsError
from btimd.sla.agreements import agreement_notes

_ROTA_WEEKS = 8
_SECRETS = {
    "secret_file", "further_secret_files", "password_file", "token_file", "url_file", "community_file",
    "authentication_file", "privacy_file",
}  # fmt: skip


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check",
        help="check the configuration without starting",
        description="Reads btimd.toml, services.toml and ipplan.csv and prints every mistake with its file and line. "
        "Exit status 0: usable, 2: not.",
    )
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what was found."""
    config = load_config(options.config)
    callers = caller_notes(config)
    graph = config.services.graph
    checks = list(graph.checks())
    indicators = [check for check in checks if check.is_key_indicator]
    print(f"{options.config}: the configuration is right")
    print(f"  businesses       {len(graph.businesses)} ({len(config.services.rules)} service rules)")
    print(f"  components       {len(graph.nodes) - len(graph.businesses)}")
    print(f"  checks           {len(checks)}, of which {len(indicators)} run by themselves as key indicators")
    print(f"  address ranges   {len(config.plan.row)} in {len(config.plan.places)} places")
    for warning in warnings(config.services.graph.businesses, {check.node for check in indicators}):
        print(f"  note: {warning}")
    now = time.time()
    readings = read_all(config.rota_calendars, config.rota, config.people, now)
    rota = Rota(config.rota, config.people).with_imported([slot for one in readings.values() for slot in one.slots])
    faults = rota_faults(rota, now, now + _ROTA_WEEKS * 7 * 86_400.0)
    for note in (
        *calendar_notes(config.settings.calendar, now),
        *agreement_notes(config.agreements, graph, now),
        *(f"calendar of rota {name}: {text}" for name, one in readings.items() for text in one.told.problems),
        *(fault.text() for fault in faults),
        *callers,
    ):
        print(f"  note: {note}")
    notify = config.settings.itsm.notify
    kinds = {name: robot.kind for name, robot in notify.robot.items()}
    for note in unserved(config.people, notify.channels(), kinds, notify.centre):
        print(f"  note: {note}")
    for note in unanswered(notify):
        print(f"  note: {note}")
    for gap in gaps(GraphIndex(graph)):
        print(f"  gap: {gap}")
    for key, path in files_named(config.settings.model_dump()):
        if trouble := trouble_of(key, path):
            print(f"  note: {key}: {trouble}")
    if any(check.kind is CheckKind.ICMP for check in checks):
        print("  note: echo checks need CAP_NET_RAW or sysctl net.ipv4.ping_group_range; without it they say 'unknown'")
    return 0


def trouble_of(key: str, path: Path) -> str:
    """Return why btimd could not start with a file that a key names, "" where it could."""
    if not os.access(path, os.R_OK):
        with suppress(PermissionError):
            if not path.exists():
                return f"there is no {path}; btimd needs it to start"
        return f"{path} cannot be read by you (uid {os.getuid()}); btimd needs it to start"
    if key.rpartition(".")[2].partition("[")[0] in _SECRETS:
        try:
            read_secret(path)
        except ValueError as error:
            return str(error)
    return ""


def caller_notes(config: Config) -> list[str]:
    """Return what the tokens file names and nobody knows; raises SettingsError for a file that is wrong."""
    path = config.settings.api.tokens_file
    if path is None or not os.access(path, os.R_OK):
        return []
    try:
        tokens = load_tokens(path)
    except ValueError as error:
        raise SettingsError(
            Problem(path.name, 0, "", line.removeprefix(f"{path}: ")) for line in str(error).splitlines()
        ) from error
    return token_notes(
        tokens,
        persons=config.people.persons.keys(),
        businesses=config.services.graph.businesses.keys(),
        regions={place.region for place in config.plan.places if place.region},
    )


def files_named(values: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the secrets, tokens and certificates that settings name, each with the key that names it."""
    for name, value in values.items():
        key = f"{table}.{name}" if table else name
        if isinstance(value, Mapping):
            yield from files_named(value, key)
        elif name.endswith("_file") and value is not None:
            yield key, value
        elif name.endswith("_files") and not isinstance(value, int):  # not a number of files
            yield from ((f"{key}[{index}]", path) for index, path in enumerate(value))


def warnings(businesses: Iterable[str], watched: set[str]) -> list[str]:
    """Return what is allowed but probably not meant."""
    return [
        f"business {business} has no key indicator of its own, so its availability stays unknown; "
        'give one of its checks every = "5s"'
        for business in businesses
        if business not in watched
    ]
