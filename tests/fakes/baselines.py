"""Baselines in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override

from btimd.model.deviation import (
    ALL,
    BaselinePoint,
    BaselineRow,
    BaselineState,
    BaselinesView,
    Deviation,
    DeviationKind,
    Forecast,
    ForecastAsk,
    ForecastOutcome,
    ForecastPoint,
    ForecastSubject,
    Indicator,
)
from btimd.model.ports import Subscription
from btimd.runtime.feed import Feed
from tests.fakes.views import NOW

DEVIATION = Deviation(
    id="erp/north/traffic/drop/1", business="erp", region="north", indicator=Indicator.TRAFFIC,
    kind=DeviationKind.DROP, value=41e6, expected=87e6, low=80e6, high=95e6, score=1.5, since=NOW, seen_at=NOW + 120,
    text="erp, region north: traffic 41 Mbit/s", text_zh="流量突降",
)  # fmt: skip
MOST = replace(DEVIATION, id="all", business=ALL, region=ALL, regions=("erp", "hr", "oa"))
ROW = BaselineRow("erp", ALL, Indicator.USERS, BaselineState.USUAL, NOW, 120.0, 118.0, 90.0, 150.0, 12)
NEW = BaselineRow("erp", "", Indicator.RESPONSE, BaselineState.LEARNING, NOW, None, None, None, None, 0)
POINTS = (
    BaselinePoint(1_790_000_000_000, 40.0, 50.0, 45.0, 55.0),
    BaselinePoint(1_790_000_900_000, None, None, None, None),
)
ASK = ForecastAsk(ForecastSubject.LINK, "CORE:Gi0/1", 0.9, 90)
FORECAST = Forecast(
    ASK, ForecastOutcome.CROSSES, 60, 0.7, 0.002, NOW, NOW + 864_000, None, 0.8, "crosses 90 %",
    (ForecastPoint(1_790_000_000_000, None, 0.7, 0.6, 0.8),),
)  # fmt: skip


@dataclass
class FakeBaselines(BaselinesView):
    """Baselines in memory."""

    open: list[Deviation] = field(default_factory=lambda: [DEVIATION])
    feed: Feed[str, Deviation] = field(default_factory=lambda: Feed(10))
    asked: list[object] = field(default_factory=list)

    @override
    def deviations(self) -> Sequence[Deviation]:
        return self.open

    @override
    def watch_deviations(self) -> Subscription[Deviation]:
        return self.feed.subscribe()

    @override
    def baselines(self, *, business: str | None, region: str | None, limit: int) -> Sequence[BaselineRow]:
        self.asked.append((business, region, limit))
        return [ROW, NEW][:limit]

    @override
    def baseline(self, business: str, region: str, indicator: Indicator) -> Sequence[BaselinePoint]:
        self.asked.append((business, region, indicator))
        if business != "erp":
            raise KeyError(f"there is no baseline of {business}")
        return POINTS

    @override
    async def forecast(self, ask: ForecastAsk) -> Forecast:
        if ":" not in ask.name:
            raise ValueError(f"{ask.name!r} is no link")
        return replace(FORECAST, ask=ask)
