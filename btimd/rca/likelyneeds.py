"""Needs that a model has most likely forgotten: what the twins of a node need, and who needs the twins of a node.

Who calls whom is a table, and enterprises fill it by patterns: the members of a pool are called by the same callers and
call the same things. So a hole in the table can be guessed from like rows and like columns, as a shop guesses what a
customer may want (collaborative filtering). Three rules are used, and none looks at what runs on what:

- *rows*: siblings, called by one caller, that need nearly the same; what one lacks and the others need is missing;
- *columns*: two members of a pool mostly have the same callers; who calls one alone likely calls the other;
- *strangers*: what nobody calls, but needs the same as a called one, likely is a member of the same pool.

Alike is measured by what is shared (Jaccard), where sharing a rare thing counts for more: all call the name service,
few the same database. A need of nearly full weight has no partner that could take over, so it says nothing of a pool.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.rca.faultmodel import BoolArray, FaultArray, FloatArray, IntArray, spans

_ALONE: Final = 0.78
"""A need of at least this weight stands for itself; below, others share the load."""
_LIKE_ROWS: Final = 0.35
_LIKE_COLUMNS: Final = 0.5
_LIKE_STRANGER: Final = 0.5
_MOST_GROUP: Final = 60
_MOST_PAIRS: Final = 3_000_000

_CHANCE_ROWS: Final = 0.95
_CHANCE_COLUMNS: Final = 0.95
_CHANCE_FULL: Final = 0.25
"""Where the node has as many needs of the kind as its twin: either has a wrong one, or nothing is missing."""
_CHANCE_BOTH: Final = 0.95
"""Where rows and columns say the same."""
_CHANCE_STRANGER: Final = 0.95
_CHANCE_HINT: Final = 0.05
_LEAST_CHANCE: Final = 0.2


@dataclass(frozen=True, slots=True)
class LikelyNeeds:
    """Edges that are likely missing, by where they start. needing, to: int32. like: int32, the twin that tells of it.

    weight: float64, P(needing is impaired | to is at fault) where there is such an edge. chance: float64, that
    there is.
    """

    needing: FaultArray
    to: FaultArray
    like: FaultArray
    weight: FloatArray
    chance: FloatArray


class _Calls:
    """Who calls whom. Edges ascend by caller, then callee."""

    def __init__(self, kind: IntArray, needing: IntArray, to: IntArray, weight: FloatArray) -> None:
        nodes = len(kind)
        key = needing * nodes + to
        order = np.argsort(key, kind="stable")
        self.nodes, self.kind = nodes, kind
        self.key, self.weight = key[order], weight[order]
        self.needing, self.to = needing[order], to[order]
        self.starts = np.searchsorted(self.needing, np.arange(nodes + 1))
        self.callers = np.bincount(to, minlength=nodes)
        self.kinds = int(kind.max()) + 1
        most = np.bincount(kind[np.unique(needing)]).max()
        self.rarity = np.log1p(most / np.maximum(self.callers, 1))
        self.needs_rarity = np.bincount(self.needing, weights=self.rarity[self.to], minlength=nodes)
        self._by_to = np.argsort(self.to, kind="stable")
        self._starts_of_to = np.searchsorted(self.to[self._by_to], np.arange(nodes + 1))
        self._of_kind = np.sort(self.needing * self.kinds + kind[self.to])

    def has(self, needing: IntArray, to: IntArray) -> BoolArray:
        """Tell which edges there are."""
        wanted = needing * self.nodes + to
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return np.asarray(self.key[place] == wanted, np.bool_)

    def count(self, needing: IntArray, kind: IntArray) -> IntArray:
        """Return how many of a kind nodes need."""
        wanted = needing * self.kinds + kind
        return np.searchsorted(self._of_kind, wanted, "right") - np.searchsorted(self._of_kind, wanted)

    def needs_of(self, nodes: IntArray) -> tuple[IntArray, IntArray]:
        """Return the edges of nodes: positions in `nodes`, and edges."""
        return spans(self.starts, nodes)

    def calls_to(self, nodes: IntArray) -> tuple[IntArray, IntArray]:
        """Return the edges that lead to nodes: positions in `nodes`, and edges."""
        place, turn = spans(self._starts_of_to, nodes)
        return place, self._by_to[turn]

    def alike(self, one: IntArray, other: IntArray) -> FloatArray:
        """Return how alike the needs of two nodes are, 0..1: the rarity of those shared by that of all."""
        place, edge = self.needs_of(one)
        shared = self.has(other[place], self.to[edge])
        both = np.bincount(place, weights=self.rarity[self.to[edge]] * shared, minlength=len(one))
        return np.asarray(both / np.maximum(self.needs_rarity[one] + self.needs_rarity[other] - both, 1e-9))


@dataclass(slots=True)
class _Guesses:
    """What the rules say, before the best of each edge is taken."""

    needing: list[IntArray]
    to: list[IntArray]
    like: list[IntArray]
    weight: list[FloatArray]
    chance: list[FloatArray]

    def add(self, needing: IntArray, to: IntArray, like: IntArray, weight: FloatArray, chance: FloatArray) -> None:
        self.needing.append(needing)
        self.to.append(to)
        self.like.append(like)
        self.weight.append(weight)
        self.chance.append(chance)


def likely_needs(
    kind: npt.NDArray[np.integer], needing: FaultArray, to: FaultArray, weight: FloatArray, physical: BoolArray
) -> LikelyNeeds:
    """Return needs that are likely missing.

    kind: int[nodes]. needing, to: int[edges], weight: float64[edges], physical: bool[edges], what runs on what. No
    edge is guessed between nodes of one kind, so no circle comes up where kinds stand in layers.
    """
    calls = ~physical
    none = np.zeros(0, np.int32)
    if not np.any(calls):
        return LikelyNeeds(none, none, none, np.zeros(0), np.zeros(0))
    table = _Calls(kind.astype(np.int64), needing[calls].astype(np.int64), to[calls].astype(np.int64), weight[calls])
    nodes = table.nodes
    caller_and_kind = table.needing * table.kinds + table.kind[table.to]
    siblings, together = np.unique(_pairs(caller_and_kind, table.to, nodes), return_counts=True)
    callee_and_kind = table.to * table.kinds + table.kind[table.needing]
    alike = np.unique(_pairs(callee_and_kind, table.needing, nodes))
    guesses = _Guesses([], [], [], [], [])
    _rows(table, siblings, together, guesses)
    _columns(table, siblings, together, guesses)
    _strangers(table, alike, guesses)
    return _best(table, guesses)


def _pairs(group: IntArray, member: IntArray, nodes: int) -> IntArray:
    """Return all ordered pairs within groups as one * nodes + other; the largest groups are left out."""
    order = np.argsort(group, kind="stable")
    member = member[order]
    _, start, count = np.unique(group[order], return_index=True, return_counts=True)
    some = np.nonzero((count > 1) & (count <= _MOST_GROUP))[0]
    some = some[np.argsort(count[some], kind="stable")]
    some = some[np.cumsum(count[some] ** 2) <= _MOST_PAIRS]
    start, count = start[some], count[some]
    square = count * count
    within = np.arange(int(square.sum())) - np.repeat(np.cumsum(square) - square, square)
    size, begin = np.repeat(count, square), np.repeat(start, square)
    one, other = member[begin + within // size], member[begin + within % size]
    return np.asarray((one * nodes + other)[one != other], np.int64)


def _rows(table: _Calls, siblings: IntArray, together: IntArray, guesses: _Guesses) -> None:
    """Guess that a node needs what its twins need."""
    twin, node = siblings // table.nodes, siblings % table.nodes
    shared = together / (table.callers[twin] + table.callers[node] - together)
    bare = (table.starts[node + 1] == table.starts[node]) & (shared >= _LIKE_COLUMNS)
    like = np.maximum(table.alike(twin, node), np.where(bare, _LIKE_ROWS, 0.0))
    kept = like >= _LIKE_ROWS
    twin, node, like = twin[kept], node[kept], like[kept]
    votes = np.bincount(node, minlength=table.nodes)
    place, edge = table.needs_of(twin)
    who, what = node[place], table.to[edge]
    new = ~table.has(who, what) & (table.kind[who] != table.kind[what])
    place, edge, who, what = place[new], edge[new], who[new], what[new]
    _, first, turn, count = np.unique(
        who * table.nodes + what, return_index=True, return_inverse=True, return_counts=True
    )
    share = (count / votes[who[first]])[turn.reshape(-1)]
    fewer = table.count(who, table.kind[what]) < table.count(twin[place], table.kind[what])
    guesses.add(who, what, twin[place], table.weight[edge], share**2 * np.where(fewer, _CHANCE_ROWS, _CHANCE_FULL))


def _columns(table: _Calls, siblings: IntArray, together: IntArray, guesses: _Guesses) -> None:
    """Guess that who calls one member of a pool calls the other."""
    known, other = siblings // table.nodes, siblings % table.nodes
    shared = together / (table.callers[known] + table.callers[other] - together)
    kept = shared >= _LIKE_COLUMNS
    known, other, often = known[kept], other[kept], together[kept] > 1
    place, edge = table.calls_to(known)
    who, what = table.needing[edge], other[place]
    new = (table.weight[edge] < _ALONE) & ~table.has(who, what) & (table.kind[who] != table.kind[what])
    edge, who, what, place = edge[new], who[new], what[new], place[new]
    single = table.count(who, table.kind[what]) < 2  # noqa: PLR2004  the one that it calls
    chance = np.where(single, _CHANCE_COLUMNS, np.where(often[place], _CHANCE_FULL, _CHANCE_HINT))
    guesses.add(who, what, known[place], table.weight[edge], chance)


def _strangers(table: _Calls, alike: IntArray, guesses: _Guesses) -> None:
    """Guess that what nobody calls belongs to the pool of what needs the same."""
    stranger, twin = alike // table.nodes, alike % table.nodes
    kept = (table.callers[stranger] == 0) & (table.callers[twin] > 0)
    stranger, twin = stranger[kept], twin[kept]
    # One need in common is no pattern.
    several = table.starts[stranger + 1] - table.starts[stranger] > 1
    like = table.alike(stranger, twin) * several
    best = np.zeros(table.nodes)
    np.maximum.at(best, stranger, like)
    kept = (like >= _LIKE_STRANGER) & (like >= best[stranger])
    stranger, twin = stranger[kept], twin[kept]
    place, edge = table.calls_to(twin)
    kept = table.weight[edge] < _ALONE
    edge, place = edge[kept], place[kept]
    who = table.needing[edge]
    chance = np.full(len(edge), _CHANCE_STRANGER)
    guesses.add(who, stranger[place], twin[place], table.weight[edge], chance)


def _best(table: _Calls, guesses: _Guesses) -> LikelyNeeds:
    """Return every edge once, as the surest guess has it."""
    rule = np.repeat(np.arange(len(guesses.to)), [len(part) for part in guesses.to])
    needing, to, like = (np.concatenate(part) for part in (guesses.needing, guesses.to, guesses.like))
    weight, chance = np.concatenate(guesses.weight), np.concatenate(guesses.chance)
    kept = (chance > 0.0) & (table.kind[needing] != table.kind[to])
    rule, needing, to, like = rule[kept], needing[kept], to[kept], like[kept]
    weight, chance = weight[kept], chance[kept]
    order = np.lexsort((like, -chance, to, needing))
    edge, first, turn = np.unique(needing[order] * table.nodes + to[order], return_index=True, return_inverse=True)
    one = order[first]
    said = np.zeros((len(guesses.to), len(edge)), np.bool_)
    said[rule[order], turn.reshape(-1)] = True
    chance = np.where(
        (said.sum(axis=0) > 1) & (chance[one] > _CHANCE_HINT), np.maximum(chance[one], _CHANCE_BOTH), chance[one]
    )
    likely = chance >= _LEAST_CHANCE
    one, chance = one[likely], chance[likely]
    return LikelyNeeds(
        needing[one].astype(np.int32), to[one].astype(np.int32), like[one].astype(np.int32), weight[one], chance
    )
