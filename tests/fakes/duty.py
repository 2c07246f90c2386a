"""Duty in memory: a group of two with one gap, one decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.duty import DutyRole, DutySlot, Presence
from btimd.model.dutyview import (
    CandidateRow,
    Candidates,
    CandidateTable,
    DispatchExplained,
    DutyView,
    FactorWeights,
    GroupDuty,
    PersonLoad,
    PersonOnDuty,
    RotaFaultKind,
    RotaProblem,
    RotaSpan,
)
from btimd.model.incident import Priority
from btimd.model.units import UnixSeconds

MONDAY = 1_793_577_600.0  # 2026-11-02 00:00 UTC
HOUR = 3600.0
DAY = 24 * HOUR
DB = GroupDuty(
    group="db",
    name="Database",
    name_zh="数据库",
    lead="dee",
    at=MONDAY + 9 * HOUR,
    ruled=True,
    people=(
        PersonOnDuty("li.na", "Li Na", "李娜", Presence.ON_SHIFT, MONDAY + 16 * HOUR),
        PersonOnDuty("bob", "Bob", "", Presence.SOON),
    ),
    next_change_at=MONDAY + 16 * HOUR,
)
NOC = GroupDuty("noc", "NOC", "", "", MONDAY + 9 * HOUR, True, (), None, "nobody on duty, 1 wanted")
WEEK = RotaSpan(
    start_at=MONDAY,
    end_at=MONDAY + 7 * DAY,
    timezone="UTC",
    slots=(
        DutySlot(MONDAY, MONDAY + 2 * DAY, "db", "li.na", DutyRole.PRIMARY, "shift"),
        DutySlot(MONDAY + 2 * DAY, MONDAY + 3 * DAY + 8 * HOUR, "db", "bob", DutyRole.PRIMARY, "override", "ill"),
        DutySlot(MONDAY, MONDAY + 7 * DAY, "db", "dee", DutyRole.BACKUP, "calendar"),
    ),
    problems=(
        RotaProblem(
            RotaFaultKind.GAP,
            "db",
            MONDAY + 3 * DAY + 8 * HOUR,
            MONDAY + 7 * DAY,
            (),
            "rota db: 2026-11-05 08:00 to 2026-11-09 00:00 UTC (88 h): nobody on duty, 1 wanted",
        ),
    ),
)
LI_NA = CandidateRow(
    person="li.na",
    name="Li Na",
    name_zh="李娜",
    presence=Presence.ON_SHIFT,
    declared=0.9,
    good=3.0,
    bad=0.0,
    open_load=0.5,
    capacity=3.0,
    idle_seconds=3600.0,
    knows=True,
    duty=1.0,
    skill=0.93,
    load=0.96,
    fair=0.63,
    affinity=1.0,
    score=0.8,
    reasons="on shift, skill 0.93 (as declared), 0.5 of 3.0 orders open",
    reasons_zh="在班",
)
DECISION = DispatchExplained(
    incident_id="I-1",
    seq=2,
    kind="dispatched",
    at=MONDAY + 9 * HOUR,
    chosen="li.na",
    level=1,
    group="db",
    path="database",
    work_class="db",
    priority=Priority.P2,
    weights=FactorWeights(1.0, 1.2, 1.0, 0.2, 0.5),
    tables=(CandidateTable(1, "db", "db", (LI_NA,), ("dee",), ("bob",)),),
    text="Li Na (li.na) (Database, level 1) was chosen.",
    text_zh="选择李娜。",
)
CANDIDATES = Candidates("I-1", True, "bob", 1, (LI_NA,), "", "")
LOAD = PersonLoad("li.na", "Li Na", "李娜", MONDAY, 48.0, 0.0, 16.0, 0.0, 48.0, 5, 2, 3.5, 3.0)


@dataclass
class FakeDuty(DutyView):
    """What was asked is kept."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    @override
    def on_duty(self, group: str, at: UnixSeconds | None) -> Sequence[GroupDuty]:
        self.asked.append(("on_duty", group, at))
        if group not in {"", "db", "noc"}:
            raise KeyError(group)
        return [one for one in (DB, NOC) if group in {"", one.group}]

    @override
    def rota(self, group: str, at: UnixSeconds | None, days: int) -> RotaSpan:
        self.asked.append(("rota", group, at, days))
        if group not in {"", "db"}:
            raise KeyError(group)
        return WEEK

    @override
    async def explained(self, incident_id: str) -> Sequence[DispatchExplained]:
        return [DECISION] if incident_id == "I-1" else []

    @override
    async def candidates(self, incident_id: str) -> Candidates:
        return CANDIDATES

    @override
    async def load(self, at: UnixSeconds | None, weeks: int) -> Sequence[PersonLoad]:
        self.asked.append(("load", at, weeks))
        return [LOAD]
