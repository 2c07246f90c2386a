"""Plain: model dataclasses as what JSON can hold, and back by their type hints.

A field with a default may be missing in what is read and a field nobody knows is passed over, so that what another
release wrote can be read.
"""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_plain(value: Any) -> Any:
    """Return a value as dict, list, text, number, bool or None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): to_plain(item) for name, item in value.items()}
    return value


def from_plain(hint: Any, plain: Any) -> Any:
    """Return the value that was written; raises ValueError, KeyError or TypeError for anything else.

    hint: a dataclass, an enum, tuple[X, ...], X | None, str, int, float or bool.
    """
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        inner = next(part for part in get_args(hint) if part is not type(None))
        return None if plain is None else from_plain(inner, plain)
    if origin is tuple:
        return tuple(from_plain(get_args(hint)[0], item) for item in plain)
    if is_dataclass(hint):
        return _record(hint, plain)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(plain)
    return _scalar(hint, plain)


def _scalar(hint: Any, plain: Any) -> Any:
    if hint is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if not isinstance(plain, hint):
        raise TypeError(f"{plain!r} is no {hint.__name__}")
    return plain


@cache
def hints_of(record: type[Any]) -> Mapping[str, Any]:
    """Return the type hints of a dataclass by field name."""
    return get_type_hints(record)


def _record(hint: Any, plain: Mapping[str, Any]) -> Any:
    hints = hints_of(hint)
    return hint(**{name: from_plain(hints[name], value) for name, value in plain.items() if name in hints})
