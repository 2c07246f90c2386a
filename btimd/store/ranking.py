"""The largest of anything: which store answers, what is asked of it, and how its answer becomes a ranking.

Sums over businesses, places and links come from the series store, in steps of a minute; what it does not keep apart
(addresses, ports, rules, exporters) and numbers of different clients come from the archive of records.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.archive import (
    MEASURES,
    SUBJECTS,
    FlowSearch,
    FoundGroup,
    Ranking,
    RankingQuery,
    RankingRow,
    SearchResult,
)
from btimd.model.points import SeriesQuery, SeriesRow

STEP_MILLISECONDS: Final = 60_000
_WHERE: Final[Mapping[str, Mapping[str, str]]] = {
    "btimd_traffic": {"interval": "60s"},
    "btimd_links": {"interval": "60s", "business": "*"},
}
"""The points that count once: of links those of all businesses together, where no business is asked for."""
MAX_LIMIT: Final = 1000
_DAY: Final = 86_400_000
_MAX_PEAK_DAYS: Final = 31

_SERIES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "businesses": ("btimd_traffic", ("business",)),
    "regions": ("btimd_traffic", ("region",)),
    "segments": ("btimd_traffic", ("region", "segment")),
    "links": ("btimd_links", ("exporter", "interface")),
    "interfaces": ("btimd_links", ("exporter", "interface", "direction")),
}
_ARCHIVE: Final[Mapping[str, tuple[str, ...]]] = {
    "businesses": ("business",),
    "regions": ("region",),
    "segments": ("region", "segment"),
    "users": ("client",),
    "servers": ("server",),
    "ports": ("port",),
    "exporters": ("exporter",),
    "applications": ("rule",),
    "conversations": ("client", "server", "port"),
}
_FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "btimd_traffic": {
        "octets": ("octets_to_server", "octets_to_client"),
        "octets_to_server": ("octets_to_server",),
        "octets_to_client": ("octets_to_client",),
        "packets": ("packets",),
        "flows": ("flows",),
        "peak_users": ("users",),
    },
    "btimd_links": {"octets": ("octets",), "packets": ("packets",), "flows": ("records",)},
}
_UNITS: Final = {"packets": "packets", "flows": "flows", "users": "users", "peak_users": "users"}
_SHARED: Final = (
    "traffic of several businesses counts for each of them, so that shares may add up to more than what was on the wire"
)


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """Queries whose rows are added up, or of which the greatest counts per group (peak)."""

    query: RankingQuery
    columns: tuple[str, ...]
    queries: tuple[SeriesQuery, ...]
    peak: bool


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """A search whose groups are the places. order: the column they are sorted by."""

    query: RankingQuery
    columns: tuple[str, ...]
    search: FlowSearch
    order: str
    clients: bool


def plan(query: RankingQuery) -> SeriesPlan | ArchivePlan:
    """Return who answers a query and how; raises ValueError, with the field first, for what nobody can answer."""
    if query.subject not in SUBJECTS:
        raise ValueError(f"subject: {query.subject!r} is none of {', '.join(SUBJECTS)}")
    if query.measure not in MEASURES:
        raise ValueError(f"measure: {query.measure!r} is none of {', '.join(MEASURES)}")
    if not 0 <= query.from_milliseconds < query.to_milliseconds:
        raise ValueError("to_time: is not after from_time")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise ValueError(f"limit: {query.limit} is not from 1 to {MAX_LIMIT}")
    in_series = _SERIES.get(query.subject)
    if in_series is not None and query.measure in _FIELDS[in_series[0]]:
        return _series_plan(query, *in_series)
    if query.subject in _ARCHIVE and query.measure != "peak_users":
        return _archive_plan(query)
    known = [measure for measure in MEASURES if _answers(query.subject, measure)]
    raise ValueError(f"measure: {query.subject} cannot be ranked by {query.measure}, but by {', '.join(known)}")


def _answers(subject: str, measure: str) -> bool:
    in_series = _SERIES.get(subject)
    by_series = in_series is not None and measure in _FIELDS[in_series[0]]
    return by_series or (subject in _ARCHIVE and measure != "peak_users")


def _series_plan(query: RankingQuery, measurement: str, group_by: tuple[str, ...]) -> SeriesPlan:
    begin, end = covered(query)
    peak = query.measure == "peak_users"
    if peak and end - begin > _MAX_PEAK_DAYS * _DAY:
        raise ValueError(f"from_time: peaks are looked for in {_MAX_PEAK_DAYS} days at most")
    where = {**_WHERE[measurement]} | ({} if query.business is None else {"business": query.business})
    queries = [
        SeriesQuery(
            measurement=measurement,
            fields=_FIELDS[measurement][query.measure],
            from_milliseconds=first,
            to_milliseconds=min(first + _DAY, end) if peak else end,
            group_by=group_by,
            where=where,
            step_milliseconds=STEP_MILLISECONDS if peak else 0,
        )
        for first in (range(begin, end, _DAY) if peak else (begin,))
    ]
    return SeriesPlan(query, group_by, tuple(queries), peak)


def _archive_plan(query: RankingQuery) -> ArchivePlan:
    group_by = _ARCHIVE[query.subject]
    clients = query.measure == "users"
    search = FlowSearch(
        from_milliseconds=query.from_milliseconds,
        to_milliseconds=query.to_milliseconds,
        business=query.business,
        duplicates=query.subject == "exporters",  # each is ranked by what it reported, whoever was first
        group_by=group_by,
        limit=query.limit,
    )
    return ArchivePlan(query, group_by, search, "clients" if clients else query.measure, clients)


def covered(query: RankingQuery) -> tuple[int, int]:
    """Return the whole steps that a time touches."""
    begin = query.from_milliseconds - query.from_milliseconds % STEP_MILLISECONDS
    return begin, -(-query.to_milliseconds // STEP_MILLISECONDS) * STEP_MILLISECONDS


def series_ranking(plan: SeriesPlan, answers: Iterable[Sequence[SeriesRow]]) -> Ranking:
    """Return the ranking that the rows of the plan's queries make."""
    values: dict[tuple[str, ...], float] = defaultdict(float)
    for rows in answers:
        for row in rows:
            value = sum(each for each in row.values if each is not None)
            values[row.tags] = max(values[row.tags], value) if plan.peak else values[row.tags] + value
    query = plan.query
    begin, end = covered(query)
    total = None if plan.peak else sum(values.values())
    remarks = []
    if plan.peak:
        remarks.append(f"users: the most within one interval of {STEP_MILLISECONDS // 1000} s; peaks do not add up")
    elif "business" in plan.columns:
        remarks.append(_SHARED)
    if (begin, end) != (query.from_milliseconds, query.to_milliseconds):
        remarks.append(f"the time was widened to whole intervals of {STEP_MILLISECONDS // 1000} s")
    if not values:
        remarks.append("the series store has nothing of this time")
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return Ranking(
        columns=plan.columns,
        unit=_UNITS.get(query.measure, "octets"),
        rows=_rows([(tags, value) for tags, value in ordered[: query.limit]], total, more=len(values) > query.limit),
        total=total,
        from_milliseconds=begin,
        to_milliseconds=end,
        resolution_milliseconds=STEP_MILLISECONDS,
        source="series",
        remarks=tuple(remarks),
    )


