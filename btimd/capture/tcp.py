"""IPFIX over TCP, with or without TLS (RFC 7011 section 10.4): a thread with a loop of its own for all connections.

The daemon's loop is left alone: probes measure time on it. Messages are told apart by their length; each connection
hands over blocks of them, and when it ends an empty one, so that its templates end with it, in order.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from typing_extensions import override

from btimd.capture.blocks import BlockChannel
from btimd.kernels import receive
from btimd.model.address import Prefix, address_halves
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.log import Log, OncePerInterval

BUFFER_OCTETS: Final = 128 * 1024
_FULL_OCTETS: Final = BUFFER_OCTETS // 2  # a longer rest than a message cannot be left over: there is always room
_GATHER_SECONDS: Final = 0.02
_PAUSE_SECONDS: Final = 0.05
_PAUSE_FULLNESS: Final = 0.5
_ROUND_SECONDS: Final = 1.0
_HANDSHAKE_SECONDS: Final = 10.0
_BACKLOG: Final = 128
_MAX_MESSAGES: Final = BUFFER_OCTETS // receive.MIN_MESSAGE_OCTETS


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """How many connections there may be, how long one may be silent, and who may connect (all, where empty)."""

    connections: int = 256
    idle_seconds: float = 1800.0
    allowed: tuple[Prefix, ...] = ()


@dataclass(slots=True)
class TcpCounters:
    """Counted by the thread, read by anyone. cut_off: connections that ended in the middle of a message."""

    accepted: int = 0
    refused: int = 0
    idle: int = 0
    messages: int = 0
    octets: int = 0
    bad: int = 0
    cut_off: int = 0
    failed: int = 0


def bind_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class TcpReceiver:
    """Listening sockets, their connections and the thread they live on.

    Memory: 128 KiB for each connection, besides the blocks in the channel. While the channel is more than half full
    connections are not read: the exporters wait, and nothing is lost here.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        channel: BlockChannel,
        clock: Clock,
        log: Log,
        limits: TcpLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.counters = TcpCounters()
        self.addresses: tuple[tuple[str, int], ...] = tuple(one.getsockname()[:2] for one in listeners)
        self.channel = channel
        self.clock = clock
        self.limits = limits or TcpLimits()
        self.open: set[_Connection] = set()
        self._listeners = listeners
        self._log = log
        self._log_limit = OncePerInterval()
        self._tls = tls
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._work, name="capture-tcp", daemon=True)
        self.progress_at = clock.monotonic()

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Hand over what was received, close everything and end; return whether the thread ended in time."""
        self._stopping.set()
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            return False
        for listener in self._listeners:
            listener.close()
        return True

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def warn(self, event: str, **fields: object) -> None:
        """Log what a peer did wrong, once a minute at most."""
        held = self._log_limit.take(self.clock.monotonic())
        if held is not None:
            self._log.warning(event, **fields, more_since_last_line=held)

    def _work(self) -> None:
        with asyncio.Runner(debug=False) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        loop.set_exception_handler(self._failed)
        handshake = _HANDSHAKE_SECONDS if self._tls is not None else None
        servers = [
            await loop.create_server(
                lambda: _Connection(self), sock=one, ssl=self._tls, ssl_handshake_timeout=handshake
            )
            for one in self._listeners
        ]
        while not self._stopping.is_set():
            self.progress_at = self.clock.monotonic()
            try:
                async with asyncio.timeout(_ROUND_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                self._close_idle()
        for server in servers:
            server.close()
        for connection in tuple(self.open):
            connection.end()

    def _close_idle(self) -> None:
        now = self.clock.monotonic()
        for connection in tuple(self.open):
            if now - connection.heard_at > self.limits.idle_seconds:
                self.counters.idle += 1
                connection.end()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        self.counters.failed += 1
        self.warn("capture-tcp-failed", reason=context.get("exception") or context.get("message"))


class _Connection(asyncio.BufferedProtocol):
    """One exporter's connection."""

    def __init__(self, owner: TcpReceiver) -> None:
        self.heard_at = owner.clock.monotonic()
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._memory = bytearray(0)
        self._octets = np.zeros(0, np.uint8)
        self._end = 0
        self._hi = self._lo = self._port = 0
        self._host = ""
        self._began = False
        self._timer: asyncio.TimerHandle | None = None
        self._paused: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or refuse it."""
        owner = self._owner
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"{transport!r} is no stream")
        peer = transport.get_extra_info("peername") or ("::", 0)
        self._host, self._port = peer[0].partition("%")[0], peer[1]
        self._hi, self._lo = address_halves(self._host)
        allowed = owner.limits.allowed
        if allowed and not any(prefix.contains(self._hi, self._lo) for prefix in allowed):
            self._refuse(transport, "not in allow")
        elif len(owner.open) >= owner.limits.connections:
            self._refuse(transport, f"{owner.limits.connections} connections are open; see tcp_connections")
        else:
            owner.counters.accepted += 1
            owner.open.add(self)
            self._transport = transport
            self._memory = bytearray(BUFFER_OCTETS)
            self._octets = np.frombuffer(self._memory, np.uint8)

    def _refuse(self, transport: asyncio.Transport, reason: str) -> None:
        self._owner.counters.refused += 1
        self._owner.warn("capture-tcp-refused", host=self._host, port=self._port, reason=reason)
        transport.abort()

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next octets go; never without room."""
        return memoryview(self._memory)[self._end :] if self._transport else memoryview(bytearray(1))

    @override
    def buffer_updated(self, nbytes: int) -> None:
        """Take note of octets; hand over when there are many, else shortly."""
        if self._transport is None:
            return
        self.heard_at = self._owner.clock.monotonic()
        self._end += nbytes
        if self._end >= _FULL_OCTETS:
            self._hand_over()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER_SECONDS, self._hand_over)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Hand over the rest, then the end."""
        self.end()

    def end(self) -> None:
        """Hand over what there is and the connection's end, and close; once."""
        if self._transport is None:
            return
        self._hand_over()
        transport, self._transport = self._transport, None
        if transport is None:  # something that is no IPFIX had ended it already
            return
        self._close(transport)

    def _close(self, transport: asyncio.Transport) -> None:
        self._owner.open.discard(self)
        self._owner.counters.cut_off += bool(self._end)
        for timer in (self._timer, self._paused):
            if timer is not None:
                timer.cancel()
        transport.abort()
        if self._began:
            self._put(np.zeros(0, np.uint8), np.zeros(2, np.int64))

    def _hand_over(self) -> None:
        """Hand over the whole messages that are there; close where something else comes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is None or not self._end:
            return
        framing = np.zeros(receive.FRAMING_SIZE, np.int64)
        offsets = np.zeros(_MAX_MESSAGES + 1, np.int64)
        stop = receive.find_messages(self._octets, self._end, framing, offsets)
        count = int(framing[receive.F_MESSAGES])
        if count:
            self._put(self._octets[:stop].copy(), offsets[: count + 1].copy())
            self._owner.counters.messages += count
            self._owner.counters.octets += stop
            self._memory[: self._end - stop] = self._memory[stop : self._end]
            self._end -= stop
        if framing[receive.F_BAD]:
            self._owner.counters.bad += 1
            self._owner.warn(
                "capture-tcp-no-ipfix", host=self._host, port=self._port, begins=self._memory[:4].hex(), then="closed"
            )
            transport, self._transport, self._end = self._transport, None, 0
            self._close(transport)
        elif self._owner.channel.fullness > _PAUSE_FULLNESS and self._paused is None:
            self._transport.pause_reading()
            self._paused = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        self._paused = None
        if self._transport is None:
            return
        if self._owner.channel.fullness > _PAUSE_FULLNESS:
            self.heard_at = self._owner.clock.monotonic()  # it may not speak: that is no silence of its own
            self._paused = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._resume)
        else:
            self._transport.resume_reading()

    def _put(self, slab: np.ndarray[tuple[int], np.dtype[np.uint8]], offsets: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> None:  # fmt: skip
        count = len(offsets) - 1
        self._began = True
        self._owner.channel.put(
            DatagramBlock(
                slab=slab,
                offsets=offsets,
                source_hi=np.full(count, self._hi, np.uint64),
                source_lo=np.full(count, self._lo, np.uint64),
                source_port=np.full(count, self._port, np.uint16),
                arrival_milliseconds=np.full(count, wall_milliseconds(self._owner.clock), np.int64),
                stream=True,
            )
        )


def warm() -> None:
    """Compile or load the kernel of framing, by framing nothing."""
    offsets = np.zeros(2, np.int64)
    receive.find_messages(np.zeros(0, np.uint8), 0, np.zeros(receive.FRAMING_SIZE, np.int64), offsets)
