"""Whether a window or silence that somebody declares makes sense, and the windows that agreements bring."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from btimd.model.agreement import Agreement, AgreementKind
from btimd.model.calendar import MINUTES_PER_DAY
from btimd.model.maintenance import (
    LONGEST_SECONDS,
    Matcher,
    MinuteSpan,
    NewSuppression,
    Recurrence,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
)
from btimd.model.units import UnixSeconds
from btimd.settings.report import did_you_mean
from btimd.sla.settings import MaintenanceTable

MOST_NAMES: Final = 200
MOST_LETTERS: Final = 1000
_DAYS_OF_A_WEEK: Final = 7
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def problem_of(
    new: NewSuppression,
    *,
    now: UnixSeconds,
    businesses: Collection[str],
    nodes: Collection[str],
    regions: Collection[str],
    calendars: Collection[str],
) -> str:
    """Return what is wrong with a declaration, and what to do; "" where nothing is."""
    found = [*_what(new, businesses, nodes, regions), *_when(new, now, calendars), *_why(new)]
    return found[0] if found else ""


def _what(
    new: NewSuppression, businesses: Collection[str], nodes: Collection[str], regions: Collection[str]
) -> Iterator[str]:
    matcher = new.matcher
    if new.kind is SuppressionKind.WINDOW:
        if not (matcher.businesses or matcher.nodes or matcher.regions):
            yield "a window needs businesses, nodes or regions that are worked on"
        if new.effect is not SuppressionEffect.INCIDENTS:
            yield "a window holds back incidents; declare a silence to hold back notices only"
    elif new.effect is SuppressionEffect.ACCOUNTS:
        yield "a silence holds back incidents or notices; declare a window for work that was planned"
    if matcher.is_empty:
        yield "says nothing of what is meant; name businesses, nodes, regions, categories, words or a priority"
    for kind, names, known in (
        ("business", matcher.businesses, businesses),
        ("node", matcher.nodes, nodes),
        ("region", matcher.regions, regions),
    ):
        yield from (f"no {kind} '{name}'" + did_you_mean(name, known) for name in names if name not in known)
    values = (matcher.businesses, matcher.nodes, matcher.regions, matcher.categories, matcher.words)
    if any(len(names) > MOST_NAMES for names in values):
        yield f"more than {MOST_NAMES} names of a kind; declare it in parts"
    if any(not text.strip() or len(text) > MOST_LETTERS for names in values for text in names):
        yield f"a name or word is empty or longer than {MOST_LETTERS} letters"


def _when(new: NewSuppression, now: UnixSeconds, calendars: Collection[str]) -> Iterator[str]:
    if new.end_at is None:
        if new.recurrence is None or new.kind is SuppressionKind.SILENCE:
            yield "needs its end"
    elif new.end_at <= new.start_at:
        yield "ends before it begins"
    elif new.recurrence is None and new.end_at - new.start_at > LONGEST_SECONDS:
        yield f"lasts longer than {LONGEST_SECONDS / 86_400.0:g} days; declare a shorter time"
    elif new.kind is SuppressionKind.SILENCE and new.end_at <= now:
        yield "is over already; a silence cannot be declared afterwards"
    if new.start_at < now - LONGEST_SECONDS:
        yield f"began more than {LONGEST_SECONDS / 86_400.0:g} days ago"
    if new.recurrence is not None:
        yield from _again(new.recurrence, calendars)


def _again(recurrence: Recurrence, calendars: Collection[str]) -> Iterator[str]:
    if recurrence.calendar:
        if recurrence.weekdays or recurrence.hours:
            yield "recurs by a calendar or by weekdays and hours, not both"
        if recurrence.calendar not in calendars:
            yield f"no calendar '{recurrence.calendar}'" + did_you_mean(recurrence.calendar, calendars)
        return
    if not recurrence.weekdays or not recurrence.hours:
        yield "recurs on weekdays, at hours; say both"
    if any(not 0 <= day < _DAYS_OF_A_WEEK for day in recurrence.weekdays):
        yield "a weekday is from 0 (Monday) to 6"
    if not _are_hours(recurrence.hours):
        yield "hours are pairs of minutes after midnight, the first before the second, up to two days"
    try:
        ZoneInfo(recurrence.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f'{recurrence.timezone[:100]!r} is no time zone; write "Asia/Shanghai", "UTC"'


def _are_hours(hours: tuple[MinuteSpan, ...]) -> bool:
    return len(hours) <= MOST_NAMES and all(
        0 <= one.from_minute < one.to_minute <= 2 * MINUTES_PER_DAY and one.from_minute < MINUTES_PER_DAY
        for one in hours
    )


def _why(new: NewSuppression) -> Iterator[str]:
    if not new.reason.strip():
        yield "needs a reason"
    if len(new.reason) > MOST_LETTERS or len(new.reference) > MOST_LETTERS:
        yield f"reason or reference is longer than {MOST_LETTERS} letters"


def agreed_windows(
    agreements: Collection[Agreement], tables: Mapping[str, Collection[MaintenanceTable]]
) -> tuple[Suppression, ...]:
    """Return the maintenance that agreements allow, as windows; tables: of each agreement, as written.

    They count in their own agreement whatever else; incidents are held back where the table says so.
    """
    return tuple(window for one in agreements for window in _windows_of(one, tables.get(one.name, ())))


def _windows_of(agreement: Agreement, tables: Collection[MaintenanceTable]) -> Iterator[Suppression]:
    about = agreement.kind is AgreementKind.SLA
    matcher = Matcher(businesses=agreement.businesses) if about else Matcher(nodes=agreement.nodes)
    once = iter(agreement.maintenance)
    for number, table in enumerate(tables, 1):
        again: Recurrence | None = None
        start, end = 0.0, None
        if table.from_ is not None:
            stretch = next(once)
            start, end = stretch.start, stretch.end
        else:
            again = Recurrence(
                weekdays=tuple(_WEEKDAYS.index(day) for day in table.days),
                hours=tuple(MinuteSpan(low, high) for low, high in table.hours),
                timezone=getattr(agreement.zone, "key", "UTC"),
            )
        yield Suppression(
            id=f"{agreement.name}/{number}",
            kind=SuppressionKind.WINDOW,
            effect=SuppressionEffect.INCIDENTS if table.suppress else SuppressionEffect.ACCOUNTS,
            matcher=matcher,
            start_at=start,
            end_at=end,
            recurrence=again,
            reason=table.reason,
            reference=table.reference,
            source=f"sla.agreement.{agreement.name}.maintenance",
        )
