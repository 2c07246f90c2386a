"""What an answer says about a cause: the likelihood of every outcome of every check under every hypothesis.

A hypothesis is one node in one mode: DEAD (it is not there: refuses, never answers, cannot be reached) or SICK (it is
there and works badly: accepts and hangs, is slow, answers wrongly). The two modes make the shallow checks weigh
right: a TCP connect finds most dead processes and few sick ones, together about 0.6.

The model is a robust noisy-OR: every check fails with a small leak although nothing it needs is broken, and no good
answer costs a hypothesis more than a factor of 0.04, because graphs are incomplete and faults come and go.
Which error came back is evidence too: REFUSED says that a host is up and a process is not, NAME_ERROR points to the
name service, WRONG_ANSWER says that the asked process itself still talks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check, CheckKind, NodeKind
from btimd.model.units import UnixSeconds
from btimd.rca.graph import GraphIndex

FloatArray = npt.NDArray[np.float64]

ERRORS: Final = (
    ErrorClass.REFUSED,
    ErrorClass.TIMEOUT,
    ErrorClass.UNREACHABLE,
    ErrorClass.RESET,
    ErrorClass.NO_ANSWER,
    ErrorClass.SLOW,
    ErrorClass.WRONG_ANSWER,
    ErrorClass.NAME_ERROR,
    ErrorClass.PROTOCOL_ERROR,
)
"""The errors that tell something of the target; the others tell of the asking side."""

GOOD_OUTCOME: Final = 0
OUTCOMES: Final = 1 + len(ERRORS)
_OUTCOME_OF: Final = {
    **{error: 1 + position for position, error in enumerate(ERRORS)},
    # Users who stay away tell of trouble as little of its kind as those who wait.
    ErrorClass.UNUSUAL: 1 + ERRORS.index(ErrorClass.SLOW),
}

BASE_PRIOR: Final = 2e-4
KIND_ODDS: Final[Mapping[NodeKind, float]] = {
    NodeKind.BUSINESS: 0.5,
    NodeKind.USER: 0.2,
    NodeKind.NETWORK: 1.0,
    NodeKind.APPLICATION: 3.0,
    NodeKind.MIDDLEWARE: 2.0,
    NodeKind.DATABASE: 2.0,
    NodeKind.SHARED: 1.5,
    NodeKind.OS: 1.0,
    NodeKind.HOST: 1.0,
    NodeKind.FACILITY: 0.2,
}
"""How often a kind fails, relative to a host. A node's own `prior` overrides it."""

LEAK_FULL: Final = 0.03
LEAK_LOCAL: Final = 0.012
LEAK_SYMPTOM: Final = 0.005
"""A symptom was bad several times before it was raised, so it is a false alarm less often than one answer."""

DETECTION_CAP: Final = 0.96
"""One good answer costs a hypothesis at most the factor 1 - 0.96 = 0.04."""


class Mode(StrEnum):
    """How a node fails."""

    DEAD = "dead"
    SICK = "sick"


class _Reach(StrEnum):
    """How a check meets a hypothesis."""

    OUTSIDE = "outside"
    OWN = "own"
    RUNS_ON = "runs-on"
    NEEDS = "needs"


class _Depth(StrEnum):
    """How far into its target a check looks."""

    ECHO = "echo"
    CONNECT = "connect"
    DIALOGUE = "dialogue"


SHALLOW_KINDS: Final = frozenset({CheckKind.ICMP, CheckKind.TCP})
"""Checks that end before their target has said anything of its own."""

_DEPTHS: Final = {CheckKind.ICMP: _Depth.ECHO, CheckKind.TCP: _Depth.CONNECT}

