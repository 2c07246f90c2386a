"""What people changed in another system, as an adapter finds it, made into updates: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from btimd.itsm.emit.exchange import Dialogue
from btimd.model.delivery import ExternalUpdate, UpdateKind
from btimd.model.units import UnixSeconds

PAGES_LIMIT: Final = 20
"""Pages of an answer that are read at a time; what is on later ones is read the next time."""
OURS: Final = "[btimd "
"""How every note of btimd begins, so that one that comes back in another's name is known."""
_VALUE_CHARACTERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class OutsideChange:
    """A change as it was found. key: our incident's id as written there. at: RFC 3339. The rest: ExternalUpdate."""

    external_id: str
    key: str
    event_id: str
    actor: str
    kind: UpdateKind
    value: str
    at: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What was found, and where the next search begins."""

    found: tuple[OutsideChange, ...]
    cursor: str


class Pollable(Protocol):
    """An adapter that can be asked what people changed. Changes of btimd's own user are left out by it."""

    def changes(self, cursor: str) -> Dialogue[Changes]:
        """Return what changed since the cursor; at the first time it is an RFC 3339 time stamp."""
        ...


def is_ours(note: str) -> bool:
    """Tell whether a note is one of btimd's own."""
    return note.lstrip().startswith(OURS)


def update_of(change: OutsideChange, target: str, meanings: Mapping[str, str], now: UnixSeconds) -> ExternalUpdate:
    """Return the update that a change is. meanings: what statuses of the target mean here."""
    return ExternalUpdate(
        target=target,
        external_id=change.external_id[:100],
        event_id=change.event_id[:200],
        incident_id=change.key[:100],
        actor=change.actor[:200],
        kind=change.kind,
        value=change.value[:_VALUE_CHARACTERS],
        at=_moment(change.at, now),
        meaning=meanings.get(change.value, "") if change.kind is UpdateKind.STATUS else "",
        text=change.text[:_VALUE_CHARACTERS],
    )


def _moment(text: str, now: UnixSeconds) -> UnixSeconds:
    """Return when it was; now where the target says nothing that can be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now
    return now if moment.tzinfo is None else moment.timestamp()
