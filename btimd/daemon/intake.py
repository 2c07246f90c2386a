"""Reports of people and other systems on their way into incidents: mail, one desk, the engine."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from typing_extensions import override

from btimd.itsm.component import IncidentComponent
from btimd.itsm.intake.asreports import clear_of, problem_of, symptom_of
from btimd.itsm.intake.classify import NodeMatch
from btimd.itsm.intake.desk import IntakeDesk
from btimd.itsm.intake.imap import ImapPoller
from btimd.itsm.intake.mail import Mail, no_answer
from btimd.itsm.intake.reading import Reader
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.intake.smtp import SmtpListener
from btimd.model.heard import Told
from btimd.model.ports import Journal
from btimd.model.report import (
    IntakeBusyError,
    Report,
    ReportCount,
    ReportFilter,
    ReportReceipt,
    ReportSeverity,
    ReportSignal,
    ReportStore,
    ReportStorm,
    ReportsView,
    StoredReport,
)
from btimd.model.service import ServiceGraph
from btimd.rca.graph import GraphIndex
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import JournalFailedError

_STOP_WITHIN: Final = 4.0
_MOST_HEARD: Final = 2000
"""Messages of devices on their way to the disk; nobody waits for an answer to them, so more are dropped and counted."""


def names_of(graph: ServiceGraph) -> Mapping[str, NodeMatch]:
    """Return the nodes by all that others may call them: an id means its own node, other names of two are left out."""
    index = GraphIndex(graph)
    found: dict[str, str | None] = {}
    for name, node in graph.nodes.items():
        for called in {name, node.name, node.device, *(check.host for check in node.checks)} - {""}:
            key = called.lower()
            found[key] = name if found.get(key, name) == name else None
    found |= {name.lower(): name for name in graph.nodes}
    businesses = {name: tuple(index.businesses_above(name)) for name in graph.nodes}
    return {
        called: NodeMatch(name, graph.nodes[name].kind, businesses[name][0] if len(businesses[name]) == 1 else "")
        for called, name in found.items()
        if name is not None
    }


class Intake(ReportsView):
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
        self._log = log
        self._store = store
        self._known: tuple[ServiceGraph, Mapping[str, NodeMatch]] | None = None
        self._hearing: set[asyncio.Task[None]] = set()
        self._dropped = metrics.counter(
            "btimd_intake_dropped_total", "Messages of devices that were not kept, as too many came.", ("channel",)
        )
        self.reader = self._reader(settings)
        self.desk = IntakeDesk(
            store=store,
            on_report=self.hand_on,
            rules=settings.storm_rules(),
            metrics=metrics,
            clock=clock,
            log=log,
            within_seconds=settings.within,
            keep_seconds=settings.keep,
            keep_unused_seconds=settings.keep_unused,
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

    def _reader(self, settings: IntakeSettings) -> Reader:
        return Reader(settings.templates(), settings.classes(), self._find, frozenset(settings.opens))

    def reload(self, settings: IntakeSettings) -> None:
        """Read with other templates and rules from now on; where it listens, and mailboxes, stay."""
        self.reader = self.smtp.reader = self._reader(settings)
        for mailbox in self.mailboxes:
            mailbox.reader = self.reader
        self.desk.use(settings.storm_rules())

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
        if self._hearing:
            await asyncio.wait(self._hearing, timeout=_STOP_WITHIN)

    def health(self) -> ComponentHealth:
        """Return the worst of its parts."""
        return max((part.health() for part in self._parts()), key=lambda one: one.level)

    async def hand_on(self, report: Report) -> str | None:
        """Make an incident of a report, or let one grow or clear with it; return its id, "" where there is none."""
        done = await self._journal.find_command(report.id)
        if done is not None:
            return done.incident_id
        if report.signal is ReportSignal.PROBLEM and not report.opens and not self._adds(report):
            return ""
        if report.signal is ReportSignal.PROBLEM:
            problem = problem_of(report, self._clock.wall())
            problem = replace(problem, reporter=self._person_of(problem.reporter))
            incident = await self._incidents.report(problem, weigh=report.impact is None)
        elif report.signal is ReportSignal.CLEAR:
            gone = frozenset({symptom_of(report)})
            incident = await self._incidents.report_cleared(report.fingerprint, gone, clear_of(report))
        else:
            return ""
        return "" if incident is None else incident.id

    def _adds(self, report: Report) -> bool:
        """Tell whether a report that may open nothing belongs to an incident that is open."""
        return bool(self._incidents.open_incident_of(report.fingerprint))

    # -- messages of devices and other systems, which the diagnosis weighs as well

    def hear(self, told: Told) -> None:
        """Keep a message nobody waits for an answer to; where too many are on their way it is dropped and counted."""
        if len(self._hearing) >= _MOST_HEARD:
            self._dropped.labels(told.source.value).inc()
            return
        task = asyncio.create_task(self._hear(told))
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)

    async def _hear(self, told: Told) -> None:
        try:
            await self.desk.take(self.reader.told(told))
        except (IntakeBusyError, JournalFailedError):
            self._dropped.labels(told.source.value).inc()

    async def keep(self, told: Told, identity: str) -> ReportReceipt:
        """Keep an event of another system; raises IntakeBusyError. What it returned for survives the machine."""
        return await self._take(self.reader.told(told, identity))

    async def _take(self, report: Report, *, wait: bool = False) -> ReportReceipt:
        try:
            return await self.desk.take(report, wait=wait)
        except JournalFailedError as error:
            raise IntakeBusyError("the journal has failed") from error

    # -- reports as people see and make them

    @override
    async def reports(self, wanted: ReportFilter, limit: int) -> Sequence[StoredReport]:
        return await self._store.listed(wanted, limit)

    @override
    async def report(self, report_id: str) -> StoredReport | None:
        return await self._store.find(report_id)

    @override
    async def create(
        self,
        *,
        command_id: str,
        reporter: str,
        title: str,
        text: str,
        node: str,
        business: str,
        severity: ReportSeverity,
    ) -> ReportReceipt:
        report = self.reader.manual(
            key=command_id,
            reporter=reporter,
            title=title,
            now=self._clock.wall(),
            text=text,
            node=node,
            business=business,
            severity=severity,
        )
        return await self._take(report, wait=True)

    @override
    async def counts(self) -> Sequence[ReportCount]:
        return await self._store.counts()

    @override
    def storms(self) -> Sequence[ReportStorm]:
        return self.desk.storms()

    def _find(self, called: str) -> NodeMatch | None:
        graph = self._graph()
        if self._known is None or self._known[0] is not graph:
            self._known = (graph, names_of(graph))
        return self._known[1].get(called.lower())
