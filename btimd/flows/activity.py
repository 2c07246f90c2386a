"""How busy groups of servers were from minute to minute, and how busy they were with each other.

A server that needs another one calls it when it is called itself. Totals over a day do not show that; the changes of
both activities from bin to bin do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import FlowBatch

MOST_CELLS: Final = 8_000_000
FEWEST_BINS: Final = 12
_MOST_SPREAD: Final = 8
_SHORTEST_BIN_MILLISECONDS: Final = 1000
_LONGEST_BIN_MILLISECONDS: Final = 60_000
_WANTED_BINS: Final = 120


@dataclass(frozen=True, slots=True)
class Correlation:
    """How two activities go together.

    correlation: of their changes from bin to bin, -1..1. coverage: of the bins in which the first was active, the share
    in which the second was. lift: coverage over the share of all bins in which the second was. bins: looked at.
    """

    correlation: float
    coverage: float
    lift: float
    bins: int


def bin_milliseconds(from_milliseconds: int, to_milliseconds: int) -> int:
    """Return the length of a bin for a time looked at: a minute, and less where there are few of them."""
    wanted = (to_milliseconds - from_milliseconds) // _WANTED_BINS
    return int(np.clip(wanted, _SHORTEST_BIN_MILLISECONDS, _LONGEST_BIN_MILLISECONDS))


class Activity:
    """Adds up packets per bin: into each group of servers, and from each group to each other one that it calls.

    ends: (hi, lo, protocol, port, group) of what listens. edges: (client group, server group). Bins beyond what
    MOST_CELLS allows are left out, the oldest first. Octets of a record are spread evenly over its bins, 8 at most.
    """

    def __init__(
        self,
        ends: Sequence[tuple[int, int, int, int, int]],
        groups: int,
        edges: Sequence[tuple[int, int]],
        from_milliseconds: int,
        to_milliseconds: int,
    ) -> None:
        self._step = bin_milliseconds(from_milliseconds, to_milliseconds)
        series = groups + len(edges)
        wanted = (to_milliseconds - from_milliseconds) // self._step + 1
        self.bins = max(int(min(wanted, MOST_CELLS // max(series, 1))), 1)
        self._begin = (
            to_milliseconds - (self.bins - 1) * self._step - (to_milliseconds - from_milliseconds) % self._step
        )
        self._groups = groups
        self._edge = {edge: groups + number for number, edge in enumerate(edges)}
        self._edge_keys = np.array(sorted(one << 32 | other for one, other in self._edge), np.int64)
        self._edge_rows = np.array(
            [self._edge[int(key) >> 32, int(key) & 0xFFFF_FFFF] for key in self._edge_keys], np.int64
        )
        self._sums = np.zeros((series, self.bins))
        self._ends = _Lookup([(_end_key(*_columns(end[:4])), end[4]) for end in ends])
        self._hosts = _Lookup([(_host_key(*_columns(end[:2])), end[4]) for end in ends])

    def add(self, flows: FlowBatch) -> None:
        """Take records, both directions."""
        for client, server in (("source", "destination"), ("destination", "source")):
            group = self._ends.find(
                _end_key(
                    flows[f"{server}_address_hi"],
                    flows[f"{server}_address_lo"],
                    flows["protocol_identifier"],
                    flows[f"{server}_transport_port"],
                )
            )
            rows = np.flatnonzero(group >= 0)
            if not len(rows):
                continue
            group = group[rows]
            caller = self._hosts.find(
                _host_key(flows[f"{client}_address_hi"][rows], flows[f"{client}_address_lo"][rows])
            )
            # what servers of a group say to each other is no call from outside
            outside = caller != group
            self._put(flows, rows[outside], group[outside])
            edges = self._edges_of(caller, group)
            self._put(flows, rows[edges >= 0], edges[edges >= 0])

    def edge(self, client: int, server: int) -> Correlation | None:
        """Return how the calls of a group to another one go with the calls it gets; None: too few bins, or no calls."""
        return self._compare(self._sums[client], self._sums[self._edge[client, server]])

    def _edges_of(self, caller: npt.NDArray[np.int64], group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if not len(self._edge_keys):
            return np.full(len(group), -1, np.int64)
        key = np.where(caller >= 0, caller << 32 | group, -1)
        at = np.minimum(np.searchsorted(self._edge_keys, key), len(self._edge_keys) - 1)
        return np.where(self._edge_keys[at] == key, self._edge_rows[at], -1)

    def _put(self, flows: FlowBatch, rows: npt.NDArray[np.int64], series: npt.NDArray[np.int64]) -> None:
        if not len(rows):
            return
        first = (flows["flow_start_milliseconds"][rows] - self._begin) // self._step
        last = np.maximum((flows["flow_end_milliseconds"][rows] - self._begin) // self._step, first)
        spread = np.minimum(last - first + 1, _MOST_SPREAD)
        weight = flows["packet_delta_count"][rows] * np.maximum(flows["sampling_rate"][rows], 1) / spread
        for step in range(int(spread.max())):
            at = last - step
            good = (spread > step) & (at >= 0) & (at < self.bins)
            np.add.at(self._sums, (series[good], at[good]), weight[good])

    def _compare(self, one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> Correlation | None:
        used = one > 0
        if self.bins < FEWEST_BINS or not used.any() or not (other > 0).any():
            return None
        # changes, so that what both do over the day says nothing; roots, so that single bursts do not decide
        first, second = np.diff(np.sqrt(one)), np.diff(np.sqrt(other))
        scale = float(np.sqrt((first @ first) * (second @ second)))
        correlation = float(first @ second) / scale if scale else 0.0
        coverage = float((other[used] > 0).mean())
        return Correlation(correlation, coverage, coverage / float((other > 0).mean()), self.bins)


class _Lookup:
    """Finds the number that goes with a 64-bit key."""

    def __init__(self, pairs: Sequence[tuple[npt.NDArray[np.uint64], int]]) -> None:
        keys = np.concatenate([key for key, _ in pairs]) if pairs else np.zeros(0, np.uint64)
        self._keys, first = np.unique(keys, return_index=True)
        self._numbers = np.array([number for _, number in pairs], np.int64)[first] if pairs else np.zeros(0, np.int64)

    def find(self, key: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        if not len(self._keys):
            return np.full(len(key), -1, np.int64)
        at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return np.where(self._keys[at] == key, self._numbers[at], -1)


def _columns(values: Sequence[int]) -> list[npt.NDArray[Any]]:
    return [np.array([value], np.uint64) for value in values]


def _host_key(hi: npt.NDArray[Any], lo: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Mix an address to 64 bits; two addresses with the same mix are a matter of 2^-64, or of ill will without gain."""
    with np.errstate(over="ignore"):
        return np.asarray(lo ^ (hi * np.uint64(0x9E37_79B9_7F4A_7C15)), np.uint64)


def _end_key(
    hi: npt.NDArray[Any], lo: npt.NDArray[Any], protocol: npt.NDArray[Any], port: npt.NDArray[Any]
) -> npt.NDArray[np.uint64]:
    end = protocol.astype(np.uint64) << np.uint64(16) | port.astype(np.uint64)
    with np.errstate(over="ignore"):
        return (_host_key(hi, lo) * np.uint64(0xBF58_476D_1CE4_E5B9)) ^ end
