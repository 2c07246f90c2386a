"""What a decoder keeps of sFlow: its sources, what their interfaces counted, and the names they gave.

Packets are the kernel's (kernels/sflow.py). Counter samples are rare, so they are read here; the kernel hands over each
source's at most once in COUNTERS_EVERY. Of their records these are read (sflow.org, "sFlow Version 5" and "sFlow Host
Structures"):

 generic (1)     ifIndex 4 | type 4 | speed 8 | direction 4 | status 4 | in: octets 8, unicast 4, multicast 4,
                 broadcast 4, discards 4, errors 4, unknown 4 | out: octets 8, unicast 4, multicast 4, broadcast 4,
                 discards 4, errors 4 | promiscuous 4
 port name (1005), host (2000)    octets 4 | name, padded to 4
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.enrichment import Enrichment
from btimd.capture.wire.output import OutputChunk
from btimd.capture.wire.tables import Tables
from btimd.kernels import flowlayout as fl
from btimd.kernels import keytable
from btimd.kernels import sflowsample as samples
from btimd.kernels.headers import H_SIZE, LINK_ETHERNET, read_frame, read_inner
from btimd.kernels.sflow import walk_sflow
from btimd.model.units import UnixMillis

NOT_COUNTED: Final = -1
_COUNTER_SAMPLE, _EXPANDED_COUNTER_SAMPLE = 2, 4
_GENERIC, _PORT_NAME, _HOST = 1, 1005, 2000
_GENERIC_OCTETS: Final = 88
_INTERFACE_SOURCE: Final = 0
_FIRST_SOURCES: Final = 1024


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """What an interface has counted since its device started; NOT_COUNTED where the device does not count it."""

    interface: int
    """ifIndex."""
    speed: int
    """Bits per second."""
    admin_up: bool
    oper_up: bool
    in_octets: int
    in_packets: int
    in_discards: int
    in_errors: int
    out_octets: int
    out_packets: int
    out_discards: int
    out_errors: int
    milliseconds: UnixMillis
    """When the sample arrived."""


@dataclass(frozen=True, slots=True)
class CounterSample:
    """A counter sample: of an interface, perhaps with its name, or of a host."""

    source_type: int
    """0 = the source's number is an ifIndex."""
    source: int
    interfaces: tuple[InterfaceCounters, ...] = ()
    interface_name: bytes = b""
    host_name: bytes = b""


@dataclass(frozen=True, slots=True)
class SflowCounters:
    """What was counted of sFlow beside what the decoder counts of all datagrams."""

    flow_samples: int = 0
    counter_samples: int = 0
    discarded_packet_samples: int = 0
    unknown_samples: int = 0
    """Samples of other formats, skipped."""
    cut_off: int = 0
    """Samples and records that say they are longer than what is left of their datagram."""
    empty_samples: int = 0
    """Samples of packets without any record that says what packet it was."""
    lost_samples: int = 0
    """Missing in the numbers of a source's samples."""
    sample_drops: int = 0
    """What devices report as dropped for want of resources before it became a sample."""
    false_frame_lengths: int = 0
    """Frames said to be shorter than the IP packet in them, or longer than any is; the IP packet's length counts."""
    counters_left_out: int = 0
    """Counter samples not read because the source's last one had just come."""
    sources: int = 0
    """Data sources whose numbers are followed."""
    untracked_samples: int = 0
    """Samples of sources that had no room among those."""
    source_resets: int = 0
    """How often all sources were forgotten because they were too many."""


class _Run(Protocol):
    """A walk over a block, as the decoder keeps it."""

    slab: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    source_hi: npt.NDArray[np.int64]
    source_lo: npt.NDArray[np.int64]
    source_port: npt.NDArray[np.uint16]
    arrival: npt.NDArray[np.int64]
    cursor: npt.NDArray[np.int64]


