"""How long an earlier run's trouble may take to be seen again; that the parts fit is seen in test_wiring."""

from btimd.daemon.wiringitsm import seen_again_seconds
from tests.probes.samples import check


def test_each_key_indicator_is_asked_three_times_before_trouble_of_an_earlier_run_is_given_up() -> None:
    slow = check(every=60.0, timeout=5.0)
    quick = check(every=2.0, timeout=1.0)
    on_demand = check(timeout=30.0)

    assert seen_again_seconds([quick, slow, on_demand]) == 3 * 65.0 + 10.0
    assert seen_again_seconds([on_demand]) == 10.0
