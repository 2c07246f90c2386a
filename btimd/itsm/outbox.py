"""Delivery rules: what an attempt's outcome means for the message and for its target. Nothing is lost to an outage.

Order is kept per incident (the journal hands out only the first undelivered message of a target and incident).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from btimd.model.units import Ratio, Seconds, UnixSeconds

ERROR_LIMIT: Final = 300
"""Characters of an error that are kept."""


class OutcomeKind(StrEnum):
    """How an attempt ended, by what is certain about it."""

    DELIVERED = "delivered"
    """The target said that it has it."""
    NOT_SENT = "not-sent"
    """Certainly nothing arrived: refused connection, unknown name, no TLS."""
    UNCERTAIN = "uncertain"
    """It may have arrived and may still be worked on: time-out, connection lost, a gateway's error."""
    SERVER_ERROR = "server-error"
    """The target answered that it failed; it may have kept the message, but nothing is running any more."""
    REFUSED = "refused"
    """The target will never take this message."""
    PAUSED = "paused"
    """The target takes no message of ours: secret or address is wrong. A person must look; messages wait."""
    RETRY_AFTER = "retry-after"
    """The target wants to be left alone for a while."""


_FAILURES: Final = frozenset({OutcomeKind.NOT_SENT, OutcomeKind.UNCERTAIN, OutcomeKind.SERVER_ERROR})
_MAYBE_ARRIVED: Final = frozenset({OutcomeKind.UNCERTAIN, OutcomeKind.SERVER_ERROR})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt. detail: one sentence for people, without secrets. retry_after_seconds: as asked for.

    partly: something of this attempt did arrive, so the next one must look first, whatever this one ended with.
    """

    kind: OutcomeKind
    detail: str = ""
    retry_after_seconds: Seconds | None = None
    partly: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How patient deliveries are.

    settle_seconds: how long a request whose answer we missed may still run at the target; before that a repeat could
    overtake it. failures_to_open: consecutive failures after which a target is left alone but for one trial at a time.
    refused_for_seconds: how long a message that is refused is tried again, as people may put the target right; 0: it is
    a dead letter at once.
    """

    backoff_first_seconds: Seconds = 1.0
    backoff_cap_seconds: Seconds = 300.0
    settle_seconds: Seconds = 30.0
    pause_seconds: Seconds = 300.0
    retry_after_cap_seconds: Seconds = 3600.0
    failures_to_open: int = 3
    refused_for_seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message is done."""


@dataclass(frozen=True, slots=True)
class Dead:
    """The message will not be sent again; people must look."""

    error: str


@dataclass(frozen=True, slots=True)
class Again:
    """The message is tried again at next_at. uncertain: it may have arrived. refused_since: see OutboxMessage."""

    next_at: UnixSeconds
    error: str
    uncertain: bool
    refused_since: UnixSeconds | None = None


NextStep: TypeAlias = Delivered | Dead | Again


def backoff_seconds(failures: int, chance: Ratio, rules: DeliveryRules) -> Seconds:
    """Return the pause after the n-th failure in a row (n >= 1): a random part of 1, 2, 4 ... s up to the cap.

    chance: 0 <= chance < 1, uniform. The whole range is random ("full jitter"), so that many do not come back at once.
    """
    doublings = min(failures - 1, 30)  # 2^30 s is over any cap, and keeps the float small
    return chance * min(rules.backoff_cap_seconds, rules.backoff_first_seconds * 2.0**doublings)


def after_attempt(
    attempts: int,
    outcome: Outcome,
    *,
    now: UnixSeconds,
    chance: Ratio,
    rules: DeliveryRules,
    refused_since: UnixSeconds | None = None,
) -> NextStep:
    """Return what becomes of a message after its `attempts`-th attempt. Only refusals end it undelivered.

    refused_since: when the target said no for the first time; an outage in between does not make it forget that.
    """
    error = f"{outcome.kind.value}: {outcome.detail}"[:ERROR_LIMIT]
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            return Delivered()
        case OutcomeKind.REFUSED:
            refused_since = now if refused_since is None else refused_since
            if now - refused_since >= rules.refused_for_seconds:
                return Dead(error)
            pause = backoff_seconds(attempts, chance, rules)
        case OutcomeKind.PAUSED:
            pause = rules.pause_seconds
        case OutcomeKind.RETRY_AFTER:
            pause = _asked_pause(attempts, outcome, chance, rules)
        case OutcomeKind.UNCERTAIN:
            pause = max(rules.settle_seconds, backoff_seconds(attempts, chance, rules))
        case _:
            pause = backoff_seconds(attempts, chance, rules)
    return Again(now + pause, error, outcome.partly or outcome.kind in _MAYBE_ARRIVED, refused_since)


def _asked_pause(failures: int, outcome: Outcome, chance: Ratio, rules: DeliveryRules) -> Seconds:
    if outcome.retry_after_seconds is None:
        return backoff_seconds(failures, chance, rules)
    return min(max(outcome.retry_after_seconds, 0.0), rules.retry_after_cap_seconds)


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a target. failures: in a row. open_until: leave it alone before that, None: closed.

    trial: one message is on its way to find out whether it works again. paused: a person must look.
    """

    failures: int = 0
    open_until: UnixSeconds | None = None
    trial: bool = False
    paused: bool = False
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether messages are held back, save for a trial."""
        return self.open_until is not None

    def may_send(self, now: UnixSeconds) -> bool:
        """Tell whether a message may be sent now."""
        return self.open_until is None or (not self.trial and now >= self.open_until)

    def sending(self) -> "Breaker":
        """Return the breaker when a message goes out: while open that one is the trial."""
        return replace(self, trial=True) if self.is_open else self

    def after(self, outcome: Outcome, *, now: UnixSeconds, chance: Ratio, rules: DeliveryRules) -> "Breaker":
        """Return the breaker when an attempt has ended."""
        if outcome.kind in {OutcomeKind.DELIVERED, OutcomeKind.REFUSED}:
            return Breaker()
        failures = self.failures + 1
        if outcome.kind is OutcomeKind.PAUSED:
            return Breaker(failures, now + rules.pause_seconds, paused=True, reason=outcome.detail[:ERROR_LIMIT])
        if outcome.kind is OutcomeKind.RETRY_AFTER:
            until = now + _asked_pause(failures, outcome, chance, rules)
            return Breaker(failures, until, reason=outcome.detail[:ERROR_LIMIT])
        if outcome.kind in _FAILURES and failures >= rules.failures_to_open:
            pause = backoff_seconds(failures - rules.failures_to_open + 1, chance, rules)
            return Breaker(failures, now + pause, reason=outcome.detail[:ERROR_LIMIT])
        return replace(self, failures=failures, trial=False, reason=outcome.detail[:ERROR_LIMIT])


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """How fast a target is told: per_second on average, burst at once. tokens: there were so many at `at`."""

    per_second: float
    burst: float
    tokens: float
    at: UnixSeconds

    @classmethod
    def full(cls, per_second: float, burst: float, now: UnixSeconds) -> "TokenBucket":
        """Return one that nothing was taken of yet."""
        return cls(per_second, burst, burst, now)

    def filled(self, now: UnixSeconds) -> "TokenBucket":
        """Return it as it is at `now`; a clock that was set back gives nothing and takes nothing."""
        gained = max(now - self.at, 0.0) * self.per_second
        return replace(self, tokens=min(self.burst, self.tokens + gained), at=now)

    def taken(self) -> "TokenBucket":
        """Return it with one token less; `ready_at` says whether there is one."""
        return replace(self, tokens=self.tokens - 1.0)

    def ready_at(self) -> UnixSeconds:
        """Return when there is a whole token."""
        return self.at + max(1.0 - self.tokens, 0.0) / self.per_second
