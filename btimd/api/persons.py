"""PersonsService: who sits behind an address, and which sources say so."""

from btimd.api.auth import Caller
from btimd.api.convert_persons import PERSON_BINDING, PERSON_SOURCE
from btimd.api.pb import persons_pb2 as pb
from btimd.api.requests import optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.persons import PersonsView


class PersonsServicer:
    """Serves a PersonsView."""

    def __init__(self, view: PersonsView) -> None:
        self._view = view

    async def list_persons(self, request: pb.ListPersonsRequest, _caller: Caller) -> pb.ListPersonsResponse:
        """Return who is behind addresses."""
        limit = page_limit(request.limit)
        page, more = page_of(await self._view.persons(optional_name(request, "match"), limit + 1), limit)
        return pb.ListPersonsResponse(persons=[PERSON_BINDING.to_pb(one) for one in page], more=more)

    async def get_person_sources(
        self, _request: pb.GetPersonSourcesRequest, _caller: Caller
    ) -> pb.GetPersonSourcesResponse:
        """Return how the sources do."""
        return pb.GetPersonSourcesResponse(sources=[PERSON_SOURCE.to_pb(one) for one in self._view.person_sources()])


def persons_service(view: PersonsView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["PersonsService"], PersonsServicer(view), ("flows",))
