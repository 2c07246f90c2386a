"""Receiving flow export: one thread per socket, blocking, into a slab; blocks go into the channel."""

import errno
import socket
import struct
import threading
from typing import Final

import numpy as np

from btimd.model.address import address_halves
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.clock import Clock, wall_milliseconds

BLOCK_DATAGRAMS: Final = 256
BLOCK_MILLISECONDS: Final = 50
MAX_DATAGRAM_OCTETS: Final = 65_536
_SLAB_OCTETS: Final = 1024 * 1024
_SO_RXQ_OVFL: Final = 40  # Linux: datagrams the kernel dropped for this socket, with every datagram
_MAX_KNOWN_ADDRESSES: Final = 65_536
_PAUSE_AFTER_ERROR_SECONDS: Final = 0.1
_COUNTER_MASK: Final = 0xFFFF_FFFF


class BoundSocket:
    """A UDP socket that is bound. address: (host, port) as the kernel gave it. receive_buffer_bytes: as granted."""

    def __init__(self, host: str, port: int, receive_buffer_bytes: int) -> None:
        """Bind; raises OSError."""
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        self.socket = socket.socket(family, kind, protocol)
        try:
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.receive_buffer_bytes = _ask_for_buffer(self.socket, receive_buffer_bytes)
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            wait = struct.pack("@ll", 0, BLOCK_MILLISECONDS * 1000)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
            self.socket.bind(address)
        except OSError:
            self.socket.close()
            raise
        name = self.socket.getsockname()
        self.address: tuple[str, int] = (name[0], name[1])


def _ask_for_buffer(receiver: socket.socket, octets: int) -> int:
    """Set the receive buffer, beyond net.core.rmem_max where the process may; return what was granted."""
    force = 33  # SO_RCVBUFFORCE, needs CAP_NET_ADMIN
    try:
        receiver.setsockopt(socket.SOL_SOCKET, force, octets)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)
    # The kernel doubles the number for its own needs and reports it doubled.
    return receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


class Receiver:
    """One socket and its thread. The counters are written by the thread and may be read by anyone."""

    def __init__(self, bound: BoundSocket, channel: Channel[DatagramBlock], clock: Clock) -> None:
        self.bound = bound
        self.datagrams = 0
        self.octets = 0
        self.blocks = 0
        self.kernel_drops = 0
        self.errors = 0
        self.last_error = ""
        self._channel = channel
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._receive, name=f"capture-{bound.address[1]}", daemon=True)
        memory = bytearray(_SLAB_OCTETS)
        self._view = memoryview(memory)
        self._slab = np.frombuffer(memory, np.uint8)
        self._halves: dict[str, tuple[int, int]] = {}
        self._drops_seen = 0
        self.progress_at = clock.monotonic()
        self._begin_block()

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Hand over what was received and end; return whether the thread ended in time."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            return False
        self.bound.socket.close()
        return True

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def _begin_block(self) -> None:
        self._offsets = [0]
        self._sources: list[tuple[int, int]] = []
        self._ports: list[int] = []
        self._arrivals: list[int] = []

    def _receive(self) -> None:
        while not self._stopping.is_set():
            self.progress_at = self._clock.monotonic()
            try:
                self._receive_block()
            except OSError as error:
                self.errors += 1
                self.last_error = str(error)
                self._stopping.wait(_PAUSE_AFTER_ERROR_SECONDS)
            self._hand_over()

    def _receive_block(self) -> None:
        """Receive until the block is full, 50 ms old, or no datagram came for 50 ms."""
        receiver, view, clock = self.bound.socket, self._view, self._clock
        used, deadline = 0, 0
        while len(self._ports) < BLOCK_DATAGRAMS and used + MAX_DATAGRAM_OCTETS <= _SLAB_OCTETS:
            room = view[used : used + MAX_DATAGRAM_OCTETS]
            try:
                if deadline:
                    length, source = receiver.recvfrom_into(room)
                else:  # the first datagram of a block brings the count of drops; the others come cheaper without
                    length, ancillary, _, source = receiver.recvmsg_into([room], 64)
                    self._note_drops(ancillary)
            except BlockingIOError:
                return
            now = wall_milliseconds(clock)
            used += length
            self._offsets.append(used)
            self._sources.append(self._halves.get(source[0]) or self._learn(source[0]))
            self._ports.append(source[1])
            self._arrivals.append(now)
            if not deadline:
                deadline = now + BLOCK_MILLISECONDS
            elif now >= deadline or now < deadline - BLOCK_MILLISECONDS:  # later, or the clock was set back
                return

    def _learn(self, text: str) -> tuple[int, int]:
        """Return the halves of a sender's address; an IPv4 address mapped into IPv6 is the IPv4 address."""
        if len(self._halves) >= _MAX_KNOWN_ADDRESSES:
            self._halves.clear()
        halves = address_halves(text.partition("%")[0])
        self._halves[text] = halves
        return halves

    def _note_drops(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                total = int(struct.unpack("=I", value[:4])[0])
                self.kernel_drops += (total - self._drops_seen) & _COUNTER_MASK
                self._drops_seen = total

    def _hand_over(self) -> None:
        count = len(self._ports)
        if not count:
            return
        octets = self._offsets[-1]
        sources = np.array(self._sources, np.uint64)
        block = DatagramBlock(
            slab=self._slab[:octets].copy(),
            offsets=np.array(self._offsets, np.int64),
            source_hi=np.ascontiguousarray(sources[:, 0]),
            source_lo=np.ascontiguousarray(sources[:, 1]),
            source_port=np.array(self._ports, np.uint16),
            arrival_milliseconds=np.array(self._arrivals, np.int64),
        )
        self._begin_block()
        self.datagrams += count
        self.octets += octets
        self.blocks += 1
        self._channel.put(block)


def is_missing_family(error: OSError) -> bool:
    """Tell whether a socket could not be bound because the machine does not speak its protocol (IPv6 off)."""
    return error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL} or isinstance(error, socket.gaierror)
