"""btimd snmp: ask one device now, to try credentials and see what it tells before the daemon asks it."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError
from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.cli.common import SubParsers, add_config_option, plain_console, print_json
from btimd.cli.ctl_tables import fill, new_table, state
from btimd.cli.ctl_text import as_json, clean, quantity, span
from btimd.model.topology import DeviceFacts, InterfaceFacts, NeighbourFacts
from btimd.probes.inventory import Inventory
from btimd.probes.mibs import GROUPS
from btimd.probes.settings import (
    AuthProtocol,
    PrivProtocol,
    ProbeSettings,
    SnmpDefaultSettings,
    SnmpDeviceSettings,
)
from btimd.probes.snmptargets import Target, targets_of
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret
from btimd.settings.load import read_toml, validate
from btimd.settings.positions import Positions
from btimd.settings.report import Problem, SettingsError, did_you_mean, problems_of

EXIT_TOLD_NOTHING: Final = 1
_ITSELF: Final = "btimd snmp"
_OF_A_USER: Final = ("auth_protocol", "auth_key_file", "priv_protocol", "priv_key_file", "context")
_OPTIONS: Final = (
    *("community_file", "user", "version", *_OF_A_USER),
    *("port", "timeout", "retries", "max_requests_per_second", "tables"),
)
_LONGEST_TEXT: Final = 200


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "snmp",
        help="ask a device by SNMP and show what it tells",
        description="Asks one device by SNMP as the daemon would: with the credentials of the configuration, or with "
        "those given here, and then without a configuration. Secrets are never given here, only files that hold them. "
        "Exit status 0: it told something, 1: it told nothing, 2: wrong usage or configuration.",
    )
    parser.add_argument("device", metavar="DEVICE", help="address, or NAME of a table [probes.snmp.NAME]")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--community-file", metavar="FILE", help="file with the community of version 2c (chmod 600)")
    who.add_argument("--user", metavar="NAME", help="user of version 3")
    parser.add_argument("--version", choices=("2c", "3"), help="of SNMP (default: 3 with a user, else 2c)")
    for kind, protocols in (("auth", AuthProtocol), ("priv", PrivProtocol)):
        does = "signs" if kind == "auth" else "encrypts"
        parser.add_argument(
            f"--{kind}-protocol", choices=get_args(protocols), metavar="NAME", help=f"what {does}: %(choices)s"
        )
        parser.add_argument(f"--{kind}-key-file", metavar="FILE", help=f"file with the pass phrase that {does}")
    parser.add_argument("--context", metavar="NAME", help="context of version 3; almost always empty")
    parser.add_argument("--port", type=int, metavar="N", help="UDP port (default: 161)")
    parser.add_argument("--timeout", metavar="DURATION", help='how long an answer is waited for (default: "2s")')
    parser.add_argument("--retries", type=int, metavar="N", help="requests repeated without an answer (default: 2)")
    parser.add_argument(
        "--max-requests-per-second", type=float, metavar="N", help="requests per second at most (default: 10)"
    )
    parser.add_argument(
        "--table",
        dest="tables",
        action="append",
        choices=GROUPS,
        metavar="NAME",
        help="read this beside interfaces; may be repeated (default: all of %(choices)s)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object with all that was told")
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what the device tells; exit status 1 where it tells nothing."""
    target = target_of(options)
    clock = SystemClock()
    began_at = clock.monotonic()
    facts = asyncio.run(asked(target))
    took = clock.monotonic() - began_at
    if options.json:
        print_json(as_json(facts))
    elif not facts.error:
        plain_console().print(picture(facts, target, took))
    if facts.error:
        print(clean(f"{facts.error}\n{_cost(facts, took)}"), file=sys.stderr)
        return EXIT_TOLD_NOTHING
    return 0


async def asked(target: Target) -> DeviceFacts:
    """Return what a device tells, or why it tells nothing."""
    # The reason is printed once, as an answer; the log's line on it would be a second one.
    logging.getLogger("btimd.asked-once").addHandler(logging.NullHandler())
    inventory = Inventory(
        settings=SnmpDefaultSettings(),
        targets=(),
        metrics=Metrics(),
        clock=SystemClock(),
        log=Log("asked-once"),
        on_facts=lambda _: None,
    )
    try:
        return await inventory.ask_once(target)
    finally:
        await inventory.stop()


def target_of(options: argparse.Namespace) -> Target:
    """Return whom to ask and how; raises SettingsError where that cannot be told."""
    given = {key: getattr(options, key) for key in _OPTIONS if getattr(options, key) is not None}
    lonely = [f"--{key.replace('_', '-')}" for key in _OF_A_USER if key in given]
    if lonely and "user" not in given:
        raise _wrong(f"{', '.join(lonely)} needs --user; write the name of the SNMPv3 user too")
    if "community_file" in given or "user" in given:
        return _target("", {"address": options.device, **given}, SnmpDefaultSettings())
    probes = _probe_settings(options.config)
    name = _table_of(options.device, options.port, probes.snmp)
    table = probes.snmp[name].model_dump(exclude_none=True) if name else {"address": options.device}
    return _target(name, {**table, **given}, probes.snmp_defaults)


