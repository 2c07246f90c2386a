"""The metrics of links and of the topology: what the pure parts counted, as counters and gauges."""

from collections.abc import Mapping
from typing import Final

from btimd.flows.linkwindows import LinkCounters
from btimd.runtime.metrics import Metrics

_TEXTS: Final[Mapping[str, str]] = {
    "late_records": "Flow records at least partly too late for their interval of links",
    "late_octets": "Octets too late for their interval of links",
    "future_records": "Flow records that end too far in the future to be kept for links",
    "future_octets": "Octets of such records",
    "refused": "Times an interface, or a business at an interface, found no room"
    " (flows.links.max_interfaces, flows.links.max_cells)",
    "incomplete": "Flow records that count at an interface less than they should because of that",
    "repeated": "Flow records that another observation domain of the same exporter had reported at the same interface",
    "restarts": "Times the clock was set far back, or most businesses were replaced, and all windows of links began"
    " anew",
}


class LinkMetrics:
    """Totals kept by the pure parts are exported as differences. Links: one thread's; topology: another's."""

    def __init__(self, metrics: Metrics) -> None:
        self._totals = {name: metrics.counter(f"btimd_flows_links_{name}_total", text) for name, text in _TEXTS.items()}
        self._known: dict[str, int] = {}
        self.dropped = metrics.counter(
            "btimd_flows_links_dropped_intervals_total",
            "Intervals of links that were given up because they could not be taken, or not quickly enough",
        )
        self._refused_devices = metrics.counter(
            "btimd_flows_topology_refused_devices_total",
            "Times a device's facts were left out for want of room (flows.topology.max_devices)",
        )
        self._left_out = metrics.gauge(
            "btimd_flows_topology_left_out_links",
            "Links that are not shown for want of room (flows.topology.max_links)",
        )

    def update_links(self, counters: LinkCounters) -> None:
        """Export what the windows of links have lost since the last time."""
        for name, counter in self._totals.items():
            counter.inc(self._growth(name, getattr(counters, name)))

    def update_topology(self, *, refused_devices: int, left_out_links: int) -> None:
        """Export how much of the network had no room."""
        self._refused_devices.inc(self._growth("refused_devices", refused_devices))
        self._left_out.set(left_out_links)

    def _growth(self, name: str, total: int) -> int:
        before = self._known.get(name, 0)
        self._known[name] = total
        return total - before
