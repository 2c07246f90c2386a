"""Writes reports until it is killed: python -m tests.store.intake_writer JOURNAL; says each key once it is durable."""

import asyncio
import sys
from pathlib import Path

from btimd.model.report import Report, ReportChannel, ReportSignal, report_id
from btimd.store.journal import SqliteJournal
from btimd.store.reports import ReportTable

AT_ONCE = 50


def report(key: str) -> Report:
    return Report(
        id=report_id(ReportChannel.EMAIL, key), channel=ReportChannel.EMAIL, source="s", reporter="", received_at=1.0,
        key=key, signal=ReportSignal.PROBLEM, title="t", text="text " * 20, fingerprint=key,
    )  # fmt: skip


async def main(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.open()
    store = ReportTable(journal.run)

    async def work(worker: int) -> None:
        number = 0
        while True:
            number += 1
            await store.add(report(f"{worker}-{number}"))
            sys.stdout.write(f"{worker}-{number}\n")
            sys.stdout.flush()

    await asyncio.gather(*(work(worker) for worker in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
