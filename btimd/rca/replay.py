"""Makes a diagnosis again from its capsule, and says what came out otherwise."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from btimd.model.service import ServiceGraph
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict
from btimd.rca.capsule import CAPSULE_VERSION, Capsule, EngineState, TimedEvent
from btimd.rca.engine import Engine
from btimd.rca.events import Event, GraphSwapped, Observed, ReportVerdict, SignSeen, SymptomSeen, Tick, VerdictExtended

_CONFIDENCE_MOVES: Final = 0.01


def verdicts_of(capsule: Capsule) -> Sequence[Verdict]:
    """Return every verdict that the engine gives over a capsule, grown ones again, in order."""
    engine = Engine.restored(capsule.graph, capsule.state)
    commands = (command for timed in capsule.events for command in engine.handle(timed.event, timed.at))
    return [command.verdict for command in commands if isinstance(command, ReportVerdict | VerdictExtended)]


def replay(capsule: Capsule) -> Verdict | None:
    """Return the verdict of the capsule's id as the engine gives it now, None where it gives none."""
    same = [verdict for verdict in verdicts_of(capsule) if verdict.id == capsule.verdict.id]
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


class Recorder:
    """Keeps what the capsules of running diagnoses need: the state before the first of them, and every event since.

    limit: events that are kept; a diagnosis during which more happened has an incomplete capsule.
    """

    def __init__(self, limit: int, program: str) -> None:
        self._program = program
        self._events: deque[TimedEvent] = deque(maxlen=limit)
        self._state: EngineState | None = None
        self._graph: ServiceGraph | None = None
        self._complete = True

    def before(self, engine: Engine, event: Event, now: UnixSeconds) -> None:
        """Take an event before the engine gets it."""
        if engine.is_quiet:
            self._events.clear()
            self._state = engine.state() if _may_begin(engine, event) else None
            self._graph, self._complete = engine.index.graph, True
        if self._state is None:
            return
        if len(self._events) == self._events.maxlen or isinstance(event, GraphSwapped):
            self._complete = False
        self._events.append(TimedEvent(now, event))

    def capsule(self, verdict: Verdict) -> Capsule | None:
        """Return the capsule of a verdict that has just been given; None where nothing was recorded.

        The hash of its model is left to who writes it: over a large model it takes a while.
        """
        if self._state is None or self._graph is None:
            return None
        return Capsule(
            version=CAPSULE_VERSION,
            program=self._program,
            model="",
            graph=self._graph,
            state=self._state,
            events=tuple(self._events),
            verdict=verdict,
            complete=self._complete,
        )


def _may_begin(engine: Engine, event: Event) -> bool:
    """Tell whether a diagnosis can begin with an event."""
    return isinstance(event, SymptomSeen) or (
        engine.has_open_verdicts and isinstance(event, Tick | Observed | SignSeen)
    )
