"""Errands end in time with one answer, whatever their runner does."""

import asyncio
from dataclasses import dataclass

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeSpec
from btimd.probes.errands import Errands
from btimd.probes.kinds import Errand
from btimd.probes.wire.dialogue import Outcome
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from tests.probes.samples import check


@dataclass(frozen=True, slots=True)
class Walk(Errand):
    steps: int


class Walker:
    async def run(self, errand: Walk, within_seconds: float) -> Outcome:
        if errand.steps < 0:
            raise ValueError("cannot walk backwards")
        if errand.steps > 9:
            await asyncio.Event().wait()
        return Outcome(Health.GOOD, ErrorClass.NONE, f"{errand.steps} steps in {within_seconds:g} s")


@pytest.mark.parametrize(
    ("steps", "health", "error", "detail", "bugs"),
    [
        (3, Health.GOOD, ErrorClass.NONE, "3 steps in 0.05 s", 0),
        (10, Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "the probe did not end in time and was cut off", 0),
        (
            -1,
            Health.UNKNOWN,
            ErrorClass.LOCAL_FAILURE,
            "btimd failed in the probe: ValueError('cannot walk backwards')",
            1,
        ),
    ],
)
async def test_an_errand_gives_one_answer(
    steps: int, health: Health, error: ErrorClass, detail: str, bugs: int
) -> None:
    met: list[int] = []
    errands = Errands({Walk: Walker()}, SystemClock(), Log("probes"), lambda: met.append(1))
    found = await errands.run(ProbeSpec(1, check(timeout=0.05)), Walk(steps))
    assert (found.health, found.error, found.detail, len(met)) == (health, error, detail, bugs)
