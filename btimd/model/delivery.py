"""Delivery to other systems and back: what they call our incidents, what they told us, what waits for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.units import Seconds, UnixSeconds


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


class TargetState(StrEnum):
    """How it stands with a target."""

    HEALTHY = "healthy"
    HELD_BACK = "held-back"
    """It did not answer, or asked to be left alone: it gets one trial at a time."""
    REFUSES = "refuses"
    """It takes nothing of ours, as secret or address is wrong; a person must look. It gets one trial at a time."""
    PAUSED = "paused"
    """A person paused it: it gets nothing, and what is owed to it waits."""


class ProvenAgainst(StrEnum):
    """What the adapter of a kind of target was tested against."""

    REAL_SERVER = "real-server"
    PUBLISHED_RULES = "published-rules"
    """A stand-in that enforces the rules its maker has published; no proof about the system itself."""


@dataclass(frozen=True, slots=True)
class DeliveryTarget:
    """A target and how it stands. tier: 1 = a system incidents are worked on in, 2 = one that is only told.

    reason: why it is not healthy. paused_by, paused_at: of PAUSED. oldest_at: since when the oldest message waits,
    None = none does. last_error: of the last attempt that failed, "" = none has since the start.
    """

    name: str
    kind: str
    tier: int
    proven_against: ProvenAgainst
    state: TargetState
    reason: str
    paused_by: str
    paused_at: UnixSeconds | None
    pending: int
    in_flight: int
    dead: int
    oldest_at: UnixSeconds | None
    last_success_at: UnixSeconds | None
    last_error: str
    last_error_at: UnixSeconds | None
    takes_callbacks: bool
    is_asked: bool


class Credentials(StrEnum):
    """What a trial says of our credentials."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_TESTED = "not-tested"
    """The target says nothing of them without a real message."""


@dataclass(frozen=True, slots=True)
class TargetTrial:
    """What came of asking a target something harmless. is_reachable: it answered."""

    target: str
    at: UnixSeconds
    is_reachable: bool
    credentials: Credentials
    detail: str
    took_seconds: Seconds


class OutboxState(StrEnum):
    """What became of something that a target is owed."""

    PENDING = "pending"
    INFLIGHT = "inflight"
    DONE = "done"
    DEAD = "dead"
    """It will not arrive by itself; a person edits it, sends it again, or drops it."""
    SUPERSEDED = "superseded"
    """It only repeated the state and gave way to a later one before it was sent."""
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message of the outbox. body: as text, "" in lists. next_at: not before, where it is pending."""

    id: str
    target: str
    incident_id: str
    seq: int
    state: OutboxState
    attempts: int
    created_at: UnixSeconds
    next_at: UnixSeconds
    ended_at: UnixSeconds | None
    last_error: str
    is_uncertain: bool
    content_type: str
    body: str = ""


class DeliveryActionKind(StrEnum):
    """What a person did to delivery."""

    PAUSE = "pause"
    RESUME = "resume"
    EDIT = "edit"
    RESEND = "resend"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class DeliveryAction:
    """One line of the log of what people did to delivery. message_id, incident_id: "" for what is about a target."""

    at: UnixSeconds
    actor: str
    kind: DeliveryActionKind
    target: str
    message_id: str
    incident_id: str
    reason: str
    command_id: str


class CallbackRefusal(StrEnum):
    """Why a call of another system was not taken."""

    UNKNOWN_TARGET = "unknown-target"
    NOT_SIGNED = "not-signed"
    NOT_UNDERSTOOD = "not-understood"
    TOO_LARGE = "too-large"
    BUSY = "busy"
    """It could not be kept; the sender comes again."""


class CallbackRefusedError(Exception):
    """A call of another system that was not taken."""

    def __init__(self, why: CallbackRefusal, message: str) -> None:
        super().__init__(message)
        self.why = why


class DeliveryStore(Protocol):
    """The outbox for people: what waits, what died, who did what. Changes and their log are one transaction.

    A change whose command_id was carried out before changes nothing; the action is returned as it was logged. Raises
    KeyError for what does not exist and ValueError for what cannot be done now, or a command_id of something else.
    """

    async def dead_letters(self, target: str | None, limit: int) -> Sequence[OutboxEntry]:
        """Return dead letters without bodies, the latest first."""
        ...

    async def letter(self, message_id: str) -> OutboxEntry:
        """Return a message with its body; raises KeyError."""
        ...

    async def of_incident(self, incident_id: str, limit: int) -> Sequence[OutboxEntry]:
        """Return what targets were and are owed of an incident, the latest first, without bodies."""
        ...

    async def references(self, incident_id: str) -> Sequence[ExternalReference]:
        """Return what targets call an incident."""
        ...

    async def holds(self) -> Mapping[str, DeliveryAction]:
        """Return the targets that people paused, with who and why."""
        ...

    async def last_successes(self) -> Mapping[str, UnixSeconds]:
        """Return when each target took something last, as far as it is still kept."""
        ...

    async def log(self, target: str | None, incident_id: str | None, limit: int) -> Sequence[DeliveryAction]:
        """Return what people did, the latest first."""
        ...

    async def act(self, action: DeliveryAction, body: bytes = b"") -> DeliveryAction:
        """Carry out what a person wants; body: of EDIT."""
        ...


class DeliveryView(Protocol):
    """Delivery as people see and change it. Errors: as DeliveryStore, with KeyError for an unknown target."""

    async def targets(self) -> Sequence[DeliveryTarget]:
        """Return all targets, in the order of their names."""
        ...

    async def try_target(self, name: str) -> TargetTrial:
        """Ask a target something harmless."""
        ...

    async def pause(self, name: str, *, actor: str, reason: str, command_id: str) -> DeliveryTarget:
        """Send a target nothing until it is resumed, also over restarts."""
        ...

    async def resume(self, name: str, *, actor: str, reason: str, command_id: str) -> DeliveryTarget:
        """Send again what waits, at once, also where the target was held back by itself."""
        ...

    async def dead_letters(self, target: str | None, limit: int) -> Sequence[OutboxEntry]:
        """Return dead letters without bodies, the latest first."""
        ...

    async def letter(self, message_id: str) -> OutboxEntry:
        """Return a message with its body."""
        ...

    async def edit(self, message_id: str, body: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        """Replace the body of a dead letter."""
        ...

    async def resend(self, message_id: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        """Send a dead letter again."""
        ...

    async def drop(self, message_id: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        """Give a dead letter up."""
        ...

    async def outbox(self, incident_id: str, limit: int) -> Sequence[OutboxEntry]:
        """Return what targets were and are owed of an incident, the latest first, without bodies."""
        ...

    async def references(self, incident_id: str) -> Sequence[ExternalReference]:
        """Return what targets call an incident."""
        ...

    async def actions(self, target: str | None, incident_id: str | None, limit: int) -> Sequence[DeliveryAction]:
        """Return what people did, the latest first."""
        ...
