import numpy as np

from btimd.flows.linkbatches import LinkBatch
from btimd.flows.links import LinkTap
from btimd.flows.linktables import LinkLimits
from tests.flows.linkcrafting import NOW, names_of, records


def test_a_tap_emits_on_the_tick_after_the_grace_and_the_rest_in_the_end() -> None:
    emitted: list[LinkBatch] = []
    tap = LinkTap(emitted.append, LinkLimits(max_interfaces=8, max_cells=8), seed=1)
    tap.add(records(0, 0), np.array([False, True]), names_of(["erp"]), NOW + 2000)
    tap.tick(NOW + 69_999)
    assert emitted == []
    tap.tick(NOW + 70_000)
    assert [(one.interval_milliseconds, one.revision) for one in emitted] == [(60_000, 0)]
    tap.add(records(0), None, names_of(["erp"]), NOW + 71_000)
    tap.flush()
    assert [(one.interval_milliseconds, one.revision) for one in emitted] == [(60_000, 0), (60_000, 1)]
    assert tap.counters.incomplete == 0
