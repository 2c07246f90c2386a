import asyncio
import json
from collections.abc import Sequence
from typing import cast

import pytest

from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import Journal
from btimd.model.service import BusinessService
from btimd.model.sla import Availability, SlaState
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.sla.component import STATE_NAME, SlaComponent
from btimd.sla.settings import SlaSettings
from tests.patience import PATIENCE_SECONDS

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN


class MemoryStates:
    """The part of a journal that keeps named states."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.saved = asyncio.Event()
        self.broken = False

    async def save_state(self, name: str, value: bytes) -> None:
        if self.broken:
            raise OSError("disk full")
        self.kept[name] = value
        self.saved.set()

    async def load_state(self, name: str) -> bytes | None:
        return self.kept.get(name)


class MemorySeries:
    def __init__(self) -> None:
        self.blocks: list[PointBlock] = []

    def write(self, block: PointBlock) -> None:
        self.blocks.append(block)

    async def query(self, _: SeriesQuery) -> Sequence[SeriesRow]:
        return []


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.states = MemoryStates()
        self.series = MemorySeries()
        self.metrics = Metrics()

    def build(self, **percent: float | None) -> SlaComponent:
        return SlaComponent(
            settings=SlaSettings(),
            businesses=businesses(**percent),
            journal=cast("Journal", self.states),
            metrics=self.metrics,
            clock=self.clock,
            log=Log("sla"),
            series=self.series,
        )

    def seconds(self, sla: SlaComponent) -> dict[str, tuple[float, float]]:
        """Return up and down seconds per business."""
        return {state.target.business: (state.up_seconds, state.down_seconds) for state in sla.states()}


def businesses(**percent: float | None) -> dict[str, BusinessService]:
    return {name: BusinessService(name, name.upper(), availability_percent=own) for name, own in percent.items()}


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_business_has_its_own_target_or_the_common_one(bench: Bench) -> None:
    sla = bench.build(erp=99.9, hr=None)
    await sla.start()
    assert [(state.target.business, state.target.availability_percent) for state in sla.states()] == [
        ("erp", 99.9),
        ("hr", 99.5),
    ]


async def test_time_is_counted_between_transitions(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.start()
    sla.business_state("erp", UP, bench.clock.wall())
    bench.clock.advance(20.0)
    sla.business_state("erp", DOWN, bench.clock.wall(), cause="db1")
    bench.clock.advance(5.0)
    sla.business_state("erp", DOWN, bench.clock.wall(), incident_id="INC-1")
    assert bench.seconds(sla) == {"erp": (20.0, 5.0)}
    (outage,) = sla.states()[0].outages
    assert (outage.cause, outage.incident_id, outage.ended_at) == ("db1", "INC-1", None)


async def test_accounts_survive_a_kill_and_the_gap_is_unknown(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.start()
    sla.business_state("erp", UP, bench.clock.wall())
    bench.clock.advance(20.0)
    sla.business_state("erp", DOWN, bench.clock.wall())
    await sla.tick()
    bench.clock.advance(30.0)  # killed: no stop
    again = bench.build(erp=99.9)
    await again.start()
    assert bench.seconds(again) == {"erp": (20.0, 0.0)}
    again.business_state("erp", UP, bench.clock.wall())
    bench.clock.advance(10.0)
    (state,) = again.states()
    assert (state.up_seconds, state.down_seconds) == (30.0, 0.0)
    assert state.unknown_seconds == state.at - state.period_start - 30.0


async def test_a_stop_saves_what_was_counted_and_may_be_called_twice(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.stop()
    assert bench.states.kept == {}
    await sla.start()
    sla.business_state("erp", UP, bench.clock.wall())
    bench.clock.advance(20.0)
    await sla.stop()
    await sla.stop()
    assert bench.metrics.value("btimd_sla_saves_total") == 1
    again = bench.build(erp=99.9)
    await again.start()
    assert bench.seconds(again) == {"erp": (20.0, 0.0)}


async def test_accounts_are_saved_at_a_change_and_every_few_seconds(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.start()
    await sla.tick()
    saves = [bench.metrics.value("btimd_sla_saves_total")]
    for seconds, change in ((1.0, False), (1.0, True), (4.0, False), (1.0, False)):
        bench.clock.advance(seconds)
        if change:
            sla.business_state("erp", UP, bench.clock.wall())
        await sla.tick()
        saves.append(bench.metrics.value("btimd_sla_saves_total"))
    assert saves == [1, 1, 2, 2, 3]


async def test_silence_turns_a_business_unknown_and_tells_who_watches(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.start()
    sla.business_state("erp", UP, bench.clock.wall())
    subscription = sla.watch()
    assert [state.current for state in subscription.snapshot] == [UP]
    bench.clock.advance(61.0)
    await sla.tick()
    batch: Sequence[SlaState] = []
    async for batch in subscription.changes():  # noqa: B007  the batch is looked at below
        break
    assert [(state.current, state.up_seconds) for state in batch] == [(UNKNOWN, 60.0)]
    subscription.close()


async def test_a_point_per_business_is_written_once_a_minute(bench: Bench) -> None:
    sla = bench.build(erp=99.9, hr=None)
    await sla.start()
    sla.business_state("erp", UP, bench.clock.wall())
    await sla.tick()
    bench.clock.advance(1.0)
    await sla.tick()
    bench.clock.advance(60.0)
    await sla.tick()
    first, second = bench.series.blocks
    assert (first.measurement, first.tags) == ("btimd_sla", {"business": ["erp", "hr"]})
    assert second.time_milliseconds[0] - first.time_milliseconds[0] == 60_000
    assert first.time_milliseconds[0] % 60_000 == 0
    assert first.fields["state"].tolist() == [1, -1]
    assert second.fields["up_seconds"].tolist() == [60.0, 0.0]
    assert second.fields["target_percent"].tolist() == [99.9, 99.5]


async def test_without_a_series_store_nothing_is_written(bench: Bench) -> None:
    sla = SlaComponent(
        settings=SlaSettings(), businesses=businesses(erp=99.9), journal=cast("Journal", bench.states),
        metrics=bench.metrics, clock=bench.clock, log=Log("sla"), series=None,
    )  # fmt: skip
    await sla.start()
    await sla.tick()
    assert len(sla.states()) == 1


async def test_a_business_that_is_not_configured_is_counted(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.start()
    sla.business_state("nowhere", DOWN, bench.clock.wall())
    assert bench.metrics.value("btimd_sla_unknown_businesses_total") == 1
    assert sla.closed_months("nowhere") == ()


async def test_a_business_that_goes_and_comes_back_keeps_its_account(bench: Bench) -> None:
    sla = bench.build(erp=99.9, hr=None)
    await sla.start()
    sla.business_state("erp", UP, bench.clock.wall())
    bench.clock.advance(20.0)
    sla.swap(businesses(hr=98.0))
    assert [(state.target.business, state.target.availability_percent) for state in sla.states()] == [("hr", 98.0)]
    assert [state.target.business for state in sla.watch().snapshot] == ["hr"]
    await sla.tick()
    again = bench.build(erp=99.0, hr=None)
    bench.clock.advance(20.0)
    await again.start()
    assert bench.seconds(again) == {"erp": (20.0, 0.0), "hr": (0.0, 0.0)}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{}", b'{"version":7,"accounts":{}}', b'{"version":1,"accounts":5}'])
async def test_accounts_that_cannot_be_read_begin_anew_and_say_so(bench: Bench, body: bytes) -> None:
    bench.states.kept[STATE_NAME] = body
    sla = bench.build(erp=99.9)
    await sla.start()
    assert len(sla.states()) == 1
    assert sla.health().level is HealthLevel.WARNING
    assert bench.metrics.value("btimd_sla_damaged_accounts_total") == 1


async def test_one_damaged_account_does_not_cost_the_others(bench: Bench) -> None:
    sla = bench.build(erp=99.9, hr=None)
    await sla.start()
    sla.business_state("hr", UP, bench.clock.wall())
    bench.clock.advance(20.0)
    await sla.stop()
    document = json.loads(bench.states.kept[STATE_NAME])
    document["accounts"]["erp"]["current"] = "sideways"
    bench.states.kept[STATE_NAME] = json.dumps(document).encode()
    again = bench.build(erp=99.9, hr=None)
    await again.start()
    assert bench.seconds(again) == {"erp": (0.0, 0.0), "hr": (20.0, 0.0)}
    assert "business erp" in again.health().reason


async def test_run_saves_a_transition_at_once_and_ends_when_the_journal_fails(bench: Bench) -> None:
    sla = bench.build(erp=99.9)
    await sla.start()
    running = asyncio.create_task(sla.run())
    await asyncio.wait_for(bench.states.saved.wait(), PATIENCE_SECONDS)
    bench.states.saved.clear()
    sla.business_state("erp", DOWN, bench.clock.wall())
    await asyncio.wait_for(bench.states.saved.wait(), PATIENCE_SECONDS)
    bench.states.broken = True
    sla.business_state("erp", UP, bench.clock.wall())
    with pytest.raises(OSError, match="disk full"):
        await asyncio.wait_for(running, PATIENCE_SECONDS)
