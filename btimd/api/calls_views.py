"""Calls of ViewsService, as seen by a caller."""

from collections.abc import Iterator, Sequence

from btimd.api.client import Client, Page, Update
from btimd.api.convert_views import BUSINESS_METRIC, GROUP_VIEW, SERVICE_VIEW
from btimd.api.pb import views_pb2 as pb
from btimd.model.view import BusinessMetric, GroupView, ServiceView


def service_view(client: Client, business: str) -> ServiceView:
    """Return one business."""
    return SERVICE_VIEW.from_pb(client.call("GetServiceView", pb.GetServiceViewRequest(business=business)).view)


def service_views(client: Client) -> tuple[Page[ServiceView], Page[GroupView]]:
    """Return all businesses and groups."""
    answer = client.call("ListServiceViews", pb.ListServiceViewsRequest())
    views = Page([SERVICE_VIEW.from_pb(view) for view in answer.views], more=False)
    return views, Page([GROUP_VIEW.from_pb(group) for group in answer.groups], more=False)


def watch_service_views(client: Client, business: str | None = None) -> Iterator[Update[ServiceView]]:
    """Follow businesses."""
    request = pb.WatchServiceViewsRequest(business=business)
    return client.watch("WatchServiceViews", request, "views", SERVICE_VIEW.from_pb)


def push_business_metrics(client: Client, metrics: Sequence[BusinessMetric]) -> int:
    """Push figures; return how many were taken. A time of 0 is now."""
    request = pb.PushBusinessMetricsRequest(metrics=[BUSINESS_METRIC.to_pb(one) for one in metrics])
    for message in request.metrics:
        if not message.at.seconds:
            message.ClearField("at")
    return int(client.call("PushBusinessMetrics", request).taken)
