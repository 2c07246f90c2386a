"""Which segment of the address space an address lies in: IPv4 by a tree of tables, IPv6 by site and search."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel

ROOT_BITS: Final = 16
BLOCK_BITS: Final = 8
MOST_STARTS: Final = 3
SITE_SHIFT: Final = 16
COUNT_BITS: Final = 31


@inlined
def site_hash(site: Any) -> Any:
    """Return a non-negative hash of the upper 48 bits of an IPv6 address; no product leaves 63 bits."""
    value = (site & 0xFFFFFFFF) * 0x2545F491
    value ^= ((site >> 32) & 0xFFFF) * 0x1B873593
    return value >> 17


@inlined
def segment_of(
    hi: Any,
    lo: Any,
    tree4: npt.NDArray[np.int32],
    start4: npt.NDArray[np.int64],
    sites6: npt.NDArray[np.int64],
    start6_hi: npt.NDArray[np.int64],
    start6_lo: npt.NDArray[np.int64],
) -> Any:
    """Return the number of the segment of an address; see `locate` for the shapes."""
    if hi == 0 and (lo >> 32) == 0xFFFF:
        address = lo & 0xFFFFFFFF
        entry = np.int64(tree4[address >> 16])
        if entry < 0:
            entry = np.int64(tree4[~entry + ((address >> 8) & 255)])
            if entry < 0:
                entry = np.int64(tree4[~entry + (address & 255)])
        position = entry >> 2
        for more in range(position + 1, position + 1 + (entry & 3)):
            position += np.int64(start4[more] <= address)
        return position
    flip = ~0x7FFFFFFFFFFFFFFF
    upper = hi ^ flip
    lower = lo ^ flip
    position = np.int64(0)
    candidates = np.int64(len(start6_hi))
    site = (hi >> SITE_SHIFT) & 0xFFFFFFFFFFFF
    mask = len(sites6) - 1
    slot = site_hash(site) & mask
    while sites6[slot, 1] != 0 and sites6[slot, 0] != site:
        slot = (slot + 1) & mask
    if sites6[slot, 1] != 0:
        position = sites6[slot, 1] >> COUNT_BITS
        candidates = sites6[slot, 1] & ((1 << COUNT_BITS) - 1)
    while candidates > 1:
        half = candidates >> 1
        at = position + half
        # A product instead of a branch: which way it goes cannot be predicted.
        below = start6_hi[at] < upper
        equal = start6_hi[at] == upper
        position += half * np.int64(below | (equal & (start6_lo[at] <= lower)))
        candidates -= half
    return len(start4) + position


@kernel
def locate(
    hi: npt.NDArray[np.int64],
    lo: npt.NDArray[np.int64],
    tree4: npt.NDArray[np.int32],
    start4: npt.NDArray[np.int64],
    sites6: npt.NDArray[np.int64],
    start6_hi: npt.NDArray[np.int64],
    start6_lo: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int32],
) -> int:
    """Write the number of the segment of each address and return how many addresses were looked up.

    hi, lo: int64[n], the bits of the halves of 128-bit addresses, IPv4 as ::ffff:a.b.c.d. start4: int64[m], first
    addresses of the IPv4 segments, ascending, start4[0] = 0. tree4: int32[65536 + 256 b], the upper 16 bits of an
    address choose one of the first 65536 entries; an entry of 0 or more says segment << 2 | how many more segments
    (at most 3) start within the entry's part of the address space; an entry ~e below 0 goes on at entry e plus the
    next 8 bits. start6_hi, start6_lo: int64[k], first addresses of the IPv6 segments, ascending, the top bit of both
    halves flipped (so that signed order is address order), the first segment starting at ::. sites6: int64[2^h, 2], at
    most half full: for the upper 48 bits of an address, where segments start within them: the segment of the first
    such address << 31 | how many segments there are to choose from; 0 = nothing starts there, and all are searched.
    segment: int32[n], written: IPv4 segments are numbered from 0, IPv6 segments from m.
    The caller guarantees the lengths, the order, m > 0, k > 0 and that entries of single addresses end the tree.
    """
    for i in range(len(hi)):
        segment[i] = segment_of(hi[i], lo[i], tree4, start4, sites6, start6_hi, start6_lo)
    return len(hi)
