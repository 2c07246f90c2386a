import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt
import pytest

from btimd.flows.component import FlowPipeline, warm
from btimd.flows.duplicates import DuplicateLimits, Duplicates
from btimd.flows.history import Closed, History
from btimd.flows.plan import PlanEntry
from btimd.flows.qualityfeed import QualityHistory
from btimd.flows.qualityrows import QualityInterval
from btimd.flows.settings import FlowSettings
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch, RecordQuality
from btimd.model.packets import SpanTraffic
from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import Exporter, RefusedExporter
from btimd.model.users import PersonLookup
from btimd.model.window import WindowBatch
from btimd.runtime.channel import Channel
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.flows.connections import counted, span, took
from tests.flows.traffic import ERP, NOBODY, SHARED, T0, WEST, attribution, cells, flow, stamps
from tests.patience import PATIENCE_SECONDS

REFUSED = RefusedExporter("203.0.113.9", 17, T0)
QUERY = SeriesQuery("btimd_traffic", ("octets_to_server",), 0, 1)


class Series:
    """A series store in memory."""

    def __init__(self) -> None:
        self.blocks: list[PointBlock] = []

    def write(self, block: PointBlock) -> None:
        self.blocks.append(block)

    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        assert query is QUERY
        return [SeriesRow(0, (), (float(len(self.blocks)),))]


def block(number: int) -> DatagramBlock:
    """Return a block whose only datagram has the source port `number`."""
    halves = np.zeros(1, np.uint64)
    times = np.full(1, T0, np.int64)
    return DatagramBlock(
        np.zeros(0, np.uint8), np.zeros(2, np.int64), halves, halves, np.full(1, number, np.uint16), times
    )


class Bench:
    """A pipeline whose decoder answers block n with the n-th batch."""

    def __init__(
        self,
        batches: Sequence[FlowBatch],
        settings: FlowSettings,
        *,
        series: bool,
        duplicates: bool = False,
        packets: bool = False,
        thresholds: Mapping[str, tuple[float, float]] | None = None,
        persons: PersonLookup | None = None,
    ) -> None:
        self.packets = Channel[SpanTraffic](8) if packets else None
        self.batches = batches
        self.clock = ManualClock(now=T0 / 1000)
        self.metrics = Metrics()
        self.channel = Channel[DatagramBlock](64)
        self.series = Series() if series else None
        self.exports: list[tuple[int, int]] = []
        self.exporters: tuple[Exporter, ...] = ()
        self.pipeline = FlowPipeline(
            settings=settings,
            source=self.channel,
            decode=self.decode,
            exporters=lambda: self.exporters,
            attribution=attribution(),
            series=self.series,
            metrics=self.metrics,
            clock=self.clock,
            log=Log("flows"),
            duplicates=Duplicates(DuplicateLimits("on")) if duplicates else None,
            export_counts=lambda: np.array(self.exports, np.int64).reshape(-1, 2),
            refused_exporters=lambda: (REFUSED,),
            packet_source=self.packets,
            thresholds=thresholds,
            persons=lambda: persons,
        )
        self.emitted: list[WindowBatch] = []
        self.quality: list[QualityInterval] = []
        self.hand_to(self.note)
        setattr(self.pipeline._quality_history, "publish", self.note_quality)  # noqa: B010  a method of one object

    def hand_to(self, publish: Callable[[Closed], None]) -> None:
        """Let the history be another one: nobody else is told of every batch."""
        setattr(self.pipeline._history, "publish", publish)  # noqa: B010  a method of one object

    def note(self, closed: Closed) -> None:
        History.publish(self.pipeline._history, closed)
        self.emitted.append(closed.batch)

    def note_quality(self, interval: QualityInterval) -> None:
        QualityHistory.publish(self.pipeline._quality_history, interval)
        self.quality.append(interval)

    def decode(self, datagrams: DatagramBlock) -> FlowBatch:
        number = int(datagrams.source_port[0])
        if number >= len(self.batches):
            raise IndexError(f"no batch {number}")
        return self.batches[number]

    def feed(self, *numbers: int) -> None:
        for number in numbers:
            self.channel.put(block(number))

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reached():  # noqa: ASYNC110  the flow thread has no event to wait for
                await asyncio.sleep(0.001)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.value(f"btimd_flows_{name}", labels)


@pytest.fixture(scope="module", autouse=True)
def _kernels() -> None:
    """Compile before the thread starts, as the daemon does."""
    warm()


