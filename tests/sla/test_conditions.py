"""The log of conditions, against a list with an entry for every millisecond."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.sla import Availability
from btimd.sla.conditions import ConditionLog

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN
HOUR = 3_600_000

APPENDS = st.tuples(st.just("append"), st.integers(0, 9), st.just(0), st.sampled_from(list(Availability)))
PUTS = st.tuples(st.just("put"), st.integers(95, 160), st.integers(0, 30), st.sampled_from(list(Availability)))
FORGETS = st.tuples(st.just("forget"), st.integers(95, 130), st.just(0), st.just(UP))


@given(st.lists(APPENDS | PUTS | FORGETS, max_size=40))
def test_the_log_says_of_every_millisecond_what_was_said_last(steps: list[tuple[str, int, int, Availability]]) -> None:
    log, told, first = ConditionLog(100), list[Availability](), 100
    for what, number, length, condition in steps:
        if what == "append":
            log.append(log.until + number, condition)
            told += [condition] * number
        elif what == "put":
            log.put(number, number + length, condition)
            for moment in range(max(number, first), min(number + length, first + len(told))):
                told[moment - first] = condition
        else:
            log.forget(number)
            drop = max(number - first, 0)
            told, first = told[drop:], first + drop
    found = [condition for low, high, condition in log.stretches(0, 10_000) for _ in range(high - low)]
    neighbours = [condition for _, _, condition in log.stretches(0, 10_000)]

    assert (log.start, log.until, found) == (first, first + len(told), told)
    assert all(one is not other for one, other in itertools.pairwise(neighbours))
    assert ConditionLog.from_document(log.to_document()).to_document() == log.to_document()


def test_a_part_of_the_log_is_cut_at_both_ends() -> None:
    log = ConditionLog(0)
    log.append(10, UP)
    log.append(20, DOWN)
    log.append(30, UP)

    assert list(log.stretches(5, 25)) == [(5, 10, UP), (10, 20, DOWN), (20, 25, UP)]
    assert log.sums(5, 25) == {UP: 10, DOWN: 10, UNKNOWN: 0}
    assert list(log.stretches(25, 5)) == []


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from(list(Availability))), min_size=1, max_size=400))
def test_too_many_stretches_are_put_together_and_the_time_in_each_condition_stays(
    steps: list[tuple[int, Availability]],
) -> None:
    full, bounded = ConditionLog(0, most=10**6), ConditionLog(0, most=60)
    for length, condition in steps:
        for log in (full, bounded):
            log.append(log.until + length * 60_000, condition)

    assert len(bounded) <= 60
    assert bounded.until == full.until
    assert bounded.sums(0, full.until) == full.sums(0, full.until)
    for start in range(0, full.until, 24 * HOUR):
        assert bounded.sums(start, start + 24 * HOUR) == full.sums(start, start + 24 * HOUR)


def test_what_is_put_together_is_down_first_and_counted() -> None:
    log = ConditionLog(0, most=10)
    for minute in range(11):
        log.append((minute + 1) * 60_000, (UP, DOWN, UNKNOWN)[minute % 3])

    assert list(log.stretches(0, HOUR)) == [
        (0, 240_000, DOWN),
        (240_000, 420_000, UNKNOWN),
        (420_000, 660_000, UP),
    ]
    assert log.rearranged == 11


@pytest.mark.parametrize(
    "change",
    [
        {"starts": [5, 3]},
        {"starts": [7]},
        {"starts": [0, 50], "conditions": "ud"},
        {"conditions": "x"},
        {"conditions": ""},
        {"until": "soon"},
    ],
)
def test_what_is_no_log_is_refused(change: dict[str, object]) -> None:
    log = ConditionLog(0)
    log.append(10, UP)

    with pytest.raises((ValueError, KeyError)):
        ConditionLog.from_document(log.to_document() | change)
