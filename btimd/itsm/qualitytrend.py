"""Trends: how many incidents were opened per day or hour, by priority, service or class, and what is to be expected.

The forecast is an exponentially weighted level, with the weight that would have foretold the past best, times what is
usual for the day of the week once four weeks are known. Its range comes from how far it was off before, and is never
narrower than chance alone makes it (incidents that come independently).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import Final

from btimd.model.units import Seconds, UnixSeconds
from btimd.model.workfigures import ForecastPoint, IncidentFacts, Trend, TrendSeries

BUCKET_LIMIT: Final = 2_000
GROUP_LIMIT: Final = 20
AHEAD_LIMIT: Final = 366
SHORTEST: Final = 8
"""Buckets below which nothing is foretold."""
_SEASONS: Final = 4
_WEIGHTS: Final = (0.03, 0.06, 0.1, 0.2, 0.3, 0.5)
_Z90: Final = 1.645
"""Nine of ten values of a normal distribution lie within so many standard deviations."""
_SHRINK: Final = 3.0
"""Incidents of the usual number that a weekday's own factor is weighed against."""


def edges(start: UnixSeconds, end: UnixSeconds, seconds: Seconds) -> tuple[UnixSeconds, ...]:
    """Return the edges of the whole buckets from `start` to `end`; raises ValueError for none or too many."""
    count = int((end - start) // seconds) if seconds > 0 else 0
    if not 1 <= count <= BUCKET_LIMIT:
        raise ValueError(f"{count} buckets of {seconds:g} s: ask for 1 to {BUCKET_LIMIT}")
    return tuple(start + index * seconds for index in range(count + 1))


def by_priority(incident: IncidentFacts) -> tuple[str, ...]:
    """Return the group of an incident by its priority: "P1"."""
    return (f"P{int(incident.priority)}",)


def by_service(incident: IncidentFacts) -> tuple[str, ...]:
    """Return the businesses that an incident hits; it counts in each of them."""
    return incident.services


def by_category(incident: IncidentFacts) -> tuple[str, ...]:
    """Return the class of trouble of an incident; none where none was given."""
    return (incident.category,) if incident.category else ()


def trend(
    incidents: Iterable[IncidentFacts],
    bounds: Sequence[UnixSeconds],
    group: Callable[[IncidentFacts], tuple[str, ...]] = by_priority,
    *,
    ahead: int = 7,
    season: int = 7,
) -> Trend:
    """Return counts of opened incidents per bucket and group, with a forecast of the buckets after.

    bounds: edges of buckets, ascending, all of them over: a bucket that goes on would look like a drop. season: buckets
    after which the usual comes again, 7 days of a week; 1: never. Groups beyond GROUP_LIMIT are summed up as "".
    """
    count = len(bounds) - 1
    total = [0] * count
    groups: dict[str, list[int]] = {}
    for one in incidents:
        bucket = bisect_right(bounds, one.opened_at) - 1
        if not 0 <= bucket < count:
            continue
        total[bucket] += 1
        for name in dict.fromkeys(group(one)):
            groups.setdefault(name, [0] * count)[bucket] += 1
    sizes = Counter({name: sum(counts) for name, counts in groups.items()})
    ranked = sorted(sizes, key=lambda name: (-sizes[name], name))
    rest = [sum(values) for values in zip(*(groups[name] for name in ranked[GROUP_LIMIT:]), strict=True)]
    shown = [(name, groups[name]) for name in ranked[:GROUP_LIMIT]] + ([("", rest)] if rest else [])

    def series(name: str, counts: Sequence[int]) -> TrendSeries:
        return TrendSeries(name, tuple(counts), forecast(counts, ahead, season))

    return Trend(tuple(bounds), series("", total), tuple(series(name, counts) for name, counts in shown))


def forecast(counts: Sequence[int], ahead: int, season: int = 7) -> tuple[ForecastPoint, ...]:
    """Return what is to be expected of the buckets after these; empty where they are too few to tell."""
    if len(counts) < SHORTEST:
        return ()
    factors = _factors(counts, season)
    plain = [count / factors[at % len(factors)] for at, count in enumerate(counts)]
    weight = min(_WEIGHTS, key=lambda one: _walk(counts, plain, factors, one)[1])
    level, _, spread = _walk(counts, plain, factors, weight)
    points: list[ForecastPoint] = []
    for step in range(min(ahead, AHEAD_LIMIT)):
        expected = level * factors[(len(counts) + step) % len(factors)]
        deviation = sqrt(max(expected, _least(len(counts))) * spread * (1.0 + step * weight * weight))
        low, high = max(0.0, expected - _Z90 * deviation), expected + _Z90 * deviation
        points.append(ForecastPoint(expected, low, high))
    return tuple(points)


def _walk(
    counts: Sequence[int], plain: Sequence[float], factors: Sequence[float], weight: float
) -> tuple[float, float, float]:
    """Return the level at the end, the squared error on the way, and how much wider than chance the errors were."""
    start = SHORTEST // 2
    level = sum(plain[:start]) / start
    error, shares = 0.0, 0.0
    for at in range(start, len(counts)):
        expected = level * factors[at % len(factors)]
        off = counts[at] - expected
        error += off * off
        shares += off * off / max(expected, _least(len(counts)))
        level += weight * (plain[at] - level)
    return level, error, max(1.0, shares / (len(counts) - start))


def _least(buckets: int) -> float:
    """Return the number of incidents per bucket below which a row of zeros does not bring the expectation."""
    return 1.0 / buckets


def _factors(counts: Sequence[int], season: int) -> Sequence[float]:
    """Return what is usual at each place of the season against the mean; 1 everywhere where that is not known."""
    total = sum(counts)
    if season < 2 or len(counts) < _SEASONS * season or not total:  # noqa: PLR2004  a season has two places
        return (1.0,)
    mean = total / len(counts)
    found = []
    for place in range(season):
        own = counts[place::season]
        found.append((sum(own) + _SHRINK) / (len(own) * mean + _SHRINK))
    scale = season / sum(found)
    return [one * scale for one in found]
