"""Restarts with growing pauses, and giving up."""

import asyncio

import pytest
from typing_extensions import override

from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.runtime.supervisor import RestartPolicy, Supervisor


class Failing:
    """Fails a number of times, then ends; writes down what happened to it."""

    name = "failing"

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.story: list[str] = []

    async def start(self) -> None:
        self.story.append("start")

    async def run(self) -> None:
        self.story.append("run")
        if self.failures:
            self.failures -= 1
            raise OSError("no luck")

    async def stop(self) -> None:
        self.story.append("stop")

    def health(self) -> ComponentHealth:
        return ComponentHealth()


def supervisor(metrics: Metrics) -> Supervisor:
    policy = RestartPolicy(first_pause_seconds=0.0, failures=2)
    return Supervisor(ManualClock(), metrics, Log("test"), policy)


async def test_a_component_that_fails_is_stopped_and_started_again() -> None:
    component, metrics = Failing(2), Metrics()

    await supervisor(metrics).supervise(component)

    assert component.story == ["run", "stop", "start", "run", "stop", "start", "run"]
    assert metrics.value("btimd_runtime_restarts_total", {"component": "failing"}) == 2


async def test_a_component_that_keeps_failing_ends_with_its_error() -> None:
    component = Failing(99)

    with pytest.raises(OSError, match="no luck"):
        await supervisor(Metrics()).supervise(component)
    assert component.story.count("run") == 3


async def test_a_component_without_a_second_chance_ends_at_once() -> None:
    component = Failing(1)

    with pytest.raises(OSError, match="no luck"):
        await supervisor(Metrics()).supervise(component, restart=False)
    assert component.story == ["run"]


class FailsWhenItEnds(Failing):
    """A component of several tasks: where one of them fails as all are cancelled, their group tells the failure only."""

    def __init__(self) -> None:
        super().__init__(0)
        self.begun = asyncio.Event()

    @override
    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.part())
            self.story.append("run")
            self.begun.set()

    async def part(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the disk is full")


async def test_a_component_that_fails_as_it_is_cancelled_is_not_started_again() -> None:
    component, metrics = FailsWhenItEnds(), Metrics()
    work = asyncio.create_task(supervisor(metrics).supervise(component))
    await component.begun.wait()
    await asyncio.sleep(0)
    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert component.story == ["run"]
    assert metrics.value("btimd_runtime_restarts_total", {"component": "failing"}) == 0
