"""POP3: can people fetch their mail (RFC 1939), in TLS (RFC 2595)."""

from typing import Final

from typing_extensions import override

from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, printable
from btimd.probes.wire.mail import LineDialogue, Logon
from btimd.probes.wire.tls import NO_TLS, TlsMode, TlsOptions

POP3_PORT: Final = 110
POP3S_PORT: Final = 995
_NOBODY: Final = Logon()


class Pop3Dialogue(LineDialogue):
    """Banner, CAPA, STLS where asked, USER, PASS and STAT where there is a user, QUIT. Nothing is fetched."""

    protocol = "POP3"

    def __init__(self, host: str, port: int, *, tls: TlsOptions = NO_TLS, logon: Logon = _NOBODY) -> None:
        super().__init__(host, port or (POP3S_PORT if tls.mode is TlsMode.FIRST else POP3_PORT), tls=tls, logon=logon)
        self._offers: set[str] | None = None

    @override
    def _rewind(self) -> None:
        super()._rewind()
        self._offers = None

    @override
    def _after_tls(self, now: MonotonicSeconds) -> list[Action]:
        return self._ask("CAPA", "CAPA", now)

    @override
    def _line(self, line: str, now: MonotonicSeconds) -> list[Action]:  # noqa: C901, PLR0911  one case per step
        if self._offers is not None:
            if line != ".":
                self._offers.add(line.partition(" ")[0].upper())
                return []
            offers, self._offers = self._offers, None
            return self._after_capa(offers, now)
        status, _, text = line.partition(" ")
        if status not in {"+OK", "-ERR"}:
            raise AnswerError(f"the line {line[:60]!r}")
        self._answered(now)
        match self._step, status:
            case "banner", "+OK":
                self._banner = text
                return self._ask("CAPA", "CAPA", now)
            case "CAPA", "+OK":
                self._offers = set()
                return []
            case "CAPA", _:  # from before RFC 2449: what it can is not told
                return self._after_capa({"STLS"}, now)
            case "STLS", "+OK":
                return self._secure(now)
            case "USER", "+OK":
                return self._ask("PASS", f"PASS {self._logon.password}", now)
            case "PASS", "+OK":
                return self._ask("STAT", "STAT", now)
            case "STAT", "+OK":
                return self._mailbox(text)
            case _:
                return self._wrong(printable(line, 120))

    def _after_capa(self, offers: set[str], now: MonotonicSeconds) -> list[Action]:
        if self._wants_tls():
            return self._ask("STLS", "STLS", now) if "STLS" in offers else self._no_starttls()
        if self._logon.user:
            return self._ask("USER", f"USER {self._logon.user}", now)
        return self._well(("answers CAPA",))

    def _mailbox(self, text: str) -> list[Action]:
        words = text.split()
        if len(words) < 2 or not all(word.isascii() and word.isdigit() and len(word) < 16 for word in words[:2]):
            raise AnswerError(f"the mailbox {text[:60]!r}")
        self._values["messages"], self._values["octets"] = float(words[0]), float(words[1])
        return self._well(("logs on", f"has {words[0]} messages"))
