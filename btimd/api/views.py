"""ViewsService: all of a business in one place, and figures that others push."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from btimd.api.auth import Caller
from btimd.api.convert_views import BUSINESS_METRIC, GROUP_VIEW, SERVICE_VIEW
from btimd.api.errors import invalid, not_found
from btimd.api.pb import views_pb2 as pb
from btimd.api.requests import named, optional_name
from btimd.api.rpc import Service, Stream
from btimd.model.view import ServiceView, ServiceViews
from btimd.runtime.clock import Clock, wall_milliseconds

MOST_METRICS: Final = 1000
_DEFAULT_VALID_SECONDS: Final = 900.0


class ViewsServicer:
    """Serves ServiceViews."""

    def __init__(self, views: ServiceViews, clock: Clock) -> None:
        self._views = views
        self._clock = clock

    async def get_service_view(self, request: pb.GetServiceViewRequest, caller: Caller) -> pb.GetServiceViewResponse:
        """Return one business."""
        business = named(request, "business")
        if not caller.scope.has_business(business):
            raise not_found("business", business)
        try:
            view = await self._views.view(business)
        except KeyError as error:
            raise not_found("business", business) from error
        return pb.GetServiceViewResponse(view=_inside(view, caller))

    async def list_service_views(
        self, _request: pb.ListServiceViewsRequest, caller: Caller
    ) -> pb.ListServiceViewsResponse:
        """Return all businesses and groups."""
        views = await self._views.views()
        return pb.ListServiceViewsResponse(
            views=[_inside(view, caller) for view in views if caller.scope.has_business(view.business)],
            groups=[
                GROUP_VIEW.to_pb(group)
                for group in self._views.groups(views)
                if all(map(caller.scope.has_business, group.members))
            ],
        )

    def watch_service_views(self, request: pb.WatchServiceViewsRequest, caller: Caller) -> Stream[ServiceView]:
        """Follow businesses."""
        business = optional_name(request, "business")

        def respond(views: Sequence[ServiceView], snapshot: bool) -> pb.WatchServiceViewsResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [
                _inside(view, caller)
                for view in views
                if business in {None, view.business} and caller.scope.has_business(view.business)
            ]
            return pb.WatchServiceViewsResponse(views=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._views.watch(), respond)

    async def push_business_metrics(
        self, request: pb.PushBusinessMetricsRequest, caller: Caller
    ) -> pb.PushBusinessMetricsResponse:
        """Take figures."""
        if not 1 <= len(request.metrics) <= MOST_METRICS:
            raise invalid("metrics", f"{len(request.metrics)} figures; from 1 to {MOST_METRICS}")
        now = wall_milliseconds(self._clock)
        metrics = []
        for message in request.metrics:
            metric = BUSINESS_METRIC.from_pb(message)
            if not caller.scope.has_business(metric.business):
                raise not_found("business", metric.business)
            at = metric.at if message.HasField("at") else now
            metrics.append(replace(metric, at=at, valid_seconds=metric.valid_seconds or _DEFAULT_VALID_SECONDS))
        try:
            self._views.push(metrics)
        except KeyError as error:
            raise not_found("business", str(error.args[0])) from error
        except ValueError as error:
            raise invalid("metrics", str(error)) from error
        return pb.PushBusinessMetricsResponse(taken=len(metrics))


def _inside(view: ServiceView, caller: Caller) -> pb.ServiceView:
    """Return a business as a caller may see it: its state and sums, and use by region where the region is inside."""
    regions = tuple(use for use in view.regions if caller.scope.has_region(use.region))
    return SERVICE_VIEW.to_pb(replace(view, regions=regions))


def views_service(views: ServiceViews, clock: Clock) -> Service:
    """Return the service to be served."""
    return Service(pb.DESCRIPTOR.services_by_name["ViewsService"], ViewsServicer(views, clock), ("flows", "rca"))
