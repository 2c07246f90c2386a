from dataclasses import asdict

from btimd.flows.linkmetrics import LinkMetrics
from btimd.flows.linkwindows import LinkCounters
from btimd.runtime.metrics import Metrics


def test_everything_that_is_lost_to_links_moves_its_metric_by_what_is_new() -> None:
    metrics = Metrics()
    exported = LinkMetrics(metrics)
    for counters in (LinkCounters(1, 2, 3, 4, 5, 6, 7, 8), LinkCounters(11, 12, 13, 14, 15, 16, 17, 18)):
        for _ in range(2):
            exported.update_links(counters)
            found = {name: metrics.value(f"btimd_flows_links_{name}_total") for name in asdict(counters)}
            assert found == asdict(counters)


def test_what_has_no_room_in_the_topology_is_counted() -> None:
    metrics = Metrics()
    exported = LinkMetrics(metrics)
    for refused, left_out in ((2, 7), (3, 5)):
        exported.update_topology(refused_devices=refused, left_out_links=left_out)
        assert metrics.value("btimd_flows_topology_refused_devices_total") == refused
        assert metrics.value("btimd_flows_topology_left_out_links") == left_out
    exported.dropped.inc()
    assert metrics.value("btimd_flows_links_dropped_intervals_total") == 1
