"""The incident desk: takes verdicts and commands one at a time, keeps incidents in the journal, has targets told."""

import asyncio
import random as chances
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from typing_extensions import override

from btimd.itsm import lifecycle
from btimd.itsm.deadlines import PromiseOf, no_agreement
from btimd.itsm.emit.callbackdesk import CallbackDesk
from btimd.itsm.emit.cloudevents import messages_of
from btimd.itsm.emit.deliverydesk import DeliveryDesk
from btimd.itsm.emit.outgoing import Outgoing
from btimd.itsm.engine import Engine, Hearers
from btimd.itsm.moment import Dispatcher, NoDispatcher
from btimd.itsm.register import sorted_for_work
from btimd.itsm.reports import NothingSuppressed, Reports, Suppressor, Weights
from btimd.itsm.settings import ItsmSettings
from btimd.itsm.timers import TimerName
from btimd.itsm.triggers import AskSurvey, Observe, Reassess, Referenced, ReportClear, ReportProblem
from btimd.itsm.wishes import Asker, Wishes
from btimd.model.delivery import DeliveryStore, ExternalReference, ExternalUpdate
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    Difficulty,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentCommand,
    IncidentEvent,
    IncidentState,
    Signal,
    Urgency,
)
from btimd.model.ports import IncidentDesk, IncidentWrite, Journal, OutboxMessage
from btimd.model.service import Criticality
from btimd.model.sla import SlaState
from btimd.model.verdict import Verdict
from btimd.runtime.clock import Clock
from btimd.runtime.feed import Feed, FeedSubscription
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

T = TypeVar("T")

LIVE_LIMIT: Final = 10_000
_HISTORY_LIMIT: Final = 5_000
_TIMERS_AT_ONCE: Final = 100
_LONGEST_WAIT: Final = 15.0
_SHORTEST_WAIT: Final = 0.02
_STOP_WITHIN: Final = 4.0
_FAR_FUTURE: Final = 1e12


