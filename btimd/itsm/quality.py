"""Quality of service management: the figures of a stretch of time from the facts of incidents (docs/quality.md).

Each figure counts the incidents to which what it measures happened in the window: a first-time fix when the incident
was closed, a response when it was accepted, a resolution when it was resolved. What is not known is never good.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from types import MappingProxyType
from typing import Final, Protocol

from btimd.model.incident import OPEN_STATES, IncidentState, Priority
from btimd.model.knowledge import SurveyFigures
from btimd.model.units import Seconds, UnixSeconds
from btimd.model.workfigures import (
    CauseFigures,
    ClassFigures,
    Durations,
    IncidentFacts,
    PersonFigures,
    Share,
    Waiting,
    WorkFigures,
)

STANDARD_FROM: Final = 5
"""Statements of effort that make a standard."""
LIST_LIMIT: Final = 50
"""Persons, classes and causes that a report names."""


class OpenTime(Protocol):
    """Service hours: what of a stretch of time lies in them (ServiceCalendar of model/calendar.py)."""

    def between(self, start: UnixSeconds, end: UnixSeconds) -> Seconds:
        """Return the open time from `start` to `end`; 0 where `end` is not after `start`."""
        ...


class WallTime:
    """All time is open."""

    def between(self, start: UnixSeconds, end: UnixSeconds) -> Seconds:
        """Return the time from `start` to `end`; 0 where `end` is not after `start`."""
        return max(0.0, end - start)


WALL: Final = WallTime()


class Hours(Protocol):
    """Which service hours hold for an incident."""

    def __call__(self, incident: IncidentFacts) -> OpenTime:
        """Return the service hours of an incident."""
        ...


@dataclass(slots=True)
class _Stopwatch:
    """Durations as they are collected."""

    seconds: list[Seconds] = field(default_factory=list)
    unmeasured: int = 0

    def add(self, start: UnixSeconds | None, end: UnixSeconds) -> None:
        if start is None:
            self.unmeasured += 1
        else:
            self.seconds.append(max(0.0, end - start))

    def result(self) -> Durations:
        if not self.seconds:
            return Durations(0, self.unmeasured)
        ordered = sorted(self.seconds)
        p50, p90 = quantile(ordered, 0.5), quantile(ordered, 0.9)
        return Durations(len(ordered), self.unmeasured, fmean(ordered), p50, p90)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the sorted values within which so large a share of them lies (nearest rank)."""
    rank = -int(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, rank - 1)]


def is_first_time_fix(incident: IncidentFacts) -> bool:
    """Tell whether the first who took a closed incident, or the service desk, resolved it for good at once.

    What cleared by itself was fixed by nobody.
    """
    disturbed = incident.returns + incident.transfers + incident.escalations + incident.reopens
    by_somebody = bool(incident.handler) or incident.online
    return by_somebody and not incident.self_cleared and disturbed == 0


def resolution_seconds(incident: IncidentFacts, hours: OpenTime = WALL) -> Seconds | None:
    """Return the time from opening to resolution without pauses; None: it is not resolved."""
    if incident.resolved_at is None:
        return None
    paused = sum(hours.between(start, min(end, incident.resolved_at)) for start, end in incident.pauses)
    return max(0.0, hours.between(incident.opened_at, incident.resolved_at) - paused)


def figures(
    incidents: Iterable[IncidentFacts],
    start: UnixSeconds,
    end: UnixSeconds,
    *,
    hours: Hours = lambda _: WALL,
    surveys: SurveyFigures | None = None,
) -> WorkFigures:
    """Return the figures of [start, end). incidents: all that were open in it, or ended in it."""
    known = list(incidents)

    def happened(at: UnixSeconds | None) -> bool:
        return at is not None and start <= at < end

    opened = [one for one in known if happened(one.opened_at)]
    resolved = [one for one in known if happened(one.resolved_at)]
    ended = [one for one in known if happened(one.closed_at)]
    closed = [one for one in ended if one.state is IncidentState.CLOSED]
    response, response_business = _Stopwatch(), _Stopwatch()
    resolution, resolution_business = _Stopwatch(), _Stopwatch()
    detection, cause, restoration = _Stopwatch(), _Stopwatch(), _Stopwatch()
    for one in known:
        if one.accepted_at is not None and happened(one.accepted_at):
            response.add(one.opened_at, one.accepted_at)
            response_business.add(0.0, hours(one).between(one.opened_at, one.accepted_at))
        if one.cause_known_at is not None and happened(one.cause_known_at):
            cause.add(one.opened_at, one.cause_known_at)
    for one in opened:
        detection.add(one.began_at, one.opened_at)
    for one in resolved:
        resolution.add(0.0, resolution_seconds(one) or 0.0)
        resolution_business.add(0.0, resolution_seconds(one, hours(one)) or 0.0)
        restoration.add(one.began_at, one.resolved_at or 0.0)
    return WorkFigures(
        start=start,
        end=end,
        opened=len(opened),
        resolved=len(resolved),
        closed=len(closed),
        cancelled=sum(one.state is IncidentState.CANCELLED for one in ended),
        merged=sum(one.state is IncidentState.MERGED for one in ended),
        self_cleared=sum(one.self_cleared for one in resolved),
        reopened=sum(one.reopens > 0 for one in closed),
        orders=sum(happened(order.sent_at) for one in known for order in one.orders),
        by_priority=MappingProxyType({level: sum(one.priority is level for one in opened) for level in Priority}),
        first_time_fix=Share(sum(is_first_time_fix(one) for one in closed), len(closed)),
        first_dispatch=_first_dispatch([one for one in known if one.orders and happened(one.orders[0].sent_at)]),
        satisfaction=surveys or SurveyFigures(),
        response=response.result(),
        response_business=response_business.result(),
        resolution=resolution.result(),
        resolution_business=resolution_business.result(),
        detection=detection.result(),
        cause=cause.result(),
        restoration=restoration.result(),
        waiting_response=_waiting(known, end, lambda one: one.accepted_at),
        waiting_resolution=_waiting(known, end, lambda one: one.resolved_at),
        people=_people(known, resolved, happened),
        classes=_classes(opened, resolved, known, happened),
        causes=_causes(opened),
    )


