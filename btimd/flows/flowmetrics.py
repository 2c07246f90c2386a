"""The metrics of traffic and of connection quality: what the pure parts counted, as counters and gauges."""

from btimd.flows.duplicates import Duplicates
from btimd.flows.quality import QualityWindows
from btimd.flows.users import Users
from btimd.flows.windows import INTERVALS_MILLISECONDS, Windows
from btimd.runtime.metrics import Metrics


class FlowCounters:
    """The metrics of traffic. Totals kept by the pure parts are exported as differences."""

    def __init__(self, metrics: Metrics) -> None:
        self.records = metrics.counter("btimd_flows_records_total", "Flow records decoded")
        self.unattributed = metrics.counter("btimd_flows_unattributed_records_total", "Flow records without a rule")
        self.failed = metrics.counter("btimd_flows_failed_blocks_total", "Blocks of datagrams lost to a failure")
        self.duplicates = metrics.counter(
            "btimd_flows_duplicate_records_total", "Flow records that another observation point had reported already"
        )
        self._duplicate_octets = metrics.counter(
            "btimd_flows_duplicate_octets_total", "Octets of such records, as exported"
        )
        self._refused_keys = metrics.counter(
            "btimd_flows_duplicates_refused_total",
            "Flow records that could not be compared with others' for want of room (flows.duplicates.capacity)",
        )
        self._sampled_twice = metrics.counter(
            "btimd_flows_sampled_twice_records_total",
            "Flow records of flows that two sampling exporters report: they count twice",
        )
        self._everything = metrics.gauge(
            "btimd_flows_duplicates_everything",
            "1 while every flow is compared with what others report, 0 while only a sample is",
        )
        self._dropped = metrics.counter(
            "btimd_flows_dropped_by_devices_records_total",
            "Flow records of what a device discarded; not counted as traffic",
        )
        self._late_records = metrics.counter(
            "btimd_flows_late_records_total", "Flow records at least partly too late for their interval", ("interval",)
        )
        self._late_octets = metrics.counter(
            "btimd_flows_late_octets_total", "Octets too late for their interval", ("interval",)
        )
        self._future_records = metrics.counter(
            "btimd_flows_future_records_total", "Flow records that end too far in the future to be kept"
        )
        self._future_octets = metrics.counter("btimd_flows_future_octets_total", "Octets of such records")
        self._overflowed = metrics.counter(
            "btimd_flows_cell_overflows_total", "Records counted at the unknown place for want of cells (max_cells)"
        )
        self._restarts = metrics.counter(
            "btimd_flows_window_restarts_total", "Times the clock was set far back and all windows began anew"
        )
        self._refused = metrics.counter(
            "btimd_flows_refused_users_total", "Records whose user found no room in the table (max_users)"
        )
        self._sketches = metrics.gauge(
            "btimd_flows_user_sketches",
            "Sketches that count users without room in the table (max_user_sketches)",
        )
        self._uncounted = metrics.counter(
            "btimd_flows_uncounted_users_total", "Records whose user found room neither in the table nor in a sketch"
        )
        self._evicted = metrics.counter("btimd_flows_evicted_users_total", "Users forgotten to make room")
        self._pairs = metrics.gauge("btimd_flows_users_entries", "Pairs of client and business in the table of users")
        self._known: dict[tuple[str, ...], int] = {}

    def update(self, windows: Windows, users: Users, duplicates: Duplicates | None) -> None:
        """Export what the counters of windows, users and duplicates have grown by."""
        for level, interval in enumerate(INTERVALS_MILLISECONDS):
            name = f"{interval // 1000}s"
            self._late_records.labels(name).inc(self._growth(("late_records", name), windows.late_records(level)))
            self._late_octets.labels(name).inc(self._growth(("late_octets", name), windows.late_octets(level)))
        self._future_records.inc(self._growth(("future_records",), windows.future_records))
        self._future_octets.inc(self._growth(("future_octets",), windows.future_octets))
        self._dropped.inc(self._growth(("dropped",), windows.dropped))
        self._overflowed.inc(self._growth(("overflowed",), windows.overflowed))
        self._restarts.inc(self._growth(("restarts",), windows.restarts))
        self._refused.inc(self._growth(("refused",), users.refused))
        self._sketches.set(windows.sketches)
        self._uncounted.inc(self._growth(("uncounted",), windows.uncounted))
        self._evicted.inc(self._growth(("evicted",), users.evicted))
        self._pairs.set(users.pairs)
        if duplicates is not None:
            found = duplicates.counters
            self.duplicates.inc(self._growth(("duplicates",), found.duplicates))
            self._duplicate_octets.inc(self._growth(("duplicate_octets",), found.octets))
            self._refused_keys.inc(self._growth(("refused_keys",), found.refused))
            self._sampled_twice.inc(self._growth(("sampled_twice",), found.sampled_twice))
            self._everything.set(int(duplicates.everything))

    def _growth(self, key: tuple[str, ...], total: int) -> int:
        before = self._known.get(key, 0)
        self._known[key] = total
        return total - before


class QualityCounters:
    """The metrics of connection quality. Totals kept by the pure part are exported as differences."""

    def __init__(self, metrics: Metrics) -> None:
        self._totals = {
            "records": metrics.counter(
                "btimd_flows_quality_records_total", "Quality records of connections, taken from captured packets"
            ),
            "samples": metrics.counter(
                "btimd_flows_quality_samples_total", "Measured durations (handshakes, responses) taken"
            ),
            "late": metrics.counter(
                "btimd_flows_quality_late_total", "Quality records and durations too late for their interval"
            ),
            "future": metrics.counter(
                "btimd_flows_quality_future_total", "Quality records and durations too far in the future to be kept"
            ),
            "overflowed": metrics.counter(
                "btimd_flows_quality_overflows_total",
                "Quality records and durations whose server or place was not told apart for want of cells"
                " (flows.quality.max_cells)",
            ),
            "restarts": metrics.counter(
                "btimd_flows_quality_restarts_total", "Times the clock was set far back and all quality began anew"
            ),
        }
        self._cells = metrics.gauge("btimd_flows_quality_cells", "Cells of connection quality in the intervals held")
        self._octets = metrics.gauge("btimd_flows_quality_bytes", "Memory set aside for the intervals held")
        self._known: dict[str, int] = {}

    def update(self, windows: QualityWindows) -> None:
        """Export what the counters have grown by."""
        for name, counter in self._totals.items():
            total = int(getattr(windows, name))
            counter.inc(total - self._known.get(name, 0))
            self._known[name] = total
        self._cells.set(windows.cells)
        self._octets.set(windows.octets)
