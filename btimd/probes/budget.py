"""Load limits: probing must never be what hurts a target. Every probe passes here, and nowhere else is it held back.

A probe needs room in every scope that it touches: in all that runs, in its kind, in the subnet of its host, in the
device that the node shares with others, in its host (and in the name server that it was told to ask), and, where it is
heavy (HTTP, SQL), in the server (host and port) that has to work for it. So ten applications on one host are judged by
their own, while the host as a whole, its box and its line stay bounded too.
A server that shows signs of overload (silence, slowness) is asked heavy questions more and more rarely, and the key
indicators of its host give way; a diagnosis has a small reserve, so that it can still find out what is wrong.
"""

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final, TypeAlias

from btimd.model.address import Prefix, address_halves
from btimd.model.budget import BudgetReason, BudgetReport, BudgetScope
from btimd.model.probe import ErrorClass, Health, ProbeResult
from btimd.model.service import Check, CheckKind
from btimd.model.units import MonotonicSeconds, Octets, Ratio
from btimd.probes.budgetlimits import UNLIMITED, BudgetLimits, Limit
from btimd.probes.catalogue import hosts_asked, is_heavy
from btimd.probes.scopes import Count, Key, Scope, new_scope

_OVERLOADED: Final = frozenset({ErrorClass.TIMEOUT, ErrorClass.NO_ANSWER, ErrorClass.SLOW, ErrorClass.RESET})
_PRICE_IN_TROUBLE: Final = 4.0
_DIAGNOSIS_WAITS_SECONDS: Final = 1.0
_LIGHT_OCTETS: Final = 500.0
_HEAVY_OCTETS: Final = 5000.0
_LEARNS: Final = 0.1
_MOST_PREFIXES: Final = 100_000
_NO_DEVICES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Go:
    """The probe may run; what it takes is booked in `scopes` and given back with `finished`."""

    scopes: tuple[Scope, ...] = field(default=(), compare=False, repr=False)
    octets: float = field(default=0.0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Not now; ask again at `at`, or when a probe of the scope has ended, whichever comes first."""

    at: MonotonicSeconds
    reason: str
    scope: Key = field(default=(BudgetScope.ALL, ""), compare=False)
    why: BudgetReason = field(default=BudgetReason.RATE, compare=False)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never."""

    reason: str


Answer: TypeAlias = Go | WaitUntil | Refuse


@dataclass(slots=True)
class BudgetCounters:
    """What the budget did since the start. waits and given_up: by the scope that had no room, and why."""

    light: int = 0
    heavy: int = 0
    diagnosis: int = 0
    back_offs: int = 0
    octets: Counter[CheckKind] = field(default_factory=Counter)
    waits: Counter[tuple[BudgetScope, BudgetReason]] = field(default_factory=Counter)
    refusals: Counter[tuple[BudgetScope, BudgetReason]] = field(default_factory=Counter)


class Budget:
    """Decides when a probe may run. Times are monotonic and do not go back."""

    def __init__(self, limits: BudgetLimits, devices: Mapping[str, str] = _NO_DEVICES) -> None:
        self._limits = limits
        self._devices = devices
        self._host_limit, self._server_limit = limits.host_limit, limits.server_limit
        self._recent: dict[Key, Scope] = {}
        self._older: dict[Key, Scope] = {}
        self._subnets: dict[str, tuple[str, Limit] | None] = {}
        self._own_prefixes = sorted(limits.subnets, key=lambda one: -one.prefix.length)
        self._octets_of: dict[CheckKind, float] = {}
        self._all = new_scope((BudgetScope.ALL, ""), "everything", limits.all_limit, reserve=limits.reserve, now=0.0)
        self.counters = BudgetCounters()

    @property
    def in_flight(self) -> int:
        """Probes that run now."""
        return self._all.in_flight

    def share_devices(self, devices: Mapping[str, str]) -> None:
        """Know from now on which nodes stand on one box: id of the node -> device."""
        self._devices = devices

    def ask(self, check: Check, now: MonotonicSeconds, *, urgent: bool = False) -> Answer:
        """Say whether a check may run now; Go books it, and `finished` must follow. urgent: a diagnosis wants it."""
        heavy = is_heavy(check.kind)
        if heavy and self._limits.heavy_per_ten_seconds <= 0:
            self.counters.refusals[BudgetScope.ALL, BudgetReason.HEAVY] += 1
            self._all.count(Count.REFUSED, now)
            return Refuse("heavy probes are switched off: probes.heavy_per_ten_seconds is 0")
        scopes, others = self._scopes_of(check, now)
        decay, price = self._limits.back_off_decay_seconds, 1.0
        if not urgent and scopes[-1].troubles_at(now, decay) >= self._limits.back_off_after:
            price = _PRICE_IN_TROUBLE
        server = self._server(check, now) if heavy else None
        wait = self._wait(scopes, others, server, now=now, urgent=urgent, price=price)
        if wait is not None:
            return wait
        expected = self._octets_of.get(check.kind, _HEAVY_OCTETS if heavy else _LIGHT_OCTETS)
        booked = scopes if server is None else (*scopes, server)
        for scope in booked:
            its_price = price if scope is scopes[-1] else 1.0
            scope.begin(now, urgent=urgent, heavy=heavy, price=its_price, octets=expected)
        for scope in others:
            scope.count(Count.PROBES, now)
            if scope.rate is not None:
                scope.rate.take()
        self.counters.heavy += heavy
        self.counters.light += not heavy
        self.counters.diagnosis += urgent
        return Go(booked, expected)

    def finished(
        self, go: Go, check: Check, result: ProbeResult | None, now: MonotonicSeconds, octets: Octets | None = None
    ) -> tuple[Key, ...]:
        """Give back what Go booked; return the scopes that have room again.

        result: says whether the target suffers, None where the probe was dropped. octets: what was sent and received,
        None = not measured, and the estimate stands.
        """
        used = go.octets if octets is None else octets
        if octets is not None:
            known = self._octets_of.get(check.kind, float(octets))
            self._octets_of[check.kind] = known + _LEARNS * (octets - known)
        self.counters.octets[check.kind] += round(used)
        for scope in go.scopes:
            scope.in_flight -= 1
            scope.count(Count.OCTETS, now, round(used))
            if scope.octets is not None:
                scope.octets.book(used - go.octets)
        if result is not None:
            self._learn(go.scopes, result, now)
        return tuple(scope.key for scope in go.scopes)

    def gave_up(self, wait: WaitUntil, now: MonotonicSeconds) -> None:
        """Note that a probe waited for this in vain."""
        scope, _ = wait.scope
        self.counters.refusals[scope, wait.why] += 1
        found = self._found(wait.scope)
        if found is not None:
            found.count(Count.REFUSED, now)

    def room(self, check: Check, now: MonotonicSeconds) -> Ratio:
        """Return the free share of what is fullest among the things that a check would load; 0 = it would wait."""
        scopes, others = self._scopes_of(check, now)
        found = [scope.room(now) for scope in (*scopes, *others)]
        if is_heavy(check.kind):
            server = self._server(check, now)
            found.append(0.0 if server.not_before > now else server.room(now))
        return min(found)

    def tidy(self, now: MonotonicSeconds) -> None:
        """Forget scopes that nothing is known about any more; call it about once a minute.

        Only what nobody touched since the last call is looked at, so its time does not grow with what is busy.
        """
        decay = self._limits.back_off_decay_seconds
        kept = {key: scope for key, scope in self._older.items() if not scope.is_idle(now, decay)}
        self._older = self._recent
        self._recent = kept
        if len(self._subnets) > _MOST_PREFIXES:
            self._subnets.clear()

    @property
    def scopes(self) -> int:
        """Scopes that are remembered."""
        return 1 + len(self._recent) + len(self._older)

    def report(
        self, scope: BudgetScope | None, name: str, limit: int, *, now: MonotonicSeconds, queued: int = 0
    ) -> BudgetReport:
        """Return the busiest scopes: those that back off, then by load, then by probes."""
        decay = self._limits.back_off_decay_seconds
        wanted = [
            found.row(now, decay)
            for found in itertools.chain((self._all,), self._recent.values(), self._older.values())
            if (scope is None or found.scope is scope) and name in found.name
        ]
        best = heapq.nsmallest(
            limit, wanted, key=lambda row: (-(row.backing_off_seconds > 0), -row.load, -row.probes, row.scope, row.name)
        )
        return BudgetReport(tuple(best), self.scopes, queued, more=len(wanted) > limit)

    def _wait(
        self,
        scopes: tuple[Scope, ...],
        others: tuple[Scope, ...],
        server: Scope | None,
        *,
        now: MonotonicSeconds,
        urgent: bool,
        price: float,
    ) -> WaitUntil | None:
        for scope in scopes:
            if not scope.slot_is_free(urgent=urgent):
                return self._note(scope, BudgetReason.CONCURRENT, math.inf, now)
        worst, blocking, why = now, None, BudgetReason.RATE
        for scope in (*scopes, *others):
            at = scope.rate_free_at(now, urgent=urgent, price=price if scope is scopes[-1] else 1.0)
            if at > worst:
                worst, blocking, why = at, scope, BudgetReason.RATE
            at = scope.octets_free_at(now)
            if at > worst:
                worst, blocking, why = at, scope, BudgetReason.OCTETS
        for scope in () if server is None else (*scopes, server):
            at = scope.heavy_free_at(now, urgent=urgent)
            if at > worst:
                worst, blocking, why = at, scope, BudgetReason.HEAVY
        if server is not None:
            soon = server.trouble_at + _DIAGNOSIS_WAITS_SECONDS
            at = min(server.not_before, soon) if urgent else server.not_before
            if at > worst:
                worst, blocking, why = at, server, BudgetReason.BACK_OFF
        return None if blocking is None else self._note(blocking, why, worst, now)

    def _note(self, scope: Scope, why: BudgetReason, at: MonotonicSeconds, now: MonotonicSeconds) -> WaitUntil:
        scope.count(Count.WAITS, now)
        self.counters.waits[scope.scope, why] += 1
        return WaitUntil(at, scope.wording(why), scope.key, why)

    def _learn(self, scopes: tuple[Scope, ...], result: ProbeResult, now: MonotonicSeconds) -> None:
        """Note what the answer says of the target's state, at its host and, of a heavy probe, at its server."""
        limits = self._limits
        most = limits.back_off_after + math.ceil(math.log2(max(1.0, limits.back_off_max_seconds))) + 1
        for scope in scopes:
            if scope.scope not in {BudgetScope.HOST, BudgetScope.SERVER} or result.health is Health.UNKNOWN:
                continue
            before = scope.troubles_at(now, limits.back_off_decay_seconds)
            overloaded = result.health is Health.BAD and result.error in _OVERLOADED
            if not overloaded:
                scope.troubles, scope.not_before = before // 2, -math.inf
                continue
            scope.troubles, scope.trouble_at = min(most, before + 1), now
            beyond = scope.troubles - limits.back_off_after
            if beyond >= 0:
                scope.count(Count.BACK_OFFS, now)
                if scope.scope is BudgetScope.SERVER:
                    scope.not_before = now + min(2.0**beyond, limits.back_off_max_seconds)
                    self.counters.back_offs += 1

    def _scopes_of(self, check: Check, now: MonotonicSeconds) -> tuple[tuple[Scope, ...], tuple[Scope, ...]]:
        """Return what a check loads, its host last, and whom else it asks."""
        found = [self._all]
        kind = self._limits.kinds.get(check.kind)
        if kind is not None:
            found.append(self._scope((BudgetScope.KIND, check.kind.value), f"{check.kind} checks", kind, now))
        subnet = self._subnet_of(check.host)
        if subnet is not None:
            found.append(self._scope((BudgetScope.SUBNET, subnet[0]), subnet[0], subnet[1], now))
        device = self._devices.get(check.node, "")
        if device:
            found.append(self._scope((BudgetScope.DEVICE, device), f"the device {device}", self._limits.device, now))
        found.append(self._scope((BudgetScope.HOST, check.host), check.host, self._host_limit, now))
        others = tuple(
            self._scope((BudgetScope.HOST, name), name, self._host_limit, now)
            for name in hosts_asked(check)
            if name != check.host
        )
        return tuple(found), others

    def _server(self, check: Check, now: MonotonicSeconds) -> Scope:
        name = f"{check.host}:{check.port}"
        return self._scope((BudgetScope.SERVER, name), name, self._server_limit, now)

    def _scope(self, key: Key, title: str, limit: Limit, now: MonotonicSeconds) -> Scope:
        found = self._recent.get(key)
        if found is None:
            found = self._older.pop(key, None)
            if found is None:
                found = new_scope(key, title, limit, reserve=self._limits.reserve, now=now)
            self._recent[key] = found
        return found

    def _found(self, key: Key) -> Scope | None:
        if key == self._all.key:
            return self._all
        return self._recent.get(key) or self._older.get(key)

    def _subnet_of(self, host: str) -> tuple[str, Limit] | None:
        """Return the prefix that a host is judged by and what it may be asked; None for names and this machine."""
        if host not in self._subnets:
            self._subnets[host] = self._find_subnet(host)
        return self._subnets[host]

    def _find_subnet(self, host: str) -> tuple[str, Limit] | None:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return None
        hi, lo = address_halves(address)
        for one in self._own_prefixes:
            if one.prefix.contains(hi, lo):
                return str(one.prefix), one.limit
        if address.is_loopback or self._limits.subnet == UNLIMITED:
            return None
        length = self._limits.subnet_length_v4 + 96 if address.version == 4 else self._limits.subnet_length_v6  # noqa: PLR2004
        number = ((hi << 64) | lo) >> (128 - length) << (128 - length)
        return str(Prefix(number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF, length)), self._limits.subnet
