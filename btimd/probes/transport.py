"""Runs dialogues on sockets: exactly one answer per probe, by its deadline, and nothing left open.

A probe is one coroutine and at most one socket; no tasks, no callbacks. Cancelling it closes the socket at once.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Final

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.units import MonotonicSeconds, UnixSeconds
from btimd.probes.errorqueue import hear_errors, read_error
from btimd.probes.meter import Meter
from btimd.probes.wire.dialogue import (
    Action,
    AnswerError,
    Close,
    Closed,
    Connect,
    Connected,
    Deadline,
    Dialogue,
    Elapsed,
    Event,
    Finish,
    Line,
    LocalFailure,
    NotPermitted,
    Outcome,
    Received,
    Refused,
    Reset,
    Resolve,
    Resolved,
    Secure,
    Secured,
    Send,
    TlsFailed,
    Unreachable,
    Unresolved,
    Wait,
    result_of,
)
from btimd.probes.wire.icmp import ICMP_FIX, without_ipv4_header
from btimd.probes.wire.icmperror import IcmpError, Told
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log

FIREWALL_FIX: Final = "this machine's own firewall, routes or policy forbid the packet; let btimd send it"
PORT_FIX: Final = "this process may not send from port {port}; give the service CAP_NET_BIND_SERVICE"
_UNREACHABLE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_RESET: Final = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN})
_TCP_CHUNK: Final = 16 * 1024
_DATAGRAM: Final = 65_535
_LOOKUPS_AT_ONCE: Final = 2
_CONTEXTS_KEPT: Final = 64
_NO_ALERT: Final = "the server closed the connection in the handshake"


class _Ended(Exception):  # noqa: N818  not an error: the dialogue has its outcome
    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def event_of(error: OSError) -> Event:
    """Return what an error of a socket means to a dialogue."""
    if isinstance(error, ConnectionRefusedError):
        return Refused()
    if error.errno in _RESET:
        return Reset()
    if error.errno in _UNREACHABLE:
        return Unreachable((error.strerror or str(error)).lower())
    if error.errno == errno.ETIMEDOUT:
        return Deadline()
    if error.errno in {errno.EPERM, errno.EACCES}:
        return NotPermitted(FIREWALL_FIX)
    return LocalFailure(f"this machine cannot send the probe: {error.strerror or error}")


def event_of_told(told: IcmpError, line: Line) -> Event | None:
    """Return what an ICMP error means to a dialogue, None where the socket's own error says it as well."""
    if told.is_local:
        return None
    if told.told is Told.PORT:
        return Refused(told.by if line is Line.TCP else "")
    if told.told is Told.PROHIBITED:
        return Unreachable(f"filtered, {told.by} says: {told.words}")
    return Unreachable(f"{told.by} says: {told.words}")


