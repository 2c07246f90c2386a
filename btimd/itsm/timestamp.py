"""Time stamps as text for people and for other systems (RFC 3339)."""

from datetime import UTC, datetime

from btimd.model.units import UnixSeconds


def rfc3339(at: UnixSeconds) -> str:
    """Return "2026-11-21T18:57:00.250Z": UTC with milliseconds, rounded down."""
    moment = datetime.fromtimestamp(int(at * 1000) / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def utc_day(at: UnixSeconds) -> str:
    """Return "20261121", the day in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%d}"
