"""A block of a receive ring, read with struct: what kernels/ring.py must find."""

import struct

Frame = tuple[int, int, int, int, int, int]
"""at, end, octets on the wire, time in ns, link, tag."""


def frames_of(block: bytes, link: int) -> tuple[list[Frame], int]:
    """Return the frames of a block, and how many are not where it says."""
    found: list[Frame] = []
    left, at = struct.unpack_from("=II", block, 12)
    while left:
        if at < 48 or at % 4 or at + 48 > len(block):
            return found, left
        following, seconds, nanoseconds, captured, length, status, begin, _, _, tci, tpid = struct.unpack_from(
            "=IIIIIIHHIIH", block, at
        )
        begin += at
        if begin + captured > len(block):
            return found, left
        tag = 0
        if status & 0x10:
            tag = (tpid if status & 0x40 else 0x8100) << 16 | tci & 0xFFFF
            length += 4
        found.append((begin, begin + captured, length, seconds * 10**9 + nanoseconds, link, tag))
        left -= 1
        if left and following < 48:
            return found, left
        at += following
    return found, 0
