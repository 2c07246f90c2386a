"""Receiving flow export: one thread per socket, hundreds of datagrams per system call; blocks go into the channel."""

import ctypes
import errno
import select
import socket
import struct
import sys
import threading
import time
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.capture.batch import BATCH_DATAGRAMS, Batch
from btimd.capture.reuseport import program
from btimd.kernels import receive
from btimd.model.datagrams import DatagramBlock
from btimd.runtime.channel import Channel
from btimd.runtime.clock import Clock, wall_milliseconds

BLOCK_DATAGRAMS: Final = 2048
"""A block is handed over when it has so many datagrams, however fast they come,"""
READY_DATAGRAMS: Final = 512
"""when it has so many and no more wait,"""
BLOCK_MILLISECONDS: Final = 50
"""or when its first datagram is so old."""
SLAB_OCTETS: Final = 4 * 1024 * 1024
_SLABS: Final = 4
_LARGE_BLOCK_OCTETS: Final = 256 * 1024
_UNUSED_REFERENCES: Final = 2
_SO_REUSEPORT: Final = 15
_SO_RCVBUFFORCE: Final = 33  # beyond net.core.rmem_max; needs CAP_NET_ADMIN
_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")  # linux/sock_diag.h, SK_MEMINFO_*: what is queued first, drops last
_PAUSE_AFTER_ERROR_SECONDS: Final = 0.1
_COUNTER_MASK: Final = 0xFFFF_FFFF
_NAP_SECONDS: Final = 0.002
_QUEUED_OCTETS: Final = 2304  # what the kernel counts for a datagram of up to 1,500 octets in a buffer
_BURST_PER_SECOND: Final = 450_000
_LAST_BATCHES: Final = 64


class BoundSocket:
    """A UDP socket that is bound. address: (host, port) as the kernel gave it. receive_buffer_bytes: as granted."""

    def __init__(self, host: str, port: int, receive_buffer_bytes: int, *, shares_port: bool = False) -> None:
        """Bind; raises OSError. shares_port: others of this process may be bound to the same address."""
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        self.socket = socket.socket(family, kind, protocol)
        try:
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if shares_port:
                self.socket.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
            self.receive_buffer_bytes = _ask_for_buffer(self.socket, receive_buffer_bytes)
            self.socket.setblocking(False)  # noqa: FBT003  the library's own signature
            self.socket.bind(address)
        except OSError:
            self.socket.close()
            raise
        name = self.socket.getsockname()
        self.address: tuple[str, int] = (name[0], name[1])

    def queue(self) -> tuple[int, int]:
        """Return (octets of memory that waiting datagrams take, datagrams dropped since the socket was made, mod 2^32).

        Asked of the socket, not taken from a datagram (SO_RXQ_OVFL): so it is true also when none comes after a burst.
        """
        memory = _MEMINFO.unpack(self.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))
        return memory[0], memory[-1]


def bind_shared(host: str, port: int, receive_buffer_bytes: int, sockets: int) -> list[BoundSocket]:
    """Bind several sockets to one address, among which the sender's IP address alone decides; raises OSError.

    Without the options the kernel must have for it, an OSError of another kind than those of binding comes: see
    `is_refused_sharing`.
    """
    alone = BoundSocket(host, port, 0)  # fails where somebody else listens: with SO_REUSEPORT we would share with him
    alone.socket.close()
    bound: list[BoundSocket] = []
    try:
        for _ in range(sockets):
            bound.append(BoundSocket(host, alone.address[1], receive_buffer_bytes, shares_port=True))  # noqa: PERF401
        _attach(bound[0].socket, sockets)
    except OSError:
        for item in bound:
            item.socket.close()
        raise
    return bound


def _attach(receiver: socket.socket, sockets: int) -> None:
    """Give the program to the sockets of an address, through one of them."""
    steps = program("ipv6" if receiver.family == socket.AF_INET6 else "ipv4", sockets)
    memory = ctypes.create_string_buffer(steps, len(steps))
    receiver.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, struct.pack("@HP", len(steps) // 8, ctypes.addressof(memory))
    )


