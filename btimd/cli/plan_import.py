"""btimd plan import: an IP plan out of NetBox, a phpIPAM export or any CSV, on standard output."""

import argparse
import asyncio
import json
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from btimd.cli.ctl_text import clean
from btimd.cli.plan_files import read_plan, wrong
from btimd.flows.netbox import ADDRESSES, PREFIXES, NetBox, NetBoxError, NetBoxLimits
from btimd.flows.netboxplan import NETBOX_SOURCES, from_netbox
from btimd.flows.plan import compile_plan
from btimd.flows.planimport import (
    PHPIPAM_SOURCES,
    Imported,
    Sources,
    entries_of,
    from_csv,
    from_phpipam_csv,
    from_phpipam_json,
    joined,
    merged,
    plan_text,
)
from btimd.runtime.clock import SystemClock
from btimd.settings.fields import read_secret
from btimd.settings.load import read_text

_STATUSES: Final = "active,reserved,container,dhcp,slaac"
_PREFIX_ONLY: Final = ("container",)
_ADDRESS_ONLY: Final = ("dhcp", "slaac")
_SHOWN: Final = 50


def add_import(what: Any) -> None:
    """Add the import commands."""
    parser = what.add_parser("import", help="make an ipplan.csv of what another register knows")
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    netbox = sources.add_parser("netbox", help="NetBox's REST API, 3.x and 4.x")
    netbox.add_argument("--url", required=True, help="https://netbox.example")
    netbox.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds a token that may view IPAM, and nothing else"
    )
    netbox.add_argument("--ca-file", type=Path, metavar="FILE", help="trust this CA instead of the system's")
    netbox.add_argument("--plaintext", action="store_true", help="send the token unencrypted, in a safe network")
    netbox.add_argument(
        "--status", default=_STATUSES, help=f"only these, by comma; all: every one (default: {_STATUSES})"
    )
    netbox.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="for each answer")
    _mapping(netbox, "site", "role", "none", NETBOX_SOURCES)
    netbox.set_defaults(run=run_netbox)
    php = sources.add_parser("phpipam", help="phpIPAM's export of subnets or IP addresses, or an answer of its API")
    php.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV with a header, or JSON")
    _mapping(php, "section", "description", "owner", PHPIPAM_SOURCES)
    php.set_defaults(run=run_phpipam)
    other = sources.add_parser("csv", help="any CSV with a header")
    other.add_argument("file", type=Path)
    other.add_argument("--prefix-column", required=True, metavar="NAME")
    other.add_argument(
        "--mask-column", default="", metavar="NAME", help="where the length stands in a column of its own"
    )
    for name in ("region", "segment", "person"):
        other.add_argument(f"--{name}-column", default="none", metavar="NAME")
    other.set_defaults(run=run_csv)
    for one in (netbox, php, other):
        one.add_argument("--region", default="", metavar="NAME", help="for prefixes that get none and lie in no other")
        one.add_argument(
            "--merge", type=Path, metavar="FILE", help="keep what this ipplan.csv knows and the source does not"
        )
        one.add_argument(
            "--prefer-existing", action="store_true", help="where both know a prefix, keep what --merge says"
        )


def _mapping(parser: argparse.ArgumentParser, region: str, segment: str, person: str, known: tuple[str, ...]) -> None:
    for name, default in (("region", region), ("segment", segment), ("person", person)):
        text = f"{', '.join(known)} (default: {default})"
        parser.add_argument(f"--{name}-from", default=default, metavar="WHAT", help=text)
    parser.add_argument("--vrf", metavar="NAME", help="only prefixes of this VRF; global: of none")


