"""Which segment of the address space an address lies in: IPv4 by an index of its upper half, IPv6 by search."""

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import kernel


@kernel
def locate(
    hi: npt.NDArray[np.int64],
    lo: npt.NDArray[np.int64],
    index4: npt.NDArray[np.int32],
    start4: npt.NDArray[np.int64],
    start6_hi: npt.NDArray[np.int64],
    start6_lo: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int32],
) -> int:
    """Write the number of the segment of each address and return how many addresses were looked up.

    hi, lo: int64[n], the bits of the halves of 128-bit addresses, IPv4 as ::ffff:a.b.c.d. start4: int64[m], first
    addresses of the IPv4 segments, ascending, start4[0] = 0. index4: int32[65537], index4[t] = how many elements of
    start4 are below t * 65536. start6_hi, start6_lo: int64[k], first addresses of the IPv6 segments, ascending, the
    top bit of both halves flipped (so that signed order is address order), the first segment starting at ::.
    segment: int32[n], written: IPv4 segments are numbered from 0, IPv6 segments from m.
    The caller guarantees the lengths, the order, m > 0 and k > 0.
    """
    flip = ~0x7FFFFFFFFFFFFFFF
    count4 = len(start4)
    count6 = len(start6_hi)
    for i in range(len(hi)):
        if hi[i] == 0 and (lo[i] >> 32) == 0xFFFF:
            address = lo[i] & 0xFFFFFFFF
            bucket = address >> 16
            position = np.int64(index4[bucket])
            candidates = np.int64(index4[bucket + 1]) - position + 1
            # The segment that reaches into the bucket from below is a candidate too, unless the bucket is the first.
            position -= 1
            if position < 0:
                position = np.int64(0)
                candidates -= 1
            while candidates > 1:
                half = candidates >> 1
                # A product instead of a branch: which way it goes cannot be predicted.
                position += half * np.int64(start4[position + half] <= address)
                candidates -= half
            segment[i] = position
        else:
            upper = hi[i] ^ flip
            lower = lo[i] ^ flip
            position = np.int64(0)
            candidates = np.int64(count6)
            while candidates > 1:
                half = candidates >> 1
                at = position + half
                below = start6_hi[at] < upper
                equal = start6_hi[at] == upper
                position += half * np.int64(below | (equal & (start6_lo[at] <= lower)))
                candidates -= half
            segment[i] = count4 + position
    return len(hi)
