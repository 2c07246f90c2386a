"""What a person's command means to the life cycle."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from types import MappingProxyType
from typing import Final

from btimd.itsm import merge
from btimd.itsm.lifecycle import allowed_commands
from btimd.itsm.needs import NAME_LIMIT, TEXT_LIMIT
from btimd.itsm.triggers import (
    Accept,
    Assign,
    Cancel,
    Comment,
    Confirm,
    Escalate,
    ForceEscalate,
    Hold,
    MergeInto,
    Pend,
    Reject,
    Release,
    ReportProblem,
    Resolve,
    Resume,
    Return,
    SetPriority,
    StageReport,
    Survey,
    Transfer,
    Trigger,
    Unmerge,
)
from btimd.model.incident import (
    ActorRole,
    ClosingReport,
    CommandKind,
    CommandRefusedError,
    Difficulty,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentCommand,
    RefusalCode,
    Urgency,
)
from btimd.model.units import UnixSeconds

_ID_LIMIT: Final = 200
_BUSINESSES_LIMIT: Final = 100
_EFFORT_LIMIT: Final = 525_600  # a year


def invalid(message: str) -> CommandRefusedError:
    """Return the refusal of a command that makes no sense in any state."""
    return CommandRefusedError(RefusalCode.INVALID, message)


def manual_report(
    command: IncidentCommand, actor: str, *, incident_id: str, impact: Impact, now: UnixSeconds
) -> ReportProblem:
    """Return the report that a person's CREATE makes; raises CommandRefusedError where it says too little."""
    if not command.title.strip():
        raise invalid("no title was given; write in a few words what does not work")
    if len(command.title) > merge.TITLE_LIMIT or len(command.text) > TEXT_LIMIT:
        raise invalid(f"title or text is too long; {merge.TITLE_LIMIT} and {TEXT_LIMIT} characters are allowed")
    if len(command.businesses) > _BUSINESSES_LIMIT:
        raise invalid(f"{len(command.businesses)} businesses were named; name at most {_BUSINESSES_LIMIT}")
    return ReportProblem(
        actor=actor,
        command_id=command.command_id,
        incident_id=incident_id,
        fingerprint=merge.manual_fingerprint(command.command_id),
        title=command.title.strip(),
        description=command.text.strip(),
        cause="",
        verdict_id="",
        confidence=0.0,
        impact=impact,
        urgency=Urgency.MEDIUM,
        assessment=ImpactAssessment(businesses=tuple(dict.fromkeys(command.businesses))),
        began_at=now,
        by_human=True,
        difficulty=Difficulty.HIGH,
        priority=command.priority,
        category=command.category.strip(),
        reporter=command.person.strip(),
    )


def _set_priority(command: IncidentCommand, _parent: Incident | None) -> Trigger:
    if command.priority is None:
        raise invalid("no priority was given; give P1 to P5")
    return SetPriority(priority=command.priority, reason=command.text)


def _merge(command: IncidentCommand, parent: Incident | None) -> Trigger:
    if parent is None:
        raise invalid("no parent was given; give the id of the incident to merge into")
    return MergeInto(parent=parent, reason=command.text)


def _unmerge(command: IncidentCommand, parent: Incident | None) -> Trigger:
    if parent is None:
        raise invalid("it is not part of another incident")
    return Unmerge(parent=parent, reason=command.text)


def _resolve(command: IncidentCommand, _parent: Incident | None) -> Trigger:
    return Resolve(closing_report=command.text, override_reason=command.override_reason, closing=command.closing)


def _pend(command: IncidentCommand, _parent: Incident | None) -> Trigger:
    if command.until is None:
        raise invalid("no time was given; say until when it waits")
    return Pend(reason=command.text, until=command.until)


def _survey(command: IncidentCommand, _parent: Incident | None) -> Trigger:
    if command.score is None:
        raise invalid("no score was given; give 1 (not content at all) to 5")
    return Survey(score=command.score, text=command.text)


_TRIGGERS: Final[Mapping[CommandKind, Callable[[IncidentCommand, Incident | None], Trigger]]] = MappingProxyType(
    {
        CommandKind.ACCEPT: lambda _command, _parent: Accept(),
        CommandKind.RESOLVE: _resolve,
        CommandKind.CONFIRM: lambda command, _: Confirm(text=command.text),
        CommandKind.CANCEL: lambda command, _: Cancel(reason=command.text),
        CommandKind.COMMENT: lambda command, _: Comment(text=command.text),
        CommandKind.SET_PRIORITY: _set_priority,
        CommandKind.MERGE: _merge,
        CommandKind.HOLD: lambda command, _: Hold(reason=command.text),
        CommandKind.RELEASE: lambda _command, _parent: Release(),
        CommandKind.ASSIGN: lambda command, _: Assign(person=command.person, reason=command.text),
        CommandKind.RETURN: lambda command, _: Return(reason=command.text),
        CommandKind.TRANSFER: lambda command, _: Transfer(person=command.person, reason=command.text),
        CommandKind.ESCALATE: lambda command, _: Escalate(reason=command.text),
        CommandKind.FORCE_ESCALATE: lambda command, _: ForceEscalate(reason=command.text, level=command.level),
        CommandKind.STAGE_REPORT: lambda command, _: StageReport(text=command.text, next_at=command.until),
        CommandKind.PEND: _pend,
        CommandKind.RESUME: lambda command, _: Resume(text=command.text),
        CommandKind.REJECT: lambda command, _: Reject(reason=command.text),
        CommandKind.SURVEY: _survey,
        CommandKind.UNMERGE: _unmerge,
    }
)


def trigger_of(
    command: IncidentCommand, actor: str, parent: Incident | None, roles: frozenset[ActorRole] | None = None
) -> Trigger:
    """Return the trigger of a command on an existing incident. parent: of a MERGE and an UNMERGE."""
    trigger = _TRIGGERS[command.kind](command, parent)
    return replace(trigger, actor=actor, command_id=command.command_id, roles=roles)


def check_command(command: IncidentCommand) -> None:
    """Refuse what is wrong with a command whatever it is about."""
    if not command.command_id or len(command.command_id) > _ID_LIMIT:
        raise invalid(f"command_id must have 1 to {_ID_LIMIT} characters; it makes a repeated call harmless")
    if len(command.text) > TEXT_LIMIT or len(command.override_reason) > TEXT_LIMIT:
        raise invalid(f"a text is too long; {TEXT_LIMIT} characters are allowed")
    closing = command.closing or ClosingReport()
    if max(map(len, (closing.cause, closing.action))) > TEXT_LIMIT:
        raise invalid(f"the closing report is too long; {TEXT_LIMIT} characters are allowed for cause and action")
    names = (command.person, command.category, closing.node, closing.category, closing.article)
    if max(map(len, names)) > NAME_LIMIT:
        raise invalid(f"a name is too long; {NAME_LIMIT} characters are allowed")
    if closing.effort_minutes is not None and not 0 <= closing.effort_minutes <= _EFFORT_LIMIT:
        raise invalid(f"{closing.effort_minutes} minutes are no effort; give 0 to {_EFFORT_LIMIT}")
    if command.until is not None and not isfinite(command.until):
        raise invalid("that is no time")


def check_version(command: IncidentCommand, incident: Incident) -> None:
    """Refuse a command that was given in view of another version than the present one."""
    if command.expected_version not in {0, incident.version}:
        raise CommandRefusedError(
            RefusalCode.WRONG_VERSION,
            f"{incident.id} has version {incident.version}, not {command.expected_version}; look at it again",
            allowed_commands(incident.state),
        )
