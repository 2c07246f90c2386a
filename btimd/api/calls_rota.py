"""Calls of RotaService, as seen by a caller."""

from collections.abc import Sequence

from btimd.api.client import Client
from btimd.api.codec import timestamp_of_seconds
from btimd.api.convert_rota import ROTA_CALENDAR
from btimd.api.pb import rota_pb2 as pb
from btimd.model.rotaview import RotaCalendar
from btimd.model.units import UnixSeconds


def export_rota(client: Client, group: str, at: UnixSeconds | None = None, days: int = 0) -> str:
    """Return the duty of a group as an iCalendar."""
    stamp = None if at is None else timestamp_of_seconds(at)
    return str(client.call("ExportRota", pb.ExportRotaRequest(group=group, at=stamp, days=days)).calendar)


def rota_calendars(client: Client) -> tuple[Sequence[RotaCalendar], Sequence[str]]:
    """Return what was read of calendars, and what the coming week lacks."""
    answer = client.call("ListRotaCalendars", pb.ListRotaCalendarsRequest())
    return [ROTA_CALENDAR.from_pb(one) for one in answer.calendars], tuple(answer.gaps)
