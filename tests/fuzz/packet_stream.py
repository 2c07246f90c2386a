"""One fuzz input <-> captured packets: a capture file, or a chain of frames with their times and link types.

What begins like pcap or pcapng is taken as a file. Anything else is a chain of items: control octet, length (2 octets,
big-endian), frame; the last frame may be shorter than its length says.

Control octet: bits 0-2 link type, bits 3-5 how time goes on, bit 6 the frame was longer on the wire, bit 7 a new block
begins.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from btimd.capture.packetfile import CaptureFileError, PacketFile
from btimd.kernels import headers as h
from btimd.kernels.packetlayout import FRAME_ROWS
from btimd.model.packets import PacketBlock

MAX_FRAMES: Final = 256
STARTED_AT: Final = 1_700_000_000_000_000_000
LONGER: Final = 0x40
NEW_BLOCK: Final = 0x80
LINKS: Final = (
    h.LINK_ETHERNET, h.LINK_IPV4, h.LINK_PPP, h.LINK_LOOPBACK, h.LINK_COOKED, h.LINK_RADIOTAP, h.LINK_ETHERNET,
    h.LINK_UNKNOWN,
)  # fmt: skip
END_OF_TIME: Final = (1 << 63) - 1
TIME: Final = (1_000, 20_000_000, 1_500_000_000, 70_000_000_000, -1_000_000_000, -5_000_000_000_000_000, None, None)
"""What is added to the time before a frame, ns; the last two: that frame alone is of the year 1970, at the end of time."""
_MAGIC: Final = (b"\x0a\x0d\x0d\x0a", *(bytes.fromhex(one) for one in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d")))


def is_file(octets: bytes) -> bool:
    """Tell whether an input is taken as a capture file."""
    return octets.startswith(_MAGIC)


def blocks(octets: bytes) -> Iterator[PacketBlock]:
    """Yield the packets of an input: any octets are one."""
    return _of_file(octets) if is_file(octets) else _of_chain(octets)


def _of_file(octets: bytes) -> Iterator[PacketBlock]:
    memory = os.memfd_create("capture")
    try:
        os.write(memory, octets)
        file = PacketFile(Path(f"/proc/self/fd/{memory}"), block_packets=16, buffer_octets=4096)
        given = 0
        for block in file.blocks():
            given += len(block)
            yield block
        if given != file.counters.packets:
            raise AssertionError(f"{given} packets given, {file.counters.packets} counted")
    except CaptureFileError:
        return
    finally:
        os.close(memory)


def _of_chain(octets: bytes) -> Iterator[PacketBlock]:
    rows: list[tuple[int, ...]] = []
    slab, at, now, taken = b"", 0, STARTED_AT, 0
    while at + 3 <= len(octets) and taken < MAX_FRAMES:
        control, length = struct.unpack_from(">BH", octets, at)
        frame = octets[at + 3 : at + 3 + length]
        at += 3 + length
        taken += 1
        if control & NEW_BLOCK and rows:
            yield _block(slab, rows)
            slab, rows = b"", []
        step = TIME[control >> 3 & 7]
        now = min(max(now + (step or 0), 0), END_OF_TIME)
        time = now if step is not None else (0, END_OF_TIME)[control >> 3 & 1]
        wire = len(frame) + (60_000 if control & LONGER else 0)
        rows.append((len(slab), len(slab) + len(frame), wire, time, LINKS[control & 7], 0))
        slab += frame
    if rows:
        yield _block(slab, rows)


def _block(slab: bytes, rows: Sequence[tuple[int, ...]]) -> PacketBlock:
    frames = np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, FRAME_ROWS).T)
    return PacketBlock(np.frombuffer(slab, np.uint8), frames)


def join(frames: Sequence[bytes], *, controls: Sequence[int] = ()) -> bytes:
    """Return the input that splits into frames; controls: one octet for each, or none."""
    given = controls or [0] * len(frames)
    pairs = zip(frames, given, strict=True)
    return b"".join(struct.pack(">BH", control, len(frame)) + frame for frame, control in pairs)


def pcap(frames: Sequence[bytes], *, times: Sequence[int] = (), link: int = 1) -> bytes:
    """Return a pcap file; times: ns since 1970."""
    octets = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, link)
    for at, frame in zip(times or [STARTED_AT] * len(frames), frames, strict=True):
        octets += struct.pack("<IIII", at // 10**9, at % 10**9, len(frame), len(frame)) + frame
    return octets
