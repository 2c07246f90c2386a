"""How a period is foreseen to end: the availability with an interval, and the probability that the target is missed.

The model has no memory: failures come at a rate, each lasts as long as such things last on average, whatever happened
before. Rate and mean follow from all periods that are known, and half a failure of an hour that is added to them, so
that a service that never failed is not held to be perfect. The down time S that is still to come is a sum of a Poisson
number N of exponential times, whose distribution is exact: P(S > x) = sum over n of P(N = n) P(Gamma(n) > x / mean).
An outage that goes on is one more of them, by the same lack of memory.

What it leaves out: seasons, and the fact that unmeasured time may hide failures.
"""

import math
from collections.abc import Sequence
from typing import Final

from btimd.model.agreement import PeriodFigures
from btimd.model.levels import BreachForecast
from btimd.model.units import Ratio, Seconds

CERTAINTY: Final = 0.9
_ADDED_FAILURES: Final = 0.5
_ADDED_MEAN: Final = 3600.0
_LEAST_MEASURED: Final = 86_400.0
_MOST_FAILURES: Final = 400
_STEPS: Final = 60
_MANY: Final = 200.0


def foresee(known: Sequence[PeriodFigures], allowed: Ratio, *, is_down: bool) -> BreachForecast:
    """Return how the last of these periods of one subject ends; nothing where less than a day was measured in all.

    allowed: the share of service time that may be down.
    """
    if not known:
        return BreachForecast()
    measured = sum(one.up_seconds + one.down_seconds for one in known)
    if measured < _LEAST_MEASURED:
        return BreachForecast(periods=len(known))
    failures = sum(one.failures for one in known) + _ADDED_FAILURES
    mean = (sum(one.down_seconds for one in known) + _ADDED_FAILURES * _ADDED_MEAN) / failures
    now = known[-1]
    elapsed = now.up_seconds + now.down_seconds + now.unknown_seconds
    left = max(now.agreed_seconds - elapsed, 0.0)
    expected = failures / measured * left
    running = 1 if is_down and left > 0 else 0
    whole = now.up_seconds + now.down_seconds + left
    if whole <= 0:
        return BreachForecast(periods=len(known))

    def availability(more: Seconds) -> Ratio:
        return 1.0 - (now.down_seconds + min(more, left)) / whole

    tail = (1.0 - CERTAINTY) / 2
    budget = allowed * (now.agreed_seconds - now.unknown_seconds) - now.down_seconds
    if budget < 0:
        chance = 1.0
    elif budget >= left:
        chance = 0.0
    else:
        chance = beyond(budget, expected, mean, running)
    return BreachForecast(
        expected=availability((expected + running) * mean),
        certainty=CERTAINTY,
        low=availability(_reached(tail, expected, mean, running, left)),
        high=availability(_reached(1.0 - tail, expected, mean, running, left)),
        breach_probability=chance,
        periods=len(known),
    )


def beyond(seconds: Seconds, expected: float, mean: Seconds, running: int = 0) -> Ratio:
    """Return P(S > seconds) for `expected` failures to come of a mean length, and `running` that go on."""
    if seconds < 0:
        return 1.0
    ratio = seconds / mean
    if expected > _MANY:  # the sum is as good as normal
        middle, spread = (expected + running) * mean, mean * math.sqrt(2 * expected + running)
        return 0.5 * math.erfc((seconds - middle) / spread / math.sqrt(2))
    # P(Gamma(n) > y) = P(Poisson(y) < n): grown term by term beside the weights of n
    weight, term = math.exp(-expected), math.exp(-ratio)
    below, total, tail = 0.0, 0.0, 0.0
    for number in range(running):
        below += term
        term *= ratio / (number + 1)
    for number in range(_MOST_FAILURES):
        total += weight
        tail += weight * below
        weight *= expected / (number + 1)
        below = min(below + term, 1.0)
        term *= ratio / (number + running + 1)
    return min(max(tail + max(1.0 - total, 0.0), 0.0), 1.0)


def _reached(share: Ratio, expected: float, mean: Seconds, running: int, most: Seconds) -> Seconds:
    """Return the down time that is exceeded with a probability of `share`."""
    if beyond(0.0, expected, mean, running) <= share:
        return 0.0
    if beyond(most, expected, mean, running) >= share:
        return most
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, expected, mean, running) > share else (low, middle)
    return high
