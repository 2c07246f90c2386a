"""What exporters say in options records: sampling, the start of their clock, names."""

from collections.abc import Mapping
from typing import Final

from btimd.capture.wire.enrichment import Enrichment
from btimd.capture.wire.records import split_records
from btimd.capture.wire.sampling import ANNOUNCING_ELEMENTS, SamplingBook
from btimd.capture.wire.tables import ExporterRow, Tables, domain_key
from btimd.capture.wire.templates import NETFLOW_V9, Template
from btimd.kernels import flowlayout as fl

_INTERFACE_SCOPE, _TEMPLATE_SCOPE = 2, 5  # RFC 3954 section 6.1
_V9_SCOPES: Final = {_INTERFACE_SCOPE: 10, _TEMPLATE_SCOPE: 145}
_INTEGER_OCTETS: Final = 8


class OptionsReader:
    """Passes on what options records say."""

    def __init__(self, tables: Tables, sampling: SamplingBook, names: Enrichment) -> None:
        self._tables = tables
        self._sampling = sampling
        self._names = names
        self.records = 0

    def read(self, domain_row: int, template: Template, body: bytes) -> int:
        """Learn from the records of an options data set; return how many there were.

        Raises WireError for a record that leaves the set; those before it count.
        """
        count = 0
        domain = self._tables.domains[domain_row]
        exporter = self._tables.exporters[int(domain[fl.D_EXPORTER])]
        meanings = _option_elements(template, int(domain[fl.D_VERSION]))
        records = split_records(template, body, exporter=exporter.address, domain=int(domain[fl.D_ID]))
        for values in records:
            count += 1
            self.records += 1
            told: dict[int, bytes] = {}
            for element, value in zip(meanings, values, strict=True):
                if element and value:
                    told.setdefault(element, value)
            about = self._domain_told_about(domain_row, template, told)
            self._learn(exporter, about, told)
        self._sampling.flush(exporter)
        return count

    def _domain_told_about(self, domain_row: int, template: Template, told: Mapping[int, bytes]) -> int:
        """Return the row of the observation domain that an options record is about: its own, or that of its scope."""
        scopes = {field.element for field in template.fields[: template.scope_count]}
        domain = _number(told.get(149, b"")) if 149 in scopes else 0
        if domain <= 0:
            return domain_row
        place, version = self._tables.places[domain_row], int(self._tables.domains[domain_row, fl.D_VERSION])
        row = self._tables.domain_row(place.hi, place.lo, domain_key(version, domain & fl.M32, place.scope))
        return row if row >= 0 else domain_row

    def _learn(self, exporter: ExporterRow, domain_row: int, told: Mapping[int, bytes]) -> None:
        if not ANNOUNCING_ELEMENTS.isdisjoint(told):
            numbers = {element: _number(value) for element, value in told.items() if len(value) <= _INTEGER_OCTETS}
            self._sampling.learn(exporter, domain_row, numbers)
        if 0 < _number(told.get(160, b"")) < 1 << 62:
            self._tables.domains[domain_row, fl.D_INIT] = _number(told[160])
        self._names.learn(exporter.id, told)


def _option_elements(template: Template, version: int) -> list[int]:
    """Return the element of each field, 0 for those without meaning; scopes of NetFlow v9 have numbers of their own."""
    meanings = [0 if field.enterprise else field.element for field in template.fields]
    if version == NETFLOW_V9:
        scopes = meanings[: template.scope_count]
        meanings[: template.scope_count] = [
            _V9_SCOPES.get(scope, 0) if scope <= _TEMPLATE_SCOPE else scope for scope in scopes
        ]
    return meanings


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big") if len(value) <= _INTEGER_OCTETS else 0
