"""Who a cause hits, and how badly: impact and urgency of an incident (ITIL), from verdict, graph and users on line.

Impact is how much of the enterprise is hit: the criticality of the businesses or the share of users, whichever is
worse. Urgency is how fast it hurts: down or merely slow, weighed with criticality. Difficulty is how much searching is
left for people: none where the cause is known, the more the less sure it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from btimd.model.incident import Difficulty, Impact, ImpactAssessment, Urgency
from btimd.model.outage import UsersByRegion
from btimd.model.probe import ErrorClass
from btimd.model.service import Criticality, ServiceGraph
from btimd.model.verdict import Verdict, VerdictStatus

HIGH_SHARE: Final = 0.5
MEDIUM_SHARE: Final = 0.1
MANY_BUSINESSES: Final = 3
SURE: Final = 0.9
LIKELY: Final = 0.5

_BY_CRITICALITY: Final[Mapping[Criticality, Impact]] = {
    Criticality.CRITICAL: Impact.HIGH,
    Criticality.HIGH: Impact.MEDIUM,
    Criticality.NORMAL: Impact.LOW,
    Criticality.LOW: Impact.LOW,
}
_PRESSING: Final = frozenset({Criticality.CRITICAL, Criticality.HIGH})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an incident is weighed by; `reasons` say in words which rule spoke."""

    assessment: ImpactAssessment
    impact: Impact
    urgency: Urgency
    reasons: tuple[str, ...]
    difficulty: Difficulty = Difficulty.LOW


def assess(verdict: Verdict, graph: ServiceGraph, users: UsersByRegion, *, users_exact: bool = True) -> Judgement:
    """Return who is hit by a verdict's cause, with impact, urgency and difficulty.

    users: on line when it began, of all businesses, so that the share can be told; a business that is missing is not
    measured. A person may use several businesses, so over more than one business the number is a lower bound: per
    region the largest.
    """
    hit = [name for name in verdict.businesses if name in graph.businesses]
    count, regions = _users(hit, users)
    exact = users_exact and len(hit) <= 1 and count is not None
    total, _ = _users(list(users), users)
    share = count / total if count is not None and total else None
    impact, because = _impact(hit, graph, share)
    urgency, pressing = _urgency(verdict, hit, graph)
    return Judgement(
        ImpactAssessment(businesses=tuple(hit), regions=regions, users=count, users_exact=exact),
        impact,
        urgency,
        (because, pressing),
        difficulty_of(verdict),
    )


def difficulty_of(verdict: Verdict, *, solved_before: bool = False) -> Difficulty:
    """Return how much is left to be found out. solved_before: the same cause was dealt with, and how is on record."""
    found = Difficulty.HIGH
    if verdict.status is VerdictStatus.CAUSE_FOUND and verdict.confidence >= SURE:
        found = Difficulty.LOW
    elif verdict.status is not VerdictStatus.UNKNOWN and verdict.confidence >= LIKELY:
        found = Difficulty.MEDIUM
    return Difficulty(min(found + 1, Difficulty.LOW)) if solved_before else found


def _users(businesses: list[str], users: UsersByRegion) -> tuple[int | None, tuple[str, ...]]:
    measured = [users[name] for name in businesses if name in users]
    if not measured:
        return None, ()
    by_region: dict[str, int] = {}
    for regions in measured:
        for region, number in regions.items():
            by_region[region] = max(by_region.get(region, 0), number)
    named = sorted(region for region, number in by_region.items() if region and number)
    return sum(by_region.values()), tuple(named)


def _impact(hit: list[str], graph: ServiceGraph, share: float | None) -> tuple[Impact, str]:
    found = [(Impact.LOW, "no business is known to be hit")] if not hit else []
    for name in hit:
        criticality = graph.businesses[name].criticality
        found.append((_BY_CRITICALITY[criticality], f"{graph.businesses[name].name} is of {criticality} criticality"))
    if len(hit) >= MANY_BUSINESSES:
        found.append((Impact.HIGH, f"{len(hit)} businesses are hit"))
    if share is not None and share >= MEDIUM_SHARE and hit:
        found.append((Impact.HIGH if share >= HIGH_SHARE else Impact.MEDIUM, f"{share:.0%} of the users are hit"))
    return min(found, key=lambda one: one[0])


def _urgency(verdict: Verdict, hit: list[str], graph: ServiceGraph) -> tuple[Urgency, str]:
    down = [name for name in hit if name in verdict.symptom_nodes]
    pressing = [name for name in hit if graph.businesses[name].criticality in _PRESSING]
    mild = {ErrorClass.SLOW: "slow, not down", ErrorClass.UNUSUAL: "not used as usual, not down"}.get(
        verdict.cause_error
    )
    if not down:
        level = Urgency.MEDIUM if pressing else Urgency.LOW
        return level, "no business fails yet"
    if mild is not None:
        return (Urgency.MEDIUM if pressing else Urgency.LOW), mild
    if pressing:
        return Urgency.HIGH, f"{graph.businesses[pressing[0]].name} is down"
    lowest = all(graph.businesses[name].criticality is Criticality.LOW for name in hit)
    return (Urgency.LOW if lowest else Urgency.MEDIUM), f"{graph.businesses[down[0]].name} is down"
