"""Incidents as screens: lists by urgency, one with its clocks, orders and timers, and its timeline."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api.calls_incidents import IncidentShown
from btimd.cli.ctl_tables import Tables, fill, new_table
from btimd.cli.ctl_text import full_moment, moment, percent, span
from btimd.model.incident import ClockStatus, Incident, IncidentState, Priority, ServiceClock, Signal
from btimd.model.incidentquery import IncidentCount, IncidentDimension
from btimd.model.units import UnixSeconds

_PRIORITY_STYLE: Final = {1: "bold red", 2: "red", 3: "yellow"}
_SOON: Final = 0.25
"""A clock with less than this share left is shown in yellow."""


def priority_text(priority: Priority, *, by_hand: bool = False) -> Text:
    """Return a priority in its colour; "!" = set by hand."""
    return Text(priority.name + ("!" if by_hand else ""), style=_PRIORITY_STYLE.get(priority.value, "default"))


def left_text(incident: Incident, now: UnixSeconds) -> Text:
    """Return what is left of the promise that counts now: to respond until somebody has it, then to resolve."""
    waits = incident.accepted_at is None and incident.response.status is ClockStatus.RUNNING
    clock = incident.response if waits else incident.resolution
    match clock.status:
        case ClockStatus.RUNNING if clock.due_at is not None:
            left = clock.due_at - now
            if left < 0:
                return Text(f"{span(-left)} late", style="bold red")
            return Text(span(left), style="yellow" if left < _SOON * clock.allowed_seconds else "default")
        case ClockStatus.BREACHED:
            return Text("late", style="bold red")
        case ClockStatus.PAUSED:
            return Text("paused", style="bright_black")
        case _:
            return Text("-")


def incidents_table(incidents: Sequence[Incident], now: UnixSeconds, zone: tzinfo | None = None) -> Table:
    """Show incidents."""
    table = new_table("id", "prio", "state", "signal", "left", "opened", "who", "title", wide="title")
    return fill(
        table,
        (
            (
                found.id,
                priority_text(found.priority, by_hand=found.priority_is_manual),
                found.state.value,
                Text(found.signal.value, style="red" if found.signal is Signal.ACTIVE else "green"),
                left_text(found, now) if found.state.is_open else Text("-"),
                moment(found.opened_at, zone),
                found.assignee or (f"({found.group})" if found.group else "-"),
                found.title,
            )
            for found in incidents
        ),
    )


def counts_table(counts: Sequence[IncidentCount], group_by: Sequence[IncidentDimension]) -> Table:
    """Show counts."""
    names = [dimension.value for dimension in group_by]
    table = new_table(*names, "incidents", "open", right=("incidents", "open"))
    return fill(table, ((*(value or "-" for value in one.values), str(one.incidents), str(one.open)) for one in counts))


def incident_screen(shown: IncidentShown, now: UnixSeconds, zone: tzinfo | None = None) -> Group:
    """Show one incident: what it is, who has it, what runs out when, what happened, what may be done."""
    incident = shown.incident
    head = Text.assemble(
        (incident.id, "bold"), "  ", priority_text(incident.priority), "  ", (incident.state.value, "bold"), "  "
    )
    head.append_text(Text(incident.signal.value, style="red" if incident.signal is Signal.ACTIVE else "green"))
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    fill(facts, _facts(incident, now, zone))
    may = "you may: " + (", ".join(shown.allowed) or "read it")
    return Group(head, facts, Text(), Tables(zone).timeline(shown.timeline), Text(), Text(may))


def _facts(incident: Incident, now: UnixSeconds, zone: tzinfo | None) -> Iterator[tuple[str, str | Text]]:
    """Yield what is known, nothing of what is not."""
    yield "title", incident.title
    by = "set by hand" if incident.priority_is_manual else "computed"
    judged = {"impact": incident.impact, "urgency": incident.urgency, "difficulty": incident.difficulty}
    words = ", ".join(f"{what} {value.name.lower()}" for what, value in judged.items())
    yield "priority", f"{incident.priority.name} ({by}; {words})"
    hit = incident.assessment
    users = "users not known" if hit.users is None else f"{'' if hit.users_exact else 'at least '}{hit.users} users"
    yield (
        "hit",
        f"{', '.join(hit.businesses) or 'no business known'}; {', '.join(hit.regions) or 'no region known'}; {users}",
    )
    if incident.cause or incident.verdict_id:
        known = f"{percent(incident.confidence, 0)} sure, verdict {incident.verdict_id}" if incident.verdict_id else ""
        yield "cause", (incident.cause or "not known") + (f" ({known})" if known else "")
    if incident.category:
        yield "category", incident.category
    if incident.reporter:
        yield "reporter", incident.reporter
    yield from _work(incident, now, zone)
    yield "response", clock_text(incident.response, now, zone)
    yield "resolution", clock_text(incident.resolution, now, zone, paused=incident.paused_seconds)
    yield from _times(incident, zone)
    yield from _ends(incident)
    if incident.references:
        told = (
            f"{one.target} {one.reference}" + (f" ({one.status})" if one.status else "") for one in incident.references
        )
        yield "references", ", ".join(told)
    if incident.timers:
        due = sorted(incident.timers, key=lambda one: one.due_at)
        yield "timers", ", ".join(f"{one.name} {in_text(one.due_at, now)}" for one in due)
    if incident.description:
        yield "description", incident.description


def _work(incident: Incident, now: UnixSeconds, zone: tzinfo | None) -> Iterator[tuple[str, str | Text]]:
    """Yield who has it and why it stands where it stands."""
    where = [f"group {incident.group}"] if incident.group else []
    where += [f"level {incident.level}"] if incident.level else []
    yield "who", (incident.assignee or "nobody") + (f" ({', '.join(where)})" if where else "")
    order = incident.dispatch
    if order is not None:
        how = "by hand" if order.by_hand else "by the dispatcher"
        sent = f"{order.number} to {order.person}, {how}, {moment(order.sent_at, zone)}"
        again = f"; {_many(order.reminders, 'reminder')}" if order.reminders else ""
        yield "order", f"{sent}; accept {in_text(order.accept_by, now)}{again}"
    passed = {
        "order": incident.dispatch_count,
        "return": incident.return_count,
        "transfer": incident.transfer_count,
        "escalation": incident.escalation_count,
        "reopening": incident.reopen_count,
    }
    if any(passed.values()):
        yield "so far", ", ".join(_many(count, what) for what, count in passed.items() if count)
    if incident.excluded:
        yield "not again", ", ".join(incident.excluded)
    if incident.hold_reason and incident.state is IncidentState.HELD:
        yield "held", incident.hold_reason
    if incident.pending_reason and incident.state is IncidentState.PENDING:
        until = f" (until {moment(incident.pending_until, zone)})" if incident.pending_until is not None else ""
        yield "waits for", incident.pending_reason + until
    if incident.stage_reported_at is not None:
        more = f"; more {in_text(incident.stage_eta, now)}" if incident.stage_eta is not None else ""
        yield "progress", f"reported {moment(incident.stage_reported_at, zone)}{more}"


def _times(incident: Incident, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    yield "began", full_moment(incident.began_at, zone)
    yield "opened", full_moment(incident.opened_at, zone)
    yield "last seen", f"{full_moment(incident.last_seen_at, zone)}, {_many(incident.report_count, 'report')}"
    for what in ("accepted", "resolved", "closed"):
        at = getattr(incident, f"{what}_at")
        if at is not None:
            yield what, full_moment(at, zone)


def _ends(incident: Incident) -> Iterator[tuple[str, str]]:
    if incident.parent_id:
        yield "part of", incident.parent_id
    if incident.closing_report:
        yield "closing report", incident.closing_report
    if incident.closing is not None:
        for what in ("cause", "action", "node", "category", "article"):
            if getattr(incident.closing, what):
                yield f"- {what}", getattr(incident.closing, what)
        if incident.closing.effort_minutes is not None:
            yield "- effort", span(60.0 * incident.closing.effort_minutes)
    if incident.first_time_fix is not None:
        yield "first time", "fixed by the first who had it" if incident.first_time_fix else "not fixed at the first go"
    if incident.survey_score is not None:
        yield "survey", f"{incident.survey_score} of 5"


def clock_text(clock: ServiceClock, now: UnixSeconds, zone: tzinfo | None = None, *, paused: float = 0.0) -> Text:
    """Return how a promise stands: what is left, whether it stands still. paused: for how long it did."""
    allowed = f" of {span(clock.allowed_seconds)}" if clock.allowed_seconds else ""
    before = f"; stood still for {span(paused)}" if paused else ""
    told = f"; {clock.told_percent} % used" if clock.told_percent else ""
    match clock.status:
        case ClockStatus.NONE:
            return Text("nothing was promised")
        case ClockStatus.RUNNING if clock.due_at is not None and clock.due_at >= now:
            text = f"runs: {span(clock.due_at - now)} left{allowed}, until {moment(clock.due_at, zone)}{told}{before}"
            return Text(text, style="yellow" if clock.due_at - now < _SOON * clock.allowed_seconds else "default")
        case ClockStatus.PAUSED:
            return Text(f"stands still: {_left(clock)}{allowed} of service hours{told}{before}", style="bright_black")
        case ClockStatus.MET:
            return Text(f"met, {_left(clock)}{allowed}{before}", style="green")
        case ClockStatus.STOPPED:
            return Text(f"given up{allowed}")
        case _:
            when = f" since {moment(clock.due_at, zone)}" if clock.due_at is not None else ""
            late = f", {span(-clock.remaining_seconds)} late" if clock.ended_at is not None else ""
            return Text(f"missed{when}{late}{allowed and f' ({allowed.strip()})'}{before}", style="bold red")


def _left(clock: ServiceClock) -> str:
    return (
        f"{span(clock.remaining_seconds)} left"
        if clock.remaining_seconds >= 0
        else f"{span(-clock.remaining_seconds)} late"
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def in_text(at: UnixSeconds, now: UnixSeconds) -> str:
    """Return a moment by how far off it is: "in 5 min", "2 min ago"."""
    return f"in {span(at - now)}" if at >= now else f"{span(now - at)} ago"
