"""The integer tables behind the kernel: exporters and domains, templates, samplers. They grow; rows never move.

Memory: 1.5 KiB per observation domain, and 0.9 KiB per template with the dictionaries here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.exporters import ExporterRule
from btimd.capture.wire.program import FIXED_LAYOUTS, Layout
from btimd.kernels import flowlayout as fl
from btimd.kernels import keytable

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
_FIRST_SLOTS: Final = 256
_FIRST_ROWS: Final = 64
_NOBODY: Final = -1


def scope_of(port: int, *, stream: bool) -> int:
    """Return what a port adds to the key of a domain: of a connection, or of one of several exporters at an address."""
    return (port << fl.KEY_PORT_SHIFT) | (fl.KEY_STREAM if stream else fl.KEY_STRICT)


def port_of(scope: int) -> int:
    """Return the port in a scope."""
    return (scope >> fl.KEY_PORT_SHIFT) & 0xFFFF


def domain_key(version: int, domain: int, scope: int = 0) -> int:
    """Return the key of an observation domain."""
    return scope | (version << 32) | domain


def _grown(array: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """Return the array with room for `rows` rows, at least doubled when it had not."""
    if rows <= len(array):
        return array
    bigger = np.zeros((max(rows, 2 * len(array)), *array.shape[1:]), array.dtype)
    bigger[: len(array)] = array
    return bigger


def _signed(half: int) -> int:
    """Return the int64 with the bits of an unsigned 64-bit number."""
    return half - (1 << 64) if half >> 63 else half


class KeyTable:
    """An open-addressing table from keys to integers, at most half full; the kernel reads `slots`. -1 is no value."""

    def __init__(self) -> None:
        self.slots: Int64s = np.full((_FIRST_SLOTS, 2), -1, np.int64)
        self._used = 0

    def put(self, key: int, value: int) -> None:
        """Set the value of a key; -1 forgets it, when the table is next made anew."""
        slot = keytable.find_key(self.slots, key)
        if self.slots[slot, 0] == -1:
            self._used += 1
        self.slots[slot] = key, value
        if 2 * self._used > len(self.slots):
            self._rebuild(self.slots[self.slots[:, 1] != -1])

    def remove(self, keys: Sequence[int]) -> None:
        """Forget keys at once."""
        self._rebuild(self.slots[~np.isin(self.slots[:, 0], [-1, *keys])])

    def _rebuild(self, live: Int64s) -> None:
        size = len(self.slots) * (2 if 4 * len(live) > len(self.slots) else 1)
        slots: Int64s = np.full((size, 2), -1, np.int64)
        for row in live:
            slots[keytable.find_key(slots, int(row[0]))] = row
        self._used = len(live)
        self.slots = slots

    def get(self, key: int) -> int:
        """Return the value of a key, -1 where it has none."""
        slot = keytable.find_key(self.slots, key)
        return int(self.slots[slot, 1])


class DomainPlace(NamedTuple):
    """Where a domain's datagrams come from: the exporter's address (unsigned halves), and its key's scope."""

    hi: int
    lo: int
    scope: int


@dataclass(slots=True)
class ExporterRow:
    """Who exports: its address, what the operator says of it, and its rows in the domain and template tables.

    rates_in_records, seen_rates: whether it writes sampling rates into records, and such rates. retired, retired_*:
    what domains that are gone had counted, as a row of `sequences`, their flow records, and when they were heard.
    """

    id: int
    address: str
    rule: ExporterRule | None = None
    domains: list[int] = field(default_factory=list)
    templates: set[int] = field(default_factory=set)
    rates_in_records: bool = False
    seen_rates: set[int] = field(default_factory=set)
    retired_records: int = 0
    retired_first_seen: int = 0
    retired_last_seen: int = 0
    retired: Int64s = field(default_factory=lambda: np.zeros(fl.SEQUENCE_SIZE, np.int64))


