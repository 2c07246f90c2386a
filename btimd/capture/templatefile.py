"""The file that keeps a decoder's templates over a restart (capture/wire/persistence.py says what is in it)."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from btimd.capture.wire.persistence import MAX_SNAPSHOT_OCTETS

FILE_NAME: Final = "templates.snapshot"
_MODE: Final = 0o600


def save_snapshot(directory: Path, snapshot: bytes) -> Path:
    """Replace the file in a state directory at once, durably, readable by its owner only; raises OSError.

    After a crash at any moment the old file or the new one is there, whole.
    """
    path = directory / FILE_NAME
    new = directory / f".{FILE_NAME}.new"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _MODE)  # an older one may be there with another mode
            file.write(snapshot)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error
    _sync_directory(directory)
    return path


def load_snapshot(directory: Path) -> bytes | None:
    """Return what was saved last, None where nothing was; raises OSError.

    At most one octet more is read than a snapshot can have: then `FlowDecoder.restore` refuses it.
    """
    path = directory / FILE_NAME
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_SNAPSHOT_OCTETS + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OSError(error.errno, f"cannot read {path}: {error.strerror}") from error
    return octets


def _sync_directory(directory: Path) -> None:
    """Make the new name durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
