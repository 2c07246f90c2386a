"""A world: what an enterprise is made of, which checks can be made, and what each needs, as arrays.

Nodes, probes and indicators are rows; a row's number is its id everywhere below the files. Edges lead from who needs
to what is needed and are held per needing node (compressed rows: the edges of node i are start[i] to start[i + 1]).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

BASE_PRIOR: Final = 2e-4
KIND_ODDS: Final = {
    "business": 0.5,
    "service": 1.0,
    "application": 3.0,
    "middleware": 2.0,
    "database": 2.0,
    "dns": 1.0,
    "ldap": 1.0,
    "storage": 1.0,
    "os": 1.0,
    "host": 1.0,
    "access-switch": 0.7,
    "distribution-switch": 0.5,
    "core-switch": 0.4,
    "link": 0.5,
    "wan": 2.0,
    "facility": 0.2,
}
"""How often a kind fails, relative to a host; a kind that is not listed counts as 1."""


@dataclass(frozen=True)
class Edges:
    """Who needs what, per needing node.

    start: int32[n + 1]. to: int32[e], the node that is needed. weight: float32[e], how likely the needing node is
    impaired when the needed one is at fault. physical: bool[e], true where the one runs on, or is reached through,
    the other; false where it calls it.
    """

    start: IntArray
    to: IntArray
    weight: FloatArray
    physical: BoolArray

    def __len__(self) -> int:
        return len(self.to)

    @cached_property
    def needing(self) -> IntArray:
        """The needing node of every edge: int32[e]."""
        counts = np.diff(self.start)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    @classmethod
    def of(cls, nodes: int, needing: IntArray, to: IntArray, weight: FloatArray, physical: BoolArray) -> "Edges":
        """Return edges given in any order: arrays of one length e, over this many nodes."""
        order = np.argsort(needing, kind="stable")
        start = np.zeros(nodes + 1, np.int32)
        np.cumsum(np.bincount(needing, minlength=nodes), out=start[1:])
        return cls(start, to[order], weight[order], physical[order])


@dataclass(frozen=True, slots=True)
class Probes:
    """The checks that can be asked for: p rows.

    node: int32[p], what is checked. check: int16[p], index into check_names. cost: float32[p], load relative to a
    ping. end_to_end: bool[p], true where everything below the node takes part in the answer, false where only what it
    runs on and is reached through does. detects: float32[p], how likely the check is bad when its own node is at
    fault. false_positive: float32[p], how likely it is bad when all is well.
    """

    ids: Sequence[str]
    node: IntArray
    check_names: tuple[str, ...]
    check: npt.NDArray[np.int16]
    cost: FloatArray
    end_to_end: BoolArray
    detects: FloatArray
    false_positive: FloatArray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Indicators:
    """What is watched all the time, a business seen from a region: m rows; needs of row i: need[start[i]:start[i + 1]].

    start: int32[m + 1]. need: int32, nodes.
    """

    ids: Sequence[str]
    start: IntArray
    need: IntArray

    def __len__(self) -> int:
        return len(self.ids)

    def needs_of(self, indicator: int) -> IntArray:
        """Return the nodes that an indicator stands on."""
        return self.need[self.start[indicator] : self.start[indicator + 1]]


@dataclass(frozen=True)
class World:
    """Everything that is known beforehand. kind: int16[n], index into kind_names. prior: float32[n], per incident."""

    node_ids: Sequence[str]
    kind_names: tuple[str, ...]
    kind: npt.NDArray[np.int16]
    prior: FloatArray
    edges: Edges
    probes: Probes
    indicators: Indicators

    def __len__(self) -> int:
        return len(self.node_ids)

    @cached_property
    def node_row(self) -> dict[str, int]:
        """The row of every node by its id."""
        return {name: row for row, name in enumerate(self.node_ids)}

    @cached_property
    def probe_row(self) -> dict[str, int]:
        """The row of every probe by its id."""
        return {name: row for row, name in enumerate(self.probes.ids)}

    @cached_property
    def indicator_row(self) -> dict[str, int]:
        """The row of every indicator by its id."""
        return {name: row for row, name in enumerate(self.indicators.ids)}

    @cached_property
    def depth(self) -> IntArray:
        """The longest way down from every node: int32[n], 0 where it needs nothing, -1 on a circle and above one."""
        return depths(self.edges)


def depths(edges: Edges) -> IntArray:
    """Return the longest way down from every node: int32[n]; -1 for nodes on a circle or above one."""
    nodes = len(edges.start) - 1
    order = np.argsort(edges.to, kind="stable")
    needed_start = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(edges.to, minlength=nodes), out=needed_start[1:])
    needing = edges.needing[order]
    open_needs = np.diff(edges.start).astype(np.int64)
    found = np.full(nodes, -1, np.int32)
    level = 0
    front = np.flatnonzero(open_needs == 0)
    while len(front):
        found[front] = level
        above = np.concatenate([needing[needed_start[node] : needed_start[node + 1]] for node in front])
        if not len(above):
            break
        np.subtract.at(open_needs, above, 1)
        front = np.unique(above)
        front = front[open_needs[front] == 0]
        level += 1
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Incident:
    """One incident of a truth file, in rows of its world.

    symptoms: int32, the bad indicators; every other one is good. bad, unknown: probes that are bad or do not answer;
    every other one is good. causes: ids of the nodes at fault (a node that the model does not know is possible),
    None where the truth is not told. near: ids of the neighbours of causes that the model does not know.
    changes: int32, nodes that were changed a short time before.
    """

    id: int | str
    symptoms: IntArray
    bad: IntArray
    unknown: IntArray
    causes: tuple[str, ...] | None = None
    near: tuple[str, ...] = ()
    changes: IntArray | None = None
