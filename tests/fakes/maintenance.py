"""Windows and silences in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override

from btimd.model.incident import Priority
from btimd.model.maintenance import (
    HeldState,
    MaintenanceView,
    Matcher,
    MinuteSpan,
    NewSuppression,
    Recurrence,
    SuppressedReport,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
    SuppressionView,
)

START = 1_793_462_400.0
HOUR = 3600.0

WINDOW = Suppression(
    id="M-1", kind=SuppressionKind.WINDOW, effect=SuppressionEffect.INCIDENTS, matcher=Matcher(businesses=("erp",)),
    start_at=START, end_at=START + HOUR, reason="new disks", reference="CHG-7", created_by="mona", created_at=START - 9,
)  # fmt: skip
SILENCE = Suppression(
    id="S-2", kind=SuppressionKind.SILENCE, effect=SuppressionEffect.NOTICES,
    matcher=Matcher(
        nodes=("ora1",), regions=("north",), categories=("db",), words=("full",), least_priority=Priority.P3
    ),
    start_at=START, end_at=START + HOUR, reason="known", ended_at=START + 60.0, ended_by="otto", end_reason="done",
)  # fmt: skip
AGREED = Suppression(
    id="bank/1", kind=SuppressionKind.WINDOW, effect=SuppressionEffect.ACCOUNTS, matcher=Matcher(businesses=("hr",)),
    start_at=0.0, end_at=None, source="sla.agreement.bank.maintenance",
    recurrence=Recurrence(weekdays=(6,), hours=(MinuteSpan(120, 240),), timezone="Asia/Shanghai"),
)  # fmt: skip
VIEWS = (
    SuppressionView(SILENCE, False, None, None, 0, 0, ()),
    SuppressionView(WINDOW, True, START, START + HOUR, 2, 1, ("overlaps with M-9",)),
    SuppressionView(AGREED, False, START + HOUR, START + 2 * HOUR, 0, 0, ()),
)
HELD = SuppressedReport(
    position=3, suppression_id="M-1", fingerprint="ora1/down", title="ora1 is down", cause="ora1", businesses=("erp",),
    regions=("north",), verdict_id="D1", first_at=START + 1, last_at=START + 9, count=4, state=HeldState.OPENED,
    incident_id="INC-1",
)  # fmt: skip
TOUCHES = {"ora1": "erp", "line1": "hr"}


@dataclass
class FakeMaintenance(MaintenanceView):
    """Answers with what stands above; takes what is declared and ended."""

    declared: list[tuple[NewSuppression, str, str]] = field(default_factory=list)
    ended: list[tuple[str, str, str, bool]] = field(default_factory=list)

    @override
    def suppressions(self, *, past: bool) -> Sequence[SuppressionView]:
        return [one for one in VIEWS if past or one.holds_from is not None]

    @override
    def touched(self, matcher: Matcher) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset((*matcher.businesses, *(TOUCHES[one] for one in matcher.nodes))), frozenset(matcher.regions)

    @override
    async def suppressed(self, suppression_id: str, limit: int) -> Sequence[SuppressedReport]:
        found = [HELD, replace(HELD, position=2, businesses=("hr",), state=HeldState.CLEARED, incident_id="")]
        return [one for one in found if suppression_id in {"", one.suppression_id}][:limit]

    @override
    async def declare(self, new: NewSuppression, *, by: str, command_id: str) -> SuppressionView:
        if not new.reason:
            raise ValueError("needs a reason")
        self.declared.append((new, by, command_id))
        return VIEWS[1]

    @override
    async def end(self, suppression_id: str, *, by: str, reason: str, void: bool = False) -> SuppressionView:
        if suppression_id == "bank/1":
            raise ValueError("bank/1 stands in btimd.toml; change it there")
        self.ended.append((suppression_id, by, reason, void))
        return VIEWS[1]
