"""How well a person suits an order: five memberships between 0 and 1, and their weighted product.

A product and no sum, so that nothing can be bought: who is off duty or overloaded is not made up for by skill. Each
membership is computed from a few plain facts; the facts are kept with the decision, so it can be computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from types import MappingProxyType
from typing import Any, Final

from btimd.model.duty import Presence
from btimd.model.incident import Priority
from btimd.model.units import Ratio, Seconds

DUTY: Final[Mapping[Presence, Ratio]] = MappingProxyType(
    {Presence.ON_SHIFT: 1.0, Presence.BACKUP: 0.6, Presence.SOON: 0.15, Presence.OFF: 0.0}
)
LEAST_SCORE: Final = 0.05
"""Whose score is lower is not asked."""
PRIOR_ORDERS: Final = 6.0
"""How many orders a declared skill counts for; as many real ones weigh as much."""
UNDECLARED_SKILL: Final = 0.3
_LOAD_STEEPNESS: Final = 0.8
_IDLE_SECONDS: Final = 3600.0
_LEAST_FAIR: Final = 0.2
"""Somebody who was given an order a moment ago comes last, but is not out: else a burst would find nobody."""
_STRANGE: Final = 0.8
FACTORS: Final = ("duty", "skill", "load", "fair", "affinity")


@dataclass(frozen=True, slots=True)
class Weights:
    """Exponents of the memberships, 0 = does not matter."""

    duty: float
    skill: float
    load: float
    fair: float
    affinity: float


WEIGHTS: Final[Mapping[Priority, Weights]] = MappingProxyType(
    {
        Priority.P1: Weights(1.0, 1.6, 0.8, 0.1, 0.5),
        Priority.P2: Weights(1.0, 1.2, 1.0, 0.2, 0.5),
        Priority.P3: Weights(1.0, 0.8, 1.2, 0.4, 0.3),
        Priority.P4: Weights(1.0, 0.4, 1.3, 0.7, 0.2),
        Priority.P5: Weights(1.0, 0.4, 1.3, 0.7, 0.2),
    }
)
"""The graver it is the more skill counts, the milder the more fairness."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person is judged by. declared: skill, None = nothing said. good, bad: orders that ended so, faded.

    load, capacity: in orders of P3 with an hour of work. idle_seconds: since the last order, None = never had one.
    knows: dealt with the same cause in the last 90 days.
    """

    person: str
    presence: Presence
    declared: Ratio | None
    good: float
    bad: float
    load: float
    capacity: float
    idle_seconds: Seconds | None
    knows: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A person in the table of a decision: facts, memberships and score."""

    facts: Facts
    duty: Ratio
    skill: Ratio
    load: Ratio
    fair: Ratio
    affinity: Ratio
    score: Ratio

    @property
    def person(self) -> str:
        """The person's id."""
        return self.facts.person

    @property
    def rank(self) -> tuple[float, float, str]:
        """Sorts the best first: by score, then who is idle longest, then by id."""
        idle = self.facts.idle_seconds
        return -self.score, -idle if idle is not None else float("-inf"), self.person


def skill_of(declared: Ratio | None, good: float, bad: float) -> Ratio:
    """Return the mean of the Beta distribution: what is declared counts as PRIOR_ORDERS orders, each outcome as one."""
    prior = UNDECLARED_SKILL if declared is None else declared
    return (prior * PRIOR_ORDERS + good) / (PRIOR_ORDERS + good + bad)


def load_of(load: float, capacity: float) -> Ratio:
    """Return how free somebody is: a half at capacity, falling steeply around it."""
    return 1.0 / (1.0 + exp(min((load - capacity) / _LOAD_STEEPNESS, 500.0)))


def fair_of(idle_seconds: Seconds | None) -> Ratio:
    """Return how much somebody is due for an order."""
    return 1.0 if idle_seconds is None else max(1.0 - exp(-max(idle_seconds, 0.0) / _IDLE_SECONDS), _LEAST_FAIR)


def judge(facts: Facts, weights: Weights) -> Row:
    """Return a person's row of the table."""
    duty = DUTY[facts.presence]
    skill = skill_of(facts.declared, facts.good, facts.bad)
    load = load_of(facts.load, facts.capacity)
    fair = fair_of(facts.idle_seconds)
    affinity = 1.0 if facts.knows else _STRANGE
    if duty <= 0.0:  # whatever the weights: 0 to the power of 0 is 1
        score = 0.0
    else:
        score = (
            duty**weights.duty
            * skill**weights.skill
            * load**weights.load
            * fair**weights.fair
            * affinity**weights.affinity
        )
    return Row(facts, duty, skill, load, fair, affinity, score)


def best(rows: Sequence[Row]) -> Row | None:
    """Return the row of whom to ask, None where nobody suits."""
    row = min(rows, key=lambda one: one.rank, default=None)
    return row if row is not None and row.score >= LEAST_SCORE else None


def row_document(row: Row) -> dict[str, Any]:
    """Return a row as JSON values."""
    facts = row.facts
    return {
        "person": facts.person,
        "presence": facts.presence.value,
        "declared": facts.declared,
        "good": facts.good,
        "bad": facts.bad,
        "open_load": facts.load,
        "capacity": facts.capacity,
        "idle_seconds": facts.idle_seconds,
        "knows": facts.knows,
        "duty": row.duty,
        "skill": row.skill,
        "load": row.load,
        "fair": row.fair,
        "affinity": row.affinity,
        "score": row.score,
    }


def row_from(document: Mapping[str, Any]) -> Row:
    """Return what row_document wrote."""
    facts = Facts(
        person=document["person"],
        presence=Presence(document["presence"]),
        declared=document["declared"],
        good=document["good"],
        bad=document["bad"],
        load=document["open_load"],
        capacity=document["capacity"],
        idle_seconds=document["idle_seconds"],
        knows=document["knows"],
    )
    duty, skill, load, fair, affinity = (document[factor] for factor in FACTORS)
    return Row(facts, duty, skill, load, fair, affinity, document["score"])
