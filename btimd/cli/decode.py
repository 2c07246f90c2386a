"""`btimd decode FILE`: what exporters sent, record by record, or plain packets, as one JSON object per line."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from btimd.capture.packetfile import CaptureFileError, PacketFile
from btimd.capture.replay import CaptureFile, holds_flow_export
from btimd.capture.wire.elements import element, readable
from btimd.capture.wire.records import FixedRecord, RawDecoder, RawRecord
from btimd.capture.wire.sflowrecords import SflowSample
from btimd.capture.wire.templates import NETFLOW_V9
from btimd.cli.decode_packets import PacketText
from btimd.cli.sflow_text import describe_sample
from btimd.model.address import address_text


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to btimd's parser."""
    parser = subparsers.add_parser(
        "decode", help="print the flow records or the packets of a capture file, one JSON object per line"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="pcap or pcapng file")
    add_kind_option(parser, "print the records of NetFlow, IPFIX and sFlow datagrams, or all packets as they are")
    parser.add_argument(
        "--raw",
        action="store_true",
        help="records: fields as [enterprise, element, hexadecimal octets], sFlow samples as they stand on the wire",
    )
    parser.set_defaults(run=run)


def add_kind_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --as, which says what a capture file is taken for; `what` begins its help."""
    parser.add_argument(
        "--as",
        dest="kind",
        choices=("export", "packets"),
        help=f"{what} (default: records where a tenth of the first 4,096 packets is flow export, or FILE is a pipe; "
        "else packets)",
    )


def kind_of(path: Path, said: str | None) -> str:
    """Return what a file is taken for: what was said, else by what it holds; raises CaptureFileError."""
    if said:
        return said
    return "export" if not path.is_file() or holds_flow_export(path) else "packets"


def run(args: argparse.Namespace) -> int:
    """Print the records or packets; return 1 where the file cannot be read."""
    try:
        text: PacketText | _RecordText
        if kind_of(args.file, args.kind or ("export" if args.raw else None)) == "packets":
            text = PacketText(PacketFile(args.file))
        else:
            text = _RecordText(CaptureFile(args.file), raw=args.raw)
        for line in text.lines():
            print(line)
    except CaptureFileError as error:
        print(f"btimd decode: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    for sentence in text.summary():
        print(f"btimd decode: {sentence}", file=sys.stderr)
    return 0


class _RecordText:
    """The records of a file as lines, and sentences about them when the last one is out."""

    def __init__(self, capture: CaptureFile, *, raw: bool) -> None:
        self._capture, self._decoder, self._raw = capture, RawDecoder(), raw

    def lines(self) -> Iterator[str]:
        for record in _records(self._capture, self._decoder):
            line = record.as_json() if self._raw else describe(record)
            yield json.dumps(line, ensure_ascii=False, separators=(",", ":"))

    def summary(self) -> list[str]:
        found, raw = self._capture.counters, self._decoder.counters
        sentence = (
            f"{found.packets} packets, {found.datagrams} datagrams of flow export "
            f"({raw.sflow_datagrams} sFlow, {raw.unsupported_datagrams} cut off), "
            f"{raw.sets_without_template} data sets before their template, {found.fragments} IP fragments left out"
        )
        return [*map(str, raw.errors), sentence]


def _records(capture: CaptureFile, decoder: RawDecoder) -> Iterator[RawRecord]:
    for block in capture.blocks():
        for index in range(len(block)):
            octets = block.slab[block.offsets[index] : block.offsets[index + 1]].tobytes()
            exporter = address_text(int(block.source_hi[index]), int(block.source_lo[index]))
            yield from decoder.decode(octets, exporter)


def describe(record: RawRecord) -> dict[str, Any]:
    """Return a record with IANA names and readable values."""
    if isinstance(record, SflowSample):
        return describe_sample(record)
    if isinstance(record, FixedRecord):
        return {
            "datagram": record.datagram, "version": record.version, "valid": record.valid,
            "sourceIPv4Address": record.src, "destinationIPv4Address": record.dst,
            "ipNextHopIPv4Address": record.nexthop, "sourceTransportPort": record.sport,
            "destinationTransportPort": record.dport, "protocolIdentifier": record.proto,
            "tcpControlBits": record.flags, "ipClassOfService": record.tos, "packetDeltaCount": record.packets,
            "octetDeltaCount": record.octets, "flowStartSysUpTime": record.first_ms,
            "flowEndSysUpTime": record.last_ms, "ingressInterface": record.inif, "egressInterface": record.outif,
            "sysUpTime": record.sys_uptime, "exportSeconds": record.unix_secs, "samplingHeader": record.sampling,
        }  # fmt: skip
    line: dict[str, Any] = {
        "datagram": record.datagram, "version": record.version, "exporter": record.exporter, "domain": record.domain,
        "template": record.set_id, "kind": "options" if record.is_options else "data",
    }  # fmt: skip
    for index, (enterprise, number, value) in enumerate(record.fields):
        found = element(enterprise, number)
        is_netflow_scope = record.version == NETFLOW_V9 and index < record.scope_count
        name, kind = (f"scope:{number}", "oct") if is_netflow_scope else (found.name, found.kind)
        while name in line:
            name += "'"
        line[name] = readable(kind, value)
    return line
