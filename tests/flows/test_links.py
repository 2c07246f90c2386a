import numpy as np

from btimd.flows.links import LinkTap
from btimd.flows.linkwindows import LinkBatch, LinkLimits
from tests.flows.linkcrafting import NOW, names_of, records


def test_a_tap_emits_on_the_tick_after_the_grace_and_the_rest_in_the_end() -> None:
    emitted: list[LinkBatch] = []
    tap = LinkTap(emitted.append, LinkLimits(max_interfaces=8, max_cells=8), seed=1)
    tap.add(records(0, 0), np.array([False, True]), names_of(["erp"]), NOW + 2000)
    tap.tick(NOW + 19_999)
    assert emitted == []
    tap.tick(NOW + 20_000)
    assert [(one.interval_milliseconds, one.revision) for one in emitted] == [(10_000, 0)]
    tap.flush()
    assert [(one.interval_milliseconds, one.revision) for one in emitted] == [(10_000, 0), (60_000, 0)]
    assert tap.counters.incomplete == 0
