"""A PlanView that says what a test wants."""

from collections.abc import Sequence

from typing_extensions import override

from btimd.model.planuse import (
    PlanChange,
    PlanConflict,
    PlanLineChange,
    PlanMove,
    PlanView,
    PrefixUse,
    UnexpectedCount,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownAddress,
    UnknownClients,
    UnknownPrefix,
)
from btimd.runtime.feed import Feed, FeedSubscription

AT = 1_700_000_000_000
USE = PrefixUse(
    "10.1.1.0/24", 3, "north", "sales", "", 8, 1, 12, 5, 4_000_000, 11, 4, 3_000_000, 2, AT, "erp", 3_500_000
)
EMPTY_USE = PrefixUse("2001:db8::/32", 4, "south", "", "Li Wei", 96, 0, 0, 0, 0, 0, 0, 0, 0, None, "", 0)
UNKNOWN = UnknownClients(
    3,
    2,
    (UnknownPrefix("10.9.1.0/24", "private", 2, AT - 1000, AT, 900, ("erp",), "north", "10.9.1.0/24,to be named,,"),),
    (UnknownAddress("10.9.1.7", "10.9.1.0/24", AT - 1000, AT, 800, ("erp", "hr")),),
)
TALKER = UnexpectedTalker("erp", "10.2.0.1", "south", "", "Wang", ("north",), AT - 5000, AT, 77)
UNEXPECTED = UnexpectedTalkers((UnexpectedCount("erp", ("north",), 1, 77),), (TALKER,))
CONFLICT = PlanConflict("doubtful", "spelling", (2, 3), "", "'a', 'A' count as different regions", "write one of them")
CHANGE = PlanChange(
    AT, 1, 2, 1, 0, 0,
    (PlanMove("", "north", 65536.0, 3, 500),),
    (PlanLineChange("added", "10.3.0.0/16", "", "north / - / -"),),
    "lines: 1 added; (no region) -> north: 65536 addresses, 3 known clients",
)  # fmt: skip


class FakePlan(PlanView):
    """Answers with the constants above; `asked` holds what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.talkers: Feed[str, UnexpectedTalker] = Feed(10)
        self.nothing = False

    @override
    async def prefix_use(self, *, order: str, limit: int) -> Sequence[PrefixUse]:
        self.asked.append(("use", order, limit))
        return [USE, EMPTY_USE][:limit]

    @override
    async def unknown(self, *, order: str, limit: int) -> UnknownClients:
        self.asked.append(("unknown", order, limit))
        return UnknownClients(0, 0, (), ()) if self.nothing else UNKNOWN

    @override
    async def unexpected(self, *, business: str | None, limit: int) -> UnexpectedTalkers:
        self.asked.append(("unexpected", business, limit))
        return UnexpectedTalkers((), ()) if self.nothing else UNEXPECTED

    @override
    def watch_unexpected(self) -> FeedSubscription[str, UnexpectedTalker]:
        return self.talkers.subscribe()

    @override
    async def conflicts(self) -> Sequence[PlanConflict]:
        return [] if self.nothing else [CONFLICT]

    @override
    def changes(self) -> Sequence[PlanChange]:
        return [] if self.nothing else [CHANGE]
