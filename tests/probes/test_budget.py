import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.address import Prefix
from btimd.model.budget import BudgetReason, BudgetRow, BudgetScope
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check, CheckKind
from btimd.probes.budget import Budget, Go, Refuse, WaitUntil
from btimd.probes.budgetlimits import BudgetLimits, Limit, SubnetLimit
from btimd.probes.scopes import TokenBucket
from tests.probes.samples import check, result

PING = check("ping", CheckKind.ICMP, host="10.0.0.1", port=0)
WEB = check("web", CheckKind.HTTP, host="10.0.0.1", port=80)
SQL = check("sql", CheckKind.POSTGRES, host="10.0.0.1", port=5432)
GOOD = result(WEB, Health.GOOD)
HANGS = result(WEB, Health.BAD, ErrorClass.NO_ANSWER)


def go(budget: Budget, of: Check, now: float, *, urgent: bool = False) -> Go:
    """Ask for a probe that the budget must allow."""
    answer = budget.ask(of, now, urgent=urgent)
    assert isinstance(answer, Go), answer
    return answer


def limits(**changes: Any) -> BudgetLimits:
    values: dict[str, Any] = {
        "light_per_second": 2.0,
        "light_burst": 3,
        "heavy_per_ten_seconds": 1.0,
        "heavy_burst": 1,
    } | changes
    return BudgetLimits(**values)


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
    assert budget.counters.waits == {(BudgetScope.HOST, BudgetReason.RATE): 1}


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
    assert budget.counters.refusals == {(BudgetScope.ALL, BudgetReason.HEAVY): 1}


def test_only_so_many_run_at_once_per_host_and_in_all() -> None:
    budget = Budget(limits(concurrent_per_host=1, concurrent=2))
    other, third = check(host="10.0.0.2"), check(host="10.0.0.3")
    assert budget.ask(PING, 0.0) == Go()
    assert budget.ask(PING, 0.0) == WaitUntil(math.inf, "1 probes to 10.0.0.1 are running (probes.concurrent_per_host)")
    running = go(budget, other, 0.0)
    assert budget.ask(third, 0.0) == WaitUntil(math.inf, "2 probes are running (probes.concurrent)")
    assert budget.finished(running, other, None, 1.0) == ((BudgetScope.ALL, ""), (BudgetScope.HOST, "10.0.0.2"))
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
            answer = go(budget, WEB, now)
        assert isinstance(answer, Go)
        budget.finished(answer, WEB, HANGS, now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0]
    assert budget.counters.back_offs == 6
    refused = budget.ask(WEB, now)
    assert isinstance(refused, WaitUntil)
    assert refused.reason == "10.0.0.1:80 is in trouble: 7 bad answers in a row, backing off"
    assert budget.ask(PING, now, urgent=True) == Go(), "an echo does not hurt it"
    assert budget.ask(SQL, now, urgent=True) == Go(), "another server on the host"
    budget.finished(go(budget, WEB, now + 10.0), WEB, GOOD, now + 10.0)
    assert budget.ask(WEB, now + 10.0) == Go(), "a good answer ends the pause"
    half = go(budget, WEB, now + 10.0)
    budget.finished(half, WEB, HANGS, now + 10.0)
    again = budget.ask(WEB, now + 10.0)
    assert isinstance(again, WaitUntil)
    assert again.at == now + 14.0, "and forgets half of what was: it is not trusted at once"


def test_quiet_makes_trouble_forgotten() -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, light_burst=100, back_off_after=1))
    for at in (0.0, 100.0, 200.0):
        budget.finished(go(budget, WEB, at), WEB, HANGS, at)
    (row,) = budget.report(BudgetScope.SERVER, "", 9, now=200.0).rows
    assert (row.troubles, row.backing_off_seconds) == (1, 1.0), "100 s halve one sign to none, three times"


def test_a_diagnosis_does_not_wait_as_long_as_key_indicators_do() -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, light_burst=100, back_off_after=1))
    for _ in range(4):
        running = go(budget, WEB, 50.0, urgent=True) if not budget.counters.back_offs else None
        if running is not None:
            budget.finished(running, WEB, HANGS, 50.0)
    for at in (51.0, 52.0, 53.0):
        budget.finished(go(budget, WEB, at, urgent=True), WEB, HANGS, at)
    waits = [budget.ask(WEB, 53.0, urgent=urgent) for urgent in (False, True)]
    assert [wait.at for wait in waits if isinstance(wait, WaitUntil)] == [61.0, 54.0]


