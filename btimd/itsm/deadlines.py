"""Deadlines: how long things may take, by priority and service hours, and the clocks of what was promised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from btimd.model.incident import ClockStatus, Incident, Priority, ServiceClock
from btimd.model.units import Seconds, UnixSeconds

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86_400.0

MARKS: Final = (50, 75, 90, 100)
"""Per cent of a promise's time at which people are told."""

_SLACK: Final = 0.001
"""Seconds by which a mark may be early: two ways to compute it differ in the last digits."""

_RUNNING: Final = frozenset({ClockStatus.RUNNING, ClockStatus.BREACHED})


class Calendar(Protocol):
    """Service hours: what btimd.model.calendar.ServiceCalendar offers and the rules of this module need."""

    @property
    def name(self) -> str:
        """What the operator calls it."""
        ...

    def is_open(self, at: UnixSeconds) -> bool:
        """Tell whether a moment is service time."""
        ...

    def between(self, start: UnixSeconds, end: UnixSeconds) -> Seconds:
        """Return the service time between two moments."""
        ...

    def add(self, start: UnixSeconds, seconds: Seconds) -> UnixSeconds:
        """Return the moment when so much service time has passed since `start`."""
        ...


@dataclass(frozen=True, slots=True)
class AroundTheClock:
    """Every moment is service time."""

    name: str = "always"

    def is_open(self, _at: UnixSeconds) -> bool:
        """Return True."""
        return True

    def between(self, start: UnixSeconds, end: UnixSeconds) -> Seconds:
        """Return the time between two moments, 0 where the second is earlier."""
        return max(0.0, end - start)

    def add(self, start: UnixSeconds, seconds: Seconds) -> UnixSeconds:
        """Return a later moment."""
        return start + seconds


ALWAYS: Final = AroundTheClock()

PerPriority: TypeAlias = tuple[Seconds, Seconds, Seconds, Seconds, Seconds]
"""One duration for each of P1 to P5."""


class Limit(StrEnum):
    """What has a duration of its own for every priority."""

    WAIT = "wait"
    ACCEPT = "accept"
    RENOTIFY = "renotify"
    RESPONSE = "response"
    RESOLUTION = "resolution"
    STAGE = "stage"
    STAGE_GRACE = "stage-grace"
    HOLD = "hold"
    CENTRE = "centre"
    PENDING = "pending"
    REOPEN = "reopen"
    SURVEY = "survey"


_LATE: Final = frozenset({Priority.P4, Priority.P5})
_IN_SERVICE_HOURS: Final[Mapping[Limit, frozenset[Priority]]] = MappingProxyType(
    {
        Limit.WAIT: _LATE,
        Limit.ACCEPT: _LATE,
        Limit.RENOTIFY: _LATE,
        Limit.RESPONSE: frozenset(Priority),
        Limit.RESOLUTION: frozenset(Priority),
    }
)


