"""Agreements on service levels (ITIL: SLA, OLA, UC), what was kept of them, and what was put right later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from btimd.model.calendar import ServiceCalendar
from btimd.model.incident import Priority
from btimd.model.sla import Availability, SlaStatus
from btimd.model.units import Ratio, Seconds, UnixSeconds


class AgreementKind(StrEnum):
    """Between whom: SLA with the business, OLA with a group inside, UC (underpinning contract) with a supplier."""

    SLA = "sla"
    OLA = "ola"
    UC = "uc"


class PeriodKind(StrEnum):
    """Over what an agreement is reckoned: calendar weeks (from Monday), months, quarters or years."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A stretch of agreed maintenance: time in it is no service time. reference: a change request, for example."""

    start: UnixSeconds
    end: UnixSeconds
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What was agreed. An SLA covers businesses; an OLA or UC covers nodes and all that they need.

    provider: who promises: a group (OLA) or supplier (UC). calendar: the agreed service time. maintenance_calendars
    and maintenance: when the service may be down by agreement. exclude_planned: outages marked as planned are no
    service time either. response, resolve: in service time. zone: whose calendar the periods are of. draft: reckoned
    and reported, but no alarm is given.
    """

    name: str
    kind: AgreementKind
    availability_percent: float
    calendar: ServiceCalendar
    zone: tzinfo
    title: str = ""
    title_zh: str = ""
    provider: str = ""
    customer: str = ""
    businesses: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    period: PeriodKind = PeriodKind.MONTH
    response: Mapping[Priority, Seconds] = field(default_factory=lambda: MappingProxyType({}))
    resolve: Mapping[Priority, Seconds] = field(default_factory=lambda: MappingProxyType({}))
    maintenance_calendars: tuple[ServiceCalendar, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    exclude_planned: bool = False
    draft: bool = False
    valid_from: date | None = None
    valid_until: date | None = None
    review_on: date | None = None

    @property
    def allowed(self) -> Ratio:
        """The share of the service time that may be down."""
        return 1.0 - self.availability_percent / 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFact:
    """What is known of an outage. supplier: who caused it, "" = not known or nobody outside. ended_at None: goes on.

    users: on line before it, None = not known; users_exact: False where that is a lower bound or sampled.
    """

    subject: str
    began_at: UnixSeconds
    ended_at: UnixSeconds | None
    cause: str = ""
    incident_id: str = ""
    supplier: str = ""
    planned: bool = False
    users: int | None = None
    users_exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageChange:
    """What a stretch of time really was; None: as it was told."""

    availability: Availability | None = None
    cause: str | None = None
    supplier: str | None = None
    planned: bool | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True)
class DownShare:
    """A part of the down time: of one cause, of one supplier. key "": not known."""

    key: str
    down_seconds: Seconds
    outages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFigures:
    """One subject under one agreement over one period, seen at `at`; all times are inside the agreed service time.

    agreed_seconds: AST of the whole period. up + down + unknown: AST up to `at`. excluded_seconds: time inside the
    calendar up to `at` that is no service time because of maintenance. availability: (AST - DT) / AST of what was
    measured, None where nothing was. coverage: measured / all, None before the first service time.
    mttr, mtbf, mtbsi: down, up and both per failure, None without one. failures: outages with down time in the period.
    user_minutes_lost: of the outages whose users are known; user_minutes_coverage: their share of the down time,
    None without down time; user_minutes_exact: False where a number of users is a lower bound.
    by_cause, by_supplier: longest first. planned_down_seconds: the down time that was planned.
    """

    agreement: str
    subject: str
    period_start: UnixSeconds
    period_end: UnixSeconds
    at: UnixSeconds
    agreed_seconds: Seconds
    excluded_seconds: Seconds
    up_seconds: Seconds
    down_seconds: Seconds
    unknown_seconds: Seconds
    availability: Ratio | None
    coverage: Ratio | None
    failures: int
    mttr_seconds: Seconds | None
    mtbf_seconds: Seconds | None
    mtbsi_seconds: Seconds | None
    error_budget_seconds: Seconds
    budget_used: Ratio
    status: SlaStatus
    user_minutes_lost: float
    user_minutes_coverage: Ratio | None
    user_minutes_exact: bool
    planned_down_seconds: Seconds
    by_cause: tuple[DownShare, ...]
    by_supplier: tuple[DownShare, ...]


class BurnWindow(StrEnum):
    """Over how long the use of the error budget is looked at."""

    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """The error budget is used up too fast. rate: 1 uses exactly the budget over the period. raised False: it ended."""

    agreement: str
    subject: str
    window: BurnWindow
    rate: float
    limit: float
    at: UnixSeconds
    raised: bool
    budget_gone_at: UnixSeconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a subject of an agreement stands now.

    burn_fast, burn_slow: burn rates over the long one of each pair of windows, None where nothing was measured in it.
    budget_gone_at: when nothing of the budget will be left if it goes on like this, None: not in this period.
    """

    figures: PeriodFigures
    current: Availability
    burn_fast: float | None
    burn_slow: float | None
    burning: tuple[BurnWindow, ...]
    budget_gone_at: UnixSeconds | None


@dataclass(frozen=True, slots=True)
class Promise:
    """What an agreement promises for one incident: by when, and how long that is in service time from now.

    target_seconds None: nothing was promised. done_at: when it was done, None: not yet. missed: it was not done in
    time. left_seconds: service time until it is missed, 0 where it is.
    """

    agreement: str
    target_seconds: Seconds | None
    due_at: UnixSeconds | None
    done_at: UnixSeconds | None
    missed: bool
    left_seconds: Seconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A correction somebody made: who, when, why, and what a stretch of time of a subject really was."""

    subject: str
    start: UnixSeconds
    end: UnixSeconds
    change: OutageChange
    by: str
    at: UnixSeconds
    why: str


@dataclass(frozen=True, slots=True)
class RevisedFigures:
    """What a revision made of one period of one agreement."""

    agreement: str
    subject: str
    period_start: UnixSeconds
    down_seconds_before: Seconds
    down_seconds_after: Seconds
    unknown_seconds_before: Seconds
    unknown_seconds_after: Seconds
    availability_before: Ratio | None
    availability_after: Ratio | None
    status_before: SlaStatus
    status_after: SlaStatus


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A revision and all that it changed; number: grows by one with each."""

    number: int
    revision: Revision
    effects: tuple[RevisedFigures, ...]


class AgreementView(Protocol):
    """What was agreed, what was kept of it, and what was put right. Every method is called on the loop."""

    def agreements(self) -> Sequence[Agreement]:
        """Return all agreements."""
        ...

    def standings(self) -> Sequence[Standing]:
        """Return how every subject of every agreement in force stands now."""
        ...

    def periods(self, agreement: str) -> Sequence[PeriodFigures]:
        """Return the figures of all periods of an agreement that are known, by subject and time; raises KeyError."""
        ...

    def revise(
        self, business: str, start: UnixSeconds, end: UnixSeconds, change: OutageChange, *, by: str, why: str
    ) -> AuditEntry:
        """Say what a stretch of time of a business, or the outages in it, really was; raises ValueError."""
        ...

    def late(
        self, business: str, start: UnixSeconds, end: UnixSeconds, availability: Availability, *, by: str, why: str
    ) -> AuditEntry | None:
        """Take data that came late: it fills unknown time only; None where there is none of it."""
        ...

    def audit(self) -> Sequence[AuditEntry]:
        """Return the corrections that are kept, oldest first."""
        ...
