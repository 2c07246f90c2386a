"""Job: a probe that is to run, with all who wait for its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from btimd.model.probe import ProbeResult, ProbeSpec
from btimd.model.service import Check, ServiceGraph
from btimd.model.units import MonotonicSeconds, Octets
from btimd.probes.budget import Go, WaitUntil
from btimd.probes.meter import Meter

Done: TypeAlias = Callable[[ProbeResult], None]
Question: TypeAlias = tuple[object, ...]

_EXPIRES_AFTER_TIMEOUTS: Final = 2.0


@dataclass(slots=True, eq=False)
class Job:
    """A probe to run, with all who wait for its answer. is_sample: for a key indicator, fresh by contract."""

    spec: ProbeSpec
    question: Question
    waiting: list[tuple[ProbeSpec, Done]]
    is_sample: bool
    asked_at: MonotonicSeconds
    order: int = 0
    began_at: MonotonicSeconds | None = None
    waits: WaitUntil | None = None
    go: Go = field(default_factory=Go)
    meter: Meter = field(default_factory=Meter)

    @property
    def expires_at(self) -> MonotonicSeconds:
        """When waiting for the load budget is in vain."""
        return self.asked_at + _EXPIRES_AFTER_TIMEOUTS * self.spec.check.timeout_seconds

    @property
    def is_urgent(self) -> bool:
        """Tell whether somebody waits for the answer: a diagnosis or a person."""
        return bool(self.waiting)


def question_of(check: Check) -> Question:
    """Return what makes two checks the same question to the network."""
    options = tuple(sorted(check.options.items()))
    return (check.kind, check.host, check.port, options, check.timeout_seconds, check.slow_over_seconds)


def devices_of(graph: ServiceGraph) -> Mapping[str, str]:
    """Return the devices of nodes that share one, by the id of the node."""
    return {node.id: node.device for node in graph.nodes.values() if node.device}


def octets_of(job: Job, result: ProbeResult | None) -> Octets | None:
    """Return what a probe sent and received, None where nobody measured it."""
    told = None if result is None else result.values.get("octets")
    if told is not None:
        return int(told)
    return job.meter.octets or None
