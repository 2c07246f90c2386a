"""Tuxedo: does the workstation listener (WSL) take a connection and keep it.

Its protocol is not published, so nothing is said: a listener waits in silence for its client. What closes or resets at
once, or speaks first, is no listener that works.
"""

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.wire.dialogue import Action, Dialogue, Stage


class TuxedoDialogue(Dialogue):
    """Connects and waits up to the end of its time; good when it is still connected then and nothing came.

    There is no clock in a dialogue: the check's whole time is waited for, so give it a short one.
    """

    def __init__(self, host: str, port: int) -> None:
        if not port:
            raise ValueError("a tuxedo check needs the port of the listener (WSL -n //host:port)")
        super().__init__(host, port)

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        return []

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        detail = f"{self._target} speaks first, which no Tuxedo listener does: {data[:16]!r}"
        return self._bad(ErrorClass.PROTOCOL_ERROR, detail)

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING:
            return super()._silence(now)
        waited: Seconds = now - self._stage_began
        return self._good(f"{self._target} accepts and waits for its client ({waited:.1f} s in silence)")
