"""Tests of counting who is on line."""

from collections.abc import Sequence

from typing_extensions import override

from btimd.daemon.usercounts import user_thresholds, users_on_line
from btimd.daemon.viewfigures import UserCount
from btimd.model.ports import Exporter, SpanInterface
from btimd.model.service import BusinessService
from btimd.model.users import UserCount as Counts
from tests.fakes.views import FakeFlows


class NoFlows(FakeFlows):
    @override
    def exporters(self) -> list[Exporter]:
        return []

    @override
    def spans(self) -> list[SpanInterface]:
        return []


class Counted(FakeFlows):
    @override
    def user_counts(self, **_: object) -> Sequence[Counts]:
        return [
            Counts("erp", "north", "", "", active=2, idle=0, gone=1, persons=0, octets=9, octets_per_second=1.0),
            Counts("erp", "", "", "", active=0, idle=1, gone=0, persons=0, octets=9, octets_per_second=1.0),
            Counts("", "north", "", "", active=5, idle=0, gone=0, persons=0, octets=9, octets_per_second=1.0),
        ]


def test_users_are_counted_by_business_and_region() -> None:
    assert users_on_line(Counted(), ("erp", "hr")) == {
        "erp": [UserCount("north", 2, 0), UserCount("", 0, 1)],
        "hr": [],
    }


def test_businesses_that_say_when_users_are_idle_have_times_of_their_own() -> None:
    businesses = {
        "erp": BusinessService("erp", "ERP", user_active_seconds=30.0),
        "hr": BusinessService("hr", "HR"),
        "batch": BusinessService("batch", "Batch", user_idle_seconds=7200.0),
    }

    assert user_thresholds(businesses, 60.0, 600.0) == {"erp": (30.0, 600.0), "batch": (60.0, 7200.0)}


def test_without_flows_nobody_knows() -> None:
    assert users_on_line(NoFlows(), ("erp",)) is None
