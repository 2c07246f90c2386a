"""The desk answers when a report is durable, hands each on until it is dealt with, and counts what it folds."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from btimd.itsm.intake.desk import IntakeDesk, Receipt
from btimd.itsm.intake.storms import StormRules
from btimd.model.report import (
    IntakeBusyError,
    Report,
    ReportChannel,
    ReportSignal,
    ReportState,
    StoredReport,
    report_id,
)
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import SqliteJournal
from btimd.store.reports import ReportTable
from tests.patience import PATIENCE_SECONDS


def report(key: str, cause: str = "disk", signal: ReportSignal = ReportSignal.PROBLEM) -> Report:
    return Report(
        id=report_id(ReportChannel.EMAIL, key), channel=ReportChannel.EMAIL, source="mon@example.net", reporter="",
        received_at=1.0, key=key, signal=signal, title=cause, text=cause, fingerprint=cause,
    )  # fmt: skip


@dataclass
class Engine:
    """Opens an incident per fingerprint."""

    seen: list[Report] = field(default_factory=list)
    failing: Sequence[str] = ()

    async def on_report(self, one: Report) -> str:
        await asyncio.sleep(0)
        if one.key in self.failing:
            raise RuntimeError("no")
        self.seen.append(one)
        return f"INC-{one.fingerprint}"


@dataclass
class Bench:
    journal: SqliteJournal
    store: ReportTable
    engine: Engine
    metrics: Metrics
    clock: ManualClock

    def desk(self, within: float = PATIENCE_SECONDS, keep: float | None = None) -> IntakeDesk:
        return IntakeDesk(
            store=self.store, on_report=self.engine.on_report, rules=StormRules(), metrics=self.metrics,
            clock=self.clock, log=Log("test"), within_seconds=within, keep_seconds=keep, pause_seconds=0.001,
        )  # fmt: skip


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    yield Bench(journal, ReportTable(journal.run), Engine(), Metrics(), ManualClock())
    await asyncio.to_thread(journal.close)


async def test_a_report_is_kept_handed_on_once_and_found_with_its_incident(bench: Bench) -> None:
    desk = bench.desk()
    receipt = await desk.take(report("a"))
    assert receipt == Receipt(report("a").id, is_new=True)
    await desk.flush()
    assert bench.engine.seen == [report("a")]
    assert await bench.store.of_incident("INC-disk", 10) == [StoredReport(report("a"), ReportState.HANDED, "INC-disk")]


async def test_the_same_report_is_answered_as_the_first_also_by_another_process(bench: Bench) -> None:
    desk = bench.desk()
    await desk.take(report("a"))
    await desk.flush()
    assert (await desk.take(report("a"))).incident_id == "INC-disk"
    later = await bench.desk().take(report("a"))
    assert later == Receipt(report("a").id, is_new=False, incident_id="INC-disk")
    assert bench.metrics.value("btimd_intake_repeated_total", {"channel": "email"}) == 2.0
    assert len(bench.engine.seen) == 1


async def test_whoever_waits_is_told_the_incident(bench: Bench) -> None:
    desk = bench.desk()
    running = asyncio.create_task(desk.run())
    assert (await desk.take(report("a"), wait=True)).incident_id == "INC-disk"
    assert (await desk.take(report("a"), wait=True)).incident_id == "INC-disk"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.slow
async def test_ten_thousand_reports_of_one_cause_are_one_incident_with_their_count_and_all_are_kept(
    bench: Bench,
) -> None:
    desk = bench.desk()
    for start in range(0, 10_000, 1000):
        await asyncio.gather(*(desk.take(report(f"k{number}")) for number in range(start, start + 1000)))
        bench.clock.advance(5.0)
    bench.clock.advance(60.0)
    await desk.flush()
    assert {one.fingerprint for one in bench.engine.seen} == {"disk"}
    assert [one.count for one in bench.engine.seen] == [1, 9_999]
    assert len([one for one in await bench.store.newest(20_000) if not one.report.is_summary]) == 10_000
    assert bench.metrics.value("btimd_intake_reports_total", {"channel": "email", "as": "repeat"}) == 9_999.0
    assert bench.metrics.value("btimd_intake_stood_for_total") == 10_000.0


async def test_what_was_folded_when_the_process_ended_is_summed_up_by_the_next(bench: Bench) -> None:
    first = bench.desk()
    for key in "abcd":
        await first.take(report(key))
    second = bench.desk()
    await second._recover()
    await second.flush()
    assert [(one.count, one.signal) for one in bench.engine.seen] == [(1, "problem"), (3, "info")]
    assert await bench.store.unsummed() == []


async def test_a_report_that_cannot_be_dealt_with_stops_no_other_and_is_tried_again_every_hour(bench: Bench) -> None:
    desk = bench.desk()
    bench.engine.failing = ["bad"]
    await desk.take(report("bad", "x"))
    await desk.take(report("good", "y"))
    for _ in range(10):
        await desk.flush()
        bench.clock.advance(10.0)
    assert [one.key for one in bench.engine.seen] == ["good"]
    assert bench.metrics.value("btimd_intake_failures_total") == 8.0
    assert bench.metrics.value("btimd_intake_stuck") == 1.0
    bench.engine.failing = []
    await desk._tidy(0.0)
    await desk.flush()
    assert [one.key for one in bench.engine.seen] == ["good", "bad"]
    assert bench.metrics.value("btimd_intake_stuck") == 0.0


async def test_a_clear_never_goes_before_its_problem(bench: Bench) -> None:
    desk = bench.desk()
    bench.engine.failing = ["bad"]
    await desk.take(report("bad"))
    await desk.take(report("clear", signal=ReportSignal.CLEAR))
    await desk.take(report("other", "x"))
    await desk.flush()
    bench.engine.failing = []
    bench.clock.advance(10.0)
    await desk.flush()
    assert [one.key for one in bench.engine.seen] == ["other", "bad", "clear"]


async def test_where_nothing_can_be_dealt_with_the_rest_waits_and_is_handed_on_later_in_order(bench: Bench) -> None:
    desk = bench.desk()
    keys = [f"k{number:02}" for number in range(30)]
    bench.engine.failing = keys
    for key in keys:
        await desk.take(report(key, key))
    await desk.flush()
    assert bench.metrics.value("btimd_intake_failures_total") == 10.0
    bench.engine.failing = []
    bench.clock.advance(10.0)
    await desk.flush()
    assert [one.key for one in bench.engine.seen] == keys


async def test_a_slow_disk_lets_the_sender_come_again_and_the_report_is_kept_once(bench: Bench) -> None:
    gate = threading.Event()
    blocked = asyncio.create_task(bench.journal.run(lambda _: gate.wait(PATIENCE_SECONDS)))
    await asyncio.sleep(0)
    desk = bench.desk(within=0.01)
    with pytest.raises(IntakeBusyError, match=r"the disk took more than 0.01 s"):
        await desk.take(report("a"))
    gate.set()
    await blocked
    assert bench.metrics.value("btimd_intake_busy_total", {"channel": "email"}) == 1.0
    await bench.desk().take(report("a"))
    assert len(await bench.store.newest(10)) == 1


async def test_old_reports_are_forgotten_only_after_they_were_dealt_with(bench: Bench) -> None:
    desk = bench.desk(keep=60.0)
    await desk.take(report("a", "x"))
    await desk.flush()
    await desk.take(report("b", "y"))
    await desk._tidy(1000.0)
    assert [one.report.key for one in await bench.store.newest(10)] == ["b"]
