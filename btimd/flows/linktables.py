"""The tables behind windows of links: numbers of interfaces and cells, and flows of several observation domains."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.flows.lines import zero_lines
from btimd.kernels import links as kernels
from btimd.model.flowbatch import FlowBatch
from btimd.model.units import Seconds, UnixMillis

SIDES: Final = 2
COLUMNS: Final = 8


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How long an interval is waited for and can change, and how much is kept at most.

    future_seconds: records that end in a later minute than now and this come to are lost and counted. max_interfaces:
    of all exporters together. max_cells: pairs of an interface and the businesses that share a rule; one that is used
    costs 128 octets per minute of grace + lateness + future. silence_seconds: how long a flow belongs to the
    observation domain that reported it first; domains_capacity: flows known for that at a time, of exporters with
    several domains, 16 octets each.
    """

    grace_seconds: Seconds = 10.0
    lateness_seconds: Seconds = 300.0
    future_seconds: Seconds = 60.0
    max_interfaces: int = 4096
    max_cells: int = 16_384
    silence_seconds: Seconds = 180.0
    domains_capacity: int = 1 << 16


@dataclass(slots=True)
class Numbering:
    """The numbers of interfaces and cells, and the sums they lead to; see kernels.links.add_links."""

    limits: LinkLimits
    sets: int
    slots: int
    keys: npt.NDArray[np.int64] = field(init=False)
    numbers: npt.NDArray[np.int32] = field(init=False)
    ports: npt.NDArray[np.int64] = field(init=False)
    cell_table: npt.NDArray[np.int32] = field(init=False)
    cells: npt.NDArray[np.int32] = field(init=False)
    state: npt.NDArray[np.int64] = field(init=False)
    lines: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        """Make empty tables; memory is taken from the system when it is first written to."""
        ports = self.limits.max_interfaces
        self.keys = np.zeros(1 << (2 * ports).bit_length(), np.int64)
        self.numbers = np.zeros(len(self.keys), np.int32)
        self.ports = np.zeros((ports, 2), np.int64)
        self.cell_table = np.zeros((ports, self.sets), np.int32)
        self.cells = np.zeros((self.limits.max_cells, 2), np.int32)
        self.state = np.zeros(4, np.int64)
        self.lines = zero_lines(self.slots * self.limits.max_cells * SIDES)

    @property
    def by_slot(self) -> npt.NDArray[np.int64]:
        """The sums as [slot, cell, side, column]."""
        return self.lines.reshape(self.slots, len(self.cells), SIDES, -1)

    @property
    def is_full(self) -> bool:
        """Whether something found no room since these tables were made."""
        return bool(self.state[kernels.S_REFUSED])

    def widen(self, sets: int) -> None:
        """Have columns for so many sets of owners."""
        more = sets - self.sets
        if more > 0:
            self.cell_table = np.pad(self.cell_table, ((0, 0), (0, more)))
            self.sets = sets

    def take(self, other: "Numbering", cells: npt.NDArray[np.int64]) -> None:
        """Take over these cells of another table, from number 0 on; this one is empty and has as many sets."""
        old = other.cells[cells]
        ports, port = np.unique(old[:, 0], return_inverse=True)
        self.ports[: len(ports)] = other.ports[ports]
        self.cells[: len(cells), 0] = port
        self.cells[: len(cells), 1] = old[:, 1]
        self.cell_table[port, old[:, 1]] = np.arange(1, len(cells) + 1)
        mask, held = len(self.keys) - 1, np.flatnonzero(np.isin(other.numbers, ports) & (other.keys != 0))
        for slot in held.tolist():
            key = int(other.keys[slot])
            exporter, interface = (key - 1) >> 32, ((key - 1) & 0xFFFFFFFF) - 1
            mixed = interface * 0x1E3779B1 + exporter * 0x5BD1E995
            place = (mixed ^ (mixed >> 17)) & mask
            while self.keys[place]:
                place = (place + 1) & mask
            self.keys[place] = key
            self.numbers[place] = np.searchsorted(ports, other.numbers[slot])
        self.state[kernels.S_PORTS], self.state[kernels.S_CELLS] = len(ports), len(cells)


class Domains:
    """Finds what an exporter reports twice at one interface, under several observation domains.

    A line card that meters has a domain of its own, and nothing is said twice. A device that exports the same to one
    collector by two processes says everything twice. Looked at is only what exporters with several domains say.
    """

    def __init__(self, limits: LinkLimits, seed: int) -> None:
        self._limits = limits
        self._seed = seed & 0x3FFF_FFFF_FFFF_FFFF
        self._first: dict[int, int] = {}
        self._several = np.zeros(0, np.uint8)
        self._table = np.zeros((0, 2), np.int64)
        self.repeated = 0

    def repeats(
        self, flows: FlowBatch, now: UnixMillis, nothing: npt.NDArray[np.uint8], scratch: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint8]:
        """Return 1 for records that repeat another domain's; `nothing` where none can."""
        exporter, domain = flows["exporter_id"], flows["observation_domain_id"]
        self._learn(exporter, domain)
        wanted = self._several[exporter] if len(exporter) and self._several.any() else nothing
        if not wanted.any():
            return nothing
        if not len(self._table):
            self._table = np.zeros((1 << (self._limits.domains_capacity - 1).bit_length(), 2), np.int64)
        outward = flows["flow_direction"] == 1
        interface = np.where(outward, flows["egress_interface"], flows["ingress_interface"]).astype(np.int64)
        repeated = np.zeros(len(exporter), np.uint8)
        self.repeated += kernels.find_repeated(
            flows["source_address_hi"].view(np.int64),
            flows["source_address_lo"].view(np.int64),
            flows["destination_address_hi"].view(np.int64),
            flows["destination_address_lo"].view(np.int64),
            flows["source_transport_port"],
            flows["destination_transport_port"],
            flows["protocol_identifier"],
            exporter,
            domain,
            interface << 1 | outward,
            np.ascontiguousarray(wanted),
            self._seed,
            now // 1000 & kernels.SECONDS_MASK,
            round(self._limits.silence_seconds),
            self._table,
            scratch,
            repeated,
        )
        return repeated

    def _learn(self, exporter: npt.NDArray[np.int32], domain: npt.NDArray[np.uint32]) -> None:
        """Note which exporters have several domains."""
        if not len(exporter):
            return
        most = int(exporter.max()) + 1
        if most > len(self._several):
            self._several = np.pad(self._several, (0, most - len(self._several)))
        pairs = exporter.astype(np.int64) << 32 | domain
        changes = np.flatnonzero(pairs[1:] != pairs[:-1]) + 1
        for pair in np.unique(pairs[np.concatenate(([0], changes))]).tolist():
            who, number = pair >> 32, pair & 0xFFFFFFFF
            if self._first.setdefault(who, number) != number:
                self._several[who] = 1
