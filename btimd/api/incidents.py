"""IncidentsService: incidents, found, read and worked on."""

from collections.abc import Sequence
from typing import Final

from btimd.api.auth import Caller
from btimd.api.codec import NotConvertibleError
from btimd.api.convert import INCIDENT, INCIDENT_EVENT
from btimd.api.convert_incidents import COUNT, DIMENSION, query_of, sight_of
from btimd.api.errors import invalid, not_found
from btimd.api.incidentcommands import IncidentCommands
from btimd.api.pb import incidents_pb2 as pb
from btimd.api.requests import named, page_limit, page_of
from btimd.api.rpc import Stream
from btimd.model.incident import Incident
from btimd.model.incidentquery import IncidentSearch
from btimd.model.ports import IncidentDesk

_MOST_DIMENSIONS: Final = 3


class IncidentsServicer(IncidentCommands):
    """Serves an IncidentDesk and the search in what it keeps."""

    def __init__(self, desk: IncidentDesk, search: IncidentSearch) -> None:
        super().__init__(desk)
        self._search = search

    async def list_incidents(self, request: pb.ListIncidentsRequest, caller: Caller) -> pb.ListIncidentsResponse:
        """Return incidents."""
        limit = page_limit(request.limit)
        found = await self._search.find(query_of(request, caller), limit + 1)
        page, more = page_of(found.incidents, limit)
        return pb.ListIncidentsResponse(
            incidents=[INCIDENT.to_pb(incident) for incident in page], more=more, older_left_out=found.older_left_out
        )

    async def count_incidents(self, request: pb.CountIncidentsRequest, caller: Caller) -> pb.CountIncidentsResponse:
        """Return how many incidents there are."""
        limit = page_limit(request.limit)
        try:
            group_by = tuple(dict.fromkeys(DIMENSION.from_pb(one) for one in request.group_by))
        except NotConvertibleError as error:
            raise invalid("group_by", str(error)) from error
        if len(group_by) > _MOST_DIMENSIONS:
            raise invalid("group_by", f"{len(group_by)} of them; {_MOST_DIMENSIONS} at most")
        counted = await self._search.count(query_of(request, caller), group_by, limit + 1)
        page, more = page_of(counted.counts, limit)
        return pb.CountIncidentsResponse(
            counts=[COUNT.to_pb(one) for one in page], more=more, older_left_out=counted.older_left_out
        )

    async def get_incident(self, request: pb.GetIncidentRequest, caller: Caller) -> pb.GetIncidentResponse:
        """Return one incident with its timeline."""
        incident_id = named(request, "incident_id")
        incident = await self._desk.incident(incident_id)
        if incident is None or not sight_of(caller).covers(incident):
            raise not_found("incident", incident_id)
        timeline = [INCIDENT_EVENT.to_pb(event) for event in await self._desk.timeline(incident_id)]
        return pb.GetIncidentResponse(
            incident=INCIDENT.to_pb(incident), timeline=timeline, allowed=self.allowed_to(caller, incident)
        )

    def watch_incidents(self, request: pb.WatchIncidentsRequest, caller: Caller) -> Stream[Incident]:
        """Follow incidents."""
        query = query_of(request, caller)

        def respond(incidents: Sequence[Incident], snapshot: bool) -> pb.WatchIncidentsResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [INCIDENT.to_pb(incident) for incident in incidents if query.fits(incident)]
            return pb.WatchIncidentsResponse(incidents=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._desk.watch(), respond)
