"""The notifier: carries notices from the book to their channels, and says of each what came of it.

A notice is for now: what cannot be sent until it expires, or whose channel is held back, fails at once and is reported
by `on_failed`, so that another means is chosen (ladder.again) while there is time. Repeating the order is the plan's.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from btimd.itsm.notify.answers import SendResult
from btimd.itsm.notify.ladder import Health
from btimd.itsm.notify.pace import Pace
from btimd.itsm.notify.rows import Bundle, bundled
from btimd.itsm.notify.screen import Screen
from btimd.itsm.outbox import ERROR_LIMIT, Breaker, DeliveryRules, Outcome, OutcomeKind, backoff_seconds
from btimd.model.notification import Means, Notice, NoticeBook, NoticeState
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

HELD_LIMIT: Final = 512
"""Claimed notices in memory; the others wait in the book."""
TRIES: Final = 3
"""Sendings of one notice; then another means is better."""
_LONGEST_WAIT: Final = 15.0
_SHORTEST_WAIT: Final = 0.02
_STOP_WITHIN: Final = 4.0
_ONCE: Final = frozenset({Means.IM, Means.SMS, Means.VOICE})
"""Means that know no ids: a repeat of what may have arrived would be a second message, or a second call."""
_BUCKETS: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class Sender(Protocol):
    """A channel."""

    @property
    def name(self) -> str:
        """Name in the settings."""
        ...

    @property
    def means(self) -> Means:
        """What it carries."""
        ...

    @property
    def max_in_flight(self) -> int:
        """How many messages it is given at a time."""
        ...

    @property
    def per_minute(self) -> int:
        """How many messages it is given in a minute."""
        ...

    async def start(self) -> None:
        """Take resources; raises ValueError for wrong settings."""
        ...

    async def stop(self) -> None:
        """Give them back."""
        ...

    async def send(self, notice: Notice) -> SendResult:
        """Send once."""
        ...


@dataclass(slots=True)
class _Lane:
    """A channel, what waits for it, and what is on its way."""

    sender: Sender
    pace: Pace
    breaker: Breaker = field(default_factory=Breaker)
    waiting: list[Bundle] = field(default_factory=list)
    in_flight: dict[asyncio.Task[None], Bundle] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return sum(len(bundle.told) for bundle in (*self.waiting, *self.in_flight.values()))


class Notifier:
    """Sends what the book holds. run ends only by cancellation or by a failure of the book.

    on_failed: called on the loop with each notice that will not be sent any more, its error in `error`. The book has it
    as failed by then. wanted: asked before each sending; what nobody has to be told any more is withdrawn.
    """

    def __init__(
        self,
        *,
        book: NoticeBook,
        senders: Sequence[Sender],
        screen: Screen,
        rules: DeliveryRules,
        sms_parts: int,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        chance: random.Random,
        on_failed: Callable[[Notice], None],
        wanted: Callable[[Notice], bool] = lambda _: True,
    ) -> None:
        self._book = book
        self._screen = screen
        self._lanes = {sender.name: _Lane(sender, Pace(sender.per_minute)) for sender in (screen, *senders)}
        self._rules, self._sms_parts = rules, sms_parts
        self._clock, self._log, self._chance = clock, log, chance
        self._on_failed = on_failed
        self._wanted = wanted
        self._wake = asyncio.Event()
        self._claiming: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._depth_at: UnixSeconds | None = None
        self._attempts = metrics.counter(
            "btimd_itsm_notify_attempts_total", "Messages given to channels, by outcome.", ("channel", "outcome")
        )
        self._failures = metrics.counter(
            "btimd_itsm_notify_failures_total", "Notices that were given up, by means and why.", ("means", "reason")
        )
        self._withdrawn = metrics.counter(
            "btimd_itsm_notify_withdrawn_total", "Notices that were not sent, of no use by then.", ("means",)
        )
        self._folded = metrics.counter(
            "btimd_itsm_notify_folded_total", "Notices that were told in one message together with others."
        )
        self._seconds = metrics.histogram(
            "btimd_itsm_notify_handed_over_seconds",
            "From a notice's time to the channel's word that it has it.",
            _BUCKETS,
        )
        self._held_back = metrics.gauge(
            "btimd_itsm_notify_held_back", "1 while a channel is left alone after failures.", ("channel",)
        )
        self._depth = metrics.gauge("btimd_itsm_notify_notices", "Notices of the last day, by state.", ("state",))
        for name in self._lanes:
            self._held_back.labels(name).set(0)

    async def start(self) -> None:
        """Start every channel; raises ValueError for the first one whose settings are wrong."""
        for lane in self._lanes.values():
            await lane.sender.start()

    def wake(self) -> None:
        """Look at the book now: there are new notices."""
        self._wake.set()

    def health(self, now: UnixSeconds, spent: float = 0.0) -> Health:
        """Return how the channels stand, for planning. A channel whose pause is over is used again, for one trial."""
        closed = {name: lane.breaker.reason for name, lane in self._lanes.items() if not lane.breaker.may_send(now)}
        return Health(closed, self._screen.watching, spent)

    def trouble(self) -> str:
        """Return what is wrong with channels, empty where nothing is."""
        return "; ".join(
            f"{name} {'paused' if lane.breaker.paused else 'unreachable'}: {lane.breaker.reason}"
            for name, lane in self._lanes.items()
            if lane.breaker.is_open
        )

    async def run(self) -> None:
        """Send until cancelled."""
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
        """Let what is on its way arrive, give back what did not start, close the channels."""
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
            for notice in (notice for bundle in waiting for notice in bundle.told):
                await self._book.notice_again(notice.id, next_at=now, error=notice.error, uncertain=notice.uncertain)
            await lane.sender.stop()

    async def _round(self) -> Seconds:
        """Claim, send what may be sent, and return how long nothing will happen by itself."""
        room = HELD_LIMIT - sum(lane.held for lane in self._lanes.values())
        if room > 0:
            # A claim must not be forgotten half-way: `stop` waits for it and gives back what it got.
            self._claiming = asyncio.create_task(self._claim(room))
            await asyncio.shield(self._claiming)
        now = self._clock.wall()
        times: list[UnixSeconds] = []
        for lane in self._lanes.values():
            next_at = await self._serve(lane, now)
            if next_at is not None:
                times.append(next_at)
        await self._measure(now)
        next_notice = await self._book.next_notice_at() if room > 0 else None
        if next_notice is not None:
            times.append(next_notice)
        wait = min(times, default=now + _LONGEST_WAIT) - self._clock.wall()
        return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)

    async def _claim(self, room: int) -> None:
        claimed = await self._still_wanted(await self._book.claim_notices(self._clock.wall(), room))
        for bundle in bundled(claimed, sms_parts=self._sms_parts):
            lane = self._lanes.get(bundle.sent.channel)
            if lane is None:
                await self._give_up(bundle, f"channel {bundle.sent.channel} is no longer configured", "no-channel")
            elif bundle.sent.uncertain and bundle.sent.means in _ONCE:
                await self._give_up(bundle, "btimd stopped while it was sent; it may have arrived", "uncertain")
            else:
                lane.waiting.append(bundle)
                lane.waiting.sort(key=_urgency)

    async def _still_wanted(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        kept = []
        for notice in notices:
            if self._wanted(notice):
                kept.append(notice)
            else:
                await self._withdraw(notice)
        return kept

    async def _withdraw(self, notice: Notice) -> None:
        await self._book.notice_withdrawn(notice.id, self._clock.wall())
        self._withdrawn.labels(notice.means.value).inc()

    async def _serve(self, lane: _Lane, now: UnixSeconds) -> UnixSeconds | None:
        """Start what may start, give up what may not; return when time alone changes something."""
        waiting, lane.waiting = lane.waiting, []
        lost: list[tuple[Bundle, str, str]] = []
        gone: list[Bundle] = []
        free = now
        for bundle in waiting:
            if not any(map(self._wanted, bundle.told)):
                gone.append(bundle)
            elif bundle.sent.expires_at <= now:
                lost.append((bundle, "expired before it could be sent", "expired"))
            elif not lane.breaker.may_send(now):
                lost.append((bundle, f"{lane.sender.name} is held back: {lane.breaker.reason}", "held-back"))
            elif len(lane.in_flight) >= lane.sender.max_in_flight or (free := lane.pace.free_at(now)) > now:
                lane.waiting.append(bundle)
            else:
                self._send(lane, bundle, now)
        try:
            while lost:
                await self._give_up(*lost[0])
                del lost[0]
            while gone:
                for notice in gone[0].told:
                    await self._withdraw(notice)
                del gone[0]
        finally:  # what a cancellation left is given back by `stop`
            lane.waiting += [*(bundle for bundle, _, _ in lost), *gone]
        times = [bundle.sent.expires_at for bundle in lane.waiting]
        return min([*times, free] if free > now else times, default=None)

    def _send(self, lane: _Lane, bundle: Bundle, now: UnixSeconds) -> None:
        lane.breaker = lane.breaker.sending()
        lane.pace.sent(now)
        task = asyncio.create_task(self._attempt(lane, bundle), name=f"itsm-notify-{bundle.sent.id}")
        lane.in_flight[task] = bundle
        task.add_done_callback(self._ended(lane))

    def _ended(self, lane: _Lane) -> Callable[[asyncio.Task[None]], None]:
        def ended(task: asyncio.Task[None]) -> None:
            lane.in_flight.pop(task, None)
            if not task.cancelled() and task.exception() is not None:
                self._failure = task.exception()
            self._wake.set()

        return ended

    async def _attempt(self, lane: _Lane, bundle: Bundle) -> None:
        try:
            result = await lane.sender.send(bundle.sent)
        except asyncio.CancelledError:
            await self._record(lane, bundle, SendResult(Outcome(OutcomeKind.UNCERTAIN, "btimd stopped meanwhile")))
            raise
        except Exception as error:  # noqa: BLE001  the panic barrier of this path: a bug costs one notice, counted
            # Neither text nor traceback: both may hold the address or the secret of a channel.
            self._log.error("notify-bug", channel=lane.sender.name, notice=bundle.sent.id, error=type(error).__name__)
            result = SendResult(Outcome(OutcomeKind.UNCERTAIN, f"internal error {type(error).__name__}"))
        await self._record(lane, bundle, result)

    async def _record(self, lane: _Lane, bundle: Bundle, result: SendResult) -> None:
        name, now, outcome = lane.sender.name, self._clock.wall(), result.outcome
        self._attempts.labels(name, outcome.kind.value).inc()
        was_open = lane.breaker.is_open
        lane.breaker = lane.breaker.after(outcome, now=now, chance=self._chance.random(), rules=self._rules)
        self._held_back.labels(name).set(1 if lane.breaker.is_open else 0)
        if was_open != lane.breaker.is_open:
            event = "channel-held-back" if lane.breaker.is_open else "channel-works-again"
            self._log.warning(event, channel=name, reason=outcome.detail)
        if outcome.kind is OutcomeKind.DELIVERED:
            await self._told(bundle, result, now)
            return
        error = f"{outcome.kind.value}: {outcome.detail}"[:ERROR_LIMIT]
        uncertain = outcome.kind in {OutcomeKind.UNCERTAIN, OutcomeKind.SERVER_ERROR}
        next_at = now + backoff_seconds(bundle.sent.attempts, self._chance.random(), self._rules)
        final = (
            outcome.kind in {OutcomeKind.REFUSED, OutcomeKind.PAUSED}
            or lane.breaker.is_open
            or (uncertain and bundle.sent.means in _ONCE)
            or bundle.sent.attempts >= TRIES
            or next_at >= bundle.sent.expires_at
        )
        if final:
            await self._give_up(bundle, error, outcome.kind.value, uncertain=uncertain)
            return
        for notice in bundle.told:
            await self._book.notice_again(notice.id, next_at=next_at, error=error, uncertain=uncertain)

    async def _told(self, bundle: Bundle, result: SendResult, now: UnixSeconds) -> None:
        for notice in bundle.told:
            folded = bundle.sent.id if notice.id != bundle.sent.id else ""
            await self._book.notice_told(
                notice.id, result.state, provider_id=result.provider_id, now=now, folded_into=folded
            )
            self._seconds.observe(max(now - notice.due_at, 0.0))
        self._folded.inc(len(bundle.told) - 1)

    async def _give_up(self, bundle: Bundle, error: str, reason: str, *, uncertain: bool = False) -> None:
        now = self._clock.wall()
        for notice in bundle.told:
            maybe = uncertain or notice.uncertain
            await self._book.notice_failed(notice.id, error=error, now=now, uncertain=maybe)
            self._failures.labels(notice.means.value, reason).inc()
            self._log.warning(
                "notice-failed", notice=notice.id, person=notice.person, means=notice.means.value, error=error
            )
            self._on_failed(replace(notice, state=NoticeState.FAILED, error=error, at=now, uncertain=maybe))

    async def _measure(self, now: UnixSeconds) -> None:
        if self._depth_at is not None and 0 <= now - self._depth_at < _LONGEST_WAIT:
            return
        self._depth_at = now
        for state, count in (await self._book.notice_depth()).items():
            self._depth.labels(state).set(count)


def _urgency(bundle: Bundle) -> int:
    return bundle.sent.priority