_OWN_PROCESS: Final[Mapping[tuple[Mode, _Depth], float]] = {
    (Mode.DEAD, _Depth.ECHO): 0.05,
    (Mode.DEAD, _Depth.CONNECT): 0.96,
    (Mode.DEAD, _Depth.DIALOGUE): 0.96,
    (Mode.SICK, _Depth.ECHO): 0.02,
    (Mode.SICK, _Depth.CONNECT): 0.15,
    (Mode.SICK, _Depth.DIALOGUE): 0.95,
}
_PHYSICAL: Final[Mapping[tuple[Mode, _Depth], float]] = {
    (Mode.DEAD, _Depth.ECHO): 0.96,
    (Mode.DEAD, _Depth.CONNECT): 0.96,
    (Mode.DEAD, _Depth.DIALOGUE): 0.96,
    (Mode.SICK, _Depth.ECHO): 0.30,
    (Mode.SICK, _Depth.CONNECT): 0.35,
    (Mode.SICK, _Depth.DIALOGUE): 0.70,
}
_THROUGH_NEEDS: Final = {Mode.DEAD: 0.94, Mode.SICK: 0.90}
_PER_HOP: Final = 0.98
_SHALLOW_THROUGH_NEEDS: Final = 0.3
_UNMODELLED_DETECTION: Final = 0.90

_P_DEAD: Final[Mapping[NodeKind, float]] = {
    NodeKind.NETWORK: 0.80,
    NodeKind.APPLICATION: 0.45,
    NodeKind.MIDDLEWARE: 0.60,
    NodeKind.DATABASE: 0.60,
    NodeKind.SHARED: 0.70,
    NodeKind.OS: 0.80,
    NodeKind.HOST: 0.80,
    NodeKind.FACILITY: 0.90,
}
"""Share of a kind's faults that are plain; applications fail by answering wrongly more often than hosts do."""

_P_DEAD_RECORD: Final = 0.90

_E = ErrorClass
_PROFILES: Final[Mapping[str, Mapping[ErrorClass, float]]] = {
    "process dead": {_E.REFUSED: 70, _E.TIMEOUT: 10, _E.RESET: 6, _E.NO_ANSWER: 3, _E.WRONG_ANSWER: 3,
                     _E.UNREACHABLE: 2, _E.PROTOCOL_ERROR: 2},
    "process sick": {_E.NO_ANSWER: 30, _E.WRONG_ANSWER: 28, _E.SLOW: 22, _E.TIMEOUT: 8, _E.RESET: 6,
                     _E.PROTOCOL_ERROR: 6},
    "runs-on dead": {_E.TIMEOUT: 50, _E.UNREACHABLE: 30, _E.REFUSED: 14, _E.NO_ANSWER: 4},
    "runs-on sick": {_E.SLOW: 35, _E.TIMEOUT: 30, _E.NO_ANSWER: 15, _E.UNREACHABLE: 8, _E.RESET: 5},
    "needs dead": {_E.WRONG_ANSWER: 60, _E.NO_ANSWER: 12, _E.TIMEOUT: 6, _E.SLOW: 6, _E.RESET: 4,
                   _E.PROTOCOL_ERROR: 4, _E.REFUSED: 3},
    "needs sick": {_E.NO_ANSWER: 30, _E.SLOW: 30, _E.WRONG_ANSWER: 25, _E.TIMEOUT: 8, _E.RESET: 3,
                   _E.PROTOCOL_ERROR: 2, _E.REFUSED: 1},
    "names dead": {_E.TIMEOUT: 40, _E.REFUSED: 25, _E.NO_ANSWER: 25, _E.UNREACHABLE: 5},
    "names sick": {_E.NAME_ERROR: 30, _E.WRONG_ANSWER: 25, _E.PROTOCOL_ERROR: 15, _E.NO_ANSWER: 15, _E.SLOW: 10},
    "record": {_E.NAME_ERROR: 70, _E.WRONG_ANSWER: 25},
    "through names": {_E.NAME_ERROR: 80, _E.WRONG_ANSWER: 5, _E.TIMEOUT: 5, _E.NO_ANSWER: 4, _E.SLOW: 4},
    "unmodelled": {_E.WRONG_ANSWER: 25, _E.NO_ANSWER: 12, _E.SLOW: 12, _E.NAME_ERROR: 12, _E.TIMEOUT: 12,
                   _E.REFUSED: 8, _E.PROTOCOL_ERROR: 8, _E.RESET: 6, _E.UNREACHABLE: 5},
    "leak": {},
}  # fmt: skip
"""Which errors a fault shows, in per cent by rough experience; what is left is spread evenly over all errors."""


