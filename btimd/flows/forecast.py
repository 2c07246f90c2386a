"""When a daily figure will cross a threshold: trend, week, and a band that says how sure that is.

The trend is the median of the slopes between all pairs of days (Theil and Sen), which a fifth of wild days does not
move. The week is the median of what remains per kind of day. The band has two parts: what days scatter by (quantiles of
the remains) and how badly the slope is known (Sen's interval of slopes, wider where days resemble the day before).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.model.deviation import Forecast, ForecastAsk, ForecastOutcome, ForecastPoint, ForecastSubject

Floats = npt.NDArray[np.float64]

BAND_RATIO: Final = 0.8
LEAST_DAYS: Final = 14
_Z: Final = 1.2816
_DAY: Final = 86_400
_LEAST_OF_KIND: Final = 2
_MOST_MEMORY: Final = 0.9


def daily(times: npt.NDArray[np.int64], values: Floats, quantile: float, least: int) -> tuple[int, Floats]:
    """Return the first day (ordinal, UTC) and a quantile of the values of each day from it on.

    times: ms. Days with fewer than `least` values are NaN, as half a day says nothing about the busiest hour.
    """
    if not len(times):
        return 0, np.zeros(0)
    days = times // (_DAY * 1000)
    first, last = int(days.min()), int(days.max())
    found = np.full(last - first + 1, np.nan)
    for day in range(first, last + 1):
        of_day = values[(days == day) & np.isfinite(values)]
        if len(of_day) >= least:
            found[day - first] = np.quantile(of_day, quantile)
    return first + date(1970, 1, 1).toordinal(), found


def forecast(
    ask: ForecastAsk, first_day: int, figures: Floats, *, kind_of: Callable[[date], int], least_days: int = LEAST_DAYS
) -> Forecast:
    """Answer from daily figures, NaN where there is none, of days from `first_day` (ordinal) on."""
    at = np.flatnonzero(np.isfinite(figures))
    if len(at) < least_days or at[-1] - at[0] < least_days - 1:
        text = f"not enough history: {len(at)} days, {least_days} are needed"
        return Forecast(
            ask, ForecastOutcome.NOT_ENOUGH_HISTORY, len(at), None, None, None, None, None, BAND_RATIO, text
        )
    values = figures[at]
    last = first_day + int(at[-1])
    kinds = np.array([kind_of(date.fromordinal(first_day + int(day))) for day in range(len(figures))])
    middle = float(at[-1])
    slope, low_slope, high_slope, level, week = _fit(at.astype(np.float64) - middle, values, kinds[at])
    remains = values - level - slope * (at - middle) - np.array([week.get(int(kind), 0.0) for kind in kinds[at]])
    # The fit took the middle of few days: what lies ahead scatters more than what was fitted.
    wider = np.sqrt((len(values) + 1) / max(len(values) - 1 - len(week), 1))
    down, up = (float(one) * wider for one in np.quantile(remains, [(1 - BAND_RATIO) / 2, (1 + BAND_RATIO) / 2]))
    center = float(np.mean(at - middle))
    memory = _memory(remains)
    sure = 1.2533 * float(np.std(remains)) / np.sqrt(len(values) * (1 - memory) / (1 + memory))
    points, crossings = [], _Crossings(ask.threshold)
    for day in range(len(figures) + ask.horizon_days):
        ahead = day - middle
        kind = kinds[day] if day < len(figures) else kind_of(date.fromordinal(first_day + day))
        expected = level + slope * ahead + week.get(int(kind), 0.0)
        lever = abs(ahead - center)
        below = np.hypot(down, _Z * np.hypot(sure, (slope - low_slope) / _Z * lever))
        above = np.hypot(up, _Z * np.hypot(sure, (high_slope - slope) / _Z * lever))
        low, high = max(expected - below, 0.0), expected + above
        moment = (first_day + day - date(1970, 1, 1).toordinal()) * _DAY
        known = day < len(figures) and np.isfinite(figures[day])
        points.append(
            ForecastPoint(
                moment * 1000, float(figures[day]) if known else None, float(expected), float(low), float(high)
            )
        )
        if day > at[-1]:
            crossings.note(float(moment), float(expected), float(low), float(high))
    outcome = crossings.outcome(values[-7:])
    told = (crossings.earliest, crossings.likely, crossings.latest)
    if outcome is ForecastOutcome.ALREADY:
        told = (None, None, None)
    text = _text(ask, outcome, len(values), level, slope, told, last)
    return Forecast(ask, outcome, len(values), float(level), float(slope), *told, BAND_RATIO, text, tuple(points))


class _Crossings:
    """The first days on which the expected figure, and the ends of the band, are beyond a threshold."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self.earliest: float | None = None
        self.likely: float | None = None
        self.latest: float | None = None

    def note(self, moment: float, expected: float, low: float, high: float) -> None:
        """Take a day that lies ahead."""
        if self.earliest is None and self._beyond(high):
            self.earliest = moment
        if self.likely is None and self._beyond(expected):
            self.likely = moment
        if self.latest is None and self._beyond(low):
            self.latest = moment

    def outcome(self, lately: Floats) -> ForecastOutcome:
        """Say what comes of it. lately: the last days' figures."""
        if np.mean([self._beyond(float(one)) for one in lately]) >= 0.5:  # noqa: PLR2004  most of the last days
            return ForecastOutcome.ALREADY
        return ForecastOutcome.CROSSES if self.likely is not None else ForecastOutcome.NOT_WITHIN_HORIZON

    def _beyond(self, value: float) -> bool:
        return value >= self._threshold


