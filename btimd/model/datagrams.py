"""DatagramBlock: received datagrams on their way from a receiving thread to a decoder."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class DatagramBlock:
    """n datagrams in one slab of bytes.

    slab: uint8, all payloads one behind the other. offsets: int64[n + 1], payload i is slab[offsets[i]:offsets[i+1]].
    source_hi, source_lo: uint64[n], the sender's address as halves. source_port: uint16[n].
    arrival_milliseconds: int64[n], wall clock. stream: the datagrams are the messages of TCP connections, one behind
    the other; an empty one says that its connection ended. The block owns its arrays.
    """

    slab: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    source_hi: npt.NDArray[np.uint64]
    source_lo: npt.NDArray[np.uint64]
    source_port: npt.NDArray[np.uint16]
    arrival_milliseconds: npt.NDArray[np.int64]
    stream: bool = False

    def __post_init__(self) -> None:
        """Refuse offsets that do not fit the slab or columns of another length."""
        count = len(self.offsets) - 1
        if count < 0 or self.offsets[0] != 0 or self.offsets[-1] > len(self.slab):
            raise ValueError("offsets do not fit the slab")
        for array in (self.source_hi, self.source_lo, self.source_port, self.arrival_milliseconds):
            if array.shape != (count,):
                raise ValueError(f"{count} datagrams with a column of {array.shape}")

    def __len__(self) -> int:
        return len(self.offsets) - 1
