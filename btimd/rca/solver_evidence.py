"""What the answers so far say about every candidate: good ones as a cost, bad ones as rows that want explaining."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from btimd.kernels.noisyor import columns, gains_of_one_more, good_cost
from btimd.rca.faultmodel import BAD, GOOD, LEAK_PROFILE, Calm, FaultArray, FaultModel, FloatArray, Group, IntArray
from btimd.rca.solver_calm import GROUPS_AT_ONCE, joined, named_groups, places_by_group

WORTH: Final = 9.0
"""A set this many nats below the best does not matter."""

_SLACK: Final = 2.0
"""A candidate this many nats below what may matter is given up; the next answers seldom bring it back."""


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


@dataclass(frozen=True, slots=True)
class Scope:
    """The candidates that can be in a set that matters, with numbers of their own, and the bad answers over them.

    candidates: int64[n], ascending. prior: float64[n], log odds with what the good answers cost.
    """

    candidates: IntArray
    prior: FloatArray
    positives: Positives


class Evidence:
    """The answers of one search over its candidates: all faults that a bad answer may come from.

    fault_of: int32[candidates]. cost: float64[candidates], log of what good answers leave of it.

    A candidate that no set that matters can hold is not charged to the end, since that takes most of the time: what it
    can gain at most, which is alone and without the good answers, is WORTH below nothing (or below the best alone) with
    those that were charged. Its cost is a bound until an answer makes it matter; then it is charged anew. Where errors
    have classes, a candidate may gain more in company, and all are kept.
    """

    def __init__(self, model: FaultModel, doubt: float, shared: float, usual_faults: float) -> None:
        self.model = model
        self.answers: dict[int, Answer] = {}
        self.log_odds = model.faults.log_odds + min(np.log(usual_faults / model.expected_faults), 3.0)
        self._doubt, self._shared = doubt, shared
        self._bounded = model.profiles.shape[1] == 1
        self._candidate_of = np.full(model.fault_count, -1, np.int32)
        self._charged_of = self._candidate_of.copy()
        self._pending: list[int] = []
        self._calm_ahead: Calm | None = None
        self._rebuild = False
        self._clear()

    def _clear(self) -> None:
        """Forget all that was made of the answers."""
        self._candidate_of[:] = -1
        self._charged_of[:] = -1
        self.fault_of = np.zeros(0, np.int32)
        self.cost = np.zeros(0)
        self._gain = np.zeros(0)
        self._alive = np.zeros(0, np.bool_)
        self._worked_in: dict[int, Answer] = {}
        self._groups: dict[int, Group] = {}
        self._calm: Calm | None = None
        self._calm_but: dict[int, Group] = {}
        self._positive: list[int] = []
        self._selected: tuple[IntArray, Positives] | None = None
        self.positives = self._gather()

    def observe(self, question: int, answer: Answer) -> None:
        """Take in an answer, instead of an earlier one to the same question."""
        before = self.answers.get(question)
        if before != answer:
            if before is not None:
                self._calm_ahead = None
            self.answers[question] = answer
            self._pending.append(question)

    def observe_many(
        self, questions: Sequence[int], outcomes: Sequence[int], groups: Sequence[int], weight: float, *, symptom: bool
    ) -> None:
        """Take in many answers of one weight, as observe does one by one."""
        calm = self.model.calm
        if not self.answers and calm is not None and calm.fits(questions, groups, weight, self._doubt, self._shared):
            self._calm_ahead = calm
        shared: dict[tuple[int, int], Answer] = {}
        answers: dict[int, Answer] = {}
        for question, outcome, group in zip(questions, outcomes, groups, strict=True):
            answer = shared.get((outcome, group))
            if answer is None:
                answer = shared[outcome, group] = Answer(outcome, weight, group, symptom)
            answers[question] = answer
        if not self.answers.keys().isdisjoint(answers):
            for question, answer in answers.items():
                self.observe(question, answer)
            return
        self.answers.update(answers)
        self._pending += answers

    def retract(self, question: int) -> None:
        """Forget an answer."""
        if self.answers.pop(question, None) is not None:
            self._pending.append(question)
            self._calm_ahead = None
            # The id of a question that was added may be given to another one before this is worked in.
            self._rebuild |= self.model.is_added(question)

    def refresh(self) -> None:
        """Work in what was observed since the last time."""
        if self._rebuild:
            self._clear()
            self._calm_ahead = None
            self._pending = list(self.answers)
            self._rebuild = False
        pending = list(dict.fromkeys(self._pending))
        bad: list[int] = []
        if self._calm_ahead is not None:
            told = pending[: len(self._calm_ahead.questions)]
            bad = [question for question in told if self.answers[question].outcome != GOOD]
            pending = pending[len(told) :]
            self._calm, self._calm_ahead = self._calm_ahead, None
            self._begin_calm(self._calm, bad)
        self._pending = []
        changed = [question for question in pending if question in self._worked_in]
        if not all(self._changes_weight(question) for question in changed):
            self._rebuild = True
            self.refresh()
            return
        good_before = [question for question in changed if self._worked_in[question].outcome == GOOD]
        if good_before:
            self._change_good(good_before)
        new = [question for question in pending if question in self.answers and question not in self._worked_in]
        bad += [question for question in new if self.answers[question].outcome != GOOD]
        good = [question for question in new if self.answers[question].outcome == GOOD]
        self._worked_in = dict(self.answers)
        if bad:
            self._add_bad(bad)
        elif len(changed) > len(good_before):
            self._look_at_bad()
        if good:
            self._add_good(good)
        self._bring_back()

    def _changes_weight(self, question: int) -> bool:
        """Tell whether an answer that was worked in says the same as before but for how much, or is a good one less."""
        before, now = self._worked_in[question], self.answers.get(question)
        if now is None:
            return before.outcome == GOOD
        return (before.outcome == GOOD) == (now.outcome == GOOD) and before.group == now.group

    def scope(self) -> Scope:
        """Return the candidates that matter, and the bad answers over them."""
        worth = self.log_odds[self.fault_of] + self._gain + self.cost
        matters = self._alive & (worth >= self._least(worth))
        if self._selected is None or not np.isin(np.nonzero(matters)[0], self._selected[0]).all():
            # A little more than matters now, so that it still holds after the next good answers.
            chosen = np.nonzero(self._alive & (worth >= self._least(worth) - 1.0))[0]
            self._selected = (chosen, _among(self.positives, chosen, len(worth)))
        chosen, positives = self._selected
        return Scope(chosen, self.log_odds[self.fault_of[chosen]] + self.cost[chosen], positives)

    def _least(self, worth: FloatArray) -> float:
        """Return how much a candidate alone must be worth, so that it may matter."""
        alive = worth[self._alive]
        return min(float(alive.max()), 0.0) - WORTH if self._bounded and len(alive) else -np.inf

    def _begin_calm(self, calm: Calm, bad: list[int]) -> None:
        """Let all candidates begin with what it costs them that all was good, but for the groups where it is not."""
        groups = np.array([self.answers[question].group for question in bad], np.int64)
        for name in dict.fromkeys(named_groups(np.array(bad, np.int64), groups).tolist()):
            questions, weight = self._calm_but[name] = calm.members[name]
            good = ~np.isin(questions, bad)
            if good.any():
                self._groups[name] = (questions[good], weight[good])

    def _add_bad(self, bad: list[int]) -> None:
        seen = np.zeros(self.model.fault_count, np.bool_)
        seen[self.model.rows_among(np.array(bad, np.int64), self.model.every_fault).faults] = True
        new = np.nonzero(seen & (self._candidate_of < 0))[0]
        first, count = len(self.fault_of), len(new)
        self._candidate_of[new] = np.arange(first, first + count, dtype=np.int32)
        self.fault_of = np.concatenate([self.fault_of, new.astype(np.int32)])
        self.cost = np.concatenate([self.cost, np.zeros(count)])
        self._alive = np.concatenate([self._alive, np.zeros(count, np.bool_)])
        self._positive += bad
        self._look_at_bad()
        self._charge_anew(np.arange(first, first + count), -WORTH)

    def _look_at_bad(self) -> None:
        """Weigh the bad answers as they are now."""
        self.positives = self._gather()
        self._selected = None
        alone = self.positives
        self._gain = np.zeros(len(self.fault_of))
        gains_of_one_more(
            alone.weight, alone.quiet, alone.load, alone.kind, alone.starts, alone.candidates, alone.one_less,
            alone.more_load, alone.more_kind, np.ones(len(self.fault_of)), self._gain,
        )  # fmt: skip

    def _bring_back(self) -> None:
        """Charge those to the end that may matter after all."""
        while len(self.fault_of):
            worth = self.log_odds[self.fault_of] + self._gain + self.cost
            least = self._least(worth)
            back = np.nonzero(~self._alive & (worth >= least) & np.isfinite(worth))[0]
            if not len(back):
                return
            self._charge_anew(back, least)

    def _charge_anew(self, candidates: IntArray, least: float) -> None:
        """Charge candidates for all good answers so far, from nothing."""
        faults = self.fault_of[candidates]
        self.cost[candidates] = 0.0 if self._calm is None else self._calm.cost[faults]
        self._alive[candidates] = True
        wanted = np.full(self.model.fault_count, -1, np.int32)
        wanted[faults] = candidates
        self._charge(list(self._calm_but.values()), wanted, -1.0, -np.inf)
        self._give_up(wanted, self._floor(least))
        self._charge(list(self._groups.values()), wanted, 1.0, least)
        alive = candidates[self._alive[candidates]]
        self._charged_of[self.fault_of[alive]] = alive

    def _add_good(self, good: list[int]) -> None:
        """Charge for good answers; a group that grows is taken back and charged anew as a whole."""
        answers = [self.answers[question] for question in good]
        questions = np.array(good, np.int64)
        weight = np.array([answer.weight for answer in answers])
        groups = np.array([answer.group for answer in answers], np.int64)
        names, spans = places_by_group(named_groups(questions, groups))
        known = [group for name in names if (group := self._known_group(name)) is not None]
        self._charge(known, self._charged_of, -1.0, -np.inf)
        for name, span in zip(names, spans, strict=True):
            before, one = self._groups.get(name), (questions[span], weight[span])
            self._groups[name] = one if before is None else joined([before, one])[1:]
        self._charge([self._groups[name] for name in names], self._charged_of, 1.0, -WORTH)

    def _change_good(self, changed: list[int]) -> None:
        """Charge for good answers that count for more or less than before, or are forgotten.

        All candidates are charged for the difference: it leaves the bounds of those that were given up right.
        """
        before = np.array([self._worked_in[question].group for question in changed], np.int64)
        names = dict.fromkeys(named_groups(np.array(changed, np.int64), before).tolist())
        self._charge([one for name in names if (one := self._known_group(name))], self._candidate_of, -1.0, -np.inf)
        for name in names:
            kept = [int(one) for one in self._groups[name][0] if int(one) in self.answers]
            self._groups[name] = (np.array(kept, np.int64), np.array([self.answers[one].weight for one in kept]))
        self._charge([self._groups[name] for name in names], self._candidate_of, 1.0, -np.inf)

    def _known_group(self, name: int) -> Group | None:
        """Return what is known to be good of a group, which changes now."""
        if self._calm is not None and name in self._calm.members and name not in self._calm_but:
            self._groups[name] = self._calm_but[name] = self._calm.members[name]
        return self._groups.get(name)

    def _floor(self, least: float) -> FloatArray:
        """Return the cost from which a candidate cannot matter: float64[candidates]."""
        floor: FloatArray = (least if self._bounded else -np.inf) - _SLACK - (self.log_odds[self.fault_of] + self._gain)
        return floor

    def _charge(self, groups: list[Group], wanted: FaultArray, sign: float, least: float) -> None:
        """Charge the candidates in `wanted` for groups of good answers; those that cannot matter are taken out."""
        if not groups or not len(self.cost):
            return
        floor = self._floor(least)
        total, luck, each = (np.zeros(len(self.cost)) for _ in range(3))
        touched = np.zeros(len(self.cost), np.int32)
        # In parts: what an early one gives up need not be made for the others.
        for first in range(0, len(groups), GROUPS_AT_ONCE):
            begin, questions, weight = joined(groups[first : first + GROUPS_AT_ONCE])
            rows = self.model.rows_among(questions, wanted)
            good_cost(
                begin, rows.starts, rows.faults, rows.detection, weight, self._doubt, self._shared, sign,
                total, luck, each, touched, self.cost,
            )  # fmt: skip
            self._give_up(wanted, floor)

    def _give_up(self, wanted: FaultArray, floor: FloatArray) -> None:
        """Take out the candidates that cost too much to matter."""
        lost = np.nonzero(self._alive & (self.cost < floor))[0]
        self._alive[lost] = False
        wanted[self.fault_of[lost]] = -1
        self._charged_of[self.fault_of[lost]] = -1

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


def _among(positives: Positives, candidates: IntArray, count: int) -> Positives:
    """Return the bad answers over some of the candidates, which are renamed to their places."""
    names = np.full(count, -1, np.int32)
    names[candidates] = np.arange(len(candidates), dtype=np.int32)
    renamed = names[positives.candidates]
    keep = np.nonzero(renamed >= 0)[0]
    starts = np.searchsorted(keep, positives.starts).astype(np.int64)
    renamed = renamed[keep]
    column_starts = np.zeros(len(candidates) + 1, np.int64)
    row, entry = np.zeros(len(keep), np.int32), np.zeros(len(keep), np.int64)
    columns(starts, renamed, column_starts, row, entry)
    return Positives(
        positives.questions, positives.weight, positives.quiet, positives.load, positives.kind, starts, renamed,
        positives.one_less[keep], positives.more_load[keep], positives.more_kind[keep], column_starts, row, entry,
    )  # fmt: skip
