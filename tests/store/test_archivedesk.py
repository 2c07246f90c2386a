"""The view that is served: the newest minutes are found, rankings come from where they are known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.archive import FlowSearch, RankingQuery, RankingRow
from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.archive import FlowArchive
from btimd.store.archivedesk import ArchiveDesk
from btimd.store.archivemetrics import ArchiveMetrics
from btimd.store.settings import ArchiveSettings
from tests.store.records import HOUR, NAMES, answer, batch, record

NOW = HOUR + 600_000


class Series:
    def write(self, block: PointBlock) -> None:
        raise AssertionError(block)

    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        return [SeriesRow(0, ("erp",), tuple(float(place) for place, _ in enumerate(query.fields, 1)))]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[FlowArchive]:
    made = FlowArchive(
        ArchiveSettings(keep_free_bytes=0), tmp_path / "archive", lambda one: f"router {one}",
        metrics=ArchiveMetrics(Metrics()), clock=ManualClock(now=NOW / 1000), log=Log("archive"),
    )  # fmt: skip
    made.begin()
    yield made
    made.close()


@pytest.fixture
def desk(archive: FlowArchive) -> Iterator[ArchiveDesk]:
    made = ArchiveDesk(archive, Series(), ArchiveSettings(keep_free_bytes=0), ManualClock(now=NOW / 1000))
    yield made
    made.close()


async def test_what_was_not_written_yet_is_written_for_the_search(archive: FlowArchive, desk: ArchiveDesk) -> None:
    assert (await desk.status()).records == 0
    flows, duplicate = batch(record(), answer(record()), record(duplicate=True))
    archive.add(flows, duplicate, NAMES, NOW)
    found = await desk.search(FlowSearch(HOUR, NOW))
    assert {(flow.from_client, flow.exporter) for flow in found.flows} == {(False, "router 0"), (True, "router 0")}
    status = await desk.status()
    assert (status.records, status.written, status.dropped, status.waiting, status.problem) == (3, 3, 0, 0, "")
    assert (status.oldest_milliseconds, status.hours, status.files) == (HOUR, 1, 1)


async def test_rankings_come_from_the_series_or_from_the_archive(archive: FlowArchive, desk: ArchiveDesk) -> None:
    flows, duplicate = batch(record(), answer(record(), octets=300), record(source="10.1.0.6"))
    archive.add(flows, duplicate, NAMES, NOW)
    query = RankingQuery("businesses", "octets", HOUR, NOW)
    by_series = await desk.rank(query)
    by_archive = await desk.rank(replace(query, subject="users"))
    of_users = await desk.rank(replace(query, measure="users"))
    assert (by_series.source, by_series.rows) == ("series", (RankingRow(("erp",), 3.0, 1.0),))
    assert (by_archive.source, by_archive.total) == ("archive", 500.0)
    assert by_archive.rows == (RankingRow(("10.1.0.5",), 400.0, 0.8), RankingRow(("10.1.0.6",), 100.0, 0.2))
    assert of_users.rows == (RankingRow(("erp",), 2.0, None),)


async def test_what_cannot_be_asked_is_refused_before_anything_is_done(desk: ArchiveDesk) -> None:
    with pytest.raises(ValueError, match="limit: 0 is not"):
        await desk.search(FlowSearch(HOUR, NOW, limit=0))
    with pytest.raises(ValueError, match="subject: 'x'"):
        await desk.rank(RankingQuery("x", "octets", HOUR, NOW))


async def test_switched_off_it_says_so_and_still_finds_what_it_took_before(
    tmp_path: Path, archive: FlowArchive
) -> None:
    flows, duplicate = batch(record())
    archive.add(flows, duplicate, NAMES, NOW)
    archive.close()
    off, clock = ArchiveSettings(enabled=False), ManualClock(now=NOW / 1000)
    idle = FlowArchive(
        off, tmp_path / "archive", lambda one: f"router {one}", metrics=ArchiveMetrics(Metrics()), clock=clock,
        log=Log("archive"),
    )  # fmt: skip
    idle.begin()
    made = ArchiveDesk(idle, Series(), off, clock)
    status, found = await made.status(), await made.search(FlowSearch(HOUR, NOW))
    made.close()
    assert (status.enabled, status.records, len(found.flows)) == (False, 1, 1)
    assert found.coverage.stopped == (
        "the archive is switched off (store.archive.enabled = false), there is only what it took before"
    )
