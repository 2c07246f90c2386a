"""Sums over the records of an hour, kept beside them, so that most sums over a day need not read its records.

Whatever adds up over whole files is exact when it is added up from these. There are two kinds, both small: a pair of
client and server stands in neither, so who talked to whom is always read from the records.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from btimd.model.archive import FlowSearch
from btimd.store.archivecolumns import FileFacts

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "servers": (
        "server_address_hi", "server_address_lo", "server_port", "protocol_identifier", "rule_code", "exporter_code",
        "duplicate",
    ),
    "clients": ("client_address_hi", "client_address_lo", "place_code", "exporter_code", "duplicate"),
}  # fmt: skip
"""The columns by which records are added up, the first two of which are the order of the file."""
MEASURES: Final = ("octets_to_server", "octets_to_client", "packets", "flows", "first_seen", "last_seen")
_ADDING: Final = "".join(f", sum({name})::BIGINT AS {name}" for name in MEASURES[:4])


def measures(facts: FileFacts) -> str:
    """Return the columns MEASURES of each record of a file."""
    times = "* sampling_rate::BIGINT" if facts.sums_fit else "::HUGEINT * sampling_rate"
    octets = f"octet_delta_count {times}"
    return (
        f"CASE WHEN client_is_source THEN {octets} ELSE 0 END AS octets_to_server,"
        f" CASE WHEN client_is_source THEN 0 ELSE {octets} END AS octets_to_client,"
        f" packet_delta_count {times} AS packets, 1::BIGINT AS flows,"
        " flow_start_milliseconds AS first_seen, flow_end_milliseconds AS last_seen"
    )


def adding_up(path: str, facts: FileFacts) -> str:
    """Return the statement that adds up the records of a file by all kinds at once; `kind`: its place in KINDS."""
    columns = list(dict.fromkeys(name for keys in KINDS.values() for name in keys))
    sets = ", ".join(f"({', '.join(keys)})" for keys in KINDS.values())
    first = next(iter(KINDS.values()))[0]
    return (
        f"SELECT {', '.join(columns)}, GROUPING({first}) AS kind{_ADDING}, min(first_seen) AS first_seen,"  # noqa: S608  own names, a quoted path
        f" max(last_seen) AS last_seen FROM (SELECT {', '.join(columns)}, {measures(facts)} FROM read_parquet({path}))"
        f" GROUP BY GROUPING SETS ({sets})"
    )


def taking(kind: str, table: str) -> str:
    """Return the statement for the rows of one kind of what `adding_up` made."""
    columns = KINDS[kind]
    return (
        f"SELECT {', '.join((*columns, *MEASURES))} FROM {table} WHERE kind = {list(KINDS).index(kind)}"  # noqa: S608  own names
        f" ORDER BY {', '.join(columns[:2])}"
    )


def serving(search: FlowSearch, columns: Sequence[str], facts: FileFacts, *, began: bool) -> str:
    """Return the kind of sums that answer a search for a file as well as its records, "" = none does.

    columns: those of the file that the groups need. began: see archivequery.selections.
    """
    first = facts.first_start if began else facts.first_end
    whole = facts.last_start < search.to_milliseconds and first >= search.from_milliseconds
    if not whole or search.address or search.interface is not None or search.min_octets:
        return ""
    asked = (
        (search.client, "client_address_hi"),
        (search.server, "server_address_hi"),
        (search.port is not None, "server_port"),
        (search.protocol is not None, "protocol_identifier"),
        (search.business is not None, "rule_code"),
        (search.region is not None, "place_code"),
    )
    needed = {*columns, *(column for wanted, column in asked if wanted)}
    return next((kind for kind, keys in KINDS.items() if needed.issubset(keys)), "")
