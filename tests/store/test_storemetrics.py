"""The store's metrics: each is moved by a test of what it counts; here their names."""

from btimd.runtime.metrics import Metrics
from btimd.store.storemetrics import StoreMetrics


def test_the_names_say_package_thing_and_unit() -> None:
    metrics = Metrics()
    StoreMetrics(metrics)
    names = [line.split()[2] for line in metrics.text().decode().splitlines() if line.startswith("# TYPE")]
    assert sorted(name for name in names if not name.endswith("_created")) == [
        "btimd_store_backpressure_waits_total",
        "btimd_store_failed_attempts_total",
        "btimd_store_points_dropped_total",
        "btimd_store_points_expired_total",
        "btimd_store_points_rejected_total",
        "btimd_store_points_spooled_total",
        "btimd_store_points_written_total",
        "btimd_store_queue_points",
        "btimd_store_spool_age_seconds",
        "btimd_store_spool_bytes",
        "btimd_store_spool_points",
    ]
