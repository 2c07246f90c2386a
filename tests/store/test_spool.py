"""The spool gives back in order what it was given, also after kill -9, and counts what it had to let go."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.store.spool import Spool, SpoolError
from tests.patience import PATIENCE_SECONDS

MEGABYTE = 1_000_000
HEADER_BYTES = 24


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path, MEGABYTE)
    yield spool
    spool.close()


def waiting(spool: Spool) -> list[bytes]:
    """Take everything out, in order."""
    found = []
    while entries := spool.peek(100):
        found += [entry.payload for entry in entries]
        spool.advance(entries[-1])
    return found


def reopened(spool: Spool, tmp_path: Path, max_bytes: int = MEGABYTE) -> Spool:
    spool.close()
    return Spool(tmp_path, max_bytes)


def test_an_empty_spool_has_nothing(spool: Spool) -> None:
    assert (spool.peek(100), spool.waiting_bytes, spool.waiting_points, spool.oldest_at) == ([], 0, 0, None)


def test_payloads_come_back_in_order_and_stay_until_they_are_advanced_over(spool: Spool) -> None:
    for number in range(4):
        assert spool.append(b"payload %d" % number, points=number + 1, at=100.0 + number) == 0
    assert [entry.payload for entry in spool.peek(1000)] == [b"payload 0", b"payload 1", b"payload 2", b"payload 3"]
    assert (spool.waiting_points, spool.waiting_bytes, spool.oldest_at) == (10, 4 * (HEADER_BYTES + 9), 100.0)
    spool.advance(spool.peek(1000)[1])
    assert [entry.payload for entry in spool.peek(1000)] == [b"payload 2", b"payload 3"]
    assert (spool.waiting_points, spool.waiting_bytes, spool.oldest_at) == (7, 2 * (HEADER_BYTES + 9), 101.0)
    assert waiting(spool) == [b"payload 2", b"payload 3"]
    assert (spool.waiting_points, spool.waiting_bytes, spool.oldest_at) == (0, 0, None)


def test_a_peek_takes_no_more_than_asked_but_never_nothing(spool: Spool) -> None:
    for _ in range(3):
        spool.append(b"x" * 100, 1, 0.0)
    assert [len(spool.peek(size)) for size in (1, 100, 200, 299, 300)] == [1, 1, 2, 2, 3]


def test_the_position_survives_a_restart(spool: Spool, tmp_path: Path) -> None:
    for number in range(5):
        spool.append(b"%d" % number, 1, 100.0 + number)
        if number < 3:
            spool.advance(spool.peek(1)[0])
    again = reopened(spool, tmp_path)
    assert (again.waiting_points, again.oldest_at, again.damaged_bytes) == (2, 103.0, 0)
    assert waiting(again) == [b"3", b"4"]
    third = reopened(again, tmp_path)
    assert waiting(third) == []
    third.append(b"5", 1, 105.0)
    assert waiting(third) == [b"5"]
    third.close()


def test_when_it_is_full_the_oldest_segment_goes_and_its_points_are_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1600)  # segments of 100 bytes: one entry each
    dropped = [spool.append(b"%02d" % number + b"x" * 74, 3, float(number)) for number in range(20)]
    assert dropped == [0] * 16 + [3] * 4
    assert spool.waiting_points == 48
    assert [payload[:2] for payload in waiting(spool)] == [b"%02d" % number for number in range(4, 20)]
    spool.close()


def test_what_was_dropped_while_it_was_being_sent_is_not_advanced_over(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1600)
    spool.append(b"0" * 76, 1, 0.0)
    (sending,) = spool.peek(1)
    for number in range(1, 18):
        spool.append(b"%02d" % number + b"x" * 74, 1, float(number))
    spool.advance(sending)
    assert spool.waiting_points == 16
    assert spool.peek(1)[0].payload[:2] == b"02"
    spool.close()


def test_segments_that_were_sent_are_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1600)
    for number in range(10):
        spool.append(b"x" * 76, 1, float(number))
    assert len(list(tmp_path.glob("*.spool"))) == 10
    waiting(spool)
    assert len(list(tmp_path.glob("*.spool"))) == 1
    spool.close()


def test_a_torn_tail_is_cut_off_wherever_it_was_torn_and_nothing_else(tmp_path: Path) -> None:
    for kept in range(HEADER_BYTES + 5):
        folder = tmp_path / str(kept)
        spool = Spool(folder, MEGABYTE)
        spool.append(b"first", 1, 0.0)
        spool.append(b"torn!", 1, 0.0)
        spool.close()
        (segment,) = folder.glob("*.spool")
        os.truncate(segment, HEADER_BYTES + 5 + kept)
        spool = Spool(folder, MEGABYTE)
        assert spool.damaged_bytes == kept
        spool.append(b"after", 1, 0.0)
        assert waiting(spool) == [b"first", b"after"]
        spool.close()


def test_an_entry_the_disk_changed_ends_its_segment_and_is_counted(spool: Spool, tmp_path: Path) -> None:
    for number in range(3):
        spool.append(b"payload %d" % number, 2, 0.0)
    (segment,) = tmp_path.glob("*.spool")
    with segment.open("r+b") as file:
        file.seek(HEADER_BYTES + 9 + HEADER_BYTES)
        file.write(b"P")
    assert [entry.payload for entry in spool.peek(1000)] == [b"payload 0"]
    spool.append(b"payload 3", 1, 0.0)
    assert waiting(spool) == [b"payload 0", b"payload 3"]
    assert (spool.damaged_points, spool.damaged_bytes) == (4, 2 * (HEADER_BYTES + 9))
    assert spool.waiting_points == 0


@given(st.integers(0, 55), st.integers(0, 255))
@settings(max_examples=60)
def test_a_damaged_position_costs_repeats_but_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, MEGABYTE)
    for number in range(4):
        spool.append(b"%d" % number, 1, 0.0)
        if number < 2:
            spool.advance(spool.peek(1)[0])
    spool.close()
    with (folder / "position").open("r+b") as file:
        file.seek(at)
        file.write(bytes([value]))
    spool = Spool(folder, MEGABYTE)
    assert waiting(spool)[-2:] == [b"2", b"3"]
    spool.close()


def test_segments_removed_by_hand_do_not_make_later_ones_look_sent(spool: Spool, tmp_path: Path) -> None:
    spool.append(b"x" * 100, 1, 0.0)
    waiting(spool)
    spool.close()
    for segment in tmp_path.glob("*.spool"):
        segment.unlink()
    spool = Spool(tmp_path, MEGABYTE)
    spool.append(b"new", 1, 0.0)
    spool = reopened(spool, tmp_path)
    assert waiting(spool) == [b"new"]
    spool.close()


def test_a_second_user_is_told_so(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="is in use; is another btimd running"):
        Spool(tmp_path, MEGABYTE)
    spool.close()
    spool.close()
    again = Spool(tmp_path, MEGABYTE)
    again.close()
    with pytest.raises(OSError, match="the spool is closed"):
        again.append(b"x", 1, 0.0)
    assert again.peek(1) == []


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="cannot open the spool .*file/spool: Not a directory; check disk"):
        Spool(tmp_path / "file" / "spool", MEGABYTE)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from btimd.store.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(Path(sys.argv[1]), 1_000_000)
spool.append(b"a" * 1000, 1, 0.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 10_000))
try:
    spool.append(b"b" * 1000, 1, 0.0)
except OSError as error:
    print(error.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
spool.append(b"c" * 1000, 1, 0.0)
print([entry.payload[:1] for entry in spool.peek(9999)], spool.waiting_points, spool.damaged_bytes)
"""


