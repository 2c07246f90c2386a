"""Quiet hours: when a person is left alone, in the time of the place where they are."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from btimd.model.incident import Priority
from btimd.model.notification import QuietHours
from btimd.model.units import UnixSeconds

_DAY: Final = 24 * 60


def quiet_until(quiet: QuietHours | None, priority: Priority, zone: str, now: UnixSeconds) -> UnixSeconds | None:
    """Return when the quiet hours end that `now` lies in; None where it lies in none or they spare the priority.

    Where clocks are set forward over the end, that is the first moment after the gap; where they are set back, the
    first of the two.
    """
    if quiet is None or quiet.from_minute == quiet.to_minute or priority < quiet.from_priority:
        return None
    place = ZoneInfo(zone)
    local = datetime.fromtimestamp(now, place)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in quiet.weekdays:
            continue
        length = (quiet.to_minute - quiet.from_minute) % _DAY
        begin = day + timedelta(minutes=quiet.from_minute)
        start, end = _instant(begin, place), _instant(begin + timedelta(minutes=length), place)
        if start <= now < end:
            return end
    return None


def _instant(local: datetime, place: ZoneInfo) -> UnixSeconds:
    return local.replace(tzinfo=place).astimezone(UTC).timestamp()


def local_hour(zone: str, at: UnixSeconds) -> int:
    """Return the hour of the day, 0 to 23, at a place."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).hour
