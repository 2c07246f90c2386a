"""Small words for the tests of the points that every collector must get right."""

import struct
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_address

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.address import address_text
from btimd.model.flowbatch import FlowBatch
from tests.capture import captures
from tests.capture.wire.crafting import (
    EXPORTED_AT,
    FieldSpec,
    block,
    ipfix,
    one_set,
    options_template,
    template,
    v9,
)  # fmt: skip

EXPORT = EXPORTED_AT * 1000
A, B = ip_address("10.0.0.1").packed, ip_address("10.2.0.10").packed
ENDS: tuple[FieldSpec, ...] = ((8, 4), (12, 4))


def number(value: int, octets: int = 4) -> bytes:
    return value.to_bytes(octets, "big")


def defined(fields: Sequence[FieldSpec], *, is_ipfix: bool = True, template_id: int = 256) -> bytes:
    """Return the set that defines a template."""
    return one_set(2 if is_ipfix else 0, template(template_id, fields, ipfix=is_ipfix))


def datagram(fields: Sequence[FieldSpec], *records: bytes, is_ipfix: bool = True, domain: int = 0) -> bytes:
    """Return a datagram with a template and records of it."""
    sets = defined(fields, is_ipfix=is_ipfix), one_set(256, *records)
    return ipfix(*sets, domain=domain) if is_ipfix else v9(*sets, domain=domain)


def decoded(
    fields: Sequence[FieldSpec], *records: bytes, is_ipfix: bool = True, decoder: FlowDecoder | None = None
) -> FlowBatch:
    """Return what becomes of records between A and B, whose ends need not be told."""
    ended = [A + B + record for record in records]
    return (decoder or FlowDecoder()).decode(block(datagram((*ENDS, *fields), *ended, is_ipfix=is_ipfix)))


def told(fields: Sequence[FieldSpec], *values: bytes, domain: int = 0, scope: FieldSpec = (149, 4)) -> bytes:
    """Return an IPFIX datagram with one options record about an observation domain, itself without an effect."""
    definition = one_set(3, options_template(400, [scope], fields, ipfix=True))
    return ipfix(definition, one_set(400, bytes(scope[1]), *values), domain=domain)


def octets(batch: FlowBatch) -> list[int]:
    return [int(value) for value in batch["octet_delta_count"]]


def times(batch: FlowBatch) -> list[tuple[int, int]]:
    """Return how many ms before the export the records begin and end."""
    ends = zip(batch["flow_start_milliseconds"], batch["flow_end_milliseconds"], strict=True)
    return [(EXPORT - int(first), EXPORT - int(last)) for first, last in ends]


def ends(batch: FlowBatch) -> list[tuple[str, int, str, int, int]]:
    """Return source, its port, destination, its port, and protocol."""
    return [
        (address_text(row["source_address_hi"], row["source_address_lo"]), row["source_transport_port"],
         address_text(row["destination_address_hi"], row["destination_address_lo"]), row["destination_transport_port"],
         row["protocol_identifier"])
        for row in batch.rows()
    ]  # fmt: skip


def moved(decoder: FlowDecoder) -> dict[str, int]:
    """Return the counters that are not 0, without those every datagram moves; that records tell no time is left out."""
    usual = {"datagrams", "octets", "records", "templates", "no_time"}
    return {name: value for name, value in asdict(decoder.counters).items() if value and name not in usual}


def captured(name: str) -> tuple[FlowBatch, FlowDecoder]:
    """Return what becomes of a capture, named by the beginning of its file's name."""
    [path] = [*captures.FLOWS.glob(f"{name}*.pcap"), *captures.TOOLS.glob(f"{name}*.pcap")]
    decoder = FlowDecoder()
    return FlowBatch.concat([decoder.decode(item) for item in CaptureFile(path).blocks()]), decoder


def v1(*records: bytes, uptime: int) -> bytes:
    return struct.pack(">HHIII", 1, len(records), uptime, EXPORTED_AT, 0) + b"".join(records)
