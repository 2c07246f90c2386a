"""Enterprise: a small company on loopback, with real sockets on every hop, that breaks on demand."""

import asyncio
from random import Random
from typing import Final, Self

from btimd.lab.clients import Addresses, Experience, User, people
from btimd.lab.database import DatabaseServer
from btimd.lab.exporter import Exporter
from btimd.lab.faults import Condition, Fault, find_fault, worst
from btimd.lab.nameserver import NameServer, Resolver
from btimd.lab.process import TcpProcess
from btimd.lab.servers import Agent, ApplicationServer, WebServer
from btimd.lab.settings import LabSettings
from btimd.lab.topology import BUSINESSES, DATABASES, DNS, HOSTS, ProcessPlan, agent_of, name_table
from btimd.model.units import Octets
from btimd.runtime.clock import Clock, SystemClock

_SETTLE_TICKS: Final = 3


class Enterprise:
    """Servers, agents, users and the exporter, in the running event loop.

    start: the servers, so that the configuration can be written with their ports. start_users: the users and the
    exporter, once the collector's address is known. inject and heal: faults of btimd.lab.faults. stop: everything;
    may be called twice and after a start that failed.
    """

    def __init__(self, settings: LabSettings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or LabSettings()
        self.clock: Clock = clock or SystemClock()
        self.experience: dict[str, Experience] = {}
        self.exporter: Exporter | None = None
        self.name_server = NameServer(DNS, self.settings.slow_seconds, name_table())
        self.processes: dict[str, TcpProcess] = {}
        self._active: dict[str, Fault] = {}
        self._users: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()
        self._build()

    def _build(self) -> None:
        """Make every process, the needed before those that need them: they start in this order."""
        slow = self.settings.slow_seconds
        resolver = Resolver(self.name_server, Random(self.settings.seed), self.settings.name_patience_seconds)
        for plan in DATABASES:
            self.processes[plan.id] = DatabaseServer(plan, slow)
        for business in BUSINESSES:
            self.processes[business.application.id] = ApplicationServer(
                business.application,
                slow,
                database=self.processes[business.database.id],
                patience_seconds=self.settings.application_patience_seconds,
                resolve=resolver.resolve,
            )
            self.processes[business.web.id] = WebServer(
                business.web,
                slow,
                application=self.processes[business.application.id],
                patience_seconds=self.settings.web_patience_seconds,
                resolve=resolver.resolve,
            )
        for host in HOSTS:
            agent = agent_of(host)
            self.processes[agent.id] = Agent(agent, slow)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start every server; stops what had started when one cannot."""
        try:
            await self.name_server.start()
            for process in self.processes.values():
                await process.start()
        except BaseException:
            await self.stop()
            raise

    async def start_users(self, collector: tuple[str, int] | None = None) -> None:
        """Let the users come to work; their traffic is reported to the collector's UDP address, if there is one."""
        if collector is not None:
            self.exporter = Exporter(
                collector,
                clock=self.clock,
                flush_seconds=self.settings.flush_seconds,
                template_refresh_seconds=self.settings.template_refresh_seconds,
            )
            await self.exporter.start()
        loop = asyncio.get_running_loop()
        self._users = [loop.create_task(user.work()) for user in self.users()]

    def users(self) -> list[User]:
        """Return the users, not yet at work. Their records go to the exporter, if there is one by then."""
        return [
            User(
                person,
                self.addresses(),
                self.settings,
                clock=self.clock,
                meter=lambda flows: self.exporter.add(flows) if self.exporter else None,
                experience=self.experience,
            )
            for person in people(self.settings.users_per_segment)
        ]

    async def stop_users(self) -> None:
        """Send the users home in mid-visit and export what was metered; the figures of the exporter stay."""
        for task in self._users:
            task.cancel()
        await asyncio.gather(*self._users, return_exceptions=True)
        self._users = []
        if self.exporter is not None:
            await self.exporter.stop()

    async def stop(self) -> None:
        """End everything."""
        await self.stop_users()
        for process in reversed(self.processes.values()):
            await process.stop()
        await self.name_server.stop()
        for _ in range(_SETTLE_TICKS):  # closed transports give their sockets back on the loop's next turns
            await asyncio.sleep(0)

    async def inject(self, name: str) -> Fault:
        """Break something; several faults may be active. Raises ValueError for a fault that does not exist."""
        fault = find_fault(name)
        self._active[name] = fault
        await self._apply()
        return fault

    async def heal(self, name: str | None = None) -> None:
        """Repair one fault, or everything. What was dead or hung is restarted."""
        if name is None:
            self._active.clear()
        else:
            self._active.pop(find_fault(name).name, None)
        await self._apply()

    async def _apply(self) -> None:
        async with self._changing:
            faults = list(self._active.values())
            self.name_server.break_records({business: how for fault in faults for business, how in fault.records})
            effects = [effect for fault in faults for effect in fault.processes]
            processes: list[NameServer | TcpProcess] = [self.name_server, *self.processes.values()]
            # All at once: what a host takes down with it must not be found well for a moment longer.
            await asyncio.gather(
                *(
                    process.become(worst([how for target, how in effects if target == process.plan.id]))
                    for process in processes
                )
            )

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults that are active."""
        return tuple(self._active)

    @property
    def exported(self) -> dict[str, Octets]:
        """Octets that were reported to the collector, per business; "" holds name lookups."""
        return self.exporter.exported if self.exporter else {}

    def condition(self, process: str) -> Condition:
        """Return how a process is."""
        return self.name_server.condition if process == DNS.id else self.processes[process].condition

    def endpoint(self, plan: ProcessPlan) -> tuple[str, int]:
        """Return where a process listens, or did before it died. Known after start."""
        process = self.name_server if plan.id == DNS.id else self.processes[plan.id]
        return process.address, process.port

    def addresses(self) -> Addresses:
        """Return what users must know. Known after start."""
        ports = {business.id: self.processes[business.web.id].port for business in BUSINESSES}
        return Addresses((self.name_server.address, self.name_server.port), ports)