def archive_ranking(plan: ArchivePlan, result: SearchResult) -> Ranking:
    """Return the ranking that the groups of the plan's search make."""
    query, coverage = plan.query, result.coverage
    remarks = []
    if coverage.missing or coverage.bad_files:
        remarks.append("the archive does not have all of this time: see what is missing")
    if plan.clients:
        remarks.append("users: different client addresses, of which one may stand in several places")
    elif plan.search.duplicates:
        remarks.append("what several exporters reported counts for each of them")
    total = None if plan.clients or result.total is None else _value(result.total, query.measure)
    rows = [(group.keys, _value(group, query.measure)) for group in result.groups]
    return Ranking(
        columns=plan.columns,
        unit=_UNITS.get(query.measure, "octets"),
        rows=_rows(rows, total, more=result.more),
        total=total,
        from_milliseconds=query.from_milliseconds,
        to_milliseconds=query.to_milliseconds,
        resolution_milliseconds=1,
        source="archive",
        remarks=tuple(remarks),
        coverage=coverage,
    )


def _value(group: FoundGroup, measure: str) -> float:
    if measure == "users":
        return float(group.clients or 0)
    if measure == "octets":
        return float(group.octets_to_server + group.octets_to_client)
    return float(getattr(group, measure))


def _rows(
    places: Sequence[tuple[tuple[str, ...], float]], total: float | None, *, more: bool
) -> tuple[RankingRow, ...]:
    rows = [RankingRow(keys, value, value / total if total else None) for keys, value in places]
    if total is not None and more:
        rest = total - sum(value for _, value in places)
        rows.append(RankingRow((), rest, rest / total if total else None, others=True))
    return tuple(rows)
