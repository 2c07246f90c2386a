import asyncio
from dataclasses import replace

import pytest

from btimd.api.auth import ANYBODY
from btimd.api.calls_users import count_users, find_users
from btimd.api.client import CallFailedError, Page, Update
from btimd.api.errors import ApiError
from btimd.api.flows import MAX_HISTORY_ROWS, FlowsServicer, dimensions, history_query
from btimd.api.pb import flows_pb2 as pb
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.model.quality import NO_DURATIONS
from btimd.model.users import UserQuery
from tests.api.conftest import Served
from tests.fakes.views import EXPLANATION, EXPORTER, QUALITY, REFUSED, SPAN, USER, USER_COUNT, WINDOW, FakeFlows

QUERY = SeriesQuery(
    measurement="traffic",
    fields=("octets", "users"),
    from_milliseconds=1_790_000_000_000,
    to_milliseconds=1_790_000_600_000,
    group_by=("business",),
    where={"region": "Shanghai"},
    step_milliseconds=60_000,
    fold="mean",
)


async def test_windows_are_listed_by_business_and_counted(served: Served) -> None:
    other = replace(WINDOW, business="hr", users_exact=False, sampled=True, revision=2)
    served.flows.rows.append(other)
    with served.client() as client:
        first = await asyncio.to_thread(client.windows, limit=1)
        hr = await asyncio.to_thread(client.windows, business="hr", interval_milliseconds=60_000)

    assert (first, hr) == (Page([WINDOW], more=True), Page([other], more=False))


async def test_an_interval_that_is_not_kept_is_refused_with_those_that_are(served: Served) -> None:
    with served.client() as client:
        with pytest.raises(CallFailedError, match="no windows of 7 ms: kept are 60000 ms"):
            await asyncio.to_thread(client.windows, interval_milliseconds=7)
        with pytest.raises(CallFailedError, match="no windows of 7 ms: kept are 60000 ms"):
            await asyncio.to_thread(next, client.watch_windows(interval_milliseconds=7))


async def test_windows_are_followed_from_the_present_state_on(served: Served) -> None:
    served.flows.publish(WINDOW)
    corrected = replace(WINDOW, octets_to_server=7, revision=1)
    with served.client() as client:
        stream = client.watch_windows(business="erp")
        first = await asyncio.to_thread(next, stream)
        served.flows.publish(replace(WINDOW, business="hr"))
        served.flows.publish(corrected)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([WINDOW], snapshot=True), Update([corrected], snapshot=False))


async def test_quality_is_listed_by_business_as_it_was_meant_and_counted(served: Served) -> None:
    other = replace(QUALITY, business="hr", revision=2, capture_loss_ratio=None, response=NO_DURATIONS)
    served.flows.connections.append(other)
    with served.client() as client:
        first = await asyncio.to_thread(client.quality, limit=1)
        hr = await asyncio.to_thread(
            client.quality, business="hr", interval_milliseconds=60_000, group_by=("server", "region")
        )

    assert (first, hr) == (Page([QUALITY], more=True), Page([other], more=False))
    assert served.flows.grouped_by == [("business", "region", "segment", "server"), ("server", "region")]


async def test_quality_of_an_interval_that_is_not_kept_is_refused_with_those_that_are(served: Served) -> None:
    with served.client() as client:
        with pytest.raises(CallFailedError, match="no quality of 7 ms: kept are 60000 ms"):
            await asyncio.to_thread(client.quality, interval_milliseconds=7)
        with pytest.raises(CallFailedError, match="no quality of 7 ms: kept are 60000 ms"):
            await asyncio.to_thread(next, client.watch_quality(interval_milliseconds=7))


@pytest.mark.parametrize("wrong", [0, 9])
def test_what_quality_cannot_be_grouped_by_is_refused(wrong: int) -> None:
    with pytest.raises(ApiError, match=f"QualityDimension has no value {wrong} here"):
        dimensions([1, wrong])


def test_quality_is_told_apart_by_what_is_asked_once_or_by_everything() -> None:
    assert dimensions([4, 1, 4]) == ("server", "business")
    assert dimensions([]) == ("business", "region", "segment", "server")


async def test_quality_is_followed_from_the_latest_interval_on(served: Served) -> None:
    older = replace(QUALITY, interval_start_milliseconds=QUALITY.interval_start_milliseconds - 60_000)
    served.flows.publish_quality(older)
    served.flows.publish_quality(QUALITY)
    corrected = replace(QUALITY, requests=7, revision=1)
    with served.client() as client:
        stream = client.watch_quality(business="erp")
        first = await asyncio.to_thread(next, stream)
        served.flows.publish_quality(replace(QUALITY, business="hr"))
        served.flows.publish_quality(corrected)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([QUALITY], snapshot=True), Update([corrected], snapshot=False))


async def test_merged_quality_is_followed_with_the_rows_that_did_not_change(served: Served) -> None:
    merged = replace(QUALITY, server="", requests=99)
    served.flows.connections = [merged, replace(merged, interval_start_milliseconds=0)]
    with served.client() as client:
        stream = client.watch_quality(group_by=("business",))
        first = await asyncio.to_thread(next, stream)
        served.flows.publish_quality(QUALITY)
        second = await asyncio.to_thread(next, stream)

    assert (first, second) == (Update([], snapshot=True), Update([merged], snapshot=False))
    assert set(served.flows.grouped_by) == {("business",)}


