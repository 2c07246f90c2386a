"""Checks and results to test with."""

from collections.abc import Mapping

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Check, CheckKind, Node, NodeKind, ServiceGraph


def check(
    name: str = "web",
    kind: CheckKind = CheckKind.TCP,
    *,
    host: str = "127.0.0.1",
    port: int = 80,
    options: Mapping[str, str] | None = None,
    timeout: float = 20.0,
    slow_over: float | None = None,
    every: float | None = None,
) -> Check:
    return Check(
        id=name,
        node="node",
        kind=kind,
        host=host,
        port=port,
        options=options or {},
        timeout_seconds=timeout,
        slow_over_seconds=slow_over,
        every_seconds=every,
    )


def result(
    of: Check, health: Health, error: ErrorClass = ErrorClass.NONE, *, at: float = 100.0, detail: str = "said so"
) -> ProbeResult:
    return ProbeResult(ProbeSpec(1, of), health, error, detail, at, 0.01)


def graph(*checks: Check, generation: int = 1) -> ServiceGraph:
    node = Node("node", NodeKind.APPLICATION, "Node", checks=checks)
    return ServiceGraph({"node": node}, {}, generation)
