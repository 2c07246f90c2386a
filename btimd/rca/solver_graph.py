"""A fault model from plain arrays: nodes, needs with weights, probes, indicators. Rows are largest-product closures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.kernels.closure import effects, expand_rows, merged, order_by_needs, turned
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
    spans,
)

BLEND: Final = 0.0
"""How much many ways to a fault count for more than the surest of them."""

CUT: Final = 0.05
"""Ways through the graph that carry less than this are left out."""

GAINS: Final = (1.0, 0.62)
"""How much of a fault shows: a hard one all of it, a gray one part of it."""
GAIN_SHARES: Final = (0.75, 0.25)

LEAK_FULL: Final = 0.003
LEAK_LOCAL: Final = 0.001
LEAK_INDICATOR: Final = 0.0003
"""What is bad without a reason in the model, besides false alarms: by how far a question looks."""

UNMODELLED_ODDS: Final = 2e-4
"""Prior of 'this node suffers from something that the model does not hold'."""

_NOTICED_AT_LEAST: Final = 0.02
_SAME_KIND: Final = 0.05
_NEAR: Final = 14
_FAR: Final = 8
_UPWARD_LIMIT: Final = 400
_REMEMBERED: Final = 20_000
_ROOM: Final = 65_536


@dataclass(frozen=True, slots=True)
class GraphArrays:
    """What is known of a world.

    prior: float64[nodes], 0 = never the cause. edge_from, edge_to: int32[edges], from needs to; edge_weight: float64,
    P(from is impaired | to is at fault); edge_physical: bool, to is what from runs on or is reached by.
    probe_node: int32[probes], probe_cost, probe_detects (P(bad | its own node is at fault)), probe_false_positive:
    float64, probe_end_to_end: bool, it passes through all that its node needs, not only through physical edges.
    indicator_starts: int64[indicators + 1] into indicator_needs: int32, the nodes an indicator stands on directly.
    indicator_false_positive: how often an indicator is bad without a reason. node_kind: int[nodes], equal for nodes of
    the same kind, None where kinds are not known: it tells what could have been meant by an edge that is missing.
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
    node_kind: npt.NDArray[np.integer] | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of nodes with values. starts: int64[rows + 1], nodes: int32, values: float32."""

    starts: IntArray
    nodes: FaultArray
    values: npt.NDArray[np.float32]


class _Edges:
    """Edges by where they start."""

    def __init__(self, nodes: int, start: FaultArray, end: FaultArray, weight: FloatArray, physical: BoolArray) -> None:
        order = np.argsort(start, kind="stable")
        self.starts = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(start, minlength=nodes), out=self.starts[1:])
        self.to = np.ascontiguousarray(end[order], np.int32)
        self.weight = np.ascontiguousarray(weight[order], np.float64)
        self.physical = np.ascontiguousarray(physical[order], np.bool_)


class _Effects:
    """Who is hit by the fault of each node."""

    def __init__(self, nodes: int, down: _Edges, up: _Edges) -> None:
        self._up = up
        self.rank = np.empty(nodes, np.int32)
        order_by_needs(
            down.starts,
            down.to,
            np.zeros(nodes, np.int8),
            np.empty(nodes, np.int32),
            np.empty(nodes, np.int64),
            self.rank,
        )
        self._node_at = np.argsort(self.rank).astype(np.int32)

    def of_all(self, *, physical_only: bool) -> _Table:
        """Return per node which nodes its fault impairs."""
        up, nodes = self._up, len(self.rank)
        spared, most, heap = np.zeros(nodes), np.zeros(nodes), np.empty(nodes, np.int32)

        def fill(begin: int, table: _Table) -> int:
            return effects(
                begin, physical_only, up.starts, up.to, up.weight, up.physical, self.rank, self._node_at, CUT, BLEND,
                spared, most, heap, table.starts, table.nodes, table.values,
            )  # fmt: skip

        return _filled(fill, nodes)


def _filled(fill: Callable[[int, _Table], int], count: int) -> _Table:
    """Return a table of so many rows; room grows as it is needed."""
    room = 24 * count + 1024
    table = _Table(np.zeros(count + 1, np.int64), np.empty(room, np.int32), np.empty(room, np.float32))
    done = 0
    while True:
        done = fill(done, table)
        filled = int(table.starts[done])
        if done == count:
            return _Table(table.starts, table.nodes[:filled].copy(), table.values[:filled].copy())
        room = max(int(1.2 * filled * count / max(done, 1)), len(table.nodes) * 3 // 2)
        grown = _Table(table.starts, np.empty(room, np.int32), np.empty(room, np.float32))
        grown.nodes[:filled], grown.values[:filled] = table.nodes[:filled], table.values[:filled]
        table = grown


def _turned(table: _Table) -> _Table:
    out = _Table(np.zeros_like(table.starts), np.empty_like(table.nodes), np.empty_like(table.values))
    turned(table.starts, table.nodes, table.values, out.starts, out.nodes, out.values)
    return out


def _of_indicators(full: _Table, arrays: GraphArrays) -> _Table:
    """Return which faults each indicator sees."""
    nodes = len(arrays.prior)
    dense, touched = np.zeros(nodes), np.empty(nodes, np.int32)
    return _filled(
        lambda begin, table: merged(
            begin, arrays.indicator_starts, arrays.indicator_needs, full.starts, full.nodes, full.values,
            dense, touched, table.starts, table.nodes, table.values,
        ),
        len(arrays.indicator_starts) - 1,
    )  # fmt: skip


def _seen_by(
    hit: _Table, hit_physically: _Table, arrays: GraphArrays
) -> tuple[IntArray, FaultArray, npt.NDArray[np.float32]]:
    """Return which faults each node suffers from, physically, and each indicator sees: starts, nodes, values."""
    tables = [_turned(hit), _turned(hit_physically)]
    tables.append(_of_indicators(tables[0], arrays))
    offsets = np.cumsum([0] + [len(table.nodes) for table in tables])
    parts = [table.starts[:-1] + offset for table, offset in zip(tables, offsets, strict=False)]
    starts = np.concatenate([*parts, offsets[-1:]]).astype(np.int64)
    # One column after the other, and what is copied is given back: this is what the memory of a model goes to.
    nodes, values = [table.nodes for table in tables], [table.values for table in tables]
    tables.clear()
    all_nodes = np.concatenate(nodes)
    nodes.clear()
    return starts, all_nodes, np.concatenate(values)


class GraphModel(FaultModel):
    """A fault model over GraphArrays. Probes have the ids 0 .. probes - 1, indicators follow."""

    def __init__(self, arrays: GraphArrays) -> None:
        self.arrays = arrays
        nodes, probes = len(arrays.prior), len(arrays.probe_node)
        self.probe_count = probes
        indicators = len(arrays.indicator_starts) - 1
        down = _Edges(nodes, arrays.edge_from, arrays.edge_to, arrays.edge_weight, arrays.edge_physical)
        up = _Edges(nodes, arrays.edge_to, arrays.edge_from, arrays.edge_weight, arrays.edge_physical)
        self._near: dict[int, IntArray] = {}
        self._physical_only = np.concatenate([~arrays.probe_end_to_end, np.zeros(indicators, np.bool_)])
        self._own_detection = np.concatenate([arrays.probe_detects, np.ones(indicators)])
        order = np.argsort(arrays.probe_node, kind="stable")
        self._probes_by_node = order.astype(np.int64)
        self._probe_starts = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(arrays.probe_node, minlength=nodes), out=self._probe_starts[1:])
        self._down = down
        alone = np.diff(up.starts) == 0
        alone[arrays.indicator_needs] = False
        alone &= np.diff(self._probe_starts) > 0
        alone &= np.diff(down.starts) > 0
        if arrays.node_kind is not None:
            # Nobody forgets what a thing runs on: only a kind that is called can have lost its caller.
            called = arrays.node_kind[arrays.edge_to[~arrays.edge_physical]]
            alone &= np.isin(arrays.node_kind, called)
        self._unattached = np.nonzero(alone)[0]
        hit = _Effects(nodes, down, up)
        self._hit = hit.of_all(physical_only=False)
        self._hit_physically = hit.of_all(physical_only=True)
        self._starts, self._nodes, self._values = _seen_by(self._hit, self._hit_physically, arrays)
        self._row_of = np.concatenate(
            [arrays.probe_node + np.where(arrays.probe_end_to_end, 0, nodes), 2 * nodes + np.arange(indicators)]
        ).astype(np.int64)
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
        if indicators:
            first = int(self._starts[2 * nodes])
            missed = np.zeros(nodes)
            chances = np.minimum(self._values[first:], DETECTION_CAP).astype(np.float64)
            np.add.at(missed, self._nodes[first:], np.log1p(-chances))
            shown = -np.expm1(missed)
            self.noticed = np.maximum(shown[faults.node], _NOTICED_AT_LEAST)

    @override
    def rows_among(self, questions: IntArray, wanted: FaultArray) -> Rows:
        """Return the rows of questions with the faults renamed to wanted[fault]; those with -1 are left out."""
        if self._added and np.any(questions >= self.probe_count + len(self.arrays.indicator_starts) - 1):
            return super().rows_among(questions, wanted)
        looked_at = np.zeros(self.node_count, np.bool_)
        looked_at[self.faults.node[np.nonzero(wanted >= 0)[0]]] = True
        starts = np.zeros(len(questions) + 1, np.int64)
        fault, detection = np.empty(_ROOM, np.int32), np.empty(_ROOM, np.float64)
        done = 0
        while True:
            done = expand_rows(
                done, questions, self._row_of, self._starts, self._nodes, self._values, self.question_node,
                self._physical_only, self._own_detection, self.first_fault, self._gain, self.faults.unmodelled, wanted,
                looked_at, DETECTION_CAP, starts, fault, detection,
            )  # fmt: skip
            filled = int(starts[done])
            if done == len(questions):
                break
            more = max(filled, _ROOM)
            fault = np.concatenate([fault, np.empty(more, np.int32)])
            detection = np.concatenate([detection, np.empty(more, np.float64)])
        return Rows(
            starts, fault[:filled], detection[:filled], np.zeros(filled, np.uint8), self.question_leak[questions]
        )

    def probes_of(self, node: int) -> IntArray:
        """Return the probes of a node itself."""
        return self._probes_by_node[self._probe_starts[node] : self._probe_starts[node + 1]]

    def needs_of(self, node: int) -> FaultArray:
        """Return what a node needs directly."""
        return self._down.to[self._down.starts[node] : self._down.starts[node + 1]]

    def unattached_like_needs_of(self, node: int, most: int) -> list[int]:
        """Return nodes with checks that nothing needs, those most like what `node` needs first.

        Two nodes are alike as far as they need the same, and a little where they are of one kind: an edge that is
        missing in the model mostly led to a twin of something else that the node needs.
        """
        kind = self.arrays.node_kind
        mine = [int(need) for need in self.needs_of(node)]
        others = self._unattached
        if kind is not None:
            others = others[np.isin(kind[others], list({int(kind[need]) for need in mine} - {int(kind[node])}))]
        place, edges = spans(self._down.starts, others)
        needs = self._down.to[edges]
        count = np.bincount(place, minlength=len(others))
        alike = np.zeros(len(others))
        for wanted in (self.needs_of(need) for need in mine):
            is_wanted = np.zeros(self.node_count, np.bool_)
            is_wanted[wanted] = True
            both = np.bincount(place[is_wanted[needs]], minlength=len(others))
            alike = np.maximum(alike, both / (count + len(wanted) - both))
        alike += 0.0 if kind is None else _SAME_KIND
        order = np.lexsort((others, -alike))[:most]
        return [int(others[one]) for one in order if alike[one] > 0.0]

    def _row(self, question: int) -> Row:
        rows = self.rows_among(np.array([question], np.int64), self.every_fault)
        order = np.argsort(rows.faults, kind="stable")
        return Row(rows.faults[order], rows.detection[order], rows.profile[order])

    def _near_probes(self, node: int) -> IntArray:
        found = self._near.get(node)
        if found is None:
            if len(self._near) > _REMEMBERED:
                self._near.clear()
            found = self._near[node] = self._walk_up(node)
        return found

    def _walk_up(self, node: int) -> IntArray:
        """Return own probes, those of the nearest users, and some of the users further away."""
        physical = self._probes_near(self._hit_physically, node, end_to_end=False)
        full = self._probes_near(self._hit, node, end_to_end=True)
        chosen: list[int] = []
        for probes in (physical, full):
            far = probes[_NEAR:]
            chosen += probes[:_NEAR] + far[:: max(len(far) // _FAR, 1)][:_FAR]
        return np.array(list(dict.fromkeys(chosen)), np.int64)

    def _probes_near(self, table: _Table, node: int, *, end_to_end: bool) -> list[int]:
        users = slice(int(table.starts[node]), int(table.starts[node + 1]))
        nodes = table.nodes[users][np.argsort(-table.values[users], kind="stable")[:_UPWARD_LIMIT]]
        spans = (self._probes_by_node[self._probe_starts[user] : self._probe_starts[user + 1]] for user in nodes)
        return [int(probe) for span in spans for probe in span if self.arrays.probe_end_to_end[probe] == end_to_end]


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
