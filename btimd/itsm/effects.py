"""Effects: what one step owes to time, targets and people, as the one write that the journal commits whole."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

from btimd.itsm.moment import Choice, Dispatcher, OrderLimits, Tell
from btimd.itsm.timers import StartTimer, StopTimer
from btimd.itsm.transition import Publish, Step
from btimd.model.incident import Incident
from btimd.model.ports import IncidentWrite, OutboxMessage, Telling, Timer
from btimd.model.units import UnixSeconds


def write_of(
    step: Step,
    *,
    now: UnixSeconds,
    fired: Timer | None,
    publish: Callable[[Step], Sequence[OutboxMessage]],
) -> IncidentWrite:
    """Return what the journal shall commit. publish: the messages that targets are owed for a step."""
    timers: dict[str, UnixSeconds | None] = {}
    messages: list[OutboxMessage] = []
    tellings: list[Telling] = []
    event = step.events[-1]
    for effect in step.effects:
        match effect:
            case StartTimer(name, due_at):
                timers[name] = due_at
            case StopTimer(name):
                timers[name] = None
            case Publish():
                messages += publish(step)
            case Tell():
                telling_id = f"{event.incident_id}.{event.seq}.{len(tellings) + 1}"
                tellings.append(_telling(effect, telling_id, event.incident_id, event.seq, now))
    return IncidentWrite(step.incident, step.events, tuple(messages), MappingProxyType(timers), tuple(tellings), fired)


def _telling(tell: Tell, telling_id: str, incident_id: str, seq: int, now: UnixSeconds) -> Telling:
    return Telling(
        id=telling_id,
        incident_id=incident_id,
        seq=seq,
        kind=tell.kind,
        recipient=tell.to,
        what=tell.what,
        dispatch_id=tell.dispatch_id,
        at=now,
        next_at=now,
    )


class GuardedDispatcher:
    """A dispatcher whose faults stop nothing: where it fails nobody is found, so that the centre gets the incident.

    on_failure: told of every fault.
    """

    def __init__(self, people: Dispatcher, on_failure: Callable[[Exception], None]) -> None:
        self._people = people
        self._on_failure = on_failure

    def levels(self, incident: Incident, now: UnixSeconds) -> int:
        """Return the levels; 1 where that fails: there are groups, or it would not have been asked."""
        return int(self._guarded(lambda: self._people.levels(incident, now), 1))

    def decide(self, incident: Incident, level: int, excluded: frozenset[str], now: UnixSeconds) -> Choice:
        """Return the choice, nobody where that fails."""
        failed = Choice(explanation="the dispatcher failed; the log says how")
        choice: Choice = self._guarded(lambda: self._people.decide(incident, level, excluded, now), failed)
        if choice.person and choice.person in excluded:
            return Choice(explanation=f"the dispatcher chose {choice.person}, who is excluded; {choice.explanation}")
        return choice

    def limits(self, incident: Incident, level: int) -> OrderLimits:
        """Return what is said of orders, the general rules where that fails."""
        said: OrderLimits = self._guarded(lambda: self._people.limits(incident, level), OrderLimits())
        return said

    def transfer_candidates(self, incident: Incident, now: UnixSeconds) -> Sequence[str] | None:
        """Return the peers, none where that fails."""
        found: Sequence[str] | None = self._guarded(lambda: self._people.transfer_candidates(incident, now), ())
        return found

    def on_duty(self, person: str, now: UnixSeconds) -> bool | None:
        """Tell whether a person is on duty; not, where that fails."""
        known: bool | None = self._guarded(lambda: self._people.on_duty(person, now), False)  # noqa: FBT003  the answer
        return known

    def _guarded(self, ask: Callable[[], Any], failed: Any) -> Any:
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  whatever it is, incidents go on
            self._on_failure(error)
            return failed
