r"""WebLogic: the greeting of T3, as Oracle's own tools send it.

client: t3 12.2.1\nAS:255\nHL:19\n\n      server: HELO:12.2.1.4.0.false\nAS:2048\nHL:19\n...
"""

from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Secure, Send, printable
from btimd.probes.wire.octets import text_of
from btimd.probes.wire.script import Halt, Script, Talk, Tls, WantLine

T3_PORT: Final = 7001
HELLO: Final = b"t3 12.2.1\nAS:255\nHL:19\n\n"


class T3Dialogue(Script):
    """Greets; good when HELO comes with a version. A server that says anything else of T3 is bad, with its words."""

    protocol = "T3"

    def __init__(self, host: str, port: int, *, tls: Tls = Tls.OFF) -> None:
        super().__init__(host, port or T3_PORT)
        self._tls = tls

    @override
    def _conversation(self) -> Talk[str]:
        if self._tls.is_needed:
            yield Secure(self._host, verify=self._tls.is_verified)
        self._doing = "finish its greeting"
        yield Send(HELLO)
        line = printable(text_of((yield WantLine(512))), 160)
        self._elapsed("answer_seconds")
        if line.startswith("HELO:"):
            version = line.removeprefix("HELO:").removesuffix(".false").removesuffix(".true")
            return f"is WebLogic {version or 'of unknown version'}"
        if line[:5] in {"LGIN:", "SERV:", "UNAV:", "RESC:", "CATA:", "LICC:"} or "filter" in line.lower():
            # A connection filter turns this host away; the other words are the server's own trouble.
            error = ErrorClass.NOT_PERMITTED if "filter" in line.lower() else ErrorClass.WRONG_ANSWER
            raise Halt(error, f"does not take T3: {line}")
        raise AnswerError(f"a greeting that begins with {line[:40]!r}")
