"""FlowDecoder: datagrams of NetFlow v1, v5, v7, v9 and IPFIX -> FlowBatch.

The kernel walks the datagrams; this module handles, in wire order, what the kernel stops at: exporters it has not
seen, template sets, options records, data before its template. sFlow datagrams are recognised and counted.

Sequence numbers are compared datagram by datagram: a gap counts as lost at once and is taken back when the missing
datagram comes late. There is no reordering window yet, so a gap may show for a moment that is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.errors import WireError
from btimd.capture.wire.output import OutputChunk
from btimd.capture.wire.pending import PendingSet, PendingSets
from btimd.capture.wire.program import compile_template
from btimd.capture.wire.records import split_records
from btimd.capture.wire.sampling import SamplingBook
from btimd.capture.wire.tables import ExporterRow, Tables
from btimd.capture.wire.templates import (
    IPFIX,
    NETFLOW_V9,
    Invalid,
    Stored,
    Template,
    TemplateKey,
    TemplateStore,
    Withdrawal,
    is_template_set,
    parse_template_set,
)
from btimd.kernels import flowlayout as fl
from btimd.kernels import flowrecords, keytable
from btimd.model.address import address_text
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from btimd.model.ports import Exporter
from btimd.model.units import UnixMillis

_HEADER_OCTETS: Final = {NETFLOW_V9: 20, IPFIX: 16}
_RECORD_OCTETS_GUESS: Final = 40
_DOMAINS_PER_EXPORTER: Final = 16  # on average, as a bound of all


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The bounds of what exporters can make a decoder remember, and the rate of those that announce none."""

    default_sampling_rate: int = 1
    max_exporters: int = 4096
    max_domains_per_exporter: int = 256
    max_templates: int = 1024
    max_fields: int = 512
    max_total_fields: int = 500_000
    pending_octets: int = 16 * 1024 * 1024
    pending_octets_per_template: int = 256 * 1024
    pending_milliseconds: int = 300_000


@dataclass(slots=True)
class _Run:
    """One walk over one block."""

    block: DatagramBlock
    slab: Any
    offsets: Any
    source_hi: Any
    source_lo: Any
    source_port: Any
    arrival: Any
    cursor: Any

    @classmethod
    def over(cls, block: DatagramBlock, *, replay: bool) -> "_Run":
        """Return a walk that begins at the first datagram.

        Arrays of another memory layout would compile the kernel anew, in the middle of the traffic: they are copied.
        """
        cursor = np.zeros(fl.CURSOR_SIZE, np.int64)
        cursor[fl.AT_POSITION] = -1
        cursor[fl.AT_REPLAY] = int(replay)
        plain: tuple[Literal["C", "W"], ...] = ("C", "W")
        return cls(
            block=block,
            slab=np.require(block.slab, np.uint8, plain),
            offsets=np.require(block.offsets, np.int64, plain),
            source_hi=np.require(block.source_hi, np.uint64, plain).view(np.int64),
            source_lo=np.require(block.source_lo, np.uint64, plain).view(np.int64),
            source_port=np.require(block.source_port, np.uint16, plain),
            arrival=np.require(block.arrival_milliseconds, np.int64, plain),
            cursor=cursor,
        )

    @property
    def datagram(self) -> int:
        """The datagram the walk stopped at."""
        return int(self.cursor[fl.AT_DATAGRAM])


