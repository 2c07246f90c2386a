import asyncio
from dataclasses import replace

import pytest

from btimd.api.auth import Caller, Role, Scope
from btimd.api.calls_duty import duty_load, explain_dispatch, get_duty, get_rota, transfer_candidates
from btimd.api.client import CallFailedError, Page
from btimd.api.duty import DutyServicer
from btimd.api.errors import ApiError
from btimd.api.pb import duty_pb2 as pb
from tests.api.conftest import Served
from tests.fakes.duty import CANDIDATES, DB, DECISION, LOAD, MONDAY, NOC, WEEK, FakeDuty
from tests.fakes.views import INCIDENT, FakeDesk


async def test_duty_is_read_as_it_is(served: Served) -> None:
    with served.client("otto") as client:
        assert await asyncio.to_thread(get_duty, client) == Page([DB, NOC], more=False)
        assert await asyncio.to_thread(get_duty, client, "noc", MONDAY) == Page([NOC], more=False)
        assert await asyncio.to_thread(get_rota, client) == WEEK
        assert await asyncio.to_thread(get_rota, client, "db", MONDAY, 3) == WEEK
        assert await asyncio.to_thread(explain_dispatch, client, "I-1") == Page([DECISION], more=False)
        assert await asyncio.to_thread(transfer_candidates, client, "I-1") == CANDIDATES
        assert await asyncio.to_thread(duty_load, client, MONDAY, 2) == Page([LOAD], more=False)

    assert served.duty.asked == [
        ("on_duty", "", None),
        ("on_duty", "noc", MONDAY),
        ("rota", "", None, 7),
        ("rota", "db", MONDAY, 3),
        ("load", MONDAY, 2),
    ]


async def test_what_is_not_there_and_what_is_too_much_is_refused(served: Served) -> None:
    with served.client("otto") as client:
        for call, message in (
            (lambda: get_duty(client, "nobody"), "there is no group 'nobody'"),
            (lambda: get_rota(client, "nobody"), "there is no group 'nobody'"),
            (lambda: get_rota(client, days=63), "days: 63 is not from 0 to 62"),
            (lambda: explain_dispatch(client, "I-9"), "there is no incident 'I-9'"),
            (lambda: transfer_candidates(client, "I-9"), "there is no incident 'I-9'"),
            (lambda: duty_load(client, weeks=14), "weeks: 14 is not from 0 to 13"),
        ):
            with pytest.raises(CallFailedError, match=message):
                await asyncio.to_thread(call)


async def test_people_are_not_for_those_who_only_report(served: Served) -> None:
    with (
        served.client("rita") as client,
        pytest.raises(CallFailedError, match="rita is reporter; this call needs handler"),
    ):
        await asyncio.to_thread(get_duty, client)


async def test_what_is_of_an_incident_outside_the_scope_is_not_there() -> None:
    desk = FakeDesk(known={"I-1": INCIDENT, "I-2": replace(INCIDENT, id="I-2", assignee="otto")})
    service = DutyServicer(FakeDuty(), desk)
    otto = Caller("otto", Role.HANDLER, "otto", Scope(frozenset({"crm"})))

    with pytest.raises(ApiError, match="there is no incident 'I-1'"):
        await service.explain_dispatch(pb.ExplainDispatchRequest(incident_id="I-1"), otto)
    with pytest.raises(ApiError, match="there is no incident 'I-1'"):
        await service.list_transfer_candidates(pb.ListTransferCandidatesRequest(incident_id="I-1"), otto)
    assert (await service.explain_dispatch(pb.ExplainDispatchRequest(incident_id="I-2"), otto)).decisions == []
