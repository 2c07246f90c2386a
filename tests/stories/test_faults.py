"""Every fault of the laboratory: a running btimd finds it, makes one incident of it, and sees it go."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio

from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.lab.config import Webhook, write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.faults import FAULTS, Fault
from btimd.lab.receiver import WebhookReceiver
from btimd.lab.settings import LabSettings
from btimd.model.incident import Incident, IncidentState
from btimd.model.ports import Subscription
from btimd.model.sla import Availability
from btimd.model.verdict import Verdict, VerdictStatus
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

T = TypeVar("T")

UNHURRIED = 3.0
"""Servers, their users and the checks all take so many times their usual time: on a busy machine an answer that is late
by tenths of a second would look like a fault of its own."""
LABORATORY = LabSettings(
    application_patience_seconds=UNHURRIED * 1.0,
    web_patience_seconds=UNHURRIED * 1.5,
    user_patience_seconds=UNHURRIED * 4.0,
    name_patience_seconds=UNHURRIED * 1.0,
    slow_seconds=UNHURRIED * 0.7,
)


class World:
    """A laboratory with a btimd that watches it."""

    def __init__(self, enterprise: Enterprise, app: App, receiver: WebhookReceiver) -> None:
        self.enterprise = enterprise
        self.app = app
        self.receiver = receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("btimd")
    secret = "the secret of this story"
    receiver = WebhookReceiver(secret)
    await receiver.start()
    async with Enterprise(LABORATORY) as enterprise:
        write_configuration(folder, enterprise, Webhook(receiver.url, secret))
        take_time(folder / "services.toml")
        app = App(load_config(folder))
        await app.start()
        running = asyncio.create_task(app.run())
        await enterprise.start_users(app.addresses.capture[0])
        try:
            yield World(enterprise, app, receiver)
        finally:
            app.request_stop()
            await running
            await app.stop()
            await enterprise.stop()
            await receiver.stop()


def take_time(services: Path) -> None:
    """Let every check wait as much longer as the laboratory does."""

    def longer(found: re.Match[str]) -> str:
        return f'{found[1]} = "{int(found[2]) * (1 if found[3] == "ms" else 1000) * UNHURRIED:.0f}ms"'

    text = services.read_text(encoding="utf-8")
    services.write_text(re.sub(r'(timeout|slow_over) = "(\d+)(ms|s)"', longer, text), encoding="utf-8")


@pytest_asyncio.fixture(loop_scope="module")
async def quiet_world(world: World) -> AsyncIterator[World]:
    """The world while nothing is wrong with it; whatever a test did to it, the next one finds it quiet."""
    await quiet(world)
    yield world
    await world.enterprise.heal()
    await quiet(world)


async def first(subscription: Subscription[T], wanted: Callable[[T], bool], seconds: float = PATIENCE_SECONDS) -> T:
    """Return the first thing of a subscription, present or coming, that is wanted."""
    try:
        found = next((item for item in subscription.snapshot if wanted(item)), None)
        if found is not None:
            return found
        async with asyncio.timeout(seconds):
            async for batch in subscription.changes():
                for item in batch:
                    if wanted(item):
                        return item
    finally:
        subscription.close()
    raise AssertionError("the subscription ended")


async def quiet(world: World) -> None:
    """Wait until every business is seen to be well, no incident is open and all has been told of those that were."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await is_troubled(world):  # noqa: ASYNC110  several things must hold at the same time
            await asyncio.sleep(0.05)


async def is_troubled(world: World) -> bool:
    wired = world.app.wired
    return (
        bool(wired.probes.open_symptoms())
        or any(state.current is not Availability.UP for state in wired.sla.states())
        or bool(await wired.incidents.incidents(only_open=True, business=None, limit=1))
        or bool((await wired.journal.journal.outbox_depth()).get("pending", 0))
    )


@pytest.mark.timeout(6 * PATIENCE_SECONDS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
async def test_the_cause_is_found_makes_one_incident_and_resolves_when_repaired(
    quiet_world: World, fault: Fault
) -> None:
    world, wired = quiet_world, quiet_world.app.wired
    before = len(world.receiver.deliveries)
    verdicts = wired.rca.watch_diagnoses()
    incidents = wired.incidents.watch()

    await world.enterprise.inject(fault.name)
    progress = await first(verdicts, lambda progress: progress.verdict is not None)
    verdict = progress.verdict
    assert verdict is not None
    # The cause is found from the first symptom; the others join the incident as they show.
    everywhere = (verdict.id, set(fault.businesses))
    opened = await first(incidents, lambda incident: hits(incident) == everywhere)
    resolved = wired.incidents.watch()
    await world.enterprise.heal()

    seen = "\n".join(f"{one.check_id} {one.health} {one.detail}; {one.why}" for one in progress.evidence)
    assert summary(verdict) == (VerdictStatus.CAUSE_FOUND, fault.cause_node, True), seen
    last = await first(resolved, lambda incident: incident.id == opened.id and not incident.state.is_open)
    assert (last.state, hits(last)) == (IncidentState.RESOLVED, everywhere)
    told = await told_of(world, opened, before)
    began = "opened" if opened.reopen_count == 0 else "reopened"  # an earlier fault may have had the same cause
    assert (told[0], told[-1]) == (f"io.btimd.incident.{began}.v1", "io.btimd.incident.resolved.v1")
    assert (world.receiver.rejected, world.receiver.duplicates) == (0, 0)


def summary(verdict: Verdict) -> tuple[VerdictStatus, str | None, bool]:
    return verdict.status, verdict.cause, verdict.confidence > 0.5


def hits(incident: Incident) -> tuple[str, set[str]]:
    return incident.verdict_id, set(incident.assessment.businesses)


async def told_of(world: World, incident: Incident, before: int) -> list[str]:
    """Return the types of the events that arrived of an incident since, once its resolution has arrived."""
    count = before
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            deliveries = await world.receiver.wait_for(count + 1, PATIENCE_SECONDS)
            types = [one.event["type"] for one in deliveries[before:] if one.event["subject"] == incident.id]
            if types and types[-1].endswith("resolved.v1"):
                return types
            count = len(deliveries)
