"""PacketRing: frames of an interface in memory that the kernel fills (AF_PACKET, TPACKET_V3), a block at a time."""

import array
import contextlib
import fcntl
import mmap
import os
import select
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.capture import bpf
from btimd.kernels import ring
from btimd.kernels.headers import LINK_ETHERNET, LINK_IPV4
from btimd.kernels.packetlayout import FRAME_ROWS
from btimd.model.packets import PacketBlock

FRAMES_PER_CALL: Final = 4096
"""Frames in a PacketBlock at most: their index, 192 KiB, is still in the core's cache when the consumer reads it."""
RETIRE_MILLISECONDS: Final = 60
"""A block that is not full is handed over after so long."""

_SOL_PACKET: Final = 263
(_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _TIMESTAMP, _FANOUT) = (1, 5, 6, 10, 17, 18)
_TPACKET_V3: Final = 2
_MEMBER_PROMISCUOUS: Final = 1
_FANOUT_HASH, _FANOUT_NEW_ID = 0, 0x2000
_RAW_HARDWARE: Final = 1 << 6  # SOF_TIMESTAMPING_RAW_HARDWARE
_EVERY_PROTOCOL: Final = 0x0003  # ETH_P_ALL
_FRAME_OCTETS: Final = 2048  # with TPACKET_V3 the kernel checks it and does nothing with it
_TO_KERNEL, _TO_USER = 0, 1
_STATISTICS_V3: Final = struct.Struct("=3I")  # struct tpacket_stats_v3: with those dropped, dropped, freezes
_MEMBERSHIP: Final = struct.Struct("@iHH8s")  # struct packet_mreq
_REQUEST: Final = struct.Struct("@7I")  # struct tpacket_req3

_ARPHRD_ETHER, _ARPHRD_PPP, _ARPHRD_LOOPBACK, _ARPHRD_NONE, _ARPHRD_RAWIP = 1, 512, 772, 0xFFFE, 519
# A tun, WireGuard or PPP interface hands over IP packets without a header in front.
_LINKS: Final = {
    _ARPHRD_ETHER: LINK_ETHERNET, _ARPHRD_LOOPBACK: LINK_ETHERNET,
    _ARPHRD_NONE: LINK_IPV4, _ARPHRD_PPP: LINK_IPV4, _ARPHRD_RAWIP: LINK_IPV4,
}  # fmt: skip

_WITHOUT_RIGHT: Final = (
    "this needs CAP_NET_RAW; either put AmbientCapabilities=CAP_NET_RAW into the systemd unit, or, without systemd, "
    "give it to the file of the interpreter, not to a link to it (a virtual environment made with python3 -m venv "
    "--copies has a file of its own): setcap cap_net_raw+ep"
)
_SIOCGIFFLAGS, _SIOCETHTOOL = 0x8913, 0x8946
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_ETHTOOL_GGRO, _ETHTOOL_GFLAGS, _ETH_FLAG_LRO = 0x2B, 0x25, 1 << 15


@dataclass(frozen=True, slots=True)
class RingOptions:
    """How frames of an interface are received.

    block_octets: a power of 2; blocks: so many. snap_octets: captured of each frame. expression: a filter, "" = none.
    outgoing: frames that this machine sends too; never on loopback, where each would come twice. hardware_time: the
    network card's time stamps where it makes them.
    """

    block_octets: int = 1024 * 1024
    blocks: int = 64
    snap_octets: int = 192
    expression: str = ""
    promiscuous: bool = True
    outgoing: bool = True
    hardware_time: bool = False
    retire_milliseconds: int = RETIRE_MILLISECONDS


class FanoutGroup:
    """The rings among which the kernel spreads the frames of one interface.

    By the symmetric hash of addresses and ports: both directions of a connection come to one ring. A full ring loses
    its frames, as rolling them over to another would tear connections apart. A tunnel over UDP whose ends choose their
    source port by what is inside (VXLAN, Geneve) may bring the two directions of a connection inside to two rings.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = 0
        self._number = 0
        self._members = 0

    def join(self, receiver: socket.socket, index: int) -> None:
        """Make a bound socket a member of the group on the interface with this index; raises OSError.

        The first there makes a group with a number that nobody uses: the one before was on an interface that is gone.
        """
        with self._lock:
            if self._members and self._index == index:
                receiver.setsockopt(_SOL_PACKET, _FANOUT, self._number | _FANOUT_HASH << 16)
                self._members += 1
                return
            receiver.setsockopt(_SOL_PACKET, _FANOUT, (_FANOUT_HASH | _FANOUT_NEW_ID) << 16)
            self._number = receiver.getsockopt(_SOL_PACKET, _FANOUT) & 0xFFFF
            self._index, self._members = index, 1

    def leave(self, index: int) -> None:
        """Note that a member's socket is closed."""
        with self._lock:
            if self._index == index:
                self._members -= 1


