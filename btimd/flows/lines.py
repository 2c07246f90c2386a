"""Memory for tables whose rows are lines of the processor's cache."""

from typing import Final

import numpy as np
import numpy.typing as npt

LINE_OCTETS: Final = 64


def zero_lines(*shape: int) -> npt.NDArray[np.int64]:
    """Return int64 zeros of shape + (8,) whose rows of 64 octets each lie in one cache line, not across two.

    Memory is taken from the system when it is first written to.
    """
    count = int(np.prod(shape))
    raw = np.zeros(count * LINE_OCTETS + LINE_OCTETS, np.uint8)
    begin = -raw.ctypes.data % LINE_OCTETS
    return raw[begin : begin + count * LINE_OCTETS].view(np.int64).reshape(*shape, LINE_OCTETS // 8)
