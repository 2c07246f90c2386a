"""Incidents with a life of their own, written into a journal for targets, and a courier that delivers them."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from btimd.itsm.emit.cloudevents import messages_of
from btimd.itsm.emit.courier import Courier, Target
from btimd.itsm.emit.targets import targets_of
from btimd.itsm.settings import ItsmSettings
from btimd.model.incident import (
    Impact,
    ImpactAssessment,
    Incident,
    IncidentEvent,
    IncidentState,
    Priority,
    Signal,
    Urgency,
)
from btimd.model.ports import IncidentWrite, Journal
from btimd.runtime.clock import Clock, SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import SqliteJournal
from tests.patience import PATIENCE_SECONDS

T0 = 1_700_000_000.0
REPORT = "The listener of ora1 had died; it was restarted and is watched now."
STEPS = (
    ("opened", IncidentState.NEW, "system", ""),
    ("accepted", IncidentState.ACCEPTED, "ann", ""),
    ("commented", IncidentState.ACCEPTED, "ann", "It's the listener, «ora1» 监听中断"),
    ("priority-set", IncidentState.ACCEPTED, "ann", "many users"),
    ("resolved", IncidentState.RESOLVED, "ann", REPORT),
    ("closed", IncidentState.CLOSED, "system", ""),
)


def step(
    before: Incident | None, incident_id: str, number: int, steps: Sequence[Any] = STEPS
) -> tuple[Incident, IncidentEvent]:
    """Return an incident after its number-th event (from 1), and that event."""
    kind, state, actor, reason = steps[number - 1]
    at = T0 + 60 * number
    event = IncidentEvent(incident_id, number, at, actor, kind, before.state if before else None, state, reason)
    incident = before or Incident(
        id=incident_id, version=0, fingerprint=f"cause:{incident_id}", state=state, signal=Signal.ACTIVE,
        title=f"ERP slow ({incident_id})", description="The ERP's pages take 9 s.", cause="ora1", verdict_id="V1",
        confidence=0.9, impact=Impact.HIGH, urgency=Urgency.MEDIUM, priority=Priority.P2, priority_is_manual=False,
        assessment=ImpactAssessment(("erp",), ("north",), 41), report_count=1, reopen_count=0, touched_by_human=False,
        assignee="", closing_report="", opened_at=T0, last_seen_at=T0, began_at=T0 - 5,
    )  # fmt: skip
    if kind == "priority-set":
        incident = replace(incident, priority=Priority.P1)
    if kind == "resolved":
        incident = replace(incident, closing_report=reason, resolved_at=at)
        event = replace(event, reason="")
    return replace(incident, version=incident.version + 1, state=state), event


async def happen(
    journal: Journal, targets: Sequence[str], incident_id: str, number: int, *, now: float, steps: Sequence[Any] = STEPS
) -> Incident:
    """Write an incident's number-th event, and what the targets are owed for it, as one step."""
    before = await journal.load_incident(incident_id)
    incident, event = step(before, incident_id, number, steps)
    notes = {"summary": "ora1 is the cause", "path": "erp\nora1", "evidence": "ora1:1521 refused"}
    messages = messages_of(incident, event, diagnosis=notes, targets=targets, source="/btimd", sla=(), now=now)
    await journal.write_incident(IncidentWrite(incident, (event,), tuple(messages), {}))
    return incident


class Post:
    """A journal, the targets of some settings, and a courier between them."""

    def __init__(self, folder: Path, clock: Clock | None = None, **settings: Any) -> None:
        self.clock = clock or SystemClock()
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.settings = ItsmSettings(**settings)
        self.names = [name for _, name in self.settings.target_names()]
        self.metrics = Metrics()
        self.dead: list[tuple[str, str]] = []
        self.courier: Courier
        self.targets: list[Target] = []

    @asynccontextmanager
    async def open(self, *, run: bool = True) -> AsyncIterator["Post"]:
        self.journal.open()
        self.targets = targets_of(self.settings, self.journal, self.clock)
        self.courier = Courier(
            journal=self.journal,
            targets=self.targets,
            rules=self.settings.delivery_rules(),
            metrics=self.metrics,
            clock=self.clock,
            log=Log("itsm"),
            chance=random.Random(3),
            on_dead=lambda message, error: self.dead.append((message.id, error)),
        )
        await self.courier.start()
        running = asyncio.create_task(self.courier.run()) if run else None
        try:
            yield self
        finally:
            if running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            await self.courier.stop()
            await asyncio.to_thread(self.journal.close)

    async def tell(self, incident_id: str, *numbers: int, steps: Sequence[Any] = STEPS) -> None:
        for number in numbers:
            await happen(self.journal, self.names, incident_id, number, now=self.clock.wall(), steps=steps)
        self.courier.wake()

    async def until_delivered(self, *, within: float = PATIENCE_SECONDS, dead: int = 0) -> None:
        async with asyncio.timeout(within):
            while True:
                depth = await self.journal.outbox_depth()
                if not depth["pending"] and not depth["inflight"] and depth["dead"] == dead:
                    return
                await asyncio.sleep(0.02)