def _distribution(profile: Mapping[ErrorClass, float]) -> FloatArray:
    rest = max(100.0 - sum(profile.values()), 1.0) / len(ERRORS)
    weights = np.array([profile.get(error, 0.0) + rest for error in ERRORS])
    return np.asarray(weights / weights.sum(), np.float64)


_ERROR_GIVEN_BAD: Final = {name: _distribution(profile) for name, profile in _PROFILES.items()}


@dataclass(frozen=True, slots=True)
class Observation:
    """An answer as evidence. weight: 1 = full, less for an answer that has grown old. symptom: it was debounced."""

    check: Check
    health: Health
    error: ErrorClass
    at: UnixSeconds
    weight: float = 1.0
    symptom: bool = False

    @property
    def outcome(self) -> int | None:
        """Column of the outcome table, None where the answer is no evidence."""
        if self.health is Health.UNKNOWN:
            return None
        return GOOD_OUTCOME if self.health is Health.GOOD else _OUTCOME_OF.get(self.error)


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """What may be the cause: h hypotheses over c candidate nodes.

    node_of: int64[h], index into nodes. mode: one per hypothesis. log_prior: float64[h], not normalised.
    """

    nodes: tuple[str, ...]
    node_of: npt.NDArray[np.int64]
    modes: tuple[Mode, ...]
    log_prior: FloatArray

    @classmethod
    def of(cls, index: GraphIndex, nodes: Sequence[str]) -> "Hypotheses":
        """Return both modes of every node; a logical node has one, for what the graph does not know."""
        node_of: list[int] = []
        modes: list[Mode] = []
        prior: list[float] = []
        for position, name in enumerate(nodes):
            node = index.graph.nodes[name]
            total = node.prior if node.prior is not None else BASE_PRIOR * KIND_ODDS[node.kind]
            for mode, share in _mode_shares(index, name):
                node_of.append(position)
                modes.append(mode)
                prior.append(max(total * share, 1e-12))
        return cls(tuple(nodes), np.array(node_of, np.int64), tuple(modes), np.log(np.array(prior, np.float64)))

    def by_node(self, weights: FloatArray) -> FloatArray:
        """Return the sum over the modes of each node: float64[c] of float64[h]."""
        return np.bincount(self.node_of, weights=weights, minlength=len(self.nodes)).astype(np.float64)


def _mode_shares(index: GraphIndex, node: str) -> tuple[tuple[Mode, float], ...]:
    if index.is_logical(node):
        return ((Mode.SICK, 1.0),)
    dead = _P_DEAD_RECORD if index.is_record(node) else _P_DEAD[index.kind(node)]
    return (Mode.DEAD, dead), (Mode.SICK, 1.0 - dead)