class Tables:
    """All kernel tables with the operations on them. Rows of domains and templates that go are used again."""

    def __init__(self, default_rate: int) -> None:
        self.default_rate = default_rate
        self.domain_slots: Int64s = np.full((_FIRST_SLOTS, 4), -1, np.int64)
        self.domains: Int64s = np.zeros((_FIRST_ROWS, fl.DOMAIN_SIZE), np.int64)
        self.sequences: Int64s = np.zeros((_FIRST_ROWS, fl.SEQUENCE_SIZE), np.int64)
        self.domain_count = 0
        self.places: list[DomainPlace] = []
        self.templates: Int64s = np.zeros((_FIRST_ROWS, fl.TEMPLATE_SIZE), np.int64)
        self.slot_offsets: Int32s = np.zeros((_FIRST_ROWS, fl.SLOTS), np.int32)
        self.slot_lengths: Int32s = np.zeros((_FIRST_ROWS, fl.SLOTS), np.int32)
        self.fields: Int32s = np.zeros((_FIRST_ROWS, 2), np.int32)
        self.template_keys = KeyTable()
        self.samplers = KeyTable()
        self.exporters: list[ExporterRow] = []
        self._reserved = 0
        self._exporter_of: dict[tuple[int, int], ExporterRow] = {}
        self._free_domains: list[int] = []
        self._row_of: dict[int, int] = {}
        self._owners: Int64s = np.full(_FIRST_ROWS, _NOBODY, np.int64)
        self._template_count = fl.FIXED_ROWS
        self._free_templates: list[int] = []
        self._field_count = 0
        self._pools: dict[int, tuple[tuple[int, int], ...]] = {}
        self._live_fields = 0
        for row, layout in enumerate(FIXED_LAYOUTS):
            self._write(row, layout)

    def exporter(self, hi: int, lo: int) -> ExporterRow | None:
        """Return the row of an exporter's address."""
        return self._exporter_of.get((hi, lo))

    def add_exporter(self, hi: int, lo: int, address: str, rule: ExporterRule | None = None) -> ExporterRow:
        """Make a row for an exporter."""
        row = ExporterRow(len(self.exporters), address, rule)
        self.exporters.append(row)
        self._exporter_of[hi, lo] = row
        return row

    def reserve(self, count: int) -> None:
        """Give the first exporter ids to observation points that send no datagrams; call it before there are rows."""
        self.exporters += [ExporterRow(number, "") for number in range(count)]
        self._reserved = count

    @property
    def senders(self) -> tuple[ExporterRow, ...]:
        """The rows of those that sent, without the reserved ones; other threads call this too."""
        return tuple(self.exporters)[self._reserved :]

    @property
    def sender_count(self) -> int:
        """How many have sent."""
        return len(self.exporters) - self._reserved

    def add_domain(self, exporter: ExporterRow, hi: int, lo: int, version: int, domain: int, *, scope: int = 0) -> int:
        """Make a row for an observation domain; hi and lo are the exporter's address, unsigned."""
        place = DomainPlace(hi, lo, scope)
        if self._free_domains:
            row = self._free_domains.pop()
            self.places[row] = place
        else:
            row = self.domain_count
            self.domains = _grown(self.domains, row + 1)
            self.sequences = _grown(self.sequences, row + 1)
            self.places.append(place)
            self.domain_count += 1
        self.domains[row] = 0
        self.sequences[row] = 0
        self.domains[row, fl.D_EXPORTER] = exporter.id
        self.domains[row, fl.D_VERSION] = version
        self.domains[row, fl.D_ID] = domain
        self.domains[row, fl.D_RATE] = self.default_rate
        exporter.domains.append(row)
        if 2 * (self.domain_count + 1) > len(self.domain_slots):
            self._place_domains(2 * len(self.domain_slots), self.domain_slots)
        key = domain_key(version, domain, scope)
        slot = keytable.find_domain(self.domain_slots, _signed(hi), _signed(lo), key)
        self.domain_slots[slot] = _signed(hi), _signed(lo), key, row
        return row

    def domain_row(self, hi: int, lo: int, key: int) -> int:
        """Return the row of an observation domain, -1 where it has none."""
        slot = keytable.find_domain(self.domain_slots, _signed(hi), _signed(lo), key)
        return int(self.domain_slots[slot, 3])

    def is_port_of(self, row: int, base: int) -> bool:
        """Tell whether a row is that of a port of the domain of another row."""
        columns = [fl.D_EXPORTER, fl.D_VERSION, fl.D_ID]
        strict = self.places[row].scope & fl.KEY_STRICT
        return bool(strict) and bool((self.domains[row, columns] == self.domains[base, columns]).all())

    @property
    def domains_in_use(self) -> int:
        """How many observation domains there are."""
        return self.domain_count - len(self._free_domains)

    def remove_domain(self, row: int) -> None:
        """Forget an observation domain; its templates must be gone, and what it counted stays with its exporter."""
        exporter = self.exporters[int(self.domains[row, fl.D_EXPORTER])]
        exporter.domains.remove(row)
        exporter.retired_records += int(self.domains[row, fl.D_RECORDS])
        exporter.retired_last_seen = max(exporter.retired_last_seen, int(self.sequences[row, fl.E_LAST_SEEN]))
        exporter.retired_first_seen = exporter.retired_first_seen or int(self.sequences[row, fl.E_FIRST_SEEN])
        exporter.retired = exporter.retired + self.sequences[row]
        self.domains[row, fl.D_RECORDS] = 0
        self.sequences[row] = 0
        self._free_domains.append(row)
        self._place_domains(len(self.domain_slots), self.domain_slots[self.domain_slots[:, 3] != row])

    def _place_domains(self, size: int, entries: Int64s) -> None:
        slots: Int64s = np.full((size, 4), -1, np.int64)
        for entry in entries[entries[:, 2] != -1]:
            slots[keytable.find_domain(slots, int(entry[0]), int(entry[1]), int(entry[2]))] = entry
        self.domain_slots = slots

    def template_row(self, domain_row: int, template_id: int) -> int:
        """Return the row of a template that is in force, -1 where there is none."""
        return self.template_keys.get((domain_row << 16) | template_id)

    def owner(self, template_row: int) -> tuple[int, int]:
        """Return (domain row, template id) of a template's row."""
        key = int(self._owners[template_row])
        return key >> 16, key & 0xFFFF

    def put_template(self, domain_row: int, template_id: int, layout: Layout) -> int:
        """Put a layout in force for a domain's template id; return its row, whose T_RATE is still to be set."""
        key = (domain_row << 16) | template_id
        row = self._row_of.get(key, -1)
        if row < 0:
            if self._free_templates:
                row = self._free_templates.pop()
            else:
                row = self._template_count
                self._template_count += 1
                self._owners = _grown(self._owners, self._template_count)
            self._owners[row] = key
            self._row_of[key] = row
            self.exporters[int(self.domains[domain_row, fl.D_EXPORTER])].templates.add(row)
        self._write(row, layout)
        self.template_keys.put(key, row)
        return row

    def drop_template(self, domain_row: int, template_id: int) -> None:
        """Make a template id unknown to the kernel; its row waits for a new definition."""
        key = (domain_row << 16) | template_id
        if self.template_keys.get(key) >= 0:
            self.template_keys.put(key, -1)

    def remove_template(self, domain_row: int, template_id: int) -> None:
        """Forget a template; its row is used again."""
        self.drop_template(domain_row, template_id)
        row = self._row_of.pop((domain_row << 16) | template_id, -1)
        if row >= 0:
            self._owners[row] = _NOBODY
            self._free_templates.append(row)
            self._live_fields -= len(self._pools.pop(row, ()))
            self.exporters[int(self.domains[domain_row, fl.D_EXPORTER])].templates.discard(row)

    def templates_of(self, exporter: ExporterRow) -> tuple[Int64s, Int64s]:
        """Return the rows of an exporter's templates, and of the domain of each."""
        rows = np.array(list(exporter.templates), np.int64)  # a list at once: other threads call this too
        return rows, self._owners[rows] >> 16

    def template_ids(self, domain_row: int) -> list[int]:
        """Return the template ids that were ever defined in a domain, ascending."""
        rows, owners = self.templates_of(self.exporters[int(self.domains[domain_row, fl.D_EXPORTER])])
        return sorted(int(key) & 0xFFFF for key in self._owners[rows[owners == domain_row]])

    def idle_templates(self, exporter: ExporterRow, before: int) -> list[int]:
        """Return the rows of templates neither used nor defined since `before` (ms), the longest idle first."""
        rows, _ = self.templates_of(exporter)
        used = self.templates[rows, fl.T_USED]
        order = np.argsort(used, kind="stable")
        return [int(row) for row in rows[order[used[order] < before]]]

    def _write(self, row: int, layout: Layout) -> None:
        self.templates = _grown(self.templates, row + 1)
        self.slot_offsets = _grown(self.slot_offsets, row + 1)
        self.slot_lengths = _grown(self.slot_lengths, row + 1)
        self.templates[row] = layout.row
        self.slot_offsets[row] = layout.offsets
        self.slot_lengths[row] = layout.lengths
        self._live_fields -= len(self._pools.pop(row, ()))
        if layout.fields:
            self._pools[row] = layout.fields
            self._live_fields += len(layout.fields)
            if self._field_count + len(layout.fields) > 2 * max(self._live_fields, len(self.fields) // 2):
                self._compact()
            else:
                self._append(row)

    def _append(self, row: int) -> None:
        pool = self._pools[row]
        self.fields = _grown(self.fields, self._field_count + len(pool))
        self.fields[self._field_count : self._field_count + len(pool)] = pool
        self.templates[row, fl.T_FIELD_AT] = self._field_count
        self._field_count += len(pool)

    def _compact(self) -> None:
        """Write the fields of variable templates anew, without those of replaced ones."""
        self._field_count = 0
        for row in self._pools:
            self._append(row)