class SflowReader:
    """Walks sFlow datagrams for a decoder. Everything it keeps is bounded; the oldest interfaces go first."""

    def __init__(self, names: Enrichment, *, max_sources: int = 65_536, max_interfaces: int = 65_536) -> None:
        """names: is told what exporters call themselves and their interfaces.

        max_sources: how many data sources (ports of agents) are followed at a time.
        """
        self._max_slots = 1 << (2 * max_sources - 1).bit_length()
        self._max_interfaces = max_interfaces
        self._names = names
        self._sources = _empty_sources(min(_FIRST_SOURCES, self._max_slots))
        self._tallies = np.zeros(samples.TALLIES, np.int64)
        self._header = np.zeros(H_SIZE, np.int64)
        self._sample = np.zeros(samples.SAMPLE_SIZE, np.int64)
        self._resets = 0
        self._interfaces: dict[tuple[int, int], InterfaceCounters] = {}

    def walk(self, run: _Run, tables: Tables, counts: npt.NDArray[np.int64], out: OutputChunk) -> int:
        """Go on where the run's cursor stands and return why that ended: see kernels/sflow.walk_sflow.

        Counter samples are dealt with here; NEW_DOMAIN, FULL and NEED_EXTRA are for the decoder. On DONE the other
        kernel goes on.
        """
        while True:
            self._make_room()
            run.cursor[fl.AT_OUTPUT] = out.used
            status: int = walk_sflow(
                run.slab, run.offsets, run.source_hi, run.source_lo, run.source_port, run.arrival, run.cursor,
                counts, tables.domain_slots, tables.domains, tables.sequences, self._sources, self._tallies,
                self._header, self._sample, out.wide, out.ids, out.small, out.words, out.octets, out.extra,
            )  # fmt: skip
            out.used = int(run.cursor[fl.AT_OUTPUT])
            if status != fl.COUNTERS:
                return status
            self._read(run, tables)

    def warm(self, run: _Run, tables: Tables, counts: npt.NDArray[np.int64], out: OutputChunk) -> None:
        """Compile or load the kernels of sFlow; the run is one over nothing."""
        self.walk(run, tables, counts, out)
        read_frame(run.slab, 0, 0, LINK_ETHERNET, self._header)
        read_inner(run.slab, self._header)

    @staticmethod
    def is_amid(run: _Run) -> bool:
        """Tell whether the run's cursor stands inside an sFlow datagram, where only `walk` can go on."""
        return bool(run.cursor[fl.AT_VERSION] == fl.SFLOW_VERSION and run.cursor[fl.AT_POSITION] >= 0)

    def _read(self, run: _Run, tables: Tables) -> None:
        """Read the counter sample at the cursor and move on behind it."""
        position, end = int(run.cursor[fl.AT_POSITION]), int(run.cursor[fl.AT_SET_END])
        run.cursor[fl.AT_POSITION] = end
        arrival = int(run.arrival[run.cursor[fl.AT_DATAGRAM]])
        exporter = int(tables.domains[run.cursor[fl.AT_DOMAIN], fl.D_EXPORTER])
        sample = read_counter_sample(run.slab[position:end].tobytes(), arrival)
        for counters in sample.interfaces:
            key = exporter, counters.interface
            self._interfaces.pop(key, None)
            self._interfaces[key] = counters
            self._names.name_interface(exporter, counters.interface, speed=counters.speed)
        while len(self._interfaces) > self._max_interfaces:
            del self._interfaces[next(iter(self._interfaces))]
        if sample.interface_name and sample.source_type == _INTERFACE_SOURCE and sample.source:
            self._names.name_interface(exporter, sample.source, name=sample.interface_name)
        if sample.host_name:
            self._names.name_host(exporter, sample.host_name)

    def _make_room(self) -> None:
        """Keep the table of sources at most half full: grow it, or, as large as it may be, begin anew."""
        if 2 * (int(self._tallies[samples.Y_SOURCES]) + 1) <= len(self._sources):
            return
        old = self._sources
        if 2 * len(old) <= self._max_slots:
            self._sources = _empty_sources(2 * len(old))
            for row in old[old[:, samples.R_KEY] != -1]:
                self._sources[keytable.find_key(self._sources, int(row[samples.R_KEY]))] = row
        else:
            self._sources = _empty_sources(len(old))
            self._tallies[samples.Y_SOURCES] = 0
            self._resets += 1

    @property
    def counters(self) -> SflowCounters:
        """Everything counted so far."""
        tallies = [int(value) for value in self._tallies]
        return SflowCounters(
            **{item.name: value for item, value in zip(fields(SflowCounters), tallies, strict=False)},
            source_resets=self._resets,
        )

    def interfaces(self) -> Iterator[tuple[int, InterfaceCounters]]:
        """Yield (exporter_id, the latest counters of an interface), the longest not heard of first."""
        for (exporter, _), counters in self._interfaces.items():
            yield exporter, counters


