"""Pictures of service levels: agreements, standings, periods, components, corrections, calendars."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table, state
from btimd.cli.ctl_text import clean, full_moment, moment, percent, span
from btimd.model.agreement import AuditEntry, PeriodFigures
from btimd.model.levels import AgreementInfo, CalendarDay, CalendarInfo, Contribution, StandingView
from btimd.model.sla import SlaStatus

_BAR: Final = 10
_SIGNS: Final = {SlaStatus.MET: "+", SlaStatus.AT_RISK: "!", SlaStatus.BREACHED: "x", SlaStatus.UNMEASURED: "?"}
_DIGITS: Final = 3
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_AT_RISK: Final = 0.75


def agreements_table(found: Sequence[AgreementInfo]) -> Table:
    """Show what was agreed, one line each."""
    table = new_table("agreement", "kind", "with", "covers", "promises", "hours", "by", "adds up", wide="covers")
    return fill(
        table,
        (
            (
                one.name + (" (draft)" if one.draft else ""),
                one.kind.value.upper(),
                one.provider or one.customer or "-",
                ", ".join(one.businesses or one.nodes),
                f"{one.availability_percent:g} %",
                one.calendar,
                one.period.value,
                Text("yes") if one.adds_up else Text("no", style="red"),
            )
            for one in found
        ),
    )


def agreement_picture(one: AgreementInfo) -> RenderableType:
    """Show all of one agreement."""
    return Group(*(Text(clean(line)) for line in _agreement_lines(one)))


def _agreement_lines(one: AgreementInfo) -> Iterator[str]:
    titles = " / ".join(text for text in (one.title, one.title_zh) if text)
    yield (
        f"{one.name}: {one.kind.value.upper()}" + (f", {titles}" if titles else "") + (" (draft)" if one.draft else "")
    )
    if one.provider:
        yield f"provider      {one.provider}"
    if one.customer:
        yield f"customer      {one.customer}"
    yield f"covers        {', '.join(one.businesses or one.nodes)}" + (f" ({one.covered} nodes)" if one.covered else "")
    if one.nodes:
        yield f"matters to    {', '.join(one.touches) or 'no business'}"
    yield f"availability  {one.availability_percent:g} % of {one.calendar}, by the {one.period.value} of {one.timezone}"
    for name, targets in (("response", one.response), ("resolve", one.resolve)):
        if targets:
            told = ", ".join(f"{priority} {span(seconds)}" for priority, seconds in sorted(targets.items()))
            yield f"{name:<13} {told}"
    if one.exclude_planned:
        yield "planned       outages that were planned do not count"
    dates = [("from", one.valid_from), ("until", one.valid_until), ("review on", one.review_on)]
    if told := ", ".join(f"{name} {date}" for name, date in dates if date):
        yield f"valid         {told}"
    yield from (f"note: {note}" for note in one.notes)


def bar(used: float) -> Text:
    """Show how much of a budget is used: "[######----] 63 %"."""
    filled = min(round(max(used, 0.0) * _BAR), _BAR)
    style = "red" if used > 1 else "yellow" if used >= _AT_RISK else "green"
    return Text.assemble("[", ("#" * filled, style), "-" * (_BAR - filled), f"] {percent(used, 0)}")


def standings_picture(found: Sequence[StandingView]) -> RenderableType:
    """Show how agreements stand now, and below that what to look at."""
    right = ("promised", "kept", "down", "left")
    table = new_table("agreement", "subject", "status", "now", *right, "budget", right=right)
    rows = fill(table, (_standing_row(one) for one in found))
    notes = [Text(clean(line)) for one in found for line in _standing_notes(one)]
    return Group(rows, *([Text("")] if notes else []), *notes)


def _standing_row(one: StandingView) -> tuple[str | Text, ...]:
    figures = one.standing.figures
    left = figures.error_budget_seconds - figures.down_seconds
    return (
        figures.agreement,
        figures.subject if figures.subject != figures.agreement else "-",
        state(figures.status.value),
        state(one.standing.current.value),
        percent(1.0 - figures.error_budget_seconds / figures.agreed_seconds, 3) if figures.agreed_seconds else "-",
        percent(figures.availability, _DIGITS),
        span(figures.down_seconds),
        span(left) if left >= 0 else f"-{span(-left)}",
        bar(figures.budget_used),
    )


def _standing_notes(one: StandingView) -> Iterator[str]:
    figures = one.standing.figures
    name = figures.agreement if figures.subject == figures.agreement else f"{figures.agreement} ({figures.subject})"
    for window in one.standing.burning:
        rate = one.standing.burn_fast if window.value == "fast" else one.standing.burn_slow
        shown = "?" if rate is None else f"{rate:.1f}"
        yield f"{name}: burns {shown} times as fast as the budget allows ({window.value})"
    if one.standing.budget_gone_at is not None:
        yield f"{name}: nothing of the budget is left from {full_moment(one.standing.budget_gone_at)} on, at this pace"
    forecast = one.forecast
    if forecast.expected is not None:
        chance = (
            "" if forecast.breach_probability is None else f", missed with {percent(forecast.breach_probability, 0)}"
        )
        between = f"{percent(forecast.low, _DIGITS)} to {percent(forecast.high, _DIGITS)}"
        yield f"{name}: at the end probably {between}{chance}"
    if figures.excluded_seconds >= 1:
        yield f"{name}: {span(figures.excluded_seconds)} of maintenance do not count"
    if figures.planned_down_seconds >= 1:
        yield f"{name}: {span(figures.planned_down_seconds)} of the down time were planned and count"
    if figures.coverage is not None and figures.coverage < 1:
        yield f"{name}: {percent(figures.coverage)} of the service time was measured"
    if figures.user_minutes_lost >= 1:
        least = "" if figures.user_minutes_exact and figures.user_minutes_coverage == 1.0 else "at least "
        yield f"{name}: users lost {least}{figures.user_minutes_lost:.0f} minutes"
    answers = one.response
    if answers.incidents:
        told = (
            f"{answers.answered_in_time} of {answers.answered} taken up in time,"
            f" {answers.resolved_in_time} of {answers.resolved} resolved in time"
        )
        mean = answers.mean_response_seconds
        late = f", {answers.overdue} overdue" if answers.overdue else ""
        yield f"{name}: {answers.incidents} incidents: {told}{late}" + (
            "" if mean is None else f"; response {span(mean)}"
        )


def periods_picture(found: Sequence[PeriodFigures]) -> RenderableType:
    """Show periods with a strip of how each was kept (+ met, ! at risk, x missed, ? not measured)."""
    right = ("kept", "measured", "down", "times")
    table = new_table("subject", "from", "status", *right, "budget", "by cause", right=right, wide="by cause")
    strips = []
    for subject, group in itertools.groupby(found, key=lambda one: one.subject):
        strip = Text(clean(f"{subject}  "))
        for one in group:
            strip.append(_SIGNS[one.status], style=state(one.status.value).style)
        strips.append(strip)
    notes = [Text(clean(line)) for one in found for line in _period_notes(one)]
    rows = fill(table, (_period_row(one) for one in found))
    return Group(*strips, Text(""), rows, *([Text("")] if notes else []), *notes)


def _period_row(one: PeriodFigures) -> tuple[str | Text, ...]:
    causes = ", ".join(f"{part.key or 'unknown'} {span(part.down_seconds)}" for part in one.by_cause)
    return (
        one.subject,
        full_moment(one.period_start)[:10],
        state(one.status.value),
        percent(one.availability, _DIGITS),
        percent(one.coverage),
        span(one.down_seconds),
        str(one.failures),
        bar(one.budget_used),
        causes or "-",
    )


def _period_notes(one: PeriodFigures) -> Iterator[str]:
    name = f"{one.subject} {full_moment(one.period_start)[:10]}"
    suppliers = ", ".join(f"{part.key} {span(part.down_seconds)}" for part in one.by_supplier if part.key)
    if suppliers:
        yield f"{name}: by supplier: {suppliers}"
    if one.planned_down_seconds >= 1:
        yield f"{name}: {span(one.planned_down_seconds)} of the down time were planned and count"
    if one.excluded_seconds >= 1:
        yield f"{name}: {span(one.excluded_seconds)} of maintenance do not count"


def contributions_table(found: Sequence[Contribution]) -> Table:
    """Show what each component took."""
    right = ("down", "outages", "share", "each", "alone", "without it", "promised")
    table = new_table("component", *right, "agreement", right=right)
    return fill(
        table,
        (
            (
                one.node or "not known",
                span(one.down_seconds),
                str(one.outages),
                percent(one.share, 0),
                span(one.mttr_seconds),
                Text(percent(one.availability, _DIGITS), style="red" if one.below_promise else "default"),
                percent(one.without, _DIGITS),
                "-" if one.promised_percent is None else f"{one.promised_percent:g} %",
                one.agreement or "-",
            )
            for one in found
        ),
    )


def revisions_table(found: Sequence[AuditEntry]) -> Table:
    """Show corrections, one line each."""
    columns = ("no", "at", "by", "business", "from", "for", "was and why")
    table = new_table(*columns, right=("no", "for"), wide="was and why")
    return fill(
        table,
        (
            (
                str(one.number),
                moment(one.revision.at),
                one.revision.by,
                one.revision.subject,
                moment(one.revision.start),
                span(one.revision.end - one.revision.start),
                f"{change_text(one)}: {one.revision.why}",
            )
            for one in found
        ),
    )


def change_text(entry: AuditEntry) -> str:
    """Return what a correction said: "planned, cause line1"."""
    change = entry.revision.change
    parts = [] if change.availability is None else [change.availability.value]
    if change.planned is not None:
        parts.append("planned" if change.planned else "not planned")
    named = [("cause", change.cause), ("supplier", change.supplier), ("users", change.users)]
    parts += [f"{name} {value}" for name, value in named if value is not None]
    return ", ".join(parts)


def revision_picture(entry: AuditEntry) -> RenderableType:
    """Show one correction with all that it changed."""
    lines = [Text(clean(line)) for line in _effect_lines(entry)] or [Text("no agreement is touched by it")]
    return Group(revisions_table([entry]), Text(""), *lines)


def _effect_lines(entry: AuditEntry) -> Iterator[str]:
    for one in entry.effects:
        name = one.agreement if one.subject == one.agreement else f"{one.agreement} ({one.subject})"
        down = f"down {span(one.down_seconds_before)} -> {span(one.down_seconds_after)}"
        kept = f"kept {percent(one.availability_before, _DIGITS)} -> {percent(one.availability_after, _DIGITS)}"
        status = f"{one.status_before.value} -> {one.status_after.value}"
        yield f"{name} from {full_moment(one.period_start)[:10]}: {down}, {kept}, {status}"


def calendar_picture(found: CalendarInfo, names: Sequence[str]) -> RenderableType:
    """Show a calendar day by day; days that are not as their weekday is are marked."""
    zone = ZoneInfo(found.timezone)
    now = "open" if found.is_open else "closed"
    change = "" if found.next_change_at is None else f", until {full_moment(found.next_change_at, zone)}"
    table = new_table("day", "", "open", "")
    rows = fill(table, (_day_row(day, zone) for day in found.days))
    return Group(
        Text(
            clean(f"{found.name} ({found.timezone}): {now} now{change}; {span(found.open_seconds)} open in these days")
        ),
        Text(""),
        rows,
        Text(""),
        Text(clean(f"calendars: {', '.join(names)}")),
    )


def _day_row(day: CalendarDay, zone: ZoneInfo) -> tuple[str | Text, ...]:
    date = datetime.fromisoformat(day.day)
    told = [
        f"{datetime.fromtimestamp(one.start_at, zone):%H:%M}-{_closing(one.end_at, date, zone)}"
        for one in day.stretches
    ]
    mark = Text("") if day.usual else Text("not as usual", style="yellow")
    return day.day, _WEEKDAYS[date.weekday()], ", ".join(told) or "closed", mark


def _closing(at: float, day: datetime, zone: ZoneInfo) -> str:
    shown = datetime.fromtimestamp(at, zone)
    return "24:00" if shown.date() != day.date() and shown.hour == shown.minute == 0 else f"{shown:%H:%M}"
