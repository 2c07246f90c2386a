from btimd.flows.flowmetrics import QualityCounters
from btimd.flows.quality import QualityLimits, QualityWindows
from btimd.runtime.metrics import Metrics
from tests.flows.connections import counted, span, took
from tests.flows.traffic import T0, attribution


def test_everything_that_is_taken_or_lost_moves_its_metric() -> None:
    metrics = Metrics()
    counters = QualityCounters(metrics)
    windows = QualityWindows(attribution(), QualityLimits(max_cells=4))
    windows.add(span(*(counted(port=443, requests=1) for _ in range(2)), took("response", 0.1)), T0)
    for client in ("10.1.0.1", "10.2.0.1", "9.9.9.9"):
        windows.add(span(counted(client, requests=1), counted(client, "172.16.0.20", requests=1)), T0)
    windows.add(span(counted(at=-600_000, requests=1), counted(at=600_000, requests=1)), T0)
    counters.update(windows)
    names = ("records_total", "samples_total", "late_total", "future_total", "overflows_total", "cells")
    found = {name: metrics.value(f"btimd_flows_quality_{name}") for name in names}
    assert found == {
        "records_total": 10, "samples_total": 1, "late_total": 1, "future_total": 1, "overflows_total": 6, "cells": 6,
    }  # fmt: skip
    assert metrics.value("btimd_flows_quality_bytes") == windows.octets > 100_000
    windows.add(span(counted(at=-600_000, requests=1)), T0 - 600_000)
    counters.update(windows)
    counters.update(windows)
    assert metrics.value("btimd_flows_quality_restarts_total") == 1
    assert metrics.value("btimd_flows_quality_records_total") == 11
    assert metrics.value("btimd_flows_quality_overflows_total") == 6
