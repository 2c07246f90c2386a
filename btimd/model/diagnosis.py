"""DiagnosisStory: a kept diagnosis, told step by step, with the part of the graph that it went through."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind, NodeKind
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio, Seconds, UnixSeconds
from btimd.model.verdict import Suspect, Verdict, VerdictStatus


class NodePart(StrEnum):
    """What part a node played in a diagnosis; of several that apply the first in this order."""

    CAUSE = "cause"
    SYMPTOM = "symptom"
    """Where the trouble was felt."""
    PATH = "path"
    """Between a symptom and the cause."""
    AFFECTED = "affected"
    """A check of it was bad, and the cause explains that."""
    SUSPECT = "suspect"
    """It could still be, or add to, the cause."""
    CLEARED = "cleared"
    """Its checks were good."""
    UNSEEN = "unseen"
    """Nobody looked at it."""


class FactKind(StrEnum):
    """What was known before anything was asked, beside answers of checks."""

    SIGN = "sign"
    """Something seen or told without asking: users' traffic, logs, traps."""
    CHANGE = "change"
    """Something was changed on the node."""
    EARLIER = "earlier"
    """The node was the cause of something lately."""


@dataclass(frozen=True, slots=True)
class DiagnosisEntry:
    """One line of the list of kept diagnoses.

    complete: it can be made again. model: tells one dependency model from another. program: version that made it.
    """

    id: str
    started_at: UnixSeconds
    ended_at: UnixSeconds
    status: VerdictStatus
    cause: str | None
    businesses: tuple[str, ...]
    confidence: Ratio
    seconds_taken: Seconds
    probes_used: int
    complete: bool
    model: str
    program: str


@dataclass(frozen=True, slots=True)
class KnownFact:
    """Something that was known without asking. health: of a sign, else UNKNOWN. text: as it was told."""

    kind: FactKind
    node: str
    health: Health
    text: str
    at: UnixSeconds


@dataclass(frozen=True, slots=True)
class DiagnosisStep:
    """One answer, in the order in which answers came.

    batch: what was asked at the same moment has the same number, from 1; 0 = known already, nobody was asked.
    asked_at: None where it is not on record. kind: None where the check is no longer in the model. gain_bits: the
    information that was expected. log10_ratio: how much it speaks for the cause against the runner-up, in powers of
    ten. suspects: the likeliest after it, best first; empty where it is not on record.
    """

    batch: int
    asked_at: UnixSeconds | None
    answered_at: UnixSeconds
    check_id: str
    node: str
    kind: CheckKind | None
    why: str
    gain_bits: float
    cost: float
    health: Health
    error: ErrorClass
    detail: str
    log10_ratio: float
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class StoryNode:
    """A node of the picture. good, bad, unanswered: what its own checks said in this diagnosis."""

    id: str
    kind: NodeKind
    name: str
    name_zh: str
    part: NodePart
    probability: Ratio
    good: int
    bad: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class StoryEdge:
    """`node` needs `need`. on_path: it lies between a symptom and the cause."""

    node: str
    need: str
    on_path: bool


@dataclass(frozen=True, slots=True)
class DiagnosisStory:
    """A kept diagnosis with everything that people ask about it.

    suspects: before anything was asked. nodes, edges: the part of the graph that mattered; left_out: nodes that
    mattered too and did not fit. differences: how the verdict differs when it is made again now, in words; empty where
    it is the same, or where it cannot be made again (complete is False).
    """

    verdict: Verdict
    symptoms: tuple[Symptom, ...]
    known: tuple[KnownFact, ...]
    suspects: tuple[Suspect, ...]
    steps: tuple[DiagnosisStep, ...]
    nodes: tuple[StoryNode, ...]
    edges: tuple[StoryEdge, ...]
    left_out: int
    complete: bool
    model: str
    program: str
    differences: tuple[str, ...]

    def name(self, node: str) -> str:
        """Return how people call a node of the picture; its id where it is not in it."""
        return next((one.name for one in self.nodes if one.id == node and one.name), node)


class DiagnosisView(Protocol):
    """Kept diagnoses, for the API."""

    def diagnoses(self, limit: int) -> Sequence[DiagnosisEntry]:
        """Return the kept ones, newest first."""
        ...

    async def diagnosis(self, diagnosis_id: str) -> DiagnosisStory:
        """Return the story of one; raises KeyError for an unknown one, ValueError for one that cannot be read."""
        ...

    async def export(self, diagnosis_id: str) -> bytes:
        """Return the file of one; raises KeyError for an unknown one, ValueError for one that cannot be read."""
        ...
