"""The life of an incident: one table of transitions, and `step`, which refuses what the table does not list.

An incident is what its events add up to (itsm.replay): every step makes exactly one event, and the version of the row
is the number of its last event. docs/incident-lifecycle.md is generated from TABLE by tools/lifecycle_diagram.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Generic, TypeAlias, TypeVar

from btimd.itsm import changes, replay
from btimd.itsm.changes import LifecycleConfig, Moment
from btimd.itsm.triggers import (
    Absorb,
    Accept,
    Cancel,
    Comment,
    Confirm,
    MergeInto,
    Observe,
    ReopenTimeOver,
    ReportClear,
    ReportProblem,
    Resolve,
    SetPriority,
    Trigger,
)
from btimd.model.incident import (
    OPEN_STATES,
    CommandKind,
    CommandRefusedError,
    Incident,
    IncidentEvent,
    IncidentState,
    RefusalCode,
    Signal,
)
from btimd.model.units import UnixSeconds

CLOSING_REPORT_MIN: Final = 20
"""Characters of a closing report; less says nothing to the person who meets the same trouble next year."""
TEXT_LIMIT: Final = 10_000
"""Characters of any text of a person."""
REOPEN_TIMER: Final = "reopen"

OPEN: Final = OPEN_STATES
LIVE: Final = OPEN_STATES | {IncidentState.RESOLVED}
"""States in which something can still happen."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """The incident waits: when `due_at` comes, the trigger of that timer fires."""

    name: str
    due_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class StopTimer:
    """The incident no longer waits for that."""

    name: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Every target is owed this event."""

    kind: str


Effect: TypeAlias = StartTimer | StopTimer | Publish


@dataclass(frozen=True, slots=True)
class Step:
    """What one trigger does: the row afterwards, what the timeline gains, what must be done outside."""

    incident: Incident
    events: tuple[IncidentEvent, ...]
    effects: tuple[Effect, ...]


T = TypeVar("T", bound=Trigger)


@dataclass(frozen=True, slots=True)
class When(Generic[T]):
    """A condition that chooses between rows of the same state and trigger; `text` says it to people."""

    text: str
    holds: Callable[[Incident, T, Moment], bool]


@dataclass(frozen=True, slots=True)
class Needs(Generic[T]):
    """Something a trigger must bring; `missing` returns what to do about it where it does not, else an empty text."""

    text: str
    missing: Callable[[Incident, T], str]


@dataclass(frozen=True, slots=True)
class Transition(Generic[T]):
    """One row of the table. `number` is stable; to=None: the state stays as it is. start: the states of no incident."""

    number: str
    on: type[T]
    sources: frozenset[IncidentState]
    to: IncidentState | None
    records: str
    change: Callable[[Incident, T, Moment], Incident]
    start: bool = False
    when: When[T] | None = None
    needs: tuple[Needs[T], ...] = ()
    reason: Callable[[T], str] = lambda _: ""
    timers: Callable[[Moment], tuple[Effect, ...]] = lambda _: ()
    publish: Callable[[Incident, Incident], bool] = lambda _before, _after: True


# Conditions and demands.


def _said(read: Callable[[T], str], what: str) -> Needs[T]:
    def missing(_incident: Incident, trigger: T) -> str:
        text = read(trigger).strip()
        if not text:
            return f"no {what} was given; write why"
        return f"the {what} has {len(text)} characters; shorten it to {TEXT_LIMIT}" if len(text) > TEXT_LIMIT else ""

    return Needs(f"{what} given", missing)


def _closing_report_missing(_incident: Incident, resolve: Resolve) -> str:
    length = len(resolve.closing_report.strip())
    if length < CLOSING_REPORT_MIN:
        return (
            f"the closing report has {length} characters; write at least {CLOSING_REPORT_MIN}: what the cause was "
            "and what was done"
        )
    return f"the closing report has {length} characters; shorten it to {TEXT_LIMIT}" if length > TEXT_LIMIT else ""


def _override_missing(incident: Incident, resolve: Resolve) -> str:
    if incident.signal is Signal.CLEARED or resolve.override_reason.strip() or incident.verdict_id == "":
        return ""
    return "the symptoms are still there; wait until they clear or give an override_reason"


def _parent_wrong(incident: Incident, wish: MergeInto) -> str:
    if wish.parent.id == incident.id:
        return f"{incident.id} cannot be merged into itself; name another parent"
    if not wish.parent.state.is_open:
        return f"the parent {wish.parent.id} is {wish.parent.state.value}; name an open incident"
    return ""


