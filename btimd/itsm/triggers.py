"""Triggers: everything that can happen to an incident, as data handed to itsm.lifecycle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from btimd.model.incident import Impact, ImpactAssessment, Incident, Priority, Urgency
from btimd.model.units import Ratio, UnixSeconds

SYSTEM: Final = "btimd"
"""The actor of what no person did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Something happens. actor: who did it. command_id: set where a person did, so that a repeat is recognised.

    notes: what the timeline shall say beyond the changed fields; see itsm.replay for the names.
    """

    actor: str = SYSTEM
    command_id: str = ""
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProblem(Trigger):
    """Somebody or something says that there is a problem. incident_id: the id to give if it makes a new incident.

    covers_all: the report speaks of everything known to be hit, so that a milder judgement may replace a worse one.
    priority: set by the person who reports; None: the matrix decides.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportClear(Trigger):
    """Symptoms are gone; `remaining` of the same incident are still there. reason: how that is known."""

    remaining: int
    reason: str = "the checks that saw it are good again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe(Trigger):
    """Something was seen that may help whoever works on it: what packets of a business in trouble showed."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenTimeOver(Trigger):
    """The time in which a resolved incident would be reopened has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Trigger):
    """A person takes the incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Trigger):
    """A person has dealt with it. override_reason: why although the signal is still active."""

    closing_report: str
    override_reason: str = ""


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
