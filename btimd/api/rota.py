"""RotaService: rotas as calendars."""

from typing import Final

from btimd.api.auth import Caller
from btimd.api.codec import seconds_of_timestamp
from btimd.api.convert_rota import ROTA_CALENDAR
from btimd.api.errors import invalid, not_found
from btimd.api.pb import rota_pb2 as pb
from btimd.api.requests import in_range, named
from btimd.api.rpc import Service
from btimd.model.rotaview import RotaView

MOST_DAYS: Final = 366
_LATEST: Final = 4_000_000_000.0


class RotaServicer:
    """Serves a RotaView."""

    def __init__(self, view: RotaView) -> None:
        self._view = view

    async def export_rota(self, request: pb.ExportRotaRequest, _caller: Caller) -> pb.ExportRotaResponse:
        """Return the duty of a group as an iCalendar."""
        group = named(request, "group")
        days = in_range("days", request.days, MOST_DAYS)
        at = seconds_of_timestamp(request.at) if request.HasField("at") else None
        if at is not None and not 0.0 <= at <= _LATEST:
            raise invalid("at", "is not from 1970 to 2096")
        try:
            return pb.ExportRotaResponse(calendar=self._view.export(group, at, days))
        except KeyError as error:
            raise not_found("group", group) from error

    async def list_rota_calendars(
        self, _request: pb.ListRotaCalendarsRequest, _caller: Caller
    ) -> pb.ListRotaCalendarsResponse:
        """Return what was read of calendars."""
        calendars = [ROTA_CALENDAR.to_pb(one) for one in self._view.calendars()]
        return pb.ListRotaCalendarsResponse(calendars=calendars, gaps=self._view.gaps())


def rota_service(view: RotaView) -> Service:
    """Return the service to be served."""
    return Service(pb.DESCRIPTOR.services_by_name["RotaService"], RotaServicer(view), ("duty",))
