"""An event loop whose time passes only while all it does is wait: the laboratory's own slowness, not the machine's.

Everything of a laboratory runs in one loop: servers, users and who looks at them. While any of them computes, or has
something to read, nothing has to be waited for, so that is no time. What is left is what a server waits on purpose and
how long others are patient. A machine that stalls for seconds makes a test later and changes nothing else.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from selectors import EpollSelector, SelectorKey
from typing import Any, Final, ParamSpec

from typing_extensions import override

P = ParamSpec("P")

SPEED: Final = 4
"""How many seconds of the loop go into a second of idle waiting. What comes over loopback comes in far less."""


class _Waits(EpollSelector):
    """Counts the seconds it was asked to wait and nothing came."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0) or super().select(timeout / SPEED)
        if not ready:
            self.seconds += timeout
        return ready


class IdleTimeLoop(asyncio.SelectorEventLoop):
    """A loop that has the waits of its selector as its time."""

    def __init__(self) -> None:
        self._waits = _Waits()
        super().__init__(self._waits)

    @override
    def time(self) -> float:
        return self._waits.seconds


def in_idle_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in a loop of its own whose time passes only while it waits. Not for tests with asynchronous fixtures."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=IdleTimeLoop) as runner:
            runner.run(test(*arguments, **named))

    return run
