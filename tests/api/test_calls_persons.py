import asyncio

import pytest

from btimd.api.calls_persons import person_sources, persons
from btimd.api.client import CallFailedError, Page
from tests.api.conftest import Served
from tests.fakes.persons import BINDINGS, SOURCES


async def test_what_is_served_arrives_as_model_objects(served: Served) -> None:
    with served.client() as client:
        assert await asyncio.to_thread(persons, client, "anna") == Page([BINDINGS[0]], more=False)
        assert await asyncio.to_thread(person_sources, client) == Page(list(SOURCES), more=False)


async def test_more_than_may_be_asked_for_is_refused_in_words(served: Served) -> None:
    with served.client() as client, pytest.raises(CallFailedError, match="1001 is not from 0 to 1000"):
        await asyncio.to_thread(persons, client, None, 1001)
