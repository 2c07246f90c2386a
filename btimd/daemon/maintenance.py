"""The maintenance desk: windows and silences of the running daemon, what they hold back, and what comes of it.

It stands between diagnosis, reports and incidents: what falls under a window makes no incident, is kept, and becomes
one as soon as the window ends and the trouble lasts. The accounts learn which down time was planned.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from btimd.daemon.config import Config
from btimd.daemon.heldreports import report_from_json, report_to_json
from btimd.itsm.priority import Matrix
from btimd.itsm.replay import SYMPTOMS
from btimd.itsm.rota import utc_text
from btimd.itsm.triggers import ReportProblem
from btimd.model.agreement import AuditEntry, OutageChange, Revision
from btimd.model.calendar import ServiceCalendar
from btimd.model.incident import Incident
from btimd.model.maintenance import (
    HeldState,
    MaintenanceStore,
    Matcher,
    NewSuppression,
    SuppressedReport,
    Suppression,
    SuppressionEffect,
    SuppressionKind,
    SuppressionView,
)
from btimd.model.service import ServiceGraph
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.sla.declaring import agreed_windows, problem_of
from btimd.sla.windows import Trouble, WindowBook

MOST_CURRENT: Final = 1000
"""Windows and silences that are not over."""
RELEASED_FROM: Final = "suppressed_by"
"""Note of the report that opens an incident after a window: whose it was."""
_OVER: Final = "over"
_LONGEST_WAIT: Final = 60.0
_TOO_LONG: Final = 7 * 86_400.0
_YEAR: Final = 366 * 86_400.0


class Planned(Protocol):
    """Who keeps the accounts."""

    def plan(self, windows: WindowBook, revisions: Sequence[Revision] = ()) -> Sequence[AuditEntry]:
        """Go on with other windows; return what that changed of time that is counted already."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """What the operator's files say that windows are about. agreed: maintenance of agreements."""

    graph: ServiceGraph
    calendars: Mapping[str, ServiceCalendar]
    regions: Collection[str] = ()
    agreed: Sequence[Suppression] = ()


def files_of(config: Config) -> Files:
    """Return what a configuration says that windows are about."""
    tables = {name: table.maintenance for name, table in config.settings.sla.agreement.items()}
    return Files(
        graph=config.services.graph,
        calendars=config.calendars,
        regions=frozenset(place.region for place in config.plan.places if place.region),
        agreed=agreed_windows(config.agreements, tables),
    )


@dataclass(slots=True)
class _Held:
    """A trouble that waits. confirmed: it was seen by this run of btimd."""

    record: SuppressedReport
    report: ReportProblem
    gone: set[str] = field(default_factory=set)
    confirmed: bool = True