def _wait_for_reopening(moment: Moment) -> tuple[Effect, ...]:
    return (StartTimer(REOPEN_TIMER, moment.now + moment.config.reopen_within),)


def _stop_waiting(_moment: Moment) -> tuple[Effect, ...]:
    return (StopTimer(REOPEN_TIMER),)


def _worth_telling(before: Incident, after: Incident) -> bool:
    """Tell whether a repeated report changed what people see; fewer than a fifth more users is no news."""
    was, now = before.assessment.users or 0, after.assessment.users or 0
    plain = replace(before.assessment, users=None, users_exact=True) == replace(
        after.assessment, users=None, users_exact=True
    )
    judged = (before.signal, before.impact, before.urgency, before.priority)
    return (
        judged != (after.signal, after.impact, after.urgency, after.priority)
        or not plain
        or abs(now - was) * 5 >= max(was, 1)
    )


_S = IncidentState
_REPORT_NEEDS: Final = (
    Needs(f"closing report of {CLOSING_REPORT_MIN} characters", _closing_report_missing),
    Needs("override reason while symptoms last", _override_missing),
)
_IS_LAST: Final[When[ReportClear]] = When("no symptom is left", lambda _i, clear, _m: clear.remaining == 0)
_AUTO: Final[When[ReportClear]] = When(
    "no symptom is left, nobody touched it, auto_resolve is on",
    lambda incident, clear, moment: (
        clear.remaining == 0 and not incident.touched_by_human and moment.config.auto_resolve
    ),
)
_SOON: Final[When[ReportProblem]] = When(
    "within reopen_within", lambda incident, _r, moment: not reopen_time_is_over(incident, moment.now, moment.config)
)

TABLE: Final[tuple[Transition[Any], ...]] = (
    Transition("1", ReportProblem, frozenset(), _S.NEW, "opened", changes.open_new, start=True),
    Transition("2", ReportProblem, OPEN, None, "reported", changes.report_again, publish=_worth_telling),
    Transition(
        "3", ReportProblem, frozenset({_S.RESOLVED}), _S.NEW, "reopened", changes.reopen,
        when=_SOON, timers=_stop_waiting,
    ),
    Transition(
        "4", ReportClear, frozenset({_S.NEW}), _S.RESOLVED, "resolved", changes.clear_and_resolve,
        when=_AUTO, reason=lambda clear: clear.reason, timers=_wait_for_reopening,
    ),
    Transition(
        "4a", ReportClear, LIVE, None, "cleared", changes.clear,
        when=_IS_LAST, reason=lambda clear: clear.reason,
        publish=lambda before, after: before.signal is not after.signal,
    ),
    Transition("4b", ReportClear, LIVE, None, "cleared-in-part", changes.unchanged, publish=lambda _b, _a: False),
    Transition(
        "8", Resolve, frozenset({_S.NEW}), _S.RESOLVED, "resolved", changes.resolve,
        needs=_REPORT_NEEDS, reason=lambda resolve: resolve.override_reason.strip(), timers=_wait_for_reopening,
    ),
    Transition("10", Accept, frozenset({_S.NEW, _S.DISPATCHED}), _S.ACCEPTED, "accepted", changes.accept),
    Transition(
        "23", Resolve, frozenset({_S.ACCEPTED, _S.PENDING}), _S.RESOLVED, "resolved", changes.resolve,
        needs=_REPORT_NEEDS, reason=lambda resolve: resolve.override_reason.strip(), timers=_wait_for_reopening,
    ),
    Transition(
        "24", Confirm, frozenset({_S.RESOLVED}), _S.CLOSED, "closed", changes.close,
        reason=lambda confirm: confirm.text.strip(), timers=_stop_waiting,
    ),
    Transition(
        "24a", ReopenTimeOver, frozenset({_S.RESOLVED}), _S.CLOSED, "closed", changes.close,
        reason=lambda _: "not seen again in the time to reopen", timers=_stop_waiting,
    ),
    Transition(
        "27", Cancel, OPEN, _S.CANCELLED, "cancelled", changes.close,
        needs=(_said(lambda cancel: cancel.reason, "reason"),), reason=lambda cancel: cancel.reason.strip(),
    ),
    Transition(
        "28", MergeInto, OPEN, _S.MERGED, "merged", changes.close,
        needs=(Needs("parent is another open incident", _parent_wrong),), reason=lambda wish: wish.reason.strip(),
    ),
    Transition(
        "28a", Absorb, OPEN, None, "absorbed", changes.absorb, reason=lambda absorb: absorb.reason.strip(),
    ),
    Transition(
        "31", SetPriority, OPEN, None, "priority-set", changes.set_priority,
        needs=(_said(lambda wish: wish.reason, "reason"),), reason=lambda wish: wish.reason.strip(),
    ),
    Transition(
        "34", Comment, LIVE, None, "commented", changes.touch,
        needs=(_said(lambda comment: comment.text, "comment"),), reason=lambda comment: comment.text.strip(),
    ),
    Transition("35", Observe, LIVE, None, "observed", changes.unchanged, reason=lambda seen: seen.text),
)  # fmt: skip
"""Every transition. Rows of one trigger and state are tried in order; the first whose condition holds is taken."""

