"""Search in the incidents that a desk returns, where there is no index of all that are kept."""

from collections import Counter
from collections.abc import Sequence

from typing_extensions import override

from btimd.model.incident import Incident
from btimd.model.incidentquery import (
    MOST_SEARCHED,
    IncidentCount,
    IncidentDimension,
    IncidentQuery,
    IncidentsCounted,
    IncidentSearch,
    IncidentsFound,
    value_of,
)
from btimd.model.ports import IncidentDesk


class DeskSearch(IncidentSearch):
    """Looks at every incident that the desk returns."""

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk

    @override
    async def find(self, query: IncidentQuery, limit: int) -> IncidentsFound:
        found, cut = await self._fitting(query)
        if query.by_work:
            ordered = sorted(found, key=lambda one: (one.priority, one.opened_at, one.id))
        else:
            ordered = sorted(found, key=lambda one: (one.opened_at, one.id), reverse=True)
        return IncidentsFound(tuple(ordered[:limit]), cut)

    @override
    async def count(self, query: IncidentQuery, group_by: Sequence[IncidentDimension], limit: int) -> IncidentsCounted:
        found, cut = await self._fitting(query)
        keys = [(tuple(value_of(one, dimension) for dimension in group_by), one.state.is_open) for one in found]
        totals, still_open = Counter(key for key, _ in keys), Counter(key for key, is_open in keys if is_open)
        ordered = sorted(totals, key=lambda key: (-totals[key], key))
        counts = tuple(IncidentCount(key, totals[key], still_open[key]) for key in ordered[:limit])
        return IncidentsCounted(counts, cut)

    async def _fitting(self, query: IncidentQuery) -> tuple[list[Incident], bool]:
        looked_at = await self._desk.incidents(only_open=query.by_work, business=None, limit=MOST_SEARCHED + 1)
        return [one for one in looked_at[:MOST_SEARCHED] if query.fits(one)], len(looked_at) > MOST_SEARCHED
