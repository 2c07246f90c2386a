from btimd.probes.probemetrics import ProbeMetrics
from btimd.runtime.metrics import Metrics


def test_no_label_can_have_unbounded_values() -> None:
    metrics = Metrics()
    ProbeMetrics(metrics)
    labels = {label for found in metrics.descriptions() for label in found.labels}
    assert labels == {"kind", "health", "scope", "reason"}
