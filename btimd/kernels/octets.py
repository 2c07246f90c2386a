"""Numbers out of octets: big-endian loads for kernels that read what came over the wire."""

from typing import Any

import numpy as np

from btimd.kernels._jit import inlined

_U1, _U2, _U3 = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices: no test for negative ones in the loop


@inlined
def be2(slab: Any, at: Any) -> Any:
    """Return the 2 octets at `at`, int64."""
    i = np.uint64(at)
    return (np.int64(slab[i]) << 8) | np.int64(slab[i + _U1])


@inlined
def be4(slab: Any, at: Any) -> Any:
    """Return the 4 octets at `at`, int64."""
    i = np.uint64(at)
    return (
        (np.int64(slab[i]) << 24)
        | (np.int64(slab[i + _U1]) << 16)
        | (np.int64(slab[i + _U2]) << 8)
        | np.int64(slab[i + _U3])
    )


@inlined
def be8(slab: Any, at: Any) -> Any:
    """Return the 8 octets at `at`, int64; from 2^63 on negative."""
    return (be4(slab, at) << 32) | be4(slab, at + 4)


@inlined
def load(slab: Any, at: Any, length: Any) -> Any:
    """Return a big-endian integer of 0 to 8 octets; from 2^63 on it comes out negative."""
    if length == 4:
        return be4(slab, at)
    if length == 8:
        return be8(slab, at)
    value = np.int64(0)
    for k in range(length):
        value = (value << 8) | np.int64(slab[at + k])
    return value
