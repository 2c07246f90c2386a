"""What people do to incidents: each rpc is one command of the life cycle, which judges who may do it and when."""

from typing import Any, Final

import grpc

from btimd.api.auth import NEEDED_ROLE, Caller, Role
from btimd.api.convert import CLOSING_REPORT, INCIDENT, PRIORITY
from btimd.api.convert_incidents import moment_of, sight_of
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.incidentrequests import METHODS
from btimd.api.pb import incidents_pb2 as pb
from btimd.api.requests import bounded, command_id, in_range, named
from btimd.model.incident import CommandKind, CommandRefusedError, Incident, IncidentCommand, RefusalCode
from btimd.model.ports import IncidentDesk

_MAX_TITLE_CHARACTERS: Final = 300
_MAX_TEXT_CHARACTERS: Final = 20_000
_MAX_NAME_CHARACTERS: Final = 200
_MAX_BUSINESSES: Final = 100
_MAX_LEVEL: Final = 100
STATUS: Final = {
    RefusalCode.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    RefusalCode.NOT_ALLOWED_NOW: grpc.StatusCode.FAILED_PRECONDITION,
    RefusalCode.WRONG_VERSION: grpc.StatusCode.ABORTED,
    RefusalCode.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    RefusalCode.NOT_PERMITTED: grpc.StatusCode.PERMISSION_DENIED,
}


