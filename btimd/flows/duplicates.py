"""One flow seen by several observation points counts once: which records report what another point reported first.

An observation point is an exporter with its observation domain and the direction it meters (ingress or egress). A
5-tuple, each direction by itself, belongs to the point that reports it first until that point has been silent about it
for `silence_seconds`; records of the same 5-tuple from other points are duplicates. Traffic that only one point sees is
never dropped. A flow that moves to another path is counted again once its owner has been silent for that long.

Exporters that sample packets choose different ones: two of them rarely report the same 5-tuple, so ownership says
nothing about which part of their traffic is the same. A sampled record is a duplicate only of a flow that a point
without sampling owns; among samplers nothing is dropped, and `sampled_twice` tells that their traffic overlaps, so that
the operator chooses one of them. Two flows with the same addresses and ports in different VRFs are taken for one:
where address spaces overlap, turn this off.

Most networks have no duplicates or many. In mode "auto" one key in 64 is looked at always, and all of them while more
than `threshold` of the sample is duplicate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from btimd.flows.lines import zero_lines
from btimd.kernels import duplicates as kernels
from btimd.model.address import address_halves, address_text
from btimd.model.flowbatch import FlowBatch
from btimd.model.units import Seconds, UnixMillis

Mode: TypeAlias = Literal["auto", "on", "off"]
_SAMPLE_MASK: Final = 63
_KEYS_PER_LINE: Final = 2  # of four places, so that few lines and their neighbours are full
_MIN_SAMPLE_CAPACITY: Final = 4096
_JUDGED_RECORDS: Final = 2048  # of the sample, before its share is believed
_CALM_MILLISECONDS: Final = 600_000
_SECONDS_MASK: Final = (1 << 28) - 1


@dataclass(frozen=True, slots=True)
class DuplicateLimits:
    """How duplicates are looked for.

    capacity: flow keys known at a time when all are looked at, 32 octets each. threshold: share of duplicates in the
    sample above which mode "auto" looks at all. prefer: addresses or names of exporters whose reports win.
    """

    mode: Mode = "auto"
    capacity: int = 1 << 20
    silence_seconds: Seconds = 180.0
    threshold: float = 0.002
    prefer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateCounters:
    """Records since the start. tracked: looked at; octets: those of duplicates, as exported; taken_over: flows that a
    preferred point or one without sampling took from another; refused: records whose key found no room, counted as no
    duplicates; sampled_twice: records of flows that another sampler reported too, not dropped.
    """  # noqa: D205  one sentence per counter

    tracked: int
    duplicates: int
    octets: int
    taken_over: int
    refused: int
    sampled_twice: int


class Duplicates:
    """Remembers who owns which flow. `seed` makes the places of keys in the table unknown to senders of flows."""

    def __init__(self, limits: DuplicateLimits | None = None, seed: int = 0) -> None:
        self._limits = limits or DuplicateLimits()
        self._seed = seed & 0x7FFF_FFFF_FFFF_FFFF
        self._prefer = frozenset(map(_address_or_name, self._limits.prefer))
        self._preferred: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._of_exporter: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._scratch = np.zeros((3, kernels.BLOCK), np.int64)
        self._counts = np.zeros(kernels.COUNTS_SIZE, np.int64)
        self._judged = np.zeros(kernels.COUNTS_SIZE, np.int64)
        self._point: tuple[int, int, bool] | None = None
        self._several = False
        self._base_seconds = 0
        self._calm_since: UnixMillis | None = None
        self._all = self._limits.mode == "on"
        self._compared = 1.0
        self._table = _no_table()

    @property
    def everything(self) -> bool:
        """Whether every flow is looked at, not only the sample."""
        return self._all

    @property
    def compared(self) -> float:
        """Share of flows that was looked at in the latest batch: 1 where a single point reports, 0 where turned off."""
        return self._compared

    @property
    def counters(self) -> DuplicateCounters:
        """What was found so far."""
        counts = [int(count) for count in self._counts]
        return DuplicateCounters(
            tracked=counts[kernels.C_TRACKED],
            duplicates=counts[kernels.C_DUPLICATES],
            octets=counts[kernels.C_OCTETS],
            taken_over=counts[kernels.C_TAKEN_OVER],
            refused=counts[kernels.C_REFUSED],
            sampled_twice=counts[kernels.C_SAMPLED_TWICE],
        )

    def counts(self) -> dict[int, int]:
        """Return how many records of each exporter_id were duplicates; those with none are left out."""
        return {int(who): int(self._of_exporter[who]) for who in np.flatnonzero(self._of_exporter)}

    def know(self, exporters: Iterable[tuple[int, str, str]]) -> None:
        """Tell address and name ("" = none) of each exporter_id, so that the preferred are; may be told again."""
        for exporter_id, address, name in exporters:
            self._make_room(exporter_id)
            self._preferred[exporter_id] = address in self._prefer or name in self._prefer

    def warm(self) -> None:
        """Compile or load the kernel."""
        self._call(FlowBatch.zeros(0), 0, np.zeros(0, np.bool_), zero_lines(2).reshape(-1, 2))

    def mark(self, batch: FlowBatch, now_ms: UnixMillis) -> npt.NDArray[np.bool_] | None:
        """Return which records another observation point reported first, bool[n]; None where there are none."""
        if self._limits.mode == "off" or not len(batch) or not self._has_several_points(batch):
            self._compared = 0.0 if self._limits.mode == "off" else 1.0
            return None
        self._compared = 1.0 if self._all else 1 / (_SAMPLE_MASK + 1)
        if not self._base_seconds:
            self._base_seconds = now_ms // 1000
        if not len(self._table):
            self._table = self._new_table()
        self._make_room(int(batch["exporter_id"].max()))
        duplicate = np.zeros(len(batch), np.bool_)
        found = self._call(batch, now_ms // 1000 - self._base_seconds, duplicate, self._table)
        if self._limits.mode == "auto":
            self._judge(now_ms)
        return duplicate if found else None

    def _call(
        self, batch: FlowBatch, now_seconds: int, duplicate: npt.NDArray[np.bool_], table: npt.NDArray[np.int64]
    ) -> int:
        return kernels.mark(
            batch["source_address_hi"].view(np.int64),
            batch["source_address_lo"].view(np.int64),
            batch["destination_address_hi"].view(np.int64),
            batch["destination_address_lo"].view(np.int64),
            batch["source_transport_port"],
            batch["destination_transport_port"],
            batch["protocol_identifier"],
            batch["flow_direction"],
            batch["observation_domain_id"],
            batch["exporter_id"],
            batch["sampling_rate"],
            batch["octet_delta_count"],
            self._preferred,
            0 if self._all else _SAMPLE_MASK,
            max(now_seconds, 0) & _SECONDS_MASK,
            max(int(self._limits.silence_seconds), 1),
            self._seed,
            table,
            self._scratch,
            self._counts,
            self._of_exporter,
            duplicate,
        )

    def _has_several_points(self, batch: FlowBatch) -> bool:
        """Tell whether more than one observation point has reported since the start."""
        if self._several:
            return True
        exporter, domain, direction = (
            batch[name] for name in ("exporter_id", "observation_domain_id", "flow_direction")
        )
        egress = direction == 1
        point = (int(exporter[0]), int(domain[0]), bool(egress[0]))
        self._point = self._point or point
        self._several = (
            point != self._point
            or bool((exporter != point[0]).any())
            or bool((domain != point[1]).any())
            or bool((egress != point[2]).any())
        )
        return self._several

    def _judge(self, now_ms: UnixMillis) -> None:
        """Decide whether the sample is enough."""
        new = self._counts - self._judged
        tracked, duplicates = int(new[kernels.C_TRACKED]), int(new[kernels.C_DUPLICATES])
        if tracked < _JUDGED_RECORDS:
            return
        self._judged[:] = self._counts
        many = duplicates > self._limits.threshold * tracked
        if many:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now_ms
        if many and not self._all:
            self._switch(everything=True)
        elif self._all and self._calm_since is not None and now_ms - self._calm_since >= _CALM_MILLISECONDS:
            self._switch(everything=False)

    def _switch(self, *, everything: bool) -> None:
        self._all = everything
        self._calm_since = None
        self._table = _no_table()  # only then is memory for all taken; owners are found anew

    def _new_table(self) -> npt.NDArray[np.int64]:
        capacity = self._limits.capacity
        if not self._all:
            capacity = max(capacity // (_SAMPLE_MASK + 1), min(_MIN_SAMPLE_CAPACITY, capacity))
        lines = 1 << max(-(-capacity // _KEYS_PER_LINE) - 1, 1).bit_length()
        return zero_lines(lines).reshape(-1, 2)

    def _make_room(self, exporter_id: int) -> None:
        """Make the columns by exporter long enough."""
        if exporter_id >= len(self._preferred):
            length = max(64, 2 * len(self._preferred), exporter_id + 1)
            preferred, of_exporter = self._preferred, self._of_exporter
            self._preferred = np.zeros(length, np.uint8)
            self._preferred[: len(preferred)] = preferred
            self._of_exporter = np.zeros(length, np.int64)
            self._of_exporter[: len(of_exporter)] = of_exporter


def _address_or_name(text: str) -> str:
    """Return an address in the spelling of exporters' addresses, a name as it is."""
    try:
        return address_text(*address_halves(text))
    except ValueError:
        return text


def _no_table() -> npt.NDArray[np.int64]:
    return np.zeros((0, 2), np.int64)
