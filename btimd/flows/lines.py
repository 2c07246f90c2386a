"""Memory for tables whose rows are lines of the processor's cache."""

from typing import Final

import numpy as np
import numpy.typing as npt

LINE_OCTETS: Final = 64


def zero_lines(rows: int, lines_per_row: int = 1) -> npt.NDArray[np.int64]:
    """Return int64 zeros of shape (rows, 8 * lines_per_row) whose rows begin with a cache line and end with one.

    lines_per_row is a power of two, and rows begin on a multiple of their length: processors fetch lines in pairs.
    Memory is taken from the system when it is first written to.
    """
    width = lines_per_row * LINE_OCTETS
    raw = np.zeros((rows + 1) * width, np.uint8)
    begin = -raw.ctypes.data % width
    return raw[begin : begin + rows * width].view(np.int64).reshape(rows, width // 8)
