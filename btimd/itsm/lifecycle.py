"""The life of an incident: `step` applies the table of transitions and refuses what the table does not list.

An incident is what its events add up to (itsm.replay): every step makes exactly one event, and the version of the row
is the number of its last event. Whom an order goes to is asked within the step (itsm.moment.Dispatcher), so that an
incident is never between two states.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from btimd.itsm import needs, replay, timers
from btimd.itsm.lifecycletable import LIVE, OPEN, TABLE
from btimd.itsm.moment import Change, Dispatcher, LifecycleConfig, Moment, NoDispatcher, Tell
from btimd.itsm.timers import StartTimer, StopTimer, TimerName
from btimd.itsm.transition import OPEN_END, Effect, Publish, Step, Transition
from btimd.itsm.triggers import (
    Accept,
    AcceptTimeOver,
    Assign,
    Cancel,
    CentreDue,
    Comment,
    Confirm,
    DigestDue,
    Escalate,
    ForceEscalate,
    Hold,
    HoldOver,
    MergeInto,
    Pend,
    PendingOver,
    Reject,
    Release,
    RenotifyDue,
    ReopenTimeOver,
    ReportProblem,
    ResolutionMark,
    Resolve,
    ResponseMark,
    Resume,
    Return,
    SetPriority,
    StageDue,
    StageGraceOver,
    StageReport,
    Survey,
    Transfer,
    Trigger,
    Unmerge,
    WaitOver,
)
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    Incident,
    IncidentEvent,
    IncidentState,
    RefusalCode,
)
from btimd.model.ports import TellKind
from btimd.model.units import UnixSeconds

__all__ = [
    "COMMANDS",
    "LIVE",
    "OPEN",
    "TABLE",
    "TIMED",
    "Effect",
    "Publish",
    "StartTimer",
    "Step",
    "StopTimer",
    "Tell",
    "Transition",
    "allowed_commands",
    "allowed_to",
    "reopen_time_is_over",
    "step",
    "trigger_name",
]

_ONCE: Final = frozenset({"survey"})
"""What nobody is told again when an incident that came back is resolved again: whoever is asked twice is asked once
too often."""
POLICY: Final = "policy"
"""Note: the version of the rules that the step went by."""

COMMANDS: Final[Mapping[type[Trigger], CommandKind]] = MappingProxyType(
    {
        Accept: CommandKind.ACCEPT,
        Resolve: CommandKind.RESOLVE,
        Confirm: CommandKind.CONFIRM,
        Cancel: CommandKind.CANCEL,
        Comment: CommandKind.COMMENT,
        SetPriority: CommandKind.SET_PRIORITY,
        MergeInto: CommandKind.MERGE,
        Hold: CommandKind.HOLD,
        Release: CommandKind.RELEASE,
        Assign: CommandKind.ASSIGN,
        Return: CommandKind.RETURN,
        Transfer: CommandKind.TRANSFER,
        Escalate: CommandKind.ESCALATE,
        ForceEscalate: CommandKind.FORCE_ESCALATE,
        StageReport: CommandKind.STAGE_REPORT,
        Pend: CommandKind.PEND,
        Resume: CommandKind.RESUME,
        Reject: CommandKind.REJECT,
        Survey: CommandKind.SURVEY,
        Unmerge: CommandKind.UNMERGE,
    }
)
"""What a person may ask for, by trigger. The others happen by themselves."""

TIMED: Final[Mapping[TimerName, type[Trigger]]] = MappingProxyType(
    {
        TimerName.WAIT: WaitOver,
        TimerName.HOLD: HoldOver,
        TimerName.ACCEPT: AcceptTimeOver,
        TimerName.RENOTIFY: RenotifyDue,
        TimerName.STAGE: StageDue,
        TimerName.STAGE_GRACE: StageGraceOver,
        TimerName.PENDING: PendingOver,
        TimerName.CENTRE: CentreDue,
        TimerName.REOPEN: ReopenTimeOver,
        TimerName.RESPONSE: ResponseMark,
        TimerName.RESOLUTION: ResolutionMark,
        TimerName.DIGEST: DigestDue,
    }
)
"""What happens when a timer runs out."""
_TIMER_OF: Final = MappingProxyType({trigger: name for name, trigger in TIMED.items()})


def allowed_commands(state: IncidentState) -> tuple[str, ...]:
    """Return what a person may do to an incident in a state, in the table's order."""
    kinds = (COMMANDS[row.on].value for row in TABLE if row.on in COMMANDS and state in row.sources)
    return tuple(dict.fromkeys(kinds))


def allowed_to(incident: Incident, actor: str, roles: frozenset[ActorRole] | None) -> tuple[CommandKind, ...]:
    """Return what somebody may do to an incident now, in the table's order; some of it needs words, a person, a time.

    roles: in what capacity they ask, beside handler and reporter; None: that is not asked.
    """
    held = None if roles is None else _roles(incident, actor, roles)
    rows = (row for row in TABLE if row.on in COMMANDS and incident.state in row.sources)
    kinds = (COMMANDS[row.on] for row in rows if held is None or not row.who or row.who & held)
    return tuple(dict.fromkeys(kinds))


