"""Points as InfluxDB line protocol, times in milliseconds.

    measurement,tag=value,tag=value field=1i,field=2.5,field=true 1700000000000

Source: the line protocol reference of InfluxDB 1.x and 2.x. What the format cannot say is settled here:

- An empty tag value is left out, as the format has none; a query for `tag = ''` finds such points in every store.
- NaN and infinities are left out, as the servers refuse them; so is an integer beyond int64. A point that keeps no
  field is left out whole.
- Line breaks in names and tag values become spaces. A backslash that stands before a comma, an equals sign, a space,
  another backslash or the end becomes a slash: parsers disagree on what it escapes. Other backslashes stay.
- Tags are sorted by key, so that one series has one spelling.
"""

import re
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.model.points import PointBlock

_SERIES_REMEMBERED: Final = 50_000
_INT64_MAX: Final = 2**63 - 1
_LINE_BREAK: Final = re.compile(r"[\r\n]")
_AMBIGUOUS_BACKSLASH: Final = re.compile(r"\\(?=[,= \\]|$)")
_MEASUREMENT_SPECIAL: Final = re.compile(r"([, ])")
_KEY_SPECIAL: Final = re.compile(r"([,= ])")


def encode(block: PointBlock) -> bytes:
    r"""Return the block as lines, each ended by \n, in the order of its points.

    A point written twice replaces itself in the server, so lines may be sent again without harm. Raises ValueError
    for a field that is neither integer, float nor bool.
    """
    heads = _heads(block)
    columns = [_field_texts(block.measurement, name, column) for name, column in block.fields.items()]
    times = block.time_milliseconds.tolist()
    lines = []
    for head, time, *values in zip(heads, times, *columns, strict=True):
        fields = ",".join(value for value in values if value)
        if fields:
            lines.append(f"{head} {fields} {time}\n")
    return "".join(lines).encode(errors="replace")


def series_key(measurement: str, tags: dict[str, str]) -> str:
    """Return the part of a line before its fields: what names a series. Equal series have equal keys."""
    named = sorted((name, value) for name, value in tags.items() if value)
    return ",".join(
        [
            escape_measurement(measurement),
            *(f"{escape_key(name)}={escape_key(value)}" for name, value in named),
        ]
    )


def escape_measurement(name: str) -> str:
    """Return a measurement's name as the format wants it."""
    return _MEASUREMENT_SPECIAL.sub(r"\\\1", _harmless(name))


def escape_key(text: str) -> str:
    """Return a tag key, tag value or field key as the format wants it."""
    return _KEY_SPECIAL.sub(r"\\\1", _harmless(text))


def _harmless(text: str) -> str:
    return _AMBIGUOUS_BACKSLASH.sub("/", _LINE_BREAK.sub(" ", text))


def _heads(block: PointBlock) -> list[str]:
    """Return the series key of each point."""
    names = tuple(sorted(block.tags))
    if not names:
        return [series_key(block.measurement, {})] * len(block)
    rows = zip(*(block.tags[name] for name in names), strict=True)
    return [_head(block.measurement, names, values) for values in rows]


@lru_cache(maxsize=_SERIES_REMEMBERED)
def _head(measurement: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return a series key; the same series come again every interval, and spelling one costs ten lookups' time."""
    return series_key(measurement, dict(zip(names, values, strict=True)))


def _field_texts(measurement: str, name: str, column: npt.NDArray[Any]) -> list[str]:
    """Return `name=value` of each point, an empty text where the value cannot be written."""
    key = escape_key(name)
    values = column.tolist()
    if column.dtype.kind == "b":
        yes, no = f"{key}=true", f"{key}=false"
        return [yes if value else no for value in values]
    if column.dtype.kind == "i":
        return [f"{key}={value}i" for value in values]
    if column.dtype.kind == "u":
        return [f"{key}={value}i" if value <= _INT64_MAX else "" for value in values]
    if column.dtype.kind == "f":
        finite = np.isfinite(column).tolist()
        return [f"{key}={value!r}" if good else "" for value, good in zip(values, finite, strict=True)]
    raise ValueError(f"{measurement}.{name} is a column of {column.dtype}; a field is integer, float or bool")
