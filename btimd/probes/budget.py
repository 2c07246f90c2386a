"""Load limits: probing must never be what hurts a target.

Every probe takes a token of its host (and of the name server that it was told to ask) and, where it is heavy (HTTP,
SQL), one of the server (host and port) that has to work for it. So ten applications on one host are judged by their
own, while the host as a whole stays bounded too.
A server that shows signs of overload (silence, slowness) is asked heavy questions more and more rarely.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from btimd.model.probe import ErrorClass, Health, ProbeResult
from btimd.model.service import Check
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.catalogue import hosts_asked, is_heavy

_OVERLOADED: Final = frozenset({ErrorClass.TIMEOUT, ErrorClass.NO_ANSWER, ErrorClass.SLOW, ErrorClass.RESET})
_TOLERANCE: Final = 1e-9  # a token that is this near to whole is whole: refilling is floating point


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """What one target, and all together, may be asked.

    light_per_second and light_burst: all probes to one host. heavy_per_ten_seconds and heavy_burst: HTTP and SQL to
    one server. After back_off_after signs of overload in a row heavy probes to a server are 1, 2, 4 ... s apart, at
    most back_off_max_seconds.
    """

    light_per_second: float = 10.0
    light_burst: int = 20
    heavy_per_ten_seconds: float = 6.0
    heavy_burst: int = 6
    concurrent_per_host: int = 8
    concurrent: int = 64
    back_off_after: int = 3
    back_off_max_seconds: Seconds = 10.0


@dataclass(frozen=True, slots=True)
class Go:
    """The probe may run; what it takes is booked and given back with `finished`."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Not now; ask again at `at`, or when a probe has ended where that is infinite."""

    at: MonotonicSeconds
    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never."""

    reason: str


Answer: TypeAlias = Go | WaitUntil | Refuse


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate` of them per second."""

    def __init__(self, rate: float, burst: int, now: MonotonicSeconds) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = now

    def free_at(self, now: MonotonicSeconds) -> MonotonicSeconds:
        """Return when a token can be taken: `now` where there is one."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
        if self._tokens >= 1.0 - _TOLERANCE:
            return now
        return now + (1.0 - self._tokens) / self._rate

    def take(self) -> None:
        """Take a token that `free_at` said is there."""
        self._tokens = max(0.0, self._tokens - 1.0)

    @property
    def is_full(self) -> bool:
        """Tell whether forgetting the bucket would change nothing (as of the last look)."""
        return self._tokens >= self._burst


@dataclass(slots=True)
class _Server:
    bucket: TokenBucket
    troubles: int = 0
    not_before: MonotonicSeconds = -math.inf


@dataclass(slots=True)
class _Host:
    bucket: TokenBucket
    in_flight: int = 0


@dataclass(slots=True)
class BudgetCounters:
    """What the budget did since the start."""

    light: int = 0
    heavy: int = 0
    waits: int = 0
    refusals: int = 0
    back_offs: int = 0


class Budget:
    """Decides when a probe may run. Times are monotonic and do not go back."""

    def __init__(self, limits: BudgetLimits) -> None:
        self._limits = limits
        self._hosts: dict[str, _Host] = {}
        self._servers: dict[tuple[str, int], _Server] = {}
        self._in_flight = 0
        self.counters = BudgetCounters()

    @property
    def in_flight(self) -> int:
        """Probes that run now."""
        return self._in_flight

    def ask(self, check: Check, now: MonotonicSeconds) -> Answer:
        """Say whether a check may run now; Go books it, and `finished` must follow."""
        limits, heavy = self._limits, is_heavy(check.kind)
        if heavy and limits.heavy_per_ten_seconds <= 0:
            self.counters.refusals += 1
            return Refuse("heavy probes are switched off: probes.heavy_per_ten_seconds is 0")
        hosts = {name: self._host(name, now) for name in hosts_asked(check)}
        wait = self._wait_for_slot(check, hosts[check.host])
        if wait is None:
            wait = self._wait_for_tokens(check, hosts, now)
        if wait is not None:
            self.counters.waits += 1
            return wait
        for host in hosts.values():
            host.bucket.take()
        hosts[check.host].in_flight += 1
        self._in_flight += 1
        if heavy:
            self._server(check, now).bucket.take()
            self.counters.heavy += 1
        else:
            self.counters.light += 1
        return Go()

    def finished(self, check: Check, result: ProbeResult | None, now: MonotonicSeconds) -> None:
        """Give back what Go booked; the result says whether the target suffers, None where the probe was dropped."""
        self._in_flight -= 1
        self._host(check.host, now).in_flight -= 1
        if result is None or not is_heavy(check.kind):
            return
        server = self._server(check, now)
        if result.health is Health.BAD and result.error in _OVERLOADED:
            server.troubles += 1
            beyond = server.troubles - self._limits.back_off_after
            if beyond >= 0:
                pause = min(2.0 ** min(beyond, 30), self._limits.back_off_max_seconds)
                server.not_before = now + pause
                self.counters.back_offs += 1
        elif result.health is not Health.UNKNOWN:
            server.troubles = 0
            server.not_before = -math.inf

    def tidy(self, now: MonotonicSeconds) -> None:
        """Forget targets that nothing is known about any more, so that memory follows the configuration."""
        for name, host in list(self._hosts.items()):
            if not host.in_flight and host.bucket.free_at(now) == now and host.bucket.is_full:
                del self._hosts[name]
        for key, server in list(self._servers.items()):
            if server.not_before <= now and server.bucket.free_at(now) == now and server.bucket.is_full:
                del self._servers[key]

    @property
    def targets(self) -> int:
        """Hosts that are remembered."""
        return len(self._hosts)

    def _wait_for_slot(self, check: Check, host: _Host) -> WaitUntil | None:
        if self._in_flight >= self._limits.concurrent:
            return WaitUntil(math.inf, f"{self._limits.concurrent} probes are running (probes.concurrent)")
        if host.in_flight >= self._limits.concurrent_per_host:
            running = f"{host.in_flight} probes to {check.host} are running"
            return WaitUntil(math.inf, f"{running} (probes.concurrent_per_host)")
        return None

    def _wait_for_tokens(self, check: Check, hosts: Mapping[str, _Host], now: MonotonicSeconds) -> WaitUntil | None:
        limits = self._limits
        at, busiest = max((host.bucket.free_at(now), name) for name, host in hosts.items())
        reason = f"{busiest} was asked {limits.light_per_second:g} times a second (probes.light_per_second)"
        if is_heavy(check.kind):
            server = self._server(check, now)
            free_at = server.bucket.free_at(now)
            if free_at > at:
                at = free_at
                per = f"{limits.heavy_per_ten_seconds:g} heavy probes in 10 s"
                reason = f"{check.host}:{check.port} had its {per} (probes.heavy_per_ten_seconds)"
            if server.not_before > at:
                at = server.not_before
                reason = f"{check.host}:{check.port} is in trouble: {server.troubles} bad answers in a row, backing off"
        return WaitUntil(at, reason) if at > now else None

    def _host(self, name: str, now: MonotonicSeconds) -> _Host:
        found = self._hosts.get(name)
        if found is None:
            found = _Host(TokenBucket(self._limits.light_per_second, self._limits.light_burst, now))
            self._hosts[name] = found
        return found

    def _server(self, check: Check, now: MonotonicSeconds) -> _Server:
        key = (check.host, check.port)
        found = self._servers.get(key)
        if found is None:
            rate = self._limits.heavy_per_ten_seconds / 10.0
            found = _Server(TokenBucket(rate, self._limits.heavy_burst, now))
            self._servers[key] = found
        return found
