"""The notice desk: what the engine owes to people becomes notices, and notices become messages, until somebody accepts.

A telling is claimed from the journal, planned, and its notices are written down in the transaction that ends it
(store.handover); only then is anything sent. What cannot be sent is replaced by another means; whom nobody can reach
is told to the lead of their group, then to the centre, and to whoever watches btimd's health.
"""

import asyncio
import json
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from btimd.daemon.noticeplans import NoticePlans, Written
from btimd.itsm.notify.channels import senders_of
from btimd.itsm.notify.estimates import Estimates
from btimd.itsm.notify.ladder import Health
from btimd.itsm.notify.notifier import Notifier, Sender
from btimd.itsm.notify.quiet import local_hour
from btimd.itsm.notify.screen import KEPT, Screen, ScreenSubscription
from btimd.itsm.notify.settings import NotifySettings
from btimd.itsm.outbox import DeliveryRules
from btimd.itsm.replay import ENDED_DISPATCH, OUTCOME
from btimd.model.duty import People
from btimd.model.incident import DispatchOutcome, Incident, IncidentEvent
from btimd.model.notification import AcceptTime, Means, Notice, NoticeKind, NoticeState
from btimd.model.ports import Journal, Telling
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.handover import NoticeTable

STATE_NAME: Final = "accept-times"
_AT_ONCE: Final = 64
_LONGEST_WAIT: Final = 15.0
_SHORTEST_WAIT: Final = 0.005
_SAVE_SECONDS: Final = 5.0
_LOOKED_BACK: Final = 900.0
"""After a start, what failed so lately is looked at again: the process may have died before it was replaced."""
_TIDY_SECONDS: Final = 3600.0
_SHOWN_SECONDS: Final = 86_400.0
_SILENCE_LOOKED_AT: Final = 60.0
_TROUBLE_PAUSE: Final = 30.0
_REACHED: Final = frozenset({NoticeState.ACCEPTED_BY_GATEWAY, NoticeState.DELIVERED, NoticeState.READ})


class Incidents(Protocol):
    """What the desk asks of those who keep incidents."""

    async def incident(self, incident_id: str) -> Incident | None:
        """Return one incident."""
        ...

    def live(self, incident_id: str) -> Incident | None:
        """Return an incident that is not finished, as it stands now."""
        ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """Channels that have started, ready to take over."""

    settings: NotifySettings
    renotify: tuple[Seconds, ...]
    notifier: Notifier


@dataclass(frozen=True, slots=True)
class _Ended:
    """An order that ended, for learning."""

    incident_id: str
    dispatch_id: str
    at: UnixSeconds
    accepted: bool


