"""Incidents as a caller asks for them, beside what client.Client has methods for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from btimd.api.client import Client, Page, Update
from btimd.api.convert import INCIDENT, INCIDENT_EVENT
from btimd.api.convert_incidents import COUNT, DIMENSION, query_to_pb
from btimd.api.pb import incidents_pb2 as pb
from btimd.model.incident import Incident, IncidentEvent
from btimd.model.incidentquery import IncidentCount, IncidentDimension, IncidentQuery


@dataclass(frozen=True, slots=True)
class IncidentShown:
    """An incident with its timeline, oldest first. allowed: what the caller may do to it now."""

    incident: Incident
    timeline: tuple[IncidentEvent, ...]
    allowed: tuple[str, ...]


def find_incidents(client: Client, query: IncidentQuery, limit: int = 0) -> tuple[Page[Incident], bool]:
    """Return the incidents of a page, and whether older ones were not looked at. "me" is the caller's person."""
    request = pb.ListIncidentsRequest(
        include_closed=not query.only_open, business=query.business or None, limit=limit, filter=query_to_pb(query)
    )
    response = client.call("ListIncidents", request)
    found = [INCIDENT.from_pb(one) for one in response.incidents]
    return Page(found, response.more), response.older_left_out


def watch_incidents(client: Client, query: IncidentQuery) -> Iterator[Update[Incident]]:
    """Follow the incidents that are meant: the open ones, then every change, also to those that end."""
    request = pb.WatchIncidentsRequest(business=query.business or None, filter=query_to_pb(query))
    return client.watch("WatchIncidents", request, "incidents", INCIDENT.from_pb)


def count_incidents(
    client: Client, query: IncidentQuery, group_by: Sequence[IncidentDimension] = (), limit: int = 0
) -> tuple[Page[IncidentCount], bool]:
    """Return how many incidents there are by what they have in common, and whether older ones were not looked at."""
    request = pb.CountIncidentsRequest(
        include_closed=not query.only_open,
        business=query.business or None,
        limit=limit,
        filter=query_to_pb(query),
        group_by=[DIMENSION.to_pb(one) for one in group_by],  # type: ignore[misc]  # numbers
    )
    response = client.call("CountIncidents", request)
    return Page([COUNT.from_pb(one) for one in response.counts], response.more), response.older_left_out


def show_incident(client: Client, incident_id: str) -> IncidentShown:
    """Return an incident with all there is about it."""
    response = client.call("GetIncident", pb.GetIncidentRequest(incident_id=incident_id))
    timeline = tuple(INCIDENT_EVENT.from_pb(event) for event in response.timeline)
    return IncidentShown(INCIDENT.from_pb(response.incident), timeline, tuple(response.allowed))
