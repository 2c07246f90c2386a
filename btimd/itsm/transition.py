"""The rows of the transition table: what one is made of, and what a step results in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from btimd.itsm.moment import Change, Moment, Tell
from btimd.itsm.timers import StartTimer, StopTimer
from btimd.itsm.triggers import Trigger
from btimd.model.incident import ActorRole, Incident, IncidentEvent, IncidentState
from btimd.model.ports import TellKind


@dataclass(frozen=True, slots=True)
class Publish:
    """Every target is owed this event."""

    kind: str


Effect: TypeAlias = StartTimer | StopTimer | Publish | Tell


@dataclass(frozen=True, slots=True)
class Step:
    """What one trigger does: the row afterwards, what the timeline gains, what must be done outside."""

    incident: Incident
    events: tuple[IncidentEvent, ...]
    effects: tuple[Effect, ...]


T = TypeVar("T", bound=Trigger)


@dataclass(frozen=True, slots=True)
class When(Generic[T]):
    """A condition that chooses between rows of the same state and trigger; `text` says it to people."""

    text: str
    holds: Callable[[Incident, T, Moment], bool]


@dataclass(frozen=True, slots=True)
class Needs(Generic[T]):
    """Something a trigger must bring; `missing` returns what to do about it where it does not, else an empty text."""

    text: str
    missing: Callable[[Incident, T, Moment], str]


ANYBODY: Final[frozenset[ActorRole]] = frozenset()
OPEN_END: Final = "stalled"
"""The kind of every event that leaves an incident to the management centre."""


@dataclass(frozen=True, slots=True)
class Transition(Generic[T]):
    """One row of the table. `number` is stable; to=None: the state stays as it is. start: the states of no incident.

    or_to: further states that the change may choose; then the change itself sets the state. who: may ask for it, empty:
    anybody. tells: who hears of it, beside what the change itself says (orders and recalls).
    """

    number: str
    on: type[T]
    sources: frozenset[IncidentState]
    to: IncidentState | None
    records: str
    change: Callable[[Incident, T, Moment], Incident | Change]
    start: bool = False
    or_to: tuple[IncidentState, ...] = ()
    when: When[T] | None = None
    needs: tuple[Needs[T], ...] = ()
    who: frozenset[ActorRole] = ANYBODY
    reason: Callable[[T], str] = lambda _: ""
    tells: tuple[tuple[TellKind, str], ...] = ()
    publish: Callable[[Incident, Incident], bool] = lambda _before, _after: True
