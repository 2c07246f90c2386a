"""Small enterprises with faults, for the tests of the diagnosis engine.

A world answers a check the way a real network would, by rules that are written down here and nowhere in the engine:
a dead process refuses, a dead host is silent, a sick process accepts and hangs, whoever needs something broken
answers wrongly or slowly. Errors are drawn with a seed where several are natural.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import BusinessService, Check, CheckKind, Closure, Node, NodeKind, ServiceGraph
from btimd.model.symptom import Symptom
from btimd.model.verdict import Verdict
from btimd.rca.engine import Engine
from btimd.rca.events import Command, ProbeDone, ReportVerdict, RunProbe, SymptomSeen
from btimd.rca.graph import GraphIndex

_COST = {CheckKind.ICMP: 1.0, CheckKind.TCP: 1.5, CheckKind.DNS: 1.0, CheckKind.HTTP: 4.0, CheckKind.POSTGRES: 6.0}
_FULL = {CheckKind.HTTP, CheckKind.DNS}


def check(node: str, kind: str, *, every: float | None = None) -> Check:
    """Return the check "<node>-<kind>" with the product's defaults for cost and closure; "http!" stays local."""
    kind, local = kind.rstrip("!"), kind.endswith("!")
    which = CheckKind(kind)
    default = Closure.FULL if which in _FULL else Closure.LOCAL
    return Check(
        id=f"{node}-{kind}",
        node=node,
        kind=which,
        host="192.0.2.1",
        port=0 if which is CheckKind.ICMP else 80,
        every_seconds=every,
        closure=Closure.LOCAL if local else default,
        cost=_COST[which],
    )


def node(name: str, kind: str, needs: str = "", checks: str = "", text: str = "", prior: float | None = None) -> Node:
    """Return a node; needs and checks are separated by spaces."""
    return Node(
        id=name,
        kind=NodeKind(kind),
        name=text or name,
        needs=tuple(needs.split()),
        checks=tuple(check(name, one) for one in checks.split()),
        prior=prior,
    )


def graph_of(*nodes: Node, generation: int = 1) -> ServiceGraph:
    """Return a graph of nodes; the ones of kind business are the businesses."""
    businesses = {one.id: BusinessService(one.id, one.name) for one in nodes if one.kind is NodeKind.BUSINESS}
    return ServiceGraph({one.id: one for one in nodes}, businesses, generation)


def shop() -> ServiceGraph:
    """Return ERP on three tiers of one host each, and a name service."""
    return graph_of(
        node("erp", "business", "erp-web name-erp", "http", "ERP"),
        node("erp-web", "application", "erp-app host-web", "http tcp"),
        node("erp-app", "application", "db1 host-app", "http tcp"),
        node("db1", "database", "host-db", "postgres tcp", "ERP database"),
        node("host-web", "host", "", "icmp"),
        node("host-app", "host", "", "icmp"),
        node("host-db", "host", "", "icmp"),
        node("name-erp", "shared", "dns1", "dns"),
        node("dns1", "shared", "host-dns", "dns tcp"),
        node("host-dns", "host", "", "icmp"),
    )


def enterprise() -> ServiceGraph:
    """Return two businesses of three tiers with a shared database, directory, names, switches: 26 nodes."""
    nodes = [
        node("erp", "business", "erp-web1 name-erp", "http", "ERP"),
        node("hr", "business", "hr-web1 name-hr", "http", "HR"),
        node("name-erp", "shared", "dns1", "dns"),
        node("name-hr", "shared", "dns1", "dns"),
        node("dns1", "shared", "host-dns", "dns tcp"),
        node("ldap", "shared", "host-ldap", "tcp"),
        node("switch-1", "network", "", "icmp"),
        node("switch-2", "network", "", "icmp"),
        node("db-shared", "database", "host-dbs", "postgres tcp"),
    ]
    for name in ("erp", "hr"):
        switch = "switch-1" if name == "erp" else "switch-2"
        nodes += [
            node(f"{name}-web1", "application", f"{name}-app host-{name}-web", "http tcp"),
            node(f"{name}-app", "application", f"{name}-mq {name}-db ldap db-shared host-{name}-app", "http tcp"),
            node(f"{name}-mq", "middleware", f"host-{name}-app", "tcp http!"),
            node(f"{name}-db", "database", f"host-{name}-db", "postgres tcp"),
            node(f"host-{name}-web", "host", switch, "icmp"),
            node(f"host-{name}-app", "host", switch, "icmp"),
            node(f"host-{name}-db", "host", switch, "icmp"),
        ]
    nodes += [node(f"host-{name}", "host", "", "icmp") for name in ("dns", "ldap", "dbs")]
    return graph_of(*nodes)


