"""What the series store counts."""

from btimd.runtime.metrics import Metrics


class StoreMetrics:
    """The metrics of every kind of store; those of the spool stay at 0 in the embedded one."""

    def __init__(self, metrics: Metrics) -> None:
        self.written = metrics.counter(
            "btimd_store_points_written_total", "Points that are stored, or that a server has confirmed"
        )
        self.spooled = metrics.counter(
            "btimd_store_points_spooled_total", "Points made durable on their way to a server"
        )
        self.rejected = metrics.counter("btimd_store_points_rejected_total", "Points the store refuses for good")
        self.dropped = metrics.counter(
            "btimd_store_points_dropped_total",
            "Points lost: queue-full, spool-full, disk (it refused them to the end), damaged (by the disk), stopped",
            ("reason",),
        )
        self.failures = metrics.counter("btimd_store_failed_attempts_total", "Attempts to store that failed")
        self.waits = metrics.counter(
            "btimd_store_backpressure_waits_total", "Times a writer had to wait for room in the queue"
        )
        self.expired = metrics.counter(
            "btimd_store_points_expired_total", "Points removed because they were kept long enough"
        )
        self.queue_points = metrics.gauge("btimd_store_queue_points", "Points in memory, not durable yet")
        self.spool_bytes = metrics.gauge("btimd_store_spool_bytes", "Bytes in the spool that wait for the server")
        self.spool_points = metrics.gauge("btimd_store_spool_points", "Points in the spool that wait for the server")
        self.spool_age = metrics.gauge("btimd_store_spool_age_seconds", "Age of the oldest point in the spool")
