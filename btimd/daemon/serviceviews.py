"""All of a business in one place: puts together what the parts of btimd know of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from typing_extensions import override

from btimd.daemon.viewfigures import Observed, UserCount, figures_of
from btimd.daemon.viewstates import business_state, deepest_fault, group_views, indicator_state, layers_of
from btimd.flows.legs import slow_leg
from btimd.model.ports import FlowView, GraphView, IncidentDesk, NodeState, SlaBook, Subscription
from btimd.model.quality import QualityRow
from btimd.model.sla import Availability, SlaState
from btimd.model.units import UnixMillis
from btimd.model.view import (
    STATE_COLOURS,
    BusinessGroup,
    BusinessMetric,
    GroupView,
    IndicatorRule,
    RegionUse,
    ServiceView,
    ServiceViews,
)
from btimd.model.window import WindowRow
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.feed import Feed
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.store.kpis import BusinessMetrics

_INTERVAL_MILLISECONDS: Final = 60_000
_FRESH_MILLISECONDS: Final = 4 * _INTERVAL_MILLISECONDS
"""Rows that began longer ago are not of now."""
_REFRESH_SECONDS: Final = 5.0
_MOST_ROWS: Final = 200_000
_MOST_INCIDENTS: Final = 1000

UsersByBusiness = Mapping[str, Sequence[UserCount]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the views come from.

    users: counts of all businesses by region, None where no flows are seen; called in a thread. deviations: what is
    not as usual, as business and sentence. availability: what a business's key indicators say.
    """

    flows: FlowView
    graph: GraphView
    incidents: IncidentDesk
    sla: SlaBook
    users: Callable[[], UsersByBusiness | None]
    deviations: Callable[[], Sequence[tuple[str, str]]]
    availability: Callable[[str], Availability]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of all businesses at a moment, fetched once for all of them."""

    at: UnixMillis
    windows: Mapping[str, Sequence[WindowRow]]
    has_traffic: bool
    quality: Mapping[str, QualityRow]
    users: UsersByBusiness | None
    sla: Mapping[str, SlaState]
    nodes: Mapping[str, NodeState]
    incidents: Mapping[str, tuple[str, ...]]
    deviations: Mapping[str, tuple[str, ...]]


class ServiceViewDesk(Component, ServiceViews):
    """Puts views together on request, and every few seconds while somebody watches."""

    def __init__(
        self,
        sources: Sources,
        kpis: BusinessMetrics,
        clock: Clock,
        groups: Sequence[BusinessGroup] = (),
        indicators: Sequence[IndicatorRule] = (),
    ) -> None:
        self._sources = sources
        self._kpis = kpis
        self._clock = clock
        self._groups = tuple(groups)
        self._indicators = tuple(indicators)
        self._feed = Feed[str, ServiceView](10_000)
        self._asked = asyncio.Event()

    @property
    @override
    def name(self) -> str:
        return "views"

    @override
    async def start(self) -> None:
        """Take nothing."""

    @override
    async def run(self) -> None:
        """Look again every few seconds while somebody watches."""
        while True:
            await self._asked.wait()
            while self._feed.subscribers:
                await self.refresh()
                await asyncio.sleep(_REFRESH_SECONDS)
            self._asked.clear()

    @override
    async def stop(self) -> None:
        """Give nothing back."""

    @override
    def health(self) -> ComponentHealth:
        return ComponentHealth()

    def swap(self, groups: Sequence[BusinessGroup], indicators: Sequence[IndicatorRule]) -> None:
        """Go on with other groups and indicators."""
        self._groups, self._indicators = tuple(groups), tuple(indicators)

    async def refresh(self) -> None:
        """Look at all businesses and tell of those that changed."""
        for view in await self.views():
            before = self._feed.get(view.business)
            if before is None or replace(before, at=view.at) != view:
                self._feed.publish(view.business, view)

    @override
    async def view(self, business: str) -> ServiceView:
        if business not in self._sources.graph.graph().businesses:
            raise KeyError(business)
        return self._view(business, await self._look())

    @override
    async def views(self) -> Sequence[ServiceView]:
        known = await self._look()
        return [self._view(business, known) for business in self._sources.graph.graph().businesses]

    @override
    def groups(self, views: Sequence[ServiceView]) -> Sequence[GroupView]:
        return group_views(self._groups, {view.business: view.state for view in views})

    @override
    def watch(self) -> Subscription[ServiceView]:
        self._asked.set()
        return self._feed.subscribe()

    @override
    def push(self, metrics: Sequence[BusinessMetric]) -> None:
        self._kpis.push(metrics, self._sources.graph.graph().businesses)

    async def _look(self) -> _Known:
        sources, now = self._sources, wall_milliseconds(self._clock)
        users = await asyncio.to_thread(sources.users)
        open_incidents = await sources.incidents.incidents(only_open=True, business=None, limit=_MOST_INCIDENTS)
        windows = sources.flows.windows(interval_milliseconds=_INTERVAL_MILLISECONDS, business=None, limit=_MOST_ROWS)
        latest = max((row.interval_start_milliseconds for row in windows), default=0)
        fresh = now - latest <= _FRESH_MILLISECONDS
        rows: dict[str, list[WindowRow]] = {}
        for row in windows:
            if fresh and row.interval_start_milliseconds == latest:
                rows.setdefault(row.business, []).append(row)
        incidents: dict[str, tuple[str, ...]] = {}
        for incident in open_incidents:
            for business in incident.assessment.businesses:
                incidents[business] = (*incidents.get(business, ()), incident.id)
        deviations: dict[str, tuple[str, ...]] = {}
        for business, text in sources.deviations():
            deviations[business] = (*deviations.get(business, ()), text)
        return _Known(
            at=now,
            windows=rows,
            has_traffic=fresh,
            quality=self._quality(now),
            users=users,
            sla={state.target.business: state for state in sources.sla.states()},
            nodes={state.node: state for state in sources.graph.node_states()},
            incidents=incidents,
            deviations=deviations,
        )

    def _quality(self, now: UnixMillis) -> Mapping[str, QualityRow]:
        rows = self._sources.flows.quality(
            interval_milliseconds=_INTERVAL_MILLISECONDS,
            business=None,
            group_by=("business",),
            limit=_MOST_ROWS,
            from_milliseconds=now - _FRESH_MILLISECONDS,
        )
        latest: dict[str, QualityRow] = {}
        for row in rows:  # newest first
            latest.setdefault(row.business, row)
        return latest

    def _view(self, business: str, known: _Known) -> ServiceView:
        graph = self._sources.graph.graph()
        about = graph.businesses[business]
        layers = layers_of(graph, business, known.nodes)
        components = [node for layer in layers for node in layer.nodes]
        quality, windows = known.quality.get(business), self._windows(business, known)
        figures = figures_of(
            Observed(
                windows=windows,
                quality=quality,
                users=None if known.users is None else known.users.get(business, ()),
                sla=known.sla.get(business),
                metrics=self._kpis.latest(business),
                at=known.at,
                components_bad=sum(node.own_health == "bad" for node in components),
                deviations=len(known.deviations.get(business, ())),
                incidents=len(known.incidents.get(business, ())),
            )
        )
        values = {figure.name: figure.value for figure in figures}
        indicators = tuple(indicator_state(rule, values) for rule in self._indicators if rule.business == business)
        deviations = known.deviations.get(business, ())
        state, reasons = business_state(self._sources.availability(business), indicators, components, deviations)
        leg = slow_leg(quality) if quality is not None else None
        slow = f"{leg.name}: {leg.share:.0%} of a turn of {leg.turn_seconds * 1000:.0f} ms" if leg else ""
        colour, shape = STATE_COLOURS[state]
        return ServiceView(
            business=business,
            name=about.name,
            name_zh=about.name_zh,
            criticality=about.criticality,
            owner=about.owner,
            groups=tuple(group.id for group in self._groups if business in group.members),
            state=state,
            colour=colour,
            shape=shape,
            reasons=reasons,
            at=known.at / 1000,
            figures=figures,
            regions=_regions(windows, known.users.get(business, ()) if known.users is not None else ()),
            layers=layers,
            bottleneck=deepest_fault(graph, layers) or slow,
            indicators=indicators,
            deviations=deviations,
            incidents=known.incidents.get(business, ()),
            sla=known.sla.get(business),
        )

    @staticmethod
    def _windows(business: str, known: _Known) -> Sequence[WindowRow]:
        """Return the rows of the latest minute; a row of nothing where others had traffic and this one had none."""
        rows = known.windows.get(business, ())
        if rows or not known.has_traffic:
            return rows
        start = known.at // _INTERVAL_MILLISECONDS * _INTERVAL_MILLISECONDS
        return (WindowRow(start, _INTERVAL_MILLISECONDS, business, "", "", 0, 0, 0, 0, 0, True, False, 0),)  # noqa: FBT003  exact, not sampled


def _regions(windows: Sequence[WindowRow], users: Sequence[UserCount]) -> tuple[RegionUse, ...]:
    octets: dict[str, float] = {}
    for row in windows:
        total = row.octets_to_server + row.octets_to_client
        octets[row.region] = octets.get(row.region, 0.0) + total * 1000 / row.interval_milliseconds
    counts = {one.region: one for one in users}
    names = sorted(
        {name for name, rate in octets.items() if rate} | {one.region for one in users if one.active or one.idle},
        key=lambda name: (-octets.get(name, 0.0), name),
    )
    none = UserCount("", 0, 0)
    return tuple(
        RegionUse(name, counts.get(name, none).active, counts.get(name, none).idle, octets.get(name, 0.0))
        for name in names
    )
