"""Outages, restoring orders and grown needs in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.growth import GrownNeed, GrowthView
from btimd.model.outage import (
    BusinessOutage,
    OpenCause,
    OutageImpact,
    OutageView,
    Redundancy,
    RegionLoss,
    RestoringOrder,
    RestoringStep,
)
from btimd.model.service import Criticality, NodeKind, Provenance
from btimd.model.view import ViewState

IMPACT = OutageImpact(
    nodes=("rack1",),
    already=("db2",),
    at=1_790_000_000.0,
    businesses=(
        BusinessOutage(
            business="erp", name="ERP", criticality=Criticality.HIGH, state=ViewState.BAD, before=ViewState.DEGRADED,
            reason="erp-app is bad", users=60, users_lost=60, way=("erp", "erp-app", "db", "db1", "rack1"),
            regions=(RegionLoss("north", 40, 40), RegionLoss("south", 20, 20, cut_off=True)),
            budget_seconds=1992.0, breach_at=1_790_001_992.0,
        ),
        BusinessOutage(
            business="web", name="WEB", criticality=Criticality.LOW, state=ViewState.GOOD, before=ViewState.GOOD,
            reason="users of south reach nothing", users=5, users_lost=5, way=("users-south", "rack1"),
            regions=(RegionLoss("south", 5, 5, cut_off=True),),
        ),
        BusinessOutage(
            business="hr", name="HR", criticality=Criticality.NORMAL, state=ViewState.DEGRADED, before=ViewState.GOOD,
            reason="cache is bad", users=None, users_lost=None,
        ),
    ),
    untouched=7,
    regions=(RegionLoss("north", 40, 40), RegionLoss("south", 20, 20, cut_off=True)),
    users=62,
    users_lost=60,
    users_exact=False,
    redundancy=(Redundancy("farm", "Farm", ViewState.DEGRADED, "hr1 is bad; carried by hr2", ("hr",), ("hr2",)),),
    notes=("a person may use several businesses: over all of them users lost is a lower bound",),
)  # fmt: skip
ORDER = RestoringOrder(
    at=1_790_000_000.0,
    steps=(
        RestoringStep(
            rank=1, cause=OpenCause("dns", "D3", 0.95, "INC-7"), name="DNS", kind=NodeKind.SHARED, users=42,
            businesses=("erp", "hr"), better=("web",), after=("host1",), waits_for=("db1",),
            text="brings back ERP, HR; 42 users work again",
        ),
        RestoringStep(
            rank=2, cause=OpenCause("db1", "D1", 0.9), name="Database", kind=NodeKind.DATABASE, users=None,
            businesses=(), better=(), after=(), waits_for=(), text="ERP is whole again",
        ),
    ),
    users_lost=62,
    users_exact=False,
    notes=("a person may use several businesses: users are lower bounds",),
)  # fmt: skip
GROWN = (
    GrownNeed("host1", "sw3", Provenance.TOPOLOGY, 0.95, 1_789_990_000.0, 1_790_000_000.0, 2, in_force=True),
    GrownNeed(
        "db1", "erp-app", Provenance.FLOWS, 0.6, 1_789_990_000.0, 1_790_000_000.0, 900, in_force=False,
        remark="would make a circle: db1 -> erp-app -> db1",
    ),
)  # fmt: skip


@dataclass
class FakeOutages(OutageView, GrowthView):
    """Tells what it was made with; of the node "nope" nobody knows."""

    order: RestoringOrder = ORDER
    needs: list[GrownNeed] = field(default_factory=lambda: list(GROWN))
    asked: list[tuple[str, ...]] = field(default_factory=list)

    @override
    async def simulate(self, nodes: Sequence[str]) -> OutageImpact:
        if "nope" in nodes:
            raise KeyError("nope")
        self.asked.append(tuple(nodes))
        return IMPACT

    @override
    async def restoring_order(self) -> RestoringOrder:
        return self.order

    @override
    def grown(self) -> Sequence[GrownNeed]:
        return self.needs
