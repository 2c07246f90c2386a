import grpc
import pytest

from btimd.api.auth import NEEDED_ROLE, Caller, Role
from btimd.api.convert_persons import PERSON_BINDING, PERSON_SOURCE
from btimd.api.errors import ApiError
from btimd.api.pb import persons_pb2 as pb
from btimd.api.persons import PersonsServicer, persons_service
from tests.fakes.persons import BINDINGS, SOURCES, FakePersons

CALLER = Caller("otto", Role.HANDLER)


async def test_persons_are_listed_up_to_a_limit_and_it_is_said_where_there_are_more() -> None:
    view = FakePersons()
    servicer = PersonsServicer(view)
    response = await servicer.list_persons(pb.ListPersonsRequest(limit=2), CALLER)
    assert [PERSON_BINDING.from_pb(one) for one in response.persons] == list(BINDINGS[:2])
    assert response.more
    response = await servicer.list_persons(pb.ListPersonsRequest(match="anna"), CALLER)
    assert ([one.address for one in response.persons], response.more) == (["10.0.0.1"], False)
    assert view.asked == [(None, 3), ("anna", 101)]


@pytest.mark.parametrize("request_", [pb.ListPersonsRequest(limit=1001), pb.ListPersonsRequest(match="x" * 201)])
async def test_what_may_not_be_asked_is_refused(request_: pb.ListPersonsRequest) -> None:
    with pytest.raises(ApiError) as caught:
        await PersonsServicer(FakePersons()).list_persons(request_, CALLER)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_sources_say_how_they_do() -> None:
    response = await PersonsServicer(FakePersons()).get_person_sources(pb.GetPersonSourcesRequest(), CALLER)
    assert [PERSON_SOURCE.from_pb(one) for one in response.sources] == list(SOURCES)


def test_viewers_may_ask() -> None:
    service = persons_service(FakePersons())
    roles = {
        method.name: NEEDED_ROLE[f"/{service.descriptor.full_name}/{method.name}"]
        for method in service.descriptor.methods
    }
    assert roles == {"ListPersons": Role.VIEWER, "GetPersonSources": Role.VIEWER}
