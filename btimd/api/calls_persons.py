"""Calls of PersonsService, for callers of the API."""

from btimd.api.client import Client, Page
from btimd.api.convert_persons import PERSON_BINDING, PERSON_SOURCE
from btimd.api.pb import persons_pb2 as pb
from btimd.model.persons import PersonBinding, PersonSource


def persons(client: Client, match: str | None = None, limit: int = 0) -> Page[PersonBinding]:
    """Return who is behind an address, or where a person is; raises CallFailedError."""
    request = pb.ListPersonsRequest(match=match or "", limit=limit)
    return client.page("ListPersons", request, "persons", PERSON_BINDING.from_pb)


def person_sources(client: Client) -> Page[PersonSource]:
    """Return how the sources of persons do; raises CallFailedError."""
    return client.page("GetPersonSources", pb.GetPersonSourcesRequest(), "sources", PERSON_SOURCE.from_pb)
