"""How a period is foreseen to end, against drawing it many times."""

import math
import random
from dataclasses import replace

import pytest

from btimd.model.levels import BreachForecast
from btimd.sla.foresight import beyond, foresee
from tests.fakes.levels import DAY, FIGURES

CALM = replace(FIGURES, up_seconds=10 * DAY, down_seconds=0.0, unknown_seconds=0.0, failures=0)


def drawn(expected: float, mean: float, running: int, rng: random.Random) -> float:
    number, chance, draw = 0, math.exp(-expected), rng.random()
    reached = chance
    while draw > reached:
        number += 1
        chance *= expected / number
        reached += chance
    return sum(rng.expovariate(1 / mean) for _ in range(number + running))


@pytest.mark.parametrize(
    ("expected", "mean", "seconds", "running"),
    [
        (0.7, 600.0, 300.0, 0),
        (3.0, 600.0, 2000.0, 0),
        (0.2, 3600.0, 0.0, 0),
        (1.5, 100.0, 400.0, 1),
        (250.0, 10.0, 2600.0, 0),
    ],
)
def test_the_chance_of_more_down_time_is_the_share_of_draws_that_have_more(
    expected: float, mean: float, seconds: float, running: int
) -> None:
    rng = random.Random(7)
    draws = 4000
    share = sum(drawn(expected, mean, running, rng) > seconds for _ in range(draws)) / draws

    assert beyond(seconds, expected, mean, running) == pytest.approx(share, abs=0.03)


def test_too_little_is_known_of_less_than_a_day() -> None:
    assert foresee([], 0.001, is_down=False) == BreachForecast()
    assert foresee([replace(CALM, up_seconds=DAY / 2)], 0.001, is_down=False) == BreachForecast(periods=1)


def test_a_calm_period_is_not_held_to_be_perfect_and_an_outage_that_goes_on_makes_it_worse() -> None:
    calm = foresee([CALM], 0.001, is_down=False)
    down = foresee([CALM], 0.001, is_down=True)

    assert calm.expected is not None
    assert calm.low is not None
    assert calm.breach_probability is not None
    assert down.expected is not None
    assert down.breach_probability is not None
    assert 0.99 < calm.low < calm.expected < 1.0
    assert (calm.high, calm.certainty, calm.periods) == (1.0, 0.9, 1)
    assert down.expected < calm.expected
    assert 0.0 < calm.breach_probability < down.breach_probability < 1.0


def test_what_is_missed_already_and_what_cannot_be_missed_any_more_is_certain() -> None:
    missed = replace(CALM, down_seconds=DAY, failures=1)
    over = replace(CALM, up_seconds=30 * DAY)

    assert foresee([missed], 0.001, is_down=False).breach_probability == 1.0
    assert foresee([over], 0.001, is_down=False) == BreachForecast(
        expected=1.0, low=1.0, high=1.0, breach_probability=0.0, periods=1
    )
