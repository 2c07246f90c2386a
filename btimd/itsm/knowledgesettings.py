"""Settings of what incidents leave behind: [knowledge], [problem], [survey]."""

from typing import Annotated

from pydantic import Field

from btimd.itsm.problemwatch import ProblemRules
from btimd.itsm.surveys import SurveyRules
from btimd.model.incident import Priority
from btimd.model.knowledge import SECONDS_PER_DAY
from btimd.model.units import Seconds
from btimd.settings.fields import Duration, Section

_PERCENT = 100.0
_NEVER = float("inf")


class KnowledgeSettings(Section):
    """[knowledge]: what is known is offered with incidents, and learned from them."""

    offers: Annotated[int, Field(ge=0, le=20)] = 3
    """Articles that are written into the timeline of an incident when it is opened and when somebody takes it; 0: none.
    The workaround of a known error is always told."""
    offer_from_percent: Annotated[int, Field(ge=0, le=100)] = 15
    """Articles that fit less well are not offered."""
    drafts: bool = True
    """The closing report of a person becomes the draft of an article."""
    call_timeout: Annotated[Duration, Field(gt=0)] = 5.0
    """A search that takes longer is given up."""

    def offers_from(self) -> float:
        """Return the least fit that is offered."""
        return self.offer_from_percent / _PERCENT


class ProblemSettings(Section):
    """[problem]: when incidents call for a problem record. A person decides."""

    incidents: Annotated[int, Field(ge=2)] = 3
    """So many incidents of one cause, or of one root node, within the time below propose a problem."""
    within: Annotated[Duration, Field(gt=0, le=366 * SECONDS_PER_DAY)] = 30 * SECONDS_PER_DAY
    """The time in which they are counted."""
    unknown_cause_from: Annotated[int, Field(ge=1, le=5)] = 1
    """An incident of this priority or a higher one that ended without a known cause proposes a problem; 1: only P1."""

    def rules(self) -> ProblemRules:
        """Return what itsm.problemwatch needs of these."""
        return ProblemRules(threshold=self.incidents, window=self.within, worst=Priority(self.unknown_cause_from))


class SurveySettings(Section):
    """[survey]: the reporter of a dealt-with incident is asked how content they are.

    How long answers are taken: [itsm.timers] survey.
    """

    remind_after: Annotated[Duration, Field(ge=0)] = 3 * SECONDS_PER_DAY
    """Who has not answered is reminded once after this time; 0: never."""

    def rules(self, answer_within: Seconds) -> SurveyRules:
        """Return what itsm.surveys needs of these. answer_within: how long answers are taken."""
        return SurveyRules(remind_after=self.remind_after or _NEVER, answer_within=answer_within)