def test_key_indicators_leave_a_reserve_that_a_diagnosis_may_take() -> None:
    budget = Budget(limits(light_burst=4, concurrent_per_host=8, concurrent=64, reserve=0.5))
    answers = [budget.ask(PING, 0.0) for _ in range(3)]
    assert [type(answer) for answer in answers] == [Go, Go, WaitUntil]
    answers = [budget.ask(PING, 0.0, urgent=True) for _ in range(3)]
    assert [type(answer) for answer in answers] == [Go, Go, WaitUntil]
    slots = Budget(limits(light_burst=100, concurrent_per_host=2, reserve=0.5))
    assert [type(slots.ask(PING, 0.0)) for _ in range(2)] == [Go, WaitUntil]
    assert [type(slots.ask(PING, 0.0, urgent=True)) for _ in range(2)] == [Go, WaitUntil]


def test_key_indicators_of_a_host_in_trouble_give_way() -> None:
    budget = Budget(limits(light_per_second=1.0, light_burst=8, back_off_after=3))
    for _ in range(3):
        budget.finished(go(budget, PING, 0.0), PING, result(PING, Health.BAD, ErrorClass.TIMEOUT), 0.0)
    answers = [budget.ask(PING, 0.0), budget.ask(PING, 0.0)]
    assert answers == [Go(), WaitUntil(3.0, "10.0.0.1 was asked 1 times a second (probes.light_per_second)")]
    assert budget.ask(PING, 0.0, urgent=True) == Go(), "what a diagnosis needs costs what it did"


def test_nodes_on_one_device_share_its_limits() -> None:
    budget = Budget(
        limits(light_burst=100, device=Limit(per_second=1.0, burst=2, keys=("probes.device_per_second", "", "", ""))),
        {"node": "vmhost1"},
    )
    guests = [check(host=f"10.0.0.{number}") for number in range(3)]
    assert [budget.ask(guest, 0.0) for guest in guests] == [
        Go(),
        Go(),
        WaitUntil(1.0, "the device vmhost1 was asked 1 times a second (probes.device_per_second)"),
    ]
    budget.share_devices({})
    assert budget.ask(guests[2], 0.0) == Go()


def test_a_subnet_is_bounded_and_one_with_limits_of_its_own_by_those() -> None:
    one = Limit(per_second=1.0, burst=1, keys=("probes.subnet_per_second", "", "", ""))
    thin = SubnetLimit(
        Prefix.parse("10.0.0.128/25"), Limit(concurrent=1, keys=("", "probes.subnets.thin.concurrent", "", ""))
    )
    budget = Budget(limits(subnet=one, subnets=(thin,)))
    addresses = (
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.129",
        "10.0.0.130",
        "2001:db8::1",
        "2001:db8::2",
        "127.0.0.1",
        "127.0.0.2",
    )
    answers = {address: budget.ask(check(host=address), 0.0) for address in addresses}
    assert {address: answer.reason for address, answer in answers.items() if isinstance(answer, WaitUntil)} == {
        "10.0.0.2": "10.0.0.0/24 was asked 1 times a second (probes.subnet_per_second)",
        "10.0.0.130": "1 probes to 10.0.0.128/25 are running (probes.subnets.thin.concurrent)",
        "2001:db8::2": "2001:db8::/64 was asked 1 times a second (probes.subnet_per_second)",
    }


def test_a_kind_is_bounded_over_all_targets() -> None:
    kinds = {CheckKind.TCP: Limit(per_second=1.0, burst=1, keys=("probes.kinds.tcp.per_second", "", "", ""))}
    budget = Budget(limits(kinds=kinds))
    assert budget.ask(check(host="10.0.0.1"), 0.0) == Go()
    assert budget.ask(check(host="10.9.0.1"), 0.0) == WaitUntil(
        1.0, "tcp checks were asked 1 times a second (probes.kinds.tcp.per_second)"
    )
    assert budget.ask(PING, 0.0) == Go()


def test_octets_are_estimated_measured_and_paid_off() -> None:
    budget = Budget(
        limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, light_burst=100, host_octets_per_second=1000.0)
    )
    running = go(budget, WEB, 0.0)
    budget.finished(running, WEB, GOOD, 0.0, 30_000)
    answer = budget.ask(WEB, 0.0)
    assert answer == WaitUntil(20.001, "10.0.0.1 had its 1000 octets a second (probes.host_octets_per_second)"), (
        "10,000 at once, 30,000 used"
    )
    assert budget.counters.octets == {CheckKind.HTTP: 30_000}
    later = go(budget, WEB, 30.0)
    assert later.octets == 30_000.0, "what pages are like is known now"
    assert isinstance(budget.ask(WEB, 30.0), WaitUntil), "and booked before it is known of this one"
    budget.finished(later, WEB, GOOD, 30.0, 100)
    assert budget.ask(WEB, 30.0) == Go(), "it was less"


@pytest.mark.parametrize("error", [ErrorClass.REFUSED, ErrorClass.WRONG_ANSWER, ErrorClass.NAME_ERROR])
def test_a_bad_answer_that_costs_the_server_nothing_is_no_sign_of_overload(error: ErrorClass) -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, back_off_after=1))
    for _ in range(3):
        budget.finished(go(budget, WEB, 0.0), WEB, result(WEB, Health.BAD, error), 0.0)
    assert budget.counters.back_offs == 0


