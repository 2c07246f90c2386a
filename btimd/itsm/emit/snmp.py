"""SNMP: an INFORM of version 3 per event (RFC 3416 section 4.2.7). Unlike a trap it is answered, so its loss is known.

The objects are those of docs/BTIMD-MIB.txt. incident and seq together make a repeat known to its receiver.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from pysnmp.hlapi.v3arch.asyncio import (
    USM_AUTH_HMAC96_SHA,
    USM_AUTH_HMAC192_SHA256,
    USM_AUTH_HMAC384_SHA512,
    USM_PRIV_CFB128_AES,
    USM_PRIV_CFB256_AES,
    ContextData,
    NotificationType,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
)
from pysnmp.proto.rfc1902 import Integer32, OctetString, Unsigned32

from btimd.itsm.emit.courier import TargetLimits
from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import Facts, facts_of, note, subject
from btimd.itsm.emit.httptarget import limits_of, secret_of
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.targetsettings import SnmpSettings
from btimd.model.ports import OutboxMessage

BTIMD: Final = "1.3.6.1.4.1.32473.100"
"""btimdMIB, below the enterprise number for documents (RFC 5612)."""
EVENT: Final = f"{BTIMD}.0.1"
_OBJECTS: Final = f"{BTIMD}.1"
_STATES: Final = (
    "new", "held", "dispatched", "accepted", "pending", "stalled", "resolved", "closed", "cancelled", "merged",
)  # fmt: skip
_TEXT_OCTETS: Final = 255
_AUTHENTICATIONS: Final = {
    "SHA": USM_AUTH_HMAC96_SHA,
    "SHA-256": USM_AUTH_HMAC192_SHA256,
    "SHA-512": USM_AUTH_HMAC384_SHA512,
}
_PRIVACIES: Final = {"AES": USM_PRIV_CFB128_AES, "AES-256": USM_PRIV_CFB256_AES}


@dataclass(frozen=True, slots=True)
class Binding:
    """One object of a notification."""

    oid: str
    value: Any


def bindings(facts: Facts) -> list[Binding]:
    """Return the objects of the notification for an event, in the MIB's order."""
    return [
        Binding(f"{_OBJECTS}.1.0", OctetString(_octets(facts.incident_id))),
        Binding(f"{_OBJECTS}.2.0", Unsigned32(facts.seq)),
        Binding(f"{_OBJECTS}.3.0", Integer32(_STATES.index(facts.state) + 1 if facts.state in _STATES else 0)),
        Binding(f"{_OBJECTS}.4.0", Integer32(int(facts.priority[1:]) if facts.priority[1:].isdigit() else 0)),
        Binding(f"{_OBJECTS}.5.0", OctetString(_octets(facts.kind))),
        Binding(f"{_OBJECTS}.6.0", OctetString(_octets(subject(facts)))),
        Binding(f"{_OBJECTS}.7.0", OctetString(_octets(facts.cause))),
        Binding(f"{_OBJECTS}.8.0", OctetString(_octets(note(facts)))),
    ]


def _octets(text: str) -> bytes:
    """Return UTF-8 of at most 255 octets (SnmpAdminString), no character cut in two."""
    return text.encode("utf-8", "replace")[:_TEXT_OCTETS].decode("utf-8", "ignore").encode()


class Snmp:
    """A manager that takes INFORMs."""

    def __init__(self, name: str, settings: SnmpSettings) -> None:
        self.name = name
        self.limits: TargetLimits = limits_of(settings)
        self._settings = settings
        self._engine: Any = None
        self._user: Any = None

    async def start(self) -> None:
        """Read the passwords; raises ValueError that says which file is wrong."""
        settings, what = self._settings, f"itsm.snmp.{self.name}"
        self._engine = SnmpEngine()
        self._user = UsmUserData(
            settings.user,
            authKey=secret_of(what, settings.authentication_file),
            privKey=secret_of(what, settings.privacy_file),
            authProtocol=_AUTHENTICATIONS[settings.authentication],
            privProtocol=_PRIVACIES[settings.privacy],
        )

    async def stop(self) -> None:
        """Close the engine's socket."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None
            await asyncio.sleep(0)

    async def deliver(self, message: OutboxMessage) -> Outcome:
        """Send an INFORM and wait for its answer."""
        if self._engine is None:
            return Outcome(OutcomeKind.NOT_SENT, "the target is not started")
        try:
            facts = facts_of(message.body)
        except HaltError as halt:
            return halt.outcome
        retries = 2
        try:
            transport = await UdpTransportTarget.create(
                self._settings.server, timeout=self._settings.timeout / (retries + 1), retries=retries
            )
        except Exception as error:  # noqa: BLE001  pysnmp has no exception of its own for a name it cannot resolve
            return Outcome(OutcomeKind.NOT_SENT, f"no address: {type(error).__name__}")
        notification = NotificationType(ObjectIdentity(EVENT)).add_varbinds(
            *(ObjectType(ObjectIdentity(one.oid), one.value) for one in bindings(facts))
        )
        indication, status, _, _ = await send_notification(
            self._engine, self._user, transport, ContextData(), "inform", notification
        )
        return _judged(str(indication) if indication else "", int(status) if status else 0)


def _judged(indication: str, status: int) -> Outcome:
    """Return what the answer says. indication: why there was none; status: an error in it (RFC 3416 section 3)."""
    if not indication and not status:
        return Outcome(OutcomeKind.DELIVERED, "answered")
    if status:
        return Outcome(OutcomeKind.REFUSED, f"error status {status}")
    words = indication.lower()
    if any(word in words for word in ("user", "security", "authentication", "digest", "decrypt")):
        return Outcome(OutcomeKind.PAUSED, f"{indication}; compare user, passwords and protocols at both ends")
    return Outcome(OutcomeKind.UNCERTAIN, indication)
