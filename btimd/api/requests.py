"""What a request may ask: page sizes, lengths, names. Everything from outside passes here before the views see it."""

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Final, TypeVar

from btimd.api.errors import invalid

T = TypeVar("T")

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
_MAX_ID_CHARACTERS: Final = 200
_MAX_COMMAND_ID_CHARACTERS: Final = 64
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def page_limit(limit: int) -> int:
    """Return how many rows to send; raises ApiError for more than may be asked for."""
    if not 0 <= limit <= MAX_LIMIT:
        raise invalid("limit", f"{limit} is not from 0 to {MAX_LIMIT}")
    return limit or DEFAULT_LIMIT


def page_of(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """Return the first `limit` rows and whether there are more; ask the view for one row more than `limit`."""
    return rows[:limit], len(rows) > limit


def named(message: Any, field: str) -> str:
    """Return an id that must be given; raises ApiError where it is empty or too long."""
    value: str = getattr(message, field)
    if not value:
        raise invalid(field, "must be given")
    return bounded(field, value, _MAX_ID_CHARACTERS)


def optional_name(message: Any, field: str) -> str | None:
    """Return an id that may be left out; empty text counts as left out."""
    value: str = getattr(message, field)
    return bounded(field, value, _MAX_ID_CHARACTERS) if value else None


def command_id(message: Any) -> str:
    """Return the id that makes a repeated change harmless; raises ApiError where it is missing or too long."""
    value: str = message.command_id
    if not value:
        raise invalid("command_id", "must be given, new for each change and the same when it is sent again; use a UUID")
    return bounded("command_id", value, _MAX_COMMAND_ID_CHARACTERS)


def bounded(field: str, value: str, most: int) -> str:
    """Return a text that is not too long; raises ApiError for one that is."""
    if len(value) > most:
        raise invalid(field, f"{len(value)} characters; {most} at most")
    return value


def identifier(field: str, value: str) -> str:
    """Return a name of the series store (measurement, field, tag); raises ApiError for what is none."""
    if not _IDENTIFIER.fullmatch(value):
        raise invalid(field, f"{value[:100]!r} is no name: letters, digits and underscore, up to 100")
    return value


def address(field: str, value: str) -> str:
    """Return an IP address in its usual text; raises ApiError for what is none."""
    try:
        return str(ip_address(value))
    except ValueError:
        raise invalid(field, f"{value[:100]!r} is no IPv4 or IPv6 address") from None


def prefix(field: str, value: str) -> str:
    """Return an IP address or prefix in its usual text; raises ApiError for what is none."""
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise invalid(field, f"{value[:100]!r} is no IPv4 or IPv6 address or prefix") from None


def in_range(field: str, value: int, most: int) -> int:
    """Return a number from 0 to `most`; raises ApiError for others."""
    if not 0 <= value <= most:
        raise invalid(field, f"{value} is not from 0 to {most}")
    return value
