"""DutyService: who is there, the rota, why an order went to whom, who has how much."""

from typing import Final

from btimd.api.auth import Caller
from btimd.api.convert_duty import CANDIDATES, DISPATCH_EXPLAINED, GROUP_DUTY, PERSON_LOAD, ROTA_SPAN
from btimd.api.convert_incidents import moment_of, sight_of
from btimd.api.errors import not_found
from btimd.api.pb import duty_pb2 as pb
from btimd.api.requests import bounded, in_range, named
from btimd.api.rpc import Service
from btimd.model.dutyview import DutyView
from btimd.model.ports import IncidentDesk

_MOST_DAYS: Final = 62
_MOST_WEEKS: Final = 13
_USUAL_DAYS: Final = 7
_MOST_CHARACTERS: Final = 200


class DutyServicer:
    """Serves a DutyView. What is of an incident is there for those only who may see the incident."""

    def __init__(self, view: DutyView, incidents: IncidentDesk) -> None:
        self._view = view
        self._incidents = incidents

    async def get_duty(self, request: pb.GetDutyRequest, _caller: Caller) -> pb.GetDutyResponse:
        """Return who is there."""
        group = bounded("group", request.group, _MOST_CHARACTERS)
        try:
            groups = self._view.on_duty(group, moment_of(request, "at"))
        except KeyError as error:
            raise not_found("group", group) from error
        return pb.GetDutyResponse(groups=[GROUP_DUTY.to_pb(one) for one in groups])

    async def get_rota(self, request: pb.GetRotaRequest, _caller: Caller) -> pb.GetRotaResponse:
        """Return the rota of some days."""
        group = bounded("group", request.group, _MOST_CHARACTERS)
        days = in_range("days", request.days, _MOST_DAYS) or _USUAL_DAYS
        try:
            return ROTA_SPAN.to_pb(self._view.rota(group, moment_of(request, "at"), days))
        except KeyError as error:
            raise not_found("group", group) from error

    async def explain_dispatch(self, request: pb.ExplainDispatchRequest, caller: Caller) -> pb.ExplainDispatchResponse:
        """Return why orders went to whom."""
        incident_id = await self._seen(request, caller)
        try:
            found = await self._view.explained(incident_id)
        except KeyError as error:
            raise not_found("incident", incident_id) from error
        return pb.ExplainDispatchResponse(decisions=[DISPATCH_EXPLAINED.to_pb(one) for one in found])

    async def list_transfer_candidates(
        self, request: pb.ListTransferCandidatesRequest, caller: Caller
    ) -> pb.ListTransferCandidatesResponse:
        """Return who could get an incident."""
        incident_id = await self._seen(request, caller)
        try:
            return CANDIDATES.to_pb(await self._view.candidates(incident_id))
        except KeyError as error:
            raise not_found("incident", incident_id) from error

    async def list_duty_load(self, request: pb.ListDutyLoadRequest, _caller: Caller) -> pb.ListDutyLoadResponse:
        """Return how much everybody has."""
        weeks = in_range("weeks", request.weeks, _MOST_WEEKS) or 1
        found = await self._view.load(moment_of(request, "at"), weeks)
        return pb.ListDutyLoadResponse(people=[PERSON_LOAD.to_pb(one) for one in found])

    async def _seen(self, request: pb.ExplainDispatchRequest | pb.ListTransferCandidatesRequest, caller: Caller) -> str:
        incident_id = named(request, "incident_id")
        incident = await self._incidents.incident(incident_id)
        if incident is None or not sight_of(caller).covers(incident):
            raise not_found("incident", incident_id)
        return incident_id


def duty_service(view: DutyView, incidents: IncidentDesk) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["DutyService"], DutyServicer(view, incidents), ("duty", "itsm"))
