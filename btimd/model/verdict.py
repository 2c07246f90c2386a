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


@dataclass(frozen=True, slots=True)
class Evidence:
    """One probe of a diagnosis in words: what was asked, why, what it told.

    gain_bits: the information that was expected of it. at: wall clock of the answer.
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


@dataclass(frozen=True, slots=True)
class Suspect:
    """A node and the probability that it is the cause."""

    node: str
    probability: Ratio


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of one diagnosis.

    cause: the node found, None where status is UNKNOWN. path: from the symptom's node to the cause along `needs`.
    ranked: best suspect first. seconds_taken: from the first symptom's `since` to the verdict.
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

    def __post_init__(self) -> None:
        """Refuse a path that does not lead from a symptom to the cause, and a confidence that is none."""
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is no probability")
        if self.path and (self.path[0] not in self.symptom_nodes or self.path[-1] != self.cause):
            raise ValueError(f"path {self.path} does not lead from {self.symptom_nodes} to {self.cause}")
