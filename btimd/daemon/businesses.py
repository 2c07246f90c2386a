"""The condition of each business, as its own key indicators tell it."""

from dataclasses import dataclass, field

from btimd.model.probe import Health, ProbeResult
from btimd.model.service import ServiceGraph
from btimd.model.sla import Availability
from btimd.model.symptom import Symptom


@dataclass(slots=True)
class BusinessConditions:
    """Folds the results of the checks of a business's own node into up, down or unknown.

    Down while a symptom of it is open. Up when no symptom is open and at least one indicator is known to be good.
    Unknown else: an indicator that could not be asked says nothing. A bad sample by itself changes nothing: it is
    confirmed within a fraction of a second, and a symptom counts from its first bad sample on.
    """

    graph: ServiceGraph
    _good: set[str] = field(default_factory=set)
    _open: dict[str, Symptom] = field(default_factory=dict)

    def result(self, result: ProbeResult) -> str | None:
        """Take a result; return the business it speaks of, None where it speaks of none."""
        node = result.spec.check.node
        if node not in self.graph.businesses or not result.spec.check.is_key_indicator:
            return None
        if result.health is Health.UNKNOWN:
            self._good.discard(result.spec.check.id)
        elif result.health is Health.GOOD:
            self._good.add(result.spec.check.id)
        return node

    def opened(self, symptom: Symptom) -> None:
        """Take a symptom."""
        self._open[symptom.check_id] = symptom

    def cleared(self, symptom: Symptom) -> None:
        """Take a symptom back."""
        self._open.pop(symptom.check_id, None)

    def availability(self, business: str) -> Availability:
        """Return the condition of a business."""
        checks = [check.id for check in self.graph.nodes[business].checks if check.is_key_indicator]
        if any(check in self._open for check in checks):
            return Availability.DOWN
        if any(check in self._good for check in checks):
            return Availability.UP
        return Availability.UNKNOWN

    def swap(self, graph: ServiceGraph) -> None:
        """Go on with another graph; what is known of checks that are gone is forgotten."""
        known = {check.id for check in graph.checks()}
        self.graph = graph
        self._good &= known
        self._open = {check: symptom for check, symptom in self._open.items() if check in known}
