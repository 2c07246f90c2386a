"""ArchiveReader: the archive as a source of flow records, with or without a daemon that writes to it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.model.conversations import Conversations, RecordSource
from btimd.model.flowbatch import FlowBatch
from btimd.model.units import UnixMillis
from btimd.store.archivecolumns import COLUMN_NAMES, SAME, SWAPPED, Dictionary, FileFacts
from btimd.store.archivefiles import (
    INTERRUPTED,
    ArchiveFile,
    ArchiveFolder,
    BadFileError,
    DatabaseError,
    connect,
    current,
    hour_of,
    quoted_path,
)

BATCH_ROWS: Final = 122_880
_TRIES: Final = 4
_SPACE: Final[dict[str, str]] = {
    "client_hi": "uint64", "client_lo": "uint64", "server_hi": "uint64", "server_lo": "uint64",
    "server_port": "uint16", "protocol": "uint8", "rule_id": "int32", "flows": "int64", "octets": "int64",
    "packets": "int64", "first_seen": "int64", "last_seen": "int64", "answered": "uint8",
}  # fmt: skip


Select = Callable[[Sequence["Readable"]], str]
"""Makes the statement that reads some files."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that counts, and what it says of itself. use_totals: the sums over its records can be read."""

    file: ArchiveFile
    facts: FileFacts
    use_totals: bool = True

    @property
    def sql(self) -> str:
        """Return its path as text of SQL."""
        return quoted_path(self.file.path)

    @property
    def dictionary(self) -> Dictionary:
        """Return what its codes mean."""
        return self.facts.dictionary

    def totals_sql(self, kind: str) -> str:
        """Return the path of sums over its records as text of SQL, "" where there are none."""
        usable = self.use_totals and kind in self.file.totals
        return quoted_path(self.file.totals_path(kind)) if usable else ""


