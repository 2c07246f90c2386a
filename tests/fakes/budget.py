"""A load budget in memory, and rows of it."""

from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.budget import BudgetReport, BudgetRow, BudgetScope, BudgetView

SERVER = BudgetRow(
    scope=BudgetScope.SERVER, name="10.0.0.1:80", probes=9, heavy=9, diagnosis=2, octets=42_000, waits=3, refused=1,
    back_offs=2, in_flight=1, troubles=4, backing_off_seconds=3.5, load=0.25, per_second=None, concurrent=None,
    octets_per_second=None,
)  # fmt: skip
HOST = BudgetRow(
    scope=BudgetScope.HOST, name="10.0.0.2", probes=60, heavy=0, diagnosis=0, octets=4_000, waits=0, refused=0,
    back_offs=0, in_flight=0, troubles=0, backing_off_seconds=0.0, load=0.1, per_second=10.0, concurrent=8,
    octets_per_second=250_000.0,
)  # fmt: skip


@dataclass
class FakeBudget(BudgetView):
    """Answers what it was given, and remembers what it was asked."""

    report: BudgetReport = field(default_factory=lambda: BudgetReport((SERVER, HOST), 7, 2, more=True))
    asked: list[tuple[BudgetScope | None, str, int]] = field(default_factory=list)

    @override
    def budget(self, scope: BudgetScope | None, name: str, limit: int) -> BudgetReport:
        self.asked.append((scope, name, limit))
        return self.report
