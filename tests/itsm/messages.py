"""Messages of an incident, and targets that are played by hand."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from btimd.itsm.emit.cloudevents import messages_of
from btimd.itsm.emit.exchange import Dialogue, HttpAnswer, HttpRequest, T
from btimd.model.incident import Incident
from btimd.model.ports import OutboxMessage
from tests.itsm.posts import STEPS, T0, step

NOTES = {"summary": "ora1 is the cause", "path": "erp\nora1", "evidence": "ora1:1521 refused"}


def message(number: int = 1, incident_id: str = "INC-1", steps: Sequence[Any] = STEPS) -> OutboxMessage:
    """Return what target "desk" is owed for the number-th event."""
    incident: Incident | None = None
    for one in range(1, number):
        incident, _ = step(incident, incident_id, one, steps)
    after, event = step(incident, incident_id, number, steps)
    (owed,) = messages_of(after, event, diagnosis=NOTES, targets=["desk"], source="/btimd", sla=(), now=T0)
    return owed


def answer(status: int, document: Any = None, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, headers, b"" if document is None else json.dumps(document).encode())


def play(dialogue: Dialogue[T], target: Callable[[HttpRequest], HttpAnswer]) -> tuple[T, list[HttpRequest]]:
    """Let a function be the target; return what the dialogue came to, and what was asked."""
    asked: list[HttpRequest] = []
    try:
        request = next(dialogue)
        while True:
            asked.append(request)
            request = dialogue.send(target(request))
    except StopIteration as end:
        return end.value, asked


def lines(asked: Sequence[HttpRequest]) -> list[str]:
    return [f"{one.method} {one.path}" for one in asked]


def sent(request: HttpRequest) -> Any:
    return json.loads(request.body)
