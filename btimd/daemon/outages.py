"""What an outage would do and what to bring back first, from what the parts of btimd know at this moment."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.outage import OpenCause, OutageImpact, OutageView, RestoringOrder, UsersByRegion
from btimd.model.service import ServiceGraph
from btimd.model.sla import SlaState
from btimd.model.verdict import Verdict
from btimd.rca.graph import GraphIndex
from btimd.rca.outage import simulate
from btimd.rca.restoring import restoring_order
from btimd.runtime.clock import Clock

_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class OutageSources:
    """Where the figures come from; all but users are asked on the loop.

    users: on line now, by business and region, {} where nobody counts them; called in a thread. open_verdicts: those
    whose trouble is not over. incident_of: the incident of a verdict, "" where it has none.
    """

    graph: Callable[[], ServiceGraph]
    users: Callable[[], UsersByRegion]
    sla: Callable[[], Iterable[SlaState]]
    open_verdicts: Callable[[], Sequence[Verdict]]
    incident_of: Callable[[str], str] = lambda _verdict: ""


class OutageDesk(OutageView):
    """Answers for outages and restoring orders. Work over a large graph is done in a thread, beside the loop."""

    def __init__(self, sources: OutageSources, clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._index: GraphIndex | None = None
        self._before: dict[str, UsersByRegion] = {}

    def began(self, verdict: Verdict, users: UsersByRegion) -> None:
        """Remember who was on line when the trouble of a verdict was found: those that it takes away are gone later."""
        self._before.setdefault(verdict.id, users)
        while len(self._before) > _MOST_REMEMBERED:
            del self._before[next(iter(self._before))]

    @override
    async def simulate(self, nodes: Sequence[str]) -> OutageImpact:
        index, already = self._graph(), [cause.node for cause in self._causes()]
        sla = {state.target.business: state for state in self._sources.sla()}
        now = self._clock.wall()

        def work() -> OutageImpact:
            return simulate(index, nodes, already=already, users=self._sources.users(), sla=sla, now=now)

        return await asyncio.to_thread(work)

    @override
    async def restoring_order(self) -> RestoringOrder:
        index, causes, now = self._graph(), self._causes(), self._clock.wall()
        before = [self._before[cause.verdict_id] for cause in causes if cause.verdict_id in self._before]

        def work() -> RestoringOrder:
            return restoring_order(index, causes, most_users([self._sources.users(), *before]), now)

        return await asyncio.to_thread(work)

    def _graph(self) -> GraphIndex:
        graph = self._sources.graph()
        if self._index is None or self._index.graph is not graph:
            self._index = GraphIndex(graph)
        return self._index

    def _causes(self) -> list[OpenCause]:
        verdicts = self._sources.open_verdicts()
        kept = {verdict.id for verdict in verdicts}
        self._before = {verdict: users for verdict, users in self._before.items() if verdict in kept}
        return [
            OpenCause(verdict.cause, verdict.id, verdict.confidence, self._sources.incident_of(verdict.id))
            for verdict in verdicts
            if verdict.cause is not None
        ]


def most_users(counts: Iterable[UsersByRegion]) -> UsersByRegion:
    """Return of several counts the largest number of each business and region."""
    found: dict[str, dict[str, int]] = {}
    for count in counts:
        for business, regions in count.items():
            known = found.setdefault(business, {})
            for region, number in regions.items():
                known[region] = max(known.get(region, 0), number)
    return {business: dict(regions) for business, regions in found.items()}
