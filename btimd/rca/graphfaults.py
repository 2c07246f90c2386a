"""A service graph as the solver sees it: nodes and checks as numbers, and what each check can tell of each fault."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np

from btimd.model.service import Check, CheckKind, Closure, Depth, NodeKind, depth_of
from btimd.model.symptom import Symptom
from btimd.model.units import Ratio
from btimd.rca.faultmodel import DETECTION_CAP, FaultModel, Faults, IntArray, Row
from btimd.rca.graph import GraphIndex
from btimd.rca.likelihood import (
    BASE_PRIOR,
    KIND_ODDS,
    LEAK_FULL,
    LEAK_LOCAL,
    LEAK_STATE,
    LEAK_SYMPTOM,
    NO_DIALOGUE,
    P_DEAD,
    P_DEAD_RECORD,
    PER_HOP,
    PROFILE_OF,
    PROFILES,
    SYSTEM_SHOWS,
    SYSTEM_STATE,
    Mode,
    Reach,
    detection_of,
)
from btimd.rca.strength import need_strength

_WEAKEST: Final = 0.05
"""A fault that a check would see less often than this is not looked for through it."""
_MAX_ABOUT: Final = 24
_SERVERS: Final = frozenset({NodeKind.HOST, NodeKind.OS})
_MOST_ROWS_TOLD: Final = 10_000
_OF_NAMES: Final = frozenset({"through names", "through a wrong record"})


@dataclass(frozen=True, slots=True)
class _Way:
    """The surest way from a check down to a node. strength: product along it; hops: needs on it."""

    strength: float
    hops: int


class GraphFaults:
    """The fault model of a service graph. Checks are questions, in the order of the graph; symptoms are added.

    All numbers are those of this generation of the graph.
    """

    def __init__(self, index: GraphIndex) -> None:
        self.index = index
        self.nodes: tuple[str, ...] = tuple(index.graph.nodes)
        self.node_number = {name: number for number, name in enumerate(self.nodes)}
        self.checks: tuple[Check, ...] = tuple(index.checks.values())
        self.question_of = {check.id: number for number, check in enumerate(self.checks)}
        self._modes: list[Mode] = []
        self._ways: dict[tuple[str, bool], dict[str, _Way]] = {}
        self._seen: dict[tuple[str, Closure, str], tuple[str, ...]] = {}
        self._rows_told: dict[tuple[str, CheckKind, Closure, str, int, str], Row] = {}
        self._strengths: dict[str, tuple[float, ...]] = {}
        self._met: dict[tuple[CheckKind, bool, Mode, Reach, tuple[NodeKind, *tuple[bool, ...]]], tuple[float, str]] = {}
        self._below_names: dict[tuple[str, ...], frozenset[str]] = {}
        self._answering: dict[tuple[str, int], set[str]] = {}
        for check in self.checks:
            if check.port and check.closure is Closure.LOCAL and not index.is_virtual(check.node):
                self._answering.setdefault((check.host, check.port), set()).add(check.node)
        self.model = FaultModel(
            self._faults(),
            question_node=[self.node_number[check.node] for check in self.checks],
            question_cost=[check.cost for check in self.checks],
            question_leak=[self._leak(check) for check in self.checks],
            make_row=lambda question: self._row(self.checks[question]),
            about=self._about,
            profiles=PROFILES,
        )

    def add_symptom(self, check: Check, region: str = "") -> int:
        """Add what a symptom asks: its check, and for users of a region their way to the node. Returns its question."""
        row = self._row_told(check, region)
        return self.model.add_question(self.node_number[check.node], 0.0, LEAK_SYMPTOM, row)

    def add_sign(self, check: Check, region: str = "") -> int:
        """Add what a sign tells: as a symptom, with the leak of a single answer."""
        return self.model.add_question(
            self.node_number[check.node], 0.0, self._leak(check), self._row_told(check, region)
        )

    def nodes_seen_by(self, check: Check, region: str = "") -> tuple[str, ...]:
        """Return the nodes that can make a check bad, nearest first."""
        key = (check.node, check.closure, region)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = tuple(self._reached(check, region))
        return found

    def symptom_check(self, symptom: Symptom) -> Check:
        """Return the check behind a symptom; one that is no check of the graph counts as a whole transaction."""
        found = self.index.checks.get(symptom.check_id)
        if found is not None and found.node == symptom.node:
            return found
        return Check(symptom.check_id, symptom.node, CheckKind.HTTP, host="", closure=Closure.FULL)

    def nodes_behind(self, symptom: Symptom) -> tuple[str, ...]:
        """Return the nodes that can show as this symptom, nearest first."""
        return self.nodes_seen_by(self.symptom_check(symptom), symptom.region)

    def explains(self, cause: str, symptom: Symptom) -> bool:
        """Tell whether a fault of `cause` can show as this symptom."""
        return cause in self.nodes_behind(symptom)

    def prior_of(self, nodes: Iterable[str]) -> Ratio:
        """Return how likely one of these nodes is at fault before anything is known."""
        odds = self.model.faults.log_odds
        numbers = [fault for node in nodes for fault in self.model.faults_of(self.node_number[node])]
        return float(np.exp(odds[numbers]).sum())

    def detection_of_own(self, check: Check) -> Ratio:
        """Return how surely a check shows a fault of its own node, over the ways in which the node fails."""
        faults = self.model.faults_of(self.node_number[check.node])
        row = self.model.row(self.question_of[check.id])
        odds = self.model.faults.log_odds
        seen = {int(fault): float(surely) for fault, surely in zip(row.faults, row.detection, strict=True)}
        weights = {fault: float(np.exp(odds[fault])) for fault in faults}
        return sum(weight * seen.get(fault, 0.0) for fault, weight in weights.items()) / sum(weights.values())

    def mode_of(self, fault: int) -> Mode:
        """Return in which way a fault is one."""
        return self._modes[fault]

    def _faults(self) -> Faults:
        owner: list[int] = []
        prior: list[float] = []
        for number, name in enumerate(self.nodes):
            node = self.index.graph.nodes[name]
            total = node.prior if node.prior is not None else BASE_PRIOR * KIND_ODDS[node.kind]
            if self.index.is_logical(name):
                shares: tuple[tuple[Mode, float], ...] = ((Mode.UNMODELLED, 1.0),)
            else:
                dead = P_DEAD_RECORD if self.index.is_record(name) else P_DEAD[node.kind]
                shares = ((Mode.DEAD, dead), (Mode.SICK, 1.0 - dead))
            for mode, share in shares:
                owner.append(number)
                prior.append(total * share)
                self._modes.append(mode)
        unmodelled = [mode is Mode.UNMODELLED for mode in self._modes]
        return Faults.of(len(self.nodes), owner, prior, unmodelled)

    def _leak(self, check: Check) -> float:
        if depth_of(check.kind) is Depth.STATE:
            return LEAK_STATE
        return LEAK_FULL if check.closure is Closure.FULL and self._needs_processes(check.node) else LEAK_LOCAL

    def _needs_processes(self, node: str) -> bool:
        return any(not self.index.is_physical(need) for need in self.index.needs(node))

    def _about(self, node: int) -> IntArray:
        """Return the checks that see a node: its own, then those of its users, nearest first."""
        found: dict[int, None] = {}
        queue = [self.nodes[node]]
        for name in queue:
            for check in self.index.graph.nodes[name].checks:
                if name == self.nodes[node] or check.closure is not Closure.OWN:
                    found.setdefault(self.question_of[check.id])
            if len(found) >= _MAX_ABOUT:
                break
            known = set(queue)
            queue.extend(user for user in self.index.served_by(name) if user not in known)
        return np.array(list(found)[:_MAX_ABOUT], np.int64)

    def _row_told(self, check: Check, region: str) -> Row:
        """Return the row of a symptom or a sign; many diagnoses are told of the same."""
        key = (check.node, check.kind, check.closure, check.host, check.port, region)
        found = self._rows_told.get(key)
        if found is None:
            if len(self._rows_told) >= _MOST_ROWS_TOLD:
                self._rows_told.clear()
            found = self._rows_told[key] = self._row(check, region)
        return found

    def _row(self, check: Check, region: str = "") -> Row:
        faults: list[int] = []
        detection: list[float] = []
        profile: list[int] = []
        reached = self._reached(check, region)
        who = self._who_answers(check, reached)
        near = self._ways_from(who, local=True) if len(reached) > 1 else {}
        resolves = who == check.node and self.index.is_virtual(who)  # the asking side, not a process behind it
        below_names = self._carries_names(check, reached) if resolves else frozenset()
        for name, way in reached.items():
            reach = self._reach(check, name, near)
            own = name == check.node
            traits = (
                self.index.kind(name),
                self.index.is_naming(name),
                self.index.is_record(name),
                own and check.closure is Closure.LOCAL and self._needs_processes(name),
                name in below_names,
                resolves,
            )
            for fault in self.model.faults_of(self.node_number[name]):
                # What a check shows goes by kinds alone, of which there are few; nodes are many.
                key = (check.kind, own, self._modes[fault], reach, traits)
                met = self._met.get(key)
                if met is None:
                    met = self._meet(check, name, self._modes[fault], reach)
                    if name in below_names:
                        met = met[0], f"below names {self._modes[fault]}"
                    elif met[1] in _OF_NAMES and not resolves and check.kind is not CheckKind.DNS:
                        met = met[0], "names behind it"
                    self._met[key] = met
                seen, shown = met[0] * way.strength, met[1]
                if reach is Reach.NEEDS:
                    seen *= PER_HOP ** max(way.hops - 1, 0)
                if seen >= _WEAKEST:
                    faults.append(fault)
                    detection.append(
                        min(seen, NO_DIALOGUE if self._would_be_dumb(check, name, fault) else DETECTION_CAP)
                    )
                    profile.append(PROFILE_OF[shown])
        return Row.of(faults, detection, profile)

    def _who_answers(self, check: Check, reached: Container[str]) -> str:
        """Return the node that a check talks to: of a virtual node the one that is asked itself at the same place.

        Users' transactions that a beacon does are answered by the beacon, whatever they meet behind it.
        """
        if not self.index.is_virtual(check.node):
            return check.node
        found = [name for name in self._answering.get((check.host, check.port), ()) if name in reached]
        return found[0] if len(found) == 1 else check.node

    def _carries_names(self, check: Check, reached: Iterable[str]) -> frozenset[str]:
        """Return what the name service stands on that a check asks first: without it there is no name to go to."""
        if check.kind is CheckKind.DNS or check.closure is not Closure.FULL:
            return frozenset()
        asked = tuple(name for name in reached if self.index.is_naming(name))
        found = self._below_names.get(asked)
        if found is None:
            below = {name for one in asked for name in self.index.needs_closure(one)}
            found = self._below_names[asked] = frozenset(name for name in below if self.index.is_physical(name))
        return found

    def _reached(self, check: Check, region: str) -> dict[str, _Way]:
        if check.closure is Closure.OWN:
            found = {check.node: _Way(1.0, 0)}
        else:
            found = dict(self._ways_from(check.node, local=check.closure is Closure.LOCAL))
        users = self.index.user_node(region) if region else None
        if users is not None:
            for name, way in self._ways_from(users, local=False).items():
                if name not in found or found[name].strength < way.strength:
                    found[name] = way
        return found

    def _would_be_dumb(self, check: Check, name: str, fault: int) -> bool:
        """Tell whether a check is a dialogue with the very node, which such a fault would not let speak."""
        return name == check.node and self._modes[fault] is Mode.DEAD and depth_of(check.kind) is Depth.DIALOGUE

    def _reach(self, check: Check, name: str, near: dict[str, _Way]) -> Reach:
        if name == check.node:
            return Reach.OWN
        if name in near:
            return Reach.RUNS_ON if self.index.is_physical(name) else Reach.OWN  # stands in for a virtual node
        return Reach.NEEDS

    def _meet(self, check: Check, name: str, mode: Mode, reach: Reach) -> tuple[float, str]:
        """Return how surely the check finds this fault where it is next to it, and the profile of errors it shows."""
        depth = depth_of(check.kind)
        physical = self.index.is_physical(name)
        partial = name == check.node and check.closure is Closure.LOCAL and self._needs_processes(name)
        seen = detection_of(check.kind, depth, mode, reach, physical=physical, partial=partial)
        if mode is Mode.SICK and self._is_system(name):
            seen = SYSTEM_STATE if depth is Depth.STATE else min(seen, SYSTEM_SHOWS)
        return seen, self._profile(check, name, mode, reach, depth)

    @staticmethod
    def _profile_of_names(check: Check, mode: Mode, *, is_record: bool) -> str:
        if check.kind is CheckKind.DNS:
            return f"record {mode}" if is_record else f"names {mode}"
        return "through a wrong record" if is_record and mode is Mode.SICK else "through names"

    def _is_system(self, name: str) -> bool:
        return self.index.kind(name) is NodeKind.OS

    def _runs_out(self, name: str, mode: Mode, depth: Depth) -> bool:
        return mode is Mode.SICK and depth is Depth.DIALOGUE and self._is_system(name)

    def _profile(self, check: Check, name: str, mode: Mode, reach: Reach, depth: Depth) -> str:
        if mode is Mode.UNMODELLED:
            return "unmodelled"
        if depth is Depth.STATE or check.closure is Closure.OWN:
            return f"state {mode}"
        if self.index.is_physical(name) and reach is not Reach.NEEDS and not self._runs_out(name, mode, depth):
            # Who answers for a business may be well and say what it could not reach over the same way.
            return f"way {mode}" if depth is Depth.DIALOGUE and self.index.is_logical(check.node) else f"runs-on {mode}"
        if self.index.is_naming(name) and (check.kind is CheckKind.DNS or name != check.node):
            return self._profile_of_names(check, mode, is_record=self.index.is_record(name))
        if self._runs_out(name, mode, depth):
            return "system"
        return f"process {mode}" if reach is Reach.OWN else f"needs {mode}"

    def _ways_from(self, start: str, *, local: bool) -> dict[str, _Way]:
        """Return the surest way to every node below, nearest first; local: through what processes run on only."""
        key = (start, local)
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = dict(self._walk(start, local=local))
        return found

    def _walk(self, start: str, *, local: bool) -> Iterable[tuple[str, _Way]]:
        done: set[str] = set()
        heap: list[tuple[float, int, int, str]] = [(-1.0, 0, 0, start)]
        count = 0
        while heap:
            strength, hops, _, name = heappop(heap)
            if name in done:
                continue
            done.add(name)
            yield name, _Way(-strength, hops)
            for need, edge in zip(self.index.needs(name), self._edges(name), strict=True):
                if need in done or (local and not self._stands_on(start, name, need)):
                    continue
                if -strength * edge >= _WEAKEST:
                    count += 1
                    heappush(heap, (strength * edge, hops + 1, count, need))

    def _stands_on(self, start: str, name: str, need: str) -> bool:
        """Tell whether the way from `start` through what it runs on goes on from a node to something that it needs.

        A network may be the way from one server to another, and need them both. Those who ask a process do not take
        its way to another server, and nobody who comes by a network runs on the servers behind it.
        """
        if self.index.is_virtual(name):
            return True
        kind, below = self.index.kind(name), self.index.kind(need)
        if kind is NodeKind.NETWORK and below in _SERVERS:
            return name == start
        if below is NodeKind.NETWORK and not self.index.is_physical(name):
            return not any(self.index.kind(end) in _SERVERS for end in self.index.needs(need))
        return self.index.is_physical(need)

    def _edges(self, name: str) -> Sequence[float]:
        found = self._strengths.get(name)
        if found is None:
            node = self.index.graph.nodes[name]
            found = self._strengths[name] = tuple(need_strength(node, need) for need in node.needs)
        return found
