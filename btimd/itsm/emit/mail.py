"""E-mail: one thread per incident. The Message-ID of an event is the same on every attempt (RFC 5322 section 3.6.4).

Mail knows no question whether something arrived: where the answer to its last octet is missed it goes out again with
the same Message-ID, by which mailboxes and other programs can tell the repeat.
"""

import base64
import re
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

import aiosmtplib

from btimd.itsm.emit.courier import TargetLimits
from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import Facts, facts_of, note, subject
from btimd.itsm.emit.httptarget import limits_of, redacted, secret_of, tls_of
from btimd.itsm.emit.trial import TrialResult
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.itsm.targetsettings import MailSettings
from btimd.model.ports import OutboxMessage
from btimd.model.units import UnixSeconds
from btimd.runtime.clock import Clock

_PERMANENT: Final = 500
_DETAIL_CHARACTERS: Final = 200
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


def message_id(incident_id: str, seq: int, host: str) -> str:
    """Return the Message-ID of an event."""
    return f"<{_UNSAFE.sub('-', incident_id)}.{seq}@{host}>"


def mail_of(facts: Facts, settings: MailSettings, at: UnixSeconds) -> EmailMessage:
    """Return the mail that tells of an event, a reply to the incident's first one."""
    mail = EmailMessage(policy=SMTP)
    host = settings.sender.rpartition("@")[2]
    first = message_id(facts.incident_id, 1, host)
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.recipients)
    mail["Subject"] = ("" if facts.is_first else "Re: ") + f"{subject(facts)} #{facts.incident_id}"
    mail["Date"] = formatdate(at)
    mail["Message-ID"] = message_id(facts.incident_id, facts.seq, host)
    if not facts.is_first:
        mail["In-Reply-To"] = mail["References"] = first
    mail["X-BTIM-Incident"] = facts.incident_id
    mail["X-BTIM-Seq"] = str(facts.seq)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(note(facts))
    return mail


def judge(error: Exception) -> Outcome:
    """Return what a failed attempt says about the mail."""
    said = " ".join(str(error).split())[:_DETAIL_CHARACTERS]
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return Outcome(OutcomeKind.PAUSED, f"{said}; compare user and password_file with the server's")
        case aiosmtplib.SMTPRecipientsRefused():
            codes = [one.code for one in error.recipients]
            kind = OutcomeKind.REFUSED if codes and min(codes) >= _PERMANENT else OutcomeKind.NOT_SENT
            return Outcome(
                kind, "; ".join(f"{one.code} {one.message}" for one in error.recipients)[:_DETAIL_CHARACTERS]
            )
        case aiosmtplib.SMTPResponseException():
            kind = OutcomeKind.REFUSED if error.code >= _PERMANENT else OutcomeKind.NOT_SENT
            return Outcome(kind, f"{error.code} {said}")
        case aiosmtplib.SMTPConnectError() | aiosmtplib.SMTPConnectTimeoutError() | ConnectionRefusedError():
            return Outcome(OutcomeKind.NOT_SENT, f"no connection: {said}")
        case _:
            return Outcome(OutcomeKind.UNCERTAIN, f"the connection broke: {type(error).__name__}")


class Mail:
    """A mail server and who is written to."""

    def __init__(self, name: str, settings: MailSettings, clock: Clock) -> None:
        self.name = name
        self.limits: TargetLimits = limits_of(settings)
        self._settings = settings
        self._clock = clock
        self._password: str | None = None
        self._shapes: tuple[str, ...] = ()
        self._tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Read the password and certificates; raises ValueError that says which file is wrong."""
        what = f"itsm.mail.{self.name}"
        path: Path | None = self._settings.password_file
        self._password = None if path is None else secret_of(what, path)
        if self._password is not None:
            pairs = (f"\0{self._settings.user}\0{self._password}", self._password)
            self._shapes = (self._password, *(base64.b64encode(pair.encode()).decode() for pair in pairs))
        self._tls = tls_of(what, self._settings.ca_file)

    async def stop(self) -> None:
        """Nothing is kept open."""

    def _server(self) -> dict[str, Any]:
        """Return where and how the server is called, as aiosmtplib names it."""
        settings = self._settings
        return {
            "hostname": settings.server[0],
            "port": settings.server[1],
            "username": settings.user or None,
            "password": self._password,
            "use_tls": settings.security == "tls",
            "start_tls": settings.security == "starttls",
            "tls_context": self._tls if settings.security != "none" else None,
            "timeout": settings.timeout,
        }

    async def deliver(self, message: OutboxMessage) -> Outcome:
        """Send one mail."""
        settings = self._settings
        try:
            mail = mail_of(facts_of(message.body), settings, self._clock.wall())
        except HaltError as halt:
            return halt.outcome
        try:
            await aiosmtplib.send(mail, **self._server())
        except (aiosmtplib.SMTPException, OSError) as error:
            outcome = judge(error)
            return Outcome(outcome.kind, redacted(outcome.detail, self._shapes))
        return Outcome(OutcomeKind.DELIVERED, f"{mail['Message-ID']}")

    async def try_out(self) -> TrialResult:
        """Connect, log in where there is a user, and leave."""
        settings = self._settings
        client = aiosmtplib.SMTP(**self._server())
        try:
            async with client:
                await client.noop()
        except (aiosmtplib.SMTPException, OSError) as error:
            outcome = judge(error)
            detail = redacted(outcome.detail, self._shapes)
            kind = OutcomeKind.NOT_SENT if outcome.kind is OutcomeKind.UNCERTAIN else outcome.kind
            return TrialResult(Outcome(kind, detail))
        logged_in = "the log-in was accepted" if settings.user else "it needs no log-in from here"
        return TrialResult(Outcome(OutcomeKind.DELIVERED, f"it greets; {logged_in}"), bool(settings.user))
