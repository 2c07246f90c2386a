"""btimd plan shadow: real flow records through the plan in force and a new one, and what would change."""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.capture.replay import CaptureFile, CaptureFileError
from btimd.capture.wire.decoder import FlowDecoder
from btimd.cli.common import add_config_option, plain_console, print_json, seconds_of
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import quantity
from btimd.cli.plan_files import read_plan, wrong
from btimd.daemon.config import CHECK_RULES, Config, load_config
from btimd.daemon.wiring import build_attribution
from btimd.flows.duplicates import Duplicates
from btimd.flows.plan import compile_plan
from btimd.flows.planshadow import Shadow, ShadowCell, ShadowMove, ShadowResult
from btimd.model.conversations import RecordSource
from btimd.model.flowbatch import FlowBatch
from btimd.runtime.clock import SystemClock
from btimd.settings.report import Problem, SettingsError
from btimd.settings.services import load_services

_ARCHIVE: Final = ("btimd.store.archivesource", "ArchiveReader", "archive")
_MILLIS: Final = 1000


def add_shadow(what: Any) -> None:
    """Add the shadow command."""
    parser = what.add_parser(
        "shadow",
        help="try a new plan out on flows that were; exit status 1 where anything would change",
        description="Attributes flow records by the configuration and by a new plan (and rules), and prints what would "
        "change. Nothing is changed.",
    )
    parser.add_argument("plan", type=Path, metavar="NEW.csv", help="the new IP plan")
    parser.add_argument("--services", type=Path, metavar="FILE", help="a new services.toml; default: as it is")
    parser.add_argument(
        "--since", type=seconds_of, default=3600.0, metavar="DURATION", help="from so long ago (default: 1h)"
    )
    parser.add_argument("--capture", type=Path, metavar="FILE", help="flow export in a pcap instead of the archive")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="show so many moves and cells (default: 20)")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    add_config_option(parser)
    parser.set_defaults(run=run_shadow)


def run_shadow(options: argparse.Namespace) -> int:
    """Print what would change."""
    config = load_config(options.config)
    shadow = Shadow(build_attribution(config), build_attribution(_changed(config, options.plan, options.services)))
    source = _captured(options.capture, config) if options.capture else _archived(config, options.since)
    try:
        for batch in source:
            shadow.add(batch)
            _progress(shadow.records)
    except CaptureFileError as error:
        raise wrong(str(error), "shadow") from error
    _progress(shadow.records, done=True)
    result = shadow.result()
    if options.json:
        print_json(asdict(result))
    else:
        plain_console().print(pictured(result, options.limit))
    return 1 if result.differs else 0


def _changed(config: Config, plan: Path, services: Path | None) -> Config:
    """Return the configuration with a new plan, and new rules if any; raises SettingsError with every mistake."""
    entries = read_plan(plan)
    compiled, found = compile_plan(entries, config.generation + 1)
    problems = [Problem(plan.name, one.line, "", one.text) for one in found]
    changed = replace(config, plan=compiled, plan_entries=entries, generation=config.generation + 1)
    if services is not None:
        try:
            changed = replace(changed, services=load_services(services, CHECK_RULES, changed.generation))
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return changed


def _captured(path: Path, config: Config) -> Iterator[FlowBatch]:
    """Yield the records of a capture of flow export, those left out that another exporter had reported."""
    capture = config.settings.capture
    decoder = FlowDecoder(capture.netflow.decode_limits(), capture.exporter_rules(), capture.netflow.allow)
    duplicates = Duplicates(config.settings.flows.duplicates.limits())
    known = 0
    for block in CaptureFile(path).blocks():
        batch = decoder.decode(block)
        if len(decoder.exporters()) > known:
            known = len(decoder.exporters())
            duplicates.know((one.id, one.address, one.name) for one in decoder.exporters())
        marked = duplicates.mark(batch, int(block.arrival_milliseconds[-1]))
        yield batch if marked is None else batch.select(~marked)


def _archived(config: Config, since_seconds: float) -> Iterator[FlowBatch]:
    module, name, folder = _ARCHIVE
    try:
        reader: RecordSource = getattr(importlib.import_module(module), name)(config.state_directory / folder)
    except ModuleNotFoundError as error:
        raise wrong(
            "this btimd keeps no archive of flow records; give a capture of flow export: --capture FILE"
        ) from error
    now = round(SystemClock().wall() * _MILLIS)
    return reader.records(now - round(since_seconds * _MILLIS), now)


def _progress(records: int, *, done: bool = False) -> None:
    if sys.stderr.isatty():
        print(f"\r{records} records", end="\n" if done else "", file=sys.stderr, flush=True)


def pictured(result: ShadowResult, limit: int) -> Group:
    """Show what would change."""
    return Group(*(Text(line) for line in summary_lines(result)), *_tables(result, limit))


def summary_lines(result: ShadowResult) -> Iterator[str]:
    """Yield the result in sentences."""
    if not result.records:
        yield "no records: nothing was compared"
        return
    share = result.changed_records / result.records
    yield (
        f"{result.records} records, {quantity(result.octets, 'B')}: {result.changed_records} ({share:.1%}) would count "
        f"elsewhere, {quantity(result.changed_octets, 'B')}"
    )
    yield f"attributed now and not then: {result.newly_unattributed}; then and not now: {result.newly_attributed}"
    yield f"clients that the plan does not know: {result.unknown_before} now, {result.unknown_after} then"
    if not result.users_exact:
        yield "there were more clients than are counted one by one: numbers of users are lower bounds"


def _tables(result: ShadowResult, limit: int) -> Iterator[Table | Text]:
    if result.cells:
        numbers = ("octets now", "then", "users now", "users then")
        table = new_table("business", "region", *numbers, right=numbers)
        yield Text()
        yield fill(table, map(_cell_row, result.cells[:limit]))
        if len(result.cells) > limit:
            yield Text(f"and {len(result.cells) - limit} more; --limit shows them")
    if result.moves:
        table = new_table(
            "from", "to", "octets", "records", "for example", right=("octets", "records"), wide="for example"
        )
        yield Text()
        yield fill(table, map(_move_row, result.moves[:limit]))
        left = result.moves[limit:]
        if left or result.other_records:
            records = sum(move.records for move in left) + result.other_records
            octets = sum(move.octets for move in left) + result.other_octets
            yield Text(f"and other moves: {records} records, {quantity(octets, 'B')}")


def _cell_row(cell: ShadowCell) -> Sequence[str]:
    return (
        cell.business or "(none)",
        cell.region or "?",
        quantity(cell.before.octets, "B"),
        quantity(cell.after.octets, "B"),
        str(cell.before.users),
        str(cell.after.users),
    )


def _move_row(move: ShadowMove) -> Sequence[str]:
    return (
        f"{', '.join(move.from_businesses) or '(none)'} @ {move.from_region or '?'}",
        f"{', '.join(move.to_businesses) or '(none)'} @ {move.to_region or '?'}",
        quantity(move.octets, "B"),
        str(move.records),
        move.example,
    )
