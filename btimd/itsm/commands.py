"""What a person's command means to the life cycle."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from btimd.itsm import merge
from btimd.itsm.lifecycle import TEXT_LIMIT, allowed_commands
from btimd.itsm.triggers import (
    Accept,
    Cancel,
    Comment,
    Confirm,
    MergeInto,
    ReportProblem,
    Resolve,
    SetPriority,
    Trigger,
)
from btimd.model.incident import (
    CommandKind,
    CommandRefusedError,
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
        priority=command.priority,
    )


def _set_priority(command: IncidentCommand, actor: str, _parent: Incident | None) -> Trigger:
    if command.priority is None:
        raise invalid("no priority was given; give P1 to P5")
    return SetPriority(actor=actor, command_id=command.command_id, priority=command.priority, reason=command.text)


def _merge(command: IncidentCommand, actor: str, parent: Incident | None) -> Trigger:
    if parent is None:
        raise invalid("no parent was given; give the id of the incident to merge into")
    return MergeInto(actor=actor, command_id=command.command_id, parent=parent, reason=command.text)


def _resolve(command: IncidentCommand, actor: str, _parent: Incident | None) -> Trigger:
    return Resolve(
        actor=actor,
        command_id=command.command_id,
        closing_report=command.text,
        override_reason=command.override_reason,
    )


_TRIGGERS: Final[Mapping[CommandKind, Callable[[IncidentCommand, str, Incident | None], Trigger]]] = MappingProxyType(
    {
        CommandKind.ACCEPT: lambda command, actor, _: Accept(actor=actor, command_id=command.command_id),
        CommandKind.RESOLVE: _resolve,
        CommandKind.CONFIRM: lambda command, actor, _: Confirm(
            actor=actor, command_id=command.command_id, text=command.text
        ),
        CommandKind.CANCEL: lambda command, actor, _: Cancel(
            actor=actor, command_id=command.command_id, reason=command.text
        ),
        CommandKind.COMMENT: lambda command, actor, _: Comment(
            actor=actor, command_id=command.command_id, text=command.text
        ),
        CommandKind.SET_PRIORITY: _set_priority,
        CommandKind.MERGE: _merge,
    }
)


def trigger_of(command: IncidentCommand, actor: str, parent: Incident | None) -> Trigger:
    """Return the trigger of a command on an existing incident. parent: of a MERGE."""
    return _TRIGGERS[command.kind](command, actor, parent)


def check_command(command: IncidentCommand) -> None:
    """Refuse what is wrong with a command whatever it is about."""
    if not command.command_id or len(command.command_id) > _ID_LIMIT:
        raise invalid(f"command_id must have 1 to {_ID_LIMIT} characters; it makes a repeated call harmless")
    if len(command.text) > TEXT_LIMIT or len(command.override_reason) > TEXT_LIMIT:
        raise invalid(f"a text is too long; {TEXT_LIMIT} characters are allowed")


def check_version(command: IncidentCommand, incident: Incident) -> None:
    """Refuse a command that was given in view of another version than the present one."""
    if command.expected_version not in {0, incident.version}:
        raise CommandRefusedError(
            RefusalCode.WRONG_VERSION,
            f"{incident.id} has version {incident.version}, not {command.expected_version}; look at it again",
            allowed_commands(incident.state),
        )
