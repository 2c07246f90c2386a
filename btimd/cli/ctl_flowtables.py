"""Pictures of flow records, of records added up, and of rankings."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, moment, percent, quantity, span
from btimd.model.archive import ArchiveStatus, Coverage, FoundFlow, Ranking, SearchResult

_MILLIS: Final = 1000
_NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_FLAGS: Final = "FSRPAUEC"
_UNITS: Final = {"octets": "B"}


def flows_table(flows: Sequence[FoundFlow]) -> Table:
    """Show single records; the arrow says which way they went. Who exported them matters where some are duplicates."""
    twice = any(one.duplicate for one in flows)
    columns = ("from", "client", "", "server", "proto", "octets", "packets", "flags", "business")
    table = new_table(*columns, *(("exporter",) if twice else ()), right=("octets", "packets"))
    return fill(
        table,
        (
            (
                moment(one.start_milliseconds / _MILLIS),
                _end(one.client, one.client_port),
                ">" if one.from_client else "<",
                _end(one.server, one.server_port),
                _NAMES.get(one.protocol, str(one.protocol)),
                ("~" if one.sampling_rate > 1 else "") + quantity(one.octets, "B"),
                quantity(one.packets),
                "".join(letter for bit, letter in enumerate(_FLAGS) if one.tcp_control_bits >> bit & 1),
                ",".join(one.businesses) or "-",
                *((one.exporter + (" (duplicate)" if one.duplicate else ""),) if twice else ()),
            )
            for one in flows
        ),
    )


def groups_table(found: SearchResult, group_by: Sequence[str]) -> Table:
    """Show records added up, and all of them together in the last line."""
    numbers = ("to server", "to client", "packets", "records")
    table = new_table(*group_by, *numbers, "first", "last", right=numbers)
    rows = [(group, tuple(map(_key, group_by, group.keys))) for group in found.groups]
    if found.total is not None:
        rows.append((found.total, ("all", *("",) * (len(group_by) - 1))))
    return fill(
        table,
        (
            (
                *keys,
                quantity(group.octets_to_server, "B"),
                quantity(group.octets_to_client, "B"),
                quantity(group.packets),
                quantity(group.flows),
                moment(group.first_milliseconds / _MILLIS),
                moment(group.last_milliseconds / _MILLIS),
            )
            for group, keys in rows
        ),
    )


def ranking_table(ranking: Ranking) -> Table:
    """Show a ranking."""
    table = new_table("#", *ranking.columns, ranking.unit, "share", right=("#", ranking.unit, "share"))
    unit = _UNITS.get(ranking.unit, "")
    blank = ("",) * (len(ranking.columns) - 1)
    rows: list[tuple[str, ...]] = [
        (
            "" if row.others else str(place),
            *(("others", *blank) if row.others else tuple(key or "(none)" for key in row.keys)),
            quantity(row.value, unit),
            "-" if row.share is None else percent(row.share),
        )
        for place, row in enumerate(ranking.rows, 1)
    ]
    if ranking.total is not None:
        rows.append(("", "all", *blank, quantity(ranking.total, unit), ""))
    return fill(table, rows)


def span_of(ranking: Ranking) -> str:
    """Say which time a ranking is of, and where it comes from."""
    begin, end = full_moment(ranking.from_milliseconds / _MILLIS), full_moment(ranking.to_milliseconds / _MILLIS)
    return f"{begin} to {end}, from the {ranking.source}, to {span(ranking.resolution_milliseconds / _MILLIS)}"


def notes(coverage: Coverage, *, more: bool) -> Iterator[str]:
    """Yield what a reader has to know besides the rows."""
    if more:
        yield "there is more; ask for it with --limit, or narrow the search"
    yield (
        f"{quantity(coverage.scanned)} records in {coverage.files} files of {coverage.hours} hours were searched"
        f" in {span(coverage.seconds)}"
    )
    if coverage.stopped and coverage.stopped != "enough was found":
        yield f"not everything was read: {coverage.stopped}"
    for one in coverage.missing:
        begin, end = full_moment(one.from_milliseconds / _MILLIS), full_moment(one.to_milliseconds / _MILLIS)
        yield f"nothing was read of {begin} to {end}"
    for text in coverage.bad_files:
        yield f"not readable: {clean(text)}"


def status_text(status: ArchiveStatus) -> Text:
    """Show what the archive holds."""

    def at(milliseconds: int | None) -> str:
        return full_moment(None if milliseconds is None else milliseconds / _MILLIS)

    off = [] if status.enabled else ["the archive is switched off: store.archive.enabled = false; nothing is taken"]
    if off and not status.files:
        return Text(off[0])
    lines = [
        *off,
        f"holds    {quantity(status.records)} records of {status.hours} hours in {status.files} files",
        f"oldest   {at(status.oldest_milliseconds)}",
        f"newest   {at(status.newest_milliseconds)}",
        f"size     {quantity(status.octets, 'B')} of {quantity(status.max_octets, 'B')}",
        f"keeps    {span(status.keep_seconds)}",
        f"written  {quantity(status.written)} records since the start, {quantity(status.waiting)} wait in memory",
        f"lost     {quantity(status.dropped)} records since the start",
        *(f"broken   {text}" for text in status.bad_files),
        f"problem  {status.problem or 'none'}",
    ]
    return Text(clean("\n".join(lines)))


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _key(name: str, key: str) -> str:
    return moment(int(key) / _MILLIS) if name == "hour" else key or "(none)"
