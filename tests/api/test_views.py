"""ViewsService through a real server and the client."""

import asyncio
from dataclasses import replace

import pytest

from btimd.api.calls_views import push_business_metrics, service_view, service_views, watch_service_views
from btimd.api.client import CallFailedError, Page, Update
from btimd.model.view import BusinessMetric
from tests.api.conftest import Served
from tests.fakes.serviceviews import ERP_VIEW, OFFICE


async def test_views_and_groups_come_through_whole(served: Served) -> None:
    with served.client() as client:
        assert await asyncio.to_thread(service_view, client, "erp") == ERP_VIEW
        assert await asyncio.to_thread(service_views, client) == (
            Page([ERP_VIEW], more=False),
            Page([OFFICE], more=False),
        )


async def test_a_stream_starts_with_what_is_and_follows_the_changes(served: Served) -> None:
    with served.client() as client:
        stream = watch_service_views(client, "erp")
        first = await asyncio.to_thread(next, stream)
        served.views.feed.publish("hr", replace(ERP_VIEW, business="hr"))
        later = replace(ERP_VIEW, reasons=())
        served.views.feed.publish("erp", later)
        second = await asyncio.to_thread(next, stream)
        stream.close()  # type: ignore[attr-defined]  # the client's streams are generators

    assert (first, second) == (Update([ERP_VIEW], snapshot=True), Update([later], snapshot=False))


async def test_pushed_figures_get_the_time_and_validity_they_do_not_tell(served: Served) -> None:
    told = BusinessMetric("erp", "orders", 12.0, "1/h", 1_700_000_000_000, 60.0)
    with served.client("otto") as client:
        taken = await asyncio.to_thread(
            push_business_metrics, client, [told, BusinessMetric("erp", "returns", 1.0, "", 0, 0.0)]
        )

    assert taken == 2
    assert served.views.pushed == [
        told,
        replace(told, name="returns", value=1.0, unit="", at=1_700_000_000_000, valid_seconds=900.0),
    ]


@pytest.mark.parametrize(
    ("metrics", "error"),
    [
        ([BusinessMetric("nobody", "orders", 1.0, "", 0)], "there is no business 'nobody'"),
        ([BusinessMetric("erp", "no name", 1.0, "", 0)], "metrics: 'no name' is no name"),
        ([], "metrics: 0 figures; from 1 to 1000"),
    ],
)
async def test_what_is_no_figure_is_refused(served: Served, metrics: list[BusinessMetric], error: str) -> None:
    with served.client("otto") as client, pytest.raises(CallFailedError) as raised:
        await asyncio.to_thread(push_business_metrics, client, metrics)

    assert str(raised.value) == error


async def test_an_unknown_business_is_named(served: Served) -> None:
    with served.client() as client, pytest.raises(CallFailedError, match="there is no business 'nobody'"):
        await asyncio.to_thread(service_view, client, "nobody")
