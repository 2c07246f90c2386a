"""The calls of PlanService are exercised against a served view in tests/api/test_plan.py; here: what they refuse."""

import pytest

from btimd.api import calls_plan
from btimd.api.client import Client


def test_an_order_that_does_not_exist_never_leaves() -> None:
    with Client("127.0.0.1:9") as client:
        with pytest.raises(KeyError, match="size"):
            calls_plan.prefix_use(client, order="size")
        with pytest.raises(KeyError, match="size"):
            calls_plan.unknown(client, order="size")
