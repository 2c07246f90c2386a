"""Tests of counting who is on line."""

from dataclasses import replace

from typing_extensions import override

from btimd.daemon.usercounts import users_on_line
from btimd.daemon.viewfigures import UserCount
from btimd.model.ports import Exporter, SpanInterface
from tests.fakes.views import USER, FakeFlows


class NoFlows(FakeFlows):
    @override
    def exporters(self) -> list[Exporter]:
        return []

    @override
    def spans(self) -> list[SpanInterface]:
        return []


def test_users_are_counted_by_region_and_state() -> None:
    flows = FakeFlows(
        people=[
            replace(USER, region=region, state=state)
            for region, state in (("north", "active"), ("north", "active"), ("north", "gone"), ("", "idle"))
        ]
    )

    assert users_on_line(flows, ("erp", "hr")) == {
        "erp": [UserCount("", 0, 1), UserCount("north", 2, 0)],
        "hr": [],
    }


def test_without_flows_nobody_knows() -> None:
    assert users_on_line(NoFlows(), ("erp",)) is None