@dataclass(frozen=True, slots=True)
class TimerRules:
    """How long everything may take, P1 to P5, in seconds.

    wait: a new incident waits so long for somebody to take it before an order goes out. accept: an order must be
    accepted. renotify: an order is repeated. response, resolution: what is promised. stage: time of work until a report
    on progress is due, stage_grace: the time it may be late. hold: taken out of dispatch. centre: the management centre
    is told again of what stalled. pending: the longest a wait may be asked for. reopen: a resolved incident can come
    back. survey: answers are counted.
    in_service_hours: which of them run in service hours only, for which priorities; all others by the wall clock.
    """

    wait: PerPriority = (30.0, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE)
    accept: PerPriority = (5 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 4 * HOUR)
    renotify: PerPriority = (2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR)
    response: PerPriority = (10 * MINUTE, 20 * MINUTE, HOUR, 4 * HOUR, 8 * HOUR)
    resolution: PerPriority = (2 * HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR, 40 * HOUR)
    stage: PerPriority = (HOUR, 2 * HOUR, 8 * HOUR, 8 * HOUR, 8 * HOUR)
    stage_grace: PerPriority = (15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
    hold: PerPriority = (15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, 8 * HOUR)
    centre: PerPriority = (5 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 4 * HOUR)
    pending: PerPriority = (DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)
    reopen: PerPriority = (DAY, DAY, 2 * DAY, 3 * DAY, 3 * DAY)
    survey: PerPriority = (7 * DAY, 7 * DAY, 7 * DAY, 7 * DAY, 7 * DAY)
    in_service_hours: Mapping[Limit, frozenset[Priority]] = field(default_factory=lambda: _IN_SERVICE_HOURS)

    def seconds(self, limit: Limit, priority: Priority) -> Seconds:
        """Return a duration."""
        durations: PerPriority = getattr(self, limit.name.lower())
        return durations[priority - 1]

    def after(
        self,
        limit: Limit,
        priority: Priority,
        start: UnixSeconds,
        calendar: Calendar,
        seconds: Seconds | None = None,
    ) -> UnixSeconds:
        """Return when a duration that began at `start` is over. seconds: another length, in the same hours."""
        length = self.seconds(limit, priority) if seconds is None else seconds
        if priority in self.in_service_hours.get(limit, frozenset()):
            return calendar.add(start, length)
        return start + length


@dataclass(frozen=True, slots=True)
class Promise:
    """What an agreement promises for an incident, instead of the table: None leaves the table's."""

    response_seconds: Seconds | None = None
    resolution_seconds: Seconds | None = None
    calendar: Calendar = ALWAYS


PromiseOf: TypeAlias = Callable[[Incident], Promise]


def no_agreement(_incident: Incident) -> Promise:
    """Return the promise where none was made: the table's times, around the clock."""
    return Promise()


# Clocks. Each function returns the clock afterwards; one that does not run is left alone.


def started(allowed: Seconds, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Return the clock of a promise that was just made; allowed 0: none is made."""
    if allowed <= 0.0:
        return ServiceClock()
    return ServiceClock(ClockStatus.RUNNING, allowed, calendar.add(now, allowed))


def runs(clock: ServiceClock) -> bool:
    """Tell whether time passes on a clock: promised, neither paused nor ended."""
    return clock.status in _RUNNING and clock.ended_at is None


def remaining(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> Seconds:
    """Return the service time left, negative after the time is up."""
    if clock.due_at is None:
        return clock.remaining_seconds
    return calendar.between(now, clock.due_at) if now <= clock.due_at else -calendar.between(clock.due_at, now)


def ended(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Return the clock of what was done now: met where its time was not up."""
    if clock.status is ClockStatus.NONE or clock.ended_at is not None:
        return clock
    late = clock.status is ClockStatus.BREACHED or (clock.due_at is not None and now > clock.due_at)
    return replace(
        clock,
        status=ClockStatus.BREACHED if late else ClockStatus.MET,
        remaining_seconds=remaining(clock, now, calendar),
        ended_at=now,
    )


def stopped(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Give the clock up: what it measured is nobody's task any more."""
    if (
        clock.status not in {ClockStatus.RUNNING, ClockStatus.PAUSED, ClockStatus.BREACHED}
        or clock.ended_at is not None
    ):
        return clock
    status = ClockStatus.BREACHED if clock.status is ClockStatus.BREACHED else ClockStatus.STOPPED
    return replace(clock, status=status, remaining_seconds=remaining(clock, now, calendar), ended_at=now)


def paused(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Stop the clock; what is left is left when it goes on. One whose time is up stays as it is."""
    if clock.status is not ClockStatus.RUNNING:
        return clock
    return replace(
        clock, status=ClockStatus.PAUSED, due_at=None, remaining_seconds=max(0.0, remaining(clock, now, calendar))
    )


def resumed(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Let a paused clock go on."""
    if clock.status is not ClockStatus.PAUSED:
        return clock
    due_at = calendar.add(now, clock.remaining_seconds)
    return replace(clock, status=ClockStatus.RUNNING, due_at=due_at, remaining_seconds=0.0)


def continued(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Let a clock that had ended go on with what was left: the time while the work counted as done is not counted."""
    if clock.ended_at is None:
        return clock
    if clock.status is ClockStatus.STOPPED and clock.due_at is not None:  # the task was there all the time
        return replace(clock, status=ClockStatus.RUNNING, remaining_seconds=0.0, ended_at=None)
    if clock.status in {ClockStatus.MET, ClockStatus.STOPPED}:
        due_at = calendar.add(now, max(0.0, clock.remaining_seconds))
        return replace(clock, status=ClockStatus.RUNNING, due_at=due_at, remaining_seconds=0.0, ended_at=None)
    return replace(clock, remaining_seconds=0.0, ended_at=None)


def tightened(
    clock: ServiceClock, allowed: Seconds, opened_at: UnixSeconds, now: UnixSeconds, calendar: Calendar
) -> ServiceClock:
    """Return the clock under a promise that is stricter from now on; a deadline never moves away.

    The stricter time counts from the opening; of a paused clock it is what is left that shrinks by the difference.
    """
    if allowed <= 0.0 or allowed >= clock.allowed_seconds or clock.ended_at is not None:
        return clock
    if clock.status is ClockStatus.PAUSED:
        left = max(0.0, clock.remaining_seconds - (clock.allowed_seconds - allowed))
        return replace(clock, allowed_seconds=allowed, remaining_seconds=left)
    if clock.status is not ClockStatus.RUNNING or clock.due_at is None:
        return clock
    shifted = clock.due_at - calendar.add(opened_at, clock.allowed_seconds)  # what pauses have added
    due_at = min(clock.due_at, calendar.add(opened_at, allowed) + max(0.0, shifted))
    stricter = replace(clock, allowed_seconds=allowed, due_at=due_at)
    passed = [mark for mark in MARKS[:-1] if _mark_at(stricter, now, mark, calendar) <= now + _SLACK]
    return replace(stricter, told_percent=max([clock.told_percent, *passed]))


def next_mark(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> UnixSeconds | None:
    """Return when the next per cent mark of a running clock is reached (now, if that is over); None: there is none."""
    if not runs(clock) or clock.due_at is None or clock.told_percent >= MARKS[-1]:
        return None
    return _mark_at(clock, now, next(mark for mark in MARKS if mark > clock.told_percent), calendar)


def marked(clock: ServiceClock, now: UnixSeconds, calendar: Calendar) -> ServiceClock:
    """Return the clock with the last mark that was reached; at 100 its promise is broken."""
    if clock.due_at is None:
        return clock
    passed = [mark for mark in MARKS if _mark_at(clock, now, mark, calendar) <= now + _SLACK]
    percent = max([clock.told_percent, *passed])
    status = ClockStatus.BREACHED if percent >= MARKS[-1] else clock.status
    return replace(clock, status=status, told_percent=percent)


def _mark_at(clock: ServiceClock, now: UnixSeconds, mark: int, calendar: Calendar) -> UnixSeconds:
    due_at = clock.due_at or 0.0
    if mark == MARKS[-1]:
        return due_at
    left = calendar.between(now, due_at) if due_at > now else 0.0
    return calendar.add(now, max(0.0, left - clock.allowed_seconds * (100 - mark) / 100))
