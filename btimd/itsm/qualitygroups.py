"""Which incidents figures are made of, and the groups that they fall into."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from btimd.itsm.quality import Hours, figures
from btimd.itsm.surveys import survey_figures
from btimd.model.knowledge import Survey
from btimd.model.qualityview import FigureGroup, FigureQuery, GroupFigures
from btimd.model.workfigures import IncidentFacts, WorkFigures

GROUP_LIMIT: Final = 500
_UNKNOWN: Final = ("",)


def _persons(incident: IncidentFacts) -> tuple[str, ...]:
    names = dict.fromkeys((*(order.person for order in incident.orders), incident.handler))
    return tuple(name for name in names if name)


NAMES_OF: Final[Mapping[FigureGroup, Callable[[IncidentFacts], tuple[str, ...]]]] = MappingProxyType({
    FigureGroup.BUSINESS: lambda one: one.services,
    FigureGroup.GROUP: lambda one: (one.group,) if one.group else (),
    FigureGroup.PERSON: _persons,
    FigureGroup.CLASS: lambda one: (one.category,) if one.category else (),
    FigureGroup.NODE: lambda one: (one.node,) if one.node else (),
    FigureGroup.PRIORITY: lambda one: (f"P{int(one.priority)}",),
})  # fmt: skip
"""The groups of an incident; none: that is not known of it. PERSON: who got an order for it or had it at the end."""


def fits(incident: IncidentFacts, query: FigureQuery) -> bool:
    """Tell whether an incident passes every filter."""
    wanted = (
        (query.business, FigureGroup.BUSINESS),
        (query.group, FigureGroup.GROUP),
        (query.person, FigureGroup.PERSON),
        (query.category, FigureGroup.CLASS),
        (query.node, FigureGroup.NODE),
    )
    return all(not name or name in NAMES_OF[by](incident) for name, by in wanted)


def grouped(incidents: Iterable[IncidentFacts], by: FigureGroup) -> Mapping[str, Sequence[IncidentFacts]]:
    """Return incidents by group; "" has those of which the group is not known."""
    found: defaultdict[str, list[IncidentFacts]] = defaultdict(list)
    for one in incidents:
        for name in dict.fromkeys(NAMES_OF[by](one) or _UNKNOWN):
            found[name].append(one)
    return found


def work_figures(
    incidents: Sequence[IncidentFacts], query: FigureQuery, surveys: Iterable[Survey], hours: Hours
) -> WorkFigures:
    """Return the figures of some incidents; of the surveys those count that are about them."""
    known = {one.id for one in incidents}
    asked = survey_figures((one for one in surveys if one.id in known), query.start, query.end)
    return figures(incidents, query.start, query.end, hours=hours, surveys=asked)


def group_figures(
    incidents: Sequence[IncidentFacts],
    query: FigureQuery,
    surveys: Sequence[Survey],
    hours: Hours,
    by: FigureGroup,
) -> Sequence[GroupFigures]:
    """Return the figures of each group that anything happened to, most opened incidents first."""
    rows = [
        GroupFigures(name, work_figures(members, query, surveys, hours))
        for name, members in grouped(incidents, by).items()
    ]
    lively = [
        row
        for row in rows
        if row.figures.opened or row.figures.resolved or row.figures.closed or row.figures.orders
        or row.figures.cancelled or row.figures.merged or row.figures.waiting_resolution.count
    ]  # fmt: skip
    return sorted(lively, key=lambda row: (-row.figures.opened, -row.figures.resolved, row.name))[:GROUP_LIMIT]
