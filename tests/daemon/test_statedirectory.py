import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from btimd.daemon.statedirectory import StateDirectory, StateDirectoryError

_NOBODY = 65_534


def test_the_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "var" / "btimd")
    state.take()
    assert state.is_taken
    assert state.path.stat().st_mode & 0o777 == 0o700

    state.release()
    state.release()
    assert not state.is_taken


def test_two_cannot_work_in_one_directory(tmp_path: Path) -> None:
    first, second = StateDirectory(tmp_path), StateDirectory(tmp_path)
    first.take()
    with pytest.raises(StateDirectoryError) as refused:
        second.take()
    assert str(refused.value) == (
        f"the state directory {tmp_path} cannot be locked: Resource temporarily unavailable; another btimd works in it: "
        "stop that one, or set daemon.state_directory"
    )

    first.release()
    second.take()
    second.release()


@pytest.mark.parametrize("path", ["file", "file/state"])
def test_a_file_in_the_way_is_said(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StateDirectoryError, match="a file of this name, or above it, is in the way; move it"):
        StateDirectory(tmp_path / path).take()


def test_a_directory_that_nobody_may_make_is_said() -> None:
    with pytest.raises(StateDirectoryError, match=r"/proc/btimd cannot be used: .*; create it for the user"):
        StateDirectory(Path("/proc/btimd")).take()


@pytest.fixture
def not_root() -> Iterator[None]:
    """Be an ordinary user for a while: root may write everywhere."""
    user = os.geteuid()
    os.seteuid(_NOBODY if user == 0 else user)
    yield
    os.seteuid(user)


@pytest.mark.usefixtures("not_root")
def test_a_directory_that_may_not_be_written_is_said() -> None:
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies below a folder of root's
        path = Path(folder)
        path.chmod(0o500)
        state = StateDirectory(path)
        with pytest.raises(StateDirectoryError, match="is not writable for uid"):
            state.take()
        assert not state.is_taken
        path.chmod(0o700)
