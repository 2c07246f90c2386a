"""What a caller asks about baselines, as model objects."""

from collections.abc import Iterator

from btimd.api.client import Client, Page, Update
from btimd.api.convert_baselines import BASELINE, BASELINE_POINT, DEVIATION, FORECAST, FORECAST_ASK, INDICATOR
from btimd.api.pb import baselines_pb2 as pb
from btimd.model.deviation import BaselinePoint, BaselineRow, Deviation, Forecast, ForecastAsk, Indicator


def deviations(client: Client, *, business: str | None = None, limit: int = 0) -> Page[Deviation]:
    """Return what deviates now."""
    request = pb.ListDeviationsRequest(business=business, limit=limit)
    return client.page("ListDeviations", request, "deviations", DEVIATION.from_pb)


def watch_deviations(client: Client, business: str | None = None) -> Iterator[Update[Deviation]]:
    """Follow deviations."""
    return client.watch(
        "WatchDeviations", pb.WatchDeviationsRequest(business=business), "deviations", DEVIATION.from_pb
    )


def baselines(
    client: Client, *, business: str | None = None, region: str | None = None, limit: int = 0
) -> Page[BaselineRow]:
    """Return the present state of indicators."""
    request = pb.ListBaselinesRequest(business=business, region=region, limit=limit)
    return client.page("ListBaselines", request, "baselines", BASELINE.from_pb)


def baseline(client: Client, business: str, region: str, indicator: Indicator) -> Page[BaselinePoint]:
    """Return the last 24 hours of an indicator."""
    number = INDICATOR.to_pb(indicator)
    request = pb.GetBaselineRequest(business=business, region=region, indicator=number)  # type: ignore[arg-type]  # a number
    return client.page("GetBaseline", request, "points", BASELINE_POINT.from_pb)


def forecast(client: Client, ask: ForecastAsk) -> Forecast:
    """Say when a threshold will be crossed."""
    return FORECAST.from_pb(client.call("GetForecast", FORECAST_ASK.to_pb(ask), 60.0))