async def test_users_and_exporters_are_listed(served: Served) -> None:
    with served.client() as client:
        users = await asyncio.to_thread(client.users, "erp", region="Shanghai")
        nobody = await asyncio.to_thread(client.users, "erp", region="Beijing")
        exporters = await asyncio.to_thread(client.exporters)
        refused = await asyncio.to_thread(client.refused_exporters)
        spans = await asyncio.to_thread(client.spans)

    assert (users, nobody) == (Page([USER], False), Page([], False))
    assert (exporters, refused) == (Page([EXPORTER], False), Page([REFUSED], False))
    assert spans == Page([SPAN], False)


async def test_users_are_asked_for_as_it_was_meant(served: Served) -> None:
    query = UserQuery("erp", "Shanghai", "", "Li Wei", "idle", "10.1.0.0/16", "traffic")
    with served.client() as client:
        await asyncio.to_thread(find_users, client, query)
        await asyncio.to_thread(find_users, client, UserQuery(address="10.1.2.3"))

    assert served.flows.users_asked == [query, UserQuery(address="10.1.2.3/32")]


async def test_users_are_counted_by_what_was_asked_and_told_whether_there_are_more(served: Served) -> None:
    served.flows.counts.append(replace(USER_COUNT, region="Beijing"))
    with served.client() as client:
        first = await asyncio.to_thread(count_users, client, group_by=("region", "segment"), limit=1)
        everybody = await asyncio.to_thread(count_users, client, business="erp", seen_within_seconds=0.0)

    assert first == Page([USER_COUNT], more=True)
    assert everybody == Page(served.flows.counts, more=False)
    assert served.flows.counts_asked == [(None, ("region", "segment"), None), ("erp", (), 0.0)]


@pytest.mark.parametrize(
    ("method", "request_", "refusal"),
    [
        ("list_users", pb.ListUsersRequest(state=9), "UserState has no value 9 here"),  # type: ignore[arg-type]  # a number from outside
        ("list_users", pb.ListUsersRequest(order=9), "UserOrder has no value 9 here"),  # type: ignore[arg-type]  # likewise
        ("list_users", pb.ListUsersRequest(address="db1"), "'db1' is no IPv4 or IPv6 address or prefix"),
        ("list_users", pb.ListUsersRequest(person="x" * 201), "201 characters; 200 at most"),
        ("count_users", pb.CountUsersRequest(group_by=[0]), "UserDimension has no value 0 here"),  # type: ignore[list-item]  # likewise
        ("count_users", pb.CountUsersRequest(seen_within_seconds=-1), "-1.0 is no time; give seconds, 0 or more"),
        ("count_users", pb.CountUsersRequest(seen_within_seconds=float("nan")), "nan is no time"),
    ],
)
async def test_what_cannot_be_asked_of_users_is_refused_with_the_reason(
    method: str, request_: pb.ListUsersRequest | pb.CountUsersRequest, refusal: str
) -> None:
    with pytest.raises(ApiError, match=refusal):
        await getattr(FlowsServicer(FakeFlows(), default_interval_milliseconds=60_000), method)(request_, ANYBODY)


async def test_a_flow_is_explained(served: Served) -> None:
    with served.client() as client:
        found = await asyncio.to_thread(client.explain, "10.1.2.3", "10.2.0.10", 443, 0)
        with pytest.raises(CallFailedError, match="peer: 'db1' is no IPv4 or IPv6 address"):
            await asyncio.to_thread(client.explain, "10.1.2.3", "db1", 443, 6)

    assert found == replace(EXPLANATION, reasons=(*EXPLANATION.reasons, "asked: 10.1.2.3 10.2.0.10 443 6"))


async def test_history_is_asked_as_it_was_meant(served: Served) -> None:
    with served.client() as client:
        page = await asyncio.to_thread(client.history, QUERY)
        with pytest.raises(CallFailedError, match="no measurement 'nothing'"):
            await asyncio.to_thread(client.history, replace(QUERY, measurement="nothing"))

    assert served.flows.asked[0] == QUERY
    assert page == Page([SeriesRow(1_790_000_000_000, ("erp",), (1.5, None))], more=False)


@pytest.mark.slow
async def test_an_answer_that_is_too_long_is_cut_and_says_so(served: Served) -> None:
    served.flows.answer = served.flows.answer * (MAX_HISTORY_ROWS + 1)
    with served.client() as client:
        page = await asyncio.to_thread(client.history, QUERY)

    assert (len(page.items), page.more) == (MAX_HISTORY_ROWS, True)


def test_a_fold_that_is_not_given_is_a_sum() -> None:
    request = pb.QueryHistoryRequest(measurement="m", fields=["f"])
    request.to_time.seconds = 1

    assert history_query(request) == SeriesQuery("m", ("f",), 0, 1000)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"measurement": 'a" b'}, "measurement"),
        ({"fields": []}, "fields"),
        ({"fields": ["f"] * 17}, "fields"),
        ({"fields": ["f;"]}, "fields"),
        ({"group_by": ["a-b"]}, "group_by"),
        ({"group_by": ["t"] * 9}, "group_by"),
        ({"where": {"a b": "x"}}, "where"),
        ({"where": {"a": "x" * 501}}, "where"),
        ({"step_milliseconds": -1}, "step_milliseconds"),
        ({"step_milliseconds": 1}, "step_milliseconds"),
        ({"from_time": {"seconds": 100}}, "to_time"),
    ],
)
def test_what_history_may_not_be_asked_is_refused_with_its_field(wrong: dict[str, object], field: str) -> None:
    request = {"measurement": "m", "fields": ["f"], "to_time": {"seconds": 100}, **wrong}

    with pytest.raises(ApiError) as refused:
        history_query(pb.QueryHistoryRequest(**request))  # type: ignore[arg-type]  # nested messages as mappings

    assert [*refused.value.fields] == [field]
