"""The integer tables behind the kernel: exporters and domains, templates, samplers. They grow; rows never move."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.program import FIXED_LAYOUTS, Layout
from btimd.kernels import flowlayout as fl
from btimd.kernels import keytable

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
_FIRST_SLOTS: Final = 256
_FIRST_ROWS: Final = 64


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
    """An open-addressing table from keys to integers, at most half full; the kernel reads `slots`."""

    def __init__(self) -> None:
        self.slots: Int64s = np.full((_FIRST_SLOTS, 2), -1, np.int64)
        self._used = 0

    def put(self, key: int, value: int) -> None:
        """Set the value of a key."""
        slot = keytable.find_key(self.slots, key)
        if self.slots[slot, 0] == -1:
            self._used += 1
        self.slots[slot] = key, value
        if 2 * self._used > len(self.slots):
            old = self.slots
            self.slots = np.full((2 * len(old), 2), -1, np.int64)
            for row in old[old[:, 0] != -1]:
                self.slots[keytable.find_key(self.slots, int(row[0]))] = row

    def get(self, key: int) -> int:
        """Return the value of a key, -1 where it has none."""
        slot = keytable.find_key(self.slots, key)
        return int(self.slots[slot, 1])


@dataclass(slots=True)
class ExporterRow:
    """Who exports: its address, and its rows in the domain and template tables."""

    id: int
    address: str
    domains: list[int] = field(default_factory=list)
    templates: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Template row -> (domain row, template id)."""


class Tables:
    """All kernel tables with the operations on them. What is added stays; a template's row is reused by its key."""

    def __init__(self, default_rate: int) -> None:
        self.default_rate = default_rate
        self.domain_slots: Int64s = np.full((_FIRST_SLOTS, 4), -1, np.int64)
        self.domains: Int64s = np.zeros((_FIRST_ROWS, fl.DOMAIN_SIZE), np.int64)
        self.sequences: Int64s = np.zeros((_FIRST_ROWS, fl.SEQUENCE_SIZE), np.int64)
        self.domain_count = 0
        self.templates: Int64s = np.zeros((_FIRST_ROWS, fl.TEMPLATE_SIZE), np.int64)
        self.slot_offsets: Int32s = np.zeros((_FIRST_ROWS, fl.SLOTS), np.int32)
        self.slot_lengths: Int32s = np.zeros((_FIRST_ROWS, fl.SLOTS), np.int32)
        self.fields: Int32s = np.zeros((_FIRST_ROWS, 2), np.int32)
        self.template_keys = KeyTable()
        self.samplers = KeyTable()
        self.exporters: list[ExporterRow] = []
        self._exporter_of: dict[tuple[int, int], ExporterRow] = {}
        self._row_of: dict[int, int] = {}
        self._field_count = 0
        self._pools: dict[int, tuple[tuple[int, int], ...]] = {}
        self._live_fields = 0
        self._template_count = fl.FIXED_ROWS
        for row, layout in enumerate(FIXED_LAYOUTS):
            self._write(row, layout)

    def exporter(self, hi: int, lo: int) -> ExporterRow | None:
        """Return the row of an exporter's address."""
        return self._exporter_of.get((hi, lo))

    def add_exporter(self, hi: int, lo: int, address: str) -> ExporterRow:
        """Make a row for an exporter."""
        row = ExporterRow(len(self.exporters), address)
        self.exporters.append(row)
        self._exporter_of[hi, lo] = row
        return row

    def add_domain(self, exporter: ExporterRow, hi: int, lo: int, version: int, domain: int) -> int:
        """Make a row for an observation domain; hi and lo are the exporter's address, unsigned."""
        row = self.domain_count
        self.domain_count += 1
        self.domains = _grown(self.domains, self.domain_count)
        self.sequences = _grown(self.sequences, self.domain_count)
        self.domains[row, fl.D_EXPORTER] = exporter.id
        self.domains[row, fl.D_VERSION] = version
        self.domains[row, fl.D_ID] = domain
        self.domains[row, fl.D_RATE] = self.default_rate
        self.sequences[row, fl.E_PREVIOUS] = -1
        exporter.domains.append(row)
        if 2 * self.domain_count > len(self.domain_slots):
            old = self.domain_slots
            self.domain_slots = np.full((2 * len(old), 4), -1, np.int64)
            for entry in old[old[:, 2] != -1]:
                slot = keytable.find_domain(self.domain_slots, int(entry[0]), int(entry[1]), int(entry[2]))
                self.domain_slots[slot] = entry
        key = (version << 32) | domain
        slot = keytable.find_domain(self.domain_slots, _signed(hi), _signed(lo), key)
        self.domain_slots[slot] = _signed(hi), _signed(lo), key, row
        return row

    def put_template(self, domain_row: int, template_id: int, layout: Layout) -> int:
        """Put a layout in force for a domain's template id; return its row, whose T_RATE is still to be set."""
        key = (domain_row << 16) | template_id
        exporter = self.exporters[int(self.domains[domain_row, fl.D_EXPORTER])]
        row = self._row_of.get(key, -1)
        if row < 0:
            row = self._template_count
            self._template_count += 1
            self._row_of[key] = row
            exporter.templates[row] = (domain_row, template_id)
        self._write(row, layout)
        self.template_keys.put(key, row)
        return row

    def drop_template(self, domain_row: int, template_id: int) -> None:
        """Make a template id unknown to the kernel."""
        key = (domain_row << 16) | template_id
        if self.template_keys.get(key) >= 0:
            self.template_keys.put(key, -1)

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
