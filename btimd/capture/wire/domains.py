"""What a decoder keeps per exporter and observation domain: rows, templates in force, ports that are told apart."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from btimd.capture.wire.counters import DecodeCounters
from btimd.capture.wire.enrichment import NAMING_ELEMENTS, Enrichment
from btimd.capture.wire.exporters import ExporterRules
from btimd.capture.wire.limits import DecodeLimits
from btimd.capture.wire.pending import PendingSets
from btimd.capture.wire.persistence import Memory
from btimd.capture.wire.program import OPTIONS_THAT_MATTER, Layout, compile_template
from btimd.capture.wire.sampling import ANNOUNCING_ELEMENTS, IN_RECORD_ELEMENTS, SamplingBook
from btimd.capture.wire.tables import ExporterRow, Tables, port_of, scope_of
from btimd.capture.wire.templates import Field, Stored, Template, TemplateKey, TemplateStore
from btimd.capture.wire.walk import Run, Suspect
from btimd.kernels import flowlayout as fl
from btimd.model.address import address_halves, address_text
from btimd.model.units import UnixMillis

_DOMAINS_PER_EXPORTER: Final = 16  # on average, as a bound of all
_MAX_STRICT_PORTS: Final = 64  # of one observation domain; one more replaces that silent for longest
_MAX_SUSPECTS: Final = 16
_SUSPECT_MILLISECONDS: Final = 3_600_000
_SWEEP_MILLISECONDS: Final = 60_000
_ROOM_MILLISECONDS: Final = 1000
_MAX_ROOM: Final = 64
_PADDING: Final = 210


class Domains:
    """The state of all exporters. What happens to it is counted in `more`."""

    def __init__(self, limits: DecodeLimits, rules: ExporterRules, names: Enrichment, more: DecodeCounters) -> None:
        self._limits = limits
        self._rules = rules
        self._more = more
        self.store = TemplateStore(
            max_exporters=limits.max_exporters,
            max_templates=limits.max_templates,
            max_total_fields=limits.max_total_fields,
        )
        self.tables = Tables(limits.default_sampling_rate)
        self.sampling = SamplingBook(self.tables)
        self.memory = Memory(self.tables, self.store, self.sampling, names)
        self.pending = PendingSets(
            max_octets=limits.pending_octets,
            max_octets_per_template=limits.pending_octets_per_template,
            max_age_milliseconds=limits.pending_milliseconds,
        )
        self._suspects: dict[int, Suspect] = {}
        self._looked_for_room: dict[int, UnixMillis] = {}
        self._swept: UnixMillis = 0
        self.rates_in_records = False

    def apply_rules(self) -> None:
        """Put the operator's rules in force for the exporters that are known, after they changed."""
        for exporter in self.tables.senders:
            halves = address_halves(exporter.address)
            if not self._rules.allows(*halves):
                for row in list(exporter.domains):
                    if self.tables.domains[row, fl.D_VERSION] != fl.SFLOW_VERSION:  # its agent is not its sender
                        self.forget(row)
            rule = self._rules.rule(*halves)
            if rule == exporter.rule:
                continue
            exporter.rule = rule
            for domain_row in exporter.domains:
                for template_id in self.tables.template_ids(domain_row):
                    key = self.key(domain_row, template_id)
                    template = self.store.get(key)
                    if template is not None:
                        used = int(self.tables.templates[self.tables.template_row(domain_row, template_id), fl.T_USED])
                        confirmed = self.store.is_confirmed(key)
                        self.put_in_force(domain_row, key, template, used, confirmed=confirmed)
            self.sampling.apply(exporter)

    def _exporter(self, hi: int, lo: int) -> ExporterRow | None:
        """Return the row of an exporter, made if it is new, None where there are too many."""
        exporter = self.tables.exporter(hi, lo)
        if exporter is None and self.tables.sender_count < self._limits.max_exporters:
            exporter = self.tables.add_exporter(hi, lo, address_text(hi, lo), self._rules.rule(hi, lo))
            self.memory.recall_exporter(exporter, hi, lo)
        return exporter

    def add(self, sender: tuple[int, int], version: int, domain: int, scope: int = 0, base: int = -1) -> int:
        """Make a row for an observation domain, with what is remembered of it; return it, -1 where there are too many.

        base: the row of the same domain whose ports are told apart.
        """
        exporter = self._exporter(*sender)
        if exporter is None:
            return -1
        if base >= 0:
            self._replace_oldest_port(exporter, base)
        if len(exporter.domains) >= self._limits.max_domains_per_exporter or (
            self.tables.domains_in_use >= _DOMAINS_PER_EXPORTER * self._limits.max_exporters
        ):
            return -1
        row = self.tables.add_domain(exporter, *sender, version, domain, scope=scope)
        for template, port, used in self.memory.recall_domain(exporter, row, max_fields=self._limits.max_fields):
            key = self.key(row, template.id)
            if self.store.get(key) is None and self.store.put(key, template, port=port, confirmed=False) in {
                Stored.NEW, Stored.CHANGED,
            }:  # fmt: skip
                self.put_in_force(row, key, template, used, confirmed=False)
        if base >= 0:
            self._inherit(base, row, port_of(scope))
        self.sampling.apply(exporter)
        return row

    def _replace_oldest_port(self, exporter: ExporterRow, base: int) -> None:
        """Forget the port of a domain that was silent for longest, if there are too many."""
        tables = self.tables
        rows = [row for row in exporter.domains if row != base and tables.is_port_of(row, base)]
        if len(rows) >= _MAX_STRICT_PORTS:
            self.forget(min(rows, key=lambda row: int(tables.sequences[row, fl.E_LAST_SEEN])))

    def forget(self, row: int) -> None:
        """Forget an observation domain with its templates; what it counted stays with its exporter."""
        exporter = self.tables.exporters[int(self.tables.domains[row, fl.D_EXPORTER])]
        for template_id in self.tables.template_ids(row):
            self.forget_template(row, template_id)
        self.pending.forget(row)
        self._suspects.pop(row, None)
        self.tables.remove_domain(row)
        self.sampling.forget(exporter, row)

    def make_strict(self, run: Run, base: int) -> int:
        """Tell the exporters behind one address apart by their ports; return the row of that at the cursor."""
        domains = self.tables.domains
        version, domain = int(domains[base, fl.D_VERSION]), int(domains[base, fl.D_ID])
        row = self.add(run.sender, version, domain, scope_of(run.port, stream=False), base)
        self._suspects.pop(base, None)
        if row < 0:
            return base
        self._more.strict_exporters += 1
        self.tables.domains[base, fl.D_STRICT] = 1
        self.pending.forget(base)
        return row

    def _inherit(self, base: int, row: int, port: int) -> None:
        """Give a port what it defined itself so far, and what all ports agree on."""
        for template_id in self.tables.template_ids(base):
            source, key = self.key(base, template_id), self.key(row, template_id)
            template, confirmed = self.store.for_port(source, port), self.store.is_confirmed(source)
            if template is None or self.store.get(key) is not None:
                continue
            if self.store.put(key, template, port=port, confirmed=confirmed) is Stored.NEW:
                used = int(self.tables.templates[self.tables.template_row(base, template_id), fl.T_USED])
                self.put_in_force(row, key, template, used, confirmed=confirmed)

    def look_for_suspects(self, run: Run) -> None:
        """Make domains strict of which a port still sends whose template another port replaced."""
        now = int(run.arrival[-1]) if len(run.arrival) else 0
        for base, suspect in list(self._suspects.items()):
            if now - suspect.since > _SUSPECT_MILLISECONDS:
                del self._suspects[base]
            elif suspect.in_block(run, 0):
                del self._suspects[base]
                self._more.strict_exporters += 1
                self.tables.domains[base, fl.D_STRICT] = 1
                self.pending.forget(base)

    def is_shared(self, run: Run, domain_row: int, key: TemplateKey, port: int | None) -> bool:
        """Tell whether the port that defined a template before goes on sending; if not yet, keep an eye on it."""
        suspect = Suspect(*run.sender, port or 0, key.version, key.domain, run.arrived)
        if suspect.in_block(run, run.datagram + 1):
            return True
        if domain_row in self._suspects or len(self._suspects) < _MAX_SUSPECTS:
            self._suspects[domain_row] = suspect
        return False

    def put_in_force(
        self, domain_row: int, key: TemplateKey, template: Template, used: UnixMillis, *, confirmed: bool
    ) -> None:
        """Give the kernel a template that is in the store. used: when it was last defined or used."""
        tables = self.tables
        exporter = tables.exporters[int(tables.domains[domain_row, fl.D_EXPORTER])]
        row = tables.put_template(domain_row, template.id, _layout(exporter, template, key.version))
        tables.templates[row, fl.T_RATE] = self.sampling.rate_of_template(exporter, domain_row, template.id)
        tables.templates[row, fl.T_USED] = used
        tables.templates[row, fl.T_UNCONFIRMED] = int(not confirmed)
        if not template.is_options and not IN_RECORD_ELEMENTS.isdisjoint(_elements(template.fields)):
            exporter.rates_in_records = self.rates_in_records = True

    def forget_template(self, domain_row: int, template_id: int) -> None:
        """Put a template out of force; its id counts no longer."""
        self.store.remove(self.key(domain_row, template_id))
        self.tables.remove_template(domain_row, template_id)

    def make_room(self, domain_row: int, now: UnixMillis) -> bool:
        """Give up the exporter's templates that are idle for longest; tell whether there were any."""
        exporter = self.tables.exporters[int(self.tables.domains[domain_row, fl.D_EXPORTER])]
        if now - self._looked_for_room.get(exporter.id, 0) < _ROOM_MILLISECONDS:
            return False
        self._looked_for_room[exporter.id] = now
        return self._expire(exporter, now - self._limits.idle_template_milliseconds, _MAX_ROOM) > 0

    def _expire(self, exporter: ExporterRow, before: UnixMillis, most: int | None = None) -> int:
        rows = self.tables.idle_templates(exporter, before)[:most]
        for row in rows:
            self.forget_template(*self.tables.owner(row))
        self._more.expired_templates += len(rows)
        return len(rows)

    def sweep(self, now: UnixMillis) -> None:
        """Give up templates neither defined nor used for their lifetime; once a minute."""
        if now - self._swept >= _SWEEP_MILLISECONDS:
            self._swept = now
            for exporter in self.tables.exporters:
                self._expire(exporter, now - self._limits.template_lifetime_milliseconds)

    def key(self, domain_row: int, template_id: int) -> TemplateKey:
        """Return the key of a template of an observation domain."""
        domain = self.tables.domains[domain_row]
        exporter = self.tables.exporters[int(domain[fl.D_EXPORTER])]
        scope = self.tables.places[domain_row].scope
        return TemplateKey(exporter.address, int(domain[fl.D_VERSION]), int(domain[fl.D_ID]), template_id, scope)


def _elements(fields: Iterable[Field]) -> set[int]:
    return {field.element for field in fields if field.enterprise == 0}


def _layout(exporter: ExporterRow, template: Template, version: int) -> Layout:
    """Return a template compiled; where the operator sets the sampling rate, those in the records are passed over."""
    if template.is_options:
        layout = compile_template(template, version)
        matter = OPTIONS_THAT_MATTER | NAMING_ELEMENTS | ANNOUNCING_ELEMENTS
        if matter.isdisjoint(_elements(template.fields)):
            return layout
        return replace(layout, row=tuple(fl.KIND_STOP if k == fl.T_KIND else v for k, v in enumerate(layout.row)))
    if exporter.rule is not None and exporter.rule.sampling_rate is not None:
        fields = (
            Field(0, _PADDING, field.length) if field.element in IN_RECORD_ELEMENTS and not field.enterprise else field
            for field in template.fields
        )
        template = replace(template, fields=tuple(fields))
    return compile_template(template, version)