class SystemResolver:
    """The system's name resolution, in the loop's executor.

    A look-up cannot be stopped once begun, so it goes on after its probe gave up; one name is looked up once at a
    time and at most two names are, so that a dead resolver does not eat the threads that everything else needs.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Future[Event]] = {}

    async def resolve(self, name: str) -> Event:
        """Return Resolved, Unresolved or LocalFailure."""
        found = self._running.get(name)
        if found is None:
            if len(self._running) >= _LOOKUPS_AT_ONCE:
                stuck = ", ".join(self._running)
                return LocalFailure(
                    f"the system's resolver is busy with {stuck}; set options.resolver or use addresses"
                )
            found = asyncio.get_running_loop().run_in_executor(None, _look_up, name)
            self._running[name] = found
            found.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(found)


def _look_up(name: str) -> Event:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_NODATA}:
            return Unresolved(str(error.strerror).lower())
        return LocalFailure(f"the system's resolver fails: {error.strerror}")
    except (OSError, UnicodeError) as error:
        return LocalFailure(f"the system's resolver fails: {error}")
    return Resolved(tuple(dict.fromkeys(str(entry[4][0]) for entry in found)))


class _Tls:
    """TLS between octets: what goes to the socket and what came from it, without touching it."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        """Prepare; raises ValueError for a name that cannot be sent."""
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_name)

    def handshake(self) -> bool:
        """Go on with the handshake; tell whether it is done. Raises ssl.SSLError."""
        try:
            self.session.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def secured(self, at: UnixSeconds) -> Secured:
        """Return what was agreed, and who the server says it is."""
        # Public from Python 3.13 on, where it gives octets; before, the same is there under another name.
        public = getattr(self.session, "get_unverified_chain", None)
        found = (public or self.session._sslobj.get_unverified_chain)() or ()  # type: ignore[attr-defined]  # noqa: SLF001
        chain = tuple(one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in found)
        return Secured(
            at=at,
            certificate=self.session.getpeercert(binary_form=True) or b"",
            chain=chain,
            version=self.session.version() or "",
            alpn=self.session.selected_alpn_protocol() or "",
        )

    def read(self) -> bytes | None:
        """Return what the other side said, b"" where it closed, None where more octets are needed."""
        try:
            return self.session.read(_TCP_CHUNK)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""


class _Connection:
    """The one socket of a probe."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, meter: Meter) -> None:
        self._loop = loop
        self._clock = clock
        self._meter = meter
        self._socket: socket.socket | None = None
        self._tls: _Tls | None = None
        self._line = Line.TCP
        self._has_ip_header = False

    async def open(self, action: Connect) -> Event:  # noqa: PLR0911  one return per way of failing
        """Connect; return what came of it."""
        self._line = action.kind
        self._meter.opened(action.kind)
        try:
            family, _, _, _, address = socket.getaddrinfo(
                action.address, action.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )[0]
        except socket.gaierror as error:
            return LocalFailure(f"{action.address} is no address: {error.strerror}")
        try:
            opened = self._icmp(family) if action.kind is Line.ICMP else self._plain(family, action.kind)
        except PermissionError:
            return NotPermitted(ICMP_FIX if action.kind is Line.ICMP else FIREWALL_FIX)
        except OSError as error:
            return event_of(error)
        self._socket = opened
        opened.setblocking(False)  # noqa: FBT003  the library's own signature
        refused = self._bound(opened, action)
        if refused is not None:
            return refused
        try:
            if action.kind is not Line.ICMP:
                hear_errors(opened)
            if action.kind is Line.TCP:
                async with asyncio.timeout(action.within_seconds):
                    await self._loop.sock_connect(opened, address)
                hear_errors(opened, on=False)  # of a connection that stands, passing errors are no end
            else:
                opened.connect(
                    address
                )  # only names the peer; the loop's own would look the address up, and fails on raw
        except TimeoutError as error:
            return event_of(error) if error.errno else Elapsed()
        except OSError as error:
            return self._told(error)
        return Connected(self._clock.wall(), str(opened.getsockname()[0]))

    @staticmethod
    def _bound(opened: socket.socket, action: Connect) -> Event | None:
        """Send from where the action says; return what went wrong, None where nothing did."""
        try:
            if action.source_address or action.source_port:
                opened.bind((action.source_address, action.source_port))
        except PermissionError:
            return NotPermitted(PORT_FIX.format(port=action.source_port))
        except OSError as error:
            return LocalFailure(f"cannot send from {action.source_address}:{action.source_port}: {error.strerror}")
        return None

    def _told(self, error: OSError) -> Event:
        """Return what an error means; the error queue knows who said it."""
        found = None if self._socket is None or self._line is Line.ICMP else read_error(self._socket)
        return event_of(error) if found is None else event_of_told(found[1], self._line) or event_of(error)

    @staticmethod
    def _plain(family: int, line: Line) -> socket.socket:
        return socket.socket(family, socket.SOCK_DGRAM if line is Line.UDP else socket.SOCK_STREAM)

    def _icmp(self, family: int) -> socket.socket:
        """Open a ping socket, or a raw one where the group range forbids it but CAP_NET_RAW is there."""
        protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        self._has_ip_header = False
        try:
            return socket.socket(family, socket.SOCK_DGRAM, protocol)
        except OSError:  # EACCES by the group range, EPROTONOSUPPORT on old kernels: raw decides
            self._has_ip_header = family == socket.AF_INET
            return socket.socket(family, socket.SOCK_RAW, protocol)

    async def secure(self, action: Secure, context: ssl.SSLContext) -> Event:
        """Do the TLS handshake."""
        try:
            tls = _Tls(context, action.server_name)
        except ValueError as error:
            return LocalFailure(f"{action.server_name!r} cannot be sent as the name of a server: {error}")
        try:
            while not tls.handshake():
                await self._flush(tls)
                data = await self._recv(_TCP_CHUNK)
                if not data:
                    return TlsFailed(_NO_ALERT)
                tls.incoming.write(data)
            await self._flush(tls)
        except ssl.SSLCertVerificationError as error:
            with contextlib.suppress(OSError):
                await self._flush(tls)  # tells the server why
            return TlsFailed(f"certificate not accepted: {error.verify_message}", error.verify_code)
        except ssl.SSLError as error:
            return TlsFailed(error.reason or str(error))
        except OSError as error:
            return event_of(error)
        self._tls = tls
        return tls.secured(self._clock.wall())

    async def send(self, data: bytes) -> Event | None:
        """Send; return what went wrong, None where nothing did."""
        try:
            if self._tls is None:
                self._meter.moved(self._line, sent=len(data))
                await self._loop.sock_sendall(self._opened, data)
            else:
                self._tls.session.write(data)
                await self._flush(self._tls)
        except ssl.SSLError as error:
            return TlsFailed(error.reason or str(error))
        except OSError as error:
            return event_of(error)
        return None

    async def receive(self) -> Event:
        """Wait for the next thing from the other side."""
        try:
            if self._tls is not None:
                data = await self._receive_tls(self._tls)
            else:
                data = await self._recv(_TCP_CHUNK if self._line is Line.TCP else _DATAGRAM)
        except ssl.SSLError as error:
            return TlsFailed(error.reason or str(error))
        except OSError as error:
            return self._told(error)
        if not data and self._line is Line.TCP:
            return Closed()
        if self._has_ip_header and self._line is Line.ICMP:
            try:
                data = without_ipv4_header(data)
            except AnswerError:
                data = b""
        return Received(data)

    async def _recv(self, size: int) -> bytes:
        """Receive, and let the loop breathe first: data that is always there already would keep it for itself."""
        await asyncio.sleep(0)
        data = await self._loop.sock_recv(self._opened, size)
        self._meter.moved(self._line, received=len(data))
        return data

    async def _receive_tls(self, tls: _Tls) -> bytes:
        while (found := tls.read()) is None:
            data = await self._recv(_TCP_CHUNK)
            if data:
                tls.incoming.write(data)
            else:
                tls.incoming.write_eof()
        return found

    async def _flush(self, tls: _Tls) -> None:
        if tls.outgoing.pending:
            data = tls.outgoing.read()
            self._meter.moved(self._line, sent=len(data))
            await self._loop.sock_sendall(self._opened, data)

    @property
    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise OSError(errno.ENOTCONN, "the connection is not open")
        return self._socket

    def close(self) -> None:
        """Give the socket back; may be called twice."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
        self._socket = None
        self._tls = None


class Transport:
    """Carries dialogues out. `run` returns one result by the check's deadline, whatever happens on the network.

    on_bug is called for every exception that a dialogue or this class did not expect.
    """

    def __init__(self, clock: Clock, log: Log, on_bug: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._log = log
        self._on_bug = on_bug
        self._resolver = SystemResolver()
        self._contexts: dict[tuple[bool, tuple[str, ...], str], ssl.SSLContext] = {}

    async def run(self, spec: ProbeSpec, dialogue: Dialogue, meter: Meter | None = None) -> ProbeResult:
        """Run a dialogue to its end; a bug in it is a local failure, told to on_bug. meter: notes what it moves."""
        loop = asyncio.get_running_loop()
        started_at, began = self._clock.wall(), self._clock.monotonic()
        connection = _Connection(loop, self._clock, Meter() if meter is None else meter)
        try:
            outcome = await self._converse(dialogue, connection, loop.time() + spec.check.timeout_seconds)
        except Exception as error:  # noqa: BLE001  the panic barrier: a bug costs one probe
            self._on_bug()
            self._log.exception("probe-failed", check=spec.check.id)
            outcome = Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, f"btimd failed in the probe: {error!r:.120}")
        finally:
            connection.close()
        elapsed = max(0.0, self._clock.monotonic() - began)
        return result_of(spec, outcome, started_at=started_at, elapsed_seconds=elapsed)

    async def _converse(self, dialogue: Dialogue, connection: _Connection, deadline: MonotonicSeconds) -> Outcome:
        try:
            try:
                async with asyncio.timeout_at(deadline):
                    event = await self._act(dialogue.start(self._clock.monotonic()), connection)
                    while True:
                        if isinstance(event, Deadline):
                            break
                        event = await self._act(dialogue.handle(event, self._clock.monotonic()), connection)
            except TimeoutError:
                pass
            for action in dialogue.handle(Deadline(), self._clock.monotonic()):
                if isinstance(action, Finish):
                    return action.outcome
        except _Ended as ended:
            return ended.outcome
        raise RuntimeError("the dialogue did not end at its deadline")

    async def _act(self, actions: list[Action], connection: _Connection) -> Event:
        """Do what the dialogue wants; return the next thing that happens. Raises _Ended with the outcome."""
        for action in actions:
            event = await self._do(action, connection)
            if event is not None and not isinstance(actions[-1], Finish):
                return event  # what follows in the list hangs on this action, which has failed or just got there
        if not actions or not isinstance(actions[-1], Wait):
            return await connection.receive()
        try:
            async with asyncio.timeout(max(0.0, actions[-1].seconds)):
                return await connection.receive()
        except TimeoutError:
            return Elapsed()

    async def _do(self, action: Action, connection: _Connection) -> Event | None:
        match action:
            case Finish(outcome):
                raise _Ended(outcome)
            case Send(data):
                return await connection.send(data)
            case Close():
                connection.close()
                return None
            case Wait():
                return None
            case Connect():
                return await connection.open(action)
            case Secure():
                context = await self._context(action)
                return context if isinstance(context, LocalFailure) else await connection.secure(action, context)
            case Resolve(name):
                return await self._resolver.resolve(name)

    async def _context(self, action: Secure) -> ssl.SSLContext | LocalFailure:
        """Return the TLS context; to make one reads the system's authorities from disk, so off the loop."""
        key = action.verify, action.alpn, action.ca
        if key not in self._contexts:
            try:
                made = await asyncio.get_running_loop().run_in_executor(None, _make_context, action)
            except (ssl.SSLError, ValueError) as error:
                return LocalFailure(f"the certificates of the authorities (ca_file) cannot be read: {error}")
            if len(self._contexts) >= _CONTEXTS_KEPT:
                self._contexts.clear()  # rare: authorities are few and change by reload
            self._contexts[key] = made
        return self._contexts[key]


def _make_context(action: Secure) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=action.ca or None)
    # What Python 3.13 adds refuses authorities of many enterprises for what their certificates leave out.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if action.alpn:
        context.set_alpn_protocols(list(action.alpn))
    if not action.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