class PacketRing:
    """A ring on one interface: fixed memory, shared with the kernel, that needs CAP_NET_RAW and nothing else.

    statistics: read by `count`, growing. frames: what came to the ring; drops: for which it had no room; freezes: how
    often it was full.
    """

    def __init__(self, interface: str, options: RingOptions, group: FanoutGroup | None = None) -> None:
        """Open; raises OSError and ValueError that say what to do. Nothing comes that the filter does not let pass."""
        self.interface = interface
        self.frames = 0
        self.drops = 0
        self.freezes = 0
        self.walk = np.zeros(ring.WALK_SIZE, np.int64)
        self._options = options
        self._index = np.empty(FRAME_ROWS * FRAMES_PER_CALL, np.int64)
        self._next = 0
        self._map: mmap.mmap | None = None
        self._group: FanoutGroup | None = None
        self._socket = _open_socket()
        try:
            self._set_up(group)
        except BaseException:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def _set_up(self, group: FanoutGroup | None) -> None:
        """Prepare everything while nothing is received yet (protocol 0), then begin."""
        receiver, options = self._socket, self._options
        try:
            receiver.bind((self.interface, 0))
        except OSError as error:
            raise OSError(error.errno, f"{_reason(error)}; this machine has {', '.join(interface_names())}") from error
        name = receiver.getsockname()
        self.index = socket.if_nametoindex(self.interface)
        self.link = link_of(name[3])
        outgoing = options.outgoing and name[3] != _ARPHRD_LOOPBACK
        program = bpf.compile_filter(options.expression, options.snap_octets, link=self.link, outgoing=outgoing)
        # Until it is a member of its group a ring gets every frame, also those that are another's.
        bpf.attach(receiver, program if group is None else bpf.nothing())
        receiver.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        if options.hardware_time:
            receiver.setsockopt(_SOL_PACKET, _TIMESTAMP, _RAW_HARDWARE)
        self._map_memory()
        receiver.bind((self.interface, _EVERY_PROTOCOL))
        if group is not None:
            group.join(receiver, self.index)
            self._group = group
            bpf.attach(receiver, program)
        if options.promiscuous:
            member = _MEMBERSHIP.pack(self.index, _MEMBER_PROMISCUOUS, 0, b"")
            receiver.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, member)

    def _map_memory(self) -> None:
        size, count = self._options.block_octets, self._options.blocks
        frames = size * count // _FRAME_OCTETS
        request = _REQUEST.pack(size, count, _FRAME_OCTETS, frames, self._options.retire_milliseconds, 0, 0)
        try:
            self._socket.setsockopt(_SOL_PACKET, _RX_RING, request)
            self._map = mmap.mmap(self._socket.fileno(), size * count)
            self._map.madvise(mmap.MADV_DONTFORK)  # a child would keep the socket, and its share of the frames
        except OSError as error:
            text = f"no memory for a ring of {count} blocks of {size} octets: {_reason(error)}; make ring_bytes smaller"
            raise OSError(error.errno, text) from error
        octets = np.frombuffer(self._map, np.uint8).reshape(count, size)
        self._slabs: list[npt.NDArray[np.uint8]] = list(octets)
        self._words: list[npt.NDArray[np.uint32]] = list(octets.view(np.uint32))

    @property
    def octets(self) -> int:
        """Memory that the ring takes."""
        return self._options.block_octets * self._options.blocks

    def take(self, consume: Callable[[PacketBlock], None], limit: int) -> int:
        """Hand over up to `limit` blocks that are ready, each in one or more PacketBlocks; return how many those were.

        A block goes back to the kernel when `consume` has returned, or raised. Raises what `consume` raises: that
        costs the rest of its block, and `take` may be called again.
        """
        for count in range(limit):
            number = self._next
            words = self._words[number]
            if not words[ring.B_STATUS] & _TO_USER:
                return count
            try:
                self._hand_over(self._slabs[number], words, consume)
            finally:
                words[ring.B_STATUS] = _TO_KERNEL
                self._next = (number + 1) % len(self._words)
        return limit

    def _hand_over(
        self, slab: npt.NDArray[np.uint8], words: npt.NDArray[np.uint32], consume: Callable[[PacketBlock], None]
    ) -> None:
        walk = self.walk
        walk[ring.W_AT] = 0
        left = int(words[ring.B_FRAMES])
        while left > 0:
            count = min(left, FRAMES_PER_CALL)
            frames = self._index[: FRAME_ROWS * count].reshape(FRAME_ROWS, count)  # contiguous, of this size exactly
            found = ring.walk_block(slab, words, self.link, walk, frames)
            if found:
                consume(PacketBlock(slab, frames if found == count else np.ascontiguousarray(frames[:, :found])))
            left = int(walk[ring.W_LEFT])

    def wait(self, milliseconds: int) -> bool:
        """Wait until a block is ready, at most so long; return whether something is. Raises the interface's OSError."""
        events = self._poll.poll(milliseconds)
        if events and events[0][1] & select.POLLERR:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
        return bool(events)

    def count(self) -> int:
        """Add up what the kernel counted since it was last asked; return the drops among it."""
        frames, drops, freezes = _STATISTICS_V3.unpack(
            self._socket.getsockopt(_SOL_PACKET, _STATISTICS, _STATISTICS_V3.size)
        )
        self.frames += frames - drops
        self.drops += drops
        self.freezes += freezes
        return int(drops)

    def is_there(self) -> bool:
        """Tell whether the interface that the ring is on still has its name."""
        try:
            return socket.if_nametoindex(self.interface) == self.index
        except OSError:
            return False

    def link_up(self) -> bool:
        """Tell whether the interface is up and has a carrier."""
        request = struct.pack("@16sH22x", self.interface.encode(), 0)
        try:
            flags = struct.unpack_from("@H", fcntl.ioctl(self._socket, _SIOCGIFFLAGS, request), 16)[0]
        except OSError:
            return False
        return bool(flags & _IFF_UP and flags & _IFF_RUNNING)

    def merges_frames(self) -> bool:
        """Tell whether the machine puts received frames of a connection together before they come here (GRO, LRO)."""
        return bool(self._ethtool(_ETHTOOL_GGRO) or self._ethtool(_ETHTOOL_GFLAGS) & _ETH_FLAG_LRO)

    def _ethtool(self, command: int) -> int:
        """Return a value that the driver tells, 0 if it does not."""
        value = array.array("I", [command, 0])
        request = struct.pack("@16sP16x", self.interface.encode(), value.buffer_info()[0])
        try:
            fcntl.ioctl(self._socket, _SIOCETHTOOL, request)
        except OSError:
            return 0
        return value[1]

    def receive_nothing_more(self) -> None:
        """Let no further frame into the ring; what is in it can be taken, the last block when its time is over."""
        with contextlib.suppress(OSError):
            bpf.attach(self._socket, bpf.nothing())

    def close(self) -> None:
        """Give the memory back; blocks that were handed over must not be used any more."""
        self.receive_nothing_more()  # the mapping keeps the socket: should somebody hold a slab, nothing comes to it
        self._slabs, self._words = [], []
        self._socket.close()
        if self._map is not None:
            with contextlib.suppress(BufferError):  # its memory goes with the last slab
                self._map.close()
            self._map = None
        if self._group is not None:
            self._group.leave(self.index)
            self._group = None


