"""The circumstances of a step: the time, the operator's rules, the people there are; and what a step may ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from btimd.itsm import priority
from btimd.itsm.deadlines import Calendar, Limit, PromiseOf, TimerRules, no_agreement
from btimd.model.incident import Incident, Priority
from btimd.model.ports import TellKind
from btimd.model.units import Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class LifecycleConfig:
    """What the operator decides about the life of incidents.

    reopen_within: one time for all priorities instead of timers.reopen. digest_seconds: targets are told of repeated
    reports at most so often. max_candidates: orders at one level before the next level is asked. max_returns: by
    handlers, of one incident. dispatch_cleared: orders go out also for what cleared by itself. pending_stops_clock: the
    clock of the resolution stands still while somebody else is waited for. escalate_*_percent: at that mark of a
    promise (50, 75, 90, 100) the next level gets it; 0: never. closing_fields: of ClosingReport, that must be filled
    in. version: names this configuration in every event, so that it shows which rules a step went by.
    """

    reopen_within: Seconds | None = None
    auto_resolve: bool = True
    matrix: priority.Matrix = field(default_factory=lambda: priority.ITIL_MATRIX)
    timers: TimerRules = field(default_factory=TimerRules)
    promise: PromiseOf = no_agreement
    digest_seconds: Seconds = 300.0
    max_candidates: int = 3
    max_returns: int = 3
    dispatch_cleared: bool = False
    pending_stops_clock: bool = False
    escalate_response_percent: int = 0
    escalate_resolution_percent: int = 0
    closing_fields: tuple[str, ...] = ()
    version: str = ""

    def reopen_seconds(self, of: Priority) -> Seconds:
        """Return how long after its resolution an incident can come back."""
        return self.timers.seconds(Limit.REOPEN, of) if self.reopen_within is None else self.reopen_within

    def calendar(self, incident: Incident) -> Calendar:
        """Return the service hours of an incident."""
        return self.promise(incident).calendar

    def promised(self, incident: Incident) -> tuple[Seconds, Seconds]:
        """Return the seconds to respond and to resolve that are promised for an incident; 0: nothing is."""
        promise = self.promise(incident)
        response, resolution = promise.response_seconds, promise.resolution_seconds
        return (
            self.timers.seconds(Limit.RESPONSE, incident.priority) if response is None else response,
            self.timers.seconds(Limit.RESOLUTION, incident.priority) if resolution is None else resolution,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom a dispatcher chose, person "" for nobody, and why: the whole table of what it weighed, as text."""

    person: str = ""
    group: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """What a level of an escalation path, or its group, says of orders; None: as the general rules say.

    accept_seconds: the time to accept one. renotify_seconds: between reminders. max_candidates: how many are asked
    before the next level is. forced_to: the level that a forced escalation goes to; beyond the last: nobody is left.
    """

    accept_seconds: Seconds | None = None
    renotify_seconds: Seconds | None = None
    max_candidates: int | None = None
    forced_to: int | None = None


class Dispatcher(Protocol):
    """Knows the people. Every answer is a pure function of its arguments and a snapshot; it never waits."""

    def levels(self, incident: Incident, now: UnixSeconds) -> int:
        """Return how many levels the escalation path of an incident has; 0: there are no groups for it."""
        ...

    def decide(self, incident: Incident, level: int, excluded: frozenset[str], now: UnixSeconds) -> Choice:
        """Return who at a level (from 1) should get an incident."""
        ...

    def limits(self, incident: Incident, level: int) -> OrderLimits:
        """Return what is said of orders at a level of an incident's path."""
        ...

    def transfer_candidates(self, incident: Incident, now: UnixSeconds) -> Sequence[str] | None:
        """Return the peers its handler may hand an incident to; None: anybody."""
        ...

    def on_duty(self, person: str, now: UnixSeconds) -> bool | None:
        """Tell whether a person is on duty; None: nobody of that name is known."""
        ...


class NoDispatcher:
    """The dispatcher of those who have named no groups: incidents wait until somebody takes them."""

    def levels(self, _incident: Incident, _now: UnixSeconds) -> int:
        """Return 0."""
        return 0

    def decide(self, _incident: Incident, _level: int, _excluded: frozenset[str], _now: UnixSeconds) -> Choice:
        """Return nobody."""
        return Choice()

    def limits(self, _incident: Incident, _level: int) -> OrderLimits:
        """Return that the general rules hold."""
        return OrderLimits()

    def transfer_candidates(self, _incident: Incident, _now: UnixSeconds) -> Sequence[str] | None:
        """Return that anybody will do."""
        return None

    def on_duty(self, _person: str, _now: UnixSeconds) -> bool | None:
        """Return True: whoever is named by hand is taken to be there."""
        return True


@dataclass(frozen=True, slots=True)
class Moment:
    """The circumstances of a step."""

    now: UnixSeconds
    config: LifecycleConfig
    people: Dispatcher = field(default_factory=NoDispatcher)

    def due(self, limit: Limit, incident: Incident, seconds: Seconds | None = None) -> UnixSeconds:
        """Return when a duration that begins now is over. seconds: another length than the rules say."""
        return self.config.timers.after(limit, incident.priority, self.now, self.config.calendar(incident), seconds)


@dataclass(frozen=True, slots=True)
class Tell:
    """Somebody is to be told something: kind says who, `to` which one of them, `what` the matter."""

    kind: TellKind
    to: str
    what: str
    dispatch_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """An incident afterwards, what its timeline shall say beyond the changed fields, and who is to be told."""

    incident: Incident
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tells: tuple[Tell, ...] = ()

    def then(self, change: "Change") -> "Change":
        """Return this change followed by another one."""
        return replace(change, notes={**self.notes, **change.notes}, tells=(*self.tells, *change.tells))