class MaintenanceDesk:
    """A Component; the Suppressor of the incidents, and the MaintenanceView that the API asks.

    release: takes a report as any other; called when what held it back holds no more. seen_again_seconds: after a
    start, until then trouble that a diagnosis of an earlier run found must have been found again.
    """

    name = "maintenance"

    def __init__(
        self,
        files: Files,
        *,
        store: MaintenanceStore,
        sla: Planned,
        release: Callable[[ReportProblem], Awaitable[Incident | None]],
        matrix: Matrix,
        seen_again_seconds: Seconds,
        metrics: Metrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self._files = files
        self._store = store
        self._sla = sla
        self._release = release
        self._matrix = matrix
        self._seen_again = seen_again_seconds
        self._clock = clock
        self._log = log
        self._declared: dict[str, Suppression] = {}
        self._held: dict[str, _Held] = {}
        self._counts: dict[str, int] = {}
        self._book = WindowBook()
        self._changed = asyncio.Event()
        self._started_at = 0.0
        self._active = metrics.gauge("btimd_maintenance_active", "Windows and silences that hold now", ("kind",))
        self._lasting = metrics.gauge("btimd_maintenance_held", "Troubles that make no incident and are not over")
        self._settled = metrics.counter(
            "btimd_maintenance_settled_total", "Troubles that were held back, by what became of them", ("state",)
        )

    # -- life

    async def start(self) -> None:
        """Take back what was declared, and what was held."""
        self._started_at = self._clock.monotonic()
        self._declared = {one.id: one for one in await self._store.load()}
        for record, body in await self._store.held():
            report = report_from_json(body)
            self._held[record.fingerprint] = _Held(record, report, confirmed=not report.verdict_id)
        self._counts = dict(await self._store.counts())
        self._take_book()

    async def run(self) -> None:
        """Let go what is held no more, when it is."""
        while True:
            self._changed.clear()
            await self.look()
            try:
                async with asyncio.timeout(self._wait()):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Do nothing: everything is kept already."""

    def health(self) -> ComponentHealth:
        """Say what holds for so long that it may have been forgotten."""
        now = self._clock.wall()
        for one in self._declared.values():
            coming = self._book.timed[one.id].coming(now, 0.0) if not one.is_past(now) else None
            if coming is not None and coming[0] <= now and now - coming[0] > _TOO_LONG:
                days = (now - coming[0]) / 86_400.0
                return ComponentHealth(
                    HealthLevel.WARNING, f"{one.id} ({one.reason}) holds for {days:.0f} days already; end it?"
                )
        return ComponentHealth()

    def swap(self, files: Files) -> None:
        """Go on with other files; what was declared stays."""
        self._files = files
        self._take_book()
        self._changed.set()

    def _take_book(self, revisions: Sequence[Revision] = ()) -> Sequence[AuditEntry]:
        everything = (*self._declared.values(), *self._files.agreed)
        self._book = WindowBook(everything, self._files.calendars, self._files.graph)
        return self._sla.plan(self._book, revisions)

    def _wait(self) -> Seconds:
        now = self._clock.wall()
        changes = [one.next_change(now) for one in self._book.timed.values()]
        waits = [max(at - now, 0.0) for at in changes if at is not None]
        return min([_LONGEST_WAIT, *waits])

    async def look(self) -> None:
        """Let every trouble go that nothing holds back any more; an incident is opened of what lasts."""
        now = self._clock.wall()
        for fingerprint, held in list(self._held.items()):
            if self._covering(held.report, now) is not None or self._held.get(fingerprint) is not held:
                continue
            if not held.confirmed:
                if self._clock.monotonic() - self._started_at >= self._seen_again:
                    await self._settle(fingerprint, HeldState.LOST)
                continue
            notes = {**held.report.notes, RELEASED_FROM: held.record.suppression_id}
            incident = await self._release(replace(held.report, notes=notes, count=held.record.count))
            if incident is not None:
                await self._settle(fingerprint, HeldState.OPENED, incident.id)
                self._log.info("trouble-outlasts-maintenance", id=held.record.suppression_id, incident=incident.id)
        self._count()

    def _count(self) -> None:
        now = self._clock.wall()
        holding = [one.suppression.kind for one in self._book.timed.values() if one.holds(now)]
        for kind in SuppressionKind:
            self._active.labels(kind.value).set(holding.count(kind))
        self._lasting.set(len(self._held))

    async def _settle(self, fingerprint: str, state: HeldState, incident_id: str = "") -> None:
        self._held.pop(fingerprint, None)
        if await self._store.settle(fingerprint, state, incident_id, self._clock.wall()):
            self._settled.labels(state.value).inc()

    # -- the suppressor of the incidents

    def reason(self, report: ReportProblem, now: UnixSeconds) -> str:
        """Return why a report shall make no incident, "" where it shall."""
        if RELEASED_FROM in report.notes and report.fingerprint not in self._held:
            return _OVER  # it ended while it was on its way
        one = self._covering(report, now)
        return "" if one is None else f"{one.id} {one.reason}".strip()

    async def keep(self, report: ReportProblem, reason: str, now: UnixSeconds) -> None:
        """Keep a report that makes no incident."""
        if reason == _OVER:
            return
        known = self._held.get(report.fingerprint)
        notes = {name: text for name, text in report.notes.items() if name != RELEASED_FROM}
        report = replace(report, notes=notes)
        record = SuppressedReport(
            position=0,
            suppression_id=reason.split(" ", 1)[0],
            fingerprint=report.fingerprint,
            title=report.title,
            cause=report.cause,
            businesses=report.assessment.businesses,
            regions=report.assessment.regions,
            verdict_id=report.verdict_id,
            first_at=now,
            last_at=now,
            count=report.count,
            state=HeldState.HELD,
        )
        kept = await self._store.hold(record, report_to_json(report))
        if known is None or known.record.position != kept.position:
            self._counts[kept.suppression_id] = self._counts.get(kept.suppression_id, 0) + 1
        self._held[report.fingerprint] = _Held(kept, report)
        self._count()

    async def cleared(self, fingerprint: str, symptoms: frozenset[str], _now: UnixSeconds) -> bool:
        """Take note that symptoms are gone; tell whether a trouble with them is held. It is over when all are gone."""
        held = self._held.get(fingerprint)
        if held is None:
            return False
        known = set(held.report.notes.get(SYMPTOMS, "").splitlines())
        held.gone |= symptoms & known
        if not symptoms or known <= held.gone:
            await self._settle(fingerprint, HeldState.CLEARED)
            self._count()
        return True

    def notices_held_until(self, incident: Incident, now: UnixSeconds) -> UnixSeconds | None:
        """Return until when nobody shall be told of an incident because of a silence; None: they may be told now."""
        trouble = Trouble(
            cause=incident.cause,
            businesses=incident.assessment.businesses,
            regions=incident.assessment.regions,
            category=incident.category,
            title=incident.title,
            priority=incident.priority,
        )
        return self._book.holds_until(trouble, SuppressionEffect.NOTICES, now)

    def sentences(self) -> list[tuple[str, str]]:
        """Return (business, sentence) of all maintenance that holds now, for those who look at a business."""
        now = self._clock.wall()
        found = []
        for timed in self._book.timed.values():
            one = timed.suppression
            if one.kind is not SuppressionKind.WINDOW or not timed.holds(now):
                continue
            coming = timed.coming(now, 0.0)
            until = "" if coming is None else f" until {utc_text(coming[1])} UTC"
            text = f"maintenance{until} ({one.id}): {one.reason or one.matcher.text()}"
            found += [(business, text) for business in sorted(self._book.touched(one.matcher))]
        return found

    def _covering(self, report: ReportProblem, now: UnixSeconds) -> Suppression | None:
        judged = self._matrix[report.impact, report.urgency] if report.priority is None else report.priority
        trouble = Trouble(
            cause=report.cause,
            businesses=report.assessment.businesses,
            regions=report.assessment.regions,
            category=report.category,
            title=report.title,
            priority=judged,
        )
        return self._book.covering(trouble, SuppressionEffect.INCIDENTS, now)

    # -- what the API asks

    def suppressions(self, *, past: bool) -> Sequence[SuppressionView]:
        """Return those that hold or will, and with `past` those that are over, the newest first."""
        now = self._clock.wall()
        ordered = [*reversed(self._declared.values()), *self._files.agreed]
        return [self._view(one, now) for one in ordered if past or not one.is_past(now)]

    def touched(self, matcher: Matcher) -> tuple[frozenset[str], frozenset[str]]:
        """Return which businesses (above its nodes too) and regions a matcher is about."""
        return self._book.touched(matcher), frozenset(matcher.regions)

    async def suppressed(self, suppression_id: str, limit: int) -> Sequence[SuppressedReport]:
        """Return what made no incident, the newest first."""
        return await self._store.of(suppression_id, limit)

    async def declare(self, new: NewSuppression, *, by: str, command_id: str) -> SuppressionView:
        """Let something be left alone."""
        now = self._clock.wall()
        graph = self._files.graph
        problem = problem_of(
            new, now=now, businesses=graph.businesses, nodes=graph.nodes, regions=self._files.regions,
            calendars=self._files.calendars,
        )  # fmt: skip
        if problem:
            raise ValueError(problem)
        if sum(not one.is_past(now) for one in self._declared.values()) >= MOST_CURRENT:
            raise ValueError(f"{MOST_CURRENT} windows and silences hold or will; end some first")
        made = Suppression(
            id="",
            kind=new.kind,
            effect=new.effect,
            matcher=new.matcher,
            start_at=new.start_at if new.kind is SuppressionKind.WINDOW else max(new.start_at, now),
            end_at=new.end_at,
            recurrence=new.recurrence,
            reason=new.reason.strip(),
            reference=new.reference.strip(),
            created_by=by,
            created_at=now,
        )
        kept = await self._store.add(made, command_id)
        if kept.id not in self._declared:
            self._declared[kept.id] = kept
            why = f"{kept.id} was declared: {kept.reason}"
            self._take_book(self._revisions(kept, self._clock.wall(), by, why))
            self._log.info("maintenance-declared", id=kept.id, by=by, what=kept.matcher.text(), reason=kept.reason)
            self._changed.set()
        return self._view(self._declared[kept.id], now)

    async def end(self, suppression_id: str, *, by: str, reason: str, void: bool = False) -> SuppressionView:
        """End it now. void: it was declared by mistake, and never held."""
        one = self._declared.get(suppression_id)
        if one is None:
            if any(known.id == suppression_id for known in self._files.agreed):
                raise ValueError(f"{suppression_id} stands in btimd.toml; change it there")
            raise KeyError(suppression_id)
        now = self._clock.wall()
        if one.is_past(now) and not (void and one.ended_at != one.start_at):
            raise ValueError(f"{suppression_id} is over already")
        ended = replace(
            one, ended_at=one.start_at if void else now, ended_by=by,
            end_reason=reason.strip() or ("declared by mistake" if void else ""),
        )  # fmt: skip
        await self._store.replace(ended)
        self._declared[suppression_id] = ended
        why = f"{suppression_id} was taken back: {ended.end_reason}"
        self._take_book(self._revisions(one, now, by, why) if void else ())
        self._log.info("maintenance-ended", id=suppression_id, by=by, reason=ended.end_reason, void=void)
        self._changed.set()
        return self._view(ended, now)

    def _revisions(self, one: Suppression, now: UnixSeconds, by: str, why: str) -> list[Revision]:
        """Return what is to be looked at again because of a window that reaches into the past."""
        end = now if one.until is None else min(one.until, now)
        if one.kind is not SuppressionKind.WINDOW or one.start_at >= end:
            return []
        book = WindowBook((one,), self._files.calendars, self._files.graph)
        change = OutageChange(planned=True)
        return [
            Revision(subject=name, start=one.start_at, end=end, change=change, by=by, at=now, why=why)
            for name in sorted(book.touched(one.matcher))
        ]

    def _view(self, one: Suppression, now: UnixSeconds) -> SuppressionView:
        timed = self._book.timed[one.id]
        coming = None if one.is_past(now) else timed.coming(now, _YEAR)
        return SuppressionView(
            suppression=one,
            active=timed.holds(now),
            holds_from=coming[0] if coming else None,
            holds_until=coming[1] if coming else None,
            suppressed=self._counts.get(one.id, 0),
            lasting=sum(held.record.suppression_id == one.id for held in self._held.values()),
            warnings=self._book.warnings(one, now),
        )
