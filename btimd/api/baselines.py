"""BaselinesService: what is usual, what is not, forecasts."""

from collections.abc import Sequence
from math import isfinite
from typing import Final

from btimd.api.auth import Caller
from btimd.api.codec import NotConvertibleError
from btimd.api.convert_baselines import BASELINE, BASELINE_POINT, DEVIATION, FORECAST, FORECAST_ASK, INDICATOR
from btimd.api.errors import invalid
from btimd.api.pb import baselines_pb2 as pb
from btimd.api.requests import bounded, in_range, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service, Stream
from btimd.model.deviation import ALL, BaselinesView, Deviation, Indicator

_MOST_CHARACTERS: Final = 200
_MOST_DAYS: Final = 730
_USUAL_DAYS: Final = 90


class BaselinesServicer:
    """Serves a BaselinesView."""

    def __init__(self, view: BaselinesView) -> None:
        self._view = view

    async def list_deviations(self, request: pb.ListDeviationsRequest, _caller: Caller) -> pb.ListDeviationsResponse:
        """Return what deviates now."""
        limit, business = page_limit(request.limit), optional_name(request, "business")
        page, more = page_of([one for one in self._view.deviations() if _wanted(one, business)], limit)
        return pb.ListDeviationsResponse(deviations=[DEVIATION.to_pb(one) for one in page], more=more)

    def watch_deviations(self, request: pb.WatchDeviationsRequest, _caller: Caller) -> Stream[Deviation]:
        """Follow deviations."""
        business = optional_name(request, "business")

        def respond(found: Sequence[Deviation], snapshot: bool) -> pb.WatchDeviationsResponse | None:  # noqa: FBT001  the signature of Stream.respond
            wanted = [DEVIATION.to_pb(one) for one in found if _wanted(one, business)]
            return pb.WatchDeviationsResponse(deviations=wanted, snapshot=snapshot) if wanted or snapshot else None

        return Stream(self._view.watch_deviations(), respond)

    async def list_baselines(self, request: pb.ListBaselinesRequest, _caller: Caller) -> pb.ListBaselinesResponse:
        """Return the present state of indicators."""
        limit, business = page_limit(request.limit), optional_name(request, "business")
        region = bounded("region", request.region, _MOST_CHARACTERS) if request.HasField("region") else None
        page, more = page_of(self._view.baselines(business=business, region=region, limit=limit + 1), limit)
        return pb.ListBaselinesResponse(baselines=[BASELINE.to_pb(one) for one in page], more=more)

    async def get_baseline(self, request: pb.GetBaselineRequest, _caller: Caller) -> pb.GetBaselineResponse:
        """Return a day of an indicator."""
        business, region = named(request, "business"), bounded("region", request.region, _MOST_CHARACTERS) or ALL
        try:
            indicator = INDICATOR.from_pb(request.indicator) if request.indicator else Indicator.TRAFFIC
        except NotConvertibleError as error:
            raise invalid("indicator", str(error)) from error
        try:
            points = self._view.baseline(business, region, indicator)
        except KeyError as error:
            raise invalid("business", str(error.args[0])) from error
        return pb.GetBaselineResponse(points=[BASELINE_POINT.to_pb(one) for one in points])

    async def get_forecast(self, request: pb.GetForecastRequest, _caller: Caller) -> pb.GetForecastResponse:
        """Say when a threshold will be crossed."""
        named(request, "name")
        request.horizon_days = in_range("horizon_days", request.horizon_days, _MOST_DAYS) or _USUAL_DAYS
        if not isfinite(request.threshold) or request.threshold <= 0:
            raise invalid("threshold", f"{request.threshold} is not above 0")
        try:
            return FORECAST.to_pb(await self._view.forecast(FORECAST_ASK.from_pb(request)))
        except NotConvertibleError as error:
            raise invalid("subject", str(error)) from error
        except ValueError as error:
            raise invalid("name", str(error)) from error


def _wanted(deviation: Deviation, business: str | None) -> bool:
    """Tell whether a deviation is of a business, alone or among most."""
    if business is None or deviation.business == business:
        return True
    return deviation.business == ALL and business in deviation.regions


def baselines_service(view: BaselinesView) -> Service:
    """Return the service of a view."""
    descriptor = pb.DESCRIPTOR.services_by_name["BaselinesService"]
    return Service(descriptor, BaselinesServicer(view), ("baselines", "flows", "store"))
