from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.hops import Hop, PathLimits, delay_begins, judge, looping, loss_begins, route
from btimd.probes.wire.icmperror import IcmpError, Told


def hop(number: int, sent: int = 5, answered: int = 5, rtt: float = 0.01, address: str | None = None) -> Hop:
    rtts = [rtt] * answered
    named = {address or f"10.0.0.{number}": answered} if answered else {}
    return Hop(number, sent, rtts, named)


def path(*answered: int, sent: int = 5) -> list[Hop]:
    return [hop(number, sent, got) for number, got in enumerate(answered, start=1)]


def test_a_path_without_loss_is_good_and_shown() -> None:
    found = judge("10.0.0.3", 0, path(5, 5, 5), PathLimits(), reached=True)
    assert (found.health, found.detail) == (
        Health.GOOD,
        "10.0.0.3, 3 hops, 0 % loss, 10.0 ms: 10.0.0.1 > 10.0.0.2 > 10.0.0.3",
    )
    assert found.values == {"hops": 3, "packets": 15, "silent_hops": 0, "loss_ratio": 0.0, "rtt_seconds": 0.01}


def test_loss_is_named_where_it_begins() -> None:
    found = judge("10.0.0.5", 0, path(5, 5, 3, 3, 3), PathLimits(), reached=True)
    assert (found.health, found.error) == (Health.BAD, ErrorClass.TIMEOUT)
    assert found.detail == "loss from hop 3, 10.0.0.3, on: 40 % (10.0.0.5, 5 hops)"
    assert found.values["loss_hop"] == 3


def test_a_router_that_answers_rarely_is_no_fault() -> None:
    found = judge("10.0.0.5", 0, path(5, 1, 5, 0, 5), PathLimits(), reached=True)
    assert found.health is Health.GOOD
    assert found.values["silent_hops"] == 1
    assert loss_begins(path(10, 2, 10, 0, 5, sent=10)).number == 5, "nor where the loss begins elsewhere"
    assert loss_begins(path(10, 10, 10, 5, 10, 5, 5, 5, sent=10)).number in {4, 6}


def test_delay_is_named_where_it_stays() -> None:
    hops = [hop(1, rtt=0.001), hop(2, rtt=0.5), hop(3, rtt=0.002), hop(4, rtt=0.102), hop(5, rtt=0.103)]
    found = judge("10.0.0.5", 0, hops, PathLimits(max_rtt=0.05), reached=True)
    assert (found.error, found.detail) == (
        ErrorClass.SLOW,
        "delay from hop 4, 10.0.0.4, on: 100.0 ms more, 103.0 ms in all (10.0.0.5, 5 hops)",
    )
    assert delay_begins(hops)[0].number == 4, "hop 2 only answers slowly"


def test_a_silent_target_is_told_with_the_last_who_answers() -> None:
    found = judge("10.0.0.9", 443, path(5, 5), PathLimits(), reached=False)
    assert (found.error, found.detail) == (
        ErrorClass.TIMEOUT,
        "10.0.0.9:443 does not answer; hop 2, 10.0.0.2, is the last that does (10.0.0.1 > 10.0.0.2)",
    )
    nobody = judge("10.0.0.9", 0, [], PathLimits(), reached=False)
    assert nobody.detail == "10.0.0.9 does not answer, and nobody on the way does, not even the first hop"


def test_who_says_that_there_is_no_way_is_named() -> None:
    hops = path(5, 5, 5)
    hops[2].error = IcmpError(Told.PROHIBITED, "communication administratively prohibited", "10.0.0.2", 3, 13, 0, 113)
    found = judge("10.0.0.9", 0, hops, PathLimits(), reached=False)
    assert (found.error, found.detail) == (
        ErrorClass.UNREACHABLE,
        "10.0.0.9: hop 3, 10.0.0.2, says: communication administratively prohibited",
    )
    assert (found.values["icmp_type"], found.values["icmp_code"]) == (3, 13)


def test_packets_that_run_in_a_circle_are_noticed() -> None:
    hops = [hop(number, address=f"10.0.0.{1 + number % 2}") for number in range(1, 9)]
    assert looping(hops) == "10.0.0.2"
    found = judge("10.0.9.9", 0, hops, PathLimits(), reached=False)
    assert found.detail.startswith("10.0.9.9 is not reached: packets run in a circle through 10.0.0.2 (10.0.0.2 > ")
    assert looping(path(5, 5, 5)) == ""


def test_a_long_path_is_shown_shortened() -> None:
    assert route(path(*[1] * 14)).count(">") == 11
    assert route(path(1, 0, 1)) == "10.0.0.1 > * > 10.0.0.3"


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 8), st.floats(0, 2)), max_size=40), st.booleans())
def test_any_walk_is_judged(walk: list[tuple[int, int, float]], reached: bool) -> None:
    hops = [hop(number, sent, min(sent, got), rtt) for number, (sent, got, rtt) in enumerate(walk, start=1)]
    found = judge("10.0.0.9", 0, hops, PathLimits(max_rtt=0.5), reached=reached)
    assert len(found.detail) <= 240
    assert (found.health is Health.GOOD) == (found.error is ErrorClass.NONE)
    if hops and reached and hops[-1].loss <= 0.2 and (hops[-1].rtt or 0.0) <= 0.5:
        assert found.health is Health.GOOD
