from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.itsm.desks import Desk
from tests.itsm.receivers import Receiver


@pytest.fixture(params=["fake", "sqlite"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a desk that is not started yet."""
    made = Desk(request.param, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def receiver(desk: Desk) -> AsyncIterator[Receiver]:
    """Return a receiver that is up, and that the desk's webhook "desk" names."""
    async with Receiver(desk.clock.wall).up() as made:
        desk.add_webhook(made)
        yield made
