"""What goes into a search for causes and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How a search weighs and when it ends.

    max_faults: most faults in one hypothesis. confident: probability from which a node is taken to be at fault.
    shortlist_gain_bits: below this nothing is worth asking; settled_gain_bits: the same once all of the leading set are
    that probable and only stray bad answers are left. max_probes: how many may be asked. batch_share: a further
    question of a batch must still tell this share of what the first one does. cost_power: the worth of a question is
    its information divided by its cost to this power; 0 = cost does not matter.
    group_doubt: probability that what the model says of one group of questions about one fault is wrong altogether, so
    that any number of good answers of that group costs the fault at most this factor. group_shared: which part of the
    luck that a fault shows is drawn once for a group, 0 to 1. certain: something is at fault, since a diagnosis was
    begun. usual_faults: how many faults are usual at a time, whatever the size of the model.
    """

    max_faults: int = 4
    confident: float = 0.92
    shortlist_gain_bits: float = 0.02
    settled_gain_bits: float = 0.08
    max_probes: int = 100
    batch_share: float = 0.12
    cost_power: float = 0.5
    group_doubt: float = 0.02
    group_shared: float = 0.25
    certain: bool = True
    usual_faults: float = 0.8


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
    """What one answer says: log10 of how much likelier it is under the leading set than under another."""

    question: int
    outcome: int
    log10_ratio: float


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed after the answers so far.

    ranked: suspects, likeliest first. sets: the likeliest sets of nodes, best first, at most 20; the first is the
    leader. found: nodes that are more probably at fault than not, likeliest first. raw_confidence: probability that
    the first of the ranked is at fault; confidence: the same after calibration. found_confidence: that all found are at
    fault, calibrated; complete: that nothing else is (the probability of the set of them). unexplained: questions with
    a bad answer that the leading set does not explain.
    """

    ranked: tuple[Suspect, ...]
    sets: tuple[FaultSet, ...]
    found: tuple[int, ...]
    raw_confidence: float
    confidence: float
    raw_found_confidence: float
    found_confidence: float
    complete: float
    unexplained: tuple[int, ...]

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
