"""Settings of knowledge, problems and surveys, and the rules they become."""

import math

import pytest
from pydantic import ValidationError

from btimd.itsm.knowledgesettings import KnowledgeSettings, ProblemSettings, SurveySettings
from btimd.itsm.problemwatch import ProblemRules
from btimd.itsm.surveys import SurveyRules
from btimd.model.incident import Priority


def test_what_is_left_out_is_the_rule_of_the_books() -> None:
    assert ProblemSettings().rules() == ProblemRules()
    assert SurveySettings().rules(14 * 86_400.0) == SurveyRules()
    assert KnowledgeSettings().offers_from() == 0.15


def test_what_is_written_is_the_rule() -> None:
    made = ProblemSettings.model_validate({"incidents": 5, "within": "7d", "unknown_cause_from": 2})
    assert made.rules() == ProblemRules(threshold=5, window=7 * 86_400.0, worst=Priority.P2)
    never = SurveySettings.model_validate({"remind_after": "0s"}).rules(60.0)
    assert (never.remind_after, never.answer_within) == (math.inf, 60.0)


@pytest.mark.parametrize("wrong", [{"incidents": 1}, {"within": "0s"}, {"unknown_cause_from": 6}])
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProblemSettings.model_validate(wrong)
