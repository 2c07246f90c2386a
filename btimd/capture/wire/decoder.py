"""FlowDecoder: datagrams of NetFlow v1, v5, v7, v9, IPFIX and sFlow v5 -> FlowBatch.

Two kernels walk the datagrams, one those of sFlow (sflow.py), one all others; this module handles, in wire order, what
they stop at: exporters they have not seen, template sets, options records, data before its template.

Sequence numbers are compared datagram by datagram: a gap counts as lost at once and is taken back when the missing
datagram comes late. There is no reordering window yet, so a gap may show for a moment that is none.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.counters import DecodeCounters, count_all, export_counts, view_exporter
from btimd.capture.wire.domains import Domains
from btimd.capture.wire.enrichment import Enrichment
from btimd.capture.wire.errors import WireError
from btimd.capture.wire.exporters import ExporterRule, ExporterRules, RefusedExporters
from btimd.capture.wire.limits import DecodeLimits
from btimd.capture.wire.options import OptionsReader
from btimd.capture.wire.output import OutputChunk
from btimd.capture.wire.pending import PendingSet
from btimd.capture.wire.sampling import MAX_RATES_SHOWN
from btimd.capture.wire.sflow import SflowReader
from btimd.capture.wire.tables import domain_key, port_of, scope_of
from btimd.capture.wire.templates import (
    IPFIX,
    NETFLOW_V9,
    Invalid,
    Stored,
    Template,
    TemplateKey,
    Withdrawal,
    is_template_set,
    parse_template_set,
)
from btimd.capture.wire.walk import Run, part
from btimd.kernels import flowlayout as fl
from btimd.kernels import flowrecords, keytable
from btimd.model.address import Prefix
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from btimd.model.ports import Exporter, RefusedExporter
from btimd.model.units import UnixMillis

__all__ = ["DecodeLimits", "FlowDecoder"]

_HEADER_OCTETS: Final = {NETFLOW_V9: 20, IPFIX: 16}
_REPEATED_OCTETS: Final = 2048
_REPEATED_SETS: Final = 4096
_RECORD_OCTETS_GUESS: Final = 40
_SAMPLED_RECORDS: Final = 32
_WITHDRAW_ALL: Final = {2: False, 3: True}  # RFC 7011 section 8.1: template id -> options templates


class FlowDecoder:
    """Decodes what one thread receives. It keeps templates, sampling rates and sequence numbers between blocks.

    Network input never raises: what cannot be decoded is counted, and one bad set costs no other. Memory, with the
    default limits: 1.4 KiB per template (100 exporters with 1,000 each: 140 MiB), 1.5 KiB per observation domain,
    at most 16 MiB of waiting data and as much again for what it costs to keep them, about 0.5 KiB per name.
    decode, end_stream, restore and export_counts are for one thread; everything else may be asked by others meanwhile.
    """

    def __init__(
        self,
        limits: DecodeLimits | None = None,
        rules: Sequence[ExporterRule] = (),
        allowed: Sequence[Prefix] = (),
        *,
        points: int = 0,
    ) -> None:
        """Store the rules; allowed: the senders that may export, empty = all.

        points: so many exporter ids, from 0 on, are those of observation points that send no datagrams: interfaces
        whose packets btimd counts itself.
        """
        self._limits = limits or DecodeLimits()
        self._rules = ExporterRules(rules, allowed)
        self._refused = RefusedExporters()
        self._more = DecodeCounters()
        self.names = Enrichment(max_names=self._limits.max_names)
        self._domains = Domains(self._limits, self._rules, self.names, self._more)
        self._tables, self._store = self._domains.tables, self._domains.store
        self._sampling, self._pending = self._domains.sampling, self._domains.pending
        self._tables.reserve(points)
        self._options = OptionsReader(self._tables, self._sampling, self.names)
        self.sflow = SflowReader(self.names)
        self._counts = np.zeros(fl.COUNTS_SIZE, np.int64)
        self._scratch = np.zeros((2, fl.SLOTS), np.int32)
        self._starts = np.zeros((fl.SEGMENTS + 1, fl.RUN), np.int64)
        self._full: list[FlowBatch] = []
        self._repeated: dict[tuple[int, int], tuple[bytes, tuple[tuple[TemplateKey, Template | None], ...]]] = {}
        self._out = OutputChunk(0)
        self._octets_per_record = _RECORD_OCTETS_GUESS

    def decode(self, block: DatagramBlock) -> FlowBatch:
        """Return the flow records of a block, in wire order; data that waited for a template comes with it."""
        if np.any(np.diff(block.offsets) < 0):
            raise ValueError("offsets of a datagram block go backward")
        octets = int(block.offsets[-1])
        self._out = OutputChunk(OutputChunk.room_for(octets // self._octets_per_record))
        if block.stream:
            self._walk_streams(block)
        else:
            self._walk(block, replay=False)
        batches = [*self._full, self._out.batch()]
        self._full = []
        self._out = OutputChunk(0)
        batch = batches[0] if len(batches) == 1 else FlowBatch.concat(batches)
        if len(batch):
            self._octets_per_record = max(octets // len(batch) - 4, 8)
            if self._domains.rates_in_records:
                self._note_rates(batch)
        if self._limits.template_lifetime_milliseconds and len(block):
            self._domains.sweep(int(block.arrival_milliseconds[-1]))
        return batch

    def set_rules(self, rules: Sequence[ExporterRule], allowed: Sequence[Prefix]) -> None:
        """Put other rules in force, for known exporters too: what those knew that may no longer export is forgotten."""
        self._rules.replace(rules, allowed)
        self._domains.apply_rules()

    def end_stream(self, hi: int, lo: int, port: int) -> None:
        """Forget the templates of a TCP connection that ended; an empty datagram of a stream does the same."""
        exporter = self._tables.exporter(hi, lo)
        scope = scope_of(port, stream=True)
        for row in [row for row in exporter.domains if self._tables.places[row].scope == scope] if exporter else ():
            self._domains.forget(row)

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
        self.sflow.warm(Run.over(block, replay=False), self._tables, self._counts, OutputChunk(0))
        keytable.find_key(self._tables.samplers.slots, 0)
        keytable.find_domain(self._tables.domain_slots, 0, 0, 0)

    @property
    def counters(self) -> DecodeCounters:
        """Everything counted so far, as a copy."""
        return replace(
            count_all(self._more, self._counts, self._tables),
            templates=len(self._store),
            options_records=int(self._counts[fl.N_OPTIONS_RECORDS]) + self._options.records,
            unconfirmed_templates=self._store.unconfirmed(),
            buffered_sets=len(self._pending),
            dropped_sets=self._pending.dropped,
            refused_names=self.names.refused,
        )

    def exporters(self) -> tuple[Exporter, ...]:
        """Return who exported so far, in the order of exporter_id."""
        parts = self._tables, self._store, self._sampling, self.names
        return tuple(view_exporter(row, *parts) for row in self._tables.senders)

    def export_counts(self) -> npt.NDArray[np.int64]:
        """Return what each exporter sent so far, int64[exporters, 2]: flow records received, and lost (estimated)."""
        return export_counts(self._tables)

    def refused_exporters(self) -> tuple[RefusedExporter, ...]:
        """Return who sent without being allowed to: the latest 1,024 senders, the busiest first."""
        return self._refused.listed()

    def snapshot(self) -> bytes:
        """Return templates, announced rates, clocks and names as octets for `restore` of a later run."""
        return self._domains.memory.snapshot()

    def restore(self, octets: bytes, now: UnixMillis) -> int:
        """Remember what an earlier run knew; return how many templates that is. Raises SnapshotError, changing nothing.

        Each template comes into force when its exporter sends again, as long as the data fit it, until it is defined
        anew. Those neither defined nor used in the seven days before `now` are left out.
        """
        return self._domains.memory.restore(
            octets, now, self._limits.max_exporters, self._limits.max_domains_per_exporter
        )

    def _walk(self, block: DatagramBlock, *, replay: bool) -> None:
        run = Run.over(block, replay=replay)
        if not replay and not run.stream:
            self._domains.look_for_suspects(run)
        while (status := self._call(run)) != fl.DONE:
            if status == fl.FULL:
                self._full.append(self._out.batch())
                self._out = OutputChunk(OutputChunk.room_for(len(self._full[-1])))
            elif status == fl.NEW_DOMAIN:
                self._new_domain(run)
            elif status == fl.NEED_EXTRA:
                self._out.add_extra()
            else:
                self._rare_set(run, replay=replay)

    def _call(self, run: Run) -> int:
        """Go on with the kernel whose datagram is at the cursor; return why it ended, which is never SFLOW."""
        status = fl.SFLOW if self.sflow.is_amid(run) else self._call_netflow(run)
        while status == fl.SFLOW:
            if self._rules.restricted and not run.screened:
                run.screened = True  # its exporters are not its senders, and NEW_DOMAIN comes once for an exporter
                self._take_out_refused(run)
                status = self._call_netflow(run)
                continue
            status = self.sflow.walk(run, self._tables, self._counts, self._out)
            if status == fl.DONE:
                status = self._call_netflow(run)
        return status

    def _call_netflow(self, run: Run) -> int:
        tables, out = self._tables, self._out
        run.cursor[fl.AT_OUTPUT] = out.used
        status: int = flowrecords.walk_datagrams(
            run.slab, run.offsets, run.source_hi, run.source_lo, run.source_port, run.arrival, run.cursor,
            self._counts, tables.domain_slots, tables.domains, tables.sequences, tables.template_keys.slots,
            tables.templates, tables.slot_offsets, tables.slot_lengths, tables.fields, tables.samplers.slots,
            self._scratch, self._starts, out.wide,
            out.ids, out.small, out.words, out.octets, out.extra,
        )  # fmt: skip
        out.used = int(run.cursor[fl.AT_OUTPUT])
        return status

    def _walk_streams(self, block: DatagramBlock) -> None:
        """Walk the messages of connections; an empty one ends its connection."""
        begin = 0
        for end in np.flatnonzero(np.diff(block.offsets) == 0):
            self._walk(part(block, begin, int(end)), replay=False)
            self.end_stream(int(block.source_hi[end]), int(block.source_lo[end]), int(block.source_port[end]))
            begin = int(end) + 1
        self._walk(part(block, begin, len(block)), replay=False)

    def _note_rates(self, batch: FlowBatch) -> None:
        """Look at some records for rates that exporters write into records."""
        step = max(len(batch) // _SAMPLED_RECORDS, 1)
        known = (batch["record_quality"][::step] & fl.Q_RATE_ASSUMED) == 0
        exporters, rates = batch["exporter_id"][::step][known], batch["sampling_rate"][::step][known]
        for exporter_id, rate in set(zip(exporters.tolist(), rates.tolist(), strict=True)):
            seen = self._tables.exporters[exporter_id]
            if seen.rates_in_records and len(seen.seen_rates) < MAX_RATES_SHOWN:
                seen.seen_rates.add(rate)

    # Exporters and observation domains

    def _is_refused(self, run: Run) -> bool:
        """Tell whether the sender at the cursor may not export; then all of such senders are taken out of the block."""
        if self._rules.allows(*run.sender):
            return False
        self._take_out_refused(run)
        return True

    def _take_out_refused(self, run: Run) -> None:
        begin = run.datagram
        hi, lo = run.source_hi[begin:].view(np.uint64), run.source_lo[begin:].view(np.uint64)
        senders, which = np.unique(np.stack((hi, lo), axis=1), axis=0, return_inverse=True)
        allowed = np.array([self._rules.allows(int(upper), int(lower)) for upper, lower in senders], np.bool_)
        which = which.reshape(-1)
        kept = allowed[which]
        arrived = run.arrived
        for sender, datagrams in zip(senders, np.bincount(which, minlength=len(senders)), strict=True):
            if not self._rules.allows(int(sender[0]), int(sender[1])):
                self._refused.note(int(sender[0]), int(sender[1]), arrived, int(datagrams))
        refused = int(len(kept) - kept.sum())
        self._more.refused_exporters += refused
        self._counts[fl.N_DATAGRAMS] += refused
        self._counts[fl.N_OCTETS] += int(np.diff(run.offsets[begin:])[~kept].sum())
        run.keep(kept)

    def _new_domain(self, run: Run) -> None:
        """Make a row for the exporter and observation domain at the cursor, or skip the datagram."""
        if self._is_refused(run):
            return
        version, domain = int(run.cursor[fl.AT_VERSION]), int(run.cursor[fl.AT_DOMAIN_ID])
        if version == fl.SFLOW_VERSION:
            self._keep_domain(run, self._domains.add(run.agent, version, domain))
            return
        base = -1 if run.stream else self._tables.domain_row(*run.sender, domain_key(version, domain))
        scope = scope_of(run.port, stream=run.stream) if run.stream or base >= 0 else 0
        self._keep_domain(run, self._domains.add(run.sender, version, domain, scope, base))

    def _keep_domain(self, run: Run, row: int) -> None:
        """Skip the datagram at the cursor where its domain got no row."""
        if row < 0:
            self._more.refused_datagrams += 1
            self._counts[fl.N_DATAGRAMS] += 1
            self._counts[fl.N_OCTETS] += run.octets
            run.cursor[fl.AT_DATAGRAM] += 1

    # Sets that the kernel leaves

    def _rare_set(self, run: Run, *, replay: bool) -> None:
        """Handle the set at the cursor and move on behind it, whatever is in it."""
        cursor = run.cursor
        position, end = int(cursor[fl.AT_POSITION]), int(cursor[fl.AT_SET_END])
        octets = run.slab[position:end].tobytes()
        set_id = int.from_bytes(octets[:2], "big")
        domain_row, version = int(cursor[fl.AT_DOMAIN]), int(cursor[fl.AT_VERSION])
        cursor[fl.AT_POSITION] = end
        try:
            if is_template_set(version, set_id):
                self._templates(run, version, set_id, octets[4:])
                return
            key = self._domains.key(domain_row, set_id)
            template = self._store.get(key)
            if template is not None and self._fits(domain_row, key, template, octets[4:]):
                if not template.is_options:
                    cursor[fl.AT_POSITION] = position  # the kernel may go on with it
                    return
                count = self._options.read(domain_row, template, octets[4:])
                self._tables.templates[self._tables.template_row(domain_row, set_id), fl.T_USED] = run.arrived
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
        begin = int(run.offsets[run.datagram])
        header = run.slab[begin : begin + _HEADER_OCTETS[version]].tobytes()
        self._pending.add((domain_row, set_id), PendingSet(header + octets, run.arrived))

    def _fits(self, domain_row: int, key: TemplateKey, template: Template, body: bytes) -> bool:
        """Tell whether a template may be used for a data set: one of an earlier run only if the set fits it exactly."""
        if self._store.is_confirmed(key):
            return True
        if template.fits(body):
            row = self._tables.template_row(domain_row, template.id)
            if not template.is_options:
                self._tables.templates[row, fl.T_UNCONFIRMED] = 2
            return True
        self._more.misfit_templates += 1
        self._domains.forget_template(domain_row, template.id)
        return False

    def _templates(self, run: Run, version: int, set_id: int, body: bytes) -> None:
        domain_row = int(run.cursor[fl.AT_DOMAIN])
        if self._tables.places[domain_row].scope == 0 and self._tables.sequences[domain_row, fl.E_CONFLICT] == 1:
            run.cursor[fl.AT_DOMAIN] = self._domains.make_strict(run, domain_row)  # several ports count on their own
            domain_row = int(run.cursor[fl.AT_DOMAIN])
        if self._is_repeated(run, domain_row, set_id, body):
            return
        first = self._domains.key(domain_row, 0)
        found = list(
            parse_template_set(
                version, set_id, body, exporter=first.exporter, domain=first.domain, max_fields=self._limits.max_fields
            )
        )
        for item in found:
            domain_row = int(run.cursor[fl.AT_DOMAIN])
            if isinstance(item, Withdrawal):
                self._withdraw(run, domain_row, item.id)
            elif isinstance(item, Invalid):
                self._more.bad_templates += 1
                self._store.discard(self._domains.key(domain_row, item.id))
                self._tables.drop_template(domain_row, item.id)
            else:
                self._template(run, domain_row, item)
        if len(body) <= _REPEATED_OCTETS and all(isinstance(item, Template) for item in found):
            keys = [self._domains.key(domain_row, item.id) for item in found]
            if len(self._repeated) >= _REPEATED_SETS:
                self._repeated.clear()
            self._repeated[domain_row, set_id] = body, tuple((key, self._store.get(key)) for key in keys)

    def _is_repeated(self, run: Run, domain_row: int, set_id: int, body: bytes) -> bool:
        """Tell whether a set only says again what is in force, and note that; exporters send theirs all the time."""
        octets, known = self._repeated.get((domain_row, set_id), (b"", ()))
        if octets != body or not all(
            template is not None
            and self._store.get(key) is template
            and self._store.is_confirmed(key)
            and self._store.port_of(key) == run.port
            for key, template in known
        ):
            return False
        for key, _ in known:
            self._tables.templates[self._tables.template_row(domain_row, key.template_id), fl.T_USED] = run.arrived
        return True

    def _withdraw(self, run: Run, domain_row: int, template_id: int) -> None:
        known = [template_id]
        if template_id in _WITHDRAW_ALL:
            templates = ((each, self._store.get(self._domains.key(domain_row, each)))
                         for each in self._tables.template_ids(domain_row))  # fmt: skip
            known = [each for each, one in templates if one and one.is_options is _WITHDRAW_ALL[template_id]]
        if not run.stream or not all(self._store.get(self._domains.key(domain_row, each)) for each in known):
            self._more.ignored_withdrawals += 1
            return
        for each in known:
            self._more.withdrawn_templates += 1
            self._domains.forget_template(domain_row, each)

    def _template(self, run: Run, domain_row: int, template: Template) -> None:
        key = self._domains.key(domain_row, template.id)
        before = self._store.port_of(key)
        stored = self._store.put(key, template, port=run.port)
        if stored is Stored.REFUSED and self._domains.make_room(domain_row, run.arrived):
            stored = self._store.put(key, template, port=run.port)
        if stored is Stored.REFUSED:
            self._more.refused_templates += 1
            return
        if stored is Stored.REFRESHED:
            row = self._tables.template_row(domain_row, template.id)
            self._tables.templates[row, fl.T_USED] = run.arrived
            self._tables.templates[row, fl.T_UNCONFIRMED] = 0
            return
        if stored is Stored.CHANGED:
            self._more.template_changes += 1
            self._more.stream_redefinitions += run.stream
            if (
                key.scope == 0
                and before not in (None, run.port)
                and self._domains.is_shared(run, domain_row, key, before)
            ):
                domain_row = self._domains.make_strict(run, domain_row)
                run.cursor[fl.AT_DOMAIN] = domain_row
                if self._tables.places[domain_row].scope:
                    return  # the port's own row has it already
        self._domains.put_in_force(domain_row, key, template, run.arrived, confirmed=True)
        waiting = self._pending.take((domain_row, template.id), run.arrived)
        if waiting:
            self._more.replayed_sets += len(waiting)
            self._walk(self._block_of(domain_row, waiting), replay=True)

    def _block_of(self, domain_row: int, waiting: Sequence[PendingSet]) -> DatagramBlock:
        place = self._tables.places[domain_row]
        return DatagramBlock(
            slab=np.frombuffer(b"".join(pending.datagram for pending in waiting), np.uint8),
            offsets=np.cumsum([0, *(len(pending.datagram) for pending in waiting)], dtype=np.int64),
            source_hi=np.full(len(waiting), place.hi, np.uint64),
            source_lo=np.full(len(waiting), place.lo, np.uint64),
            source_port=np.full(len(waiting), port_of(place.scope), np.uint16),
            arrival_milliseconds=np.array([pending.arrival_milliseconds for pending in waiting], np.int64),
            stream=bool(place.scope & fl.KEY_STREAM),
        )