class _When(Protocol):
    def __call__(self, at: UnixSeconds | None, /) -> bool: ...


class _Moment(Protocol):
    def __call__(self, incident: IncidentFacts, /) -> UnixSeconds | None: ...


def _first_dispatch(dispatched: Sequence[IncidentFacts]) -> Share:
    """Return how many first orders were right; those that may still be accepted are not judged."""
    undecided = [one for one in dispatched if one.first_order_right is None and one.state in OPEN_STATES]
    good = sum(one.first_order_right is True for one in dispatched)
    return Share(good, len(dispatched) - len(undecided), len(undecided))


def _waiting(known: Iterable[IncidentFacts], end: UnixSeconds, done: _Moment) -> Waiting:
    ages = [
        end - one.opened_at
        for one in known
        if one.opened_at < end and not _before(one.closed_at, end) and not _before(one.resolved_at, end)
        and not _before(done(one), end)
    ]  # fmt: skip
    return Waiting(len(ages), max(ages)) if ages else Waiting()


def _before(at: UnixSeconds | None, end: UnixSeconds) -> bool:
    return at is not None and at < end


def _people(
    known: Iterable[IncidentFacts], resolved: Iterable[IncidentFacts], happened: _When
) -> tuple[PersonFigures, ...]:
    orders: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for one in known:
        orders.update(order.person for order in one.orders if happened(order.sent_at))
        accepted.update(order.person for order in one.orders if happened(order.accepted_at))
    done: defaultdict[str, list[IncidentFacts]] = defaultdict(list)
    for one in resolved:
        if one.handler:
            done[one.handler].append(one)
    names = sorted(orders.keys() | accepted.keys() | done.keys(), key=lambda name: (-len(done[name]), name))
    return tuple(
        PersonFigures(name, orders[name], accepted[name], len(done[name]), _effort(done[name]), _silent(done[name]))
        for name in names[:LIST_LIMIT]
    )


def _classes(
    opened: Iterable[IncidentFacts], resolved: Iterable[IncidentFacts], known: Iterable[IncidentFacts], happened: _When
) -> tuple[ClassFigures, ...]:
    came = Counter(one.category for one in opened)
    orders: Counter[str] = Counter()
    for one in known:
        orders[one.category] += sum(happened(order.sent_at) for order in one.orders)
    done: defaultdict[str, list[IncidentFacts]] = defaultdict(list)
    for one in resolved:
        done[one.category].append(one)
    names = {name for counted in (came, orders, done) for name in counted if counted[name]}
    return tuple(
        ClassFigures(
            category=name,
            opened=came[name],
            resolved=len(done[name]),
            orders=orders[name],
            effort_minutes=_effort(done[name]),
            effort_unknown=_silent(done[name]),
            standard_minutes=standard_minutes(done[name]),
        )
        for name in sorted(names, key=lambda name: (-came[name], name))[:LIST_LIMIT]
    )


def standard_minutes(incidents: Iterable[IncidentFacts]) -> float | None:
    """Return the effort that half of the incidents stayed within; None: fewer than STANDARD_FROM said theirs."""
    said = [one.effort_minutes for one in incidents if one.effort_minutes is not None]
    return float(median(said)) if len(said) >= STANDARD_FROM else None


def _effort(incidents: Iterable[IncidentFacts]) -> int:
    return sum(one.effort_minutes or 0 for one in incidents)


def _silent(incidents: Iterable[IncidentFacts]) -> int:
    return sum(one.effort_minutes is None for one in incidents)


def _causes(opened: Sequence[IncidentFacts]) -> tuple[CauseFigures, ...]:
    of: defaultdict[str, list[IncidentFacts]] = defaultdict(list)
    for one in opened:
        if one.state not in {IncidentState.CANCELLED, IncidentState.MERGED}:  # none, or counted with its parent
            of[one.cause].append(one)
    total = sum(len(each) for each in of.values())
    ranked = sorted(of.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        CauseFigures(
            cause=name,
            incidents=len(each),
            share=len(each) / total,
            worst=min(one.priority for one in each),
            seconds=sum(resolution_seconds(one) or 0.0 for one in each),
        )
        for name, each in ranked[:LIST_LIMIT]
    )
