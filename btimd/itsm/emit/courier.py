"""The courier: carries what the journal owes to the targets, at most once in flight per incident and target.

The rules are itsm.outbox's. A message is claimed in the journal before its first octet is sent; what was claimed when
the process died comes back as uncertain and waits until a request of the dead process must have ended.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from btimd.itsm.outbox import (
    Again,
    Breaker,
    Dead,
    Delivered,
    DeliveryRules,
    Outcome,
    OutcomeKind,
    after_attempt,
)
from btimd.model.ports import Journal, OutboxMessage
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

HELD_LIMIT: Final = 512
"""Claimed messages in memory; the others wait in the journal."""
_LONGEST_WAIT: Final = 15.0
_SHORTEST_WAIT: Final = 0.02
_STOP_WITHIN: Final = 4.0


class Target(Protocol):
    """Somebody who is told about incidents."""

    @property
    def name(self) -> str:
        """Name that messages are addressed to."""
        ...

    @property
    def max_in_flight(self) -> int:
        """How many messages it is sent at a time."""
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
    """A target, what waits for it (not before a time), and what is on its way."""

    target: Target
    breaker: Breaker = field(default_factory=Breaker)
    waiting: list[tuple[UnixSeconds, OutboxMessage]] = field(default_factory=list)
    in_flight: dict[asyncio.Task[None], OutboxMessage] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return len(self.waiting) + len(self.in_flight)

    def next_ready(self, now: UnixSeconds) -> OutboxMessage | None:
        """Take out the first message that may go now."""
        if len(self.in_flight) >= self.target.max_in_flight or not self.breaker.may_send(now):
            return None
        for index, (not_before, message) in enumerate(self.waiting):
            if not_before <= now:
                del self.waiting[index]
                return message
        return None

    def wakes_at(self) -> UnixSeconds | None:
        """Return when time alone makes a message ready; None where only the end of an attempt can."""
        full = len(self.in_flight) >= self.target.max_in_flight
        if not self.waiting or full or (self.breaker.is_open and self.breaker.trial):
            return None
        ready = min(not_before for not_before, _ in self.waiting)
        return ready if self.breaker.open_until is None else max(ready, self.breaker.open_until)


class Courier:
    """Delivers the outbox. run ends only by cancellation or by a failure of the journal."""

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
    ) -> None:
        self._journal = journal
        self._lanes = {target.name: _Lane(target) for target in targets}
        self._rules = rules
        self._clock = clock
        self._log = log
        self._chance = chance
        self._wake = asyncio.Event()
        self._settled: set[str] = set()
        self._failure: BaseException | None = None
        self._depth_at: UnixSeconds | None = None
        self._claiming: asyncio.Task[None] | None = None
        self._deliveries = metrics.counter(
            "btimd_itsm_deliveries_total", "Attempts to tell a target, by outcome", ("target", "outcome")
        )
        self._depth = metrics.gauge("btimd_itsm_outbox_messages", "Messages in the outbox, by state", ("state",))
        self._held_back = metrics.gauge(
            "btimd_itsm_target_held_back", "1 while a target gets nothing but trials, else 0", ("target",)
        )

    async def start(self) -> None:
        """Start every target."""
        for lane in self._lanes.values():
            await lane.target.start()
            self._held_back.labels(lane.target.name).set(0)

    def wake(self) -> None:
        """Look at the outbox now: there is a new message, or the clock was moved."""
        self._wake.set()

    def trouble(self) -> str:
        """Return what is wrong with targets, empty where nothing is."""
        return "; ".join(
            f"{name} {'paused' if lane.breaker.paused else 'unreachable'}: {lane.breaker.reason}"
            for name, lane in self._lanes.items()
            if lane.breaker.is_open
        )

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
        running = [task for lane in self._lanes.values() for task in lane.in_flight]
        if self._claiming is not None:
            running.append(self._claiming)
            self._claiming = None
        if running:
            _, late = await asyncio.wait(running, timeout=_STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        now = self._clock.wall()
        for lane in self._lanes.values():
            waiting, lane.waiting = lane.waiting, []
            for not_before, message in waiting:
                await self._journal.message_failed(
                    message.id, next_at=max(now, not_before), error=message.last_error, uncertain=message.uncertain
                )
            await lane.target.stop()

    async def _round(self) -> Seconds:
        """Claim, send what may be sent, and return how long nothing will happen by itself."""
        room = HELD_LIMIT - sum(lane.held for lane in self._lanes.values())
        if room > 0:
            # A claim must not be forgotten half-way: `stop` waits for it and gives back what it got.
            self._claiming = asyncio.create_task(self._claim(room))
            await asyncio.shield(self._claiming)
        now = self._clock.wall()
        for lane in self._lanes.values():
            while (ready := lane.next_ready(now)) is not None:
                self._send(lane, ready)
        await self._measure(now)
        times = [at for lane in self._lanes.values() if (at := lane.wakes_at()) is not None]
        next_at = await self._journal.next_message_at() if room > 0 else None
        if next_at is not None:
            times.append(next_at)
        wait = min(times, default=now + _LONGEST_WAIT) - self._clock.wall()
        return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _claim(self, room: int) -> None:
        now = self._clock.wall()
        for message in await self._journal.claim_messages(now, room):
            await self._take(message, now)

    async def _take(self, message: OutboxMessage, now: UnixSeconds) -> None:
        lane = self._lanes.get(message.target)
        if lane is None:
            error = f"target {message.target} is no longer configured"
            self._log.error("message-dead", message=message.id, error=error)
            self._deliveries.labels("unknown", "no-target").inc()
            await self._journal.message_dead(message.id, error=error, now=now)
        elif message.uncertain and message.id not in self._settled:
            lane.waiting.append((now + self._rules.settle_seconds, message))  # a dead process may have sent it just now
        else:
            lane.waiting.append((now, message))

    def _send(self, lane: _Lane, message: OutboxMessage) -> None:
        lane.breaker = lane.breaker.sending()
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
        lane.breaker = lane.breaker.after(outcome, now=now, chance=self._chance.random(), rules=self._rules)
        self._held_back.labels(name).set(1 if lane.breaker.is_open else 0)
        if was_open != lane.breaker.is_open:
            event = "target-held-back" if lane.breaker.is_open else "target-works-again"
            self._log.warning(event, target=name, reason=outcome.detail)
        chance = self._chance.random()
        match after_attempt(message.attempts, outcome, now=now, chance=chance, rules=self._rules):
            case Delivered():
                self._settled.discard(message.id)
                await self._journal.message_delivered(message.id, now)
            case Dead(error):
                self._settled.discard(message.id)
                self._log.error("message-dead", message=message.id, error=error)
                await self._journal.message_dead(message.id, error=error, now=now)
            case Again(next_at, error, uncertain):
                self._settled.add(message.id)  # next_at has the settling time in it where it is needed
                self._log.info("delivery-again", message=message.id, error=error)
                await self._journal.message_failed(message.id, next_at=next_at, error=error, uncertain=uncertain)

    async def _measure(self, now: UnixSeconds) -> None:
        if self._depth_at is not None and 0 <= now - self._depth_at < _LONGEST_WAIT:
            return
        self._depth_at = now
        for state, count in (await self._journal.outbox_depth()).items():
            self._depth.labels(state).set(count)