def reopen_time_is_over(incident: Incident, now: UnixSeconds, config: LifecycleConfig) -> bool:
    """Tell whether a resolved incident stays resolved for good: what comes now is a new one."""
    return needs.reopen_time_is_over(incident, Moment(now, config))


def step(
    incident: Incident | None,
    trigger: Trigger,
    now: UnixSeconds,
    config: LifecycleConfig,
    people: Dispatcher | None = None,
) -> Step:
    """Return what a trigger does to an incident (None: there is none yet).

    people: who can be given an incident; None: nobody is named, so that incidents wait until somebody takes them.
    Raises CommandRefusedError, with the commands allowed instead, where the table lists no such transition, where the
    actor may not ask for it, and where the trigger does not bring what the transition needs. The incident is never
    changed in place.
    """
    stored = replay.blank(_new_id(trigger)) if incident is None else incident
    moment = Moment(now, config, people or NoDispatcher())
    row = _row(incident, stored, trigger, moment)
    _check(row, stored, trigger, moment)
    fired = _TIMER_OF.get(type(trigger))
    before = stored if fired is None else timers.disarmed(stored, fired)
    made = row.change(before, trigger, moment)
    change = made if isinstance(made, Change) else Change(made)
    state = _state_after(row, stored, change.incident)
    after = timers.settled(before, _timed(replace(change.incident, state=state), stored, moment), moment)
    policy = {POLICY: config.version} if config.version else {}
    details = {**replay.changed_fields(stored, after), **change.notes, **trigger.notes, **policy}
    event = IncidentEvent(
        incident_id=stored.id,
        seq=stored.version + 1,
        at=now,
        actor=trigger.actor,
        kind=OPEN_END if state is IncidentState.STALLED and stored.state is not state else row.records,
        from_state=None if incident is None else incident.state,
        to_state=state,
        reason=row.reason(trigger),
        details=MappingProxyType(details),
        command_id=trigger.command_id,
    )
    told = (Publish(event.kind),) if row.publish(stored, after) else ()
    tells = (*_tells(row, stored, after), *change.tells)
    return Step(replay.apply(incident, event), (event,), (*timers.effects(stored, after), *told, *tells))


def _state_after(row: Transition[Any], stored: Incident, changed: Incident) -> IncidentState:
    """Return where a transition ends: the table says it, or the change chooses among the ends that the table lists."""
    if row.to is None:
        return stored.state
    if not row.or_to:
        return row.to
    if changed.state not in {row.to, *row.or_to}:
        raise ValueError(f"transition {row.number} cannot end in {changed.state.value}")
    return changed.state


def _timed(after: Incident, stored: Incident, moment: Moment) -> Incident:
    """Return the incident with the timer that every resolution starts."""
    if after.state is not IncidentState.RESOLVED or stored.state is IncidentState.RESOLVED:
        return after
    return timers.armed(after, TimerName.REOPEN, moment.now + moment.config.reopen_seconds(after.priority))


_UNNAMED: Final = frozenset({TellKind.CENTRE, TellKind.WATCHERS})
"""Who they are is known to those who tell."""


def _tells(row: Transition[Any], before: Incident, after: Incident) -> tuple[Tell, ...]:
    """Return who hears of a step by the table; where there is no such person nobody does, save the centre."""
    people = {
        TellKind.HANDLER: after.assignee or before.assignee,
        TellKind.LEAD: after.group or before.group,
        TellKind.REPORTER: after.reporter,
        TellKind.CENTRE: "",
        TellKind.WATCHERS: "",
    }
    return tuple(
        Tell(kind, people[kind], what)
        for kind, what in row.tells
        if (people[kind] or kind in _UNNAMED) and not (what in _ONCE and after.reopen_count and row.to)
    )


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


def _check(row: Transition[Any], before: Incident, trigger: Trigger, moment: Moment) -> None:
    if row.who and trigger.roles is not None and not row.who & _roles(before, trigger.actor, trigger.roles):
        raise CommandRefusedError(
            RefusalCode.NOT_PERMITTED,
            f"{before.id}: {trigger_name(type(trigger))} is for {', '.join(sorted(row.who))}; ask one of them",
            allowed_commands(before.state),
        )
    for need in row.needs:
        missing = need.missing(before, trigger, moment)
        if missing:
            raise CommandRefusedError(RefusalCode.INVALID, f"{before.id}: {missing}", allowed_commands(before.state))


def _roles(incident: Incident, actor: str, claimed: frozenset[ActorRole]) -> frozenset[ActorRole]:
    """Return in what capacity an actor acts; handler and reporter follow from the incident, whatever is claimed."""
    roles = claimed - {ActorRole.HANDLER, ActorRole.REPORTER}
    if actor == incident.assignee and incident.assignee:
        roles |= {ActorRole.HANDLER}
    if actor == incident.reporter and incident.reporter:
        roles |= {ActorRole.REPORTER}
    return roles


def trigger_name(kind: type[Trigger]) -> str:
    """Return what people call a trigger: "set-priority", "report problem"."""
    if kind in COMMANDS:
        return COMMANDS[kind].value
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()
