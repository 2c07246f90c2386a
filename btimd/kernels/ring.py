"""The frames in one block of a receive ring (TPACKET_V3), found for who parses them.

 Block     version 4 | private 4 | status 4 | frames 4 | first frame 4 | length 4 | number 8 | times 16 (tpacket_hdr_v1)
 Frame     next 4 | s 4 | ns 4 | captured 4 | on the wire 4 | status 4 | link header at 2 | network header at 2 |
           hash 4 | TCI 4 | TPID 2 | ...                                                     (tpacket3_hdr)

Numbers stand in the order of the machine; frames begin at multiples of 8 (linux/if_packet.h).
"""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined, kernel, prefetch
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS, F_TAG, F_TIME

BLOCK_HEADER_OCTETS: Final = 48
FRAME_HEADER_OCTETS: Final = 48
B_STATUS, B_FRAMES, B_FIRST = range(2, 5)  # 32-bit words of a block

# The walk is int64[WALK_SIZE]. W_AT: where the next frame's header begins, 0 before the first. W_LEFT: frames that the
# block still holds. The others are totals that only grow: frames, octets on the wire, octets captured, frames that were
# not captured whole, frames that are not where the block says.
W_AT, W_LEFT, W_FRAMES, W_OCTETS, W_CAPTURED, W_CUT_OFF, W_BAD = range(7)
WALK_SIZE: Final = 7

_VLAN_VALID, _TPID_VALID = 1 << 4, 1 << 6  # TP_STATUS_*
_TAG_OCTETS: Final = 4
_CUSTOMER_TAG: Final = 0x8100
_AHEAD: Final = 2048  # the kernel wrote the block on another core: without asking early, each frame is a cache miss
_LINE: Final = 64


@inlined
def _word(words: Any, at: Any) -> Any:
    """Return the 4 octets at a multiple of 4, int64."""
    return np.int64(words[np.uint64(at) >> np.uint64(2)])


@kernel
def walk_block(slab: Any, words: Any, link: int, walk: Any, frames: Any) -> int:
    """Fill `frames` with the next frames of a block; return how many those are, fewer than asked only at its end.

    slab: uint8, one block of the ring as the kernel handed it over, at least 48. words: the same memory as uint32.
    link: headers.LINK_* of the interface. walk: int64[WALK_SIZE]; the caller sets W_AT to 0 for a new block, and is
    done with it when W_LEFT is 0. frames: int64[6, n], n >= 1, F_* of kernels.packetlayout; positions count from the
    slab's first octet. F_OCTETS counts a tag that was taken off, as it was on the wire. A frame that reaches out of the
    slab ends the block, and counts in W_BAD with those behind it.
    """
    size = len(slab)
    if walk[W_AT] == 0:
        walk[W_LEFT] = np.int64(words[B_FRAMES])
        walk[W_AT] = np.int64(words[B_FIRST])
    at = walk[W_AT]
    left = walk[W_LEFT]
    room = frames.shape[1]
    count = 0
    octets = np.int64(0)
    captured = np.int64(0)
    cut_off = np.int64(0)
    while left > 0 and count < room:
        if at < BLOCK_HEADER_OCTETS or at + FRAME_HEADER_OCTETS > size or at & 3 != 0:
            walk[W_BAD] += left
            left = np.int64(0)
            break
        following = _word(words, at)
        kept = _word(words, at + 12)
        length = _word(words, at + 16)
        status = _word(words, at + 20)
        begin = at + (_word(words, at + 24) & 0xFFFF)
        if begin + kept > size:
            walk[W_BAD] += left
            left = np.int64(0)
            break
        line = at + _AHEAD
        until = min(line + following, size)
        while line < until:
            prefetch(slab, line)
            line += _LINE
        if kept < length:
            cut_off += 1
        tag = np.int64(0)
        if status & _VLAN_VALID:
            ethertype = _word(words, at + 36) & 0xFFFF if status & _TPID_VALID else np.int64(_CUSTOMER_TAG)
            tag = (ethertype << 16) | (_word(words, at + 32) & 0xFFFF)
            length += _TAG_OCTETS
        frames[F_AT, count] = begin
        frames[F_END, count] = begin + kept
        frames[F_OCTETS, count] = length
        frames[F_TIME, count] = _word(words, at + 4) * 1_000_000_000 + _word(words, at + 8)
        frames[F_LINK, count] = link
        frames[F_TAG, count] = tag
        octets += length
        captured += kept
        count += 1
        left -= 1
        if left > 0 and following < FRAME_HEADER_OCTETS:
            walk[W_BAD] += left
            left = np.int64(0)
        at += following
    walk[W_AT] = at
    walk[W_LEFT] = left
    walk[W_FRAMES] += count
    walk[W_OCTETS] += octets
    walk[W_CAPTURED] += captured
    walk[W_CUT_OFF] += cut_off
    return count
