"""What is given to the archive is found in it again, and what is not is counted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from btimd.model.flowbatch import FlowBatch
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.archive import FlowArchive
from btimd.store.archivemetrics import ArchiveMetrics
from btimd.store.archivesource import ArchiveReader
from btimd.store.settings import ArchiveSettings
from tests.patience import wait_until
from tests.store.records import EXPORTERS, HOUR, NAMES, answer, batch, record

Opener = Callable[..., FlowArchive]
EVER = (0, 2**60)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=HOUR / 1000 + 600)


@pytest.fixture
def opener(tmp_path: Path, metrics: Metrics, clock: ManualClock) -> Iterator[Opener]:
    archives: list[FlowArchive] = []

    def start(**settings: Any) -> FlowArchive:
        for before in archives:
            before.close()
        archive = FlowArchive(
            ArchiveSettings(**{"keep_free_bytes": 0, "merge_after": 1800.0, **settings}),
            tmp_path / "archive",
            lambda exporter: EXPORTERS.get(exporter, ""),
            metrics=ArchiveMetrics(metrics),
            clock=clock,
            log=Log("archive"),
        )
        archives.append(archive)
        archive.begin()
        return archive

    yield start
    for archive in archives:
        archive.close()


def put(archive: FlowArchive, *records: dict[str, Any]) -> None:
    flows, duplicate = batch(*records)
    archive.add(flows, duplicate, NAMES, HOUR)


def rows(path: Path) -> list[dict[str, int]]:
    found = list(ArchiveReader(path / "archive").records(*EVER))
    return sorted((row for one in found for row in one.rows()), key=lambda row: sorted(row.items()))


def test_records_come_back_as_they_were_but_for_duplicates(opener: Opener, tmp_path: Path, metrics: Metrics) -> None:
    archive = opener()
    request = record()
    given = [
        request,
        answer(request, octets=5000),
        record(source="2001:db8::1", destination="2001:db8::2", rule=-1, place=-1),
    ]
    put(archive, *given, record(duplicate=True))
    assert archive.write_now(10.0)
    flows: FlowBatch = batch(*given)[0].flows
    assert rows(tmp_path) == sorted(flows.rows(), key=lambda row: sorted(row.items()))
    assert metrics.value("btimd_store_archive_records_written_total") == 4


def test_stopping_writes_what_is_held_and_the_next_run_finds_it(opener: Opener, tmp_path: Path) -> None:
    put(opener(), record())
    put(opener(), record(source_port=40001))
    opener()
    assert [row["source_transport_port"] for row in rows(tmp_path)] == [40000, 40001]


def test_what_the_queue_has_no_room_for_is_dropped_and_counted(opener: Opener, metrics: Metrics) -> None:
    archive = opener(queue_bytes=1_000_000)
    archive.close()
    put(archive, record(), record())
    assert metrics.value("btimd_store_archive_records_dropped_total", {"reason": "stopped"}) == 2
    assert archive.health().level is HealthLevel.WARNING


def test_parts_of_an_hour_become_one_file_when_it_is_over_and_settled(
    opener: Opener, tmp_path: Path, clock: ManualClock
) -> None:
    archive = opener()
    for port in (40000, 40001):
        put(archive, record(source_port=port))
        archive.write_now(10.0)
    folder = tmp_path / "archive" / "2023-11-14" / "22"
    assert [path.name for path in sorted(folder.iterdir())] == ["part-00000001.parquet", "part-00000002.parquet"]
    clock.advance(3600 + 1800)
    archive.flush()
    names = ["hour-00000003.parquet", "sums-00000003.clients.parquet", "sums-00000003.servers.parquet"]
    wait_until(lambda: sorted(path.name for path in folder.iterdir()) == names)
    assert [row["source_transport_port"] for row in rows(tmp_path)] == [40000, 40001]


def test_hours_go_when_they_were_kept_long_enough(
    opener: Opener, tmp_path: Path, clock: ManualClock, metrics: Metrics
) -> None:
    archive = opener(keep=7200.0)
    put(archive, record(), record(start=HOUR - 86_400_000))
    archive.write_now(10.0)
    assert metrics.value("btimd_store_archive_records_dropped_total", {"reason": "old"}) == 1
    clock.advance(3 * 3600)
    archive.flush()
    wait_until(lambda: not rows(tmp_path))
    wait_until(lambda: metrics.value("btimd_store_archive_hours_removed_total", {"reason": "age"}) == 1)


def test_a_full_disk_stops_the_archive_shows_and_costs_only_what_does_not_fit(
    opener: Opener, metrics: Metrics, monkeypatch: pytest.MonkeyPatch, clock: ManualClock, tmp_path: Path
) -> None:
    archive = opener(keep_free_bytes=1000, queue_bytes=1_000_000, part_records=1000)
    free = [0]
    monkeypatch.setattr(archive.folder, "free_octets", lambda: free[0])
    put(archive, *[record()] * 1000)
    wait_until(lambda: archive.health() != ComponentHealth())
    assert "MiB left, less than store.archive.keep_free_bytes" in archive.health().reason
    for _ in range(20):
        put(archive, *[record()] * 1000)
    lost = metrics.value("btimd_store_archive_records_dropped_total", {"reason": "disk"})
    assert lost > 0
    free[0] = 10**9
    clock.advance(700.0)
    archive.write_now(20.0)
    wait_until(lambda: archive.health() == ComponentHealth())
    assert len(rows(tmp_path)) == 21_000 - lost


def test_switched_off_nothing_is_taken_and_nothing_is_lost(opener: Opener, tmp_path: Path) -> None:
    archive = opener(enabled=False)
    put(archive, record())
    assert (archive.unwritten, archive.counts().dropped, archive.write_now(0.0)) == ((0, 0), 0, False)
    assert archive.health() == ComponentHealth()
    assert not (tmp_path / "archive").exists()
