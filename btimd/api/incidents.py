"""IncidentsService: incidents, read and worked on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import grpc

from btimd.api.auth import Caller
from btimd.api.convert import INCIDENT, INCIDENT_EVENT, PRIORITY
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.pb import incidents_pb2 as pb
from btimd.api.requests import bounded, command_id, named, optional_name, page_limit, page_of
from btimd.api.rpc import Stream
from btimd.model.incident import (
    CommandKind,
    CommandRefusedError,
    Incident,
    IncidentCommand,
    RefusalCode,
)
from btimd.model.ports import IncidentDesk

_MAX_TITLE_CHARACTERS: Final = 300
_MAX_TEXT_CHARACTERS: Final = 20_000
_MAX_BUSINESSES: Final = 100
_STATUS: Final = {
    RefusalCode.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    RefusalCode.NOT_ALLOWED_NOW: grpc.StatusCode.FAILED_PRECONDITION,
    RefusalCode.WRONG_VERSION: grpc.StatusCode.ABORTED,
    RefusalCode.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    RefusalCode.NOT_PERMITTED: grpc.StatusCode.PERMISSION_DENIED,
}


class IncidentsServicer:
    """Serves an IncidentDesk; the caller's name is the actor of what it changes."""

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk

    async def list_incidents(self, request: pb.ListIncidentsRequest, _caller: Caller) -> pb.ListIncidentsResponse:
        """Return incidents."""
        limit = page_limit(request.limit)
        found = await self._desk.incidents(
            only_open=not request.include_closed, business=optional_name(request, "business"), limit=limit + 1
        )
        page, more = page_of(found, limit)
        return pb.ListIncidentsResponse(incidents=[INCIDENT.to_pb(incident) for incident in page], more=more)

    async def get_incident(self, request: pb.GetIncidentRequest, _caller: Caller) -> pb.GetIncidentResponse:
        """Return one incident with its timeline."""
        incident_id = named(request, "incident_id")
        incident = await self._desk.incident(incident_id)
        if incident is None:
            raise not_found("incident", incident_id)
        timeline = [INCIDENT_EVENT.to_pb(event) for event in await self._desk.timeline(incident_id)]
        return pb.GetIncidentResponse(incident=INCIDENT.to_pb(incident), timeline=timeline)

    def watch_incidents(self, request: pb.WatchIncidentsRequest, _caller: Caller) -> Stream[Incident]:
        """Follow incidents."""
        business = optional_name(request, "business")

        def respond(incidents: Sequence[Incident], snapshot: bool) -> pb.WatchIncidentsResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [
                INCIDENT.to_pb(incident)
                for incident in incidents
                if business is None or business in incident.assessment.businesses
            ]
            return pb.WatchIncidentsResponse(incidents=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._desk.watch(), respond)

    async def create_incident(self, request: pb.CreateIncidentRequest, caller: Caller) -> pb.CreateIncidentResponse:
        """Open an incident."""
        if not request.title.strip():
            raise invalid("title", "must be given")
        if len(request.businesses) > _MAX_BUSINESSES:
            raise invalid("businesses", f"{len(request.businesses)} of them; {_MAX_BUSINESSES} at most")
        command = IncidentCommand(
            kind=CommandKind.CREATE,
            command_id=command_id(request),
            text=bounded("description", request.description, _MAX_TEXT_CHARACTERS),
            title=bounded("title", request.title.strip(), _MAX_TITLE_CHARACTERS),
            businesses=tuple(request.businesses),
        )
        return pb.CreateIncidentResponse(incident=await self._do(command, caller))

    async def accept_incident(self, request: pb.AcceptIncidentRequest, caller: Caller) -> pb.AcceptIncidentResponse:
        """Give the incident to the caller."""
        command = _command(CommandKind.ACCEPT, request, _text(request.comment, "comment"))
        return pb.AcceptIncidentResponse(incident=await self._do(command, caller))

    async def resolve_incident(self, request: pb.ResolveIncidentRequest, caller: Caller) -> pb.ResolveIncidentResponse:
        """Record that the work is done."""
        command = replace(
            _command(CommandKind.RESOLVE, request, _text(request.closing_report, "closing_report", needed=True)),
            override_reason=_text(request.override_reason, "override_reason"),
        )
        return pb.ResolveIncidentResponse(incident=await self._do(command, caller))

    async def confirm_incident(self, request: pb.ConfirmIncidentRequest, caller: Caller) -> pb.ConfirmIncidentResponse:
        """Close the incident."""
        command = _command(CommandKind.CONFIRM, request, _text(request.comment, "comment"))
        return pb.ConfirmIncidentResponse(incident=await self._do(command, caller))

    async def cancel_incident(self, request: pb.CancelIncidentRequest, caller: Caller) -> pb.CancelIncidentResponse:
        """Take the incident back."""
        command = _command(CommandKind.CANCEL, request, _text(request.reason, "reason", needed=True))
        return pb.CancelIncidentResponse(incident=await self._do(command, caller))

    async def comment_incident(self, request: pb.CommentIncidentRequest, caller: Caller) -> pb.CommentIncidentResponse:
        """Add a line to the timeline."""
        command = _command(CommandKind.COMMENT, request, _text(request.comment, "comment", needed=True))
        return pb.CommentIncidentResponse(incident=await self._do(command, caller))

    async def set_priority(self, request: pb.SetPriorityRequest, caller: Caller) -> pb.SetPriorityResponse:
        """Set the priority by hand."""
        if not request.priority:
            raise invalid("priority", "must be given")
        command = IncidentCommand(
            kind=CommandKind.SET_PRIORITY,
            command_id=command_id(request),
            incident_id=named(request, "incident_id"),
            expected_version=request.expected_version,
            text=_text(request.reason, "reason", needed=True),
            priority=PRIORITY.from_pb(request.priority),
        )
        return pb.SetPriorityResponse(incident=await self._do(command, caller))

    async def merge_incident(self, request: pb.MergeIncidentRequest, caller: Caller) -> pb.MergeIncidentResponse:
        """Make the incident part of another."""
        command = IncidentCommand(
            kind=CommandKind.MERGE,
            command_id=command_id(request),
            incident_id=named(request, "incident_id"),
            expected_version=request.expected_version,
            text=_text(request.reason, "reason"),
            parent_id=named(request, "parent_id"),
        )
        return pb.MergeIncidentResponse(incident=await self._do(command, caller))

    async def _do(self, command: IncidentCommand, caller: Caller) -> pb.Incident:
        if command.expected_version < 0:
            raise invalid("expected_version", f"{command.expected_version} is negative")
        try:
            return INCIDENT.to_pb(await self._desk.command(command, caller.name))
        except CommandRefusedError as refused:
            raise await self._refusal(command, refused) from refused

    async def _refusal(self, command: IncidentCommand, refused: CommandRefusedError) -> ApiError:
        """Return the refusal with what helps on: the commands that are allowed, the version that is the present one."""
        metadata = {"incident": command.incident_id, "command": command.kind.value}
        current: Incident | None = None
        if refused.code in {RefusalCode.NOT_ALLOWED_NOW, RefusalCode.NOT_PERMITTED}:
            metadata["allowed"] = ",".join(refused.allowed)
        if refused.code is RefusalCode.WRONG_VERSION:
            current = await self._desk.incident(command.incident_id)
            metadata["current_version"] = str(current.version) if current else "0"
        return ApiError(
            _STATUS[refused.code],
            refused.code.name,
            str(refused),
            metadata=metadata,
            attachment=INCIDENT.to_pb(current) if current else None,
        )


_Request = (
    pb.AcceptIncidentRequest
    | pb.ResolveIncidentRequest
    | pb.ConfirmIncidentRequest
    | pb.CancelIncidentRequest
    | pb.CommentIncidentRequest
)


def _command(kind: CommandKind, request: _Request, text: str) -> IncidentCommand:
    return IncidentCommand(
        kind=kind,
        command_id=command_id(request),
        incident_id=named(request, "incident_id"),
        expected_version=request.expected_version,
        text=text,
    )


def _text(value: str, field: str, *, needed: bool = False) -> str:
    if needed and not value.strip():
        raise invalid(field, "must be given")
    return bounded(field, value, _MAX_TEXT_CHARACTERS)
