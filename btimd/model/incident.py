"""Incident and what it is judged by: state, impact, urgency, priority (ITIL incident management)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

from btimd.model.units import Seconds, UnixSeconds


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


class ActorRole(StrEnum):
    """In what capacity somebody acts on an incident. HANDLER and REPORTER follow from the incident itself."""

    HANDLER = "handler"
    """The person it was given to, or who took it."""
    REPORTER = "reporter"
    """The person who reported it."""
    DESK = "desk"
    """The service desk, which answers the telephone."""
    CENTRE = "centre"
    """The management centre, which watches over all work."""


class ClockStatus(StrEnum):
    """How a promise on an incident stands."""

    NONE = "none"
    """Nothing was promised."""
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    """The time promised passed before it was done; it stays so when it is done at last."""
    STOPPED = "stopped"
    """The incident was cancelled or merged before: neither met nor breached."""


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """One promise: to respond, or to resolve, within `allowed_seconds` of service hours.

    due_at: when the time is up; None while paused and where nothing was promised. told_percent: the last mark that was
    told of (50, 75, 90, 100), 0 for none. remaining_seconds: what was left when it was paused or ended, negative when
    it was late. ended_at: when it was done, or given up.
    """

    status: ClockStatus = ClockStatus.NONE
    allowed_seconds: Seconds = 0.0
    due_at: UnixSeconds | None = None
    told_percent: int = 0
    remaining_seconds: Seconds = 0.0
    ended_at: UnixSeconds | None = None


class DispatchOutcome(StrEnum):
    """How an order ended."""

    ACCEPTED = "accepted"
    TIMEOUT = "timeout"
    RETURNED = "returned"
    TRANSFERRED = "transferred"
    RECALLED = "recalled"
    """Withdrawn: by the management centre, by an escalation, or because the incident ended."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """An order to one person to accept the incident by `accept_by`. Set exactly while the incident is DISPATCHED.

    number: counts the orders of the incident from 1. number_at_level: those at this level since it was reached.
    by_hand: the person was named by somebody, not found by the dispatcher. reminders: how often it was repeated.
    accept_seconds, renotify_seconds, max_candidates: what its level and group say of orders; None: the general rules.
    """

    id: str
    number: int
    level: int
    number_at_level: int
    person: str
    group: str
    by_hand: bool
    sent_at: UnixSeconds
    accept_by: UnixSeconds
    reminders: int = 0
    accept_seconds: Seconds | None = None
    renotify_seconds: Seconds | None = None
    max_candidates: int | None = None


@dataclass(frozen=True, slots=True)
class TimerDue:
    """Something the incident waits for. generation: the version of the incident that set it; an older one is void."""

    name: str
    due_at: UnixSeconds
    generation: int


@dataclass(frozen=True, slots=True)
class TicketReference:
    """What a target calls the incident, and the last of its changes that was taken over (a part of the incident)."""

    target: str
    reference: str
    seq: int = 0
    status: str = ""


@dataclass(frozen=True, slots=True)
class ClosingReport:
    """What the end of the work says beyond its text; which of it must be filled in is the operator's decision."""

    cause: str = ""
    action: str = ""
    node: str = ""
    category: str = ""
    effort_minutes: int | None = None
    article: str = ""
    """Id of the knowledge article that helped."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident per cause. Its state changes only through itsm.lifecycle; `version` grows with every change.

    fingerprint: what makes two reports the same incident (the cause). *_at: wall clock, UTC; None: not yet.
    verdict_id: the diagnosis behind it, empty where a person reported it. closing_report: mandatory from RESOLVED on.
    assignee: who has it (ordered to or working on it) while it is open; afterwards who had it at the end.
    category: the class of trouble that groups and skills go by. level: of the escalation path, 0 before any order.
    excluded: persons who let an order pass or returned it; they get no further one. stage_reported_at: the last report
    on progress; stage_left_seconds: until the next one is due, kept while it is pending. first_time_fix: resolved by
    its first handler, or by the service desk, without return, transfer, escalation or reopening; None: not known yet.
    first_dispatch_right: the first order was accepted by its addressee and neither returned nor transferred.
    pending_since: while it is pending, and only where that stops the clock of its resolution. told_at: when targets
    were last told of a repeated report.
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
    category: str = ""
    reporter: str = ""
    difficulty: Difficulty = Difficulty.LOW
    group: str = ""
    level: int = 0
    dispatch: Dispatch | None = None
    dispatch_count: int = 0
    level_dispatch_count: int = 0
    excluded: tuple[str, ...] = ()
    hold_reason: str = ""
    pending_reason: str = ""
    pending_until: UnixSeconds | None = None
    pending_since: UnixSeconds | None = None
    paused_seconds: Seconds = 0.0
    response: ServiceClock = field(default_factory=ServiceClock)
    resolution: ServiceClock = field(default_factory=ServiceClock)
    stage_reported_at: UnixSeconds | None = None
    stage_eta: UnixSeconds | None = None
    stage_left_seconds: Seconds | None = None
    return_count: int = 0
    transfer_count: int = 0
    escalation_count: int = 0
    first_time_fix: bool | None = None
    first_dispatch_right: bool | None = None
    closing: ClosingReport | None = None
    survey_score: int | None = None
    parent_id: str = ""
    references: tuple[TicketReference, ...] = ()
    told_at: UnixSeconds | None = None
    timers: tuple[TimerDue, ...] = ()


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
    HOLD = "hold"
    RELEASE = "release"
    ASSIGN = "assign"
    RETURN = "return"
    TRANSFER = "transfer"
    ESCALATE = "escalate"
    FORCE_ESCALATE = "force-escalate"
    STAGE_REPORT = "stage-report"
    PEND = "pend"
    RESUME = "resume"
    REJECT = "reject"
    SURVEY = "survey"
    UNMERGE = "unmerge"


@dataclass(frozen=True, slots=True)
class IncidentCommand:
    """A person's wish; `command_id` makes a repeated call harmless, `expected_version` 0 means any.

    text: reason, comment, closing report or description, whatever the kind asks for. title and businesses: CREATE.
    priority: SET_PRIORITY, CREATE. parent_id: MERGE. override_reason: RESOLVE while the signal is still active.
    closing: what RESOLVE says beyond its text. person: of ASSIGN and TRANSFER, and whose report a CREATE is, "" = of
    whoever asks.
    level: of FORCE_ESCALATE, 0 = the next one. until: of PEND, and when the next news of a STAGE_REPORT is to be
    expected. score: of SURVEY. category: of CREATE.
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
    closing: ClosingReport | None = None
    person: str = ""
    level: int = 0
    until: UnixSeconds | None = None
    score: int | None = None
    category: str = ""


class RefusalCode(StrEnum):
    """Why a command was refused; each maps to one gRPC status."""

    NOT_FOUND = "not-found"
    NOT_ALLOWED_NOW = "not-allowed-now"
    WRONG_VERSION = "wrong-version"
    INVALID = "invalid"
    NOT_PERMITTED = "not-permitted"


class CommandRefusedError(Exception):
    """A command the life cycle does not allow. The incident is as it was."""

    def __init__(self, code: RefusalCode, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.allowed = allowed
