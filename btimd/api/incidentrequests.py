"""Which rpc a command on an incident is, and its request."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from btimd.api.codec import timestamp_of_seconds
from btimd.api.convert import CLOSING_REPORT, PRIORITY
from btimd.api.pb import incidents_pb2 as pb
from btimd.model.incident import CommandKind, IncidentCommand

METHODS: Final[Mapping[CommandKind, str]] = {
    CommandKind.CREATE: "CreateIncident",
    CommandKind.ACCEPT: "AcceptIncident",
    CommandKind.RESOLVE: "ResolveIncident",
    CommandKind.CONFIRM: "ConfirmIncident",
    CommandKind.CANCEL: "CancelIncident",
    CommandKind.COMMENT: "CommentIncident",
    CommandKind.SET_PRIORITY: "SetPriority",
    CommandKind.MERGE: "MergeIncident",
    CommandKind.HOLD: "HoldIncident",
    CommandKind.RELEASE: "ReleaseIncident",
    CommandKind.ASSIGN: "AssignIncident",
    CommandKind.RETURN: "ReturnIncident",
    CommandKind.TRANSFER: "TransferIncident",
    CommandKind.ESCALATE: "EscalateIncident",
    CommandKind.FORCE_ESCALATE: "ForceEscalateIncident",
    CommandKind.STAGE_REPORT: "ReportProgress",
    CommandKind.PEND: "PendIncident",
    CommandKind.RESUME: "ResumeIncident",
    CommandKind.REJECT: "RejectIncident",
    CommandKind.SURVEY: "SurveyIncident",
    CommandKind.UNMERGE: "UnmergeIncident",
}
"""The rpc of each command."""
_TEXTS: Final = ("description", "closing_report", "reason", "comment", "text")
"""What the text of a command is called in its request."""


def request_of(command: IncidentCommand) -> tuple[str, Message]:
    """Return the rpc of a command and its request; what the request has no field for is left out."""
    name = METHODS[command.kind]
    method = pb.DESCRIPTOR.services_by_name["IncidentsService"].methods_by_name[name]
    fields = method.input_type.fields_by_name
    until = None if command.until is None else timestamp_of_seconds(command.until)
    given: dict[str, Any] = {
        "command_id": command.command_id,
        "incident_id": command.incident_id,
        "expected_version": command.expected_version,
        "title": command.title,
        "businesses": command.businesses,
        "category": command.category,
        "priority": PRIORITY.to_pb(command.priority),
        "reporter": command.person,
        "person": command.person,
        "parent_id": command.parent_id,
        "override_reason": command.override_reason,
        "closing": None if command.closing is None else CLOSING_REPORT.to_pb(command.closing),
        "level": command.level,
        "until": until,
        "next_news_at": until,
        "score": command.score,
    }
    given |= dict.fromkeys(_TEXTS, command.text)
    wanted = {field: value for field, value in given.items() if field in fields and value is not None}
    return name, GetMessageClass(method.input_type)(**wanted)
