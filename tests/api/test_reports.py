import grpc
import pytest

from btimd.api.auth import Caller, Role
from btimd.api.convert_reports import COUNT, STORED_REPORT, STORM
from btimd.api.errors import ApiError
from btimd.api.pb import reports_pb2 as pb
from btimd.api.reports import ReportsServicer
from btimd.model.report import ReportChannel, ReportFilter, ReportSeverity, ReportState
from tests.fakes.reports import STORED, FakeReports
from tests.fakes.reports import STORM as HELD

OTTO = Caller("otto", Role.HANDLER)
RITA = Caller("desk-token", Role.REPORTER, person="rita")


async def test_reports_are_listed_without_and_shown_with_their_text() -> None:
    view = FakeReports()
    servicer = ReportsServicer(view)
    wanted = pb.ListReportsRequest(
        channel=pb.REPORT_CHANNEL_SYSLOG, source="10.0.0.1", state=pb.REPORT_STATE_SUMMED, folded_into="SR-1", limit=5
    )
    answer = await servicer.list_reports(wanted, OTTO)
    assert [(one.report.id, one.report.text) for one in answer.reports] == [("R-1", "")]
    asked = ReportFilter(ReportChannel.SYSLOG, "10.0.0.1", ReportState.SUMMED, folded_into="SR-1")
    assert view.asked == [(asked, 6)]
    shown = await servicer.get_report(pb.GetReportRequest(report_id="R-1"), OTTO)
    assert STORED_REPORT.from_pb(shown.report) == STORED
    with pytest.raises(ApiError, match="there is no report 'x'"):
        await servicer.get_report(pb.GetReportRequest(report_id="x"), OTTO)


async def test_counts_and_storms_are_told() -> None:
    answer = await ReportsServicer(FakeReports()).count_reports(pb.CountReportsRequest(), OTTO)
    assert [COUNT.from_pb(one).count for one in answer.counts] == [7]
    assert [STORM.from_pb(one) for one in answer.storms] == [HELD]


async def test_a_title_is_enough_and_the_caller_is_the_reporter() -> None:
    view = FakeReports()
    servicer = ReportsServicer(view)
    answer = await servicer.create_report(pb.CreateReportRequest(command_id="c1", title=" ERP is slow "), RITA)
    assert (answer.report_id, answer.is_new, answer.incident_id) == ("R-2", True, "INC-2")
    call = pb.CreateReportRequest(
        command_id="c2", title="t", text="x", node="n", business="b", severity=pb.REPORT_SEVERITY_HIGH, reporter="ann"
    )
    await servicer.create_report(call, OTTO)
    assert view.asked == [
        ("c1", "rita", "ERP is slow", "", "", "", ReportSeverity.UNKNOWN),
        ("c2", "ann", "t", "x", "n", "b", ReportSeverity.HIGH),
    ]


async def test_mistakes_are_named_and_what_is_not_kept_is_said() -> None:
    view = FakeReports()
    servicer = ReportsServicer(view)
    for request, text in (
        (pb.CreateReportRequest(command_id="c", title=" "), "title: must say"),
        (pb.CreateReportRequest(title="t"), "command_id: must be given"),
        (pb.CreateReportRequest(command_id="c", title="t", reporter="ann"), "reporter: only a handler"),
        (pb.CreateReportRequest(command_id="c", title="t" * 501), "title: 501 characters"),
    ):
        with pytest.raises(ApiError, match=text):
            await servicer.create_report(request, RITA)
    view.busy = True
    with pytest.raises(ApiError, match="send it again") as raised:
        await servicer.create_report(pb.CreateReportRequest(command_id="c", title="t"), RITA)
    assert raised.value.code is grpc.StatusCode.UNAVAILABLE
