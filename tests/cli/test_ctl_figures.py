"""btimctl figures: tables in both languages, CSV, and nothing that is not known is shown as good."""

import csv
import io
import json
from dataclasses import replace

import pytest

from btimd.api import calls_figures
from btimd.api.client import Page
from btimd.cli import ctl_figures, figures_tables
from btimd.model.qualityview import FigureCoverage, FigureGroup, FigureQuery, GroupFigures
from btimd.model.workfigures import Trend, TrendSeries, WorkFigures
from tests.cli.knowing import T0, Calls, lines, run
from tests.fakes.knowledge import COVERAGE, DAY, FIGURES, RELIABLE, TREND, UNMEASURED


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(figures_tables, "full_moment", lambda _: "2023-11-14 22:13:20 +0000")
    monkeypatch.setattr(figures_tables, "moment", lambda _: "11-14 22:13:20")
    monkeypatch.setenv("COLUMNS", "120")
    made = Calls(monkeypatch, calls_figures)
    made.answer("work_figures", (FIGURES, COVERAGE))
    made.answer(
        "group_figures",
        (Page([GroupFigures("erp", FIGURES), GroupFigures("", WorkFigures(T0, T0 + 1))], True), COVERAGE),
    )
    made.answer("incident_trend", (TREND, COVERAGE))
    made.answer("reliability", Page([RELIABLE, UNMEASURED], False))
    return made


def test_every_figure_is_shown_with_how_far_it_reaches(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_figures, "figures all --since 7d --business erp --group noc --class database --node ora1") == 0
    assert lines(capsys.readouterr().out) == [
        "2023-11-14 22:13:20 +0000 - 2023-11-14 22:13:20 +0000",
        "9 incidents looked at; on record since 2023-11-14 22:13:20 +0000: 50 % of the time asked for; 1 could not be read",
        "opened 9 resolved 8 closed 7 cancelled 1 merged 2 cleared by themselves 3 reopened 1 orders 12",
        "P1 2 P3 7",
        "figure value",
        "first-time fix 71.4 % 5 / 7",
        "first dispatch accuracy 75.0 % 6 / 8, 1 undecided",
        "satisfaction 50.0 % 1 / 2",
        "survey response 50.0 % 2 / 4",
        "figure mean P50 P90 count beginning unknown",
        "response (MTTA) 1 min 30 s 1 min 4 min 4 1",
        "response, service hours 1 min 30 s 1 min 4 min 4 1",
        "resolution 1 min 30 s 1 min 4 min 4 1",
        "resolution, service hours - - - 0 -",
        "detection (MTTD) 1 min 30 s 1 min 4 min 4 1",
        "cause known (MTTC) 1 min 30 s 1 min 4 min 4 1",
        "restored (MTTR) 1 min 30 s 1 min 4 min 4 1",
        "wait for acceptance 0 wait for resolution 1 (2 h)",
    ]
    assert calls.made == [("work_figures", FigureQuery(T0 - 7 * DAY, T0, "erp", "noc", "", "database", "ora1"))]


