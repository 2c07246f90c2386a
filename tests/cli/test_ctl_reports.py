import json

import pytest

from btimd.cli.ctl_reports import receipt_text
from btimd.model.report import ReportChannel, ReportFilter, ReportReceipt, ReportSeverity, ReportState
from tests.api.conftest import Served
from tests.cli.serving import asked


async def test_reports_are_listed_shown_and_counted(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        await asked(served, "otto", "reports", "--channel", "email", "--state", "handed", "--source", "nagios@mon") == 0
    )
    assert "db1 is down (x3)" in capsys.readouterr().out
    wanted = ReportFilter(ReportChannel.EMAIL, "nagios@mon", ReportState.HANDED)
    assert served.reports.asked == [(wanted, 101)]
    assert await asked(served, "otto", "reports", "show", "R-1") == 0
    shown = capsys.readouterr().out
    assert "All of it." in shown
    assert "handed, incident INC-1" in shown
    assert await asked(served, "vera", "reports", "counts") == 0
    shown = capsys.readouterr().out
    assert "SR-1" in shown
    assert "disk full" in shown
    assert await asked(served, "otto", "reports", "show") == 1
    assert "say which one" in capsys.readouterr().err


async def test_a_title_is_enough_to_report_something(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asked(served, "otto", "report", "ERP is slow", "--severity", "high", "--command-id", "c1") == 0
    assert capsys.readouterr().out == "report R-2: incident INC-2\n"
    assert served.reports.asked == [("c1", "otto", "ERP is slow", "", "", "", ReportSeverity.HIGH)]
    assert await asked(served, "otto", "--json", "report", "again") == 0
    assert json.loads(capsys.readouterr().out)["incident_id"] == "INC-2"


def test_what_became_of_a_report_is_said() -> None:
    assert receipt_text(ReportReceipt("R", is_new=True, folded_into="SR")) == (
        "report R: counted with others of its cause, told of in SR"
    )
    assert receipt_text(ReportReceipt("R", is_new=True)) == "report R is kept; its incident is not known yet"
