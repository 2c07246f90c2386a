"""What exporters announce about sampling, and which rate holds for whom.

Announced in options records: NetFlow's 34 or 50, PSAMP's 305 and 306 (305 packets of every 305 + 306), 309 and 310
(309 of every 310), 311 (a probability), for a sampler (48, 302), a template (145) or all. The operator's rate for an
exporter replaces everything. Else a record that names its rate itself wins; then its sampler's rate, in its domain or
any domain of the exporter (some export options in another domain than data); then the template's, the domain's, the
exporter's; then the operator's default, for that exporter or for all, and the record is marked as assumed.

305 alone announces nothing: RFC 5477 needs 306 beside it, and IOS-XR sends 305 = 1 beside an algorithm (304 = 3) that
is described by 309 and 310, which some of its releases leave out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from struct import unpack
from typing import Final

from btimd.capture.wire.exporters import TIME_SOURCES
from btimd.capture.wire.tables import ExporterRow, Tables
from btimd.kernels import flowlayout as fl

ANNOUNCING_ELEMENTS: Final = frozenset({34, 50, 305, 309, 311})
IN_RECORD_ELEMENTS: Final = frozenset({34, 48, 50, 302, 305, 306})
MAX_SAMPLERS: Final = 65_536
MAX_RATES_SHOWN: Final = 64
_M31: Final = 0x7FFF_FFFF
_EXPORTER_KEYS: Final = 1 << 30
_FLOAT64_OCTETS: Final = 8


def announced_rate(values: Mapping[int, int]) -> int:
    """Return the packets per sampled packet that options values (element -> number) announce, 0 for none or absurd."""
    if values.get(305, 0) > 0 and 306 in values:
        rate = (values[305] + values[306]) // values[305]
    elif values.get(309, 0) > 0 and values.get(310, 0) > 0:
        rate = values[310] // values[309]
    else:
        rate = values.get(50, 0) or values.get(34, 0) or _of_probability(values.get(311, 0))
    return rate if rate <= fl.LIMIT_RATE else 0


def _of_probability(bits: int) -> int:
    """Return the rate of a probability, given as the bits of a float64."""
    probability: float = unpack(">d", bits.to_bytes(_FLOAT64_OCTETS, "big"))[0]
    return round(1 / probability) if isfinite(probability) and 1 / fl.LIMIT_RATE <= probability <= 1 else 0


@dataclass(slots=True)
class DomainRates:
    """What was announced in one observation domain: its own rate (0 = none), by template id, by sampler."""

    rate: int = 0
    by_template: dict[int, int] = field(default_factory=dict)
    by_sampler: dict[int, int] = field(default_factory=dict)


class SamplingBook:
    """The announced rates, written through to the kernel's tables. At most MAX_SAMPLERS samplers and templates."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._domains: dict[int, DomainRates] = {}
        self._exporters: dict[int, DomainRates] = {}
        self._kept = 0
        self._stale: set[int] = set()

    def learn(self, exporter: ExporterRow, domain_row: int, values: Mapping[int, int]) -> None:
        """Take an options record's numbers (element -> value) into account; later ones win, once `flush` is called."""
        rate = announced_rate(values)
        if rate == 0:
            return
        sampler = values.get(48, values.get(302))
        self.set_rates(exporter, domain_row, rate, sampler=sampler, template_id=values.get(145))

    def set_rates(
        self, exporter: ExporterRow, domain_row: int, rate: int, *, sampler: int | None, template_id: int | None
    ) -> None:
        """Set the rate of a domain, and of a sampler or a template of it."""
        mine = self._domains.setdefault(domain_row, DomainRates())
        shared = self._exporters.setdefault(exporter.id, DomainRates())
        changed = mine.rate != rate or (shared.rate != rate and not self._all_announced(exporter))
        mine.rate = shared.rate = rate
        if sampler is not None:
            for owner, rates in ((domain_row, mine), (exporter.id + _EXPORTER_KEYS, shared)):
                if self._keep(rates.by_sampler, sampler & _M31, rate):
                    self._tables.samplers.put((owner << 31) | (sampler & _M31), rate)
        if template_id is not None:
            changed = self._keep(mine.by_template, template_id, rate) or changed
        if changed:
            self._stale.add(exporter.id)

    def flush(self, exporter: ExporterRow) -> None:
        """Put in force what was learned since the last call."""
        if exporter.id in self._stale:
            self.apply(exporter)

    def _all_announced(self, exporter: ExporterRow) -> bool:
        return all(self.rates_of(row).rate for row in exporter.domains)

    def _keep(self, rates: dict[int, int], key: int, rate: int) -> bool:
        """Remember a rate, if there is room; return whether that changed anything."""
        if rates.get(key) == rate or (key not in rates and self._kept >= MAX_SAMPLERS):
            return False
        self._kept += key not in rates
        rates[key] = rate
        return True

    def set_exporter_rate(self, exporter: ExporterRow, rate: int) -> None:
        """Set what holds for the domains of an exporter that announced nothing themselves."""
        self._exporters.setdefault(exporter.id, DomainRates()).rate = rate
        self.apply(exporter)

    def forget(self, exporter: ExporterRow, domain_row: int) -> None:
        """Forget what an observation domain announced."""
        rates = self._domains.pop(domain_row, None)
        if rates is not None:
            self._kept -= len(rates.by_sampler) + len(rates.by_template)
            self._tables.samplers.remove([(domain_row << 31) | sampler for sampler in rates.by_sampler])
        self.apply(exporter)

    def apply(self, exporter: ExporterRow) -> None:
        """Write the rates that hold now, and what else the operator's rule says, to the exporter's rows."""
        tables, rule = self._tables, exporter.rule
        self._stale.discard(exporter.id)
        forced = (rule.sampling_rate if rule else None) or 0
        assumed = 0 if forced or self.is_announced(exporter) else fl.Q_RATE_ASSUMED
        for row in exporter.domains:
            tables.domains[row, fl.D_RATE] = self._rate(exporter, row, None)
            tables.domains[row, fl.D_QUALITY] = assumed
            tables.domains[row, fl.D_FORCED_RATE] = forced
            tables.domains[row, fl.D_TIME_SOURCE] = TIME_SOURCES[rule.time_source] if rule else fl.TIMES_OF_FLOW
        rows, owners = tables.templates_of(exporter)
        tables.templates[rows, fl.T_RATE] = tables.domains[owners, fl.D_RATE]
        if forced:
            return
        for domain_row in exporter.domains:
            for template_id, rate in self.rates_of(domain_row).by_template.items():
                row = tables.template_row(domain_row, template_id)
                if row >= 0:
                    tables.templates[row, fl.T_RATE] = rate

    def rate_of_template(self, exporter: ExporterRow, domain_row: int, template_id: int) -> int:
        """Return the rate of records that name neither a rate nor a sampler."""
        return self._rate(exporter, domain_row, template_id)

    def rates_of(self, domain_row: int) -> DomainRates:
        """Return what an observation domain announced."""
        return self._domains.get(domain_row) or DomainRates()

    def announced_by(self, exporter: ExporterRow) -> int:
        """Return the rate an exporter last announced in options, 0 = none."""
        rates = self._exporters.get(exporter.id)
        return rates.rate if rates else 0

    def is_announced(self, exporter: ExporterRow) -> bool:
        """Tell whether an exporter announced a rate in options."""
        return self.announced_by(exporter) > 0

    def rate_of_exporter(self, exporter: ExporterRow) -> int:
        """Return the rate of an exporter: the operator's, the one last announced, or the default."""
        rule = exporter.rule
        forced = rule.sampling_rate if rule else None
        return forced or self.announced_by(exporter) or self._default(exporter)

    def rates_in_use(self, exporter: ExporterRow) -> Iterator[int]:
        """Yield every rate that may hold for a record of an exporter as far as options say; some come repeatedly."""
        forced = exporter.rule.sampling_rate if exporter.rule else None
        if forced:
            yield forced
            return
        if not self.is_announced(exporter):
            yield self._default(exporter)
        for row in tuple(exporter.domains):
            rates = self._domains.get(row)
            if rates:
                yield rates.rate
                yield from tuple(rates.by_template.values())
                yield from tuple(rates.by_sampler.values())

    def _default(self, exporter: ExporterRow) -> int:
        rule = exporter.rule
        return (rule.default_sampling_rate if rule else None) or self._tables.default_rate

    def _rate(self, exporter: ExporterRow, domain_row: int, template_id: int | None) -> int:
        forced = exporter.rule.sampling_rate if exporter.rule else None
        if forced:
            return forced
        rates = self._domains.get(domain_row)
        if rates is not None:
            found = rates.by_template.get(template_id, 0) if template_id is not None else 0
            if found or rates.rate:
                return found or rates.rate
        return self.rate_of_exporter(exporter)
