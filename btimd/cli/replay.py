"""btimd replay: what a capture would have been, per business, place and interval; and a diagnosis made again."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Group
from rich.table import Table

from btimd.capture.replay import CaptureFile, CaptureFileError, ReplayCounters
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.walk import part
from btimd.cli.common import SubParsers, add_config_option, plain_console, print_json
from btimd.cli.ctl_quality import quality_tables
from btimd.cli.decode import add_kind_option, kind_of
from btimd.cli.replay_capsule import add_capsule_options, is_capsule, replay_capsule
from btimd.cli.replay_packets import RowKey, replay_packets, replay_quality, row_key, said
from btimd.daemon.config import Config, load_config
from btimd.daemon.wiring import build_attribution
from btimd.flows.duplicates import Duplicates
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, WindowLimits, Windows
from btimd.model.datagrams import DatagramBlock
from btimd.model.quality import SAMPLE_KINDS, QualityRow
from btimd.model.window import WindowBatch, WindowRow
from btimd.settings.report import Problem, SettingsError

_MOST_LATE_SECONDS: Final = 6 * 3600.0
_MOST_FUTURE_SECONDS: Final = 3600.0
_SLACK_SECONDS: Final = 60.0


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "replay",
        help="print windows per business for a capture of flow export or of packets; make a diagnosis again",
        description="Reads a pcap or pcapng file of NetFlow, IPFIX or sFlow datagrams, or of packets as a mirror port "
        "brings them, attributes everything by the configuration, and prints what each business carried, per place and "
        "interval, or how well its connections did. Times are those of the capture. "
        "error: 95 % of sampled figures lie within this share of the truth; lost: what never came of the exporters. "
        "A .capsule.json.gz is a kept diagnosis: it is made again and told; the exit status is 0 for the same verdict, "
        "1 for another one, 2 for a file that is no capsule.",
    )
    parser.add_argument("file", type=Path, help="pcap or pcapng file, or the capsule of a diagnosis")
    add_kind_option(parser, "take the records of NetFlow, IPFIX and sFlow datagrams, or all packets as they are")
    parser.add_argument(
        "--interval", choices=("10s", "60s"), default="60s", help="length of the windows (default: 60s)"
    )
    parser.add_argument(
        "--quality", action="store_true", help="packets: how well connections and DNS did, instead of what was carried"
    )
    parser.add_argument(
        "--by",
        action="append",
        default=[],
        choices=("server", "region", "segment"),
        help="with --quality: a row for each of these; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per window cell")
    add_capsule_options(parser)
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the windows; a summary of what was read and lost goes to standard error. A capsule is made again."""
    if is_capsule(options.file):
        return replay_capsule(options)
    if options.by and not options.quality:
        raise _wrong("--by goes with --quality; without it, rows are per region and segment anyway")
    config = load_config(options.config)
    interval = int(options.interval.removesuffix("s")) * 1000
    by = ("business", *dict.fromkeys(options.by))
    try:
        meant = "packets" if options.quality and not options.file.is_file() else options.kind
        is_export = kind_of(options.file, meant) == "export"
        if options.quality and is_export:
            raise _wrong(
                f"{options.file} holds flow export, which does not tell how connections did; leave out --quality, or, "
                "where the packets themselves are meant, add --as packets"
            )
        told, summary = (
            _quality(options.file, config, interval, by)
            if options.quality
            else _windows(options.file, config, interval, is_export=is_export)
        )
    except CaptureFileError as error:
        raise _wrong(str(error)) from error
    if options.json:
        for row in told.rows:
            print_json({"interval_start": _time(row), **_fields(row)})
    elif told.picture is not None:
        plain_console().print(told.picture)
    print(summary, file=sys.stderr)
    return 0


@dataclass(frozen=True, slots=True)
class _Told:
    """Rows, and how they look as a table; None where there is nothing to show."""

    rows: Sequence[WindowRow] | Sequence[QualityRow]
    picture: Table | Group | None


def _windows(path: Path, config: Config, interval_milliseconds: int, *, is_export: bool) -> tuple[_Told, str]:
    rows, summary = (replay if is_export else replay_packets)(path, config, interval_milliseconds)
    return _Told(rows, _table(rows)), summary


def _quality(path: Path, config: Config, interval_milliseconds: int, by: Sequence[str]) -> tuple[_Told, str]:
    rows, summary = replay_quality(path, config, interval_milliseconds, by)
    return _Told(rows, quality_tables(rows, by, UTC) if rows else None), summary


def _fields(row: WindowRow | QualityRow) -> dict[str, Any]:
    """Return a row's fields; of durations their figures, without the sketch these are read from."""
    found = asdict(row)
    for kind in SAMPLE_KINDS:
        for name in ("buckets", "bucket_counts"):
            found.get(kind, {}).pop(name, None)
    return found


def _wrong(text: str) -> SettingsError:
    return SettingsError([Problem("replay", 0, "", text)])


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
                rows.update({row_key(row): row for row in batch.rows()})

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
    losses += said({"records another exporter had reported": duplicates.counters.duplicates})
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
    return said(
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


def _time(row: WindowRow | QualityRow) -> str:
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
