"""Capture files as a source of packets: pcap and pcapng of any size -> blocks of frames, in memory that does not grow.

The file is read piece by piece into one buffer. A mapped file costs more (a page fault for every 64 KiB, and its pages
are never in the processor's cache), and one that somebody shortens meanwhile kills the process that has it mapped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.kernels import headers, packetfile
from btimd.kernels.packetlayout import FRAME_ROWS
from btimd.model.packets import PacketBlock

_PCAP_MAGIC: Final = {  # -> ns per unit of the fraction, octets before a packet
    0xA1B2C3D4: (1000, 16),
    0xA1B23C4D: (1, 16),
    0xA1B2CD34: (1000, 24),
}
_PCAPNG_MAGIC: Final = bytes.fromhex("0a0d0d0a")
_PCAP_HEADER_OCTETS: Final = 24
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "gunzip"), b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"), b"\xfd7zXZ": ("xz", "unxz"),
    b"BZh": ("bzip2", "bunzip2"), b"\x04\x22\x4d\x18": ("lz4", "unlz4"),
}  # fmt: skip
_ORDERS: Final[tuple[Literal["little", "big"], ...]] = ("little", "big")
_LINK_MASK: Final = 0xFFFF  # above it stands how long the check sum is
_PAGE: Final = 4096
_HEADROOM: Final = packetfile.MOST_BLOCK  # whole pages; what is left of a piece is always less


class CaptureFileError(Exception):
    """A file that is no capture file, or one that cannot be read; says which, and what to do."""


@dataclass(frozen=True, slots=True)
class PacketFileCounters:
    """What was in the file so far.

    packets: given, with those of the next three: simple_packets without a time of their own, unknown_link of a link
    type that is not read, short_wire_length said to be shorter on the wire than what was captured of them. Not given:
    bad_blocks that contradict themselves, unknown_interface of an interface that is not described or counts time in
    units that are not read, too_long of more than 256 KiB, cut_off by the end of the file. other_blocks: pcapng's
    blocks about something else than packets. unread_octets: behind a place where no block could be made out, itself
    one of bad_blocks.
    """

    packets: int
    simple_packets: int
    unknown_link: int
    short_wire_length: int
    bad_blocks: int
    unknown_interface: int
    other_blocks: int
    too_long: int
    cut_off: int
    unread_octets: int

    @property
    def lost_packets(self) -> int:
        """Packets that the file has, or should have, and that were not given."""
        return self.bad_blocks + self.unknown_interface + self.too_long + self.cut_off


class PacketFile:
    """A pcap or pcapng file, of any byte order and time resolution; a pipe will do.

    pcapng may have many sections and interfaces. block_packets: of a block at most. buffer_octets: read at a time;
    they bound a block too. 4 MiB are as fast as 1 MiB, and enough for some 2,700 packets of full length.
    """

    def __init__(self, path: Path, *, block_packets: int = 8168, buffer_octets: int = 4 << 20) -> None:
        self._path = path
        self._block_packets = block_packets
        self._buffer_octets = buffer_octets
        self._counts = np.zeros(packetfile.COUNTS, np.int64)

    @property
    def counters(self) -> PacketFileCounters:
        """What was found so far."""
        counts = self._counts.tolist()
        return PacketFileCounters(
            packets=counts[packetfile.C_PACKETS],
            simple_packets=counts[packetfile.C_SIMPLE],
            unknown_link=counts[packetfile.C_UNKNOWN_LINK],
            short_wire_length=counts[packetfile.C_WIRE_LENGTH],
            bad_blocks=counts[packetfile.C_BAD_BLOCK],
            unknown_interface=counts[packetfile.C_UNKNOWN_INTERFACE],
            other_blocks=counts[packetfile.C_OTHER_BLOCK],
            too_long=counts[packetfile.C_TOO_LONG],
            cut_off=counts[packetfile.C_CUT_OFF],
            unread_octets=counts[packetfile.C_UNREAD_OCTETS],
        )

    def blocks(self) -> Iterator[PacketBlock]:
        """Yield the file's packets in order; raises CaptureFileError.

        Slab and frame index of a block are overwritten when the next one is asked for. The frame index is always
        C-contiguous.
        """
        try:
            with self._path.open("rb", buffering=0) as file:
                yield from self._blocks(_Pieces(file, self._buffer_octets))
        except OSError as error:
            raise CaptureFileError(f"cannot read {self._path}: {error.strerror}") from error

    def _blocks(self, pieces: "_Pieces") -> Iterator[PacketBlock]:
        walk, counts = self._walk_of(pieces), self._counts
        while True:
            begin = pieces.begin
            why = walk.step(pieces)
            if walk.packets:
                yield PacketBlock(pieces.slab[: pieces.end], walk.frames)
            if why == packetfile.FULL:
                continue
            if why == packetfile.TOO_LONG:
                whole = pieces.skip()
                counts[packetfile.C_TOO_LONG if whole else packetfile.C_CUT_OFF] += 1
                if not whole:
                    return
            elif why == packetfile.LOST:
                if walk.is_before_the_first_section:
                    raise CaptureFileError(
                        f"{self._path} begins like pcapng, but octets 8 to 11, "
                        f"{pieces.slab[begin + 8 : begin + 12].tobytes().hex()}, tell no byte order; record it again"
                    )
                counts[packetfile.C_BAD_BLOCK] += 1
                counts[packetfile.C_UNREAD_OCTETS] += pieces.drain()
                return
            elif not pieces.more():
                counts[packetfile.C_CUT_OFF] += pieces.begin < pieces.end
                return

    def _walk_of(self, pieces: "_Pieces") -> "_Walk":
        """Return how to walk the file, by its first octets."""
        while pieces.end - pieces.begin < _PCAP_HEADER_OCTETS and pieces.more():
            pass
        head = pieces.slab[pieces.begin : pieces.end][:_PCAP_HEADER_OCTETS].tobytes()
        if not head:
            raise CaptureFileError(f"{self._path} is empty; give a pcap or pcapng file")
        if head.startswith(_PCAPNG_MAGIC):
            return _PcapngWalk(self._block_packets, self._counts)
        for order in _ORDERS:
            form = _PCAP_MAGIC.get(int.from_bytes(head[:4], order))
            if form is not None and len(head) == _PCAP_HEADER_OCTETS:
                pieces.begin += _PCAP_HEADER_OCTETS
                link = headers.link_of_linktype(int.from_bytes(head[20:24], order) & _LINK_MASK)
                return _PcapWalk(self._block_packets, self._counts, int(order == "little"), *form, link)
        for begin, (name, program) in _PACKED.items():
            if head.startswith(begin):
                raise CaptureFileError(f"{self._path} is compressed ({name}); unpack it first: {program} {self._path}")
        raise CaptureFileError(
            f"{self._path} begins with {head[:4].hex()}, which is neither pcap nor pcapng; record one with tcpdump -w"
        )


class _Pieces:
    """The file piece by piece: slab[begin:end] is what has been read and not been walked.

    A piece is read to the same place every time, at the beginning of a page, as copying from the kernel takes twice as
    long to a place that is not at a multiple of 64; what is left of the piece before is put in front of it.
    """

    def __init__(self, file: FileIO, octets: int) -> None:
        self._file = file
        buffer = np.empty(_PAGE + _HEADROOM + octets, np.uint8)
        self.slab = buffer[-buffer.ctypes.data % _PAGE :][: _HEADROOM + octets]
        self._place = self.slab[_HEADROOM:].data
        self.begin = self.end = _HEADROOM

    def more(self) -> bool:
        """Read the next piece; return False where the file ends."""
        left = self.end - self.begin
        self.slab[_HEADROOM - left : _HEADROOM] = self.slab[self.begin : self.end]
        read = self._file.readinto(self._place) or 0
        self.begin, self.end = _HEADROOM - left, _HEADROOM + read
        return read > 0

    def skip(self) -> bool:
        """Read on while `begin` stands behind `end`; return False where the file ends before."""
        while self.begin > self.end:
            behind = self.begin - self.end
            self.begin = self.end
            if not self.more():
                return False
            self.begin += behind
        return True

    def drain(self) -> int:
        """Return how many octets are left of the file, having read them."""
        left = 0
        while True:
            left += self.end - self.begin
            self.begin = self.end
            if not self.more():
                return left


class _Walk:
    """How far a file has been walked, and the packets of the last step."""

    def __init__(self, packets: int, counts: npt.NDArray[np.int64]) -> None:
        self._index = np.zeros((FRAME_ROWS, packets), np.int64)
        self._counts = counts
        self._state = np.zeros(packetfile.STATE_SIZE, np.int64)
        self._state[packetfile.X_LITTLE] = -1

    def step(self, pieces: _Pieces) -> int:
        """Find the next packets of the piece; return why no more."""
        self._state[packetfile.X_AT] = pieces.begin
        why = self._walk(pieces.slab, pieces.end)
        pieces.begin = int(self._state[packetfile.X_AT])
        return why

    def _walk(self, slab: npt.NDArray[np.uint8], end: int) -> int:
        raise NotImplementedError

    @property
    def packets(self) -> int:
        """How many packets the last step found."""
        return int(self._state[packetfile.X_PACKETS])

    @property
    def frames(self) -> npt.NDArray[np.int64]:
        """The frame index of the last step."""
        return self._index if self.packets == self._index.shape[1] else self._index[:, : self.packets].copy()

    @property
    def is_before_the_first_section(self) -> bool:
        """Whether a pcapng file has not told its byte order yet."""
        return int(self._state[packetfile.X_LITTLE]) < 0


class _PcapWalk(_Walk):
    def __init__(
        self, packets: int, counts: npt.NDArray[np.int64], little: int, unit: int, header: int, link: int
    ) -> None:
        super().__init__(packets, counts)
        self._form = little, header, unit, link

    @override
    def _walk(self, slab: npt.NDArray[np.uint8], end: int) -> int:
        return int(packetfile.walk_pcap(slab, end, *self._form, self._state, self._counts, self._index))


class _PcapngWalk(_Walk):
    def __init__(self, packets: int, counts: npt.NDArray[np.int64]) -> None:
        super().__init__(packets, counts)
        self._interfaces = np.zeros((packetfile.MOST_INTERFACES, packetfile.I_SIZE), np.int64)

    @override
    def _walk(self, slab: npt.NDArray[np.uint8], end: int) -> int:
        return int(packetfile.walk_pcapng(slab, end, self._interfaces, self._state, self._counts, self._index))
