"""SlaComponent: the availability accounts of all businesses, kept in the journal and told to who watches."""

import asyncio
import json
from collections.abc import Mapping, Sequence

import numpy as np

from btimd.model.points import PointBlock
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
from btimd.sla.settings import SlaSettings

STATE_NAME = "sla-accounts"
MEASUREMENT = "btimd_sla"
_DOCUMENT_VERSION = 1
_FEED_CAPACITY = 100_000
_TICK_SECONDS = 1.0
_STATE_CODES = {Availability.UNKNOWN: -1, Availability.DOWN: 0, Availability.UP: 1}


class SlaComponent:
    """Keeps one account per business. Every method is called on the loop.

    An account of a business that is no longer configured is kept in the journal, so that it goes on when it is back.
    A journal that cannot be written ends `run`: what was counted must not be lost silently.
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
    ) -> None:
        self._settings = settings
        self._businesses = businesses
        self._journal = journal
        self._clock = clock
        self._log = log
        self._series = series
        self._accounts: dict[str, AvailabilityAccount] = {}
        self._others: dict[str, object] = {}
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

    # -- life

    async def start(self) -> None:
        """Load the accounts; the time since they were saved counts as unknown."""
        now = self._clock.wall()
        saved = await self._journal.load_state(STATE_NAME)
        documents = self._documents(saved)
        for business in self._businesses:
            self._open(business, documents.pop(business, None), now)
        self._others = documents
        self._saved_at = self._clock.monotonic()
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
            if account.advance(now):
                self._log.warning("sla-unknown", business=business, reason="no observation")
                self._publish(business, now)
                self._dirty = True
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
    ) -> None:
        """Take the condition of a business at `now`, as its key indicators show it; call it with every sample.

        cause and incident_id may come later than the outage: pass them as soon as they are known.
        """
        account = self._accounts.get(business)
        if account is None:
            self._unknown.inc()
            return
        before = account.current
        named = bool(cause or incident_id)
        if account.observe(availability, now, cause=cause, incident_id=incident_id):
            self._log.info("sla-transition", business=business, before=before, now=availability, cause=cause)
        elif not named:
            return
        self._dirty = True
        self._changed.set()
        self._publish(business, now)

    def swap(self, businesses: Mapping[str, BusinessService]) -> None:
        """Go on with other businesses and targets; accounts that are no longer wanted are put aside, not lost."""
        now = self._clock.wall()
        gone = {name: account for name, account in self._accounts.items() if name not in businesses}
        self._businesses = businesses
        for name, account in gone.items():
            account.advance(now)
            self._others[name] = account.to_document()
            del self._accounts[name]
            self._feed.publish(name, account.state(now))
        for business in businesses:
            account_or_none = self._accounts.get(business)
            if account_or_none is None:
                self._open(business, self._others.pop(business, None), now)
            else:
                self._retarget(account_or_none, business)
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

    # -- inside

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
                self._note_damage(f"business {business}", error)
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

    def _documents(self, saved: bytes | None) -> dict[str, object]:
        if saved is None:
            return {}
        try:
            document = json.loads(saved)
            if document["version"] != _DOCUMENT_VERSION:
                raise ValueError(f"version {document['version']!r}, this program reads {_DOCUMENT_VERSION}")  # noqa: TRY301  one place for what is wrong
            return dict(document["accounts"])
        except (ValueError, KeyError, TypeError) as error:
            self._note_damage("all businesses", error)
            return {}

    def _note_damage(self, what: str, error: Exception) -> None:
        self._damaged.inc()
        self._trouble = f"the saved availability of {what} could not be read and began anew: {error}"
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
        await self._journal.save_state(STATE_NAME, body)
        self._saved_at = self._clock.monotonic()
        self._saves.inc()

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
        states = [account.state(now) for account in self._accounts.values()]
        stamp = round(minute * period * MILLIS_PER_SECOND)
        self._series.write(
            PointBlock(
                MEASUREMENT,
                np.full(len(states), stamp, np.int64),
                {"business": [state.target.business for state in states]},
                {
                    "up_seconds": np.array([state.up_seconds for state in states]),
                    "down_seconds": np.array([state.down_seconds for state in states]),
                    "unknown_seconds": np.array([state.unknown_seconds for state in states]),
                    "availability_ratio": np.array([_or_nan(state.availability) for state in states]),
                    "coverage_ratio": np.array([_or_nan(state.coverage) for state in states]),
                    "burn_ratio": np.array([state.burn_ratio for state in states]),
                    "target_percent": np.array([state.target.availability_percent for state in states]),
                    "state": np.array([_STATE_CODES[state.current] for state in states], np.int64),
                },
            )
        )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
