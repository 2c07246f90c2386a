"""Searches in the archive: hour by hour, the newest first, within a time limit, and never more than a few at once."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from heapq import nsmallest
from typing import Any, Final, TypeVar

import numpy as np

from btimd.model.address import address_text
from btimd.model.archive import (
    ArchiveBusyError,
    Coverage,
    FlowSearch,
    FoundFlow,
    FoundGroup,
    SearchResult,
    TimeRange,
)
from btimd.store.archivecolumns import COLUMN_NAMES, HOUR_MILLISECONDS, PlaceText, RuleText
from btimd.store.archivefiles import INTERRUPTED, ArchiveFolder, connect, hour_of
from btimd.store.archivequery import (
    TextIds,
    check,
    groups_statement,
    key_columns,
    key_width,
    rows_statement,
    selections,
    sums_statement,
    sums_table,
)
from btimd.store.archivesource import ArchiveReader, Readable

T = TypeVar("T")

_LOOK_BACK_HOURS: Final = 2
_LISTED: Final = 20
_GAPS: Final = 1000
_ADDRESSES: Final = frozenset({"client", "server"})
_PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_AT_ONCE: Final = 2
_WAITING: Final = 6


class ArchiveSearch:
    """One search; blocks. monotonic: seconds, for the time limit. began: count records that began in the time."""

    def __init__(
        self,
        folder: ArchiveFolder,
        search: FlowSearch,
        *,
        timeout_seconds: float,
        monotonic: Callable[[], float],
        memory_octets: int,
        began: bool = False,
    ) -> None:
        check(search)
        self._reader = ArchiveReader(folder.path, folder=folder)
        self._search = search
        self._timeout = timeout_seconds
        self._monotonic = monotonic
        self._memory = memory_octets
        self._began = began
        self._stopped = ""
        self._read_hours: set[int] = set()
        self._files = 0
        self._scanned = 0

    def run(self, *, order: str = "octets", clients: bool = False) -> SearchResult:
        """Search. order: the column that groups are sorted by; clients: count the clients of each."""
        begun = self._monotonic()
        connection = connect(memory_octets=self._memory)
        guard = threading.Timer(self._timeout, connection.interrupt)
        guard.start()
        self._end = begun + self._timeout
        try:
            if self._search.group_by:
                flows: Sequence[FoundFlow] = ()
                groups, total = self._groups(connection, order, guard, clients=clients)
            else:
                flows, groups, total = self._flows(connection), (), None
        finally:
            guard.cancel()
            connection.close()
        limit = self._search.limit
        return SearchResult(
            flows=tuple(flows[:limit]),
            groups=tuple(groups[:limit]),
            more=len(flows) > limit or len(groups) > limit,
            coverage=self._coverage(self._monotonic() - begun),
            total=total,
        )

    def _hours(self) -> Sequence[int]:
        back = 0 if self._began else _LOOK_BACK_HOURS * HOUR_MILLISECONDS
        begin, end = max(self._search.from_milliseconds - back, 0), self._search.to_milliseconds
        return self._reader.hours(begin, end)[::-1]

    def _wanted(self, one: Readable) -> bool:
        """Tell whether a file may hold what is searched for; one whose names rule that out counts as read."""
        facts, search = one.facts, self._search
        last = facts.last_start if self._began else facts.last_end
        if facts.first_start >= search.to_milliseconds or last < search.from_milliseconds:
            return False
        return bool(selections(search, one.facts, began=self._began))

    def _each_hour(self, connection: Any, work: Callable[[int], tuple[Sequence[Readable], bool]]) -> None:
        """Work on the hours until all is done, enough was found, or time is up; work returns files and "enough"."""
        for hour in self._hours():
            if self._monotonic() >= self._end:
                self._stopped = f"the time limit of {self._timeout:g} s was reached"
                return
            try:
                files, enough = work(hour)
            except INTERRUPTED:
                self._stopped = f"the time limit of {self._timeout:g} s was reached"
                return
            if files or self._reader.readable(hour, connection):
                self._read_hours.add(hour)
            self._files += len(files)
            self._scanned += sum(one.facts.records for one in files)
            if enough:
                self._stopped = "enough was found"
                return

    def _flows(self, connection: Any) -> Sequence[FoundFlow]:
        limit = self._search.limit
        found: list[FoundFlow] = []
        by_octets = self._search.sort == "octets"
        key = _by_octets if by_octets else _by_time

        def work(hour: int) -> tuple[Sequence[Readable], bool]:
            nonlocal found
            least = found[-1].octets if by_octets and len(found) > limit else None
            files, rows = self._reader.read(
                hour,
                connection,
                partial(rows_statement, self._search, least_octets=least),
                wanted=self._wanted,
            )
            found = nsmallest(limit + 1, [*found, *(_flow(row, files) for row in rows)], key=key)
            return files, not by_octets and len(found) > limit

        self._each_hour(connection, work)
        return found

    def _groups(
        self, connection: Any, order: str, guard: threading.Timer, *, clients: bool
    ) -> tuple[Sequence[FoundGroup], FoundGroup]:
        search, ids = self._search, TextIds()
        keys = key_columns(search.group_by, clients=clients)
        connection.execute(sums_table(keys))

        def select(files: Sequence[Readable]) -> str:
            return sums_statement(search, keys, ids, files, began=self._began)

        def work(hour: int) -> tuple[Sequence[Readable], bool]:
            files, _ = self._reader.read(hour, connection, select, into="sums", wanted=self._wanted)
            return files, False

        self._each_hour(connection, work)
        guard.cancel()  # what was read is worth an answer
        _texts(connection, ids)
        statement = groups_statement(search.group_by, clients=clients, order=order, limit=search.limit + 1)
        groups = [_group(row, search.group_by) for row in connection.execute(statement).fetchall()]
        whole = connection.execute(groups_statement((), clients=clients, order="octets", limit=1)).fetchall()
        return groups, _group(whole[0], ())

    def _coverage(self, seconds: float) -> Coverage:
        begin, end = self._search.from_milliseconds, self._search.to_milliseconds
        read = self._read_hours
        missing: list[TimeRange] = []
        if self._stopped != "enough was found":
            edge = begin
            for hour in sorted(read):
                if hour > edge:
                    missing.append(TimeRange(edge, hour))
                edge = max(edge, hour + HOUR_MILLISECONDS)
            if edge < end:
                missing.append(TimeRange(edge, end))
        bad = tuple(f"{path}: {why}" for path, why in sorted(self._reader.bad.items())[:_LISTED])
        return Coverage(
            hours=len(read),
            files=self._files,
            scanned=self._scanned,
            missing=tuple(missing[:_GAPS]),
            bad_files=bad,
            stopped=self._stopped,
            seconds=seconds,
        )


class SearchThreads:
    """Runs what blocks away from the loop, a few at a time; refuses with ArchiveBusyError when many wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "archive-search")
        self._running = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Run and return what `work` returns."""
        if self._running >= _AT_ONCE + _WAITING:
            raise ArchiveBusyError(f"{self._running} searches of the archive are running or waiting; try again later")
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._running -= 1

    def close(self) -> None:
        """Start nothing any more; what runs ends by its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def first_hour(milliseconds: int) -> int:
    """Return the beginning of the first whole hour from a time on."""
    return hour_of(milliseconds + HOUR_MILLISECONDS - 1)


