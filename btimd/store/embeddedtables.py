"""The tables of one measurement in the embedded store, and how long its series are kept."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.model.points import PointBlock, SeriesQuery
from btimd.model.units import MILLIS_PER_SECOND

_OWN_COLUMNS: Final = frozenset({"_time", "_series", "_id"})
_TYPE_BY_KIND: Final = {"i": "BIGINT", "u": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN"}

TagSet = tuple[tuple[str, str], ...]


class Retention:
    """How long each series is kept: the rule with the most tags that fit counts, the default where none fits."""

    def __init__(self, default_seconds: float, seconds_by_series: Mapping[str, float]) -> None:
        self._default = int(default_seconds * MILLIS_PER_SECOND)
        self._rules = []
        for key, seconds in seconds_by_series.items():
            measurement, *tags = key.split(",")
            pairs = frozenset(tuple(tag.partition("=")[::2]) for tag in tags)
            self._rules.append((measurement, pairs, int(seconds * MILLIS_PER_SECOND)))
        self._rules.sort(key=lambda rule: len(rule[1]), reverse=True)

    def milliseconds(self, measurement: str, tags: TagSet) -> int:
        """Return how long points of a series are kept."""
        for wanted, pairs, kept in self._rules:
            if wanted == measurement and pairs <= set(tags):
                return kept
        return self._default


class Table:
    """What the file holds of one measurement: columns and series. Made whole by `load_tables` after a restart."""

    def __init__(self, measurement: str) -> None:
        self.measurement = measurement
        self.fields: dict[str, str] = {}
        self.tags: list[str] = []
        self.series: dict[TagSet, int] = {}
        self.exists = False
        self._points = f"btimd_points.{quoted(measurement)}"
        self._series = f"btimd_series.{quoted(measurement)}"

    def prepare(self, connection: Any, block: PointBlock, max_series: int) -> npt.NDArray[np.int32]:
        """Make room for what the block brings (columns, series); return the series of each point, -1: no room.

        Raises ValueError for a block that does not fit what is there.
        """
        types = self._types(block)
        new_tags = [name for name in block.tags if name not in self.tags]
        changed = {name: kind for name, kind in types.items() if self.fields.get(name) != kind}
        if not self.exists:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {self._series} (_id INTEGER)")
            connection.execute(f"CREATE TABLE IF NOT EXISTS {self._points} (_time BIGINT, _series INTEGER)")
            self.exists = True
        for name in new_tags:
            connection.execute(f"ALTER TABLE {self._series} ADD COLUMN IF NOT EXISTS {quoted(name)} VARCHAR")
            self.tags.append(name)
        for name, kind in changed.items():
            if name in self.fields:
                connection.execute(f"ALTER TABLE {self._points} ALTER {quoted(name)} SET DATA TYPE {kind}")
            else:
                connection.execute(f"ALTER TABLE {self._points} ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}")
            self.fields[name] = kind
        if new_tags or changed:
            self.make_view(connection)
        return self._series_of(connection, block, max_series)

    def _types(self, block: PointBlock) -> dict[str, str]:
        types = {}
        for name, column in block.fields.items():
            kind, there = _TYPE_BY_KIND.get(column.dtype.kind), self.fields.get(name)
            if kind is None or name in _OWN_COLUMNS:
                raise ValueError(f"{self.measurement}.{name} of {column.dtype} is no field")
            if there is not None and (there == "BOOLEAN") != (kind == "BOOLEAN"):
                raise ValueError(f"{self.measurement}.{name} is {there}, not {kind}")
            types[name] = "DOUBLE" if "DOUBLE" in {there, kind} else kind
        if not _OWN_COLUMNS.isdisjoint(block.tags):
            raise ValueError(f"{self.measurement}: tags may not be called {', '.join(sorted(_OWN_COLUMNS))}")
        return types

    def _series_of(self, connection: Any, block: PointBlock, max_series: int) -> npt.NDArray[np.int32]:
        names = sorted(block.tags)
        ids: dict[tuple[str, ...], int] = {}
        fresh: dict[TagSet, int] = {}
        found = np.empty(len(block), dtype=np.int32)
        columns = [block.tags[name] for name in names]
        rows = zip(*columns, strict=True) if columns else ((),) * len(block)
        next_id = max(self.series.values(), default=0) + 1
        for place, values in enumerate(rows):
            number = ids.get(values)
            if number is None:
                key = tuple((name, value) for name, value in zip(names, values, strict=True) if value)
                number = self.series.get(key) or fresh.get(key)
                if number is None and len(self.series) + len(fresh) < max_series:
                    number = fresh[key] = next_id + len(fresh)
                ids[values] = number = number or -1
            found[place] = number
        if fresh:
            self._add_series(connection, fresh)
        return found

    def _add_series(self, connection: Any, fresh: Mapping[TagSet, int]) -> None:
        staged: dict[str, Any] = {"_id": np.array(list(fresh.values()), dtype=np.int32)}
        for place, name in enumerate(self.tags):
            staged[f"t{place}"] = np.array([dict(key).get(name, "") for key in fresh], dtype=object)
        columns = ", ".join(["_id", *map(quoted, self.tags)])
        values = ", ".join(["_id", *(f"nullif(t{place}, '')" for place in range(len(self.tags)))])
        connection.register("staged", staged)
        connection.execute(f"INSERT INTO {self._series} ({columns}) SELECT {values} FROM staged")  # noqa: S608  quoted names
        connection.unregister("staged")
        self.series.update(fresh)

    def make_view(self, connection: Any) -> None:
        """Make the view that people ask."""
        fields = [name for name in self.fields if name not in self.tags]
        columns = ["epoch_ms(p._time) AS time"]
        columns += [f"s.{quoted(name)}" for name in self.tags]
        columns += [f"p.{quoted(name)}" for name in fields]
        connection.execute(
            f"CREATE OR REPLACE VIEW main.{quoted(self.measurement)} AS SELECT {', '.join(columns)}"  # noqa: S608  quoted names
            f" FROM {self._points} p JOIN {self._series} s ON s._id = p._series"
        )

    def upsert(self, connection: Any, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write points, none twice; a point that is there takes over the fields that carry a value."""
        fields = [name for name in columns if name not in _OWN_COLUMNS]
        staged = {"_time": columns["_time"], "_series": columns["_series"]}
        staged |= {f"f{place}": columns[name] for place, name in enumerate(fields)}
        values = [_value(f"f{place}", columns[name].dtype.kind, self.fields[name]) for place, name in enumerate(fields)]
        span = (int(columns["_time"].min()), int(columns["_time"].max()))
        same = "there._time = staged._time AND there._series = staged._series AND there._time BETWEEN $1 AND $2"
        sets = ", ".join(
            f"{quoted(name)} = coalesce({value}, there.{quoted(name)})"
            for name, value in zip(fields, values, strict=True)
        )
        connection.register("staged", staged)
        connection.execute(f"UPDATE {self._points} AS there SET {sets} FROM staged WHERE {same}", span)  # noqa: S608  quoted names
        connection.execute(
            f"INSERT INTO {self._points} (_time, _series, {', '.join(map(quoted, fields))})"  # noqa: S608  quoted names
            f" SELECT staged._time, staged._series, {', '.join(values)} FROM staged"
            f" WHERE NOT EXISTS (SELECT 1 FROM {self._points} AS there WHERE {same})",
            span,
        )
        connection.unregister("staged")  # not after an error: the aborted transaction would refuse that too

    def select(self, query: SeriesQuery) -> tuple[str, list[Any]]:
        """Return a query as SQL with its parameters; what the table does not have is NULL or ''."""
        step = query.step_milliseconds
        stamp = f"p._time - p._time % {int(step)}" if step else f"{int(query.from_milliseconds)}"
        groups = [self._tag(name) for name in query.group_by]
        folds = [self._fold(query.fold, name) for name in query.fields]
        conditions = ["p._time >= ?", "p._time < ?"]
        parameters: list[Any] = [query.from_milliseconds, query.to_milliseconds]
        for name, value in (query.where or {}).items():
            conditions.append(f"{self._tag(name)} = ?")
            parameters.append(value)
        by = ", ".join(str(place + 1) for place in range(1 + len(groups)))
        statement = (
            f"SELECT {', '.join([stamp, *groups, *folds])} FROM {self._points} p"  # noqa: S608  quoted names, values as parameters
            f" JOIN {self._series} s ON s._id = p._series WHERE {' AND '.join(conditions)} GROUP BY {by}"
        )
        return statement, parameters

    def _tag(self, name: str) -> str:
        return f"coalesce(s.{quoted(name)}, '')" if name in self.tags else "''"

    def _fold(self, fold: str, name: str) -> str:
        if name not in self.fields:
            return "CAST(NULL AS DOUBLE)"
        column = f"p.{quoted(name)}"
        if self.fields[name] == "BOOLEAN":
            column = f"CAST({column} AS BIGINT)"
        if fold == "last":
            latest = f"max({{'time': p._time, 'value': {column}}}) FILTER (WHERE {column} IS NOT NULL)"
            return f"CAST(struct_extract({latest}, 'value') AS DOUBLE)"
        function = {"sum": "sum", "mean": "avg", "max": "max"}[fold]
        return f"CAST({function}({column}) AS DOUBLE)"

    def expire(self, connection: Any, retention: Retention, now_milliseconds: int) -> int:
        """Remove points that were kept long enough and series without points; return how many points."""
        ids_by_keep: dict[int, list[int]] = {}
        for tags, number in self.series.items():
            ids_by_keep.setdefault(retention.milliseconds(self.measurement, tags), []).append(number)
        removed = 0
        for keep, ids in ids_by_keep.items():
            removed += int(
                connection.execute(
                    f"DELETE FROM {self._points} WHERE _time < $1 AND _series IN (SELECT unnest($2::INTEGER[]))",  # noqa: S608  quoted name
                    [now_milliseconds - keep, ids],
                ).fetchone()[0]
            )
        if removed:
            gone = connection.execute(
                f"DELETE FROM {self._series} WHERE _id NOT IN (SELECT DISTINCT _series FROM {self._points})"  # noqa: S608  quoted names
                " RETURNING _id"
            ).fetchall()
            numbers = {number for (number,) in gone}
            self.series = {tags: number for tags, number in self.series.items() if number not in numbers}
        return removed


