"""btimd replay: what a capture of flow export would have been, per business, place and interval."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from rich.table import Table

from btimd.capture.replay import CaptureFile, CaptureFileError, ReplayCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.walk import part
from btimd.cli.common import SubParsers, add_config_option, plain_console, print_json
from btimd.daemon.config import Config, load_config
from btimd.daemon.wiring import build_attribution
from btimd.flows.duplicates import Duplicates
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.datagrams import DatagramBlock
from btimd.model.window import WindowBatch, WindowRow
from btimd.settings.report import Problem, SettingsError

_MOST_LATE_SECONDS: Final = 6 * 3600.0
_MOST_FUTURE_SECONDS: Final = 3600.0
_SLACK_SECONDS: Final = 60.0
RowKey = tuple[int, str, str, str]


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "replay",
        help="print windows per business for a capture of flow export",
        description="Reads a pcap or pcapng file of NetFlow, IPFIX or sFlow datagrams, attributes every record by the "
        "configuration, and prints what each business carried, per place and interval. Times are those of the capture. "
        "error: 95 % of sampled figures lie within this share of the truth; lost: what never came of the exporters.",
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
    """Return the final rows of every interval of one length, in order, and a sentence about what was read and lost.

    The file is read twice: first for how far its records lie behind their arrival, so that memory is that of what it
    holds, and not of what could be.
    """
    attribution = build_attribution(config)
    settings = config.settings.flows
    needs = _needs_of(path, config)
    limits = WindowLimits(settings.grace, needs.lateness_seconds, needs.future_seconds, settings.max_cells)
    most_owners = int(np.diff(attribution.owners.offsets).max(initial=1))
    capacity = min(settings.max_users, needs.records * most_owners)
    windows = Windows(attribution, Users(attribution, UserLimits(capacity)), limits)
    capture, decoder = CaptureFile(path), _decoder(config)
    duplicates = Duplicates(settings.duplicates.limits())
    rows: dict[RowKey, WindowRow] = {}
    records = exporters = 0

    def keep(batches: list[WindowBatch]) -> None:
        for batch in batches:
            if batch.interval_milliseconds == interval_milliseconds:
                rows.update({_key(row): row for row in batch.rows()})

    for block in _steps(capture):
        now = int(block.arrival_milliseconds[-1])
        batch = decoder.decode(block)
        records += len(batch)
        counts = decoder.export_counts()
        if len(counts) > exporters:
            exporters = len(counts)
            duplicates.know((one.id, one.address, one.name) for one in decoder.exporters())
        marked = duplicates.mark(batch, now)
        windows.add(attribution.attribute(batch if marked is None else batch.select(~marked)), now)
        windows.note_exports(counts, now)
        keep(windows.close(now))
    keep(windows.flush())
    level = INTERVALS_MILLISECONDS.index(interval_milliseconds)
    losses = _losses(capture.counters, decoder, windows, level)
    losses += _said({"records another exporter had reported": duplicates.counters.duplicates})
    found = capture.counters
    summary = f"{path.name}: {found.packets} packets, {found.datagrams} flow export datagrams, {records} records"
    return [rows[key] for key in sorted(rows)], "; left out: ".join(
        [summary, ", ".join(losses)] if losses else [summary]
    )


@dataclass(frozen=True, slots=True)
class _Needs:
    """What windows must bear to hold the records of a file."""

    records: int
    lateness_seconds: float
    future_seconds: float


def _needs_of(path: Path, config: Config) -> _Needs:
    """Return how many records a file has, how long after they passed they came at most, and how long before."""
    decoder = _decoder(config)
    records = late = early = now = 0
    for block in _steps(CaptureFile(path)):
        now = max(now, int(block.arrival_milliseconds[-1]))
        batch = decoder.decode(block)
        records += len(batch)
        start, end = now - batch["flow_start_milliseconds"], now - batch["flow_end_milliseconds"]
        usable = (end <= _MOST_LATE_SECONDS * 1000) & (end >= -_MOST_FUTURE_SECONDS * 1000)
        late = max(late, int(start[usable].max(initial=0)))
        early = max(early, int(-end[usable].min(initial=0)))
    return _Needs(
        records,
        min(late / 1000 + _SLACK_SECONDS, _MOST_LATE_SECONDS),
        min(early / 1000 + _SLACK_SECONDS, _MOST_FUTURE_SECONDS),
    )


def _decoder(config: Config) -> FlowDecoder:
    capture = config.settings.capture
    return FlowDecoder(capture.netflow.decode_limits(), capture.exporter_rules(), capture.netflow.allow)


def _steps(capture: CaptureFile) -> Iterator[DatagramBlock]:
    """Yield the file's datagrams in blocks that arrived within an interval of 10 s each, as they come to a daemon."""
    for block in capture.blocks():
        interval = block.arrival_milliseconds // INTERVALS_MILLISECONDS[0]
        bounds = [0, *(np.flatnonzero(np.diff(interval)) + 1).tolist(), len(block)]
        for begin, end in pairwise(bounds):
            yield part(block, begin, end)


def _losses(found: ReplayCounters, decoder: FlowDecoder, windows: Windows, level: int) -> list[str]:
    """Return, in words, what of the file is in no window; empty where everything is."""
    decoded, sflow = decoder.counters, decoder.sflow.counters
    not_export = found.not_udp + found.other_payload + found.unknown_link
    return _said(
        {
            "packets that are no flow export": not_export,
            "packets cut off": found.cut_off,
            "fragments": found.fragments,
            "datagrams of exporters that are not allowed": decoded.refused_exporters,
            "datagrams that cannot be decoded": decoded.short_datagrams
            + decoded.unknown_version_datagrams
            + decoded.refused_datagrams,
            "datagrams decoded in part": decoded.truncated_datagrams,
            "broken sets": decoded.bad_sets,
            "sets whose template never came": decoded.sets_without_template - decoded.replayed_sets,
            "sFlow samples that tell no packet": sflow.cut_off + sflow.unknown_samples + sflow.empty_samples,
            "records without addresses and counters": decoded.skipped_records,
            "records of what a device discarded": windows.dropped,
            "records too late": windows.late_records(level),
            "records too far in the future": windows.future_records,
        }
    )


def _said(counts: Mapping[str, int]) -> list[str]:
    return [f"{count} {what}" for what, count in counts.items() if count > 0]


def _key(row: WindowRow) -> RowKey:
    return row.interval_start_milliseconds, row.business, row.region, row.segment


def _time(row: WindowRow) -> str:
    return datetime.fromtimestamp(row.interval_start_milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _table(rows: list[WindowRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("window", "business", "region", "segment"):
        table.add_column(name)
    for name in ("to server", "to client", "packets", "flows", "users", "error", "lost"):
        table.add_column(name, justify="right")
    for row in rows:
        users = f"{row.users}" if row.users_exact else f">= {row.users}"
        figures = (row.octets_to_server, row.octets_to_client, row.packets, row.flows)
        table.add_row(
            _time(row), row.business or "(none)", row.region, row.segment, *(f"{one:,}" for one in figures), users,
            f"{row.sampling_error_ratio:.1%}" if row.sampled else "-",
            "unknown" if row.export_loss_ratio is None else f"{row.export_loss_ratio:.1%}",
        )  # fmt: skip
    return table
