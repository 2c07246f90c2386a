"""Parts become hours without loss, and no crash leaves anything that is read wrongly."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from btimd.model.conversations import Conversations
from btimd.model.taps import Names
from btimd.store.archivesource import ArchiveReader
from btimd.store.archivewriter import MAX_HOURS_PER_WRITE, by_hour
from tests.patience import wait_until
from tests.store.archives import Filled
from tests.store.records import HOUR, PLAN, RULES, record

EVER = (0, 2**60)
OTHER_NAMES = Names(2, ("hr", "erp"), RULES[::-1], np.array([0, 2, 3], np.int32), np.array([1, 0, 1], np.int32), PLAN)


def talks(path: Path) -> Conversations:
    return ArchiveReader(path).conversations(*EVER, 100)


def test_parts_of_several_runs_keep_their_meaning_when_put_together(tmp_path: Path) -> None:
    Filled(tmp_path).part(record(), record(exporter=1, source_port=5))
    second = Filled(tmp_path, OTHER_NAMES).part(record(rule=1, source="10.1.0.6"), record(rule=0, source="10.1.0.7"))
    before = talks(tmp_path)
    second.merged()
    after = talks(tmp_path)
    assert second.files() == ["hour-00000003.parquet"]
    for found in (before, after):
        assert [found.rules[rule] for rule in found.rule_id.tolist()] == ["erp-web", "erp-web", "shared-db"]
        assert found.flows.tolist() == [2, 1, 1]


def test_parts_that_were_replaced_do_not_count_though_a_crash_left_them(tmp_path: Path) -> None:
    filled = Filled(tmp_path / "archive").part(record()).part(record())
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "archive", copy)
    filled.merged()
    shutil.copytree(copy, tmp_path / "archive", dirs_exist_ok=True)
    assert filled.files() == ["hour-00000003.parquet", "part-00000001.parquet", "part-00000002.parquet"]
    assert talks(tmp_path / "archive").flows.tolist() == [2]
    again = Filled(tmp_path / "archive")
    assert again.files() == ["hour-00000003.parquet"]
    again.part(record())
    assert again.files() == ["hour-00000003.parquet", "part-00000004.parquet"]


def test_a_part_that_is_broken_costs_itself_only_and_is_named(tmp_path: Path) -> None:
    filled = Filled(tmp_path).part(record()).part(record(source_port=5)).part(record(source_port=6))
    first, second, _ = filled.folder.files(HOUR)
    first.path.write_bytes(first.path.read_bytes()[:100])
    content = bytearray(second.path.read_bytes())
    content[4:600] = b"\xff" * 596  # the data; what the file says of itself is at its end
    second.path.write_bytes(content)
    reader = ArchiveReader(tmp_path)
    kept = sum(len(one) for one in reader.records(*EVER))
    assert (kept in {1, 2}, first.path in reader.bad) == (True, True)
    assert int(talks(tmp_path).flows.sum()) in {1, 2}
    filled.writer.readable(HOUR)
    assert list(filled.writer.bad) == [first.path]


def test_what_is_the_same_in_all_records_of_all_parts_is_still_what_each_says(tmp_path: Path) -> None:
    filled = Filled(tmp_path)
    filled.part(record(octets=9, source_port=7), record(octets=10, source_port=7)).part(
        record(octets=10, source_port=7)
    )
    filled.merged()
    found = [row for one in ArchiveReader(tmp_path).records(*EVER) for row in one.rows()]
    assert sorted((row["octet_delta_count"], row["source_transport_port"]) for row in found) == [
        (9, 7),
        (10, 7),
        (10, 7),
    ]


def test_sums_of_an_hour_lie_beside_it_and_go_with_it(tmp_path: Path) -> None:
    filled = Filled(tmp_path).part(record()).merged()
    folder = filled.folder.folder_of(HOUR)
    names = ["hour-00000002.parquet", "sums-00000002.clients.parquet", "sums-00000002.servers.parquet"]
    assert sorted(path.name for path in folder.iterdir()) == names
    (hour,) = filled.folder.files(HOUR)
    assert hour.all_octets == sum(path.stat().st_size for path in folder.iterdir())
    filled.writer.remove_hour(HOUR)
    assert not folder.exists()


def test_sums_that_a_crash_left_out_are_made_and_those_of_nothing_removed(tmp_path: Path) -> None:
    filled = Filled(tmp_path).part(record()).merged()
    folder = filled.folder.folder_of(HOUR)
    (folder / "sums-00000002.servers.parquet").unlink()
    (folder / "sums-00000009.clients.parquet").write_bytes(b"of nothing")
    (folder / "sums-00000002.servers.parquet.tmp").write_bytes(b"half")
    again = Filled(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["hour-00000002.parquet", "sums-00000002.clients.parquet"]
    assert again.writer.unmerged(HOUR)
    again.merged()
    assert (again.folder.files(HOUR)[0].totals, again.writer.unmerged(HOUR)) == (("servers", "clients"), False)


def test_an_hour_whose_sums_no_counter_holds_has_none(tmp_path: Path) -> None:
    filled = Filled(tmp_path).part(record(octets=2**62, rate=2)).merged()
    assert (filled.folder.files(HOUR)[0].totals, filled.writer.unmerged(HOUR)) == ((), False)


def test_the_oldest_hours_make_room(tmp_path: Path) -> None:
    filled = Filled(tmp_path).part(record(), record(start=HOUR + 3_600_000), record(start=HOUR + 7_200_000))
    size = sum(file.octets for hour in filled.folder.hours() for file in filled.folder.files(hour))
    assert filled.writer.shrink(size - 1) == 1
    assert filled.folder.hours() == [HOUR + 3_600_000, HOUR + 7_200_000]
    assert filled.writer.remove_before(HOUR + 7_200_000) == 1
    assert filled.folder.hours() == [HOUR + 7_200_000]


def test_records_of_too_many_hours_at_once_are_refused_the_rarest_first() -> None:
    hours = np.arange(MAX_HOURS_PER_WRITE + 3, dtype=np.int64)
    start = HOUR + np.concatenate([hours, hours[3:]]) * 3_600_000
    split, refused = by_hour({"flow_start_milliseconds": start})
    assert [hour for hour, _ in split] == [HOUR + 3_600_000 * hour for hour in range(3, MAX_HOURS_PER_WRITE + 3)]
    assert refused == 3


def test_times_that_no_folder_has_a_name_for_go_to_the_nearest() -> None:
    split, refused = by_hour({"flow_start_milliseconds": np.array([-5, 2**62])})
    assert ([hour for hour, _ in split], refused) == ([0, 253_402_297_200_000], 0)


WRITER = """
import sys
from pathlib import Path
from tests.store.archives import Filled
from tests.store.records import record
filled = Filled(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(100_000):
    filled.part(*[record(source_port=number % 60_000)] * 1000)
    if number % 3 == 2:
        filled.merged()
    print(number + 1, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 4, 7])
def test_a_kill_leaves_whole_files_with_all_that_was_written(tmp_path: Path, parts: int) -> None:
    archive = tmp_path / "archive"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(archive)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout is not None
        done = 0
        for line in process.stdout:
            done = int(line) if line.strip().isdigit() else 0
            if done >= parts:
                break
        process.send_signal(signal.SIGKILL)
        rest = [int(line) for line in process.stdout.read().split() if line.isdigit()]
    done = max([done, *rest])
    reader = ArchiveReader(archive)
    found = sum(len(one) for one in reader.records(*EVER))
    assert reader.bad == {}
    assert found in {done * 1000, (done + 1) * 1000}, "what was written, and perhaps what was being written"
    after = Filled(archive).merged()
    assert sum(len(one) for one in ArchiveReader(archive).records(*EVER)) == found
    assert not list(archive.rglob("*.tmp"))
    assert all(name.startswith("hour-") for name in after.files())
    wait_until(lambda: process.poll() is not None)
