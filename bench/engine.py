"""What one event costs the diagnosis engine while much is known: `Engine.handle`, event by event.

A drawn enterprise; 16 diagnoses run, some thousand checks have answered lately and some thousand signs are remembered.
Then answers of key indicators, signs, answers to the engine's own questions and ticks come in, and each call's CPU time
is taken, apart for calls in which a diagnosis weighed its evidence anew (a step of the solver) and calls without.

    python -m bench.engine [--nodes 10000] [--answers 2000] [--signs 3000] [--events 600] [--profile]
"""

import argparse
import cProfile
import gc
import json
import pstats
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator

from bench.machine import load, machine
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import BusinessService, Check, CheckKind, Closure, Node, NodeKind, ServiceGraph
from btimd.model.sign import Sign, SignSource
from btimd.model.symptom import Symptom
from btimd.rca.engine import Engine
from btimd.rca.events import Command, Event, Observed, ProbeDone, RunProbe, SignSeen, SymptomSeen, Tick
from btimd.rca.solver_evidence import Evidence

START = 1_000_000.0
DIAGNOSES = 16


def enterprise(size: int) -> ServiceGraph:
    """Return about `size` nodes: businesses of 9 applications on databases, systems, hosts and few switches."""
    switches = max(size // 60, 4)
    nodes = [_node("core", NodeKind.NETWORK), _node("dns", NodeKind.SHARED, "core")]
    nodes += [_node(f"switch{number}", NodeKind.NETWORK, "core") for number in range(switches)]
    for unit in range(max((size - len(nodes)) // 46, DIAGNOSES)):
        services = []
        for number in range(9):
            name = f"{unit}.{number}"
            switch = f"switch{(7 * unit + number) % switches}"
            nodes.append(_node(f"host{name}", NodeKind.HOST, switch))
            nodes.append(_node(f"os{name}", NodeKind.OS, f"host{name}"))
            nodes.append(_node(f"db{name}", NodeKind.DATABASE, f"os{name}"))
            other = (f"app{unit - 1}.{number}",) if unit % 5 else ("dns",)
            nodes.append(_node(f"app{name}", NodeKind.APPLICATION, f"db{name}", f"os{name}", *other))
            nodes.append(_node(f"web{name}", NodeKind.APPLICATION, f"app{name}", f"os{name}"))
            services.append(f"web{name}")
        nodes.append(_node(f"business{unit}", NodeKind.BUSINESS, *services))
    businesses = {one.id: BusinessService(one.id, one.name) for one in nodes if one.kind is NodeKind.BUSINESS}
    return ServiceGraph({one.id: one for one in nodes}, businesses)


def _node(name: str, kind: NodeKind, *needs: str) -> Node:
    closure = Closure.FULL if kind in {NodeKind.BUSINESS, NodeKind.APPLICATION} else Closure.LOCAL
    check = Check(f"{name}-tcp", name, CheckKind.TCP, "192.0.2.1", 80, closure=closure)
    return Node(name, kind, name, needs, (check,))


class Load:
    """Events as they come in; every answer and sign is about a random node."""

    def __init__(self, graph: ServiceGraph, seed: int) -> None:
        self._nodes = list(graph.nodes.values())
        self._businesses = [node for node in self._nodes if node.kind is NodeKind.BUSINESS]
        self._random = random.Random(seed)
        self._next_id = 10_000_000

    def answer(self, now: float) -> ProbeResult:
        """Return an answer of a key indicator."""
        self._next_id += 1
        return self.said(ProbeSpec(self._next_id, self._random.choice(self._nodes).checks[0]), now)

    def said(self, spec: ProbeSpec, now: float) -> ProbeResult:
        """Return what a probe says: mostly that all is well."""
        bad = self._random.random() < 0.02
        error = ErrorClass.TIMEOUT if bad else ErrorClass.NONE
        return ProbeResult(spec, Health.BAD if bad else Health.GOOD, error, "", now - 0.01, 0.01)

    def sign(self, now: float) -> Sign:
        """Return a word of an agent about its node, or what a business's users see."""
        bad = self._random.random() < 0.02
        health, error = (Health.BAD, ErrorClass.TIMEOUT) if bad else (Health.GOOD, ErrorClass.NONE)
        if self._random.random() < 0.5:
            node = self._random.choice(self._businesses).id
            return Sign(f"flows:{node}", node, health, error, "", SignSource.FLOWS, now, scope=Closure.FULL)
        node = self._random.choice(self._nodes).id
        number = self._random.randrange(4)
        return Sign(f"syslog:{node}:{number}", node, health, error, "", SignSource.SYSLOG, now)

    def symptom(self, number: int, now: float) -> Symptom:
        """Return what users of a business feel; businesses that share as little as they can."""
        node = self._businesses[number * len(self._businesses) // DIAGNOSES].id
        return Symptom(f"s{number}", f"{node}-tcp", node, ErrorClass.TIMEOUT, "", now - 1.0, now)


class Meter:
    """Hands events to the engine and takes the time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.steps = 0
        self.milliseconds: dict[str, list[tuple[int, float]]] = defaultdict(list)
        weigh = Evidence.refresh

        def counted(evidence: Evidence) -> None:
            self.steps += 1
            weigh(evidence)

        Evidence.refresh = counted  # type: ignore[method-assign,assignment]

    def handle(self, event: Event, now: float) -> list[Command]:
        """Give one event to the engine."""
        before, began = self.steps, time.process_time()
        commands = self.engine.handle(event, now)
        self.milliseconds[type(event).__name__].append((self.steps - before, (time.process_time() - began) * 1e3))
        return commands

    def figures(self) -> dict[str, object]:
        """Return what calls took by kind of event, apart for those with steps of the solver (0 = without)."""
        found: dict[str, object] = {}
        for name, calls in self.milliseconds.items():
            for label, chosen in (
                ("without a step", [call for call in calls if not call[0]]),
                ("with steps", [call for call in calls if call[0]]),
            ):
                took, steps = sorted(took for _, took in chosen), sum(number for number, _ in chosen)
                if took:
                    found[f"{name} {label}"] = {
                        "calls": len(took), "steps": steps, "p50_ms": round(statistics.median(took), 2),
                        "p95_ms": round(took[int(0.95 * (len(took) - 1))], 2), "max_ms": round(took[-1], 2),
                        "ms_per_step": round(sum(took) / steps, 2) if steps else 0.0,
                    }  # fmt: skip
        return found


def events(load_of: Load, count: int, waiting: list[ProbeSpec]) -> Iterator[tuple[Event, float]]:
    """Yield what comes in within eight seconds."""
    for number in range(count):
        now = START + 0.6 + number * 8.0 / count
        if number % 40 == 39:
            yield Tick(), now
        elif number % 10 == 9 and waiting:
            yield ProbeDone(load_of.said(waiting.pop(0), now)), now
        elif number % 2:
            yield Observed(load_of.answer(now)), now
        else:
            yield SignSeen(load_of.sign(now)), now


def measure(nodes: int, answers: int, signs: int, count: int, profiler: cProfile.Profile | None) -> dict[str, object]:
    """Run it all and return the figures."""
    began = time.process_time()
    graph = enterprise(nodes)
    engine = Engine(graph)
    built = time.process_time() - began
    load_of, meter = Load(graph, 1), Meter(engine)
    while len(engine.memory.answers) < min(answers, nodes // 2):
        engine.memory.answered(load_of.answer(START - random.Random(len(engine.memory.answers)).random()), engine.index)
    while len(engine.memory.signs) < signs:
        engine.memory.signed(load_of.sign(START - 1.0))
    waiting: list[ProbeSpec] = []

    def handle(event: Event, now: float) -> None:
        waiting.extend(command.spec for command in meter.handle(event, now) if isinstance(command, RunProbe))

    for number in range(DIAGNOSES):
        handle(SymptomSeen(load_of.symptom(number, START)), START + 0.001 * number)
    handle(Tick(), START + 0.5)
    running = engine.running
    gc.collect()
    if profiler:
        profiler.enable()
    for event, now in events(load_of, count, waiting):
        handle(event, now)
    if profiler:
        profiler.disable()
    found: dict[str, object] = {
        "nodes": len(graph.nodes), "built_seconds": round(built, 2), "diagnoses_at_first": running,
        "diagnoses_at_last": engine.running, "answers": len(engine.memory.answers), "signs": len(engine.memory.signs),
    }  # fmt: skip
    return found | meter.figures()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--signs", type=int, default=3000)
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    profiler = cProfile.Profile() if given.profile else None
    print(machine(), load())
    for name, value in measure(given.nodes, given.answers, given.signs, given.events, profiler).items():
        print(f"{name}: {json.dumps(value)}")
    if profiler:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
