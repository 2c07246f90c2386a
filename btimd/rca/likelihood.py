"""How surely a check finds a fault, and which error it then shows: the experience that the diagnosis starts from.

A fault is a node in a mode: DEAD (it is not there: refuses, never answers, cannot be reached), SICK (it is there and
works badly: accepts and hangs, is slow, answers wrongly) or UNMODELLED (it suffers from something that the graph does
not hold). The modes make the shallow checks weigh right: a TCP connect finds most dead processes and few sick ones.
Which error came back is evidence too: REFUSED says that a host is up and a process is not, NAME_ERROR points to the
name service, WRONG_ANSWER says that the asked process itself still talks.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind, Depth, NodeKind
from btimd.rca.faultmodel import BAD, GOOD

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
    ErrorClass.EXCEEDED,
    ErrorClass.CERTIFICATE,
)
"""The errors that tell something of the target; the others tell of the asking side."""

_FIRST_ERROR: Final = 2
_OUTCOME_OF: Final[Mapping[ErrorClass, int]] = MappingProxyType({
    **{error: _FIRST_ERROR + position for position, error in enumerate(ERRORS)},
    # Users who stay away tell of trouble as little of its kind as those who wait.
    ErrorClass.UNUSUAL: _FIRST_ERROR + ERRORS.index(ErrorClass.SLOW),
})  # fmt: skip


def outcome_of(health: Health, error: ErrorClass) -> int | None:
    """Return the outcome as the solver counts it, None where the answer is no evidence."""
    if health is Health.UNKNOWN:
        return None
    return GOOD if health is Health.GOOD else _OUTCOME_OF.get(error, BAD)


class Mode(StrEnum):
    """How a node fails."""

    DEAD = "dead"
    SICK = "sick"
    UNMODELLED = "unmodelled"


class Reach(StrEnum):
    """How a check meets a fault."""

    OWN = "own"
    RUNS_ON = "runs-on"
    NEEDS = "needs"


BASE_PRIOR: Final = 2e-4
KIND_ODDS: Final[Mapping[NodeKind, float]] = MappingProxyType({
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
})  # fmt: skip
"""How often a kind fails, relative to a host. A node's own `prior` overrides it."""

P_DEAD: Final[Mapping[NodeKind, float]] = MappingProxyType({
    NodeKind.NETWORK: 0.80,
    NodeKind.APPLICATION: 0.45,
    NodeKind.MIDDLEWARE: 0.60,
    NodeKind.DATABASE: 0.60,
    NodeKind.SHARED: 0.70,
    NodeKind.OS: 0.30,
    NodeKind.HOST: 0.80,
    NodeKind.FACILITY: 0.90,
})  # fmt: skip
"""Share of a kind's faults that are plain; applications fail by answering wrongly more often than hosts do,
and a system whose host is up mostly runs out of something: room, memory, processors."""

P_DEAD_RECORD: Final = 0.75
"""The other records are there and lead elsewhere."""

LEAK_FULL: Final = 0.03
LEAK_LOCAL: Final = 0.012
LEAK_STATE: Final = 0.002
"""An agent's figure that is beyond its limit is hardly ever wrong."""
LEAK_SYMPTOM: Final = 1e-5
"""A symptom was bad several times before it was raised: that nothing is behind it is less likely than any fault."""

