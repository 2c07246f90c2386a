"""Numbers out of octets: big-endian loads for kernels that read what came over the wire."""

from typing import Any

import numpy as np

from btimd.kernels._jit import LOADS_ARE_CHECKED, inlined, load2, load4, load8


@inlined
def be2(slab: Any, at: Any) -> Any:
    """Return the 2 octets at `at`, int64."""
    if LOADS_ARE_CHECKED:
        return (np.int64(slab[at]) << 8) | np.int64(slab[at + 1])
    return load2(slab, at)


@inlined
def be4(slab: Any, at: Any) -> Any:
    """Return the 4 octets at `at`, int64."""
    if LOADS_ARE_CHECKED:
        return (be2(slab, at) << 16) | be2(slab, at + 2)
    return load4(slab, at)


@inlined
def be8(slab: Any, at: Any) -> Any:
    """Return the 8 octets at `at`, int64; from 2^63 on negative."""
    if LOADS_ARE_CHECKED:
        return (be4(slab, at) << 32) | be4(slab, at + 4)
    return load8(slab, at)


@inlined
def load(slab: Any, at: Any, length: Any) -> Any:
    """Return a big-endian integer of 0 to 8 octets; from 2^63 on it comes out negative."""
    if length == 4:
        return be4(slab, at)
    if length == 8:
        return be8(slab, at)
    value = np.int64(0)
    for k in range(length):
        value = (value << 8) | np.int64(slab[np.uint64(at + k)])
    return value
