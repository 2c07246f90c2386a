"""Metrics: one registry per App, named btimd_<package>_<what>_<unit>[_total]."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Counter", "Gauge", "Histogram", "MetricDescription", "Metrics"]


@dataclass(frozen=True, slots=True)
class MetricDescription:
    """What a reader of /metrics has to know of a metric."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class Metrics:
    """A registry with the few kinds btimd uses. A metric asked for twice is the same metric.

    Labels must have few values: never addresses, people or ids of incidents.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._known: dict[str, Counter | Gauge | Histogram] = {}
        self._descriptions: list[MetricDescription] = []

    def counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        """Return a counter; the name ends in _total."""
        if not name.endswith("_total"):
            raise ValueError(f"counter {name} must end in _total")
        found = self._known.get(name)
        if not isinstance(found, Counter):
            found = Counter(name, text, labels, registry=self.registry)
            self._known[name] = found
            self._descriptions.append(MetricDescription(name, "counter", labels, text))
        return found

    def gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        """Return a gauge."""
        found = self._known.get(name)
        if not isinstance(found, Gauge):
            found = Gauge(name, text, labels, registry=self.registry)
            self._known[name] = found
            self._descriptions.append(MetricDescription(name, "gauge", labels, text))
        return found

    def histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        """Return a histogram in seconds or another base unit."""
        found = self._known.get(name)
        if not isinstance(found, Histogram):
            found = Histogram(name, text, buckets=buckets, registry=self.registry)
            self._known[name] = found
            self._descriptions.append(MetricDescription(name, "histogram", (), text))
        return found

    def descriptions(self) -> Sequence[MetricDescription]:
        """Return what is exported, in the order in which it was made."""
        return tuple(self._descriptions)

    def value(self, name: str, labels: dict[str, str] | None = None) -> float:
        """Return the value of a sample, 0.0 if it never moved; for tests and health."""
        return self.registry.get_sample_value(name, labels or {}) or 0.0

    def text(self) -> bytes:
        """Return the OpenMetrics-compatible exposition text."""
        return generate_latest(self.registry)
