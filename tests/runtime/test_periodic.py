"""Tests of what is done again and again."""

import asyncio

import pytest

from btimd.runtime.periodic import Periodic
from tests.patience import PATIENCE_SECONDS


async def test_the_action_is_done_again_until_it_is_cancelled() -> None:
    done = asyncio.Event()
    times: list[int] = []

    async def action() -> None:
        times.append(len(times))
        if len(times) == 3:
            done.set()

    periodic = Periodic("look", 0.001, action)
    await periodic.start()
    running = asyncio.create_task(periodic.run())
    await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
    running.cancel()
    await asyncio.wait([running])
    await periodic.stop()

    assert (periodic.name, times[:3], periodic.health().reason) == ("look", [0, 1, 2], "")


async def test_what_the_action_raises_is_the_supervisors() -> None:
    async def fails() -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await Periodic("look", 0.001, fails).run()
