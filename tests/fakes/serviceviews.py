"""Views of businesses in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.ports import Subscription
from btimd.model.service import Criticality, Rollup
from btimd.model.view import (
    BusinessMetric,
    Figure,
    GroupView,
    IndicatorState,
    LayerState,
    RegionUse,
    ServiceView,
    ServiceViews,
    ViewState,
)
from btimd.runtime.feed import Feed
from tests.fakes.views import NODE_STATES, SLA_STATE

ERP_VIEW = ServiceView(
    business="erp",
    name="ERP",
    name_zh="企业资源计划",
    criticality=Criticality.HIGH,
    owner="erp-team",
    groups=("office",),
    state=ViewState.DEGRADED,
    colour="#f9a825",
    shape="triangle",
    reasons=("slow pages: response_p95_seconds 2.5",),
    at=1_790_000_000.0,
    figures=(
        Figure("users_online", 60.0, ""),
        Figure("traffic_bits_per_second", 88e6, "bit/s"),
        Figure("response_p95_seconds", 2.5, "s", ViewState.DEGRADED),
        Figure("availability_ratio", 0.9991, "ratio"),
        Figure("retransmission_ratio", None, "ratio", note="only packets that btimd captures itself tell it"),
        Figure("kpi.orders", 12.0, "1/h"),
    ),
    regions=(RegionUse("Shanghai", 40, 15, 10e6), RegionUse("", 5, 0, 1e6)),
    layers=(LayerState("database", ViewState.BAD, (NODE_STATES[3],)),),
    bottleneck="server: 81% of a turn of 240 ms",
    indicators=(
        IndicatorState(
            "slow", "slow pages", "response_p95_seconds > 2", ViewState.DEGRADED, "response_p95_seconds 2.5"
        ),
    ),
    deviations=("ERP, region Shanghai: 41 Mbit/s, usual at this time 80 to 95",),
    incidents=("I-1",),
    sla=SLA_STATE,
)
OFFICE = GroupView(
    "office",
    "Office",
    "办公",
    Rollup.WORST,
    ("erp", "hr"),
    ViewState.DEGRADED,
    "#f9a825",
    "triangle",
    ("erp is degraded",),
)


@dataclass
class FakeServiceViews(ServiceViews):
    """One business and one group."""

    pushed: list[BusinessMetric] = field(default_factory=list)
    feed: Feed[str, ServiceView] = field(default_factory=lambda: Feed(10))

    def __post_init__(self) -> None:
        self.feed.publish("erp", ERP_VIEW)

    @override
    async def view(self, business: str) -> ServiceView:
        return {"erp": ERP_VIEW}[business]

    @override
    async def views(self) -> Sequence[ServiceView]:
        return [ERP_VIEW]

    @override
    def groups(self, views: Sequence[ServiceView]) -> Sequence[GroupView]:
        return [OFFICE]

    @override
    def watch(self) -> Subscription[ServiceView]:
        return self.feed.subscribe()

    @override
    def push(self, metrics: Sequence[BusinessMetric]) -> None:
        for metric in metrics:
            if metric.business != "erp":
                raise KeyError(metric.business)
            if metric.name == "no name":
                raise ValueError("'no name' is no name")
        self.pushed += metrics
