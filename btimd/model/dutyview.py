"""What is shown of duty and dispatch: who is there, the rota and its faults, why an order went to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.duty import DutySlot, Presence
from btimd.model.incident import Priority
from btimd.model.units import Ratio, Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class PersonOnDuty:
    """Somebody who is there, or soon will be. until: when the present turn ends; None: not within a week."""

    person: str
    name: str
    name_zh: str
    presence: Presence
    until: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class GroupDuty:
    """Who is there for a group at a moment. ruled: rota.toml or a calendar says so, not working hours alone.

    next_change_at: when somebody comes or goes; None: not within five weeks. fault: what is wrong with the duty at that
    moment, "" = nothing.
    """

    group: str
    name: str
    name_zh: str
    lead: str
    at: UnixSeconds
    ruled: bool
    people: tuple[PersonOnDuty, ...]
    next_change_at: UnixSeconds | None
    fault: str = ""


class RotaFaultKind(StrEnum):
    """What can be wrong with a rota."""

    GAP = "gap"
    TOO_MANY = "too-many"
    TWICE = "twice"
    SHORT_REST = "short-rest"
    IDLE_OVERRIDE = "idle-override"


@dataclass(frozen=True, slots=True)
class RotaProblem:
    """Something wrong with a rota from start_at until before end_at. group: one, or several in words."""

    kind: RotaFaultKind
    group: str
    start_at: UnixSeconds
    end_at: UnixSeconds
    persons: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class RotaSpan:
    """Duty from start_at until before end_at: slots by group and time, and what is wrong, by time. timezone: IANA."""

    start_at: UnixSeconds
    end_at: UnixSeconds
    timezone: str
    slots: tuple[DutySlot, ...]
    problems: tuple[RotaProblem, ...]


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A person as they were weighed: facts, five memberships between 0 and 1, and the score.

    declared: skill that people.toml says, None = nothing. good, bad: orders that ended so, faded by age. open_load,
    capacity: in orders of P3 with an hour of work. idle_seconds: since the last order, None = never had one. knows:
    dealt with the same cause in 90 days. reasons: the facts in words.
    """

    person: str
    name: str
    name_zh: str
    presence: Presence
    declared: Ratio | None
    good: float
    bad: float
    open_load: float
    capacity: float
    idle_seconds: Seconds | None
    knows: bool
    duty: Ratio
    skill: Ratio
    load: Ratio
    fair: Ratio
    affinity: Ratio
    score: Ratio
    reasons: str
    reasons_zh: str


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """How a level was judged: rows best first; who was off duty, and who gets no further order for this incident."""

    level: int
    group: str
    rota: str
    rows: tuple[CandidateRow, ...]
    off: tuple[str, ...]
    excluded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactorWeights:
    """The exponents of the memberships; 0 = does not matter."""

    duty: float
    skill: float
    load: float
    fair: float
    affinity: float


@dataclass(frozen=True, slots=True)
class DispatchExplained:
    """A decision of the dispatcher as it was stored. seq, kind: of the event that it led to. chosen "" = nobody.

    text: the decision as a sentence. weights: the exponents of the memberships.
    """

    incident_id: str
    seq: int
    kind: str
    at: UnixSeconds
    chosen: str
    level: int
    group: str
    path: str
    work_class: str
    priority: Priority
    weights: FactorWeights
    tables: tuple[CandidateTable, ...]
    text: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who could get an incident now, best first.

    for_transfer: peers its handler may hand it to; else whom the dispatcher would ask, from the level it is on. level:
    that the rows are of, 0 = none. text: why, or why nobody.
    """

    incident_id: str
    for_transfer: bool
    handler: str
    level: int
    rows: tuple[CandidateRow, ...]
    text: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """A person's week. primary, backup, night, weekend, longest: hours of duty; night 22 to 6, longest without a break.

    incidents: opened in that week which they have, or had at the end. open_orders, open_load, capacity: at the moment,
    the load in orders of P3 with an hour of work.
    """

    person: str
    name: str
    name_zh: str
    week_at: UnixSeconds
    primary_hours: float
    backup_hours: float
    night_hours: float
    weekend_hours: float
    longest_hours: float
    incidents: int
    open_orders: int
    open_load: float
    capacity: float


class DutyView(Protocol):
    """Duty and dispatch, read. Times are wall clock; None = now."""

    def on_duty(self, group: str, at: UnixSeconds | None) -> Sequence[GroupDuty]:
        """Return who is there, of one group or ("") of all; raises KeyError for a group that is not known."""
        ...

    def rota(self, group: str, at: UnixSeconds | None, days: int) -> RotaSpan:
        """Return the duty of days from the Monday before `at`; raises KeyError for a group that is not known."""
        ...

    async def explained(self, incident_id: str) -> Sequence[DispatchExplained]:
        """Return the decisions about an incident, oldest first; raises KeyError for one that is not known."""
        ...

    async def candidates(self, incident_id: str) -> Candidates:
        """Return who could get an incident now; raises KeyError for one that is not known."""
        ...

    async def load(self, at: UnixSeconds | None, weeks: int) -> Sequence[PersonLoad]:
        """Return the load of everybody, by week and person, from the week that `at` lies in."""
        ...
