"""Lets the service graph in force grow by what the network and its traffic tell, and tells what it grew by."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.flows.growthsigns import signs_of_calls, signs_of_links, signs_of_regions
from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.plan import PlanEntry
from btimd.model.address import Prefix
from btimd.model.discovery import DiscoveryUnavailableError, ModelComparison
from btimd.model.growth import FoundNeed, GrownNeed, GrowthView
from btimd.model.ports import Journal
from btimd.model.service import Provenance, ServiceGraph, ServiceRule
from btimd.model.topology import TopologyView
from btimd.model.units import MonotonicSeconds
from btimd.rca.growth import Growth, GrowthOptions
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log

_MOST: Final = 100_000
_CALLS_EVERY_SECONDS: Final = 3600.0
_SAVED_EVERY_SECONDS: Final = 3600.0
"""So often what is known already is written down again; what is new is written down at once."""
_STATE_NAME: Final = "found-needs"
_DOCUMENT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class GrowthSources:
    """Where signs come from. compare: declared needs against traffic, of the declared graph, never the grown one."""

    declared: Callable[[], ServiceGraph]
    rules: Callable[[], Sequence[ServiceRule]]
    plan: Callable[[], Sequence[PlanEntry]]
    topology: TopologyView
    compare: Callable[[], Awaitable[ModelComparison]]


class GrowthDesk(GrowthView):
    """Looks again when it is told to; every method is called on the loop.

    on_graph is told of a graph that differs from the one before: other declared needs, or other found ones in force.
    What was found is kept in the journal: the first look begins with it, so that a need fades by its own time.
    """

    def __init__(
        self,
        sources: GrowthSources,
        options: GrowthOptions,
        on_graph: Callable[[ServiceGraph], None],
        journal: Journal,
        clock: Clock,
        log: Log,
    ) -> None:
        self._sources = sources
        self._growth = Growth(options)
        self._on_graph = on_graph
        self._journal = journal
        self._clock = clock
        self._log = log
        self._needs: tuple[GrownNeed, ...] = ()
        self._told: tuple[ServiceGraph, frozenset[tuple[str, str]]] = (sources.declared(), frozenset())
        self._calls_at: MonotonicSeconds | None = None
        self._restored = False
        self._saved: frozenset[tuple[str, str, Provenance]] = frozenset()
        self._saved_at: MonotonicSeconds | None = None

    def reconfigure(self, options: GrowthOptions) -> None:
        """Go on with other options; the next look follows them."""
        self._growth.reconfigure(options)

    async def look(self) -> None:
        """Take what is known now, grow, and tell if the graph is another one."""
        await self._restore()
        declared, rules, now = self._sources.declared(), tuple(self._sources.rules()), self._clock.wall()
        regions: dict[str, list[Prefix]] = {}
        for entry in self._sources.plan():
            if entry.region:
                try:
                    regions.setdefault(entry.region, []).append(Prefix.parse(entry.prefix))
                except ValueError:  # a range: of users' own networks prefixes are written
                    continue
        devices = self._sources.topology.devices(limit=_MOST)
        links = self._sources.topology.links(device=None, interface=None, business=None, limit=_MOST)
        interfaces = self._sources.topology.interfaces(device=None, limit=_MOST)

        def signs() -> list[FoundNeed]:
            model = ModelAddresses(declared, rules)
            found = [*signs_of_links(model, devices, links, now)]
            return [*found, *signs_of_regions(model, devices, interfaces, regions, now)]

        self._growth.take(await asyncio.to_thread(signs))
        self._growth.take(await self._calls())
        grown = await asyncio.to_thread(self._growth.grow, declared, now)
        self._needs = grown.needs
        before, in_force = self._told
        if declared is self._sources.declared() and (before is not declared or in_force != grown.in_force):
            self._told = declared, grown.in_force
            self._log.info("graph-grown", needs=len(grown.in_force), found=len(grown.needs))
            self._on_graph(grown.graph)
        await self._save()

    async def _restore(self) -> None:
        """Remember once what was found before this start; what cannot be read is found anew, with a warning."""
        saved = None if self._restored else await self._journal.load_state(_STATE_NAME)
        self._restored = True
        if saved is None:
            return
        try:
            document = json.loads(saved)
            if document["version"] != _DOCUMENT_VERSION:
                raise ValueError(f"version {document['version']!r}, this program reads {_DOCUMENT_VERSION}")  # noqa: TRY301  one place for what is wrong
            self._growth.restore(document["needs"], self._clock.wall())
        except (ValueError, KeyError, TypeError) as error:
            self._log.warning("found-needs-begin-anew", reason=str(error)[:200])

    async def _save(self) -> None:
        known, now = self._growth.known(), self._clock.monotonic()
        if known == self._saved and (self._saved_at is None or now - self._saved_at < _SAVED_EVERY_SECONDS):
            return
        self._saved, self._saved_at = known, now
        document = {"version": _DOCUMENT_VERSION, "needs": self._growth.to_document()}
        body = await asyncio.to_thread(lambda: json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
        await self._journal.save_state(_STATE_NAME, body)

    @override
    def grown(self) -> Sequence[GrownNeed]:
        return self._needs

    async def _calls(self) -> Sequence[FoundNeed]:
        """Return what traffic tells, once an hour: it takes a walk through the archive."""
        now = self._clock.monotonic()
        if self._calls_at is not None and now - self._calls_at < _CALLS_EVERY_SECONDS:
            return ()
        self._calls_at = now
        try:
            return signs_of_calls(await self._sources.compare())
        except DiscoveryUnavailableError as error:
            self._log.debug("no-traffic-to-grow-by", reason=str(error))
            return ()
