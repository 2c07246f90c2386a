"""Timers: what an incident waits for.

They stand in its row, so that its timeline rebuilds them too; the journal's table of timers is their index by time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from btimd.itsm import deadlines
from btimd.itsm.moment import Moment
from btimd.model.incident import OPEN_STATES, Incident, IncidentState, ServiceClock, TimerDue
from btimd.model.units import UnixSeconds


class TimerName(StrEnum):
    """What can be waited for."""

    WAIT = "wait"
    """NEW: a person may still take it before an order goes out."""
    HOLD = "hold"
    """HELD: it goes back to dispatch."""
    ACCEPT = "accept"
    """DISPATCHED: the order must be accepted."""
    RENOTIFY = "renotify"
    """DISPATCHED: the order is repeated."""
    STAGE = "stage"
    """ACCEPTED: a report on progress is due."""
    STAGE_GRACE = "stage-grace"
    """ACCEPTED: the report on progress is overdue."""
    PENDING = "pending"
    """PENDING: the work goes on."""
    CENTRE = "centre"
    """STALLED: the management centre is told again, and dispatch tried again."""
    REOPEN = "reopen"
    """RESOLVED: it is closed."""
    RESPONSE = "response"
    """Open: the next mark of the promise to respond."""
    RESOLUTION = "resolution"
    """Open: the next mark of the promise to resolve."""
    DIGEST = "digest"
    """Open: targets are told of the reports since they were last told."""


_N = TimerName
_WHILE_OPEN: Final = frozenset({_N.RESPONSE, _N.RESOLUTION, _N.DIGEST})
_OF_STATE: Final[Mapping[IncidentState, frozenset[TimerName]]] = MappingProxyType(
    {
        IncidentState.NEW: frozenset({_N.WAIT}),
        IncidentState.HELD: frozenset({_N.HOLD}),
        IncidentState.DISPATCHED: frozenset({_N.ACCEPT, _N.RENOTIFY}),
        IncidentState.ACCEPTED: frozenset({_N.STAGE, _N.STAGE_GRACE}),
        IncidentState.PENDING: frozenset({_N.PENDING}),
        IncidentState.STALLED: frozenset({_N.CENTRE}),
        IncidentState.RESOLVED: frozenset({_N.REOPEN}),
    }
)


@dataclass(frozen=True, slots=True)
class StartTimer:
    """The incident waits: when `due_at` comes, the trigger of that timer fires. One of that name is replaced."""

    name: str
    due_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class StopTimer:
    """The incident no longer waits for that."""

    name: str


TimerEffect: TypeAlias = StartTimer | StopTimer


def allowed(state: IncidentState) -> frozenset[TimerName]:
    """Return the timers that may run in a state."""
    own = _OF_STATE.get(state, frozenset())
    return own | _WHILE_OPEN if state in OPEN_STATES else own


def due_at(incident: Incident, name: TimerName) -> UnixSeconds | None:
    """Return when a timer of an incident fires; None: it does not run."""
    return next((timer.due_at for timer in incident.timers if timer.name == name), None)


def armed(incident: Incident, name: TimerName, at: UnixSeconds) -> Incident:
    """Return an incident that waits for something; `incident.version` is still that of the row before the step."""
    others = (timer for timer in incident.timers if timer.name != name)
    timer = TimerDue(str(name), at, incident.version + 1)
    return replace(incident, timers=tuple(sorted((*others, timer), key=lambda one: one.name)))


def disarmed(incident: Incident, *names: TimerName) -> Incident:
    """Return an incident that waits for something no longer."""
    kept = tuple(timer for timer in incident.timers if timer.name not in names)
    return incident if len(kept) == len(incident.timers) else replace(incident, timers=kept)


def brought_forward(incident: Incident, name: TimerName, at: UnixSeconds) -> Incident:
    """Return an incident whose running timer fires no later than that."""
    due = due_at(incident, name)
    return incident if due is None or due <= at else armed(incident, name, at)


def settled(before: Incident, after: Incident, moment: Moment) -> Incident:
    """Return the row with the timers its state has: others end, the next marks of its clocks are set."""
    after = disarmed(after, *(set(TimerName) - allowed(after.state)))
    if after.state in OPEN_STATES:
        after = _marks(after, TimerName.RESPONSE, before.response, after.response, moment)
        after = _marks(after, TimerName.RESOLUTION, before.resolution, after.resolution, moment)
    return after


def _marks(incident: Incident, name: TimerName, before: ServiceClock, after: ServiceClock, moment: Moment) -> Incident:
    if before == after and due_at(incident, name) is not None:
        return incident  # as it was: computing it anew would only move it by rounding
    at = deadlines.next_mark(after, moment.now, moment.config.calendar(incident))
    return disarmed(incident, name) if at is None else armed(incident, name, at)


def effects(before: Incident, after: Incident) -> tuple[TimerEffect, ...]:
    """Return what becomes of the index of timers."""
    now = {timer.name for timer in after.timers}
    return (
        *(StopTimer(timer.name) for timer in before.timers if timer.name not in now),
        *(StartTimer(timer.name, timer.due_at) for timer in after.timers if timer not in before.timers),
    )
