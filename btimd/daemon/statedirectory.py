"""The state directory of a running btimd: made where it is missing, and owned by one process at a time."""

import fcntl
import os
from pathlib import Path

_MODE = 0o700


class StateDirectoryError(Exception):
    """The state directory cannot be used; the text says why and what to do."""


class StateDirectory:
    """A directory that belongs to this process from `take` to `release`, or until the process is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_taken(self) -> bool:
        """Tell whether it is ours now."""
        return self._descriptor is not None

    def take(self) -> None:
        """Make the directory where it is missing and lock it; raises StateDirectoryError."""
        try:
            self.path.mkdir(mode=_MODE, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileExistsError, NotADirectoryError) as error:
            raise StateDirectoryError(
                f"the state directory {self.path} cannot be made: a file of this name, or above it, is in the way; "
                "move it, or set daemon.state_directory"
            ) from error
        except OSError as error:
            raise StateDirectoryError(
                f"the state directory {self.path} cannot be used: {error.strerror}; create it for the user that btimd "
                f"runs as (uid {os.getuid()}), or set daemon.state_directory"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StateDirectoryError(
                f"the state directory {self.path} cannot be locked: {error.strerror}; another btimd works in it: stop "
                "that one, or set daemon.state_directory"
            ) from error
        self._descriptor = descriptor
        if not os.access(self.path, os.W_OK, effective_ids=True):
            self.release()
            raise StateDirectoryError(
                f"the state directory {self.path} is not writable for uid {os.getuid()}; run chown on it"
            )

    def release(self) -> None:
        """Let others have it; may be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
