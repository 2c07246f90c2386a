"""TCP connect: does somebody listen there (RFC 9293 section 3.5)."""

from collections.abc import Mapping
from statistics import median
from types import MappingProxyType
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds, Ratio, Seconds
from btimd.probes.wire.dialogue import (
    Action,
    Close,
    Connect,
    Deadline,
    Dialogue,
    Event,
    Line,
    Refused,
    Reset,
    Stage,
    Unreachable,
)

_ERRORS: Final[Mapping[type[Event], ErrorClass]] = MappingProxyType({
    Refused: ErrorClass.REFUSED,
    Reset: ErrorClass.RESET,
    Unreachable: ErrorClass.UNREACHABLE,
})  # fmt: skip


class TcpDialogue(Dialogue):
    """Good when the three-way handshake succeeds; nothing is sent, so it says nothing about the application.

    attempts: handshakes one after the other, each within an even share of the time; good when at most `max_loss` of
    them fail. What failed last tells how it failed.
    """

    def __init__(
        self, host: str, port: int, *, attempts: int = 1, max_loss: Ratio = 0.0, within_seconds: Seconds | None = None
    ) -> None:
        super().__init__(host, port)
        self._attempts = attempts
        self._max_loss = max_loss
        self._each = None if within_seconds is None or attempts == 1 else 0.9 * within_seconds / attempts
        self._done = 0
        self._took: list[Seconds] = []
        self._failure: Event = Deadline()

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        if self._attempts == 1:
            return self._good(f"{self._target} accepts connections")
        self._took.append(self._values.pop("connect_seconds"))
        return self._next(now)

    @override
    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:
        # Failures of the network are counted; failures of this machine or of names end it as ever.
        if self._attempts > 1 and self._stage is Stage.CONNECTING and isinstance(event, Refused | Reset | Unreachable):
            self._failure = event
            return self._next(now)
        return super().handle(event, now)

    @override
    def _connect(self, kind: Line, address: str, port: int, now: MonotonicSeconds) -> list[Action]:
        super()._connect(kind, address, port, now)
        return [Connect(kind, address, port, within_seconds=self._each)]

    @override
    def _time_is_up(self, now: MonotonicSeconds) -> list[Action]:
        self._failure = Deadline()
        return self._next(now)

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        return []

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._attempts > 1 and self._stage is not Stage.RESOLVING:
            return self._judge(self._done + 1, now)
        if self._stage is Stage.CONNECTING:
            waited = f"{now - self._started:.1f} s"
            detail = f"{self._target} does not answer a tcp connect within {waited}: dropped without a word"
            return self._bad(ErrorClass.TIMEOUT, detail)
        return super()._silence(now)

    def _next(self, now: MonotonicSeconds) -> list[Action]:
        self._done += 1
        if self._done < self._attempts:
            return [Close(), *self._connect(Line.TCP, self._address, self._port, now)]
        return self._judge(self._done, now)

    def _judge(self, tried: int, now: MonotonicSeconds) -> list[Action]:
        failed = tried - len(self._took)
        self._values |= {"attempts": tried, "failed_ratio": failed / tried}
        if self._took:
            self._values["connect_seconds"] = median(self._took)
        if failed / tried <= self._max_loss:
            return self._good(f"{self._target} accepts {len(self._took)} of {tried} connections")
        if self._took:
            detail = f"{self._target} accepts only {len(self._took)} of {tried} connections"
            return self._bad(_ERRORS.get(type(self._failure), ErrorClass.TIMEOUT), detail)
        self._attempts = 1
        return self._silence(now) if isinstance(self._failure, Deadline) else self._failed(self._failure)
