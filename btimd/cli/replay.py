"""btimd replay: what a capture of flow export would have been, per business, place and interval."""

import argparse
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table

from btimd.capture.replay import CaptureFile, CaptureFileError, ReplayCounters
from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.cli.common import SubParsers, add_config_option, plain_console, print_json
from btimd.daemon.config import Config, load_config
from btimd.daemon.wiring import build_attribution
from btimd.flows.users import Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.window import WindowBatch, WindowRow
from btimd.settings.report import Problem, SettingsError

_LATENESS_SECONDS: Final = 6 * 3600.0
_FUTURE_SECONDS: Final = 3600.0
_BLOCK_DATAGRAMS: Final = 256
"""Few enough that a block of a quiet capture is shorter than the lateness that windows bear."""
RowKey = tuple[int, str, str, str]


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "replay",
        help="print windows per business for a capture of flow export",
        description="Reads a pcap or pcapng file of NetFlow or IPFIX datagrams, attributes every record by the "
        "configuration, and prints what each business carried, per place and interval. Times are those of the capture.",
    )
    parser.add_argument("file", type=Path, help="pcap or pcapng file")
    parser.add_argument(
        "--interval", choices=("10s", "60s"), default="60s", help="length of the windows (default: 60s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per window cell")
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the windows; a summary of what was read and lost goes to standard error."""
    config = load_config(options.config)
    try:
        rows, summary = replay(options.file, config, int(options.interval.removesuffix("s")) * 1000)
    except CaptureFileError as error:
        raise SettingsError([Problem("replay", 0, "", str(error))]) from error
    if options.json:
        for row in rows:
            print_json({"interval_start": _time(row), **asdict(row)})
    else:
        plain_console().print(_table(rows))
    print(summary, file=sys.stderr)
    return 0


def replay(path: Path, config: Config, interval_milliseconds: int) -> tuple[list[WindowRow], str]:
    """Return the final rows of every interval of one length, in order, and a sentence about what was read and lost."""
    decoder = FlowDecoder(config.settings.capture.netflow.decode_limits())
    attribution = build_attribution(config)
    settings = config.settings.flows
    limits = WindowLimits(settings.grace, _LATENESS_SECONDS, _FUTURE_SECONDS, settings.max_cells)
    users = Users(attribution, settings.user_limits(), 0)
    windows = Windows(attribution, users, limits)
    rows: dict[RowKey, WindowRow] = {}
    records = 0

    def keep(batches: list[WindowBatch]) -> None:
        for batch in batches:
            if batch.interval_milliseconds == interval_milliseconds:
                rows.update({_key(row): row for row in batch.rows()})

    capture = CaptureFile(path, block_datagrams=_BLOCK_DATAGRAMS)
    for block in capture.blocks():
        now = int(block.arrival_milliseconds[-1])
        batch = decoder.decode(block)
        records += len(batch)
        windows.add(attribution.attribute(batch), now)
        keep(windows.close(now))
    keep(windows.flush())
    level = INTERVALS_MILLISECONDS.index(interval_milliseconds)
    losses = _losses(capture.counters, decoder.counters, windows, level)
    found = capture.counters
    summary = f"{path.name}: {found.packets} packets, {found.datagrams} flow export datagrams, {records} records"
    return [rows[key] for key in sorted(rows)], "; left out: ".join(
        [summary, ", ".join(losses)] if losses else [summary]
    )


def _losses(found: ReplayCounters, decoded: DecodeCounters, windows: Windows, level: int) -> list[str]:
    """Return, in words, what of the file is in no window; empty where everything is."""
    not_export = found.not_udp + found.other_payload + found.unknown_link
    counts = {
        "packets that are no flow export": not_export,
        "packets cut off": found.cut_off,
        "fragments": found.fragments,
        "datagrams that cannot be decoded": decoded.short_datagrams
        + decoded.unknown_version_datagrams
        + decoded.sflow_datagrams
        + decoded.refused_datagrams,
        "datagrams decoded in part": decoded.truncated_datagrams,
        "broken sets": decoded.bad_sets,
        "sets whose template never came": decoded.sets_without_template - decoded.replayed_sets,
        "records without addresses and counters": decoded.skipped_records,
        "records too late": windows.late_records(level),
        "records too far in the future": windows.future_records,
    }
    return [f"{count} {what}" for what, count in counts.items() if count > 0]


def _key(row: WindowRow) -> RowKey:
    return row.interval_start_milliseconds, row.business, row.region, row.segment


def _time(row: WindowRow) -> str:
    return datetime.fromtimestamp(row.interval_start_milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _table(rows: list[WindowRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("window", "business", "region", "segment"):
        table.add_column(name)
    for name in ("to server", "to client", "packets", "flows", "users"):
        table.add_column(name, justify="right")
    for row in rows:
        users = f"{row.users}" if row.users_exact else f">= {row.users}"
        figures = (row.octets_to_server, row.octets_to_client, row.packets, row.flows)
        table.add_row(
            _time(row), row.business or "(none)", row.region, row.segment, *(f"{one:,}" for one in figures), users
        )
    return table
