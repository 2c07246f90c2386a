"""Writes parts of the archive, puts the parts of an hour together, and removes what was kept long enough.

A part is written fast, as it comes, and lives for an hour or so. What it becomes is sorted by client and time, so that
all records of a client lie in one or two row groups of an hour, and packed tightly. Everything here blocks and is
called by one thread.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from btimd.store.archivecolumns import (
    CODES,
    COLUMN_NAMES,
    HOUR_MILLISECONDS,
    METADATA_KEY,
    Codebook,
    FileFacts,
    facts_of,
    united,
)
from btimd.store.archivefiles import (
    CONNECTION_SETTINGS,
    INTERRUPTED,
    ArchiveFile,
    ArchiveFolder,
    BadFileError,
    DatabaseError,
    current,
    quoted_path,
    temporary_of,
)
from btimd.store.archivetotals import KINDS, adding_up, taking

ROW_GROUP_ROWS: Final = 122_880
MAX_HOURS_PER_WRITE: Final = 32
"""Hours that one write may open files for; the times of records are in the hands of whoever sends them."""
_MAX_MERGED_RECORDS: Final = 2_000_000
_LAST_MILLISECOND: Final = 253_402_300_799_000  # of the year 9999, the last that folders have names for
_GROUPS: Final = f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}"
_PART_FORMAT: Final = f"FORMAT parquet, COMPRESSION uncompressed, {_GROUPS}, DICTIONARY_SIZE_LIMIT 1000"
_HOUR_FORMAT: Final = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, {_GROUPS}, DICTIONARY_SIZE_LIMIT 4000"
_ORDER: Final = """CASE WHEN client_address_hi = 0 AND client_address_lo >> 32 = 65535
    THEN (client_address_lo & 4294967295) << 22 | (flow_start_milliseconds % 3600000 + 3600000)::UBIGINT % 3600000
    ELSE 9223372036854775808::UBIGINT | (client_address_hi >> 1) END"""
"""By client and time, IPv6 by its upper half only: one number, as sorting by three columns takes twice the time."""
_NAMES: Final = ", ".join(COLUMN_NAMES)
_ALWAYS_SORTED: Final = frozenset({*CODES, "flow_start_milliseconds", "client_address_lo"})

DISK_TROUBLE: Final = (OSError, duckdb.IOException, duckdb.OutOfMemoryException)
"""Errors that say nothing against the records: they can be written again later."""

Columns = Mapping[str, npt.NDArray[Any]]


class ArchiveWriter:
    """Writes into one folder; `open` first, `close` in the end."""

    def __init__(self, folder: ArchiveFolder, book: Codebook, *, memory_octets: int, threads: int = 1) -> None:
        self.folder = folder
        self._book = book
        self._settings = {"threads": str(threads), "memory_limit": f"{memory_octets >> 20}MiB", **CONNECTION_SETTINGS}
        self._connection: Any = None
        self._number = 0
        self._bad: dict[Path, str] = {}
        self._merging = False
        self._not_summed: set[Path] = set()
        self._interrupting = threading.Lock()

    def open(self) -> None:
        """Clear away what a crash left, and go on counting where the last run stopped; raises OSError."""
        self.folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings["temp_directory"] = str(self.folder.path / "tmp")
        self._connection = duckdb.connect(config=dict(self._settings))
        self._connection.execute("SET preserve_insertion_order = true")
        self.folder.remove_temporary()
        for hour in self.folder.hours():
            files = self.folder.files(hour)
            self._number = max([self._number, *(file.number for file in files)])
            kept = {file.path for file in self.readable(hour)}
            self.folder.remove(file.path for file in files if file.path not in kept and file.path not in self._bad)

    def close(self) -> None:
        """Give the connection back; may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def interrupt_merge(self) -> None:
        """Break off putting an hour together, if that is being done; it is done again later. For any thread."""
        with self._interrupting:
            if self._merging:
                self._connection.interrupt()

    @property
    def bad(self) -> Mapping[Path, str]:
        """Files that cannot be read, and why; they are left alone until their hour is removed."""
        return self._bad

    def readable(self, hour: int) -> Sequence[ArchiveFile]:
        """Return the files of an hour that count."""
        files = self.folder.files(hour)
        facts: dict[Path, FileFacts] = {}
        for file in files:
            try:
                facts[file.path] = self.folder.facts(file, self._connection)
            except BadFileError as error:
                self._bad[file.path] = str(error)
            except FileNotFoundError:
                continue
        return current(files, facts)

    def write_hour(self, hour: int, columns: Columns) -> None:
        """Write records of one hour to a part; raises DISK_TROUBLE."""
        self._connection.register("staged", dict(columns))
        try:
            self._save(hour, f"SELECT {_NAMES} FROM staged", _PART_FORMAT, facts_of(columns, self._book))  # noqa: S608  own names
        finally:
            self._connection.unregister("staged")

    def unmerged(self, hour: int) -> bool:
        """Tell whether there is something for `merge` to do."""
        return any(
            not file.merged or (len(file.totals) < len(KINDS) and file.path not in self._not_summed)
            for file in self.folder.files(hour)
            if file.path not in self._bad
        )

    def merge(self, hour: int) -> int:
        """Put the parts of an hour together, and add up; return how many records were moved. Raises DISK_TROUBLE."""
        parts = [file for file in self.readable(hour) if not file.merged]
        moved, group, records = 0, [], 0
        for number, part in enumerate(parts):
            group.append(part)
            records += self.folder.facts(part, self._connection).records
            if records >= _MAX_MERGED_RECORDS or number == len(parts) - 1:
                moved += self._merge(hour, group)
                group, records = [], 0
        for file in self.readable(hour):
            if file.merged and len(file.totals) < len(KINDS) and file.path not in self._not_summed:
                self._add_up(file)
        return moved

    def _merge(self, hour: int, parts: Sequence[ArchiveFile]) -> int:
        facts, recodings = united(
            [self.folder.facts(part, self._connection) for part in parts], [part.path.name for part in parts]
        )
        try:
            with self._interruptible():
                statement = merging(parts, recodings, self._constants(parts))
                self._save(hour, statement, _HOUR_FORMAT, facts, merged=True)
        except (*DISK_TROUBLE, INTERRUPTED):
            raise
        except DatabaseError:
            self._find_bad(parts)
            raise
        self.folder.remove(part.path for part in parts)
        return facts.records

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        with self._interrupting:
            self._merging = True
        try:
            yield
        finally:
            with self._interrupting:
                self._merging = False

    def _constants(self, parts: Sequence[ArchiveFile]) -> Mapping[str, str]:
        """Return what stands in every record of all parts, by column, as SQL: this need not be sorted."""
        paths = ", ".join(quoted_path(part.path) for part in parts)
        same = self._connection.execute(
            f"SELECT path_in_schema, any_value(stats_min_value) FROM parquet_metadata([{paths}]) GROUP BY ALL"  # noqa: S608  quoted paths
            " HAVING bool_and(coalesce(stats_min_value = stats_max_value AND stats_null_count = 0, false))"
            " AND count(DISTINCT stats_min_value) = 1"
        ).fetchall()
        described = self._connection.execute(f"DESCRIBE SELECT * FROM read_parquet([{paths}])").fetchall()  # noqa: S608  quoted paths
        types = {row[0]: row[1] for row in described}
        return {name: f"'{value}'::{types[name]}" for name, value in same if name not in _ALWAYS_SORTED}

    def _add_up(self, file: ArchiveFile) -> None:
        """Write the sums over the records of a file; where they cannot be, searches read the records."""
        self._not_summed.add(file.path)
        facts = self.folder.facts(file, self._connection)
        if not facts.sums_fit:
            return
        try:
            with self._interruptible():
                statement = adding_up(quoted_path(file.path), facts)
                self._connection.execute(f"CREATE OR REPLACE TEMP TABLE totals AS {statement}")
                for kind in KINDS:
                    self._copy(taking(kind, "totals"), file.totals_path(kind), _HOUR_FORMAT)
        except (*DISK_TROUBLE, INTERRUPTED):
            self._not_summed.discard(file.path)
            raise
        finally:
            self._connection.execute("DROP TABLE IF EXISTS totals")

    def _find_bad(self, parts: Sequence[ArchiveFile]) -> None:
        """Note which of the parts cannot be read to the end; they do not count from now on."""
        for part in parts:
            try:
                self._connection.execute(
                    f"SELECT sum(hash(f)) FROM read_parquet({quoted_path(part.path)}) f"  # noqa: S608  a quoted path
                ).fetchall()
            except DatabaseError as error:
                self._bad[part.path] = str(error).partition("\n")[0]
                part.path.replace(part.path.with_name(part.path.name + ".bad"))

    def remove_before(self, oldest_hour: int) -> int:
        """Remove hours that begin before a time; return how many."""
        gone = [hour for hour in self.folder.hours() if hour < oldest_hour]
        for hour in gone:
            self.remove_hour(hour)
        return len(gone)

    def shrink(self, max_octets: int) -> int:
        """Remove the oldest hours until all files together fit; return how many hours."""
        sizes = {hour: sum(file.all_octets for file in self.folder.files(hour)) for hour in self.folder.hours()}
        total, removed = sum(sizes.values()), 0
        for hour, octets in sizes.items():
            if total <= max_octets:
                break
            self.remove_hour(hour)
            total -= octets
            removed += 1
        return removed

    def remove_hour(self, hour: int) -> None:
        """Remove an hour with all that is in its folder and bears a name of ours."""
        ours = self.folder.everything(hour)
        self.folder.remove(ours)
        for path in ours:
            self._bad.pop(path, None)
            self._not_summed.discard(path)

    def _save(self, hour: int, statement: str, how: str, facts: FileFacts, *, merged: bool = False) -> None:
        path = self.folder.name_for(hour, self._number + 1, merged=merged)
        metadata = facts.to_json().replace("'", "''")
        self._copy(statement, path, f"{how}, KV_METADATA {{{METADATA_KEY}: '{metadata}'}}")
        self._number += 1

    def _copy(self, statement: str, path: Path, how: str) -> None:
        temporary = temporary_of(path)
        try:
            self._connection.execute(f"COPY ({statement}) TO '{str(temporary).replace(chr(39), chr(39) * 2)}' ({how})")
            self.folder.publish(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def by_hour(columns: Columns) -> tuple[Sequence[tuple[int, npt.NDArray[np.int64] | None]], int]:
    """Return the hours of records with the rows of each (None: all of them), and how many rows had no room.

    No more than MAX_HOURS_PER_WRITE hours are taken: those with the most records.
    """
    start = columns["flow_start_milliseconds"]
    if not len(start):
        return [], 0
    hour = np.clip(start, 0, _LAST_MILLISECOND) // HOUR_MILLISECONDS
    if hour.min() == hour.max():
        return [(int(hour[0]) * HOUR_MILLISECONDS, None)], 0
    hours, place, counts = np.unique(hour, return_inverse=True, return_counts=True)
    most = np.sort(np.argsort(-counts, kind="stable")[:MAX_HOURS_PER_WRITE])
    taken = [(int(hours[each]) * HOUR_MILLISECONDS, np.flatnonzero(place == each)) for each in most.tolist()]
    return taken, int(len(start) - counts[most].sum())


def merging(
    parts: Sequence[ArchiveFile], recodings: Mapping[str, Sequence[Sequence[int]]], constants: Mapping[str, str]
) -> str:
    """Return the statement that reads parts as one, sorted; `recodings` as of `united`; constants: SQL by column."""
    varying = [name for name in COLUMN_NAMES if name not in constants]
    if not recodings:
        paths = ", ".join(quoted_path(part.path) for part in parts)
        source = f"SELECT {', '.join(varying)} FROM read_parquet([{paths}])"  # noqa: S608  quoted paths, own names
    else:
        selects = []
        for number, part in enumerate(parts):
            recoded = [
                f"([{', '.join(map(str, recodings[name][number]))}]::INTEGER[])[{name} + 1] AS {name}"
                if name in CODES and name in recodings
                else name
                for name in varying
            ]
            selects.append(f"SELECT {', '.join(recoded)} FROM read_parquet({quoted_path(part.path)})")  # noqa: S608  quoted paths, own names
        source = " UNION ALL ".join(selects)
    order = _ORDER.replace("client_address_hi", constants.get("client_address_hi", "client_address_hi"))
    columns = ", ".join(f"{constants[name]} AS {name}" if name in constants else name for name in COLUMN_NAMES)
    return f"SELECT {columns} FROM (SELECT * FROM ({source}) ORDER BY {order})"  # noqa: S608  own names, numbers
