"""Takes SNMP traps and informs (v1, v2c, v3), answers informs, and tells what they mean.

The library decodes them; here is decided who is let in before it sees anything.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from typing_extensions import override

from btimd.model.heard import Told
from btimd.model.sign import SignSource
from btimd.probes.eventsettings import TrapSettings
from btimd.probes.sendergate import SenderGate
from btimd.probes.snmpsession import Oid, Value
from btimd.probes.snmptargets import Community, User
from btimd.probes.traprules import engine_id_of, meaning, notification_of
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_RECEIVE = "rfc3412.receiveMessage:request"
_MOST_OCTETS = 16_384


class TrapListener(Component):
    """A part of the daemon; listens only where the settings say. `addresses`: where, once started.

    credentials: whose notifications are believed. on_told, not_understood: as of SyslogListener.
    """

    def __init__(
        self,
        settings: TrapSettings,
        credentials: Iterable[Community | User],
        *,
        on_told: Callable[[Told], object],
        not_understood: Callable[[SignSource, str, str], None],
        metrics: Metrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self._settings = settings
        self._credentials = tuple(dict.fromkeys(credentials))
        self._on_told = on_told
        self._not_understood = not_understood
        self._clock = clock
        self._log = log
        self._gate = SenderGate(settings.allow, settings.per_second, settings.sender_per_second, settings.max_senders)
        self._engine: Any = None
        self._engines: set[bytes] = set()
        self._add: Callable[[Community | User, bytes], None] = lambda _credentials, _engine_id: None
        self._sender = ""
        self._let_in = False
        self.addresses: tuple[tuple[str, int], ...] = ()
        self._received = metrics.counter("btimd_traps_received_total", "Traps and informs that were believed.")
        self._matched = metrics.counter("btimd_traps_matched_total", "Traps and informs that a rule understood.")
        self._dropped = metrics.counter(
            "btimd_traps_dropped_total", "Datagrams that were not taken as notifications, by reason.", ("reason",)
        )

    @property
    @override
    def name(self) -> str:
        return "probes.traps"

    @override
    async def start(self) -> None:
        """Listen; raises OSError for an address. The library is loaded only where there is one to listen on."""
        if not self._settings.listen:
            return
        from pysnmp.carrier.asyncio.dgram import udp, udp6
        from pysnmp.entity import config
        from pysnmp.entity.engine import SnmpEngine
        from pysnmp.entity.rfc3413 import ntfrcv

        from btimd.probes.snmp import credentials_adder

        engine = self._engine = SnmpEngine()
        self.addresses = ()
        transports = []
        try:
            for number, place in enumerate(self._settings.listen):
                kind = udp6 if ":" in place[0] else udp
                base = kind.Udp6AsyncioTransport if ":" in place[0] else kind.UdpAsyncioTransport
                transport = _gated(base, self._is_let_in)().open_server_mode(place)
                await transport._lport  # noqa: SLF001  the library binds in a task, and tells of a failure here only
                config.add_transport(engine, (*kind.DOMAIN_NAME, number + 1), transport)
                transports.append(transport)
                self.addresses += (transport.transport.get_extra_info("sockname")[:2],)
        except OSError as error:
            await self.stop()
            raise OSError(error.errno, f"probes.traps.listen: cannot listen: {error.strerror or error}") from error
        self._add = credentials_adder(engine)
        for credentials in self._credentials:
            self._add(credentials, b"")
        engine.observer.register_observer(self._note_sender, _RECEIVE)
        ntfrcv.NotificationReceiver(engine, self._take)
        self._log.info("traps-started", at=", ".join(f"{host}:{port}" for host, port in self.addresses))

    @override
    async def run(self) -> None:
        await asyncio.Event().wait()

    @override
    async def stop(self) -> None:
        """Close the sockets; may be called twice."""
        engine, self._engine = self._engine, None
        if engine is not None:
            with contextlib.suppress(Exception):  # whatever a half-started engine of the library lacks
                engine.close_dispatcher()

    @override
    def health(self) -> ComponentHealth:
        return ComponentHealth()

    def _is_let_in(self, datagram: bytes, sender: str, handle: Callable[[], None]) -> None:
        reason = self._gate.admit(sender, self._clock.monotonic())
        if not reason and len(datagram) > _MOST_OCTETS:
            reason = "too-long"
        if reason:
            self._dropped.labels(reason).inc()
            return
        self._sender, self._let_in = sender, False
        try:
            self._know_engine(engine_id_of(datagram))
            handle()
        except Exception:  # noqa: BLE001  whatever hostile octets raise in the library
            self._dropped.labels("malformed").inc()
            return
        if not self._let_in:  # the library tells of strangers and broken messages by silence
            self._dropped.labels("not-believed").inc()

    def _know_engine(self, engine_id: bytes) -> None:
        """Make the users known under the engine id of a sender: traps of version 3 come under the sender's own."""
        if not engine_id or engine_id in self._engines or len(self._engines) >= self._settings.max_engines:
            return
        self._engines.add(engine_id)
        for credentials in self._credentials:
            if isinstance(credentials, User):
                self._add(credentials, engine_id)

    def _note_sender(self, _engine: Any, _point: str, variables: Any, _context: Any) -> None:
        self._sender = str(variables["transportAddress"][0])

    def _take(self, _engine: Any, _state: Any, _engine_id: Any, _name: Any, varbinds: Any, _context: Any) -> None:
        self._let_in = True
        self._received.inc()
        found: Sequence[tuple[Oid, Value]] = [(tuple(oid), _plain(value)) for oid, value in varbinds]
        told = meaning(found, self._sender, self._clock.wall())
        if told is None:
            oid = notification_of(found)
            text = ".".join(map(str, oid)) if oid else "a notification without its name"
            self._not_understood(SignSource.TRAP, self._sender, text)
        else:
            self._matched.inc()
            self._on_told(told)


def _plain(value: Any) -> Value:
    """Return a value of the library as a plain one."""
    kind = type(value).__name__
    if kind in {"Integer", "Integer32", "Counter32", "Counter64", "Gauge32", "TimeTicks", "Unsigned32"}:
        return int(value)
    if kind in {"OctetString", "IpAddress", "Opaque", "Bits"}:
        return bytes(value)
    return tuple(value) if kind in {"ObjectIdentifier", "ObjectName"} else None


def _gated(transport: Any, gate: Callable[[bytes, str, Callable[[], None]], None]) -> Any:
    """Return the transport class with a gate before the library's decoder."""

    class Gated(transport):  # type: ignore[misc]  # the base is only known at run time
        """A UDP socket of the library."""

        def datagram_received(self, datagram: bytes, address: Any) -> None:
            if self._callback_function is not None:
                gate(datagram, address[0], lambda: self._callback_function(self, address, datagram))

        def error_received(self, exc: Exception) -> None:
            """Nobody waits for what could not be sent."""

    return Gated
