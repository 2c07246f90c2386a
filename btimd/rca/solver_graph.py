"""A fault model from plain arrays: nodes, needs with weights, probes, indicators. Rows are largest-product closures."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.kernels.closure import closures, expand_rows
from btimd.rca.faultmodel import (
    DETECTION_CAP,
    BoolArray,
    FaultArray,
    FaultModel,
    Faults,
    FloatArray,
    IntArray,
    Row,
    Rows,
)

CUT: Final = 0.05
"""Ways through the graph that carry less than this are left out."""

GAINS: Final = (1.0, 0.62)
"""How much of a fault shows: a hard one all of it, a gray one part of it."""
GAIN_SHARES: Final = (0.75, 0.25)

LEAK_FULL: Final = 0.012
LEAK_LOCAL: Final = 0.006
LEAK_INDICATOR: Final = 0.004
"""What is bad without a reason in the model, besides false alarms: by how far a question looks."""

UNMODELLED_ODDS: Final = 2e-4
"""Prior of 'this node suffers from something that the model does not hold'."""

_NEAR: Final = 14
_FAR: Final = 8
_UPWARD_LIMIT: Final = 400
_CHUNK: Final = 512


@dataclass(frozen=True, slots=True)
class GraphArrays:
    """What is known of a world.

    prior: float64[nodes], 0 = never the cause. edge_from, edge_to: int32[edges], from needs to; edge_weight: float64,
    P(from is impaired | to is at fault); edge_physical: bool, to is what from runs on or is reached by.
    probe_node: int32[probes], probe_cost, probe_detects (P(bad | its own node is at fault)), probe_false_positive:
    float64, probe_end_to_end: bool, it passes through all that its node needs, not only through physical edges.
    indicator_starts: int64[indicators + 1] into indicator_needs: int32, the nodes an indicator stands on directly.
    indicator_false_positive: how often an indicator is bad without a reason.
    """

    prior: FloatArray
    edge_from: FaultArray
    edge_to: FaultArray
    edge_weight: FloatArray
    edge_physical: BoolArray
    probe_node: FaultArray
    probe_cost: FloatArray
    probe_end_to_end: BoolArray
    probe_detects: FloatArray
    probe_false_positive: FloatArray
    indicator_starts: IntArray
    indicator_needs: FaultArray
    indicator_false_positive: float = 0.003


class _Edges:
    """Edges by where they start."""

    def __init__(self, nodes: int, start: FaultArray, end: FaultArray, weight: FloatArray, physical: BoolArray) -> None:
        order = np.argsort(start, kind="stable")
        self.starts = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(start, minlength=nodes), out=self.starts[1:])
        self.to = np.ascontiguousarray(end[order], np.int32)
        self.weight = np.ascontiguousarray(weight[order], np.float64)
        self.physical = np.ascontiguousarray(physical[order], np.bool_)


class _Walker:
    """Closures over some edges, with the scratch space they need."""

    def __init__(self, nodes: int, edges: _Edges) -> None:
        self._edges = edges
        self._value = np.zeros(nodes, np.float64)
        self._queued = np.zeros(nodes, np.bool_)
        self._queue = np.zeros(nodes + 1, np.int32)

    def closures(
        self, start_starts: IntArray, start_nodes: FaultArray, physical_only: BoolArray, limit: int
    ) -> tuple[IntArray, FaultArray, npt.NDArray[np.float32]]:
        """Return starts, nodes and values of what each question reaches."""
        edges, count = self._edges, len(physical_only)
        starts = np.zeros(count + 1, np.int64)
        nodes, values = np.empty(24 * count + 1024, np.int32), np.empty(24 * count + 1024, np.float32)
        done = 0
        while True:
            done = closures(
                done, start_starts, start_nodes, physical_only, limit, edges.starts, edges.to, edges.weight,
                edges.physical, CUT, self._value, self._queued, self._queue, starts, nodes, values,
            )  # fmt: skip
            filled = int(starts[done])
            if done == count:
                return starts, nodes[:filled].copy(), values[:filled].copy()
            room = max(int(1.1 * filled * count / max(done, 1)), len(nodes) * 3 // 2)
            nodes, values = np.resize(nodes[:filled], room), np.resize(values[:filled], room)


class GraphModel(FaultModel):
    """A fault model over GraphArrays. Probes have the ids 0 .. probes - 1, indicators follow."""

    def __init__(self, arrays: GraphArrays) -> None:
        self.arrays = arrays
        nodes, probes = len(arrays.prior), len(arrays.probe_node)
        self.probe_count = probes
        indicators = len(arrays.indicator_starts) - 1
        down = _Edges(nodes, arrays.edge_from, arrays.edge_to, arrays.edge_weight, arrays.edge_physical)
        up = _Edges(nodes, arrays.edge_to, arrays.edge_from, arrays.edge_weight, arrays.edge_physical)
        self._up = _Walker(nodes, up)
        self._near: dict[int, IntArray] = {}
        self._physical_only = np.concatenate([~arrays.probe_end_to_end, np.zeros(indicators, np.bool_)])
        self._own_detection = np.concatenate([arrays.probe_detects, np.ones(indicators)])
        order = np.argsort(arrays.probe_node, kind="stable")
        self._probes_by_node = order.astype(np.int64)
        self._probe_starts = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(arrays.probe_node, minlength=nodes), out=self._probe_starts[1:])
        begin = np.concatenate([np.arange(probes, dtype=np.int64), probes + arrays.indicator_starts])
        first_nodes = np.concatenate([arrays.probe_node, arrays.indicator_needs]).astype(np.int32)
        walker = _Walker(nodes, down)
        self._starts, self._nodes, self._values = walker.closures(begin, first_nodes, self._physical_only, nodes)
        needing = np.bincount(arrays.edge_from[~arrays.edge_physical], minlength=nodes) > 0
        faults, self._gain = _faults(arrays.prior, needing)
        leak = np.where(arrays.probe_end_to_end, LEAK_FULL, LEAK_LOCAL) + arrays.probe_false_positive
        super().__init__(
            faults,
            question_node=np.concatenate([arrays.probe_node, np.full(indicators, -1, np.int32)]),
            question_cost=np.concatenate([arrays.probe_cost, np.zeros(indicators)]),
            question_leak=np.concatenate([leak, np.full(indicators, LEAK_INDICATOR + arrays.indicator_false_positive)]),
            make_row=self._row,
            about=self._near_probes,
        )
        self._all = np.arange(self.fault_count, dtype=np.int32)

    def rows_among(self, questions: IntArray, wanted: FaultArray) -> Rows:
        """Return the rows of questions with the faults renamed to wanted[fault]; those with -1 are left out."""
        if self._added and np.any(questions >= self.probe_count + len(self.arrays.indicator_starts) - 1):
            return super().rows_among(questions, wanted)
        counts = self._starts[questions + 1] - self._starts[questions]
        room = int(counts.sum()) * (len(GAINS) + 1)
        starts = np.zeros(len(questions) + 1, np.int64)
        fault, detection = np.empty(room, np.int32), np.empty(room, np.float64)
        filled = expand_rows(
            questions, self._starts, self._nodes, self._values, self.question_node, self._physical_only,
            self._own_detection, self.first_fault, self._gain, self.faults.unmodelled, wanted, DETECTION_CAP,
            starts, fault, detection,
        )  # fmt: skip
        fault, detection = fault[:filled], detection[:filled]
        return Rows(starts, fault, detection, np.zeros(filled, np.uint8), self.question_leak[questions])

    def _row(self, question: int) -> Row:
        rows = self.rows_among(np.array([question], np.int64), self._all)
        order = np.argsort(rows.faults, kind="stable")
        return Row(rows.faults[order], rows.detection[order], rows.profile[order])

    def _near_probes(self, node: int) -> IntArray:
        found = self._near.get(node)
        if found is None:
            if len(self._near) > 20_000:
                self._near.clear()
            found = self._near[node] = self._walk_up(node)
        return found

    def _walk_up(self, node: int) -> IntArray:
        """Return own probes, those of the nearest users, and some of the users further away."""
        starts, nodes, _ = self._up.closures(
            np.array([0, 1, 2], np.int64), np.array([node, node], np.int32), np.array([True, False]), _UPWARD_LIMIT
        )
        physical = [probe for user in nodes[: starts[1]] for probe in self._probes_of(int(user), end_to_end=False)]
        full = [probe for user in nodes[starts[1] : starts[2]] for probe in self._probes_of(int(user), end_to_end=True)]
        chosen: list[int] = []
        for probes in (physical, full):
            far = probes[_NEAR:]
            chosen += probes[:_NEAR] + far[:: max(len(far) // _FAR, 1)][:_FAR]
        return np.array(list(dict.fromkeys(chosen)), np.int64)

    def _probes_of(self, node: int, *, end_to_end: bool) -> list[int]:
        mine = self._probes_by_node[self._probe_starts[node] : self._probe_starts[node + 1]]
        return [int(probe) for probe in mine if bool(self.arrays.probe_end_to_end[probe]) == end_to_end]


def _faults(prior: FloatArray, needing: BoolArray) -> tuple[Faults, FloatArray]:
    """Return the faults of every node: one per gain where it may be the cause, and one unmodelled where it needs."""
    node, probability, unmodelled, gain = [], [], [], []
    usual = float(np.median(prior[prior > 0.0])) if np.any(prior > 0.0) else UNMODELLED_ODDS
    causes = np.nonzero(prior > 0.0)[0]
    for share, shows in zip(GAIN_SHARES, GAINS, strict=True):
        node.append(causes)
        probability.append(prior[causes] * share)
        unmodelled.append(np.zeros(len(causes), np.bool_))
        gain.append(np.full(len(causes), shows))
    users = np.nonzero(needing)[0]
    node.append(users)
    probability.append(np.full(len(users), min(usual, UNMODELLED_ODDS)))
    unmodelled.append(np.ones(len(users), np.bool_))
    gain.append(np.full(len(users), 0.95))
    nodes = np.concatenate(node)
    order = np.argsort(nodes, kind="stable")
    odds = np.clip(np.concatenate(probability)[order], 1e-12, 0.5)
    faults = Faults(
        len(prior),
        nodes[order].astype(np.int32),
        np.log(odds / (1.0 - odds)),
        np.concatenate(unmodelled)[order],
    )
    return faults, np.ascontiguousarray(np.concatenate(gain)[order])
