"""Burn rates: how fast an error budget is used, when that is worth an alarm, and when nothing of it will be left.

The burn rate over a window is (down / window) / allowed: 1 uses exactly the budget over the whole period. Unknown time
uses nothing of a budget, so a window that was measured only in part does not make a short outage look long. Windows
are lengths of service time: the hour before Monday 09:05 reaches back into Friday. An alarm needs two windows: the
long one says that much was used, the short one that it still goes on (Google, Site Reliability Workbook, chapter 5).
A short window in which nothing was measured neither raises an alarm nor ends it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from btimd.model.agreement import Agreement, BurnAlert, BurnWindow, OutageFact, PeriodFigures
from btimd.model.sla import Availability
from btimd.model.units import MILLIS_PER_SECOND, Seconds, UnixMillis, UnixSeconds
from btimd.sla.agreedtime import AgreedTime
from btimd.sla.availability import Stretch, agreed_time


@dataclass(frozen=True, slots=True)
class BurnRule:
    """A pair of windows, in service time, and the burn rate in both at which an alarm is raised."""

    long_seconds: Seconds
    short_seconds: Seconds
    limit: float


BURN_RULES: Final[Mapping[BurnWindow, BurnRule]] = MappingProxyType({
    BurnWindow.FAST: BurnRule(3600.0, 300.0, 14.4),  # 2 % of a month's budget in an hour
    BurnWindow.SLOW: BurnRule(21600.0, 1800.0, 6.0),  # 5 % in six hours
})  # fmt: skip


def burn_rate(
    agreement: Agreement,
    stretches: Callable[[UnixMillis, UnixMillis], Iterable[Stretch]],
    window_seconds: Seconds,
    now: UnixSeconds,
    *,
    facts: Iterable[OutageFact] = (),
) -> float | None:
    """Return the burn rate over the last so much service time; None where nothing was measured in it.

    facts: the outages, for those that are no service time. A target of 100 %: infinite with any down time.
    """
    start = agreement.calendar.subtract(now, window_seconds)
    agreed = agreed_time(agreement, (start, now), facts, now)
    up = down = 0
    for low, high, condition in stretches(agreed.start, agreed.end):
        span = agreed.between(low, high)
        up += span if condition is Availability.UP else 0
        down += span if condition is Availability.DOWN else 0
    if not up + down:
        return None
    if not down:
        return 0.0
    return down / agreed.total / agreement.allowed if agreement.allowed > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Burn:
    """The burn rates of both windows of a rule."""

    long: float | None
    short: float | None


class BurnWatch:
    """Which windows of a subject of an agreement are alarmed. Give it the rates from time to time."""

    def __init__(self, agreement: str, subject: str, rules: Mapping[BurnWindow, BurnRule] = BURN_RULES) -> None:
        self._agreement = agreement
        self._subject = subject
        self._rules = rules
        self.burning: frozenset[BurnWindow] = frozenset()

    def look(
        self, rates: Mapping[BurnWindow, Burn], now: UnixSeconds, budget_gone_at: UnixSeconds | None
    ) -> list[BurnAlert]:
        """Return the alarms that begin or end now."""
        alerts = []
        for window, rule in self._rules.items():
            burn = rates[window]
            was = window in self.burning
            is_over = burn.short is not None and burn.long is not None and min(burn.short, burn.long) >= rule.limit
            goes_on = burn.short is None or burn.short >= rule.limit
            if is_over and not was:
                self.burning |= {window}
            elif was and not goes_on:
                self.burning -= {window}
            else:
                continue
            rate = burn.long if burn.long is not None else 0.0
            alerts.append(
                BurnAlert(self._agreement, self._subject, window, rate, rule.limit, now, not was, budget_gone_at)
            )
        return alerts


def budget_gone_at(
    agreement: Agreement, figures: PeriodFigures, agreed: AgreedTime, *, is_down: bool, burn: float | None
) -> UnixSeconds | None:
    """Return when nothing of the budget will be left: at the present burn, or if an outage that goes on does not end.

    `figures.at` where nothing is left already; None: not in this period. burn: over the window that is to be prolonged.
    """
    left = round((figures.error_budget_seconds - figures.down_seconds) * MILLIS_PER_SECOND)
    if left <= 0 and figures.down_seconds > 0:
        return figures.at
    pace = 1.0 if is_down else min((burn or 0.0) * agreement.allowed, 1.0)
    if not pace > 0:  # nothing is used, or (nan) nothing is known
        return None
    gone = agreed.after(round(figures.at * MILLIS_PER_SECOND), max(round(left / pace), 0))
    return None if gone is None else gone / MILLIS_PER_SECOND
