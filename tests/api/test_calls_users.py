import asyncio

from btimd.api.calls_users import count_users, find_users
from btimd.api.client import Page
from btimd.model.users import UserQuery
from tests.api.conftest import Served
from tests.fakes.views import USER, USER_COUNT


async def test_users_and_counts_come_as_they_are_known(served: Served) -> None:
    with served.client() as client:
        users = await asyncio.to_thread(find_users, client, UserQuery())
        counts = await asyncio.to_thread(count_users, client)

    assert (users, counts) == (Page([USER], more=False), Page([USER_COUNT], more=False))
