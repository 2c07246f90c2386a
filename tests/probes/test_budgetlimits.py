from math import inf

from btimd.probes.budgetlimits import UNLIMITED, BudgetLimits


def test_the_limits_of_a_host_a_server_and_of_all_name_their_settings() -> None:
    limits = BudgetLimits(per_second=50.0)
    assert (limits.host_limit.per_second, limits.host_limit.keys[0]) == (10.0, "probes.light_per_second")
    assert (limits.server_limit.heavy_per_second, limits.server_limit.heavy_burst) == (0.6, 6)
    assert (limits.all_limit.per_second, limits.all_limit.burst, limits.all_limit.concurrent) == (50.0, 100, 64)


def test_nothing_is_limited_that_nobody_limits() -> None:
    assert {UNLIMITED.per_second, UNLIMITED.concurrent, UNLIMITED.octets_per_second} == {inf}
    assert BudgetLimits().all_limit.per_second == inf
