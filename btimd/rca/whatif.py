"""What a diagnosis would have come to with other answers."""

import heapq
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Final

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.rca.capsule import Capsule
from btimd.rca.engine import Engine
from btimd.rca.events import Event, Observed, ProbeDone, RunProbe, Tick
from btimd.rca.story import Run

_UNASKED_SECONDS: Final = 0.01
_MOST_STEPS: Final = 10_000


def what_if(capsule: Capsule, answers: Mapping[str, Health]) -> Run:
    """Make a diagnosis again where some checks answer otherwise. Raises KeyError for a check that is not in its model.

    Other answers lead to other questions: a check that the capsule holds no answer of could not be asked.
    """
    checks = {check.id for check in capsule.graph.checks()}
    for check_id in answers:
        if check_id not in checks:
            raise KeyError(check_id)
    said = _said(capsule)
    known = tuple(_changed(result, answers) for result in capsule.state.answers)
    engine = Engine.restored(capsule.graph, replace(capsule.state, answers=known))
    run = Run(engine.index)
    order = count()
    waiting: list[tuple[float, int, Event]] = [
        (timed.at, next(order), _event(timed.event, answers))
        for timed in capsule.events
        if not isinstance(timed.event, ProbeDone | Tick)
    ]
    heapq.heapify(waiting)
    for _ in range(_MOST_STEPS):
        due = engine.next_deadline()
        if waiting and (due is None or waiting[0][0] <= due):
            now, _, event = heapq.heappop(waiting)
        elif due is not None:
            now, event = due, Tick()
        else:
            break
        commands = engine.handle(event, now)
        run.note(commands, now)
        if capsule.verdict.id in run.verdicts and engine.is_quiet:
            break
        for command in commands:
            if isinstance(command, RunProbe):
                result = _answer(command.spec, said.get(command.spec.check.id), answers, now)
                heapq.heappush(waiting, (now + result.elapsed_seconds, next(order), ProbeDone(result)))
    return run


def _said(capsule: Capsule) -> dict[str, ProbeResult]:
    """Return the last answer of every check."""
    found = {result.spec.check.id: result for result in capsule.state.answers}
    for timed in capsule.events:
        if isinstance(timed.event, ProbeDone | Observed):
            found[timed.event.result.spec.check.id] = timed.event.result
    return found


def _answer(spec: ProbeSpec, said: ProbeResult | None, answers: Mapping[str, Health], now: float) -> ProbeResult:
    if said is None:
        said = ProbeResult(
            spec, Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "it was not asked at that time", now, _UNASKED_SECONDS
        )
    return replace(_changed(said, answers), spec=spec, started_at=now)


def _changed(result: ProbeResult, answers: Mapping[str, Health]) -> ProbeResult:
    health = answers.get(result.spec.check.id, result.health)
    if health is result.health:
        return result
    error = {Health.GOOD: ErrorClass.NONE, Health.BAD: ErrorClass.TIMEOUT}.get(health, ErrorClass.LOCAL_FAILURE)
    return replace(result, health=health, error=error, detail=f"assumed to be {health.value}")


def _event(event: Event, answers: Mapping[str, Health]) -> Event:
    return Observed(_changed(event.result, answers)) if isinstance(event, Observed) else event
