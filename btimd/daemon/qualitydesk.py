"""The figures of handling, made on request from the timelines in the journal, the surveys and the accounts.

What was read of an incident is kept until the incident changes. Reading and reckoning happen in threads; one request
after the other.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from btimd.itsm import qualitytrend
from btimd.itsm.quality import WALL, Hours, OpenTime
from btimd.itsm.qualityfacts import facts_of
from btimd.itsm.qualitygroups import NAMES_OF, fits, group_figures, work_figures
from btimd.itsm.reliability import of_businesses, of_causes
from btimd.model.agreement import Agreement
from btimd.model.agreement import Promise as Agreed
from btimd.model.incident import Priority
from btimd.model.knowledge import SECONDS_PER_DAY, KnowledgeUnavailableError, RecordKind, Survey
from btimd.model.qualityview import FigureCoverage, FigureGroup, FigureQuery, GroupFigures, Reliability, Visible
from btimd.model.sla import Outage, SlaState
from btimd.model.units import Seconds, UnixSeconds
from btimd.model.workfigures import IncidentFacts, Trend, TrendSeries, WorkFigures
from btimd.store.knowledge import SqliteKnowledge
from btimd.store.timelines import Timelines

INCIDENT_LIMIT: Final = 50_000
"""Incidents that one request looks at; those that were opened last."""
LOOK_BACK_SECONDS: Final = 92 * SECONDS_PER_DAY
"""What was opened so long before a window may still have ended in it; what is open counts however old it is."""
LONGEST_WINDOW_SECONDS: Final = 1_100 * SECONDS_PER_DAY
_DAY: Final = SECONDS_PER_DAY
_SEASON_DAYS: Final = 7


class Book(Protocol):
    """Who keeps agreements and accounts."""

    def agreements(self) -> Sequence[Agreement]:
        """Return all agreements."""
        ...

    def promises(
        self, *, businesses: Sequence[str], cause: str, priority: Priority, opened_at: UnixSeconds
    ) -> tuple[Agreed | None, Agreed | None]:
        """Return by when an incident must be responded to and resolved."""
        ...

    def states(self) -> Sequence[SlaState]:
        """Return the current month of every business."""
        ...

    def closed_months(self, business: str) -> Sequence[SlaState]:
        """Return the months of a business that are over."""
        ...


def hours_of(book: Book) -> Hours:
    """Return what tells the service hours of an incident: those of the agreement whose resolution is due first."""
    known: dict[tuple[tuple[str, ...], str, Priority], OpenTime] = {}

    def hours(incident: IncidentFacts) -> OpenTime:
        key = (incident.services, incident.node, incident.priority)
        if key not in known:
            response, resolution = book.promises(
                businesses=incident.services, cause=incident.node, priority=incident.priority,
                opened_at=incident.opened_at,
            )  # fmt: skip
            decides = resolution or response
            calendars = {one.name: one.calendar for one in book.agreements()}
            known[key] = WALL if decides is None else calendars.get(decides.agreement, WALL)
        return known[key]

    return hours


class QualityDesk:
    """A QualityView. base: of the surveys; what it cannot tell now is said to be unknown."""

    def __init__(self, timelines: Timelines, base: SqliteKnowledge, book: Book) -> None:
        self._timelines = timelines
        self._base = base
        self._book = book
        self._facts: OrderedDict[str, tuple[int, IncidentFacts | None]] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def figures(self, query: FigureQuery, visible: Visible) -> tuple[WorkFigures, FigureCoverage]:
        """Return the figures of a window."""
        known, surveys, coverage = await self._known(query, visible)
        hours = hours_of(self._book)
        return await asyncio.to_thread(work_figures, known, query, surveys, hours), coverage

    async def grouped(
        self, query: FigureQuery, by: FigureGroup, visible: Visible
    ) -> tuple[Sequence[GroupFigures], FigureCoverage]:
        """Return the figures of each group."""
        known, surveys, coverage = await self._known(query, visible)
        hours = hours_of(self._book)
        return await asyncio.to_thread(group_figures, known, query, surveys, hours, by), coverage

    async def trend(
        self, query: FigureQuery, by: FigureGroup, *, bucket: Seconds, ahead: int, visible: Visible
    ) -> tuple[Trend, FigureCoverage]:
        """Return opened incidents per bucket and group."""
        bounds: Sequence[UnixSeconds] = qualitytrend.edges(query.start, query.end, bucket)
        known, _, coverage = await self._known(query, visible)
        since = query.end if coverage.known_since is None else coverage.known_since
        bounds = [edge for edge in bounds if edge >= since]  # of the time before nobody knows that there was none
        if len(bounds) < 2:  # noqa: PLR2004  a bucket has two edges
            return Trend((bounds[-1] if bounds else query.end,), TrendSeries("", ()), ()), coverage
        season = _SEASON_DAYS if bucket == _DAY else 24 if bucket == _DAY / 24 else 1
        made = await asyncio.to_thread(
            lambda: qualitytrend.trend(known, bounds, NAMES_OF[by], ahead=ahead, season=season)
        )
        return made, coverage

    async def reliability(
        self, start: UnixSeconds, end: UnixSeconds, by: FigureGroup, visible: Visible
    ) -> Sequence[Reliability]:
        """Return how reliable things were in the months that a window touches."""
        _check(start, end)
        current = [one for one in self._book.states() if visible((one.target.business,), ())]
        months = [
            month
            for state in current
            for month in (*self._book.closed_months(state.target.business), state)
            if month.period_start < end and month.at > start
        ]
        if by is FigureGroup.BUSINESS:
            return of_businesses(months)
        if by is FigureGroup.NODE:
            return of_causes(months, lambda outage: (outage.cause,))
        if by is not FigureGroup.CLASS:
            raise ValueError("reliability is known by business, node and class")
        named = {outage.incident_id for month in months for outage in month.outages if outage.incident_id}
        facts = await self._read(dict.fromkeys(named, 0), fresh=False)
        classes = {name: one.category for name, one in facts.items() if one is not None}

        def category(outage: Outage) -> Iterable[str]:
            return (classes.get(outage.incident_id, ""),)

        return of_causes(months, category)

    async def _known(
        self, query: FigureQuery, visible: Visible
    ) -> tuple[Sequence[IncidentFacts], Sequence[Survey], FigureCoverage]:
        _check(query.start, query.end)
        listed = await self._timelines.listed(query.start - LOOK_BACK_SECONDS, query.end, INCIDENT_LIMIT)
        facts = await self._read(dict(listed.versions))
        seen = [one for one in facts.values() if one is not None and visible(one.services, one.regions)]
        surveys, surveys_known = await self._surveys(query.start)
        coverage = FigureCoverage(
            incidents=len(seen),
            unread=sum(one is None for one in facts.values()),
            left_out=listed.total - len(listed.versions),
            known_since=listed.known_since,
            surveys_known=surveys_known,
        )
        return [one for one in seen if fits(one, query)], surveys, coverage

    async def _read(self, versions: dict[str, int], *, fresh: bool = True) -> dict[str, IncidentFacts | None]:
        """Return the facts of incidents; fresh: of these versions, else of any that is known."""
        async with self._one_at_a_time:
            old = [
                name
                for name, version in versions.items()
                if name not in self._facts or (fresh and self._facts[name][0] != version)
            ]
            for name, found in (await self._timelines.read(old, facts_of)).items():
                self._facts[name] = (versions[name], found)
            found_all = {name: self._facts[name][1] for name in versions}
            for name in versions:
                self._facts.move_to_end(name)
            while len(self._facts) > INCIDENT_LIMIT:
                self._facts.popitem(last=False)
            return found_all

    async def _surveys(self, since: UnixSeconds) -> tuple[Sequence[Survey], bool]:
        try:
            found = await self._base.everything(RecordKind.SURVEY, since)
        except KnowledgeUnavailableError:
            return (), False
        return [one for one in found if isinstance(one, Survey)], True


def _check(start: UnixSeconds, end: UnixSeconds) -> None:
    if not start < end:
        raise ValueError("the window ends before it begins")
    if end - start > LONGEST_WINDOW_SECONDS:
        days = LONGEST_WINDOW_SECONDS / _DAY
        raise ValueError(f"the window has {(end - start) / _DAY:.0f} days; {days:.0f} at most")
