"""Surveys: one invitation, one reminder, only answers count."""

from btimd.itsm.knowledgesteps import Action
from btimd.itsm.surveys import SURVEYS, Answer, Expire, Invite, Remind, SurveyRules, due, survey_figures
from btimd.model.knowledge import SECONDS_PER_DAY, Survey, SurveyFigures, SurveyState
from tests.itsm.knowledge_examples import T0, history, refusal

RULES = SurveyRules()
INVITE, REMIND = Invite(actor="btimd", person="zhao"), Remind(actor="btimd", about="INC-1")


def survey(*actions: Action) -> Survey:
    made, _ = history(SURVEYS, "INC-1", INVITE, *actions)
    assert isinstance(made, Survey)
    return made


def test_the_reporter_is_asked_once_and_reminded_once_then_it_is_over() -> None:
    assert due(survey(), RULES) == (T0 + 3 * SECONDS_PER_DAY, REMIND)
    assert due(survey(REMIND), RULES) == (T0 + 14 * SECONDS_PER_DAY, Expire(actor="btimd", about="INC-1"))
    assert due(survey(REMIND, Expire(actor="btimd")), RULES) is None
    assert due(survey(Answer(actor="zhao", score=5)), RULES) is None
    assert refusal(SURVEYS, survey(REMIND), REMIND) == (
        "not-allowed-now: INC-1 is reminded: remind is not possible now; possible: answer, expire"
    )
    assert refusal(SURVEYS, survey(), INVITE) == "invalid: there is INC-1 already; look it up"


def test_who_may_not_be_reminded_before_the_end_is_not_reminded() -> None:
    rules = SurveyRules(remind_after=20.0, answer_within=10.0)
    assert due(survey(), rules) == (T0 + 10.0, Expire(actor="btimd", about="INC-1"))


def test_only_who_was_asked_answers_with_one_to_five() -> None:
    assert refusal(SURVEYS, survey(), Answer(actor="li", score=5)) == "invalid: INC-1: zhao was asked, not li"
    for score in (0, 6):
        assert refusal(SURVEYS, survey(), Answer(actor="zhao", score=score)) == (
            f"invalid: INC-1: the score is {score}; give 1 (not at all content) to 5"
        )
    answered = survey(REMIND, Answer(actor="zhao", score=2, comment=" too slow "))
    assert (answered.state, answered.score, answered.comment) == (SurveyState.ANSWERED, 2, "too slow")


def test_satisfaction_counts_answers_only_and_the_response_rate_stands_beside() -> None:
    surveys = [
        survey(Answer(actor="zhao", score=5)),
        survey(Answer(actor="zhao", score=4)),
        survey(Answer(actor="zhao", score=3)),
        survey(Expire(actor="btimd")),
        survey(REMIND),
    ]
    found = survey_figures(surveys, T0, T0 + 1)
    assert found == SurveyFigures(invited=5, answered=3, expired=1, satisfied=2, score_sum=12)
    assert (found.satisfaction, found.mean_score, found.response_rate) == (2 / 3, 4.0, 0.6)
    nobody = survey_figures(surveys, T0 + 1, T0 + 2)
    assert (nobody.satisfaction, nobody.mean_score, nobody.response_rate) == (None, None, None)
