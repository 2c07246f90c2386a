"""Triggers: everything that can happen to an incident, as data handed to itsm.lifecycle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from btimd.model.incident import (
    ActorRole,
    ClosingReport,
    Difficulty,
    Impact,
    ImpactAssessment,
    Incident,
    Priority,
    Urgency,
)
from btimd.model.units import Ratio, UnixSeconds

SYSTEM: Final = "btimd"
"""The actor of what no person did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Something happens. actor: who did it. command_id: set where a person did, so that a repeat is recognised.

    notes: what the timeline shall say beyond the changed fields; see itsm.replay for the names.
    roles: in what capacity the actor acts, beside handler and reporter; None: it is not asked.
    """

    actor: str = SYSTEM
    roles: frozenset[ActorRole] | None = None
    command_id: str = ""
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProblem(Trigger):
    """Somebody or something says that there is a problem. incident_id: the id to give if it makes a new incident.

    covers_all: the report speaks of everything known to be hit, so that a milder judgement may replace a worse one.
    priority: set by the person who reports; None: the matrix decides. count: how many reports it stands for.
    reporter: for whom the actor takes it down, who is told how it goes on; "" = the actor where that is a person.
    """

    incident_id: str
    fingerprint: str
    title: str
    description: str
    cause: str
    verdict_id: str
    confidence: Ratio
    impact: Impact
    urgency: Urgency
    assessment: ImpactAssessment
    began_at: UnixSeconds
    by_human: bool = False
    priority: Priority | None = None
    category: str = ""
    difficulty: Difficulty = Difficulty.LOW
    count: int = 1
    reporter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportClear(Trigger):
    """Symptoms are gone; `remaining` of the same incident are still there. reason: how that is known."""

    remaining: int
    reason: str = "the checks that saw it are good again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe(Trigger):
    """Something was seen that may help whoever works on it: what packets of a business in trouble showed."""

    text: str


# Time.


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOver(Trigger):
    """The time in which a person could have taken a new incident has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOver(Trigger):
    """The time for which an incident was taken out of dispatch has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptTimeOver(Trigger):
    """The time to accept an order has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenotifyDue(Trigger):
    """An order was not answered for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDue(Trigger):
    """A report on progress is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageGraceOver(Trigger):
    """The report on progress did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingOver(Trigger):
    """What was waited for should be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreDue(Trigger):
    """An incident has lain at the management centre for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenTimeOver(Trigger):
    """The time in which a resolved incident would be reopened has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMark(Trigger):
    """The next mark of the time promised for a response is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionMark(Trigger):
    """The next mark of the time promised for a resolution is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDue(Trigger):
    """Targets may be told of repeated reports again."""


# What is found out.


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSurvey(Trigger):
    """The reporter is asked how content they are. reminder: for the second time, as no answer came."""

    reminder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleChanged(Trigger):
    """Somebody came on duty, or the rota was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassess(Trigger):
    """How bad it is was judged anew. cause: what gave rise to that: more users, a calendar boundary, a diagnosis.

    covers_all: the judgement speaks of everything known to be hit, so that it may be milder than the one before.
    """

    impact: Impact
    urgency: Urgency
    assessment: ImpactAssessment
    cause: str
    difficulty: Difficulty | None = None
    covers_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Referenced(Trigger):
    """A target says what it calls the incident."""

    target: str
    reference: str


class ExternalWish(StrEnum):
    """What a change in a target's ticket means here."""

    ACCEPT = "accept"
    RESOLVE = "resolve"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalUpdate(Trigger):
    """A person changed the ticket at a target. seq: of the change there, ever growing; status: as they call it.

    text: the comment, or the closing report of a resolution.
    """

    target: str
    reference: str
    seq: int
    wish: ExternalWish
    status: str = ""
    text: str = ""


# What people do.


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Trigger):
    """A person takes the incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Trigger):
    """A person has dealt with it. override_reason: why although the signal is still active."""

    closing_report: str
    override_reason: str = ""
    closing: ClosingReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Trigger):
    """A person agrees that it is dealt with."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Trigger):
    """A person says that it was none."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Trigger):
    """A person adds what they know."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority(Trigger):
    """A person fixes the priority; no computation changes it any more."""

    priority: Priority
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInto(Trigger):
    """The incident turns out to be part of another one."""

    parent: Incident
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorb(Trigger):
    """The other end of MergeInto: the incident takes a child in."""

    child: Incident
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerge(Trigger):
    """The incident was not part of another one after all. parent: the one it was merged into."""

    parent: Incident
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo(Trigger):
    """The other end of Unmerge: the incident gives a child back."""

    child: Incident
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Trigger):
    """The management centre takes the incident out of automatic dispatch."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Trigger):
    """The management centre gives the incident back to automatic dispatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Trigger):
    """The management centre names who gets the incident."""

    person: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Trigger):
    """The handler gives the incident back."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Trigger):
    """The handler hands the incident to a peer."""

    person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate(Trigger):
    """The handler asks for the next level."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceEscalate(Trigger):
    """The management centre takes the incident to a level, 0: the next one."""

    reason: str
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport(Trigger):
    """The handler says how it goes. next_at: when more is to be expected."""

    text: str
    next_at: UnixSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pend(Trigger):
    """The handler waits for somebody else until a certain time."""

    reason: str
    until: UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Trigger):
    """The handler goes on."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Trigger):
    """The reporter says that it is not dealt with."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(Trigger):
    """The reporter says how content they are, from 1 (not at all) to 5."""

    score: int
    text: str = ""
