"""Delivery to other systems and back: what they call our incidents, what they told us, what waits for them."""

from dataclasses import dataclass
from enum import StrEnum

from btimd.model.units import UnixSeconds


@dataclass(frozen=True, slots=True)
class ExternalReference:
    """What a target calls an incident. seq: of the last event it is known to have. is_open: it still needs us there.

    note: what the target's adapter wants to find again, short and without secrets.
    """

    target: str
    incident_id: str
    external_id: str
    seq: int
    is_open: bool = True
    note: str = ""


class UpdateKind(StrEnum):
    """What somebody changed in the other system."""

    STATUS = "status"
    ASSIGNEE = "assignee"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class ExternalUpdate:
    """A change in another system. event_id: unique per target, so that it is taken once. value: as the target says it.

    meaning: for STATUS what the target's table says it means here: accept, resolve, close, reopen, cancel; "" nothing.
    text: what was written with it, as for a resolution.
    """

    target: str
    external_id: str
    event_id: str
    incident_id: str
    actor: str
    kind: UpdateKind
    value: str
    at: UnixSeconds
    meaning: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """What waits for a target. oldest_at: when the oldest of it became due first, None = nothing waits."""

    target: str
    pending: int
    in_flight: int
    dead: int
    oldest_at: UnixSeconds | None
