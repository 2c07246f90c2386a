"""Service levels in memory: two agreements, one of them of a supplier."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override

from btimd.model.agreement import (
    AgreementKind,
    AuditEntry,
    BurnWindow,
    DownShare,
    OutageChange,
    PeriodFigures,
    PeriodKind,
    RevisedFigures,
    Revision,
    Standing,
)
from btimd.model.levels import (
    AgreementInfo,
    BreachForecast,
    CalendarDay,
    CalendarInfo,
    Contribution,
    LevelsView,
    OpenStretch,
    ResponseFigures,
    StandingView,
)
from btimd.model.sla import Availability, SlaStatus

START = 1_793_462_400.0  # 2026-11-01 in Shanghai is eight hours earlier
DAY = 86_400.0

SLA = AgreementInfo(
    name="bank", kind=AgreementKind.SLA, title="Online banking", title_zh="网上银行", provider="", customer="Retail",
    businesses=("erp", "hr"), nodes=(), covered=0, touches=("erp", "hr"), availability_percent=99.9, calendar="office",
    timezone="Asia/Shanghai", period=PeriodKind.MONTH, response={"P1": 600.0}, resolve={"P1": 7200.0, "P2": 14400.0},
    exclude_planned=True, draft=False, valid_from="2026-01-01", valid_until="", review_on="2027-01-15",
    notes=("promises 99.9 % of erp, but what it stands on makes up 99.8 % at most",), adds_up=False,
)  # fmt: skip
UC = replace(
    SLA, name="line", kind=AgreementKind.UC, title="", title_zh="", provider="China Telecom", customer="",
    businesses=(), nodes=("line1",), covered=3, touches=("hr",), calendar="always", response={}, resolve={},
    exclude_planned=False, draft=True, notes=(), adds_up=True,
)  # fmt: skip
FIGURES = PeriodFigures(
    agreement="bank", subject="erp", period_start=START, period_end=START + 30 * DAY, at=START + 10 * DAY,
    agreed_seconds=30 * DAY, excluded_seconds=7200.0, up_seconds=9 * DAY, down_seconds=1800.0, unknown_seconds=DAY / 2,
    availability=0.9977, coverage=0.95, failures=2, mttr_seconds=900.0, mtbf_seconds=4.5 * DAY, mtbsi_seconds=4.6 * DAY,
    error_budget_seconds=2592.0, budget_used=0.694, status=SlaStatus.AT_RISK, user_minutes_lost=1200.0,
    user_minutes_coverage=0.5, user_minutes_exact=False, planned_down_seconds=600.0,
    by_cause=(DownShare("ora1", 1200.0, 1), DownShare("", 600.0, 1)),
    by_supplier=(DownShare("China Telecom", 1200.0, 1), DownShare("", 600.0, 1)),
)  # fmt: skip
BEFORE = replace(
    FIGURES, period_start=START - 31 * DAY, period_end=START, at=START, status=SlaStatus.BREACHED, availability=None,
    coverage=None, mttr_seconds=None, mtbf_seconds=None, mtbsi_seconds=None, user_minutes_coverage=None, by_cause=(),
    by_supplier=(), budget_used=1.5,
)  # fmt: skip
OF_HR = replace(FIGURES, subject="hr", status=SlaStatus.MET)
OF_LINE = replace(FIGURES, agreement="line", subject="line")
STANDING = StandingView(
    Standing(
        figures=FIGURES, current=Availability.DOWN, burn_fast=15.25, burn_slow=None, burning=(BurnWindow.FAST,),
        budget_gone_at=START + 11 * DAY,
    ),
    ResponseFigures(
        incidents=4, answered=3, answered_in_time=2, mean_response_seconds=300.0, resolved=2, resolved_in_time=2,
        mean_resolve_seconds=3600.0, overdue=1,
    ),
    BreachForecast(expected=0.998, low=0.997, high=0.9985, breach_probability=0.8, periods=2),
)  # fmt: skip
QUIET = StandingView(
    Standing(
        figures=OF_LINE, current=Availability.UNKNOWN, burn_fast=None, burn_slow=None, burning=(), budget_gone_at=None
    ),
    ResponseFigures(),
    BreachForecast(),
)
CONTRIBUTION = Contribution(
    node="ora1", down_seconds=1200.0, outages=1, share=0.667, availability=0.9985, without=0.9992, mttr_seconds=1200.0,
    agreement="line", promised_percent=99.9, below_promise=True,
)  # fmt: skip
ENTRY = AuditEntry(
    1,
    Revision(
        subject="erp", start=START + DAY, end=START + DAY + 600, change=OutageChange(planned=True, cause="ora1"),
        by="mona", at=START + 2 * DAY, why="change 4711",
    ),
    (
        RevisedFigures("bank", "erp", START, 1800.0, 1200.0, 0.0, 0.0, 0.9977, None, SlaStatus.AT_RISK, SlaStatus.MET),
        RevisedFigures("bank", "hr", START, 1800.0, 1200.0, 0.0, 0.0, 0.9977, 0.9985, SlaStatus.AT_RISK, SlaStatus.MET),
    ),
)  # fmt: skip
OFFICE = CalendarInfo(
    "office", "Asia/Shanghai", True, START + 3600.0,
    (
        CalendarDay("2026-11-02", (OpenStretch(START + 36000.0, START + 68400.0),), usual=True),
        CalendarDay("2026-11-03", (), usual=False),
    ),
    32400.0,
)  # fmt: skip


@dataclass
class FakeLevels(LevelsView):
    """Answers with what stands above. revised: what was put right; asked: what was asked for."""

    revised: list[AuditEntry] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)

    @override
    def agreements(self) -> Sequence[AgreementInfo]:
        return [SLA, UC]

    @override
    async def standings(self, agreement: str | None) -> Sequence[StandingView]:
        found = [STANDING, replace(STANDING, standing=replace(STANDING.standing, figures=OF_HR)), QUIET]
        return [one for one in found if agreement in {None, one.standing.figures.agreement}]

    @override
    def periods(self, agreement: str) -> Sequence[PeriodFigures]:
        return [BEFORE, FIGURES, OF_HR] if agreement == "bank" else [OF_LINE]

    @override
    def contributions(self, agreement: str, subject: str | None, periods: int) -> Sequence[Contribution]:
        self.asked.append((agreement, subject, periods))
        return [CONTRIBUTION]

    @override
    def statement(self, agreement: str, subject: str | None, at: float | None, language: str) -> str:
        if at == 0.0:
            raise KeyError(agreement)
        self.asked.append((agreement, subject, at, language))
        return "The promise is kept."

    @override
    def audit(self) -> Sequence[AuditEntry]:
        return [ENTRY, *self.revised]

    @override
    def revise(self, business: str, start: float, end: float, change: OutageChange, *, by: str, why: str) -> AuditEntry:
        if business != "erp":
            raise ValueError(f"no business '{business}' is accounted for")
        said = Revision(subject=business, start=start, end=end, change=change, by=by, at=START, why=why)
        self.revised.append(AuditEntry(2, said, ()))
        return self.revised[-1]

    @override
    def calendar(self, name: str, at: float | None, days: int) -> CalendarInfo:
        if name == "nope":
            raise KeyError(name)
        self.asked.append((name, at, days))
        return replace(OFFICE, name=name)

    @override
    def calendars(self) -> Sequence[str]:
        return ["always", "office"]
