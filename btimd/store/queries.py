"""SeriesQuery in the languages of the servers, and their answers back; the same answer from every store.

Bins begin at multiples of the step since 1970 (as in InfluxDB), so the first one may begin before from_milliseconds.
With step 0 the one bin is stamped from_milliseconds. Bins without data are left out. A tag a point does not have is ''.
`last` of several points of one time is the greatest (as in InfluxDB 1.x; 2.x does not say which).
Rows are ordered by time, then tags.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from btimd.model.points import SeriesQuery, SeriesRow

FOLDS: Final = frozenset({"sum", "mean", "max", "last"})
_FLUX_SPECIAL: Final = re.compile(r'([\\"]|\$(?=\{))')


def check(query: SeriesQuery) -> None:
    """Refuse with ValueError what no store could answer."""
    if query.fold not in FOLDS:
        raise ValueError(f"{query.fold!r} is no fold; write one of {', '.join(sorted(FOLDS))}")
    if not query.fields:
        raise ValueError(f"a query of {query.measurement} for no field")
    if query.step_milliseconds < 0:
        raise ValueError(f"a step of {query.step_milliseconds} ms")
    if query.from_milliseconds > query.to_milliseconds:
        raise ValueError(f"a range from {query.from_milliseconds} back to {query.to_milliseconds}")


def bin_start(query: SeriesQuery, time_milliseconds: int) -> int:
    """Return the stamp of the bin a time belongs to."""
    if query.step_milliseconds == 0:
        return query.from_milliseconds
    return time_milliseconds - time_milliseconds % query.step_milliseconds


def in_order(rows: Iterable[SeriesRow]) -> list[SeriesRow]:
    """Return rows that say something, by time, then tags."""
    return sorted(
        (row for row in rows if any(value is not None for value in row.values)),
        key=lambda row: (row.time_milliseconds, row.tags),
    )


def to_influxql(query: SeriesQuery) -> str:
    """Return the query in InfluxQL (InfluxDB 1.x)."""
    folds = ", ".join(
        f"{query.fold}({_identifier(name)}) AS {_identifier(f'f{number}')}" for number, name in enumerate(query.fields)
    )
    conditions = [f"time >= {query.from_milliseconds}ms", f"time < {query.to_milliseconds}ms"]
    conditions += [f"{_identifier(name)} = {_text(value)}" for name, value in sorted((query.where or {}).items())]
    groups = [_identifier(name) for name in query.group_by]
    if query.step_milliseconds:
        groups.append(f"time({query.step_milliseconds}ms)")
    grouping = f" GROUP BY {', '.join(groups)} fill(none)" if groups else ""
    source = f"FROM {_identifier(query.measurement)} WHERE {' AND '.join(conditions)}"
    return f"SELECT {folds} {source}{grouping}"


def from_influxql(query: SeriesQuery, answer: Mapping[str, Any]) -> Sequence[SeriesRow]:
    """Read the JSON answer of /query with epoch=ms; raises ValueError with the server's words when it is an error."""
    results = answer.get("results", [{}])
    error = answer.get("error") or next((result["error"] for result in results if "error" in result), None)
    if error:
        raise ValueError(str(error))
    rows = []
    for series in (series for result in results for series in result.get("series", ())):
        tags = tuple(str(series.get("tags", {}).get(name, "")) for name in query.group_by)
        columns = {name: place for place, name in enumerate(series["columns"])}
        places = [columns.get(f"f{number}") for number in range(len(query.fields))]
        rows += [
            SeriesRow(
                bin_start(query, int(line[columns["time"]])),
                tags,
                tuple(None if place is None else _number(line[place]) for place in places),
            )
            for line in series["values"]
        ]
    return in_order(rows)


def to_flux(query: SeriesQuery, bucket: str) -> str:
    """Return the query in Flux (InfluxDB 2.x); every field becomes a float before it is folded."""
    wanted = " or ".join(f"r._field == {_flux_text(name)}" for name in query.fields)
    lines = [
        f"from(bucket: {_flux_text(bucket)})",
        f"range(start: {_flux_time(query.from_milliseconds)}, stop: {_flux_time(query.to_milliseconds)})",
        f"filter(fn: (r) => r._measurement == {_flux_text(query.measurement)} and ({wanted}))",
    ]
    for name, value in sorted((query.where or {}).items()):
        tag = f"r[{_flux_text(name)}]"
        test = f"{tag} == {_flux_text(value)}" if value else f"not exists {tag} or {tag} == {_flux_text('')}"
        lines.append(f"filter(fn: (r) => {test})")
    lines.append("toFloat()")
    lines.append(f"group(columns: [{', '.join(_flux_text(name) for name in ('_field', *query.group_by))}])")
    if query.fold == "last":
        lines.append('sort(columns: ["_time"])')
    if query.step_milliseconds:
        every = f"{query.step_milliseconds}ms"
        lines.append(f'aggregateWindow(every: {every}, fn: {query.fold}, createEmpty: false, timeSrc: "_start")')
    else:
        lines.append(f"{query.fold}()")
    return "\n  |> ".join(lines)


def from_flux(query: SeriesQuery, records: Iterable[Mapping[str, Any]]) -> Sequence[SeriesRow]:
    """Put the records of a Flux answer together: one per field, group and bin. `_time` is in milliseconds."""
    cells: dict[tuple[int, tuple[str, ...]], list[float | None]] = {}
    places = {name: place for place, name in enumerate(query.fields)}
    for record in records:
        time = bin_start(query, int(record["_time"])) if query.step_milliseconds else query.from_milliseconds
        tags = tuple(str(record.get(name) or "") for name in query.group_by)
        values = cells.setdefault((time, tags), [None] * len(query.fields))
        place = places.get(str(record["_field"]))
        if place is not None:
            values[place] = _number(record.get("_value"))
    return in_order(SeriesRow(time, tags, tuple(values)) for (time, tags), values in cells.items())


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _identifier(name: str) -> str:
    return '"' + _escaped(name, '"') + '"'


def _text(value: str) -> str:
    return "'" + _escaped(value, "'") + "'"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\n", "\\n")


def _flux_text(text: str) -> str:
    return '"' + _FLUX_SPECIAL.sub(r"\\\1", text).replace("\n", "\\n").replace("\r", "\\r") + '"'


def _flux_time(milliseconds: int) -> str:
    return f"time(v: {milliseconds * 1_000_000})"
