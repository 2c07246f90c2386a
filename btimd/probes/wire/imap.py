"""IMAP: can people read their mail (RFC 3501), in TLS."""

import re
from typing import Final

from typing_extensions import override

from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, printable
from btimd.probes.wire.mail import LineDialogue, Logon
from btimd.probes.wire.tls import NO_TLS, TlsMode, TlsOptions

IMAP_PORT: Final = 143
IMAPS_PORT: Final = 993
_NOBODY: Final = Logon()
_TAGS: Final = {"CAPABILITY": "b1", "STARTTLS": "b2", "LOGIN": "b3", "STATUS": "b4", "NOOP": "b5"}
_STATUS: Final = re.compile(r"(MESSAGES|UNSEEN) (\d{1,15})", re.IGNORECASE | re.ASCII)


def quoted(text: str) -> str:
    """Return a quoted string (RFC 3501 section 4.3)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class ImapDialogue(LineDialogue):
    """Banner, CAPABILITY, STARTTLS where asked, LOGIN and STATUS INBOX where there is a user, else NOOP; LOGOUT."""

    protocol = "IMAP"
    farewell = b"b9 LOGOUT\r\n"

    def __init__(self, host: str, port: int, *, tls: TlsOptions = NO_TLS, logon: Logon = _NOBODY) -> None:
        super().__init__(host, port or (IMAPS_PORT if tls.mode is TlsMode.FIRST else IMAP_PORT), tls=tls, logon=logon)
        self._hidden = (*self._hidden, quoted(logon.password)[1:-1])
        self._offers: set[str] = set()

    @override
    def _after_tls(self, now: MonotonicSeconds) -> list[Action]:
        return self._command("CAPABILITY", "", now)

    def _command(self, name: str, rest: str, now: MonotonicSeconds) -> list[Action]:
        return self._ask(name, f"{_TAGS[name]} {name}{rest}", now)

    @override
    def _line(self, line: str, now: MonotonicSeconds) -> list[Action]:
        tag, _, rest = line.partition(" ")
        word, _, text = rest.partition(" ")
        word = word.upper()
        if self._step == "banner":
            if tag != "*" or word not in {"OK", "PREAUTH", "BYE"}:
                raise AnswerError(f"the line {line[:60]!r}")
            self._answered(now)
            self._banner = text.partition("] ")[2] if text.startswith("[") else text  # what it can stands in between
            return self._command("CAPABILITY", "", now) if word != "BYE" else self._wrong(f"BYE {printable(text, 120)}")
        if tag == _TAGS[self._step]:
            self._answered(now)
            return self._done(now) if word == "OK" else self._wrong(f"{word} {printable(text, 120)}")
        if tag == "*":
            self._untagged(word, text)
        return []  # also what a server sends of its own will, and literals, which nothing here asks for

    def _untagged(self, word: str, text: str) -> None:
        if word == "CAPABILITY":
            self._offers = set(text.upper().split())
        elif word == "STATUS":
            for name, number in _STATUS.findall(text.rpartition("(")[2]):
                self._values[name.lower()] = float(number)

    def _done(self, now: MonotonicSeconds) -> list[Action]:  # noqa: PLR0911  one case per step
        match self._step:
            case "CAPABILITY" if self._wants_tls():
                return self._command("STARTTLS", "", now) if "STARTTLS" in self._offers else self._no_starttls()
            case "CAPABILITY" if not self._logon.user:
                return self._command("NOOP", "", now)
            case "CAPABILITY" if "LOGINDISABLED" in self._offers:
                return self._wrong("LOGINDISABLED, a logon is allowed in TLS only")
            case "CAPABILITY":
                return self._command("LOGIN", f" {quoted(self._logon.user)} {quoted(self._logon.password)}", now)
            case "STARTTLS":
                self._offers.clear()
                return self._secure(now)
            case "LOGIN":
                return self._command("STATUS", " INBOX (MESSAGES UNSEEN)", now)
            case "STATUS":
                if "messages" not in self._values:
                    return self._wrong("OK without the number of messages")
                return self._well(("logs on", f"has {self._values['messages']:.0f} messages"))
            case _:
                return self._well(("answers NOOP",))
