import asyncio

import pytest

from btimd.api import calls_budget as calls
from btimd.api.client import CallFailedError, Client
from btimd.api.pb import budget_pb2 as pb
from btimd.model.budget import BudgetScope
from tests.api.conftest import Served


async def test_the_budget_is_told_as_it_is(served: Served) -> None:
    with Client(served.server) as client:
        found = await asyncio.to_thread(calls.budget, client)
        await asyncio.to_thread(calls.budget, client, BudgetScope.DEVICE, "vm", 5)
    assert found == served.budget.report
    assert served.budget.asked == [(None, "", 100), (BudgetScope.DEVICE, "vm", 5)]


@pytest.mark.parametrize(("request_", "text"), [({"scope": 99}, "scope"), ({"name": "x" * 300}, "name"), ({"limit": -1}, "limit")])  # fmt: skip
async def test_a_question_that_is_none_is_refused(served: Served, request_: dict[str, object], text: str) -> None:
    with Client(served.server) as client, pytest.raises(CallFailedError, match=text):
        await asyncio.to_thread(client.call, "GetBudget", pb.GetBudgetRequest(**request_))  # type: ignore[arg-type]