class FlowDecoder:
    """Decodes what one thread receives. It keeps templates, sampling rates and sequence numbers between blocks.

    Network input never raises: what cannot be decoded is counted, and one bad set costs no other.
    """

    def __init__(self, limits: DecodeLimits | None = None) -> None:
        self._limits = limits or DecodeLimits()
        self._store = TemplateStore(
            max_exporters=self._limits.max_exporters,
            max_templates=self._limits.max_templates,
            max_total_fields=self._limits.max_total_fields,
        )
        self._tables = Tables(self._limits.default_sampling_rate)
        self._sampling = SamplingBook(self._tables)
        self._pending = PendingSets(
            max_octets=self._limits.pending_octets,
            max_octets_per_template=self._limits.pending_octets_per_template,
            max_age_milliseconds=self._limits.pending_milliseconds,
        )
        self._counts = np.zeros(fl.COUNTS_SIZE, np.int64)
        self._more = DecodeCounters()
        self._scratch = np.zeros((2, fl.SLOTS), np.int32)
        self._full: list[FlowBatch] = []
        self._out = OutputChunk(0)
        self._octets_per_record = _RECORD_OCTETS_GUESS

    def decode(self, block: DatagramBlock) -> FlowBatch:
        """Return the flow records of a block, in wire order; data that waited for a template comes with it."""
        if np.any(np.diff(block.offsets) < 0):
            raise ValueError("offsets of a datagram block go backward")
        octets = int(block.offsets[-1])
        self._out = OutputChunk(OutputChunk.room_for(octets // self._octets_per_record))
        self._walk(block, replay=False)
        batches = [*self._full, self._out.batch()]
        self._full = []
        self._out = OutputChunk(0)
        batch = batches[0] if len(batches) == 1 else FlowBatch.concat(batches)
        if len(batch):
            self._octets_per_record = max(octets // len(batch) - 4, 8)
        return batch

    def warm(self) -> None:
        """Compile or load the kernels, by decoding nothing; slow once, so it is done before sockets are bound."""
        nothing = np.zeros(0, np.uint8)
        empty = np.zeros(0, np.uint64)
        block = DatagramBlock(
            slab=nothing,
            offsets=np.zeros(1, np.int64),
            source_hi=empty,
            source_lo=empty,
            source_port=np.zeros(0, np.uint16),
            arrival_milliseconds=np.zeros(0, np.int64),
        )
        self.decode(block)
        keytable.find_key(self._tables.samplers.slots, 0)
        keytable.find_domain(self._tables.domain_slots, 0, 0, 0)

    @property
    def counters(self) -> DecodeCounters:
        """Everything counted so far, as a copy."""
        counts = self._counts
        sequences = self._tables.sequences[: self._tables.domain_count]
        lost, restarts, reordered = (
            int(sequences[:, column].sum()) for column in (fl.E_LOST, fl.E_RESTARTS, fl.E_REORDERED)
        )
        more = self._more
        return DecodeCounters(
            datagrams=int(counts[fl.N_DATAGRAMS]),
            octets=int(counts[fl.N_OCTETS]),
            records=int(counts[fl.N_RECORDS]),
            reverse_records=int(counts[fl.N_REVERSE]),
            skipped_records=int(counts[fl.N_SKIPPED_RECORDS]),
            options_records=int(counts[fl.N_OPTIONS_RECORDS]) + more.options_records,
            short_datagrams=int(counts[fl.N_SHORT]),
            unknown_version_datagrams=int(counts[fl.N_UNKNOWN_VERSION]),
            sflow_datagrams=int(counts[fl.N_SFLOW]),
            truncated_datagrams=int(counts[fl.N_TRUNCATED]),
            refused_datagrams=more.refused_datagrams,
            bad_sets=int(counts[fl.N_BAD_SETS]) + more.bad_sets,
            reserved_sets=int(counts[fl.N_RESERVED_SETS]),
            empty_records=int(counts[fl.N_EMPTY_RECORDS]),
            templates=len(self._store),
            template_changes=more.template_changes,
            bad_templates=more.bad_templates,
            refused_templates=more.refused_templates,
            ignored_withdrawals=more.ignored_withdrawals,
            sets_without_template=more.sets_without_template,
            buffered_sets=len(self._pending),
            replayed_sets=more.replayed_sets,
            dropped_sets=self._pending.dropped,
            no_time=int(counts[fl.N_NO_TIME]),
            clamped=int(counts[fl.N_CLAMPED]),
            absurd_counters=int(counts[fl.N_ABSURD_COUNTERS]),
            absurd_rates=int(counts[fl.N_ABSURD_RATES]),
            lost_units=lost,
            restarts=restarts,
            reordered_datagrams=reordered,
        )

    def exporters(self) -> tuple[Exporter, ...]:
        """Return who exported so far, in the order of exporter_id."""
        return tuple(self._exporter(row) for row in self._tables.exporters)

    def _exporter(self, row: ExporterRow) -> Exporter:
        domains = self._tables.domains[row.domains]
        sequences = self._tables.sequences[row.domains]
        latest = int(sequences[:, fl.E_LAST_SEEN].argmax())
        return Exporter(
            id=row.id,
            address=row.address,
            version=int(domains[latest, fl.D_VERSION]),
            observation_domains=tuple(sorted({int(domain) for domain in domains[:, fl.D_ID]})),
            datagrams=int(sequences[:, fl.E_DATAGRAMS].sum()),
            records=int(domains[:, fl.D_RECORDS].sum()),
            lost=int(sequences[:, fl.E_LOST].sum()),
            templates=self._store.count(row.address),
            sampling_rate=self._sampling.rate_of_exporter(row),
            first_seen_milliseconds=int(sequences[:, fl.E_FIRST_SEEN].min()),
            last_seen_milliseconds=int(sequences[latest, fl.E_LAST_SEEN]),
        )

    def _walk(self, block: DatagramBlock, *, replay: bool) -> None:
        run = _Run.over(block, replay=replay)
        while (status := self._call(run)) != fl.DONE:
            if status == fl.FULL:
                self._full.append(self._out.batch())
                self._out = OutputChunk(OutputChunk.room_for(len(self._full[-1])))
            elif status == fl.NEW_DOMAIN:
                self._new_domain(run)
            else:
                self._rare_set(run, replay=replay)

    def _call(self, run: _Run) -> int:
        tables, out = self._tables, self._out
        run.cursor[fl.AT_OUTPUT] = out.used
        status = flowrecords.walk_datagrams(
            run.slab, run.offsets, run.source_hi, run.source_lo, run.source_port, run.arrival, run.cursor,
            self._counts, tables.domain_slots, tables.domains, tables.sequences, tables.template_keys.slots,
            tables.templates, tables.slot_offsets, tables.slot_lengths, tables.fields, tables.samplers.slots,
            self._scratch, out.wide,
            out.ids, out.small, out.words, out.octets, out.extra,
        )  # fmt: skip
        out.used = int(run.cursor[fl.AT_OUTPUT])
        return status

    def _new_domain(self, run: _Run) -> None:
        """Make a row for the exporter and observation domain at the cursor, or skip the datagram."""
        index = run.datagram
        hi, lo = int(run.block.source_hi[index]), int(run.block.source_lo[index])
        exporter = self._tables.exporter(hi, lo)
        too_many = (
            len(self._tables.exporters) >= self._limits.max_exporters
            if exporter is None
            else len(exporter.domains) >= self._limits.max_domains_per_exporter
        )
        if too_many or self._tables.domain_count >= _DOMAINS_PER_EXPORTER * self._limits.max_exporters:
            self._more.refused_datagrams += 1
            self._counts[fl.N_DATAGRAMS] += 1
            self._counts[fl.N_OCTETS] += int(run.block.offsets[index + 1] - run.block.offsets[index])
            run.cursor[fl.AT_DATAGRAM] += 1
            return
        if exporter is None:
            exporter = self._tables.add_exporter(hi, lo, address_text(hi, lo))
        version, domain = int(run.cursor[fl.AT_VERSION]), int(run.cursor[fl.AT_DOMAIN_ID])
        self._tables.add_domain(exporter, hi, lo, version, domain)
        self._sampling.apply(exporter)

    def _rare_set(self, run: _Run, *, replay: bool) -> None:
        """Handle the set at the cursor and move on behind it, whatever is in it."""
        cursor = run.cursor
        position, end = int(cursor[fl.AT_POSITION]), int(cursor[fl.AT_SET_END])
        octets = run.block.slab[position:end].tobytes()
        set_id = int.from_bytes(octets[:2], "big")
        domain_row, version = int(cursor[fl.AT_DOMAIN]), int(cursor[fl.AT_VERSION])
        domain = self._tables.domains[domain_row]
        exporter = self._tables.exporters[int(domain[fl.D_EXPORTER])]
        cursor[fl.AT_POSITION] = end
        try:
            if is_template_set(version, set_id):
                arrival = int(run.block.arrival_milliseconds[run.datagram])
                self._templates(exporter, domain_row, version, set_id, octets[4:], arrival)
                return
            template = self._store.get(TemplateKey(exporter.address, version, int(domain[fl.D_ID]), set_id))
            if template is not None and template.is_options:
                count = self._options(exporter, domain_row, template, octets[4:])
                cursor[fl.AT_RECORDS] += count
                cursor[fl.AT_OPTIONS] += count
                return
        except WireError:
            self._more.bad_sets += 1
            cursor[fl.AT_COUNTABLE] = 0
            return
        cursor[fl.AT_COUNTABLE] = 0
        if replay:
            return
        self._more.sets_without_template += 1
        begin = int(run.block.offsets[run.datagram])
        header = run.block.slab[begin : begin + _HEADER_OCTETS[version]].tobytes()
        arrival = int(run.block.arrival_milliseconds[run.datagram])
        self._pending.add((domain_row, set_id), PendingSet(header + octets, arrival))

    def _templates(
        self, exporter: ExporterRow, domain_row: int, version: int, set_id: int, body: bytes, arrival: UnixMillis
    ) -> None:
        domain = int(self._tables.domains[domain_row, fl.D_ID])
        found = parse_template_set(
            version, set_id, body, exporter=exporter.address, domain=domain, max_fields=self._limits.max_fields
        )
        for item in found:
            key = TemplateKey(exporter.address, version, domain, item.id)
            if isinstance(item, Withdrawal):
                self._more.ignored_withdrawals += 1
            elif isinstance(item, Invalid):
                self._more.bad_templates += 1
                self._store.discard(key)
                self._tables.drop_template(domain_row, item.id)
            else:
                self._template(exporter, domain_row, key, item, arrival)

    def _template(
        self, exporter: ExporterRow, domain_row: int, key: TemplateKey, template: Template, arrival: UnixMillis
    ) -> None:
        stored = self._store.put(key, template)
        if stored is Stored.REFUSED:
            self._more.refused_templates += 1
            return
        if stored is Stored.REFRESHED:
            return
        self._more.template_changes += stored is Stored.CHANGED
        row = self._tables.put_template(domain_row, template.id, compile_template(template, key.version))
        rate = self._sampling.rate_of_template(exporter, domain_row, template.id)
        self._tables.templates[row, fl.T_RATE] = rate
        waiting = self._pending.take((domain_row, template.id), arrival)
        if waiting:
            self._more.replayed_sets += len(waiting)
            self._walk(self._block_of(domain_row, waiting), replay=True)

    def _block_of(self, domain_row: int, waiting: Sequence[PendingSet]) -> DatagramBlock:
        slots = self._tables.domain_slots
        hi, lo = slots[slots[:, 3] == domain_row][0, :2]
        return DatagramBlock(
            slab=np.frombuffer(b"".join(pending.datagram for pending in waiting), np.uint8),
            offsets=np.cumsum([0, *(len(pending.datagram) for pending in waiting)], dtype=np.int64),
            source_hi=np.full(len(waiting), hi, np.int64).view(np.uint64),
            source_lo=np.full(len(waiting), lo, np.int64).view(np.uint64),
            source_port=np.zeros(len(waiting), np.uint16),
            arrival_milliseconds=np.array([pending.arrival_milliseconds for pending in waiting], np.int64),
        )

    def _options(self, exporter: ExporterRow, domain_row: int, template: Template, body: bytes) -> int:
        """Learn from the records of an options data set; return how many there were."""
        count = 0
        domain = int(self._tables.domains[domain_row, fl.D_ID])
        for values in split_records(template, body, exporter=exporter.address, domain=domain):
            count += 1
            self._more.options_records += 1
            numbers: dict[int, int] = {}
            for place, value in zip(template.fields, values, strict=True):
                if place.enterprise == 0 and 1 <= len(value) <= 8:
                    numbers.setdefault(place.element, int.from_bytes(value, "big"))
            self._sampling.learn(exporter, domain_row, numbers)
            if numbers.get(160, 0) > 0:
                self._tables.domains[domain_row, fl.D_INIT] = numbers[160] & ((1 << 62) - 1)
        return count
