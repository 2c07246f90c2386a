"""PlanService: the IP plan in force with the clients that are known, for the API, and what a reload changed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from typing_extensions import override

from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry
from btimd.flows.planconflicts import plan_conflicts
from btimd.flows.plandiff import PlanHistory, diff, is_empty
from btimd.flows.plantalkers import UnexpectedWatch, talkers_of, unexpected_rows, unexpected_talkers, unknown_clients
from btimd.flows.planuse import USE_ORDERS, Addresses, PlanLines, ordered_use, prefix_use
from btimd.model.planuse import (
    PlanChange,
    PlanConflict,
    PlanView,
    PrefixUse,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownClients,
)
from btimd.model.service import BusinessService, ServiceRule
from btimd.model.units import MILLIS_PER_SECOND, Seconds, UnixMillis
from btimd.model.users import ClientColumns, PersonLookup
from btimd.runtime.clock import Clock
from btimd.runtime.feed import Feed, FeedSubscription
from btimd.runtime.log import Log

_FULL_LENGTH: Final = 128
_RECENT_TALKERS: Final = 1000
_FRESH_MILLISECONDS: Final = 5000


@dataclass(frozen=True, slots=True)
class PlanInForce:
    """One generation: plan and rules compiled, the lines as written, the businesses."""

    attribution: Attribution
    entries: Sequence[PlanEntry]
    businesses: Mapping[str, BusinessService]


class PlanService(PlanView):
    """Answers for the plan in force; lives on the loop, works in threads. `swap` goes over to another plan.

    clients: who is known now (it is called in a thread and may block for a moment). persons: who sits behind
    addresses now. lately_seconds: how long after its last traffic a client counts as active. on_unexpected: told of
    each new unexpected talker by `look`, on the loop.
    """

    def __init__(
        self,
        in_force: PlanInForce,
        *,
        clients: Callable[[], ClientColumns],
        clock: Clock,
        log: Log,
        persons: Callable[[], PersonLookup | None] = lambda: None,
        lately_seconds: Seconds = 900.0,
        on_unexpected: Sequence[Callable[[UnexpectedTalker], None]] = (),
    ) -> None:
        self._in_force = in_force
        self._clients = clients
        self._clock = clock
        self._log = log
        self._persons = persons
        self._lately_milliseconds = round(lately_seconds * MILLIS_PER_SECOND)
        self._on_unexpected = tuple(on_unexpected)
        self._history = PlanHistory()
        self.watch = UnexpectedWatch()
        self._talkers: Feed[tuple[str, str], UnexpectedTalker] = Feed(_RECENT_TALKERS)
        self._use: tuple[UnixMillis, PlanInForce, Sequence[PrefixUse]] | None = None
        self._lines: tuple[PlanInForce, PlanLines, Addresses] | None = None
        self._working = asyncio.Lock()

    @override
    async def prefix_use(self, *, order: str, limit: int) -> Sequence[PrefixUse]:
        """Return lines of the plan with their use; what was found seconds ago is good enough."""
        if order not in USE_ORDERS:
            raise ValueError(f"'{order}' is no order of prefixes; known: {', '.join(USE_ORDERS)}")
        async with self._working:  # one at a time: each takes the memory of all clients
            now, used = self._now(), self._use
            if used is None or used[1] is not self._in_force or not 0 <= now - used[0] < _FRESH_MILLISECONDS:
                used = self._use = await asyncio.to_thread(self._count, self._in_force, now)
        return ordered_use(used[2], order)[:limit]

    def _count(self, held: PlanInForce, now: UnixMillis) -> tuple[UnixMillis, PlanInForce, Sequence[PrefixUse]]:
        if self._lines is None or self._lines[0] is not held:
            self._lines = held, PlanLines(held.entries), server_addresses(held.attribution.rules)
        _, lines, servers = self._lines
        lately = self._lately_milliseconds
        return now, held, prefix_use(lines, self._clients(), now=now, lately_milliseconds=lately, servers=servers)

    @override
    async def unknown(self, *, order: str, limit: int) -> UnknownClients:
        """Return who is not in the plan."""
        held = self._in_force
        async with self._working:
            return await asyncio.to_thread(
                lambda: unknown_clients(held.attribution.plan, self._clients_of(held), order=order, limit=limit)
            )

    @override
    async def unexpected(self, *, business: str | None, limit: int) -> UnexpectedTalkers:
        """Return who uses businesses from elsewhere."""
        held = self._in_force
        async with self._working:
            return await asyncio.to_thread(
                lambda: unexpected_talkers(
                    held.attribution.plan,
                    held.businesses,
                    self._clients_of(held),
                    business=business,
                    limit=limit,
                    persons=self._persons(),
                )
            )

    @override
    def watch_unexpected(self) -> FeedSubscription[tuple[str, str], UnexpectedTalker]:
        """Subscribe to new unexpected talkers."""
        return self._talkers.subscribe()

    @override
    async def conflicts(self) -> Sequence[PlanConflict]:
        """Return what is wrong or doubtful in plan and services."""
        held = self._in_force
        return await asyncio.to_thread(plan_conflicts, held.entries, held.attribution.rules, held.businesses)

    @override
    def changes(self) -> Sequence[PlanChange]:
        """Return the latest changes, newest first."""
        return self._history.changes()

    async def look(self) -> Sequence[UnexpectedTalker]:
        """Look for new unexpected talkers, tell of them and return them; call it once a minute or so."""
        held = self._in_force
        if not any(business.regions for business in held.businesses.values()):
            return ()
        async with self._working:
            found = await asyncio.to_thread(self._new_talkers, held)
        for talker in found:
            self._talkers.publish((talker.business, talker.address), talker)
            for tell in self._on_unexpected:
                tell(talker)
        return found

    def _new_talkers(self, held: PlanInForce) -> tuple[UnexpectedTalker, ...]:
        plan, clients = held.attribution.plan, self._clients_of(held)
        rows = self.watch.new_rows(clients, unexpected_rows(plan, held.businesses, clients))
        return talkers_of(plan, held.businesses, clients, rows, self._persons())

    @property
    def in_force(self) -> PlanInForce:
        """The plan in force."""
        return self._in_force

    async def swap(self, in_force: PlanInForce) -> PlanChange:
        """Go over to another plan; log and remember what it changes. Nothing in here can fail for what a plan says."""
        old, self._in_force = self._in_force, in_force
        change = await asyncio.to_thread(
            lambda: diff(
                old.entries,
                in_force.entries,
                clients=self._clients(),
                at=self._now(),
                from_generation=old.attribution.generation,
                to_generation=in_force.attribution.generation,
            )
        )
        self._history.note(change)
        if not is_empty(change):
            self._log.info("ip-plan-changed", summary=change.summary)
        return change

    def _clients_of(self, held: PlanInForce) -> ClientColumns:
        """Return the clients with rows of this plan; the flow thread may not have gone over to it yet."""
        found = self._clients()
        segments = held.attribution.segments
        rows = segments.row[
            segments.locate(np.ascontiguousarray(found.address_hi), np.ascontiguousarray(found.address_lo))
        ]
        return ClientColumns(
            found.businesses, found.address_hi, found.address_lo, found.business_id, rows,
            found.first_seen, found.last_seen, found.octets,
        )  # fmt: skip

    def _now(self) -> UnixMillis:
        return round(self._clock.wall() * MILLIS_PER_SECOND)


def server_addresses(rules: Sequence[ServiceRule]) -> Addresses:
    """Return the addresses of rules whose server is one address, not a network."""
    hosts = [rule.server for rule in rules if rule.server.length == _FULL_LENGTH]
    return np.array([host.hi for host in hosts], np.uint64), np.array([host.lo for host in hosts], np.uint64)
