"""FlowBatch and AttributedBatch: flow records as columns.

A column carries the name of its IANA IPFIX element in snake_case; columns without an element are marked local.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, dtype, unit, and the IANA elements it is filled from (empty: local)."""

    name: str
    dtype: str
    unit: str
    elements: tuple[int, ...]


COLUMNS: Final[tuple[Column, ...]] = (
    Column("flow_start_milliseconds", "int64", "ms since 1970 UTC", (152,)),
    Column("flow_end_milliseconds", "int64", "ms since 1970 UTC", (153,)),
    Column("source_address_hi", "uint64", "upper half of IPv6", (8, 27)),
    Column("source_address_lo", "uint64", "lower half of IPv6", (8, 27)),
    Column("destination_address_hi", "uint64", "upper half of IPv6", (12, 28)),
    Column("destination_address_lo", "uint64", "lower half of IPv6", (12, 28)),
    Column("source_transport_port", "uint16", "-", (7,)),
    Column("destination_transport_port", "uint16", "-", (11,)),
    Column("protocol_identifier", "uint8", "-", (4,)),
    Column("ip_class_of_service", "uint8", "-", (5,)),
    Column("tcp_control_bits", "uint16", "bit set", (6,)),
    Column("ingress_interface", "uint32", "ifIndex", (10,)),
    Column("egress_interface", "uint32", "ifIndex", (14,)),
    Column("vlan_id", "uint16", "-", (58,)),
    Column("flow_direction", "uint8", "-", (61,)),
    Column("octet_delta_count", "int64", "octets, as exported", (1,)),
    Column("packet_delta_count", "int64", "packets, as exported", (2,)),
    Column("observation_domain_id", "uint32", "-", (149,)),
    Column("sampling_rate", "int32", "packets per sampled packet, 1 = all", ()),
    Column("exporter_id", "int32", "row in the exporter table", ()),
    Column("record_quality", "uint16", "bits of RecordQuality", ()),
)
OPTIONAL_COLUMNS: Final[tuple[Column, ...]] = (
    Column("post_nat_source_address_hi", "int64", "upper half of IPv6", (225, 281)),
    Column("post_nat_source_address_lo", "int64", "lower half of IPv6", (225, 281)),
    Column("post_nat_destination_address_hi", "int64", "upper half of IPv6", (226, 282)),
    Column("post_nat_destination_address_lo", "int64", "lower half of IPv6", (226, 282)),
    Column("post_napt_source_transport_port", "int64", "-", (227,)),
    Column("post_napt_destination_transport_port", "int64", "-", (228,)),
    Column("nat_event", "int64", "-", (230,)),
    Column("firewall_event", "int64", "-", (233,)),
    Column("forwarding_status", "int64", "-", (89,)),
    Column("layer2_octet_delta_count", "int64", "octets of frames, as exported", (352,)),
    Column("ingress_vrf_id", "int64", "-", (234,)),
    Column("egress_vrf_id", "int64", "-", (235,)),
    Column("application_id", "int64", "engine << 56 | selector", (95,)),
    Column("mpls_top_label", "int64", "20 bits", (70,)),
    Column("source_mac_address", "int64", "48 bits", (56,)),
    Column("destination_mac_address", "int64", "48 bits", (80,)),
)
"""Columns a batch has only when some record's exporter tells them; 0 = the record does not say. Signed: bits only."""
COLUMN_NAMES: Final[tuple[str, ...]] = tuple(column.name for column in COLUMNS)
_DTYPES: Final[dict[str, np.dtype[Any]]] = {column.name: np.dtype(column.dtype) for column in COLUMNS}
_OPTIONAL: Final[frozenset[str]] = frozenset(column.name for column in OPTIONAL_COLUMNS)
_OPTIONAL_DTYPE: Final = np.dtype(np.int64)


