"""ReportsService: what was reported by whatever channel, and telling of something in one call."""

from dataclasses import replace
from typing import Final

import grpc

from btimd.api.auth import Caller, Role
from btimd.api.convert_reports import CHANNEL, COUNT, RECEIPT, SEVERITY, STATE, STORED_REPORT, STORM
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.pb import reports_pb2 as pb
from btimd.api.requests import bounded, command_id, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.report import IntakeBusyError, ReportFilter, ReportSeverity, ReportsView

_MOST_TITLE: Final = 500
_MOST_TEXT: Final = 32_768


class ReportsServicer:
    """Serves a ReportsView."""

    def __init__(self, view: ReportsView) -> None:
        self._view = view

    async def list_reports(self, request: pb.ListReportsRequest, _caller: Caller) -> pb.ListReportsResponse:
        """Return reports without their texts."""
        limit = page_limit(request.limit)
        wanted = ReportFilter(
            channel=CHANNEL.from_pb(request.channel) if request.channel else None,
            source=optional_name(request, "source"),
            state=STATE.from_pb(request.state) if request.state else None,
            incident_id=optional_name(request, "incident_id"),
            folded_into=optional_name(request, "folded_into"),
        )
        found, more = page_of(await self._view.reports(wanted, limit + 1), limit)
        listed = [STORED_REPORT.to_pb(replace(one, report=replace(one.report, text=""))) for one in found]
        return pb.ListReportsResponse(reports=listed, more=more)

    async def get_report(self, request: pb.GetReportRequest, _caller: Caller) -> pb.GetReportResponse:
        """Return a report with its text."""
        report_id = named(request, "report_id")
        found = await self._view.report(report_id)
        if found is None:
            raise not_found("report", report_id)
        return pb.GetReportResponse(report=STORED_REPORT.to_pb(found))

    async def create_report(self, request: pb.CreateReportRequest, caller: Caller) -> pb.CreateReportResponse:
        """Take what somebody tells; it is durable when this returns."""
        title = bounded("title", request.title, _MOST_TITLE).strip()
        if not title:
            raise invalid("title", "must say in one line what is wrong")
        own = caller.person or caller.name
        reporter = optional_name(request, "reporter") or own
        if reporter != own and caller.role < Role.HANDLER:
            raise invalid("reporter", "only a handler types in what others say")
        try:
            receipt = await self._view.create(
                command_id=command_id(request),
                reporter=reporter,
                title=title,
                text=bounded("text", request.text, _MOST_TEXT),
                node=optional_name(request, "node") or "",
                business=optional_name(request, "business") or "",
                severity=SEVERITY.from_pb(request.severity) if request.severity else ReportSeverity.UNKNOWN,
            )
        except IntakeBusyError as error:
            raise ApiError(grpc.StatusCode.UNAVAILABLE, "BUSY", f"{error}; send it again") from None
        return RECEIPT.to_pb(receipt)

    async def count_reports(self, _request: pb.CountReportsRequest, _caller: Caller) -> pb.CountReportsResponse:
        """Return the counts and the storms held now."""
        return pb.CountReportsResponse(
            counts=[COUNT.to_pb(one) for one in await self._view.counts()],
            storms=[STORM.to_pb(one) for one in self._view.storms()],
        )


def reports_service(view: ReportsView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["ReportsService"], ReportsServicer(view), ("intake", "store"))
