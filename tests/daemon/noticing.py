"""A notice desk beside a running incident desk, on one journal, with a chat robot over real HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from btimd.daemon.noticedesk import NoticeDesk
from btimd.itsm.notify.settings import NotifySettings
from btimd.itsm.outbox import DeliveryRules
from btimd.model.duty import Group, People, Person, PersonContact
from btimd.model.incident import Incident, Priority
from btimd.model.notification import Notice
from btimd.runtime.log import Log
from btimd.store.handover import NoticeTable
from btimd.store.journal import SqliteJournal
from tests.itsm.desks import Desk
from tests.itsm.examples import verdict
from tests.itsm.notify.doubles import Double
from tests.itsm.people import Team

RENOTIFY = (120.0, 300.0, 600.0, 1800.0, 3600.0)


class CrashedError(Exception):
    """The process died."""


class CrashingJournal(SqliteJournal):
    """Dies at the call after so many."""

    left: int | None = None

    @override
    async def _ask(self, work: Callable[..., Any]) -> Any:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise CrashedError
        return await super()._ask(work)


def person_of(name: str, *contacts: PersonContact, language: str = "en") -> Person:
    return Person(name, name.title(), language=language, timezone="Asia/Shanghai", contacts=contacts,
                  groups=MappingProxyType({"team-1": 1}))  # fmt: skip


def im(address: str, *, verified: bool = True) -> PersonContact:
    return PersonContact("wecom", address, verified=verified)


def people_of(*persons: Person, lead: str = "lea") -> People:
    groups = {name: Group(name, name, lead=lead) for name in ("team-1", "team-2")}
    return People(MappingProxyType({one.id: one for one in persons}), MappingProxyType(groups))


PEOPLE = people_of(
    person_of("ann", im("ann")), person_of("bob", im("bob")), person_of("dan", im("dan")), person_of("lea", im("lea")),
    person_of("cen", im("cen")),
)  # fmt: skip


class Company:
    """An incident desk, its journal, a robot, and notice desks on it that may die and come again."""

    def __init__(self, folder: Path, robot: Double, people: People = PEOPLE, **settings: Any) -> None:
        self.folder = folder
        self.robot = robot
        self.people = people
        self.desk = Desk("fake", folder)
        self.desk.journal = self.open_journal()
        url = folder / "robot.url"
        url.write_text(robot.url)
        url.chmod(0o600)
        self.settings = NotifySettings.model_validate(
            {"robot": {"noc": {"kind": robot.kind, "url_file": str(url)}}, "centre": ["cen"], **settings}
        )
        self.notices: NoticeDesk = None  # type: ignore[assignment]  # until it is started
        self.work: asyncio.Task[None] | None = None

    def open_journal(self) -> CrashingJournal:
        made = CrashingJournal(self.folder / "journal.sqlite")
        made.open()
        return made

    @property
    def journal(self) -> CrashingJournal:
        assert isinstance(self.desk.journal, CrashingJournal)
        return self.desk.journal

    def build(self) -> NoticeDesk:
        desk = self.desk
        self.notices = NoticeDesk(
            self.settings, self.people, renotify=RENOTIFY, delivery=DeliveryRules(), journal=desk.journal,
            table=NoticeTable(self.journal.run), incidents=desk.component, names=str.upper, metrics=desk.metrics,
            clock=desk.clock, log=Log("itsm"), chance=random.Random(7),
        )  # fmt: skip
        return self.notices

    async def start(self, team: Team | None = None) -> None:
        """Start both desks."""
        await self.desk.start(
            people=team or Team(),
            on_tellings=lambda: self.notices.wake(),  # noqa: PLW0108  it is made afterwards
            on_events=lambda incident, events: self.notices.followed(incident, events),  # noqa: PLW0108  as above
        )
        self.build()
        await self.notices.start()

    def run(self) -> None:
        self.work = asyncio.create_task(self.notices.run())

    async def end(self) -> None:
        """Stop the notice desk as one should."""
        if self.work is not None:
            self.work.cancel()
            with suppress(asyncio.CancelledError, ExceptionGroup):
                await self.work
            self.work = None
        if self.notices is not None:
            await self.notices.stop()

    async def die(self) -> None:
        """Let the notice desk do nothing more, then open the journal again as after kill -9."""
        if self.work is not None:
            self.journal.left = 0
            self.work.cancel()
            with suppress(asyncio.CancelledError, CrashedError, ExceptionGroup):
                await self.work
            for lane in self.notices._notifier._lanes.values():
                for task in lane.in_flight:
                    task.cancel()
                await lane.sender.stop()
            self.work = None
        await self.desk.stop()
        self.desk.journal.close()  # type: ignore[attr-defined]
        self.desk.journal = self.open_journal()

    async def ordered(self, priority: Priority | None = None) -> Incident:
        """Report something and let the first order go out."""
        opened = await self.desk.report(verdict())
        if priority is not None:
            raised = replace(opened)
            assert raised.priority is priority
        self.desk.advance(300)

        async def dispatched() -> bool:
            found = await self.desk.component.incident(opened.id)
            return found is not None and found.dispatch is not None

        await self.desk.until(dispatched)
        found = await self.desk.component.incident(opened.id)
        assert found is not None
        return found

    async def idle(self) -> None:
        """Wait until nothing is due to be told or sent."""

        async def rests() -> bool:
            if self.work is not None and self.work.done():
                self.work.result()
            now = self.desk.clock.wall()
            count = "SELECT count(*) FROM notice WHERE state = 'claimed' OR (state = 'pending' AND next_at <= ?)"
            (owed,) = await self.journal.run(lambda connection: connection.execute(count, (now,)).fetchone())
            notice_at = await self.notices.table.next_notice_at()
            depth = await self.notices.table.notice_depth()
            return (
                not owed
                and (notice_at is None or notice_at > now)
                and not depth.get("sending")
                and not self.notices._failed
                and not self.notices._ended
            )

        await self.desk.until(rests)

    async def rows(self, incident_id: str) -> Sequence[Notice]:
        return list(reversed(await self.notices.table.find(incident_id=incident_id)))

    async def told(self, incident_id: str) -> list[tuple[str, str, str, str]]:
        """Return (person, kind, means, state) of every notice, oldest first."""
        return [(one.person, one.kind.value, one.means.value, one.state.value) for one in await self.rows(incident_id)]


@asynccontextmanager
async def company(folder: Path, people: People = PEOPLE, **settings: Any) -> AsyncIterator[Company]:
    robot = Double(now=lambda: 0.0)
    async with robot.up():
        made = Company(folder, robot, people, **settings)
        robot.now = made.desk.clock.wall
        try:
            yield made
        finally:
            made.journal.left = None
            await made.end()
            await made.desk.close()
            made.journal.close()
