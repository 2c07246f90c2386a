"""The SMTP listener: a mail is answered with 250 when its report is durable, with 4xx where it could not be kept."""

import asyncio
import hmac
import ssl
import warnings
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from typing_extensions import override

from btimd.itsm.intake.desk import IntakeDesk
from btimd.itsm.intake.mail import Mail, no_answer, read_mail
from btimd.itsm.intake.reading import Reader
from btimd.itsm.intake.settings import IntakeSettings, SmtpSettings
from btimd.model.address import address_halves
from btimd.model.report import IntakeBusyError
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret

_INLINE_OCTETS: Final = 64 * 1024
"""Larger mails are read in a thread, so that nothing else waits for them."""
_LATER: Final = "451 4.3.0 cannot keep it now; send it again later"


class SmtpListener(Component):
    """A part of the daemon; listens only where the settings say. `address`: where, once started.

    answered: takes a mail that answers a notice and says what became of it, "" = it is none.
    """

    def __init__(
        self,
        settings: IntakeSettings,
        *,
        reader: Reader,
        desk: IntakeDesk,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        answered: Callable[[Mail], Awaitable[str]] = no_answer,
    ) -> None:
        self._answered = answered
        self.settings: SmtpSettings = settings.smtp
        self._own_domains = settings.own_domains
        self.reader = reader
        self._desk = desk
        self._clock = clock
        self.log = log
        self._server: asyncio.Server | None = None
        self._password = b""
        self._tls: ssl.SSLContext | None = None
        self.connections: set[asyncio.BaseTransport] = set()
        self.address: tuple[str, int] | None = None
        self._taken = metrics.counter("btimd_intake_smtp_mails_total", "Mails over SMTP, by answer.", ("answer",))
        self.refused = metrics.counter(
            "btimd_intake_smtp_refused_total", "Connections that were not let in, by reason.", ("reason",)
        )

    @property
    @override
    def name(self) -> str:
        return "itsm.intake.smtp"

    @override
    async def start(self) -> None:
        """Listen; raises OSError for an address, ValueError for a certificate or a password."""
        settings = self.settings
        if settings.listen is None:
            return
        if settings.password_file is not None:
            self._password = read_secret(settings.password_file)
        if settings.cert_file is not None:
            self._tls = _context(settings)
        try:
            self._server = await asyncio.get_running_loop().create_server(self._protocol, *settings.listen)
        except OSError as error:
            raise OSError(error.errno, f"itsm.intake.smtp: cannot listen: {error.strerror or error}") from error
        self.address = self._server.sockets[0].getsockname()[:2]
        self.log.info("intake-smtp-started", at=f"{self.address[0]}:{self.address[1]}")

    @override
    async def run(self) -> None:
        await asyncio.Event().wait()

    @override
    async def stop(self) -> None:
        """Close everything; may be called twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for transport in list(self.connections):
            transport.close()
        await asyncio.sleep(0)

    @override
    def health(self) -> ComponentHealth:
        return ComponentHealth()

    def _protocol(self) -> "_Conversation":
        settings = self.settings
        with warnings.catch_warnings():
            # Without TLS only loopback is listened on; a password is no less safe there than the file it is kept in.
            warnings.simplefilter("ignore")
            return _Conversation(
                self,
                data_size_limit=settings.max_octets,
                enable_SMTPUTF8=True,
                hostname=settings.hostname,
                ident="btimd",
                tls_context=self._tls,
                require_starttls=self._tls is not None,
                timeout=settings.idle,
                auth_required=bool(settings.user),
                auth_require_tls=self._tls is not None,
                authenticator=self.authenticate,
            )

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        """Compare user and password, in constant time."""
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        right = hmac.compare_digest(given.login, self.settings.user.encode())
        right &= hmac.compare_digest(given.password, self._password)
        if not right:
            self.refused.labels("password").inc()
        return AuthResult(success=right and bool(self.settings.user), handled=False)

    def is_allowed(self, host: str) -> bool:
        """Tell whether an address may send."""
        allow = self.settings.allow
        return not allow or any(one.contains(*address_halves(host)) for one in allow)

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient."""
        wanted = self.settings.recipients
        if wanted and not any(fnmatchcase(address.lower(), one) for one in wanted):
            self._taken.labels("no-such-recipient").inc()
            return "550 5.1.1 reports are not taken at this address"
        if len(envelope.rcpt_tos) >= 100:  # noqa: PLR2004  RFC 5321 section 4.5.3.1.8
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        """Take a mail; the answer is given when it is durable."""
        octets = envelope.content
        if not isinstance(octets, bytes):
            return "554 5.6.0 no content"
        now = self._clock.wall()
        try:
            if len(octets) <= _INLINE_OCTETS:
                mail = read_mail(octets, self._own_domains, envelope.mail_from)
            else:
                mail = await asyncio.to_thread(read_mail, octets, self._own_domains, envelope.mail_from)
            if mail.loop:
                self._taken.labels("loop").inc()
                return f"550 5.4.6 refused: {mail.loop}"
            if became := await self._answered(mail):
                self._taken.labels("answer").inc()
                return f"250 2.0.0 {_header_text(became)}"
            receipt = await self._desk.take(self.reader.mail(mail, now))
        except IntakeBusyError as error:
            self._taken.labels("later").inc()
            self.log.warning("intake-smtp-busy", error=error)
            return _LATER
        except Exception as error:  # whatever it was: the sender keeps the mail
            self._taken.labels("later").inc()
            self.log.exception("intake-smtp-failed", error=error)
            return _LATER
        self._taken.labels("kept" if receipt.is_new else "repeated").inc()
        return f"250 2.0.0 kept as {receipt.report_id}"

    async def handle_exception(self, error: Exception) -> str:
        """Answer what the library could not deal with."""
        self.log.warning("intake-smtp-error", error=f"{type(error).__name__}: {error}"[:300])
        return _LATER


def _header_text(text: str) -> str:
    """Return a text fit for one line of an answer (RFC 5321 section 4.5.3.1.5)."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text[:400])


class _Conversation(SMTP):
    """One connection: let in or not, and counted."""

    def __init__(self, listener: SmtpListener, **options: Any) -> None:
        super().__init__(listener, **options)
        self._listener = listener

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.session is not None:  # STARTTLS: the same connection, wrapped
            self._listener.connections.add(transport)
            super().connection_made(transport)
            return
        peer = transport.get_extra_info("peername")
        reason = ""
        if not self._listener.is_allowed(peer[0]):
            reason = "not-allowed"
        elif len(self._listener.connections) >= self._listener.settings.connections:
            reason = "connections"
        if reason:
            self._listener.refused.labels(reason).inc()
            self._refused = True
            if isinstance(transport, asyncio.Transport):
                answer = (
                    b"554 5.7.1 not allowed\r\n" if reason == "not-allowed" else b"421 4.3.2 too many connections\r\n"
                )
                transport.write(answer)
            transport.close()
            return
        self._listener.connections.add(transport)
        super().connection_made(transport)

    _refused = False

    @override
    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._listener.connections.discard(self.transport)
        for transport in [one for one in self._listener.connections if one.is_closing()]:
            self._listener.connections.discard(transport)
        if not self._refused:
            super().connection_lost(error)

    @override
    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    @override
    def eof_received(self) -> bool | None:
        return None if self._refused else super().eof_received()


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(str(settings.cert_file), str(settings.key_file))
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"itsm.intake.smtp: cert_file or key_file cannot be used: {error}") from error
    return context
