"""UDP: a datagram, and the one that comes back (RFC 768). Silence may mean that it was taken, or that it was lost."""

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, Dialogue, Line, Send, Stage, printable

_SHOWN = 40


class UdpDialogue(Dialogue):
    """Sends `payload`; good when a datagram with `expect` in it comes back.

    silence_is_good: for what answers nobody: good as well where nothing comes, neither an answer nor a word that the
    port is closed.
    """

    line = Line.UDP

    def __init__(self, host: str, port: int, *, payload: bytes, expect: bytes, silence_is_good: bool) -> None:
        super().__init__(host, port)
        self._payload = payload
        self._expect = expect
        self._silence_is_good = silence_is_good

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        return [Send(self._payload)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        self._values["answer_seconds"] = now - self._stage_began
        self._values["answer_octets"] = len(data)
        if self._expect in data:
            return self._good(f"{self._target} answers with {len(data)} octets")
        found = printable(data.decode("utf-8", "replace"), _SHOWN)
        expected = printable(self._expect.decode("utf-8", "replace"), _SHOWN)
        return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} answers {found!r}, expected {expected!r} in it")

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING:
            return super()._silence(now)
        waited = f"within {now - self._started:.1f} s"
        if self._silence_is_good:
            return self._good(f"{self._target} says nothing {waited}, and nobody says that the port is closed")
        return self._bad(ErrorClass.TIMEOUT, f"{self._target} does not answer a datagram {waited}: lost, or ignored")
