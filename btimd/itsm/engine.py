"""The engine: takes one step of one incident at a time, durably, and tells whoever has to know.

It has no lock of its own: its owner (itsm.component) calls it for one thing after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.itsm import lifecycle
from btimd.itsm.effects import GuardedDispatcher, write_of
from btimd.itsm.moment import Dispatcher, LifecycleConfig
from btimd.itsm.register import IncidentNumbers, Register
from btimd.itsm.timers import TimerName
from btimd.itsm.triggers import ReportProblem, Trigger
from btimd.model.incident import CommandRefusedError, Incident, IncidentState, Priority, RefusalCode
from btimd.model.ports import IncidentWrite, Journal, OutboxMessage, Timer, TimerGoneError, VersionConflictError
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_ID_TRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Hearers:
    """Who is told: messages makes what targets are owed, on_step is told of every change after it is durable."""

    messages: Callable[[lifecycle.Step], Sequence[OutboxMessage]]
    on_step: Callable[[lifecycle.Step, IncidentWrite], None]


class Engine:
    """Incidents as the journal has them, and the one way in which they change."""

    def __init__(
        self,
        *,
        journal: Journal,
        config: LifecycleConfig,
        people: Dispatcher,
        hearers: Hearers,
        clock: Clock,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self.journal = journal
        self.config = config
        self.register = Register()
        self.numbers = IncidentNumbers()
        self.clock = clock
        self.log = log
        self._people = GuardedDispatcher(people, self._dispatcher_failed)
        self._hearers = hearers
        self._steps = metrics.counter(
            "btimd_itsm_steps_total", "What happened to incidents, by kind of timeline event", ("kind",)
        )
        self._fired = metrics.counter("btimd_itsm_timers_fired_total", "Timers of incidents that ran out", ("name",))
        self._tellings = metrics.counter(
            "btimd_itsm_tellings_total", "What somebody was to be told about incidents, by kind", ("kind",)
        )
        self._dispatcher_failures = metrics.counter(
            "btimd_itsm_dispatcher_failures_total", "Questions that the dispatcher failed to answer"
        )
        self._open = metrics.gauge("btimd_itsm_incidents_open", "Open incidents, by priority", ("priority",))
        self._stalled = metrics.gauge("btimd_itsm_incidents_stalled", "Open incidents that nobody can be given")

    def use(self, people: Dispatcher) -> None:
        """Ask another dispatcher from now on."""
        self._people = GuardedDispatcher(people, self._dispatcher_failed)

    def try_step(self, incident: Incident | None, trigger: Trigger) -> lifecycle.Step:
        """Return what a trigger would do; raises CommandRefusedError. Nothing is written."""
        return lifecycle.step(incident, trigger, self.clock.wall(), self.config, self._people)

    async def step(self, incident: Incident | None, trigger: Trigger, fired: Timer | None = None) -> Incident:
        """Do what a trigger does and return the incident; raises CommandRefusedError, or TimerGoneError for `fired`."""
        now = self.clock.wall()
        for _ in range(_ID_TRIES):
            step = lifecycle.step(incident, trigger, now, self.config, self._people)
            write = write_of(step, now=now, fired=fired, publish=self._hearers.messages)
            try:
                await self.journal.write_incident(write)
                break
            except VersionConflictError:
                if incident is not None or not isinstance(trigger, ReportProblem):
                    raise
                trigger = replace(trigger, incident_id=self.numbers.next(now))  # that id was given long ago
        else:
            raise RuntimeError(f"{_ID_TRIES} ids in a row were taken; the last was {trigger}")
        self._record(step, write)
        return step.incident

    def _record(self, step: lifecycle.Step, write: IncidentWrite) -> None:
        for event in step.events:
            self.register.record(step.incident, event)
            self._steps.labels(event.kind).inc()
            self.log.info(
                "incident",
                id=event.incident_id,
                kind=event.kind,
                state=event.to_state.value,
                priority=step.incident.priority.name,
                actor=event.actor,
            )
        for telling in write.tellings:
            self._tellings.labels(telling.kind.value).inc()
        self.count_open()
        self._hearers.on_step(step, write)

    async def fire(self, timer: Timer) -> None:
        """Do what a timer that ran out brings about, unless nothing waits for it any more."""
        incident = await self.incident(timer.incident_id)
        if incident is None or not _waits_for(incident, timer):
            await self.journal.drop_timer(timer)
            return
        try:
            await self.step(incident, lifecycle.TIMED[TimerName(timer.name)](), fired=timer)
        except (CommandRefusedError, TimerGoneError) as error:
            self.log.warning("timer-void", id=timer.incident_id, timer=timer.name, reason=str(error))
            await self.journal.drop_timer(timer)
            return
        self._fired.labels(timer.name).inc()

    async def incident(self, incident_id: str) -> Incident | None:
        """Return an incident, finished ones too."""
        return self.register.get(incident_id) or await self.journal.load_incident(incident_id)

    async def get(self, incident_id: str) -> Incident:
        """Return an incident; raises CommandRefusedError where there is none."""
        found = await self.incident(incident_id)
        if found is None:
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no incident {incident_id[:40]!r}")
        return found

    def count_open(self) -> None:
        """Bring the gauges up to date."""
        rows = [one for one in self.register.live() if one.state.is_open]
        for priority in Priority:
            self._open.labels(priority.name).set(sum(one.priority is priority for one in rows))
        self._stalled.set(sum(one.state is IncidentState.STALLED for one in rows))

    def _dispatcher_failed(self, error: Exception) -> None:
        self._dispatcher_failures.inc()
        self.log.error("dispatcher-failed", error=repr(error))


def _waits_for(incident: Incident, timer: Timer) -> bool:
    if timer.generation == 0:  # of a release that kept timers in the table alone
        return timer.name == TimerName.REOPEN and incident.state is IncidentState.RESOLVED
    return any((one.name, one.generation) == (timer.name, timer.generation) for one in incident.timers)
