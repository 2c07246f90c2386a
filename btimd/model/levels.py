"""Service levels as they are told: agreements with what does not add up, standings with forecast, components, words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from btimd.model.agreement import (
    AgreementKind,
    AuditEntry,
    OutageChange,
    PeriodFigures,
    PeriodKind,
    Standing,
)
from btimd.model.units import Ratio, Seconds, UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementInfo:
    """An agreement as written, and how it fits the others.

    covered: nodes with all below, 0 for an SLA. touches: businesses it matters to. response, resolve: seconds of
    service time by "P1" to "P5". valid_from, valid_until, review_on: dates, "" = not said. notes: what does not add up
    or is not known. adds_up: False where what is promised below is too little.
    """

    name: str
    kind: AgreementKind
    title: str
    title_zh: str
    provider: str
    customer: str
    businesses: tuple[str, ...]
    nodes: tuple[str, ...]
    covered: int
    touches: tuple[str, ...]
    availability_percent: float
    calendar: str
    timezone: str
    period: PeriodKind
    response: Mapping[str, float]
    resolve: Mapping[str, float]
    exclude_planned: bool
    draft: bool
    valid_from: str
    valid_until: str
    review_on: str
    notes: tuple[str, ...]
    adds_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFigures:
    """How incidents were dealt with that were opened in a period under an agreement. Means are of wall time.

    overdue: neither taken up nor resolved, and already too late.
    """

    incidents: int = 0
    answered: int = 0
    answered_in_time: int = 0
    mean_response_seconds: Seconds | None = None
    resolved: int = 0
    resolved_in_time: int = 0
    mean_resolve_seconds: Seconds | None = None
    overdue: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachForecast:
    """The availability at the end of a period; with `certainty` it lies between low and high.

    None: too little is known.
    """

    expected: Ratio | None = None
    certainty: Ratio = 0.9
    low: Ratio | None = None
    high: Ratio | None = None
    breach_probability: Ratio | None = None
    periods: int = 0


@dataclass(frozen=True, slots=True)
class StandingView:
    """A standing, with the incidents of its period and how the period is foreseen to end."""

    standing: Standing
    response: ResponseFigures
    forecast: BreachForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one component took from the availability of a subject. node "": outages of an unknown cause.

    availability: left by this component alone. without: of the subject if it had never failed. agreement: the OLA or UC
    that covers it (the one that covers least), "" = none.
    """

    node: str
    down_seconds: Seconds
    outages: int
    share: Ratio
    availability: Ratio
    without: Ratio
    mttr_seconds: Seconds
    agreement: str = ""
    promised_percent: float | None = None
    below_promise: bool = False


@dataclass(frozen=True, slots=True)
class OpenStretch:
    """A stretch of open time."""

    start_at: UnixSeconds
    end_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A date ("2026-11-30") and the open time that begins on it. usual: it has the hours of its weekday."""

    day: str
    stretches: tuple[OpenStretch, ...]
    usual: bool


@dataclass(frozen=True, slots=True)
class CalendarInfo:
    """A calendar from a day on. next_change_at None: it never opens or closes."""

    name: str
    timezone: str
    is_open: bool
    next_change_at: UnixSeconds | None
    days: tuple[CalendarDay, ...]
    open_seconds: Seconds


class LevelsView(Protocol):
    """What was agreed, what was kept of it, and what was put right. Called on the loop."""

    def agreements(self) -> Sequence[AgreementInfo]:
        """Return all agreements."""
        ...

    async def standings(self, agreement: str | None) -> Sequence[StandingView]:
        """Return how every subject of every agreement in force (None), or of one, stands; raises KeyError."""
        ...

    def periods(self, agreement: str) -> Sequence[PeriodFigures]:
        """Return the figures of all periods of an agreement that are known, by subject and time; raises KeyError."""
        ...

    def contributions(self, agreement: str, subject: str | None, periods: int) -> Sequence[Contribution]:
        """Return what each component took in the latest periods, the worst first; raises KeyError."""
        ...

    def statement(self, agreement: str, subject: str | None, at: UnixSeconds | None, language: str) -> str:
        """Return what was kept in a period in words, "en" or "zh"; raises KeyError for what there is not."""
        ...

    def audit(self) -> Sequence[AuditEntry]:
        """Return the corrections that are kept, oldest first."""
        ...

    def revise(
        self, business: str, start: UnixSeconds, end: UnixSeconds, change: OutageChange, *, by: str, why: str
    ) -> AuditEntry:
        """Put a stretch of time right; said again it changes nothing. Raises ValueError with what is wrong."""
        ...

    def calendar(self, name: str, at: UnixSeconds | None, days: int) -> CalendarInfo:
        """Return a calendar from the day of a moment on, None = today; raises KeyError."""
        ...

    def calendars(self) -> Sequence[str]:
        """Return the names of all calendars."""
        ...