def test_an_append_the_disk_refuses_leaves_the_spool_as_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "spool")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    assert done.stdout == "File too large\n[b'a', b'c'] 2 0\n"


WRITER = """
import sys
from pathlib import Path
from btimd.store.spool import Spool
spool = Spool(Path(sys.argv[1]), 200_000)
for number in range(100_000):
    spool.append(b"%08d" % number + b"x" * 500, 1, float(number))
    sys.stdout.write(f"+{number}\\n")
    if number % 3 == 2:
        entry = spool.peek(1)[0]
        spool.advance(entry)
        sys.stdout.write(f"-{int(entry.payload[:8])}\\n")
    sys.stdout.flush()
"""


@pytest.mark.slow
def test_after_kill_9_every_appended_payload_is_there_and_none_that_was_advanced_over(tmp_path: Path) -> None:
    appended = advanced = -1
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("+"):
                appended = int(line[1:])
            else:
                advanced = int(line[1:])
            if appended == 250:
                process.kill()
    assert process.returncode == -9
    spool = Spool(tmp_path, 200_000)
    found = [int(payload[:8]) for payload in waiting(spool)]
    assert found == list(range(found[0], found[-1] + 1))
    assert found[-1] in {appended, appended + 1}
    assert found[0] in {advanced + 1, advanced + 2}
    spool.close()