def _fit(
    x: Floats, values: Floats, kinds: npt.NDArray[np.int64]
) -> tuple[float, float, float, float, dict[int, float]]:
    """Return slope, the ends of its interval, level at x = 0, and what each kind of day is more than that."""
    week: dict[int, float] = {}
    slope = low = high = level = 0.0
    plain = values
    for _ in range(4):  # trend and week are each found without the other
        slope, low, high = _slopes(x, plain, kinds if not week else None)
        rest = values - slope * x
        week = {
            kind: float(np.median(rest[kinds == kind]))
            for kind in sorted(set(kinds.tolist()))
            if np.count_nonzero(kinds == kind) >= _LEAST_OF_KIND
        }
        middle = float(np.median(rest))
        level = float(np.median([week.get(kind, middle) for kind in kinds.tolist()]))
        week = {kind: value - level for kind, value in week.items()}
        plain = values - np.array([week.get(kind, 0.0) for kind in kinds.tolist()])
    return slope, low, high, level, week


def _slopes(x: Floats, values: Floats, kinds: npt.NDArray[np.int64] | None) -> tuple[float, float, float]:
    """Return the median of the slopes of all pairs (of days of one kind, if given), and an interval of 80 %."""
    first, second = np.triu_indices(len(x), 1)
    if kinds is not None:
        alike = kinds[first] == kinds[second]
        if alike.any():
            first, second = first[alike], second[alike]
    slopes = np.sort((values[second] - values[first]) / (x[second] - x[first]))
    slope = float(np.median(slopes))
    count = len(x)
    memory = _memory(values - slope * x)
    spread = _Z * np.sqrt(count * (count - 1) * (2 * count + 5) / 18) * np.sqrt((1 + memory) / (1 - memory))
    share = min(spread / (count * (count - 1) / 2), 1.0)
    low, high = np.quantile(slopes, [(1 - share) / 2, (1 + share) / 2])
    return slope, float(low), float(high)


def _memory(remains: Floats) -> float:
    """Return how much of a day's remainder is left the next day, 0 to 0.9."""
    if len(remains) < LEAST_DAYS or not np.ptp(remains):
        return 0.0
    limited = np.clip(remains - np.median(remains), *np.quantile(remains - np.median(remains), [0.05, 0.95]))
    power = float(np.sum(limited**2))
    return float(np.clip(np.sum(limited[1:] * limited[:-1]) / power, 0.0, _MOST_MEMORY)) if power else 0.0


def _text(
    ask: ForecastAsk,
    outcome: ForecastOutcome,
    days: int,
    level: float,
    slope: float,
    told: Sequence[float | None],
    last: int,
) -> str:
    def figure(value: float) -> str:
        match ask.subject:
            case ForecastSubject.LINK:
                return f"{100 * value:.3g} %"
            case ForecastSubject.USERS:
                return f"{value:.0f} users"
        return f"{value:.3g} s" if abs(value) >= 1 else f"{1000 * value:.3g} ms"

    def day(moment: float | None) -> str:
        beyond = f"after {date.fromordinal(last + ask.horizon_days).isoformat()}"
        return beyond if moment is None else datetime.fromtimestamp(moment, UTC).date().isoformat()

    now = f"{ask.name}: now {figure(level)}, {'+' if slope >= 0 else '-'}{figure(abs(30 * slope))} in 30 days"
    base = f"(from {days} days)"
    match outcome:
        case ForecastOutcome.ALREADY:
            return f"{now}; {figure(ask.threshold)} is crossed already {base}"
        case ForecastOutcome.CROSSES:
            when = f"about {day(told[1])}, between {day(told[0])} and {day(told[2])}"
            return f"{now}; crosses {figure(ask.threshold)} {when} {base}"
    possible = "" if told[0] is None else f", possible from {day(told[0])} on"
    return f"{now}; does not cross {figure(ask.threshold)} within {ask.horizon_days} days{possible} {base}"
