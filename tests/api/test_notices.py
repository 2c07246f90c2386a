from typing import Any

import grpc
import pytest

from btimd.api.auth import NEEDED_ROLE, SCOPED_CALLS, Caller, Role, Scope
from btimd.api.convert_notices import NOTICE
from btimd.api.errors import ApiError
from btimd.api.notices import NoticesServicer, notices_service
from btimd.api.pb import notices_pb2 as pb
from tests.fakes.notices import ERP, HR, NOTICES, REFUSED, FakeNotices

OTTO = Caller("otto", Role.HANDLER, "otto")
MONA = Caller("mona", Role.MANAGER, "mona")
SVEN = Caller("sven", Role.MANAGER, "sven", Scope(frozenset({"erp"})))


async def listed(caller: Caller, **asked: Any) -> list[str]:
    response = await NoticesServicer(FakeNotices()).list_notices(pb.ListNoticesRequest(**asked), caller)
    return [one.id for one in response.notices]


async def test_attempts_of_an_incident_or_a_person_are_listed_newest_first() -> None:
    view = FakeNotices()
    response = await NoticesServicer(view).list_notices(pb.ListNoticesRequest(incident_id=ERP.id, limit=1), OTTO)
    assert [NOTICE.from_pb(one) for one in response.notices] == [NOTICES[1]]
    assert response.more
    assert await listed(OTTO, person="mona") == ["3"]


async def test_a_scope_leaves_out_what_lies_outside() -> None:
    assert await listed(SVEN, person="otto") == ["2", "1"]
    assert await listed(SVEN, person="mona") == []
    with pytest.raises(ApiError) as caught:
        await listed(SVEN, incident_id=HR.id)
    assert caught.value.code is grpc.StatusCode.NOT_FOUND


async def test_something_must_be_asked_for() -> None:
    with pytest.raises(ApiError, match="name an incident"):
        await listed(OTTO)


async def test_a_screen_is_the_callers_own_and_everybodys_is_for_managers() -> None:
    view = FakeNotices()
    stream = NoticesServicer(view).watch_screen(pb.WatchScreenRequest(), OTTO)
    first = stream.respond(stream.subscription.snapshot, True)
    assert first == pb.WatchScreenResponse(notices=[NOTICE.to_pb(NOTICES[0])], snapshot=True)
    NoticesServicer(view).watch_screen(pb.WatchScreenRequest(everybody=True), MONA)
    assert view.asked == [("screen", "otto"), ("screen", "")]
    for caller in (OTTO, SVEN):
        with pytest.raises(ApiError) as caught:
            NoticesServicer(view).watch_screen(pb.WatchScreenRequest(everybody=True), caller)
        assert caught.value.code is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(ApiError, match="of no person"):
        NoticesServicer(view).watch_screen(pb.WatchScreenRequest(), Caller("wall", Role.HANDLER))


async def test_an_answer_is_of_the_callers_person_by_id_or_by_number() -> None:
    view = FakeNotices()
    servicer = NoticesServicer(view)
    for incident_id in (ERP.id, "#1122-0001", ""):
        request = pb.AnswerNoticeRequest(
            command_id="c", incident_id=incident_id, answer=pb.NOTICE_ANSWER_RETURN, reason=" not mine "
        )
        assert (await servicer.answer_notice(request, OTTO)).incident.id == ERP.id
    assert view.asked == [
        ("c", "otto", "return", "", "not mine", ERP.id), ("c", "otto", "return", "1122-0001", "not mine", ""),
        ("c", "otto", "return", "", "not mine", ""),
    ]  # fmt: skip


async def test_a_refusal_says_what_is_allowed() -> None:
    view = FakeNotices()
    view.refusal = REFUSED
    request = pb.AnswerNoticeRequest(command_id="c", incident_id=ERP.id, answer=pb.NOTICE_ANSWER_ACCEPT)
    with pytest.raises(ApiError) as caught:
        await NoticesServicer(view).answer_notice(request, OTTO)
    assert (caught.value.code, caught.value.metadata["allowed"]) == (grpc.StatusCode.FAILED_PRECONDITION, "comment")
    request = pb.AnswerNoticeRequest(command_id="c", incident_id=HR.id, answer=pb.NOTICE_ANSWER_ACCEPT)
    with pytest.raises(ApiError) as outside:
        await NoticesServicer(view).answer_notice(request, SVEN)
    assert outside.value.code is grpc.StatusCode.NOT_FOUND


async def test_a_test_goes_to_known_addresses_only() -> None:
    servicer = NoticesServicer(FakeNotices())
    made = await servicer.test_contact(pb.TestContactRequest(command_id="c", person="otto"), MONA)
    assert [(one.person, one.kind) for one in made.notices] == [("otto", pb.NOTICE_KIND_TEST)]
    with pytest.raises(ApiError, match="no such address"):
        await servicer.test_contact(pb.TestContactRequest(command_id="c", person="otto", address="wrong"), MONA)


def test_handlers_read_and_answer_and_managers_test() -> None:
    service = notices_service(FakeNotices())
    paths = [f"/{service.descriptor.full_name}/{method.name}" for method in service.descriptor.methods]
    assert {path.rpartition("/")[2]: (NEEDED_ROLE[path], path in SCOPED_CALLS) for path in paths} == {
        "WatchScreen": (Role.HANDLER, True),
        "ListNotices": (Role.HANDLER, True),
        "AnswerNotice": (Role.HANDLER, True),
        "TestContact": (Role.MANAGER, False),
    }
