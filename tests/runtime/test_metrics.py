"""The registry."""

import pytest

from btimd.runtime.metrics import MetricDescription, Metrics


def test_a_metric_asked_for_twice_is_the_same_and_is_shown_by_name() -> None:
    metrics = Metrics()
    metrics.counter("btimd_x_total", "X").inc()
    metrics.counter("btimd_x_total", "X").inc(2)
    metrics.gauge("btimd_y", "Y", ("kind",)).labels("a").set(5)

    assert (metrics.value("btimd_x_total"), metrics.value("btimd_y", {"kind": "a"})) == (3, 5)
    assert b"\nbtimd_x_total 3.0\n" in metrics.text()


def test_a_counter_is_named_total() -> None:
    with pytest.raises(ValueError, match="must end in _total"):
        Metrics().counter("btimd_x", "X")


def test_metrics_say_what_they_are() -> None:
    metrics = Metrics()
    metrics.counter("btimd_x_total", "X", ("kind",))
    metrics.counter("btimd_x_total", "X", ("kind",))
    metrics.gauge("btimd_y", "Y")
    metrics.histogram("btimd_z_seconds", "Z", (1.0,))

    assert list(metrics.descriptions()) == [
        MetricDescription("btimd_x_total", "counter", ("kind",), "X"),
        MetricDescription("btimd_y", "gauge", (), "Y"),
        MetricDescription("btimd_z_seconds", "histogram", (), "Z"),
    ]