NO_DIALOGUE: Final = 0.99
"""How surely a node that is not there holds no dialogue of its own: a good one says more than any other answer."""
OWN_PROCESS: Final[Mapping[tuple[Mode, Depth], float]] = MappingProxyType({
    (Mode.DEAD, Depth.ECHO): 0.05,
    (Mode.DEAD, Depth.CONNECT): 0.96,
    (Mode.DEAD, Depth.DIALOGUE): NO_DIALOGUE,
    (Mode.DEAD, Depth.STATE): 0.60,
    (Mode.SICK, Depth.ECHO): 0.02,
    (Mode.SICK, Depth.CONNECT): 0.15,
    (Mode.SICK, Depth.DIALOGUE): 0.95,
    (Mode.SICK, Depth.STATE): 0.45,
})  # fmt: skip
PHYSICAL: Final[Mapping[tuple[Mode, Depth], float]] = MappingProxyType({
    (Mode.DEAD, Depth.ECHO): 0.96,
    (Mode.DEAD, Depth.CONNECT): 0.96,
    (Mode.DEAD, Depth.DIALOGUE): 0.96,
    (Mode.DEAD, Depth.STATE): 0.60,
    (Mode.SICK, Depth.ECHO): 0.30,
    (Mode.SICK, Depth.CONNECT): 0.35,
    (Mode.SICK, Depth.DIALOGUE): 0.70,
    (Mode.SICK, Depth.STATE): 0.50,
})  # fmt: skip
LONG_PACKETS: Final = 0.6
"""How surely long packets show what works badly: they meet what echoes meet, and what swallows only them."""
SICK_BY_A_PART: Final = 0.65
"""How surely a node's dialogue shows that it works badly where it leaves out what the node needs: a page that says
"alive" does little of the work that the node is there for."""
SYSTEM_STATE: Final = 0.85
"""How surely a state of a system shows that it has run out of something."""
SYSTEM_SHOWS: Final = 0.35
"""How surely something shows that the system below has run out: those who only read do not notice a full disk."""
THROUGH_NEEDS: Final[Mapping[Mode, float]] = MappingProxyType({Mode.DEAD: 0.94, Mode.SICK: 0.90, Mode.UNMODELLED: 0.90})
PER_HOP: Final = 0.98
SHALLOW_THROUGH_NEEDS: Final = 0.3
UNMODELLED_DETECTION: Final = 0.90

_E = ErrorClass
_PROFILES: Final[Mapping[str, Mapping[ErrorClass, float]]] = MappingProxyType({
    # Nobody speaks of a limit or of a certificate by mistake.
    "leak": {error: 26 / 3 for error in ERRORS if error not in {_E.EXCEEDED, _E.CERTIFICATE}},
    "process dead": {_E.REFUSED: 70, _E.TIMEOUT: 10, _E.RESET: 6, _E.NO_ANSWER: 3, _E.WRONG_ANSWER: 3,
                     _E.UNREACHABLE: 2, _E.PROTOCOL_ERROR: 2},
    "process sick": {_E.NO_ANSWER: 28, _E.WRONG_ANSWER: 30, _E.SLOW: 18, _E.TIMEOUT: 5, _E.RESET: 3,
                     _E.PROTOCOL_ERROR: 2, _E.EXCEEDED: 10, _E.CERTIFICATE: 3},
    "runs-on dead": {_E.TIMEOUT: 50, _E.UNREACHABLE: 30, _E.REFUSED: 14, _E.NO_ANSWER: 4},
    "runs-on sick": {_E.SLOW: 33, _E.TIMEOUT: 30, _E.NO_ANSWER: 15, _E.UNREACHABLE: 8, _E.RESET: 5, _E.EXCEEDED: 3},
    "way dead": {_E.TIMEOUT: 42, _E.UNREACHABLE: 25, _E.WRONG_ANSWER: 12, _E.REFUSED: 11, _E.NO_ANSWER: 4},
    "way sick": {_E.SLOW: 28, _E.TIMEOUT: 24, _E.WRONG_ANSWER: 15, _E.NO_ANSWER: 13, _E.UNREACHABLE: 6, _E.RESET: 4,
                 _E.EXCEEDED: 2},
    "needs dead": {_E.WRONG_ANSWER: 38, _E.NO_ANSWER: 13, _E.TIMEOUT: 8, _E.SLOW: 9, _E.RESET: 8,
                   _E.PROTOCOL_ERROR: 7, _E.REFUSED: 5},
    "needs sick": {_E.NO_ANSWER: 26, _E.SLOW: 25, _E.WRONG_ANSWER: 33, _E.TIMEOUT: 5, _E.RESET: 2,
                   _E.EXCEEDED: 8, _E.REFUSED: 1},
    "system": {_E.WRONG_ANSWER: 30, _E.EXCEEDED: 20, _E.NO_ANSWER: 14, _E.SLOW: 14, _E.TIMEOUT: 8, _E.REFUSED: 6,
               _E.RESET: 4},
    "names dead": {_E.TIMEOUT: 40, _E.REFUSED: 25, _E.NO_ANSWER: 25, _E.UNREACHABLE: 5},
    "names sick": {_E.NAME_ERROR: 30, _E.WRONG_ANSWER: 25, _E.PROTOCOL_ERROR: 15, _E.NO_ANSWER: 15, _E.SLOW: 10},
    "record dead": {_E.NAME_ERROR: 85, _E.WRONG_ANSWER: 10},
    "record sick": {_E.WRONG_ANSWER: 85, _E.NAME_ERROR: 8},
    "through a wrong record": {_E.REFUSED: 28, _E.WRONG_ANSWER: 25, _E.TIMEOUT: 18, _E.CERTIFICATE: 8,
                               _E.UNREACHABLE: 6, _E.NO_ANSWER: 6, _E.PROTOCOL_ERROR: 4},
    "through names": {_E.NAME_ERROR: 80, _E.WRONG_ANSWER: 5, _E.TIMEOUT: 5, _E.NO_ANSWER: 4, _E.SLOW: 4},
    "names behind it": {_E.WRONG_ANSWER: 38, _E.NAME_ERROR: 20, _E.NO_ANSWER: 13, _E.SLOW: 10, _E.TIMEOUT: 8},
    "below names dead": {_E.NAME_ERROR: 40, _E.TIMEOUT: 22, _E.UNREACHABLE: 12, _E.WRONG_ANSWER: 12, _E.REFUSED: 5,
                         _E.NO_ANSWER: 5},
    "below names sick": {_E.NAME_ERROR: 20, _E.SLOW: 25, _E.TIMEOUT: 20, _E.NO_ANSWER: 15, _E.WRONG_ANSWER: 8,
                         _E.UNREACHABLE: 4},
    "state dead": {_E.WRONG_ANSWER: 60, _E.EXCEEDED: 20, _E.TIMEOUT: 10},
    "state sick": {_E.EXCEEDED: 75, _E.WRONG_ANSWER: 15, _E.SLOW: 5},
    "unmodelled": {_E.WRONG_ANSWER: 25, _E.NO_ANSWER: 12, _E.SLOW: 12, _E.NAME_ERROR: 12, _E.TIMEOUT: 12,
                   _E.REFUSED: 8, _E.PROTOCOL_ERROR: 8, _E.RESET: 6, _E.UNREACHABLE: 5},
})  # fmt: skip
"""Which errors a fault shows, in per cent by rough experience; what is left is spread evenly over all errors.

The shares are flatter than experience: checks through one another repeat each other's error, and each counts as if it
stood alone.
"""


