"""How many reports a second are kept durably (group commit, FULL): python -m bench.intake [SECONDS] [FOLDER].

Senders wait for the answer to each report before they send the next, as SMTP clients and webhooks do.
"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from btimd.itsm.intake.desk import IntakeDesk
from btimd.itsm.intake.storms import StormRules
from btimd.model.report import Report, ReportChannel, ReportSignal, report_id
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import SqliteJournal
from btimd.store.reports import ReportTable

SENDERS = 400


def report(key: str, cause: str) -> Report:
    return Report(
        id=report_id(ReportChannel.WEBHOOK, key), channel=ReportChannel.WEBHOOK, source="bench", reporter="",
        received_at=time.time(), key=key, signal=ReportSignal.PROBLEM, title="t " * 20, text="text " * 60,
        fingerprint=cause,
    )  # fmt: skip


async def main(seconds: float, folder: Path) -> None:
    groups: list[int] = []
    journal = SqliteJournal(folder / "journal.sqlite", on_commit=groups.append)
    journal.open()

    async def nothing(_: Report) -> str:
        await asyncio.sleep(0)
        return "INC-1"

    for name, causes, handing in (("kept, one cause", 1, False), ("kept and handed on, 5000 causes", 5000, True)):
        desk = IntakeDesk(
            store=ReportTable(journal.run), on_report=nothing, rules=StormRules(burst=1e9, per_second=1e6),
            metrics=Metrics(), clock=SystemClock(), log=Log("bench"),
        )  # fmt: skip
        running = asyncio.create_task(desk.run()) if handing else None
        groups.clear()
        waits: list[float] = []
        ends = time.perf_counter() + seconds

        async def send(sender: int, desk: IntakeDesk = desk, name: str = name, causes: int = causes) -> None:
            number = 0
            while (began := time.perf_counter()) < ends:  # noqa: B023  gathered within the turn
                number += 1
                await desk.take(report(f"{name} {sender} {number}", f"c{(sender * 7919 + number) % causes}"))
                waits.append(time.perf_counter() - began)  # noqa: B023  as above

        used = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        await asyncio.gather(*(send(sender) for sender in range(SENDERS)))
        took = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        waits.sort()
        print(
            f"{name}: {len(waits) / took:,.0f} reports/s, {len(waits) / cpu:,.0f} per CPU second; answer p50 "
            f"{waits[len(waits) // 2] * 1e3:.0f} ms, p99 {waits[len(waits) * 99 // 100] * 1e3:.0f} ms; "
            f"{len(waits) / len(groups):.0f} per commit; load {os.getloadavg()[0]:.1f}"
        )
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    await asyncio.to_thread(journal.close)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as made:
        asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, Path(made)))
