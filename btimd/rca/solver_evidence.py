"""What the answers so far say about every candidate: good ones as a cost, bad ones as rows that want explaining."""

from dataclasses import dataclass

import numpy as np

from btimd.kernels.noisyor import columns, good_cost
from btimd.rca.faultmodel import BAD, GOOD, LEAK_PROFILE, FaultArray, FaultModel, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer taken in. See Search.observe."""

    outcome: int
    weight: float
    group: int
    symptom: bool


@dataclass(slots=True)
class Positives:
    """The bad answers: rows of candidates, the same as columns, and what the empty set makes of them.

    See kernels/noisyor.py for quiet, load and kind.
    """

    questions: IntArray
    weight: FloatArray
    quiet: FloatArray
    load: FloatArray
    kind: FloatArray
    starts: IntArray
    candidates: FaultArray
    one_less: FloatArray
    more_load: FloatArray
    more_kind: FloatArray
    column_starts: IntArray
    column_row: FaultArray
    column_entry: IntArray


def expected_faults(model: FaultModel) -> float:
    """Return how many faults of nodes that are noticed the prior alone expects at the same time."""
    known = ~model.faults.unmodelled
    chance = np.exp(np.minimum(model.faults.log_odds[known], 0.0))
    return max(float((chance * model.noticed[known]).sum()), 1e-9)


class Evidence:
    """The answers of one search over its candidates: all faults that a bad answer may come from.

    fault_of: int32[candidates]. cost: float64[candidates], log of what good answers leave of it. prior: float64.
    """

    def __init__(self, model: FaultModel, doubt: float, shared: float, usual_faults: float) -> None:
        self.model = model
        self.answers: dict[int, Answer] = {}
        self.log_odds = model.faults.log_odds + min(np.log(usual_faults / expected_faults(model)), 3.0)
        self._doubt, self._shared = doubt, shared
        self._groups: dict[int, list[int]] = {}
        self._pending: list[int] = []
        self._positive: list[int] = []
        self._rebuild = True
        self._candidate_of = np.full(model.fault_count, -1, np.int32)
        self.fault_of = np.zeros(0, np.int32)
        self.cost = np.zeros(0)
        self.positives = self._gather()

    def observe(self, question: int, answer: Answer) -> None:
        """Take in an answer, instead of an earlier one to the same question."""
        before = self.answers.get(question)
        if before == answer:
            return
        if before is not None:
            self._rebuild = True
        self.answers[question] = answer
        self._pending.append(question)

    def retract(self, question: int) -> None:
        """Forget an answer."""
        if self.answers.pop(question, None) is not None:
            self._rebuild = True

    def refresh(self) -> None:
        """Work in what was observed since the last time."""
        if self._rebuild:
            self._candidate_of[:] = -1
            self.fault_of, self.cost = np.zeros(0, np.int32), np.zeros(0)
            self._groups, self._positive, self._pending = {}, [], list(self.answers)
            self._rebuild = False
        pending = list(dict.fromkeys(self._pending))
        self._pending = []
        bad = [question for question in pending if self.answers[question].outcome != GOOD]
        good = [question for question in pending if self.answers[question].outcome == GOOD]
        if bad:
            self._add_candidates(bad)
        if good:
            self._add_good(good)
        if bad or not self._positive:
            self._positive += bad
            self.positives = self._gather()

    def prior(self) -> FloatArray:
        """Return log odds of each candidate with what the good answers cost it."""
        return np.asarray(self.log_odds[self.fault_of] + self.cost, np.float64)

    def candidate_of(self, fault: int) -> int:
        """Return the candidate that a fault is, -1 where it is none."""
        return int(self._candidate_of[fault])

    def _add_candidates(self, bad: list[int]) -> None:
        rows = self.model.rows(bad)
        unique = np.unique(rows.faults)
        new = unique[self._candidate_of[unique] < 0]
        if not len(new):
            return
        first = len(self.fault_of)
        self._candidate_of[new] = np.arange(first, first + len(new), dtype=np.int32)
        self.fault_of = np.concatenate([self.fault_of, new.astype(np.int32)])
        self.cost = np.concatenate([self.cost, np.zeros(len(new))])
        self._charge(list(self._groups.values()), first=first, sign=1.0)

    def _add_good(self, good: list[int]) -> None:
        """Charge for good answers; a group that grows is taken back and charged anew as a whole."""
        by_group: dict[int, list[int]] = {}
        for question in good:
            group = self.answers[question].group
            by_group.setdefault(group if group >= 0 else -2 - question, []).append(question)
        known = [self._groups[group] for group in by_group if group in self._groups]
        self._charge(known, first=0, sign=-1.0)
        for group, questions in by_group.items():
            self._groups.setdefault(group, []).extend(questions)
        self._charge([self._groups[group] for group in by_group], first=0, sign=1.0)

    def _charge(self, groups: list[list[int]], *, first: int, sign: float) -> None:
        if not groups or not len(self.cost):
            return
        begin = np.zeros(len(groups) + 1, np.int64)
        np.cumsum([len(group) for group in groups], out=begin[1:])
        questions = np.array([question for group in groups for question in group], np.int64)
        rows = self.model.rows_among(questions, self._candidate_of)
        weight = np.array([self.answers[int(question)].weight for question in questions])
        total, luck, each = (np.zeros(len(self.cost)) for _ in range(3))
        touched = np.zeros(len(self.cost), np.int32)
        good_cost(
            begin, rows.starts, rows.faults, rows.detection, weight, self._doubt, self._shared, first, sign,
            total, luck, each, touched, self.cost,
        )  # fmt: skip

    def _gather(self) -> Positives:
        """Return the bad answers as rows and columns."""
        questions = np.array(self._positive, np.int64)
        rows = self.model.rows_among(questions, self._candidate_of)
        answers = [self.answers[question] for question in self._positive]
        outcome = np.array([answer.outcome for answer in answers], np.int64)
        weight = np.array([answer.weight for answer in answers], np.float64)
        # A weight below 1 says that answers of a kind err together about a fault; chance alone is as rare as ever.
        leak = np.clip(rows.leak, 1e-9, 0.999) ** (1.0 / np.clip(weight, 0.05, 1.0))
        load = -np.log1p(-np.maximum(leak, 1e-12))
        more = -np.log1p(-rows.detection)
        profiles = self.model.profiles
        told = np.repeat(outcome, np.diff(rows.starts))
        column = np.clip(told - 2, 0, profiles.shape[1] - 1)
        share = np.where(told > BAD, profiles[rows.profile, column], 1.0)
        own = np.where(outcome > BAD, profiles[LEAK_PROFILE, np.clip(outcome - 2, 0, profiles.shape[1] - 1)], 1.0)
        starts = np.zeros(len(self.cost) + 1, np.int64)
        row, entry = np.zeros(len(rows.faults), np.int32), np.zeros(len(rows.faults), np.int64)
        columns(rows.starts, rows.faults, starts, row, entry)
        return Positives(
            questions, weight, np.exp(-load), load, load * own, rows.starts, rows.faults, np.exp(-more), more,
            more * share, starts, row, entry,
        )  # fmt: skip