def _distribution(profile: Mapping[ErrorClass, float]) -> FloatArray:
    rest = max(100.0 - sum(profile.values()), 1.0) / len(ERRORS)
    weights = np.array([profile.get(error, 0.0) + rest for error in ERRORS])
    return np.asarray(weights / weights.sum(), np.float64)


PROFILE_OF: Final[Mapping[str, int]] = MappingProxyType({name: row for row, name in enumerate(_PROFILES)})
"""The row of `PROFILES` by its name; the leak is row 0."""

PROFILES: Final = np.array([_distribution(profile) for profile in _PROFILES.values()])
"""P(error | bad answer that a fault of the profile causes): float64[profiles, ERRORS]."""


def detection_of(
    kind: CheckKind, depth: Depth, mode: Mode, reach: Reach, *, physical: bool, partial: bool = False
) -> float:
    """Return how surely a check of this depth is bad when a fault meets it so; through needs: before the hops count.

    partial: the check leaves out what its node needs.
    """
    if mode is Mode.UNMODELLED:
        return UNMODELLED_DETECTION * (1.0 if reach is Reach.OWN else THROUGH_NEEDS[mode])
    if kind is CheckKind.PROCESS and mode is Mode.DEAD and reach is Reach.OWN:
        return OWN_PROCESS[Mode.DEAD, Depth.CONNECT]
    if physical and reach is not Reach.NEEDS:
        return LONG_PACKETS if kind is CheckKind.MTU and mode is Mode.SICK else PHYSICAL[mode, depth]
    if reach is Reach.OWN:
        return min(OWN_PROCESS[mode, depth], SICK_BY_A_PART if partial and mode is Mode.SICK else 1.0)
    return THROUGH_NEEDS[mode] * (1.0 if depth is Depth.DIALOGUE else SHALLOW_THROUGH_NEEDS)
