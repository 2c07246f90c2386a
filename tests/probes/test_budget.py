import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind
from btimd.probes.budget import Budget, BudgetLimits, Go, Refuse, TokenBucket, WaitUntil
from tests.probes.samples import check, result

PING = check("ping", CheckKind.ICMP, host="10.0.0.1", port=0)
WEB = check("web", CheckKind.HTTP, host="10.0.0.1", port=80)
SQL = check("sql", CheckKind.POSTGRES, host="10.0.0.1", port=5432)
GOOD = result(WEB, Health.GOOD)
HANGS = result(WEB, Health.BAD, ErrorClass.NO_ANSWER)


def limits(**changes: float) -> BudgetLimits:
    values = {"light_per_second": 2.0, "light_burst": 3, "heavy_per_ten_seconds": 1.0, "heavy_burst": 1} | changes
    return BudgetLimits(**values)  # type: ignore[arg-type]  # the values are whole where they must be


def test_a_burst_goes_at_once_and_then_the_rate_rules() -> None:
    budget = Budget(limits())
    answers = [budget.ask(PING, 100.0) for _ in range(4)]
    assert answers == [
        Go(),
        Go(),
        Go(),
        WaitUntil(100.5, "10.0.0.1 was asked 2 times a second (probes.light_per_second)"),
    ]
    assert budget.ask(PING, 100.5) == Go()
    assert budget.counters.light == 4
    assert budget.counters.waits == 1


def test_another_host_has_its_own_budget() -> None:
    budget = Budget(limits(light_burst=1))
    assert budget.ask(PING, 0.0) == Go()
    assert isinstance(budget.ask(PING, 0.0), WaitUntil)
    assert budget.ask(check(host="10.0.0.2"), 0.0) == Go()


def test_heavy_probes_are_counted_by_server_and_light_ones_by_host() -> None:
    budget = Budget(limits())
    assert budget.ask(WEB, 0.0) == Go()
    assert budget.ask(WEB, 0.0) == WaitUntil(
        10.0, "10.0.0.1:80 had its 1 heavy probes in 10 s (probes.heavy_per_ten_seconds)"
    )
    assert budget.ask(SQL, 0.0) == Go()
    assert budget.ask(PING, 0.0) == Go()
    assert isinstance(budget.ask(PING, 0.0), WaitUntil), "heavy ones have used the host's tokens too"
    assert (budget.counters.heavy, budget.counters.light) == (2, 1)


def test_the_name_server_that_a_check_asks_is_not_flooded_either() -> None:
    budget = Budget(limits(light_burst=1))
    by_name = [
        check(kind=CheckKind.HTTP, host=f"app-{number}.example", options={"resolver": "10.0.0.53"})
        for number in range(2)
    ]
    assert budget.ask(by_name[0], 0.0) == Go()
    assert budget.ask(by_name[1], 0.0) == WaitUntil(
        0.5, "10.0.0.53 was asked 2 times a second (probes.light_per_second)"
    )


def test_heavy_probes_can_be_switched_off() -> None:
    budget = Budget(limits(heavy_per_ten_seconds=0.0))
    assert budget.ask(WEB, 0.0) == Refuse("heavy probes are switched off: probes.heavy_per_ten_seconds is 0")
    assert budget.ask(PING, 0.0) == Go()
    assert budget.counters.refusals == 1


def test_only_so_many_run_at_once_per_host_and_in_all() -> None:
    budget = Budget(limits(concurrent_per_host=1, concurrent=2))
    other, third = check(host="10.0.0.2"), check(host="10.0.0.3")
    assert budget.ask(PING, 0.0) == Go()
    assert budget.ask(PING, 0.0) == WaitUntil(math.inf, "1 probes to 10.0.0.1 are running (probes.concurrent_per_host)")
    assert budget.ask(other, 0.0) == Go()
    assert budget.ask(third, 0.0) == WaitUntil(math.inf, "2 probes are running (probes.concurrent)")
    budget.finished(other, None, 1.0)
    assert budget.ask(third, 1.0) == Go()
    assert budget.in_flight == 2


def test_a_server_in_trouble_is_asked_more_and_more_rarely_until_it_is_good() -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, light_burst=100, back_off_after=2))
    now, pauses = 0.0, []
    for _ in range(7):
        answer = budget.ask(WEB, now)
        if isinstance(answer, WaitUntil):
            pauses.append(answer.at - now)
            now = answer.at
            assert budget.ask(WEB, now) == Go()
        budget.finished(WEB, HANGS, now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0]
    assert budget.counters.back_offs == 6
    assert isinstance(budget.ask(WEB, now), WaitUntil)
    assert budget.ask(PING, now) == Go(), "an echo does not hurt it"
    assert budget.ask(SQL, now) == Go(), "another server on the host"
    assert budget.ask(WEB, now + 10.0) == Go()
    budget.finished(WEB, GOOD, now + 10.0)
    assert budget.ask(WEB, now + 10.0) == Go()


@pytest.mark.parametrize("error", [ErrorClass.REFUSED, ErrorClass.WRONG_ANSWER, ErrorClass.NAME_ERROR])
def test_a_bad_answer_that_costs_the_server_nothing_is_no_sign_of_overload(error: ErrorClass) -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, back_off_after=1))
    for _ in range(3):
        assert budget.ask(WEB, 0.0) == Go()
        budget.finished(WEB, result(WEB, Health.BAD, error), 0.0)


def test_what_could_not_be_asked_does_not_end_a_back_off() -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, back_off_after=1))
    assert [budget.ask(WEB, 0.0) for _ in range(2)] == [Go(), Go()]
    budget.finished(WEB, HANGS, 0.0)
    budget.finished(WEB, result(WEB, Health.UNKNOWN, ErrorClass.LOCAL_FAILURE), 0.0)
    assert isinstance(budget.ask(WEB, 0.5), WaitUntil)


def test_targets_that_have_recovered_are_forgotten() -> None:
    budget = Budget(limits())
    for number in range(50):
        host = check(host=f"10.0.1.{number}", kind=CheckKind.HTTP)
        assert budget.ask(host, 0.0) == Go()
        budget.finished(host, result(host, Health.GOOD), 0.0)
    budget.ask(PING, 0.0)
    budget.tidy(1.0)
    assert budget.targets == 1, "one is still running, the others have all their tokens again"


@given(st.floats(0.5, 20), st.integers(1, 10), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_a_bucket_never_gives_more_than_its_burst_and_rate(rate: float, burst: int, steps: list[float]) -> None:
    bucket, now, taken = TokenBucket(rate, burst, 0.0), 0.0, 0
    for step in steps:
        now += step
        while bucket.free_at(now) <= now:
            bucket.take()
            taken += 1
        assert taken <= burst + now * rate + 1e-6
