"""DeliveryService: targets, dead letters, the outbox of an incident, and who did what to them."""

from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import grpc

from btimd.api.auth import Caller
from btimd.api.convert_delivery import ACTION, OUTBOX_ENTRY, REFERENCE, TARGET, TRIAL
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.pb import delivery_pb2 as pb
from btimd.api.requests import bounded, command_id, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.delivery import DeliveryView

T = TypeVar("T")

_MOST_REASON: Final = 500
_MOST_BODY: Final = 65_536


class DeliveryServicer:
    """Serves a DeliveryView."""

    def __init__(self, view: DeliveryView) -> None:
        self._view = view

    async def list_targets(self, _request: pb.ListTargetsRequest, _caller: Caller) -> pb.ListTargetsResponse:
        """Return all targets."""
        return pb.ListTargetsResponse(targets=[TARGET.to_pb(one) for one in await self._view.targets()])

    async def try_target(self, request: pb.TryTargetRequest, _caller: Caller) -> pb.TryTargetResponse:
        """Ask a target something harmless."""
        name = named(request, "target")
        return pb.TryTargetResponse(trial=TRIAL.to_pb(await _of("target", name, self._view.try_target(name))))

    async def pause_target(self, request: pb.PauseTargetRequest, caller: Caller) -> pb.PauseTargetResponse:
        """Send a target nothing until it is resumed."""
        name = named(request, "target")
        paused = self._view.pause(name, **_said(request, caller))
        return pb.PauseTargetResponse(target=TARGET.to_pb(await _of("target", name, paused)))

    async def resume_target(self, request: pb.ResumeTargetRequest, caller: Caller) -> pb.ResumeTargetResponse:
        """Send again what waits."""
        name = named(request, "target")
        resumed = self._view.resume(name, **_said(request, caller))
        return pb.ResumeTargetResponse(target=TARGET.to_pb(await _of("target", name, resumed)))

    async def list_dead_letters(
        self, request: pb.ListDeadLettersRequest, _caller: Caller
    ) -> pb.ListDeadLettersResponse:
        """Return dead letters."""
        limit = page_limit(request.limit)
        found, more = page_of(await self._view.dead_letters(optional_name(request, "target"), limit + 1), limit)
        return pb.ListDeadLettersResponse(letters=[OUTBOX_ENTRY.to_pb(one) for one in found], more=more)

    async def get_dead_letter(self, request: pb.GetDeadLetterRequest, _caller: Caller) -> pb.GetDeadLetterResponse:
        """Return a message with its body."""
        name = named(request, "message_id")
        letter = await _of("message", name, self._view.letter(name))
        return pb.GetDeadLetterResponse(letter=OUTBOX_ENTRY.to_pb(letter))

    async def edit_dead_letter(self, request: pb.EditDeadLetterRequest, caller: Caller) -> pb.EditDeadLetterResponse:
        """Replace the body of a dead letter."""
        name = named(request, "message_id")
        body = bounded("body", request.body, _MOST_BODY)
        letter = await _of("message", name, self._view.edit(name, body, **_said(request, caller)))
        return pb.EditDeadLetterResponse(letter=OUTBOX_ENTRY.to_pb(letter))

    async def resend_dead_letter(
        self, request: pb.ResendDeadLetterRequest, caller: Caller
    ) -> pb.ResendDeadLetterResponse:
        """Send a dead letter again."""
        name = named(request, "message_id")
        letter = await _of("message", name, self._view.resend(name, **_said(request, caller)))
        return pb.ResendDeadLetterResponse(letter=OUTBOX_ENTRY.to_pb(letter))

    async def drop_dead_letter(self, request: pb.DropDeadLetterRequest, caller: Caller) -> pb.DropDeadLetterResponse:
        """Give a dead letter up."""
        name = named(request, "message_id")
        letter = await _of("message", name, self._view.drop(name, **_said(request, caller)))
        return pb.DropDeadLetterResponse(letter=OUTBOX_ENTRY.to_pb(letter))

    async def list_outbox(self, request: pb.ListOutboxRequest, _caller: Caller) -> pb.ListOutboxResponse:
        """Return what targets are owed of an incident, and what they call it."""
        incident_id = named(request, "incident_id")
        limit = page_limit(request.limit)
        found, more = page_of(await self._view.outbox(incident_id, limit + 1), limit)
        return pb.ListOutboxResponse(
            entries=[OUTBOX_ENTRY.to_pb(one) for one in found],
            references=[REFERENCE.to_pb(one) for one in await self._view.references(incident_id)],
            more=more,
        )

    async def list_delivery_actions(
        self, request: pb.ListDeliveryActionsRequest, _caller: Caller
    ) -> pb.ListDeliveryActionsResponse:
        """Return what people did."""
        limit = page_limit(request.limit)
        target, incident_id = optional_name(request, "target"), optional_name(request, "incident_id")
        found, more = page_of(await self._view.actions(target, incident_id, limit + 1), limit)
        return pb.ListDeliveryActionsResponse(actions=[ACTION.to_pb(one) for one in found], more=more)


def _said(request: Any, caller: Caller) -> dict[str, str]:
    """Return who wants a change, why, and its id."""
    reason = bounded("reason", request.reason, _MOST_REASON).strip()
    if not reason:
        raise invalid("reason", "must say why; it is logged")
    return {"actor": caller.person or caller.name, "reason": reason, "command_id": command_id(request)}


async def _of(what: str, name: str, asked: Awaitable[T]) -> T:
    """Return the answer of a view, its refusals as errors of the API."""
    try:
        return await asked
    except KeyError:
        raise not_found(what, name) from None
    except ValueError as error:
        raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "NOT_ALLOWED_NOW", str(error)) from None


def delivery_service(view: DeliveryView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["DeliveryService"], DeliveryServicer(view), ("itsm", "store"))
