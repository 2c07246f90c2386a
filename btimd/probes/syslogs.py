"""Takes syslog over UDP, TCP and TLS, and tells what the messages mean."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from btimd.model.heard import Told
from btimd.model.sign import SignSource
from btimd.probes.eventsettings import SyslogSettings
from btimd.probes.sendergate import NOT_ALLOWED, SenderGate
from btimd.probes.syslogrules import searched, understand
from btimd.probes.wire.syslogmessage import StreamFramer, parse_syslog
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_READ_OCTETS = 4096
_HANDSHAKE_SECONDS = 10.0
_CLOSE_SECONDS = 1.0


class SyslogListener(Component):
    """A part of the daemon; listens only where the settings say.

    on_told: takes what was understood, not_understood: source, sender and text of the rest. `addresses`: where UDP,
    then TCP, then TLS is taken, once started.
    """

    def __init__(
        self,
        settings: SyslogSettings,
        *,
        on_told: Callable[[Told], object],
        not_understood: Callable[[SignSource, str, str], None],
        metrics: Metrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self._settings = settings
        self._rules = settings.all_rules()
        self._on_told = on_told
        self._not_understood = not_understood
        self._clock = clock
        self._log = log
        self._gate = SenderGate(settings.allow, settings.per_second, settings.sender_per_second, settings.max_senders)
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self.addresses: tuple[tuple[str, int], ...] = ()
        self._received = metrics.counter("btimd_syslog_received_total", "Syslog messages that were let in.", ("over",))
        self._matched = metrics.counter("btimd_syslog_matched_total", "Messages that a rule understood.")
        self._dropped = metrics.counter(
            "btimd_syslog_dropped_total", "Messages and connections that were not taken, by reason.", ("reason",)
        )

    @property
    @override
    def name(self) -> str:
        return "probes.syslog"

    @override
    async def start(self) -> None:
        """Listen; raises OSError for an address, ValueError for a certificate."""
        settings, loop = self._settings, asyncio.get_running_loop()
        tls = self._tls() if settings.tls_listen else None
        found: list[tuple[str, int]] = []
        try:
            for place in settings.listen:
                transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._take), local_addr=place)
                self._transports.append(transport)
                found.append(transport.get_extra_info("sockname")[:2])
            for place, context in (
                *((place, None) for place in settings.tcp_listen),
                *((place, tls) for place in settings.tls_listen),
            ):
                more: dict[str, Any] = {"ssl_handshake_timeout": _HANDSHAKE_SECONDS} if context is not None else {}
                server = await asyncio.start_server(self._accept, *place, ssl=context, limit=_READ_OCTETS, **more)
                self._servers.append(server)
                found.append(server.sockets[0].getsockname()[:2])
        except OSError as error:
            await self.stop()
            raise OSError(error.errno, f"probes.syslog: cannot listen: {error.strerror or error}") from error
        self.addresses = tuple(found)
        if found:
            self._log.info("syslog-started", at=", ".join(f"{host}:{port}" for host, port in found))

    def _tls(self) -> ssl.SSLContext:
        settings = self._settings
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(str(settings.cert_file), str(settings.key_file))
            if settings.client_ca_file is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(str(settings.client_ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"probes.syslog: cert_file, key_file or client_ca_file cannot be used: {error}") from error
        return context

    @override
    async def run(self) -> None:
        await asyncio.Event().wait()

    @override
    async def stop(self) -> None:
        """Close everything; may be called twice."""
        transports, self._transports = self._transports, []
        servers, self._servers = self._servers, []
        for transport in transports:
            transport.close()
        for server in servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @override
    def health(self) -> ComponentHealth:
        return ComponentHealth()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        reason = ""
        if not self._gate.is_allowed(peer[0]):
            reason = NOT_ALLOWED
        elif len(self._connections) >= self._settings.connections:
            reason = "connections"
        task = asyncio.current_task()
        if reason or task is None:
            self._dropped.labels(reason or "connections").inc()
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._read(reader, peer[0], "tls" if writer.get_extra_info("ssl_object") else "tcp")
        except (OSError, ssl.SSLError, TimeoutError, asyncio.CancelledError):
            pass  # the peer is gone, silent for too long, or btimd stops
        finally:
            self._connections.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, sender: str, over: str) -> None:
        framer = StreamFramer()
        skipped = 0
        while True:
            octets = await asyncio.wait_for(reader.read(_READ_OCTETS), self._settings.idle)
            for message in framer.feed(octets) if octets else framer.end():
                self._take(message, sender, over)
            if framer.skipped > skipped:
                skipped = framer.skipped
                self._dropped.labels("too-long").inc()
            if not octets:
                return

    def _take(self, octets: bytes, sender: str, over: str = "udp") -> None:
        reason = self._gate.admit(sender, self._clock.monotonic())
        if reason:
            self._dropped.labels(reason).inc()
            return
        message = parse_syslog(octets)
        if message is None:
            self._dropped.labels("empty").inc()
            return
        self._received.labels(over).inc()
        told = understand(message, sender, self._clock.wall(), self._rules)
        if told is None:
            self._not_understood(SignSource.SYSLOG, sender, searched(message))
        else:
            self._matched.inc()
            self._on_told(told)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, str], None]) -> None:
        self._take = take

    @override
    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._take(data, addr[0])
