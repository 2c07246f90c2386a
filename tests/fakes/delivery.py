"""A fake of delivery."""

from dataclasses import replace

from typing_extensions import override

from btimd.model.delivery import (
    Credentials,
    DeliveryAction,
    DeliveryActionKind,
    DeliveryTarget,
    DeliveryView,
    ExternalReference,
    OutboxEntry,
    OutboxState,
    ProvenAgainst,
    TargetState,
    TargetTrial,
)

DESK = DeliveryTarget(
    name="desk", kind="redmine", tier=1, proven_against=ProvenAgainst.REAL_SERVER, state=TargetState.HEALTHY, reason="",
    paused_by="", paused_at=None, pending=0, in_flight=0, dead=1, oldest_at=None, last_success_at=90.0, last_error="",
    last_error_at=None, takes_callbacks=False, is_asked=True,
)  # fmt: skip
LETTER = OutboxEntry(
    id="INC-1.2@desk", target="desk", incident_id="INC-1", seq=2, state=OutboxState.DEAD, attempts=3, created_at=5.0,
    next_at=5.0, ended_at=60.0, last_error="refused: HTTP 422", is_uncertain=False, content_type="application/json",
    body='{"a": 1}',
)  # fmt: skip
TRIAL = TargetTrial(
    "desk", 100.0, is_reachable=True, credentials=Credentials.ACCEPTED, detail="it works", took_seconds=0.2
)


class FakeDelivery(DeliveryView):
    """One target and one dead letter."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.refuses = ""

    def _named(self, name: str) -> None:
        if name not in {"desk", LETTER.id}:
            raise KeyError(name)
        if self.refuses:
            raise ValueError(self.refuses)

    @override
    async def targets(self) -> list[DeliveryTarget]:
        return [DESK]

    @override
    async def try_target(self, name: str) -> TargetTrial:
        self._named(name)
        return TRIAL

    @override
    async def pause(self, name: str, *, actor: str, reason: str, command_id: str) -> DeliveryTarget:
        self._named(name)
        self.asked.append(("pause", name, actor, reason, command_id))
        return replace(DESK, state=TargetState.PAUSED, reason=reason, paused_by=actor, paused_at=100.0)

    @override
    async def resume(self, name: str, *, actor: str, reason: str, command_id: str) -> DeliveryTarget:
        self._named(name)
        self.asked.append(("resume", name, actor, reason, command_id))
        return DESK

    @override
    async def dead_letters(self, target: str | None, limit: int) -> list[OutboxEntry]:
        self.asked.append(("dead", target, limit))
        return [replace(LETTER, body="")]

    @override
    async def letter(self, message_id: str) -> OutboxEntry:
        self._named(message_id)
        return LETTER

    @override
    async def edit(self, message_id: str, body: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        self._named(message_id)
        self.asked.append(("edit", message_id, body, actor, reason, command_id))
        return replace(LETTER, body=body)

    @override
    async def resend(self, message_id: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        self._named(message_id)
        self.asked.append(("resend", message_id, actor, reason, command_id))
        return replace(LETTER, state=OutboxState.PENDING)

    @override
    async def drop(self, message_id: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        self._named(message_id)
        self.asked.append(("drop", message_id, actor, reason, command_id))
        return replace(LETTER, state=OutboxState.DROPPED)

    @override
    async def outbox(self, incident_id: str, limit: int) -> list[OutboxEntry]:
        return [replace(LETTER, body="")] if incident_id == "INC-1" else []

    @override
    async def references(self, incident_id: str) -> list[ExternalReference]:
        return [ExternalReference("desk", incident_id, "77", 1)]

    @override
    async def actions(self, target: str | None, incident_id: str | None, limit: int) -> list[DeliveryAction]:
        self.asked.append(("actions", target, incident_id, limit))
        return [DeliveryAction(50.0, "mona", DeliveryActionKind.EDIT, "desk", LETTER.id, "INC-1", "wrong form", "c1")]
