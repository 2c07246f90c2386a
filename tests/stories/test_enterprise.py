"""Real servers in network namespaces break, and a real btimd names what broke: the short form of `bench.faults`."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.enterprise.faults import FAULTS
from bench.enterprise.hosts import needed_programs
from bench.enterprise.watch import Watch
from bench.enterprise.world import Enterprise
from bench.faults import QUIET_WITHIN, run_fault
from tests.programs import need_as_root

pytestmark = [pytest.mark.net, pytest.mark.real_server, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TOLD = ("redis-killed", "certificate-expired", "record-gone", "erp-host-down", "backup-dead")


class Watched:
    """The enterprise, and the btimd that watches it."""

    def __init__(self, world: Enterprise, watch: Watch) -> None:
        self.world = world
        self.watch = watch


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched() -> AsyncIterator[Watched]:
    need_as_root(*needed_programs())
    world = Enterprise()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(world.authority))
        try:
            await asyncio.to_thread(world.start)
            async with Watch(world.configuration()) as watch:
                await watch.quiet(QUIET_WITHIN)
                yield Watched(world, watch)
        finally:
            await asyncio.to_thread(world.stop)


@pytest.mark.parametrize("name", TOLD)
async def test_what_broke_stands_first_in_the_verdict_and_all_is_quiet_when_it_is_repaired(
    watched: Watched, name: str
) -> None:
    fault = FAULTS[name]

    score = await run_fault(watched.world, watched.watch, fault)

    assert (score.said, score.place, score.wrong, score.trouble) == (fault.causes[0][0], 1, [], ""), score.evidence
