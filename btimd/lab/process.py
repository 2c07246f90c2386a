"""TcpProcess: a server process of the enterprise that can die, hang, slow down and fail on demand.

Ports lie below the range the kernel gives out by itself (32768 and up on Linux), so a dead process's port stays free
for its return.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from functools import cache
from typing import Final

from btimd.lab.faults import Condition
from btimd.lab.topology import HOST_ADDRESS, ProcessPlan
from btimd.model.units import Seconds

_BACKLOG: Final = 128
_PORT_STEP: Final = 100
_PORT_TRIES: Final = 60
_REBIND_TRIES: Final = 20
_REBIND_PAUSE_SECONDS: Final = 0.1


@cache
def laboratory_number() -> int:
    """Return the least number that no other process with a laboratory has; it is this one's until it ends.

    A name in Linux's abstract socket namespace is the claim: the kernel drops it with the process.
    """
    for number in range(_PORT_TRIES):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0btimd-laboratory-{number}")
        except OSError:
            claim.close()
        else:
            claim.detach()
            return number
    return os.getpid() % _PORT_TRIES


def candidate_ports(preferred: int) -> Iterator[int]:
    """Yield the ports to try: the preferred one in the first laboratory on this machine, others in the next ones.

    Each laboratory begins with ports of its own, so that none takes a port whose process is dead in another.
    """
    for number in range(_PORT_TRIES):
        yield preferred + _PORT_STEP * ((laboratory_number() + number) % _PORT_TRIES)


def bind_free(address: str, preferred: int, kind: socket.SocketKind) -> socket.socket:
    """Return a socket bound to a free port of an address; raises OSError when none of the candidates is free."""
    for port in candidate_ports(preferred):
        with contextlib.suppress(OSError):
            return bind_exactly(address, port, kind)
    raise OSError(f"no free port near {preferred} on {address}; stop other laboratories on this machine")


def bind_exactly(address: str, port: int, kind: socket.SocketKind, backlog: int = _BACKLOG) -> socket.socket:
    """Return a non-blocking socket bound to this very port; raises OSError when it is taken.

    A TCP socket listens at once: only that tells whether the port is free, because two sockets may share a port
    until one of them listens.
    """
    sock = socket.socket(socket.AF_INET, kind)
    try:
        sock.settimeout(0.0)
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind is socket.SOCK_STREAM:
            sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


async def bind_again(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """Return a socket on the port that was held before, waiting a moment for a stranger to leave it."""
    for _ in range(_REBIND_TRIES - 1):
        with contextlib.suppress(OSError):
            return bind_exactly(address, port, kind)
        await asyncio.sleep(_REBIND_PAUSE_SECONDS)
    return bind_exactly(address, port, kind)


class SilentPort:
    """A port that drops every SYN, as if no machine were there.

    It listens without room for a second connection and holds the first itself: with its queue full the kernel ignores
    what else comes.
    """

    def __init__(self, address: str, port: int) -> None:
        self._listener = bind_exactly(address, port, socket.SOCK_STREAM, backlog=0)
        self._occupant = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._occupant.connect((address, port))  # done by the kernel alone, at once
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Give the port back."""
        self._occupant.close()
        self._listener.close()


class TcpProcess:
    """A process that listens. Subclasses write `serve`, one call per connection, and await `answer` before replying.

    The port is found at the first start and kept for the object's life. `served` counts answers given.
    """

    def __init__(self, plan: ProcessPlan, slow_seconds: Seconds) -> None:
        self.plan = plan
        self.address = HOST_ADDRESS[plan.host]
        self.port = 0
        self.condition = Condition.DEAD
        self.served = 0
        self._slow_seconds = slow_seconds
        self._server: asyncio.Server | None = None
        self._silent_port: SilentPort | None = None
        self._conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation until either side has enough."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen; the process is well afterwards."""
        if self.port:
            sock = await bind_again(self.address, self.port, socket.SOCK_STREAM)
        else:
            sock = bind_free(self.address, self.plan.port, socket.SOCK_STREAM)
            self.port = sock.getsockname()[1]
        self._server = await asyncio.start_server(self._accept, sock=sock)
        self.condition = Condition.WELL

    async def stop(self) -> None:
        """End as a killed process does: no more connections, sessions cut. May be called twice."""
        self.condition = Condition.DEAD
        self._stop_listening()
        if self._silent_port is not None:
            self._silent_port.close()
            self._silent_port = None
        tasks = list(self._conversations)
        for task, writer in self._conversations.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def become(self, condition: Condition) -> None:
        """Change to a condition. Leaving HUNG or SILENT is a restart: what hung does not come back to life."""
        if condition is self.condition:
            return
        if condition is Condition.SILENT:
            self._stop_listening()
            self._silent_port = SilentPort(self.address, self.port)
            self.condition = condition
            return
        if condition is Condition.DEAD or self.is_mute:
            await self.stop()
        if condition is Condition.DEAD:
            return
        if self._server is None:
            await self.start()
        self.condition = condition

    async def answer(self) -> None:
        """Wait as long as the process's condition makes it wait before it answers; for ever when hung."""
        if self.condition is Condition.SLOW:
            await asyncio.sleep(self._slow_seconds)
        if self.is_mute:
            await asyncio.Event().wait()
        self.served += 1

    @property
    def is_mute(self) -> bool:
        """Tell whether no answer will ever come."""
        return self.condition in {Condition.HUNG, Condition.SILENT}

    @property
    def connections(self) -> int:
        """How many conversations are being held."""
        return len(self._conversations)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._conversations[task] = writer
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._conversations.pop(task, None)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What a peer sends or a cut connection does ends its conversation only; it is not the process's trouble.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            try:
                await self.serve(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()
