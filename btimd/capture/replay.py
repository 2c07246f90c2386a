"""Capture files as a source: pcap and pcapng -> blocks of flow export datagrams, stamped with the packets' times."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from btimd.capture.packetfile import CaptureFileError, PacketFile
from btimd.kernels import capturefile as cf
from btimd.kernels.packetfile import read_packets
from btimd.kernels.packets import PACKET_SIZE
from btimd.model.datagrams import DatagramBlock
from btimd.model.packets import PacketBlock

__all__ = ["CaptureFile", "CaptureFileError", "ReplayCounters", "holds_flow_export"]

_LOOKED_AT: Final = 4096
_LEAST_SHARE: Final = 10
_MIN_SLAB_OCTETS: Final = 65_536
_SLAB_OCTETS_PER_DATAGRAM: Final = 1500


def holds_flow_export(path: Path) -> bool:
    """Tell a capture of flow export from one of plain traffic, by its first 4,096 packets; raises CaptureFileError.

    It is one of flow export if a tenth of the packets is: UDP to a port of collectors that begins like flow export, or
    to any port if the rest fits as well. A capture without any packet counts as one, too.
    """
    seen = export = 0
    for block in PacketFile(path, block_packets=_LOOKED_AT).blocks():
        headers, statuses = np.zeros((len(block), PACKET_SIZE), np.int64), np.zeros(len(block), np.int64)
        read_packets(block.slab, block.frames, headers, statuses)
        export += int(cf.count_export(block.slab, block.frames, headers, statuses))
        seen += len(block)
        if seen >= _LOOKED_AT:
            break
    return export * _LEAST_SHARE >= seen


@dataclass(frozen=True, slots=True)
class ReplayCounters:
    """What was in the file. packets = datagrams + everything left out, by reason."""

    packets: int
    datagrams: int
    not_udp: int
    fragments: int
    cut_off: int
    other_payload: int
    unknown_link: int


class CaptureFile:
    """A pcap or pcapng file, of any byte order and time resolution.

    Of IPv4 and IPv6 over Ethernet (with VLAN tags), Linux cooked, raw IP and loopback links, UDP payloads that begin
    like flow export (version 1, 5, 7, 9, 10, or sFlow) are taken; fragments and everything else are counted.
    """

    def __init__(self, path: Path, *, block_datagrams: int = 2048) -> None:
        self._file = PacketFile(path)
        self._block_datagrams = block_datagrams
        self._counts = np.zeros(cf.PACKET_COUNTS, np.int64)
        self._headers = np.zeros(PACKET_SIZE, np.int64)

    @property
    def counters(self) -> ReplayCounters:
        """What was found so far."""
        lost = self._file.counters.lost_packets
        return ReplayCounters(
            packets=int(self._counts[cf.C_PACKETS]) + lost,
            datagrams=int(self._counts[cf.C_DATAGRAMS]),
            not_udp=int(self._counts[cf.C_NOT_UDP]),
            fragments=int(self._counts[cf.C_FRAGMENTS]),
            cut_off=int(self._counts[cf.C_CUT_OFF]) + lost,
            other_payload=int(self._counts[cf.C_OTHER_PAYLOAD]),
            unknown_link=int(self._counts[cf.C_UNKNOWN_LINK]),
        )

    def blocks(self) -> Iterator[DatagramBlock]:
        """Yield the file's datagrams in order; raises CaptureFileError."""
        buffer = _Buffer(self._block_datagrams)
        for packets in self._file.blocks():
            buffer.state[cf.X_FRAME] = 0
            while self._take(packets, buffer) == cf.BLOCK_FULL:
                frame = buffer.state[cf.X_FRAME]
                yield buffer.block()
                buffer = _Buffer(self._block_datagrams)
                buffer.state[cf.X_FRAME] = frame
        if buffer.filled:
            yield buffer.block()

    def _take(self, packets: PacketBlock, buffer: "_Buffer") -> int:
        return cf.take_datagrams(
            packets.slab, packets.frames, self._headers, buffer.state, self._counts, *buffer.arrays
        )


class _Buffer:
    """Arrays for one block, filled by a kernel."""

    def __init__(self, datagrams: int) -> None:
        self.state = np.zeros(cf.STATE_SIZE, np.int64)
        slab = np.empty(max(_MIN_SLAB_OCTETS, datagrams * _SLAB_OCTETS_PER_DATAGRAM), np.uint8)
        offsets = np.zeros(datagrams + 1, np.int64)
        halves = np.empty((2, datagrams), np.int64)
        ports = np.empty(datagrams, np.uint16)
        arrival = np.empty(datagrams, np.int64)
        self.arrays = (slab, offsets, halves[0], halves[1], ports, arrival)

    @property
    def filled(self) -> bool:
        """Tell whether there is any datagram."""
        return bool(self.state[cf.X_DATAGRAMS])

    def block(self) -> DatagramBlock:
        """Return what was filled in."""
        n, octets = int(self.state[cf.X_DATAGRAMS]), int(self.state[cf.X_OCTETS])
        slab, offsets, hi, lo, ports, arrival = self.arrays
        return DatagramBlock(
            slab=slab[:octets],
            offsets=offsets[: n + 1],
            source_hi=hi[:n].view(np.uint64),
            source_lo=lo[:n].view(np.uint64),
            source_port=ports[:n],
            arrival_milliseconds=arrival[:n],
        )
