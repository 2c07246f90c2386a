"""How much duty everybody has, week by week: the routine of the rota beside the orders that came suddenly."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from btimd.itsm.rota import Rota, hours_between, instant, local_day, week_start
from btimd.model.duty import DutyRole, WorkingHours
from btimd.model.units import UnixSeconds

_NIGHT = WorkingHours(frozenset(range(7)), 22 * 60, 6 * 60)
_WEEKEND = WorkingHours(frozenset({5, 6}), 0, 24 * 60)


@dataclass(frozen=True, slots=True)
class PersonWeek:
    """A person's week, in hours. night: 22 to 6 o'clock, weekend: Saturday and Sunday, both of duty as primary.

    longest: the longest stretch of duty as primary without a break. orders, order_minutes: given in that week.
    """

    person: str
    week_at: UnixSeconds
    primary: float
    backup: float
    night: float
    weekend: float
    longest: float
    orders: int = 0
    order_minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """An order that was given: to whom, when, and its standard hours."""

    person: str
    at: UnixSeconds
    effort_minutes: float


def load_by_week(
    rota: Rota, at: UnixSeconds, weeks: int, timezone: str, orders: Iterable[GivenOrder] = ()
) -> list[PersonWeek]:
    """Return the load of everybody for weeks from the one a moment lies in, by week and person.

    Weeks begin on Monday in the time zone. Working hours in groups without a rota are no duty, and duty for two groups
    at once counts once. People with neither duty nor orders in a week are there too, with nothing.
    """
    zone = ZoneInfo(timezone)
    first = local_day(week_start(at, zone), zone)
    edges = [instant(first + timedelta(weeks=number), 0, zone) for number in range(weeks + 1)]
    given: dict[tuple[str, int], list[GivenOrder]] = {}
    for order in orders:
        for number in range(weeks):
            if edges[number] <= order.at < edges[number + 1]:
                given.setdefault((order.person, number), []).append(order)
    found: list[PersonWeek] = []
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        spans = _spans(rota, low, high)
        nights = list(hours_between(_NIGHT, zone, low, high))
        weekend = list(hours_between(_WEEKEND, zone, low, high))
        for person in sorted(rota.people.persons):
            primary = spans.get((person, DutyRole.PRIMARY), [])
            own = given.get((person, number), [])
            found.append(
                PersonWeek(
                    person=person,
                    week_at=low,
                    primary=_hours(primary),
                    backup=_hours(spans.get((person, DutyRole.BACKUP), [])),
                    night=_common(primary, nights),
                    weekend=_common(primary, weekend),
                    longest=max(((end - start) / 3600 for start, end in primary), default=0.0),
                    orders=len(own),
                    order_minutes=sum(order.effort_minutes for order in own),
                )
            )
    return found


_Span = tuple[UnixSeconds, UnixSeconds]


def _spans(rota: Rota, low: UnixSeconds, high: UnixSeconds) -> Mapping[tuple[str, DutyRole], list[_Span]]:
    """Return the spans of duty by person and role, by start, those that touch made one."""
    slots = sorted(
        (slot for group in rota.groups if rota.is_ruled(group) for slot in rota.slots(group, low, high)),
        key=lambda slot: slot.start_at,
    )
    found: dict[tuple[str, DutyRole], list[_Span]] = {}
    for slot in slots:
        spans = found.setdefault((slot.person, slot.role), [])
        if spans and slot.start_at <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], slot.end_at))
        else:
            spans.append((slot.start_at, slot.end_at))
    return found


def _hours(spans: Iterable[_Span]) -> float:
    return sum(high - low for low, high in spans) / 3600


def _common(spans: list[_Span], others: list[_Span]) -> float:
    """Return the hours that lie in both."""
    return sum(
        max(min(high, end) - max(low, start), 0.0) for low, high in spans for start, end in others
    ) / 3600  # fmt: skip
