"""The bench of dispatch."""

import pytest

from bench.dispatch import POLICIES, Simulation, costs, gini


@pytest.mark.parametrize("policy", POLICIES)
def test_every_incident_of_a_run_is_solved_and_two_runs_are_the_same(policy: str) -> None:
    run = Simulation(policy, seed=1, days=1, per_hour=3.0)
    result = run.run()
    again = Simulation(policy, seed=1, days=1, per_hour=3.0).run()

    assert len(result.minutes) == len(run.troubles) > 50
    assert result.first_right + result.breached <= 2 * len(result.minutes)
    assert again == result


def test_even_work_has_a_gini_of_nothing() -> None:
    assert (gini([2.0, 2.0, 2.0]), gini([0.0, 0.0]), round(gini([0.0, 0.0, 3.0]), 2)) == (0.0, 0.0, 0.67)


def test_costs_are_told_per_size() -> None:
    assert costs([3]).splitlines()[2].startswith("| 3 | ")
