"""Ways of looking that people use: walking down the dependencies, and halving what is left.

Neither weighs evidence: an answer is taken for true. They are here as what a better way is measured against, and are
made as well as their idea allows.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from typing_extensions import override

from btimd.rca.reach import Reach
from btimd.rca.simulate import BAD, UNKNOWN, Answer, Ask, Case, Policy, SimulationOptions
from btimd.rca.world import World

_SEEN_WELL: Final = 0.5
"""A good answer clears what the probe would have seen at least this surely."""

_HALVING_POOL: Final = 400
_BLIND_STEPS: Final = 1


class _Asked:
    """Asks each probe once and never more than may be asked."""

    def __init__(self, ask: Ask, limit: int) -> None:
        self._ask = ask
        self._limit = limit
        self.known: dict[int, int] = {}

    def learn(self, probes: Sequence[int]) -> None:
        """Ask what is not known, as far as the limit goes."""
        new = [probe for probe in dict.fromkeys(probes) if probe not in self.known][: self._limit - len(self.known)]
        if new:
            self.known.update(zip(new, self._ask(new).tolist(), strict=True))

    @property
    def is_spent(self) -> bool:
        """Tell whether nothing more may be asked."""
        return len(self.known) >= self._limit


class _OnPaper:
    """What both ways know of a world."""

    def __init__(self, world: World, options: SimulationOptions, _rng: np.random.Generator) -> None:
        self._world = world
        self._options = options
        self._reach = Reach(world)
        self._probes_of: dict[int, list[int]] = {}
        for probe, node in enumerate(world.probes.node.tolist()):
            self._probes_of.setdefault(node, []).append(probe)

    def _answer(self, ranked: Sequence[int], found: Sequence[int], confidence: float) -> Answer:
        return Answer(tuple(ranked), tuple(found), confidence, confidence / max(len(found), 1))

    def _suspect_starts(self, case: Case) -> list[int]:
        """Return where to begin: of the needs of a bad indicator the one most of whose indicators are bad."""
        indicators = self._world.indicators
        bad: Counter[int] = Counter()
        for symptom in case.symptoms.tolist():
            bad.update(indicators.needs_of(symptom).tolist())
        watched = Counter(need for need in indicators.need.tolist() if need in bad)
        starts: Counter[int] = Counter()
        for symptom in case.symptoms.tolist():
            needs = indicators.needs_of(symptom).tolist()
            shares = {need: (bad[need] / watched[need], bad[need]) for need in needs}
            starts.update(need for need in needs if shares[need] == max(shares.values()))
        return [node for node, _ in starts.most_common()]


class _Step(NamedTuple):
    """How a walk came to a node: steps since the last bad node, and that node."""

    blind: int
    origin: int


class TopDown(_OnPaper, Policy):
    """Walks from what is bad to what it needs and is bad too, and ends where all needs are good.

    Every node is asked twice at most: end to end, and for itself by what sees it best. Where nothing that a bad node
    needs is bad, or can be asked, the walk looks one step past it: what is redundant hides what is below.
    """

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Walk."""
        asked = _Asked(ask, self._options.max_probes)
        starts = self._suspect_starts(case)
        ends: Counter[int] = Counter()
        bad_nodes: dict[int, int] = {}
        seen = set(starts)
        front = {node: _Step(0, node) for node in starts}
        depth = 0
        while front:
            depth += 1
            needs = {node: self._reach.needs(node) for node in front}
            self._learn_in_rounds(asked, [need for one in needs.values() for need in one])
            following: dict[int, _Step] = {}
            for node, step in front.items():
                broken = [need for need in needs[node] if self._is_bad(asked, need)]
                bad_nodes.update(dict.fromkeys(broken, depth))
                if broken:
                    ends.pop(step.origin, None)
                    following.update((need, _Step(0, need)) for need in broken)
                    continue
                if not step.blind:
                    ends[node] += 1
                for need in needs[node]:
                    if step.blind < _BLIND_STEPS:
                        following.setdefault(need, _Step(step.blind + 1, step.origin))
            front = {node: step for node, step in following.items() if node not in seen}
            seen.update(front)
        found = [node for node, _ in ends.most_common() if self._is_confirmed(asked, node)] or list(ends)
        rest = sorted(set(bad_nodes) - set(found), key=lambda node: (-bad_nodes[node], node))
        return self._answer([*found, *rest], found, 1.0 / max(len(found), 1))

    def _learn_in_rounds(self, asked: _Asked, nodes: Sequence[int]) -> None:
        probes = [probe for node in dict.fromkeys(nodes) for probe in self._best(node)]
        new = [probe for probe in probes if probe not in asked.known]
        size = self._options.batch
        for first in range(0, len(new), size):
            asked.learn(new[first : first + size])

    def _best(self, node: int) -> list[int]:
        """Return the end-to-end probe and the one for the node itself that see most, where there are such."""
        probes, mine = self._world.probes, self._probes_of.get(node, [])
        best = []
        for end_to_end in (True, False):
            some = [probe for probe in mine if bool(probes.end_to_end[probe]) == end_to_end]
            if some:
                best.append(max(some, key=lambda probe: (float(probes.detects[probe]), -float(probes.cost[probe]))))
        return best

    def _is_bad(self, asked: _Asked, node: int) -> bool | None:
        """Tell whether a node is bad, None where no answer came."""
        states = [asked.known[probe] for probe in self._best(node) if asked.known.get(probe, UNKNOWN) != UNKNOWN]
        return any(state == BAD for state in states) if states else None

    def _is_confirmed(self, asked: _Asked, node: int) -> bool:
        """Tell whether another probe of the node, if there is one, is bad as well."""
        others = [probe for probe in self._probes_of.get(node, []) if probe not in asked.known]
        asked.learn(others[:1])
        states = [asked.known[probe] for probe in self._probes_of.get(node, []) if probe in asked.known]
        return states.count(BAD) > len(states) / 2 or not states


