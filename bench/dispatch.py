"""What the dispatch score is worth against simpler rules, and what a decision costs.

    python -m bench.dispatch --days 60 --seeds 6

prints Markdown. The model is our own, and no measurement of people: 12 engineers in three shifts, four classes of work,
incidents at random. Each engineer works on one order at a time, the gravest first; who is not good at a class is slower
and gives more orders back. What is left at the end of a shift is given out again.
"""

import argparse
import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import mean, median
from types import MappingProxyType
from typing import Any

import numpy as np

from bench.machine import machine
from btimd.itsm.dispatch import DispatchOrder, LevelTable, decide
from btimd.itsm.dispatchhistory import History, Outcome, OutcomeKind, fold, history_document
from btimd.itsm.rota import Rota
from btimd.itsm.workload import OpenOrder, Workload, workload_document, workload_of
from btimd.model.duty import EscalationPath, Group, PathLevel, People, Person, RotaRules, Shift, WorkClass
from btimd.model.incident import Priority

CLASSES = ("db", "network", "server", "application")
HOUR = 3600.0
DAY = 24 * HOUR
SHIFT_HOURS = 8
PRIORITIES = (0.03, 0.10, 0.42, 0.30, 0.15)
TARGET_MINUTES: Mapping[Priority, float] = {
    Priority.P1: 60.0, Priority.P2: 120.0, Priority.P3: 240.0, Priority.P4: 480.0, Priority.P5: 960.0,
}  # fmt: skip
MEDIAN_MINUTES = 17.0
"""Of the work in an incident, for somebody who knows everything."""
POLICIES = ("random", "round robin", "least loaded", "best skill", "score")


@dataclass(frozen=True)
class Trouble:
    """An incident of the model. minutes: of work for somebody who knows everything. chance: of being given back."""

    number: int
    at: float
    work_class: str
    priority: Priority
    minutes: float
    cause: str
    chance: float


@dataclass
class Worker:
    """An engineer at work: the order in hand, and those that wait by priority."""

    name: str
    queue: list[tuple[int, float, int]] = field(default_factory=list)
    busy_until: float = 0.0
    worked: float = 0.0


@dataclass
class Result:
    """What came of a run."""

    minutes: list[float] = field(default_factory=list)
    first_right: int = 0
    breached: int = 0
    worked: list[float] = field(default_factory=list)


def people_of(count: int, skills: np.ndarray, rng: np.random.Generator) -> People:
    """Return engineers; what they declare is near what they can."""
    persons = {}
    for number in range(count):
        told = np.clip(skills[number] + rng.normal(0.0, 0.1, len(CLASSES)), 0.05, 1.0)
        name = f"p{number:03d}"
        persons[name] = Person(
            id=name,
            name=name,
            groups=MappingProxyType({"noc": 1}),
            skills=MappingProxyType(dict(zip(CLASSES, map(float, told), strict=True))),
        )
    return People(
        persons=MappingProxyType(persons),
        groups=MappingProxyType({"noc": Group("noc", "NOC")}),
        paths=MappingProxyType({"path": EscalationPath("path", (PathLevel("noc", "noc"),))}),
        classes=MappingProxyType({name: WorkClass(name, "path", 45.0) for name in (*CLASSES, "default")}),
    )


def rota_of(people: People) -> Rota:
    """Return three shifts of eight hours, each of a third of the people, turned weekly."""
    names = sorted(people.persons)
    size = len(names) // 3
    crews = tuple(tuple(names[start : start + size]) for start in range(0, size * 3, size))
    shifts = tuple(
        Shift(f"s{number}", "noc", "UTC", number * 480, number * 480 + 480, crews, rotate_days=7, offset=number)
        for number in range(3)
    )
    return Rota(RotaRules(shifts=shifts), people)