@dataclass
class World:
    """What a graph's checks answer while some nodes are dead, sick or unreachable to us.

    unanswerable: checks that could not be carried out. seed: draws among the natural errors.
    """

    graph: ServiceGraph
    dead: frozenset[str] = frozenset()
    sick: frozenset[str] = frozenset()
    unanswerable: frozenset[str] = frozenset()
    seed: int = 0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = GraphIndex(self.graph)

    def outcome(self, one: Check) -> tuple[Health, ErrorClass]:
        """Return what a check says in this world."""
        if one.node not in self.graph.nodes:
            return Health.BAD, ErrorClass.TIMEOUT
        if one.id in self.unanswerable:
            return Health.UNKNOWN, ErrorClass.LOCAL_FAILURE
        closure = set(self.index.closure_of(one))
        broken = [name for name in self.index.needs_closure(one.node) if name in (self.dead | self.sick) & closure]
        error = self._trouble(one, broken) if broken else None
        return (Health.GOOD, ErrorClass.NONE) if error is None else (Health.BAD, error)

    def _trouble(self, one: Check, broken: list[str]) -> ErrorClass | None:
        """Return the error that broken nodes below a check cause, None where the check does not see them."""
        draw = random.Random(f"{self.seed}/{one.id}")
        near = set(self.index.local_closure(one.node))
        if any(name in self.dead & near and self.index.is_physical(name) for name in broken):
            return draw.choice([ErrorClass.TIMEOUT, ErrorClass.TIMEOUT, ErrorClass.UNREACHABLE])
        names = [name for name in broken if self.index.is_naming(name)]
        if names and one.kind is not CheckKind.TCP:
            return self._name_trouble(one, names[0])
        if one.kind is not CheckKind.ICMP and any(name in self.dead & near for name in broken):
            return ErrorClass.REFUSED
        if one.kind in {CheckKind.ICMP, CheckKind.TCP}:
            return None
        if any(name in self.sick for name in broken):
            return draw.choice([ErrorClass.SLOW, ErrorClass.NO_ANSWER, ErrorClass.WRONG_ANSWER])
        return ErrorClass.WRONG_ANSWER

    def _name_trouble(self, one: Check, broken: str) -> ErrorClass:
        if one.kind is not CheckKind.DNS or self.index.is_record(broken):
            return ErrorClass.NAME_ERROR
        return ErrorClass.TIMEOUT if broken in self.dead else ErrorClass.NO_ANSWER

    def answer(self, spec: ProbeSpec, now: float) -> ProbeResult:
        """Return the answer to a probe, 20 ms after it was sent."""
        self.asked.append(spec.check.id)
        health, error = self.outcome(spec.check)
        return ProbeResult(spec, health, error, f"{spec.check.id} is {health}", now, 0.02)

    def symptoms(self, now: float, *checks: str) -> list[Symptom]:
        """Return the symptoms of the checks named, or of all business checks, that are bad now."""
        wanted = [
            one
            for one in self.graph.checks()
            if (one.id in checks if checks else self.index.kind(one.node) is NodeKind.BUSINESS)
        ]
        found = []
        for one in wanted:
            health, error = self.outcome(one)
            if health is Health.BAD:
                found.append(Symptom(f"S-{one.id}", one.id, one.node, error, f"{one.id} is bad", now - 1.0, now))
        return found


@dataclass
class Run:
    """What an engine did in a world: its commands and verdicts, and the seconds of simulated time."""

    commands: list[Command] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdicts(self) -> list[Verdict]:
        return [command.verdict for command in self.commands if isinstance(command, ReportVerdict)]

    @property
    def probes(self) -> list[str]:
        return [command.spec.check.id for command in self.commands if isinstance(command, RunProbe)]


def diagnose(engine: Engine, world: World, symptoms: Iterable[Symptom], now: float = 1000.0) -> Run:
    """Feed symptoms, answer every probe 20 ms later, follow deadlines, until nothing is left to do."""
    run = Run()
    pending: list[ProbeSpec] = []

    def take(commands: list[Command]) -> None:
        run.commands.extend(commands)
        pending.extend(command.spec for command in commands if isinstance(command, RunProbe))

    begun = now
    for symptom in symptoms:
        take(engine.handle(SymptomSeen(symptom), now))
    while pending or engine.running:
        if pending:
            now += 0.02
            for spec in list(pending):
                pending.remove(spec)
                take(engine.handle(ProbeDone(world.answer(spec, now - 0.02)), now))
        else:
            deadline = engine.next_deadline()
            assert deadline is not None
            now = max(deadline, now)
            take(engine.tick(now))
    run.seconds = now - begun
    return run