class EvidenceModel:
    """Likelihoods of a set of hypotheses; tables per check are made once and kept."""

    def __init__(self, index: GraphIndex, hypotheses: Hypotheses) -> None:
        self.index = index
        self.hypotheses = hypotheses
        self._tables: dict[tuple[str, bool], FloatArray] = {}
        self._rows: dict[str, list[int]] = {}
        for row, node in enumerate(hypotheses.node_of):
            self._rows.setdefault(hypotheses.nodes[node], []).append(row)

    def table(self, check: Check, *, symptom: bool = False) -> FloatArray:
        """Return P(outcome | hypothesis) of a check: float64[h, OUTCOMES], rows sum to 1, column 0 is GOOD."""
        key = (check.id, symptom)
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = self._make_table(check, symptom=symptom)
        return found

    def _make_table(self, check: Check, *, symptom: bool) -> FloatArray:
        closure = self.index.closure_of(check)
        inside = frozenset(closure)
        runs_on = frozenset(self.index.local_closure(check.node))
        leak = LEAK_SYMPTOM if symptom else LEAK_FULL if len(closure) > len(runs_on) else LEAK_LOCAL
        outside = np.empty(OUTCOMES)
        outside[1:] = leak * _ERROR_GIVEN_BAD["leak"]
        outside[GOOD_OUTCOME] = 1.0 - leak
        table = np.tile(outside, (len(self.hypotheses.modes), 1))
        for cause in closure:
            for row in self._rows.get(cause, ()):
                mode = self.hypotheses.modes[row]
                detection, profile = self._meet(check, cause, mode, inside=inside, runs_on=runs_on)
                detection = min(detection, DETECTION_CAP)
                bad = detection * _ERROR_GIVEN_BAD[profile] + (1.0 - detection) * leak * _ERROR_GIVEN_BAD["leak"]
                table[row, 1:] = bad
                table[row, GOOD_OUTCOME] = 1.0 - bad.sum()
        return table

    def _reach(self, check: Check, cause: str, *, inside: frozenset[str], runs_on: frozenset[str]) -> _Reach:
        if cause not in inside:
            return _Reach.OUTSIDE
        if cause == check.node:
            return _Reach.OWN
        if cause not in runs_on:
            return _Reach.NEEDS
        return _Reach.RUNS_ON if self.index.is_physical(cause) else _Reach.OWN  # stands in for a virtual node

    def _meet(
        self, check: Check, cause: str, mode: Mode, *, inside: frozenset[str], runs_on: frozenset[str]
    ) -> tuple[float, str]:
        """Return how surely the check finds this fault, and the profile of errors that it then shows."""
        reach = self._reach(check, cause, inside=inside, runs_on=runs_on)
        if reach is _Reach.OUTSIDE:
            return 0.0, "leak"
        depth = _DEPTHS.get(check.kind, _Depth.DIALOGUE)
        if self.index.is_logical(cause):
            through = 1.0 if cause == check.node else _THROUGH_NEEDS[mode]
            return _UNMODELLED_DETECTION * through, "unmodelled"
        if self.index.is_physical(cause) and reach is not _Reach.NEEDS:
            return _PHYSICAL[mode, depth], f"runs-on {mode}"
        if self.index.is_naming(cause) and (check.kind is CheckKind.DNS or cause != check.node):
            return self._meet_names(check, cause, mode, depth)
        if reach is _Reach.OWN:
            return _OWN_PROCESS[mode, depth], f"process {mode}"
        return self._through_needs(check, cause, mode, depth), f"needs {mode}"

    def _meet_names(self, check: Check, cause: str, mode: Mode, depth: _Depth) -> tuple[float, str]:
        if check.kind is not CheckKind.DNS:
            return self._through_needs(check, cause, mode, depth), "through names"
        return _OWN_PROCESS[mode, depth], "record" if self.index.is_record(cause) else f"names {mode}"

    def _through_needs(self, check: Check, cause: str, mode: Mode, depth: _Depth) -> float:
        hops = self.index.distance(check.node, cause) or 1
        seen = _THROUGH_NEEDS[mode] * _PER_HOP ** (hops - 1)
        return seen if depth is _Depth.DIALOGUE else seen * _SHALLOW_THROUGH_NEEDS

    def log_likelihood(self, observation: Observation) -> FloatArray | None:
        """Return log P(answer | hypothesis) times its weight: float64[h]; None where it is no evidence."""
        if observation.health is Health.UNKNOWN:
            return None
        table = self.table(observation.check, symptom=observation.symptom)
        outcome = observation.outcome
        likelihood = 1.0 - table[:, GOOD_OUTCOME] if outcome is None else table[:, outcome]
        return np.asarray(observation.weight * np.log(np.maximum(likelihood, 1e-12)), np.float64)

    def log_posterior(self, observations: Iterable[Observation]) -> FloatArray:
        """Return the unnormalised log posterior of every hypothesis: float64[h]."""
        total = self.hypotheses.log_prior.copy()
        for observation in observations:
            part = self.log_likelihood(observation)
            if part is not None:
                total += part
        return total

    def posterior(self, observations: Iterable[Observation]) -> FloatArray:
        """Return the probability of every hypothesis: float64[h], sum 1."""
        return normalised(self.log_posterior(observations))


def normalised(log_weights: FloatArray) -> FloatArray:
    """Return weights that sum to 1 from their logarithms."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.sum(), np.float64)
