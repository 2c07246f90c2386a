"""What the archive counts."""

from btimd.runtime.metrics import Metrics


class ArchiveMetrics:
    """The metrics of the archive of flow records."""

    def __init__(self, metrics: Metrics) -> None:
        self.written = metrics.counter(
            "btimd_store_archive_records_written_total", "Flow records that are durable in the archive"
        )
        self.dropped = metrics.counter(
            "btimd_store_archive_records_dropped_total",
            "Flow records that are not in the archive: queue-full (the writer did not follow), disk (full, or it"
            " refused them), old (older than what is kept), hours (their times lay in too many hours at once), failed"
            " (an error of btimd), stopped",
            ("reason",),
        )
        self.merged = metrics.counter(
            "btimd_store_archive_records_merged_total", "Flow records put into the final file of their hour"
        )
        self.failures = metrics.counter(
            "btimd_store_archive_failures_total", "Attempts to write, merge or remove files of the archive that failed"
        )
        self.removed = metrics.counter(
            "btimd_store_archive_hours_removed_total",
            "Hours removed from the archive: age (kept long enough), size (to make room)",
            ("reason",),
        )
        self.octets = metrics.gauge("btimd_store_archive_bytes", "Bytes that the files of the archive take")
        self.hours = metrics.gauge("btimd_store_archive_hours", "Hours of which the archive holds flow records")
        self.bad_files = metrics.gauge("btimd_store_archive_bad_files", "Files of the archive that cannot be read")
        self.queue_octets = metrics.gauge("btimd_store_archive_queue_bytes", "Bytes of records that wait to be written")
