"""Every record of a datagram as it stands on the wire: slow, plain, for people and as the kernel's oracle.

NetFlow v1, v5, v7: header, then `count` records of one layout.

 v5 header (24)  version 2 | count 2 | sysUptime 4 | unix_secs 4 | unix_nsecs 4 | sequence 4 | engine 2 | sampling 2
 v5 record (48)  src 4 | dst 4 | nexthop 4 | input 2 | output 2 | packets 4 | octets 4 | first 4 | last 4 | sport 2 |
                 dport 2 | pad 1 | flags 1 | proto 1 | tos 1 | src_as 2 | dst_as 2 | masks 2 | pad 2
 v9 header (20)  version 2 | count 2 | sysUptime 4 | unix_secs 4 | sequence 4 | source id 4
 IPFIX (16)      version 2 | length 2 | export time 4 | sequence 4 | observation domain 4
 set             id 2 | length 2 | records or templates | padding
 sFlow           sflowrecords.py
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Final, NamedTuple, TypeAlias

from btimd.capture.wire.errors import WireError
from btimd.capture.wire.sflowrecords import SflowSample, sflow_samples
from btimd.capture.wire.templates import (
    IPFIX,
    NETFLOW_V9,
    VARIABLE_LENGTH,
    Invalid,
    Template,
    TemplateKey,
    TemplateStore,
    is_template_set,
    parse_template_set,
)

SFLOW_V5: Final = 5  # as the first four octets
_HEADER_OCTETS: Final = {1: 16, 5: 24, 7: 24, NETFLOW_V9: 20, IPFIX: 16}
_RECORD_OCTETS: Final = {1: 52, 5: 48, 7: 52}
_SHORT_V1_RECORD: Final = 48  # nfdump and softflowd send these
_FLAGS_AT: Final = {1: 40, 5: 37, 7: 37}


@dataclass(frozen=True, slots=True)
class FixedRecord:
    """A record of NetFlow v1, v5 or v7. first_ms, last_ms: sysUptime of the flow; sampling: the header's 16 bits.

    valid is False for records of a datagram whose count does not fit its length: FlowDecoder rejects those.
    """

    datagram: int
    version: int
    valid: bool
    src: str
    dst: str
    nexthop: str
    sport: int
    dport: int
    proto: int
    flags: int
    tos: int
    packets: int
    octets: int
    first_ms: int
    last_ms: int
    inif: int
    outif: int
    sys_uptime: int
    unix_secs: int
    unix_nsecs: int
    sampling: int
    engine: int

    def as_json(self) -> dict[str, Any]:
        """Return the record in the shape `btimd decode --raw` prints."""
        return {
            "dg": self.datagram, "v": self.version, "kind": "data" if self.valid else "data_in_invalid_datagram",
            "src": self.src, "dst": self.dst, "nexthop": self.nexthop, "sport": self.sport, "dport": self.dport,
            "proto": self.proto, "flags": self.flags, "tos": self.tos, "packets": self.packets, "bytes": self.octets,
            "first_ms": self.first_ms, "last_ms": self.last_ms, "inif": self.inif, "outif": self.outif,
            "sys_uptime": self.sys_uptime, "unix_secs": self.unix_secs, "unix_nsecs": self.unix_nsecs,
            "sampling": self.sampling,
        }  # fmt: skip


class FieldValue(NamedTuple):
    """One field of a record with its octets."""

    enterprise: int
    element: int
    value: bytes


@dataclass(frozen=True, slots=True)
class FieldRecord:
    """A record of NetFlow v9 or IPFIX. export_seconds, uptime_milliseconds (v9 only): from its datagram's header."""

    datagram: int
    version: int
    exporter: str
    domain: int
    set_id: int
    is_options: bool
    scope_count: int
    fields: tuple[FieldValue, ...]
    export_seconds: int
    uptime_milliseconds: int

    def as_json(self) -> dict[str, Any]:
        """Return the record in the shape `btimd decode --raw` prints."""
        return {
            "dg": self.datagram, "v": self.version, "exporter": self.exporter, "domain": self.domain,
            "set": self.set_id, "kind": "options" if self.is_options else "data", "scope": self.scope_count,
            "fields": [[enterprise, element, value.hex()] for enterprise, element, value in self.fields],
        }  # fmt: skip


RawRecord: TypeAlias = FixedRecord | FieldRecord | SflowSample


@dataclass(slots=True)
class RawCounters:
    """What RawDecoder met besides records."""

    datagrams: int = 0
    unsupported_datagrams: int = 0
    sflow_datagrams: int = 0
    sets_without_template: int = 0
    errors: list[WireError] = field(default_factory=list)


_MAX_ERRORS: Final = 1000
MAX_TOTAL_FIELDS: Final = 1_000_000