def test_what_could_not_be_asked_does_not_end_a_back_off() -> None:
    budget = Budget(limits(heavy_per_ten_seconds=1000.0, heavy_burst=100, light_burst=9, back_off_after=1))
    first, second = (go(budget, WEB, 0.0) for _ in range(2))
    budget.finished(first, WEB, HANGS, 0.0)
    budget.finished(second, WEB, result(WEB, Health.UNKNOWN, ErrorClass.LOCAL_FAILURE), 0.0)
    assert isinstance(budget.ask(WEB, 0.5), WaitUntil)


def test_targets_that_have_recovered_are_forgotten() -> None:
    budget = Budget(limits())
    for number in range(50):
        host = check(host=f"10.0.1.{number}", kind=CheckKind.HTTP)
        budget.finished(go(budget, host, 0.0), host, result(host, Health.GOOD), 0.0)
    go(budget, PING, 0.0)
    assert budget.scopes == 102
    for at in (60.0, 120.0, 180.0):
        budget.tidy(at)
    assert budget.scopes == 2, "one is still running, the others have all their tokens again"


def test_the_report_shows_who_backs_off_then_who_is_busiest() -> None:
    budget = Budget(limits(light_per_second=1.0, light_burst=100, back_off_after=1))
    budget.finished(go(budget, WEB, 30.0), WEB, HANGS, 30.0, 700)
    other = check(host="10.0.0.2")
    for _ in range(3):
        go(budget, other, 30.0, urgent=True)
    report = budget.report(None, "10.0.0", 2, now=30.0, queued=4)
    assert (report.scopes, report.queued, report.more) == (4, 4, True)
    assert report.rows == (
        BudgetRow(
            scope=BudgetScope.SERVER, name="10.0.0.1:80", probes=1, heavy=1, diagnosis=0, octets=700, waits=0, refused=0,
            back_offs=1, in_flight=0, troubles=1, backing_off_seconds=1.0, load=1 / 6, per_second=None, concurrent=None,
            octets_per_second=None,
        ),
        BudgetRow(
            scope=BudgetScope.HOST, name="10.0.0.2", probes=3, heavy=0, diagnosis=3, octets=0, waits=0, refused=0,
            back_offs=0, in_flight=3, troubles=0, backing_off_seconds=0.0, load=3 / 8, per_second=1.0, concurrent=8,
            octets_per_second=None,
        ),
    )  # fmt: skip
    assert budget.room(other, 30.0) == 5 / 8


def test_given_up_probes_are_counted_where_they_waited() -> None:
    budget = Budget(limits(light_burst=1))
    go(budget, PING, 0.0)
    answer = budget.ask(PING, 0.0)
    assert isinstance(answer, WaitUntil)
    budget.gave_up(answer, 0.0)
    assert budget.counters.refusals == {(BudgetScope.HOST, BudgetReason.RATE): 1}
    (row,) = budget.report(BudgetScope.HOST, "", 1, now=0.0).rows
    assert (row.waits, row.refused) == (1, 1)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans(), st.floats(0, 0.5), st.sampled_from(list(ErrorClass))),
        max_size=120,
    )
)
def test_no_scope_ever_gives_more_than_its_limits(steps: list[tuple[int, bool, float, ErrorClass]]) -> None:
    device = Limit(per_second=2.0, burst=4, concurrent=3)
    subnet = Limit(per_second=3.0, burst=5, concurrent=4)
    budget = Budget(limits(device=device, subnet=subnet, reserve=0.25, heavy_burst=3), {"node": "box"})
    now, ran, running = 0.0, 0, []
    for number, urgent, pause, error in steps:
        now += pause
        of = check(host=f"10.0.{number % 2}.{number}", kind=CheckKind.HTTP if number % 3 else CheckKind.TCP)
        answer = budget.ask(of, now, urgent=urgent)
        if isinstance(answer, Go):
            ran += 1
            running.append((answer, of))
        elif running:
            first, its = running.pop(0)
            bad = error is not ErrorClass.NONE
            budget.finished(first, its, result(its, Health.BAD if bad else Health.GOOD, error), now, 1000)
        assert budget.in_flight == len(running) <= 3
        assert ran <= 4 + 2.0 * now + 1e-6
    for first, its in running:
        budget.finished(first, its, None, now)
    assert {row.in_flight for row in budget.report(None, "", 1000, now=now).rows} <= {0}


@given(st.floats(0.5, 20), st.integers(1, 10), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_a_bucket_never_gives_more_than_its_burst_and_rate(rate: float, burst: int, steps: list[float]) -> None:
    bucket, now, taken = TokenBucket(rate, burst, 0.0), 0.0, 0
    for step in steps:
        now += step
        while bucket.free_at(now) <= now:
            bucket.take()
            taken += 1
        assert taken <= burst + now * rate + 1e-6
