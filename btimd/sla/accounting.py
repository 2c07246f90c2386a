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
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from btimd.model.sla import Availability, Outage, SlaState, SlaStatus, SlaTarget
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds

FORMAT_VERSION: Final = 1
AT_RISK_USED: Final = 0.75
PACE_MATTERS_FROM: Final = 0.25
AT_RISK_LEFT_SECONDS: Final = 900.0
MAX_OUTAGES_PER_MONTH: Final = 1000
_SMALLEST_BUDGET_SECONDS: Final = 1.0
_DECEMBER: Final = 12


def month_bounds(at_milliseconds: UnixMillis) -> tuple[UnixMillis, UnixMillis]:
    """Return the first millisecond of the calendar month (UTC) that contains a moment, and of the next one."""
    moment = datetime.fromtimestamp(at_milliseconds / MILLIS_PER_SECOND, UTC)
    start = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    following = (moment.year + 1, 1) if moment.month == _DECEMBER else (moment.year, moment.month + 1)
    end = datetime(*following, 1, tzinfo=UTC)
    return round(start.timestamp() * MILLIS_PER_SECOND), round(end.timestamp() * MILLIS_PER_SECOND)


@dataclass(slots=True)
class _Outage:
    began: UnixMillis
    ended: UnixMillis | None
    cause: str
    incident_id: str


@dataclass(slots=True)
class _Month:
    """One month's sums, up to `until`; dropped_outages: those over the limit, whose time is counted all the same."""

    start: UnixMillis
    end: UnixMillis
    until: UnixMillis
    up: int = 0
    down: int = 0
    unknown: int = 0
    outages: list[_Outage] = field(default_factory=list)
    dropped_outages: int = 0


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
        self._month = _Month(start, end, now, unknown=now - start)
        self._closed: list[_Month] = []
        self._current = Availability.UNKNOWN
        self._observed_at: UnixMillis | None = None
        self._turned_at: UnixMillis = now

    @property
    def current(self) -> Availability:
        """The condition as last counted."""
        return self._current

    @property
    def counted_until(self) -> UnixSeconds:
        """The moment up to which time has been counted."""
        return self._month.until / MILLIS_PER_SECOND

    def observe(self, availability: Availability, now: UnixSeconds, *, cause: str = "", incident_id: str = "") -> bool:
        """Take the condition of the business at `now`; return whether it changed.

        cause and incident_id name the outage, as soon as they are known; empty ones do not erase what is known.
        """
        at = _milliseconds(now)
        self._count(at)
        changed = availability is not self._current
        if changed:
            begin = max(min(at, self._month.until), self._turned_at, self._month.start)
            self._book(self._current, begin - self._month.until)
            self._book(availability, self._month.until - begin)
            self._turn(availability, begin)
        self._observed_at = self._month.until
        if availability is Availability.DOWN:
            self._name_outage(cause, incident_id)
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
            self._month.until = step_end
            if step_end == self._month.end:
                self._roll_over()

    def _book(self, availability: Availability, span: int) -> None:
        if availability is Availability.UP:
            self._month.up += span
        elif availability is Availability.DOWN:
            self._month.down += span
        else:
            self._month.unknown += span

    def _roll_over(self) -> None:
        """Open the next month; an outage that goes on belongs to both."""
        self._closed.append(self._month)
        del self._closed[: -self._months_kept]
        start, end = month_bounds(self._month.end)
        going_on = [replace(outage) for outage in self._month.outages if outage.ended is None]
        self._month = _Month(start, end, start, outages=going_on)

    def _turn(self, availability: Availability, at: UnixMillis) -> None:
        if availability is self._current:
            return
        if self._current is Availability.DOWN:
            for outage in self._month.outages:
                outage.ended = at if outage.ended is None else outage.ended
        if availability is Availability.DOWN:
            if len(self._month.outages) < MAX_OUTAGES_PER_MONTH:
                self._month.outages.append(_Outage(at, None, "", ""))
            else:
                self._month.dropped_outages += 1
        self._current = availability
        self._turned_at = at

    def _name_outage(self, cause: str, incident_id: str) -> None:
        for outage in self._month.outages[-1:]:
            if outage.ended is None:
                outage.cause = cause or outage.cause
                outage.incident_id = incident_id or outage.incident_id

    # -- judging

    def _state_of(self, month: _Month) -> SlaState:
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
            outages=tuple(_outage_of(self.target.business, outage) for outage in month.outages),
        )

    def _status(self, month: _Month, current: Availability, *, budget: float, used: float) -> SlaStatus:
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
            "months": [_month_document(month) for month in (*self._closed, self._month)],
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
        """Return the account of `to_document`; raises ValueError for anything else, other versions included."""
        if not isinstance(document, Mapping) or document.get("version") != FORMAT_VERSION:
            found = document.get("version") if isinstance(document, Mapping) else type(document).__name__
            raise ValueError(f"availability account of version {found!r}, this program reads {FORMAT_VERSION}")
        try:
            target = SlaTarget(str(document["business"]), float(document["availability_percent"]))
            months = [_month_of(month) for month in document["months"]]
            current = Availability(document["current"])
            observed_at = document["observed_at"]
            stale_after = int(document["stale_after_milliseconds"]) / MILLIS_PER_SECOND
            kept = int(document["months_kept"])
            account = cls(target, opened_at=0.0, stale_after_seconds=stale_after, months_kept=kept)
            account._closed, account._month = months[:-1], months[-1]
            account._current = current
            account._observed_at = None if observed_at is None else int(observed_at)
            account._turned_at = int(document["turned_at"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"availability account is damaged: {error!r}") from error
        return account


def _milliseconds(seconds: float) -> int:
    return round(seconds * MILLIS_PER_SECOND)


def _outage_of(business: str, outage: _Outage) -> Outage:
    ended = None if outage.ended is None else outage.ended / MILLIS_PER_SECOND
    return Outage(business, outage.began / MILLIS_PER_SECOND, ended, outage.cause, outage.incident_id)


def _month_document(month: _Month) -> dict[str, Any]:
    return {
        "start": month.start,
        "until": month.until,
        "up": month.up,
        "down": month.down,
        "unknown": month.unknown,
        "dropped_outages": month.dropped_outages,
        "outages": [[one.began, one.ended, one.cause, one.incident_id] for one in month.outages],
    }


def _month_of(document: Mapping[str, Any]) -> _Month:
    start, end = month_bounds(int(document["start"]))
    outages = [
        _Outage(int(began), None if ended is None else int(ended), str(cause), str(incident_id))
        for began, ended, cause, incident_id in document["outages"]
    ]
    month = _Month(
        start=start,
        end=end,
        until=int(document["until"]),
        up=int(document["up"]),
        down=int(document["down"]),
        unknown=int(document["unknown"]),
        outages=outages,
        dropped_outages=int(document["dropped_outages"]),
    )
    if month.start + month.up + month.down + month.unknown != month.until:
        raise ValueError(f"the sums of the month from {month.start} do not make up its elapsed time")
    return month
