"""Capsule: everything that a diagnosis was made from, so that it can be made again and come out the same.

It holds the state of the engine at a moment when no diagnosis was running, and every event from then on to the
verdict, in order and with its time. The engine reads no clock and rolls no dice, so the same capsule gives the same
verdict; where it does not, the program has changed its mind, and the capsule is the test that says so.
"""

from dataclasses import dataclass, replace

from btimd.model.probe import ProbeResult
from btimd.model.service import ServiceGraph
from btimd.model.sign import Change, Sign
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict
from btimd.rca.events import EngineOptions, Event
from btimd.rca.known import Known

CAPSULE_VERSION = 1


@dataclass(frozen=True, slots=True)
class EngineState:
    """An engine at a moment when no diagnosis was running.

    answers, signs, changes, failed: what is remembered. known: verdicts whose trouble is not over. waiting: symptoms
    that have no diagnosis yet.
    """

    options: EngineOptions
    next_probe_id: int
    next_diagnosis: int
    answers: tuple[ProbeResult, ...] = ()
    signs: tuple[Sign, ...] = ()
    changes: tuple[Change, ...] = ()
    failed: tuple[tuple[str, UnixSeconds], ...] = ()
    known: tuple[Known, ...] = ()
    waiting: tuple[Symptom, ...] = ()


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event as the engine got it."""

    at: UnixSeconds
    event: Event


@dataclass(frozen=True, slots=True)
class Capsule:
    """One diagnosis to be looked at and made again.

    program: version of btimd that made it. model: hash of the graph, the same for all capsules of one configuration.
    complete: False where more happened than is kept, so that it cannot be made again.
    """

    version: int
    program: str
    model: str
    graph: ServiceGraph
    state: EngineState
    events: tuple[TimedEvent, ...]
    verdict: Verdict
    complete: bool = True


def copied(known: Known) -> Known:
    """Return a verdict in force as it is now; the engine goes on changing its own."""
    verification = known.verification
    if verification is not None:
        verification = replace(
            verification,
            waiting=dict(verification.waiting),
            good=set(verification.good),
            unanswered=set(verification.unanswered),
        )
    return replace(known, symptoms=dict(known.symptoms), verification=verification)