def load_tables(connection: Any) -> dict[str, Table]:
    """Return the tables of a file, by measurement."""
    tables: dict[str, Table] = {}
    rows = connection.execute(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema IN ('btimd_series', 'btimd_points') ORDER BY table_schema, table_name, ordinal_position"
    ).fetchall()
    for schema, measurement, column, kind in rows:
        table = tables.setdefault(measurement, Table(measurement))
        if column in _OWN_COLUMNS:
            continue
        if schema == "btimd_series":
            table.tags.append(column)
        else:
            table.fields[column] = kind
    for measurement, table in tables.items():
        _complete(connection, table, [schema for schema, name, *_ in rows if name == measurement])
    return tables


def _complete(connection: Any, table: Table, schemas: Sequence[str]) -> None:
    """Finish what a kill between two statements left: one of the two tables, no more than that."""
    name = quoted(table.measurement)
    if "btimd_points" not in schemas:
        connection.execute(f"CREATE TABLE btimd_points.{name} (_time BIGINT, _series INTEGER)")
    table.exists = True
    columns = ", ".join(["_id", *map(quoted, table.tags)])
    for number, *values in connection.execute(f"SELECT {columns} FROM btimd_series.{name}").fetchall():  # noqa: S608  quoted names
        pairs = ((tag, value) for tag, value in zip(table.tags, values, strict=True) if value)
        table.series[tuple(sorted(pairs))] = number
    table.make_view(connection)


def _value(column: str, kind: str, into: str) -> str:
    """Return what of a staged column is stored: finite floats, integers within int64, else NULL."""
    if kind == "f":
        return f"CASE WHEN isfinite(staged.{column}) THEN staged.{column} END"
    return f"TRY_CAST(staged.{column} AS {into})"


def quoted(name: str) -> str:
    """Return a name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'
