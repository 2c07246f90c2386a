import pytest

from btimd.model.budget import BudgetReason, BudgetScope
from btimd.probes.budgetlimits import Limit
from btimd.probes.scopes import Count, Scope, TokenBucket, new_scope


def scope(**limits: float) -> Scope:
    limit = Limit(**limits)  # type: ignore[arg-type]  # whole where they must be
    return new_scope((BudgetScope.HOST, "h"), "h", limit, reserve=0.0, now=0.0)


def test_the_last_minute_slides() -> None:
    of = scope()
    of.count(Count.PROBES, 0.0, 60)
    of.count(Count.OCTETS, 59.0, 10)
    assert of.counted(Count.PROBES, 59.9) == 60
    assert of.counted(Count.PROBES, 90.0) == 30, "half of the minute before"
    of.count(Count.PROBES, 90.0)
    assert of.counted(Count.PROBES, 90.0) == 31
    assert of.counted(Count.PROBES, 121.0) == 1
    assert of.counted(Count.PROBES, 180.0) == 0
    of.count(Count.PROBES, 300.0)
    assert (of.last_minute[Count.PROBES], of.this_minute[Count.PROBES]) == (0, 1)


def test_signs_of_overload_are_forgotten_by_halves() -> None:
    of = scope()
    of.troubles, of.trouble_at = 5, 100.0
    assert [of.troubles_at(at, 60.0) for at in (100.0, 159.0, 160.0, 220.0, 280.0, 1e9)] == [5, 5, 2, 1, 0, 0]
    assert of.troubles_at(1e9, 0.0) == 5


def test_room_is_what_the_fullest_limit_leaves() -> None:
    of = scope(per_second=1.0, burst=4, concurrent=2.0)
    assert of.room(0.0) == 1.0
    of.in_flight = 1
    assert of.room(0.0) == 0.5
    assert of.rate is not None
    for _ in range(3):
        of.rate.take()
    assert of.room(0.0) == 0.25
    assert scope().room(0.0) == 1.0


def test_what_is_quiet_may_be_forgotten() -> None:
    of = scope(per_second=1.0, burst=4)
    of.count(Count.PROBES, 0.0)
    assert [of.is_idle(at, 60.0) for at in (0.0, 119.0, 121.0)] == [False, False, True]
    of.not_before = 500.0
    assert not of.is_idle(400.0, 60.0)


def test_every_reason_has_its_words() -> None:
    keys = ("a.rate", "a.concurrent", "a.octets", "a.heavy")
    of = scope(per_second=2.0, octets_per_second=1000.0, heavy_per_second=0.5, concurrent=3.0, keys=keys)  # type: ignore[arg-type]
    of.in_flight = 3
    assert [of.wording(reason) for reason in BudgetReason] == [
        "h was asked 2 times a second (a.rate)",
        "3 probes to h are running (a.concurrent)",
        "h had its 1000 octets a second (a.octets)",
        "h had its 5 heavy probes in 10 s (a.heavy)",
        "h is in trouble: 0 bad answers in a row, backing off",
    ]


def test_a_bucket_can_owe_and_gives_nothing_until_it_is_paid() -> None:
    bucket = TokenBucket(10.0, 100.0, 0.0)
    bucket.book(150.0)
    assert bucket.free_at(0.0) == pytest.approx(5.1)
    bucket.book(-1000.0)
    assert bucket.is_full
    assert TokenBucket(0.0, 1.0, 0.0).free_at(0.0) == 0.0