def _ask_for_buffer(receiver: socket.socket, octets: int) -> int:
    """Set the receive buffer, beyond net.core.rmem_max where the process may; return what was granted."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, octets)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)
    # The kernel doubles the number for its own needs and reports it doubled.
    return receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def nap_seconds(receive_buffer_bytes: int) -> float:
    """Return how long to let datagrams gather after few came: up to 2 ms, less where the buffer would not last.

    Half of the memory that the kernel takes for this buffer must hold a burst at 450,000 datagrams/s.
    """
    return min(_NAP_SECONDS, receive_buffer_bytes / _QUEUED_OCTETS / _BURST_PER_SECOND)


class _Block:
    """A block that grows."""

    def __init__(self) -> None:
        self._slabs = [np.empty(SLAB_OCTETS, np.uint8) for _ in range(_SLABS)]
        self.slab = self._slabs[0]
        self.state = np.zeros(receive.STATE_SIZE, np.int64)
        self._offsets = np.zeros(BLOCK_DATAGRAMS + 1, np.int64)
        self._halves = np.zeros((2, BLOCK_DATAGRAMS), np.int64)
        self._ports = np.zeros(BLOCK_DATAGRAMS, np.uint16)
        self._arrival = np.zeros(BLOCK_DATAGRAMS, np.int64)

    def __len__(self) -> int:
        return int(self.state[receive.X_DATAGRAMS])

    def append(self, batch: Batch, begin: int, end: int, now: int) -> int:
        """Take what a batch received; return the first datagram that found no room, else `end`."""
        taken: int = receive.gather(
            batch.headers, batch.names, batch.hot, batch.jumbo, begin, end, now, self.state, self.slab,
            self._offsets, self._halves[0], self._halves[1], self._ports, self._arrival,
        )  # fmt: skip
        return taken

    def take(self) -> DatagramBlock:
        """Return what was appended, in arrays of its own, and begin anew."""
        count, octets = len(self), int(self.state[receive.X_OCTETS])
        self.state[receive.X_DATAGRAMS] = self.state[receive.X_OCTETS] = 0
        slab = self.slab[:octets]
        other = self._unused_slab() if octets >= _LARGE_BLOCK_OCTETS else None
        if other is None:
            slab = slab.copy()
        else:
            self.slab = other
        halves = self._halves[:, :count].copy().view(np.uint64)
        return DatagramBlock(
            slab=slab,
            offsets=self._offsets[: count + 1].copy(),
            source_hi=halves[0],
            source_lo=halves[1],
            source_port=self._ports[:count].copy(),
            arrival_milliseconds=self._arrival[:count].copy(),
        )

    def _unused_slab(self) -> npt.NDArray[np.uint8] | None:
        """Return a slab that no block looks at any more: new memory costs more than copying."""
        for index in range(_SLABS):
            # One reference is ours, one the argument's; a block's view would be another, and no new one can appear.
            if self._slabs[index] is not self.slab and sys.getrefcount(self._slabs[index]) == _UNUSED_REFERENCES:
                return self._slabs[index]
        return None


class Receiver:
    """One socket and its thread. The counters are written by the thread and may be read by anyone.

    Memory: 18 MiB, and 32 MiB more when datagrams of over 2,048 octets come, besides the blocks in the channel. A
    datagram's arrival is read from the clock once per system call; a datagram waits at most 50 ms.
    """

    def __init__(self, bound: BoundSocket, channel: Channel[DatagramBlock], clock: Clock) -> None:
        self.bound = bound
        self.datagrams = 0
        self.octets = 0
        self.blocks = 0
        self.batches = 0
        self.kernel_drops = 0
        self.queued_bytes = 0
        self.errors = 0
        self.last_error = ""
        self._channel = channel
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"capture-{bound.address[1]}", daemon=True)
        self._batch = Batch()
        self._block = _Block()
        self._nap = nap_seconds(bound.receive_buffer_bytes)
        self._poll = select.poll()
        self._poll.register(bound.socket, select.POLLIN)
        self._deadline = 0.0
        self._drops_seen = 0
        self.progress_at = clock.monotonic()

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

    @property
    def truncated(self) -> int:
        """Datagrams that were longer than any may be, and are cut off."""
        return int(self._block.state[receive.X_TRUNCATED])

    def _work(self) -> None:
        while not self._stopping.is_set():
            self.progress_at = self._clock.monotonic()
            try:
                self._receive()
            except OSError as error:
                self._note(error)
                self._hand_over()
                self._stopping.wait(_PAUSE_AFTER_ERROR_SECONDS)
        try:
            for _ in range(_LAST_BATCHES):  # what the kernel holds at the end; more than that is a flood
                if self._receive_batch() < BATCH_DATAGRAMS:
                    break
        except OSError as error:
            self._note(error)
        self._hand_over()

    def _note(self, error: OSError) -> None:
        self.errors += 1
        self.last_error = str(error)

    def _receive(self) -> None:
        """Take what waits at the socket; wait when there is nothing, nap when there was little."""
        count = self._receive_batch()
        if count == BATCH_DATAGRAMS:
            return
        held = len(self._block)
        now = self._clock.monotonic()
        if held >= READY_DATAGRAMS or (held and now >= self._deadline):
            self._hand_over()
            held = 0
        if count:
            time.sleep(self._nap)
            return
        milliseconds = max(1, round((self._deadline - now) * 1000)) if held else BLOCK_MILLISECONDS
        if not self._poll.poll(min(milliseconds, BLOCK_MILLISECONDS)):
            self._hand_over()

    def _receive_batch(self) -> int:
        """Put what one system call brings into the block; return how many datagrams it brought."""
        count = self._batch.receive(self.bound.socket.fileno())
        if not count:
            return 0
        self.batches += 1
        if not len(self._block):
            self._deadline = self._clock.monotonic() + BLOCK_MILLISECONDS / 1000
        now = wall_milliseconds(self._clock)
        taken = self._block.append(self._batch, 0, count, now)
        while taken < count:
            self._hand_over()
            self._deadline = self._clock.monotonic() + BLOCK_MILLISECONDS / 1000
            taken = self._block.append(self._batch, taken, count, now)
        if len(self._block) == BLOCK_DATAGRAMS:
            self._hand_over()
        return count

    def _hand_over(self) -> None:
        self._read_queue()
        count, octets = len(self._block), int(self._block.state[receive.X_OCTETS])
        if not count:
            return
        block = self._block.take()
        self.datagrams += count
        self.octets += octets
        self.blocks += 1
        self._channel.put(block)

    def _read_queue(self) -> None:
        self.queued_bytes, total = self.bound.queue()
        self.kernel_drops += (total - self._drops_seen) & _COUNTER_MASK
        self._drops_seen = total


def warm() -> None:
    """Compile or load the kernels of receiving, by receiving nothing; done before sockets are bound."""
    _Block().append(Batch(), 0, 0, 0)


def is_missing_family(error: OSError) -> bool:
    """Tell whether a socket could not be bound because the machine does not speak its protocol (IPv6 off)."""
    return error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL} or isinstance(error, socket.gaierror)


def is_refused_sharing(error: OSError) -> bool:
    """Tell whether the kernel does not let sockets share a port by our rule."""
    return error.errno in {errno.ENOPROTOOPT, errno.EINVAL, errno.EPERM, errno.ENOMEM}