SMALL = FlowSettings(max_users=1024, max_cells=64)


@asynccontextmanager
async def running(
    *batches: FlowBatch,
    settings: FlowSettings = SMALL,
    series: bool = True,
    duplicates: bool = False,
    packets: bool = False,
    thresholds: Mapping[str, tuple[float, float]] | None = None,
    persons: PersonLookup | None = None,
) -> AsyncIterator[Bench]:
    bench = Bench(
        batches, settings, series=series, duplicates=duplicates, packets=packets, thresholds=thresholds, persons=persons
    )
    await bench.pipeline.start()
    try:
        yield bench
    finally:
        await bench.pipeline.stop()


async def test_datagrams_become_windows_points_and_rows_and_the_rest_comes_at_the_end() -> None:
    async with running(flow("10.1.0.1"), flow("10.1.0.1", NOBODY, start=20_000)) as bench:
        watch = bench.pipeline.watch_windows(interval_milliseconds=10_000)
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 1)
        bench.clock.advance(20)
        await bench.until(lambda: bool(bench.emitted))
        assert stamps(bench.emitted) == [(0, 10, 0)]
        assert cells(bench.emitted[0]) == [("erp", "east", 1000, 0, 10, 1, 1, True, False)]
        rows = bench.pipeline.windows(interval_milliseconds=10_000, business="erp", limit=5)
        assert rows == list(bench.emitted[0].rows())
        assert await anext(watch.changes()) == rows
        watch.close()
        bench.feed(1)
        await bench.pipeline.stop()
        assert stamps(bench.emitted[1:]) == [(20, 10, 0), (0, 60, 0)]
        assert bench.series is not None
        assert [len(points) for points in bench.series.blocks] == [len(batch) for batch in bench.emitted]
        assert (bench.count("records_total"), bench.count("unattributed_records_total")) == (2, 1)
        assert await bench.pipeline.history(QUERY) == [SeriesRow(0, (), (3.0,))]


async def test_a_failing_block_costs_itself_a_counter_and_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    async with running(flow("10.1.0.1")) as bench:
        with caplog.at_level(logging.ERROR, logger="btimd.flows"):
            bench.feed(7, 7, 7, 0)
            await bench.until(lambda: bench.count("records_total") == 1)
        assert bench.count("failed_blocks_total") == 3
        assert [record.getMessage() for record in caplog.records] == ["flow-block-failed more_since_last_line=0"]
        assert bench.pipeline.health().level is HealthLevel.WARNING
        bench.clock.advance(61)
        await bench.until(lambda: bench.pipeline.health() == ComponentHealth())


async def test_a_failing_listener_does_not_stop_traffic() -> None:
    async with running(flow("10.1.0.1")) as bench:
        bench.hand_to(_fail)
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 1)
        bench.clock.advance(20)
        await bench.until(lambda: bench.count("failed_blocks_total") == 1)
        assert bench.series is not None
        assert len(bench.series.blocks) == 1
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 2)


async def test_captured_packets_become_windows_and_quality_beside_datagrams() -> None:
    async with running(flow("10.2.0.1"), packets=True) as bench:
        assert bench.packets is not None
        told = (counted(connections_attempted=3), took("response", 0.2))
        bench.packets.put(span(*told, flows=flow("10.1.0.1"), packets=9, lost=1))
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 2 and bench.count("quality_records_total") == 1)
        watch = bench.pipeline.watch_quality(interval_milliseconds=10_000)
        bench.clock.advance(13)
        await bench.until(lambda: bool(bench.quality))
        rows = bench.pipeline.quality(interval_milliseconds=10_000, business="erp", group_by=("server",), limit=9)
        assert [(row.server, row.connections_attempted, row.response.count) for row in rows] == [
            ("172.16.0.10:443", 3, 1)
        ]
        assert [row.business for row in await anext(watch.changes())] == ["erp"]
        bench.packets.put(span(counted(at=10_000, requests=1), flows=flow("10.1.0.1", start=10_000)))
        bench.packets.put(span(counted(at=10_000, requests=1), flows=flow("10.1.0.1", start=10_000)))
        await bench.pipeline.stop()
        assert [line[2] for line in cells(bench.emitted[0])] == [1000, 1000]
        assert (bench.count("records_total"), bench.count("quality_records_total")) == (4, 3)
        assert [row.requests for interval in bench.quality for row in interval.rows] == [0, 2, 2]
        assert bench.series is not None
        assert [one.measurement for one in bench.series.blocks].count("btimd_quality") == 3
        assert bench.packets.closed