class IncidentCommands:
    """The commands of IncidentsService. The caller's person is the actor; what they may not see is not there."""

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk

    async def create_incident(self, request: pb.CreateIncidentRequest, caller: Caller) -> pb.CreateIncidentResponse:
        """Open an incident."""
        if not request.title.strip():
            raise invalid("title", "must be given")
        if len(request.businesses) > _MAX_BUSINESSES:
            raise invalid("businesses", f"{len(request.businesses)} of them; {_MAX_BUSINESSES} at most")
        for business in request.businesses:
            bounded("businesses", business, _MAX_NAME_CHARACTERS)
            if not caller.scope.has_business(business):
                raise not_found("business", business)
        for field in ("priority", "reporter"):
            if getattr(request, field) and caller.role < Role.HANDLER:
                raise _only_handlers(caller, f"{field}: only the service desk and handlers may set it; leave it out")
        command = IncidentCommand(
            kind=CommandKind.CREATE,
            command_id=command_id(request),
            text=bounded("description", request.description, _MAX_TEXT_CHARACTERS),
            title=bounded("title", request.title.strip(), _MAX_TITLE_CHARACTERS),
            businesses=tuple(request.businesses),
            category=bounded("category", request.category, _MAX_NAME_CHARACTERS),
            priority=PRIORITY.from_pb(request.priority) if request.priority else None,
            person=bounded("reporter", request.reporter, _MAX_NAME_CHARACTERS),
        )
        return pb.CreateIncidentResponse(incident=await self._do(command, caller))

    async def accept_incident(self, request: pb.AcceptIncidentRequest, caller: Caller) -> pb.AcceptIncidentResponse:
        """Give the incident to the caller."""
        text = _text(request, "comment")
        return pb.AcceptIncidentResponse(incident=await self._change(CommandKind.ACCEPT, request, caller, text=text))

    async def resolve_incident(self, request: pb.ResolveIncidentRequest, caller: Caller) -> pb.ResolveIncidentResponse:
        """Record that the work is done."""
        incident = await self._change(
            CommandKind.RESOLVE,
            request,
            caller,
            text=_text(request, "closing_report", needed=True),
            override_reason=_text(request, "override_reason"),
            closing=CLOSING_REPORT.from_pb(request.closing) if request.HasField("closing") else None,
        )
        return pb.ResolveIncidentResponse(incident=incident)

    async def confirm_incident(self, request: pb.ConfirmIncidentRequest, caller: Caller) -> pb.ConfirmIncidentResponse:
        """Close the incident."""
        text = _text(request, "comment")
        return pb.ConfirmIncidentResponse(incident=await self._change(CommandKind.CONFIRM, request, caller, text=text))

    async def cancel_incident(self, request: pb.CancelIncidentRequest, caller: Caller) -> pb.CancelIncidentResponse:
        """Take the incident back."""
        return pb.CancelIncidentResponse(incident=await self._because(CommandKind.CANCEL, request, caller))

    async def comment_incident(self, request: pb.CommentIncidentRequest, caller: Caller) -> pb.CommentIncidentResponse:
        """Add a line to the timeline."""
        text = _text(request, "comment", needed=True)
        return pb.CommentIncidentResponse(incident=await self._change(CommandKind.COMMENT, request, caller, text=text))

    async def set_priority(self, request: pb.SetPriorityRequest, caller: Caller) -> pb.SetPriorityResponse:
        """Set the priority by hand."""
        if not request.priority:
            raise invalid("priority", "must be given")
        priority = PRIORITY.from_pb(request.priority)
        incident = await self._because(CommandKind.SET_PRIORITY, request, caller, priority=priority)
        return pb.SetPriorityResponse(incident=incident)

    async def merge_incident(self, request: pb.MergeIncidentRequest, caller: Caller) -> pb.MergeIncidentResponse:
        """Make the incident part of another."""
        parent_id = named(request, "parent_id")
        if not caller.scope.is_all:
            await self._visible(parent_id, caller)
        incident = await self._change(
            CommandKind.MERGE, request, caller, text=_text(request, "reason"), parent_id=parent_id
        )
        return pb.MergeIncidentResponse(incident=incident)

    async def hold_incident(self, request: pb.HoldIncidentRequest, caller: Caller) -> pb.HoldIncidentResponse:
        """Take the incident out of dispatch."""
        return pb.HoldIncidentResponse(incident=await self._because(CommandKind.HOLD, request, caller))

    async def release_incident(self, request: pb.ReleaseIncidentRequest, caller: Caller) -> pb.ReleaseIncidentResponse:
        """Give the incident back to dispatch."""
        return pb.ReleaseIncidentResponse(incident=await self._change(CommandKind.RELEASE, request, caller))

    async def assign_incident(self, request: pb.AssignIncidentRequest, caller: Caller) -> pb.AssignIncidentResponse:
        """Give the incident to a person."""
        incident = await self._change(
            CommandKind.ASSIGN, request, caller, text=_text(request, "reason"), person=named(request, "person")
        )
        return pb.AssignIncidentResponse(incident=incident)

    async def return_incident(self, request: pb.ReturnIncidentRequest, caller: Caller) -> pb.ReturnIncidentResponse:
        """Give the incident back."""
        return pb.ReturnIncidentResponse(incident=await self._because(CommandKind.RETURN, request, caller))

    async def transfer_incident(
        self, request: pb.TransferIncidentRequest, caller: Caller
    ) -> pb.TransferIncidentResponse:
        """Hand the incident to a peer."""
        person = named(request, "person")
        incident = await self._because(CommandKind.TRANSFER, request, caller, person=person)
        return pb.TransferIncidentResponse(incident=incident)

    async def escalate_incident(
        self, request: pb.EscalateIncidentRequest, caller: Caller
    ) -> pb.EscalateIncidentResponse:
        """Ask the next level."""
        return pb.EscalateIncidentResponse(incident=await self._because(CommandKind.ESCALATE, request, caller))

    async def force_escalate_incident(
        self, request: pb.ForceEscalateIncidentRequest, caller: Caller
    ) -> pb.ForceEscalateIncidentResponse:
        """Send the incident to another level."""
        level = in_range("level", request.level, _MAX_LEVEL)
        incident = await self._because(CommandKind.FORCE_ESCALATE, request, caller, level=level)
        return pb.ForceEscalateIncidentResponse(incident=incident)

    async def report_progress(self, request: pb.ReportProgressRequest, caller: Caller) -> pb.ReportProgressResponse:
        """Say what was done so far."""
        incident = await self._change(
            CommandKind.STAGE_REPORT,
            request,
            caller,
            text=_text(request, "text", needed=True),
            until=moment_of(request, "next_news_at"),
        )
        return pb.ReportProgressResponse(incident=incident)

    async def pend_incident(self, request: pb.PendIncidentRequest, caller: Caller) -> pb.PendIncidentResponse:
        """Let the incident wait."""
        until = moment_of(request, "until")
        if until is None:
            raise invalid("until", "must be given: until when it waits")
        return pb.PendIncidentResponse(incident=await self._because(CommandKind.PEND, request, caller, until=until))

    async def resume_incident(self, request: pb.ResumeIncidentRequest, caller: Caller) -> pb.ResumeIncidentResponse:
        """Go on with the work."""
        text = _text(request, "comment")
        return pb.ResumeIncidentResponse(incident=await self._change(CommandKind.RESUME, request, caller, text=text))

    async def reject_incident(self, request: pb.RejectIncidentRequest, caller: Caller) -> pb.RejectIncidentResponse:
        """Open the incident again."""
        return pb.RejectIncidentResponse(incident=await self._because(CommandKind.REJECT, request, caller))

    async def survey_incident(self, request: pb.SurveyIncidentRequest, caller: Caller) -> pb.SurveyIncidentResponse:
        """Say how content the reporter is."""
        incident = await self._change(
            CommandKind.SURVEY, request, caller, text=_text(request, "comment"), score=request.score
        )
        return pb.SurveyIncidentResponse(incident=incident)

    async def unmerge_incident(self, request: pb.UnmergeIncidentRequest, caller: Caller) -> pb.UnmergeIncidentResponse:
        """Take the incident out of another."""
        return pb.UnmergeIncidentResponse(incident=await self._because(CommandKind.UNMERGE, request, caller))

    def allowed_to(self, caller: Caller, incident: Incident) -> list[str]:
        """Return what a caller may do to an incident now: what their role may call and the life cycle lets them."""
        if caller.role < Role.REPORTER or (caller.role < Role.HANDLER and caller.person != incident.reporter):
            return []
        kinds = self._desk.allowed(incident, caller.person, caller.capacities)
        service = pb.DESCRIPTOR.services_by_name["IncidentsService"].full_name
        return [kind.value for kind in kinds if caller.role >= NEEDED_ROLE[f"/{service}/{METHODS[kind]}"]]

    async def _because(self, kind: CommandKind, request: Any, caller: Caller, **more: Any) -> pb.Incident:
        """Change an incident for a reason that must be given."""
        return await self._change(kind, request, caller, text=_text(request, "reason", needed=True), **more)

    async def _change(self, kind: CommandKind, request: Any, caller: Caller, **more: Any) -> pb.Incident:
        command = IncidentCommand(
            kind=kind,
            command_id=command_id(request),
            incident_id=named(request, "incident_id"),
            expected_version=request.expected_version,
            **more,
        )
        if command.expected_version < 0:
            raise invalid("expected_version", f"{command.expected_version} is negative")
        if caller.role < Role.HANDLER or not caller.scope.is_all:
            incident = await self._visible(command.incident_id, caller)
            if caller.role < Role.HANDLER and incident.reporter != caller.person:
                raise _only_handlers(caller, f"{caller.person} has not reported {incident.id}; ask whoever did")
        return await self._do(command, caller)

    async def _visible(self, incident_id: str, caller: Caller) -> Incident:
        incident = await self._desk.incident(incident_id)
        if incident is None or not sight_of(caller).covers(incident):
            raise not_found("incident", incident_id)
        return incident

    async def _do(self, command: IncidentCommand, caller: Caller) -> pb.Incident:
        try:
            return INCIDENT.to_pb(await self._desk.command(command, caller.person, caller.capacities))
        except CommandRefusedError as refused:
            raise await self._refusal(command, refused, caller) from refused

    async def _refusal(self, command: IncidentCommand, refused: CommandRefusedError, caller: Caller) -> ApiError:
        """Return the refusal with what helps on: the commands that are allowed, the version that is the present one."""
        metadata = {"incident": command.incident_id, "command": command.kind.value}
        current: Incident | None = None
        if refused.code in {RefusalCode.NOT_ALLOWED_NOW, RefusalCode.NOT_PERMITTED}:
            known = await self._desk.incident(command.incident_id)
            metadata["allowed"] = ",".join(self.allowed_to(caller, known) if known else refused.allowed)
        if refused.code is RefusalCode.WRONG_VERSION:
            current = await self._desk.incident(command.incident_id)
            metadata["current_version"] = str(current.version) if current else "0"
        return ApiError(
            STATUS[refused.code],
            refused.code.name,
            str(refused),
            metadata=metadata,
            attachment=INCIDENT.to_pb(current) if current else None,
        )


def _only_handlers(caller: Caller, message: str) -> ApiError:
    metadata = {"role": caller.role.name.lower(), "needed": Role.HANDLER.name.lower()}
    return ApiError(grpc.StatusCode.PERMISSION_DENIED, "NOT_PERMITTED", message, metadata=metadata)


def _text(request: Any, field: str, *, needed: bool = False) -> str:
    value: str = getattr(request, field)
    if needed and not value.strip():
        raise invalid(field, "must be given")
    return bounded(field, value, _MAX_TEXT_CHARACTERS)