class ArchiveReader(RecordSource):
    """Reads the archive under a path (STATE/archive); nothing there is an empty archive, not an error.

    Files that cannot be read are left out and named in `bad`, path -> why. exporters: the names of `exporter_id` in the
    batches of `records`. One object is for one thread at a time.
    """

    def __init__(self, path: Path, *, threads: int = 2, folder: ArchiveFolder | None = None) -> None:
        self.folder = folder or ArchiveFolder(path)
        self.bad: dict[Path, str] = {}
        self._threads = threads
        self._exporters: dict[str, int] = {}
        self._without_totals: set[Path] = set()

    @property
    def exporters(self) -> tuple[str, ...]:
        """The texts of exporters by the ids used in batches so far."""
        return tuple(self._exporters)

    def hours(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Sequence[int]:
        """Return the hours kept that touch this time, ascending."""
        first = hour_of(max(from_milliseconds, 0))
        return [hour for hour in self.folder.hours() if first <= hour < to_milliseconds]

    def readable(self, hour: int, connection: Any) -> Sequence[Readable]:
        """Return the files of an hour that count; the others are noted in `bad`."""
        found: Sequence[Readable] = ()
        for _ in range(_TRIES):
            files = self.folder.files(hour)
            facts: dict[Path, FileFacts] = {}
            gone = False
            for file in files:
                try:
                    facts[file.path] = self.folder.facts(file, connection)
                except BadFileError as error:
                    self.bad[file.path] = str(error)
                except FileNotFoundError:  # merged or removed since it was listed: what replaces it is listed now
                    gone = True
            found = [
                Readable(file, facts[file.path], file.path not in self._without_totals)
                for file in current(files, facts)
            ]
            if not gone:
                break
        return found

    @override
    def records(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Iterator[FlowBatch]:
        """Yield the records that began in this time, some 100,000 at a time, duplicates left out, in no order.

        An hour whose parts are put together while it is read is read from the start again only as long as none of it
        was yielded; after that the missing rest is noted in `bad`.
        """
        hours = self.hours(from_milliseconds, to_milliseconds)
        if not hours:  # who asks hour by hour far back would open a database for each
            return
        connection = connect(threads=self._threads)
        try:
            for hour in hours:
                for one in self._opened(hour, connection):
                    if one.facts.last_start >= from_milliseconds and one.facts.first_start < to_milliseconds:
                        yield from self._batches(one, from_milliseconds, to_milliseconds, connection)
        finally:
            connection.close()

    def _opened(self, hour: int, connection: Any) -> Sequence[Readable]:
        for _ in range(_TRIES):
            found = self.readable(hour, connection)
            if all(one.file.path.exists() for one in found):
                return found
        return self.readable(hour, connection)

    def _batches(self, one: Readable, begin: int, end: int, connection: Any) -> Iterator[FlowBatch]:
        source = f"read_parquet({quoted_path(one.file.path)}, file_row_number = true)"
        codes = one.facts.dictionary.exporters
        ids = np.zeros(max(codes, default=0) + 1, np.int32)
        for code, text in codes.items():
            ids[code] = self._exporters.setdefault(text, len(self._exporters))
        for row in range(0, one.facts.records, BATCH_ROWS):
            try:
                found = connection.execute(
                    f"SELECT {', '.join(COLUMN_NAMES)} FROM {source}"  # noqa: S608  own names, a quoted path
                    " WHERE file_row_number >= ? AND file_row_number < ? AND NOT duplicate"
                    " AND flow_start_milliseconds >= ? AND flow_start_milliseconds < ?",
                    [row, row + BATCH_ROWS, begin, end],
                ).fetchnumpy()
                batch = _flow_batch(found, ids)
            except (DatabaseError, ValueError, IndexError, OverflowError) as error:
                self.bad[one.file.path] = str(error).partition("\n")[0]
                return
            if len(batch):
                yield batch

    @override
    def conversations(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis, limit: int) -> Conversations:
        """Return the conversations of this time, at most `limit`, those with the most flows."""
        connection = connect(threads=self._threads)
        rules: dict[str, int] = {}
        try:
            connection.execute(_CREATE)
            for hour in self.hours(from_milliseconds, to_milliseconds):
                self.read(hour, connection, partial(_talks, rules, from_milliseconds, to_milliseconds), into="talks")
            found = connection.execute(_SUMMARY, [limit + 1]).fetchnumpy()
        finally:
            connection.close()
        columns: dict[str, Any] = {
            name: np.ascontiguousarray(np.ma.filled(found[name], 0).astype(dtype))[:limit]
            for name, dtype in _SPACE.items()
        }
        return Conversations(
            from_milliseconds=from_milliseconds,
            to_milliseconds=to_milliseconds,
            truncated=len(found["flows"]) > limit,
            rules=tuple(rules),
            **columns,
        )

    def read(
        self,
        hour: int,
        connection: Any,
        select: Select,
        *,
        into: str = "",
        wanted: Callable[[Readable], bool] = lambda _: True,
    ) -> tuple[Sequence[Readable], Sequence[tuple[Any, ...]]]:
        """Run a statement over all wanted files of an hour; return the files it read, and its rows.

        into: the table to insert into instead of returning rows. A file that breaks the statement is left out; files
        that go away meanwhile are looked for again.
        """
        broken: set[Path] = set()
        for _ in range(_TRIES):
            files = [one for one in self.readable(hour, connection) if one.file.path not in broken and wanted(one)]
            if not files:
                return (), ()
            try:
                statement = select(files)
                found = connection.execute(f"INSERT INTO {into} {statement}" if into else statement).fetchall()
            except INTERRUPTED:
                raise
            except DatabaseError:
                broken |= self._broken(files, select, connection)
            else:
                return files, found
        return (), ()

    def _broken(self, files: Sequence[Readable], select: Select, connection: Any) -> set[Path]:
        """Return the files that a statement fails on, by running it on each alone; those whose sums fail are noted."""
        found = set()
        for one in files:
            why = _failure(select([one]), connection)
            if not why or not one.file.path.exists():
                continue
            if one.use_totals and one.file.totals:
                self._without_totals.add(one.file.path)  # tried again with the records themselves
                for path in map(one.file.totals_path, one.file.totals):
                    wrong = _failure(f"SELECT * FROM read_parquet({quoted_path(path)})", connection)  # noqa: S608  a quoted path
                    if wrong and path.exists():
                        self.bad[path] = wrong
                continue
            self.bad[one.file.path] = why
            found.add(one.file.path)
        return found


def _failure(statement: str, connection: Any) -> str:
    try:
        connection.execute(f"EXPLAIN ANALYZE {statement}")
    except INTERRUPTED:
        raise
    except DatabaseError as error:
        return str(error).partition("\n")[0]
    return ""


def _flow_batch(found: dict[str, Any], ids: npt.NDArray[np.int32]) -> FlowBatch:
    """Return the records of a file as a batch; raises ValueError, IndexError for a file that holds other things."""
    columns = {name: np.ma.filled(found[name], 0) for name in COLUMN_NAMES}
    from_client = columns["client_is_source"].astype(np.bool_)
    given = {name: columns[name] for name in SAME}
    for client, server in (("client_address_hi", "server_address_hi"), ("client_address_lo", "server_address_lo"),
                           ("client_port", "server_port")):  # fmt: skip
        as_source, as_destination = SWAPPED[client]
        given[as_source] = np.where(from_client, columns[client], columns[server])
        given[as_destination] = np.where(from_client, columns[server], columns[client])
    given["exporter_id"] = ids[columns["exporter_code"]]
    return FlowBatch.of(**given)


_CREATE: Final = """CREATE TABLE talks (client_hi UBIGINT, client_lo UBIGINT, server_hi UBIGINT, server_lo UBIGINT,
    server_port USMALLINT, protocol UTINYINT, rule_id INTEGER, flows BIGINT, answers BIGINT, octets HUGEINT,
    packets HUGEINT, first_seen BIGINT, last_seen BIGINT)"""
_KEYS: Final = "client_hi, client_lo, server_hi, server_lo, server_port, protocol, rule_id"
_MOST: Final = 2**63 - 1
_SUMMARY: Final = f"""SELECT {_KEYS}, sum(flows) AS flows, least(sum(octets), {_MOST})::BIGINT AS octets,
    least(sum(packets), {_MOST})::BIGINT AS packets, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    sum(flows) > 0 AND sum(answers) > 0 AS answered
    FROM talks GROUP BY ALL ORDER BY flows DESC, octets DESC, {_KEYS} LIMIT ?"""  # noqa: S608  own names


def _talks(rules: dict[str, int], begin: int, end: int, files: Sequence[Readable]) -> str:
    """Return the statement that adds up the conversations in some files; `rules` grows by those it meets.

    Where no rule told who is the server, it is the end with the lower port, or address where the ports are equal, so
    that both directions say the same.
    """
    selects = []
    for one in files:
        texts = one.facts.dictionary.rules
        numbers = [-1] * (max(texts, default=-1) + 1)
        for code, text in texts.items():
            if text.rule:
                numbers[code] = rules.setdefault(text.rule, len(rules))
        selects.append(
            f"SELECT *, ([{', '.join(map(str, numbers))}]::INTEGER[])[rule_code + 1] AS rule_id"  # noqa: S608  own names, a quoted path
            f" FROM read_parquet({quoted_path(one.file.path)})"
            f" WHERE NOT duplicate AND flow_start_milliseconds >= {int(begin)} AND flow_start_milliseconds < {int(end)}"
        )
    return _TALKS.format(source=" UNION ALL ".join(selects))


# With ports are TCP, UDP, DCCP, SCTP, UDP-Lite: elsewhere the port columns hold types and codes, or nothing.
_TALKS: Final = """SELECT CASE WHEN swapped THEN server_address_hi ELSE client_address_hi END AS client_hi,
    CASE WHEN swapped THEN server_address_lo ELSE client_address_lo END AS client_lo,
    CASE WHEN swapped THEN client_address_hi ELSE server_address_hi END AS server_hi,
    CASE WHEN swapped THEN client_address_lo ELSE server_address_lo END AS server_lo,
    CASE WHEN rule_id < 0 AND NOT ported THEN 0 WHEN swapped THEN client_port ELSE server_port END AS server_port,
    protocol_identifier AS protocol, rule_id,
    count(*) FILTER (WHERE client_is_source <> swapped) AS flows,
    count(*) FILTER (WHERE client_is_source = swapped) AS answers,
    sum(octet_delta_count::HUGEINT * sampling_rate) AS octets,
    sum(packet_delta_count::HUGEINT * sampling_rate) AS packets,
    min(flow_start_milliseconds) AS first_seen, max(flow_end_milliseconds) AS last_seen
    FROM (SELECT *, rule_id < 0 AND CASE
            WHEN ported AND client_port <> server_port THEN client_port < server_port
            WHEN client_address_hi <> server_address_hi THEN client_address_hi < server_address_hi
            ELSE client_address_lo < server_address_lo END AS swapped
        FROM (SELECT *, protocol_identifier IN (6, 17, 33, 132, 136) AS ported FROM ({source})))
    GROUP BY ALL"""
