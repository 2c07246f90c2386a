import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Close,
    Connect,
    Connected,
    Deadline,
    Elapsed,
    Event,
    Finish,
    Line,
    Outcome,
    Received,
    Refused,
    Reset,
    Unreachable,
)
from btimd.probes.wire.tcp import TcpDialogue


def test_a_connection_is_all_that_is_asked_for() -> None:
    dialogue = TcpDialogue("::1", 443)
    assert dialogue.start(1.0) == [Connect(Line.TCP, "::1", 443)]
    assert dialogue.handle(Received(b"early"), 1.25) == []
    assert dialogue.handle(Connected(), 1.5) == [
        Finish(Outcome(Health.GOOD, ErrorClass.NONE, "[::1]:443 accepts connections", {"connect_seconds": 0.5}))
    ]


def burst(*events: Event, max_loss: float = 0.0) -> Outcome:
    """Give the events of three attempts a quarter of a second apart; return the outcome."""
    dialogue = TcpDialogue("10.0.0.1", 80, attempts=3, max_loss=max_loss, within_seconds=2.0)
    assert dialogue.start(0.0) == [Connect(Line.TCP, "10.0.0.1", 80, within_seconds=0.9 * 2.0 / 3)]
    for number, event in enumerate(events, start=1):
        actions = dialogue.handle(event, 0.25 * number)
        if isinstance(actions[0], Finish):
            assert number == len(events)
            return actions[0].outcome
        assert [type(action) for action in actions] == [Close, Connect]
    raise AssertionError("it did not end")


def test_a_burst_of_connects_is_good_when_all_are_taken() -> None:
    values = {"attempts": 3, "failed_ratio": 0.0, "connect_seconds": 0.25}
    assert burst(Connected(), Connected(), Connected()) == Outcome(
        Health.GOOD, ErrorClass.NONE, "10.0.0.1:80 accepts 3 of 3 connections", values
    )


@pytest.mark.parametrize(
    ("events", "error", "detail"),
    [
        ((Connected(), Refused(), Connected()), ErrorClass.REFUSED, "10.0.0.1:80 accepts only 2 of 3 connections"),
        ((Connected(), Elapsed(), Connected()), ErrorClass.TIMEOUT, "10.0.0.1:80 accepts only 2 of 3 connections"),
        ((Reset(), Connected(), Reset()), ErrorClass.RESET, "10.0.0.1:80 accepts only 1 of 3 connections"),
        ((Connected(), Deadline()), ErrorClass.TIMEOUT, "10.0.0.1:80 accepts only 1 of 2 connections"),
        (
            (Refused(), Refused(), Refused()),
            ErrorClass.REFUSED,
            "10.0.0.1:80 refuses: the host answers, nobody listens there",
        ),
        (
            (Unreachable("x says: y"),) * 3,
            ErrorClass.UNREACHABLE,
            "10.0.0.1:80 cannot be reached: x says: y",
        ),
        (
            (Elapsed(), Elapsed(), Elapsed()),
            ErrorClass.TIMEOUT,
            "10.0.0.1:80 does not answer a tcp connect within 0.8 s: dropped without a word",
        ),
    ],
)
def test_what_fails_decides_how_a_burst_failed(events: tuple[Event, ...], error: ErrorClass, detail: str) -> None:
    found = burst(*events)
    assert (found.error, found.detail) == (error, detail)


def test_some_may_fail_where_the_operator_allows_it() -> None:
    assert burst(Connected(), Refused(), Connected(), max_loss=0.34).health is Health.GOOD


def test_a_firewall_that_refuses_for_the_host_is_named() -> None:
    dialogue = TcpDialogue("10.0.0.1", 80)
    dialogue.start(0.0)
    (finish,) = dialogue.handle(Refused("10.0.0.254"), 1.0)
    assert isinstance(finish, Finish)
    assert finish.outcome.detail == (
        "10.0.0.1:80 refuses: 10.0.0.254 says so for it (ICMP port unreachable), as firewalls do"
    )
