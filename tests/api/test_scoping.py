"""What a caller with a scope gets to see of figures."""

from dataclasses import replace

import pytest

from btimd.api.auth import Caller, Role, Scope
from btimd.api.errors import ApiError
from btimd.api.flows import FlowsServicer
from btimd.api.graph import GraphServicer
from btimd.api.pb import flows_pb2, graph_pb2, sla_pb2, views_pb2
from btimd.api.scoping import MOST_ROWS, cells, check_sums, is_inside, rows_to_ask
from btimd.api.sla_states import SlaServicer
from btimd.api.views import ViewsServicer
from btimd.model.users import UserCount
from btimd.runtime.clock import ManualClock
from tests.fakes.serviceviews import FakeServiceViews
from tests.fakes.views import QUALITY, SLA_STATE, USER, WINDOW, FakeBook, FakeFlows, FakeGraph

ERP = Scope(frozenset({"erp"}))
HR = Scope(frozenset({"hr"}))
BEIJING = Scope(regions=frozenset({"Beijing"}))
BOTH = Scope(frozenset({"erp", "hr"}), frozenset({"Shanghai", "Beijing"}))
PLACES = [("erp", "Shanghai"), ("erp", "Beijing"), ("hr", "Shanghai"), ("crm", "Beijing"), ("", "")]


def caller(scope: Scope) -> Caller:
    """Return a manager of a part."""
    return Caller("sven", Role.MANAGER, "sven", scope)


def flows() -> FlowsServicer:
    """Return the service over rows of several businesses and regions."""
    view = FakeFlows(
        rows=[replace(WINDOW, business=business, region=region) for business, region in PLACES],
        people=[
            replace(USER, business=business, region=region, last_seen_milliseconds=number)
            for number, (business, region) in enumerate(PLACES)
        ],
        counts=[UserCount(business, region, "", "", 1, 0, 0, 0, 0, 0.0) for business, region in PLACES],
        connections=[replace(QUALITY, business=business, region=region) for business, region in PLACES],
    )
    return FlowsServicer(view, default_interval_milliseconds=60_000)


def places(rows: object) -> list[tuple[str, str]]:
    """Return where rows are of."""
    return [(row.business, row.region) for row in rows]  # type: ignore[attr-defined]  # messages of several types


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(), PLACES),
        (ERP, [("erp", "Shanghai"), ("erp", "Beijing")]),
        (BEIJING, [("erp", "Beijing"), ("crm", "Beijing")]),
        (BOTH, [("erp", "Shanghai"), ("erp", "Beijing"), ("hr", "Shanghai")]),
    ],
)
async def test_windows_quality_and_counts_of_other_places_are_left_out(
    scope: Scope, seen: list[tuple[str, str]]
) -> None:
    service, who = flows(), caller(scope)
    by = [flows_pb2.USER_DIMENSION_BUSINESS, flows_pb2.USER_DIMENSION_REGION]

    windows = await service.list_windows(flows_pb2.ListWindowsRequest(), who)
    watched = service.watch_windows(flows_pb2.WatchWindowsRequest(), who)
    quality = await service.list_quality(flows_pb2.ListQualityRequest(), who)
    counts = await service.count_users(flows_pb2.CountUsersRequest(group_by=by), who)

    assert places(windows.windows) == places(quality.rows) == places(counts.counts) == seen
    first = watched.respond(watched.subscription.snapshot, True)
    assert isinstance(first, flows_pb2.WatchWindowsResponse)
    assert set(places(first.windows)) <= set(seen)


async def test_users_of_several_places_are_listed_in_one_order() -> None:
    service = flows()

    found = await service.list_users(flows_pb2.ListUsersRequest(), caller(BOTH))
    other = await service.list_users(flows_pb2.ListUsersRequest(business="crm"), caller(BOTH))

    assert places(found.users) == [("hr", "Shanghai"), ("erp", "Beijing"), ("erp", "Shanghai")]
    assert places(other.users) == []


def test_a_sum_over_more_than_the_scope_is_refused_with_how_to_ask() -> None:
    check_sums(Scope(), business=None, group_by=())
    check_sums(BOTH, business="erp", group_by=("region",))
    with pytest.raises(ApiError, match="you see businesses erp: name one business, or group by business"):
        check_sums(ERP, business=None, group_by=("region",))
    with pytest.raises(ApiError, match="you see regions Beijing: group by region"):
        check_sums(BEIJING, business="erp", group_by=("business",))


def test_what_is_asked_for_is_cut_into_what_lies_inside() -> None:
    assert cells(Scope(), None, "Beijing") == [(None, "Beijing")]
    assert cells(ERP, None, None) == [("erp", None)]
    assert cells(ERP, "hr", None) == []
    assert cells(BOTH, None, "Beijing") == [("erp", "Beijing"), ("hr", "Beijing")]
    with pytest.raises(ApiError, match="too many to list together: name one"):
        cells(Scope(frozenset(map(str, range(101)))), None, None)
    assert (rows_to_ask(Scope(), 10), rows_to_ask(ERP, 10)) == (11, MOST_ROWS)
    assert is_inside(ERP, WINDOW)


async def test_views_promises_and_nodes_of_other_businesses_are_left_out() -> None:
    views, book, graph = (
        ViewsServicer(FakeServiceViews(), ManualClock()),
        SlaServicer(FakeBook()),
        GraphServicer(FakeGraph()),
    )

    mine = await views.get_service_view(views_pb2.GetServiceViewRequest(business="erp"), caller(ERP))
    cut = await views.get_service_view(views_pb2.GetServiceViewRequest(business="erp"), caller(BEIJING))
    none = await views.list_service_views(views_pb2.ListServiceViewsRequest(), caller(Scope(frozenset({"crm"}))))
    with pytest.raises(ApiError, match="there is no business 'erp'"):
        await views.get_service_view(views_pb2.GetServiceViewRequest(business="erp"), caller(HR))
    metrics = [views_pb2.BusinessMetric(business="erp", name="orders", value=1.0)]
    with pytest.raises(ApiError, match="there is no business 'erp'"):
        await views.push_business_metrics(views_pb2.PushBusinessMetricsRequest(metrics=metrics), caller(HR))
    states = [(await book.list_sla_states(sla_pb2.ListSlaStatesRequest(), caller(scope))).states for scope in (ERP, HR)]
    nodes = await graph.list_node_states(graph_pb2.ListNodeStatesRequest(), caller(ERP))

    assert [use.region for use in mine.view.regions] == ["Shanghai", ""]
    assert (list(cut.view.regions), list(none.views), list(none.groups)) == ([], [], [])
    assert ([state.target.business for state in states[0]], list(states[1])) == ([SLA_STATE.target.business], [])
    assert [node.node for node in nodes.nodes] == ["erp", "erp-web", "db1", "host1"]
