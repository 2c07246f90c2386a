"""Scope: one thing that the load budget limits (a host, a device, a subnet ...), with what it was asked of late."""

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from btimd.model.budget import BudgetReason, BudgetRow, BudgetScope
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.budgetlimits import OCTET_BURST_SECONDS, Limit

Key: TypeAlias = tuple[BudgetScope, str]

_TOLERANCE: Final = 1e-9  # a token that is this near to whole is whole: refilling is floating point
_MINUTE: Final = 60.0
_QUIET_SECONDS: Final = 120.0  # after this nothing of the last minute is left to show


class Count(IntEnum):
    """What a scope counts by the minute."""

    PROBES = 0
    HEAVY = 1
    DIAGNOSIS = 2
    OCTETS = 3
    WAITS = 4
    REFUSED = 5
    BACK_OFFS = 6


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate` of them per second."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: MonotonicSeconds) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = now

    def free_at(self, now: MonotonicSeconds, tokens: float = 1.0) -> MonotonicSeconds:
        """Return when so many tokens are there: `now` where they are. More than the burst are never asked for."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
        lacking = min(tokens, self._burst) - self._tokens
        if lacking <= _TOLERANCE:
            return now
        return now + lacking / self._rate if self._rate > 0 else math.inf

    def take(self, tokens: float = 1.0) -> None:
        """Take tokens that `free_at` said are there."""
        self._tokens = max(0.0, self._tokens - tokens)

    def book(self, tokens: float) -> None:
        """Take what was used, more than there is where it was more; give back where it is negative."""
        self._tokens = min(self._burst, self._tokens - tokens)

    def share(self, now: MonotonicSeconds) -> float:
        """Return how full the bucket is, 0..1."""
        self.free_at(now)
        return max(0.0, self._tokens / self._burst)

    @property
    def is_full(self) -> bool:
        """Tell whether forgetting the bucket would change nothing (as of the last look)."""
        return self._tokens >= self._burst


@dataclass(slots=True)
class Scope:
    """The state of one scope. `title` stands in the words of a wait. Times are monotonic."""

    scope: BudgetScope
    name: str
    title: str
    limit: Limit
    rate: TokenBucket | None
    heavy: TokenBucket | None
    octets: TokenBucket | None
    reserve: float = 0.0
    in_flight: int = 0
    troubles: int = 0
    trouble_at: MonotonicSeconds = -math.inf
    not_before: MonotonicSeconds = -math.inf
    seen_at: MonotonicSeconds = -math.inf
    minute: int = -1
    this_minute: list[int] = field(default_factory=lambda: [0] * len(Count))
    last_minute: list[int] = field(default_factory=lambda: [0] * len(Count))

    @property
    def key(self) -> Key:
        """What tells the scope from all others."""
        return (self.scope, self.name)

    def slot_is_free(self, *, urgent: bool) -> bool:
        """Tell whether another probe may run beside those that do; the reserve is for urgent ones."""
        concurrent = self.limit.concurrent
        kept = 0 if urgent or concurrent == math.inf else int(self.reserve * concurrent)
        return self.in_flight < concurrent - kept

    def rate_free_at(self, now: MonotonicSeconds, *, urgent: bool, price: float) -> MonotonicSeconds:
        """Return when the rate allows a probe that counts as `price`."""
        if self.rate is None:
            return now
        return self.rate.free_at(now, price if urgent else price + int(self.reserve * self.limit.burst))

    def heavy_free_at(self, now: MonotonicSeconds, *, urgent: bool) -> MonotonicSeconds:
        """Return when the heavy rate allows a heavy probe."""
        if self.heavy is None:
            return now
        return self.heavy.free_at(now, 1.0 if urgent else 1.0 + int(self.reserve * self.limit.heavy_burst))

    def octets_free_at(self, now: MonotonicSeconds) -> MonotonicSeconds:
        """Return when what was sent and received is paid off."""
        return now if self.octets is None else self.octets.free_at(now)

    def begin(self, now: MonotonicSeconds, *, urgent: bool, heavy: bool, price: float, octets: float) -> None:
        """Book a probe that may run."""
        self.in_flight += 1
        self.count(Count.PROBES, now)
        if urgent:
            self.count(Count.DIAGNOSIS, now)
        if heavy:
            self.count(Count.HEAVY, now)
            if self.heavy is not None:
                self.heavy.take()
        if self.rate is not None:
            self.rate.take(price)
        if self.octets is not None:
            self.octets.book(octets)

    def count(self, what: Count, now: MonotonicSeconds, amount: int = 1) -> None:
        """Count something for the last minute."""
        minute = int(now // _MINUTE)
        if minute != self.minute:
            before = self.this_minute if minute == self.minute + 1 else [0] * len(Count)
            self.last_minute, self.this_minute, self.minute = before, [0] * len(Count), minute
        self.this_minute[what] += amount
        self.seen_at = now

    def counted(self, what: Count, now: MonotonicSeconds) -> int:
        """Return about how much there was of it in the last 60 s."""
        behind = int(now // _MINUTE) - self.minute
        if behind > 1:
            return 0
        left = 1.0 - now % _MINUTE / _MINUTE
        if behind == 1:
            return round(self.this_minute[what] * left)
        return self.this_minute[what] + round(self.last_minute[what] * left)

    def troubles_at(self, now: MonotonicSeconds, decay: Seconds) -> int:
        """Return the signs of overload that are not forgotten: half of them go every `decay` seconds."""
        if not self.troubles or decay <= 0:
            return self.troubles
        return self.troubles >> min(31, int((now - self.trouble_at) / decay))

    def room(self, now: MonotonicSeconds) -> float:
        """Return the share of the limits that is free now, 0..1."""
        free = [bucket.share(now) for bucket in (self.rate, self.heavy, self.octets) if bucket is not None]
        if self.limit.concurrent != math.inf:
            free.append(max(0.0, 1.0 - self.in_flight / self.limit.concurrent))
        return min(free, default=1.0)

    def is_idle(self, now: MonotonicSeconds, decay: Seconds) -> bool:
        """Tell whether forgetting the scope would change nothing, neither what it allows nor what it shows."""
        if self.in_flight or self.not_before > now or now - self.seen_at < _QUIET_SECONDS:
            return False
        buckets = (self.rate, self.heavy, self.octets)
        full = all(bucket is None or (bucket.free_at(now) == now and bucket.is_full) for bucket in buckets)
        return full and not self.troubles_at(now, decay)

    def row(self, now: MonotonicSeconds, decay: Seconds) -> BudgetRow:
        """Return what there is to show."""
        limit = self.limit
        used = {what: self.counted(what, now) for what in Count}
        shares = (
            used[Count.PROBES] / (_MINUTE * limit.per_second),
            used[Count.HEAVY] / (_MINUTE * limit.heavy_per_second) if limit.heavy_per_second else 0.0,
            used[Count.OCTETS] / (_MINUTE * limit.octets_per_second),
            self.in_flight / limit.concurrent,
        )
        return BudgetRow(
            scope=self.scope,
            name=self.name,
            probes=used[Count.PROBES],
            heavy=used[Count.HEAVY],
            diagnosis=used[Count.DIAGNOSIS],
            octets=used[Count.OCTETS],
            waits=used[Count.WAITS],
            refused=used[Count.REFUSED],
            back_offs=used[Count.BACK_OFFS],
            in_flight=self.in_flight,
            troubles=self.troubles_at(now, decay),
            backing_off_seconds=max(0.0, self.not_before - now),
            load=min(1.0, max(shares)),
            per_second=None if limit.per_second == math.inf else limit.per_second,
            concurrent=None if limit.concurrent == math.inf else int(limit.concurrent),
            octets_per_second=None if limit.octets_per_second == math.inf else limit.octets_per_second,
        )

    def wording(self, reason: BudgetReason) -> str:
        """Say why a probe waits for this scope."""
        limit, keys = self.limit, self.limit.keys
        match reason:
            case BudgetReason.RATE:
                asked = "were" if self.scope is BudgetScope.KIND else "was"
                return f"{self.title} {asked} asked {limit.per_second:g} times a second ({keys[0]})"
            case BudgetReason.CONCURRENT if self.scope is BudgetScope.ALL:
                return f"{self.in_flight} probes are running ({keys[1]})"
            case BudgetReason.CONCURRENT:
                return f"{self.in_flight} probes to {self.title} are running ({keys[1]})"
            case BudgetReason.OCTETS:
                return f"{self.title} had its {limit.octets_per_second:g} octets a second ({keys[2]})"
            case BudgetReason.HEAVY:
                return f"{self.title} had its {10 * limit.heavy_per_second:g} heavy probes in 10 s ({keys[3]})"
            case _:
                return f"{self.title} is in trouble: {self.troubles} bad answers in a row, backing off"


def new_scope(key: Key, title: str, limit: Limit, *, reserve: float, now: MonotonicSeconds) -> Scope:
    """Return a scope that nobody has asked yet."""
    scope, name = key
    return Scope(
        scope=scope,
        name=name,
        title=title,
        limit=limit,
        rate=None if limit.per_second == math.inf else TokenBucket(limit.per_second, limit.burst, now),
        heavy=None
        if limit.heavy_per_second == math.inf
        else TokenBucket(limit.heavy_per_second, limit.heavy_burst, now),
        octets=None
        if limit.octets_per_second == math.inf
        else TokenBucket(limit.octets_per_second, OCTET_BURST_SECONDS * limit.octets_per_second, now),
        reserve=reserve,
        seen_at=now,
    )
