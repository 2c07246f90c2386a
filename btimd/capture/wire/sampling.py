"""What exporters announce about sampling, and which rate holds for whom.

Announced in options records: NetFlow's 34 or 50, PSAMP's 305 and 306 (305 packets of every 305 + 306), 309 and 310
(309 of every 310), for a sampler (48, 302), a template (145) or all. A record that names its rate itself wins; then
its sampler's rate, in its domain or any domain of the exporter (some export options in another domain than data);
then the template's, the domain's, the exporter's; then the operator's default.
"""

from collections.abc import Mapping
from typing import Final

from btimd.capture.wire.tables import ExporterRow, Tables
from btimd.kernels import flowlayout as fl

MAX_SAMPLERS: Final = 65_536
_M31: Final = 0x7FFF_FFFF
_EXPORTER_KEYS: Final = 1 << 30


def announced_rate(values: Mapping[int, int]) -> int:
    """Return the packets per sampled packet that options values (element -> number) announce, 0 for none or absurd."""
    if values.get(305, 0) > 0 and 306 in values:
        rate = (values[305] + values[306]) // values[305]
    elif values.get(309, 0) > 0:
        rate = values.get(310, 0) // values[309]
    else:
        # 305 alone says that no packet is left out between the sampled ones; 309 and 310 beside it say more.
        rate = values.get(50, 0) or values.get(34, 0) or int(values.get(305, 0) > 0)
    return rate if rate <= fl.LIMIT_RATE else 0


class SamplingBook:
    """The announced rates, written through to the kernel's tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._by_template: dict[tuple[int, int], int] = {}
        self._by_domain: dict[int, int] = {}
        self._by_exporter: dict[int, int] = {}
        self._samplers: dict[int, int] = {}

    def learn(self, exporter: ExporterRow, domain_row: int, values: Mapping[int, int]) -> None:
        """Take an options record's numbers (element -> value) into account; later ones win."""
        rate = announced_rate(values)
        if rate == 0:
            return
        sampler = values.get(48, values.get(302))
        if sampler is not None:
            self._learn_sampler(exporter, domain_row, sampler & _M31, rate)
        template_id = values.get(145)
        changed = self._by_domain.get(domain_row) != rate or self._by_exporter.get(exporter.id) != rate
        if template_id is not None:
            changed = changed or self._by_template.get((domain_row, template_id)) != rate
            if (domain_row, template_id) in self._by_template or len(self._by_template) < MAX_SAMPLERS:
                self._by_template[domain_row, template_id] = rate
        self._by_domain[domain_row] = rate
        self._by_exporter[exporter.id] = rate
        if changed:
            self.apply(exporter)

    def _learn_sampler(self, exporter: ExporterRow, domain_row: int, sampler: int, rate: int) -> None:
        for owner in (domain_row, exporter.id + _EXPORTER_KEYS):
            key = (owner << 31) | sampler
            if self._samplers.get(key) == rate:
                continue
            if key not in self._samplers and len(self._samplers) >= MAX_SAMPLERS:
                continue
            self._samplers[key] = rate
            self._tables.samplers.put(key, rate)

    def apply(self, exporter: ExporterRow) -> None:
        """Write the rates that hold now to the exporter's domains and templates."""
        tables = self._tables
        for row in exporter.domains:
            tables.domains[row, fl.D_RATE] = self._rate(exporter, row, None)
        for row, (domain_row, template_id) in exporter.templates.items():
            tables.templates[row, fl.T_RATE] = self._rate(exporter, domain_row, template_id)

    def rate_of_template(self, exporter: ExporterRow, domain_row: int, template_id: int) -> int:
        """Return the rate of records that name neither a rate nor a sampler."""
        return self._rate(exporter, domain_row, template_id)

    def rate_of_exporter(self, exporter: ExporterRow) -> int:
        """Return the rate last announced, or the default."""
        return self._by_exporter.get(exporter.id, self._tables.default_rate)

    def _rate(self, exporter: ExporterRow, domain_row: int, template_id: int | None) -> int:
        if template_id is not None and (domain_row, template_id) in self._by_template:
            return self._by_template[domain_row, template_id]
        return self._by_domain.get(domain_row, self.rate_of_exporter(exporter))