class Simulation:
    """One run of a policy over drawn incidents."""

    def __init__(self, policy: str, seed: int, days: int, per_hour: float) -> None:
        self.policy = policy
        rng = np.random.default_rng(seed)
        self.skills = np.clip(rng.beta(2.2, 1.6, (12, len(CLASSES))), 0.1, 0.98)
        self.people = people_of(12, self.skills, rng)
        self.rota = rota_of(self.people)
        self.troubles = self._drawn(rng, days, per_hour)
        self.days = days
        self.rng = np.random.default_rng(seed + 1000)
        self.workers = {name: Worker(name) for name in self.people.persons}
        self.load, self.history = Workload(), History()
        self.turn = 0
        self.asked: dict[int, list[str]] = {}
        self.result = Result()
        self.events: list[tuple[float, int, str, int]] = []
        self.stamp = 0

    @staticmethod
    def _drawn(rng: np.random.Generator, days: int, per_hour: float) -> list[Trouble]:
        times = np.sort(rng.uniform(0.0, days * DAY, rng.poisson(days * 24 * per_hour)))
        priorities = list(Priority)
        return [
            Trouble(
                number=number,
                at=float(at),
                work_class=CLASSES[rng.integers(len(CLASSES))],
                priority=priorities[rng.choice(5, p=PRIORITIES)],
                minutes=float(rng.lognormal(np.log(MEDIAN_MINUTES), 0.6)),
                cause=f"c{int(rng.zipf(1.4)) % 200}",
                chance=float(rng.uniform()),
            )
            for number, at in enumerate(times)
        ]

    def skill(self, person: str, work_class: str) -> float:
        """Return what a person can really do, which nobody is told."""
        return float(self.skills[int(person[1:]), CLASSES.index(work_class)])

    def run(self) -> Result:
        """Let all incidents happen and return what came of it."""
        for trouble in self.troubles:
            self._push(trouble.at, "open", trouble.number)
        for number in range(self.days * 24 // SHIFT_HOURS + 3):
            self._push(number * SHIFT_HOURS * HOUR, "change", number)
        while self.events:
            at, _, kind, number = heapq.heappop(self.events)
            if kind == "open":
                self._give(self.troubles[number], at)
            elif kind == "change":
                self._hand_over(at)
            else:
                self._done(kind, self.troubles[number], at)
        self.result.worked = [worker.worked for worker in self.workers.values()]
        return self.result

    def _push(self, at: float, kind: str, number: int) -> None:
        self.stamp += 1
        heapq.heappush(self.events, (at, self.stamp, kind, number))

    def _give(self, trouble: Trouble, at: float) -> None:
        asked = self.asked.setdefault(trouble.number, [])
        there = [name for name in sorted(self.rota.on_duty("noc", at)) if name not in asked]
        person = self._choose(trouble, there or sorted(self.rota.on_duty("noc", at)), at)
        asked.append(person)
        self._told(trouble, person, OutcomeKind.GIVEN, at)
        self.load = self.load.given(OpenOrder(str(trouble.number), person, trouble.priority, 45.0, at))
        worker = self.workers[person]
        heapq.heappush(worker.queue, (int(trouble.priority), trouble.at, trouble.number))
        self._start(worker, at)

    def _choose(self, trouble: Trouble, there: Sequence[str], at: float) -> str:
        match self.policy:
            case "random":
                return there[int(self.rng.integers(len(there)))]
            case "round robin":
                self.turn += 1
                return there[self.turn % len(there)]
            case "least loaded":
                return min(there, key=lambda name: (self.load.load_of(name, at), name))
            case "best skill":
                told = self.people.persons
                return max(there, key=lambda name: (told[name].skills[trouble.work_class], name))
        order = DispatchOrder(
            str(trouble.number),
            trouble.work_class,
            trouble.priority,
            (trouble.cause,),
            excluded=frozenset(self.people.persons) - set(there),
        )
        decision = decide(
            order,
            people=self.people,
            presence=self.rota.presences,
            workload=self.load,
            history=self.history,
            now=at,
        )
        # Where all are overloaded there is no further level in this model: the best of the table is taken.
        return decision.chosen or _first(decision.tables[0])

    def _start(self, worker: Worker, at: float) -> None:
        if worker.busy_until > at or not worker.queue:
            return
        _, _, number = heapq.heappop(worker.queue)
        trouble = self.troubles[number]
        skill = self.skill(worker.name, trouble.work_class)
        knows = self.history.record(worker.name).causes.get(trouble.cause) is not None
        minutes = trouble.minutes / (0.35 + 0.65 * skill) * (0.85 if knows else 1.0)
        right = trouble.chance < 0.45 + 0.5 * skill or len(self.asked[number]) > 2
        if not right:
            minutes *= 0.4
        worker.busy_until = at + minutes * 60.0
        worker.worked += minutes
        self.load = self.load.accepted(str(number), at)
        self._push(worker.busy_until, f"{'solved' if right else 'returned'} {worker.name}", number)

    def _done(self, kind: str, trouble: Trouble, at: float) -> None:
        how, _, person = kind.partition(" ")
        self.load = self.load.ended(str(trouble.number))
        if how == "returned":
            self._told(trouble, person, OutcomeKind.RETURNED, at)
            self._give(trouble, at)
        else:
            late = (at - trouble.at) / 60.0 > TARGET_MINUTES[trouble.priority]
            self._told(trouble, person, OutcomeKind.RESOLVED_LATE if late else OutcomeKind.RESOLVED_IN_TIME, at)
            self.result.minutes.append((at - trouble.at) / 60.0)
            self.result.breached += late
            self.result.first_right += len(self.asked[trouble.number]) == 1
        self._start(self.workers[person], at)

    def _told(self, trouble: Trouble, person: str, kind: OutcomeKind, at: float) -> None:
        self.history = self.history.folded(Outcome(at, person, trouble.work_class, kind, (trouble.cause,)))

    def _hand_over(self, at: float) -> None:
        there = self.rota.on_duty("noc", at)
        for worker in self.workers.values():
            if worker.name in there:
                continue
            left, worker.queue = sorted(worker.queue), []
            for _, _, number in left:
                self.asked[number].remove(worker.name)  # nobody is to blame for the end of a shift
                self.load = self.load.ended(str(number))
                self._give(self.troubles[number], at)


def _first(table: LevelTable) -> str:
    return table.rows[0].person


def gini(values: Sequence[float]) -> float:
    """Return how unevenly work is shared out, 0 = evenly."""
    ordered = sorted(values)
    total = sum(ordered)
    ranks = sum((2 * rank - len(ordered) - 1) * value for rank, value in enumerate(ordered, 1))
    return ranks / (len(ordered) * total) if total else 0.0


def simulated(days: int, seeds: int, per_hour: float) -> str:
    """Return the table of policies."""
    lines = [
        "| policy | mean minutes to resolve | 90 % within | first dispatch right | late | Gini of work |",
        "|---|---|---|---|---|---|",
    ]
    for policy in POLICIES:
        runs = [Simulation(policy, seed, days, per_hour).run() for seed in range(1, seeds + 1)]
        minutes = [one for run in runs for one in run.minutes]
        lines.append(
            f"| {policy} | {mean(minutes):.0f} | {np.quantile(minutes, 0.9):.0f} "
            f"| {sum(run.first_right for run in runs) / len(minutes):.2f} "
            f"| {100 * sum(run.breached for run in runs) / len(minutes):.1f} % "
            f"| {mean(gini(run.worked) for run in runs):.2f} |"
        )
    return "\n".join(lines)


def cpu_milliseconds(call: Callable[[], object], rounds: int) -> float:
    """Return the median CPU time of a call."""
    found = []
    for _ in range(rounds):
        began = time.process_time_ns()
        call()
        found.append((time.process_time_ns() - began) / 1e6)
    return median(found)


def costs(counts: Sequence[int]) -> str:
    """Return what a decision costs, for groups of different sizes with everybody on duty."""
    lines = [
        "| people on duty | a decision | first one of a week | presence of all | orders and history in a document |",
        "|---|---|---|---|---|",
    ]
    for count in counts:
        rng = np.random.default_rng(7)
        people = people_of(count, rng.uniform(0.1, 1.0, (count, len(CLASSES))), rng)
        names = sorted(people.persons)
        shift = Shift("all", "noc", "Europe/Berlin", 0, 1440, (tuple(names),))
        rota = Rota(RotaRules(shifts=(shift,)), people)
        outcomes = [
            Outcome(float(number), names[number % count], CLASSES[number % 4], OutcomeKind.RESOLVED_IN_TIME, ("c",))
            for number in range(count * 8)
        ]
        history = fold(History(), outcomes)
        load = workload_of(
            OpenOrder(str(number), names[number % count], Priority.P3, 60.0, 0.0) for number in range(count * 3)
        )
        order = DispatchOrder("1", "db", Priority.P2, ("fp", "c"))
        now = 1e9

        common: dict[str, Any] = {
            "people": people,
            "presence": rota.presences,
            "workload": load,
            "history": history,
            "now": now,
        }
        calls: tuple[Callable[[], object], ...] = (
            partial(decide, order, **common),
            partial(_fresh, rota, now),
            partial(rota.presences, "noc", now),
            partial(_document, load, history),
        )
        figures = [cpu_milliseconds(call, 30) for call in calls]
        lines.append(f"| {count} | " + " | ".join(f"{figure:.2f} ms" for figure in figures) + " |")
    return "\n".join(lines)


def _fresh(rota: Rota, now: float) -> object:
    return Rota(rota.rules, rota.people).presences("noc", now)


def _document(load: Workload, history: History) -> object:
    return workload_document(load), history_document(history)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--per-hour", type=float, default=7.0)
    parser.add_argument("--people", type=int, nargs="+", default=[12, 200, 1000])
    options = parser.parse_args()
    print(machine(), "\n")
    print(costs(options.people), "\n")
    print(simulated(options.days, options.seeds, options.per_hour))


if __name__ == "__main__":
    main()
