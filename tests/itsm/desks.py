"""A running incident desk on a journal, fake or real, that can be killed and started again."""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from btimd.itsm.component import IncidentComponent
from btimd.itsm.settings import ItsmSettings, WebhookSettings
from btimd.model.incident import Impact, ImpactAssessment, Incident, Urgency
from btimd.model.ports import Journal
from btimd.model.verdict import Verdict
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import JournalFailedError, SqliteJournal
from tests.fakes.journal import FakeJournal
from tests.itsm.examples import DAY, T0
from tests.itsm.receivers import Receiver, secret_file
from tests.patience import PATIENCE_SECONDS

HIT = ImpactAssessment(businesses=("erp",), regions=("north",), users=10)


class Desk:
    """A component, its journal and its clock. `settings` may be changed before start and restart."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(now=T0)
        self.metrics = Metrics()
        self.settings: dict[str, Any] = {"reopen_within": DAY}
        self.told: list[Incident] = []
        self.journal: Journal = FakeJournal() if kind == "fake" else self._sqlite()
        self.component: IncidentComponent
        self._run: asyncio.Task[None] | None = None

    def _sqlite(self) -> SqliteJournal:
        journal = SqliteJournal(self.folder / "journal.sqlite")
        journal.open()
        return journal

    def add_webhook(self, receiver: Receiver, name: str = "desk", **settings: Any) -> None:
        hook = WebhookSettings(url=receiver.url, secret_file=secret_file(self.folder), **settings)
        self.settings["webhook"] = {**self.settings.get("webhook", {}), name: hook}

    def build(self, **extra: Any) -> IncidentComponent:
        return IncidentComponent(
            settings=ItsmSettings(**self.settings),
            journal=self.journal,
            metrics=self.metrics,
            clock=self.clock,
            log=Log("itsm"),
            random=random.Random(7),
            on_incident=self.told.append,
            **extra,
        )

    async def start(self, **extra: Any) -> IncidentComponent:
        self.component = self.build(**extra)
        await self.component.start()
        self._run = asyncio.create_task(self.component.run())
        return self.component

    async def stop(self) -> None:
        if self._run is not None:
            self._run.cancel()
            with suppress(asyncio.CancelledError, JournalFailedError, ExceptionGroup):
                await self._run
            self._run = None
            with suppress(JournalFailedError):
                await self.component.stop()
                await self.component.stop()

    async def restart(self, **extra: Any) -> IncidentComponent:
        """Stop as one should, then start again."""
        await self.stop()
        self._reopen(kill=False)
        return await self.start(**extra)

    async def kill(self) -> None:
        """Let nothing of the running component reach the journal any more, then take it away."""
        self._reopen(kill=True)
        for lane in self.component._outgoing.courier._lanes.values():
            for task in lane.in_flight:
                task.cancel()
        await self.stop()

    def _reopen(self, *, kill: bool) -> None:
        if isinstance(self.journal, FakeJournal):
            if kill:
                dead, self.journal = self.journal, FakeJournal()
                for name, table in vars(dead).items():
                    setattr(self.journal, name, copy.copy(table))
            self.journal.reopen()
        elif isinstance(self.journal, SqliteJournal):
            self.journal.close()
            self.journal = self._sqlite()

    async def close(self) -> None:
        await self.stop()
        if isinstance(self.journal, SqliteJournal):
            self.journal.close()

    async def report(self, verdict: Verdict, hit: ImpactAssessment = HIT) -> Incident:
        made = await self.component.verdict(verdict, hit, Impact.MEDIUM, Urgency.MEDIUM)
        assert made is not None
        return made

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.component.wake()

    async def until(self, condition: Callable[[], Awaitable[bool]], *, step_seconds: float = 0.0) -> None:
        """Let the loop run until a condition holds, moving the clock at each look."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await condition():
                if step_seconds:
                    self.advance(step_seconds)
                await asyncio.sleep(0.005)

    async def until_outbox(self, *, step_seconds: float = 0.0, **expected: int) -> None:
        async def reached() -> bool:
            depth = await self.journal.outbox_depth()
            return all(depth[state] == count for state, count in expected.items())

        await self.until(reached, step_seconds=step_seconds)
