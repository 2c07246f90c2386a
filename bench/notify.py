"""From a report to the first message, through engine, journal, notice desk and real servers: python -m bench.notify.

An SMS gateway over HTTP and an SMTP server listen on loopback and note when each message is whole. What is printed is
the time beyond the waiting window, in which a person may still take the incident before an order goes out, and how late
timers fire, also those of a journal that was left as by kill -9.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from btimd.daemon.noticedesk import NoticeDesk
from btimd.itsm.component import IncidentComponent
from btimd.itsm.moment import Choice, OrderLimits
from btimd.itsm.settings import ItsmSettings
from btimd.model.duty import Group, People, Person, PersonContact
from btimd.model.incident import CommandKind, Incident, IncidentCommand, IncidentEvent, Priority
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.handover import NoticeTable
from btimd.store.journal import SqliteJournal

WINDOW = 1.0
PERSONS = 400


@dataclass
class Servers:
    """What came in: incident number -> wall clock."""

    sms: dict[str, float] = field(default_factory=dict)
    mail: dict[str, float] = field(default_factory=dict)
    http_port: int = 0
    smtp_port: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Take a short message."""
        body = await request.json()
        self.sms.setdefault(body["number"], time.time())
        return web.json_response({"code": 0, "sid": body["id"]})

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  the library's name
        """Take a mail."""
        head = bytes(envelope.original_content or b"").partition(b"\r\n\r\n")[0].decode("ascii", "replace")
        number = next(line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("X-Btimd-Number"))
        self.mail.setdefault(number.strip(), time.time())
        return "250 ok"


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    made = Servers()
    app = web.Application()
    app.router.add_post("/send", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.http_port = runner.addresses[0][1]
    smtp = await asyncio.get_running_loop().create_server(lambda: SMTP(made, hostname="bench"), "127.0.0.1", 0)
    made.smtp_port = smtp.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        smtp.close()
        await runner.cleanup()


class Team:
    """Gives each incident to somebody else, so that no address meets its limit."""

    def levels(self, _incident: Incident, _now: float) -> int:
        """Return one."""
        return 1

    def decide(self, incident: Incident, _level: int, _excluded: frozenset[str], _now: float) -> Choice:
        """Return the next person."""
        return Choice(f"p{int(incident.id[-4:]) % PERSONS}", "team")

    def limits(self, _incident: Incident, _level: int) -> OrderLimits:
        """Leave all to the rules."""
        return OrderLimits()

    def transfer_candidates(self, _incident: Incident, _now: float) -> Sequence[str] | None:
        """Say that anybody will do."""
        return None

    def on_duty(self, _person: str, _now: float) -> bool | None:
        """Say yes."""
        return True


class Daemon:
    """The engine, its journal and the notice desk, as the daemon wires them."""

    def __init__(self, folder: Path, there: Servers) -> None:
        self.late: list[float] = []
        self.due: dict[str, float] = {}
        contacts = [
            (PersonContact("sms", f"+86138{number:08d}", verified=True),
             PersonContact("mail", f"p{number}@corp.test", verified=True))
            for number in range(PERSONS)
        ]  # fmt: skip
        persons = {f"p{number}": Person(f"p{number}", f"P {number}", contacts=two, groups=MappingProxyType({"team": 1}))
                   for number, two in enumerate(contacts)}  # fmt: skip
        people = People(MappingProxyType(persons), MappingProxyType({"team": Group("team", "Team", lead="p0")}))
        clock, metrics = SystemClock(), Metrics()
        five = (WINDOW,) * 5
        settings = ItsmSettings.model_validate({
            "timers": {"wait": five},
            "notify": {
                "gateway": {"gw": {
                    "means": "sms", "url": f"http://127.0.0.1:{there.http_port}/send", "per_minute": 6000,
                    "fields": {"to": "{to}", "text": "{text}", "number": "{number}", "id": "{id}"},
                    "ok_path": "code", "ok_values": ["0"], "id_path": "sid", "max_in_flight": 8,
                }},
                "mail": {"corp": {"server": f"127.0.0.1:{there.smtp_port}", "sender": "btimd@corp.test",
                                  "security": "none", "per_minute": 6000, "max_in_flight": 8}},
            },
        })  # fmt: skip
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.journal.open()
        self.incidents = IncidentComponent(
            settings=settings, journal=self.journal, metrics=metrics, clock=clock, log=Log("bench"),
            random=random.Random(1), on_incident=lambda _: None, people=Team(), on_events=self._followed,
            on_tellings=lambda: self.notices.wake(),  # noqa: PLW0108  made below
        )  # fmt: skip
        self.notices = NoticeDesk(
            settings.notify, people, renotify=settings.timers.renotify, delivery=settings.delivery_rules(),
            journal=self.journal, table=NoticeTable(self.journal.run), incidents=self.incidents, names=str,
            metrics=metrics, clock=clock, log=Log("bench"), chance=random.Random(1),
        )  # fmt: skip
        self.tasks: list[asyncio.Task[None]] = []

    def _followed(self, incident: Incident, events: Sequence[IncidentEvent]) -> None:
        self.notices.followed(incident, events)
        for event in events:
            if event.kind == "dispatched":
                self.late.append(event.at - (incident.opened_at + WINDOW))

    async def start(self) -> None:
        """Start all parts."""
        await self.notices.start()
        await self.incidents.start()
        self.tasks = [asyncio.create_task(part.run()) for part in (self.notices, self.incidents)]

    async def die(self) -> None:
        """Stop without saving or ending anything: as by kill -9, but for the sockets."""
        for task in self.tasks:
            task.cancel()
        with suppress(Exception):
            await asyncio.gather(*self.tasks, return_exceptions=True)
        for lane in self.notices._notifier._lanes.values():  # noqa: SLF001  nothing else shall happen there
            for sending in lane.in_flight:
                sending.cancel()
            await lane.sender.stop()
        await asyncio.to_thread(self.journal.close)

    async def report(self, number: int, priority: Priority) -> tuple[str, float]:
        """Report an incident; return its number and when."""
        at = time.time()
        command = IncidentCommand(CommandKind.CREATE, f"{at}-{number}", title="监听中断", priority=priority,
                                  businesses=("pay",))  # fmt: skip
        incident = await self.incidents.command(command, "noc")
        return incident.id[8:], at


def told(name: str, beyond: list[float], *, unit: float = 1e3) -> None:
    beyond.sort()
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    text = ", ".join(f"{name} {beyond[int(len(beyond) * share)] * unit:.0f} ms" for name, share in shares.items())
    print(f"{name}: {text}, max {beyond[-1] * unit:.0f} ms ({len(beyond)}; load {os.getloadavg()[0]:.1f})", flush=True)


async def until(have: dict[str, float], wanted: set[str], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not wanted <= have.keys():  # noqa: ASYNC110  servers fill it
            await asyncio.sleep(0.02)


async def main(count: int, folder: Path) -> None:
    async with servers() as there:
        daemon = Daemon(folder, there)
        await daemon.start()
        for name, priority, have, pause in (
            ("P1 one by one, report to SMS gateway", Priority.P1, there.sms, 0.05),
            ("P4 one by one, report to mail server", Priority.P4, there.mail, 0.05),
        ):
            sent: dict[str, float] = {}
            used = time.process_time()
            for number in range(count):
                key, at = await daemon.report(number, priority)
                sent[key] = at
                await asyncio.sleep(pause)
            await until(have, set(sent))
            cpu = (time.process_time() - used) / count
            told(name, [have[key] - at - WINDOW for key, at in sent.items()])
            print(f"  CPU per incident and its notices, both servers included: {cpu * 1e3:.1f} ms", flush=True)
        sent = {}
        for key, at in await asyncio.gather(*(daemon.report(number, Priority.P1) for number in range(50))):
            sent[key] = at
        await until(there.sms, set(sent))
        told("50 P1 at once, report to SMS gateway", [there.sms[key] - at - WINDOW for key, at in sent.items()])
        told("timers, how late", [max(one, 0.0) for one in daemon.late])
        sent = dict(await asyncio.gather(*(daemon.report(number, Priority.P1) for number in range(100))))
        await daemon.die()
        await asyncio.sleep(WINDOW + 0.5)  # all of them run out while nothing runs
        again = Daemon(folder, there)
        began = time.time()
        await again.start()
        ready = time.time()
        await until(there.sms, set(sent))
        told("100 P1 overdue after a restart, since it began", [there.sms[key] - began for key in sent])
        print(f"  the start itself: {(ready - began) * 1e3:.0f} ms with {len(daemon.late) + 100} open incidents")
        again.late.clear()
        sent = {}
        for number in range(count):
            key, at = await again.report(number, Priority.P1)
            sent[key] = at
            await asyncio.sleep(0.05)
        await until(there.sms, set(sent))
        told("timers after the restart, how late", [max(one, 0.0) for one in again.late])
        await again.die()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as made:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, Path(made)))
