"""SlaTarget, Outage and SlaState: what was promised of a business and what was kept."""

from dataclasses import dataclass
from enum import StrEnum

from btimd.model.units import Ratio, Seconds, UnixSeconds


class Availability(StrEnum):
    """The condition of a business at a moment. UNKNOWN is time nobody measured: never counted as up or down."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class SlaStatus(StrEnum):
    """How a target stands."""

    MET = "met"
    AT_RISK = "at-risk"
    BREACHED = "breached"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class SlaTarget:
    """The promise: this share of the measured time of a calendar month the business works."""

    business: str
    availability_percent: float


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of time a business was down; ended_at None: it still is."""

    business: str
    began_at: UnixSeconds
    ended_at: UnixSeconds | None
    cause: str
    incident_id: str


@dataclass(frozen=True, slots=True)
class SlaState:
    """A target over one period, seen at `at`.

    up + down + unknown = at - period_start. availability: up / (up + down), None where nothing was measured.
    coverage: (up + down) / elapsed, None at the period's first instant. error_budget_seconds: the downtime the
    target allows over the whole period. burn_ratio: share of that budget that is used.
    """

    target: SlaTarget
    period_start: UnixSeconds
    period_end: UnixSeconds
    at: UnixSeconds
    current: Availability
    up_seconds: Seconds
    down_seconds: Seconds
    unknown_seconds: Seconds
    availability: Ratio | None
    coverage: Ratio | None
    error_budget_seconds: Seconds
    burn_ratio: Ratio
    status: SlaStatus
    outages: tuple[Outage, ...]
