"""How well a person suits an order."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.dispatchscore import (
    FACTORS,
    WEIGHTS,
    Facts,
    Weights,
    best,
    fair_of,
    judge,
    load_of,
    row_document,
    row_from,
    skill_of,
)
from btimd.model.duty import Presence
from btimd.model.incident import Priority

ANN = Facts("ann", Presence.ON_SHIFT, 0.8, 0.0, 0.0, 0.0, 3.0, None, knows=True)
FACTS = st.builds(
    Facts,
    person=st.sampled_from(["ann", "bob", "cem"]),
    presence=st.sampled_from(list(Presence)),
    declared=st.none() | st.floats(0, 1),
    good=st.floats(0, 1e6),
    bad=st.floats(0, 1e6),
    load=st.floats(0, 1e9),
    capacity=st.floats(0.1, 100),
    idle_seconds=st.none() | st.floats(0, 1e9),
    knows=st.booleans(),
)


def test_the_score_is_the_product_of_the_memberships_each_to_the_power_of_its_weight() -> None:
    facts = Facts("ann", Presence.BACKUP, 0.8, 4.0, 2.0, 3.0, 3.0, 3600.0, knows=False)
    row = judge(facts, WEIGHTS[Priority.P1])

    assert (row.duty, row.load, row.affinity) == (0.6, 0.5, 0.8)
    assert row.skill == pytest.approx((0.8 * 6 + 4) / 12)
    assert row.fair == pytest.approx(1 - 1 / 2.718281828)
    assert row.score == pytest.approx(0.6 * row.skill**1.6 * 0.5**0.8 * row.fair**0.1 * 0.8**0.5)


@pytest.mark.parametrize(
    ("declared", "good", "bad", "skill"),
    [(None, 0, 0, 0.3), (0.9, 0, 0, 0.9), (0.9, 0, 6, 0.45), (0.0, 6, 0, 0.5), (1.0, 0, 0, 1.0), (0.0, 0, 0, 0.0)],
)
def test_skill_begins_as_declared_and_moves_with_what_was_seen(
    declared: float | None, good: float, bad: float, skill: float
) -> None:
    assert skill_of(declared, good, bad) == pytest.approx(skill)


def test_load_is_a_half_at_capacity_and_nothing_overflows() -> None:
    assert load_of(3.0, 3.0) == 0.5
    assert load_of(0.0, 3.0) > 0.97
    assert load_of(5.0, 3.0) < 0.08
    assert load_of(1e12, 3.0) < 1e-200


def test_who_waits_longer_is_due_and_who_was_just_sent_comes_last_but_is_not_out() -> None:
    assert [round(fair_of(seconds), 2) for seconds in (None, 36_000.0, 3600.0, 60.0, 0.0, -5.0)] == [
        1.0, 1.0, 0.63, 0.2, 0.2, 0.2,
    ]  # fmt: skip


@given(FACTS)
def test_off_duty_scores_nothing_whatever_the_weights(facts: Facts) -> None:
    off = replace(facts, presence=Presence.OFF)

    assert judge(off, Weights(0.0, 0.0, 0.0, 0.0, 0.0)).score == 0.0


@given(FACTS, st.sampled_from(list(Priority)))
def test_memberships_and_score_lie_between_0_and_1_and_a_document_gives_the_row_again(
    facts: Facts, priority: Priority
) -> None:
    row = judge(facts, WEIGHTS[priority])

    assert all(0.0 <= getattr(row, factor) <= 1.0 for factor in (*FACTORS, "score"))
    assert row_from(json.loads(json.dumps(row_document(row)))) == row
    assert judge(facts, WEIGHTS[priority]) == row


def test_of_equal_scores_the_longest_idle_comes_first_then_the_id() -> None:
    weights = Weights(1.0, 1.0, 1.0, 0.0, 1.0)  # fairness does not matter, so idleness makes no score
    rows = [
        judge(replace(ANN, person=name, idle_seconds=idle), weights)
        for name, idle in (("dee", 5.0), ("cem", 9.0), ("bob", 9.0), ("eve", None))
    ]

    assert [row.person for row in sorted(rows, key=lambda row: row.rank)] == ["eve", "bob", "cem", "dee"]


def test_nobody_is_best_below_the_least_score() -> None:
    busy = judge(replace(ANN, load=9.0), WEIGHTS[Priority.P3])

    assert busy.score < 0.05
    assert best([busy]) is None
    assert best([]) is None
    assert best([busy, judge(ANN, WEIGHTS[Priority.P3])]) == judge(ANN, WEIGHTS[Priority.P3])


def test_every_priority_has_weights_and_skill_matters_the_more_the_graver_it_is() -> None:
    skills = [WEIGHTS[priority].skill for priority in Priority]

    assert skills == sorted(skills, reverse=True)
