"""NoticesService: people's screens, every attempt to tell them, their answers, tests of addresses."""

from collections.abc import Sequence

import grpc

from btimd.api.auth import Caller, Role
from btimd.api.convert import INCIDENT
from btimd.api.convert_notices import ANSWER, NOTICE
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.incidentcommands import STATUS
from btimd.api.pb import notices_pb2 as pb
from btimd.api.requests import bounded, command_id, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service, Stream
from btimd.model.incident import CommandRefusedError
from btimd.model.noticeview import NoticesView
from btimd.model.notification import Notice, ReplyAction

_MOST_REASON = 2000
_MOST_LOOKED_AT = 5000


class NoticesServicer:
    """Serves a NoticesView."""

    def __init__(self, view: NoticesView) -> None:
        self._view = view

    def watch_screen(self, request: pb.WatchScreenRequest, caller: Caller) -> Stream[Notice]:
        """Follow a screen."""
        if request.everybody:
            if caller.role < Role.MANAGER or not caller.scope.is_all:
                raise _denied(caller, "everybody's screen is for managers without a scope")
        elif not caller.person:
            raise invalid("everybody", "the token is of no person; give it a person to have a screen")

        def respond(notices: Sequence[Notice], snapshot: bool) -> pb.WatchScreenResponse | None:  # noqa: FBT001  the signature of Stream.respond
            found = [NOTICE.to_pb(one) for one in notices]
            return pb.WatchScreenResponse(notices=found, snapshot=snapshot) if found or snapshot else None

        return Stream(self._view.watch_screen("" if request.everybody else caller.person), respond)

    async def list_notices(self, request: pb.ListNoticesRequest, caller: Caller) -> pb.ListNoticesResponse:
        """Return attempts."""
        limit = page_limit(request.limit)
        incident_id, person = optional_name(request, "incident_id") or "", optional_name(request, "person") or ""
        if not incident_id and not person:
            raise invalid("incident_id", "name an incident, a person or both")
        if incident_id and not await self._sees(incident_id, caller):
            raise not_found("incident", incident_id)
        asked = limit + 1 if caller.scope.is_all or incident_id else _MOST_LOOKED_AT
        found = await self._view.find_notices(incident_id=incident_id, person=person, limit=asked)
        if not caller.scope.is_all and not incident_id:
            seen = {name: await self._sees(name, caller) for name in {one.incident_id for one in found}}
            found = [one for one in found if one.person == caller.person or seen[one.incident_id]]
        page, more = page_of(found, limit)
        return pb.ListNoticesResponse(notices=[NOTICE.to_pb(one) for one in page], more=more)

    async def answer_notice(self, request: pb.AnswerNoticeRequest, caller: Caller) -> pb.AnswerNoticeResponse:
        """Do what the caller answers."""
        incident_id = optional_name(request, "incident_id") or ""
        is_id = bool(incident_id) and await self._view.noticed_incident(incident_id) is not None
        if is_id and not caller.scope.is_all and not await self._sees(incident_id, caller):
            raise not_found("incident", incident_id)
        reason = bounded("reason", request.reason.strip(), _MOST_REASON)
        action = ReplyAction(ANSWER.from_pb(request.answer), "" if is_id else incident_id.lstrip("#"), reason)
        try:
            after = await self._view.answer_notice(
                command_id=command_id(request),
                person=caller.person,
                action=action,
                incident_id=incident_id if is_id else "",
            )
        except CommandRefusedError as refused:
            metadata = {"incident": incident_id, "allowed": ",".join(refused.allowed)}
            raise ApiError(STATUS[refused.code], refused.code.name, str(refused), metadata=metadata) from refused
        return pb.AnswerNoticeResponse(incident=INCIDENT.to_pb(after))

    async def test_contact(  # the rpc's name
        self,
        request: pb.TestContactRequest,
        _caller: Caller,  # noqa: PT019  no test
    ) -> pb.TestContactResponse:
        """Send a test."""
        person = named(request, "person")
        try:
            sent = await self._view.test_contact(
                command_id=command_id(request), person=person, address=optional_name(request, "address") or ""
            )
        except LookupError as error:
            raise invalid("address", str(error.args[0] if error.args else error)) from error
        return pb.TestContactResponse(notices=[NOTICE.to_pb(one) for one in sent])

    async def _sees(self, incident_id: str, caller: Caller) -> bool:
        if caller.scope.is_all:
            return True
        incident = await self._view.noticed_incident(incident_id)
        return incident is not None and caller.scope.allows(incident.assessment.businesses, incident.assessment.regions)


def _denied(caller: Caller, message: str) -> ApiError:
    metadata = {"role": caller.role.name.lower(), "needed": Role.MANAGER.name.lower()}
    return ApiError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW", message, metadata=metadata)


def notices_service(view: NoticesView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["NoticesService"], NoticesServicer(view), ("itsm",))
