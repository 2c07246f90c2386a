from pathlib import Path

import pytest

from btimd.capture import templatefile
from btimd.capture.templatefile import FILE_NAME, load_snapshot, save_snapshot


def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    assert load_snapshot(tmp_path) is None
    for octets in (b"first", b"", b"x" * 100_000):
        assert save_snapshot(tmp_path, octets) == tmp_path / FILE_NAME
        assert load_snapshot(tmp_path) == octets
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    (tmp_path / f".{FILE_NAME}.new").write_bytes(b"left by a crash")
    (tmp_path / f".{FILE_NAME}.new").chmod(0o666)
    assert save_snapshot(tmp_path, b"x").stat().st_mode & 0o777 == 0o600


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_snapshot(tmp_path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("btimd.capture.templatefile.os.fsync", full)
    with pytest.raises(OSError, match=rf"cannot write .*{FILE_NAME}: No space left"):
        save_snapshot(tmp_path, b"new")
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert load_snapshot(tmp_path) == b"old"


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f".{FILE_NAME}.new").symlink_to(victim)
    with pytest.raises(OSError, match="cannot write"):
        save_snapshot(tmp_path, b"new")
    assert victim.read_bytes() == b"precious"
    save_snapshot(tmp_path, b"new")  # the link is gone
    assert load_snapshot(tmp_path) == b"new"


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write .*nowhere"):
        save_snapshot(tmp_path / "nowhere", b"x")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(OSError, match=f"cannot read .*{FILE_NAME}"):
        load_snapshot(tmp_path)


def test_no_more_is_read_than_a_snapshot_can_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templatefile, "MAX_SNAPSHOT_OCTETS", 10)
    (tmp_path / FILE_NAME).write_bytes(b"x" * 1000)
    assert load_snapshot(tmp_path) == b"x" * 11
