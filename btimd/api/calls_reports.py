"""Calls of ReportsService, for callers of the API."""

from collections.abc import Sequence

from btimd.api.client import Client, Page
from btimd.api.convert_reports import CHANNEL, COUNT, RECEIPT, SEVERITY, STATE, STORED_REPORT, STORM
from btimd.api.pb import reports_pb2 as pb
from btimd.model.report import (
    ReportCount,
    ReportFilter,
    ReportReceipt,
    ReportSeverity,
    ReportStorm,
    StoredReport,
)


def reports(client: Client, wanted: ReportFilter, limit: int = 0) -> Page[StoredReport]:
    """Return reports without texts, the newest first; raises CallFailedError."""
    request = pb.ListReportsRequest(
        channel=CHANNEL.to_pb(wanted.channel),  # type: ignore[arg-type]  # a number is what the message takes
        source=wanted.source or "",
        state=STATE.to_pb(wanted.state),  # type: ignore[arg-type]  # as above
        incident_id=wanted.incident_id or "",
        folded_into=wanted.folded_into or "",
        limit=limit,
    )
    return client.page("ListReports", request, "reports", STORED_REPORT.from_pb)


def report(client: Client, report_id: str) -> StoredReport:
    """Return a report with its text; raises CallFailedError."""
    return STORED_REPORT.from_pb(client.call("GetReport", pb.GetReportRequest(report_id=report_id)).report)


def create_report(
    client: Client,
    *,
    command_id: str,
    title: str,
    text: str = "",
    node: str = "",
    business: str = "",
    severity: ReportSeverity | None = None,
    reporter: str = "",
) -> ReportReceipt:
    """Tell of something; raises CallFailedError."""
    request = pb.CreateReportRequest(
        command_id=command_id,
        title=title,
        text=text,
        node=node,
        business=business,
        severity=SEVERITY.to_pb(severity),  # type: ignore[arg-type]  # a number is what the message takes
        reporter=reporter,
    )
    return RECEIPT.from_pb(client.call("CreateReport", request))


def report_counts(client: Client) -> tuple[Sequence[ReportCount], Sequence[ReportStorm]]:
    """Return how many reports came by each channel, and what is being folded now; raises CallFailedError."""
    found = client.call("CountReports", pb.CountReportsRequest())
    return [COUNT.from_pb(one) for one in found.counts], [STORM.from_pb(one) for one in found.storms]