def warm() -> None:
    """Compile or load the kernel of receiving; slow once, so it is done before frames come."""
    slab = np.zeros(ring.BLOCK_HEADER_OCTETS, np.uint8)
    frames = np.zeros((FRAME_ROWS, 1), np.int64)
    ring.walk_block(slab, slab.view(np.uint32), LINK_ETHERNET, np.zeros(ring.WALK_SIZE, np.int64), frames)


def may_capture() -> bool:
    """Tell whether this process may capture packets."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


def interface_names() -> list[str]:
    """Return the names of the interfaces that there are, none where the process may not ask."""
    try:
        return [name for _, name in socket.if_nameindex()]
    except OSError:
        return []


def _open_socket() -> socket.socket:
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    except PermissionError as error:
        raise PermissionError(error.errno, f"{_WITHOUT_RIGHT} {Path(sys.executable).resolve()}") from error


def link_of(hardware: int) -> int:
    """Return headers.LINK_* for a kind of interface (ARPHRD_*); raises ValueError for those that cannot be read."""
    link = _LINKS.get(hardware)
    if link is None:
        raise ValueError(
            f"it is of kind {hardware} (ARPHRD_* of linux/if_arp.h), which cannot be read; "
            "use an Ethernet, loopback, tun or PPP interface"
        )
    return link


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
