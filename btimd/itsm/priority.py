"""Priority: how impact and urgency make an order of work, and when it may change (ITIL incident management)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from btimd.model.incident import Impact, ImpactAssessment, Incident, IncidentState, Priority, Urgency
from btimd.model.service import Criticality

Matrix = Mapping[tuple[Impact, Urgency], Priority]


def matrix_of(rows: tuple[tuple[int, int, int], ...]) -> Matrix:
    """Return the matrix written as three rows (impact 1 to 3) of three priorities (urgency 1 to 3).

    Raises ValueError where a row is missing, a number is no priority, or a worse case would get a later turn.
    """
    if len(rows) != len(Impact) or any(len(row) != len(Urgency) for row in rows):
        raise ValueError("a priority matrix has three rows (impact 1, 2, 3) of three priorities (urgency 1, 2, 3)")
    if any(number not in list(Priority) for row in rows for number in row):
        raise ValueError(f"a priority is a number from 1 to {len(Priority)}")
    for worse, better in pairwise(rows):
        if any(high > low for high, low in zip(worse, better, strict=True)):
            raise ValueError(f"the row {better} puts a smaller impact before {worse}")
    if any(list(row) != sorted(row) for row in rows):
        raise ValueError("a row puts a lower urgency before a higher one")
    return MappingProxyType(
        {(impact, urgency): Priority(rows[impact - 1][urgency - 1]) for impact in Impact for urgency in Urgency}
    )


ITIL_MATRIX: Final = matrix_of(((1, 2, 3), (2, 3, 4), (3, 4, 5)))
"""The 3 x 3 matrix of the books."""

_BY_CRITICALITY: Final = {
    Criticality.CRITICAL: Impact.HIGH,
    Criticality.HIGH: Impact.MEDIUM,
    Criticality.NORMAL: Impact.LOW,
    Criticality.LOW: Impact.LOW,
}


@dataclass(frozen=True, slots=True)
class ImpactLimits:
    """From how many users, regions and businesses on an incident is no longer small."""

    users_medium: int = 20
    users_high: int = 200
    regions_high: int = 3
    businesses_high: int = 3


def impact_of(assessment: ImpactAssessment, criticality: Callable[[str], Criticality], limits: ImpactLimits) -> Impact:
    """Return the worst of: the criticality of the businesses hit, users, regions and number of businesses hit.

    A number of users that is not known says nothing, it does not say that nobody is hit.
    """
    found = [Impact.LOW, *(_BY_CRITICALITY[criticality(business)] for business in assessment.businesses)]
    users = assessment.users or 0
    if users >= limits.users_high:
        found.append(Impact.HIGH)
    elif users >= limits.users_medium:
        found.append(Impact.MEDIUM)
    if len(assessment.regions) >= limits.regions_high or len(assessment.businesses) >= limits.businesses_high:
        found.append(Impact.HIGH)
    return min(found)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an incident is judged to be."""

    impact: Impact
    urgency: Urgency
    priority: Priority


def judge_new(impact: Impact, urgency: Urgency, matrix: Matrix) -> Judgement:
    """Judge an incident that was just reported."""
    return Judgement(impact, urgency, matrix[impact, urgency])


def judge_again(incident: Incident, impact: Impact, urgency: Urgency, *, covers_all: bool, matrix: Matrix) -> Judgement:
    """Judge an incident by a further report.

    It rises at once, in any state. It sinks only while it is NEW, and only by a report that covers everything known
    to be hit (covers_all): a report on one business says nothing about another. A priority set by a person stays.
    """
    may_sink = covers_all and incident.state in {IncidentState.NEW, IncidentState.RESOLVED}
    if not may_sink:
        impact = min(impact, incident.impact)
        urgency = min(urgency, incident.urgency)
    priority = matrix[impact, urgency]
    if incident.priority_is_manual:
        priority = incident.priority
    elif not may_sink:
        priority = min(priority, incident.priority)
    return Judgement(impact, urgency, priority)