def _probe_settings(path: Path) -> ProbeSettings:
    """Return the table [probes] of a configuration; what is wrong elsewhere in it does not matter here."""
    file = path / "btimd.toml" if path.is_dir() else path
    if not file.is_file():
        raise _wrong(
            f"{file} is not there; give --community-file or --user to ask without a configuration, or its folder with "
            "--config"
        )
    written = read_toml(file)
    return validate(written, ProbeSettings, ("probes",)) if "probes" in written.data else ProbeSettings()


def _table_of(device: str, port: int | None, tables: Mapping[str, SnmpDeviceSettings]) -> str:
    """Return the name of the table of a device, given as name or address; "" for an address that none names."""
    if device in tables:
        return device
    try:
        address = str(ip_address(device))
    except ValueError as error:
        text = f"'{device}' is neither an IP address nor the name of a table [probes.snmp.NAME]"
        raise _wrong(text + did_you_mean(device, tables)) from error
    found = [name for name, table in tables.items() if table.address == address]
    return next((name for name in found if tables[name].port == port), found[0] if found else "")


def _target(name: str, values: Mapping[str, Any], defaults: SnmpDefaultSettings) -> Target:
    try:
        device = SnmpDeviceSettings.model_validate(values)
    except ValidationError as error:
        found = problems_of(error, Path(_ITSELF), Positions({}))
        raise SettingsError(replace(problem, line=0) for problem in found) from error
    targets, problems = targets_of({name: device}, defaults, read_secret)
    if problems:
        raise _wrong(problems[0][1])
    return targets[0]


def _wrong(text: str) -> SettingsError:
    return SettingsError([Problem(_ITSELF, 0, "", text)])


def picture(facts: DeviceFacts, target: Target, took: float) -> Group:
    """Show what a device told, for people. took: seconds."""
    return Group(*_parts(facts, target, took))


def _parts(facts: DeviceFacts, target: Target, took: float) -> Iterator[Text | Table]:
    yield Text(clean(f"{target.who} asked with {target.credentials}"), style="bold")
    about = new_table("", "", wide="")
    about.show_header = False
    yield fill(about, _about(facts))
    if facts.interfaces:
        yield Text("")
        yield fill(
            new_table(
                "index",
                "interface",
                "state",
                "speed",
                "counters",
                "addresses",
                "alias",
                right=("index", "speed"),
                wide="addresses",
            ),
            (_interface(one) for one in facts.interfaces),
        )
    if facts.neighbours:
        yield Text("")
        names = {one.index: one.name for one in facts.interfaces}
        table = new_table("interface", "by", "neighbour", "its port", "chassis", "addresses", wide="addresses")
        yield fill(table, (_neighbour(one, names) for one in facts.neighbours))
    yield Text("")
    yield Text(
        f"told  {_counted(facts.interfaces, 'interface')}, {_counted(facts.neighbours, 'neighbour')}, "
        f"{len(facts.arp)} of ARP, {len(facts.fdb)} of the forwarding table, {_counted(facts.routes, 'route')}"
    )
    yield Text(f"cost  {_cost(facts, took)}")
    if facts.partial:
        yield Text("not read whole:", style="yellow")
        yield from (Text(f"  {clean(reason)}") for reason in facts.partial)


def _about(facts: DeviceFacts) -> Iterator[tuple[str, str]]:
    told = (
        ("name", facts.sys_name),
        ("model", facts.model),
        ("serial", facts.serial),
        ("software", _one_line(facts.sys_description)),
        ("object id", facts.sys_object_id),
        ("location", _one_line(facts.sys_location)),
        ("chassis id", facts.chassis),
        ("up for", "" if facts.uptime_seconds is None else span(facts.uptime_seconds)),
    )
    yield from (pair for pair in told if pair[1])


def _interface(one: InterfaceFacts) -> tuple[str | Text, ...]:
    counters = "not told" if one.in_octets is None else "64 bit" if one.hc else "32 bit"
    return (
        str(one.index),
        one.name or one.description,
        state("up" if one.oper_up else "down" if one.admin_up else "off"),
        quantity(one.speed, "bit/s") if one.speed else "?",
        counters,
        " ".join(one.addresses),
        one.alias,
    )


def _neighbour(one: NeighbourFacts, names: Mapping[int, str]) -> tuple[str, ...]:
    name = names.get(one.interface, str(one.interface) if one.interface else "?")
    port = one.port_description or one.port
    return (name, one.source.value, one.name or "-", port or "-", one.chassis or "-", " ".join(one.addresses))


def _counted(things: tuple[Any, ...], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def _cost(facts: DeviceFacts, took: float) -> str:
    plural = "" if facts.requests == 1 else "s"
    return f"{facts.requests} request{plural}, {quantity(facts.octets, 'octets')} both ways, {span(took)}"


def _one_line(text: str) -> str:
    """Return a text of several lines as one that is not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 3] + "..."