COMMANDS: Final[Mapping[type[Trigger], CommandKind]] = MappingProxyType(
    {
        Accept: CommandKind.ACCEPT,
        Resolve: CommandKind.RESOLVE,
        Confirm: CommandKind.CONFIRM,
        Cancel: CommandKind.CANCEL,
        Comment: CommandKind.COMMENT,
        SetPriority: CommandKind.SET_PRIORITY,
        MergeInto: CommandKind.MERGE,
    }
)
"""What a person may ask for, by trigger. The others happen by themselves."""


def allowed_commands(state: IncidentState) -> tuple[str, ...]:
    """Return what a person may do to an incident in a state, in the table's order."""
    kinds = (COMMANDS[row.on].value for row in TABLE if row.on in COMMANDS and state in row.sources)
    return tuple(dict.fromkeys(kinds))


def reopen_time_is_over(incident: Incident, now: UnixSeconds, config: LifecycleConfig) -> bool:
    """Tell whether a resolved incident stays resolved for good: what comes now is a new one."""
    return incident.resolved_at is not None and now >= incident.resolved_at + config.reopen_within


def step(incident: Incident | None, trigger: Trigger, now: UnixSeconds, config: LifecycleConfig) -> Step:
    """Return what a trigger does to an incident (None: there is none yet).

    Raises CommandRefusedError, with the commands allowed instead, where the table lists no such transition, and where
    the trigger does not bring what the transition needs. The incident is never changed in place.
    """
    before = replay.blank(_new_id(trigger)) if incident is None else incident
    moment = Moment(now, config)
    row = _row(incident, before, trigger, moment)
    for need in row.needs:
        missing = need.missing(before, trigger)
        if missing:
            raise CommandRefusedError(RefusalCode.INVALID, f"{before.id}: {missing}", allowed_commands(before.state))
    after = row.change(before, trigger, moment)
    event = IncidentEvent(
        incident_id=before.id,
        seq=before.version + 1,
        at=now,
        actor=trigger.actor,
        kind=row.records,
        from_state=None if incident is None else incident.state,
        to_state=before.state if row.to is None else row.to,
        reason=row.reason(trigger),
        details=MappingProxyType({**replay.changed_fields(before, after), **trigger.notes}),
        command_id=trigger.command_id,
    )
    told = (Publish(row.records),) if row.publish(before, after) else ()
    return Step(replay.apply(incident, event), (event,), (*row.timers(moment), *told))


def _new_id(trigger: Trigger) -> str:
    return trigger.incident_id if isinstance(trigger, ReportProblem) else ""


def _row(incident: Incident | None, before: Incident, trigger: Trigger, moment: Moment) -> Transition[Any]:
    for row in TABLE:
        fits = row.start if incident is None else incident.state in row.sources
        if row.on is type(trigger) and fits and (row.when is None or row.when.holds(before, trigger, moment)):
            return row
    if incident is None:
        raise CommandRefusedError(RefusalCode.NOT_FOUND, "there is no such incident; look up its id")
    allowed = allowed_commands(incident.state)
    raise CommandRefusedError(
        RefusalCode.NOT_ALLOWED_NOW,
        f"{incident.id} is {incident.state.value}: {trigger_name(type(trigger))} is not possible now; "
        f"possible: {', '.join(allowed) or 'nothing, it is finished'}",
        allowed,
    )


def trigger_name(kind: type[Trigger]) -> str:
    """Return what people call a trigger: "set-priority", "report problem"."""
    if kind in COMMANDS:
        return COMMANDS[kind].value
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()
