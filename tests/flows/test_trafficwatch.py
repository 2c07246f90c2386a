import numpy as np

from btimd.flows.pulse import PulseLimits
from btimd.flows.trafficwatch import TrafficWatch
from btimd.model.sign import Sign
from btimd.runtime.metrics import Metrics
from tests.flows.connections import counted, span
from tests.flows.records_of_visits import ACK, RST, SYN, records
from tests.flows.traffic import T0, attribution

PLAN = attribution()


def test_records_are_told_of_at_the_next_look_and_duplicates_do_not_count() -> None:
    told: list[Sign] = []
    watch = TrafficWatch(told.extend, Metrics(), points=1)
    for client in ("10.1.0.1", "10.1.0.2", "10.1.0.3"):
        batch = PLAN.attribute(records(client, client=SYN, server=RST | ACK))
        watch.add(batch, None, PLAN.names, T0)
        watch.add(batch, np.ones(len(batch), np.bool_), PLAN.names, T0)
    watch.tick(T0 + 100)
    assert told == [], "what passes a capture of btimd's own is told by its packets"
    watch.packets(span(counted("10.1.0.9", at=100, connections_refused=3)), PLAN, T0 + 200)
    watch.tick(T0 + 200)
    assert told == [], "a look costs time: not more often than every quarter of a second"
    watch.tick(T0 + 400)
    assert [sign.text for sign in told] == ["users of erp in east: 3 of 3 connections refused"]
    watch.packets(span(), PLAN, T0 + 500)
    watch.flush()


def test_what_found_no_room_or_is_of_another_time_is_counted() -> None:
    metrics = Metrics()
    watch = TrafficWatch(lambda _: None, metrics, points=1, limits=PulseLimits(max_cells=0))

    def counts() -> list[float]:
        return [metrics.value(f"btimd_flows_pulse_{what}_total") for what in ("overflows", "stale")]

    watch.packets(span(counted("10.1.0.9", at=100, connections_refused=3)), PLAN, T0 + 200)
    assert counts() == [0, 0]
    watch.tick(T0 + 200)
    assert counts() == [1, 0]
    watch.packets(span(counted("10.1.0.9", at=100, connections_refused=3)), PLAN, T0 + 100_000)
    watch.flush()
    assert counts() == [1, 1]
