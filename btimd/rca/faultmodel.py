"""What may be broken, what may be asked, and how a fault shows in an answer: the arrays that the solver works on.

A *fault* is one node in one mode (dead, sick, hard, gray ...). A *question* is anything that has an answer: a probe
that can be run, a key indicator, a symptom, a passive sign. The model is a noisy-OR with a leak,

    P(good | S) = (1 - leak) * product over the faults f of S of (1 - detection of f)
    P(error e | S) = P(bad | S) * mean of the error profiles of those faults, weighed by -log(1 - detection);
                     the leak takes part with row 0 of the profiles,

where S is the set of faults that are present. A question sees the faults in its *row*; all others leave it alone.
Where rows come from (a service graph, two files) is the business of the front end: it gives a function that makes the
row of a question, which is called when the row is needed first, and another that tells which questions see a node.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FaultArray = npt.NDArray[np.int32]
ProfileArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

GOOD: Final = 0
"""Outcome of a question: as it should be."""
BAD: Final = 1
"""Outcome of a question: not as it should be, no more is known. 2 + e is bad with error class e."""
LEAK_PROFILE: Final = 0
"""Row of the error profiles for bad answers that no fault has caused."""
DETECTION_CAP: Final = 0.96
"""One good answer costs a fault at most the factor 1 - 0.96 = 0.04: graphs are incomplete, faults come and go."""

_CACHED_ENTRIES: Final = 4_000_000
_SPARE_QUESTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Row:
    """The faults that one question sees.

    faults: int32[n], ascending, no repetition. detection: float64[n], P(bad | that fault alone, no leak), 0 to
    below 1. profile: uint8[n], row of the model's error profiles that a bad answer has when that fault causes it.
    """

    faults: FaultArray
    detection: FloatArray
    profile: ProfileArray

    @classmethod
    def of(cls, faults: Sequence[int], detection: Sequence[float], profile: Sequence[int] | None = None) -> "Row":
        """Return a row from lists in any order; without profiles all bad answers look alike."""
        order = np.argsort(np.asarray(faults, np.int32), kind="stable")
        kinds = np.zeros(len(faults), np.uint8) if profile is None else np.asarray(profile, np.uint8)
        return cls(np.asarray(faults, np.int32)[order], np.asarray(detection, np.float64)[order], kinds[order])


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some questions, one behind the other.

    starts: int64[questions + 1]. faults, detection, profile: as in Row. leak: float64[questions], P(bad | no fault).
    """

    starts: IntArray
    faults: FaultArray
    detection: FloatArray
    profile: ProfileArray
    leak: FloatArray


@dataclass(frozen=True, slots=True)
class Faults:
    """All that may be broken: F faults of the nodes 0 .. node_count - 1.

    node: int32[F]. log_odds: float64[F], log(p / (1 - p)) of the prior probability of that fault.
    unmodelled: bool[F]; such a fault says "this node suffers from something that the model does not hold" (an edge or a
    node is missing). It counts for the rank of its node, and not for the confidence that the node itself is at fault.
    """

    node_count: int
    node: FaultArray
    log_odds: FloatArray
    unmodelled: BoolArray

    @classmethod
    def of(
        cls,
        node_count: int,
        node: Sequence[int],
        probability: Sequence[float],
        unmodelled: Sequence[bool] | None = None,
    ) -> "Faults":
        """Return faults from prior probabilities, which are kept within 1e-12 and 0.5."""
        prior = np.clip(np.asarray(probability, np.float64), 1e-12, 0.5)
        marks = np.zeros(len(prior), np.bool_) if unmodelled is None else np.asarray(unmodelled, np.bool_)
        return cls(node_count, np.asarray(node, np.int32), np.log(prior / (1.0 - prior)), marks)


Group = tuple[IntArray, FloatArray]
"""Good questions that stand together: int64 ids, float64 weights."""


@dataclass(frozen=True, slots=True)
class Calm:
    """Some questions, all of them good: made by solver_calm.calm_of. See Search.observe_many for the first three.

    members: the questions of each group that has a name (0 or more), single ones by -2 - question.
    cost: float64[faults], log of P(all are good | that fault alone).
    """

    questions: Sequence[int]
    groups: Sequence[int]
    weight: float
    doubt: float
    shared: float
    members: dict[int, Group]
    cost: FloatArray

    def fits(self, questions: Sequence[int], groups: Sequence[int], weight: float, doubt: float, shared: float) -> bool:
        """Tell whether it was made of the same."""
        return (
            (self.weight, self.doubt, self.shared) == (weight, doubt, shared)
            and len(questions) == len(self.questions)
            and (groups is self.groups or list(groups) == list(self.groups))
            and (questions == self.questions or list(questions) == list(self.questions))
        )


