"""Files of the archive appear whole or not at all, and files of others cost themselves only."""

from pathlib import Path

import pytest

from btimd.store.archivefiles import (
    ArchiveFolder,
    BadFileError,
    connect,
    hour_of,
    quoted_path,
    read_facts,
    temporary_of,
)
from tests.store.records import HOUR


def test_hours_are_those_with_folders_of_the_right_names(tmp_path: Path) -> None:
    folder = ArchiveFolder(tmp_path)
    for name in ("2023-11-14/22", "2023-11-14/07", "2023-11-14/24", "2023-13-40/10", "notes/10", "2023-11-14/x"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "2023-11-15").write_text("a file in the way")
    assert folder.hours() == [HOUR - 15 * 3_600_000, HOUR]
    assert ArchiveFolder(tmp_path / "nothing").hours() == []


def test_a_file_has_its_name_only_when_it_is_finished(tmp_path: Path) -> None:
    folder = ArchiveFolder(tmp_path / "archive")
    path = folder.name_for(HOUR, 7, merged=False)
    temporary = temporary_of(path)
    temporary.write_bytes(b"half")
    (path.parent / "foreign.parquet").write_bytes(b"x")
    assert [file.path.name for file in folder.files(HOUR)] == []
    folder.publish(temporary, path)
    assert [(file.number, file.merged, file.octets) for file in folder.files(HOUR)] == [(7, False, 4)]
    temporary.write_bytes(b"left by a crash")
    assert folder.remove_temporary() == 1
    folder.remove([path])
    assert path.parent.is_dir(), "a file of somebody else is still there"
    (path.parent / "foreign.parquet").unlink()
    folder.remove([path])
    assert not path.parent.parent.exists()


def test_a_file_that_is_none_of_ours_says_why(tmp_path: Path) -> None:
    connection = connect()
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 not really")
    foreign = tmp_path / "[fo*r'eign].parquet"
    connection.execute(f"COPY (SELECT 1 AS a) TO '{str(foreign).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    with pytest.raises(BadFileError, match="broken.parquet"):
        read_facts(broken, connection)
    with pytest.raises(BadFileError, match="it is not a file of a btimd archive"):
        read_facts(foreign, connection)
    with pytest.raises(FileNotFoundError):
        read_facts(tmp_path / "gone.parquet", connection)
    connection.close()


def test_paths_stand_for_themselves() -> None:
    assert quoted_path(Path("/a*b's")) == "'/a[*]b''s'"
    assert hour_of(HOUR + 3_599_999) == HOUR