class Bisection(_OnPaper, Policy):
    """Asks what halves the suspects, one probe after the other, and strikes out the half that is cleared.

    The suspects are what all bad indicators have in common, weighed by how often such nodes fail.
    """

    @override
    def run(self, case: Case, ask: Ask) -> Answer:
        """Halve."""
        asked = _Asked(ask, self._options.max_probes)
        suspects = self._suspects(case)
        while len(suspects) > 1 and not asked.is_spent:
            probe, seen = self._halving(suspects, asked)
            if probe < 0:
                break
            asked.learn([probe])
            if asked.known[probe] == BAD:
                suspects = {node: weight for node, weight in suspects.items() if node in seen}
            elif asked.known[probe] != UNKNOWN:
                suspects = {node: weight for node, weight in suspects.items() if seen.get(node, 0.0) < _SEEN_WELL}
        ranked = sorted(suspects, key=lambda node: (-suspects[node], node))
        total = sum(suspects.values())
        sure = suspects[ranked[0]] / total if total else 0.0
        return self._answer(ranked, ranked[:1], sure)

    def _suspects(self, case: Case) -> dict[int, float]:
        """Return node -> prior of what most bad indicators have in common."""
        votes: Counter[int] = Counter()
        for symptom in case.symptoms.tolist():
            votes.update(node for node in self._reach.of_indicator(symptom))
        most = max(votes.values(), default=0)
        prior = self._world.prior
        return {node: float(prior[node]) for node in sorted(votes) if votes[node] == most}

    def _halving(self, suspects: dict[int, float], asked: _Asked) -> tuple[int, dict[int, float]]:
        """Return the probe that halves best and what it sees, -1 where none tells the suspects apart."""
        total = sum(suspects.values())
        best, best_seen, best_distance = -1, {}, 0.5  # type: tuple[int, dict[int, float], float]
        for probe in self._pool(suspects):
            if probe in asked.known:
                continue
            seen = self._reach.of_probe(probe)
            share = sum(suspects[node] for node, chance in seen.items() if chance >= _SEEN_WELL and node in suspects)
            distance = abs(share / total - 0.5) if total else 0.5
            if distance < best_distance - 1e-12:
                best, best_seen, best_distance = probe, seen, distance
        return best, best_seen

    def _pool(self, suspects: dict[int, float]) -> list[int]:
        """Return the probes that stand on the suspects, those of the likeliest first."""
        order = sorted(suspects, key=lambda node: (-suspects[node], node))
        return [probe for node in order for probe in self._probes_of.get(node, [])][:_HALVING_POOL]