class RecordQuality(IntFlag):
    """What to know before trusting a record: the bits of the column `record_quality`."""

    CLAMPED = 1
    """Its times lay outside what can be and were brought to the edge."""
    NO_TIME = 2
    """It names no usable time and is stamped with its arrival."""
    ABSURD = 4
    """A counter that no flow can have carried was set to 0."""
    RATE_ASSUMED = 8
    """The exporter announced no sampling rate: the operator's, or 1, was taken."""
    LAYER2 = 16
    """Octets are those of the frame, for want of those of the packet."""
    DROPPED = 32
    """The device discarded what it reports."""
    REVERSE = 64
    """The other direction of a bidirectional record."""
    PACKET = 128
    """Made of one sampled packet's header, not of a flow that the device kept."""
    NO_COUNTERS = 256
    """It names no octets."""


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """n flow records, one C-contiguous array per column of COLUMNS and some of OPTIONAL_COLUMNS, all of length n.

    Counters are as exported; `octet_delta_count * sampling_rate` is the estimate of what passed. The batch owns its
    arrays and nobody writes to them after it was built. Raises ValueError where the invariants do not hold.
    """

    columns: Mapping[str, Array]

    def __post_init__(self) -> None:
        """Refuse missing, unknown, badly typed or unequally long columns."""
        wrong = (_DTYPES.keys() - self.columns.keys()) | (self.columns.keys() - _DTYPES.keys() - _OPTIONAL)
        if wrong:
            raise ValueError(f"columns differ from the table: {sorted(wrong)}")
        length = len(self.columns[COLUMN_NAMES[0]])
        for name, array in self.columns.items():
            dtype = _DTYPES.get(name, _OPTIONAL_DTYPE)
            if array.dtype != dtype or array.shape != (length,) or not array.flags.c_contiguous:
                raise ValueError(f"column {name} is {array.dtype}{array.shape}, wanted {dtype}({length},) contiguous")

    def __len__(self) -> int:
        return len(self.columns[COLUMN_NAMES[0]])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    @classmethod
    def zeros(cls, length: int) -> "FlowBatch":
        """Return a batch of `length` records with every column zero but sampling_rate, which is 1."""
        columns = {name: np.zeros(length, dtype) for name, dtype in _DTYPES.items()}
        columns["sampling_rate"][:] = 1
        return cls(columns)

    @classmethod
    def of(cls, **given: Sequence[int] | Array) -> "FlowBatch":
        """Return a batch with the given columns; the others are as in `zeros`. For tests, replay and the lab."""
        length = len(next(iter(given.values()))) if given else 0
        columns = dict(cls.zeros(length).columns)
        for name, values in given.items():
            dtype = _OPTIONAL_DTYPE if name in _OPTIONAL else _DTYPES[name]
            columns[name] = np.ascontiguousarray(np.asarray(values, dtype=dtype))
        return cls(columns)

    def head(self, length: int) -> "FlowBatch":
        """Return the first `length` records as views of the same memory."""
        return FlowBatch({name: array[:length] for name, array in self.columns.items()})

    @staticmethod
    def concat(batches: Sequence["FlowBatch"]) -> "FlowBatch":
        """Return one batch of all records in order; an optional column that some have is 0 for the others."""
        if not batches:
            return FlowBatch.zeros(0)
        names = [*COLUMN_NAMES, *sorted({name for batch in batches for name in batch.columns} & _OPTIONAL)]
        return FlowBatch({name: np.concatenate([batch.column(name) for batch in batches]) for name in names})

    def column(self, name: str) -> Array:
        """Return a column; an optional one that the batch has not got is all 0."""
        found = self.columns.get(name)
        return np.zeros(len(self), _OPTIONAL_DTYPE) if found is None and name in _OPTIONAL else self.columns[name]

    def select(self, rows: npt.NDArray[np.bool_]) -> "FlowBatch":
        """Return the records where `rows` is true, as copies."""
        return FlowBatch({name: array[rows] for name, array in self.columns.items()})

    def rows(self) -> Iterator[dict[str, int]]:
        """Yield each record as a dictionary of Python integers; slow, for tests and people."""
        for row in range(len(self)):
            yield {name: int(self.columns[name][row]) for name in COLUMN_NAMES}


@dataclass(frozen=True, slots=True)
class AttributedBatch:
    """A FlowBatch with what each record belongs to; ids are int32, -1 = unknown.

    service_rule_id: row in the service rule table; the businesses that own the rule share the record (a rule may
    have several owners, which is why the record carries the rule and not one business).
    client_plan_id: row of the IP plan for the client's address. client_is_source: uint8, 1 where the source address
    is the client's. generation: of the plan and rules that the ids refer to.
    """

    flows: FlowBatch
    service_rule_id: npt.NDArray[np.int32]
    client_plan_id: npt.NDArray[np.int32]
    client_is_source: npt.NDArray[np.uint8]
    generation: int

    def __post_init__(self) -> None:
        """Refuse columns of another length."""
        length = len(self.flows)
        for array in (self.service_rule_id, self.client_plan_id, self.client_is_source):
            if array.shape != (length,):
                raise ValueError(f"attribution of {array.shape[0]} records for a batch of {length}")

    def __len__(self) -> int:
        return len(self.flows)

    def select(self, rows: npt.NDArray[np.bool_]) -> "AttributedBatch":
        """Return the records where `rows` is true, as copies."""
        return AttributedBatch(
            self.flows.select(rows),
            self.service_rule_id[rows],
            self.client_plan_id[rows],
            self.client_is_source[rows],
            self.generation,
        )
