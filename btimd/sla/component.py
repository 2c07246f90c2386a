"""SlaComponent: accounts of all businesses and the agreements over them, kept in the journal, told to who watches."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence

from btimd.model.agreement import (
    Agreement,
    AuditEntry,
    BurnAlert,
    BurnWindow,
    OutageChange,
    PeriodFigures,
    Promise,
    Revision,
    Standing,
)
from btimd.model.incident import Priority
from btimd.model.ports import Journal, SeriesStore
from btimd.model.service import BusinessService
from btimd.model.sla import Availability, SlaState, SlaTarget
from btimd.model.units import MILLIS_PER_SECOND, MonotonicSeconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.feed import Feed, FeedSubscription
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.sla.accounting import AvailabilityAccount
from btimd.sla.auditdocument import read_trail, trail_document
from btimd.sla.book import AgreementBook
from btimd.sla.burn import BurnRule
from btimd.sla.points import standing_block, state_block
from btimd.sla.promises import agreements_of, earliest, promises
from btimd.sla.providers import Needs
from btimd.sla.settings import BurnSettings, SlaSettings
from btimd.sla.windows import WindowBook

STATE_NAME = "sla-accounts"
TRAIL_NAME = "sla-audit"
LATE_DATA = "late data"
_DOCUMENT_VERSION = 1
_FEED_CAPACITY = 100_000
_TICK_SECONDS = 1.0


def _nobody(*_: object) -> None:
    """Tell nobody."""


class SlaComponent:
    """Keeps one account per business. Every method is called on the loop.

    An account of a business that is no longer configured is kept in the journal, so that it goes on when it is back.
    A journal that cannot be written ends `run`: what was counted must not be lost silently.

    needs: what each node of the service graph needs, businesses included. on_transition: told (business, before, after,
    when) of every change of a condition. on_alert: told of every burn alarm that begins or ends. on_revision: told of
    every correction. They are called on the loop, after what they tell of is in the accounts, before it is saved.
    """

    name = "sla"

    def __init__(
        self,
        *,
        settings: SlaSettings,
        businesses: Mapping[str, BusinessService],
        journal: Journal,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        series: SeriesStore | None,
        agreements: Sequence[Agreement] = (),
        needs: Needs | None = None,
        on_transition: Callable[[str, Availability, Availability, UnixSeconds], None] = _nobody,
        on_alert: Callable[[BurnAlert], None] = _nobody,
        on_revision: Callable[[AuditEntry], None] = _nobody,
    ) -> None:
        self._settings = settings
        self._businesses = businesses
        self._journal = journal
        self._clock = clock
        self._log = log
        self._series = series
        self._accounts: dict[str, AvailabilityAccount] = {}
        self._told: dict[str, Availability] = {}
        self._others: dict[str, object] = {}
        self._agreements = tuple(agreements)
        self._needs = needs or {}
        rules = {BurnWindow.FAST: _rule(settings.burn_fast), BurnWindow.SLOW: _rule(settings.burn_slow)}
        self._book = AgreementBook(self._accounts, rules=rules)
        self._on_transition = on_transition
        self._on_alert = on_alert
        self._on_revision = on_revision
        self._turns: list[tuple[str, str]] = []
        self._share = 0.0
        self._looked_at: MonotonicSeconds = 0.0
        self._trail_is_dirty = False
        self._feed: Feed[str, SlaState] = Feed(_FEED_CAPACITY, keep=self._is_ours)
        self._dirty = False
        self._changed = asyncio.Event()
        self._saved_at: MonotonicSeconds = 0.0
        self._points_minute = -1
        self._started = False
        self._trouble = ""
        self._unknown = metrics.counter(
            "btimd_sla_unknown_businesses_total", "Observations of businesses that are not configured."
        )
        self._saves = metrics.counter("btimd_sla_saves_total", "Times the accounts were saved.")
        self._damaged = metrics.counter(
            "btimd_sla_damaged_accounts_total", "Saved accounts that could not be read; they began anew."
        )
        self._revisions = metrics.counter("btimd_sla_revisions_total", "Corrections of what was counted.")
        self._alerts = metrics.counter("btimd_sla_burn_alerts_total", "Burn alarms that were raised.")
        self._trail_dropped = metrics.counter(
            "btimd_sla_audit_dropped_total", "Oldest corrections that are no longer in the audit trail."
        )
        self._rearranged = metrics.gauge(
            "btimd_sla_rearranged_stretches",
            "Changes of condition kept as sums of an hour or a day only, because there were too many.",
        )

    # -- life

    async def start(self) -> None:
        """Load the accounts; the time since they were saved counts as unknown."""
        now = self._clock.wall()
        saved = await self._journal.load_state(STATE_NAME)
        documents = self._documents(saved)
        for business in self._businesses:
            self._open(business, documents.pop(business, None), now)
        self._others = documents
        self._book.swap(self._agreements, self._needs)
        await self._load_trail()
        self._saved_at = self._looked_at = self._clock.monotonic()
        self._dirty = True
        self._started = True
        self._publish_all(now)

    async def run(self) -> None:
        """Save at every change and every few seconds, write points every minute, until cancelled."""
        while True:
            await self.tick()
            try:
                # not wait_for: before Python 3.12 it forgets a cancellation that comes together with the change
                async with asyncio.timeout(min(_TICK_SECONDS, self._settings.save_every)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Save what was counted up to now."""
        if self._started:
            self._started = False
            await self._save()

    def health(self) -> ComponentHealth:
        """Say whether the accounts could be read."""
        return ComponentHealth(HealthLevel.WARNING, self._trouble) if self._trouble else ComponentHealth()

    async def tick(self) -> None:
        """Do what has become due: count time, save, write points (called by run)."""
        now = self._clock.wall()
        self._changed.clear()
        for business, account in self._accounts.items():
            account.advance(now)
            if self._tell(business, account, now):
                self._log.warning("sla-unknown", business=business, reason="no observation")
                self._publish(business, now)
                self._dirty = True
        self._look(now)
        due = self._clock.monotonic() - self._saved_at >= self._settings.save_every
        if self._dirty or due:
            await self._save()
        self._write_points(now)

    # -- what happens

    def business_state(
        self,
        business: str,
        availability: Availability,
        now: UnixSeconds,
        *,
        cause: str = "",
        incident_id: str = "",
        users: int | None = None,
        users_exact: bool = False,
    ) -> None:
        """Take the condition of a business at `now`, as its key indicators show it; call it with every sample.

        cause, incident_id and users (of this business, on line before the outage) may come later than the outage: pass
        them as soon as they are known. users_exact: False where the number is a lower bound or sampled.
        """
        account = self._accounts.get(business)
        if account is None:
            self._unknown.inc()
            return
        before = self._told[business]
        named = bool(cause or incident_id or users is not None)
        account.observe(availability, now, cause=cause, incident_id=incident_id, users=users, users_exact=users_exact)
        if self._tell(business, account, now):
            self._log.info("sla-transition", business=business, before=before, now=availability, cause=cause)
        elif not named:
            return
        self._dirty = True
        self._changed.set()
        self._publish(business, now)

    def swap(
        self,
        businesses: Mapping[str, BusinessService],
        agreements: Sequence[Agreement] | None = None,
        needs: Needs | None = None,
    ) -> None:
        """Go on with other businesses, targets, agreements and needs (None: the same as before).

        Accounts that are no longer wanted are put aside, not lost.
        """
        now = self._clock.wall()
        gone = {name: account for name, account in self._accounts.items() if name not in businesses}
        self._businesses = businesses
        for name, account in gone.items():
            account.advance(now)
            self._others[name] = account.to_document()
            del self._accounts[name], self._told[name]
            self._feed.publish(name, account.state(now))
        for business in businesses:
            account_or_none = self._accounts.get(business)
            if account_or_none is None:
                self._open(business, self._others.pop(business, None), now)
            else:
                self._retarget(account_or_none, business)
        self._agreements = self._agreements if agreements is None else tuple(agreements)
        self._needs = self._needs if needs is None else needs
        self._book.swap(self._agreements, self._needs)
        self._turns = []
        self._dirty = True
        self._changed.set()
        self._publish_all(now)

    # -- the book

    def states(self) -> Sequence[SlaState]:
        """Return the state of every target now."""
        now = self._clock.wall()
        return [account.state(now) for account in self._accounts.values()]

    def closed_months(self, business: str) -> Sequence[SlaState]:
        """Return the months of a business that are over, oldest first; empty for an unknown business."""
        account = self._accounts.get(business)
        return account.closed_months() if account is not None else ()

    def watch(self) -> FeedSubscription[str, SlaState]:
        """Subscribe to SLA states: all now, then at every change and every minute."""
        self._publish_all(self._clock.wall())
        return self._feed.subscribe()

    # -- agreements

    def agreements(self) -> Sequence[Agreement]:
        """Return all agreements."""
        return self._agreements

    def standings(self) -> Sequence[Standing]:
        """Return how every subject of every agreement in force stands now."""
        now = self._count_all()
        found = (self._book.standing(*pair, now) for pair in self._book.pairs())
        return [one for one in found if one is not None]

    def periods(self, agreement: str) -> Sequence[PeriodFigures]:
        """Return the figures of all periods of an agreement that are known, by subject and time; raises KeyError."""
        now = self._count_all()
        subjects = self._book.subjects(self._book.agreement(agreement))
        return [one for subject in subjects for one in self._book.periods(agreement, subject, now)]

    def promises(
        self,
        *,
        businesses: Sequence[str],
        cause: str,
        priority: Priority,
        opened_at: UnixSeconds,
        accepted_at: UnixSeconds | None = None,
        resolved_at: UnixSeconds | None = None,
        paused_seconds: float = 0.0,
    ) -> tuple[Promise | None, Promise | None]:
        """Return by when an incident must be responded to and resolved: the earliest of all its agreements."""
        found = [
            promises(
                one,
                priority,
                opened_at=opened_at,
                accepted_at=accepted_at,
                resolved_at=resolved_at,
                now=self._clock.wall(),
                paused_seconds=paused_seconds,
            )
            for one in agreements_of(self._agreements, businesses=businesses, cause=cause, covers=self._book.cover)
        ]
        return earliest(one for one, _ in found), earliest(one for _, one in found)

    def revise(
        self, business: str, start: UnixSeconds, end: UnixSeconds, change: OutageChange, *, by: str, why: str
    ) -> AuditEntry:
        """Say what a stretch of time of a business, or the outages in it, really was; raises ValueError."""
        now = self._count_all()
        revision = Revision(subject=business, start=start, end=end, change=change, by=by, at=now, why=why)
        dropped = self._book.dropped_entries
        entry = self._book.revise(revision)
        self._trail_dropped.inc(self._book.dropped_entries - dropped)
        self._revisions.inc()
        self._log.info("sla-revision", business=business, number=entry.number, by=by, why=why)
        self._dirty = self._trail_is_dirty = True
        self._changed.set()
        self._on_revision(entry)
        self._publish(business, now)
        return entry

    def late(
        self, business: str, start: UnixSeconds, end: UnixSeconds, availability: Availability
    ) -> AuditEntry | None:
        """Take data that came after its time was counted: it fills unknown time only; None where there is none."""
        account = self._accounts.get(business)
        if account is None:
            self._unknown.inc()
            return None
        self._count_all()
        low = max(round(start * MILLIS_PER_SECOND), account.exact_from)
        high = round(end * MILLIS_PER_SECOND)
        entry = None
        unknown = [one for one in account.log.stretches(low, high) if one[2] is Availability.UNKNOWN]
        for begin, stop, _ in unknown:
            entry = self.revise(
                business,
                begin / MILLIS_PER_SECOND,
                stop / MILLIS_PER_SECOND,
                OutageChange(availability=availability),
                by="btimd",
                why=LATE_DATA,
            )
        return entry

    def plan(self, windows: WindowBook, revisions: Sequence[Revision] = ()) -> Sequence[AuditEntry]:
        """Go on with other maintenance windows; return what that changed of time that is counted already.

        revisions: of each business, by whom and why, and the time to look at.
        """
        now = self._count_all()
        dropped = self._book.dropped_entries
        entries = self._book.plan(windows, revisions)
        self._trail_dropped.inc(self._book.dropped_entries - dropped)
        for entry in entries:
            self._revisions.inc()
            self._log.info("sla-revision", business=entry.revision.subject, number=entry.number, by=entry.revision.by)
            self._dirty = self._trail_is_dirty = True
            self._changed.set()
            self._on_revision(entry)
            self._publish(entry.revision.subject, now)
        return entries

    def audit(self) -> Sequence[AuditEntry]:
        """Return the corrections that are kept, oldest first."""
        return tuple(self._book.audit)

    # -- inside

    def _tell(self, business: str, account: AvailabilityAccount, now: UnixSeconds) -> bool:
        """Tell of a condition that is not what was told last; return whether it is not.

        Whoever asks for figures counts time too, so that a condition may have turned unknown since.
        """
        before, after = self._told[business], account.current
        self._told[business] = after
        if before is not after:
            self._on_transition(business, before, after, now)
        return before is not after

    def _count_all(self) -> UnixSeconds:
        now = self._clock.wall()
        for account in self._accounts.values():
            account.advance(now)
        return now

    def _look(self, now: UnixSeconds) -> None:
        """Look at some agreements for alarms: at all of them in `burn_every`, so that no tick is long."""
        elapsed = self._clock.monotonic() - self._looked_at
        self._looked_at += elapsed
        pairs = self._book.pairs()
        self._share = min(self._share + len(pairs) * elapsed / self._settings.burn_every, float(len(pairs)))
        while self._share >= 1.0 and pairs:
            self._turns = self._turns or pairs
            self._share -= 1.0
            for alert in self._book.look(*self._turns.pop(), now):
                self._log.warning(
                    "sla-burn", agreement=alert.agreement, subject=alert.subject, window=alert.window,
                    rate=round(alert.rate, 1), raised=alert.raised,
                )  # fmt: skip
                self._alerts.inc(1 if alert.raised else 0)
                self._dirty = self._trail_is_dirty = True
                self._on_alert(alert)

    async def _load_trail(self) -> None:
        saved = await self._journal.load_state(TRAIL_NAME)
        if saved is None:
            return
        try:
            read_trail(json.loads(saved), self._book)
        except ValueError as error:
            self._note_damage("the audit trail", error)

    def _is_ours(self, state: SlaState) -> bool:
        return state.target.business in self._accounts

    def _target(self, business: str) -> SlaTarget:
        own = self._businesses[business].availability_percent
        return SlaTarget(business, own if own is not None else self._settings.availability_percent)

    def _retarget(self, account: AvailabilityAccount, business: str) -> None:
        account.retarget(
            self._target(business),
            stale_after_seconds=self._settings.stale_after,
            months_kept=self._settings.months_kept,
        )

    def _open(self, business: str, document: object, now: UnixSeconds) -> None:
        account: AvailabilityAccount | None = None
        if document is not None:
            try:
                account = AvailabilityAccount.from_document(document)
            except ValueError as error:
                self._note_damage(f"the saved availability of business {business}", error)
        if account is None:
            account = AvailabilityAccount(
                self._target(business),
                opened_at=now,
                stale_after_seconds=self._settings.stale_after,
                months_kept=self._settings.months_kept,
            )
        else:
            account.interrupted(now)
            self._retarget(account, business)
        self._accounts[business] = account
        self._told[business] = account.current

    def _documents(self, saved: bytes | None) -> dict[str, object]:
        if saved is None:
            return {}
        try:
            document = json.loads(saved)
            if document["version"] != _DOCUMENT_VERSION:
                raise ValueError(f"version {document['version']!r}, this program reads {_DOCUMENT_VERSION}")  # noqa: TRY301  one place for what is wrong
            return dict(document["accounts"])
        except (ValueError, KeyError, TypeError) as error:
            self._note_damage("the saved availability of all businesses", error)
            return {}

    def _note_damage(self, what: str, error: Exception) -> None:
        self._damaged.inc()
        self._trouble = f"{what} could not be read and began anew: {error}"
        self._log.error("sla-account-damaged", what=what, error=str(error))

    async def _save(self) -> None:
        now = self._clock.wall()
        accounts = dict(self._others)
        for business, account in self._accounts.items():
            account.advance(now)
            accounts[business] = account.to_document()
        document = {"version": _DOCUMENT_VERSION, "accounts": accounts}
        self._dirty = False
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        if self._trail_is_dirty:  # before what was corrected: no correction without its reason
            trail = json.dumps(trail_document(self._book), separators=(",", ":"), ensure_ascii=False).encode()
            self._trail_is_dirty = False
            await self._journal.save_state(TRAIL_NAME, trail)
        await self._journal.save_state(STATE_NAME, body)
        self._saved_at = self._clock.monotonic()
        self._saves.inc()
        self._rearranged.set(sum(account.log.rearranged for account in self._accounts.values()))

    def _publish(self, business: str, now: UnixSeconds) -> None:
        self._feed.publish(business, self._accounts[business].state(now))

    def _publish_all(self, now: UnixSeconds) -> None:
        for business in self._accounts:
            self._publish(business, now)

    def _write_points(self, now: UnixSeconds) -> None:
        """Write the accounts once per period, stamped with the period's start."""
        period = max(self._settings.points_every, _TICK_SECONDS)
        minute = int(now // period)
        if minute == self._points_minute or not self._accounts:
            return
        self._points_minute = minute
        self._publish_all(now)
        if self._series is None:
            return
        stamp = round(minute * period * MILLIS_PER_SECOND)
        self._series.write(state_block([account.state(now) for account in self._accounts.values()], stamp))
        if standings := self._book.looked_at():  # at most `burn_every` old: reckoning all at once would hold the loop
            self._series.write(standing_block(standings, stamp))


def _rule(settings: BurnSettings) -> BurnRule:
    return BurnRule(settings.long, settings.short, settings.rate)
