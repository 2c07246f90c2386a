"""The files of the archive: where they lie, how they appear whole or not at all, and how they go.

    STATE/archive/2026-11-21/10/part-00000007.parquet    what one write brought of the hour from 10:00 UTC on
    STATE/archive/2026-11-21/10/hour-00000012.parquet    parts put together once the hour is over, sorted by client
    STATE/archive/2026-11-21/10/sums-00000012.clients.parquet    sums over the records of hour-00000012, by client

Files of other names are left alone and never read. A file is written under another name, made durable, then renamed. A
merged file names the parts it replaces, and from then on they do not count, whether they are deleted yet or not.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from btimd.store.archivecolumns import HOUR_MILLISECONDS, METADATA_KEY, FileFacts
from btimd.store.archivetotals import KINDS

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_HOUR: Final = re.compile(r"[01]\d|2[0-3]")
_FILE: Final = re.compile(r"(part|hour)-(\d{8,12})\.parquet")
_TOTALS: Final = re.compile(rf"sums-(\d{{8,12}})\.({'|'.join(KINDS)})\.parquet")
_TEMPORARY: Final = re.compile(rf"(part-\d{{8,12}}|hour-\d{{8,12}}|sums-\d{{8,12}}\.({'|'.join(KINDS)}))\.parquet\.tmp")
_OURS: Final = ("part-", "hour-", "sums-")
_MILLIS: Final = 1000
_MAX_METADATA_OCTETS: Final = 64 * 1024 * 1024

CONNECTION_SETTINGS: Final[Mapping[str, str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_READER_OCTETS: Final = 512 * 1024 * 1024
_SPILL: Final = "8GiB"

DatabaseError: Final = duckdb.Error
"""What reading a file that is broken, or was deleted meanwhile, raises."""

INTERRUPTED: Final = duckdb.InterruptException
"""What a statement ends with that was interrupted."""


class BadFileError(Exception):
    """A file that cannot be read, or is none of ours; the text says why."""


@dataclass(frozen=True, slots=True, order=True)
class ArchiveFile:
    """A file that is there. hour: ms since 1970 at which it begins; merged: made of parts.

    totals: of KINDS, the files of sums over its records that are there; totals_octets: their size.
    """

    hour: int
    number: int
    merged: bool
    path: Path
    octets: int
    modified_ns: int
    totals: tuple[str, ...] = field(default=(), compare=False)
    totals_octets: int = field(default=0, compare=False)

    @property
    def all_octets(self) -> int:
        """Return its size with that of its sums."""
        return self.octets + self.totals_octets

    def totals_path(self, kind: str) -> Path:
        """Return where sums over its records are, or would be."""
        return self.path.with_name(f"sums-{self.number:08d}.{kind}.parquet")


def quoted_path(path: Path) -> str:
    """Return a path as text of SQL; wildcards in it stand for themselves."""
    text = re.sub(r"([\[*?])", r"[\1]", str(path))
    return "'" + text.replace("'", "''") + "'"


def connect(*, threads: int = 2, memory_octets: int = _READER_OCTETS) -> Any:
    """Return a connection to read with, of bounded memory; what does not fit goes to the folder for temporary files."""
    settings: dict[str, Any] = {
        "threads": str(threads),
        "memory_limit": f"{memory_octets >> 20}MiB",
        "temp_directory": str(Path(tempfile.gettempdir()) / f"btimd-archive-{os.getpid()}"),
        "max_temp_directory_size": _SPILL,
        **CONNECTION_SETTINGS,
    }
    connection = duckdb.connect(config=settings)
    connection.execute("SET preserve_insertion_order = false")
    return connection


class ArchiveFolder:
    """The folder of an archive; methods that read may be used from any thread, those that write from one only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._facts: dict[tuple[Path, int, int], FileFacts] = {}

    def hours(self) -> Sequence[int]:
        """Return the hours that have a folder, ascending, ms since 1970."""
        found = []
        for day in _children(self.path):
            if _DAY.fullmatch(day.name):
                found += [
                    hour
                    for folder in _children(day)
                    if _HOUR.fullmatch(folder.name) and (hour := _moment(day.name, folder.name)) is not None
                ]
        return sorted(found)

    def files(self, hour: int) -> Sequence[ArchiveFile]:
        """Return the files of an hour in order of their numbers, also those that were replaced and not deleted yet."""
        found = []
        totals: dict[int, list[tuple[str, int]]] = {}
        for path in reversed(_children(self.folder_of(hour))):  # sums before what they are of
            sums = _TOTALS.fullmatch(path.name)
            match = sums or _FILE.fullmatch(path.name)
            if match is None:
                continue
            try:
                status = path.stat()
            except OSError:  # deleted since it was listed
                continue
            if sums is not None:
                totals.setdefault(int(sums[1]), []).append((sums[2], status.st_size))
                continue
            number, merged = int(match[2]), match[1] == "hour"
            own = totals.get(number, ()) if merged else ()
            found.append(
                ArchiveFile(
                    hour, number, merged, path, status.st_size, status.st_mtime_ns,
                    tuple(kind for kind, _ in own), sum(octets for _, octets in own),
                )
            )  # fmt: skip
        return sorted(found)

    def everything(self, hour: int) -> Sequence[Path]:
        """Return all that is in the folder of an hour and bears a name of ours; sums before what they are of."""
        return [path for path in reversed(_children(self.folder_of(hour))) if path.name.startswith(_OURS)]

    def folder_of(self, hour: int) -> Path:
        """Return the folder of an hour, which may not exist."""
        moment = datetime.fromtimestamp(hour // _MILLIS, UTC)
        return self.path / f"{moment:%Y-%m-%d}" / f"{moment:%H}"

    def facts(self, file: ArchiveFile, connection: Any) -> FileFacts:
        """Return what a file says of itself, remembered while the file is the same; raises BadFileError."""
        key = (file.path, file.octets, file.modified_ns)
        known = self._facts.get(key)
        if known is None:
            known = self._facts[key] = read_facts(file.path, connection)
        return known

    def forget_facts(self, kept: Iterable[ArchiveFile]) -> None:
        """Drop what is remembered of files that are not among `kept`."""
        keys = {(file.path, file.octets, file.modified_ns) for file in kept}
        self._facts = {key: facts for key, facts in self._facts.items() if key in keys}

    def name_for(self, hour: int, number: int, *, merged: bool) -> Path:
        """Return the path of a new file; makes its folder, durably."""
        folder = self.folder_of(hour)
        for made in (self.path, folder.parent, folder):
            if not made.is_dir():
                made.mkdir(mode=0o700, parents=made is self.path, exist_ok=True)
                _sync_folder(made.parent)
        return folder / f"{'hour' if merged else 'part'}-{number:08d}.parquet"

    def publish(self, temporary: Path, path: Path) -> None:
        """Give a finished file its name, durably: after a crash it is there whole or not at all."""
        temporary.chmod(0o600)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)

    def remove(self, files: Iterable[Path]) -> None:
        """Delete files, and their folders where nothing is left in them."""
        for path in files:
            path.unlink(missing_ok=True)
            for folder in (path.parent, path.parent.parent):
                try:
                    folder.rmdir()
                except OSError:
                    break

    def remove_temporary(self) -> int:
        """Delete what a crash left half-written, and sums of what is not there; return how many files."""
        count = 0
        for hour in self.hours():
            merged = {file.number for file in self.files(hour) if file.merged}
            for path in _children(self.folder_of(hour)):
                sums = _TOTALS.fullmatch(path.name)
                if _TEMPORARY.fullmatch(path.name) or (sums is not None and int(sums[1]) not in merged):
                    path.unlink(missing_ok=True)
                    count += 1
        return count

    def free_octets(self) -> int:
        """Return how much room the disk has for us."""
        return shutil.disk_usage(self.path).free


