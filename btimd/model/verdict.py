"""Verdict: what a diagnosis found, with its evidence."""

from dataclasses import dataclass
from enum import StrEnum

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import Ratio, Seconds, UnixSeconds


class VerdictStatus(StrEnum):
    """How a diagnosis ended."""

    CAUSE_FOUND = "cause-found"
    SHORTLIST = "shortlist"
    UNKNOWN = "unknown"
    NOT_CONFIRMED = "not-confirmed"
    """Probes fail, and users are served all the same: a fault of the probes' own way, no incident."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One probe of a diagnosis in words: what was asked, why, what it told.

    gain_bits: the information that was expected of it. at: wall clock of the answer. log10_ratio: how much it speaks
    for the cause against the runner-up: above 0 for, below against, 0 for neither.
    """

    check_id: str
    node: str
    health: Health
    error: ErrorClass
    detail: str
    why: str
    gain_bits: float
    cost: float
    at: UnixSeconds
    log10_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class NotAsked:
    """What a diagnosis did not look at, and why. check_id: empty where the node has no check of its own."""

    node: str
    check_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A node and the probability that it is the cause."""

    node: str
    probability: Ratio


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of one diagnosis.

    cause: the node found, None where status is UNKNOWN. path: from the symptom's node to the cause along `needs`.
    ranked: best suspect first. causes: all that were found together with this one, itself among them; each has a
    verdict of its own. not_asked: what was left out, the likeliest first. seconds_taken: from the first symptom's
    `since` to the verdict.
    """

    id: str
    symptoms: tuple[str, ...]
    symptom_nodes: tuple[str, ...]
    status: VerdictStatus
    cause: str | None
    cause_error: ErrorClass
    path: tuple[str, ...]
    confidence: Ratio
    ranked: tuple[Suspect, ...]
    evidence: tuple[Evidence, ...]
    businesses: tuple[str, ...]
    probes_used: int
    started_at: UnixSeconds
    ended_at: UnixSeconds
    seconds_taken: Seconds
    summary: str
    causes: tuple[str, ...] = ()
    not_asked: tuple[NotAsked, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a path that does not lead from a symptom to the cause, and a confidence that is none."""
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is no probability")
        if self.path and (self.path[0] not in self.symptom_nodes or self.path[-1] != self.cause):
            raise ValueError(f"path {self.path} does not lead from {self.symptom_nodes} to {self.cause}")
