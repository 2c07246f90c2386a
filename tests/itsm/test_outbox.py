import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.outbox import (
    Again,
    Breaker,
    Dead,
    Delivered,
    DeliveryRules,
    NextStep,
    Outcome,
    OutcomeKind,
    TokenBucket,
    after_attempt,
    backoff_seconds,
)

RULES = DeliveryRules()
NOW = 1000.0
DOWN = Outcome(OutcomeKind.NOT_SENT, "refused")
UP = Outcome(OutcomeKind.DELIVERED)


@pytest.mark.parametrize(
    ("attempts", "outcome", "expected"),
    [
        (1, UP, Delivered()),
        (1, Outcome(OutcomeKind.REFUSED, "HTTP 400"), Dead("refused: HTTP 400")),
        (1, DOWN, Again(NOW + 0.5, "not-sent: refused", uncertain=False)),
        (4, DOWN, Again(NOW + 4.0, "not-sent: refused", uncertain=False)),
        (99, DOWN, Again(NOW + 150.0, "not-sent: refused", uncertain=False)),
        (1, Outcome(OutcomeKind.UNCERTAIN, "reset"), Again(NOW + 30.0, "uncertain: reset", uncertain=True)),
        (9, Outcome(OutcomeKind.UNCERTAIN), Again(NOW + 128.0, "uncertain: ", uncertain=True)),
        (1, Outcome(OutcomeKind.SERVER_ERROR, "HTTP 500"), Again(NOW + 0.5, "server-error: HTTP 500", uncertain=True)),
        (1, Outcome(OutcomeKind.PAUSED, "HTTP 401"), Again(NOW + 300.0, "paused: HTTP 401", uncertain=False)),
        (3, Outcome(OutcomeKind.RETRY_AFTER, "", 7.0), Again(NOW + 7.0, "retry-after: ", uncertain=False)),
        (3, Outcome(OutcomeKind.RETRY_AFTER, ""), Again(NOW + 2.0, "retry-after: ", uncertain=False)),
        (3, Outcome(OutcomeKind.RETRY_AFTER, "", 1e9), Again(NOW + 3600.0, "retry-after: ", uncertain=False)),
        (1, Outcome(OutcomeKind.REFUSED, "x" * 999), Dead("refused: " + "x" * 291)),
    ],
)
def test_what_an_outcome_means_for_the_message(attempts: int, outcome: Outcome, expected: NextStep) -> None:
    assert after_attempt(attempts, outcome, now=NOW, chance=0.5, rules=RULES) == expected


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_pause_is_a_random_part_of_a_doubling_that_ends_at_the_cap(failures: int, chance: float) -> None:
    assert backoff_seconds(failures, chance, RULES) == chance * min(300.0, 2.0 ** min(failures - 1, 30))


@given(st.integers(1, 10_000), st.sampled_from(OutcomeKind))
def test_no_outage_ever_ends_a_message(attempts: int, kind: OutcomeKind) -> None:
    ended = after_attempt(attempts, Outcome(kind), now=NOW, chance=0.9, rules=RULES)

    assert isinstance(ended, Dead) == (kind is OutcomeKind.REFUSED)


def after(breaker: Breaker, *outcomes: Outcome) -> Breaker:
    for outcome in outcomes:
        breaker = breaker.after(outcome, now=NOW, chance=0.5, rules=RULES)
    return breaker


def test_the_third_failure_in_a_row_holds_a_target_back() -> None:
    assert after(Breaker(), DOWN, DOWN) == Breaker(failures=2, reason="refused")
    assert after(Breaker(), DOWN, DOWN, DOWN) == Breaker(failures=3, open_until=NOW + 0.5, reason="refused")
    assert after(Breaker(), DOWN, DOWN, UP, DOWN) == Breaker(failures=1, reason="refused")


def test_a_target_held_back_gets_one_trial_at_a_time() -> None:
    held = after(Breaker(), DOWN, DOWN, DOWN)

    assert (held.may_send(NOW + 0.4), held.may_send(NOW + 0.5)) == (False, True)
    trial = held.sending()
    assert trial.may_send(NOW + 99) is False
    assert after(trial, DOWN) == Breaker(failures=4, open_until=NOW + 1.0, reason="refused")
    assert after(trial, UP) == Breaker()
    assert Breaker().sending() == Breaker()


def test_a_wrong_secret_pauses_a_target_at_once_and_a_refused_message_does_not() -> None:
    paused = after(Breaker(), Outcome(OutcomeKind.PAUSED, "HTTP 401"))

    assert paused == Breaker(failures=1, open_until=NOW + 300.0, paused=True, reason="HTTP 401")
    assert after(paused.sending(), UP) == Breaker()
    assert after(Breaker(), Outcome(OutcomeKind.REFUSED, "HTTP 400")) == Breaker()


def test_a_target_is_left_alone_as_long_as_it_asks() -> None:
    asked = after(Breaker(), Outcome(OutcomeKind.RETRY_AFTER, "HTTP 429", 20.0))

    assert asked == Breaker(failures=1, open_until=NOW + 20.0, reason="HTTP 429")


def refused(at: float, since: float | None, hours: float) -> NextStep:
    rules = DeliveryRules(refused_for_seconds=hours * 3600)
    outcome = Outcome(OutcomeKind.REFUSED, "HTTP 422")
    return after_attempt(2, outcome, now=at, chance=0.5, rules=rules, refused_since=since)


def test_a_refused_message_is_tried_again_as_long_as_people_may_put_the_target_right() -> None:
    assert refused(NOW, None, 24) == Again(NOW + 1.0, "refused: HTTP 422", uncertain=False, refused_since=NOW)
    assert refused(NOW + 86_399, NOW, 24) == Again(
        NOW + 86_400, "refused: HTTP 422", uncertain=False, refused_since=NOW
    )
    assert refused(NOW + 86_400, NOW, 24) == Dead("refused: HTTP 422")
    assert refused(NOW, None, 0) == Dead("refused: HTTP 422")


def test_an_outage_does_not_make_a_refusal_forgotten() -> None:
    again = after_attempt(3, DOWN, now=NOW, chance=0.5, rules=RULES, refused_since=NOW - 50)

    assert again == Again(NOW + 2.0, "not-sent: refused", uncertain=False, refused_since=NOW - 50)


@pytest.mark.parametrize("kind", [OutcomeKind.NOT_SENT, OutcomeKind.PAUSED, OutcomeKind.RETRY_AFTER])
def test_what_arrived_in_part_is_looked_up_before_it_is_sent_again(kind: OutcomeKind) -> None:
    again = after_attempt(1, Outcome(kind, partly=True), now=NOW, chance=0.5, rules=RULES)

    assert isinstance(again, Again)
    assert again.uncertain


def test_a_bucket_lets_a_burst_through_and_then_keeps_the_pace() -> None:
    bucket = TokenBucket.full(2.0, 3.0, NOW)
    for _ in range(3):
        assert bucket.ready_at() == NOW
        bucket = bucket.taken()

    assert bucket.ready_at() == NOW + 0.5
    assert bucket.filled(NOW + 0.5).ready_at() == NOW + 0.5
    assert bucket.filled(NOW + 99).tokens == 3.0
    assert bucket.filled(NOW - 99).tokens == 0.0, "a clock that is set back gives nothing"
