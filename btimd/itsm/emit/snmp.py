"""SNMP: an INFORM of version 3 per event (RFC 3416 section 4.2.7). Unlike a trap it is answered, so its loss is known.

The objects are those of docs/BTIMD-MIB.txt. incident and seq together make a repeat known to its receiver. pysnmp is
imported when such a target is started, so a daemon without one does not carry it.
"""

import asyncio
import warnings
from types import SimpleNamespace
from typing import Any, Final

from typing_extensions import override

from btimd.itsm.emit.courier import TargetLimits
from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import Facts, facts_of, note, subject
from btimd.itsm.emit.httptarget import limits_of, secret_of
from btimd.itsm.emit.trial import TrialResult
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
_TRAP_OID: Final = "1.3.6.1.6.3.1.1.4.1.0"
_TEXT_OCTETS: Final = 255
_RETRIES: Final = 2
_TRIAL_SECONDS: Final = 5.0
_DISCOVERY: Final = bytes.fromhex(
    "303e020103"  # message of version 3
    "3011020411223344020300ffe3040104020103"  # id, size, flags: reportable, security model: users
    "0410300e0400020100020100040004000400"  # no engine, no user
    "301404000400a00e0204112233440201000201003000"  # a GET of nothing
)
_AUTHENTICATIONS: Final = {
    "SHA": "USM_AUTH_HMAC96_SHA",
    "SHA-256": "USM_AUTH_HMAC192_SHA256",
    "SHA-512": "USM_AUTH_HMAC384_SHA512",
}
_PRIVACIES: Final = {"AES": "USM_PRIV_CFB128_AES", "AES-256": "USM_PRIV_CFB256_AES"}
_OUR_FAULT: Final = ("user", "security", "authentication", "digest", "decrypt")


def objects(facts: Facts) -> list[tuple[str, int | bytes]]:
    """Return (object, value) of the notification for an event, in the MIB's order."""
    values: list[int | bytes] = [
        _octets(facts.incident_id),
        facts.seq,
        _STATES.index(facts.state) + 1 if facts.state in _STATES else 0,
        int(facts.priority[1:]) if facts.priority[1:].isdigit() else 0,
        _octets(facts.kind),
        _octets(subject(facts)),
        _octets(facts.cause),
        _octets(note(facts)),
    ]
    return [(f"{_OBJECTS}.{number}.0", value) for number, value in enumerate(values, 1)]


def _octets(text: str) -> bytes:
    """Return UTF-8 of at most 255 octets (SnmpAdminString), no character cut in two."""
    return text.encode("utf-8", "replace")[:_TEXT_OCTETS].decode("utf-8", "ignore").encode()


def judge(indication: str, status: int) -> Outcome:
    """Return what the answer says. indication: why there was none; status: an error in it (RFC 3416 section 3)."""
    if not indication and not status:
        return Outcome(OutcomeKind.DELIVERED, "answered")
    if status:
        return Outcome(OutcomeKind.REFUSED, f"error status {status}")
    if any(word in indication.lower() for word in _OUR_FAULT):
        return Outcome(OutcomeKind.PAUSED, f"{indication}; compare user, passwords and protocols at both ends")
    return Outcome(OutcomeKind.UNCERTAIN, indication)


def _library() -> SimpleNamespace:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pysnmp's own, about names of its own
        from pysnmp.hlapi.v3arch.asyncio import SnmpEngine, UdpTransportTarget, UsmUserData, ntforg  # 0.14 s, 30 MB
        from pysnmp.hlapi.v3arch.asyncio import auth as protocols
        from pysnmp.proto import rfc1902
    return SimpleNamespace(
        SnmpEngine=SnmpEngine,
        UdpTransportTarget=UdpTransportTarget,
        UsmUserData=UsmUserData,
        ntforg=ntforg,
        protocols=protocols,
        rfc1902=rfc1902,
    )


class _Waiting(asyncio.DatagramProtocol):
    """Notes that a datagram came."""

    def __init__(self, answered: "asyncio.Future[None]") -> None:
        self._answered = answered

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self._answered.done():
            self._answered.set_result(None)

    @override
    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)


class Snmp:
    """A manager that takes INFORMs."""

    def __init__(self, name: str, settings: SnmpSettings) -> None:
        self.name = name
        self.limits: TargetLimits = limits_of(settings)
        self._settings = settings
        self._library: Any = None
        self._engine: Any = None
        self._user: Any = None

    async def start(self) -> None:
        """Read the passwords; raises ValueError that says which file is wrong."""
        settings, what = self._settings, f"itsm.snmp.{self.name}"
        authentication = secret_of(what, settings.authentication_file)
        privacy = secret_of(what, settings.privacy_file)
        self._library = _library()
        self._engine = self._library.SnmpEngine()
        self._user = self._library.UsmUserData(
            settings.user,
            authKey=authentication,
            privKey=privacy,
            authProtocol=getattr(self._library.protocols, _AUTHENTICATIONS[settings.authentication]),
            privProtocol=getattr(self._library.protocols, _PRIVACIES[settings.privacy]),
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
        library = self._library
        try:
            transport = await library.UdpTransportTarget.create(
                self._settings.server, timeout=self._settings.timeout / (_RETRIES + 1), retries=_RETRIES
            )
        except Exception as error:  # noqa: BLE001  pysnmp has no exception of its own for a name it cannot resolve
            return Outcome(OutcomeKind.NOT_SENT, f"no address: {type(error).__name__}")
        indication, status = await self._inform(transport, objects(facts))
        return judge(indication, status)

    async def try_out(self) -> TrialResult:
        """Ask for its engine's id, as every INFORM does first (RFC 3414 section 4)."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()
        host, port = self._settings.server
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Waiting(answered), remote_addr=(host, port))
        except OSError as error:
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, f"no address: {type(error).__name__}"))
        try:
            async with asyncio.timeout(min(self._settings.timeout, _TRIAL_SECONDS)):
                transport.sendto(_DISCOVERY)
                await answered
        except (OSError, TimeoutError):
            return TrialResult(Outcome(OutcomeKind.NOT_SENT, f"{host}:{port} does not answer"))
        finally:
            transport.close()
        said = "it answers; whether it knows user and passwords only a real INFORM shows"
        return TrialResult(Outcome(OutcomeKind.DELIVERED, said), tests_credentials=False)

    async def _inform(self, transport: Any, found: list[tuple[str, int | bytes]]) -> tuple[str, int]:
        """Send past pysnmp's high-level function, which would look names up in MIBs, even on the Internet."""
        answered: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()

        def take(
            _engine: Any, _handle: Any, indication: Any, status: Any, _index: Any, _objects: Any, _context: Any
        ) -> None:
            if not answered.done():
                answered.set_result((str(indication) if indication else "", int(status) if status else 0))

        originator, proto = self._library.ntforg, self._library.rfc1902
        name = originator.LCD.configure(self._engine, self._user, transport, "inform", b"")
        values = [
            (oid, proto.OctetString(value) if isinstance(value, bytes) else proto.Integer32(value))
            for oid, value in found
        ]
        originator.ntforg.NotificationOriginator().send_varbinds(
            self._engine, name, None, b"", [(_TRAP_OID, proto.ObjectIdentifier(EVENT)), *values], take
        )
        return await answered
