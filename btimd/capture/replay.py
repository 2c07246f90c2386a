"""Capture files as a source: pcap and pcapng -> blocks of flow export datagrams, stamped with the packets' times."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from btimd.kernels import capturefile as cf
from btimd.model.datagrams import DatagramBlock

Order: TypeAlias = Literal["little", "big"]
ORDERS: Final[tuple[Order, ...]] = ("little", "big")
_PCAP_MAGIC: Final = {0xA1B2C3D4: False, 0xA1B23C4D: True}  # -> nanoseconds
_PCAPNG_MAGIC: Final = 0x0A0D0D0A
_BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
_INTERFACE_BLOCK: Final = 1
_SIMPLE_PACKET_BLOCK: Final = 3
_TIME_RESOLUTION_OPTION: Final = 9
_PCAP_HEADER_OCTETS: Final = 24
_MIN_BLOCK_OCTETS: Final = 12
_MIN_INTERFACE_OCTETS: Final = 20
_LINK_MASK: Final = 0x0FFF_FFFF
_MIN_SLAB_OCTETS: Final = 65_536
_SLAB_OCTETS_PER_DATAGRAM: Final = 1500


class CaptureFileError(Exception):
    """A file that is no capture file, or one that cannot be read; says which, and what to do."""


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
        self._path = path
        self._block_datagrams = block_datagrams
        self._counts = np.zeros(cf.PACKET_COUNTS, np.int64)

    @property
    def counters(self) -> ReplayCounters:
        """What was found so far."""
        return ReplayCounters(
            packets=int(self._counts[cf.C_PACKETS]),
            datagrams=int(self._counts[cf.C_DATAGRAMS]),
            not_udp=int(self._counts[cf.C_NOT_UDP]),
            fragments=int(self._counts[cf.C_FRAGMENTS]),
            cut_off=int(self._counts[cf.C_CUT_OFF]),
            other_payload=int(self._counts[cf.C_OTHER_PAYLOAD]),
            unknown_link=int(self._counts[cf.C_UNKNOWN_LINK]),
        )

    def blocks(self) -> Iterator[DatagramBlock]:
        """Yield the file's datagrams in order; raises CaptureFileError."""
        try:
            with self._path.open("rb") as file:
                if not self._path.stat().st_size:
                    raise CaptureFileError(f"{self._path} is empty; give a pcap or pcapng file")
                # Closed when nobody looks at it any more; an open view would make an earlier close an error.
                memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            yield from self._blocks(np.frombuffer(memory, np.uint8))
        except OSError as error:
            raise CaptureFileError(f"cannot read {self._path}: {error.strerror}") from error

    def _blocks(self, data: npt.NDArray[np.uint8]) -> Iterator[DatagramBlock]:
        head = data[:_PCAP_HEADER_OCTETS].tobytes()
        for order in ORDERS:
            magic = int.from_bytes(head[:4], order)
            if magic in _PCAP_MAGIC and len(head) == _PCAP_HEADER_OCTETS:
                yield from self._pcap(data, head, little=order == "little", nanoseconds=_PCAP_MAGIC[magic])
                return
        if int.from_bytes(head[:4], "big") != _PCAPNG_MAGIC:
            raise CaptureFileError(
                f"{self._path} begins with {head[:4].hex() or 'nothing'}, which is neither pcap nor pcapng; "
                "record one with tcpdump -w"
            )
        yield from self._pcapng(data)

    def _pcap(
        self, data: npt.NDArray[np.uint8], head: bytes, *, little: bool, nanoseconds: bool
    ) -> Iterator[DatagramBlock]:
        link = int.from_bytes(head[20:24], "little" if little else "big") & _LINK_MASK
        buffer = _Buffer(self._block_datagrams)
        position = _PCAP_HEADER_OCTETS
        while True:
            buffer.state[cf.X_POSITION] = position
            status = cf.walk_pcap(data, little, nanoseconds, link, buffer.state, self._counts, *buffer.arrays)
            position = int(buffer.state[cf.X_POSITION])
            if status == cf.BLOCK_FULL:
                yield buffer.block()
                buffer = _Buffer(self._block_datagrams)
                continue
            if buffer.filled:
                yield buffer.block()
            return

    def _pcapng(self, data: npt.NDArray[np.uint8]) -> Iterator[DatagramBlock]:
        buffer = _Buffer(self._block_datagrams)
        links: list[int] = []
        units: list[int] = []
        little = True
        position = 0
        while position + _MIN_BLOCK_OCTETS <= len(data):
            buffer.state[cf.X_POSITION] = position
            status = cf.walk_pcapng(
                data, little, np.array(links, np.int64), np.array(units, np.int64), buffer.state, self._counts,
                *buffer.arrays,
            )  # fmt: skip
            position = int(buffer.state[cf.X_POSITION])
            if status == cf.BLOCK_FULL:
                yield buffer.block()
                buffer = _Buffer(self._block_datagrams)
            elif status == cf.OTHER_BLOCK:
                head = data[position : position + _MIN_BLOCK_OCTETS].tobytes()
                if int.from_bytes(head[:4], "big") == _PCAPNG_MAGIC:
                    little = int.from_bytes(head[8:12], "little") == _BYTE_ORDER_MAGIC
                    if not little and int.from_bytes(head[8:12], "big") != _BYTE_ORDER_MAGIC:
                        raise CaptureFileError(f"{self._path}: section at octet {position} without a byte order")
                    links.clear()
                    units.clear()
                order: Order = "little" if little else "big"
                length = int.from_bytes(head[4:8], order)
                if length < _MIN_BLOCK_OCTETS or length & 3 or position + length > len(data):
                    self._counts[cf.C_PACKETS] += 1
                    self._counts[cf.C_CUT_OFF] += 1
                    break
                kind = int.from_bytes(head[:4], order)
                if kind == _INTERFACE_BLOCK and length >= _MIN_INTERFACE_OCTETS:
                    link, per_second = self._interface(data[position + 8 : position + length - 4].tobytes(), order)
                    links.append(link)
                    units.append(per_second)
                elif kind == _SIMPLE_PACKET_BLOCK:  # it says neither when nor, safely, how much
                    self._counts[cf.C_PACKETS] += 1
                    self._counts[cf.C_CUT_OFF] += 1
                position += length
        if buffer.filled:
            yield buffer.block()

    def _interface(self, body: bytes, order: Order) -> tuple[int, int]:
        """Return (link type, time units per second) of an interface description block."""
        per_second = 1_000_000
        at = 8
        while at + 4 <= len(body):
            code, length = int.from_bytes(body[at : at + 2], order), int.from_bytes(body[at + 2 : at + 4], order)
            if code == 0:
                break
            if code == _TIME_RESOLUTION_OPTION and length == 1 and at + 4 < len(body):
                exponent = body[at + 4]
                base, power, most = (2, exponent & 0x7F, 62) if exponent & 0x80 else (10, exponent, 18)
                if power > most:
                    raise CaptureFileError(f"{self._path}: an interface counts time in {base}^-{power} s")
                per_second = base**power
            at += 4 + (length + 3) // 4 * 4
        return int.from_bytes(body[:2], order), per_second


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