def spans(starts: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return all that belongs to rows, one behind the other: positions in `rows`, and entries. starts: as in Rows."""
    counts = starts[rows + 1] - starts[rows]
    place = np.repeat(np.arange(len(rows)), counts)
    return place, np.arange(len(place)) + np.repeat(starts[rows] - np.cumsum(counts) + counts, counts)


class FaultModel:
    """Faults, questions, and the rows between them. Shared by any number of searches; only questions may be added.

    faults: what may be broken. profiles: float64[K, E], P(error class | bad, caused by a fault of that profile), rows
    sum to 1, row 0 is for the leak; None = bad answers are not told apart.
    question_node, question_cost, question_leak: one entry per question; node -1 = of no single node.
    make_row: called with the id of a question when its row is needed (not for questions that were added with one).
    about: called with a node, returns the ids of probes worth asking when that node is suspected, the most telling
    first: its own, then those of its users, nearest first. Bounded by the front end (about 24 is plenty).
    """

    def __init__(
        self,
        faults: Faults,
        *,
        question_node: Sequence[int] | FaultArray,
        question_cost: Sequence[float] | FloatArray,
        question_leak: Sequence[float] | FloatArray,
        make_row: Callable[[int], Row],
        about: Callable[[int], IntArray],
        profiles: FloatArray | None = None,
    ) -> None:
        self.faults = faults
        self.profiles = np.ones((1, 1)) if profiles is None else profiles
        self.question_node = np.array(question_node, np.int32)
        self.question_cost = np.array(question_cost, np.float64)
        self.question_leak = np.array(question_leak, np.float64)
        self.first_fault = np.searchsorted(faults.node, np.arange(faults.node_count + 1)).astype(np.int64)
        if np.any(np.diff(faults.node) < 0):
            raise ValueError("faults are not in the order of their nodes; sort them by node")
        self.noticed = np.ones(len(faults.node))
        """P(something that is watched all the time shows that fault): a diagnosis begins only then."""
        self.calm: Calm | None = None
        """What searches that begin with many answers at once start from; see solver_calm.calm_of."""
        self._make_row = make_row
        self._about = about
        self._added: dict[int, Row] = {}
        self._free: list[int] = []
        self._cache: OrderedDict[int, Row] = OrderedDict()
        self._cached_entries = 0

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self.faults.node_count

    @property
    def fault_count(self) -> int:
        """How many faults there are."""
        return len(self.faults.node)

    @property
    def question_count(self) -> int:
        """How many questions there are, with those dropped and the room for those to come."""
        return len(self.question_node)

    @cached_property
    def every_fault(self) -> FaultArray:
        """All faults under their own names, for rows_among: int32[faults]."""
        return np.arange(self.fault_count, dtype=np.int32)

    @cached_property
    def expected_faults(self) -> float:
        """How many faults of nodes that are noticed the prior alone expects at the same time."""
        known = ~self.faults.unmodelled
        chance = np.exp(np.minimum(self.faults.log_odds[known], 0.0))
        return max(float((chance * self.noticed[known]).sum()), 1e-9)

    def faults_of(self, node: int) -> range:
        """Return the ids of the faults of a node."""
        return range(int(self.first_fault[node]), int(self.first_fault[node + 1]))

    def about(self, node: int) -> IntArray:
        """Return the probes worth asking when a node is suspected, the most telling first."""
        return self._about(node)

    def add_question(self, node: int, cost: float, leak: float, row: Row) -> int:
        """Add a question with its row (a live symptom, a passive sign) and return its id, for drop_question."""
        if not self._free:
            # Many at once: arrays of a hundred thousand questions are not copied for each sign.
            first, spare = self.question_count, np.zeros(_SPARE_QUESTIONS)
            self._free.extend(range(first + _SPARE_QUESTIONS - 1, first - 1, -1))
            self.question_node = np.concatenate([self.question_node, np.full(_SPARE_QUESTIONS, -1, np.int32)])
            self.question_cost = np.concatenate([self.question_cost, spare])
            self.question_leak = np.concatenate([self.question_leak, spare])
        question = self._free.pop()
        self.question_node[question], self.question_cost[question] = node, cost
        self.question_leak[question] = leak
        self._added[question] = row
        return question

    def drop_question(self, question: int) -> None:
        """Forget a question that was added and that no search uses any more. Its id may be given out again."""
        if self._added.pop(question, None) is not None:
            self._free.append(question)

    def is_added(self, question: int) -> bool:
        """Tell whether a question was added, and may be dropped again."""
        return question in self._added

    def row(self, question: int) -> Row:
        """Return the row of a question; made at first use, and kept while there is room."""
        found = self._added.get(question)
        if found is not None:
            return found
        found = self._cache.get(question)
        if found is not None:
            self._cache.move_to_end(question)
            return found
        found = self._cache[question] = self._make_row(question)
        self._cached_entries += len(found.faults)
        while self._cached_entries > _CACHED_ENTRIES and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_entries -= len(oldest.faults)
        return found

    def rows(self, questions: Sequence[int] | IntArray) -> Rows:
        """Return the rows of some questions in that order."""
        found = [self.row(int(question)) for question in questions]
        starts = np.zeros(len(found) + 1, np.int64)
        np.cumsum([len(row.faults) for row in found], out=starts[1:])
        none = Row.of((), ())
        parts = found or [none]
        return Rows(
            starts,
            np.concatenate([row.faults for row in parts]),
            np.concatenate([row.detection for row in parts]),
            np.concatenate([row.profile for row in parts]),
            self.question_leak[np.asarray(questions, np.int64)],
        )

    def rows_among(self, questions: IntArray, wanted: FaultArray) -> Rows:
        """Return the rows of questions with the faults renamed to wanted[fault]; those with -1 are left out.

        Front ends with many rows override it where they can make them in bulk.
        """
        rows = self.rows(questions)
        names = wanted[rows.faults]
        keep = names >= 0
        kept = np.zeros(len(keep) + 1, np.int64)
        np.cumsum(keep, out=kept[1:])
        return Rows(kept[rows.starts], names[keep], rows.detection[keep], rows.profile[keep], rows.leak)
