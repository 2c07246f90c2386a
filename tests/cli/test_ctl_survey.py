"""btimctl survey: the rate of answers stands beside every share of them."""

import pytest

from btimd.api import calls_knowledge
from btimd.api.client import Page
from btimd.cli import ctl_survey
from btimd.model.knowledge import SurveyFigures, SurveyState
from tests.cli.knowing import T0, Calls, lines, run
from tests.fakes.knowledge import SURVEY, SURVEYS


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(ctl_survey, "moment", lambda _: "11-14 22:13:20")
    monkeypatch.setenv("COLUMNS", "120")
    made = Calls(monkeypatch, calls_knowledge)
    made.answer("surveys", Page([SURVEY], False))
    made.answer("answer_survey", SURVEY)
    made.answer("survey_figures", SURVEYS)
    return made


def test_surveys_are_shown_and_answered(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_survey, "survey list --state answered --limit 2") == 0
    assert run(ctl_survey, "survey answer INC-1 5 quick") == 0
    row = "INC-1 answered zhao 11-14 22:13:20 11-14 22:13:20 5 quick"
    assert lines(capsys.readouterr().out)[1::2] == [row, row]
    assert calls.made == [
        ("surveys", {"states": [SurveyState.ANSWERED], "limit": 2}), ("answer_survey", "INC-1", 5, "quick"),
    ]  # fmt: skip


def test_what_surveys_came_to_is_said_with_how_many_answered(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ctl_survey, "survey rate --from 2023-11-01 --until 2023-11-02") == 0
    calls.answer("survey_figures", SurveyFigures(invited=3))
    assert run(ctl_survey, "survey rate") == 0
    calls.answer("survey_figures", SurveyFigures())
    assert run(ctl_survey, "survey rate") == 0
    assert lines(capsys.readouterr().out) == [
        "50.0 % are content (scores of 4 and 5: 1 of 2), mean score 3.00",
        "50.0 % answered (2 of 4 who were asked), 1 let it pass",
        "nobody answered yet: how content they are is not known; 0.0 % answered (0 of 3 who were asked)",
        "nobody was asked in that time",
    ]
    assert calls.made[:2] == [
        ("survey_figures", 1_698_796_800.0, 1_698_883_200.0), ("survey_figures", T0 - 30 * 86_400.0, T0),
    ]  # fmt: skip
