"""Who may send, and how much: what is told without asking is bounded before anything looks into it."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from btimd.model.address import Prefix, address_halves
from btimd.model.units import MonotonicSeconds
from btimd.probes.scopes import TokenBucket

NOT_ALLOWED: Final = "not-allowed"
SENDER_RATE: Final = "sender-rate"
TOTAL_RATE: Final = "total-rate"
_BURST_SECONDS: Final = 2.0


class SenderGate:
    """allow: prefixes that may send, () = everybody. dropped: how many were not let in, by reason."""

    def __init__(self, allow: Sequence[Prefix], per_second: float, sender_per_second: float, max_senders: int) -> None:
        self._allow = tuple(allow)
        self._sender_rate = sender_per_second
        self._max_senders = max_senders
        self._total = TokenBucket(per_second, max(per_second * _BURST_SECONDS, 1.0), 0.0)
        self._senders: dict[str, TokenBucket] = {}
        self._others: TokenBucket | None = None
        self.dropped: Counter[str] = Counter()

    def is_allowed(self, address: str) -> bool:
        """Tell whether an address may send at all."""
        return not self._allow or any(one.contains(*address_halves(address)) for one in self._allow)

    def admit(self, address: str, now: MonotonicSeconds) -> str:
        """Let a message in, "", or say why not."""
        reason = "" if self.is_allowed(address) else NOT_ALLOWED
        if not reason:
            bucket = self._bucket(address, now)
            if bucket.free_at(now) > now:
                reason = SENDER_RATE
            elif self._total.free_at(now) > now:
                reason = TOTAL_RATE
            else:
                bucket.take(1.0)
                self._total.take(1.0)
        if reason:
            self.dropped[reason] += 1
        return reason

    def _bucket(self, address: str, now: MonotonicSeconds) -> TokenBucket:
        found = self._senders.get(address)
        if found is not None:
            return found
        burst = max(self._sender_rate * _BURST_SECONDS, 1.0)
        if len(self._senders) >= self._max_senders:
            if self._others is None:
                self._others = TokenBucket(self._sender_rate, burst, now)
            return self._others
        return self._senders.setdefault(address, TokenBucket(self._sender_rate, burst, now))