async def test_captured_packets_that_another_point_reported_first_count_once() -> None:
    there = flow("10.1.0.1")
    there = FlowBatch({**there.columns, "exporter_id": np.array([1], np.int32)})
    async with running(flow("10.1.0.1"), duplicates=True, packets=True) as bench:
        assert bench.packets is not None
        bench.packets.put(span(flows=there, point=1))
        await bench.until(lambda: bench.count("records_total") == 1)
        bench.feed(0)  # from here on there are two points, and this one told of the flow first
        await bench.until(lambda: bench.count("records_total") == 2)
        bench.packets.put(span(flows=there, point=1))
        await bench.until(lambda: bench.count("duplicate_records_total") == 1)


async def test_packets_wake_the_thread_though_no_datagram_comes_and_datagrams_though_no_packets_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("btimd.flows.component._WAIT_SECONDS", 3600.0)
    async with running(flow("10.1.0.1"), packets=True) as bench:
        assert bench.packets is not None
        for at in range(20):
            bench.packets.put(span(counted(requests=1)))
            await bench.until(lambda at=at: bench.count("quality_records_total") == at + 1)  # type: ignore[misc]  # bound now
            bench.feed(0)
            await bench.until(lambda at=at: bench.count("records_total") == at + 1)  # type: ignore[misc]  # bound now


async def test_a_failing_harvest_costs_itself_and_no_datagrams() -> None:
    async with running(flow("10.1.0.1"), packets=True) as bench:
        assert bench.packets is not None
        setattr(bench.pipeline._quality, "add", _refuse)  # noqa: B010  a method of one object
        bench.packets.put(span(flows=flow("10.1.0.1")))
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 2)
        await bench.until(lambda: bench.count("failed_blocks_total") == 1)


async def test_quality_goes_over_to_new_plan_and_rules() -> None:
    async with running(packets=True) as bench:
        assert bench.packets is not None
        bench.packets.put(span(counted(connections_attempted=1)))
        await bench.until(lambda: bench.count("quality_records_total") == 1)
        bench.pipeline.swap(attribution(WEST, businesses=("erp",), generation=2, rules=1))
        bench.packets.put(span(counted(connections_attempted=2)))
        await bench.pipeline.stop()
        assert [(row.region, row.connections_attempted) for row in bench.quality[0].rows] == [("", 2), ("east", 1)]


async def test_new_plan_and_rules_hold_from_the_next_block_on_and_for_explanations_at_once() -> None:
    async with running(flow("10.1.0.1", SHARED), flow("10.2.0.1")) as bench:
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 1)
        assert bench.pipeline.explain("10.1.0.1", SHARED, 5432, 6).rule_id == "shared"
        bench.pipeline.swap(attribution(WEST, businesses=("erp",), generation=2, rules=1))
        assert bench.pipeline.explain("10.1.0.1", SHARED, 5432, 6).rule_id == ""
        bench.feed(1)
        await bench.pipeline.stop()
        assert [line[:3] for line in cells(bench.emitted[0])] == [
            ("erp", "west", 1000),
            ("erp", "east", 1000),
            ("hr", "east", 1000),
        ]


async def test_users_are_those_of_the_table() -> None:
    async with running(flow("10.1.0.1"), flow("10.2.0.1", start=5_000)) as bench:
        bench.feed(0, 1)
        await bench.until(lambda: bench.count("records_total") == 2)
        bench.clock.advance(61)
        found = bench.pipeline.users(business="erp", limit=5)
        assert [(user.address, user.state) for user in found] == [("10.2.0.1", "active"), ("10.1.0.1", "idle")]
        assert bench.count("users_entries") == 2


