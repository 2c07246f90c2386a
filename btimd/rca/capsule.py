"""Capsule: everything that a diagnosis was made from, so that it can be made again and come out the same.

It holds the state of the engine at a moment when no diagnosis was running, and every event from then on to the
verdict, in order and with its time. The engine reads no clock and rolls no dice, so the same capsule gives the same
verdict; where it does not, the program has changed its mind, and the capsule is the test that says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from btimd.model.probe import ProbeResult
from btimd.model.service import ServiceGraph
from btimd.model.sign import Change, Sign
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict
from btimd.rca.events import (
    ChangeSeen,
    EngineOptions,
    GraphSwapped,
    Observed,
    ProbeDone,
    ReportVerdict,
    SignSeen,
    SymptomGone,
    SymptomSeen,
    Tick,
    VerdictExtended,
)
from btimd.rca.known import Known

CAPSULE_VERSION = 1

Happening = SymptomSeen | SymptomGone | ProbeDone | Observed | SignSeen | ChangeSeen | GraphSwapped | Tick


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
    event: Happening


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


def commands_of(capsule: Capsule) -> "Sequence[Verdict]":
    """Return every verdict that the engine gives over a capsule, grown ones again, in order."""
    from btimd.rca.engine import Engine  # the engine makes states, which are defined here

    engine = Engine.restored(capsule.graph, capsule.state)
    found: list[Verdict] = []
    for timed in capsule.events:
        for command in engine.handle(timed.event, timed.at):
            if isinstance(command, ReportVerdict | VerdictExtended):
                found.append(command.verdict)
    return found


def replay(capsule: Capsule) -> Verdict | None:
    """Return the verdict of the capsule's id as the engine gives it now, None where it gives none."""
    same = [verdict for verdict in commands_of(capsule) if verdict.id == capsule.verdict.id]
    return same[-1] if same else None


def differences(before: Verdict, now: Verdict | None) -> tuple[str, ...]:
    """Return in words what differs between two verdicts, empty where nothing does that matters.

    Confidence may move within a point; the words of the summary and the times do not count.
    """
    if now is None:
        return ("there is no verdict",)
    found = [
        f"{name}: {getattr(before, name)} before, {getattr(now, name)} now"
        for name in ("status", "cause", "cause_error", "path", "businesses", "symptoms", "causes", "probes_used")
        if getattr(before, name) != getattr(now, name)
    ]
    asked_before = [line.check_id for line in before.evidence]
    asked_now = [line.check_id for line in now.evidence]
    if asked_before != asked_now:
        found.append(f"evidence: {', '.join(asked_before)} before, {', '.join(asked_now)} now")
    if abs(before.confidence - now.confidence) > _CONFIDENCE_MOVES:
        found.append(f"confidence: {before.confidence:.2f} before, {now.confidence:.2f} now")
    return tuple(found)


_CONFIDENCE_MOVES = 0.01


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
