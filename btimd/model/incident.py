"""Incident and what it is judged by: state, impact, urgency, priority (ITIL incident management)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

from btimd.model.units import UnixSeconds


class IncidentState(StrEnum):
    """Where an incident stands in its life cycle."""

    NEW = "new"
    HELD = "held"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    PENDING = "pending"
    STALLED = "stalled"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"

    @property
    def is_open(self) -> bool:
        """Tell whether work is still owed."""
        return self in OPEN_STATES


OPEN_STATES = frozenset({
    IncidentState.NEW, IncidentState.HELD, IncidentState.DISPATCHED,
    IncidentState.ACCEPTED, IncidentState.PENDING, IncidentState.STALLED,
})  # fmt: skip


class Signal(StrEnum):
    """The technical condition, apart from the process state."""

    ACTIVE = "active"
    CLEARED = "cleared"


class Impact(IntEnum):
    """How much of the enterprise is hit; 1 is worst."""

    HIGH = 1
    MEDIUM = 2
    LOW = 3


class Urgency(IntEnum):
    """How fast it must be dealt with; 1 is worst."""

    HIGH = 1
    MEDIUM = 2
    LOW = 3


class Difficulty(IntEnum):
    """How much is left to be found out before it can be dealt with; 1 is worst."""

    HIGH = 1
    MEDIUM = 2
    LOW = 3


class Priority(IntEnum):
    """The order of work; P1 first."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4
    P5 = 5


@dataclass(frozen=True, slots=True)
class ImpactAssessment:
    """Who is hit: businesses, regions, and the users that were on line when it began.

    users_exact is False where the count is a lower bound or flows were sampled; users None: not known.
    """

    businesses: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    users: int | None = None
    users_exact: bool = True


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident per cause. Its state changes only through itsm.lifecycle; `version` grows with every change.

    fingerprint: what makes two reports the same incident (the cause). *_at: wall clock, UTC; None: not yet.
    verdict_id: the diagnosis behind it, empty where a person reported it. closing_report: mandatory from RESOLVED on.
    """

    id: str
    version: int
    fingerprint: str
    state: IncidentState
    signal: Signal
    title: str
    description: str
    cause: str
    verdict_id: str
    confidence: float
    impact: Impact
    urgency: Urgency
    priority: Priority
    priority_is_manual: bool
    assessment: ImpactAssessment
    report_count: int
    reopen_count: int
    touched_by_human: bool
    assignee: str
    closing_report: str
    opened_at: UnixSeconds
    last_seen_at: UnixSeconds
    began_at: UnixSeconds
    accepted_at: UnixSeconds | None = None
    resolved_at: UnixSeconds | None = None
    closed_at: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One line of an incident's timeline: who did what when and why. `seq` counts from 1 per incident."""

    incident_id: str
    seq: int
    at: UnixSeconds
    actor: str
    kind: str
    from_state: IncidentState | None
    to_state: IncidentState
    reason: str
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    command_id: str = ""


class CommandKind(StrEnum):
    """What a person may do to an incident."""

    CREATE = "create"
    ACCEPT = "accept"
    RESOLVE = "resolve"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    COMMENT = "comment"
    SET_PRIORITY = "set-priority"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class IncidentCommand:
    """A person's wish; `command_id` makes a repeated call harmless, `expected_version` 0 means any.

    text: reason, comment, closing report or description, whatever the kind asks for. title and businesses: CREATE.
    priority: SET_PRIORITY. parent_id: MERGE. override_reason: RESOLVE while the signal is still active.
    """

    kind: CommandKind
    command_id: str
    incident_id: str = ""
    expected_version: int = 0
    text: str = ""
    title: str = ""
    businesses: tuple[str, ...] = ()
    priority: Priority | None = None
    parent_id: str = ""
    override_reason: str = ""


class RefusalCode(StrEnum):
    """Why a command was refused; each maps to one gRPC status."""

    NOT_FOUND = "not-found"
    NOT_ALLOWED_NOW = "not-allowed-now"
    WRONG_VERSION = "wrong-version"
    INVALID = "invalid"


class CommandRefusedError(Exception):
    """A command the life cycle does not allow. The incident is as it was."""

    def __init__(self, code: RefusalCode, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.allowed = allowed