def temporary_of(path: Path) -> Path:
    """Return the name under which a file is written."""
    return path.with_name(path.name + ".tmp")


def current(files: Sequence[ArchiveFile], facts: Mapping[Path, FileFacts]) -> Sequence[ArchiveFile]:
    """Return the files of an hour that count: readable ones, without those that another of them replaces."""
    replaced = {name for file in files if file.path in facts for name in facts[file.path].replaces}
    return [file for file in files if file.path in facts and file.path.name not in replaced]


def read_facts(path: Path, connection: Any) -> FileFacts:
    """Return what a file says of itself; raises BadFileError, FileNotFoundError for one that has gone."""
    try:
        rows = connection.execute(
            f"SELECT value FROM parquet_kv_metadata({quoted_path(path)}) WHERE key = '{METADATA_KEY}'::BLOB"  # noqa: S608  a quoted path
        ).fetchall()
        if len(rows) != 1 or len(rows[0][0]) > _MAX_METADATA_OCTETS:
            raise BadFileError("it is not a file of a btimd archive")
        return FileFacts.from_json(bytes(rows[0][0]).decode())
    except (duckdb.Error, ValueError) as error:
        if not path.exists():
            raise FileNotFoundError(str(path)) from error
        text = str(error).partition("\n")[0]
        raise BadFileError(text) from error


def hour_of(milliseconds: int) -> int:
    """Return the beginning of the hour of a time."""
    return milliseconds - milliseconds % HOUR_MILLISECONDS


def _moment(day: str, hour: str) -> int | None:
    try:
        return int(datetime.fromisoformat(f"{day}T{hour}:00:00+00:00").timestamp()) * _MILLIS
    except ValueError:
        return None


def _children(folder: Path) -> Sequence[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # not there yet, not there any more, or a file of that name
        return ()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