def test_names_of_figures_are_there_in_chinese(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("all", "by business", "people", "causes", "reliability", "trend"):
        assert run(ctl_figures, f"figures {what} --language zh") == 0
    shown = capsys.readouterr().out
    for name in ("事件一次解决率", "一次派单正确率", "满意度", "恢复时间 (MTTR)", "接单数", "占比", "可用率", "预测"):
        assert name in shown
    assert len(calls.made) == 6


def test_nothing_measured_is_never_shown_as_good(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    empty = (WorkFigures(T0, T0 + 1), FigureCoverage(known_since=None, left_out=3, surveys_known=False))
    calls.answer("work_figures", empty)
    assert run(ctl_figures, "figures all") == 0
    shown = lines(capsys.readouterr().out)
    assert (
        shown[1] == "0 incidents looked at; no incident is on record; 3 more are left out; surveys cannot be read now"
    )
    assert shown[4:7] == [
        "first-time fix - nothing to measure", "first dispatch accuracy - nothing to measure",
        "satisfaction ? (not known)",
    ]  # fmt: skip
    assert run(ctl_figures, "figures reliability") == 0
    rows = lines(capsys.readouterr().out)
    assert rows[1] == "erp 2023-11-14 2023-11-14 99.500 % 93.0 % 2 6 min 40 s 3 min 20 s 11 h 6 min 11 h 10 min"
    assert rows[2] == "hr 2023-11-14 2023-11-14 - 0.0 % 0 0 s - - -"


def test_groups_people_and_weak_spots_are_shown(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_figures, "figures by business --limit 5") == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[-2:] == [
        "erp 9 8 12 71 % 75 % 50 % 50 % 1 min 30 s 1 min 30 s 4 min", "(not known) 0 0 0 - - - - - - -",
    ]  # fmt: skip
    assert "there is more" in shown.err
    assert run(ctl_figures, "figures people") == 0
    assert lines(capsys.readouterr().out)[-1] == "li 5 4 3 90 1"
    assert run(ctl_figures, "figures causes --limit 1") == 0
    assert lines(capsys.readouterr().out)[-1] == "(not known) 2 25 % P3 1 min"
    calls.answer("work_figures", (replace(FIGURES, people=()), COVERAGE))
    assert run(ctl_figures, "figures people") == 0
    assert lines(capsys.readouterr().out) == ["nobody worked on incidents in that time, or your role is below manager"]
    assert calls.made[0][2:] == (FigureGroup.BUSINESS, 5)


def test_a_trend_is_of_whole_buckets_that_are_over(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_figures, "figures trend --since 3d --by class --ahead 2") == 0
    assert lines(capsys.readouterr().out) == [
        "2023-11-14 22:13:20 +0000 - 2023-11-14 22:13:20 +0000, 2 x 1 d",
        "9 incidents looked at; on record since 2023-11-14 22:13:20 +0000: 0 % of the time asked for; 1 could not be read",
        "opened / 1 d", "all 4 2.00 █▃", "P1 2 1.00 ▆", "P3 2 1.00 ▃▃",
        "from expected at least at most", "11-14 22:13:20 2.0 0.5 3.5",
    ]  # fmt: skip
    end = T0 // DAY * DAY
    assert calls.made == [
        ("incident_trend", FigureQuery(end - 3 * DAY, end), FigureGroup.CLASS, {"bucket_seconds": 86_400, "ahead": 2})
    ]
    calls.answer("incident_trend", (Trend((T0,), TrendSeries("", ()), ()), COVERAGE))
    assert run(ctl_figures, "figures trend") == 0
    assert lines(capsys.readouterr().out)[-1] == "no whole bucket of that time is on record"


@pytest.mark.parametrize(
    ("what", "row"),
    [
        ("all", ["first-time fix", "0.714286", "5", "7", "", ""]),
        ("by business", ["", "0", "0", "0", "0", "", "", "", "", "", "", "", "", ""]),
        ("people", ["li", "5", "4", "3", "90", "1"]),
        ("causes", ["ora1", "6", "0.75", "P1", "3600"]),
        ("reliability", ["hr", "2023-11-14T22:13:20Z", "2023-11-15T22:13:20Z", "", "0", "0", "0", "", "", ""]),
        ("trend", ["2023-11-16T22:13:20Z", "", "", "", "2", "0.5", "3.5"]),
    ],
)
@pytest.mark.usefixtures("calls")
def test_a_spreadsheet_gets_numbers_and_empty_cells_for_what_is_not_known(
    what: str, row: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ctl_figures, f"figures {what} --csv") == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert row in rows
    assert {len(one) for one in rows} == {len(row)}


def test_a_name_that_a_spreadsheet_would_reckon_with_stays_a_text(
    calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = replace(FIGURES.causes[1], cause="=HYPERLINK(1)")
    calls.answer("work_figures", (replace(FIGURES, causes=(evil,)), COVERAGE))
    assert run(ctl_figures, "figures causes --csv") == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("'=HYPERLINK(1),")


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("what", ["all", "by node", "people", "causes", "trend", "reliability"])
def test_programs_get_lines_of_json(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_figures, f"figures {what}", as_json=True) == 0
    assert all(isinstance(json.loads(one), dict) for one in capsys.readouterr().out.splitlines())
