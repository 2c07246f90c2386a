"""The level desk: agreements, standings and periods as the API tells them, put together from accounts and incidents."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from btimd.model.agreement import (
    Agreement,
    AgreementKind,
    AgreementView,
    AuditEntry,
    OutageChange,
    PeriodFigures,
    Standing,
)
from btimd.model.calendar import ALWAYS, FIRST_YEAR, LAST_YEAR, ServiceCalendar
from btimd.model.incident import ClockStatus, Incident, IncidentState, Priority
from btimd.model.levels import AgreementInfo, CalendarInfo, Contribution, ResponseFigures, StandingView
from btimd.model.service import ServiceGraph
from btimd.model.sla import Availability
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.sla.agreements import needs_of
from btimd.sla.calendardays import calendar_info
from btimd.sla.chain import chain_notes
from btimd.sla.contribution import contributions
from btimd.sla.foresight import foresee
from btimd.sla.promises import agreements_of
from btimd.sla.providers import below, covers
from btimd.sla.words import report

_RECENT_REVISIONS: Final = 20
_GONE: Final = frozenset({IncidentState.CANCELLED, IncidentState.MERGED})
_FIRST: Final = 86_400.0
_LAST: Final = (LAST_YEAR - FIRST_YEAR) * 365 * 86_400.0

Incidents = Callable[[], Awaitable[Sequence[Incident]]]
"""Returns incidents of the past months, open and closed."""


class LevelDesk:
    """What the API asks of service levels. It keeps nothing but what the files say."""

    def __init__(
        self,
        book: AgreementView,
        incidents: Incidents,
        graph: ServiceGraph,
        calendars: Mapping[str, ServiceCalendar],
        clock: Clock,
    ) -> None:
        self._book = book
        self._incidents = incidents
        self._clock = clock
        self.swap(graph, calendars)

    def swap(self, graph: ServiceGraph, calendars: Mapping[str, ServiceCalendar]) -> None:
        """Go on with another graph and other calendars."""
        self._graph = graph
        self._needs = needs_of(graph)
        self._calendars = {**calendars, ALWAYS.name: ALWAYS}

    # -- agreements

    def agreements(self) -> Sequence[AgreementInfo]:
        """Return all agreements."""
        agreements = self._book.agreements()
        notes = chain_notes(agreements, self._graph, self._clock.wall())
        cover = covers(agreements, self._needs)
        return [
            _info(
                one,
                len(cover.get(one.name, ())),
                self._touched(one, cover),
                [(note.text, note.is_gap) for note in notes if note.agreement == one.name],
            )
            for one in agreements
        ]

    def _touched(self, agreement: Agreement, cover: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        if agreement.kind is AgreementKind.SLA:
            return agreement.businesses
        nodes = cover[agreement.name]
        return tuple(name for name in self._graph.businesses if not below(self._needs, (name,)).isdisjoint(nodes))

    def _agreement(self, name: str) -> Agreement:
        return next(one for one in self._book.agreements() if one.name == name)

    # -- what was kept

    async def standings(self, agreement: str | None) -> Sequence[StandingView]:
        """Return how every subject of every agreement in force, or of one, stands; raises KeyError."""
        known = {one.name: one for one in self._book.agreements()}
        if agreement is not None and agreement not in known:
            raise KeyError(agreement)
        found = [one for one in self._book.standings() if agreement in {None, one.figures.agreement}]
        incidents = await self._incidents()
        cover = covers(tuple(known.values()), self._needs)
        periods: dict[str, Sequence[PeriodFigures]] = {}
        views = []
        for standing in found:
            name = standing.figures.agreement
            if name not in periods:
                periods[name] = self._book.periods(name)
            theirs = [one for one in incidents if _is_under(known[name], standing, one, cover)]
            history = [one for one in periods[name] if one.subject == standing.figures.subject]
            forecast = foresee(history, known[name].allowed, is_down=standing.current is Availability.DOWN)
            views.append(StandingView(standing, response_figures(theirs, self._clock.wall()), forecast))
        return views

    def periods(self, agreement: str) -> Sequence[PeriodFigures]:
        """Return the figures of all periods of an agreement that are known; raises KeyError."""
        return self._book.periods(agreement)

    def contributions(self, agreement: str, subject: str | None, periods: int) -> Sequence[Contribution]:
        """Return what each component took in the latest periods; raises KeyError."""
        known = self._of_subject(agreement, subject)
        agreements = self._book.agreements()
        return contributions(known[-periods:], agreements, covers(agreements, self._needs))

    def statement(self, agreement: str, subject: str | None, at: UnixSeconds | None, language: str) -> str:
        """Return what was kept in a period in words; raises KeyError for what there is not."""
        known = self._of_subject(agreement, subject)
        if at is not None:
            known = [one for one in known if one.period_start <= at < one.period_end]
        if not known:
            raise KeyError(agreement)
        one = known[-1]
        business = self._graph.businesses.get(one.subject)
        name = ""
        if business is not None and len(self._agreement(agreement).businesses) > 1:
            name = (business.name_zh if language == "zh" else business.name) or business.name
        return report(self._agreement(agreement), one, "zh" if language == "zh" else "en", subject_name=name)

    def _of_subject(self, agreement: str, subject: str | None) -> list[PeriodFigures]:
        known = list(self._book.periods(agreement))
        wanted = subject if subject is not None else known[0].subject if known else ""
        found = [one for one in known if one.subject == wanted]
        if not found:
            raise KeyError(subject or agreement)
        return found

    # -- what was put right

    def audit(self) -> Sequence[AuditEntry]:
        """Return the corrections that are kept, oldest first."""
        return self._book.audit()

    def revise(
        self, business: str, start: UnixSeconds, end: UnixSeconds, change: OutageChange, *, by: str, why: str
    ) -> AuditEntry:
        """Put a stretch of time right; the same that was said last of a business changes nothing."""
        for entry in reversed(self._book.audit()[-_RECENT_REVISIONS:]):
            said = entry.revision
            if said.subject == business:
                if (said.start, said.end, said.change, said.by, said.why) == (start, end, change, by, why):
                    return entry
                break
        return self._book.revise(business, start, end, change, by=by, why=why)

    # -- calendars

    def calendar(self, name: str, at: UnixSeconds | None, days: int) -> CalendarInfo:
        """Return a calendar from the day of a moment on; raises KeyError, ValueError for a moment beyond its years."""
        now = self._clock.wall()
        first = now if at is None else at
        if not _FIRST <= first <= _LAST:
            raise ValueError(f"calendars are asked for the years {FIRST_YEAR} to {LAST_YEAR}")
        return calendar_info(self._calendars[name], now, first, days)

    def calendars(self) -> Sequence[str]:
        """Return the names of all calendars."""
        return sorted(self._calendars)


def _info(one: Agreement, covered: int, touches: tuple[str, ...], notes: Sequence[tuple[str, bool]]) -> AgreementInfo:
    def seconds(targets: Mapping[Priority, Seconds]) -> dict[str, float]:
        return {priority.name: value for priority, value in targets.items()}

    return AgreementInfo(
        name=one.name,
        kind=one.kind,
        title=one.title,
        title_zh=one.title_zh,
        provider=one.provider,
        customer=one.customer,
        businesses=one.businesses,
        nodes=one.nodes,
        covered=covered,
        touches=touches,
        availability_percent=one.availability_percent,
        calendar=one.calendar.name,
        timezone=getattr(one.zone, "key", "UTC"),
        period=one.period,
        response=seconds(one.response),
        resolve=seconds(one.resolve),
        exclude_planned=one.exclude_planned,
        draft=one.draft,
        valid_from=_date(one.valid_from),
        valid_until=_date(one.valid_until),
        review_on=_date(one.review_on),
        notes=tuple(text for text, _ in notes),
        adds_up=all(is_gap for _, is_gap in notes),
    )


def _date(value: object) -> str:
    return "" if value is None else str(value)


def _is_under(
    agreement: Agreement, standing: Standing, incident: Incident, cover: Mapping[str, frozenset[str]]
) -> bool:
    """Tell whether an incident of the period falls under an agreement, for its subject."""
    figures = standing.figures
    if incident.state in _GONE or not figures.period_start <= incident.opened_at < figures.period_end:
        return False
    businesses = incident.assessment.businesses
    if agreement.kind is AgreementKind.SLA:
        return figures.subject in businesses
    return bool(
        agreements_of([replace(agreement, draft=False)], businesses=businesses, cause=incident.cause, covers=cover)
    )


def response_figures(incidents: Iterable[Incident], now: UnixSeconds) -> ResponseFigures:
    """Return how incidents were dealt with, by the clocks that ran for them."""
    given = list(incidents)
    taken = [one for one in given if one.response.ended_at is not None and one.response.status in _ENDED]
    done = [one for one in given if one.resolution.ended_at is not None and one.resolution.status in _ENDED]
    waits = [one.response.ended_at - one.opened_at for one in taken if one.response.ended_at is not None]
    lasts = [
        max(one.resolution.ended_at - one.opened_at - one.paused_seconds, 0.0)
        for one in done
        if one.resolution.ended_at is not None
    ]
    open_ends = [one for one in given if one.state.is_open and one not in done]
    return ResponseFigures(
        incidents=len(given),
        answered=len(taken),
        answered_in_time=sum(one.response.status is ClockStatus.MET for one in taken),
        mean_response_seconds=_mean(waits),
        resolved=len(done),
        resolved_in_time=sum(one.resolution.status is ClockStatus.MET for one in done),
        mean_resolve_seconds=_mean(lasts),
        overdue=sum(
            any(clock.due_at is not None and clock.ended_at is None and now > clock.due_at for clock in clocks)
            for clocks in ((one.response, one.resolution) for one in open_ends)
        ),
    )


_ENDED: Final = frozenset({ClockStatus.MET, ClockStatus.BREACHED})


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
