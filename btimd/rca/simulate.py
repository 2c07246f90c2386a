"""Runs a way of looking for causes over incidents whose truth is known, and counts what it asked.

A policy sees which indicators are bad (all others are good) and which nodes were changed; the outcome of a probe it
learns only by asking for it. The runner counts probes, rounds and computing time, so a policy cannot flatter itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from btimd.rca.world import Incident, IntArray, World

Outcomes = npt.NDArray[np.int8]
Ask = Callable[[Sequence[int] | IntArray], Outcomes]
"""Takes rows of probes, returns int8 per row: GOOD, BAD or UNKNOWN. One call is one round."""

GOOD: Final = 0
BAD: Final = 1
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """Limits of every policy.

    max_probes: how many probes an incident may take; `everything` alone does not keep to it. batch: probes asked
    together in one round. confidence: probability from which a set of causes is a finding.
    """

    max_probes: int = 40
    batch: int = 6
    confidence: float = 0.92


@dataclass(frozen=True, slots=True)
class Case:
    """What a policy is told. symptoms: int32, bad indicators. changes: int32, nodes changed a short time before."""

    symptoms: IntArray
    changes: IntArray


@dataclass(frozen=True, slots=True)
class Answer:
    """What a policy says. ranked: nodes, best first. found: the nodes it holds to be the causes.

    confidence: 0..1, that `found` is right and complete. sure: that the first of the ranked is at fault, 0..1.
    """

    ranked: tuple[int, ...]
    found: tuple[int, ...]
    confidence: float
    sure: float


class Policy(Protocol):
    """A way of looking for causes in one world."""

    def run(self, case: Case, ask: Ask) -> Answer:
        """Look for the causes of one incident."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """An incident, what was answered, and what it took.

    probes: rows in the order of asking. step_seconds: computing time before each round and before the answer.
    """

    incident: Incident
    answer: Answer
    probes: tuple[int, ...]
    rounds: int
    step_seconds: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Computing time of the whole incident."""
        return sum(self.step_seconds)


@dataclass(slots=True)
class _Bench:
    """Answers the questions of a policy and takes down what they cost."""

    outcomes: Outcomes
    clock: Callable[[], float]
    began: float
    asked: dict[int, None] = field(default_factory=dict)
    rounds: int = 0
    steps: list[float] = field(default_factory=list)

    def ask(self, probes: Sequence[int] | IntArray) -> Outcomes:
        """Return the outcomes of one round."""
        self.end_step()
        rows = np.asarray(probes, np.int64)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(self.outcomes):
            raise ValueError(f"no such probe among {rows.tolist()[:5]}")
        self.asked.update(dict.fromkeys(rows.tolist()))
        self.rounds += len(rows) > 0
        found = self.outcomes[rows]
        self.began = self.clock()
        return found

    def end_step(self) -> None:
        """Take down the time since the last answer."""
        self.steps.append(self.clock() - self.began)


def outcomes_of(incident: Incident, probes: int) -> Outcomes:
    """Return the outcome of every probe: int8[probes]."""
    outcomes = np.zeros(probes, np.int8)
    outcomes[incident.bad] = BAD
    outcomes[incident.unknown] = UNKNOWN
    return outcomes


def simulate(
    world: World, policy: Policy, incidents: Iterable[Incident], *, clock: Callable[[], float]
) -> Iterator[Run]:
    """Yield a run per incident. clock: seconds of computing time (of the process, not of the wall)."""
    nothing = np.empty(0, np.int32)
    for incident in incidents:
        bench = _Bench(outcomes_of(incident, len(world.probes)), clock, 0.0)
        changes = nothing if incident.changes is None else incident.changes
        bench.began = clock()
        answer = policy.run(Case(incident.symptoms, changes), bench.ask)
        bench.end_step()
        yield Run(incident, answer, tuple(bench.asked), bench.rounds, tuple(bench.steps))
