"""A fake of reports."""

from typing_extensions import override

from btimd.model.report import (
    IntakeBusyError,
    Report,
    ReportChannel,
    ReportCount,
    ReportFilter,
    ReportReceipt,
    ReportSeverity,
    ReportSignal,
    ReportState,
    ReportStorm,
    ReportsView,
    StoredReport,
)

STORED = StoredReport(
    Report(
        id="R-1", channel=ReportChannel.EMAIL, source="nagios@mon", reporter="", received_at=5.0, key="<1@mon>",
        signal=ReportSignal.PROBLEM, title="db1 is down", text="All of it.", node="db1",
        severity=ReportSeverity.CRITICAL, fingerprint="report|nagios|node db1|", template="nagios", count=3,
    ),
    ReportState.HANDED,
    "INC-1",
)  # fmt: skip
STORM = ReportStorm("SR-1", ReportChannel.SYSLOG, "10.0.0.1", "disk full", is_one_cause=True, count=99, ends_at=160.0)


class FakeReports(ReportsView):
    """One report and one storm."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.busy = False

    @override
    async def reports(self, wanted: ReportFilter, limit: int) -> list[StoredReport]:
        self.asked.append((wanted, limit))
        return [STORED]

    @override
    async def report(self, report_id: str) -> StoredReport | None:
        return STORED if report_id == "R-1" else None

    @override
    async def create(
        self,
        *,
        command_id: str,
        reporter: str,
        title: str,
        text: str,
        node: str,
        business: str,
        severity: ReportSeverity,
    ) -> ReportReceipt:
        if self.busy:
            raise IntakeBusyError("the disk took more than 10 s")
        self.asked.append((command_id, reporter, title, text, node, business, severity))
        return ReportReceipt("R-2", is_new=True, incident_id="INC-2")

    @override
    async def counts(self) -> list[ReportCount]:
        return [ReportCount(ReportChannel.EMAIL, ReportState.HANDED, 7, 5.0)]

    @override
    def storms(self) -> list[ReportStorm]:
        return [STORM]
