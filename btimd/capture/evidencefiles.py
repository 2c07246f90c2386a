"""EvidenceKeeper: the folder of capture files that symptoms left behind, within bounds."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from btimd.model.units import Octets, Seconds, UnixSeconds

FOLDER: Final = "evidence"
_SUFFIX: Final = ".pcapng"
_NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[A-Za-z0-9._-]+\.pcapng")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_MOST_NAME: Final = 100
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """How many files stay, how much they take together, and for how long; the oldest go first."""

    files: int = 200
    octets: Octets = 256 << 20
    seconds: Seconds = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file in the folder."""

    path: Path
    octets: Octets
    written_at: UnixSeconds


class EvidenceKeeper:
    """Writes capture files to <state directory>/evidence, readable by their owner only, and deletes old ones.

    Names are <time, UTC>-<business>.pcapng; files with other names are left alone.
    """

    def __init__(self, state_directory: Path, limits: KeepLimits | None = None) -> None:
        self.folder = state_directory / FOLDER
        self._limits = limits or KeepLimits()

    def write(self, business: str, octets: bytes, now: UnixSeconds) -> Path:
        """Write a file, whole or not at all, delete what is too much, and return its path; raises OSError.

        A file that alone is larger than all may be together is refused.
        """
        if len(octets) > self._limits.octets:
            raise OSError(
                0,
                f"{len(octets)} bytes of evidence are more than all may take; raise capture.evidence.keep_bytes",
            )
        path = self.folder / f"{_stamp(now)}-{_UNSAFE.sub('_', business)[:_MOST_NAME] or '_'}{_SUFFIX}"
        new = self.folder / f".{path.name}.new"
        try:
            self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self.folder.chmod(_FOLDER_MODE)
            with suppress(FileNotFoundError):  # of a crash
                new.unlink()
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(descriptor)
            os.utime(new, (now, now))
            new.replace(path)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise OSError(error.errno, f"cannot write evidence {path}: {error.strerror}") from error
        self.tidy(now)
        return path

    def files(self) -> Sequence[EvidenceFile]:
        """Return what is there, the oldest first; raises OSError."""
        found = []
        try:
            for path in self.folder.iterdir():
                if _NAME.fullmatch(path.name):
                    with suppress(FileNotFoundError):
                        status = path.lstat()
                        found.append(EvidenceFile(path, status.st_size, _time_of(path)))
        except FileNotFoundError:
            return ()
        return sorted(found, key=lambda one: (one.written_at, one.path.name))

    def tidy(self, now: UnixSeconds) -> int:
        """Delete the oldest files until what is left is within the limits; return how many went; raises OSError.

        Remains of writes that a crash cut off go too.
        """
        files = list(self.files())
        octets = sum(one.octets for one in files)
        gone = 0
        for one in files:
            too_much = len(files) - gone > self._limits.files or octets > self._limits.octets
            if not too_much and now - one.written_at <= self._limits.seconds:
                break
            one.path.unlink(missing_ok=True)
            octets -= one.octets
            gone += 1
        if self.folder.is_dir():
            for path in self.folder.glob(f".*{_SUFFIX}.new"):
                path.unlink(missing_ok=True)
        return gone


def _stamp(now: UnixSeconds) -> str:
    moment = datetime.fromtimestamp(round(now * 1000) / 1000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"


def _time_of(path: Path) -> UnixSeconds:
    """Return when a file was written: its name says it, whatever copying it did to its own time."""
    stamp = path.name.partition("Z-")[0]
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC).timestamp()
    except ValueError:  # digits that are no date
        return 0.0
