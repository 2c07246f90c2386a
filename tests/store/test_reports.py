"""Reports in the journal: unique by key, in one transaction with the incident's step, there after kill -9."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.incident import Impact, Urgency
from btimd.model.ports import VersionConflictError
from btimd.model.report import ReportSeverity, ReportState, StoredReport
from btimd.store import journaltables
from btimd.store.journal import SqliteJournal
from btimd.store.reports import SCHEMA, ReportTable, attach, report_from_json, report_to_json
from tests.patience import PATIENCE_SECONDS
from tests.store.examples import incident, write
from tests.store.intake_writer import report

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    yield journal
    await asyncio.to_thread(journal.close)


def test_a_report_is_the_same_after_it_was_written_and_read() -> None:
    one = replace(report("a"), urgency=Urgency.HIGH, impact=Impact.LOW, severity=ReportSeverity.HIGH, title="支付")
    assert report_from_json(report_to_json(one)) == one
    newer = report_to_json(one)[:-1] + ',"of a newer release":1}'
    assert report_from_json(newer) == one


async def test_the_second_with_a_key_is_answered_with_the_first(journal: SqliteJournal) -> None:
    store = ReportTable(journal.run)
    first = await store.add(report("a"))
    assert first == StoredReport(report("a"), ReportState.WAITING, is_new=True)
    second = await store.add(replace(report("a"), title="another"))
    assert second == StoredReport(report("a"), ReportState.WAITING)
    assert await store.waiting(10) == [report("a")]


async def test_a_report_can_be_noted_in_the_transaction_of_the_incidents_step_or_not_at_all(
    journal: SqliteJournal,
) -> None:
    store = ReportTable(journal.run)
    await store.add(report("a"))

    def step(connection: sqlite3.Connection, version: int) -> None:
        attach(connection, report("a").id, "INC-1")
        journaltables.write_incident(connection, write(incident("INC-1", version=version)))

    with pytest.raises(VersionConflictError):
        await journal.run(lambda connection: step(connection, 7))
    assert await store.waiting(10) == [report("a")]
    await journal.run(lambda connection: step(connection, 1))
    assert await store.of_incident("INC-1", 10) == [StoredReport(report("a"), ReportState.HANDED, "INC-1")]
    with pytest.raises(KeyError):
        await store.handed("R-none", "INC-1")


async def test_folded_reports_wait_for_their_summary(journal: SqliteJournal) -> None:
    store = ReportTable(journal.run)
    for key in "abc":
        await store.add(report(key), "SR-1")
    (group,) = await store.unsummed()
    assert (group.summary_id, group.count, group.first.key, group.last.key) == ("SR-1", 3, "a", "c")
    await store.add(replace(report("SR-1"), id="SR-1", count=3))
    assert await store.unsummed() == []
    assert [one.state for one in await store.newest(10)] == ["waiting", "summed", "summed", "summed"]


async def test_a_journal_of_the_release_before_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    position = journaltables._MIGRATIONS.index(SCHEMA)
    for script in journaltables._MIGRATIONS[:position]:
        connection.executescript(script)
    connection.execute(f"PRAGMA application_id = {journaltables._APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {position}")
    connection.close()
    journal = SqliteJournal(path)
    journal.open()
    assert await ReportTable(journal.run).newest(1) == []
    await asyncio.to_thread(journal.close)


@pytest.mark.slow
async def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    acknowledged: set[str] = set()
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.store.intake_writer", str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(300):
                acknowledged.add((await process.stdout.readline()).decode().strip())
        process.kill()
        rest = (await process.stdout.read()).decode()
        acknowledged |= set(rest[: rest.rfind("\n") + 1].split())
        await process.wait()
    journal = SqliteJournal(path)
    journal.open()
    kept = [one.report.key for one in await ReportTable(journal.run).newest(1_000_000)]
    await asyncio.to_thread(journal.close)
    assert len(kept) == len(set(kept))
    assert acknowledged <= set(kept)
