"""What docs/configuration.md says of each key: its kind of value, bounds, default and meaning, from the models."""

import ast
import inspect
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

sys.path.insert(0, str(Path(__file__).parents[1]))

import annotated_types
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from btimd.daemon.settings import RootSettings
from btimd.flows.settings import BitRate
from btimd.model.service import NodeKind
from btimd.settings import tables
from btimd.settings.calendars import Clock, Day, Hours
from btimd.settings.fields import Duration, HostPort, Percent, Section
from btimd.sla.settings import Moment
from tools.docs_texts import MEANINGS

_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "m"), (1.0, "s"), (0.001, "ms"))


def settings_tables() -> Iterator[tuple[str, type[Section]]]:
    """Yield the name of every table of btimd.toml and its model, in the order of the root."""
    yield from _tables_below("", RootSettings)


def _tables_below(path: str, model: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    if path and any(_section_of(field.annotation) is None for field in model.model_fields.values()):
        yield path, model
    for key, field in model.model_fields.items():
        found = _section_of(field.annotation)
        if found is not None:
            below = f"{path}.{key}" if path else key
            named = get_origin(field.annotation) is dict
            yield from _tables_below(f"{below}.NAME" if named else below, found)


def _section_of(annotation: Any) -> type[Section] | None:
    """Return the model of a key that is a table, or a table of tables; None for other keys."""
    if get_origin(annotation) is dict:
        annotation = get_args(annotation)[1]
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return None


def reference(path: str, model: type[Section], only: Sequence[str] = ()) -> str:
    """Return the table of a model's keys in Markdown."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{field.alias or key}` | {value_text(field)} | {default_text(field)} | {cell(meaning(path, model, key))} |"
        for key, field in model.model_fields.items()
        if _section_of(field.annotation) is None and (not only or key in only)
    ]
    return "\n".join(rows)


def meaning(path: str, model: type[Section], key: str) -> str:
    """Return what a key means: its docstring in the code, or what MEANINGS says."""
    bases = [base for base in model.__mro__ if issubclass(base, Section) and base is not Section]
    documented = next((text for base in bases if (text := attribute_docstrings(base).get(key)) is not None), None)
    written = MEANINGS.get(f"{path}.{key}")
    if written is not None:
        return written
    if documented is None:
        raise LookupError(f"{path}.{key} means nothing yet; give it a docstring in {model.__name__}, or MEANINGS")
    return documented.removesuffix(".")


@cache
def attribute_docstrings(model: type[Section]) -> dict[str, str]:
    """Return the string that follows each attribute in the source of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    found: dict[str, str] = {}
    if not isinstance(body, ast.ClassDef):
        raise TypeError(f"{model} is no class")
    for before, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(after, ast.Expr):
            value = ast.literal_eval(after.value)
            found[before.target.id] = inspect.cleandoc(value).replace("\n", " ")
    return found


_NOTATION: Final[Sequence[tuple[Any, str]]] = (
    (get_args(Duration)[1], "duration"),
    (get_args(HostPort)[1], "address with port"),
    (get_args(Percent)[1], "percentage"),
    (get_args(BitRate)[1], "speed"),
    (get_args(tables.Protocol_)[1], "protocol"),
    (get_args(tables.PortRange)[1], "port or range"),
    (get_args(tables.PrefixField)[1], "prefix"),
    (get_args(tables.NeedField)[1], "id"),
    (get_args(Clock)[1], "time of day"),
    (get_args(Hours)[1], "stretch of hours"),
    (get_args(Day)[1], "date"),
    (get_args(Moment)[1], "moment"),
)
_PLURALS: Final[Mapping[str, str]] = {
    "address with port": "addresses with port", "date": "dates", "stretch of hours": "stretches of hours",
    "table": "tables", "duration": "durations", "id": "ids", "path": "paths",
    "port or range": "ports and ranges", "prefix": "prefixes", "speed": "speeds", "text": "texts",
}  # fmt: skip
_SINGULARS: Final[Mapping[str, str]] = {many: one for one, many in _PLURALS.items()}
_PLAIN: Final[Mapping[Any, str]] = {
    str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Path: "path", date: "date",
    Any: "any value",
}  # fmt: skip


def value_text(field: FieldInfo) -> str:
    """Return the kind of value in the operator's words, with its bounds."""
    return _kind(field.annotation, field.metadata) + _bounds(field)


def _kind(annotation: Any, metadata: Sequence[Any]) -> str:
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    for marker, words in _NOTATION:
        if marker in metadata:
            return words
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is None:
        is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
        return _choices(option.value for option in annotation) if is_enum else _plain(annotation)
    if origin is Literal:
        return _choices(inner)
    if origin is tuple:
        return "rows of numbers" if get_origin(inner[0]) is tuple else f"list of {_many(inner[0])}"
    if origin is dict:
        return f"table of {_many(inner[1])}"
    return _kind(next(option for option in inner if option is not types.NoneType), ())


def _plain(annotation: Any) -> str:
    return "table" if _section_of(annotation) is not None else _PLAIN[annotation]


def _choices(values: Iterable[object]) -> str:
    """Return what may be written; a business is no kind of node that anybody writes."""
    return ", ".join(f"`{value}`" for value in values if value != NodeKind.BUSINESS)


def _many(annotation: Any) -> str:
    kind = _kind(annotation, ())
    return _PLURALS.get(kind, kind)


def _bounds(field: FieldInfo) -> str:
    is_duration = "duration" in _kind(field.annotation, field.metadata)
    words = []
    for bound in field.metadata:
        for kind, word in (
            (annotated_types.Ge, "from"),
            (annotated_types.Gt, "above"),
            (annotated_types.Le, "up to"),
            (annotated_types.Lt, "below"),
        ):
            if isinstance(bound, kind):
                limit = next(iter(vars_of(bound)))
                words.append(f"{word} {duration_text(limit) if is_duration else number_text(limit)}")
        if isinstance(bound, annotated_types.MinLen):
            words.append("not empty")
    return f", {' '.join(words)}" if words else ""


def vars_of(bound: Any) -> Iterator[Any]:
    """Yield the limit of a bound such as Ge(1)."""
    for name in ("ge", "gt", "le", "lt"):
        if hasattr(bound, name):
            yield getattr(bound, name)


def default_text(field: FieldInfo) -> str:
    """Return the default as the operator would write it."""
    if field.default_factory is not None:
        return "none"
    value = field.default
    if value is PydanticUndefined:
        return "**needed**"
    if value is None or value in ((), ""):
        return "none"
    return f"`{_written(value, _kind(field.annotation, field.metadata))}`"


def _written(value: Any, kind: str) -> str:
    if kind == "duration":
        return f'"{duration_text(value)}"'
    if kind == "address with port":
        host, port = value
        return f'"[{host}]:{port}"' if ":" in host else f'"{host}:{port}"'
    if isinstance(value, tuple):
        inner = _SINGULARS.get(kind.removeprefix("list of "), "")
        return f"[{', '.join(_written(item, inner) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum | Path | str):
        return f'"{value.value if isinstance(value, Enum) else value}"'
    return f"{value}"


def duration_text(seconds: float) -> str:
    """Return seconds in the largest unit that gives a whole number: 900.0 -> "15m"."""
    if seconds == 0:
        return "0s"
    for size, unit in _UNITS:
        if abs(seconds / size - round(seconds / size)) < 1e-9:  # noqa: PLR2004  as whole as floats get
            return f"{round(seconds / size)}{unit}"
    return f"{seconds}s"


def number_text(number: float) -> str:
    """Return a bound: 1048576 as 1,048,576."""
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def cell(text: str) -> str:
    """Return a text that may stand in a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
