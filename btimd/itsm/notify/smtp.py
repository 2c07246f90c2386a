"""Sends the mail of a notice by SMTP, one connection each, and knows at which step it failed."""

import ssl
from pathlib import Path
from typing import Final, Literal

import aiosmtplib

from btimd.itsm.notify.answers import SendResult
from btimd.itsm.notify.mail import message_of
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Means, Notice
from btimd.model.units import Seconds
from btimd.runtime.clock import Clock
from btimd.settings.fields import read_secret

_PERMANENT: Final = 500
_OCTETS: Final = 200


class MailSender:
    """One mail server. send never raises but when cancelled."""

    means = Means.EMAIL

    def __init__(
        self,
        name: str,
        *,
        table: str,
        server: tuple[str, int],
        security: Literal["starttls", "tls", "none"],
        sender: str,
        sender_name: str,
        reply_to: str,
        user: str,
        password_file: Path | None,
        ca_file: Path | None,
        timeout: Seconds,
        max_in_flight: int,
        per_minute: int,
        clock: Clock,
    ) -> None:
        self.name = name
        self.max_in_flight = max_in_flight
        self.per_minute = per_minute
        self._table, self._server, self._security = table, server, security
        self._sender, self._sender_name, self._reply_to = sender, sender_name, reply_to
        self._user, self._password_file, self._ca_file = user, password_file, ca_file
        self._timeout, self._clock = timeout, clock
        self._password: str | None = None
        self._tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Read password and certificates; raises ValueError that says which is wrong."""
        try:
            if self._password_file is not None:
                self._password = read_secret(self._password_file).decode("utf-8", "replace")
            self._tls = ssl.create_default_context(cafile=None if self._ca_file is None else str(self._ca_file))
        except OSError as error:
            raise ValueError(f"{self._table}: ca_file {self._ca_file}: {error}; give a PEM file") from None
        except ValueError as error:
            raise ValueError(f"{self._table}: {error}") from None

    async def stop(self) -> None:
        """Nothing stays open between mails."""

    async def send(self, notice: Notice) -> SendResult:
        """Send one mail."""
        if self._tls is None:
            return SendResult(Outcome(OutcomeKind.NOT_SENT, f"{self.name} is not started"))
        try:
            message = message_of(
                notice,
                sender=self._sender,
                sender_name=self._sender_name,
                reply_to=self._reply_to,
                now=self._clock.wall(),
            )
        except ValueError as error:
            return SendResult(Outcome(OutcomeKind.REFUSED, str(error)))
        client = aiosmtplib.SMTP(
            hostname=self._server[0],
            port=self._server[1],
            timeout=self._timeout,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=self._tls if self._security != "none" else None,
        )
        try:
            outcome = await self._connect(client)
            if outcome is None:
                outcome = await self._transfer(client, notice, message.as_bytes())
        finally:
            client.close()
        identifier = str(message["Message-ID"]) if outcome.kind is OutcomeKind.DELIVERED else ""
        return SendResult(outcome, identifier)

    async def _connect(  # noqa: PLR0911  one return per class of failure is the table
        self, client: aiosmtplib.SMTP
    ) -> Outcome | None:
        """Return None when the server may be given a mail. Until then certainly nothing was sent."""
        try:
            await client.connect()
            if self._user and self._password is not None:
                await client.login(self._user, self._password)
        except aiosmtplib.SMTPAuthenticationError as error:
            kind = OutcomeKind.PAUSED if error.code >= _PERMANENT else OutcomeKind.NOT_SENT
            return Outcome(kind, f"the server refuses user {self._user!r}: {error.code}; check user and password_file")
        except aiosmtplib.SMTPResponseException as error:
            return Outcome(OutcomeKind.NOT_SENT, f"the server answers {error.code}")
        except ssl.SSLCertVerificationError:
            return Outcome(OutcomeKind.NOT_SENT, "the certificate is not trusted; give ca_file or renew it")
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError, RuntimeError) as error:
            if type(error) is aiosmtplib.SMTPException:  # what the library raises for a missing extension
                return Outcome(OutcomeKind.PAUSED, f"the server offers no {self._security} or no login; check security")
            if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE_VERIFY" in str(error):
                return Outcome(OutcomeKind.NOT_SENT, "the certificate is not trusted; give ca_file or renew it")
            return Outcome(OutcomeKind.NOT_SENT, f"no connection: {type(error).__name__}")
        return None

    async def _transfer(self, client: aiosmtplib.SMTP, notice: Notice, octets: bytes) -> Outcome:
        step = "MAIL"
        try:
            await client.mail(self._sender)
            step = "RCPT"
            await client.rcpt(notice.address)
            step = "DATA"
            code, _ = await client.data(octets)
        except aiosmtplib.SMTPResponseException as error:
            if error.code < _PERMANENT:
                return Outcome(OutcomeKind.NOT_SENT, f"{step}: {error.code} {_shown(error.message)}")
            kind = OutcomeKind.PAUSED if step == "MAIL" else OutcomeKind.REFUSED
            return Outcome(kind, f"{step}: {error.code} {_shown(error.message)}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            # After DATA the server may have taken it without our knowing.
            kind = OutcomeKind.UNCERTAIN if step == "DATA" else OutcomeKind.NOT_SENT
            return Outcome(kind, f"{step}: {type(error).__name__}")
        return Outcome(OutcomeKind.DELIVERED, str(code))


def _shown(message: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in message[:_OCTETS]).split())
