"""Every object of PlanService survives the wire."""

import pytest

from btimd.api import convert_plan
from btimd.api.codec import CODECS
from btimd.flows.plantalkers import UNKNOWN_ORDERS
from btimd.flows.planuse import USE_ORDERS
from tests.fakes.planviews import CHANGE, CONFLICT, EMPTY_USE, UNEXPECTED, UNKNOWN, USE


@pytest.mark.parametrize(
    "thing", [USE, EMPTY_USE, UNKNOWN, UNEXPECTED, CONFLICT, CHANGE], ids=lambda one: type(one).__name__
)
def test_what_is_written_is_read(thing: object) -> None:
    codec = CODECS[type(thing)]

    assert codec.from_pb(codec.to_pb(thing)) == thing


def test_the_orders_are_those_that_flows_knows() -> None:
    assert [convert_plan.USE_ORDER.from_pb(number) for number in range(1, 5)] == list(USE_ORDERS)
    assert [convert_plan.UNKNOWN_ORDER.from_pb(number) for number in range(1, 3)] == list(UNKNOWN_ORDERS)
