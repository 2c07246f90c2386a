"""A DiscoveryView that says what it was given, and one of each thing it may say."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.discovery import (
    DependencySuggestion,
    DiscoveryUnavailableError,
    DiscoveryView,
    EdgeFinding,
    FindingKind,
    ModelComparison,
    ServiceSuggestion,
    SuggestionKind,
    Suggestions,
    WeakReason,
    WeakSpot,
)
from btimd.model.service import Criticality, NodeKind

SERVICE = ServiceSuggestion(
    id="web-10-20-1-10", name="web 443 on 10.20.1.10", kind=SuggestionKind.SERVICE, node_kind=NodeKind.APPLICATION,
    extends="", servers=("10.20.1.10/31",), protocol=6, ports=("443", "8000-8010"), clients=301, users=300,
    regions=("north", "south"), flows=1800, octets=60_000_000, first_seen_at=1_700_000_000.5,
    last_seen_at=1_700_007_000.0, criticality=Criticality.HIGH, confidence=0.97, needs=("oracle-10-20-3-10",),
    evidence=("301 clients",),
)  # fmt: skip
NEED = DependencySuggestion(
    from_id="web-10-20-1-10", to_id="oracle-10-20-3-10", from_known=False, to_known=True, kind=NodeKind.DATABASE,
    protocol=6, ports=("1521",), flows=240, octets=9000, background=False, correlation=0.93, coverage=1.0, bins=121,
    confidence=0.98, evidence=("it calls",),
)  # fmt: skip
SUGGESTIONS = Suggestions(
    from_at=1_700_000_000.0, to_at=1_700_086_400.0, conversations=7973, records=39_205, truncated=True,
    left_out={"scans": 3000}, services=(SERVICE,), dependencies=(NEED,), patch="[service.web-10-20-1-10]\n",
)  # fmt: skip
FINDING = EdgeFinding(
    kind=FindingKind.UNDECLARED, from_id="erp-app", to_id="erp-db", protocol=6, ports=("1521",), clients=2, flows=240,
    octets=9000, last_seen_at=1_700_007_000.0, confidence=0.71, text="erp-app calls erp-db",
)  # fmt: skip
NEVER = EdgeFinding(
    kind=FindingKind.NEVER_SEEN, from_id="erp-web", to_id="old-db", protocol=0, ports=(), clients=0, flows=0,
    octets=0, last_seen_at=None, confidence=0.18, text="erp-web needs old-db",
)  # fmt: skip
COMPARISON = ModelComparison(
    from_at=1_700_000_000.0, to_at=1_700_086_400.0, conversations=7973, truncated=False, declared_edges=6,
    visible_edges=4, seen_edges=3, findings=(NEVER, FINDING), caveat="looked at 24 hours",
)  # fmt: skip
SPOT = WeakSpot(
    node="db1", kind=NodeKind.DATABASE, name="Database", reasons=(WeakReason.SINGLE_POINT, WeakReason.UNWATCHED),
    businesses=("erp", "hr"), users=40, score=30.5, servers=("10.20.3.10/32",), checks=0, verdicts=2,
    diagnosis_seconds=90.0, text="erp, hr fail with it",
)  # fmt: skip


@dataclass
class FakeDiscovery(DiscoveryView):
    """Answers what it was given; asked: the times that were asked for. problem: why the past is not there."""

    problem: str = ""
    asked: list[float] = field(default_factory=list)
    spots: list[WeakSpot] = field(default_factory=lambda: [SPOT])

    @override
    async def suggest(self, since_seconds: float) -> Suggestions:
        self._note(since_seconds)
        return SUGGESTIONS

    @override
    async def compare(self, since_seconds: float) -> ModelComparison:
        self._note(since_seconds)
        return COMPARISON

    @override
    async def weak_spots(self) -> Sequence[WeakSpot]:
        return self.spots

    def _note(self, since_seconds: float) -> None:
        self.asked.append(since_seconds)
        if self.problem:
            raise DiscoveryUnavailableError(self.problem)