class NoticeDesk:
    """A Component. held_until: until when a silence keeps an incident from people, None = none does.

    names: of businesses by id. renotify: of P1 to P5, how soon the engine repeats an order.
    """

    name = "itsm.notices"

    def __init__(
        self,
        settings: NotifySettings,
        people: People,
        *,
        renotify: tuple[Seconds, ...],
        delivery: DeliveryRules,
        journal: Journal,
        table: NoticeTable,
        incidents: Incidents,
        names: Callable[[str], str],
        metrics: Metrics,
        clock: Clock,
        log: Log,
        chance: random.Random,
        held_until: Callable[[Incident, UnixSeconds], UnixSeconds | None] = lambda _incident, _now: None,
    ) -> None:
        self.settings, self.people = settings, people
        self.screen = Screen(clock, wanted=self.is_wanted)
        self.table = table
        self._delivery = delivery
        self._journal, self._incidents = journal, incidents
        self._held_until = held_until
        self._metrics, self._clock, self._log, self._chance = metrics, clock, log, chance
        self.estimates = Estimates()
        self._learned = False
        self._saved_at = -_SAVE_SECONDS
        self._failed: deque[Notice] = deque()
        self._ended: deque[_Ended] = deque()
        self._opened: set[str] = set()
        self._recovered = False
        self._tidied_at: float | None = None
        self._trouble = ""
        self._unreached: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._renotify = renotify
        self._notifier = self._notifier_of(settings, senders_of(settings, clock))
        self._swap: asyncio.Queue[Notifier] = asyncio.Queue()
        self.plans = NoticePlans(
            settings, people, renotify, journal=journal, table=table, incidents=incidents, names=names, clock=clock
        )
        self._handed = metrics.counter(
            "btimd_itsm_notify_tellings_total", "Tellings by what became of them.", ("kind", "outcome")
        )
        self._alarms = metrics.counter(
            "btimd_itsm_notify_unreachable_total",
            "Tellings whose addressee could not be reached, by who it was.",
            ("who",),
        )
        self._unreached_now = metrics.gauge(
            "btimd_itsm_notify_unreached", "Live incidents of which nobody could be told at the last try."
        )
        self._bugs = metrics.counter("btimd_itsm_notify_plan_failures_total", "Tellings that could not be planned.")

    def _notifier_of(self, settings: NotifySettings, senders: Sequence[Sender]) -> Notifier:
        return Notifier(
            book=self.table,
            senders=senders,
            screen=self.screen,
            rules=self._delivery,
            sms_parts=settings.sms_parts,
            metrics=self._metrics,
            clock=self._clock,
            log=self._log,
            chance=self._chance,
            on_failed=self._on_failed,
            wanted=self.is_wanted,
        )

    # The life of a component.

    async def start(self) -> None:
        """Take back what was learned, start the channels; raises ValueError for wrong settings of one."""
        saved = await self._journal.load_state(STATE_NAME)
        if saved is not None:
            try:
                self.estimates = Estimates.from_document(json.loads(saved))
            except ValueError as error:
                self._trouble = f"the saved times to accept could not be read and begin anew: {error}"
                self._log.error("accept-times-begin-anew", error=str(error))
        now = self._clock.wall()
        self.screen.restore(await self.table.on_screens(now - _SHOWN_SECONDS, KEPT))
        await self._notifier.start()

    async def run(self) -> None:
        """Tell people until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send())
            group.create_task(self._plan())

    async def stop(self) -> None:
        """Let what is on its way arrive, save what was learned; may be called twice."""
        await self._notifier.stop()
        await self._save(force=True)

    def health(self) -> ComponentHealth:
        """Say which channels are left alone, and of which incidents nobody could be told."""
        unreached = "; ".join(f"{name}: {why}" for name, why in list(self._unreached.items())[:3])
        text = "; ".join(one for one in (unreached, self._notifier.trouble(), self._trouble) if one)
        return ComponentHealth(HealthLevel.WARNING if text else HealthLevel.OK, text)

    def wake(self) -> None:
        """Look at the journal and the book now."""
        self._wake.set()
        self._notifier.wake()

    # Reload.

    async def prepare(self, settings: NotifySettings, renotify: tuple[Seconds, ...]) -> Prepared | None:
        """Start the channels of other settings; raises ValueError. None: nothing is different."""
        if settings == self.settings and renotify == self._renotify:
            return None
        notifier = self._notifier_of(settings, senders_of(settings, self._clock))
        try:
            await notifier.start()
        except ValueError:
            await notifier.stop()
            raise
        return Prepared(settings, renotify, notifier)

    async def give_up(self, prepared: Prepared | None) -> None:
        """Let go of channels that shall not take over after all."""
        if prepared is not None:
            await prepared.notifier.stop()

    def swap(self, prepared: Prepared | None, people: People) -> None:
        """Go on with other people, and with other channels where they were prepared."""
        self.people = people
        if prepared is not None:
            self.settings, self._renotify = prepared.settings, prepared.renotify
            self._swap.put_nowait(prepared.notifier)
        self.plans.swap(self.settings, people, self._renotify)
        self.wake()

    # What others ask.

    def is_wanted(self, notice: Notice) -> bool:
        """Tell whether a notice is still of use: an order is until it was accepted, or went to somebody else."""
        if notice.kind not in {NoticeKind.ORDER, NoticeKind.REMINDER}:
            return True
        incident = self._incidents.live(notice.incident_id)
        made = None if incident is None else incident.dispatch
        return made is not None and made.id == notice.dispatch_id

    def watch_screen(self, person: str) -> ScreenSubscription:
        """Open a person's screen; what waited for it counts as delivered."""
        if person:
            self._opened.add(person)
            self._wake.set()
        return self.screen.watch(person)

    async def add(self, *notices: Notice) -> None:
        """Send notices that no telling stands for: answers and tests. A known id is left alone."""
        await self.table.add_notices(notices)
        self._notifier.wake()

    def closed(self) -> Mapping[str, str]:
        """Return the channels that are left alone now, and why."""
        return self._notifier.health(self._clock.wall()).closed

    def followed(self, incident: Incident, events: Sequence[IncidentEvent]) -> None:
        """Take what happened to an incident: an order that ended teaches how soon its person accepts."""
        for event in events:
            dispatch_id = event.details.get(ENDED_DISPATCH, "")
            outcome = event.details.get(OUTCOME, "")
            if dispatch_id and outcome in {DispatchOutcome.ACCEPTED, DispatchOutcome.TIMEOUT}:
                accepted = outcome == DispatchOutcome.ACCEPTED
                self._ended.append(_Ended(incident.id, dispatch_id, event.at, accepted))
        if not incident.state.is_open and self._unreached.pop(incident.id, ""):
            self._unreached_now.set(len(self._unreached))
        self.wake()

    # The two loops.

    async def _send(self) -> None:
        """Run the notifier, and another one after a reload; what the old one did not send the new one claims."""
        while True:
            sending = asyncio.create_task(self._notifier.run())
            waiting = asyncio.create_task(self._swap.get())
            try:
                await asyncio.wait({sending, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()  # raises: it never ends by itself
                following = await waiting
            finally:
                sending.cancel()
                waiting.cancel()
                await asyncio.gather(sending, waiting, return_exceptions=True)
            previous, self._notifier = self._notifier, following
            await previous.stop()

    async def _plan(self) -> None:
        while True:
            self._wake.clear()
            await self._look()
            next_at = await self._journal.next_telling_at()
            wait = _LONGEST_WAIT if next_at is None else next_at - self._clock.wall()
            if self._learned:
                wait = min(wait, _SAVE_SECONDS)
            try:
                async with asyncio.timeout(min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _look(self) -> None:
        """Do all that is due."""
        if not self._recovered:
            self._recovered = True
            self._failed.extend(await self.table.failed_since(self._clock.wall() - _LOOKED_BACK))
        while tellings := await self._journal.claim_tellings(self._clock.wall(), _AT_ONCE):
            # What goes to one addressee is planned in turn, as each plan goes by what the one before decided.
            lines: dict[str, list[Telling]] = defaultdict(list)
            for telling in tellings:
                lines[telling.recipient].append(telling)
            await asyncio.gather(*map(self._hand_over_all, lines.values()))
        while self._failed:
            await self._replace(self._failed[0])
            self._failed.popleft()
        while self._opened:
            await self.table.shown_to(self._opened.pop(), self._clock.wall())
        while self._ended:
            await self._learn(self._ended[0])
            self._ended.popleft()
        await self._save()
        await self._tidy()

    async def _hand_over_all(self, tellings: Sequence[Telling]) -> None:
        for telling in tellings:
            await self._hand_over(telling)
            self._notifier.wake()

    async def _hand_over(self, telling: Telling) -> None:
        now = self._clock.wall()
        until = await self._silent_until(telling, now)
        if until is not None:
            await self._journal.telling_failed(telling.id, next_at=until, error="a silence holds it back")
            self._handed.labels(telling.kind.value, "held").inc()
            return
        try:
            made = await self.plans.of_telling(telling, await self._health(), self.estimates)
        except Exception as error:  # noqa: BLE001  one telling that cannot be planned must not keep the others from people
            self._bugs.inc()
            self._log.exception("telling-not-planned", telling=telling.id, kind=telling.kind.value)
            next_at = now + _TROUBLE_PAUSE
            await self._journal.telling_failed(telling.id, next_at=next_at, error=f"{type(error).__name__}: {error}")
            return
        self._note(telling.incident_id, made)
        await self.table.hand_over(telling.id, made.notices, now=now, again_at=made.again_at, error=made.error)
        outcome = "owed" if made.again_at is not None else "told" if made.notices else "nobody"
        self._handed.labels(telling.kind.value, outcome).inc()

    async def _silent_until(self, telling: Telling, now: UnixSeconds) -> UnixSeconds | None:
        """Return when a telling is to be looked at again because of a silence; one may be ended before its time."""
        incident = await self._incidents.incident(telling.incident_id)
        until = None if incident is None else self._held_until(incident, now)
        return None if until is None else min(until, now + _SILENCE_LOOKED_AT)

    def _note(self, incident_id: str, made: Written) -> None:
        for who, reason in made.alarms:
            self._alarms.labels(who).inc()
            self._log.error("not-reached", incident=incident_id, who=who, reason=reason)
        if made.nobody:
            self._unreached[incident_id] = made.nobody
        elif made.notices:
            self._unreached.pop(incident_id, None)
        self._unreached_now.set(len(self._unreached))

    def _on_failed(self, notice: Notice) -> None:
        self._failed.append(notice)
        self._wake.set()

    async def _replace(self, failed: Notice) -> None:
        """Tell in another way what could not be sent."""
        made = await self.plans.in_place_of(failed, await self._health(), self.estimates)
        if made is None or not self.is_wanted(failed):
            return
        self._note(failed.incident_id, made)
        if made.notices:
            await self.table.add_notices(made.notices)
            self._notifier.wake()

    async def _health(self) -> Health:
        now = self._clock.wall()
        spent = await self.table.spent_since(now - 86_400.0) if self.settings.cost_cap_per_day is not None else 0.0
        return self._notifier.health(now, spent)

    # Learning.

    async def _learn(self, ended: _Ended) -> None:
        found = await self.table.told_lately(ended.dispatch_id, (), 0.0)
        first: dict[tuple[str, Means], UnixSeconds] = {}
        for one in found:
            if one.kind not in {NoticeKind.ORDER, NoticeKind.REMINDER}:
                continue
            shown = one.means is not Means.SCREEN or one.state in {NoticeState.DELIVERED, NoticeState.READ}
            if one.state in _REACHED and shown:
                first.setdefault((one.person, one.means), one.due_at)
        for (person, means), at in first.items():
            known = self.people.persons.get(person)
            zone = "UTC" if known is None else known.timezone
            seconds = max(ended.at - at, 0.0)
            self.estimates = self.estimates.learned(
                AcceptTime(person, means, local_hour(zone, at), seconds, censored=not ended.accepted)
            )
            self._learned = True

    async def _save(self, *, force: bool = False) -> None:
        now = self._clock.monotonic()
        if self._learned and (force or now - self._saved_at >= _SAVE_SECONDS):
            self._learned, self._saved_at = False, now
            body = json.dumps(self.estimates.to_document(), ensure_ascii=False, separators=(",", ":")).encode()
            await self._journal.save_state(STATE_NAME, body)

    async def _tidy(self) -> None:
        now = self._clock.monotonic()
        if self._tidied_at is None or now - self._tidied_at >= _TIDY_SECONDS:
            self._tidied_at = now
            await self.table.forget(self._clock.wall() - self.settings.keep)
