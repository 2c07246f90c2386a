"""Datagrams made by hand, for tests: small words for what RFC 3954 and RFC 7011 draw as boxes."""

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import numpy as np

from btimd.model.address import address_halves
from btimd.model.datagrams import DatagramBlock

EXPORTED_AT = 1_700_000_000
ARRIVAL = EXPORTED_AT * 1000 + 250
UPTIME = 5_000_000
FieldSpec = tuple[int, int] | tuple[int, int, int]  # (element, length) or (element, length, enterprise)

# What most exporters send: addresses, ports, protocol, counters, times of v9.
PLAIN: tuple[FieldSpec, ...] = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4), (22, 4), (21, 4))


def plain_record(
    octets: int = 1000, packets: int = 10, *, started_before: int = 3000, ended_before: int = 1000
) -> bytes:
    """Return a record of PLAIN: 10.0.0.1:40000 -> 10.2.0.10:443, TCP."""
    return struct.pack(">4s4sHHBIIII", ip_address("10.0.0.1").packed, ip_address("10.2.0.10").packed, 40_000, 443, 6,
                       packets, octets, UPTIME - started_before, UPTIME - ended_before)  # fmt: skip


def template(template_id: int, fields: Sequence[FieldSpec], *, ipfix: bool = False) -> bytes:
    """Return one definition, without its set."""
    return struct.pack(">HH", template_id, len(fields)) + field_specs(fields, ipfix=ipfix)


def options_template(
    template_id: int, scope: Sequence[FieldSpec], fields: Sequence[FieldSpec], *, ipfix: bool = False
) -> bytes:
    """Return one definition of an options template, without its set."""
    counts = (len(scope) + len(fields), len(scope)) if ipfix else (4 * len(scope), 4 * len(fields))
    return struct.pack(">HHH", template_id, *counts) + field_specs([*scope, *fields], ipfix=ipfix)


def field_specs(fields: Iterable[FieldSpec], *, ipfix: bool) -> bytes:
    """Return field specifiers."""
    octets = b""
    for spec in fields:
        element, length, enterprise = (*spec, 0)[:3]
        if ipfix and enterprise:
            octets += struct.pack(">HHI", element | 0x8000, length, enterprise)
        else:
            octets += struct.pack(">HH", element, length)
    return octets


def one_set(set_id: int, *parts: bytes, padding: bytes = b"") -> bytes:
    """Return a set with its header."""
    body = b"".join(parts) + padding
    return struct.pack(">HH", set_id, 4 + len(body)) + body


def v9(*sets: bytes, sequence: int = 0, domain: int = 0, count: int = 1, uptime: int = UPTIME,
       at: int = EXPORTED_AT) -> bytes:  # fmt: skip
    """Return a NetFlow v9 datagram."""
    return struct.pack(">HHIIII", 9, count, uptime, at, sequence, domain) + b"".join(sets)


def ipfix(*sets: bytes, sequence: int = 0, domain: int = 0, at: int = EXPORTED_AT, length: int | None = None) -> bytes:
    """Return an IPFIX message."""
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body) if length is None else length, at, sequence, domain) + body


def v5_record(octets: int = 1000, packets: int = 10, *, first: int = UPTIME - 3000, last: int = UPTIME - 1000) -> bytes:
    """Return a NetFlow v5 record: 10.0.0.1:40000 -> 10.2.0.10:443, TCP."""
    return struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH", ip_address("10.0.0.1").packed, ip_address("10.2.0.10").packed,
                       b"\0" * 4, 3, 4, packets, octets, first, last, 40_000, 443, 0, 0x1B, 6, 8, 0, 0, 0, 0,
                       0)  # fmt: skip


def v5(*records: bytes, sequence: int = 0, engine: int = 0, sampling: int = 0, count: int | None = None,
       uptime: int = UPTIME, at: int = EXPORTED_AT) -> bytes:  # fmt: skip
    """Return a NetFlow v5 datagram."""
    number = len(records) if count is None else count
    return struct.pack(">HHIIIIHH", 5, number, uptime, at, 0, sequence, engine, sampling) + b"".join(records)


def block(*datagrams: bytes, source: str = "192.0.2.1", sources: Sequence[str] = (), port: int = 2055,
          ports: Sequence[int] = (), arrival: int = ARRIVAL, stream: bool = False) -> DatagramBlock:  # fmt: skip
    """Return datagrams as they come from a receiving thread; with `stream`, messages of TCP connections."""
    halves = [address_halves(text) for text in (sources or [source] * len(datagrams))]
    return DatagramBlock(
        slab=np.frombuffer(b"".join(datagrams), np.uint8),
        offsets=np.cumsum([0, *(len(datagram) for datagram in datagrams)], dtype=np.int64),
        source_hi=np.array([hi for hi, _ in halves], np.uint64),
        source_lo=np.array([lo for _, lo in halves], np.uint64),
        source_port=np.array(ports or [port] * len(datagrams), np.uint16),
        arrival_milliseconds=np.full(len(datagrams), arrival, np.int64),
        stream=stream,
    )


PAIR_FIELDS: tuple[FieldSpec, ...] = ((8, 4), (12, 4))
