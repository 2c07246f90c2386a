"""The incident desk: takes verdicts and commands one at a time, keeps incidents in the journal, has targets told."""

import asyncio
import random as chances
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from typing_extensions import override

from btimd.itsm import diagnosis, lifecycle, merge
from btimd.itsm.commands import check_command, check_version, manual_report, trigger_of
from btimd.itsm.emit.cloudevents import messages_of
from btimd.itsm.emit.courier import Courier
from btimd.itsm.emit.webhook import Webhook
from btimd.itsm.priority import impact_of
from btimd.itsm.register import IncidentNumbers, Register, sorted_for_work
from btimd.itsm.replay import CHILD_FINGERPRINT, CHILD_ID, PARENT_ID, SYMPTOMS, SYMPTOMS_GONE
from btimd.itsm.settings import ItsmSettings
from btimd.itsm.triggers import Absorb, MergeInto, Observe, ReopenTimeOver, ReportClear, ReportProblem, Trigger
from btimd.model.incident import (
    CommandKind,
    CommandRefusedError,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentCommand,
    IncidentEvent,
    IncidentState,
    Priority,
    RefusalCode,
    Urgency,
)
from btimd.model.ports import IncidentDesk, IncidentWrite, Journal, OutboxMessage, VersionConflictError
from btimd.model.service import Criticality
from btimd.model.sla import SlaState
from btimd.model.units import UnixSeconds
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
_ID_TRIES: Final = 100
_FAR_FUTURE: Final = 1e12
_OBSERVATIONS: Final = 64
_OBSERVATION_SECONDS: Final = 600.0


