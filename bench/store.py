"""How fast the store takes points: line protocol, spool, embedded store, journal. Run it with python."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from btimd.model.incident import (
    Impact,
    ImpactAssessment,
    Incident,
    IncidentState,
    Priority,
    Signal,
    Urgency,
)
from btimd.model.points import PointBlock, SeriesQuery
from btimd.model.ports import IncidentWrite
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.embedded import EmbeddedStore
from btimd.store.journal import SqliteJournal
from btimd.store.lineprotocol import encode
from btimd.store.settings import StoreSettings
from btimd.store.spool import Spool
from btimd.store.storemetrics import StoreMetrics

CELLS = 1000
FIELDS = ("octets_to_server", "octets_to_client", "packets", "flows", "users", "revision")
T0 = 1_700_000_000_000


def block(interval: int) -> PointBlock:
    """One interval of windows: 1,000 cells with 3 tags and 6 fields."""
    counts = np.arange(CELLS, dtype=np.int64) + interval
    return PointBlock(
        measurement="flows",
        time_milliseconds=np.full(CELLS, T0 + interval * 10_000),
        tags={
            "business": [f"business-{cell % 20}" for cell in range(CELLS)],
            "region": [f"region-{cell // 20}" for cell in range(CELLS)],
            "interval": ["10s"] * CELLS,
        },
        fields=dict.fromkeys(FIELDS, counts),
    )


def report(what: str, unit: str, count: int, work: Callable[[], object]) -> None:
    """Run and say the rate by wall and by CPU time of the process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:44} {count / wall:12,.0f} {unit}/s  {count / cpu:12,.0f} {unit}/CPU-s")


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = [block(interval) for interval in range(400)]
        encoded = [encode(each) for each in blocks]
        report("line protocol", "points", 100 * CELLS, lambda: [encode(each) for each in blocks[:100]])
        spool = Spool(folder / "spool", 10**9)
        report(
            "spool append, fsync each 1,000",
            "points",
            400 * CELLS,
            lambda: [spool.append(e, CELLS, 0.0) for e in encoded],
        )
        spool.close()

        store = EmbeddedStore(
            path=folder / "series.duckdb", settings=StoreSettings(), metrics=StoreMetrics(Metrics()),
            clock=ManualClock(), log=Log("bench"),
        )  # fmt: skip
        store.open()

        def fill(some: list[PointBlock]) -> None:
            for number, each in enumerate(some):
                store.write(each)
                if number % 10 == 9:
                    store.flush(60)

        report("embedded, new points, flush each 10,000", "points", 400 * CELLS, lambda: fill(blocks))
        report("embedded, replacing, flush each 10,000", "points", 100 * CELLS, lambda: fill(blocks[300:]))
        hour = SeriesQuery(
            "flows", ("octets_to_server", "users"), T0, T0 + 4_000_000, ("business",), {"interval": "10s"}, 60_000
        )
        report("query: 67 min by business and minute", "queries", 20, lambda: [store.query(hour) for _ in range(20)])
        one = replace(hour, where={"business": "business-3"}, from_milliseconds=T0 + 3_400_000)
        report("query: 10 min of one business", "queries", 20, lambda: [store.query(one) for _ in range(20)])
        store.close()
        size = (folder / "series.duckdb").stat().st_size
        print(f"file: {size / 1e6:.1f} MB for {400 * CELLS:,} points")
        for together in (1, 20):
            asyncio.run(bench_journal(folder / f"journal{together}", together))


async def bench_journal(path: Path, together: int) -> None:
    """Write incidents, some at a time."""
    journal = SqliteJournal(path)
    journal.open()
    total = 400

    async def writer(number: int) -> None:
        for step in range(total // together):
            await journal.write_incident(IncidentWrite(incident(f"{number}-{step}"), (), (), {"wait": 1.0}))

    begun = time.perf_counter()
    await asyncio.gather(*(writer(number) for number in range(together)))
    print(f"journal, {together} writers at once{'':20} {total / (time.perf_counter() - begun):12,.0f} writes/s")
    journal.close()


def incident(incident_id: str) -> Incident:
    """Return a new incident."""
    return Incident(
        id=incident_id, version=1, fingerprint="f", state=IncidentState.NEW, signal=Signal.ACTIVE, title="t",
        description="d", cause="c", verdict_id="v", confidence=0.9, impact=Impact.HIGH, urgency=Urgency.HIGH,
        priority=Priority.P1, priority_is_manual=False, assessment=ImpactAssessment(), report_count=1, reopen_count=0,
        touched_by_human=False, assignee="", closing_report="", opened_at=0.0, last_seen_at=0.0, began_at=0.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
