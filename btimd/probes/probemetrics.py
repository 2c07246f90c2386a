"""What the probes export to /metrics."""

from typing import Final

from btimd.runtime.metrics import Metrics

_ELAPSED_BUCKETS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class ProbeMetrics:
    """The metrics of the probes, by what they count."""

    def __init__(self, metrics: Metrics) -> None:
        self.results = metrics.counter("btimd_probes_results_total", "Answers by kind and health", ("kind", "health"))
        self.cost = metrics.counter("btimd_probes_cost_total", "Load put on targets, 1 = one echo", ("kind",))
        self.over_budget = metrics.counter("btimd_probes_over_budget_total", "Probes the load budget did not allow")
        self.waits = metrics.counter(
            "btimd_probes_budget_waits_total", "Times a probe waited for the load budget, by what", ("scope", "reason")
        )
        self.refusals = metrics.counter(
            "btimd_probes_budget_refusals_total", "Probes given up for the load budget, by what", ("scope", "reason")
        )
        self.back_offs = metrics.counter(
            "btimd_probes_budget_back_offs_total", "Signs of overload that made heavy probes to a server rarer"
        )
        self.octets = metrics.counter(
            "btimd_probes_octets_total", "Octets sent and received by probes, headers estimated", ("kind",)
        )
        self.flapping = metrics.gauge("btimd_probes_flapping", "Key indicators that come and go")
        self.scopes = metrics.gauge("btimd_probes_budget_scopes", "Targets and groups that the load budget remembers")
        self.waited = metrics.counter("btimd_probes_waited_total", "Probes that had to wait for the load budget")
        self.shared = metrics.counter("btimd_probes_shared_total", "Questions answered by another's probe")
        self.skipped = metrics.counter("btimd_probes_skipped_total", "Key indicator samples that were not taken")
        self.failures = metrics.counter("btimd_probes_failures_total", "Bugs met in probes or in who takes results")
        self.symptoms = metrics.counter("btimd_probes_symptoms_total", "Key indicators that met their threshold")
        self.in_flight = metrics.gauge("btimd_probes_in_flight", "Probes running now")
        self.queued = metrics.gauge("btimd_probes_queued", "Probes waiting for the load budget")
        self.open = metrics.gauge("btimd_probes_open_symptoms", "Key indicators off their threshold")
        self.elapsed = metrics.histogram("btimd_probes_elapsed_seconds", "Duration of probes", _ELAPSED_BUCKETS)
