import os
import stat
from pathlib import Path

import pytest

from btimd.capture.evidencefiles import EvidenceKeeper, KeepLimits

NOW = 1_700_000_000.25


def names(keeper: EvidenceKeeper) -> list[str]:
    return [one.path.name for one in keeper.files()]


def test_a_file_is_for_its_owner_and_named_by_time_and_business(tmp_path: Path) -> None:
    keeper = EvidenceKeeper(tmp_path)
    path = keeper.write("erp", b"octets", NOW)

    assert path == tmp_path / "evidence" / "20231114T221320.250Z-erp.pcapng"
    assert path.read_bytes() == b"octets"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [(one.path, one.octets, one.written_at) for one in keeper.files()] == [(path, 6, NOW)]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("business", "name"),
    [
        ("../../etc/passwd", "20231114T221320.250Z-.._.._etc_passwd.pcapng"),
        ("结算", "20231114T221320.250Z-__.pcapng"),
        ("", "20231114T221320.250Z-_.pcapng"),
        ("x" * 300, f"20231114T221320.250Z-{'x' * 100}.pcapng"),
    ],
)
def test_no_business_leaves_the_folder(tmp_path: Path, business: str, name: str) -> None:
    keeper = EvidenceKeeper(tmp_path)
    assert keeper.write(business, b"", NOW) == tmp_path / "evidence" / name
    assert names(keeper) == [name]


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir(mode=0o755)
    EvidenceKeeper(tmp_path).write("erp", b"", NOW)
    assert stat.S_IMODE((tmp_path / "evidence").stat().st_mode) == 0o700


def test_the_oldest_go_when_there_are_too_many_or_too_large_or_too_old(tmp_path: Path) -> None:
    keeper = EvidenceKeeper(tmp_path, KeepLimits(files=3, octets=100, seconds=60))
    for n in range(5):
        keeper.write(f"n{n}", bytes(10), NOW + n)
    assert [name[-9:] for name in names(keeper)] == ["n2.pcapng", "n3.pcapng", "n4.pcapng"]
    keeper.write("large", bytes(85), NOW + 5)
    assert [name.rpartition("-")[2] for name in names(keeper)] == ["n4.pcapng", "large.pcapng"]
    assert keeper.tidy(NOW + 64.5) == 1
    assert keeper.tidy(NOW + 65.5) == 1
    assert keeper.tidy(NOW + 65.5) == 0
    assert names(keeper) == []


def test_files_of_others_and_dates_that_are_none_are_no_obstacle(tmp_path: Path) -> None:
    keeper = EvidenceKeeper(tmp_path, KeepLimits(files=1))
    keeper.write("erp", b"", NOW)
    for name in ("notes.txt", "20231114T221320.250Z-erp.pcap", "99999999T999999.999Z-x.pcapng", ".x.pcapng.new"):
        (keeper.folder / name).write_bytes(b"x")
    os.utime(keeper.folder / "notes.txt", (0, 0))

    assert keeper.tidy(NOW) == 1
    assert sorted(path.name for path in keeper.folder.iterdir()) == [
        "20231114T221320.250Z-erp.pcap", "20231114T221320.250Z-erp.pcapng", "notes.txt",
    ]  # fmt: skip


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        OSError, match="101 bytes of evidence are more than all may take; raise capture.evidence.keep_byt"
    ):
        EvidenceKeeper(tmp_path, KeepLimits(octets=100)).write("erp", bytes(101), NOW)
    (tmp_path / "evidence").write_bytes(b"in the way")
    with pytest.raises(
        OSError, match=r"cannot write evidence .*/evidence/20231114T221320.250Z-erp.pcapng: File exists"
    ):
        EvidenceKeeper(tmp_path).write("erp", b"", NOW)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = EvidenceKeeper(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        keeper.write("erp", b"octets", NOW)
    assert list(keeper.folder.iterdir()) == []


def test_without_a_folder_there_is_nothing(tmp_path: Path) -> None:
    keeper = EvidenceKeeper(tmp_path)
    assert keeper.files() == ()
    assert keeper.tidy(NOW) == 0
    assert not keeper.folder.exists()
