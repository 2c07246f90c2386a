"""FlowSearch as SQL over the files of an hour.

Names become codes file by file, so a file in whose dictionary a name does not occur is not read at all. An address that
may be either end is two selections, so that the files' own order serves the one for clients.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from btimd.model.address import HALF_MASK, Prefix
from btimd.model.archive import GROUPS, SORTS, FlowSearch
from btimd.store.archivecolumns import CODES, COLUMN_NAMES, Dictionary, FileFacts
from btimd.store.archivetotals import MEASURES, measures, serving

MAX_LIMIT: Final = 1000
_HOUR: Final = 3_600_000
_HALF: Final = 64
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "client": ("client_address_hi", "client_address_lo"),
    "server": ("server_address_hi", "server_address_lo"),
    "port": ("server_port", "protocol_identifier"),
    "protocol": ("protocol_identifier",),
    "business": ("rule_id",),
    "rule": ("rule_id",),
    "region": ("place_id",),
    "segment": ("place_id",),
    "exporter": ("exporter_id",),
    "hour": ("hour",),
}
_TYPES: Final[Mapping[str, str]] = {
    "client_address_hi": "UBIGINT", "client_address_lo": "UBIGINT", "server_address_hi": "UBIGINT",
    "server_address_lo": "UBIGINT", "server_port": "USMALLINT", "protocol_identifier": "UTINYINT",
    "rule_id": "INTEGER", "place_id": "INTEGER", "exporter_id": "INTEGER", "hour": "BIGINT",
}  # fmt: skip
_IDS: Final = {"exporter_id": "exporter_code", "rule_id": "rule_code", "place_id": "place_code"}
_SUMS: Final = ("octets_to_server", "octets_to_client", "packets", "flows")


class File(Protocol):
    """What a statement needs to know of a file."""

    @property
    def sql(self) -> str:
        """Return its path as text of SQL."""
        ...

    @property
    def facts(self) -> FileFacts:
        """Return what it says of itself."""
        ...

    def totals_sql(self, kind: str) -> str:
        """Return the path of sums over its records as text of SQL, "" where there are none."""
        ...


class TextIds:
    """Numbers for the texts of all files of a search, in the order in which they were met."""

    def __init__(self) -> None:
        self.texts: Mapping[str, dict[Any, int]] = {name: {} for name in CODES}

    def table(self, column: str, texts: Mapping[int, Any]) -> str:
        """Return a list of SQL: number by code of a file, -1 for what is no code of it."""
        known = self.texts[column]
        numbers = [-1] * (max(texts, default=-1) + 1)
        for code, text in texts.items():
            numbers[code] = known.setdefault(text, len(known))
        return f"([{', '.join(map(str, numbers))}]::INTEGER[])"


def check(search: FlowSearch) -> None:
    """Refuse with ValueError, with the field first, what cannot be searched for."""
    for name in ("client", "server", "address", "peer"):
        text = getattr(search, name)
        try:
            if text:
                Prefix.parse(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    if search.peer and not search.address:
        raise ValueError("peer: the other end of what? give address too, or client and server")
    if search.from_milliseconds >= search.to_milliseconds:
        raise ValueError("to_time: is not after from_time")
    if search.sort not in SORTS:
        raise ValueError(f"sort: {search.sort!r} is none of {', '.join(SORTS)}")
    unknown = [name for name in search.group_by if name not in GROUPS]
    if unknown or len(set(search.group_by)) != len(search.group_by):
        raise ValueError(f"group_by: each of {', '.join(GROUPS)} once")
    if not 1 <= search.limit <= MAX_LIMIT:
        raise ValueError(f"limit: {search.limit} is not from 1 to {MAX_LIMIT}")


def codes_of(search: FlowSearch, dictionary: Dictionary) -> Mapping[str, Sequence[int]] | None:
    """Return which codes of a file fit the names asked for, per code column; None where the file has none of them."""
    wanted: dict[str, Sequence[int]] = {}
    if search.business is not None:
        name = search.business
        wanted["rule_code"] = [
            code
            for code, one in dictionary.rules.items()
            if name in one.businesses or (not name and not one.businesses)
        ]
    if search.region is not None:
        wanted["place_code"] = [code for code, one in dictionary.places.items() if one.region == search.region]
    if search.exporter is not None:
        wanted["exporter_code"] = [code for code, text in dictionary.exporters.items() if text == search.exporter]
    return None if any(not codes for codes in wanted.values()) else wanted


def selections(search: FlowSearch, facts: FileFacts, *, began: bool = False) -> Sequence[str]:
    """Return the conditions for the rows of a file, to be put together by UNION ALL; () = none of its rows fit.

    began: records count that began in the time, not those that were under way in it. What is true of the whole file is
    not asked of its rows: reading times costs more than most other conditions.
    """
    codes = codes_of(search, facts.dictionary)
    if codes is None:
        return ()
    begin, end = int(search.from_milliseconds), int(search.to_milliseconds)
    conditions = [f"{name} IN ({', '.join(map(str, wanted))})" for name, wanted in codes.items()]
    begun = "flow_start_milliseconds" if began else "flow_end_milliseconds"
    simple = (
        (facts.last_start >= end, f"flow_start_milliseconds < {end}"),
        ((facts.first_start if began else facts.first_end) < begin, f"{begun} >= {begin}"),
        (not search.duplicates, "NOT duplicate"),
        (search.client, _within("client", search.client)),
        (search.server, _within("server", search.server)),
        (search.port is not None, f"server_port = {search.port}"),
        (search.protocol is not None, f"protocol_identifier = {search.protocol}"),
        (search.interface is not None, f"{search.interface} IN (ingress_interface, egress_interface)"),
        (search.min_octets, f"octet_delta_count::HUGEINT * sampling_rate >= {search.min_octets}"),
    )
    conditions += [condition for wanted, condition in simple if wanted]
    if not search.address:
        return [" AND ".join(conditions) or "true"]
    forth, back = [_within("client", search.address)], [_within("server", search.address)]
    if search.peer:
        forth.append(_within("server", search.peer))
        back.append(_within("client", search.peer))
    once = f"NOT ({' AND '.join(forth)})"
    return [" AND ".join([*conditions, *forth]), " AND ".join([*conditions, *back, once])]


def rows_statement(search: FlowSearch, files: Sequence[File], least_octets: int | None) -> str:
    """Return the statement for the first records of an hour. least_octets: smaller ones are not wanted any more."""
    octets = "octet_delta_count::HUGEINT * sampling_rate"
    more = "" if least_octets is None else f" AND {octets} >= {int(least_octets)}"
    selects = [
        f"SELECT {number} AS file, {', '.join(COLUMN_NAMES)} FROM read_parquet({file.sql}) WHERE {condition}{more}"  # noqa: S608  own names, numbers, a quoted path
        for number, file in enumerate(files)
        for condition in selections(search, file.facts)
    ]
    first = (
        f"{octets} DESC, flow_start_milliseconds DESC" if search.sort == "octets" else "flow_start_milliseconds DESC"
    )
    return f"SELECT * FROM ({' UNION ALL '.join(selects)}) ORDER BY {first} LIMIT {int(search.limit) + 1}"  # noqa: S608  made of the above


def key_columns(group_by: Iterable[str], *, clients: bool) -> Sequence[str]:
    """Return the columns that groups are told apart by while hours are added up."""
    wanted = [column for name in group_by for column in _KEYS[name]]
    return list(dict.fromkeys([*wanted, *(_KEYS["client"] if clients else ())]))


def sums_table(keys: Sequence[str]) -> str:
    """Return the statement that makes the table `sums` of groups by hour."""
    columns = [f"{key} {_TYPES[key]}" for key in keys] + [f"{name} HUGEINT" for name in _SUMS]
    return f"CREATE TABLE sums ({', '.join(columns)}, first_seen BIGINT, last_seen BIGINT)"


def sums_statement(search: FlowSearch, keys: Sequence[str], ids: TextIds, files: Sequence[File], *, began: bool) -> str:
    """Return the statement that adds up the records of an hour; `ids` grows by the names of its files."""
    selects = []
    for file in files:
        texts = dict(zip(CODES, file.facts.dictionary.columns(), strict=True))
        kind = serving(search, [_IDS.get(key, key) for key in keys if key != "hour"], file.facts, began=began)
        totals = file.totals_sql(kind) if kind else ""
        given = {
            key: f"{ids.table(_IDS[key], texts[_IDS[key]])}[{_IDS[key]} + 1] AS {key}" for key in keys if key in _IDS
        }
        start = "first_seen" if totals else "flow_start_milliseconds"
        given["hour"] = f"{start} - {start} % {_HOUR} AS hour"
        columns = "".join(f"{given.get(key, key)}, " for key in keys)
        values = ", ".join(MEASURES) if totals else measures(file.facts)
        selects += [
            f"SELECT {columns}{values} FROM read_parquet({totals or file.sql}) WHERE {condition}"  # noqa: S608  own names, numbers, a quoted path
            for condition in selections(search, file.facts, began=began)
        ]
    sums = ", ".join(f"sum({name})" for name in _SUMS) + ", min(first_seen), max(last_seen)"
    columns = "".join(f"{key}, " for key in keys)
    grouping = "GROUP BY ALL" if keys else "HAVING count(*) > 0"
    return f"SELECT {columns}{sums} FROM ({' UNION ALL '.join(selects)}) {grouping}"  # noqa: S608  made of the above


def groups_statement(group_by: Sequence[str], *, clients: bool, order: str, limit: int) -> str:
    """Return the statement that answers from `sums` and the tables of texts; order: a column of the answer."""
    keys: list[str] = []
    joins = ""
    for name in group_by:
        if name == "business":
            keys.append("owners.business")
            joins += " JOIN owners USING (rule_id)"
        elif name in {"rule", "region", "segment", "exporter"}:
            table = {"rule": "rules", "exporter": "exporters"}.get(name, "places")
            keys.append(f"{table}.{name}")
            if f" JOIN {table} " not in joins:
                joins += (
                    f" JOIN {table} USING ({ {'rules': 'rule_id', 'exporters': 'exporter_id'}.get(table, 'place_id') })"
                )
        else:
            keys += [f"sums.{column}" for column in _KEYS[name]]
    sums = ", ".join(f"sum({name}) AS {name}" for name in _SUMS) + (
        ", min(first_seen) AS first_seen, max(last_seen) AS last_seen"
    )
    places = [f"k{number}" for number in range(len(keys))]
    named = [f"{key} AS {place}" for key, place in zip(keys, places, strict=True)]
    each = f"sums{joins}"
    if clients:  # each client of a group once: that is much faster than count(DISTINCT ...)
        client = [f"sums.{column} AS {column}" for column in _KEYS["client"]]
        together = ", ".join([*places, *_KEYS["client"]])
        each = f"(SELECT {', '.join([*named, *client, sums])} FROM {each} GROUP BY {together})"  # noqa: S608  own names
        named = places
    grouping = f"GROUP BY {', '.join(places)}" if keys else ""
    return (
        f"SELECT {', '.join([*named, sums])}, {'count(*)' if clients else 'NULL'} AS clients,"  # noqa: S608  own names
        f" sum(octets_to_server + octets_to_client) AS octets FROM {each} {grouping}"
        f" ORDER BY {', '.join([f'{order} DESC', *places])} LIMIT {int(limit)}"
    )


def key_width(name: str) -> int:
    """Return how many columns of the answer a group of this name has."""
    return 1 if name in {"business", "rule", "region", "segment", "exporter"} else len(_KEYS[name])


def _within(side: str, text: str) -> str:
    prefix = Prefix.parse(text or "::/0")
    last = prefix.last
    if prefix.length >= _HALF:
        lo = f"BETWEEN {prefix.lo} AND {last & HALF_MASK}" if prefix.length < 2 * _HALF else f"= {prefix.lo}"
        return f"({side}_address_hi = {prefix.hi} AND {side}_address_lo {lo})"
    return f"({side}_address_hi BETWEEN {prefix.hi} AND {last >> _HALF})"