class RawDecoder:
    """Yields records in wire order, one datagram at a time. Data before its template is counted, not kept."""

    def __init__(self, *, max_exporters: int = 4096, max_templates: int = 4096, max_fields: int = 4096) -> None:
        self._store = TemplateStore(
            max_exporters=max_exporters, max_templates=max_templates, max_total_fields=MAX_TOTAL_FIELDS
        )
        self._max_fields = max_fields
        self.counters = RawCounters()

    def decode(self, datagram: bytes, exporter: str) -> Iterator[RawRecord]:
        """Yield the records of a datagram from `exporter`; what cannot be decoded is noted in `counters`."""
        self.counters.datagrams += 1
        number = self.counters.datagrams
        version = int.from_bytes(datagram[:2], "big")
        if len(datagram) >= 4 and int.from_bytes(datagram[:4], "big") == SFLOW_V5:
            self.counters.sflow_datagrams += 1
            yield from sflow_samples(datagram, number=number, exporter=exporter, note=self._note)
            return
        if version not in _HEADER_OCTETS or len(datagram) < _HEADER_OCTETS[version]:
            self.counters.unsupported_datagrams += 1
            return
        if version in _RECORD_OCTETS:
            yield from self._fixed(datagram, exporter, number, version)
        else:
            yield from self._sets(datagram, exporter, number, version)

    def _note(self, error: WireError) -> None:
        if len(self.counters.errors) < _MAX_ERRORS:
            self.counters.errors.append(error)

    def _fixed(self, datagram: bytes, exporter: str, number: int, version: int) -> Iterator[FixedRecord]:
        header, size = _HEADER_OCTETS[version], _RECORD_OCTETS[version]
        count = _integer(datagram, 2, 2)
        if version == 1 and header + count * size > len(datagram):
            size = _SHORT_V1_RECORD
        whole = (len(datagram) - header) // size
        valid = 0 < count <= whole
        if not valid:
            reason = f"header announces {count} records, {whole} whole ones follow"
            self._note(WireError(exporter=exporter, domain=0, template=0, offset=2, reason=reason))
        for index in range(count if valid else whole):
            at = header + index * size
            flags_at = _FLAGS_AT[version]
            yield FixedRecord(
                datagram=number, version=version, valid=valid,
                src=str(IPv4Address(datagram[at : at + 4])), dst=str(IPv4Address(datagram[at + 4 : at + 8])),
                nexthop=str(IPv4Address(datagram[at + 8 : at + 12])),
                inif=_integer(datagram, at + 12, 2), outif=_integer(datagram, at + 14, 2),
                packets=_integer(datagram, at + 16, 4), octets=_integer(datagram, at + 20, 4),
                first_ms=_integer(datagram, at + 24, 4), last_ms=_integer(datagram, at + 28, 4),
                sport=_integer(datagram, at + 32, 2), dport=_integer(datagram, at + 34, 2),
                flags=datagram[at + flags_at], proto=datagram[at + 38], tos=datagram[at + 39],
                sys_uptime=_integer(datagram, 4, 4), unix_secs=_integer(datagram, 8, 4),
                unix_nsecs=_integer(datagram, 12, 4),
                sampling=_integer(datagram, 22, 2) if version == 5 else 0,
                engine=_integer(datagram, 20, 2) if version == 5 else 0,
            )  # fmt: skip

    def _sets(self, datagram: bytes, exporter: str, number: int, version: int) -> Iterator[FieldRecord]:
        domain = _integer(datagram, 16 if version == NETFLOW_V9 else 12, 4)
        at = _HEADER_OCTETS[version]
        while at + 4 <= len(datagram):
            set_id, length = _integer(datagram, at, 2), _integer(datagram, at + 2, 2)
            if length < 4 or at + length > len(datagram):
                if any(datagram[at:]):
                    reason = f"set {set_id} of {length} octets, {len(datagram) - at} are left"
                    self._note(WireError(exporter=exporter, domain=domain, template=0, offset=at, reason=reason))
                return
            body = datagram[at + 4 : at + length]
            at += length
            try:
                if is_template_set(version, set_id):
                    self._templates(version, set_id, body, exporter, domain)
                elif set_id >= 256:
                    yield from self._data(datagram, exporter, number, version, domain, set_id, body)
            except WireError as error:
                self._note(error)

    def _templates(self, version: int, set_id: int, body: bytes, exporter: str, domain: int) -> None:
        for item in parse_template_set(
            version, set_id, body, exporter=exporter, domain=domain, max_fields=self._max_fields
        ):
            key = TemplateKey(exporter, version, domain, item.id)
            if isinstance(item, Template):
                self._store.put(key, item)
            elif isinstance(item, Invalid):
                self._store.discard(key)
                self._note(item.error)

    def _data(
        self, datagram: bytes, exporter: str, number: int, version: int, domain: int, set_id: int, body: bytes
    ) -> Iterator[FieldRecord]:
        template = self._store.get(TemplateKey(exporter, version, domain, set_id))
        if template is None:
            self.counters.sets_without_template += 1
            return
        for values in split_records(template, body, exporter=exporter, domain=domain):
            yield FieldRecord(
                datagram=number, version=version, exporter=exporter, domain=domain, set_id=set_id,
                is_options=template.is_options, scope_count=template.scope_count,
                fields=tuple(
                    FieldValue(place.enterprise, place.element, value)
                    for place, value in zip(template.fields, values, strict=True)
                ),
                export_seconds=_integer(datagram, 8 if version == NETFLOW_V9 else 4, 4),
                uptime_milliseconds=_integer(datagram, 4, 4) if version == NETFLOW_V9 else 0,
            )  # fmt: skip


def split_records(template: Template, body: bytes, *, exporter: str, domain: int) -> Iterator[tuple[bytes, ...]]:
    """Yield the octets of each field, record by record; raises WireError where a variable field leaves the set.

    A rest shorter than the shortest record is padding. A template of records without octets yields nothing.
    """
    minimum = template.minimum_octets
    at = 0
    while minimum and len(body) - at >= minimum:
        values: list[bytes] = []
        for place in template.fields:
            length = place.length
            if length == VARIABLE_LENGTH:
                length = _integer(body, at, 1)
                at += 1
                if length == 255:
                    length = _integer(body, at, 2)
                    at += 2
            if at + length > len(body):
                raise WireError(
                    exporter=exporter, domain=domain, template=template.id, offset=at,
                    reason=f"field {place.enterprise}:{place.element} of {length} octets, {len(body) - at} are left",
                )  # fmt: skip
            values.append(body[at : at + length])
            at += length
        yield tuple(values)


def _integer(octets: bytes, at: int, length: int) -> int:
    return int.from_bytes(octets[at : at + length], "big")