class IncidentComponent(Component, IncidentDesk):
    """Keeps incidents. Every change runs alone and to its end, also when its caller gives up waiting.

    on_incident: told of every change after it is durable. criticality: of a business, by id. sla: the states of these
    businesses, for those who are told. seen_again_seconds: after a start, until then trouble of an earlier run must
    have been seen again, unless settings.seen_again_within says another time.
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
    ) -> None:
        self._settings = settings
        self._seen_again_seconds = seen_again_seconds
        self._config = settings.lifecycle_config()
        self._limits = settings.impact_limits()
        self._journal = journal
        self._clock = clock
        self._log = log
        self._on_incident = on_incident
        self._criticality = criticality
        self._sla = sla
        self._register = Register()
        self._numbers = IncidentNumbers()
        self._feed: Feed[str, Incident] = Feed(LIVE_LIMIT, keep=lambda incident: incident.state.is_open)
        self._observations: deque[tuple[UnixSeconds, str, Observe]] = deque(maxlen=_OBSERVATIONS)
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._timer_wake = asyncio.Event()
        self._recall_at: float | None = None
        self._targets = tuple(settings.webhook)
        self._courier = Courier(
            journal=journal,
            targets=[Webhook(name, target, clock) for name, target in settings.webhook.items()],
            rules=settings.delivery_rules(),
            metrics=metrics,
            clock=clock,
            log=log,
            chance=random,
        )
        self._steps = metrics.counter(
            "btimd_itsm_steps_total", "What happened to incidents, by kind of timeline event", ("kind",)
        )
        self._refused = metrics.counter("btimd_itsm_commands_refused_total", "Commands refused, by reason", ("code",))
        self._unmatched = metrics.counter(
            "btimd_itsm_clears_unmatched_total", "Reports that trouble is over of which no live incident tells"
        )
        self._open = metrics.gauge("btimd_itsm_incidents_open", "Open incidents, by priority", ("priority",))

    @property
    @override
    def name(self) -> str:
        return "itsm"

    @override
    async def start(self) -> None:
        await self._courier.start()
        for incident in await self._journal.load_incidents(only_open=False, limit=_HISTORY_LIMIT):
            self._numbers.seen(incident.id)
        live = list(await self._journal.load_incidents(only_open=True, limit=LIVE_LIMIT))
        if len(live) == LIVE_LIMIT:
            self._log.warning("too-many-open-incidents", loaded=LIVE_LIMIT)
        for timer in await self._journal.timers_due(_FAR_FUTURE, LIVE_LIMIT):
            resolved = await self._journal.load_incident(timer.incident_id)
            if resolved is not None and resolved.state is IncidentState.RESOLVED:
                live.append(resolved)
        for incident in sorted(live, key=lambda one: one.opened_at):
            self._register.restore(incident, await self._journal.load_events(incident.id))
            self._feed.publish(incident.id, incident)
        self._recall_at = self._clock.monotonic() + (self._settings.seen_again_within or self._seen_again_seconds)
        self._count_open()

    @override
    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._courier.run())
            group.create_task(self._run_timers())

    @override
    async def stop(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_STOP_WITHIN)
        await self._courier.stop()

    @override
    def health(self) -> ComponentHealth:
        trouble = self._courier.trouble()
        return ComponentHealth(HealthLevel.WARNING if trouble else HealthLevel.OK, trouble)

    def wake(self) -> None:
        """Look at timers and outbox now; for clocks that are moved by hand."""
        self._timer_wake.set()
        self._courier.wake()

    # Reports.

    async def verdict(
        self, verdict: Verdict, assessment: ImpactAssessment, impact: Impact, urgency: Urgency
    ) -> Incident:
        """Take the end of a diagnosis, or a verdict that has grown; return the incident it became part of."""
        return await self._alone(self._verdict(verdict, assessment, impact, urgency))

    def incident_of(self, verdict_id: str) -> str:
        """Return the live incident that a verdict is part of, "" where there is none."""
        return self._register.owner_of(verdict_id)

    async def cleared(self, verdict: Verdict) -> None:
        """Take note that the symptoms of a verdict are gone."""
        await self._alone(self._cleared(verdict))

    async def observed(self, business: str, text: str, notes: Mapping[str, str]) -> None:
        """Write what was seen of a business in trouble into its open incidents, and into one that opens soon after.

        What packets show is there in seconds, a diagnosis may take longer: an observation waits for ten minutes.
        """
        await self._alone(self._observed(business, Observe(text=text, notes=notes)))

    async def _observed(self, business: str, seen: Observe) -> None:
        now = self._clock.wall()
        self._observations.append((now, business, seen))
        for incident in self._register.live():
            if incident.state.is_open and business in incident.assessment.businesses:
                await self._step(incident, seen, now)

    async def _verdict(
        self, verdict: Verdict, assessment: ImpactAssessment, impact: Impact, urgency: Urgency
    ) -> Incident:
        now = self._clock.wall()
        await self._journal.save_verdict(verdict.id, verdict.ended_at, diagnosis.verdict_json(verdict))
        known = self._register.find(verdict)
        if known is not None and lifecycle.reopen_time_is_over(known, now, self._config):
            await self._step(known, ReopenTimeOver(), now)
            known = None
        report = diagnosis.report_of(
            verdict,
            incident_id=self._numbers.next(now) if known is None else known.id,
            assessment=assessment,
            impact=min(impact, impact_of(assessment, self._criticality, self._limits)),
            urgency=urgency,
        )
        if known is not None and known.fingerprint != report.fingerprint:  # a child's cause; the parent has its own
            report = replace(report, notes={SYMPTOMS: report.notes[SYMPTOMS]})
        if known is not None:
            forgotten = self._register.take_unconfirmed(known.id) - diagnosis.symptom_lines(verdict)
            if forgotten:
                report = replace(report, notes={**report.notes, SYMPTOMS_GONE: "\n".join(sorted(forgotten))})
        incident = await self._step(known, report, now)
        if known is None:
            for at, business, seen in tuple(self._observations):
                if now - at < _OBSERVATION_SECONDS and business in assessment.businesses:
                    incident = await self._step(incident, seen, now)
        for other in self._register.live():
            if other.id != incident.id and other.state.is_open and merge.explains(verdict, other.fingerprint):
                reason = f"diagnosis {verdict.id} found its cause"
                await self._merge(other, MergeInto(parent=incident, reason=reason))
        return self._register.get(incident.id) or incident

    async def _cleared(self, verdict: Verdict) -> None:
        incident = self._register.find(verdict)
        if incident is None:
            self._unmatched.inc()
            return
        await self._clear(incident, diagnosis.symptom_lines(verdict), ReportClear(remaining=0))

    async def _clear(self, incident: Incident, gone: frozenset[str], report: ReportClear) -> None:
        known = self._register.dossier(incident.id).symptoms
        gone = known & (gone | self._register.take_unconfirmed(incident.id))
        notes = {SYMPTOMS_GONE: "\n".join(sorted(gone))} if gone else {}
        await self._step(incident, replace(report, remaining=len(known - gone), notes=notes), self._clock.wall())

    # Commands and questions.

    @override
    async def command(self, command: IncidentCommand, actor: str) -> Incident:
        return await self._alone(self._command(command, actor))

    async def _command(self, command: IncidentCommand, actor: str) -> Incident:
        try:
            check_command(command)
            done_on = await self._journal.find_command(command.command_id)
            if done_on is not None:
                return await self._get(done_on)
            if command.kind is CommandKind.CREATE:
                return await self._create(command, actor)
            incident = await self._get(command.incident_id)
            check_version(command, incident)
            parent = await self._get(command.parent_id) if command.parent_id else None
            trigger = trigger_of(command, actor, parent)
            if isinstance(trigger, MergeInto):
                return await self._merge(incident, trigger)
            return await self._step(incident, trigger, self._clock.wall())
        except CommandRefusedError as refusal:
            self._refused.labels(refusal.code.value).inc()
            raise

    async def _create(self, command: IncidentCommand, actor: str) -> Incident:
        now = self._clock.wall()
        hit = ImpactAssessment(businesses=command.businesses)
        impact = impact_of(hit, self._criticality, self._limits)
        report = manual_report(command, actor, incident_id=self._numbers.next(now), impact=impact, now=now)
        return await self._step(None, report, now)

    async def _merge(self, child: Incident, wish: MergeInto) -> Incident:
        """Let the parent take the child in, then end the child; a crash between is made good by asking again."""
        wish = replace(wish, notes={PARENT_ID: wish.parent.id})
        now = self._clock.wall()
        lifecycle.step(child, wish, now, self._config)  # refuses before anything is written
        if child.id not in self._register.dossier(wish.parent.id).children:
            symptoms = "\n".join(sorted(self._register.dossier(child.id).symptoms))
            notes = {CHILD_ID: child.id, CHILD_FINGERPRINT: child.fingerprint, SYMPTOMS: symptoms}
            absorb = Absorb(actor=wish.actor, child=child, reason=f"{child.id} is part of this", notes=notes)
            await self._step(wish.parent, absorb, now)
        self._register.hand_over(child.id, wish.parent.id)
        return await self._step(child, wish, now)

    async def _get(self, incident_id: str) -> Incident:
        found = await self.incident(incident_id)
        if found is None:
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no incident {incident_id[:40]!r}")
        return found

    @override
    async def incidents(self, *, only_open: bool, business: str | None, limit: int) -> Sequence[Incident]:
        if only_open:
            found: Sequence[Incident] = [one for one in self._register.live() if one.state.is_open]
        else:
            found = await self._journal.load_incidents(
                only_open=False, limit=limit if business is None else _HISTORY_LIMIT
            )
        chosen = [one for one in found if business is None or business in one.assessment.businesses]
        return sorted_for_work(chosen if only_open else chosen[:limit])[:limit]

    @override
    async def incident(self, incident_id: str) -> Incident | None:
        return self._register.get(incident_id) or await self._journal.load_incident(incident_id)

    @override
    async def timeline(self, incident_id: str) -> Sequence[IncidentEvent]:
        return await self._journal.load_events(incident_id)

    @override
    def watch(self) -> FeedSubscription[str, Incident]:
        return self._feed.subscribe()

    # Time.

    async def _run_timers(self) -> None:
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
        now = self._clock.wall()
        for timer in await self._journal.timers_due(now, _TIMERS_AT_ONCE):
            incident = await self.incident(timer.incident_id)
            if incident is not None and incident.state is IncidentState.RESOLVED:
                await self._step(incident, ReopenTimeOver(), now)
        if self._recall_at is not None and self._clock.monotonic() >= self._recall_at:
            self._recall_at = None
            for incident_id in self._register.unconfirmed:
                incident = self._register.get(incident_id)
                if incident is not None:
                    reason = "it was not seen again after btimd was restarted"
                    await self._clear(incident, frozenset(), ReportClear(remaining=0, reason=reason))

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

    async def _step(self, incident: Incident | None, trigger: Trigger, now: UnixSeconds) -> Incident:
        for _ in range(_ID_TRIES):
            step = lifecycle.step(incident, trigger, now, self._config)
            try:
                await self._journal.write_incident(self._write_of(step, now))
                break
            except VersionConflictError:
                if incident is not None or not isinstance(trigger, ReportProblem):
                    raise
                trigger = replace(trigger, incident_id=self._numbers.next(now))  # that id was given long ago
        else:
            raise RuntimeError(f"{_ID_TRIES} ids in a row were taken; the last was {trigger}")
        for event in step.events:
            self._register.record(step.incident, event)
            self._steps.labels(event.kind).inc()
            self._log.info(
                "incident",
                id=event.incident_id,
                kind=event.kind,
                state=event.to_state.value,
                priority=step.incident.priority.name,
                actor=event.actor,
            )
        self._feed.publish(step.incident.id, step.incident)
        self._count_open()
        self._timer_wake.set()
        self._courier.wake()
        self._on_incident(step.incident)
        return step.incident

    def _write_of(self, step: lifecycle.Step, now: UnixSeconds) -> IncidentWrite:
        timers: dict[str, UnixSeconds | None] = {}
        messages: list[OutboxMessage] = []
        for effect in step.effects:
            match effect:
                case lifecycle.StartTimer(name, due_at):
                    timers[name] = due_at
                case lifecycle.StopTimer(name):
                    timers[name] = None
                case lifecycle.Publish():
                    messages += messages_of(
                        step.incident,
                        step.events[-1],
                        diagnosis=self._register.dossier(step.incident.id).after(step.events[-1]).diagnosis,
                        targets=self._targets,
                        source=self._settings.source,
                        sla=self._sla(step.incident.assessment.businesses),
                        now=now,
                    )
        return IncidentWrite(step.incident, step.events, tuple(messages), MappingProxyType(timers))

    def _count_open(self) -> None:
        states = [one.priority for one in self._register.live() if one.state.is_open]
        for priority in Priority:
            self._open.labels(priority.name).set(states.count(priority))
