"""Availability accounts: how long a business was up, down, or not measured, in each calendar month (UTC).

Time is counted in whole milliseconds, so that up + down + unknown is the elapsed time exactly. An observation holds
until the next one, but not longer than `stale_after`: from then on the time is UNKNOWN. Unknown time is a class of
its own, never up and never down: availability = up / (up + down), coverage = (up + down) / elapsed.

The status of a target, with down = downtime so far, budget = the downtime the target allows over the whole month
and used = down / budget:

  UNMEASURED  nothing was measured yet
  BREACHED    the target can no longer be met, even if the rest of the month is up: down > (1 - target) x
              (month - unknown time). At the end of the month this says the same as availability < target.
  AT_RISK     used >= 75 %; or used >= 25 % and more of the budget is used than of the month is over; or the
              business is down now and less than 15 minutes of the budget are left
  MET         otherwise

An observation may lie before what has been counted (a symptom is certain only after its second bad sample, and began
with the first): the time since then is moved to its class, back to where the present condition began and to the
start of the month at most.

Beside the sums of each month the account keeps the conditions themselves (conditions.py) and facts of each outage, so
that other reckonings (agreements: other hours, other periods) can be made of them, and so that what turns out
otherwise later can be put right (`revise`). The time up to `exact_from` was counted by a version that kept sums only:
of it the outages are known, all else counts as unknown there, and it cannot be revised.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from btimd.model.agreement import OutageChange, OutageFact
from btimd.model.sla import Availability, SlaState, SlaStatus, SlaTarget
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds
from btimd.sla.conditions import ConditionLog
from btimd.sla.months import (
    Month,
    OutageNote,
    change_note,
    fact_of,
    log_of,
    month_bounds,
    month_document,
    month_of,
    outage_of,
    overlap,
)

FORMAT_VERSION: Final = 2
_SUMS_ONLY_VERSION: Final = 1
AT_RISK_USED: Final = 0.75
PACE_MATTERS_FROM: Final = 0.25
AT_RISK_LEFT_SECONDS: Final = 900.0
MAX_OUTAGES_PER_MONTH: Final = 1000
_SMALLEST_BUDGET_SECONDS: Final = 1.0


class AvailabilityAccount:
    """The account of one business. Time before `opened_at` in its first month is UNKNOWN.

    stale_after_seconds: how long an observation holds. months_kept: closed months that are remembered.
    """

    def __init__(
        self, target: SlaTarget, *, opened_at: UnixSeconds, stale_after_seconds: float, months_kept: int = 13
    ) -> None:
        self.target = target
        self._stale = max(_milliseconds(stale_after_seconds), 1)
        self._months_kept = months_kept
        now = _milliseconds(opened_at)
        start, end = month_bounds(now)
        self._month = Month(start, end, now, unknown=now - start)
        self._closed: list[Month] = []
        self._current = Availability.UNKNOWN
        self._observed_at: UnixMillis | None = None
        self._turned_at: UnixMillis = now
        self._log = ConditionLog(start)
        self._log.append(now, Availability.UNKNOWN)
        self._exact_from: UnixMillis = start

    @property
    def log(self) -> ConditionLog:
        """The conditions of the months that are kept; for reading."""
        return self._log

    @property
    def exact_from(self) -> UnixMillis:
        """From when on the log holds all that was observed."""
        return self._exact_from

    @property
    def current(self) -> Availability:
        """The condition as last counted."""
        return self._current

    @property
    def counted_until(self) -> UnixSeconds:
        """The moment up to which time has been counted."""
        return self._month.until / MILLIS_PER_SECOND

    def observe(
        self,
        availability: Availability,
        now: UnixSeconds,
        *,
        cause: str = "",
        incident_id: str = "",
        users: int | None = None,
        users_exact: bool = False,
    ) -> bool:
        """Take the condition of the business at `now`; return whether it changed.

        cause and incident_id name the outage, as soon as they are known; empty ones do not erase what is known. users:
        those on line before it, None = not known; users_exact: False where their number is a lower bound or sampled.
        """
        at = _milliseconds(now)
        self._count(at)
        changed = availability is not self._current
        if changed:
            begin = max(min(at, self._month.until), self._turned_at, self._month.start)
            self._book(self._current, begin - self._month.until)
            self._book(availability, self._month.until - begin)
            self._log.put(begin, self._month.until, availability)
            self._turn(availability, begin)
        self._observed_at = self._month.until
        if availability is Availability.DOWN:
            self._name_outage(cause, incident_id, users, users_exact=users_exact)
        return changed

    def advance(self, now: UnixSeconds) -> bool:
        """Count the time up to `now`; return whether the condition became unknown because nothing was observed."""
        before = self._current
        self._count(_milliseconds(now))
        return self._current is not before

    def interrupted(self, now: UnixSeconds) -> None:
        """Count the time since the last counting as UNKNOWN: nobody was there to measure (after a restart)."""
        self._turn(Availability.UNKNOWN, self._month.until)
        self._observed_at = None
        self._count(_milliseconds(now))
        self._turned_at = self._month.until

    def retarget(self, target: SlaTarget, *, stale_after_seconds: float, months_kept: int) -> None:
        """Go on with another promise (after a reload); what was counted stays."""
        self.target = target
        self._stale = max(_milliseconds(stale_after_seconds), 1)
        self._months_kept = months_kept

    def state(self, now: UnixSeconds) -> SlaState:
        """Return how the present month stands at `now` (counts up to it)."""
        self.advance(now)
        return self._state_of(self._month)

    def closed_months(self) -> tuple[SlaState, ...]:
        """Return the months that are over, oldest first, each as it stood at its end."""
        return tuple(self._state_of(month) for month in self._closed)

    # -- counting

    def _count(self, to: UnixMillis) -> None:
        """Count time up to `to` into the months, turning UNKNOWN where the last observation has become stale."""
        if self._observed_at is not None and self._current is not Availability.UNKNOWN:
            stale_at = self._observed_at + self._stale
            if to > stale_at:
                self._add(stale_at)
                self._turn(Availability.UNKNOWN, max(stale_at, self._month.until))
        self._add(to)

    def _add(self, to: UnixMillis) -> None:
        while self._month.until < to:
            step_end = min(to, self._month.end)
            span = step_end - self._month.until
            self._book(self._current, span)
            self._log.append(step_end, self._current)
            self._month.until = step_end
            if step_end == self._month.end:
                self._roll_over()

    def _book(self, availability: Availability, span: int) -> None:
        self._month.book(availability, span)

    def _roll_over(self) -> None:
        """Open the next month; an outage that goes on belongs to both."""
        self._closed.append(self._month)
        del self._closed[: -self._months_kept]
        start, end = month_bounds(self._month.end)
        going_on = [replace(outage) for outage in self._month.outages if outage.ended is None]
        self._month = Month(start, end, start, outages=going_on)
        self._log.forget(self._closed[0].start)

    def _turn(self, availability: Availability, at: UnixMillis) -> None:
        if availability is self._current:
            return
        if self._current is Availability.DOWN:
            for outage in self._month.outages:
                outage.ended = at if outage.ended is None else outage.ended
        if availability is Availability.DOWN:
            if len(self._month.outages) < MAX_OUTAGES_PER_MONTH:
                self._month.outages.append(OutageNote(at, None, "", ""))
            else:
                self._month.dropped_outages += 1
        self._current = availability
        self._turned_at = at

    def _name_outage(self, cause: str, incident_id: str, users: int | None, *, users_exact: bool) -> None:
        for outage in self._month.outages[-1:]:
            if outage.ended is None:
                outage.cause = cause or outage.cause
                outage.incident_id = incident_id or outage.incident_id
                if users is not None:
                    outage.users, outage.users_exact = users, users_exact

    # -- putting right

    def facts(self, start: UnixMillis, end: UnixMillis) -> list[OutageFact]:
        """Return what is known of each outage that reaches into a stretch of time, oldest first."""
        found: dict[UnixMillis, OutageNote] = {}
        for month in (*self._closed, self._month):
            # an outage over the end of a month stands in both, and the later one knows how it went on
            found.update({one.began: one for one in month.outages})
        return [
            fact_of(self.target.business, one)
            for one in sorted(found.values(), key=lambda one: one.began)
            if one.began < end and (one.ended is None or one.ended > start)
        ]

    def revise(self, start: UnixSeconds, end: UnixSeconds, change: OutageChange) -> tuple[UnixSeconds, UnixSeconds]:
        """Say what a stretch of time, and the outages in it, really was; return the stretch that could be revised.

        Time that is not counted yet is left out. Raises ValueError where nothing of the stretch can be revised.
        """
        low = max(_milliseconds(start), self._exact_from, self._log.start)
        high = min(_milliseconds(end), self._month.until)
        if low >= high:
            raise ValueError(
                f"{self.target.business}: nothing between {start:g} and {end:g} can be revised; the conditions are"
                f" known from {max(self._exact_from, self._log.start) / MILLIS_PER_SECOND:g} to"
                f" {self._month.until / MILLIS_PER_SECOND:g}"
            )
        months = [month for month in (*self._closed, self._month) if month.start < high and month.until > low]
        if change.availability is not None:
            for month in months:
                begin, stop = max(low, month.start), min(high, month.until)
                for condition, span in self._log.sums(begin, stop).items():
                    month.book(condition, -span)
                month.book(change.availability, stop - begin)
            self._log.put(low, high, change.availability)
            self._turned_at = max(self._turned_at, high)
            self._list_anew(low, high)
        for month in (*self._closed, self._month):
            for outage in month.outages:
                if outage.began < high and (outage.ended is None or outage.ended > low):
                    change_note(outage, change)
        return low / MILLIS_PER_SECOND, high / MILLIS_PER_SECOND

    def _list_anew(self, low: UnixMillis, high: UnixMillis) -> None:
        """List the outages in and beside a revised stretch as the log has them now, with the names they had."""
        everything = (*self._closed, self._month)
        known = {
            one.began: one
            for month in everything
            for one in month.outages
            if one.began <= high and (one.ended is None or one.ended >= low)
        }
        if known:
            low = min(low, *known)
            ends = [self._month.until if one.ended is None else one.ended for one in known.values()]
            high = max(high, *ends)
        touched = [
            (begin, None if stop == self._month.until and self._current is Availability.DOWN else stop)
            for begin, stop, condition in self._log.stretches(low, high)
            if condition is Availability.DOWN
        ]
        fresh = []
        for begin, ended in touched:
            stop = self._month.until if ended is None else ended
            old = max(known.values(), key=lambda one: overlap(one, begin, stop), default=None)
            if old is None or not overlap(old, begin, stop):
                fresh.append(OutageNote(begin, ended, "", ""))
            else:
                fresh.append(replace(old, began=begin, ended=ended))
        goes_on = any(ended is None for _, ended in touched) or any(
            one.ended is None and one.began not in known for one in self._month.outages
        )
        if self._current is Availability.DOWN and not goes_on:
            fresh.append(OutageNote(self._month.until, None, "", ""))
        for month in everything:
            kept = [one for one in month.outages if one.began not in known]
            kept += [
                replace(one)
                for one in fresh
                if (one.began < month.until and (one.ended is None or one.ended > month.start))
                or (one.ended is None and month is self._month)
            ]
            kept.sort(key=lambda one: one.began)
            month.dropped_outages += max(len(kept) - MAX_OUTAGES_PER_MONTH, 0)
            month.outages = kept[:MAX_OUTAGES_PER_MONTH]

    # -- judging

    def _state_of(self, month: Month) -> SlaState:
        up, down, unknown = (span / MILLIS_PER_SECOND for span in (month.up, month.down, month.unknown))
        measured, elapsed = month.up + month.down, month.until - month.start
        allowed = 1.0 - self.target.availability_percent / 100.0
        budget = allowed * (month.end - month.start) / MILLIS_PER_SECOND
        used = down / max(budget, _SMALLEST_BUDGET_SECONDS)
        current = self._current if month is self._month else Availability.UNKNOWN
        return SlaState(
            target=self.target,
            period_start=month.start / MILLIS_PER_SECOND,
            period_end=month.end / MILLIS_PER_SECOND,
            at=month.until / MILLIS_PER_SECOND,
            current=current,
            up_seconds=up,
            down_seconds=down,
            unknown_seconds=unknown,
            availability=month.up / measured if measured else None,
            coverage=measured / elapsed if elapsed else None,
            error_budget_seconds=budget,
            burn_ratio=used,
            status=self._status(month, current, budget=budget, used=used),
            outages=tuple(outage_of(self.target.business, outage) for outage in month.outages),
        )

    def _status(self, month: Month, current: Availability, *, budget: float, used: float) -> SlaStatus:
        if month.up + month.down == 0:
            return SlaStatus.UNMEASURED
        allowed = 1.0 - self.target.availability_percent / 100.0
        if month.down > allowed * (month.end - month.start - month.unknown):
            return SlaStatus.BREACHED
        if month.until == month.end:
            return SlaStatus.MET
        over = (month.until - month.start) / (month.end - month.start)
        left = budget - month.down / MILLIS_PER_SECOND
        running_out = current is Availability.DOWN and left < AT_RISK_LEFT_SECONDS
        if used >= AT_RISK_USED or (used >= PACE_MATTERS_FROM and used > over) or running_out:
            return SlaStatus.AT_RISK
        return SlaStatus.MET

    # -- keeping

    def to_bytes(self) -> bytes:
        """Return the account as versioned JSON."""
        return json.dumps(self.to_document(), separators=(",", ":"), ensure_ascii=False).encode()

    def to_document(self) -> dict[str, Any]:
        """Return the account as plain data with a version."""
        return {
            "version": FORMAT_VERSION,
            "business": self.target.business,
            "availability_percent": self.target.availability_percent,
            "stale_after_milliseconds": self._stale,
            "months_kept": self._months_kept,
            "current": self._current.value,
            "observed_at": self._observed_at,
            "turned_at": self._turned_at,
            "exact_from": self._exact_from,
            "log": self._log.to_document(),
            "months": [month_document(month) for month in (*self._closed, self._month)],
        }

    @classmethod
    def from_bytes(cls, data: bytes) -> "AvailabilityAccount":
        """Return the account of `to_bytes`; raises ValueError for anything else."""
        try:
            document = json.loads(data)
        except ValueError as error:
            raise ValueError(f"availability account is no JSON: {error}") from error
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: object) -> "AvailabilityAccount":
        """Return the account of `to_document`; raises ValueError for anything else, other versions included.

        Version 1 had no log: what it says of outages goes into the log, all other time is unknown there.
        """
        if not isinstance(document, Mapping) or document.get("version") not in {_SUMS_ONLY_VERSION, FORMAT_VERSION}:
            found = document.get("version") if isinstance(document, Mapping) else type(document).__name__
            raise ValueError(f"availability account of version {found!r}, this program reads {FORMAT_VERSION}")
        try:
            target = SlaTarget(str(document["business"]), float(document["availability_percent"]))
            months = [month_of(month) for month in document["months"]]
            current = Availability(document["current"])
            observed_at = document["observed_at"]
            stale_after = int(document["stale_after_milliseconds"]) / MILLIS_PER_SECOND
            kept = int(document["months_kept"])
            account = cls(target, opened_at=0.0, stale_after_seconds=stale_after, months_kept=kept)
            account._closed, account._month = months[:-1], months[-1]
            account._current = current
            account._observed_at = None if observed_at is None else int(observed_at)
            account._turned_at = int(document["turned_at"])
            if document["version"] == _SUMS_ONLY_VERSION:
                account._log, account._exact_from = log_of(months), months[-1].until
            else:
                account._log = ConditionLog.from_document(document["log"])
                account._exact_from = int(document["exact_from"])
            if account._log.until != account._month.until:
                raise ValueError("the log ends elsewhere than the month")  # noqa: TRY301  one place for what is wrong
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"availability account is damaged: {error!r}") from error
        return account


def _milliseconds(seconds: float) -> int:
    return round(seconds * MILLIS_PER_SECOND)
