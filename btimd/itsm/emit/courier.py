"""The courier: carries what the journal owes to the targets, at most once in flight per incident and target.

The rules are itsm.outbox's. A message is claimed in the journal before its first octet is sent, and only when it can be
sent at once; what was claimed when the process died comes back as uncertain and waits until a request of the dead
process must have ended.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from btimd.itsm.outbox import (
    ERROR_LIMIT,
    Again,
    Breaker,
    Dead,
    Delivered,
    DeliveryRules,
    Outcome,
    OutcomeKind,
    TokenBucket,
    after_attempt,
)
from btimd.model.ports import Journal, OutboxMessage
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_LONGEST_WAIT: Final = 15.0
_SHORTEST_WAIT: Final = 0.02
_STOP_WITHIN: Final = 4.0
BACKLOG_WARNING_SECONDS: Final = 900.0
"""From this age of the oldest message on, a target counts as in trouble."""


@dataclass(frozen=True, slots=True)
class TargetLimits:
    """What one target can take. refused_for_seconds: how long a refused message is tried again before it is dead."""

    max_in_flight: int = 2
    per_second: float = 10.0
    burst: float = 20.0
    refused_for_seconds: Seconds = 0.0


class Target(Protocol):
    """Somebody who is told about incidents."""

    @property
    def name(self) -> str:
        """Name that messages are addressed to."""
        ...

    @property
    def limits(self) -> TargetLimits:
        """How many messages it is sent at a time and how fast."""
        ...

    async def start(self) -> None:
        """Take resources."""
        ...

    async def stop(self) -> None:
        """Give them back."""
        ...

    async def deliver(self, message: OutboxMessage) -> Outcome:
        """Try once."""
        ...


@dataclass(slots=True)
class _Lane:
    """A target, and what is on its way to it."""

    target: Target
    rules: DeliveryRules
    bucket: TokenBucket
    breaker: Breaker = field(default_factory=Breaker)
    in_flight: dict[asyncio.Task[None], OutboxMessage] = field(default_factory=dict)
    oldest_at: UnixSeconds | None = None
    hold: str | None = None
    last_success_at: UnixSeconds | None = None
    last_error: str = ""
    last_error_at: UnixSeconds | None = None

    def room(self, now: UnixSeconds) -> int:
        """Return how many messages may start now."""
        if self.hold is not None:
            return 0
        self.bucket = self.bucket.filled(now)
        free = min(self.target.limits.max_in_flight - len(self.in_flight), int(self.bucket.tokens + 1e-9))
        if free <= 0 or not self.breaker.may_send(now):
            return 0
        return 1 if self.breaker.is_open else free

    def wakes_at(self, due_at: UnixSeconds) -> UnixSeconds | None:
        """Return when time alone lets a message that is due then go; None where only something else can."""
        if self.hold is not None:
            return None
        full = len(self.in_flight) >= self.target.limits.max_in_flight
        if full or (self.breaker.is_open and self.breaker.trial):
            return None
        return max(due_at, self.bucket.ready_at(), self.breaker.open_until or due_at)


@dataclass(frozen=True, slots=True)
class LaneState:
    """How it stands with a target. hold: why a person paused it, None = nobody did. oldest_at: as of the last look."""

    name: str
    breaker: Breaker
    hold: str | None
    in_flight: int
    oldest_at: UnixSeconds | None
    last_success_at: UnixSeconds | None
    last_error: str
    last_error_at: UnixSeconds | None


class Courier:
    """Delivers the outbox. run ends only by cancellation or by a failure of the journal.

    on_dead: told of every message that will not arrive by itself, with the reason; people must hear of it another way.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        targets: Sequence[Target],
        rules: DeliveryRules,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        chance: random.Random,
        backlog_after: Seconds = BACKLOG_WARNING_SECONDS,
        on_dead: Callable[[OutboxMessage, str], None] = lambda _message, _error: None,
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._clock = clock
        self._log = log
        self._chance = chance
        self._backlog_after = backlog_after
        self._on_dead = on_dead
        self._lanes = {target.name: self._lane(target) for target in targets}
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None
        self._measured_at: UnixSeconds | None = None
        self._claiming: asyncio.Task[None] | None = None
        self._stopping = False
        self._deliveries = metrics.counter(
            "btimd_itsm_deliveries_total", "Attempts to tell a target, by outcome", ("target", "outcome")
        )
        self._depth = metrics.gauge("btimd_itsm_outbox_messages", "Messages in the outbox, by state", ("state",))
        self._backlog = metrics.gauge(
            "btimd_itsm_target_backlog_messages", "Messages that a target has not got yet", ("target",)
        )
        self._dead = metrics.gauge(
            "btimd_itsm_target_dead_messages",
            "Messages that a target refused for good and nobody dealt with",
            ("target",),
        )
        self._age = metrics.gauge(
            "btimd_itsm_target_backlog_age_seconds", "Age of the oldest message that a target has not got", ("target",)
        )
        self._held_back = metrics.gauge(
            "btimd_itsm_target_held_back", "1 while a target gets nothing but trials, else 0", ("target",)
        )

    def _lane(self, target: Target) -> _Lane:
        limits = target.limits
        rules = replace(self._rules, refused_for_seconds=limits.refused_for_seconds)
        return _Lane(target, rules, TokenBucket.full(limits.per_second, limits.burst, self._clock.wall()))

    async def start(self) -> None:
        """Start every target; bury what is owed to those that are gone."""
        now = self._clock.wall()
        error = "this target is no longer configured"
        for message_id in await self._journal.bury_messages(tuple(self._lanes), error=error, now=now):
            self._log.error("message-dead", message=message_id, error=error)
            self._deliveries.labels("unknown", "no-target").inc()
        for name, lane in self._lanes.items():
            await self._journal.settle_messages(name, lane.rules.settle_seconds, now)
            await lane.target.start()
            self._held_back.labels(name).set(0)

    def wake(self) -> None:
        """Look at the outbox now: there is a new message, or the clock was moved."""
        self._wake.set()

    def hold(self, target: str, reason: str) -> None:
        """Send a target nothing from now on; what is on its way goes on. Raises KeyError."""
        self._lanes[target].hold = reason
        self._held_back.labels(target).set(1)

    def release(self, target: str) -> None:
        """Send a target again what waits, also where it was held back by itself. Raises KeyError."""
        lane = self._lanes[target]
        lane.hold = None
        if not lane.breaker.trial:
            lane.breaker = Breaker()
            self._held_back.labels(target).set(0)
        self._wake.set()

    def succeeded_before(self, at: Mapping[str, UnixSeconds]) -> None:
        """Take when targets took something last, before this process."""
        for name, lane in self._lanes.items():
            if lane.last_success_at is None:
                lane.last_success_at = at.get(name)

    def states(self) -> Sequence[LaneState]:
        """Return how it stands with every target."""
        return [
            LaneState(
                name, lane.breaker, lane.hold, len(lane.in_flight), lane.oldest_at, lane.last_success_at,
                lane.last_error, lane.last_error_at,
            )
            for name, lane in self._lanes.items()
        ]  # fmt: skip

    def trouble(self) -> str:
        """Return what is wrong with targets, empty where nothing is."""
        now = self._clock.wall()
        found = []
        for name, lane in self._lanes.items():
            if lane.hold is not None:
                found.append(f"{name} was paused: {lane.hold}")
            elif lane.breaker.is_open:
                found.append(f"{name} {'paused' if lane.breaker.paused else 'unreachable'}: {lane.breaker.reason}")
            elif lane.oldest_at is not None and now - lane.oldest_at >= self._backlog_after:
                found.append(f"{name} is behind: its oldest message waits for {(now - lane.oldest_at) / 60:.0f} min")
        return "; ".join(found)

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._wake.clear()
            wait = await self._round()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass
            if self._failure is not None:
                raise self._failure

    async def stop(self) -> None:
        """Let what is on its way arrive, give back what did not start, close the targets."""
        self._stopping = True
        if self._claiming is not None:
            await asyncio.gather(self._claiming, return_exceptions=True)
            self._claiming = None
        running = [task for lane in self._lanes.values() for task in lane.in_flight]
        if running:
            _, late = await asyncio.wait(running, timeout=_STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        for lane in self._lanes.values():
            await lane.target.stop()

    async def _round(self) -> Seconds:
        """Claim and send what may be sent, and return how long nothing will happen by itself."""
        times = []
        for lane in self._lanes.values():
            if lane.room(self._clock.wall()):
                # A claim must not be forgotten half-way: `stop` waits for it and gives back what it got.
                self._claiming = asyncio.create_task(self._claim(lane))
                await asyncio.shield(self._claiming)
            if lane.wakes_at(0.0) is not None:
                due_at = await self._journal.next_message_at(lane.target.name)
                wakes_at = None if due_at is None else lane.wakes_at(due_at)
                times += [] if wakes_at is None else [wakes_at]
        now = self._clock.wall()
        await self._measure(now)
        wait = min(times, default=now + _LONGEST_WAIT) - now
        return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _claim(self, lane: _Lane) -> None:
        now = self._clock.wall()
        for message in await self._journal.claim_messages(now, lane.room(now), target=lane.target.name):
            if self._stopping:
                await self._journal.message_failed(
                    message.id,
                    next_at=now,
                    error=message.last_error,
                    uncertain=message.uncertain,
                    refused_since=message.refused_since,
                )
            else:
                self._send(lane, message)

    def _send(self, lane: _Lane, message: OutboxMessage) -> None:
        lane.breaker = lane.breaker.sending()
        lane.bucket = lane.bucket.taken()
        task = asyncio.create_task(self._attempt(lane, message), name=f"itsm-deliver-{message.id}")
        lane.in_flight[task] = message
        task.add_done_callback(self._ended(lane))

    def _ended(self, lane: _Lane) -> Callable[[asyncio.Task[None]], None]:
        def ended(task: asyncio.Task[None]) -> None:
            lane.in_flight.pop(task, None)
            if not task.cancelled() and task.exception() is not None:
                self._failure = task.exception()
            self._wake.set()

        return ended

    async def _attempt(self, lane: _Lane, message: OutboxMessage) -> None:
        name = lane.target.name
        try:
            outcome = await lane.target.deliver(message)
        except asyncio.CancelledError:
            outcome = Outcome(OutcomeKind.UNCERTAIN, "btimd stopped before the answer came")
            await self._record(lane, message, outcome)
            raise
        except Exception as error:  # noqa: BLE001  the panic barrier of this path: a bug costs one attempt, counted
            self._log.exception("delivery-bug", target=name, message=message.id)
            outcome = Outcome(OutcomeKind.UNCERTAIN, f"internal error {type(error).__name__}")
        await self._record(lane, message, outcome)

    async def _record(self, lane: _Lane, message: OutboxMessage, outcome: Outcome) -> None:
        name, now = lane.target.name, self._clock.wall()
        self._deliveries.labels(name, outcome.kind.value).inc()
        was_open = lane.breaker.is_open
        lane.breaker = lane.breaker.after(outcome, now=now, chance=self._chance.random(), rules=lane.rules)
        self._held_back.labels(name).set(1 if lane.breaker.is_open or lane.hold is not None else 0)
        if outcome.kind is OutcomeKind.DELIVERED:
            lane.last_success_at = now
        else:
            lane.last_error, lane.last_error_at = f"{outcome.kind.value}: {outcome.detail}"[:ERROR_LIMIT], now
        if was_open != lane.breaker.is_open:
            event = "target-held-back" if lane.breaker.is_open else "target-works-again"
            self._log.warning(event, target=name, reason=outcome.detail)
        chance = self._chance.random()
        match after_attempt(
            message.attempts,
            outcome,
            now=now,
            chance=chance,
            rules=lane.rules,
            refused_since=message.refused_since,
        ):
            case Delivered():
                await self._journal.message_delivered(message.id, now)
            case Dead(error):
                self._log.error("message-dead", message=message.id, error=error)
                await self._journal.message_dead(message.id, error=error, now=now)
                self._on_dead(message, error)
            case Again(next_at, error, uncertain, refused_since):
                level = self._log.warning if refused_since is not None else self._log.info
                level("delivery-again", message=message.id, error=error)
                await self._journal.message_failed(
                    message.id, next_at=next_at, error=error, uncertain=uncertain, refused_since=refused_since
                )

    async def _measure(self, now: UnixSeconds) -> None:
        if self._measured_at is not None and 0 <= now - self._measured_at < _LONGEST_WAIT:
            return
        self._measured_at = now
        for state, count in (await self._journal.outbox_depth()).items():
            self._depth.labels(state).set(count)
        lines = {line.target: line for line in await self._journal.outbox_lines()}
        for name, lane in self._lanes.items():
            line = lines.get(name)
            lane.oldest_at = None if line is None else line.oldest_at
            self._backlog.labels(name).set(0 if line is None else line.pending + line.in_flight)
            self._dead.labels(name).set(0 if line is None else line.dead)
            self._age.labels(name).set(0 if lane.oldest_at is None else max(now - lane.oldest_at, 0.0))
