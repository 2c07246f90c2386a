"""SurveysService over a fake view: who answers for whom."""

import pytest

from btimd.api import calls_knowledge as calls
from btimd.api.client import Page
from btimd.model.knowledge import RecordKind, SurveyState
from tests.api.conftest import Served
from tests.api.test_knowledge import ask, refused
from tests.fakes.knowledge import SURVEY, SURVEYS, T0


async def test_who_was_asked_is_for_handlers_and_the_figures_for_everybody(served: Served) -> None:
    assert await ask(served, "otto", calls.surveys, states=(SurveyState.INVITED,)) == Page([SURVEY], False)
    assert await ask(served, None, calls.survey_figures, T0, T0 + 9) == SURVEYS
    assert served.knowledge.asked == [
        ("records", RecordKind.SURVEY, ("invited",), "", 101), ("survey-figures", T0, T0 + 9),
    ]  # fmt: skip
    assert "needs handler" in await refused(served, "rita", calls.surveys)


@pytest.mark.parametrize(("caller", "for_others"), [("rita", False), ("otto", False), ("mona", True), ("sven", False)])
async def test_only_desk_and_centre_without_a_scope_write_down_what_others_say(
    served: Served, caller: str, for_others: bool
) -> None:
    assert await ask(served, caller, calls.answer_survey, "INC-1", 5, "quick", "C1") == SURVEY
    assert served.knowledge.asked == [("answer", "INC-1", 5, "quick", "C1", caller, for_others)]


async def test_a_viewer_answers_nothing_and_a_score_is_from_one_to_five(served: Served) -> None:
    assert "needs reporter" in await refused(served, "vera", calls.answer_survey, "INC-1", 5, "", "C1")
    words = await refused(served, "rita", calls.answer_survey, "INC-1", 6, "", "C1")
    assert words == "score: 6 is not from 1 (not content at all) to 5"
