import asyncio
from dataclasses import replace

from btimd.api.auth import Caller, Role
from btimd.api.calls_incidents import IncidentShown, count_incidents, find_incidents, show_incident, watch_incidents
from btimd.api.client import Page, Update
from btimd.api.convert_incidents import query_of, query_to_pb
from btimd.api.pb import incidents_pb2 as pb
from btimd.model.incident import IncidentState, Priority
from btimd.model.incidentquery import IncidentCount, IncidentDimension, IncidentQuery, Sight
from tests.api.conftest import Served
from tests.fakes.views import INCIDENT, NOW, OPENED


async def test_incidents_are_found_counted_and_shown(served: Served) -> None:
    closed = replace(INCIDENT, id="I-2", state=IncidentState.CLOSED, assignee="otto", opened_at=NOW - 1)
    served.desk.known["I-2"] = closed
    with served.client("otto") as client:
        mine = IncidentQuery(only_open=False, assignee="me")
        found = await asyncio.to_thread(find_incidents, client, mine)
        newest = await asyncio.to_thread(find_incidents, client, IncidentQuery(only_open=False), 1)
        counted = await asyncio.to_thread(
            count_incidents, client, IncidentQuery(only_open=False), [IncidentDimension.ASSIGNEE]
        )
        shown = await asyncio.to_thread(show_incident, client, "I-1")

    assert found == (Page([closed], more=False), False)
    assert newest == (Page([INCIDENT], more=True), False)
    assert counted[0].items == [IncidentCount(("",), 1, 1), IncidentCount(("otto",), 1, 0)]
    assert shown == IncidentShown(INCIDENT, (OPENED,), ("accept", "resolve", "confirm"))


async def test_only_those_that_are_meant_are_followed(served: Served) -> None:
    served.desk.feed.publish("I-1", INCIDENT)
    mine = replace(INCIDENT, id="I-2", assignee="otto")
    with served.client("otto") as client:
        stream = watch_incidents(client, IncidentQuery(assignee="me"))
        first = await asyncio.to_thread(next, stream)
        served.desk.feed.publish("I-1", replace(INCIDENT, version=9))
        served.desk.feed.publish("I-2", mine)
        second = await asyncio.to_thread(next, stream)
        stream.close()  # type: ignore[attr-defined]  # the client's streams are generators

    assert (first, second) == (Update([], snapshot=True), Update([mine], snapshot=False))


def test_every_filter_arrives_as_it_was_meant() -> None:
    query = IncidentQuery(
        only_open=False,
        states=frozenset({IncidentState.NEW, IncidentState.CLOSED}),
        priorities=frozenset({Priority.P1}),
        business="erp",
        region="Shanghai",
        assignee="otto",
        group="db",
        category="db",
        node="db1",
        reporter="lin",
        opened_from=NOW,
        opened_before=NOW + 0.5,
        text="慢",
    )
    request = pb.ListIncidentsRequest(include_closed=True, business="erp", filter=query_to_pb(query))

    assert query_of(request, Caller("x", Role.VIEWER)) == query
    everything = query_of(pb.WatchIncidentsRequest(), Caller("x", Role.VIEWER, "lin"))
    assert everything == IncidentQuery(only_open=False, sight=Sight(person="lin"))