class Lease:
    """One lease: of 10.2.0.1."""

    persons = ("Zhang",)

    def find(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        assert not address_hi.any()
        return np.where(address_lo == 0xFFFF0A020001, 0, -1).astype(np.int32)

    def sources(self, _: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> list[str]:
        return ["dhcp"] * len(address_lo)


async def test_users_have_the_times_of_their_business_and_the_person_of_the_lease_and_count_once() -> None:
    batches = [flow("10.1.0.1", SHARED), flow("10.2.0.1", start=5_000), flow("10.1.0.9", NOBODY)]
    async with running(*batches, thresholds={"hr": (5.0, 10.0)}, persons=Lease()) as bench:
        bench.feed(0, 1, 2)
        await bench.until(lambda: bench.count("records_total") == 3)
        bench.clock.advance(8)
        found = bench.pipeline.users(limit=5)
        assert [(user.address, user.business, user.person, user.person_source, user.state) for user in found] == [
            ("10.2.0.1", "erp", "Zhang", "dhcp", "active"), ("10.1.0.1", "erp", "Wang", "", "active"),
            ("10.1.0.1", "hr", "Wang", "", "idle"),
        ]  # fmt: skip
        assert [user.address for user in bench.pipeline.users(person="Zhang", order="octets", limit=5)] == ["10.2.0.1"]
        counts = bench.pipeline.user_counts(business=None, group_by=("region",))
        assert [(row.region, row.active, row.idle, row.persons) for row in counts] == [
            ("east", 1, 0, 1),
            ("west", 1, 0, 1),
        ]
        assert len(bench.pipeline.user_counts(business="erp", group_by=("person",), limit=1)) == 1
        bench.pipeline.set_thresholds({})
        assert {user.state for user in bench.pipeline.users(business="hr", limit=5)} == {"active"}
        clients = bench.pipeline.clients()
        assert sorted(clients.business_id.tolist()) == [-1, 0, 0, 1]


async def test_a_watcher_is_told_of_every_row_a_few_at_a_time() -> None:
    async with running(flow("10.1.0.1"), flow("10.2.0.1", SHARED)) as bench:
        subscription = bench.pipeline.watch_windows(interval_milliseconds=10_000)
        changes = subscription.changes()
        bench.feed(0, 1)
        await bench.until(lambda: bench.count("records_total") == 2)
        bench.clock.advance(20)
        rows = [*await asyncio.wait_for(anext(changes), PATIENCE_SECONDS)]
        assert [(row.business, row.region) for row in rows] == [("erp", "east"), ("erp", "west"), ("hr", "west")]
        subscription.close()


async def test_everything_that_is_lost_moves_its_counter() -> None:
    users = [flow(f"10.1.{host >> 8}.{host & 255}") for host in range(1025)]
    old, future = flow("10.1.0.1", start=-2_000_000, octets=5), flow("10.1.0.1", start=75_000, octets=6)
    batch = FlowBatch.concat([*users, old, future])
    settings = FlowSettings(max_users=1024, max_cells=16)
    async with running(batch, flow("10.1.0.1", start=3_600_000), flow("10.1.0.1"), settings=settings) as bench:
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 1027)
        bench.clock.advance(3_600)
        bench.feed(1)
        await bench.until(lambda: bench.count("evicted_users_total") > 0)
        bench.clock.advance(-3_600)
        bench.feed(2)
        await bench.until(lambda: bench.count("window_restarts_total") == 1)
        assert bench.count("late_records_total", interval="10s") == 1
        assert bench.count("late_octets_total", interval="60s") == 5
        assert bench.count("future_records_total") == 1
        assert bench.count("future_octets_total") == 6
        assert bench.count("refused_users_total") == 1


async def test_places_without_a_cell_move_their_counter() -> None:
    places = [PlanEntry(f"10.{number}.0.0/16", f"region {number}", "", "", number) for number in range(20)]
    async with running(FlowBatch.concat([flow(f"10.{number}.0.1") for number in range(20)]),
                       settings=FlowSettings(max_users=1024, max_cells=16)) as bench:  # fmt: skip
        bench.pipeline.swap(attribution(*places, generation=2))
        bench.feed(0)
        await bench.until(lambda: bench.count("cell_overflows_total") == 7)


async def test_what_exporters_lost_is_told_with_the_traffic_of_the_interval() -> None:
    async with running(flow("10.1.0.1"), flow("10.2.0.1", start=20_000)) as bench:
        bench.exports = [(90, 10)]
        bench.feed(0)
        await bench.until(lambda: bench.count("records_total") == 1)
        bench.clock.advance(20)
        await bench.until(lambda: bool(bench.emitted))
        bench.exports = [(190, -1)]
        bench.feed(1)
        await bench.until(lambda: bench.count("records_total") == 2)
        bench.clock.advance(20)
        await bench.until(lambda: len(bench.emitted) == 2)
        assert [row.export_loss_ratio for batch in bench.emitted for row in batch.rows()] == [0.1, None]


async def test_records_that_another_point_reported_first_and_those_a_device_dropped_are_left_out_and_counted() -> None:
    here, there = flow("10.1.0.1"), flow("10.1.0.1")
    there = FlowBatch({**there.columns, "exporter_id": np.array([1], np.int32)})
    lost = flow("10.1.0.1", ERP, octets=77)
    lost = FlowBatch({**lost.columns, "record_quality": np.array([RecordQuality.DROPPED], np.uint16)})
    async with running(FlowBatch.concat([here, there]), lost, duplicates=True) as bench:
        bench.exports = [(1, 0), (1, 0)]
        bench.exporters = tuple(Exporter(one, f"192.0.2.{one}", 9, (0,), 1, 1, 0, 1, 1, T0, T0) for one in (0, 1))
        bench.feed(0, 1)
        await bench.pipeline.stop()
        assert [one.duplicates for one in bench.pipeline.exporters()] == [0, 1]
        assert [line[2] for line in cells(bench.emitted[0])] == [1000]
        assert (bench.count("duplicate_records_total"), bench.count("duplicate_octets_total")) == (1, 1000)
        assert (bench.count("duplicates_refused_total"), bench.count("sampled_twice_records_total")) == (0, 0)
        assert bench.count("duplicates_everything") == 1
        assert bench.count("dropped_by_devices_records_total") == 1


async def test_what_is_to_be_done_between_blocks_is_done_on_the_flow_thread() -> None:
    done: list[str] = []
    async with running(flow("10.1.0.1")) as bench:
        bench.pipeline.between_blocks(lambda: done.append(threading.current_thread().name))
        await bench.until(lambda: bool(done))
    assert done == ["flow-1"]


async def test_who_was_refused_is_told_and_nobody_where_nobody_knows() -> None:
    bench = Bench([], SMALL, series=False)
    assert bench.pipeline.refused_exporters() == (REFUSED,)
    bench.pipeline._refused_exporters = None
    assert bench.pipeline.refused_exporters() == ()


async def test_health_tells_a_thread_that_does_not_run_and_one_that_stands_still() -> None:
    async with running() as bench:
        await bench.until(lambda: bench.pipeline.health() == ComponentHealth())
        with bench.pipeline._guard:
            bench.feed(0)
            await bench.until(lambda: len(bench.channel) == 0)
            bench.clock.advance(11)
            assert bench.pipeline.health() == ComponentHealth(HealthLevel.ERROR, "the flow thread stands still for 11s")
        await bench.until(lambda: bench.pipeline.health().level is HealthLevel.WARNING)
        await bench.pipeline.stop()
        assert bench.pipeline.health() == ComponentHealth(HealthLevel.ERROR, "the flow thread does not run")


async def test_stop_may_be_called_twice_and_before_start_and_run_ends_with_the_thread() -> None:
    bench = Bench([], SMALL, series=False)
    await bench.pipeline.stop()
    with pytest.raises(RuntimeError, match="flows was not started; call start first"):
        await bench.pipeline.run()
    await bench.pipeline.start()
    run = asyncio.create_task(bench.pipeline.run())
    await asyncio.sleep(0)
    await bench.pipeline.stop()
    await bench.pipeline.stop()
    await run
    assert await bench.pipeline.history(QUERY) == ()
    assert bench.pipeline.exporters() == ()
    assert bench.pipeline.name == "flows"


async def test_a_thread_that_dies_is_told_by_run_and_can_be_started_again() -> None:
    bench = Bench([flow("10.1.0.1")], SMALL, series=False)
    good, bench.pipeline._decode = bench.pipeline._decode, _exit
    await bench.pipeline.start()
    bench.feed(0)
    with pytest.raises(KeyboardInterrupt):
        await bench.pipeline.run()
    await bench.pipeline.stop()
    bench.pipeline._decode = good
    await bench.pipeline.start()
    bench.feed(0)
    await bench.pipeline.stop()
    assert stamps(bench.emitted) == [(0, 10, 0), (0, 60, 0)]


def _fail(_: Closed) -> None:
    raise ValueError("no")


def _refuse(_traffic: SpanTraffic, _now: int) -> None:
    raise ValueError("no")


def _exit(_: DatagramBlock) -> FlowBatch:
    raise KeyboardInterrupt