def _by_time(flow: FoundFlow) -> tuple[int, ...]:
    return -flow.start_milliseconds, -flow.octets


def _by_octets(flow: FoundFlow) -> tuple[int, ...]:
    return -flow.octets, -flow.start_milliseconds


def _flow(row: Sequence[Any], files: Sequence[Readable]) -> FoundFlow:
    file, *values = row
    one = dict(zip(COLUMN_NAMES, values, strict=True))
    dictionary = files[file].facts.dictionary
    rule = dictionary.rules.get(one["rule_code"], RuleText("?", ()))
    place = dictionary.places.get(one["place_code"], PlaceText("?", "?"))
    return FoundFlow(
        start_milliseconds=one["flow_start_milliseconds"],
        end_milliseconds=one["flow_end_milliseconds"],
        client=address_text(one["client_address_hi"], one["client_address_lo"]),
        client_port=one["client_port"],
        server=address_text(one["server_address_hi"], one["server_address_lo"]),
        server_port=one["server_port"],
        protocol=one["protocol_identifier"],
        from_client=one["client_is_source"],
        octets=one["octet_delta_count"] * one["sampling_rate"],
        packets=one["packet_delta_count"] * one["sampling_rate"],
        tcp_control_bits=one["tcp_control_bits"],
        ip_class_of_service=one["ip_class_of_service"],
        sampling_rate=one["sampling_rate"],
        exporter=dictionary.exporters.get(one["exporter_code"], "?"),
        ingress_interface=one["ingress_interface"],
        egress_interface=one["egress_interface"],
        vlan_id=one["vlan_id"],
        rule=rule.rule,
        businesses=rule.businesses,
        region=place.region,
        segment=place.segment,
        duplicate=one["duplicate"],
        record_quality=one["record_quality"],
    )


def _texts(connection: Any, ids: TextIds) -> None:
    """Make the tables of what rule_id, place_id and exporter_id mean; a rule without owners is owned by ''."""
    rules, places, exporters = (list(ids.texts[name]) for name in ("rule_code", "place_code", "exporter_code"))
    owners = [(number, name) for number, rule in enumerate(rules) for name in rule.businesses or ("",)]
    _table(connection, "rules", {"rule_id": range(len(rules)), "rule": [one.rule for one in rules]})
    _table(connection, "owners", {"rule_id": [one for one, _ in owners], "business": [name for _, name in owners]})
    _table(
        connection,
        "places",
        {
            "place_id": range(len(places)),
            "region": [one.region for one in places],
            "segment": [one.segment for one in places],
        },
    )
    _table(connection, "exporters", {"exporter_id": range(len(exporters)), "exporter": exporters})


def _table(connection: Any, name: str, columns: dict[str, Any]) -> None:
    first, *texts = columns
    given: dict[str, Any] = {first: np.array(columns[first], np.int32)}
    given |= {text: np.array(columns[text], object) for text in texts}
    connection.register("staged", given)
    casts = ", ".join([first, *(f"CAST({text} AS VARCHAR) AS {text}" for text in texts)])
    connection.execute(f"CREATE TABLE {name} AS SELECT {casts} FROM staged")  # noqa: S608  own names
    connection.unregister("staged")


def _group(row: Sequence[Any], group_by: Sequence[str]) -> FoundGroup:
    keys: list[str] = []
    place = 0
    for name in group_by:
        width = key_width(name)
        values = row[place : place + width]
        place += width
        if name in _ADDRESSES:
            keys.append(address_text(*values))
        elif name == "port":
            keys.append(f"{values[0]}/{_PROTOCOLS.get(values[1], values[1])}")
        elif name == "protocol":
            keys.append(_PROTOCOLS.get(values[0], str(values[0])))
        else:
            keys.append(str(values[0]))
    to_server, to_client, packets, flows, first, last, clients, _ = row[place:]
    return FoundGroup(
        keys=tuple(keys),
        octets_to_server=int(to_server or 0),
        octets_to_client=int(to_client or 0),
        packets=int(packets or 0),
        flows=int(flows or 0),
        first_milliseconds=first or 0,
        last_milliseconds=last or 0,
        clients=clients,
    )
