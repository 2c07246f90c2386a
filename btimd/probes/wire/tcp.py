"""TCP connect: does somebody listen there (RFC 9293 section 3.5)."""

from typing_extensions import override

from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, Dialogue


class TcpDialogue(Dialogue):
    """Good when the three-way handshake succeeds; nothing is sent, so it says nothing about the application."""

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        return self._good(f"{self._target} accepts connections")

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        return []
