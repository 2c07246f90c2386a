"""FTP: can people log on and list (RFC 959), in TLS (RFC 4217). No data connection is opened."""

from typing import Final

from typing_extensions import override

from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action
from btimd.probes.wire.mail import LineDialogue, Logon, Reply, ReplyReader
from btimd.probes.wire.tls import NO_TLS, TlsMode, TlsOptions

FTP_PORT: Final = 21
FTPS_PORT: Final = 990
_NOBODY: Final = Logon()
_NOT_KNOWN: Final = frozenset({500, 502, 504, 530, 534})


class FtpDialogue(LineDialogue):
    """Banner, AUTH TLS where asked, FEAT, USER, PASS and PWD where there is a user, QUIT."""

    protocol = "FTP"

    def __init__(self, host: str, port: int, *, tls: TlsOptions = NO_TLS, logon: Logon = _NOBODY) -> None:
        super().__init__(host, port or (FTPS_PORT if tls.mode is TlsMode.FIRST else FTP_PORT), tls=tls, logon=logon)
        self._replies = ReplyReader(free_text=True)

    @override
    def _rewind(self) -> None:
        super()._rewind()
        self._replies = ReplyReader(free_text=True)

    @override
    def _after_tls(self, now: MonotonicSeconds) -> list[Action]:
        return self._ask("FEAT", "FEAT", now)

    @override
    def _line(self, line: str, now: MonotonicSeconds) -> list[Action]:
        reply = self._replies.take(line)
        return [] if reply is None else self._reply(reply, now)

    def _reply(self, reply: Reply, now: MonotonicSeconds) -> list[Action]:  # noqa: C901, PLR0911  one case per step
        self._answered(now)
        match self._step, reply.code:
            case "banner", 120:  # ready in some minutes
                return []
            case "banner", 220:
                self._banner = reply.texts[0]
                return self._ask("AUTH TLS", "AUTH TLS", now) if self._wants_tls() else self._after_tls(now)
            case "AUTH TLS", 234:
                return self._secure(now)
            case "AUTH TLS", code if code in _NOT_KNOWN:
                return self._no_starttls()
            case "FEAT", code if code == 211 or (code in _NOT_KNOWN and self._logon.user):
                if not self._logon.user:
                    return self._well(("answers FEAT",))
                return self._ask("USER", f"USER {self._logon.user}", now)
            case "FEAT", code if code in _NOT_KNOWN:
                return self._well(("answers",))
            case "USER", 331:
                return self._ask("PASS", f"PASS {self._logon.password or 'btimd@'}", now)
            case "USER" | "PASS", 230 | 202:
                return self._ask("PWD", "PWD", now)
            case "PWD", 257:
                return self._well(("logs on", "answers PWD"))
            case _:
                return self._wrong(reply)
