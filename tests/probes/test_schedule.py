from itertools import pairwise

import pytest

from btimd.probes.schedule import FIRST_WITHIN_SECONDS, JITTER, Schedule, share_of
from tests.probes.samples import check


def runs(schedule: Schedule, until: float) -> list[tuple[float, str]]:
    """Let the schedule run on time; return (when, which)."""
    found = []
    while (now := schedule.next_due()) is not None and now <= until:
        found += [(now, due.id) for due in schedule.due(now)]
    return found


def test_only_key_indicators_are_due() -> None:
    schedule = Schedule([check("a", every=5.0), check("b")], 100.0)
    assert len(schedule) == 1
    assert {name for _, name in runs(schedule, 200.0)} == {"a"}
    assert schedule.check("b") is None


def test_nothing_is_due_where_nothing_is_watched() -> None:
    schedule = Schedule([], 0.0)
    assert schedule.next_due() is None
    assert schedule.due(1e9) == []


def test_every_indicator_runs_within_five_seconds_and_then_in_its_period() -> None:
    for period in (2.0, 60.0):
        schedule = Schedule([check(f"check-{number}", every=period) for number in range(50)], 1000.0)
        by_name: dict[str, list[float]] = {}
        for at, name in runs(schedule, 1000.0 + 20 * period):
            by_name.setdefault(name, []).append(at)
        assert len(by_name) == 50
        for times in by_name.values():
            assert 1000.0 <= times[0] < 1000.0 + min(period, FIRST_WITHIN_SECONDS)
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert 0.45 * period <= gaps[0] <= 1.55 * period
            assert all(period * (1 - 2 * JITTER) <= gap <= period * (1 + 2 * JITTER) for gap in gaps[1:])
        assert schedule.missed == 0


def test_the_load_is_spread_over_the_period() -> None:
    schedule = Schedule([check(f"check-{number}", every=60.0) for number in range(600)], 0.0)
    per_second = [0] * 60
    for at, _ in runs(schedule, 180.0):
        if 120.0 <= at < 180.0:
            per_second[int(at - 120.0)] += 1
    assert max(per_second) <= 25, "10 would be perfect"


def test_after_a_start_thousands_do_not_all_run_at_once() -> None:
    schedule = Schedule([check(f"check-{number}", every=300.0) for number in range(2000)], 0.0)
    first = [at for at, _ in runs(schedule, 21.0)]
    assert len(first) == 2000
    assert max(sum(second <= at < second + 1 for at in first) for second in range(20)) <= 140, "100 would be perfect"


def test_tens_of_thousands_of_checks_that_are_not_watched_cost_nothing() -> None:
    schedule = Schedule(
        [check(f"check-{number}", every=60.0 if number % 25 == 0 else None) for number in range(50_000)], 0.0
    )
    assert len(schedule) == 2000
    assert len(schedule._heap) == 2000


def test_the_same_configuration_gives_the_same_times() -> None:
    first, second = (Schedule([check("a", every=5.0), check("b", every=7.0)], 0.0) for _ in range(2))
    assert runs(first, 100.0) == runs(second, 100.0)


def test_runs_that_were_missed_are_counted_and_not_made_up_for() -> None:
    schedule = Schedule([check("a", every=5.0)], 0.0)
    schedule.due(10.0)
    assert [due.id for due in schedule.due(100.0)] == ["a"]
    assert schedule.due(100.0) == []
    next_due = schedule.next_due()
    assert next_due is not None
    assert 100.0 < next_due <= 106.0
    assert schedule.missed == 17


def test_a_reload_keeps_the_rhythm_of_what_stays() -> None:
    schedule = Schedule([check("a", every=5.0), check("b", every=5.0), check("c", every=5.0)], 0.0)
    runs(schedule, 50.0)
    twin = Schedule([check("a", every=5.0)], 0.0)
    runs(twin, 50.0)
    schedule.replace([check("a", every=5.0, port=81), check("b", every=50.0), check("d", every=5.0)], 50.0)
    times = runs(schedule, 100.0)
    assert [at for at, name in times if name == "a"] == [at for at, _ in runs(twin, 100.0)]
    assert {name for _, name in times} == {"a", "b", "d"}
    assert min(at for at, name in times if name == "d") < 55.0
    found = schedule.check("a")
    assert found is not None
    assert found.port == 81


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"check a every 0\.0 s is no schedule"):
        Schedule([check("a", every=0.0)], 0.0)


def test_shares_lie_in_the_unit_interval_and_repeat() -> None:
    shares = [share_of(f"x{number}") for number in range(1000)]
    assert all(0.0 <= share < 1.0 for share in shares)
    assert 0.45 < sum(shares) / 1000 < 0.55
    assert share_of("x1") == shares[1]
