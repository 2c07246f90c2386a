"""Reports of people and other systems on their way into incidents: mail, one desk, the engine."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

from btimd.itsm.component import IncidentComponent
from btimd.itsm.intake.asreports import clear_of, problem_of, symptom_of
from btimd.itsm.intake.classify import NodeMatch
from btimd.itsm.intake.desk import IntakeDesk
from btimd.itsm.intake.imap import ImapPoller
from btimd.itsm.intake.mail import Mail, no_answer
from btimd.itsm.intake.reading import Reader
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.intake.smtp import SmtpListener
from btimd.model.ports import Journal
from btimd.model.report import Report, ReportSignal, ReportStore
from btimd.model.service import ServiceGraph
from btimd.rca.graph import GraphIndex
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics


def names_of(graph: ServiceGraph) -> Mapping[str, NodeMatch]:
    """Return the nodes by everything that others may call them; a name of two nodes is left out."""
    index = GraphIndex(graph)
    found: dict[str, str | None] = {}
    for name, node in graph.nodes.items():
        for called in {name, node.name, node.device, *(check.host for check in node.checks)} - {""}:
            key = called.lower()
            found[key] = name if found.get(key, name) == name else None
    businesses = {name: tuple(index.businesses_above(name)) for name in graph.nodes}
    return {
        called: NodeMatch(name, graph.nodes[name].kind, businesses[name][0] if len(businesses[name]) == 1 else "")
        for called, name in found.items()
        if name is not None
    }


class Intake:
    """A Component: the desk that takes reports, and everything they come by. The incidents must have started before.

    answered: takes mails that answer a notice. person_of: whose a reporter's address is, the address where nobody's.
    """

    name = "intake"

    def __init__(
        self,
        settings: IntakeSettings,
        *,
        store: ReportStore,
        journal: Journal,
        incidents: IncidentComponent,
        graph: Callable[[], ServiceGraph],
        metrics: Metrics,
        clock: Clock,
        log: Log,
        answered: Callable[[Mail], Awaitable[str]] = no_answer,
        person_of: Callable[[str], str] = str,
    ) -> None:
        self._person_of = person_of
        self._journal = journal
        self._incidents = incidents
        self._graph = graph
        self._clock = clock
        self._known: tuple[ServiceGraph, Mapping[str, NodeMatch]] | None = None
        self.reader = Reader(settings.templates(), settings.classes(), self._find)
        self.desk = IntakeDesk(
            store=store,
            on_report=self.hand_on,
            rules=settings.storm_rules(),
            metrics=metrics,
            clock=clock,
            log=log,
            within_seconds=settings.within,
            keep_seconds=settings.keep,
        )
        self.smtp = SmtpListener(
            settings, reader=self.reader, desk=self.desk, metrics=metrics, clock=clock, log=log, answered=answered
        )
        self.mailboxes = [
            ImapPoller(
                name, one, own_domains=settings.own_domains, reader=self.reader, desk=self.desk, metrics=metrics,
                clock=clock, log=log, answered=answered,
            )
            for name, one in settings.imap.items()
        ]  # fmt: skip

    def _parts(self) -> Iterator[Component]:
        yield self.smtp
        yield from self.mailboxes

    async def start(self) -> None:
        """Listen."""
        for part in self._parts():
            await part.start()

    async def run(self) -> None:
        """Hand reports on, and let mail come, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.desk.run())
            for part in self._parts():
                group.create_task(part.run())

    async def stop(self) -> None:
        """Listen no more; what was kept is handed on after the next start."""
        for part in self._parts():
            await part.stop()

    def health(self) -> ComponentHealth:
        """Return the worst of its parts."""
        return max((part.health() for part in self._parts()), key=lambda one: one.level)

    async def hand_on(self, report: Report) -> str | None:
        """Make an incident of a report, or let one grow or clear with it; return its id, "" where there is none."""
        done = await self._journal.find_command(report.id)
        if done is not None:
            return done.incident_id
        if report.signal is ReportSignal.PROBLEM:
            problem = problem_of(report, self._clock.wall())
            incident = await self._incidents.report(replace(problem, reporter=self._person_of(problem.reporter)))
        elif report.signal is ReportSignal.CLEAR:
            gone = frozenset({symptom_of(report)})
            incident = await self._incidents.report_cleared(report.fingerprint, gone, clear_of(report))
        else:
            return ""
        return "" if incident is None else incident.id

    def _find(self, called: str) -> NodeMatch | None:
        graph = self._graph()
        if self._known is None or self._known[0] is not graph:
            self._known = (graph, names_of(graph))
        return self._known[1].get(called.lower())
