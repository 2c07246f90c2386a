"""SMTP: does the mail server take mail (RFC 5321), in TLS (RFC 3207), from somebody who logs on (RFC 4954).

No mail is ever sent: after the greeting a NOOP, then QUIT. With a sender a mail is announced (MAIL FROM) and called off
(RSET): that is where a server without room, or one that knows the sender not, says so.
"""

import base64
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action
from btimd.probes.wire.mail import LineDialogue, Logon, Reply, ReplyReader
from btimd.probes.wire.tls import NO_TLS, TlsMode, TlsOptions

SMTP_PORT: Final = 25
SMTPS_PORT: Final = 465
_NOBODY: Final = Logon()
_NO_ROOM: Final = frozenset({452, 552})
"""Replies that say that storage is exceeded (RFC 5321 section 4.2.2)."""


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class SmtpDialogue(LineDialogue):
    """Banner, EHLO, STARTTLS where asked, AUTH where there is a user, NOOP, QUIT; good when all are answered well.

    sender: announce a mail of this sender and call it off, instead of NOOP; None = announce nothing, "" = the sender
    of bounces.
    """

    protocol = "SMTP"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: TlsOptions = NO_TLS,
        logon: Logon = _NOBODY,
        ehlo: str = "btimd.invalid",
        sender: str | None = None,
    ) -> None:
        super().__init__(host, port or (SMTPS_PORT if tls.mode is TlsMode.FIRST else SMTP_PORT), tls=tls, logon=logon)
        if not ehlo or not all("!" <= character <= "~" for character in ehlo):
            raise ValueError(f"ehlo {ehlo!r} is no name of a host")
        if sender and (not all("!" <= character <= "~" for character in sender) or set("<>") & set(sender)):
            raise ValueError(f"sender {sender!r} is no address; write it without angle brackets")
        self._sender = sender
        self._ehlo = ehlo
        self._replies = ReplyReader()
        self._offers: dict[str, str] = {}

    @override
    def _rewind(self) -> None:
        super()._rewind()
        self._replies = ReplyReader()

    @override
    def _after_tls(self, now: MonotonicSeconds) -> list[Action]:
        return self._ask("EHLO", f"EHLO {self._ehlo}", now)

    @override
    def _line(self, line: str, now: MonotonicSeconds) -> list[Action]:
        reply = self._replies.take(line)
        return [] if reply is None else self._reply(reply, now)

    def _reply(self, reply: Reply, now: MonotonicSeconds) -> list[Action]:  # noqa: PLR0911  one case per step
        self._answered(now)
        match self._step, reply.code:
            case "banner", 220:
                self._banner = reply.texts[0]
                return self._ask("EHLO", f"EHLO {self._ehlo}", now)
            case "EHLO", 250:
                words = (text.partition(" ") for text in reply.texts[1:])
                self._offers = {name.upper(): rest.upper() for name, _, rest in words}
                return self._after_ehlo(now)
            case "STARTTLS", 220:
                return self._secure(now)
            case "AUTH", 334 if "PLAIN" not in self._offers["AUTH"].split():
                return self._ask("password", _encoded(self._logon.password), now)
            case "AUTH" | "password", 235:
                return self._try(now)
            case "MAIL FROM", 250:
                return self._ask("RSET", "RSET", now)
            case "MAIL FROM", code if code in _NO_ROOM:
                return self._leave(self._bad(ErrorClass.EXCEEDED, f"{self._target} answers {self._step}: {reply}"))
            case "RSET", 250:
                return self._well(("takes mail", *(("logs on",) if self._logon.user else ())))
            case "NOOP", 250:
                return self._well(("answers NOOP", *(("logs on",) if self._logon.user else ())))
            case _:
                return self._wrong(reply)

    def _try(self, now: MonotonicSeconds) -> list[Action]:
        """See whether it does its work."""
        if self._sender is None:
            return self._ask("NOOP", "NOOP", now)
        return self._ask("MAIL FROM", f"MAIL FROM:<{self._sender}>", now)

    def _after_ehlo(self, now: MonotonicSeconds) -> list[Action]:
        if self._wants_tls():
            return self._ask("STARTTLS", "STARTTLS", now) if "STARTTLS" in self._offers else self._no_starttls()
        if not self._logon.user:
            return self._try(now)
        offered = self._offers.get("AUTH", "").split()
        both = f"\0{self._logon.user}\0{self._logon.password}"
        if "PLAIN" in offered:
            return self._ask("AUTH", f"AUTH PLAIN {_encoded(both)}", now)
        if "LOGIN" in offered:
            return self._ask("AUTH", f"AUTH LOGIN {_encoded(self._logon.user)}", now)
        return self._wrong("no way to log on is offered that is known here (PLAIN, LOGIN)")
