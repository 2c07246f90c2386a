import asyncio
from pathlib import Path

import pytest

from btimd.api.calls_persons import person_sources, persons
from btimd.api.client import CallFailedError, Client, Page
from tests.api.persons import serving_persons
from tests.fakes.persons import BINDINGS, SOURCES, FakePersons


async def test_what_is_served_arrives_as_model_objects(tmp_path: Path) -> None:
    async with serving_persons(tmp_path, FakePersons()) as (server, token):
        with Client(server, token=token) as client:
            assert await asyncio.to_thread(persons, client, "anna") == Page([BINDINGS[0]], more=False)
            assert await asyncio.to_thread(person_sources, client) == Page(list(SOURCES), more=False)
        with Client(server) as nobody:
            assert await asyncio.to_thread(person_sources, nobody) == Page(list(SOURCES), more=False)
            with pytest.raises(CallFailedError, match="needs a token"):
                await asyncio.to_thread(persons, nobody)
