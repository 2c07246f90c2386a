"""Finds and counts incidents in the journal: filters become SQL on their stored form, so that only answers are read.

The journal's thread does everything one after the other; a search is bounded by MOST_SEARCHED rows, so that no write
waits long for it.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

from typing_extensions import override

from btimd.model.incident import Priority
from btimd.model.incidentquery import (
    MOST_SEARCHED,
    IncidentCount,
    IncidentDimension,
    IncidentQuery,
    IncidentsCounted,
    IncidentSearch,
    IncidentsFound,
    Sight,
)
from btimd.store.journalcodec import incident_from_json

_Clause = tuple[str, tuple[Any, ...]]

_TEXTS: Final = ("id", "title", "description", "cause", "closing_report")
_OF: Final = {
    IncidentDimension.STATE: "json_extract(body, '$.state')",
    IncidentDimension.PRIORITY: "'P' || (json_extract(body, '$.priority'))",
    IncidentDimension.ASSIGNEE: "ifnull(json_extract(body, '$.assignee'), '')",
    IncidentDimension.GROUP: "ifnull(json_extract(body, '$.group'), '')",
    IncidentDimension.CATEGORY: "ifnull(json_extract(body, '$.category'), '')",
    IncidentDimension.NODE: "ifnull(json_extract(body, '$.cause'), '')",
    IncidentDimension.REPORTER: "ifnull(json_extract(body, '$.reporter'), '')",
    IncidentDimension.MONTH: "strftime('%Y-%m', opened_at, 'unixepoch')",
}


class IncidentTable(IncidentSearch):
    """The incidents of a journal; run: its SqliteJournal.run."""

    def __init__(self, run: Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]]) -> None:
        self._run = run

    @override
    async def find(self, query: IncidentQuery, limit: int) -> IncidentsFound:
        found: IncidentsFound = await self._run(lambda connection: find(connection, query, limit))
        return found

    @override
    async def count(self, query: IncidentQuery, group_by: Sequence[IncidentDimension], limit: int) -> IncidentsCounted:
        counted: IncidentsCounted = await self._run(lambda connection: count(connection, query, group_by, limit))
        return counted


def find(connection: sqlite3.Connection, query: IncidentQuery, limit: int) -> IncidentsFound:
    """Return incidents; raises ValueError where SQLite cannot answer."""
    order = "json_extract(body, '$.priority'), opened_at, id" if query.by_work else "opened_at DESC, id DESC"
    rows, is_cut = _ask(connection, query, columns="body", tail=f"ORDER BY {order} LIMIT ?", limit=limit)
    return IncidentsFound(tuple(incident_from_json(body) for (body,) in rows), is_cut)


def count(
    connection: sqlite3.Connection, query: IncidentQuery, group_by: Sequence[IncidentDimension], limit: int
) -> IncidentsCounted:
    """Return counts; raises ValueError where SQLite cannot answer."""
    columns = "".join(f"{_OF[dimension]}, " for dimension in group_by)
    numbers = [str(number) for number in range(1, len(group_by) + 1)]
    order = ", ".join(["count(*) DESC", *numbers])
    tail = f"GROUP BY {', '.join(numbers) or 'NULL'} ORDER BY {order} LIMIT ?"
    rows, is_cut = _ask(connection, query, columns=f"{columns}count(*), sum(is_open)", tail=tail, limit=limit)
    counts = (IncidentCount(tuple(map(str, row[:-2])), row[-2], row[-1]) for row in rows)
    return IncidentsCounted(tuple(counts), is_cut)


def _ask(
    connection: sqlite3.Connection, query: IncidentQuery, *, columns: str, tail: str, limit: int
) -> tuple[list[tuple[Any, ...]], bool]:
    """Run a statement on the newest incidents of the time asked for; return its rows, and whether older were left."""
    span, bounds = _span(query)
    where, values = _joined(_clauses(query))
    try:
        last = connection.execute(  # answered by an index alone
            f"SELECT opened_at, id FROM incident WHERE {span} ORDER BY opened_at DESC, id DESC LIMIT 1 OFFSET ?",  # noqa: S608  of constants
            (*bounds, MOST_SEARCHED),
        ).fetchone()
        if last is not None:
            span, bounds = f"{span} AND (opened_at, id) > (?, ?)", (*bounds, *last)
        rows = connection.execute(
            f"SELECT {columns} FROM incident WHERE {span} AND {where} {tail}",  # noqa: S608  of constants
            (*bounds, *values, limit),
        ).fetchall()
    except sqlite3.Error as error:  # a failed question must not end the journal as a failed write does
        raise ValueError(f"the journal cannot answer this: {error}") from error
    return rows, last is not None


def _span(query: IncidentQuery) -> _Clause:
    """Return what narrows the search by indices alone."""
    parts: list[_Clause] = [("1", ())]
    if query.by_work:
        parts.append(("is_open", ()))
    if query.opened_from is not None:
        parts.append(("opened_at >= ?", (query.opened_from,)))
    if query.opened_before is not None:
        parts.append(("opened_at < ?", (query.opened_before,)))
    return _joined(parts)


def _joined(parts: Sequence[_Clause] | Iterator[_Clause]) -> _Clause:
    found = list(parts)
    return " AND ".join(text for text, _ in found) or "1", tuple(value for _, values in found for value in values)


def _clauses(query: IncidentQuery) -> Iterator[_Clause]:
    if query.states:
        yield _in("json_extract(body, '$.state')", [state.value for state in query.states])
    elif query.only_open:
        yield "is_open", ()
    if query.priorities:
        yield _in("json_extract(body, '$.priority')", [Priority(one).value for one in query.priorities])
    for what, name in (("businesses", query.business), ("regions", query.region)):
        if name:
            yield _touches(what, [name])
    for path, name in (("assignee", query.assignee), ("group", query.group), ("reporter", query.reporter)):
        if name:
            yield f"json_extract(body, '$.{path}') = ?", (name,)
    yield from _more(query)
    if not query.sight.is_all:
        yield _seen(query.sight)


def _more(query: IncidentQuery) -> Iterator[_Clause]:
    if query.category:
        text = "(json_extract(body, '$.category') = ? OR substr(json_extract(body, '$.category'), 1, ?) = ?)"
        yield text, (query.category, len(query.category) + 1, f"{query.category}.")
    if query.node:
        yield "? IN (json_extract(body, '$.cause'), ifnull(json_extract(body, '$.closing.node'), ''))", (query.node,)
    if query.text:
        anywhere = " OR ".join(f"instr(lower(json_extract(body, '$.{name}')), lower(?))" for name in _TEXTS)
        yield f"({anywhere})", (query.text,) * len(_TEXTS)


def _seen(sight: Sight) -> _Clause:
    inside: list[_Clause] = []
    if sight.businesses:
        inside.append(_touches("businesses", sorted(sight.businesses)))
    if sight.regions:
        text, values = _touches("regions", sorted(sight.regions))
        inside.append((f"({text} OR json_array_length(body, '$.assessment.regions') = 0)", values))
    text, found = _joined(inside)
    if not sight.person:
        return f"({text})", found
    return f"(({text}) OR ? IN (json_extract(body, '$.reporter'), json_extract(body, '$.assignee')))", (
        *found,
        sight.person,
    )


def _in(expression: str, values: Sequence[Any]) -> _Clause:
    return f"{expression} IN ({', '.join('?' * len(values))})", tuple(values)


def _touches(what: str, names: Sequence[str]) -> _Clause:
    text, values = _in("value", names)
    return f"EXISTS (SELECT 1 FROM json_each(body, '$.assessment.{what}') WHERE {text})", values  # noqa: S608  of constants
