"""Which sets of faults may be behind the answers, and how probable each is.

A beam search grows sets from what stays unexplained; around the best sets every exchange, addition and removal of one
fault is weighed exactly, and the best exchanges are combined. What is kept is the posterior as far as it matters.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.kernels.noisyor import gains_of_one_more, score_sets, state_of_set
from btimd.rca.faultmodel import BoolArray, FloatArray, IntArray
from btimd.rca.solver_evidence import WORTH, Evidence

WIDTH: Final = 4
"""Most faults of one set."""

_BEAM: Final = 12
_BRANCH: Final = 6
_CENTRES: Final = 4
_AROUND: Final = 160
_KEPT: Final = 512
_PASSED_OVER: Final = 0.01
"""What an answer that is explained already can add to a set at most, which is not weighed while sets grow."""
_COMBINED: Final = {2: 16, 3: 8, 4: 5}
_KEY_BITS: Final = 16
_MOST_CANDIDATES: Final = 2**_KEY_BITS - 2

Members = tuple[int, ...]
_NONE: Final = (-1,) * WIDTH


@dataclass(frozen=True, slots=True)
class Posterior:
    """The sets that matter. sets: int64[n, WIDTH] of candidates, ascending, -1 = none behind them; best first.

    weight: float64[n], sums to 1. score: float64[n], log posterior, the empty set has 0.
    """

    sets: IntArray
    weight: FloatArray
    score: FloatArray


class SetSearch:
    """One look at the evidence."""

    def __init__(self, evidence: Evidence, max_faults: int, *, certain: bool) -> None:
        self._certain = certain
        scope = evidence.scope()
        self._candidates = scope.candidates
        self._positives = scope.positives
        self._prior = scope.prior
        self._node = evidence.model.faults.node[evidence.fault_of[scope.candidates]].astype(np.int64)
        self._most = min(max_faults, WIDTH)
        self._least = -np.inf
        """A set with less than this is not kept in the end."""
        self._ones = np.ones(len(self._prior))
        self._gains: dict[Members, tuple[float, FloatArray]] = {}
        self._scores: dict[Members, float] = {(): 0.0}
        order = np.argsort(self._node, kind="stable")
        self._by_node, self._sorted_nodes = order, self._node[order]

    def posterior(self) -> Posterior:
        """Return the sets that matter and their probabilities."""
        if not len(self._prior):
            return Posterior(np.full((1, WIDTH), -1, np.int64), np.ones(1), np.zeros(1))
        centres = self._grow()
        told = [self._scores[members] for members in centres if members or not self._certain]
        self._least = max(told, default=-np.inf) - WORTH - _PASSED_OVER * len(self._positives.weight)
        pool: list[IntArray] = [self._rows([()]), *self._around(())]
        for members in centres:
            pool += self._around(members)
        pool += [self._combine(members) for members in centres[:2]]
        return self._weigh(np.concatenate(pool))

    def _grow(self) -> list[Members]:
        """Return the best sets found, best first, after exchanges have been tried on the first."""
        level: list[Members] = [()]
        found: dict[Members, float] = {(): 0.0}
        for _ in range(self._most):
            reach: dict[Members, float] = {}
            best = max(found.values())
            for members in level:
                score, gain = self._extend(members)
                count = _BEAM if not members else _BRANCH
                for candidate in _largest(gain, count, max(-WORTH, best - 2.0 * WORTH - score)):
                    reach[_joined(members, candidate)] = score + float(gain[candidate])
            level = sorted(reach, key=lambda members: (-reach[members], members))[:_BEAM]
            found.update({members: reach[members] for members in level})
            if not level:
                break
        self._scores.update(found)
        first = self._improve(min(found, key=lambda members: (-found[members], members)))
        found[first] = self._scores[first]
        return sorted(found, key=lambda members: (-found[members], members))[:_CENTRES]

    def _improve(self, members: Members) -> Members:
        """Return the set after exchanges of one member that make it better, at most a few."""
        for _ in range(4):
            best, best_score = members, self._scores[members] + 1e-9
            for member in members:
                rest = tuple(one for one in members if one != member)
                score, gain = self._extend(rest)
                candidate = int(np.argmax(gain))
                if score + gain[candidate] > best_score:
                    best, best_score = _joined(rest, candidate), score + float(gain[candidate])
                if score > best_score:
                    best, best_score = rest, score
            if best == members:
                return members
            self._scores[best] = best_score
            members = best
        return members

    def _extend(self, members: Members) -> tuple[float, FloatArray]:
        """Return the score of a set, and what it gains by each candidate (-inf: of a node that is in it)."""
        found = self._gains.get(members)
        if found is not None:
            return found
        positives = self._positives
        quiet, load, kind = positives.quiet.copy(), positives.load.copy(), positives.kind.copy()
        state_of_set(
            np.array(members, np.int64), positives.column_starts, positives.column_row, positives.column_entry,
            positives.one_less, positives.more_load, positives.more_kind, quiet, load, kind,
        )  # fmt: skip
        gain = self._prior.copy()
        gains_of_one_more(
            positives.weight, quiet, load, kind, positives.starts, positives.candidates, positives.one_less,
            positives.more_load, positives.more_kind, self._ones, gain,
        )  # fmt: skip
        for member in members:
            node = self._node[member]
            low, high = np.searchsorted(self._sorted_nodes, (node, node + 1))
            gain[self._by_node[low:high]] = -np.inf
        if members not in self._scores:
            self._scores[members] = float(self.score(self._rows([members]))[0])
        result = self._gains[members] = (self._scores[members], gain)
        return result

    def score(self, sets: IntArray) -> FloatArray:
        """Return the log posterior of sets, that of the empty one being 0."""
        positives = self._positives
        count = len(positives.weight)
        scratch = np.empty((3, count))
        score = np.empty(len(sets))
        score_sets(
            sets, self._prior, positives.weight, positives.quiet, positives.load, positives.kind,
            positives.column_starts, positives.column_row, positives.column_entry, positives.one_less,
            positives.more_load, positives.more_kind, scratch[0], scratch[1], scratch[2], np.zeros(count, np.bool_),
            np.empty(count, np.int32), score,
        )  # fmt: skip
        return score

    def _around(self, members: Members) -> list[IntArray]:
        """Return the set, those with one member less, and the best with one exchanged or added."""
        parts = [self._rows([members])]
        rests = [tuple(one for one in members if one != member) for member in members]
        parts.append(self._rows(rests) if rests else self._rows([]))
        for rest in (*rests, members):
            if len(rest) < self._most:
                score, gain = self._extend(rest)
                parts.append(_with_each(rest, _largest(gain, _AROUND, self._least - score)))
        return parts

    def _combine(self, members: Members) -> IntArray:
        """Return what the best exchanges of every member make together."""
        if len(members) <= 1:
            return self._rows([])
        lists = []
        for member in members:
            _, gain = self._extend(tuple(one for one in members if one != member))
            lists.append(_largest(gain, _COMBINED[len(members)], -np.inf))
        grids = np.meshgrid(*lists, indexing="ij")
        sets = np.full((grids[0].size, WIDTH), -1, np.int64)
        for position, grid in enumerate(grids):
            sets[:, position] = grid.reshape(-1)
        nodes = np.sort(self._node[sets[:, : len(members)]], axis=1)
        distinct: IntArray = sets[(nodes[:, 1:] != nodes[:, :-1]).all(axis=1)]
        return distinct

    def _weigh(self, sets: IntArray) -> Posterior:
        ordered = np.sort(np.where(sets < 0, _MOST_CANDIDATES + 1, sets), axis=1)
        keys = np.zeros(len(sets), np.int64)
        for position in range(WIDTH):
            keys = (keys << _KEY_BITS) | np.minimum(ordered[:, position], _MOST_CANDIDATES + 1)
        _, first = np.unique(keys, return_index=True)
        unique = ordered[np.sort(first)]
        unique = np.ascontiguousarray(np.where(unique > _MOST_CANDIDATES, -1, unique))
        if self._certain and (unique >= 0).any():
            unique = unique[(unique >= 0).any(axis=1)]
        score = self.score(unique)
        order = np.argsort(-score, kind="stable")[:_KEPT]
        order = order[score[order] > score[order[0]] - WORTH]
        weight = np.exp(score[order] - score[order[0]])
        best = unique[order]
        named = np.where(best < 0, -1, self._candidates[np.maximum(best, 0)])
        return Posterior(np.ascontiguousarray(named), weight / weight.sum(), score[order])

    @staticmethod
    def _rows(sets: list[Members]) -> IntArray:
        return np.array([(*members, *_NONE[len(members) :]) for members in sets], np.int64).reshape(-1, WIDTH)


def _joined(members: Members, candidate: int) -> Members:
    return tuple(sorted((*members, int(candidate))))


def _with_each(members: Members, candidates: IntArray) -> IntArray:
    rows = np.full((len(candidates), WIDTH), -1, np.int64)
    rows[:, : len(members)] = members
    rows[:, len(members)] = candidates
    return rows


def _largest(values: FloatArray, count: int, above: float) -> IntArray:
    """Return the positions of the largest values above a bound, largest first; ties by position."""
    some = np.nonzero(values > above)[0]
    if len(some) > 4 * count:
        part = values[some]
        some = some[part >= np.partition(part, len(part) - count)[len(part) - count]]
    order: IntArray = some[np.argsort(-values[some], kind="stable")][:count]
    return order


def members_of(row: IntArray) -> Members:
    """Return the candidates of one row of sets."""
    present: BoolArray = row >= 0
    return tuple(int(one) for one in row[present])