def _empty_sources(slots: int) -> npt.NDArray[np.int64]:
    return np.full((slots, samples.SOURCE_SIZE), -1, np.int64)


def read_counter_sample(octets: bytes, arrival: UnixMillis) -> CounterSample:
    """Return what a counter sample (with its head of format and length) says; what is cut off says nothing."""
    expanded = _integer(octets, 0) == _EXPANDED_COUNTER_SAMPLE
    at = 24 if expanded else 20
    source_type, source = _integer(octets, 12) >> 24, _integer(octets, 12) & 0xFF_FFFF
    if expanded:
        source_type, source = _integer(octets, 12), _integer(octets, 16)
    interfaces: list[InterfaceCounters] = []
    interface_name = host_name = b""
    while at + 8 <= len(octets):
        kind, length = _integer(octets, at), _integer(octets, at + 4)
        found = read_counter_record(kind, octets[at + 8 : at + 8 + length], arrival)
        at += 8 + length
        if isinstance(found, InterfaceCounters):
            interfaces.append(found)
        elif kind == _PORT_NAME:
            interface_name = found or b""
        elif kind == _HOST:
            host_name = found or b""
    return CounterSample(source_type, source, tuple(interfaces), interface_name, host_name)


def read_counter_record(kind: int, body: bytes, arrival: UnixMillis) -> InterfaceCounters | bytes | None:
    """Return what a record of a counter sample says: counters, a name, or None where it is of no kind read here.

    kind: enterprise << 12 | format.
    """
    if kind == _GENERIC and len(body) >= _GENERIC_OCTETS:
        return _interface(body, arrival)
    if kind in {_PORT_NAME, _HOST}:
        return body[4 : 4 + _integer(body, 0)].split(b"\0")[0]
    return None


def _interface(body: bytes, arrival: UnixMillis) -> InterfaceCounters:
    status = _integer(body, 20)

    def count(at: int) -> int:
        value = _integer(body, at)
        return NOT_COUNTED if value == 0xFFFF_FFFF else value

    def octets(at: int) -> int:
        value = int.from_bytes(body[at : at + 8], "big")
        return NOT_COUNTED if value == (1 << 64) - 1 else value

    def packets(at: int) -> int:
        parts = [count(at + 4 * k) for k in range(3)]
        return NOT_COUNTED if all(part == NOT_COUNTED for part in parts) else sum(max(part, 0) for part in parts)

    known = status != 0xFFFF_FFFF
    return InterfaceCounters(
        interface=_integer(body, 0), speed=int.from_bytes(body[8:16], "big"), admin_up=known and status & 1 != 0,
        oper_up=known and status & 2 != 0,
        in_octets=octets(24), in_packets=packets(32), in_discards=count(44), in_errors=count(48),
        out_octets=octets(56), out_packets=packets(64), out_discards=count(76), out_errors=count(80),
        milliseconds=arrival,
    )  # fmt: skip


def _integer(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4], "big")
