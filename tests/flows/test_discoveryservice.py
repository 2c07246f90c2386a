"""Discovery on request: what is read of the past, what is remembered, and what is said where there is no past."""

from collections.abc import Callable, Iterator

import pytest
from typing_extensions import override

from btimd.flows.attribution import Attribution
from btimd.flows.conversations import build_traffic
from btimd.flows.discoveryservice import NO_ARCHIVE, DiscoveryLimits, DiscoveryService, records_between
from btimd.model.conversations import Conversations, RecordSource
from btimd.model.discovery import DiscoveryUnavailableError
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import BusinessService, Node, NodeKind, ServiceGraph
from btimd.model.units import UnixMillis
from btimd.runtime.clock import ManualClock
from tests.flows.worlds_discovery import MINUTE, T0, TRUTH, attributed, attribution, world

GRAPH = ServiceGraph(
    {"erp": Node("erp", NodeKind.BUSINESS, "ERP", ("db",)), "db": Node("db", NodeKind.DATABASE, "db")},
    {"erp": BusinessService("erp", "ERP")},
)


class Past(RecordSource):
    """A past that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []

    @override
    def records(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Iterator[FlowBatch]:
        self.asked.append(("records", from_milliseconds, to_milliseconds))
        records = world(1)
        begun = records["flow_start_milliseconds"]
        yield records.select((begun >= from_milliseconds) & (begun < to_milliseconds))

    @override
    def conversations(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis, limit: int) -> Conversations:
        self.asked.append(("conversations", from_milliseconds, to_milliseconds))
        records = world(1)
        begun = records["flow_start_milliseconds"]
        batch = records.select((begun >= from_milliseconds) & (begun < to_milliseconds))
        return build_traffic(attributed(batch, attribution()), ("gone",), limit, by_evidence=False).conversations


def service(
    past: Past | None, limits: DiscoveryLimits | None = None
) -> tuple[DiscoveryService, ManualClock, Callable[[], Attribution]]:
    clock = ManualClock(now=(T0 + 120 * MINUTE) / 1000)
    found = attribution((), ("erp",))
    made = DiscoveryService(
        source=lambda: past, attribution=lambda: found, graph=lambda: GRAPH, users=lambda: {"erp": 7},
        verdicts=lambda: (), clock=clock, limits=limits,
    )  # fmt: skip
    return made, clock, lambda: found


async def test_proposals_come_with_their_patch_and_are_remembered_for_a_minute() -> None:
    past = Past()
    made, clock, _ = service(past)
    first = await made.suggest(7200.0)
    asked = len(past.asked)
    again = await made.suggest(7200.0)
    clock.advance(61.0)
    fresh = await made.suggest(7200.0)

    assert len(first.services) == len(TRUTH.services)
    assert f"[service.{first.services[3].id}]" in first.patch
    assert again is first
    assert fresh is not first
    assert len(past.asked) > asked


async def test_what_is_older_than_the_latest_records_comes_from_the_sums() -> None:
    past = Past()
    made, _, _ = service(past, DiscoveryLimits(records=1000, activity_records=1000))
    found = await made.suggest(7200.0)
    hour = T0 // 3_600_000 * 3_600_000

    assert ("conversations", T0, hour + 2 * 3_600_000) in past.asked
    assert found.records < len(world(1))
    assert {one.bins for one in found.dependencies} != {0}
    assert len(found.services) >= len(TRUTH.services) - 2


async def test_weak_spots_need_no_past() -> None:
    made, _, _ = service(None)

    assert [(one.node, one.users) for one in await made.weak_spots()] == [("db", 7)]


async def test_without_an_archive_it_is_said_what_to_do() -> None:
    made, _, _ = service(None)

    with pytest.raises(DiscoveryUnavailableError, match="switch the archive on") as told:
        await made.suggest(60.0)
    with pytest.raises(DiscoveryUnavailableError):
        await made.compare(60.0)
    assert str(told.value) == NO_ARCHIVE


async def test_model_and_traffic_are_compared() -> None:
    made, _, _ = service(Past())
    found = await made.compare(7200.0)

    assert (found.declared_edges, found.visible_edges, found.seen_edges) == (1, 0, 0)


def test_hours_are_read_from_the_latest_back_until_there_is_enough() -> None:
    past = Past()
    end = T0 + 120 * MINUTE
    read = list(records_between(past, T0, end, 1))

    assert len(read) == 1
    assert past.asked == [("records", (end - 1) // 3_600_000 * 3_600_000, end)]
