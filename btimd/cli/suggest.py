"""btimd suggest: services, components and needs that the configuration lacks, from traffic kept or captured."""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from typing_extensions import override

from btimd.capture.packetfile import PacketFile
from btimd.capture.replay import CaptureFile, CaptureFileError
from btimd.capture.wire.decoder import FlowDecoder
from btimd.cli.common import SubParsers, add_config_option, plain_console, print_json
from btimd.cli.ctl_discovery import write_patch
from btimd.cli.ctl_text import as_json
from btimd.cli.decode import add_kind_option, kind_of
from btimd.cli.discovery_tables import suggestions_picture
from btimd.cli.replay_packets import Pace
from btimd.daemon.config import Config, load_config
from btimd.daemon.wiring import build_attribution
from btimd.flows.conversations import build_traffic
from btimd.flows.discoveryservice import DiscoveryLimits, Looking
from btimd.flows.duplicates import Duplicates
from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.table import FlowTable
from btimd.model.conversations import Conversations, RecordSource
from btimd.model.discovery import Suggestions
from btimd.model.flowbatch import FlowBatch
from btimd.model.units import UnixMillis
from btimd.settings.fields import parse_duration
from btimd.settings.report import Problem, SettingsError

_MILLIS: Final = 1000
_NANOS: Final = 1_000_000_000
_PATIENCE_SECONDS: Final = 600
_MOST_RECORDS: Final = 20_000_000
_MOST_NAMES: Final = 1_000_000


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "suggest",
        help="propose services, components and needs from observed traffic",
        description="Looks at traffic that no rule attributes, and proposes services, components and what needs what, "
        "with the evidence, as tables for services.toml. Reads the archive of a btimd, running or not, or a pcap or "
        "pcapng file of flow export or of packets.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--archive", type=Path, metavar="FOLDER", help="archive (default: that of the configuration)")
    source.add_argument("--capture", type=Path, metavar="FILE", help="pcap or pcapng file")
    add_kind_option(parser, "of --capture: take the records of NetFlow, IPFIX and sFlow, or all packets as they are")
    parser.add_argument(
        "--since", default="24h", metavar="DURATION", help="of the archive, as 24h or 7d (default: 24h)"
    )
    parser.add_argument("--names", type=Path, metavar="FILE", help="names of servers, written as in /etc/hosts")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the tables for services.toml to a new file")
    parser.add_argument("--json", action="store_true", help="one JSON object with all of it")
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is proposed; exit status 1 where --write cannot."""
    config = load_config(options.config)
    try:
        seconds = parse_duration(options.since)
    except ValueError as error:
        raise _wrong(f"--since: {error}") from error
    names = _names(options.names) if options.names else {}
    try:
        found = (
            from_capture(options.capture, config, names, kind=options.kind)
            if options.capture
            else from_archive(options.archive or config.state_directory / "archive", config, names, seconds)
        )
    except CaptureFileError as error:
        raise _wrong(str(error)) from error
    if options.json:
        print_json(as_json(found))
    else:
        plain_console().print(suggestions_picture(found))
    return write_patch(options.write, found.patch)


def from_archive(path: Path, config: Config, names: Mapping[str, str], seconds: float) -> Suggestions:
    """Return what the latest records of an archive propose."""
    try:
        archive = import_module("btimd.store.archivesource")  # late: who reads a capture needs no DuckDB
    except ImportError as error:  # pragma: no cover  a btimd without an archive
        raise _wrong("this btimd has no archive; name a file with --capture") from error
    if not path.is_dir():
        raise _wrong(f"{path} is no folder; name that of an archive, or a file with --capture")
    now = round(time.time() * _MILLIS)
    source: RecordSource = archive.ArchiveReader(path)
    return _looked(source, config, names, (now - round(seconds * _MILLIS), now))


def from_capture(path: Path, config: Config, names: Mapping[str, str], *, kind: str) -> Suggestions:
    """Return what the records, or packets, of a file propose."""
    export = kind_of(path, kind) == "export"
    batches = list(_export_records(path, config) if export else _packet_records(path))
    held = CaptureRecords(tuple(batches))
    return _looked(held, config, names, held.times)


def _looked(
    source: RecordSource, config: Config, names: Mapping[str, str], times: tuple[UnixMillis, UnixMillis]
) -> Suggestions:
    attribution = build_attribution(config)
    looking = Looking(source, attribution, DiscoveryLimits(records=_MOST_RECORDS))
    model = ModelAddresses(config.services.graph, config.services.rules)
    return looking.suggestions(model, *times, names)


@dataclass(frozen=True, slots=True)
class CaptureRecords(RecordSource):
    """The records of a file, held in memory: _MOST_RECORDS at most, some 120 octets each."""

    batches: tuple[FlowBatch, ...]

    @property
    def times(self) -> tuple[UnixMillis, UnixMillis]:
        """First and last time, 0 and 0 where there are no records."""
        firsts = [int(batch["flow_start_milliseconds"].min()) for batch in self.batches if len(batch)]
        lasts = [int(batch["flow_end_milliseconds"].max()) for batch in self.batches if len(batch)]
        return min(firsts, default=0), max(lasts, default=-1) + 1

    @override
    def records(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Iterator[FlowBatch]:
        """Yield the records that began in this time."""
        for batch in self.batches:
            begun = batch["flow_start_milliseconds"]
            rows = (begun >= from_milliseconds) & (begun < to_milliseconds)
            if rows.any():
                yield batch if rows.all() else batch.select(rows)

    @override
    def conversations(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis, limit: int) -> Conversations:
        """Return the conversations of this time, attributed to no rule."""
        from btimd.flows.attribution import Attribution  # late: only what is older than the limits comes here
        from btimd.model.ipplan import IpPlan

        nothing = Attribution(IpPlan.empty(), (), (), 0)
        batches = (nothing.attribute(batch) for batch in self.records(from_milliseconds, to_milliseconds))
        return build_traffic(batches, (), limit, by_evidence=False).conversations


def _export_records(path: Path, config: Config) -> Iterator[FlowBatch]:
    """Yield the records of the flow export in a file, duplicates left out."""
    capture = config.settings.capture
    decoder = FlowDecoder(capture.netflow.decode_limits(), capture.exporter_rules(), capture.netflow.allow)
    duplicates = Duplicates(config.settings.flows.duplicates.limits())
    exporters = count = 0
    for block in CaptureFile(path).blocks():
        batch = decoder.decode(block)
        counts = decoder.export_counts()
        if len(counts) > exporters:
            exporters = len(counts)
            duplicates.know((one.id, one.address, one.name) for one in decoder.exporters())
        marked = duplicates.mark(batch, int(block.arrival_milliseconds[-1]))
        kept = batch if marked is None else batch.select(~marked)
        count += len(kept)
        if count > _MOST_RECORDS:
            print(f"{path.name}: more than {_MOST_RECORDS} records; the rest is left out", file=sys.stderr)
            return
        yield kept


def _packet_records(path: Path) -> Iterator[FlowBatch]:
    """Yield the flow records that the packets of a file make."""
    table, pace, count = FlowTable(), Pace(_PATIENCE_SECONDS), 0
    for block in PacketFile(path).blocks():
        for step in pace.steps(block):
            traffic = table.flush() if step.goes_back else table.harvest(step.second * _NANOS)
            if len(traffic.flows):
                count += len(traffic.flows)
                yield traffic.flows
            table.add(step.block)
        if count > _MOST_RECORDS:
            print(f"{path.name}: more than {_MOST_RECORDS} records; the rest is left out", file=sys.stderr)
            return
    yield table.flush().flows


def _names(path: Path) -> Mapping[str, str]:
    """Return address -> name of a file like /etc/hosts; lines that are none cost themselves only."""
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.partition("#")[0].split()
                if len(words) > 1 and len(found) < _MOST_NAMES:
                    found.setdefault(words[0], words[1][:63])
    except OSError as error:
        raise _wrong(f"cannot read {path}: {error.strerror}") from error
    return found


def _wrong(text: str) -> SettingsError:
    return SettingsError([Problem("suggest", 0, "", text)])
