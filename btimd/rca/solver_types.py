"""What goes into a search for causes and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How a search weighs and when it ends.

    max_faults: most faults in one hypothesis. confident: probability from which the leading set is a finding.
    shortlist_gain_bits: below this nothing is worth asking. max_probes: how many may be asked.
    group_doubt: probability that what the model says of one group of questions about one fault is wrong altogether, so
    that any number of good answers of that group costs the fault at most this factor. cost_power: the worth of a
    question is its information divided by its cost to this power; 0 = cost does not matter.
    """

    max_faults: int = 4
    confident: float = 0.92
    shortlist_gain_bits: float = 0.03
    max_probes: int = 100
    group_doubt: float = 0.02
    cost_power: float = 0.5


class Ending(StrEnum):
    """How a search would end now."""

    OPEN = "open"
    FOUND = "found"
    UNKNOWN_NEAR = "unknown-near"
    SHORTLIST = "shortlist"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A node with the probability that it is at fault, and the part of it that the model has no fault for.

    probability: that the node is at fault itself. unmodelled: that it suffers from something the model does not hold.
    rank_weight: what the ranking goes by.
    """

    node: int
    probability: float
    unmodelled: float
    rank_weight: float


@dataclass(frozen=True, slots=True)
class FaultSet:
    """Some nodes that are at fault together, ascending, and how probable it is that they are all of it.

    unmodelled: those of the nodes that only suffer from something that the model does not hold.
    """

    nodes: tuple[int, ...]
    unmodelled: tuple[int, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Reason:
    """What one answer says: log10 of how much likelier it is under the leader than under the runner-up."""

    question: int
    outcome: int
    log10_ratio: float


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed after the answers so far.

    ranked: suspects, likeliest first. sets: the likeliest sets of nodes at fault, best first, at most 20; the first is
    the leader. raw_confidence: probability that the first of the ranked is at fault; confidence: the same after
    calibration. set_confidence: that the leading set is complete and right, calibrated. unexplained: questions with a
    bad answer that the leading set does not explain. reasons: per answer, in the order of observing.
    """

    ranked: tuple[Suspect, ...]
    sets: tuple[FaultSet, ...]
    raw_confidence: float
    confidence: float
    set_confidence: float
    unexplained: tuple[int, ...]
    reasons: tuple[Reason, ...]

    @property
    def leader(self) -> FaultSet:
        """The likeliest set; no nodes where nothing is suspected."""
        return self.sets[0] if self.sets else FaultSet((), (), 1.0)


@dataclass(frozen=True, slots=True)
class Pick:
    """A question to ask: what it is expected to tell, and why.

    gain_bits: expected information about the sets, given the picks before it. p_bad: how probable a bad answer is.
    suspects: how many nodes are still suspected. splits: the suspects it tells apart most, as nodes: those that would
    make it bad. confirms: the node whose own check it is, where it was chosen to confirm, else -1.
    """

    question: int
    gain_bits: float
    p_bad: float
    suspects: int
    splits: tuple[int, ...] = ()
    confirms: int = -1