def run_netbox(options: argparse.Namespace) -> int:
    """Print what NetBox knows."""
    try:
        token = read_secret(options.token_file).decode("ascii", "replace").strip() if options.token_file else ""
        tls = ssl.create_default_context(cafile=options.ca_file) if options.ca_file else None
    except (OSError, ValueError) as error:
        raise wrong(f"cannot read the token or CA file: {error}", "import") from error
    statuses = () if options.status == "all" else tuple(filter(None, options.status.split(",")))
    mapping = Sources(options.region_from, options.segment_from, options.person_from)
    try:
        from_netbox((), mapping=mapping)  # a mapping that cannot be is told before anything is asked
        prefixes, addresses = asyncio.run(_read(options, token, tls, statuses))
        found = from_netbox(
            prefixes, addresses, mapping=mapping, statuses=statuses, vrf=options.vrf, default_region=options.region
        )
    except (NetBoxError, ValueError) as error:
        raise wrong(clean(str(error)), "import") from error
    how = f"region from {mapping.region}, segment from {mapping.segment}, person from {mapping.person}"
    return _print(options, found, f"NetBox {options.url}: {how}")


async def _read(
    options: argparse.Namespace, token: str, tls: ssl.SSLContext | None, statuses: tuple[str, ...]
) -> tuple[list[Any], list[Any]]:
    def progress(what: str, done: int, every: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{what}: {done} of {every}", end="\n" if done >= every else "", file=sys.stderr, flush=True)

    limits = NetBoxLimits(timeout_seconds=options.timeout)
    async with NetBox(
        options.url, token, limits=limits, tls=tls, plaintext=options.plaintext, progress=progress
    ) as netbox:
        found: list[list[Any]] = []
        for what, unknown in ((PREFIXES, _ADDRESS_ONLY), (ADDRESSES, _PREFIX_ONLY)):
            asked = [one for one in statuses if one not in unknown]  # a list refuses statuses it does not know
            wanted = what == PREFIXES or options.person_from != "none"
            found.append(await netbox.objects(what, asked) if wanted and (asked or not statuses) else [])
        return found[0], found[1]


def run_phpipam(options: argparse.Namespace) -> int:
    """Print what exports of phpIPAM know."""
    mapping = Sources(options.region_from, options.segment_from, options.person_from)
    parts = []
    for path in options.files:
        text = read_text(path)
        try:
            read: Any = from_phpipam_csv
            if text.lstrip().startswith(("{", "[")):
                text, read = json.loads(text), from_phpipam_json
            parts.append(read(text, mapping=mapping, vrf=options.vrf))
        except (ValueError, RecursionError) as error:
            raise wrong(clean(str(error)), path.name) from error
    names = ", ".join(path.name for path in options.files)
    return _print(options, joined(parts, options.region), f"phpIPAM {names}")


def run_csv(options: argparse.Namespace) -> int:
    """Print what a CSV knows."""
    columns = Sources(options.region_column, options.segment_column, options.person_column)
    try:
        found = from_csv(
            read_text(options.file),
            prefix_column=options.prefix_column,
            columns=columns,
            mask_column=options.mask_column,
            default_region=options.region,
        )
    except ValueError as error:
        raise wrong(clean(str(error)), options.file.name) from error
    return _print(options, found, options.file.name)


def _print(options: argparse.Namespace, found: Imported, source: str) -> int:
    """Print the plan to standard output, what was left out to standard error."""
    count = len(found.lines)
    if options.merge:
        found = merged(found, read_plan(options.merge), prefer_existing=options.prefer_existing)
    problems = [*found.problems, *(problem.text for problem in compile_plan(entries_of(found.lines), 1)[1])]
    for text in problems[:_SHOWN]:
        print(f"note: {clean(text)}", file=sys.stderr)
    if len(problems) > _SHOWN:
        print(f"note: and {len(problems) - _SHOWN} more", file=sys.stderr)
    when = datetime.fromtimestamp(SystemClock().wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    comments = [f"IP plan from {source}", f"read {when}: {count} lines, {found.skipped} left out or in conflict"]
    if options.merge:
        comments.append(
            f"merged with {options.merge.name}: {len(found.lines) - count} lines kept that the source lacks"
        )
    sys.stdout.write(plan_text(found.lines, comments))
    if not found.lines:
        print("note: the source holds no line; see --region-from, --status and --vrf", file=sys.stderr)
        return 1
    return 0