class IncidentComponent(Component, IncidentDesk):
    """Keeps incidents. Every change runs alone and to its end, also when its caller gives up waiting.

    on_incident: told of every change after it is durable. criticality: of a business, by id. sla: the states of these
    businesses, for those who are told. seen_again_seconds: after a start, until then trouble of an earlier run must
    have been seen again, unless settings.seen_again_within says another time.
    people: who can be given an incident; left out: incidents wait until somebody takes them. promise: what agreements
    say of an incident's times and service hours. on_tellings: somebody is to be told something; it waits in the journal
    (Journal.claim_tellings). on_events: told what each step added to a timeline, after it is durable. class_of: the
    class of work of what is wrong with a node, by id. delivery: what people see and change of delivery. suppressor:
    knows which reports shall make no incident.
    """

    def __init__(
        self,
        *,
        settings: ItsmSettings,
        journal: Journal,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        random: chances.Random,
        on_incident: Callable[[Incident], None],
        criticality: Callable[[str], Criticality] = lambda _: Criticality.NORMAL,
        sla: Callable[[Sequence[str]], Sequence[SlaState]] = lambda _: (),
        seen_again_seconds: float = 600.0,
        people: Dispatcher | None = None,
        promise: PromiseOf = no_agreement,
        on_tellings: Callable[[], None] = lambda: None,
        on_events: Callable[[Incident, Sequence[IncidentEvent]], None] = lambda _incident, _events: None,
        class_of: Callable[[str], str] = lambda _node: "",
        delivery: DeliveryStore | None = None,
        suppressor: Suppressor | None = None,
    ) -> None:
        self._settings = settings
        self._seen_again_seconds = seen_again_seconds
        self._journal = journal
        self._clock = clock
        self._log = log
        self._on_incident = on_incident
        self._on_tellings = on_tellings
        self._on_events = on_events
        self._sla = sla
        self._feed: Feed[str, Incident] = Feed(LIVE_LIMIT, keep=lambda incident: incident.state.is_open)
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._timer_wake = asyncio.Event()
        self._recall_at: float | None = None
        self._engine = Engine(
            journal=journal,
            config=replace(settings.lifecycle_config(promise), version=settings.policy_version()),
            people=people or NoDispatcher(),
            hearers=Hearers(self._messages, self._stepped),
            clock=clock,
            log=log,
            metrics=metrics,
        )
        weights = Weights(criticality, settings.impact_limits(), class_of)
        self._reports = Reports(self._engine, weights, suppressor or NothingSuppressed(), metrics)
        self._wishes = Wishes(self._engine, weights, metrics)
        self._outgoing = Outgoing(
            settings,
            journal,
            delivery,
            hears=self,
            on_update=self.external_update,
            on_reference=self._on_reference,
            metrics=metrics,
            clock=clock,
            log=log,
            chance=random,
        )

    @property
    @override
    def name(self) -> str:
        return "itsm"

    @override
    async def start(self) -> None:
        await self._outgoing.start()
        engine = self._engine
        for incident in await self._journal.load_incidents(only_open=False, limit=_HISTORY_LIMIT):
            engine.numbers.seen(incident.id)
        live = list(await self._journal.load_incidents(only_open=True, limit=LIVE_LIMIT))
        if len(live) == LIVE_LIMIT:
            self._log.warning("too-many-open-incidents", loaded=LIVE_LIMIT)
        for timer in await self._journal.timers_due(_FAR_FUTURE, LIVE_LIMIT * len(TimerName)):
            resolved = await self._journal.load_incident(timer.incident_id) if timer.name == TimerName.REOPEN else None
            if resolved is not None and resolved.state is IncidentState.RESOLVED:
                live.append(resolved)
        for incident in sorted(live, key=lambda one: one.opened_at):
            engine.register.restore(incident, await self._journal.load_events(incident.id))
            self._feed.publish(incident.id, incident)
        self._recall_at = self._clock.monotonic() + (self._settings.seen_again_within or self._seen_again_seconds)
        engine.count_open()

    @override
    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outgoing.run())
            group.create_task(self._run_timers())

    @override
    async def stop(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_STOP_WITHIN)
        await self._outgoing.stop()

    @override
    def health(self) -> ComponentHealth:
        trouble = self._outgoing.courier.trouble()
        return ComponentHealth(HealthLevel.WARNING if trouble else HealthLevel.OK, trouble)

    def wake(self) -> None:
        """Look at timers and outbox now; for clocks that are moved by hand."""
        self._timer_wake.set()
        self._outgoing.courier.wake()

    # Delivery.

    @property
    def delivery(self) -> DeliveryDesk:
        """Delivery as people see and change it; raises ValueError without a store of it."""
        if self._outgoing.desk is None:
            raise ValueError("there is no store of what people do to delivery")
        return self._outgoing.desk

    @property
    def callbacks(self) -> CallbackDesk:
        """What takes the calls of other systems."""
        return self._outgoing.callbacks

    # Reports.

    async def verdict(
        self,
        verdict: Verdict,
        assessment: ImpactAssessment,
        impact: Impact,
        urgency: Urgency,
        difficulty: Difficulty = Difficulty.LOW,
    ) -> Incident | None:
        """Take the end of a diagnosis, or a verdict that has grown; return the incident it became part of.

        None where it is suppressed.
        """
        return await self._alone(self._reports.verdict(verdict, assessment, impact, urgency, difficulty))

    def incident_of(self, verdict_id: str) -> str:
        """Return the live incident that a verdict is part of, "" where there is none."""
        return self._engine.register.owner_of(verdict_id)

    async def cleared(self, verdict: Verdict) -> None:
        """Take note that the symptoms of a verdict are gone."""
        await self._alone(self._reports.cleared(verdict))

    async def observed(self, business: str, text: str, notes: Mapping[str, str]) -> None:
        """Write what was seen of a business in trouble into its open incidents, and into one that opens soon after.

        What packets show is there in seconds, a diagnosis may take longer: an observation waits for ten minutes.
        """
        await self._alone(self._reports.observed(business, Observe(text=text, notes=notes)))

    async def noted(self, incident_id: str, text: str, notes: Mapping[str, str]) -> Incident | None:
        """Write what was found out into one live incident; None: nothing can happen to it any more."""
        return await self._alone(self._reports.noted(incident_id, Observe(text=text, notes=notes)))

    async def ask_survey(self, incident_id: str, *, reminder: bool) -> Incident:
        """Have the reporter of a dealt-with incident asked how content they are; raises CommandRefusedError."""
        return await self._alone(self._reports.survey(incident_id, AskSurvey(reminder=reminder)))

    async def report(self, report: ReportProblem, *, weigh: bool = False) -> Incident | None:
        """Take a report that is no diagnosis; return the incident it became part of, None where it is suppressed.

        report.incident_id is not looked at. Reports of one fingerprint are one incident as long as it lives. weigh:
        nobody has judged the impact, it is at least what the businesses that are hit make it.
        """
        return await self._alone(self._reports.report(report, weigh=weigh))

    async def report_cleared(self, fingerprint: str, symptoms: frozenset[str], clear: ReportClear) -> Incident | None:
        """Take note that symptoms are gone that `report` told of in its notes; None where no incident tells of them."""
        return await self._alone(self._reports.report_cleared(fingerprint, symptoms, clear))

    async def reassess(self, incident_id: str, news: Reassess) -> Incident | None:
        """Judge an open incident anew, as news.cause gave rise to it; None where there is none. No news, no event."""
        return await self._alone(self._reports.reassess(incident_id, news))

    # People and targets.

    async def people_changed(self, people: Dispatcher | None = None) -> int:
        """Try again to give away what stalled or never had groups; return for how many that will do.

        people: whom to ask from now on, where the rota or the groups were changed.
        """
        if people is not None:
            self._engine.use(people)
        return await self._alone(self._reports.people_changed())

    async def external_update(self, update: ExternalUpdate) -> str:
        """Take over what a person changed in a target's ticket; return what became of it, in a few words.

        What the life cycle refuses is refused for good: it is told, and not tried again.
        """
        try:
            incident = await self._alone(self._reports.external(update))
        except CommandRefusedError as refusal:
            return f"refused: {refusal}"
        return f"{incident.id} is {incident.state.value}"

    async def referenced(self, incident_id: str, target: str, reference: str) -> None:
        """Keep what a target calls an incident; asked again it writes nothing."""
        await self._alone(self._reports.referenced(incident_id, Referenced(target=target, reference=reference)))

    def open_incident_of(self, fingerprint: str) -> str:
        """Return the open incident of a cause, "" where there is none."""
        incident = self._engine.register.get(self._engine.register.owner_of_fingerprint(fingerprint))
        return incident.id if incident is not None and incident.state.is_open else ""

    def is_active(self, fingerprint: str) -> bool:
        """Tell whether an open incident says that this is wrong now."""
        incident = self._engine.register.get(self._engine.register.owner_of_fingerprint(fingerprint))
        return incident is not None and incident.state.is_open and incident.signal is Signal.ACTIVE

    async def _on_reference(self, reference: ExternalReference) -> None:
        """Let an incident know what a target calls it; the message has arrived, whatever comes of this."""
        incident = self._engine.register.get(reference.incident_id)
        known = () if incident is None else incident.references
        if any((one.target, one.reference) == (reference.target, reference.external_id) for one in known):
            return
        try:
            await self.referenced(reference.incident_id, reference.target, reference.external_id)
        except CommandRefusedError as refusal:
            self._log.info("reference-not-noted", incident=reference.incident_id, reason=str(refusal))

    # Commands and questions.

    @override
    async def command(
        self, command: IncidentCommand, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Incident:
        return await self._alone(self._wishes.command(command, Asker(actor, roles)))

    @override
    async def incidents(self, *, only_open: bool, business: str | None, limit: int) -> Sequence[Incident]:
        if only_open:
            found: Sequence[Incident] = [one for one in self._engine.register.live() if one.state.is_open]
        else:
            found = await self._journal.load_incidents(
                only_open=False, limit=limit if business is None else _HISTORY_LIMIT
            )
        chosen = [one for one in found if business is None or business in one.assessment.businesses]
        return sorted_for_work(chosen if only_open else chosen[:limit])[:limit]

    @override
    async def incident(self, incident_id: str) -> Incident | None:
        return await self._engine.incident(incident_id)

    def live(self, incident_id: str) -> Incident | None:
        """Return an incident that is not finished, as it stands now."""
        return self._engine.register.get(incident_id)

    @override
    async def timeline(self, incident_id: str) -> Sequence[IncidentEvent]:
        return await self._journal.load_events(incident_id)

    @override
    def allowed(
        self, incident: Incident, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Sequence[CommandKind]:
        return lifecycle.allowed_to(incident, actor, roles)

    @override
    def watch(self) -> FeedSubscription[str, Incident]:
        return self._feed.subscribe()

    # Time.

    async def _run_timers(self) -> None:
        await self._alone(self._reports.people_changed())  # the rota may have changed while it was down
        while True:
            self._timer_wake.clear()
            await self._alone(self._fire_due())
            next_at = await self._journal.next_timer_at()
            wait = _LONGEST_WAIT if next_at is None else next_at - self._clock.wall()
            try:
                async with asyncio.timeout(min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)):
                    await self._timer_wake.wait()
            except TimeoutError:
                pass

    async def _fire_due(self) -> None:
        for timer in await self._journal.timers_due(self._clock.wall(), _TIMERS_AT_ONCE):
            await self._engine.fire(timer)
        if self._recall_at is not None and self._clock.monotonic() >= self._recall_at:
            self._recall_at = None
            await self._reports.give_up_unconfirmed()

    # One step.

    async def _alone(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a change alone. It goes on when the caller is cancelled: half a change would split row and register."""

        async def locked() -> T:
            async with self._one_at_a_time:
                return await work

        task = asyncio.create_task(locked())
        self._running.add(task)
        task.add_done_callback(self._ran)
        return await asyncio.shield(task)

    def _ran(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; if nobody does, it needs no "never retrieved"

    def _messages(self, step: lifecycle.Step) -> Sequence[OutboxMessage]:
        event = step.events[-1]
        return messages_of(
            step.incident,
            event,
            diagnosis=self._engine.register.dossier(step.incident.id).after(event).diagnosis,
            targets=self._outgoing.told_of(step.incident),
            source=self._settings.source,
            sla=self._sla(step.incident.assessment.businesses),
            now=event.at,
        )

    def _stepped(self, step: lifecycle.Step, write: IncidentWrite) -> None:
        self._feed.publish(step.incident.id, step.incident)
        self._timer_wake.set()
        self._outgoing.courier.wake()
        self._on_events(step.incident, step.events)
        if write.tellings:
            self._on_tellings()
        self._on_incident(step.incident)
