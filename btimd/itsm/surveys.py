"""Surveys: the reporter of a dealt-with incident is asked once, reminded once, and only answers count.

Whoever is asked twice is asked once too often: an incident that is reopened and resolved again has no second survey.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from btimd.itsm.knowledgesteps import Action, Machine, Row
from btimd.model.knowledge import SECONDS_PER_DAY, RecordKind, Survey, SurveyFigures, SurveyState
from btimd.model.units import Seconds, UnixSeconds

SYSTEM: Final = "btimd"
LOWEST_SCORE: Final = 1
HIGHEST_SCORE: Final = 5
SATISFIED_FROM: Final = 4


@dataclass(frozen=True, slots=True)
class SurveyRules:
    """When a survey reminds, and until when it may be answered, since the invitation."""

    remind_after: Seconds = 3 * SECONDS_PER_DAY
    answer_within: Seconds = 14 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Action):
    """The incident was resolved: its reporter is asked."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(Action):
    """No answer came for a while: the reporter is asked again, for the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Action):
    """The reporter answers."""

    score: int
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Action):
    """No answer came in time."""


def _nobody(_survey: Survey, invite: Invite) -> str:
    return "" if invite.person.strip() else "nobody is named who could be asked"


def _not_asked(survey: Survey, answer: Answer) -> str:
    if answer.actor != survey.person:
        return f"{survey.person} was asked, not {answer.actor}"
    if not LOWEST_SCORE <= answer.score <= HIGHEST_SCORE:
        return f"the score is {answer.score}; give {LOWEST_SCORE} (not at all content) to {HIGHEST_SCORE}"
    return ""


def _invited(survey: Survey, invite: Invite, now: UnixSeconds) -> Survey:
    return replace(survey, person=invite.person.strip(), invited_at=now)


def _reminded(survey: Survey, _action: Remind, now: UnixSeconds) -> Survey:
    return replace(survey, reminded_at=now)


def _answered(survey: Survey, answer: Answer, now: UnixSeconds) -> Survey:
    return replace(survey, score=answer.score, comment=answer.comment.strip(), answered_at=now)


def _expired(survey: Survey, _action: Expire, _now: UnixSeconds) -> Survey:
    return survey


_S = SurveyState
_WAITING: Final = frozenset({_S.INVITED, _S.REMINDED})
SURVEYS: Final[Machine[Survey]] = Machine(
    RecordKind.SURVEY,
    lambda incident_id: Survey(incident_id, 0, SurveyState.INVITED),
    (
        Row(Invite, frozenset(), _S.INVITED, "invited", _invited, (_nobody,), start=True),
        Row(Remind, frozenset({_S.INVITED}), _S.REMINDED, "reminded", _reminded),
        Row(Answer, _WAITING, _S.ANSWERED, "answered", _answered, (_not_asked,)),
        Row(Expire, _WAITING, _S.EXPIRED, "expired", _expired),
    ),
)
"""The life of a survey."""


def due(survey: Survey, rules: SurveyRules) -> tuple[UnixSeconds, Action] | None:
    """Return what happens to a survey next by itself, and when; None: nothing more."""
    ends_at = survey.invited_at + rules.answer_within
    remind_at = survey.invited_at + rules.remind_after
    if survey.state is SurveyState.INVITED and remind_at < ends_at:
        return remind_at, Remind(actor=SYSTEM, about=survey.id)
    return (ends_at, Expire(actor=SYSTEM, about=survey.id)) if survey.state in _WAITING else None


def survey_figures(surveys: Iterable[Survey], start: UnixSeconds, end: UnixSeconds) -> SurveyFigures:
    """Return what the surveys came to whose invitation went out in [start, end)."""
    asked = [one for one in surveys if start <= one.invited_at < end]
    scores = [one.score for one in asked if one.score is not None]
    return SurveyFigures(
        invited=len(asked),
        answered=len(scores),
        expired=sum(one.state is SurveyState.EXPIRED for one in asked),
        satisfied=sum(score >= SATISFIED_FROM for score in scores),
        score_sum=sum(scores),
    )
