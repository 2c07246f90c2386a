"""Calls of DeliveryService, for callers of the API."""

from collections.abc import Sequence

from btimd.api.client import Client, Page
from btimd.api.convert_delivery import ACTION, OUTBOX_ENTRY, REFERENCE, TARGET, TRIAL
from btimd.api.pb import delivery_pb2 as pb
from btimd.model.delivery import DeliveryAction, DeliveryTarget, ExternalReference, OutboxEntry, TargetTrial


def targets(client: Client) -> Page[DeliveryTarget]:
    """Return all targets; raises CallFailedError."""
    return client.page("ListTargets", pb.ListTargetsRequest(), "targets", TARGET.from_pb)


def try_target(client: Client, name: str) -> TargetTrial:
    """Ask a target something harmless; raises CallFailedError."""
    return TRIAL.from_pb(client.call("TryTarget", pb.TryTargetRequest(target=name), _TRIAL_SECONDS).trial)


def pause_target(client: Client, name: str, reason: str, command_id: str) -> DeliveryTarget:
    """Send a target nothing until it is resumed; raises CallFailedError."""
    request = pb.PauseTargetRequest(target=name, reason=reason, command_id=command_id)
    return TARGET.from_pb(client.call("PauseTarget", request).target)


def resume_target(client: Client, name: str, reason: str, command_id: str) -> DeliveryTarget:
    """Send again what waits; raises CallFailedError."""
    request = pb.ResumeTargetRequest(target=name, reason=reason, command_id=command_id)
    return TARGET.from_pb(client.call("ResumeTarget", request).target)


def dead_letters(client: Client, target: str = "", limit: int = 0) -> Page[OutboxEntry]:
    """Return dead letters; raises CallFailedError."""
    request = pb.ListDeadLettersRequest(target=target, limit=limit)
    return client.page("ListDeadLetters", request, "letters", OUTBOX_ENTRY.from_pb)


def dead_letter(client: Client, message_id: str) -> OutboxEntry:
    """Return a message with its body; raises CallFailedError."""
    return OUTBOX_ENTRY.from_pb(client.call("GetDeadLetter", pb.GetDeadLetterRequest(message_id=message_id)).letter)


def edit_dead_letter(client: Client, message_id: str, body: str, reason: str, command_id: str) -> OutboxEntry:
    """Replace the body of a dead letter; raises CallFailedError."""
    request = pb.EditDeadLetterRequest(message_id=message_id, body=body, reason=reason, command_id=command_id)
    return OUTBOX_ENTRY.from_pb(client.call("EditDeadLetter", request).letter)


def resend_dead_letter(client: Client, message_id: str, reason: str, command_id: str) -> OutboxEntry:
    """Send a dead letter again; raises CallFailedError."""
    request = pb.ResendDeadLetterRequest(message_id=message_id, reason=reason, command_id=command_id)
    return OUTBOX_ENTRY.from_pb(client.call("ResendDeadLetter", request).letter)


def drop_dead_letter(client: Client, message_id: str, reason: str, command_id: str) -> OutboxEntry:
    """Give a dead letter up; raises CallFailedError."""
    request = pb.DropDeadLetterRequest(message_id=message_id, reason=reason, command_id=command_id)
    return OUTBOX_ENTRY.from_pb(client.call("DropDeadLetter", request).letter)


def outbox(client: Client, incident_id: str, limit: int = 0) -> tuple[Page[OutboxEntry], Sequence[ExternalReference]]:
    """Return what targets are owed of an incident, and what they call it; raises CallFailedError."""
    found = client.call("ListOutbox", pb.ListOutboxRequest(incident_id=incident_id, limit=limit))
    entries = [OUTBOX_ENTRY.from_pb(one) for one in found.entries]
    return Page(entries, found.more), [REFERENCE.from_pb(one) for one in found.references]


def delivery_actions(client: Client, target: str = "", incident_id: str = "", limit: int = 0) -> Page[DeliveryAction]:
    """Return what people did; raises CallFailedError."""
    request = pb.ListDeliveryActionsRequest(target=target, incident_id=incident_id, limit=limit)
    return client.page("ListDeliveryActions", request, "actions", ACTION.from_pb)


_TRIAL_SECONDS = 60.0
